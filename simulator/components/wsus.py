"""WSUS on a software update point: its API and synchronization engine."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, NamedTuple

from simpy import Interrupt, Process

from simulator.components.actor import Actor, Steps
from simulator.components.health import CHECKED, HealthMonitor
from simulator.components.iis import DIRECTORIES, Caller, request
from simulator.components.network import DROPPED_US
from simulator.components.site_database import SQL_TIMEOUT_US
from simulator.components.susdb import Susdb
from simulator.components.upstream import Portion, Subscription
from simulator.components.windows import ADMINISTRATORS, Account, Group, Server, WindowsService
from simulator.events import (
    SubscriptionChanged,
    UpstreamCallFailed,
    WsusServiceStarted,
    WsusServiceStopped,
    WsusSyncBegan,
    WsusSyncEnded,
    WsusSyncFinishFired,
    WsusSyncRequested,
)
from simulator.failures import (
    CallTimedOut,
    ConfigurationRefused,
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
    UpstreamTrouble,
    UssError,
)
from simulator.journal import Entry
from simulator.state import State, first
from simulator.units import DAY, MINUTE, MS, SECOND

if TYPE_CHECKING:
    from simulator.components.proxy import ProxyServer
    from simulator.world import World

START_TIMEOUT_US = 180 * SECOND
"""API calls of WSUS give up after this long [U]."""
RETRIES = 2
RETRY_PAUSE_US = 11_800 * MS
"""WSUS repeats a web service call that the upstream server answered with an error [P]; with this pause, the child's failed
run takes the seed's 28 s [I]."""
BY_APPLICATION = 5
"""Substatus of a 401 that the application behind the directory decides on [L: 401.5]; that WSUS's is this one [C]."""
AUTOMATIC_DELAY_US = 20 * MINUTE
"""From switching on WSUS's own schedule to its first synchronization [I: the hour is the administrator's choice]."""
BATCH = 50
"""Updates are fetched so many at a time [I]."""
HISTORY_US = 4 * 365 * DAY
"""How long before the simulation a WSUS server was installed [I]."""

Phase = Literal["idle", "starting", "categories", "updates"]


SYNC_BEFORE_US = 3 * MINUTE
"""How long the synchronization before the simulation took, as the console lists it [C]."""
HISTORY = 50
"""How many synchronizations the console's list goes back."""


@dataclass(slots=True, eq=False, kw_only=True)
class WsusSettings(State):
    """What is configured in WSUS itself (as opposed to in the site)."""

    upstream: str
    """FQDN of the upstream WSUS; empty for Microsoft Update."""
    upstream_port: int
    upstream_ssl: bool
    replica: bool
    proxy_host: str
    """Empty when no proxy is used."""
    proxy_port: int
    proxy_account: str
    using_ssl: bool
    """Registry value UsingSSL, set by ``wsusutil configuressl``."""
    products: tuple[str, ...]
    classifications: tuple[str, ...]
    languages: tuple[str, ...]
    automatic: bool = False
    """WSUS synchronizes by itself once a day; ConfigMgr wants this off."""

    @property
    def subscription(self) -> Subscription:
        """What WSUS asks Microsoft Update for."""
        return Subscription(self.products, self.classifications, self.languages)


class Work(NamedTuple):
    """A part of a synchronization: so many items to fetch, and what the server then holds."""

    portion: Portion
    items: int
    because: Entry | None


class Progress(NamedTuple):
    """What WSUS shows of a synchronization from an instant on: phase, and items fetched of how many."""

    since: int
    phase: Phase
    done: int
    total: int


_SINCE = attrgetter("since")


class SyncRecord(NamedTuple):
    """One synchronization in WSUS's own history."""

    began_at: int
    ended_at: int
    """0 while it runs."""
    trigger: Literal["manual", "scheduled"]
    account: str
    """Who started it by hand."""
    trouble: UpstreamTrouble | None
    """``None`` when it succeeded, or runs."""
    items: int
    proxy: bool
    """It went through a proxy."""


