"""Everything that can happen: frozen facts in the past tense, units in the field names, no prose.

An event is a decision or an outcome, not a line: ``generators`` decide which logs tell of it, in how many lines, and how
they word it. Where an event belongs to a site component, its line carries that component's thread id, which the writers
know from ``ComponentStarted``; a ``worker`` field names the short-lived thread that did it instead (0 = main thread).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from simulator.failures import Reason, UpstreamTrouble

Component = Literal["SMS_WSUS_SYNC_MANAGER", "SMS_WSUS_CONFIGURATION_MANAGER", "SMS_WSUS_CONTROL_MANAGER"]

# --- the story's hand ---------------------------------------------------------------------------------------------


class FaultBegan(NamedTuple):
    """A fault of the story set in: ``entity.setting`` went from ``healthy`` to ``faulty``. Silent: no log tells of it."""

    fault: str
    site: str
    entity: str
    setting: str
    healthy: str
    faulty: str


class FaultEnded(NamedTuple):
    """A fault of the story ended by itself: its settings are healthy again."""

    fault: str
    site: str


class ActionTaken(NamedTuple):
    """Somebody did something: a repair (``R..``) or another manual action. ``detail`` says what it changed."""

    action: str
    site: str
    entity: str
    detail: str
    against: str = ""
    """Id of the journal entry of the fault that made the setting deviate; empty when it was as it should be."""


# --- Windows ------------------------------------------------------------------------------------------------------


class ServiceStateChanged(NamedTuple):
    """A Windows service entered the stopped or running state (System log, Service Control Manager 7036)."""

    service: str
    """Short name: W3SVC, IISADMIN, WsusService, SMS_EXECUTIVE, MSSQLSERVER ..."""
    state: Literal["running", "stopped"]


class LogonFailed(NamedTuple):
    """A network logon was refused (Security log 529 / 4625)."""

    account: str
    client: str


# --- site server components ---------------------------------------------------------------------------------------


class ComponentStarted(NamedTuple):
    """A thread of SMS_EXECUTIVE began to run. ``resumed``: it ran already before the simulation's first instant."""

    component: Component
    site: str
    pid: int
    tid: int
    resumed: bool


class ComponentStopped(NamedTuple):
    component: Component


class StatusReported(NamedTuple):
    """A component reported a status message (STATMSG line, status message viewer, errors also in the Application log).

    ``strings`` are the insertion strings as facts: a text that is the same in every language, or a ``Source`` or
    ``Reason``/``UpstreamTrouble`` that the catalogue words.
    """

    component: Component
    message_id: int
    strings: tuple[str | Source | Reason | UpstreamTrouble, ...] = ()
    os_error: int = 0
    """What the operating-system clause says, as an unsigned 32-bit number; 0 for none."""
    worker: int = 0


class Source(NamedTuple):
    """The method that a failure is blamed on (ISTR0): it names the hop that broke."""

    method: Literal["DoSync", "CreateUpdateServer", "GetWebResponse", "SyncWSUS", "DefineUpdate"]


# --- WSUS Configuration Manager (WCM.log) ---------------------------------------------------------------------------


class WcmWokeUp(NamedTuple):
    """A cycle began: the wait timed out (after ``waited_min``), site control changed, or the component started."""

    cause: Literal["timeout", "site control change", "start"]
    waited_min: int


class WcmSiteControlRead(NamedTuple):
    """WCM read the SUP's properties after a change; ``changed_sups`` when the list of active SUPs differs."""

    sup: str
    changed_sups: bool
    further: tuple[str, ...] = ()
    """FQDNs of the further software update points."""


class AssembliesChecked(NamedTuple):
    """A component looked for a supported WSUS API on its computer (the whole version-check block)."""

    component: Component
    found: bool


class ApiConnected(NamedTuple):
    """A component connected to the WSUS API, ``took_us`` after it set out to."""

    component: Component
    server: str
    """FQDN as the SUP's properties spell it."""
    port: int
    ssl: bool
    local: bool
    """Addressed through the local API: the log names no server."""
    account: str
    """``DOMAIN\\user`` of a connection account; empty for the computer account."""
    took_us: int


