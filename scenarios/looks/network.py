"""Looks at the network: names, ports, listeners, firewall, proxy, certificates."""

from __future__ import annotations

from typing import NamedTuple

from scenarios.look import CLIENTS, EVERY_SERVER, WSUS_SERVERS, Observer, Page, look
from scenarios.looks.ways import address_of, chain_problem, dice, try_port
from simulator.failures import Failure, ProxyStatus
from simulator.units import SECOND

INTERNET = "internet"


class Endpoint(NamedTuple):
    """Something that a site's synchronization needs to reach."""

    name: str
    port: int


def _upstream(see: Observer) -> Endpoint:
    """Where WSUS of the server that one sits at (or of the site) synchronizes from, or through."""
    settings = see.wsus.settings
    if settings.upstream:
        return Endpoint(settings.upstream, settings.upstream_port)
    if settings.proxy_host:
        return Endpoint(settings.proxy_host, settings.proxy_port)
    return Endpoint(see.world.microsoft_update.host, 443)


def _needed(see: Observer) -> list[Endpoint]:
    """The software update points as the site configures them, and what is upstream of WSUS."""
    sups = (point.properties for point in see.site.points)
    return [*(Endpoint(sup.fqdn, sup.port) for sup in sups), _upstream(see)]


@look("L70", minutes=2, hosts=CLIENTS, takes_target=True)
def name_resolution(see: Observer, page: Page) -> None:
    """What programs are told on that host, and where its hosts file says something else than DNS."""
    entries = see.server.hosts_file.entries
    names = [see.target] if see.target is not None else [name for name, _ in _needed(see)] + [see.world.microsoft_update.host]
    for name in dict.fromkeys(name.lower() for name in (*names, *sorted(entries))):
        answer = _address(see, name)
        page.fact(f"dns.{name}", answer or "not found")
        if answer is None:
            page.say("dns_not_found", name=name)
        elif answer == INTERNET:
            page.say("dns_internet", name=name)
        else:
            page.say("dns_row", name=name, address=answer)
    for name, target in sorted(entries.items()):
        server = see.world.network.servers.get(target)
        page.fact(f"hosts.{name}", INTERNET if server is None else server.ip)
        page.say("hosts_row", name=name, address=target if server is None else server.ip)
        asked = see.world.network.dns.records.get(name)
        if server is not None and asked != target:
            page.fact(f"hosts.{name}.differs", True)
            page.say("hosts_differs", name=name)


def _address(see: Observer, name: str) -> str | None:
    """The address of a server inside, a word for one on the Internet, ``None`` for an unknown name."""
    try:
        server = see.world.network.resolve(see.server, name, dice(see))
    except Failure:
        return None
    return INTERNET if server is None else server.ip


@look("L71", minutes=2, hosts=CLIENTS, takes_target=True)
def port_test(see: Observer, page: Page) -> None:
    wanted = _needed(see)
    if see.target is not None:
        name, port, _ = address_of(see.target)
        wanted = [Endpoint(name, port)]
    for name, port in wanted:
        result, took_us = try_port(see, name, port)
        page.fact(f"tcp.{name.lower()}:{port}", result)
        page.say("tcp_row", name=name, port=port, result=page.word(result), took_s=took_us // SECOND)


@look("L73", minutes=1, hosts=EVERY_SERVER)
def listeners(see: Observer, page: Page) -> None:
    iis = see.server.iis
    sites = iis.sites if iis is not None else ()
    ports = {binding.port for site in sites for binding in site.bindings if iis is not None and iis.listener(binding.port)}
    for port in sorted(ports):
        page.fact("listener", port)
        page.say("listener_row", port=port)
    if not ports:
        page.say("no_listeners")


@look("L74", minutes=5, hosts=("prx",))
def proxy_log(see: Observer, page: Page) -> None:
    """What the proxy tells of the synchronizations that WSUS has had, from WSUS's own history: it keeps no file here."""
    proxy = see.world.proxy
    assert proxy is not None
    page.fact("proxy.port", proxy.settings.port)
    page.fact("proxy.account", proxy.settings.account or None)
    for point in (point for site in see.world.sites.values() for point in site.points):
        wsus = point.wsus
        if wsus.proxy is None:
            continue
        for past in wsus.history:
            through = (
                past.proxy
                and past.began_at >= see.world.start
                and (past.trouble is None or isinstance(past.trouble.reason, ProxyStatus))
            )
            if not through:
                continue
            status = 200 if past.trouble is None else 407
            page.fact("proxy.request", f"{wsus.server.name} {status}")
            page.say("proxy_row", when=see.clock(past.ended_at), client=wsus.server.ip, site=point.site.code, status=status)
    if not any(key == "proxy.request" for key, _ in page.facts):
        page.say("proxy_nothing")


@look("L75", minutes=5, hosts=CLIENTS)
def firewall_rules(see: Observer, page: Page) -> None:
    firewall = see.world.network.firewall
    page.fact("firewall.enabled", firewall.enabled)
    page.say("firewall_state", state=page.word("enabled" if firewall.enabled else "disabled"))
    for rule in firewall.rules:
        source, destination = rule.source or "any", rule.destination or "any"
        page.fact("rule", f"{rule.action} {source} -> {destination}:{rule.port or 'any'}")
        page.say(
            "rule_row",
            action=page.word(rule.action),
            source=page.word(source),
            destination=page.word(destination),
            port=rule.port or page.word("any"),
        )
    if not firewall.rules:
        page.say("no_rules")


@look("L76", minutes=1, hosts=EVERY_SERVER)
def winhttp_proxy(see: Observer, page: Page) -> None:
    proxy = see.server.settings.winhttp_proxy
    page.fact("winhttp.proxy", proxy or None)
    if proxy:
        page.say("winhttp_proxy", proxy=proxy)
    else:
        page.say("winhttp_direct")


# --- certificates


@look("L80", minutes=3, hosts=WSUS_SERVERS)
def certificate(see: Observer, page: Page) -> None:
    binding = see.iis.https
    bound = binding.certificate
    page.fact("certificate.bound", binding.present and bound is not None)
    if bound is None:
        page.say("no_certificate")
        return
    for name in bound.names:
        page.fact("certificate.name", name)
    dates = "expired" if see.at >= bound.not_after else "not yet valid" if see.at < bound.not_before else "valid"
    page.fact("certificate.dates", dates)
    names = ", ".join(bound.names)
    page.say("certificate_row", names=names, begins=see.clock(bound.not_before), ends=see.clock(bound.not_after))
    page.say("certificate_state", dates=page.word(dates), bound=page.word(binding.present), port=binding.port)


@look("L81", minutes=4, hosts=CLIENTS, takes_target=True)
def chain_test(see: Observer, page: Page) -> None:
    """Of every software update point of the site, or of the one that is sat at."""
    points = [point for point in see.site.points if point.server is see.server] or see.site.points
    for point in points:
        iis, name = point.server.iis, see.target or point.properties.fqdn
        if iis is None or iis.https.certificate is None:
            page.fact(f"chain.{point.server.name}", "no certificate")
            page.say("no_certificate")
            continue
        problem = chain_problem(see, name, iis.https)
        page.fact(f"chain.{point.server.name}", problem or "valid")
        page.say("chain_row", name=name, result=page.word(problem or "valid"))
