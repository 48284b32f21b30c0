"""Faults of folders, ports, names and proxies: where each leaves its evidence, what tells it from its look-alikes, what helps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.write import Recorder
from scenarios.faults import FAULTS
from scenarios.prove import face
from scenarios.repairs import REPAIRS
from scenarios.story import default_story
from scenarios.truth import faults_of, root
from simulator.components.iis import WEB_SERVICES
from simulator.components.upstream import ADDRESS_US
from simulator.components.windows import GUESTS
from simulator.errors import EstateError
from simulator.estate import CONTOSO, ESTATES, Estate
from simulator.events import (
    ActionTaken,
    ApiConnectionFailed,
    CtrlProxyVerified,
    FaultBegan,
    RequestNotFound,
    RequestsServed,
    Served,
    StatusReported,
    SyncFailed,
    SyncSucceeded,
    WcmWokeUp,
    WebServiceChecked,
)
from simulator.failures import (
    ConnectionRefused,
    ConnectionTimedOut,
    HttpStatus,
    NameNotResolved,
    PermissionRefused,
    UpstreamTrouble,
)
from simulator.journal import Entry
from simulator.state import State
from simulator.units import DAY, HOUR, MINUTE, SECOND
from simulator.world import World
from tests.acting import act as _act
from tests.acting import do as _do
from tests.acting import events as _events
from tests.acting import fault as _fault
from tests.conftest import logs_of, world_of

GENERATIONS = ("2007", "2012", "cb")
SITE, SUP, OLD = "CS1SITE", "CS1SUP", "CS1OLD"


def _played(fault: str, generation: str = "cb") -> tuple[World, list[Entry]]:
    world = default_story(fault, generation=generation).build()  # type: ignore[arg-type]
    return world, list(world.simulate())


def _refused(entries: Iterable[Entry], fault: str) -> set[tuple[str, str, str, int, int, int]]:
    """Server, client's address, virtual directory, status, substatus and win32 of the rows that are blamed on a fault."""
    return {
        (entry.host, entry.event.client_ip, row.path.split("/")[1], row.status, row.substatus, row.win32)
        for entry in entries
        if isinstance(entry.event, RequestsServed | RequestNotFound) and faults_of(entry) == [fault]
        for row in entry.event.rows
        if row.status != 200
    }


def _ip(world: World, host: str) -> str:
    return world.network.servers[host].ip


def _reasons(entries: Iterable[Entry], host: str) -> set[object]:
    return {entry.event.reason for entry in _events(entries, ApiConnectionFailed) if entry.host == host}


def _faces(entries: Iterable[Entry]) -> list[str]:
    return list(dict.fromkeys(face(entry.event) for entry in _events(entries, SyncFailed)))


def _outcomes(entries: Iterable[Entry], site: str = "CS1SITE") -> list[bool]:
    """Whether each run of that site server succeeded."""
    return [
        isinstance(e.event, SyncSucceeded) for e in entries if e.host == site and isinstance(e.event, SyncFailed | SyncSucceeded)
    ]


# --- S02: the rights of all folders


@pytest.mark.parametrize("generation", GENERATIONS)
def test_folders_without_users_refuse_every_web_service_to_the_server_itself_too(generation: str) -> None:
    world, entries = _played("S02", generation)
    refused = {(client, directory) for host, client, directory, *numbers in _refused(entries, "S02") if numbers == [401, 3, 5]}
    assert {directory for client, directory in refused if client == _ip(world, SUP)} == set(WEB_SERVICES)
    assert {directory for client, directory in refused if client == _ip(world, SITE)} == {"ApiRemoting30"}


def test_one_folder_that_denies_one_account_looks_so_from_the_site_server_only() -> None:
    """S02 and S16 say the same in wsyncmgr.log and WCM.log."""
    world, entries = _played("S16")
    assert {row[1:5] for row in _refused(entries, "S16")} == {(_ip(world, SITE), "ApiRemoting30", 401, 3)}
    assert _reasons(entries, SUP) == set()
    world, entries = _played("S02")
    assert _reasons(entries, SUP) == _reasons(entries, SITE) == {HttpStatus(401, 3, 5)}
    assert _faces(entries) == _faces(_played("S16")[1])


