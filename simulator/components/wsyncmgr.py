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
from simulator.components.site import Site, ThreadedActor
from simulator.events import (
    ChildrenNotified,
    ContentVersionSet,
    DatabaseCategoriesSynced,
    DatabasePhasePrepared,
    DatabaseSynced,
    DatabaseSyncStarted,
    DatabaseUpdatesSynced,
    DatabaseUpdatesSyncing,
    GateClosed,
    InboxChecked,
    NextSyncPlanned,
    SettleStarted,
    Source,
    StatusReported,
    SyncFailed,
    SyncManagerWaiting,
    SyncManagerWokeUp,
    SyncRequestFound,
    SyncRetryPlanned,
    SyncRunEnded,
    SyncStarted,
    SyncSucceeded,
    SynFileArrived,
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
    ConnectionRefused,
    ConnectionTimedOut,
    Failure,
    PermissionRefused,
    Reason,
    UpstreamTrouble,
    WsusNotConfigured,
)
from simulator.journal import Entry
from simulator.units import HOUR, MINUTE, MS, SECOND

if TYPE_CHECKING:
    from simulator.world import World

GATE_US = 5 * MINUTE
"""How long a run waits for WCM before it gives up [S: sync time 0d00h05m01s]."""
RETRY_MIN = 60
"""A failed run is repeated after an hour [S]."""
POLL_US = HOUR
"""The inbox is looked at every hour [P]."""
PROGRESS_US = MINUTE
"""About one progress line a minute [D]."""

WATCH_US = 10 * SECOND
EARLY_WATCH_US = 2 * SECOND
EARLY_US = 40 * SECOND
"""WSUS is asked how far it is every few seconds, later less often [I: failures are seen within seconds]."""

E_FAIL = 0x80004005
ERROR_BAD_NETPATH = 53
COR_E_EXCEPTION = 0x80131500
COR_E_SECURITY = 0x8013150A

LOCAL_FILES: Final = ("SELF.SYN", "FULL.SYN")
"""Files by which somebody at the site asks for a synchronization; all others are parents'."""
POLLING: Final = SyncManagerWokeUp("polling")

Trigger = Literal["schedule", "local", "parent", "retry"]


class RunFailed(Exception):
    """A run broke off: which method is blamed, what happened, and the entry that explains it."""

    def __init__(self, method: Literal["DoSync", "CreateUpdateServer", "GetWebResponse", "SyncWSUS"], failure: Failure) -> None:
        super().__init__(method)
        self.source = Source(method)
        self.failure = failure
        self.trouble: Reason | UpstreamTrouble = failure.reason


