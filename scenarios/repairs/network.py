"""Repairs between the servers: names and packets."""

from __future__ import annotations

from scenarios.action import Hand, repair


@repair("R14", "Repair the DNS forwarder", "DNS-Weiterleitung reparieren")
def repair_dns(hand: Hand) -> None:
    dns = hand.world.network.dns
    dns.change(hand.note(dns, "forwards", "forwards"), forwards=True)


@repair("R33", "Repair the firewall rules", "Firewallregeln reparieren")
def repair_firewall(hand: Hand) -> None:
    firewall = hand.world.network.firewall
    names = {hand.site.server.name, *(point.server.name for point in hand.site.points)}
    rules = tuple(rule for rule in firewall.rules if not {rule.source, rule.destination} & names)
    firewall.change(hand.note(firewall, "rules of this site removed", "rules"), rules=rules)


@repair(
    "R58",
    "Repair sender and database replication from the parent site",
    "Sender und Datenbankreplikation vom übergeordneten Standort reparieren",
)
def repair_links(hand: Hand) -> None:
    assert hand.site.parent is not None
    link = hand.site.parent.code, hand.site.code
    sender = hand.world.replication.links[link].sender
    sender.change(hand.note(sender, "up=True", "up"), up=True)
    database = hand.world.database_replication.links.get(link)
    if database is not None and database.state.status:
        state = database.state
        state.change(hand.note(state, "up=True, degraded=False", "up", "degraded"), up=True, degraded=False)
