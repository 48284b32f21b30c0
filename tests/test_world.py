"""The simulated world: healthy days, faults, repairs, their faces, masking, and determinism."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenarios.fault import Fault
from scenarios.faults import FAULTS
from scenarios.repairs import REPAIRS
from scenarios.truth import faults_of, root
from simulator.components.wcm import ConfigurationManager
from simulator.errors import EstateError
from simulator.estate import CONTOSO, ESTATES
from simulator.events import (
    ActionTaken,
    ApiConnectionFailed,
    ComponentStarted,
    ComponentStopped,
    FaultBegan,
    RequestsServed,
    SyncFailed,
    SyncRequestFound,
    SyncStarted,
    SyncSucceeded,
    WcmStateSet,
    WcmWokeUp,
    WsusServiceStopped,
    WsusSyncBegan,
    WsusSyncEnded,
)
from simulator.failures import ConnectionRefused, HttpStatus, NameNotResolved, WsusNotConfigured
from simulator.journal import Entry
from simulator.units import HOUR, MINUTE, SECOND
from simulator.world import World
from tests.acting import act as _repair
from tests.acting import do as _do
from tests.acting import events as _events
from tests.acting import fault as _fault
from tests.conftest import logs_of, world_of

ROOT = Path(__file__).parents[1]
GENERATIONS = ("2007", "2012", "cb")


# --- healthy


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("estate", sorted(ESTATES))
def test_a_healthy_day_has_no_abnormal_entry(estate: str, generation: str) -> None:
    entries = list(world_of(estate, generation, hours=24).simulate())
    assert not [entry for entry in entries if entry.because is not None]
    assert not _events(entries, SyncFailed)
    assert _events(entries, SyncSucceeded)


def test_a_scheduled_run_starts_at_its_hour_every_day_across_daylight_saving_time() -> None:
    import datetime

    world = world_of(hours=72, local=datetime.datetime(2026, 3, 28, 6, 0))
    zone = world.sites["CS1"].server.zone
    starts = [zone.local(entry.at) for entry in _events(list(world.simulate()), SyncStarted)]
    assert [(at.day, at.hour, at.minute) for at in starts] == [(28, 8, 0), (29, 8, 0), (30, 8, 0)]


def test_a_child_follows_its_parent_by_notification() -> None:
    entries = list(world_of("contoso-child").simulate())
    parent_done = next(entry for entry in entries if isinstance(entry.event, SyncSucceeded) and entry.event.site == "CS1")
    found = next(entry for entry in entries if isinstance(entry.event, SyncRequestFound))
    assert (found.host, found.event.file, found.event.by) == ("PS1SITE", "CS1.SYN", "parent")
    assert 15 * SECOND < found.at - parent_done.at < 2 * MINUTE
    child_done = next(entry for entry in entries if isinstance(entry.event, SyncSucceeded) and entry.event.site == "PS1")
    assert child_done.event.version == parent_done.event.version


def test_windows_authentication_shows_its_harmless_refusals() -> None:
    entries = list(world_of(hours=2).simulate())
    fresh = next(entry.event.rows for entry in _events(entries, RequestsServed) if len(entry.event.rows) == 3)
    assert [(row.status, row.substatus) for row in fresh] == [(401, 2), (401, 1), (200, 0)]


# --- faults


def test_a_fault_shows_one_face_before_and_another_after_the_next_wcm_cycle() -> None:
    world = world_of(hours=8)
    _fault(world, "S16", HOUR)
    _repair(world, "R10", HOUR)
    failed = _events(list(world.simulate()), SyncFailed)
    assert failed[0].event.source.method == "CreateUpdateServer"
    assert isinstance(failed[0].event.reason, HttpStatus)
    assert failed[1].event.source.method == "DoSync"
    assert isinstance(failed[1].event.reason, WsusNotConfigured)
    assert faults_of(failed[0]) == faults_of(failed[1]) == ["S16"]


def test_the_upstream_faults_leave_the_gate_open() -> None:
    world = world_of(hours=8)
    _fault(world, "S15", HOUR)
    entries = list(world.simulate())
    assert _events(entries, SyncFailed)
    assert not _events(entries, WcmStateSet)


def test_after_the_repair_the_gate_opens_only_when_wcm_has_run() -> None:
    world = world_of(hours=10)
    _fault(world, "S19", 10 * MINUTE)
    _repair(world, "R02", 3 * HOUR)
    _repair(world, "R10", 3 * HOUR + SECOND)
    entries = list(world.simulate())
    after = [entry for entry in entries if entry.at > world.start + 3 * HOUR]
    opened = next(entry for entry in after if isinstance(entry.event, WcmStateSet) and entry.event.state == 2)
    for failed in _events(after, SyncFailed):
        assert failed.at < opened.at
    assert any(entry.at > opened.at for entry in _events(after, SyncSucceeded))


def test_a_dropping_firewall_costs_more_time_than_a_closed_port() -> None:
    took = {}
    for fault in ("S19", "S20"):
        world = world_of(hours=3)
        _fault(world, fault, HOUR)
        _repair(world, "R10", HOUR)
        entries = list(world.simulate())
        failed = _events(entries, SyncFailed)[0]
        took[fault] = next(entry.event.took_s for entry in entries if entry.at >= failed.at and hasattr(entry.event, "retry_min"))
    assert took["S19"] <= 4
    assert 20 <= took["S20"] <= 26


def test_repairing_one_of_two_faults_shows_the_other() -> None:
    world = world_of(hours=12)
    _fault(world, "S19", 30 * MINUTE)
    _fault(world, "S16", 40 * MINUTE)
    _repair(world, "R02", 4 * HOUR)
    _repair(world, "R08", 4 * HOUR + MINUTE)
    _repair(world, "R22", 7 * HOUR)
    _repair(world, "R08", 7 * HOUR + MINUTE)
    _repair(world, "R10", 7 * HOUR + 5 * MINUTE)
    entries = list(world.simulate())
    blamed = [
        (faults_of(entry)[0], type(entry.event.reason))
        for entry in _events(entries, ApiConnectionFailed)
        if entry.event.component == "SMS_WSUS_CONFIGURATION_MANAGER"
    ]
    assert set(blamed) == {("S19", ConnectionRefused), ("S16", HttpStatus)}
    assert blamed.index(("S16", HttpStatus)) > blamed.index(("S19", ConnectionRefused))
    assert isinstance(entries[-1].event, object)
    assert _events(entries, SyncSucceeded)[-1].at > world.start + 7 * HOUR


def test_a_fault_that_ends_by_itself_leaves_nothing_behind() -> None:
    world = world_of(hours=10)
    began: list[Entry] = []
    _do(world, 30 * MINUTE, lambda w: began.append(FAULTS["S06"].begin(w, "CS1")))
    _do(world, 4 * HOUR, lambda w: FAULTS["S06"].end(w, "CS1", began[0]))
    entries = list(world.simulate())
    succeeded = _events(entries, SyncSucceeded)
    assert succeeded
    assert not [entry for entry in entries if entry.at > succeeded[-1].at and faults_of(entry)]


def test_wrong_names_are_told_apart_by_who_is_looked_for() -> None:
    names = {}
    for fault in ("S06", "S15"):
        world = world_of(hours=5)
        _fault(world, fault, 10 * MINUTE)
        for entry in world.simulate():
            reason = getattr(entry.event, "reason", None)
            reason = getattr(reason, "reason", reason)
            if isinstance(reason, NameNotResolved):
                names[fault] = reason.name
    assert names == {"S06": "CS1SUP.OLD.CONTOSO.COM", "S15": "sws.update.microsoft.com"}


# --- bystanders


def _default_site(fault: Fault) -> str:
    return "PS1" if fault.site == "child" else "CS1"


def _possible_at_a_child(fault: Fault, generation: str) -> bool:
    estate = ESTATES["contoso-child"]
    try:
        fault.check(estate, estate.site("PS1"), generation)
    except EstateError:
        return False
    return True


_CHILD_CAN_HAVE = [
    (id, generation)
    for id, fault in sorted(FAULTS.items())
    for generation in fault.generations
    if _possible_at_a_child(fault, generation)
]


@pytest.mark.parametrize(("id", "generation"), _CHILD_CAN_HAVE)
def test_hosts_that_a_fault_does_not_reach_write_the_same_bytes(id: str, generation: str) -> None:
    """A fault of the child site, or of what the child asks of its parent, leaves the parent's site server alone."""
    fault = FAULTS[id]
    logs = []
    for broken in (False, True):
        world = world_of("contoso-child", generation)
        if broken:
            _fault(world, id, 20 * MINUTE, "PS1")
        logs.append(logs_of(world))
    healthy, faulty = logs
    untouched = [path for path in healthy if path.startswith("logs/CS1SITE/")]
    if fault.entity.startswith("{parent_sup}"):  # the parent's SUP is reached, and reports it to its site server
        untouched = [path for path in untouched if path.endswith(("wsyncmgr.log", "WCM.log"))]
    assert untouched
    if id == "S15":
        return  # DNS is everybody's
    for path in untouched:
        assert healthy[path] == faulty[path], path
    assert healthy != faulty


