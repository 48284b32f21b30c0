"""SMS_WSUS_SYNC_MANAGER: drives a synchronization from its trigger to its end.

``_run`` reads as the product works: gate, WSUS, settling, site database, children.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from simpy import Event

from simulator.components.actor import Steps, StepsToInt
from simulator.components.api import Address, Api
from simulator.components.site import NO_SOURCE, Site, ThreadedActor
from simulator.components.upstream import Portion
from simulator.events import (
    ChildrenNotified,
    ContentVersionSet,
    DatabaseCategoriesSynced,
    DatabasePhasePrepared,
    DatabaseSyncAborted,
    DatabaseSynced,
    DatabaseSyncStarted,
    DatabaseUpdatesProgressed,
    DatabaseUpdatesSynced,
    DatabaseUpdatesSyncing,
    FullSyncRequired,
    GateClosed,
    InboxChecked,
    NextSyncPlanned,
    ReplicaItemsSynced,
    ReplicaItemsSyncing,
    ReplicaPhaseStarted,
    ReplicaSynced,
    ReplicaSyncFailed,
    ReplicaSyncStarted,
    SettleStarted,
    Source,
    StatusReported,
    SupsRead,
    SyncFailed,
    SyncManagerWaiting,
    SyncManagerWokeUp,
    SyncRequestFound,
    SyncRetryPlanned,
    SyncRunEnded,
    SyncStarted,
    SyncSucceeded,
    SynFileArrived,
    UpdateSaveFailed,
    UpdateSynced,
    WsusCategoriesSynced,
    WsusConnecting,
    WsusPhaseStarted,
    WsusSynced,
    WsusSyncStarted,
    WsusUpdatesProgressed,
    WsusUpdatesSyncing,
)
from simulator.failures import (
    CallTimedOut,
    ConnectionRefused,
    ConnectionTimedOut,
    Failure,
    PermissionRefused,
    Reason,
    SchemaInvalid,
    UpstreamTrouble,
    WsusNotConfigured,
)
from simulator.journal import Entry
from simulator.units import HOUR, MINUTE, MS, SECOND

if TYPE_CHECKING:
    from simulator.components.sup import SoftwareUpdatePoint
    from simulator.components.wsus import Wsus
    from simulator.world import World

GATE_US = 5 * MINUTE
"""How long a run waits for WCM before it gives up [S: sync time 0d00h05m01s]."""
RETRY_MIN = 60
"""A failed run is repeated after an hour [S]."""
POLL_US = HOUR
"""The inbox is looked at every hour [P]."""
PROGRESS_US = MINUTE
"""About one progress line a minute [D]."""

BUSY_US = 30 * MINUTE
"""How long a run waits for a synchronization of WSUS that it did not start [I: some wait, some run into a time limit, S]."""
READ_US = 1_500 * MS
"""Reading one update that the site database has already, in a full synchronization: with it, 2007's take 40 minutes [P]."""
SAVE_FAILURES = 9
"""So many updates that cannot be saved, one after the other, end a run [P]."""
WATCH_US = 10 * SECOND
EARLY_WATCH_US = 2 * SECOND
EARLY_US = 40 * SECOND
"""WSUS is asked how far it is every few seconds, later less often [I: failures are seen within seconds]."""

E_FAIL = 0x80004005
ERROR_INVALID_ACCESS = 12
ERROR_BAD_NETPATH = 53
COR_E_EXCEPTION = 0x80131500
COR_E_SECURITY = 0x8013150A

LOCAL_FILES: Final = ("SELF.SYN", "FULL.SYN")
"""Files by which somebody at the site asks for a synchronization; all others are parents'."""
POLLING: Final = SyncManagerWokeUp("polling")

Trigger = Literal["schedule", "local", "parent", "retry"]
Method = Literal["DoSync", "CreateUpdateServer", "GetWebResponse", "SyncWSUS", "DefineUpdate"]


