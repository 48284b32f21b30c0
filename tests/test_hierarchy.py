"""Sites of all kinds, further software update points, and what carries requests and metadata between sites."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from scenarios.faults import FAULTS
from scenarios.repairs import REPAIRS
from scenarios.story import StoryError, parse
from simulator.errors import EstateError
from simulator.estate import ESTATES, WORKSTATION, Estate, Site, hierarchy
from simulator.events import (
    ChildrenNotified,
    StatusReported,
    SyncFailed,
    SyncSucceeded,
    SynFileArrived,
    WcmSourceVerified,
)
from simulator.journal import Entry
from simulator.units import HOUR, MINUTE
from simulator.versions import version
from simulator.world import World
from tests.conftest import log_text, logs_of, world_of

GENERATIONS = ("2007", "2012", "cb")


def _estate(*sites: Site) -> Estate:
    return Estate(name="test", sites=sites)


CENTRAL = Site(code="CS1", kind="central", server="CS1SITE", sup="CS1SUP")
PRIMARY = Site(code="PS1", server="PS1SITE", sup="PS1SUP", parent="CS1")
SECONDARY = Site(code="SS1", kind="secondary", server="SS1SITE", sup="SS1SITE", parent="PS1")


@pytest.mark.parametrize(
    ("sites", "what"),
    [
        ((SECONDARY,), "is not above it"),
        ((replace(SECONDARY, parent=None),), "a secondary site without a parent"),
        ((CENTRAL, replace(SECONDARY, parent="CS1")), "a secondary site below the central site"),
        ((CENTRAL, PRIMARY, SECONDARY, replace(PRIMARY, code="PS2", server="A", sup="B", parent="SS1")), "is a secondary site"),
        ((replace(CENTRAL, kind="primary", further_sups=("CS1SUP",)),), "is there twice"),
        ((CENTRAL, replace(PRIMARY, further_sups=("CS1SUP",))), "CS1SUP already serves site CS1"),
        ((replace(CENTRAL, kind="primary", further_sups=("cs1",)),), "further_sups 'cs1' is not a computer name"),
    ],
)
def test_what_cannot_exist_is_refused(sites: tuple[Site, ...], what: str) -> None:
    with pytest.raises(EstateError, match=what):
        _estate(*sites).check()


@pytest.mark.parametrize(
    ("generation", "sites", "what"),
    [
        ("2007", (replace(CENTRAL, kind="primary", further_sups=("A", "B")),), "3 software update points"),
        ("cb", (replace(CENTRAL, kind="primary", further_sups=tuple(f"A{n}" for n in range(8))),), "9 software update points"),
        ("2012", (CENTRAL, PRIMARY, replace(PRIMARY, code="PS2", server="A", sup="B", parent="PS1")), "below a primary site"),
        ("cb", (CENTRAL, *(replace(PRIMARY, code=f"P{n}", server=f"A{n}", sup=f"A{n}") for n in range(10, 36))), "26 primary"),
    ],
)
def test_what_a_generation_does_not_have_is_refused(generation: str, sites: tuple[Site, ...], what: str) -> None:
    estate = _estate(*sites)
    estate.check()
    with pytest.raises(EstateError, match=what):
        world_of(estate, generation)


def test_the_largest_hierarchy_that_is_supported_is_possible_and_a_larger_one_refused() -> None:
    estate = hierarchy(primaries=25, secondaries=250)
    assert len(estate.sites) == 1 + 25 * 251
    estate.check()
    estate.check_for(version("cb"))
    with pytest.raises(EstateError):
        hierarchy(primaries=26)
    with pytest.raises(EstateError):
        hierarchy(primaries=1, secondaries=251)


@pytest.mark.parametrize("sites", [1, 2, 10, 26, 27, 100])
def test_a_hierarchy_has_as_many_sites_as_asked_for(sites: int) -> None:
    assert len(hierarchy(sites).sites) == sites


def test_every_server_has_an_address_of_its_own() -> None:
    estate = hierarchy(primaries=3, secondaries=100)
    estate = replace(estate, sites=(replace(estate.sites[0], further_sups=("EXTRA1", "EXTRA2")), *estate.sites[1:]))
    servers = world_of(estate).network.servers
    assert len({server.ip for server in servers.values()}) == len(servers) == len({*estate.hosts(), WORKSTATION})
    assert len({server.fqdn for server in servers.values()}) == len(servers)


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("name", ["contoso-replica", "contoso-hierarchy"])
def test_a_healthy_day_blames_nothing(name: str, generation: str) -> None:
    for entry in world_of(name, generation, hours=30).simulate():
        assert entry.because is None, entry


@pytest.mark.parametrize("name", ["contoso-replica", "contoso-hierarchy"])
def test_estates_are_written_into_stories_and_read_again(name: str) -> None:
    text = f'title = {{ en = "a", de = "b" }}\nestate = "{name}"\n'
    story = parse(text, "test")
    assert parse(story.to_toml(), "again").estate == story.estate == ESTATES[name]


# --- further software update points


def _beginning(fault: str, site: str) -> Callable[[World], None]:
    def begin(world: World) -> None:
        FAULTS[fault].begin(world, site)

    return begin


def _doing(repair: str, site: str) -> Callable[[World], None]:
    return lambda world: REPAIRS[repair].apply(world, site)


def _runs(entries: list[Entry]) -> list[tuple[str, str]]:
    """Run and outcome, in order of the ends."""
    outcomes = {SyncFailed: "failed", SyncSucceeded: "succeeded"}
    return [(entry.run or "", outcomes[type(entry.event)]) for entry in entries if type(entry.event) in outcomes]


def _log(texts: dict[str, bytes], name: str, host: str) -> list[str]:
    """The messages of a log; status message lines shortened to their id."""
    lines = [line.rsplit("  $$<", 1)[0] for line in log_text(texts, name, host + "/").splitlines()]
    return [line[len("STATMSG: ID=") :][:4] if line.startswith("STATMSG") else line for line in lines]


def test_every_software_update_point_keeps_the_same_logs() -> None:
    texts = logs_of(world_of("contoso-replica", hours=3))

    def kept(host: str) -> set[str]:
        return {path.split("/", 2)[2] for path in texts if path.startswith(f"logs/{host}/") and "W3SVC" not in path}

    assert kept("CS1SUP") == kept("CS1SUP2")
    assert "SMS/Logs/WSUSCtrl.log" in kept("CS1SUP2")


@pytest.mark.parametrize("generation", GENERATIONS)
def test_wcm_configures_every_software_update_point_in_every_cycle(generation: str) -> None:
    verified = [
        (entry.event.server, entry.event.source)
        for entry in world_of("contoso-replica", generation, hours=2).simulate()
        if isinstance(entry.event, WcmSourceVerified)
    ]
    assert (
        verified[:4]
        == [
            ("CS1SUP.CONTOSO.COM", "Microsoft Update"),
            ("CS1SUP2.CONTOSO.COM", "CS1SUP.CONTOSO.COM"),
        ]
        * 2
    )


@pytest.mark.parametrize("generation", GENERATIONS)
def test_wcm_gives_a_replica_back_what_somebody_changed(generation: str) -> None:
    world = world_of("contoso-hierarchy", generation, hours=3)
    points = [world.sites["PS1"].points[1], world.sites["SS1"].points[0]]

    def meddle(world: World) -> None:
        for point in points:
            point.wsus.settings.change(None, upstream="elsewhere.example", replica=False)

    world.plan(world.start + 30 * MINUTE, meddle)
    world.run_until(world.start + 2 * HOUR)
    for point in points:
        assert (point.wsus.settings.upstream, point.wsus.settings.replica) == ("PS1SUP.CONTOSO.COM", True)
    assert all(outcome == "succeeded" for _, outcome in _runs(list(world.simulate())))


def test_the_log_lists_all_software_update_points() -> None:
    texts = logs_of(world_of("contoso-replica", "2012", hours=3))
    log = _log(texts, "wsyncmgr.log", "CS1SITE")
    at = log.index("Found 2 SUPs")
    assert log[at + 1 : at + 3] == [f"Found active SUP {name}.CONTOSO.COM from SCF File.~" for name in ("CS1SUP", "CS1SUP2")]


def test_wcm_lists_all_software_update_points_when_the_list_has_changed() -> None:
    world = world_of("contoso-replica", "2012", hours=2)
    world.plan(world.start + HOUR, lambda w: w.sites["CS1"].save_sup(None, fqdn="CS1SUP.OLD.EXAMPLE"))
    log = _log(logs_of(world), "WCM.log", "CS1SITE")
    at = log.index("Changes in active SUP list detected. New active SUP List is:~")
    assert [row.split(",")[0].strip() for row in log[at + 1 : at + 3]] == ["SUP0: CS1SUP.OLD.EXAMPLE", "SUP1: CS1SUP2.CONTOSO.COM"]


def test_replicas_are_synchronized_after_the_success_of_the_first() -> None:
    """The block of the reference's log, line by line."""
    log = _log(logs_of(world_of("contoso-replica", "2012", hours=3)), "wsyncmgr.log", "CS1SITE")
    at = log.index("Synchronizing replica WSUS servers")
    assert log.index("6702") < at
    block = [re.sub(r"processed (\d+) out of \1 ", "processed n out of n ", line) for line in log[at : at + 7]]
    assert block == [
        "Synchronizing replica WSUS servers",
        "6706",
        "Synchronizing WSUS server cs1sup2.contoso.com ...",
        "sync: Starting Replica WSUS synchronization",
        "sync: Replica WSUS synchronizing other items",
        "sync: Replica WSUS synchronizing other items, processed n out of n items (100%)",
        "Done synchronizing WSUS Server cs1sup2.contoso.com",
    ]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_after_a_healthy_day_everybody_holds_the_same(generation: str) -> None:
    world = world_of("contoso-hierarchy", generation, hours=4)
    list(world.simulate())
    held = {point.wsus.susdb.read_to for site in world.sites.values() for point in site.points}
    assert len(held) == 1
    versions = {site.content_version for site in world.sites.values()}
    assert len(versions) == 1
    if generation != "2007":
        assert {world.sites[code].replicated_version for code in ("PS1", "PS2")} == versions


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_replica_that_fails_leaves_the_run_a_success_and_lags_behind(generation: str) -> None:
    world = world_of("contoso-replica", generation, hours=4)
    world.plan(world.start + HOUR, _beginning("M53", "CS1"))
    entries = list(world.simulate())
    assert _runs(entries) == [("CS1-0001", "succeeded")]
    told = [entry for entry in entries if entry.run == "CS1-0001" and isinstance(entry.event, StatusReported)]
    assert [entry.event.message_id for entry in told][-3:] == [6706, 6703, 6707]
    assert told[-1].event.strings == ("CS1SUP2.CONTOSO.COM", "CS1SUP.CONTOSO.COM")
    assert world.sites["CS1"].wcm.state.success