# --- determinism


@pytest.mark.parametrize("generation", GENERATIONS)
def test_running_ahead_and_running_stepwise_write_the_same_bytes(generation: str) -> None:
    logs = []
    for stepwise in (False, True):
        world = world_of("contoso-child", generation, hours=9, stepwise=stepwise)
        _fault(world, "S11", 70 * MINUTE, "PS1")
        _fault(world, "S19", 150 * MINUTE)
        _repair(world, "R02", 5 * HOUR)
        _repair(world, "R35", 5 * HOUR + MINUTE)
        _repair(world, "R03", 5 * HOUR + 2 * MINUTE)
        logs.append(logs_of(world, truth=True))
    assert logs[0] == logs[1]


_DIGEST = """
import hashlib, sys
from tests.conftest import logs_of, world_of
from scenarios.faults import FAULTS
world = world_of("contoso-child", {generation!r}, hours=6)
world.plan(world.start + 10**9, lambda w: FAULTS["S22"].begin(w, "PS1") and None)
digest = hashlib.sha256()
for path, content in sorted(logs_of(world, os_language="de", truth=True).items()):
    digest.update(path.encode() + b"\\0" + content)
print(digest.hexdigest())
"""


def _digest(generation: str, hash_seed: str, cwd: Path) -> str:
    import os

    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    code = _DIGEST.format(generation=generation)
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=cwd, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("generation", ["2007", "cb"])
def test_hash_seed_and_working_directory_change_nothing(generation: str, tmp_path: Path) -> None:
    assert _digest(generation, "1", ROOT) == _digest(generation, "4711", tmp_path)