class ApiConnectionFailed(NamedTuple):
    """The WSUS API could not be reached, or refused: the .NET exception that WCM and WSUSCtrl print with its frames."""

    component: Component
    server: str
    port: int
    ssl: bool
    local: bool
    account: str
    took_us: int
    reason: Reason


class WcmSourceVerified(NamedTuple):
    """WCM compared WSUS's update source with what it should be, and rewrote it when ``changed``."""

    source: str
    """``Microsoft Update`` or the FQDN of the upstream server."""
    changed: bool
    server: str
    account: str


class WcmCategoriesRefreshed(NamedTuple):
    server: str


class WcmSubscriptionSet(NamedTuple):
    """WCM found other products, classifications or languages in WSUS than the site asks for, and wrote the site's."""

    products: tuple[str, ...]
    classifications: tuple[str, ...]


class WcmConfigurationRefused(NamedTuple):
    """WSUS did not take the settings (it is a replica, or its service does not run)."""

    server: str
    reason: Reason


class WcmConfigurationFailed(NamedTuple):
    """The end of a failed cycle: ``Remote configuration failed on WSUS Server.``"""

    server: str


class WcmStateSet(NamedTuple):
    """The configuration state that gates the synchronization was set."""

    state: Literal[0, 1, 2, 3, 4]


class ComponentWaiting(NamedTuple):
    """WCM or WSUSCtrl went to sleep for so many minutes."""

    component: Component
    wait_min: int


# --- WSUS Control Manager (WSUSCtrl.log) ----------------------------------------------------------------------------


class CtrlWokeUp(NamedTuple):
    cause: Literal["timeout", "start"]


class CtrlProxyVerified(NamedTuple):
    """WSUSCtrl compared WSUS's proxy settings with the SUP's, and wrote them when ``changed``."""

    server: str
    name: str
    """Proxy host; empty when no proxy is to be used."""
    port: int
    changed: bool


class CtrlHealthChecked(NamedTuple):
    """WSUSCtrl asked WSUS which of its components are unhealthy."""

    server: str
    unhealthy: tuple[str, ...]


class CtrlDatabaseChecked(NamedTuple):
    server: str


# --- WSUS Synchronization Manager (wsyncmgr.log) --------------------------------------------------------------------


class SyncManagerWokeUp(NamedTuple):
    cause: Literal["schedule", "inbox", "polling", "start"]


class SyncRequestFound(NamedTuple):
    """A .SYN file lay in wsyncmgr.box."""

    file: str
    """``SELF.SYN``, ``FULL.SYN`` or ``<parent site code>.SYN``."""
    by: Literal["local", "parent"]


class InboxChecked(NamedTuple):
    """The hourly look into wsyncmgr.box, with its clean-up of expired updates."""

    server: str
    """FQDN of the site server."""
    expired_updates: int
    """How many were deleted."""


class FullSyncRequired(NamedTuple):
    """The main WSUS server is another one than at the last synchronization, so this one must be full."""


class SupsRead(NamedTuple):
    """WSyncMgr read the site's software update points from the site control file."""

    server: str
    """FQDN of the site server."""
    sups: tuple[str, ...]
    """FQDNs of the software update points, the first one first; without any, nothing is synchronized."""


class SyncStarted(NamedTuple):
    """A synchronization run began."""

    trigger: Literal["schedule", "local", "parent", "retry"]


class GateClosed(NamedTuple):
    """WSyncMgr found WCM's state not to be success and waits for it. Silent: no log tells of it."""

    state: int


class WsusPhaseStarted(NamedTuple):
    """The gate is open; WSyncMgr turns to the WSUS server. Status 6704 is reported right after."""

    sup: str


class WsusConnecting(NamedTuple):
    """WSyncMgr opens the API of its SUP (after 6704)."""

    sup: str
    port: int
    ssl: bool
    local: bool
    account: str
    worker: int