class Wsus(Actor):
    """The WSUS server of one site."""

    def __init__(
        self,
        world: World,
        server: Server,
        settings: WsusSettings,
        administrators: Group,
        *,
        proxy: ProxyServer | None,
    ) -> None:
        super().__init__(world, server.name, "wsus")
        self.server = server
        self.settings = settings
        self.administrators = administrators
        self.proxy = proxy
        self.service = WindowsService(entity=f"{server.name}/WsusService", name="WsusService")
        server.services["WsusService"] = self.service
        self.database = server.add_service(world.version.susdb_service)
        # a downstream server presents no credentials to its upstream server
        self.caller = Caller(world.journal, server, "wsus", Account(entity=server.name, name=""), self.dice)
        self.phase: Phase = "idle"
        self.done = 0
        self.total = 0
        self._course: list[Progress] = []
        """How the running synchronization has come to be where it is (of the last one, its end); its clock may be ahead of who
        watches it."""
        self._stood_at = world.start
        """When this component last gave way, or might have: what it shows since then, it shows since this instant."""
        self.content_changes = -1
        self.proxy_verified_changes = -1
        """``State.changes`` when WCM and WSUSCtrl last found their settings as they should be: they change nothing until
        somebody else does."""
        self.trouble: tuple[UpstreamTrouble, Entry | None] | None = None
        """What the last synchronization came to: ``None`` when it succeeded."""
        self.susdb = Susdb(entity=f"{server.name}/SUSDB", installed_at=world.start - HISTORY_US)
        self.history: deque[SyncRecord] = deque(maxlen=HISTORY)
        """Its last synchronizations, oldest first: one from before the simulation, and the last one may still run."""
        before = world.synced_at - SYNC_BEFORE_US
        self.history.append(SyncRecord(before, world.synced_at, "manual", "", None, 0, bool(settings.proxy_host)))
        self._thread = self.dice.between(5, 90)
        self._w3wp_thread = self.dice.between(5, 90)
        self._running: Process | None = None
        self._automatic_since = -1
        self._began_because: Entry | None = None
        self._newest = 0
        """Newest revision at Microsoft Update when the running synchronization asked."""
        self.health = HealthMonitor(world, self)
        assert server.iis is not None
        for _, directory in CHECKED:
            server.iis.directories[directory].application = self._serve
        server.iis.directories["ApiRemoting30"].application = self._authorize

    # --- service

    def stop(self, at: int, because: Entry | None) -> None:
        """Stop Update Services; a running synchronization is cancelled first."""
        if self.service.running:
            self.cancel(at, because)
            entry = self.pen.report(at, WsusServiceStopped(), because)
            self.server.set_service(at, "WsusService", running=False, because=entry)

    def start(self, at: int, because: Entry | None) -> None:
        """Start Update Services."""
        if not self.service.running:
            self.server.set_service(at, "WsusService", running=True, because=because)
            self.pen.report(at, WsusServiceStarted(resumed=False), because)

    # --- API

    def _serve(self, account: str) -> tuple[Reason, Entry | None] | None:
        """What a web service says: all but SelfUpdate need the database [W]."""
        return None if self.database.running else (HttpStatus(500), self.database.because("running"))

    def _authorize(self, account: str) -> tuple[Reason, Entry | None] | None:
        """What the API says to an authenticated caller: only members of WSUS Administrators may use it."""
        trouble = self._serve(account)
        if trouble is not None:
            return trouble
        local = self.server.groups[ADMINISTRATORS].members
        if account in self.administrators.members or account in local or account == self.server.computer_account:
            return None
        names_it = self.world.version.names_missing_permission
        refusal: Reason = PermissionRefused(account) if names_it else HttpStatus(401, BY_APPLICATION)
        return refusal, self.administrators.because("members")

    def configure(self, *, replica: bool = False) -> None:
        """Take settings from WCM; raises ``Failure`` when WSUS cannot: a replica has none of its own. ``replica``: it is one."""
        if not self.service.running:
            raise Failure(ConfigurationRefused("service"), self.service.because("running"), 2 * SECOND)
        if self.settings.replica and not replica:
            raise Failure(ConfigurationRefused("replica"), self.settings.because("replica"), 1 * SECOND)

    def subscribe(self, at: int, wanted: Subscription, account: str, because: Entry | None) -> bool:
        """Ask for these products, classifications and languages from now on; returns whether that is new."""
        if self.settings.subscription == wanted:
            return False
        self.settings.change(because, **wanted._asdict())
        self.pen.report(at, SubscriptionChanged(account, *wanted, self._w3wp_thread), because)
        return True

    def schedule(self, because: Entry | None) -> None:
        """Have WSUS synchronize by itself, once a day, soon for the first time; WCM switches that off again."""
        if self.settings.automatic:
            return
        self.settings.change(because, automatic=True)
        self._automatic_since = since = self.world.now
        self.world.plan(since + AUTOMATIC_DELAY_US, lambda world: self._synchronize_automatically(world, since))

    def _synchronize_automatically(self, world: World, since: int) -> None:
        if not self.settings.automatic or since != self._automatic_since:
            return
        world.plan(world.now + DAY, lambda world: self._synchronize_automatically(world, since))
        if self.service.running and self.phase == "idle":
            self._start(world.now, None, "scheduled")

    def synchronize(self, at: int, run: str | None, account: str, because: Entry | None = None) -> None:
        """Start a synchronization by hand (API call StartSynchronization) for ``account``.

        Raises ``Failure`` when the service that would do it does not run.
        """
        self.pen.report(at, WsusSyncRequested(self._w3wp_thread, account), because)
        if not self.service.running:
            raise Failure(CallTimedOut(), self.service.because("running"), self.dice.about(START_TIMEOUT_US, 2))
        self._start(at, run, "manual", account, because)

    def cancel(self, at: int, because: Entry | None) -> None:
        """Stop a running synchronization (API call StopSynchronization); what it has fetched so far stays [X]."""
        if self._running is not None and self._running.is_alive and self.phase != "idle":
            self._running.interrupt()
            if self.history[-1].ended_at:  # it has ended; what is missing is that anybody hears of it
                self._rest(at)
            else:
                self._end(at, UpstreamTrouble("UserCanceled", SynchronizationCanceled()), because)

    @property
    def listed(self) -> list[SyncRecord]:
        """The synchronizations that SUSDB knows of, oldest first: a new database knows of none from before."""
        return [record for record in self.history if record.began_at >= self.susdb.installed_at or not record.ended_at]

    @property
    def because_busy(self) -> Entry | None:
        """Why it synchronizes although nobody in ConfigMgr asked for it."""
        return self._began_because

    def _start(
        self, at: int, run: str | None, kind: Literal["manual", "scheduled"], account: str = "", because: Entry | None = None
    ) -> None:
        self.phase, self.done, self.total, self.trouble = "starting", 0, 0, None
        self.now = self._stood_at = at
        self._course = [Progress(at - 1, self.phase, 0, 0)]  # who has started it sees it start
        through_proxy = bool(self.settings.proxy_host) and not self.settings.upstream
        self.history.append(SyncRecord(at, 0, kind, account, None, 0, through_proxy))
        self._began_because = because if kind == "manual" else self.settings.because("automatic")
        self._running = self.env.process(self._engine(at, run, kind, because))

    def _note_end(self, at: int, trouble: UpstreamTrouble | None) -> None:
        self.history[-1] = self.history[-1]._replace(ended_at=at, trouble=trouble, items=self.done)

    def seen(self, at: int) -> Progress:
        """What it shows of a synchronization to who asks at instant ``at``: what has come to be so before, not what comes just
        now, so that it does not matter who is first at an instant."""
        course = self._course
        if not course:
            return Progress(at, self.phase, self.done, self.total)
        return course[max(bisect_left(course, at, key=_SINCE) - 1, 0)]

    def known_until(self) -> int:
        """What it shows (``seen``) before this instant is settled, unless somebody does something to the world."""
        return 0 if self.phase == "idle" else self.now

    def _show(self) -> None:
        """What it is to show changes."""
        self._course.append(Progress(self._stood_at, self.phase, self.done, self.total))

    # --- synchronization engine

    def _engine(self, at: int, run: str | None, kind: Literal["manual", "scheduled"], because: Entry | None) -> Steps:
        self.now = at
        self.pen.run = self.caller.run = run
        thread = self._thread = self._thread % 90 + 3
        self.now += self.dice.about(1_900 * MS, 10)
        try:
            yield from self._heed_others()
            self.report(WsusSyncBegan(kind, thread), self.settings.because("automatic") if kind == "scheduled" else because)
            try:
                yield from self._synchronize()
                yield from self._heed_others()
            except Failure as failure:
                self.now += failure.took_us
                yield from self.catch_up()
                self._end(self.now, UpstreamTrouble(self._error(failure.reason), failure.reason), failure.because)
                return
            self.report(WsusSyncEnded(None, thread))
            self._note_end(self.now, None)
            self.now += self.dice.about(1_100 * MS, 10)
            yield from self.catch_up()
        except Interrupt:
            return  # whoever stopped the service or canceled it has told of it
        self.report(WsusSyncFinishFired(thread))
        self._rest(self.now)

    def _end(self, at: int, trouble: UpstreamTrouble, because: Entry | None) -> None:
        """The synchronization has come to nothing."""
        self.trouble = trouble, self.pen.report(at, WsusSyncEnded(trouble, self._thread), because)
        self._note_end(at, trouble)
        self._rest(at)

    def _rest(self, at: int) -> None:
        """It synchronizes no more."""
        self.phase = "idle"
        self._course = [*self._course[-1:], Progress(at, self.phase, self.done, self.total)]
        self.pen.run = self.caller.run = None

    def _error(self, reason: Reason) -> UssError:
        """WSUS's own name for what went wrong on the way to its upstream server."""
        match reason:
            case DatabaseUnreachable():
                return "LocalDBConnectFail"
            case HttpStatus(status=401):
                return "DssAuthenticationError"
            case ProxyStatus() | NameNotResolved(proxy=True):
                return "ProxyError"
            case ConnectionRefused(address=address) if self.proxy is not None and address == self.settings.proxy_host:
                return "ProxyError"
            case _:
                return "UssCommunicationError"

    def _synchronize(self) -> Steps:
        """One synchronization with the upstream server; raises ``Failure`` where it breaks off."""
        lan = bool(self.settings.upstream)
        dice = self.dice
        call_us = 45 * MS if lan else 700 * MS
        yield from self._call("ServerSyncWebService", "GetAuthConfig", call_us)
        yield from self._call("DssAuthWebService", "GetAuthorizationCookie", call_us)
        yield from self._call("ServerSyncWebService", "GetCookie", call_us)
        self.phase = "categories"
        self._show()
        yield from self._call("ServerSyncWebService", "GetConfigData", call_us)
        yield from self._call("ServerSyncWebService", "GetRevisionIdList", call_us)
        self.now += dice.about(4 * SECOND if lan else 12 * SECOND)
        yield from self._call("ServerSyncWebService", "GetUpdateData", call_us)
        yield from self.catch_up()
        self._stood_at = self.now
        work = self._missing()
        self.total = sum(part.items for part in work)
        if self.total:
            self.phase = "updates"
            self._show()
            yield from self._call("ServerSyncWebService", "GetRevisionIdList", call_us)
        for part in work:
            yield from self._fetch(part, (280 if lan else 330) * MS, call_us)
        self.now += dice.about(1_500 * MS)
        yield from self.catch_up()
        self._check_database()
        self._take_anchor()
        if lan:
            yield from self._call("ReportingWebService", "RollupDownstreamServers", call_us)

    def _fetch(self, part: Work, item_us: int, call_us: int) -> Steps:
        """Fetch one part of the work, batch by batch, and keep it."""
        left = part.items
        while left:
            batch = min(BATCH, left)
            self.now += self.dice.about(item_us * batch)
            yield from self._call("ServerSyncWebService", "GetUpdateData", call_us)
            self.done += batch
            self._show()
            left -= batch
        yield from self.catch_up()
        self.susdb.add(self.now, part.portion, part.because)

    def _missing(self) -> list[Work]:
        """What the upstream server has and this one has not, as far as this one asks for it."""
        upstream, catalogue = self._upstream_wsus(), self.world.catalogue
        if self.settings.upstream:
            found = (
                [] if upstream is None else [(portion, upstream.susdb.causes.get(portion)) for portion in self._offered(upstream)]
            )
        else:
            self._newest = catalogue.revision(self.now)
            found = self._published(self._newest)
        because, held = self.susdb.because_new, self.susdb.portions
        return [
            Work(portion, catalogue.size(portion), cause or (because if portion.to <= self.susdb.lost_to else None))
            for portion, cause in found
            if portion not in held and not portion.subscription.empty
        ]

    def _published(self, newest: int) -> list[tuple[Portion, Entry | None]]:
        """What Microsoft Update has for this server: what is new, and all there is of what it did not ask for before."""
        susdb, wanted = self.susdb, self.settings.subscription
        before = wanted.meet(susdb.subscription)
        found: list[tuple[Portion, Entry | None]] = [
            (portion, None) for portion in Portion(susdb.read_to, newest, before).chunks() if not before.empty
        ]
        added = (
            wanted._replace(products=tuple(name for name in wanted.products if name not in before.products)),
            Subscription(
                before.products,
                tuple(name for name in wanted.classifications if name not in before.classifications),
                wanted.languages,
            ),
        )
        because = self.settings.because("products", "classifications")
        return found + [(chunk, because) for more in added if not more.empty for chunk in Portion(0, newest, more).chunks()]

    def _offered(self, upstream: Wsus) -> list[Portion]:
        """What the upstream server has got since this one last asked it: a replica takes all of it [X]."""
        susdb = self.susdb
        first = susdb.anchor if susdb.source == (self.settings.upstream, upstream.susdb.installed_at) else 0
        portions = upstream.susdb.portions[first:]
        if self.settings.replica:
            return portions
        wanted = self.settings.subscription
        return [
            portion if portion.subscription.within(wanted) else portion._replace(subscription=wanted.meet(portion.subscription))
            for portion in portions
        ]

    def _take_anchor(self) -> None:
        """Remember how far this synchronization has read."""
        susdb, upstream = self.susdb, self._upstream_wsus()
        if upstream is not None:
            susdb.anchor, susdb.read_to = len(upstream.susdb.portions), max(susdb.read_to, upstream.susdb.read_to)
        elif not self.settings.upstream:
            susdb.read_to = max(susdb.read_to, self._newest)
            susdb.subscription = self.settings.subscription
        susdb.source = self.settings.upstream, 0 if upstream is None else upstream.susdb.installed_at
        if susdb.because("installed_at") is not None:
            susdb.why.pop("installed_at", None)

    def _upstream_wsus(self) -> Wsus | None:
        if not self.settings.upstream:
            return None
        server = self.world.network.resolve(self.server, self.settings.upstream, self.dice)
        return server.wsus if server is not None else None

    def _check_database(self) -> None:
        if not self.database.running:
            raise Failure(DatabaseUnreachable(), self.database.because("running"), self.dice.about(SQL_TIMEOUT_US))

    def _call(self, service: str, method: str, took_us: int) -> Steps:
        """One web service call upstream, repeated when the answer was an HTTP error; raises ``Failure`` for good."""
        attempt = 0
        while True:
            yield from self._heed_others()
            self._check_database()
            try:
                took_us = self._ask_upstream(service, self.dice.about(took_us, 30))
            except Failure as failure:
                retry = isinstance(failure.reason, HttpStatus) and attempt < RETRIES
                self.now += failure.took_us
                yield from self.catch_up()
                cause = self.report(
                    UpstreamCallFailed(self._url(service), method, failure.reason, attempt, retry, self._thread), failure.because
                )
                if not retry:
                    raise Failure(failure.reason, cause, 0) from None
                attempt += 1
                self.now += self.dice.about(RETRY_PAUSE_US, 3)
            else:
                self.now += took_us
                return

    def _heed_others(self) -> Steps:
        """Give way to whoever could change the way to the upstream server: as a rule, to nobody but deeds."""
        changes = State.changes
        settled = self.content_changes == changes and self.proxy_verified_changes == changes
        yield from self.heed_deeds(settled=settled)
        self._stood_at = self.now

    def _url(self, service: str) -> str:
        settings = self.settings
        endpoint = next(row.endpoint for row in DIRECTORIES if row.name == service)
        if not settings.upstream:
            return f"https://{self.world.microsoft_update.host}/v6{endpoint}"
        scheme = "https" if settings.upstream_ssl else "http"
        return f"{scheme}://{settings.upstream}:{settings.upstream_port}{endpoint}"

    def _ask_upstream(self, service: str, took_us: int) -> int:
        """The way of one request to the upstream server, hop by hop: the time it took, microseconds."""
        settings = self.settings
        try:
            if settings.upstream:
                return self._ask_wsus(service, took_us)
            if settings.proxy_host:
                return self._ask_through_proxy(took_us)
            return self._ask_directly(took_us)
        except Failure as failure:
            ways = ("upstream", "upstream_port", "upstream_ssl") if settings.upstream else ("upstream", "proxy_host", "proxy_port")
            raise Failure(failure.reason, first(failure.because, settings.because(*ways)), failure.took_us) from None

    def _ask_wsus(self, service: str, took_us: int) -> int:
        settings = self.settings
        return request(
            self.world.network,
            self.caller,
            settings.upstream,
            settings.upstream_port,
            service,
            ssl=settings.upstream_ssl,
            at=self.now,
            took_us=took_us,
            because=settings.because("upstream", "upstream_port", "upstream_ssl"),
        )

    def _ask_directly(self, took_us: int) -> int:
        network, host = self.world.network, self.world.microsoft_update.host
        network.resolve(self.server, host, self.dice)
        network.reach(self.server, host, 443, self.dice)
        hosts_file = self.server.hosts_file
        address = hosts_file.entries.get(host)
        if address is not None and address != self.world.catalogue.address(self.now):
            raise Failure(ConnectionTimedOut(address, 443), hosts_file.because("entries"), self.dice.about(DROPPED_US, 2))
        return took_us

    def _ask_through_proxy(self, took_us: int) -> int:
        settings, network = self.settings, self.world.network
        server = network.resolve(self.server, settings.proxy_host, self.dice, proxy=True)
        name = settings.proxy_host if server is None else server.name
        network.reach(self.server, name, settings.proxy_port, self.dice)
        if (
            self.proxy is None
            or server is None
            or server is not self.proxy.server
            or settings.proxy_port != self.proxy.settings.port
        ):
            misled = network.because_misled(self.server, settings.proxy_host)
            raise Failure(ConnectionRefused(settings.proxy_host, settings.proxy_port), misled, 2 * SECOND)
        return self.proxy.relay(settings, took_us)
