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
    names = {hand.site.server.name, hand.site.wsus.server.name}
    rules = tuple(rule for rule in firewall.rules if not {rule.source, rule.destination} & names)
    firewall.change(hand.note(firewall, "rules of this site removed", "rules"), rules=rules)
