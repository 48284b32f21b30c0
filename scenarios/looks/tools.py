"""Looks from the WSUS console and with tools: connecting, names, ports, browsers, certificates, wsusutil, PowerShell."""

from __future__ import annotations

from typing import NamedTuple

from scenarios.look import ADMINISTRATOR, CLIENTS, LookError, Observer, Page, look
from simulator.components.iis import Caller, request
from simulator.components.site import Site
from simulator.dice import Stream
from simulator.failures import (
    ConnectionRefused,
    ConnectionTimedOut,
    Failure,
    HttpStatus,
    NameNotResolved,
    PermissionRefused,
    Reason,
    TlsRefused,
    TrustNotEstablished,
)
from simulator.units import MS, SECOND

ANSWER_US = 20 * MS
"""What a healthy answer takes that somebody asked for by hand."""


def dice(see: Observer) -> Stream:
    """Dice of this look alone: it takes nothing from anybody else's."""
    return see.world.dice.stream(f"look/{see.look.id}/{see.server.name}/{see.at}")


def outcome(reason: Reason) -> str:
    """A failure in one language-free word or two."""
    match reason:
        case NameNotResolved():
            return "name not resolved"
        case ConnectionRefused():
            return "refused"
        case ConnectionTimedOut():
            return "no answer"
        case TrustNotEstablished(problem=problem):
            return f"certificate: {problem}"
        case TlsRefused():
            return "no TLS"
        case HttpStatus(status=status):
            return f"HTTP {status}"
        case PermissionRefused():
            return "permission refused"
    return type(reason).__name__


# --- the WSUS console


def _connect_target(see: Observer) -> tuple[str, int, bool]:
    """Server, port and SSL that somebody types into Connect to Server."""
    if see.target is not None:
        return _address(see.target)
    sup = see.site.sup
    if see.server is see.site.wsus.server:
        settings = see.wsus.settings
        port = see.iis.https.port if settings.using_ssl else see.iis.http.port
        return see.server.fqdn, port, settings.using_ssl
    return sup.fqdn, sup.port, sup.use_ssl


def _address(target: str) -> tuple[str, int, bool]:
    """``[https://]host[:port]`` taken apart."""
    ssl = target.lower().startswith("https://")
    host, colon, port = target.split("://", 1)[-1].partition("/")[0].partition(":")
    if not host or (colon and not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536)):
        raise LookError(
            f"{target!r} is not host:port", hint="For example CS1SUP.CONTOSO.COM:8530, or https://CS1SUP.CONTOSO.COM:8531"
        )
    return host, int(port) if port else (443 if ssl else 80), ssl


def _ask(see: Observer, name: str, port: int, directory: str, *, ssl: bool, agent: str) -> None:
    """A request as the person who looks; it leaves what any request leaves. Raises ``Failure``."""
    caller = Caller(see.world.journal, see.server, f"look{see.number}/{directory}", see.account, dice(see))
    request(
        see.world.network,
        caller,
        name,
        port,
        directory,
        ssl=ssl,
        at=see.at,
        took_us=ANSWER_US,
        fresh=True,
        agent="browser" if agent == "browser" else "soap",
    )


def _let_in(see: Observer, reason: Reason) -> bool:
    """Administrators of a server may use its WSUS without being members of WSUS Administrators [W]."""
    return isinstance(reason, PermissionRefused) and see.account.name.endswith(f"\\{ADMINISTRATOR}")


@look("L50", minutes=2, hosts=CLIENTS, leaves_trace=True)
def connect_console(see: Observer, page: Page) -> None:
    name, port, ssl = _connect_target(see)
    page.say("connecting", server=name, port=port, ssl=page.word(ssl), account=see.account.name)
    if not see.server.programs.wsus_console and see.server.wsus is None:
        page.fact("connect", "no console")
        page.say("connect_no_console")
        return
    try:
        _ask(see, name, port, "ApiRemoting30", ssl=ssl, agent="soap")
    except Failure as failure:
        if not _let_in(see, failure.reason):
            page.fact("connect", outcome(failure.reason))
            page.say("connect_failed", reason=see.run.reasons.text(failure.reason))
            return
    page.fact("connect", "connected")
    page.say("connected")
    server = see.world.network.resolve(name, dice(see))
    if server is not None and server.wsus is not None and not server.wsus.service.running:
        page.fact("connect.service", "stopped")
        page.say("connected_service_stopped")


# --- name and port


class Endpoint(NamedTuple):
    """Something that this site's synchronization needs to reach."""

    name: str
    port: int


def _upstream(site: Site) -> Endpoint:
    settings, world = site.wsus.settings, site.world
    if settings.upstream:
        return Endpoint(settings.upstream, settings.upstream_port)
    if settings.proxy_host:
        return Endpoint(settings.proxy_host, settings.proxy_port)
    return Endpoint(world.microsoft_update.host, 443)


@look("L71", minutes=2, hosts=CLIENTS)
def port_test(see: Observer, page: Page) -> None:
    if see.target is not None:
        name, port, _ = _address(see.target)
        wanted = [Endpoint(name, port)]
    else:
        wanted = [Endpoint(see.site.sup.fqdn, see.site.sup.port), _upstream(see.site)]
    for name, port in wanted:
        result, took_us = _try_port(see, name, port)
        page.fact(f"tcp.{name.lower()}:{port}", result)
        page.say("tcp_row", name=name, port=port, result=page.word(result), took_s=-(-took_us // SECOND))


def _try_port(see: Observer, name: str, port: int) -> tuple[str, int]:
    """What a TCP connection from there comes to, and how long it took, microseconds."""
    network, rolls = see.world.network, dice(see)
    try:
        server = network.resolve(name, rolls)
        network.reach(see.server, name if server is None else server.name, port, rolls)
    except Failure as failure:
        return outcome(failure.reason), failure.took_us
    if server is None:
        return "open", ANSWER_US
    proxy = see.world.proxy
    listens = server.iis is not None and server.iis.listener(port) is not None
    if listens or (proxy is not None and server is proxy.server and port == proxy.settings.port):
        return "open", ANSWER_US
    return "refused", SECOND
