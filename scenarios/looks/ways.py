"""How somebody's own requests fare: the rules of network and IIS, with dice that are nobody's, and without a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.look import ADMINISTRATOR, LookError, Observer, Page
from simulator.components.network import DROPPED_US, REFUSED_US, certificate_problem
from simulator.failures import (
    CallTimedOut,
    ConnectionRefused,
    ConnectionTimedOut,
    DatabaseUnreachable,
    Failure,
    HttpStatus,
    NameNotResolved,
    PermissionRefused,
    ProxyStatus,
    Reason,
    SynchronizationCanceled,
    TlsRefused,
    TrustNotEstablished,
)
from simulator.units import MS

if TYPE_CHECKING:
    from simulator.components.iis import Binding
    from simulator.components.sup import SoftwareUpdatePoint
    from simulator.components.upstream import Subscription
    from simulator.components.windows import Server
    from simulator.dice import Stream

ANSWER_US = 20 * MS
"""What a healthy answer takes that somebody asked for by hand."""


def dice(see: Observer) -> Stream:
    """Dice of this look alone: it takes nothing from anybody else's."""
    return see.world.dice.stream(f"look/{see.look.id}/{see.server.name}/{see.at}")


def outcome(reason: Reason) -> str:
    """A failure in a language-free word or two."""
    match reason:
        case NameNotResolved():
            return "name not resolved"
        case ConnectionRefused():
            return "refused"
        case ConnectionTimedOut():
            return "no answer"
        case TrustNotEstablished(problem=problem):
            return problem
        case TlsRefused():
            return "no TLS"
        case HttpStatus(status=status):
            return f"HTTP {status}"
        case ProxyStatus(status=status):
            return f"proxy {status}"
        case PermissionRefused():
            return "permission refused"
        case CallTimedOut():
            return "timed out"
        case DatabaseUnreachable():
            return "database unreachable"
        case SynchronizationCanceled():
            return "canceled"
    return type(reason).__name__


def address_of(target: str) -> tuple[str, int, bool]:
    """``[https://]host[:port][/path]`` taken apart into host, port, SSL."""
    ssl = target.lower().startswith("https://")
    host, colon, port = target.split("://", 1)[-1].partition("/")[0].partition(":")
    if not host or (colon and not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65_536)):
        raise LookError(
            f"{target!r} is not host:port", hint="For example CS1SUP.CONTOSO.COM:8530, or https://CS1SUP.CONTOSO.COM:8531"
        )
    return host, int(port) if port else (443 if ssl else 80), ssl


def let_in(see: Observer, reason: Reason) -> bool:
    """Administrators of a server may use its WSUS without being members of WSUS Administrators [W]."""
    return isinstance(reason, PermissionRefused) and see.account.name.endswith(f"\\{ADMINISTRATOR}")


def try_port(see: Observer, name: str, port: int, *, always_listens: bool = False) -> tuple[str, int]:
    """What a TCP connection from there comes to, and how long it took, microseconds."""
    network, rolls = see.world.network, dice(see)
    try:
        server = network.resolve(see.server, name, rolls)
        network.reach(see.server, name if server is None else server.name, port, rolls)
    except Failure as failure:
        return outcome(failure.reason), failure.took_us
    pinned = see.server.hosts_file.entries.get(name.lower())
    if server is None and pinned not in (None, see.world.catalogue.address(see.at)):
        return "no answer", DROPPED_US
    if server is None or always_listens:
        return "open", ANSWER_US
    proxy = see.world.proxy
    listens = server.iis is not None and server.iis.listener(port) is not None
    if listens or (proxy is not None and server is proxy.server and port == proxy.settings.port):
        return "open", ANSWER_US
    return "refused", rolls.about(REFUSED_US, 8)


def ask_quietly(see: Observer, client: Server, name: str, port: int, directory: str, *, ssl: bool) -> None:
    """What a request of the person who looks would come to, hop by hop; raises ``Failure``."""
    server, binding = see.world.network.open(client, name, port, ssl=ssl, at=see.at, dice=dice(see))
    iis = server.iis
    assert iis is not None
    if iis.site_at(port) is iis.other_site:
        raise Failure(HttpStatus(404), None, ANSWER_US)
    if not iis.pool.started:
        raise Failure(HttpStatus(503), None, ANSWER_US)
    _, reason, _ = iis.answer(iis.directories[directory], see.account, https=binding.https)
    if reason is not None and not let_in(see, reason):
        raise Failure(reason, None, ANSWER_US)


def chain_problem(see: Observer, name: str, binding: Binding) -> str | None:
    """What is wrong with the certificate of a binding for somebody who calls it ``name``; ``None`` when nothing is."""
    if binding.certificate is None or not binding.present:
        return "no TLS"
    found = certificate_problem(name, binding.certificate, see.at)
    return found[0] if found is not None else None


def named(see: Observer, point: SoftwareUpdatePoint, setting: str) -> str:
    """Key of a fact about a software update point's properties: of further ones with the server's name."""
    return f"sup.{setting}" if point is see.site.points[0] else f"sup.{point.server.name}.{setting}"


def filters(page: Page, wanted: Subscription, whose: str) -> None:
    """Products, classifications and languages that somebody (``sup`` or ``wsus``) asks for."""
    page.fact_set(f"{whose}.product", wanted.products)
    page.fact_set(f"{whose}.classification", wanted.classifications)
    page.fact_set(f"{whose}.language", wanted.languages)
    page.say("filter_products", names=", ".join(sorted(wanted.products)))
    page.say("filter_classifications", names=", ".join(sorted(wanted.classifications)))
    page.say("filter_languages", names=", ".join(sorted(wanted.languages)))