# --- S05: another site's port


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_port_of_another_site_is_answered_in_that_sites_log(generation: str) -> None:
    world, entries = _played("S05", generation)
    assert _refused(entries, "S05") == {(SUP, _ip(world, SITE), "ApiRemoting30", 404, 0, 2)}
    iis = world.sites["CS1"].wsus.server.iis
    assert iis is not None
    assert {entry.event.web_site for entry in _events(entries, RequestNotFound)} == {iis.other_site.number} != {iis.web_site}
    assert _reasons(entries, SITE) == {HttpStatus(404, 0, 2)}


def test_the_default_web_sites_log_begins_with_what_it_does_not_have() -> None:
    healthy = [path for path in logs_of(world_of(hours=3)) if "/W3SVC1/" in path]
    story = default_story("S05")
    world = story.build()
    with Recorder(world.estate, world.version, None) as recorder:
        recorder.record(world.simulate())
    (path,) = (path for path in recorder.texts if "/W3SVC1/" in path)
    rows = [line for line in recorder.texts[path].decode().splitlines() if not line.startswith("#")]
    assert healthy == []
    assert rows
    assert all("/ApiRemoting30/WebService.asmx - 80 " in row and " 404 0 2 " in row for row in rows)


def test_a_closed_port_leaves_no_line_where_another_sites_port_leaves_one() -> None:
    """S04 and S05 both end in "not configured"."""
    _, closed = _played("S04")
    _, answered = _played("S05")
    assert _faces(closed) == _faces(answered)
    assert _refused(closed, "S04") == set()
    assert {type(reason) for reason in _reasons(closed, SITE)} == {ConnectionRefused}


def test_a_stopped_web_site_closes_its_ports() -> None:
    world = world_of(hours=5)
    iis = world.sites["CS1"].wsus.server.iis
    assert iis is not None
    _do(world, HOUR, lambda w: iis.wsus_site.change(w.hand.report(w.now, ActionTaken("R00", "CS1", "", "")), started=False))
    assert {type(reason) for reason in _reasons(list(world.simulate()), SITE)} == {ConnectionRefused}


# --- S07: a name that leads elsewhere


@pytest.mark.parametrize(
    ("generation", "reason", "row"),
    [
        ("2007", HttpStatus(401, 5), (401, 5, 0)),
        ("2012", HttpStatus(401, 5), (401, 5, 0)),
        ("cb", PermissionRefused("CONTOSO\\CS1SITE$"), (200, 0, 0)),
    ],
)
def test_a_name_that_leads_to_the_old_server_is_answered_there(generation: str, reason: object, row: tuple[int, ...]) -> None:
    world, entries = _played("S07", generation)
    began = next(entry.at for entry in entries if faults_of(entry))
    asked = [
        entry
        for entry in _events(entries, RequestsServed)
        if entry.event.client_ip == _ip(world, SITE) and began <= entry.at < began + 2 * HOUR
    ]
    last: list[Served] = [entry.event.rows[-1] for entry in asked if entry.event.rows[-1].user]
    assert {entry.host for entry in asked} == {OLD}
    assert {faults_of(entry)[0] for entry in asked} == {"S07"}
    assert {(served.status, served.substatus, served.win32) for served in last} == {row}
    assert _reasons(entries, SITE) == {reason}


def test_the_caller_names_the_right_server_and_port_all_the_time() -> None:
    """S07 and S04: only where the request arrives differs."""
    _, entries = _played("S07")
    failed = _events(entries, ApiConnectionFailed)
    assert {(entry.event.server, entry.event.port) for entry in failed} == {("CS1SUP.CONTOSO.COM", 8530)}
    assert {entry.event.port for entry in _events(_played("S04")[1], ApiConnectionFailed)} == {8350}


def test_what_the_old_server_says_follows_from_what_runs_there() -> None:
    world = world_of("contoso-old", hours=5)
    iis = world.network.servers[OLD].iis
    assert iis is not None
    _do(world, MINUTE, lambda w: iis.stop_w3svc(w.now, None))
    _fault(world, "S07", HOUR)
    entries = list(world.simulate())
    assert _reasons(entries, SITE) == {ConnectionRefused(_ip(world, OLD), 8530)}
    assert {fault for entry in _events(entries, ApiConnectionFailed) for fault in faults_of(entry)} == {"S07"}


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_old_server_runs_on_without_a_site(generation: str) -> None:
    entries = [entry for entry in world_of("contoso-old", generation).simulate() if entry.host == OLD]
    assert {type(entry.event).__name__ for entry in entries} == {"RequestsServed", "WsusServiceStarted"}
    assert {entry.event.agent for entry in _events(entries, RequestsServed)} == {"health"}


