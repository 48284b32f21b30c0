"""The health monitor of Update Services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from simulator.components.actor import Actor
from simulator.components.iis import Binding, Caller, Verdict, ephemeral_port, not_found
from simulator.components.windows import Account
from simulator.events import RequestNotFound, RequestsRejected, RequestsServed, Served, WebServiceChecked
from simulator.failures import Failure, HttpStatus, Reason
from simulator.journal import Entry
from simulator.state import State
from simulator.units import HOUR, MINUTE

if TYPE_CHECKING:
    from simulator.components.iis import Iis
    from simulator.components.wsus import Wsus
    from simulator.dice import Stream
    from simulator.world import World

DETECT_US = 10 * MINUTE
REFRESH_US = 6 * HOUR
"""The health monitor reports changes at once and everything that is unhealthy again after six hours [W]."""

HealthService = Literal["ApiRemoting", "Client", "ServerSync", "SimpleAuth", "DssAuth", "Reporting"]

CHECKED: tuple[tuple[HealthService, str], ...] = (
    ("ApiRemoting", "ApiRemoting30"),
    ("Client", "ClientWebService"),
    ("ServerSync", "ServerSyncWebService"),
    ("SimpleAuth", "SimpleAuthWebService"),
    ("DssAuth", "DssAuthWebService"),
    ("Reporting", "ReportingWebService"),
)
"""The web services that it checks, and their virtual directories."""


class HealthMonitor(Actor):
    """The health monitoring task of Update Services: tries every web service of its own server every ten minutes.

    It is no process: what it finds changes only when somebody does something to the world, so it works off what has come
    due (``look_back``) just before that, and before anybody asks for its findings.
    """

    def __init__(self, world: World, wsus: Wsus) -> None:
        super().__init__(world, wsus.host, "health")
        self.wsus = wsus
        self.thread = self.dice.between(5, 40)
        account = Account(entity=wsus.server.computer_account, name=wsus.server.computer_account)
        self.caller = Caller(world.journal, wsus.server, "health", account, self.dice)
        self._nobody = Account(entity=wsus.server.name, name="")
        self._next_at = self.now + self.dice.between(0, DETECT_US)
        self._healthy: RequestsServed | None = None
        self._healthy_changes = -1
        self._broken: dict[HealthService, tuple[Reason, int, Entry | None]] = {}

    def unhealthy(self, at: int) -> tuple[tuple[HealthService, ...], Entry | None]:
        """The web services known at instant ``at`` not to work, and why the first of them does not."""
        self.look_back(at)
        if not self._broken:
            return (), None
        because = next((entry for _, _, entry in self._broken.values()), None)
        return tuple(self._broken), because

    def look_back(self, until: int) -> None:
        """Make the checks that came due before instant ``until``, in the state that the world has been in since the last time."""
        healthy = self._healthy
        if healthy is not None and self._healthy_changes == State.changes and self.wsus.service.running:
            report = self.caller.pen(self.wsus.server).report
            while self._next_at < until:
                report(self._next_at, healthy)
                self._next_at += DETECT_US
            return
        while self._next_at < until:
            self.now = self._next_at
            self._next_at += DETECT_US
            if self.wsus.service.running:
                self._check()

    def _check(self) -> None:
        """Ask each web service once, as its callers would, through the server's own name."""
        server = self.wsus.server
        if self._healthy is not None and self._healthy_changes == State.changes:
            self.caller.pen(server).report(self.now, self._healthy)
            return
        self._healthy = None
        iis = server.iis
        assert iis is not None
        binding = iis.https if self.wsus.settings.using_ssl else iis.http
        try:
            if not iis.pool.started and iis.listener(binding.port) is not None:
                self._check_rejected(binding.port)
                return
            rows: list[Served] = []
            found: list[tuple[HealthService, Reason | None, Entry | None]] = []
            self.world.network.open(server, server.fqdn, binding.port, ssl=binding.https, at=self.now, dice=self.dice)
            if iis.site_at(binding.port) is iis.other_site:
                self._check_elsewhere(binding)
                return
            for service, name in CHECKED:
                verdict, reason, why = self._answer(iis, service, name, https=binding.https)
                rows += iis.rows(iis.directories[name], verdict, 3, fresh=True)
                found.append((service, reason, why))
            because = next((cause for _, reason, cause in found if reason is not None), None)
            if because is None and any(reason is not None for _, reason, _ in found):
                because = self.wsus.settings.because("using_ssl")
            served = RequestsServed(iis.web_site, binding.port, server.ip, server.ip, "health", tuple(rows))
            entry = self.caller.pen(server).report(self.now, served, because)
            if because is None and not self._broken and not binding.https:
                self._healthy, self._healthy_changes = served, State.changes
            for service, reason, _ in found:
                self._note(service, reason, entry)
        except Failure as failure:
            for service, _ in CHECKED:
                self._note(service, failure.reason, failure.because)

    def _check_elsewhere(self, binding: Binding) -> None:
        """Another web site has taken the port."""
        server = self.wsus.server
        iis = server.iis
        assert iis is not None
        rows = tuple(row for _, name in CHECKED for row in not_found(iis.directories[name].endpoint))
        event = RequestNotFound(iis.other_site.number, binding.port, server.ip, server.ip, "health", rows)
        entry = self.caller.pen(server).report(self.now, event, binding.because("port"))
        for service, _ in CHECKED:
            self._note(service, HttpStatus(404, 0, rows[0].win32), entry)

    def _answer(self, iis: Iis, service: HealthService, name: str, *, https: bool) -> tuple[Verdict, Reason | None, Entry | None]:
        """How one web service answers this server's own request, what is wrong with that, and why."""
        account = self.caller.account if service == "ApiRemoting" else self._nobody
        return iis.answer(iis.directories[name], account, https=https)

    def findings(self, at: int, dice: Stream) -> list[tuple[HealthService, Reason]]:
        """The web services that a check at instant ``at`` would find broken, and why; nothing is asked or reported."""
        server = self.wsus.server
        iis = server.iis
        assert iis is not None
        binding = iis.https if self.wsus.settings.using_ssl else iis.http
        if not iis.pool.started and iis.listener(binding.port) is not None:
            return [(service, HttpStatus(503)) for service, _ in CHECKED]
        try:
            self.world.network.open(server, server.fqdn, binding.port, ssl=binding.https, at=at, dice=dice)
        except Failure as failure:
            return [(service, failure.reason) for service, _ in CHECKED]
        if iis.site_at(binding.port) is iis.other_site:
            return [(service, HttpStatus(404)) for service, _ in CHECKED]
        answers = ((service, self._answer(iis, service, name, https=binding.https)[1]) for service, name in CHECKED)
        return [(service, reason) for service, reason in answers if reason is not None]

    def _check_rejected(self, port: int) -> None:
        server = self.wsus.server
        iis = server.iis
        assert iis is not None
        paths = tuple(iis.directories[name].endpoint for _, name in CHECKED)
        event = RequestsRejected(
            iis.web_site, server.ip, port, server.ip, ephemeral_port(self.dice), paths, "AppOffline", iis.pool.name
        )
        entry = self.caller.pen(server).report(self.now, event, iis.pool.because("started"))
        for service, _ in CHECKED:
            self._note(service, HttpStatus(503), entry)

    def _note(self, service: HealthService, reason: Reason | None, because: Entry | None) -> None:
        """Report a change, or again what has been broken for six hours."""
        known = self._broken.get(service)
        if reason is None:
            if known is not None:
                del self._broken[service]
                self.report(WebServiceChecked(service, None, self.thread), known[2])
            return
        if known is not None and known[0] == reason and self.now - known[1] < REFRESH_US:
            return
        entry = self.report(WebServiceChecked(service, reason, self.thread), because)
        self._broken[service] = reason, self.now, entry
