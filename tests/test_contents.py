"""What is synchronized: Microsoft Update's stream, what SUSDB and the site database hold of it, and what the consoles allow."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.complaint import COMPLAINTS
from scenarios.repairs import REPAIRS
from scenarios.truth import faults_of, root
from simulator.components.susdb import Susdb
from simulator.components.upstream import BASELINE, CLASSIFICATIONS, Catalogue, Portion, Subscription
from simulator.dice import Dice
from simulator.errors import EstateError
from simulator.estate import CONTOSO, Estate
from simulator.events import (
    ActionTaken,
    DatabaseSyncStarted,
    DatabaseUpdatesProgressed,
    FullSyncRequired,
    SubscriptionChanged,
    SyncFailed,
    SyncRequestFound,
    SyncStarted,
    SyncSucceeded,
    UpdateSaveFailed,
    UpdateSynced,
    WcmStateSet,
    WcmSubscriptionSet,
    WsusSyncBegan,
    WsusSyncEnded,
)
from simulator.failures import CallTimedOut, SynchronizationCanceled
from simulator.units import DAY, HOUR, MINUTE
from simulator.versions import version
from simulator.world import World
from tests.acting import act as _act
from tests.acting import do as _do
from tests.acting import events as _events
from tests.acting import fault as _fault
from tests.conftest import log_text, logs_of, messages, start_at, world_of

GENERATIONS = ("2007", "2012", "cb")
START = start_at()


def _holds(world: World, complaint: str, site: str = "CS1") -> bool:
    holds = COMPLAINTS[complaint].holds
    assert holds is not None
    return holds(world, world.sites[site])


# --- Microsoft Update


def _catalogue(seed: int = 1, generation: str = "cb") -> Catalogue:
    of = version(generation)
    return Catalogue(Dice(seed), START, (*of.products, *of.other_products), of.first_article)


USUAL = Subscription(version("cb").products, ("Critical Updates", "Security Updates", "Updates"), ("en",))


def test_more_is_published_on_patch_tuesday_than_on_any_other_day() -> None:
    catalogue = _catalogue()
    published = [catalogue.revision(START + (day + 1) * DAY) - catalogue.revision(START + day * DAY) for day in range(28)]
    assert published.index(max(published)) in (7, 8)  # 10 March 2026 is the second Tuesday
    assert sorted(published)[-2] < max(published)


def test_a_revision_is_published_when_the_newest_number_reaches_it() -> None:
    catalogue = _catalogue()
    for revision in range(catalogue.revision(START), catalogue.revision(START + 3 * DAY), 7):
        at = catalogue.published_at(revision)
        assert catalogue.revision(at - 1) < revision <= catalogue.revision(at)


def test_what_was_published_before_the_simulation_has_dates_in_order() -> None:
    catalogue = _catalogue()
    dates = [catalogue.published_at(revision) for revision in range(1, BASELINE, 1000)]
    assert dates == sorted(dates)
    assert START - 5 * 365 * DAY < dates[0] < START - 3 * 365 * DAY


def test_a_revised_update_keeps_its_guid_and_counts_its_revisions() -> None:
    catalogue = _catalogue()
    revised = [n for n in catalogue.updates(Portion(60_000, 66_000, USUAL)) if catalogue.origin(n) != n]
    assert revised
    for n in revised:
        first, again = catalogue.update(catalogue.origin(n)), catalogue.update(n)
        assert (first.guid, first.title, first.product) == (again.guid, again.title, again.product)
        assert first.revision == 100 < again.revision


def test_some_revisions_withdraw_their_update() -> None:
    catalogue = _catalogue()
    updates = catalogue.updates(Portion(60_000, 70_000, USUAL))
    withdrawn = [n for n in updates if catalogue.expires(n)]
    assert 0 < len(withdrawn) < len(updates) // 4


@given(
    after=st.integers(0, 60_000),
    length=st.integers(0, 9_000),
    products=st.sets(st.integers(0, 10)),
    classes=st.sets(st.integers(0, 8)),
)
def test_a_portion_is_the_sum_of_its_chunks(after: int, length: int, products: set[int], classes: set[int]) -> None:
    catalogue = _catalogue()
    wanted = Subscription(
        tuple(catalogue.products[n] for n in sorted(products)), tuple(CLASSIFICATIONS[n] for n in sorted(classes)), ("en",)
    )
    whole = Portion(after, after + length, wanted)
    chunks = whole.chunks()
    assert sum(catalogue.size(chunk) for chunk in chunks) == catalogue.size(whole)
    assert [n for chunk in chunks for n in catalogue.updates(chunk)] == list(catalogue.updates(whole))
    for n in catalogue.updates(whole):
        update = catalogue.update(n)
        assert update.product in wanted.products
        assert update.classification in wanted.classifications


# --- WSUS and the site database


@pytest.mark.parametrize("generation", GENERATIONS)
def test_after_a_healthy_run_everybody_holds_what_microsoft_update_has(generation: str) -> None:
    world = world_of("contoso-child", generation, hours=6)
    list(world.simulate())
    newest = world.catalogue.revision(world.start + 2 * HOUR)
    for site in world.sites.values():
        assert site.wsus.susdb.read_to == newest
        assert max(portion.to for portion in site.database.portions) == newest
    assert not _holds(world, "unexpected updates")
    assert not _holds(world, "summary details missing")


def test_a_second_synchronization_an_hour_later_is_a_small_one() -> None:
    world = world_of(hours=6)
    _act(world, "R10", 4 * HOUR)
    items = [entry.event.items for entry in _events(list(world.simulate()), SyncSucceeded)]
    assert len(items) == 2
    assert items[1] < items[0]


def test_the_content_version_rises_only_with_something_new() -> None:
    world = world_of(hours=4)
    before = world.sites["CS1"].content_version
    _act(world, "R10", 2 * HOUR + 20 * MINUTE)
    _act(world, "R10", 2 * HOUR + 40 * MINUTE)
    list(world.simulate())
    assert world.sites["CS1"].content_version == before + 1


def test_a_scheduled_run_of_2007_goes_through_everything_and_takes_about_three_quarters_of_an_hour() -> None:
    entries = list(world_of(generation="2007", hours=4).simulate())
    succeeded = _events(entries, SyncSucceeded)[0]
    assert 35 * 60 < succeeded.event.took_s < 60 * 60
    assert _events(entries, DatabaseUpdatesProgressed)


@pytest.mark.parametrize(("file", "full"), [("R10", False), ("R11", True)])
def test_by_hand_it_is_a_delta_and_by_full_syn_a_full_one(file: str, full: bool) -> None:
    world = world_of(generation="2007", hours=2)
    _act(world, file, 30 * MINUTE)
    assert [entry.event.full for entry in _events(list(world.simulate()), DatabaseSyncStarted)] == [full]


def test_an_estate_may_choose_products_classifications_and_languages() -> None:
    top = CONTOSO.top
    site = replace(top, products=("SQL Server 2019",), classifications=("Service Packs", "Updates"), languages=("de", "en"))
    world = world_of(Estate(name="own", sites=(site,)), hours=4)
    entries = list(world.simulate())
    assert _events(entries, SyncSucceeded)
    assert not [entry for entry in entries if entry.because is not None]
    assert all("SQL Server 2019" in entry.event.title for entry in _events(entries, UpdateSynced))
    text = log_text(logs_of(world_of(Estate(name="own", sites=(site,)), hours=4)), "wsyncmgr.log")
    assert "requested localization languages: de,en" in text
    assert "Requested categories: Product=SQL Server 2019, UpdateClassification=Service Packs" in text


def test_a_product_that_nobody_publishes_is_refused() -> None:
    with pytest.raises(EstateError, match="has no 'Clippy'"):
        world_of(replace(CONTOSO, sites=(replace(CONTOSO.top, products=("Clippy",)),)))


# --- filters


def test_filters_that_were_changed_in_wsus_are_reset_within_the_hour_and_the_metadata_stays() -> None:
    world = world_of(hours=5)
    _act(world, "X07", 10 * MINUTE)
    _act(world, "X08", 11 * MINUTE)
    entries = list(world.simulate())
    changed, reset = _events(entries, SubscriptionChanged)
    assert changed.event.account == "CONTOSO\\Administrator"
    assert reset.event.account == "CONTOSO\\CS1SITE$"
    assert reset.at - changed.at < HOUR
    assert _events(entries, WcmSubscriptionSet)
    world_filters = world.sites["CS1"].wsus.settings.products
    assert world_filters == world.subscription.products
    assert _holds(world, "unexpected updates")
    blamed = [entry for entry in _events(entries, UpdateSynced) if entry.because is not None]
    end = root(blamed[0])
    assert end is not None
    assert isinstance(end.event, ActionTaken)


def test_what_is_declined_expires_with_the_next_full_synchronization_only() -> None:
    held = []
    world = world_of(hours=12)
    _fault(world, "S25", 10 * MINUTE)
    for action, hour in (("R67", 4), ("R10", 5), ("R11", 6)):
        _act(world, action, hour * HOUR)
        _do(world, hour * HOUR + 58 * MINUTE, lambda w: held.append(_holds(w, "unexpected updates")))
    list(world.simulate())
    assert held == [True, True, False]


def test_what_a_reused_server_held_arrived_long_before() -> None:
    world = world_of(hours=4)
    _fault(world, "S24", 10 * MINUTE)
    entries = list(world.simulate())
    susdb = world.sites["CS1"].wsus.susdb
    assert max(susdb.arrived[: len(susdb.causes)]) < world.start - 365 * DAY
    assert _events(entries, FullSyncRequired)
    assert {faults_of(entry)[0] for entry in _events(entries, UpdateSynced) if entry.because} == {"S24"}


def test_only_what_is_newer_than_the_change_is_told_in_the_new_language() -> None:
    world = world_of(hours=30)
    _fault(world, "S29", 10 * MINUTE)
    list(world.simulate())
    site = world.sites["CS1"]
    items = site.database.items(world.catalogue, world.subscription)
    told = {item.revision for item in items if "de" in item.languages}
    untold = {item.revision for item in items if "de" not in item.languages}
    assert told
    assert untold
    assert min(told) > max(untold)


def test_a_revised_update_brings_the_new_language_with_it() -> None:
    world = world_of(hours=24 * 12)
    _fault(world, "S29", 10 * MINUTE)
    list(world.simulate())
    catalogue, site = world.catalogue, world.sites["CS1"]
    items = site.database.items(catalogue, world.subscription)
    revised = [item for item in items if catalogue.origin(item.revision) <= BASELINE < item.revision]
    assert revised
    assert all("de" in item.languages for item in revised)


# --- long synchronizations


def test_a_first_synchronization_takes_hours_and_shows_nothing_until_its_end() -> None:
    world = world_of(hours=8)
    _fault(world, "S32", 110 * MINUTE)
    empty: list[bool] = []
    for minutes in (125, 150, 180, 210):
        _do(world, minutes * MINUTE, lambda w: empty.append(_holds(w, "no metadata")))
    entries = list(world.simulate())
    succeeded = _events(entries, SyncSucceeded)[0]
    assert succeeded.event.took_s > 90 * 60
    assert empty == [True, True, True, True]
    assert not _holds(world, "no metadata")
    assert not _events(entries, SyncFailed)


def test_a_short_synchronization_of_wsus_is_waited_for() -> None:
    world = world_of(hours=4)
    _act(world, "X08", 2 * HOUR - 20 * 1_000_000)
    entries = list(world.simulate())
    assert not _events(entries, SyncFailed)
    assert len(_events(entries, WsusSyncBegan)) == 2
    assert len(_events(entries, SyncSucceeded)) == 1


def test_a_long_one_is_waited_for_in_vain() -> None:
    world = world_of(hours=3)
    _fault(world, "S31", 115 * MINUTE)
    failed = _events(list(world.simulate()), SyncFailed)[0]
    assert failed.event.source.method == "SyncWSUS"
    assert isinstance(failed.event.reason, CallTimedOut)


def test_cancelling_it_lets_the_waiting_run_go_on() -> None:
    world = world_of(hours=6)
    _fault(world, "S31", 115 * MINUTE)
    _act(world, "R44", 130 * MINUTE)
    entries = list(world.simulate())
    assert not _events(entries, SyncFailed)
    ended = [entry.event.trouble for entry in _events(entries, WsusSyncEnded)]
    assert isinstance(ended[0].reason, SynchronizationCanceled)
    assert ended[1] is None
    assert _events(entries, SyncSucceeded)


def test_what_a_cancelled_synchronization_has_fetched_stays() -> None:
    world = world_of(hours=3)
    _fault(world, "S31", 10 * MINUTE)
    _act(world, "R44", 60 * MINUTE)
    world.run_until(world.start + 61 * MINUTE)
    held = len(world.sites["CS1"].wsus.susdb.portions)
    assert 5 < held < 36


def test_children_of_a_server_with_a_new_database_read_all_of_it_and_fetch_nothing_twice() -> None:
    world = world_of("contoso-child", hours=9)
    _act(world, "X02", 10 * MINUTE)
    list(world.simulate())
    child = world.sites["PS1"].wsus.susdb
    assert len(child.portions) == len(set(child.portions))
    assert child.read_to == world.sites["CS1"].wsus.susdb.read_to


# --- the site database


def test_a_refused_update_is_saved_later() -> None:
    world = world_of(generation="2007", hours=8)
    _fault(world, "S30", HOUR)
    _act(world, "R47", 4 * HOUR)
    entries = list(world.simulate())
    refused = {entry.event.guid for entry in _events(entries, UpdateSaveFailed)}
    saved = {entry.event.guid for entry in _events(entries, UpdateSynced)}
    assert refused
    assert refused <= saved


def test_the_page_shows_error_12_and_an_invalid_schema() -> None:
    world = world_of(generation="2007", hours=4)
    _fault(world, "S30", HOUR)
    lines = messages(log_text(logs_of(world), "wsyncmgr.log"))
    at = lines.index("sp_SetupSDMPackage returns an error")
    assert lines[at + 1] == "DCM digest has invalid schema"
    assert lines.index(next(line for line in lines if "ID=6705" in line)) < at


def test_sql_server_that_is_down_fails_the_run_at_the_database() -> None:
    world = world_of(hours=4)
    site = world.sites["CS1"]
    _do(
        world,
        HOUR,
        lambda w: site.server.set_service(
            w.now, "MSSQLSERVER", running=False, because=w.hand.report(w.now, ActionTaken("X", "CS1", "", ""))
        ),
    )
    failed = _events(list(world.simulate()), SyncFailed)[0]
    assert failed.event.source.method == "DefineUpdate"


# --- what the console allows


@pytest.mark.parametrize(
    ("fault", "estate", "obstacle"),
    [
        ("S26", "contoso-child", "child site"),
        ("S27", "contoso", "no active software update point"),
        ("S28", "contoso", "source is not Microsoft Update"),
    ],
)
def test_each_of_the_three_conditions_keeps_run_synchronization_away(fault: str, estate: str, obstacle: str) -> None:
    world = world_of(estate, "2007", hours=2)
    _fault(world, fault, MINUTE)
    _act(world, "R10", 10 * MINUTE)
    entries = list(world.simulate())
    assert [name for name, _ in world.console.obstacles(world)] == [obstacle]
    assert not _events(entries, SyncRequestFound)


def test_a_later_generation_may_synchronize_from_another_server() -> None:
    for generation, allowed in (("2007", False), ("cb", True)):
        world = world_of(generation=generation)
        world.sites["CS1"].sup.change(None, source="OTHER.CONTOSO.COM")
        assert (not world.console.obstacles(world)) is allowed


@pytest.mark.parametrize("fault", ["S27", "S28"])
def test_without_sup_or_source_the_schedule_starts_nothing(fault: str) -> None:
    world = world_of(generation="2007", hours=5)
    _fault(world, fault, 10 * MINUTE)
    assert not _events(list(world.simulate()), SyncStarted)


def test_without_an_active_sup_wcm_goes_to_state_none() -> None:
    world = world_of(hours=3)
    _fault(world, "S27", 10 * MINUTE)
    _act(world, "R40", 2 * HOUR)
    states = [entry.event.state for entry in _events(list(world.simulate()), WcmStateSet)]
    assert states == [0, 1, 2]


def test_the_wsus_console_cannot_do_what_it_cannot_reach() -> None:
    world = world_of("contoso-child", hours=2)
    _fault(world, "S19", 10 * MINUTE, "PS1")
    _act(world, "X28", 20 * MINUTE, "PS1")
    entries = list(world.simulate())
    assert _events(entries, ActionTaken)[0].event.detail == "the WSUS console cannot connect"
    assert not world.sites["PS1"].wsus.settings.replica


def test_what_is_done_in_the_wsus_console_stands_in_the_web_sites_log() -> None:
    world = world_of(hours=1)
    _act(world, "X08", 10 * MINUTE)
    texts = logs_of(world)
    log = next(data.decode() for path, data in texts.items() if "/W3SVC" in path and "CS1SUP" in path)
    assert "CONTOSO\\Administrator" in log
    assert log_text(texts, "Change.log").count("Synchronization manually started") == 1


# --- what should better not be done


def test_deleting_the_request_files_cancels_the_request() -> None:
    world = world_of("contoso-child", hours=3)
    _fault(world, "M43", 10 * MINUTE, "PS1")
    world.run_until(world.start + 2 * HOUR + 10 * MINUTE)
    site = world.sites["CS1"]
    site.wsyncmgr._inbox["SELF.SYN"] = None
    REPAIRS["X34"].apply(world, "CS1")
    assert site.wsyncmgr.inbox == ()


def test_editing_the_configuration_state_opens_the_gate_to_the_true_error() -> None:
    world = world_of(hours=4)
    _fault(world, "S16", 10 * MINUTE)
    _act(world, "X35", 119 * MINUTE)
    failed = _events(list(world.simulate()), SyncFailed)[0]
    assert failed.event.source.method == "CreateUpdateServer"


def test_a_reboot_clears_what_a_restart_clears() -> None:
    world = world_of(generation="2007", hours=8)
    for fault in ("S30", "S19", "S11", "M33"):
        _fault(world, fault, HOUR)
    _act(world, "X27", 3 * HOUR)
    _act(world, "R10", 6 * HOUR)
    entries = list(world.simulate())
    assert _events(entries, SyncSucceeded)
    assert not [entry for entry in entries if entry.at > world.start + 6 * HOUR + 10 * MINUTE and faults_of(entry)]


def test_an_empty_database_forgets_how_far_it_was() -> None:
    susdb = Susdb(entity="x", installed_at=0)
    susdb.add(1, Portion(0, 100, USUAL))
    susdb.read_to = 100
    susdb.empty(5, None)
    assert (susdb.portions, susdb.read_to, susdb.lost_to, susdb.installed_at) == ([], 0, 100, 5)
