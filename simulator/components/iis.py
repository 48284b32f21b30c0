"""Internet Information Services on a WSUS server: HTTP.sys, web site, application pool, virtual directories.

A request passes listener, pool, SSL requirement, authentication, authorization and application, in this order; where it
ends, the site's log (or, for a stopped pool, HTTP.sys's own) tells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from simulator.components.network import Certificate
from simulator.components.windows import Account, Server
from simulator.dice import Stream
from simulator.events import LogonFailed, RequestsRejected, RequestsServed, Served
from simulator.failures import Failure, HttpStatus, PermissionRefused, Reason
from simulator.journal import Entry, Journal, Reporter, new_tuple
from simulator.state import State, first
from simulator.units import MS

if TYPE_CHECKING:
    from simulator.components.network import Network

SEC_E_NO_CREDENTIALS = 2148074254
SEC_E_LOGON_DENIED = 2148074252
ERROR_ACCESS_DENIED = 5
NEVER = 2**63

Application = Callable[[str], tuple[Reason, Entry | None] | None]
"""What answers behind a virtual directory: given the caller's account, the trouble and its cause, if any."""


@dataclass(slots=True, eq=False, kw_only=True)
class AppPool(State):
    """An application pool."""

    name: str = "WsusPool"
    started: bool = True


@dataclass(slots=True, eq=False, kw_only=True)
class Binding(State):
    """A port on which a web site answers."""

    port: int
    https: bool
    present: bool
    certificate: Certificate | None = None


class Denial(NamedTuple):
    """An account that folder permissions deny, and the entry that made them do so."""

    account: str
    because: Entry | None


@dataclass(slots=True, eq=False, kw_only=True)
class VirtualDirectory(State):
    """One of the nine virtual directories of WSUS, as installed [W]."""

    endpoint: str
    """Path that its callers ask for."""
    anonymous: bool
    anonymous_account: Account
    integrated: bool
    require_ssl: bool
    readers: tuple[str, ...]
    """Groups that the folder's permissions let read (or more) [W]."""
    denied: tuple[Denial, ...] = ()
    """Accounts that they expressly do not."""
    application: Application | None = None


class Directory(NamedTuple):
    """A row of WSUS's installation table [W][X]."""

    name: str
    endpoint: str
    anonymous: bool
    ssl: bool
    """Requires SSL when WSUS is configured for it."""
    readers: tuple[str, ...]
    """Who may at least read the folder."""


_WEB_SERVICE = ("NETWORK SERVICE", "Users", "Authenticated Users", "Administrators", "SYSTEM")
_CONTENT = ("NETWORK SERVICE", "Users", "Administrators", "SYSTEM")
_SELF_UPDATE = ("Users", "Administrators", "SYSTEM")
EVERYBODY = frozenset({"Users", "Authenticated Users"})
"""Groups of which every account that can log on is a member."""

DIRECTORIES = (
    Directory("ApiRemoting30", "/ApiRemoting30/WebService.asmx", False, True, _WEB_SERVICE),
    Directory("ClientWebService", "/ClientWebService/Client.asmx", True, True, _WEB_SERVICE),
    Directory("Content", "/Content/anonymousCheckFile.txt", True, False, _CONTENT),
    Directory("DssAuthWebService", "/DssAuthWebService/DssAuthWebService.asmx", True, True, _WEB_SERVICE),
    Directory("Inventory", "/Inventory/InventoryRules.cab", True, False, _WEB_SERVICE),
    Directory("ReportingWebService", "/ReportingWebService/ReportingWebService.asmx", True, False, _WEB_SERVICE),
    Directory("SelfUpdate", "/SelfUpdate/wuident.cab", True, False, _SELF_UPDATE),
    Directory("ServerSyncWebService", "/ServerSyncWebService/ServerSyncWebService.asmx", True, True, _WEB_SERVICE),
    Directory("SimpleAuthWebService", "/SimpleAuthWebService/SimpleAuth.asmx", True, True, _WEB_SERVICE),
)
"""The virtual directories of WSUS with their authentication, SSL settings and folder permissions."""

SSL_DIRECTORIES = tuple(directory.name for directory in DIRECTORIES if directory.ssl)


class Verdict(NamedTuple):
    """What a request came to: the row's numbers, who it was, and the cause if it was refused."""

    status: int
    substatus: int
    win32: int
    user: str
    because: Entry | None