# --- from site to site


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_request_goes_down_the_hierarchy(generation: str) -> None:
    entries = list(world_of("contoso-hierarchy", generation, hours=4).simulate())
    ends = [run.split("-")[0] for run, _ in _runs(entries)]
    assert ends[0] == "CS1"
    assert ends[-1] == "SS1"
    assert sorted(ends[1:-1]) == ["PS1", "PS2"]
    requests = {(entry.host, entry.event.file) for entry in entries if isinstance(entry.event, SynFileArrived)}
    assert requests == {("PS1SITE", "CS1.SYN"), ("PS2SITE", "CS1.SYN"), ("SS1SITE", "PS1.SYN")}


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_secondary_site_has_no_site_database(generation: str) -> None:
    entries = list(world_of("contoso-hierarchy", generation, hours=4).simulate())
    told = [entry.event.message_id for entry in entries if entry.run == "SS1-0001" and isinstance(entry.event, StatusReported)]
    assert told == [6701, 6704, 6702]


def test_children_stay_silent_when_their_parent_fails() -> None:
    world = world_of("contoso-hierarchy", hours=4)
    world.plan(world.start + HOUR, _beginning("S19", "CS1"))
    assert {run.split("-")[0] for run, _ in _runs(list(world.simulate()))} == {"CS1"}