class WsusSyncStarted(NamedTuple):
    """WSUS took the request to synchronize."""

    sup: str
    local: bool
    worker: int


class WsusCategoriesSynced(NamedTuple):
    """WSUS told WSyncMgr that it synchronizes categories."""

    worker: int


class WsusUpdatesSyncing(NamedTuple):
    """WSUS told WSyncMgr that it synchronizes updates."""

    worker: int


class WsusUpdatesProgressed(NamedTuple):
    """So many of the updates are done. ``eta_s`` is -1 when WSUS gives none."""

    done: int
    total: int
    eta_s: int
    worker: int


class WsusSynced(NamedTuple):
    """WSUS has finished; WSyncMgr saw it."""

    sup: str
    worker: int


class SettleStarted(NamedTuple):
    """The pause in which WSUS's results become available."""

    wait_s: int
    worker: int


class ContentVersionSet(NamedTuple):
    """The update source's content version was written to the site database."""

    source_guid: str
    site: str
    version: int


class DatabasePhasePrepared(NamedTuple):
    """WSyncMgr turns to the site database; status 6705 is reported right after."""

    sup: str


class DatabaseSyncStarted(NamedTuple):
    """The site database is being synchronized with WSUS."""

    sup: str
    port: int
    ssl: bool
    local: bool
    full: bool
    since_at: int
    """Only updates that arrived after this instant are read (delta)."""
    categories: int
    requested: tuple[str, ...]
    """Products, then classifications, as ``Product=...`` and ``UpdateClassification=...``."""
    languages: tuple[str, ...]
    """Languages of the summary details."""
    worker: int


class DatabaseCategoriesSynced(NamedTuple):
    total: int
    worker: int


class DatabaseUpdatesSyncing(NamedTuple):
    worker: int


class UpdateSynced(NamedTuple):
    """One update was written to the site database."""

    guid: str
    title: str
    worker: int


class DatabaseUpdatesProgressed(NamedTuple):
    """So many of the updates that WSUS holds have been gone through (full synchronization)."""

    done: int
    total: int
    worker: int


class UpdateSaveFailed(NamedTuple):
    """The site database did not take an update."""

    guid: str
    title: str
    worker: int


class DatabaseSyncAborted(NamedTuple):
    """Several updates one after the other could not be saved; the run is given up."""

    worker: int


class DatabaseUpdatesSynced(NamedTuple):
    """All new updates are in the site database; with ``total`` 0 nothing was said of them."""

    total: int
    worker: int


class DatabaseSynced(NamedTuple):
    sup: str
    worker: int


class SyncSucceeded(NamedTuple):
    """Status 6702 was reported; the run ended well. ``parent`` is empty at the top-level site."""

    site: str
    parent: str
    items: int
    version: int
    took_s: int


class SyncFailed(NamedTuple):
    """The run ended badly; status 6703 is reported right after."""

    source: Source
    reason: Reason | UpstreamTrouble


class SyncRetryPlanned(NamedTuple):
    """After a failure: when it will be tried again, and how long the run took."""

    site: str
    retry_min: int
    took_s: int


class ReplicaPhaseStarted(NamedTuple):
    """The run went on to the further software update points of its site."""


class ReplicaSyncStarted(NamedTuple):
    """WSUS of a further software update point took the request to synchronize."""

    sup: str
    local: bool
    worker: int


class ReplicaItemsSyncing(NamedTuple):
    """A replica reads what its upstream server has."""

    worker: int


class ReplicaItemsSynced(NamedTuple):
    """A replica has read all that was new upstream."""

    total: int
    worker: int


class ReplicaSynced(NamedTuple):
    """A replica has finished; WSyncMgr saw it."""

    sup: str
    local: bool
    worker: int


class ReplicaSyncFailed(NamedTuple):
    """A further software update point could not be synchronized; status 6703 is reported right after, the run goes on."""

    sup: str
    source: Source
    reason: Reason | UpstreamTrouble


class ChildrenNotified(NamedTuple):
    """A .SYN file was written for the child sites."""

    site: str
    children: tuple[str, ...]