def test_an_old_server_changes_no_byte_of_the_others() -> None:
    plain, full = logs_of(world_of("contoso")), logs_of(world_of("contoso-old"))
    assert {path: data for path, data in full.items() if OLD not in path} == plain


def test_the_old_server_serves_a_downstream_server_its_old_catalogue() -> None:
    world = world_of("contoso-old", "2007", hours=4)
    settings = world.sites["CS1"].wsus.settings
    before = world.sites["CS1"].wsus.susdb.read_to
    cause = world.hand.report(world.now, ActionTaken("R00", "CS1", "", ""))
    settings.change(cause, upstream="cs1old.contoso.com", upstream_port=80)
    entries = list(world.simulate())
    assert _outcomes(entries) == [True]
    assert world.sites["CS1"].wsus.susdb.read_to == before
    paths = {
        row.path.split("/")[1] for e in _events(entries, RequestsServed) if e.host == OLD and e.because for row in e.event.rows
    }
    assert paths == {"ServerSyncWebService", "DssAuthWebService", "ReportingWebService"}


def test_a_hosts_file_misleads_its_own_computer_only() -> None:
    world = world_of("contoso-old", hours=6)
    hosts_file = world.sites["CS1"].server.hosts_file
    cause = world.hand.report(world.now, ActionTaken("R00", "CS1", "", ""))
    hosts_file.change(cause, entries={"cs1sup.contoso.com": OLD})
    _act(world, "R14", 3 * HOUR)
    _act(world, "R08", 3 * HOUR + MINUTE)
    _act(world, "R10", 3 * HOUR + 2 * MINUTE)
    entries = list(world.simulate())
    assert {root(entry) for entry in _events(entries, ApiConnectionFailed)} == {cause}
    assert not [
        entry for entry in entries if entry.host == SUP and isinstance(entry.event, ApiConnectionFailed | WebServiceChecked)
    ]
    assert _outcomes(entries)[-1]


@pytest.mark.parametrize(
    ("name", "message"),
    [(SUP, "still serves"), ("old server", "not a computer name"), (SITE, "still serves")],
)
def test_a_retired_server_has_a_name_of_its_own(name: str, message: str) -> None:
    with pytest.raises(EstateError, match=message):
        Estate(name="x", sites=(replace(CONTOSO.top, old_wsus=name),)).check()


# --- S09: the tick


def test_a_ticked_box_changes_the_site_not_wsus() -> None:
    """S08 and S09 say the same; only in S09 somebody saved the SUP's properties just before."""
    woken = {}
    for fault in ("S08", "S09"):
        _, entries = _played(fault)
        assert {reason.port for reason in _reasons(entries, SITE) if isinstance(reason, ConnectionRefused)} == {8531}
        assert _refused(entries, fault) == set()
        assert not _events(entries, WebServiceChecked)
        woken[fault] = [faults_of(e) for e in _events(entries, WcmWokeUp) if e.event.cause == "site control change" and e.because]
    assert woken["S09"][0] == ["S09"]
    assert ["S08"] not in woken["S08"]


def test_a_tick_does_no_harm_where_wsus_has_a_certificate() -> None:
    world = world_of("contoso-certificate", hours=4)
    _do(world, HOUR, lambda w: w.sites["CS1"].save_sup(None, use_ssl=True))
    assert _outcomes(list(world.simulate())) == [True]
    with pytest.raises(EstateError, match="without HTTPS binding"):
        FAULTS["S09"].begin(world, "CS1")


# --- S14: what WSUS holds


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_proxy_that_wsusctrl_cannot_write_is_told_by_its_own_log(generation: str) -> None:
    world, entries = _played("S14", generation)
    assert _refused(entries, "S14") >= {(SUP, _ip(world, SUP), "ApiRemoting30", 401, 3, 5)}
    told = {entry.event.message_id for entry in _events(entries, StatusReported) if faults_of(entry) == ["S14"]}
    assert {6703, 7000} <= told
    assert _reasons(entries, SITE) == set()