class Iis:
    """IIS of one server, with the web site that WSUS uses."""

    def __init__(
        self,
        server: Server,
        *,
        needs_iisadmin: bool,
        web_site: int,
        http: Binding,
        https: Binding,
        anonymous_account: Account,
        ssl: bool,
    ) -> None:
        self.server = server
        self.web_site = web_site
        self.http = http
        self.https = https
        self.pool = AppPool(entity=f"{server.name}/WsusPool")
        self.anonymous_account = anonymous_account
        self.needs_iisadmin = needs_iisadmin
        self.iisadmin = server.add_service("IISADMIN")
        self.w3svc = server.add_service("W3SVC")
        self.directories = {
            row.name: VirtualDirectory(
                entity=f"{server.name}/{row.name}",
                endpoint=row.endpoint,
                anonymous=row.anonymous,
                anonymous_account=anonymous_account,
                integrated=not row.anonymous,
                require_ssl=ssl and row.ssl,
                readers=row.readers,
            )
            for row in DIRECTORIES
        }

    # --- HTTP.sys

    def listener(self, port: int) -> Binding | None:
        """The binding that answers on ``port``; ``None`` when nobody listens there."""
        if self.w3svc.running:
            for binding in (self.http, self.https):
                if binding.port == port and binding.present:
                    return binding
        return None

    def because_closed(self, port: int) -> Entry | None:
        """Why nobody listens on ``port``, as far as this server is to blame."""
        if not self.w3svc.running:
            return self.w3svc.because("running")
        for binding in (self.http, self.https):
            if binding.port == port or binding.healthy.get("port") == port:
                return binding.because("present", "port")
        return None

    # --- services

    def stop_iisadmin(self, at: int, because: Entry | None) -> None:
        """Stop the IIS Admin Service; in IIS 6 the web service depends on it and stops first."""
        if self.needs_iisadmin:
            self.stop_w3svc(at, because)
        self.server.set_service(at, "IISADMIN", running=False, because=because)

    def start_iisadmin(self, at: int, because: Entry | None) -> None:
        """Start the IIS Admin Service; what depended on it stays down."""
        self.server.set_service(at, "IISADMIN", running=True, because=because)

    def stop_w3svc(self, at: int, because: Entry | None) -> None:
        self.server.set_service(at, "W3SVC", running=False, because=because)

    def start_w3svc(self, at: int, because: Entry | None) -> None:
        """Start the web service, and first what it depends on."""
        if self.needs_iisadmin:
            self.start_iisadmin(at, because)
        self.server.set_service(at, "W3SVC", running=True, because=because)

    # --- a request

    def verdict(self, directory: VirtualDirectory, account: Account, *, https: bool) -> Verdict:
        """How IIS decides on a request of ``account`` to a virtual directory, before the application has its say."""
        if directory.require_ssl and not https:
            return Verdict(403, 4, ERROR_ACCESS_DENIED, "", directory.because("require_ssl"))
        user = ""
        if directory.anonymous:
            anonymous = directory.anonymous_account
            if not anonymous.can_log_on:
                because = first(anonymous.because("enabled", "password_current"), directory.because("anonymous_account"))
                return Verdict(401, 1, SEC_E_LOGON_DENIED, "", because)
            reader = anonymous.name
        elif directory.integrated and account.name:
            if not account.can_log_on:
                return Verdict(401, 1, SEC_E_LOGON_DENIED, "", account.because("enabled", "password_current"))
            reader = user = account.name
        else:
            return Verdict(401, 2, SEC_E_NO_CREDENTIALS, "", directory.because("anonymous", "integrated"))
        for denial in directory.denied:
            if denial.account == reader:
                return Verdict(401, 3, ERROR_ACCESS_DENIED, user, denial.because)
        if EVERYBODY.isdisjoint(directory.readers):
            return Verdict(401, 3, ERROR_ACCESS_DENIED, user, directory.because("readers"))
        return Verdict(200, 0, 0, user, None)

    def rows(self, directory: VirtualDirectory, verdict: Verdict, took_ms: int, *, fresh: bool) -> tuple[Served, ...]:
        """The log rows of one request: on a fresh connection Windows authentication shows its two harmless 401s first [L]."""
        endpoint = directory.endpoint
        row = Served(endpoint, verdict.user, verdict.status, verdict.substatus, verdict.win32, took_ms)
        if not fresh or directory.anonymous or verdict.status == 403:
            return (row,)
        challenge = Served(endpoint, "", 401, 2, SEC_E_NO_CREDENTIALS, 0)
        if verdict.substatus == 2:
            return (challenge,)
        if verdict.substatus == 1:
            return (challenge, row)
        return (challenge, Served(endpoint, "", 401, 1, 0, 0), row)