def test_another_seed_is_another_day() -> None:
    assert logs_of(world_of(seed=1)) != logs_of(world_of(seed=2))


def test_memory_of_the_journal_does_not_grow_with_time() -> None:
    world = world_of(hours=24 * 5)
    held = max(len(world.journal) for _ in world.simulate())
    assert held < 2_000


# --- anything goes


_SINGLE = sorted(id for id, fault in FAULTS.items() if "cb" in fault.generations and fault.site == "top")
_steps = st.lists(
    st.tuples(
        st.one_of(st.sampled_from(_SINGLE), st.sampled_from(sorted(REPAIRS))),
        st.integers(min_value=0, max_value=9 * 60),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=_steps, seed=st.integers(min_value=0, max_value=10**6))
def test_any_mixture_of_faults_and_repairs_runs_and_is_explained(steps: list[tuple[str, int]], seed: int) -> None:
    def attempt(do: Callable[[World], object]) -> Callable[[World], object]:
        def try_it(world: World) -> object:
            try:
                return do(world)
            except EstateError:
                return None  # it makes no sense here, and says so

        return try_it

    world = world_of("contoso-proxy", seed=seed, hours=10)
    for id, minute in steps:
        item = FAULTS.get(id)
        begin = (lambda w, f=item: f.begin(w, "CS1")) if item else (lambda w, r=REPAIRS[id]: r.apply(w, "CS1"))
        _do(world, minute * MINUTE, attempt(begin))
    last_at: dict[str, int] = {}
    for entry in world.simulate():
        assert entry.at >= last_at.get("", 0)
        last_at[""] = entry.at
        if entry.because is not None:
            end = root(entry)
            assert end is not None
            assert isinstance(end.event, FaultBegan | ActionTaken)
        if isinstance(entry.event, SyncFailed):
            assert entry.because is not None


def test_an_estate_is_wired_as_described() -> None:
    world = world_of(CONTOSO)
    site = world.sites["CS1"]
    assert isinstance(site.wcm, ConfigurationManager)
    assert site.wsus.server.iis is not None
    assert len(site.wsus.server.iis.directories) == 9


def test_configmgr_waits_while_wsus_synchronizes_by_itself_and_wcm_switches_that_off() -> None:
    world = world_of(hours=30)
    _repair(world, "X22", HOUR)
    _repair(world, "R10", HOUR + 20 * MINUTE)
    entries = list(world.simulate())
    began = _events(entries, WsusSyncBegan)
    assert [entry.event.trigger for entry in began].count("scheduled") == 1
    assert began[0].event.trigger == "scheduled"
    assert began[1].at > _events(entries, WsusSyncEnded)[0].at
    assert not _events(entries, SyncFailed)
    assert not world.sites["CS1"].wsus.settings.automatic


def test_a_stopped_component_writes_nothing_until_it_starts_again() -> None:
    for seed in range(1, 9):
        world = world_of(seed=seed, hours=4)
        for minute in (119, 121, 122, 123, 124):
            _repair(world, "R03", minute * MINUTE + seed * 5 * SECOND)
            _repair(world, "R35", minute * MINUTE + seed * 7 * SECOND)
        stopped: set[str] = set()
        for entry in world.simulate():
            if isinstance(entry.event, ComponentStarted):
                stopped.discard(entry.reporter)
            assert entry.reporter not in stopped, entry
            if isinstance(entry.event, ComponentStopped):
                stopped.add(entry.reporter)


def test_restarting_twice_leaves_one_thread_per_component() -> None:
    world = world_of(hours=6)
    _repair(world, "R03", 20 * MINUTE)
    _repair(world, "R03", 20 * MINUTE + 10 * SECOND)
    woke = _events(list(world.simulate()), WcmWokeUp)
    assert len(woke) == 6


def test_stopping_the_service_cancels_its_synchronization_first() -> None:
    world = world_of(hours=4)
    _fault(world, "S11", 2 * HOUR + 25 * SECOND)
    wsus = [entry for entry in world.simulate() if entry.reporter == "CS1SUP/wsus"]
    stopped = next(i for i, entry in enumerate(wsus) if isinstance(entry.event, WsusServiceStopped))
    ended = wsus[stopped - 1]
    assert isinstance(ended.event, WsusSyncEnded)
    assert ended.event.trouble is not None
    assert (ended.event.trouble.error, ended.at) == ("UserCanceled", wsus[stopped].at)
    assert not [entry for entry in wsus[stopped + 1 :] if isinstance(entry.event, WsusSyncEnded)]


def test_saving_twice_wakes_wcm_twice() -> None:
    world = world_of(hours=1)
    _repair(world, "R08", 20 * MINUTE)
    _repair(world, "R08", 20 * MINUTE + 3 * SECOND)
    woke = [entry for entry in _events(list(world.simulate()), WcmWokeUp) if entry.event.cause == "site control change"]
    assert len(woke) == 2
    assert woke[1].at - woke[0].at < 30 * SECOND


def test_each_of_two_faults_is_blamed_for_its_own_failures() -> None:
    world = world_of("contoso-child", hours=8)
    _fault(world, "S20", 10 * MINUTE, "CS1")
    _fault(world, "S20", 20 * MINUTE, "PS1")
    _fault(world, "S15", 30 * MINUTE)
    _repair(world, "R33", 3 * HOUR, "PS1")
    _repair(world, "R08", 3 * HOUR + MINUTE, "PS1")
    for entry in world.simulate():
        if isinstance(entry.event, ApiConnectionFailed):
            cause = root(entry)
            assert cause is not None
            assert (cause.event.fault, cause.event.site) == ("S20", entry.host[:3])


def test_a_child_blames_its_parents_wrong_address() -> None:
    world = world_of("contoso-child", hours=14)
    _fault(world, "S21", HOUR, "PS1")
    _fault(world, "S06", 2 * HOUR + 10 * MINUTE, "CS1")
    failed = [entry for entry in _events(list(world.simulate()), SyncFailed) if entry.host == "PS1SITE"]
    assert failed
    assert {faults_of(entry)[0] for entry in failed} == {"S21", "S06"}


def test_two_accounts_can_be_denied_at_once() -> None:
    world = world_of("contoso-account", hours=4)
    _fault(world, "S17", 10 * MINUTE)
    _fault(world, "S16", 20 * MINUTE)
    assert {faults_of(entry)[0] for entry in _events(list(world.simulate()), SyncFailed)} == {"S17"}


def test_full_synchronization_is_not_lost_behind_a_smaller_request() -> None:
    world = world_of(hours=4)
    _repair(world, "R10", 2 * HOUR + 10 * SECOND)
    _repair(world, "R11", 2 * HOUR + 60 * SECOND)
    found = [entry.event.file for entry in _events(list(world.simulate()), SyncRequestFound)]
    assert found == ["FULL.SYN"]


@pytest.mark.parametrize(
    ("zone", "local", "hour", "expected"),
    [
        ("Europe/Berlin", (2026, 3, 27), 2, [2, 2, 3, 2, 2]),
        ("America/Santiago", (2026, 9, 4), 0, [0, 0, 1, 0]),
    ],
)
def test_a_schedule_in_the_hour_that_daylight_saving_skips_comes_back(
    zone: str, local: tuple[int, int, int], hour: int, expected: list[int]
) -> None:
    import datetime
    from dataclasses import replace

    site = replace(CONTOSO.top, sync_at_h=hour)
    world = world_of(replace(CONTOSO, timezone=zone, sites=(site,)), hours=24 * 6, local=datetime.datetime(*local))
    clock = world.sites["CS1"].server.zone
    started = [clock.local(entry.at) for entry in _events(list(world.simulate()), SyncStarted)]
    assert [at.hour for at in started][: len(expected)] == expected