def test_the_unresolved_name_tells_a_stale_proxy_from_a_missing_one() -> None:
    names = {}
    for fault in ("S12", "S14", "S15"):
        _, entries = _played(fault)
        trouble = next(entry.event.reason for entry in _events(entries, SyncFailed))
        assert isinstance(trouble, UpstreamTrouble)
        assert isinstance(trouble.reason, NameNotResolved)
        refused = {entry.event.message_id for entry in _events(entries, StatusReported)} & {7000}
        names[fault] = (trouble.error, trouble.reason.name, bool(refused))
    assert names == {
        "S12": ("UssCommunicationError", "sws.update.microsoft.com", False),
        "S14": ("ProxyError", "oldproxy.contoso.com", True),
        "S15": ("UssCommunicationError", "sws.update.microsoft.com", False),
    }


def test_a_healthy_wsusctrl_puts_a_stale_proxy_right_within_the_hour() -> None:
    world = world_of("contoso-proxy", hours=3)
    settings = world.sites["CS1"].wsus.settings
    cause = world.hand.report(world.now, ActionTaken("R00", "CS1", "", ""))
    settings.change(cause, proxy_host="oldproxy.contoso.com", proxy_port=3128)
    written = [entry for entry in world.simulate() if isinstance(entry.event, CtrlProxyVerified) and entry.event.changed]
    assert len(written) == 1
    assert written[0].at - world.start <= HOUR
    assert settings.proxy_host == "proxy1.contoso.com"


def test_a_proxy_entered_in_the_wsus_console_lasts_until_wsusctrl_comes_by() -> None:
    world = world_of("contoso-proxy", hours=8)
    _fault(world, "S12", 10 * MINUTE)
    _act(world, "X21", 3 * HOUR)
    _act(world, "R10", 3 * HOUR + SECOND)
    _act(world, "R10", 5 * HOUR)
    outcomes = _outcomes(list(world.simulate()))
    assert True in outcomes
    assert outcomes[-1] is False


# --- S21, S22, S23: what the parent says


def test_three_faults_of_the_parents_directory_differ_by_substatus_only() -> None:
    substatus, faces = {}, set()
    for fault in ("S21", "S22", "S23"):
        world, entries = _played(fault, "2007")
        child = [row for row in _refused(entries, fault) if row[1] == _ip(world, "PS1SUP")]
        assert {(host, directory, status) for host, _, directory, status, *_ in child} == {(SUP, "DssAuthWebService", 401)}
        (substatus[fault],) = {row[4] for row in child}
        faces |= set(_faces(entries))
    assert substatus == {"S21": 2, "S22": 1, "S23": 3}
    assert faces == {"SyncWSUS: HttpStatus 401"}


def test_the_anonymous_account_may_leave_the_group_instead() -> None:
    world = world_of("contoso-child", "2007", hours=8)
    _fault(world, "S23", 10 * MINUTE, "PS1")

    _do(world, 3 * HOUR, lambda w: w.sites["CS1"].wsus.server.groups[GUESTS].change(None, members=()))
    _act(world, "R10", 3 * HOUR + SECOND)
    entries = list(world.simulate())
    assert _outcomes(entries, "PS1SITE")[0] is False
    assert _outcomes(entries, "PS1SITE")[-1] is True


def test_later_windows_has_no_guest_to_deny() -> None:
    world = world_of("contoso-child", "cb")
    assert world.sites["CS1"].wsus.server.groups[GUESTS].members == ()
    with pytest.raises(EstateError, match="does not exist in generation"):
        FAULTS["S23"].begin(world, "PS1")


def test_disabled_anonymous_access_hides_the_denial_behind_it() -> None:
    world = world_of("contoso-child", "2007", hours=10)
    _fault(world, "S23", 10 * MINUTE, "PS1")
    _fault(world, "S21", 11 * MINUTE, "PS1")
    _act(world, "R23", 4 * HOUR)
    _act(world, "R10", 4 * HOUR + SECOND)
    blamed = [faults_of(entry)[0] for entry in _events(list(world.simulate()), SyncFailed) if entry.host == "PS1SITE"]
    assert list(dict.fromkeys(blamed)) == ["S21", "S23"]