PLAYED = {
    "contoso-replica": (
        (("S19", "CS1"), ("M53", "CS1")),
        (("R02", "CS1"), ("R08", "CS1"), ("R10", "CS1"), ("R33", "CS1"), ("R10", "CS1")),
    ),
    "contoso-hierarchy": ((("S19", "CS1"), ("M43", "PS1")), (("R02", "CS1"), ("R08", "CS1"), ("R10", "CS1"), ("R58", "PS1"))),
}
"""Faults and repairs by estate."""


@pytest.mark.parametrize("name", PLAYED)
@pytest.mark.parametrize("generation", GENERATIONS)
def test_running_ahead_and_running_stepwise_are_the_same_here_too(name: str, generation: str) -> None:
    faults, repairs = PLAYED[name]

    def play(*, stepwise: bool) -> dict[str, bytes]:
        world = world_of(name, generation, hours=6, stepwise=stepwise)
        for fault, site in faults:
            world.plan(world.start + HOUR, _beginning(fault, site))
        for number, (repair, site) in enumerate(repairs):
            world.plan(world.start + 2 * HOUR + number * 7 * MINUTE, _doing(repair, site))
        return logs_of(world, truth=True)

    assert play(stepwise=False) == play(stepwise=True)


# --- links


def test_a_file_waits_while_the_sender_is_down_and_arrives_when_it_works_again() -> None:
    world = world_of("contoso-hierarchy", hours=8)
    link = world.replication.links["CS1", "PS1"]
    world.plan(world.start + HOUR, _beginning("M43", "PS1"))
    world.plan(world.start + 4 * HOUR, _doing("R10", "CS1"))
    entries = world.run_until(world.start + 3 * HOUR)
    (waiting,) = link.backlog
    assert waiting.what == "CS1.SYN"
    notified_at = next(entry.at for entry in entries if isinstance(entry.event, ChildrenNotified))
    assert waiting.since == notified_at
    assert world.replication.links["CS1", "PS2"].backlog == ()
    world.run_until(world.start + 5 * HOUR)
    assert len(link.backlog) == 1
    assert link.backlog[0].since > waiting.since
    world.plan(world.start + 5 * HOUR, _doing("R58", "PS1"))
    entries = list(world.simulate())
    assert not link.backlog
    assert [run.split("-")[0] for run, _ in _runs(entries)] == ["PS1", "SS1"]
    assert not [entry for entry in entries if entry.because is not None and not isinstance(entry.event, SynFileArrived)]