class RunFailed(Exception):
    """A run broke off: which method is blamed, what happened, and the entry that explains it."""

    def __init__(self, method: Method, failure: Failure) -> None:
        super().__init__(method)
        self.source = Source(method)
        self.failure = failure
        self.trouble: Reason | UpstreamTrouble = failure.reason


class SyncManager(ThreadedActor):
    """WSyncMgr of one site."""

    component = "SMS_WSUS_SYNC_MANAGER"

    def __init__(self, world: World, site: Site) -> None:
        super().__init__(world, site.server, "wsyncmgr", site)
        self.api, *self._replicas = (Api(self, "wsyncmgr", point, on_sup=False) for point in site.points)
        self._inbox: dict[str, Entry | None] = {}
        self._inbox_pen = world.journal.reporter(self.host, f"{self.host}/wsyncmgr.box")
        """Files arrive while the thread is ahead: they are counted apart from what it reports."""
        self._inbox_checked = InboxChecked(site.server.fqdn, 0)
        self._runs = 0
        self._worker = 0
        self._regular_at: int | None = None
        self._regular_local: datetime | None = None
        self._retry_at: int | None = None
        self._retry_because: Entry | None = None
        self._poll_at = 0
        self._polls = False
        """It waits, and nothing but polls will come due."""
        self._planned_at: int | None = None
        self._synced_at = world.synced_at
        self._synced_sup = site.sup.fqdn
        self._moved_because: Entry | None = None

    # --- what others do to it

    def drop(self, at: int, file: str, because: Entry | None = None) -> None:
        """Lay a .SYN file into wsyncmgr.box."""
        self.look_back(at)
        self._inbox_pen.report(at, SynFileArrived(file), because)
        self._inbox[file] = because
        self.ring()

    def withdraw(self) -> tuple[str, ...]:
        """Delete all .SYN files from wsyncmgr.box; returns which there were."""
        files = tuple(self._inbox)
        self._inbox.clear()
        return files

    @property
    def inbox(self) -> tuple[str, ...]:
        """The .SYN files that lie in wsyncmgr.box."""
        return tuple(self._inbox)

    @property
    def retry_at(self) -> int | None:
        """When a failed run will be repeated."""
        return self._retry_at

    @property
    def regular_at(self) -> int | None:
        """When the schedule will start the next run, if it is enabled."""
        return self._regular_at if self._may_run_by_schedule else None

    def server_moved(self, because: Entry | None) -> None:
        """The main WSUS server is another one from now on, so the next run must be a full one."""
        self._synced_sup, self._moved_because = "", because

    def gate_opened(self) -> None:
        """WCM has reported success."""
        self.ring()

    # --- clocks

    def live(self, *, resumed: bool) -> Steps:
        spec = self.site.spec
        if resumed:
            self._poll_at = self.now + self.dice.between(0, POLL_US)
            if spec.parent is None and spec.sync_every_h:
                self._regular_local = self.server.zone.local(self.now).replace(tzinfo=None, minute=0, second=0, hour=spec.sync_at_h)
                self._regular_at = self.server.zone.instant(self._regular_local)
                while self._regular_at < self.now:
                    self._plan_regular()
        else:
            self.report(SyncManagerWokeUp("start"), self.started_because)
            self._poll_at = self.now + POLL_US
        while True:
            if not self._inbox:
                yield from self._wait_for_work()
            if self._inbox:
                yield from self._serve_inbox()
            elif self._retry_at is not None and self.now >= self._retry_at:
                self._retry_at = None
                self.report(POLLING, self._retry_because)
                self.now += self.dice.about(137 * MS)
                yield from self._run("retry", self._retry_because)
            elif self._regular_at is not None and self.now >= self._regular_at:
                self._plan_regular()
                yield from self.catch_up()
                if self._may_run_by_schedule:
                    self.report(SyncManagerWokeUp("schedule"))
                    self.now += self.dice.about(20 * MS)
                    yield from self._run("schedule", None)
            elif self.now >= self._poll_at:
                self._poll()

    @property
    def _may_run_by_schedule(self) -> bool:
        sup = self.site.sup
        return sup.scheduled and sup.source != NO_SOURCE

    def _plan_regular(self) -> None:
        """The scheduled run after this one: days at the same wall-clock time whatever daylight saving does, else hours apart."""
        zone, hours = self.server.zone, self.site.spec.sync_every_h
        assert self._regular_local is not None
        assert self._regular_at is not None
        if hours % 24 == 0:
            self._regular_local += timedelta(hours=hours)
            self._regular_at = zone.instant(self._regular_local)
        else:
            self._regular_at += hours * HOUR

    def _next_wake(self) -> int:
        return min(at for at in (self._regular_at, self._retry_at, self._poll_at) if at is not None)

    def _wait_for_work(self) -> Steps:
        """Sleep until there is something to do. An empty inbox is nothing: those polls are made up for (``look_back``)."""
        next_at = min((at for at in (self._regular_at, self._retry_at) if at is not None), default=None)
        if self.world.stepwise or (next_at is not None and next_at <= self.now):  # a run that is due goes before a poll
            yield from self.wait_for_bell(self._next_wake())
            return
        self._polls = True
        try:
            yield from self.wait_for_bell(next_at)
        finally:
            self._polls = False

    def look_back(self, until: int) -> None:
        """Look into the empty inbox as often as that came due before instant ``until``."""
        while self._polls and self._poll_at < until:
            self.now = max(self.now, self._poll_at)
            self._poll()

    def _poll(self) -> None:
        self._poll_at = self._poll_at + POLL_US if self.world.version.own_polling_clock else self.now + POLL_US
        self.report(POLLING)
        self.now += self.dice.about(30 * MS)
        self.report(self._inbox_checked)
        self._plan_next()

    def _serve_inbox(self) -> Steps:
        self.now += self.dice.about(400 * MS)
        yield from self.catch_up()
        by: Literal["local", "parent"] = "local" if self._inbox.keys() & LOCAL_FILES else "parent"
        files = [file for file in self._inbox if (file in LOCAL_FILES) == (by == "local")]
        full = "FULL.SYN" in files
        file = "FULL.SYN" if full else files[0]
        because = self._inbox[files[0]]
        for name in files:
            del self._inbox[name]
        self.report(SyncManagerWokeUp("inbox"), because)
        self.report(SyncRequestFound(file, by), because)
        self.now += self.dice.about(15 * MS)
        yield from self._run(by, because, full=full)

    def _plan_next(self) -> None:
        """Say when it will synchronize next, if that has changed, and how long it will sleep (2007)."""
        if self.world.version.own_polling_clock:
            return
        kind: Literal["regular", "retry"]
        if self._retry_at is not None and (self._regular_at is None or self._retry_at <= self._regular_at):
            kind, planned_at = "retry", self._retry_at
        elif self._regular_at is not None:
            kind, planned_at = "regular", self._regular_at
        else:
            kind, planned_at = "regular", 0
        because = self._retry_because if kind == "retry" else None
        if planned_at and planned_at != self._planned_at:
            self.report(NextSyncPlanned(kind, planned_at), because)
        self._planned_at = planned_at
        self.report(SyncManagerWaiting((self._next_wake() - self.now) // MINUTE))

    # --- a run

    def _run(self, trigger: Trigger, because: Entry | None, *, full: bool = False) -> Steps:
        sup = self.site.sup
        yield from self.heed_deeds()
        if not sup.active:
            self.report(SupsRead(self.server.fqdn, ()), sup.because("active"))
            return
        self._runs += 1
        self.pen.run = f"{self.site.code}-{self._runs:04d}"
        self.report(SyncStarted(trigger), because)
        sups = tuple(point.properties.fqdn for point in self.site.points)
        moved = sups[0] != self._synced_sup
        if moved:
            self.report(FullSyncRequired(), self._moved_because or sup.because("fqdn"))
        self.report(SupsRead(self.server.fqdn, sups))
        self.now += self.dice.about(25 * MS)
        began = self.now
        self.report(StatusReported(self.component, 6701), because)
        self._worker = self.dice.between(200, 16_000) * 4 if self.world.version.worker_threads else 0
        full = full or moved or (trigger == "schedule" and self.world.version.scheduled_sync_is_full)
        try:
            yield from self._pass_gate()
            expected = self.site.parent.wsus.susdb.read_to if self.site.parent is not None else 0
            address = yield from self._connect()
            yield from self._synchronize_wsus(address)
            yield from self._settle()
            items = yield from self._synchronize_database(address, full=full)
        except RunFailed as trouble:
            yield from self.catch_up()
            self._fail(trouble, began)
        else:
            yield from self.catch_up()
            self._succeed(items, began)
            self._compare(self.site.points[0], expected, None)
            if self._replicas:
                yield from self._synchronize_replicas()
        self.report(SyncRunEnded(trigger == "schedule", self.server.fqdn))
        self.pen.run = None
        if not self.world.version.own_polling_clock:
            self._poll_at = self.now + POLL_US
        self._plan_next()

    def _pass_gate(self) -> Steps:
        """Go on only while WCM's last result is success; wait five minutes for it."""
        state = self.site.wcm.state
        yield from self.catch_up()
        if state.success:
            return
        self.report(GateClosed(state.value), state.because("value"))
        deadline = self.now + GATE_US
        while not state.success and self.now < deadline:
            yield from self.wait_for_bell(deadline)
        if not state.success:
            self.now += self.dice.about(1_300 * MS, 10)
            raise RunFailed("DoSync", Failure(WsusNotConfigured(state.value), state.because("value"), 0))

    def _connect(self) -> Generator[Event, Any, Address]:
        """Open the API of the SUP; returns where it was found."""
        self.now += 10 * MS
        address, wrong = self.api.address, self.api.because_address
        self.report(WsusPhaseStarted(address.server), wrong)
        self.now += self.dice.about(1_120 * MS, 8)
        yield from self.heed_deeds()
        self.report(StatusReported(self.component, 6704))
        self.report(WsusConnecting(*address, self._worker), wrong)
        yield from self._call("CreateUpdateServer", self.dice.about(350 * MS), connect=True)
        return address

    def _call(
        self,
        method: Literal["CreateUpdateServer", "GetWebResponse"],
        took_us: int,
        *,
        connect: bool = False,
        api: Api | None = None,
    ) -> Steps:
        """One API call (of the first software update point's WSUS); raises ``RunFailed`` that blames ``method``."""
        yield from self.heed_deeds()
        try:
            self.now += (api or self.api).call(self.now, took_us=took_us, connect=connect)
        except Failure as failure:
            self.now += failure.took_us
            raise RunFailed(method, failure) from None

    def _synchronize_wsus(self, address: Address) -> Steps:
        """Have WSUS synchronize with its upstream server, and watch it."""
        wsus, worker = self.site.wsus, self._worker
        self.report(WsusSyncStarted(address.server, address.local, worker))
        yield from self._call("GetWebResponse", self.dice.about(90 * MS))
        yield from self.catch_up()
        deadline = self.now + BUSY_US
        while wsus.seen(self.now).phase != "idle":  # somebody else had it synchronize
            if self.now >= deadline:
                raise RunFailed("SyncWSUS", Failure(CallTimedOut(), wsus.because_busy, 0))
            self.now += self.dice.about(10 * SECOND)
            yield from self._call("GetWebResponse", 12 * MS)
            yield from self.catch_up()
        try:
            wsus.synchronize(self.now, self.pen.run, address.account or self.server.computer_account)
        except Failure as failure:
            self.now += failure.took_us
            raise RunFailed("GetWebResponse", failure) from None
        yield from self._watch()
        self.report(WsusSynced(address.server, worker))

    def _watch(self) -> Steps:
        """Ask WSUS again and again what it does, until it has finished; raises ``RunFailed`` when that was in vain."""
        wsus, worker = self.site.wsus, self._worker
        began, told = self.now, 0
        categories = updates = False
        seen = wsus.seen(self.now)
        while seen.phase != "idle":
            self.now += self.dice.about(EARLY_WATCH_US if self.now - began < EARLY_US else WATCH_US, 5)
            yield from self._call("GetWebResponse", 12 * MS)
            yield from self._catch_up_with(wsus)
            seen = wsus.seen(self.now)
            if not categories and seen.phase in ("categories", "updates"):
                categories, told = True, self.now
                self.report(WsusCategoriesSynced(worker))
            if not updates and seen.phase == "updates":
                updates, told = True, self.now
                self.report(WsusUpdatesSyncing(worker))
            if seen.phase == "updates" and seen.done and self.now - told >= PROGRESS_US:
                told = self.now
                eta_s = (self.now - began) * (seen.total - seen.done) // seen.done // SECOND
                self.report(WsusUpdatesProgressed(seen.done, seen.total, eta_s, worker), wsus.susdb.because_new)
        _check_outcome(wsus)
        if wsus.total:
            if not updates:
                self.report(WsusUpdatesSyncing(worker))
            self.report(WsusUpdatesProgressed(wsus.total, wsus.total, -1, worker))
            self.report(WsusUpdatesProgressed(wsus.total, wsus.total, -1, worker))

    def _catch_up_with(self, wsus: Wsus) -> Steps:
        """Give way to all, unless what that WSUS shows by now is settled."""
        yield from self.heed_deeds(settled=self.now < wsus.known_until())

    def _settle(self) -> Steps:
        """Let WSUS's results become available."""
        wait_s = self.world.version.settle_s
        self.now += 40 * MS
        self.report(SettleStarted(wait_s, self._worker))
        yield from self.skip_to(self.now + wait_s * SECOND)
        self.now += self.dice.about(300 * MS)
        parent = self.site.parent
        if parent is not None:
            yield from self.catch_up()
            self.site.content_version = parent.content_version
        self.report(ContentVersionSet(self.site.source_guid, self.site.code, self.site.content_version))

    def _synchronize_database(self, address: Address, *, full: bool) -> StepsToInt:
        """Copy WSUS's metadata into the site database, where the product does so; returns how many items were new."""
        site, catalogue = self.site, self.world.catalogue
        if not site.synchronizes_database:
            return site.wsus.total
        worker, dice = self._worker, self.dice
        self.now += dice.about(150 * MS)
        self.report(DatabasePhasePrepared(address.server))
        self.report(StatusReported(self.component, 6705))
        self.now += dice.about(60 * MS)
        yield from self.catch_up()
        full = full or site.parent is not None
        self.report(self._database_started(address, full=full))
        yield from self._call("GetWebResponse", dice.about(400 * MS))
        self.now += dice.about(9 * SECOND)
        yield from self.catch_up()
        self.report(DatabaseCategoriesSynced(self.world.version.categories, worker))
        self.report(DatabaseUpdatesSyncing(worker))
        yield from self._call("GetWebResponse", dice.about(12 * SECOND))
        if full:
            yield from self._read_known()
        yield from self.catch_up()
        susdb, database = site.wsus.susdb, site.database
        portions, seen = database.unread(susdb, full=full), len(susdb.portions)
        total = 0
        for portion in portions:
            total += yield from self._copy(portion)
        yield from self.catch_up()
        if full:
            database.declined = {portion for portion in susdb.declined if portion in database.portions}
        if all(portion in database.portions for portion in portions):
            database.seen = seen
        self.report(DatabaseUpdatesSynced(total, worker))
        self.now += dice.about(2 * SECOND)
        yield from self.catch_up()
        self.report(DatabaseSynced(address.server, worker))
        items = sum(catalogue.size(portion) for portion in portions)
        if items and site.parent is None:
            yield from self.catch_up()
            site.content_version += 1
            self.report(ContentVersionSet(site.source_guid, site.code, site.content_version))
        return items

    def _database_started(self, address: Address, *, full: bool) -> DatabaseSyncStarted:
        wanted = self.site.top.sup.subscription
        products = (f"Product={name}" for name in wanted.products)
        classifications = (f"UpdateClassification={name}" for name in wanted.classifications)
        return DatabaseSyncStarted(
            address.server,
            address.port,
            address.ssl,
            address.local,
            full,
            self._synced_at,
            self.world.version.categories,
            (*products, *classifications),
            wanted.languages,
            self._worker,
        )

    def _read_known(self) -> Steps:
        """Go through all the updates that the site database has already, as a full synchronization does."""
        total = self.site.database.size(self.world.catalogue)
        done, told = 0, self.now
        while done < total:
            batch = min(50, total - done)
            self.now += self.dice.about(READ_US * batch)
            yield from self._call("GetWebResponse", 12 * MS)
            done += batch
            if self.now - told >= PROGRESS_US and done < total:
                told = self.now
                self.report(DatabaseUpdatesProgressed(done, total, self._worker))

    def _copy(self, portion: Portion) -> StepsToInt:
        """Write the updates of one portion that the site database does not have; returns how many they were."""
        site, catalogue, worker = self.site, self.world.catalogue, self._worker
        database = site.database
        because = site.wsus.susdb.causes.get(portion)
        updates = database.missing(catalogue, portion)
        failures, whole = 0, True
        for revision in updates:
            yield from self._call("GetWebResponse", self.dice.about(30 * MS))
            self.now += self.dice.about(290 * MS)
            yield from self.catch_up()
            update = catalogue.update(revision)
            try:
                database.save(update.guid)
            except Failure as failure:
                self.now += failure.took_us
                yield from self.catch_up()
                failures, whole = failures + 1, False
                if not isinstance(failure.reason, SchemaInvalid):
                    raise RunFailed("DefineUpdate", failure) from None
                entry = self.report(UpdateSaveFailed(update.guid, update.title, worker), failure.because)
                if failures == SAVE_FAILURES or revision == updates[-1]:
                    self.report(DatabaseSyncAborted(worker), entry)
                    raise RunFailed("DefineUpdate", Failure(failure.reason, entry, 0)) from None
            else:
                failures = 0
                self.report(UpdateSynced(update.guid, update.title, worker), because)
        yield from self.catch_up()
        if whole:
            database.portions[portion] = self.now
        return len(updates)

    # --- how it ends

    def _succeed(self, items: int, began: int) -> None:
        site = self.site
        self._synced_at, self._synced_sup, self._moved_because = self.now, site.sup.fqdn, None
        self._retry_at, self._retry_because = None, None
        took_s = (self.now - began) // SECOND
        self.report(StatusReported(self.component, 6702))
        parent = site.parent.code if site.parent is not None else ""
        self.report(SyncSucceeded(site.code, parent, items, site.content_version, took_s))
        if site.children:
            self.now += self.dice.about(80 * MS)
            self.report(ChildrenNotified(site.code, tuple(child.code for child in site.children)))
            self.world.replication.notify(self.now, site)
            self.world.database_replication.publish(self.now, site)

    # --- further software update points

    def _synchronize_replicas(self) -> Steps:
        """Synchronize the further software update points, one at a time; what fails there leaves the run a success [L][I]."""
        held = self.site.wsus.susdb.read_to
        self.now += self.dice.about(60 * MS)
        self.report(ReplicaPhaseStarted())
        for api in self._replicas:
            because: Entry | None = None
            self.report(StatusReported(self.component, 6706))
            try:
                yield from self._synchronize_replica(api)
            except RunFailed as trouble:
                yield from self.catch_up()
                because = self._fail_replica(api, trouble)
            yield from self.catch_up()
            self._compare(api.point, held, because)

    def _synchronize_replica(self, api: Api) -> Steps:
        """Have the WSUS of one further software update point synchronize, and watch it."""
        wsus, worker, dice = api.point.wsus, self._worker, self.dice
        address, wrong = api.address, api.because_address
        yield from self._call("CreateUpdateServer", dice.about(350 * MS), connect=True, api=api)
        yield from self.catch_up()
        while wsus.seen(self.now).phase != "idle":
            self.now += dice.about(10 * SECOND)
            yield from self._call("GetWebResponse", 12 * MS, api=api)
            yield from self.catch_up()
        self.report(ReplicaSyncStarted(address.server, address.local, worker), wrong)
        try:
            wsus.synchronize(self.now, self.pen.run, address.account or self.server.computer_account)
        except Failure as failure:
            self.now += failure.took_us
            raise RunFailed("GetWebResponse", failure) from None
        self.report(ReplicaItemsSyncing(worker))
        began = self.now
        while wsus.seen(self.now).phase != "idle":
            self.now += dice.about(EARLY_WATCH_US if self.now - began < EARLY_US else WATCH_US, 5)
            yield from self._call("GetWebResponse", 12 * MS, api=api)
            yield from self._catch_up_with(wsus)
        _check_outcome(wsus)
        if wsus.total:
            self.report(ReplicaItemsSynced(wsus.total, worker))
        self.report(ReplicaSynced(address.server, address.local, worker))

    def _fail_replica(self, api: Api, trouble: RunFailed) -> Entry:
        failed = ReplicaSyncFailed(api.address.server, trouble.source, trouble.trouble)
        entry = self.report(failed, trouble.failure.because)
        strings = (trouble.source, trouble.trouble)
        self.report(StatusReported(self.component, 6703, strings, self._os_error(trouble)), entry)
        return entry

    def _compare(self, point: SoftwareUpdatePoint, expected: int, because: Entry | None) -> None:
        """Warn when a WSUS holds less than its upstream server held before: status 6707 [L]."""
        upstream, wsus = point.upstream, point.wsus
        if upstream is not None and wsus.susdb.read_to < expected:
            because = because or wsus.settings.because("upstream", "upstream_port", "upstream_ssl")
            self.report(StatusReported(self.component, 6707, (point.properties.fqdn, upstream.fqdn)), because)

    # --- how it fails

    def _fail(self, trouble: RunFailed, began: int) -> None:
        took_s = (self.now - began) // SECOND
        entry = self.report(SyncFailed(trouble.source, trouble.trouble), trouble.failure.because)
        strings = (trouble.source, trouble.trouble)
        self.report(StatusReported(self.component, 6703, strings, self._os_error(trouble)), entry)
        retry_at = self.now + RETRY_MIN * MINUTE
        if self._retry_at is None or retry_at - self._retry_at >= MINUTE:  # a plan is kept to the minute
            self._retry_at = retry_at
        self._retry_because = entry
        self.report(SyncRetryPlanned(self.site.code, RETRY_MIN, took_s), entry)

    def _os_error(self, trouble: RunFailed) -> int:
        """What the operating-system clause of status message 6703 names [S][P]."""
        method, reason = trouble.source.method, trouble.failure.reason
        if method == "DoSync":
            return E_FAIL
        if isinstance(reason, SchemaInvalid):
            return ERROR_INVALID_ACCESS
        if self.world.version.reports_hresult:
            return COR_E_SECURITY if isinstance(reason, PermissionRefused) else COR_E_EXCEPTION
        if isinstance(trouble.trouble, UpstreamTrouble) and trouble.trouble.error == "DssAuthenticationError":
            return 0
        if method == "CreateUpdateServer" and isinstance(reason, ConnectionRefused | ConnectionTimedOut):
            return ERROR_BAD_NETPATH
        return E_FAIL


def _check_outcome(wsus: Wsus) -> None:
    """Raise ``RunFailed`` when WSUS's last synchronization came to nothing."""
    if wsus.trouble is not None:
        trouble, because = wsus.trouble
        failed = RunFailed("SyncWSUS", Failure(trouble.reason, because, 0))
        failed.trouble = trouble
        raise failed