class SyncManager(ThreadedActor):
    """WSyncMgr of one site."""

    component = "SMS_WSUS_SYNC_MANAGER"

    def __init__(self, world: World, site: Site) -> None:
        super().__init__(world, site.server, "wsyncmgr", site)
        self.api = Api(self, "wsyncmgr", on_sup=False)
        self._inbox: dict[str, Entry | None] = {}
        self._inbox_checked = InboxChecked(site.server.fqdn, 0)
        self._runs = 0
        self._worker = 0
        self._regular_at: int | None = None
        self._regular_local: datetime | None = None
        self._retry_at: int | None = None
        self._retry_because: Entry | None = None
        self._poll_at = 0
        self._planned_at: int | None = None
        self._synced_revision = site.wsus.revision
        self._synced_at = world.synced_at
        self._synced_sup = site.sup.fqdn

    @property
    def waiting_files(self) -> tuple[str, ...]:
        """Files in wsyncmgr.box that it has not taken yet."""
        return tuple(self._inbox)

    # --- what others do to it

    def drop(self, at: int, file: str, because: Entry | None = None) -> None:
        """Lay a .SYN file into wsyncmgr.box."""
        self.pen.report(at, SynFileArrived(file), because)
        self._inbox[file] = because
        self.ring()

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
                yield from self.wait_for_bell(self._next_wake())
            if self._inbox:
                yield from self._serve_inbox()
            elif self._retry_at is not None and self.now >= self._retry_at:
                self._retry_at = None
                self.report(POLLING, self._retry_because)
                self.now += self.dice.about(137 * MS)
                yield from self._run("retry", self._retry_because)
            elif self._regular_at is not None and self.now >= self._regular_at:
                self._plan_regular()
                self.report(SyncManagerWokeUp("schedule"))
                self.now += self.dice.about(20 * MS)
                yield from self._run("schedule", None)
            elif self.now >= self._poll_at:
                self._poll()

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
        self._runs += 1
        self.pen.run = f"{self.site.code}-{self._runs:04d}"
        sup = self.site.sup
        moved = sup.fqdn != self._synced_sup
        self.report(SyncStarted(trigger, moved, self.server.fqdn, sup.fqdn), because)
        self.now += self.dice.about(25 * MS)
        began = self.now
        self.report(StatusReported(self.component, 6701), because)
        self._worker = self.dice.between(200, 16_000) * 4 if self.world.version.worker_threads else 0
        full = full or moved or (trigger == "schedule" and self.world.version.scheduled_sync_is_full)
        try:
            yield from self._pass_gate()
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
        yield from self.catch_up()
        self.report(StatusReported(self.component, 6704))
        self.report(WsusConnecting(*address, self._worker), wrong)
        yield from self._call("CreateUpdateServer", self.dice.about(350 * MS), connect=True)
        return address

    def _call(self, method: Literal["CreateUpdateServer", "GetWebResponse"], took_us: int, *, connect: bool = False) -> Steps:
        """One API call; raises ``RunFailed`` that blames ``method``."""
        yield from self.catch_up()
        try:
            self.now += self.api.call(self.now, took_us=took_us, connect=connect)
        except Failure as failure:
            self.now += failure.took_us
            raise RunFailed(method, failure) from None

    def _synchronize_wsus(self, address: Address) -> Steps:
        """Have WSUS synchronize with its upstream server, and watch it."""
        wsus, worker = self.site.wsus, self._worker
        while wsus.phase != "idle":
            self.now += self.dice.about(10 * SECOND)
            yield from self._call("GetWebResponse", 12 * MS)
        self.report(WsusSyncStarted(address.server, address.local, worker))
        yield from self._call("GetWebResponse", self.dice.about(90 * MS))
        yield from self.catch_up()
        while wsus.phase != "idle":  # it began by itself in this very moment
            self.now += self.dice.about(10 * SECOND)
            yield from self._call("GetWebResponse", 12 * MS)
            yield from self.catch_up()
        try:
            wsus.synchronize(self.now, self.pen.run)
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
        while wsus.phase != "idle":
            self.now += self.dice.about(EARLY_WATCH_US if self.now - began < EARLY_US else WATCH_US, 5)
            yield from self._call("GetWebResponse", 12 * MS)
            yield from self.catch_up()
            if not categories and wsus.phase in ("categories", "updates"):
                categories, told = True, self.now
                self.report(WsusCategoriesSynced(worker))
            if not updates and wsus.phase == "updates":
                updates, told = True, self.now
                self.report(WsusUpdatesSyncing(worker))
            if wsus.phase == "updates" and wsus.done and self.now - told >= PROGRESS_US:
                told = self.now
                eta_s = (self.now - began) * (wsus.total - wsus.done) // wsus.done // SECOND
                self.report(WsusUpdatesProgressed(wsus.done, wsus.total, eta_s, worker))
        if wsus.trouble is not None:
            trouble, because = wsus.trouble
            failed = RunFailed("SyncWSUS", Failure(trouble.reason, because, 0))
            failed.trouble = trouble
            raise failed
        if wsus.total:
            if not updates:
                self.report(WsusUpdatesSyncing(worker))
            self.report(WsusUpdatesProgressed(wsus.total, wsus.total, -1, worker))
            self.report(WsusUpdatesProgressed(wsus.total, wsus.total, -1, worker))

    def _settle(self) -> Steps:
        """Let WSUS's results become available."""
        wait_s = self.world.version.settle_s
        self.now += 40 * MS
        self.report(SettleStarted(wait_s, self._worker))
        yield from self.wait_until(self.now + wait_s * SECOND)
        self.now += self.dice.about(300 * MS)
        parent = self.site.parent
        if parent is not None:
            yield from self.catch_up()
            self.site.content_version = parent.content_version
        self.report(ContentVersionSet(self.site.source_guid, self.site.code, self.site.content_version))

    def _synchronize_database(self, address: Address, *, full: bool) -> StepsToInt:
        """Copy WSUS's metadata into the site database, where the product does so; returns how many items were new."""
        site, worker, dice = self.site, self._worker, self.dice
        newest = site.wsus.revision
        items = newest - self._synced_revision
        if site.parent is None or self.world.version.child_writes_site_database:
            self.now += dice.about(150 * MS)
            self.report(DatabasePhasePrepared(address.server))
            self.report(StatusReported(self.component, 6705))
            self.now += dice.about(60 * MS)
            full = full or site.parent is not None
            categories = self.world.version.categories
            self.report(
                DatabaseSyncStarted(
                    address.server, address.port, address.ssl, address.local, full, self._synced_at, categories, worker
                )
            )
            yield from self._call("GetWebResponse", dice.about(400 * MS))
            self.now += dice.about(9 * SECOND)
            yield from self.catch_up()
            self.report(DatabaseCategoriesSynced(categories, worker))
            self.report(DatabaseUpdatesSyncing(worker))
            yield from self._call("GetWebResponse", dice.about(12 * SECOND))
            updates = self.world.catalogue.visible(self._synced_revision, newest)
            for revision in updates:
                yield from self._call("GetWebResponse", dice.about(30 * MS))
                self.now += dice.about(290 * MS)
                yield from self.catch_up()
                guid, title = self.world.catalogue.update(revision)
                self.report(UpdateSynced(guid, title, worker))
            yield from self.catch_up()
            self.report(DatabaseUpdatesSynced(len(updates), worker))
            self.now += dice.about(2 * SECOND)
            yield from self.catch_up()
            self.report(DatabaseSynced(address.server, worker))
            if items and site.parent is None:
                yield from self.catch_up()
                site.content_version += 1
                self.report(ContentVersionSet(site.source_guid, site.code, site.content_version))
        self._synced_revision = newest
        return items

    # --- how it ends

    def _succeed(self, items: int, began: int) -> None:
        site = self.site
        self._synced_at, self._synced_sup = self.now, site.sup.fqdn
        self._retry_at, self._retry_because = None, None
        took_s = (self.now - began) // SECOND
        self.report(StatusReported(self.component, 6702))
        parent = site.parent.code if site.parent is not None else ""
        self.report(SyncSucceeded(site.code, parent, items, site.content_version, took_s))
        if site.children:
            self.now += self.dice.about(80 * MS)
            self.report(ChildrenNotified(site.code, tuple(child.code for child in site.children)))
            self.world.replication.notify(self.now, site)

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
        if self.world.version.reports_hresult:
            return COR_E_SECURITY if isinstance(reason, PermissionRefused) else COR_E_EXCEPTION
        if isinstance(trouble.trouble, UpstreamTrouble) and trouble.trouble.error == "DssAuthenticationError":
            return 0
        if method == "CreateUpdateServer" and isinstance(reason, ConnectionRefused | ConnectionTimedOut):
            return ERROR_BAD_NETPATH
        return E_FAIL
