"""Repairs between the servers: names and packets."""

from __future__ import annotations

from scenarios.action import Hand, repair


@repair(
    "R14", "Repair name resolution: DNS records, forwarder, hosts file", "Namensauflösung reparieren: DNS, Weiterleitung, hosts"
)
def repair_dns(hand: Hand) -> None:
    dns = hand.world.network.dns
    because = hand.note(dns, "records, forwarder and hosts files as they should be", "forwards", "records")
    dns.change(because, forwards=True, records=dns.healthy.get("records", dns.records))
    for server in dict.fromkeys((hand.site.server, hand.site.wsus.server)):
        server.hosts_file.change(because, entries={})


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


@repair("R32", "Have the proxy team set up the proxy again", "Proxyserver durch das Proxyteam wiederherstellen lassen")
def restore_proxy_server(hand: Hand) -> None:
    proxy = hand.world.proxy
    assert proxy is not None
    settings = proxy.settings
    port, account = settings.healthy.get("port", settings.port), settings.healthy.get("account", settings.account)
    settings.change(hand.note(settings, f"port={port}, account={account}", "port", "account"), port=port, account=account)
