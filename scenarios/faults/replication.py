"""Faults of what carries things between sites, and of the way to further software update points."""

from __future__ import annotations

from scenarios.fault import Scene, fault
from scenarios.text import Text
from simulator.components.network import Rule


@fault(
    "M43",
    Text("Request file does not reach the child site", "SYN-Datei kommt am untergeordneten Standort nicht an"),
    Text(
        "The parent site's sender cannot reach the child site (share, account or network): the request to synchronize waits in "
        "the parent's outbox, and the child does nothing at all.",
        "Der Sender des übergeordneten Standorts erreicht den untergeordneten nicht (Freigabe, Konto oder Netzwerk): Die "
        "Synchronisierungsanforderung wartet im Ausgang, und der untergeordnete Standort tut gar nichts.",
    ),
    entity="{parent}->{site} sender",
    setting="up",
    healthy="yes",
    faulty="no",
    estate="contoso-child",
    site="child",
    repairs=("R58",),
    looks=("L23", "L20"),
    level=3,
    needs=("parent",),
)
def sender_down(scene: Scene) -> None:
    assert scene.site.parent is not None
    link = scene.world.replication.links[scene.site.parent.code, scene.site.code]
    link.sender.change(scene.because, up=not scene.broken)


@fault(
    "M53",
    Text("A further SUP cannot be reached", "Zusätzlicher SUP nicht erreichbar"),
    Text(
        "A firewall silently drops the site server's packets to a further (replica or Internet-based) software update point; "
        "the first one is synchronized, the further one is not.",
        "Eine Firewall verwirft stillschweigend die Pakete des Standortservers zu einem zusätzlichen (Replikat- oder "
        "internetbasierten) Softwareupdatepunkt; der erste wird synchronisiert, der zusätzliche nicht.",
    ),
    entity="network/firewall",
    setting="rules",
    healthy="the site server may reach the further software update point",
    faulty="packets from the site server to the further software update point are dropped",
    estate="contoso-replica",
    repairs=("R33", "R10@top"),
    looks=("L20", "L71", "L21"),
    needs=("further",),
)
def further_sup_blocked(scene: Scene) -> None:
    firewall = scene.world.network.firewall
    further = next(point.server for point in scene.site.points[1:] if not point.on_site_server)
    rule = Rule(scene.site.server.name, further.name, 0, "drop", scene.because)
    rules = tuple(other for other in firewall.rules if other[:2] != rule[:2])
    firewall.change(scene.because, rules=(*rules, rule) if scene.broken else rules)
