"""wsyncmgr.log: how a synchronization went."""

from __future__ import annotations

from typing import ClassVar, Final

from generators.log import Writes
from generators.site_component import COMPONENT_WRITES, SiteComponentLog, padded_date_time, us_date_time
from generators.sources import source_text
from simulator.clock import Zone
from simulator.estate import Site
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
    SupsRead,
    SyncFailed,
    SyncManagerWaiting,
    SyncManagerWokeUp,
    SyncRequestFound,
    SyncRetryPlanned,
    SyncRunEnded,
    SyncStarted,
    SyncSucceeded,
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
from simulator.failures import SchemaInvalid
from simulator.journal import Entry

DEFINE_UPDATE: Final = Source("DefineUpdate")


def duration(seconds: int) -> str:
    """``0d00h05m01s``, as ``Sync time`` prints it."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return f"{days}d{hour:02}h{minute:02}m{second:02}s"


def eta(seconds: int) -> str:
    """``00:00:03``, as progress lines print it."""
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}"


class WsyncmgrLog(SiteComponentLog):
    messages = ("wsyncmgr", "statmsg")
    component = "SMS_WSUS_SYNC_MANAGER"
    file = "wsyncmgr.log"

    @classmethod
    def hosts(cls, site: Site) -> tuple[str, ...]:
        return (site.server,)

    def _spellings(self, sup: str) -> tuple[str, str, str]:
        """The SUP as configured, in lower case, and by its NetBIOS name if it is local: which one is written is the catalogue's."""
        return self._spell(sup, local=not self.site.remote_sup)

    @staticmethod
    def _spell(sup: str, *, local: bool) -> tuple[str, str, str]:
        return sup, sup.lower(), sup.partition(".")[0] if local else sup

    # --- waking up

    def woke_up(self, entry: Entry) -> None:
        event: SyncManagerWokeUp = entry.event
        match event.cause:
            case "schedule":
                self.say().woke_by_schedule(entry.at)
            case "inbox":
                self.say().woke_by_inbox(entry.at)
            case "polling":
                self.say().woke_by_polling(entry.at)

    def request_found(self, entry: Entry) -> None:
        event: SyncRequestFound = entry.event
        if event.by == "local":
            self.say().found_local_request(entry.at)
        else:
            self.say().found_parent_request(entry.at, event.file)

    def inbox_checked(self, entry: Entry) -> None:
        event: InboxChecked = entry.event
        say = self.say()
        say.deleting_expired(entry.at)
        say.deleted_expired(entry.at, event.expired_updates)
        say.inbox_source(entry.at, event.server)

    # --- the run

    def sync_started(self, entry: Entry) -> None:
        event: SyncStarted = entry.event
        at, say = entry.at, self.say()
        say.starting_sync(at)
        match event.trigger:
            case "schedule":
                say.performing_regular(at)
            case "local":
                say.performing_local(at)
            case "parent":
                say.performing_parent(at)
            case "retry":
                say.performing_retry(at)

    def full_sync_required(self, entry: Entry) -> None:
        self.say().full_sync_location(entry.at)

    def sups_read(self, entry: Entry) -> None:
        event: SupsRead = entry.event
        say = self.say()
        say.reading_sups(entry.at, event.server)
        say.found_sups(entry.at, len(event.sups))
        for sup in event.sups:
            say.found_active_sup(entry.at, sup)

    def wsus_phase_started(self, entry: Entry) -> None:
        event: WsusPhaseStarted = entry.event
        at, say = entry.at, self.say()
        say.surface_drivers_off(at)
        say.synchronizing_wsus_default(at, event.sup)
        say.synchronizing_wsus_named(at, event.sup)

    def wsus_connecting(self, entry: Entry) -> None:
        event: WsusConnecting = entry.event
        at, say = entry.at, self.say(event.worker)
        say.synchronizing_wsus_computer(at, event.sup.partition(".")[0])
        if event.account:
            say.using_account(at, event.account)
        say.wsus_url(at, "https" if event.ssl else "http", event.sup, event.port)
        if not event.local:
            say.attempting_connection(at, event.sup.lower(), event.port, str(event.ssl))

    def wsus_sync_started(self, entry: Entry) -> None:
        event: WsusSyncStarted = entry.event
        say = self.say(event.worker)
        say.synchronizing_wsus(entry.at, *self._spellings(event.sup))
        say.starting_wsus_sync(entry.at)

    def wsus_categories(self, entry: Entry) -> None:
        event: WsusCategoriesSynced = entry.event
        self.say(event.worker).wsus_categories(entry.at)

    def wsus_updates(self, entry: Entry) -> None:
        event: WsusUpdatesSyncing = entry.event
        self.say(event.worker).wsus_updates(entry.at)

    def wsus_progressed(self, entry: Entry) -> None:
        event: WsusUpdatesProgressed = entry.event
        say, percent = self.say(event.worker), event.done * 100 // event.total
        if event.eta_s < 0:
            say.wsus_updates_progress(entry.at, event.done, event.total, percent)
        else:
            say.wsus_updates_eta(entry.at, event.done, event.total, percent, eta(event.eta_s))

    def wsus_synced(self, entry: Entry) -> None:
        event: WsusSynced = entry.event
        say = self.say(event.worker)
        say.done_wsus(entry.at, *self._spellings(event.sup))
        say.catalog_drivers(entry.at)

    def settle_started(self, entry: Entry) -> None:
        event: SettleStarted = entry.event
        say = self.say(event.worker)
        say.grace_period(entry.at, event.wait_s * 1000)
        say.sleeping(entry.at, event.wait_s // 60, event.wait_s)

    def content_version_set(self, entry: Entry) -> None:
        event: ContentVersionSet = entry.event
        say = self.say()
        say.content_version(entry.at, event.source_guid, event.site, event.version)
        say.resetting_max_run_time(entry.at)

    def database_prepared(self, entry: Entry) -> None:
        event: DatabasePhasePrepared = entry.event
        self.say().synchronizing_database_default(entry.at, event.sup)

    def database_started(self, entry: Entry) -> None:
        event: DatabaseSyncStarted = entry.event
        at, say = entry.at, self.say(event.worker)
        say.wsus_url(at, "https" if event.ssl else "http", event.sup, event.port)
        say.synchronizing_database(at, *self._spellings(event.sup))
        say.starting_database_sync(at)
        say.localization_languages(at, ",".join(event.languages))
        if event.full:
            say.syncing_all_updates(at)
        else:
            zone = Zone(self.zone)
            say.syncing_updates_after(at, us_date_time(zone, event.since_at), padded_date_time(zone, event.since_at))
        say.requested_categories(at, ", ".join(event.requested))
        say.database_categories(at)
        say.database_categories_begun(at, event.categories)

    def database_categories(self, entry: Entry) -> None:
        event: DatabaseCategoriesSynced = entry.event
        say = self.say(event.worker)
        say.database_categories_done(entry.at, event.total)
        say.database_categories_done_again(entry.at, event.total)

    def database_updates(self, entry: Entry) -> None:
        event: DatabaseUpdatesSyncing = entry.event
        say = self.say(event.worker)
        say.database_updates(entry.at)
        say.batch_count(entry.at)
        say.batch_min_date(entry.at)

    def update_synced(self, entry: Entry) -> None:
        event: UpdateSynced = entry.event
        self.say(event.worker).synchronizing_update(entry.at, event.guid, event.title)

    def database_progressed(self, entry: Entry) -> None:
        event: DatabaseUpdatesProgressed = entry.event
        self.say(event.worker).database_updates_eta(entry.at, event.done, event.total, event.done * 100 // event.total)

    def update_failed(self, entry: Entry) -> None:
        event: UpdateSaveFailed = entry.event
        at, say = entry.at, self.say(event.worker)
        say.synchronizing_update(at, event.guid, event.title)
        say.setup_sdm_package(at)
        say.digest_invalid(at)
        error = self.run.reasons.message(SchemaInvalid(event.guid))
        say.update_failed(at, event.guid, error, source_text(DEFINE_UPDATE, self.run.version))

    def database_aborted(self, entry: Entry) -> None:
        event: DatabaseSyncAborted = entry.event
        self.say(event.worker).too_many_failures(entry.at)

    def database_updates_synced(self, entry: Entry) -> None:
        event: DatabaseUpdatesSynced = entry.event
        say = self.say(event.worker)
        if event.total:
            say.database_updates_done(entry.at, event.total)
        say.database_cleanup(entry.at)

    def database_synced(self, entry: Entry) -> None:
        event: DatabaseSynced = entry.event
        self.say(event.worker).done_database(entry.at, *self._spellings(event.sup))

    # --- its end

    def sync_succeeded(self, entry: Entry) -> None:
        event: SyncSucceeded = entry.event
        at, say = entry.at, self.say()
        say.sync_succeeded(at, event.site)
        if event.parent:
            say.synced_with_parent(at, event.parent, event.version)
        else:
            say.updated_items(at, event.items, event.version)
        say.sync_time(at, duration(event.took_s))

    def sync_failed(self, entry: Entry) -> None:
        event: SyncFailed | ReplicaSyncFailed = entry.event
        self.say().sync_failed(entry.at, self.run.reasons.message(event.reason), source_text(event.source, self.run.version))

    def retry_planned(self, entry: Entry) -> None:
        event: SyncRetryPlanned = entry.event
        say = self.say()
        say.will_retry(entry.at, event.retry_min)
        say.alert_active(entry.at, event.site)
        say.sync_time(entry.at, duration(event.took_s))

    def replica_phase_started(self, entry: Entry) -> None:
        self.say().synchronizing_replicas(entry.at)

    def replica_started(self, entry: Entry) -> None:
        event: ReplicaSyncStarted = entry.event
        say = self.say(event.worker)
        say.synchronizing_wsus(entry.at, *self._spell(event.sup, local=event.local))
        say.starting_replica_sync(entry.at)

    def replica_items(self, entry: Entry) -> None:
        event: ReplicaItemsSyncing = entry.event
        self.say(event.worker).replica_items(entry.at)

    def replica_items_synced(self, entry: Entry) -> None:
        event: ReplicaItemsSynced = entry.event
        self.say(event.worker).replica_items_done(entry.at, event.total)

    def replica_synced(self, entry: Entry) -> None:
        event: ReplicaSynced = entry.event
        self.say(event.worker).done_wsus(entry.at, *self._spell(event.sup, local=event.local))

    def children_notified(self, entry: Entry) -> None:
        event: ChildrenNotified = entry.event
        say, children = self.say(), ", ".join(event.children)
        folder = "C:\\" + self.run.version.logs_folder.removesuffix("/Logs").replace("/", "\\")
        say.notifying_children(entry.at, children)
        say.replicating_file(entry.at, folder, event.site, children)

    def run_ended(self, entry: Entry) -> None:
        event: SyncRunEnded = entry.event
        say = self.say()
        if event.scheduled:
            say.run_deleting_expired(entry.at)
        else:
            say.skipping_expired(entry.at)
        say.run_deleted_expired(entry.at, 0)
        say.inbox_source(entry.at, event.server)

    def next_planned(self, entry: Entry) -> None:
        event: NextSyncPlanned = entry.event
        text = us_date_time(Zone(self.zone), event.next_at)
        if event.clock == "retry":
            self.say().next_retry(entry.at, text)
        else:
            self.say().next_regular(entry.at, text)

    def waiting(self, entry: Entry) -> None:
        event: SyncManagerWaiting = entry.event
        self.say().waiting(entry.at, event.wait_min)

    writes: ClassVar[Writes] = {
        **COMPONENT_WRITES,
        SyncManagerWokeUp: woke_up,
        SyncRequestFound: request_found,
        InboxChecked: inbox_checked,
        SyncStarted: sync_started,
        FullSyncRequired: full_sync_required,
        SupsRead: sups_read,
        WsusPhaseStarted: wsus_phase_started,
        WsusConnecting: wsus_connecting,
        WsusSyncStarted: wsus_sync_started,
        WsusCategoriesSynced: wsus_categories,
        WsusUpdatesSyncing: wsus_updates,
        WsusUpdatesProgressed: wsus_progressed,
        WsusSynced: wsus_synced,
        SettleStarted: settle_started,
        ContentVersionSet: content_version_set,
        DatabasePhasePrepared: database_prepared,
        DatabaseSyncStarted: database_started,
        DatabaseCategoriesSynced: database_categories,
        DatabaseUpdatesSyncing: database_updates,
        DatabaseUpdatesProgressed: database_progressed,
        UpdateSynced: update_synced,
        UpdateSaveFailed: update_failed,
        DatabaseSyncAborted: database_aborted,
        DatabaseUpdatesSynced: database_updates_synced,
        DatabaseSynced: database_synced,
        SyncSucceeded: sync_succeeded,
        SyncFailed: sync_failed,
        SyncRetryPlanned: retry_planned,
        ReplicaPhaseStarted: replica_phase_started,
        ReplicaSyncStarted: replica_started,
        ReplicaItemsSyncing: replica_items,
        ReplicaItemsSynced: replica_items_synced,
        ReplicaSynced: replica_synced,
        ReplicaSyncFailed: sync_failed,
        ChildrenNotified: children_notified,
        SyncRunEnded: run_ended,
        NextSyncPlanned: next_planned,
        SyncManagerWaiting: waiting,
    }