@pytest.mark.parametrize(("opens_h", "closes_h", "arrives_h"), [(0, 24, 8), (22, 6, 22), (12, 14, 12), (8, 9, 8), (9, 8, 9)])
def test_a_file_leaves_when_the_transfer_hours_begin(opens_h: int, closes_h: int, arrives_h: int) -> None:
    central, child = ESTATES["contoso-child"].sites
    child = replace(child, transfer_from_h=opens_h, transfer_until_h=closes_h)
    world = world_of(replace(ESTATES["contoso-child"], sites=(central, child)), hours=24)
    arrived = [entry.at for entry in world.simulate() if isinstance(entry.event, SynFileArrived)]
    zone = world.sites["CS1"].server.zone
    assert [zone.local(at).hour for at in arrived] == [arrives_h]


@pytest.mark.parametrize("seed", [1, 2])
def test_database_replication_waits_while_it_is_down(seed: int) -> None:
    world = world_of("contoso-hierarchy", seed=seed, hours=10)
    link, child = world.database_replication.links["CS1", "PS1"], world.sites["PS1"]
    before = child.replicated_version
    world.plan(world.start + HOUR, lambda _: link.state.change(None, up=False))
    world.run_until(world.start + 4 * HOUR)
    assert (link.state.status, link.since) == (2, world.start + HOUR)
    assert [waiting.what for waiting in link.backlog] == [str(world.sites["CS1"].content_version)]
    assert child.replicated_version == before < world.sites["PS2"].replicated_version
    world.plan(world.start + 4 * HOUR, lambda _: link.state.change(None, up=True, degraded=True))
    world.run_until(world.start + 4 * HOUR + 10 * MINUTE)
    assert link.state.status == 1
    assert child.replicated_version == before
    world.run_until(world.start + 6 * HOUR)
    assert not link.backlog
    assert child.replicated_version == world.sites["CS1"].content_version


def test_there_is_no_database_replication_in_2007_and_none_to_secondary_sites() -> None:
    assert world_of("contoso-hierarchy", "2007").database_replication.links == {}
    assert sorted(world_of("contoso-hierarchy").database_replication.links) == [("CS1", "PS1"), ("CS1", "PS2")]


# --- what does not fit


@pytest.mark.parametrize(
    ("estate", "step", "what"),
    [
        ("contoso", 'fault = "M53"', "further software update point"),
        ("contoso", 'fault = "M43"', "a parent site"),
        ("contoso-hierarchy", 'fault = "S10"\nsite = "SS1"', "no replica"),
        ("contoso-hierarchy", 'repair = "R37"\nsite = "SS1"', "replica by design"),
        ("contoso", 'repair = "R58"', "has no parent site"),
    ],
)
def test_what_does_not_fit_a_site_is_refused(estate: str, step: str, what: str) -> None:
    text = f'title = {{ en = "a", de = "b" }}\nestate = "{estate}"\n[[timeline]]\nat = "1h"\n{step}\n'
    with pytest.raises(StoryError, match=what):
        parse(text, "test")