class SynFileArrived(NamedTuple):
    """File replication laid a parent's .SYN file into this site's inbox. Silent in the logs that we write."""

    file: str


class NextSyncPlanned(NamedTuple):
    """The next synchronization by the clock changed."""

    clock: Literal["regular", "retry"]
    next_at: int


class SyncManagerWaiting(NamedTuple):
    wait_min: int


class SyncRunEnded(NamedTuple):
    """The last thing of a run, whether it failed or succeeded. ``scheduled`` runs also clean up."""

    scheduled: bool
    server: str


# --- WSUS (SoftwareDistribution.log, Application log of the WSUS server) -----------------------------------------------


class WsusServiceStarted(NamedTuple):
    resumed: bool


class WsusServiceStopped(NamedTuple):
    pass


class WsusSyncRequested(NamedTuple):
    """The API was asked to synchronize (SoftwareDistribution.log: Change, w3wp)."""

    thread: int
    account: str
    """Who asked: ``DOMAIN\\user``."""


class SubscriptionChanged(NamedTuple):
    """WSUS was told to ask for other products, classifications or languages (event 389; Change.log names who did it)."""

    account: str
    products: tuple[str, ...]
    classifications: tuple[str, ...]
    languages: tuple[str, ...]
    thread: int


class WsusSyncBegan(NamedTuple):
    """The synchronization engine runs (event 382 manual, 381 scheduled)."""

    trigger: Literal["manual", "scheduled"]
    thread: int


class UpstreamCallFailed(NamedTuple):
    """A web service call to the upstream server failed; ``retry`` tells whether it will be tried again."""

    url: str
    method: str
    """Operation of the web service, such as ``GetAuthorizationCookie``."""
    reason: Reason
    attempt: int
    """0 for the first, 1 for its first repetition ..."""
    retry: bool
    thread: int


class WsusSyncEnded(NamedTuple):
    """The engine stopped: success (event 384), failure (386) with its trouble, or cancellation (387)."""

    trouble: UpstreamTrouble | None
    thread: int


class WsusSyncFinishFired(NamedTuple):
    """The engine told its listeners that it has finished."""

    thread: int


class WebServiceChecked(NamedTuple):
    """The health monitor's view of one of WSUS's own web services changed, or is repeated after six hours.

    ``reason`` is ``None`` when it works again.
    """

    service: Literal["ApiRemoting", "Client", "ServerSync", "SimpleAuth", "DssAuth", "Reporting"]
    reason: Reason | None
    thread: int


# --- IIS ----------------------------------------------------------------------------------------------------------


class Served(NamedTuple):
    """One answer of IIS within ``RequestsServed``."""

    path: str
    user: str
    """Authenticated user, or empty."""
    status: int
    substatus: int
    win32: int
    took_ms: int


class RequestsServed(NamedTuple):
    """A web site answered one or more requests of one caller, all finished at the same instant (one W3C line each)."""

    web_site: int
    """IIS's id of the web site (folder W3SVC<id>)."""
    port: int
    server_ip: str
    client_ip: str
    agent: Literal["soap", "health", "browser"]
    rows: tuple[Served, ...]


class RequestNotFound(NamedTuple):
    """A web site that does not have what was asked for answered so (one W3C line): the port is not WSUS's."""

    web_site: int
    port: int
    server_ip: str
    client_ip: str
    agent: Literal["soap", "health", "browser"]
    rows: tuple[Served, ...]


class RequestsRejected(NamedTuple):
    """HTTP.sys answered 503 itself: the application pool is stopped (httperr log, never the site's log)."""

    web_site: int
    server_ip: str
    port: int
    client_ip: str
    client_port: int
    paths: tuple[str, ...]
    reason: Literal["AppOffline"]
    pool: str
    agent: Literal["soap", "health", "browser"] = "soap"


SILENT = (FaultBegan, FaultEnded, ActionTaken, ComponentStopped, GateClosed, SynFileArrived)
"""Events that no log tells of; a test proves that every other one is written somewhere."""