def test_a_wrong_port_hides_the_wrong_name() -> None:
    """Both faults of the address at once: the request arrives at the old server's other web site."""
    world = world_of("contoso-old", hours=8)
    _fault(world, "S05", 10 * MINUTE)
    _fault(world, "S07", 11 * MINUTE)
    _act(world, "R12", 4 * HOUR)
    entries = list(world.simulate())
    assert {entry.host for entry in _events(entries, RequestNotFound)} <= {SUP, OLD}
    assert _reasons([e for e in entries if e.at > world.start + 4 * HOUR], SITE) == {PermissionRefused("CONTOSO\\CS1SITE$")}


# --- iisreset


def test_iisreset_ends_a_synchronization_that_is_under_way() -> None:
    world = world_of(hours=4)
    _act(world, "R70", 2 * HOUR + 8 * SECOND)  # the scheduled run began eight seconds before
    entries = list(world.simulate())
    failed = _events(entries, SyncFailed)
    assert isinstance(failed[0].event.reason, ConnectionRefused)
    end = root(failed[0])
    assert end is not None
    assert isinstance(end.event, ActionTaken)
    assert _outcomes(entries) == [False, True]


def test_iisreset_between_two_synchronizations_does_no_harm() -> None:
    world = world_of(hours=4)
    _act(world, "R70", HOUR + 30 * MINUTE)
    assert _outcomes(list(world.simulate())) == [True]


# --- what helps only in looks, or harms


@pytest.mark.parametrize(("fault", "helps"), [("S02", True), ("S16", False), ("S23", False)])
def test_full_control_for_everyone_helps_against_missing_rights_not_against_denied_ones(fault: str, helps: bool) -> None:
    world = world_of(FAULTS[fault].estate, FAULTS[fault].generations[0], hours=8)
    site = "PS1" if FAULTS[fault].site == "child" else "CS1"
    _fault(world, fault, 10 * MINUTE, site)
    _act(world, "X05", 3 * HOUR)
    _act(world, "R08", 3 * HOUR + MINUTE, site)
    _act(world, "R10", 3 * HOUR + 3 * MINUTE)
    assert _outcomes(list(world.simulate()), f"{site}SITE")[-1] is helps


def test_a_local_administrator_gets_in_where_users_do_not_but_nobody_else_does() -> None:
    world = world_of(hours=8)
    _fault(world, "S02", 10 * MINUTE)
    _act(world, "X19", 3 * HOUR)
    _act(world, "R08", 3 * HOUR + MINUTE)
    _act(world, "R10", 3 * HOUR + 3 * MINUTE)
    entries = list(world.simulate())
    assert _outcomes(entries)[-1]
    assert [e for e in _events(entries, ApiConnectionFailed) if e.host == SUP and e.at > world.start + 4 * HOUR]


def test_moving_the_binding_hides_the_wrong_port() -> None:
    world = world_of(hours=8)
    _fault(world, "S04", 10 * MINUTE)
    _act(world, "X06", 3 * HOUR)
    _act(world, "R08", 3 * HOUR + MINUTE)
    _act(world, "R10", 3 * HOUR + 3 * MINUTE)
    entries = list(world.simulate())
    assert _outcomes(entries)[-1]
    assert not [entry for entry in _events(entries, ActionTaken) if entry.event.action == "X06" and entry.event.against]


def test_moving_the_binding_to_a_port_that_is_taken_breaks_wsus_for_everybody() -> None:
    world = world_of(hours=8)
    _fault(world, "S05", 10 * MINUTE)
    _act(world, "X06", 3 * HOUR)
    entries = list(world.simulate())
    assert not _outcomes(entries)[-1]
    assert HttpStatus(404, 0, 2) in _reasons(entries, SUP)
    assert {e.event.reason for e in _events(entries, WebServiceChecked)} == {HttpStatus(404, 0, 2)}
    assert not [entry for entry in _events(entries, RequestNotFound) if entry.because is None]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_anonymous_access_to_the_api_changes_nothing(generation: str) -> None:
    world = world_of(generation=generation, hours=6)
    _act(world, "X20", HOUR)
    assert _outcomes(list(world.simulate())) == [True]
    world = world_of(generation=generation, hours=6)
    _fault(world, "S16", 10 * MINUTE)
    _act(world, "X20", HOUR)
    assert not _outcomes(list(world.simulate()))[-1]


