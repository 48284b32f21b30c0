"""Internet Information Services on a WSUS server: HTTP.sys, web sites, application pool, virtual directories.

A request passes listener, web site, pool, SSL requirement, authentication, authorization and application, in this order;
where it ends, the site's log (or, for a stopped pool, HTTP.sys's own) tells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from simulator.components.network import Certificate
from simulator.components.windows import Account, Server
from simulator.dice import Stream
from simulator.events import LogonFailed, RequestNotFound, RequestsRejected, RequestsServed, Served
from simulator.failures import Failure, HttpStatus, Reason
from simulator.journal import Entry, Journal, Reporter, new_tuple
from simulator.state import State, first
from simulator.units import MS

if TYPE_CHECKING:
    from simulator.components.network import Network

SEC_E_NO_CREDENTIALS = 2148074254
SEC_E_LOGON_DENIED = 2148074252
ERROR_FILE_NOT_FOUND = 2
ERROR_ACCESS_DENIED = 5
NEVER = 2**63
DEFAULT_SITE = 1
"""Number of the web site that IIS comes with."""

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


@dataclass(slots=True, eq=False, kw_only=True)
class WebSite(State):
    """A web site: its number in IIS, which names the folder of its log, and the ports on which it answers."""

    name: str
    number: int
    bindings: tuple[Binding, ...]
    started: bool = True


class Denial(NamedTuple):
    """An account or group that folder permissions deny, and the entry that made them do so."""

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
    """Accounts and groups that they expressly do not."""
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
EVERYBODY = ("Users", "Authenticated Users", "Everyone")
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

WEB_SERVICES = tuple(directory.name for directory in DIRECTORIES if directory.endpoint.endswith(".asmx"))
"""Those with one of WSUS's web services behind them."""
SSL_DIRECTORIES = tuple(directory.name for directory in DIRECTORIES if directory.ssl)


class Verdict(NamedTuple):
    """What a request came to: the row's numbers, who it was, and the cause if it was refused."""

    status: int
    substatus: int
    win32: int
    user: str
    because: Entry | None