class Route:
    """A way to a virtual directory that was found open from end to end, and stays so until something changes."""

    __slots__ = ("_answer", "_challenge", "_head", "_pen", "changes", "valid_until")

    def __init__(self, pen: Reporter, event: RequestsServed, challenge: tuple[Served, ...], valid_until: int) -> None:
        self.changes = State.changes
        """``State.changes`` when it was found."""
        self.valid_until = valid_until
        """Instant at which the certificate on the way expires."""
        self._pen = pen
        self._head = event[:-1]
        self._challenge = challenge
        self._answer = event.rows[-1][:-1]

    def ask(self, at: int, took_us: int, run: str | None, *, fresh: bool) -> int:
        """One request on this way, answered as before; returns ``took_us``."""
        row = new_tuple(Served, (*self._answer, took_us // MS))
        rows = (*self._challenge, row) if fresh else (row,)
        pen = self._pen
        pen.run = run
        pen.report(at + took_us, new_tuple(RequestsServed, (*self._head, rows)))
        return took_us


class Caller:
    """Who makes requests: computer, role, account, and dice for its delays.

    What a server notes of this caller is counted apart from what it notes of others.
    """

    def __init__(self, journal: Journal, server: Server, role: str, account: Account, dice: Stream) -> None:
        self._journal = journal
        self._pens: dict[str, Reporter] = {}
        self.server = server
        self.role = role
        self.account = account
        self.dice = dice
        self.routes: dict[tuple[str, int, str, bool, str], Route] = {}
        """The ways of requests that went well."""
        self.run: str | None = None
        """The synchronization run that its requests serve."""

    def pen(self, server: Server) -> Reporter:
        """The pen with which ``server`` notes this caller's requests."""
        pen = self._pens.get(server.name)
        if pen is None:
            name = f"{server.name}/iis/{self.server.name}/{self.role}"
            pen = self._pens[server.name] = self._journal.reporter(server.name, name)
        pen.run = self.run
        return pen


def request(
    network: Network,
    caller: Caller,
    name: str,
    port: int,
    directory: str,
    *,
    ssl: bool,
    at: int,
    took_us: int,
    fresh: bool = False,
    refusal_us: int = 40 * MS,
    agent: Literal["soap", "health", "browser"] = "soap",
) -> int:
    """Ask ``directory`` of the server called ``name``: the time it took, microseconds.

    ``took_us`` is what a healthy answer takes, ``refusal_us`` what the caller makes of an error. Raises ``Failure`` at the
    first hop that does not work, having left that hop's evidence on the server.
    """
    account = caller.account
    key = (name, port, directory, ssl, account.name)
    route = caller.routes.get(key)
    if route is not None and route.changes == State.changes and at < route.valid_until:
        return route.ask(at, took_us, caller.run, fresh=fresh)
    server, binding = network.open(caller.server, name, port, ssl=ssl, at=at, dice=caller.dice)
    iis = server.iis
    assert iis is not None
    pen = caller.pen(server)
    if not iis.pool.started:
        because = iis.pool.because("started")
        virtual = iis.directories[directory]
        event = RequestsRejected(
            iis.web_site,
            server.ip,
            port,
            caller.server.ip,
            ephemeral_port(caller.dice),
            (virtual.endpoint,),
            "AppOffline",
            iis.pool.name,
            agent,
        )
        entry = pen.report(at, event, because)
        raise Failure(HttpStatus(503), entry, caller.dice.about(refusal_us, 8))
    virtual = iis.directories[directory]
    verdict = iis.verdict(virtual, account, https=binding.https)
    trouble: tuple[Reason, Entry | None] | None = None
    if verdict.status == 200 and virtual.application is not None:
        trouble = virtual.application(account.name)
        if trouble is not None and isinstance(trouble[0], HttpStatus):
            verdict = Verdict(trouble[0].status, 0, 0, verdict.user, trouble[1])
    because = verdict.because
    answers = iis.rows(virtual, verdict, took_us // MS, fresh=fresh)
    if verdict.status != 200 and len(answers) > 1:
        # the challenges before a refusal are as harmless as before any other answer
        pen.report(at + took_us, RequestsServed(iis.web_site, port, server.ip, caller.server.ip, agent, answers[:-1]))
        answers = answers[-1:]
    served = RequestsServed(iis.web_site, port, server.ip, caller.server.ip, agent, answers)
    entry = pen.report(at + took_us, served, because)
    if verdict.status == 401 and verdict.substatus == 1:
        refused = virtual.anonymous_account if virtual.anonymous else account
        pen.report(at + took_us, LogonFailed(refused.name, caller.server.ip), entry)
    if trouble is not None and isinstance(trouble[0], PermissionRefused):
        raise Failure(trouble[0], trouble[1], took_us + caller.dice.about(refusal_us, 8))
    if verdict.status != 200:
        failed = HttpStatus(verdict.status, verdict.substatus, verdict.win32)
        raise Failure(failed, entry, took_us + caller.dice.about(refusal_us, 8))
    valid_until = binding.certificate.not_after if ssl and binding.certificate is not None else NEVER
    challenge = iis.rows(virtual, verdict, 0, fresh=True)[:-1]
    caller.routes[key] = Route(pen, served, challenge, valid_until)
    return took_us


def ephemeral_port(dice: Stream) -> int:
    """A client's port number."""
    return dice.between(49_152, 65_536)