def test_no_anonymous_access_at_the_parent_stops_every_child() -> None:
    world = world_of("contoso-child", hours=5)
    _act(world, "X30", HOUR)
    entries = list(world.simulate())
    assert _outcomes(entries) == [True]
    assert set(_outcomes(entries, "PS1SITE")) == {False}
    assert {face(entry.event) for entry in _events(entries, SyncFailed)} == {"SyncWSUS: HttpStatus 401"}
    assert {type(end.event) for e in _events(entries, SyncFailed) if (end := root(e)) is not None} == {ActionTaken}


def test_ssl_on_the_whole_site_shuts_out_who_speaks_http_until_it_is_taken_back() -> None:
    world = world_of(hours=4)
    _act(world, "X04", HOUR)
    assert {face(e.event) for e in _events(list(world.simulate()), SyncFailed)} <= {
        "CreateUpdateServer: HttpStatus 403",
        "WSUS server not configured",
    }
    iis = world.sites["CS1"].wsus.server.iis
    assert iis is not None
    assert all(directory.require_ssl for directory in iis.directories.values())
    REPAIRS["R20"].apply(world, "CS1")
    assert not iis.directories["Content"].require_ssl
    assert iis.directories["ApiRemoting30"].require_ssl


def test_without_any_firewall_the_blocked_path_is_open_though_its_rule_stays() -> None:
    world = world_of(hours=6)
    _fault(world, "S20", 10 * MINUTE)
    _act(world, "X03", 3 * HOUR)
    _act(world, "R08", 3 * HOUR + MINUTE)
    _act(world, "R10", 3 * HOUR + 3 * MINUTE)
    assert _outcomes(list(world.simulate()))[-1]
    assert world.network.firewall.rules


def test_winhttp_has_a_proxy_that_wsus_does_not_use() -> None:
    world = world_of("contoso-proxy", hours=6)
    _fault(world, "S12", 10 * MINUTE)
    _act(world, "X24", 2 * HOUR + 30 * MINUTE)
    assert not any(_outcomes(list(world.simulate())))
    assert world.sites["CS1"].wsus.server.settings.winhttp_proxy == "proxy1.contoso.com:8080"


def test_a_disabled_proxy_is_missed_where_there_is_no_other_way_out() -> None:
    world = world_of("contoso-proxy", hours=6)
    _act(world, "X31", 10 * MINUTE)
    assert not any(_outcomes(list(world.simulate())))


def test_ssl_off_everywhere_works_and_is_gone() -> None:
    world = world_of("contoso-ssl", hours=6)
    _act(world, "X29", HOUR)
    entries = list(world.simulate())
    assert _outcomes(entries) == [True]
    assert {e.event.port for e in _events(entries, RequestsServed) if e.at > world.start + 2 * HOUR} == {8530}


