"""The network: names, routes and firewalls, TCP and TLS. Every hop can fail for its own reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from simulator.components.windows import Server
from simulator.dice import Stream
from simulator.failures import ConnectionRefused, ConnectionTimedOut, Failure, NameNotResolved, TlsRefused, TrustNotEstablished
from simulator.journal import Entry
from simulator.state import State, first
from simulator.units import MS, SECOND

if TYPE_CHECKING:
    from simulator.components.iis import Binding

NAME_FAILURE_US = 3_000 * MS
"""A name that nobody knows: the resolver's retries, 2-10 s [I]."""
REFUSED_US = 2_150 * MS
"""A reset: Windows tries three times; with .NET's overhead the seed's failed run takes 3 s in all [S][I]."""
DROPPED_US = 21 * SECOND
"""No answer: 3 + 6 + 12 s of SYN retries [U]."""
TLS_FAILURE_US = 400 * MS


class Rule(NamedTuple):
    """A firewall or routing rule; empty names and port 0 match all."""

    source: str
    destination: str
    port: int
    action: Literal["reject", "drop"]
    because: Entry | None
    """The entry that put it there."""


@dataclass(slots=True, eq=False, kw_only=True)
class Dns(State):
    """The DNS service that all servers ask."""

    records: dict[str, str]
    """Names inside, lower case, to the name of the server."""
    forwards: bool
    """Names outside are forwarded to the Internet's servers, and answered."""


@dataclass(slots=True, eq=False, kw_only=True)
class Firewall(State):
    """Everything between the servers that may stop a packet."""

    rules: tuple[Rule, ...] = ()
    enabled: bool = True


@dataclass(slots=True, eq=False, kw_only=True)
class Certificate(State):
    """A server certificate."""

    names: tuple[str, ...]
    """Subject and alternative names, lower case."""
    not_before: int
    not_after: int
    """Instants between which it is valid."""
    trusted: bool = True


CertificateProblem = Literal["expired", "not yet valid", "wrong name", "untrusted issuer"]


def certificate_problem(name: str, certificate: Certificate, at: int) -> tuple[CertificateProblem, str] | None:
    """Why somebody who calls a server ``name`` does not accept its certificate, and which setting it is; else ``None``."""
    if at >= certificate.not_after:
        return "expired", "not_after"
    if at < certificate.not_before:
        return "not yet valid", "not_before"
    if name.lower() not in certificate.names:
        return "wrong name", "names"
    if not certificate.trusted:
        return "untrusted issuer", "trusted"
    return None


class Network:
    """Who reaches whom."""

    def __init__(self, dns: Dns, firewall: Firewall) -> None:
        self.dns = dns
        self.firewall = firewall
        self.servers: dict[str, Server] = {}

    def resolve(self, client: Server, name: str, dice: Stream, *, proxy: bool = False) -> Server | None:
        """The server that ``client`` finds under that name; ``None`` for one on the Internet.

        A computer knows its own name, then looks into its hosts file, then asks DNS. Raises ``Failure`` (``NameNotResolved``).
        """
        known = self._lookup(client, name)
        if known is not None:
            return self.servers.get(known)
        dns = self.dns
        inside = name.lower().endswith(f".{dns.entity}")
        if dns.forwards and not inside:
            return None
        because = dns.because("records" if inside else "forwards")
        raise Failure(NameNotResolved(name, proxy), because, dice.about(NAME_FAILURE_US, 10))

    def _lookup(self, client: Server, name: str) -> str | None:
        """What ``client`` is told at once when it looks up ``name``: by itself, its hosts file, or a record of DNS."""
        low = name.lower()
        if low == client.fqdn.lower():
            return client.name
        return client.hosts_file.entries.get(low) or self.dns.records.get(low)

    def because_misled(self, client: Server, name: str) -> Entry | None:
        """Why ``client`` finds another computer under ``name`` than it should, if it does."""
        low = name.lower()
        right = self.dns.healthy.get("records", self.dns.records).get(low)
        if self._lookup(client, name) == right:
            return None
        return first(
            client.hosts_file.because("entries") if low in client.hosts_file.entries else None, self.dns.because("records")
        )

    def reach(self, client: Server, destination: str, port: int, dice: Stream) -> None:
        """Send a SYN from ``client`` to a server's (or an Internet host's) port; raises ``Failure`` when a rule stops it."""
        if not self.firewall.enabled:
            return
        for rule in self.firewall.rules:
            if (
                rule.source in ("", client.name)
                and rule.destination in ("", destination)
                and rule.port in (0, port)
                and client.name != destination
            ):
                because = rule.because
                if rule.action == "drop":
                    raise Failure(ConnectionTimedOut(self.address(destination), port), because, dice.about(DROPPED_US, 2))
                raise Failure(ConnectionRefused(self.address(destination), port), because, dice.about(REFUSED_US, 8))

    def address(self, destination: str) -> str:
        """The IP address of a server; the name itself for an Internet host."""
        server = self.servers.get(destination)
        return server.ip if server is not None else destination

    def open(self, client: Server, name: str, port: int, *, ssl: bool, at: int, dice: Stream) -> tuple[Server, Binding]:
        """Connect to a web server inside, up to and including TLS: the server, and the binding that answers.

        Raises ``Failure`` at the first hop that does not work: name, route, listener, TLS.
        """
        server = self.resolve(client, name, dice)
        misled = self.because_misled(client, name)
        if server is None:
            raise Failure(ConnectionTimedOut(name, port), misled, dice.about(DROPPED_US, 2))
        self.reach(client, server.name, port, dice)
        iis = server.iis
        if iis is None:
            raise Failure(ConnectionRefused(server.ip, port), misled, dice.about(REFUSED_US, 8))
        binding = iis.listener(port)
        if binding is None:
            because = first(iis.because_closed(port), misled)
            raise Failure(ConnectionRefused(server.ip, port), because, dice.about(REFUSED_US, 8))
        if ssl:
            try:
                self._negotiate(name, binding, at, dice)
            except Failure as failure:
                raise Failure(failure.reason, first(failure.because, misled), failure.took_us) from None
        return server, binding

    @staticmethod
    def _negotiate(name: str, binding: Binding, at: int, dice: Stream) -> None:
        certificate = binding.certificate
        if not binding.https or certificate is None:
            raise Failure(TlsRefused(name), binding.because("certificate"), dice.about(TLS_FAILURE_US))
        found = certificate_problem(name, certificate, at)
        if found is None:
            return
        problem, setting = found
        because = first(certificate.because(setting), binding.because("certificate"))
        raise Failure(TrustNotEstablished(name, problem), because, dice.about(TLS_FAILURE_US))
