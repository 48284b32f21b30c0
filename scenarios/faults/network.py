"""Faults between the servers: names and packets."""

from __future__ import annotations

from scenarios.fault import Scene, fault
from scenarios.text import Text
from simulator.components.network import Rule


@fault(
    "S07",
    Text("SUP's FQDN resolves to another machine", "FQDN des SUP zeigt auf einen anderen Server"),
    Text(
        "The DNS record of the software update point's name leads to its retired predecessor, on which WSUS still runs.",
        "Der DNS-Eintrag des Softwareupdatepunkts führt zu dessen ausgemustertem Vorgänger, auf dem WSUS noch läuft.",
    ),
    entity="DNS/{sup}",
    setting="record",
    healthy="the software update point's address",
    faulty="the retired WSUS server's address",
    estate="contoso-old",
    repairs=("R14", "R08", "R10"),
    looks=("L21", "L70", "L06"),
    level=3,
    needs=("old", "remote"),
)
def name_leads_elsewhere(scene: Scene) -> None:
    dns, server = scene.world.network.dns, scene.wsus.server
    target = scene.site.spec.old_wsus if scene.broken else server.name
    dns.change(scene.because, records={**dns.records, server.fqdn.lower(): target})


@fault(
    "S15",
    Text("DNS does not resolve Internet names", "Namensauflösung der Upstream-URL gestört"),
    Text(
        "The DNS server no longer forwards queries for names on the Internet, so WSUS cannot find Microsoft Update.",
        "Der DNS-Server leitet Anfragen nach Internetnamen nicht mehr weiter; WSUS findet Microsoft Update nicht.",
    ),
    entity="DNS",
    setting="forwards",
    healthy="yes",
    faulty="no",
    repairs=("R14", "R10"),
    looks=("L70", "L20", "L07"),
    level=3,
    needs=("direct",),
)
def dns_forwarder_down(scene: Scene) -> None:
    scene.world.network.dns.change(scene.because, forwards=not scene.broken)


@fault(
    "S20",
    Text("No network connection from the site server to the SUP", "Keine Verbindung vom Standortserver zum SUP"),
    Text(
        "A firewall between site server and software update point silently drops the site server's packets.",
        "Eine Firewall zwischen Standortserver und Softwareupdatepunkt verwirft stillschweigend die Pakete des Standortservers.",
    ),
    entity="network/firewall",
    setting="rules",
    healthy="the site server may reach the software update point",
    faulty="packets from the site server to the software update point are dropped",
    repairs=("R33", "R08", "R10"),
    looks=("L71", "L45", "L30", "L37", "L75"),
    needs=("remote",),
)
def path_blocked(scene: Scene) -> None:
    firewall = scene.world.network.firewall
    rule = Rule(scene.site.server.name, scene.wsus.server.name, 0, "drop", scene.because)
    rules = tuple(other for other in firewall.rules if other[:2] != rule[:2])
    firewall.change(scene.because, rules=(*rules, rule) if scene.broken else rules)