def test_a_pinned_address_hides_the_broken_forwarder_until_it_changes() -> None:
    world = world_of(hours=24 * 4)
    _fault(world, "S15", MINUTE)
    _act(world, "X32", HOUR)
    entries = list(world.simulate())
    changed_at = (world.start // ADDRESS_US + 1) * ADDRESS_US
    before = [e for e in entries if e.at < changed_at]
    assert all(_outcomes(before))
    failed = _events(entries, SyncFailed)
    assert failed
    assert {type(e.event.reason.reason) for e in failed} == {ConnectionTimedOut}
    assert changed_at - world.start < 3 * DAY


def test_a_server_does_not_authenticate_to_itself_under_another_name_unless_told_to() -> None:
    def outcomes(*actions: str) -> bool:
        world = world_of("contoso-local", "2007", hours=5)
        world.network.dns.records["wsus.contoso.com"] = SITE
        cause = world.hand.report(world.now, ActionTaken("R00", "CS1", "", ""))
        _do(world, MINUTE, lambda w: w.sites["CS1"].save_sup(cause, fqdn="WSUS.CONTOSO.COM"))
        for action in actions:
            _act(world, action, 2 * MINUTE)
        _act(world, "R08", 10 * MINUTE)
        entries = list(world.simulate())
        rows = {
            (r.status, r.substatus) for e in _events(entries, RequestsServed) for r in e.event.rows if r.status != 200 and r.win32
        }
        assert actions or (401, 1) in rows
        return _outcomes(entries)[-1]

    assert not outcomes()
    assert outcomes("X09")
    assert outcomes("R65")


@pytest.mark.parametrize(
    ("state", "setting", "wrong", "action", "estate"),
    [
        ("certificate", "trusted", False, "R18", "contoso-ssl"),
        ("wsus", "using_ssl", False, "R21", "contoso-ssl"),
        ("proxy", "port", 3128, "R32", "contoso-proxy"),
    ],
)
def test_a_repair_puts_right_what_it_is_for(state: str, setting: str, wrong: object, action: str, estate: str) -> None:
    world = world_of(estate)
    wsus = world.sites["CS1"].wsus
    assert wsus.server.iis is not None
    owner: State | None = wsus.settings
    if state == "certificate":
        owner = wsus.server.iis.https.certificate
    elif world.proxy is not None:
        owner = world.proxy.settings
    assert owner is not None
    healthy = getattr(owner, setting)
    owner.change(world.hand.report(world.now, ActionTaken("R00", "CS1", "", "")), **{setting: wrong})
    REPAIRS[action].apply(world, "CS1")
    assert getattr(owner, setting) == healthy
    assert owner.because(setting) is None


def test_half_a_switch_back_to_ssl_is_blamed_on_the_other_half() -> None:
    """SSL off everywhere, then required on the web site: that was healthy here, the SUP's plain HTTP is not."""
    world = world_of("contoso-ssl", hours=5)
    _act(world, "X29", 10 * MINUTE)
    _act(world, "X04", HOUR)
    failed = _events(list(world.simulate()), ApiConnectionFailed)
    ends = [end.event for entry in failed if (end := root(entry)) is not None]
    assert failed
    assert {event.action for event in ends if isinstance(event, ActionTaken)} == {"X29"}
    assert len(ends) == len(failed)


# --- anything goes


@settings(max_examples=40)
@given(
    estate=st.sampled_from(sorted(ESTATES)),
    generation=st.sampled_from(GENERATIONS),
    steps=st.lists(
        st.tuples(st.sampled_from([*FAULTS, *REPAIRS]), st.integers(0, 9 * 60), st.sampled_from(["CS1", "PS1"])), max_size=8
    ),
)
def test_whatever_is_done_to_any_estate_every_refusal_has_its_cause(
    estate: str, generation: str, steps: list[tuple[str, int, str]]
) -> None:
    world = world_of(estate, generation, hours=10)

    def deed(id: str, site: str) -> Callable[[World], object]:
        def try_it(world: World) -> None:
            with suppress(EstateError):  # it makes no sense here, and says so
                (FAULTS[id].begin if id in FAULTS else REPAIRS[id].apply)(world, site)

        return try_it

    for id, minute, site in steps:
        _do(world, minute * MINUTE, deed(id, site if site in world.sites else "CS1"))
    for entry in world.simulate():
        if isinstance(entry.event, SyncFailed | ApiConnectionFailed | RequestNotFound):
            end = root(entry)
            assert end is not None
            assert isinstance(end.event, FaultBegan | ActionTaken)


# --- running ahead


@pytest.mark.parametrize("fault", ["S02", "S05", "S07", "S09", "S14", "S23"])
def test_step_by_step_the_same_bytes(fault: str) -> None:
    generation = FAULTS[fault].generations[-1]
    texts = []
    for stepwise in (False, True):
        world = world_of(ESTATES[FAULTS[fault].estate], generation, hours=7, stepwise=stepwise)
        site = "PS1" if FAULTS[fault].site == "child" else "CS1"
        _fault(world, fault, HOUR, site)
        _act(world, "R70", 2 * HOUR + 8 * SECOND)
        for number, (repair, code) in enumerate(FAULTS[fault].steps(world.estate, site, generation, 1)):
            _act(world, repair, 4 * HOUR + number * MINUTE, code)
        texts.append(logs_of(world, truth=True))
    assert texts[0] == texts[1]
