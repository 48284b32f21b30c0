"""What each event becomes in wsyncmgr.log, WCM.log and WSUSCtrl.log: a table per log, a row per event, a column per generation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import pytest

from generators.catalogue import Language
from generators.log import Log, Memory, Run
from generators.logs.wcm import WcmLog
from generators.logs.wsusctrl import WsusCtrlLog
from generators.logs.wsyncmgr import WsyncmgrLog, duration, eta
from generators.reasons import Reasons
from generators.sources import source_text
from simulator import events as e
from simulator import failures as f
from simulator.estate import ESTATES
from simulator.journal import Entry
from simulator.units import SECOND
from simulator.versions import version

AT = int(datetime(2007, 8, 6, 17, 54, 32, tzinfo=UTC).timestamp()) * SECOND + 699_000
SUP = "CS1SUP.CONTOSO.COM"
SYNC: Final = "SMS_WSUS_SYNC_MANAGER"
WCM: Final = "SMS_WSUS_CONFIGURATION_MANAGER"
CTRL: Final = "SMS_WSUS_CONTROL_MANAGER"
GENERATIONS = ("2007", "2012", "cb")


def lines(log_type: type[Log], generation: str, *happened: Any, estate: str = "contoso", language: Language = "en") -> list[str]:
    """Messages, without the envelope, of events that follow one another."""
    store = Memory()
    run = Run(ESTATES[estate], version(generation), language)
    site = run.estate.top
    (host,) = log_type.hosts(site)
    log = log_type(run, site, host, store, truth=False)
    for n, event in enumerate((e.ComponentStarted(log_type.component, site.code, 3584, 756, True), *happened)):  # type: ignore[arg-type]
        writer = log_type.writes.get(type(event))
        assert writer is not None, type(event)
        writer(log, Entry(AT, "test", n, host, event, None, None))
    log.close()
    texts = list(store.texts.values())
    if not texts:
        return []
    text = texts[0].decode(log.encoding if not log.bom() else "utf-8-sig")
    return [line.rsplit("  $$<", 1)[0] for line in text.split("\r\n")[:-1]]


REQUESTED = ("Product=Windows 10", "Product=Windows Server 2016", "UpdateClassification=Security Updates")
SUBSCRIPTION = f"Requested categories: {', '.join(REQUESTED)}"
NOT_CONFIGURED = e.SyncFailed(e.Source("DoSync"), f.WsusNotConfigured(3))
UNRESOLVED = "The remote name could not be resolved: 'www.update.microsoft.com'"
REMOTE_NAME = e.SyncFailed(
    e.Source("SyncWSUS"), f.UpstreamTrouble("UssCommunicationError", f.NameNotResolved("www.update.microsoft.com"))
)
UNAUTHORIZED = e.SyncFailed(e.Source("CreateUpdateServer"), f.HttpStatus(401))
DSS = e.SyncFailed(e.Source("SyncWSUS"), f.UpstreamTrouble("DssAuthenticationError", f.HttpStatus(401)))
ADMIN = "Microsoft.UpdateServices.Administration.AdminProxy.CreateUpdateServer"
MANAGEMENT = "Microsoft.SystemsManagementServer.SoftwareUpdatesManagement"
READ = (
    "System.Web.Services.Protocols.SoapHttpClientProtocol.ReadResponse"
    "(SoapClientMessage message, WebResponse response, Stream responseStream, Boolean asyncCall)"
)


def sync_wsus(generation: str) -> str:
    return f"{MANAGEMENT}.{'WSyncAction' if generation == '2007' else 'WsusSyncAction'}.WSyncAction.SyncWSUS"


SAME = None
"""As in the generation before."""

WSYNCMGR: list[tuple[Any, list[str], list[str] | None, list[str] | None]] = [
    (e.SyncManagerWokeUp("schedule"), [], ["Wakeup for scheduled regular sync"], SAME),
    (e.SyncManagerWokeUp("inbox"), [], ["Wakeup by inbox drop"], SAME),
    (e.SyncManagerWokeUp("polling"), [], ["Wakeup for a polling cycle"], SAME),
    (e.SyncManagerWokeUp("start"), [], SAME, SAME),
    (e.SyncRequestFound("SELF.SYN", "local"), [], ["Found local sync request file"], SAME),
    (e.SyncRequestFound("TEQ.SYN", "parent"), ["Found parent sync notification file TEQ.SYN."], SAME, SAME),
    (
        e.SyncStarted("local"),
        ["Performing sync on local request"],
        ["Starting Sync", "Performing sync on local request"],
        SAME,
    ),
    (e.FullSyncRequired(), [], [], ["Full sync required due to changes in main WSUS server location."]),
    (
        e.SupsRead("CS1SITE.CONTOSO.COM", (SUP,)),
        [],
        ["Read SUPs from SCF for CS1SITE.CONTOSO.COM", "Found 1 SUPs", f"Found active SUP {SUP} from SCF File.~"],
        SAME,
    ),
    (
        e.WsusPhaseStarted(SUP),
        [],
        [f"Synchronizing WSUS server {SUP}"],
        ["Sync Surface Drivers option is not set", f"Synchronizing WSUS, default server is {SUP}"],
    ),
    (
        e.WsusConnecting(SUP, 8531, True, False, "CONTOSO\\svc-wsus", 0),
        ["Synchronizing WSUS server CS1SUP"],
        [],
        [
            "Using account CONTOSO\\svc-wsus to connect to WSUS Server",
            f"https://{SUP}:8531",
            "Attempting connection to WSUS server: cs1sup.contoso.com, port: 8531, useSSL: True",
        ],
    ),
    (e.WsusConnecting(SUP, 8530, False, True, "", 0), ["Synchronizing WSUS server CS1SUP"], [], [f"http://{SUP}:8530"]),
    (
        e.WsusSyncStarted(SUP, False, 0),
        [f"Synchronizing WSUS server {SUP} ...", "sync: Starting WSUS synchronization"],
        ["Synchronizing WSUS server cs1sup.contoso.com ...", "sync: Starting WSUS synchronization"],
        [f"Synchronizing WSUS server {SUP} ...", "sync: Starting WSUS synchronization"],
    ),
    (e.WsusCategoriesSynced(0), ["sync: WSUS synchronizing categories"], SAME, SAME),
    (e.WsusUpdatesSyncing(0), ["sync: WSUS synchronizing updates"], SAME, SAME),
    (
        e.WsusUpdatesProgressed(122, 130, 3, 0),
        ["sync: WSUS synchronizing updates, processed 122 out of 130 items (93%), ETA in 00:00:03"],
        SAME,
        SAME,
    ),
    (
        e.WsusUpdatesProgressed(130, 130, -1, 0),
        ["sync: WSUS synchronizing updates, processed 130 out of 130 items (100%)"],
        SAME,
        SAME,
    ),
    (
        e.WsusSynced(SUP, 0),
        [f"Done synchronizing WSUS Server {SUP}"],
        ["Done synchronizing WSUS Server cs1sup.contoso.com"],
        [f"Done synchronizing WSUS Server {SUP}", "Sync Catalog Drivers SCF value is set to : 0"],
    ),
    (
        e.SettleStarted(120, 0),
        ["Sleeping 2 more minutes for WSUS server sync results to become available"],
        SAME,
        [
            "SyncGracePeriod not set, use default 120000",
            "Sleeping 120 more seconds for WSUS server sync results to become available",
        ],
    ),
    (
        e.ContentVersionSet("13D1958B-F770", "CS1", 33),
        ["Set content version of update source {13D1958B-F770} for site CS1 to 33"],
        SAME,
        [
            "Set content version of update source {13D1958B-F770} for site CS1 to 33",
            "Resetting MaxInstall RunTime for Cumulative updates.",
        ],
    ),
    (e.DatabasePhasePrepared(SUP), [], [], [f"Synchronizing SMS database with WSUS, default server is {SUP}"]),
    (
        e.DatabaseSyncStarted(SUP, 8530, False, False, False, AT, 431, REQUESTED, ("en",), 0),
        [
            f"Synchronizing SMS database with WSUS server {SUP} ...",
            "Syncing updates arrived after 8/6/2007 7:54:32 PM",
            "sync: SMS synchronizing categories",
        ],
        ["Synchronizing SMS database with WSUS server cs1sup.contoso.com ...", "sync: SMS synchronizing categories"],
        [
            f"http://{SUP}:8530",
            f"Synchronizing SMS database with WSUS server {SUP} ...",
            "sync: Starting SMS database synchronization",
            "requested localization languages: en",
            "Syncing updates arrived after 08/06/2007 19:54:32",
            SUBSCRIPTION,
            "sync: SMS synchronizing categories",
            "sync: SMS synchronizing categories, processed 0 out of 431 items (0%)",
        ],
    ),
    (
        e.DatabaseCategoriesSynced(431, 0),
        ["sync: SMS synchronizing categories, processed 431 out of 431 items (100%)"],
        SAME,
        ["sync: SMS synchronizing categories, processed 431 out of 431 items (100%)"] * 2,
    ),
    (
        e.DatabaseUpdatesSyncing(0),
        ["sync: SMS synchronizing updates"],
        SAME,
        [
            "sync: SMS synchronizing updates",
            "SyncBatchCount not set, using default 1",
            "SyncBatchMinCreationDate not set, using default 01/01/2001 00:00:00",
        ],
    ),
    (e.UpdateSynced("07b8", "An update (KB1)", 0), ["Synchronizing update 07b8 - An update (KB1)"], SAME, SAME),
    (
        e.DatabaseUpdatesSynced(5, 0),
        ["sync: SMS synchronizing updates, processed 5 out of 5 items (100%)"],
        SAME,
        ["sync: SMS synchronizing updates, processed 5 out of 5 items (100%)", "sync: SMS performing cleanup"],
    ),
    (e.DatabaseUpdatesSynced(0, 0), [], [], ["sync: SMS performing cleanup"]),
    (
        e.DatabaseSynced(SUP, 0),
        [f"Done synchronizing SMS with WSUS Server {SUP}"],
        ["Done synchronizing SMS with WSUS Server cs1sup.contoso.com"],
        [f"Done synchronizing SMS with WSUS Server {SUP}"],
    ),
    (
        e.SyncSucceeded("CS1", "", 130, 34, 233),
        ["Updated 130 items in SMS database, new update source content version is 34", "Sync time: 0d00h03m53s"],
        [
            "Sync succeeded. Setting sync alert to canceled state on site CS1",
            "Updated 130 items in SMS database, new update source content version is 34",
            "Sync time: 0d00h03m53s",
        ],
        SAME,
    ),
    (
        e.SyncSucceeded("PS1", "CS1", 130, 34, 177),
        ["Successfully synced site with parent CS1, version 34", "Sync time: 0d00h02m57s"],
        [
            "Sync succeeded. Setting sync alert to canceled state on site PS1",
            "Successfully synced site with parent CS1, version 34",
            "Sync time: 0d00h02m57s",
        ],
        SAME,
    ),
    (
        e.SyncRetryPlanned("CS1", 60, 3),
        ["Sync failed. Will retry in 60 minutes", "Sync time: 0d00h00m03s"],
        ["Sync failed. Will retry in 60 minutes", "Setting sync alert to active state on site CS1", "Sync time: 0d00h00m03s"],
        SAME,
    ),
    (
        e.ChildrenNotified("CS1", ("PS1", "PS2")),
        ["Sending sync notification to child site(s): PS1, PS2"],
        [
            "Sending sync notification to child site(s): PS1, PS2",
            (
                "SQL Replication type has not been set for C:\\Program Files\\Microsoft Configuration Manager\\inboxes"
                "\\WSyncMgr.box\\outbox\\CS1.SYN, replicating to (PS1, PS2), inbox: "
                "C:\\Program Files\\Microsoft Configuration Manager\\inboxes\\replmgr.box"
            ),
        ],
        ["Sending sync notification to child site(s): PS1, PS2"],
    ),
    (
        e.SyncRunEnded(False, "CS1SITE.CONTOSO.COM"),
        [],
        [],
        [
            "Skipping Delete Expired Update relations since this is not a scheduled sync.",
            "Deleted 0 expired updates",
            "Inbox source is local on CS1SITE.CONTOSO.COM",
        ],
    ),
    (
        e.SyncRunEnded(True, "CS1SITE.CONTOSO.COM"),
        [],
        [],
        ["Deleting old expired updates...", "Deleted 0 expired updates", "Inbox source is local on CS1SITE.CONTOSO.COM"],
    ),
    (
        e.InboxChecked("CS1SITE.CONTOSO.COM", 3),
        ["Deleting old expired updates...", "Deleted 3 expired updates"],
        SAME,
        ["Deleting old expired updates...", "Deleted 3 expired updates", "Inbox source is local on CS1SITE.CONTOSO.COM"],
    ),
    (e.NextSyncPlanned("retry", AT), ["Next scheduled sync is a retry sync at 8/6/2007 7:54:32 PM"], [], []),
    (
        e.NextSyncPlanned("regular", AT - 8 * 3600 * SECOND),
        ["Next scheduled sync is a regular sync at 8/6/2007 11:54:32 AM"],
        [],
        [],
    ),
    (e.SyncManagerWaiting(59), ["Waiting 59 minutes for requests..."], [], []),
    (
        NOT_CONFIGURED,
        ["Sync failed: WSUS server not configured. Source: CWSyncMgr::DoSync"],
        [
            (
                "Sync failed: WSUS server not configured. Please refer to WCM.log for configuration error details.. "
                "Source: CWSyncMgr::DoSync"
            )
        ],
        SAME,
    ),
    (
        REMOTE_NAME,
        [
            (
                f"Sync failed: UssCommunicationError: WebException: {UNRESOLVED}"
                f"~~at System.Net.HttpWebRequest.GetRequestStream(). Source: {sync_wsus('2007')}"
            )
        ],
        [
            (
                f"Sync failed: UssCommunicationError: WebException: {UNRESOLVED}"
                f"~~at System.Net.HttpWebRequest.GetRequestStream(TransportContext& context). Source: {sync_wsus('cb')}"
            )
        ],
        SAME,
    ),
    (UNAUTHORIZED, [f"Sync failed: The request failed with HTTP status 401: Unauthorized. Source: {ADMIN}"], SAME, SAME),
    (
        DSS,
        [
            (
                "Sync failed: DssAuthenticationError: WebException: The request failed with HTTP status 401: Unauthorized."
                f"~~at {READ}. Source: {sync_wsus('2007')}"
            )
        ],
        [
            (
                "Sync failed: DssAuthenticationError: WebException: The request failed with HTTP status 401: Unauthorized."
                f"~~at {READ}. Source: {sync_wsus('cb')}"
            )
        ],
        SAME,
    ),
    (
        e.SyncFailed(e.Source("GetWebResponse"), f.CallTimedOut()),
        [
            (
                "Sync failed: The operation has timed out. "
                "Source: Microsoft.UpdateServices.Internal.DatabaseAccess.ApiRemotingCompressionProxy.GetWebResponse"
            )
        ],
        SAME,
        SAME,
    ),
]


def connection(event: type[Any], component: str, account: str = "", *, local: bool = False) -> Any:
    return event(component, SUP, 8530, False, local, account, 0)


FRAMES = (
    f"~~   at {ADMIN}(Object[] args)~~   at Microsoft.SystemsManagementServer.WSUS.WSUSServer.ConnectToWSUSServer"
    "(String ServerName, Boolean UseSSL, Int32 PortNumber)"
)
VERSION_2012 = [
    "Checking for supported version of WSUS (min WSUS 3.0 SP2 + KB2720211 + KB2734608)~",
    "Checking runtime v2.0.50727...~",
    "Did not find supported version of assembly Microsoft.UpdateServices.Administration.~",
    "Checking runtime v4.0.30319...~",
]
FOUND_2012 = [
    *VERSION_2012,
    "Found supported assembly Microsoft.UpdateServices.Administration version 4.0.0.0, file version 6.2.9200.16384~",
    "Found supported assembly Microsoft.UpdateServices.BaseApi version 4.0.0.0, file version 6.2.9200.16384~",
    "Supported WSUS version found~",
]
VERSION_2007 = ["Checking for supported version of WSUS (min WSUS 3.0 SP2)~", "Checking runtime v2.0.50727...~"]
FOUND_2007 = [
    *VERSION_2007,
    "Found supported assembly Microsoft.UpdateServices.Administration version 3.1.6001.1, file version 3.2.7600.226~",
    "Found supported assembly Microsoft.UpdateServices.BaseApi version 3.1.6001.1, file version 3.2.7600.226~",
    "Supported WSUS version found~",
]
NOT_FOUND = "Did not find supported version of assembly Microsoft.UpdateServices.Administration.~"
REPLICA = e.WcmConfigurationRefused(SUP, f.ConfigurationRefused("replica"))

WCM_LOG: list[tuple[Any, list[str], list[str] | None]] = [
    (
        (e.WcmWokeUp("timeout", 56), e.AssembliesChecked(WCM, True)),
        FOUND_2007,
        ["Wait timed out after 56 minutes while waiting for at least one trigger event.", "Timed Out...~", *FOUND_2012],
    ),
    ((e.AssembliesChecked(WCM, False),), [*VERSION_2007, NOT_FOUND], [*VERSION_2012, NOT_FOUND]),
    (
        (e.WcmWokeUp("site control change", 0), e.WcmSiteControlRead(SUP, True), e.WcmStateSet(1)),
        ["Setting new configuration state to 1 (WSUS_CONFIG_PENDING)~"],
        [
            "Trigger event array index 0 ended.",
            "SCF change notification triggered.",
            "Populating config from SCF",
            "Setting new configuration state to 1 (WSUS_CONFIG_PENDING)~",
            "Changes in active SUP list detected. New active SUP List is:~",
            f"    SUP0: {SUP}, group = , nlb = ~",
            "Updating active SUP groups...~",
        ],
    ),
    (
        (connection(e.ApiConnected, WCM),),
        [
            f"Attempting connection to WSUS server: {SUP}, port: 8530, useSSL: False",
            f"Successfully connected to server: {SUP}, port: 8530, useSSL: False",
        ],
        SAME,
    ),
    (
        (
            e.ApiConnectionFailed(WCM, SUP, 8530, False, False, "CONTOSO\\svc", 2, f.PermissionRefused("svc")),
            e.WcmConfigurationFailed(SUP),
            e.WcmStateSet(3),
        ),
        [
            "Using CONTOSO\\svc credentials for network connections",
            f"Attempting connection to WSUS server: {SUP}, port: 8530, useSSL: False",
            f"System.Security.SecurityException: Request for principal permission failed.{FRAMES}",
            "Done using CONTOSO\\svc credentials",
            "Remote configuration failed on WSUS Server.",
            "Setting new configuration state to 3 (WSUS_CONFIG_FAILED)",
        ],
        SAME,
    ),
    (
        (e.ApiConnectionFailed(WCM, SUP, 8530, False, False, "", 2, f.HttpStatus(503)),),
        [
            f"Attempting connection to WSUS server: {SUP}, port: 8530, useSSL: False",
            f"System.Net.WebException: The request failed with HTTP status 503: Service Unavailable.{FRAMES}",
        ],
        SAME,
    ),
    (
        (connection(e.ApiConnected, WCM, local=True),),
        ["Attempting connection to local WSUS server", "Successfully connected to local WSUS server"],
        SAME,
    ),
    ((connection(e.ApiConnected, CTRL),), [], SAME),
    (
        (e.WcmSourceVerified("Microsoft Update", True, SUP, "CONTOSO\\svc"), e.WcmCategoriesRefreshed(SUP)),
        [
            "Verify Upstream Server settings on the Active WSUS Server",
            "WSUS Server configuration has been updated. Updating Group Info.",
            "Successfully refreshed categories from WSUS server",
        ],
        SAME,
    ),
    (
        (REPLICA, e.WcmStateSet(2), e.WcmStateSet(4), e.WcmStateSet(0)),
        [
            "Failed to set Subscriptions on the WSUS Server. Error:(-2147467259)Unspecified error",
            "Setting new configuration state to 2 (WSUS_CONFIG_SUCCESS)",
            "Setting new configuration state to 4 (WSUS_CONFIG_SUBSCRIPTION_PENDING)",
            "Setting new configuration state to 0 (WSUS_CONFIG_NONE)",
        ],
        SAME,
    ),
    ((e.ComponentWaiting(WCM, 57), e.ComponentWaiting(CTRL, 3)), ["Waiting for changes for 57 minutes"], SAME),
]

CTRL_LOG: list[tuple[Any, list[str], list[str] | None]] = [
    ((e.CtrlWokeUp("timeout"), e.AssembliesChecked(CTRL, True)), FOUND_2007, ["Timed Out...~", *FOUND_2012]),
    (
        (e.CtrlProxyVerified(SUP, "", 0, False), e.CtrlHealthChecked(SUP, ()), e.CtrlDatabaseChecked(SUP)),
        [
            "No changes - local WSUS Server Proxy settings are correctly configured as Proxy Name  and Proxy Port 80",
            f"There are no unhealthy WSUS Server components on WSUS Server {SUP}~",
            f"Successfully checked database connection on WSUS server {SUP}~",
        ],
        SAME,
    ),
    (
        (e.CtrlProxyVerified(SUP, "PROXY1", 8080, True), e.CtrlHealthChecked(SUP, ("WsusService",))),
        [
            "Local WSUS Server Proxy settings have been updated to Proxy Name PROXY1 and Proxy Port 8080",
            f"Failures reported during periodic health check by the WSUS Server {SUP}. Will retry check in 1 minutes~",
        ],
        SAME,
    ),
    ((e.ComponentWaiting(CTRL, 57), e.ComponentWaiting(WCM, 3)), ["~Waiting for changes for 57 minutes"], SAME),
]


@pytest.mark.parametrize(("event", "in_2007", "in_2012", "in_cb"), WSYNCMGR, ids=lambda value: type(value).__name__)
def test_wsyncmgr(event: Any, in_2007: list[str], in_2012: list[str] | None, in_cb: list[str] | None) -> None:
    in_2012 = in_2007 if in_2012 is None else in_2012
    in_cb = in_2012 if in_cb is None else in_cb
    assert [lines(WsyncmgrLog, generation, event) for generation in GENERATIONS] == [in_2007, in_2012, in_cb]


@pytest.mark.parametrize(("happened", "in_2007", "in_2012"), WCM_LOG)
def test_wcm(happened: Any, in_2007: list[str], in_2012: list[str] | None) -> None:
    assert lines(WcmLog, "2007", *happened) == in_2007
    assert lines(WcmLog, "2012", *happened) == (in_2007 if in_2012 is None else in_2012)


@pytest.mark.parametrize(("happened", "in_2007", "in_2012"), CTRL_LOG)
def test_wsusctrl(happened: Any, in_2007: list[str], in_2012: list[str] | None) -> None:
    assert lines(WsusCtrlLog, "2007", *happened) == in_2007
    assert lines(WsusCtrlLog, "2012", *happened) == (in_2007 if in_2012 is None else in_2012)


def test_no_account_is_told_by_current_branch_alone() -> None:
    verified = e.WcmSourceVerified("Microsoft Update", False, SUP, "")
    unchanged = [
        "Verify Upstream Server settings on the Active WSUS Server",
        "No changes - WSUS Server settings are correctly configured and Upstream Server is set to Microsoft Update",
    ]
    assert lines(WcmLog, "2012", verified) == unchanged
    assert lines(WcmLog, "cb", verified) == [*unchanged, f"for {SUP}, no connection account is available"]


def test_a_local_sup_goes_by_its_netbios_name_in_current_branch() -> None:
    sup = "CS1SITE.CONTOSO.COM"
    said = lines(WsyncmgrLog, "cb", e.WsusSyncStarted(sup, True, 0), e.WsusSynced(sup, 0), estate="contoso-local")
    assert said[0] == "Synchronizing WSUS server CS1SITE ..."
    assert said[2] == "Done synchronizing WSUS Server CS1SITE"


EMPTY = " ".join(f'ISTR{n}=""' for n in range(10))
REST = " ".join(f'ISTR{n}=""' for n in range(2, 10))


def statmsg(generation: str, number: int, severity: str, strings: str, le: str = "0", tid: int = 756) -> str:
    system = "CS1SITE" if generation == "2007" else "CS1SITE.CONTOSO.COM"
    end = f" LE=0X{le}" if generation == "cb" else ""
    return (
        f'STATMSG: ID={number} SEV={severity} LEV=M SOURCE="SMS Server" COMP="{SYNC}" SYS={system} SITE=CS1 PID=3584 TID={tid} '
        f"GMTDATE=Mon Aug 06 17:54:32.699 2007 {strings} NUMATTRS=0{end}"
    )


@pytest.mark.parametrize("generation", GENERATIONS)
def test_statmsg(generation: str) -> None:
    refused = (e.Source("CreateUpdateServer"), f.PermissionRefused("x"))
    assert lines(
        WsyncmgrLog,
        generation,
        e.StatusReported(SYNC, 6701),
        e.StatusReported(WCM, 6600, (SUP,)),
        e.StatusReported(SYNC, 6703, refused, 2148734218),
        e.StatusReported(SYNC, 6707, (SUP, "MU"), worker=8080),
    ) == [
        statmsg(generation, 6701, "I", EMPTY),
        statmsg(generation, 6703, "E", f'ISTR0="{ADMIN}" ISTR1="Request for principal permission failed" {REST}', "8013150a"),
        statmsg(generation, 6707, "W", f'ISTR0="{SUP}" ISTR1="MU" {REST}', tid=8080),
    ]


def test_worker_and_main_thread_take_turns() -> None:
    store = Memory()
    run = Run(ESTATES["contoso"], version("cb"))
    log = WsyncmgrLog(run, run.estate.top, "CS1SITE", store, truth=False)
    happened = (e.ComponentStarted(SYNC, "CS1", 1, 5976, False), e.WsusCategoriesSynced(8080), e.DatabasePhasePrepared(SUP))
    for n, event in enumerate(happened):
        log.writes[type(event)](log, Entry(AT, "test", n, "CS1SITE", event, None, None))
    log.close()
    (data,) = store.texts.values()
    assert [line.rsplit(b"<", 1)[1] for line in data.splitlines()] == [b"thread=8080 (0x1F90)>", b"thread=5976 (0x1758)>"]


@pytest.mark.parametrize(("seconds", "text"), [(0, "0d00h00m00s"), (301, "0d00h05m01s"), (90061, "1d01h01m01s")])
def test_duration(seconds: int, text: str) -> None:
    assert duration(seconds) == text


def test_eta() -> None:
    assert [eta(seconds) for seconds in (3, 3661)] == ["00:00:03", "01:01:01"]


REASONS: list[f.Reason] = [
    f.NameNotResolved("x"),
    f.NameNotResolved("x", proxy=True),
    f.ConnectionRefused("10.0.0.1", 8530),
    f.ConnectionTimedOut("10.0.0.1", 8530),
    f.TrustNotEstablished("x", "expired"),
    f.TlsRefused("x"),
    f.HttpStatus(401),
    f.ProxyStatus(407),
    f.PermissionRefused("x"),
    f.CallTimedOut(),
    f.DatabaseUnreachable(),
    f.WsusNotConfigured(3),
    f.ConfigurationRefused("replica"),
    f.ConfigurationRefused("service"),
    f.SchemaInvalid("0a1b2c3d"),
    f.SynchronizationCanceled(),
]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_reason_has_words_in_both_languages(generation: str) -> None:
    assert {type(reason) for reason in REASONS} == set(f.Reason.__args__)
    english, german = Reasons(version(generation), "en"), Reasons(version(generation), "de")
    for reason in REASONS:
        for say in (english, german):
            assert all((say.text(reason), say.message(reason), say.exception(reason)))
        if not isinstance(reason, f.WsusNotConfigured | f.SchemaInvalid):  # the words of ConfigMgr itself
            assert english.text(reason) != german.text(reason)


@pytest.mark.parametrize(
    ("reason", "generation", "english", "german"),
    [
        (
            f.HttpStatus(403),
            "cb",
            "The request failed with HTTP status 403: Forbidden",
            "Die Anforderung ist mit HTTP-Status 403 fehlgeschlagen: Forbidden",
        ),
        (f.HttpStatus(404), "cb", "The request failed with HTTP status 404: Not Found", None),
        (f.ProxyStatus(407), "cb", "The request failed with HTTP status 407: Proxy Authentication Required", None),
        (f.HttpStatus(500), "cb", "The request failed with HTTP status 500: Internal Server Error", None),
        (f.ProxyStatus(502), "cb", "The request failed with HTTP status 502: Proxy Error", None),
        (f.HttpStatus(503), "cb", "The request failed with HTTP status 503: Service Unavailable", None),
        (
            f.ConnectionRefused("x", 1),
            "2007",
            "Unable to connect to the remote server",
            "Verbindung zum Remoteserver kann nicht hergestellt werden",
        ),
        (
            f.ConnectionRefused("x", 1),
            "cb",
            "Unable to connect to the remote server",
            "Die Verbindung mit dem Remoteserver kann nicht hergestellt werden",
        ),
        (
            f.TrustNotEstablished("x", "expired"),
            "cb",
            "The underlying connection was closed: Could not establish trust relationship for the SSL/TLS secure channel",
            None,
        ),
        (
            f.UpstreamTrouble("ProxyError", f.NameNotResolved("www.update.microsoft.com")),
            "2007",
            (
                "ProxyError: WebException: The remote name could not be resolved: 'www.update.microsoft.com'"
                "~~at System.Net.HttpWebRequest.GetRequestStream()"
            ),
            (
                "ProxyError: WebException: Der Remotename konnte nicht aufgelöst werden: 'www.update.microsoft.com'"
                "~~bei System.Net.HttpWebRequest.GetRequestStream()"
            ),
        ),
        (f.WsusNotConfigured(3), "2007", "WSUS server not configured", "WSUS server not configured"),
        (
            f.UpstreamTrouble("UssInternalError", f.HttpStatus(500)),
            "cb",
            f"UssInternalError: SoapException: Fault occurred~~at {READ}",
            None,
        ),
    ],
)
def test_messages(reason: Any, generation: str, english: str, german: str | None) -> None:
    assert Reasons(version(generation), "en").message(reason) == english
    if german is not None:
        assert Reasons(version(generation), "de").message(reason) == german


def test_source_of_every_method() -> None:
    for generation in GENERATIONS:
        texts = [source_text(e.Source(method), version(generation)) for method in ("DoSync", "CreateUpdateServer", "SyncWSUS")]
        assert texts == ["CWSyncMgr::DoSync", ADMIN, sync_wsus(generation)]


def test_german_windows_speaks_german_in_exceptions_alone() -> None:
    failed = e.SyncFailed(e.Source("CreateUpdateServer"), f.HttpStatus(401))
    assert lines(WsyncmgrLog, "2007", failed, language="de") == [
        f"Sync failed: Die Anforderung ist mit HTTP-Status 401 fehlgeschlagen: Nicht autorisiert. Source: {ADMIN}"
    ]
    assert lines(WcmLog, "cb", REPLICA, language="de") == [
        "Failed to set Subscriptions on the WSUS Server. Error:(-2147467259)Unbekannter Fehler"
    ]