class Iis:
    """IIS of one server: the web site that WSUS uses, and another one that has nothing to do with it."""

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
        other_site: WebSite,
    ) -> None:
        self.server = server
        self.web_site = web_site
        self.http = http
        self.https = https
        name = "Default Web Site" if web_site == DEFAULT_SITE else "WSUS Administration"
        self.wsus_site = WebSite(entity=f"{server.name}/{name}", name=name, number=web_site, bindings=(http, https))
        self.other_site = other_site
        self.sites = (other_site, self.wsus_site)
        """In the order in which they take a port that several want."""
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
        site = self.site_at(port)
        if site is not None:
            for binding in site.bindings:
                if binding.port == port and binding.present:
                    return binding
        return None

    def site_at(self, port: int) -> WebSite | None:
        """The web site that answers on ``port``; ``None`` when nobody listens there."""
        if self.w3svc.running:
            for site in self.sites:
                if site.started and any(binding.port == port and binding.present for binding in site.bindings):
                    return site
        return None

    def because_closed(self, port: int) -> Entry | None:
        """Why nobody listens on ``port``, as far as this server is to blame."""
        if not self.w3svc.running:
            return self.w3svc.because("running")
        for site in self.sites:
            for binding in site.bindings:
                if binding.port == port or binding.healthy.get("port") == port:
                    return first(site.because("started"), binding.because("present", "port"))
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

    def verdict(self, directory: VirtualDirectory, account: Account, *, https: bool, name: str = "") -> Verdict:
        """How IIS decides on a request of ``account`` to a virtual directory, before the application has its say.

        ``name`` is the one under which the server calls itself, if it does.
        """
        if directory.require_ssl and not https:
            return Verdict(403, 4, ERROR_ACCESS_DENIED, "", directory.because("require_ssl"))
        user = ""
        # where both are allowed, a caller with credentials ends up presenting them: WSUS sends the anonymous one away
        if directory.integrated and account.name:
            if not account.can_log_on or (name and not self.server.answers_itself_as(name)):
                return Verdict(401, 1, SEC_E_LOGON_DENIED, "", account.because("enabled", "password_current"))
            reader = user = account.name
        elif directory.anonymous:
            anonymous = directory.anonymous_account
            if not anonymous.can_log_on:
                because = first(anonymous.because("enabled", "password_current"), directory.because("anonymous_account"))
                return Verdict(401, 1, SEC_E_LOGON_DENIED, "", because)
            reader = anonymous.name
        else:
            return Verdict(401, 2, SEC_E_NO_CREDENTIALS, "", directory.because("anonymous", "integrated"))
        names = self._names(reader)
        for denial in directory.denied:
            if denial.account in names:
                return Verdict(401, 3, ERROR_ACCESS_DENIED, user, denial.because)
        if not self.may_read(directory, reader):
            return Verdict(401, 3, ERROR_ACCESS_DENIED, user, directory.because("readers"))
        return Verdict(200, 0, 0, user, None)

    def _names(self, account: str) -> tuple[str, ...]:
        """An account, and the groups that it belongs to."""
        return (account, *EVERYBODY, *self.server.groups_of(account))

    def may_read(self, directory: VirtualDirectory, account: str) -> bool:
        """Whether the folder's permissions let that account read: they name it or a group of its, and deny none of them."""
        names = self._names(account)
        return any(name in directory.readers for name in names) and not any(denial.account in names for denial in directory.denied)

    def answer(
        self, directory: VirtualDirectory, account: Account, *, https: bool, name: str = ""
    ) -> tuple[Verdict, Reason | None, Entry | None]:
        """How a request of ``account`` ends: IIS's verdict, with the application's if it comes to that.

        Also what the caller is told if it is refused, and why.
        """
        verdict = self.verdict(directory, account, https=https, name=name)
        reason: Reason | None = None
        if verdict.status == 200 and directory.application is not None:
            trouble = directory.application(account.name)
            if trouble is not None:
                reason, because = trouble
                if not isinstance(reason, HttpStatus):
                    return verdict, reason, because
                verdict = Verdict(reason.status, reason.substatus, reason.win32, verdict.user, because)
        if verdict.status != 200:
            reason = HttpStatus(verdict.status, verdict.substatus, verdict.win32)
        return verdict, reason, verdict.because

    def rows(self, directory: VirtualDirectory, verdict: Verdict, took_ms: int, *, fresh: bool) -> tuple[Served, ...]:
        """The log rows of one request: on a fresh connection Windows authentication shows its two harmless 401s first [L]."""
        endpoint = directory.endpoint
        row = Served(endpoint, verdict.user, verdict.status, verdict.substatus, verdict.win32, took_ms)
        if not fresh or not directory.integrated or verdict.status == 403:
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
        path, user, status, substatus, win32 = self._answer
        row = new_tuple(Served, (path, user, status, substatus, win32, took_us // MS))
        rows = (*self._challenge, row) if fresh else (row,)
        web_site, port, server_ip, client_ip, agent = self._head
        pen = self._pen
        pen.run = run
        pen.report(at + took_us, new_tuple(RequestsServed, (web_site, port, server_ip, client_ip, agent, rows)))
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
    because: Entry | None = None,
    otherwise: Entry | None = None,
) -> int:
    """Ask ``directory`` of the server called ``name``: the time it took, microseconds.

    ``took_us`` is what a healthy answer takes, ``refusal_us`` what the caller makes of an error, ``because`` why it comes
    here, if it should not, ``otherwise`` what explains a refusal that nothing on the server does. Raises ``Failure`` at the
    first hop that does not work, having left that hop's evidence on the server.
    """
    account = caller.account
    key = (name, port, directory, ssl, account.name)
    route = caller.routes.get(key)
    if route is not None and route.changes == State.changes and at < route.valid_until:
        return route.ask(at, took_us, caller.run, fresh=fresh)
    server, binding = network.open(caller.server, name, port, ssl=ssl, at=at, dice=caller.dice)
    because = first(network.because_misled(caller.server, name), because)
    iis = server.iis
    assert iis is not None
    pen = caller.pen(server)
    virtual = iis.directories[directory]
    site = iis.site_at(port)
    if site is iis.other_site:
        missing = RequestNotFound(site.number, port, server.ip, caller.server.ip, agent, not_found(virtual.endpoint))
        entry = pen.report(at, missing, first(because, iis.http.because("port"), iis.https.because("port")))
        raise Failure(HttpStatus(404, 0, ERROR_FILE_NOT_FOUND), entry, caller.dice.about(refusal_us, 8))
    if not iis.pool.started:
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
        entry = pen.report(at, event, first(iis.pool.because("started"), because))
        raise Failure(HttpStatus(503), entry, caller.dice.about(refusal_us, 8))
    to_itself = name if server is caller.server else ""
    verdict, reason, why = iis.answer(virtual, account, https=binding.https, name=to_itself)
    answers = iis.rows(virtual, verdict, took_us // MS, fresh=fresh)
    if verdict.status != 200 and len(answers) > 1:
        # the challenges before a refusal are as harmless as before any other answer
        challenges = RequestsServed(iis.web_site, port, server.ip, caller.server.ip, agent, answers[:-1])
        pen.report(at + took_us, challenges, because)
        answers = answers[-1:]
    served = RequestsServed(iis.web_site, port, server.ip, caller.server.ip, agent, answers)
    entry = pen.report(at + took_us, served, first(verdict.because, because, otherwise if verdict.status != 200 else None))
    if verdict.status == 401 and verdict.substatus == 1:
        refused = account if virtual.integrated and account.name else virtual.anonymous_account
        pen.report(at + took_us, LogonFailed(refused.name, caller.server.ip), entry)
    if reason is not None:
        told = entry if verdict.status != 200 else first(why, because)
        raise Failure(reason, told, took_us + caller.dice.about(refusal_us, 8))
    if because is not None:
        return took_us  # the way to a place where it should not be is not remembered
    valid_until = binding.certificate.not_after if ssl and binding.certificate is not None else NEVER
    challenge = iis.rows(virtual, verdict, 0, fresh=True)[:-1]
    caller.routes[key] = Route(pen, served, challenge, valid_until)
    return took_us


def not_found(endpoint: str) -> tuple[Served, ...]:
    """What a web site answers that knows no such directory."""
    return (Served(endpoint, "", 404, 0, ERROR_FILE_NOT_FOUND, 0),)


def ephemeral_port(dice: Stream) -> int:
    """A client's port number."""
    return dice.between(49_152, 65_536)
