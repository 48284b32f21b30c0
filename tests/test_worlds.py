"""Worlds that nobody thought of: composed estates in which anything goes wrong at any time, and everything is explained."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.truth_record import TruthRecord, read
from generators.write import Recorder
from scenarios.faults import FAULTS
from scenarios.played import TROUBLE
from scenarios.repairs import REPAIRS
from simulator.errors import EstateError
from simulator.estate import ESTATES, Estate, Proxy, Site
from simulator.events import (
    ActionTaken,
    FaultBegan,
    ReplicaSynced,
    SettleStarted,
    SyncRetryPlanned,
    SyncRunEnded,
    SyncStarted,
    SynFileArrived,
    WcmConfigurationRefused,
    WcmStateSet,
    WcmWokeUp,
    WsusSyncBegan,
    WsusSyncEnded,
    WsusSyncFinishFired,
)
from simulator.journal import Entry
from simulator.units import HOUR, MINUTE, MS, SECOND
from simulator.versions import version
from simulator.world import World
from tests.conftest import MONDAY, start_at

ZONES = ("", "", "", "America/St_Johns", "Asia/Kathmandu", "Pacific/Auckland", "UTC", "America/Los_Angeles")
DATES = (
    MONDAY,
    datetime.datetime(2026, 3, 28, 21, 0),
    datetime.datetime(2026, 10, 24, 23, 30),
    datetime.datetime(2026, 6, 9, 16, 0),
    datetime.datetime(2027, 12, 31, 12, 0),
)
"""Starts: an ordinary one, both changes of daylight saving time, a second Tuesday, a turn of the year."""


# --- composing


@dataclass(frozen=True)
class Deed:
    """A fault, a repair or a trap, at a moment."""

    id: str
    site: str
    at_us: int
    until_us: int = 0
    """When a fault ends by itself; 0 when it does not."""


@dataclass(frozen=True)
class Composed:
    """A world to be."""

    estate: Estate
    generation: str
    seed: int
    start: datetime.datetime
    hours: int
    deeds: tuple[Deed, ...] = ()

    def build(self, *, stepwise: bool = False) -> World:
        start = start_at(self.start, self.estate.timezone)
        end = start + self.hours * HOUR
        world = World(self.estate, version(self.generation), seed=self.seed, start=start, end=end, stepwise=stepwise)
        for deed in self.deeds:
            world.plan(start + deed.at_us, _do(deed))
        return world


def _do(deed: Deed) -> Callable[[World], None]:
    """What makes no sense at that moment is refused with a message, and does nothing."""

    def repair(world: World) -> None:
        try:
            REPAIRS[deed.id].apply(world, deed.site)
        except EstateError:
            return

    def begin(world: World) -> None:
        fault = FAULTS[deed.id]
        try:
            because = fault.begin(world, deed.site)
        except EstateError:
            return
        if deed.until_us:
            world.plan(world.start + deed.until_us, lambda later: fault.end(later, deed.site, because))

    return begin if deed.id in FAULTS else repair


@st.composite
def sites(draw: st.DrawFn, /, code: str, generation: str, **place: Any) -> Site:
    """A site with whatever a site can have."""
    kind = version(generation)
    server = f"{code}SITE"
    sup = draw(st.sampled_from((server, f"{code}SUP", f"{code}SUP")))
    others = [host for host in (server, f"{code}SUP2", f"{code}SUP3") if host != sup]
    further = draw(st.lists(st.sampled_from(others), max_size=min(2, kind.max_sups - 1), unique=True))
    flag = st.sampled_from((False, False, True))
    opens_h = draw(st.sampled_from((0, 0, 0, 22)))
    return Site(
        code=code,
        server=server,
        sup=sup,
        further_sups=tuple(further) if draw(flag) else (),
        ssl=draw(flag),
        certificate=draw(flag),
        old_wsus=f"{code}OLD" if draw(flag) else "",
        connection_account="svc-wsus" if draw(flag) else "",
        timezone=draw(st.sampled_from(ZONES)),
        transfer_from_h=opens_h,
        transfer_until_h=draw(st.sampled_from((24, 23, 6 if opens_h else 24))),
        **place,
    )


@st.composite
def estates(draw: st.DrawFn, generation: str) -> Estate:
    """A stand-alone site, or a hierarchy of up to three levels."""
    proxy = draw(st.sampled_from((None, None, Proxy(), Proxy(account="svc-proxy"))))
    kind = version(generation)
    primaries = draw(st.integers(0, 2))
    every_h = draw(st.sampled_from((24, 24, 1, 5, 12, 0)))
    through = proxy is not None and draw(st.booleans())
    top = draw(
        sites(
            "CS1",
            generation,
            kind="central" if primaries else "primary",
            proxy=through,
            sync_at_h=draw(st.integers(0, 23)),
            sync_every_h=every_h,
            products=tuple(kind.products[: draw(st.integers(0, 2))]),
            languages=draw(st.sampled_from((("en",), ("en", "de")))),
        )
    )
    built = [top]
    for number in range(primaries):
        code = f"PS{number + 1}"
        nested = number and kind.primaries_nest and draw(st.booleans())
        child_proxy = proxy is not None and draw(st.booleans())
        built.append(draw(sites(code, generation, parent="PS1" if nested else "CS1", proxy=child_proxy)))
    for number in range(draw(st.integers(0, 2)) if primaries or not top.proxy else 0):
        parent = draw(st.sampled_from([site.code for site in built if site.kind == "primary"]))
        if primaries or parent != "CS1":
            built.append(draw(sites(f"SS{number + 1}", generation, kind="secondary", parent=parent)))
    names = not through or draw(st.booleans())
    zone = draw(st.sampled_from(("Europe/Berlin", "America/Chicago")))
    return Estate(name="composed", sites=tuple(built), proxy=proxy, internet_names=names, timezone=zone, log_max_bytes=40_000)


@st.composite
def composed(draw: st.DrawFn, *, most_deeds: int = 8) -> Composed:
    """A world and what happens in it."""
    generation = draw(st.sampled_from(("2007", "2012", "cb")))
    estate = draw(estates(generation))
    hours = draw(st.sampled_from((6, 10, 26)))
    codes = [site.code for site in estate.sites]
    known = [*(id for id, fault in FAULTS.items() if generation in fault.generations), *REPAIRS]
    flag = st.booleans()
    around = draw(st.integers(0, hours * HOUR))
    span = st.one_of(
        st.integers(0, hours * HOUR),
        st.integers(0, hours * 6).map(lambda n: n * 10 * MINUTE),
        st.integers(around, around + 12 * MINUTE),  # much in a short time, in the middle of a synchronization too
    )
    deeds = [
        Deed(
            draw(st.sampled_from(known)),
            draw(st.sampled_from(codes)),
            at_us := draw(span),
            at_us + draw(st.integers(1, 4 * HOUR)) if draw(flag) else 0,
        )
        for _ in range(draw(st.integers(0, most_deeds)))
    ]
    if draw(flag) and deeds:
        deeds.append(Deed("R10", "CS1", around))
    seed, start = draw(st.integers(0, 10**6)), draw(st.sampled_from(DATES))
    return Composed(estate, generation, seed, start, hours, tuple(deeds))


# --- looking


def _played(world: World, kept: list[Entry], *, os_language: str = "en") -> dict[str, bytes]:
    def keep() -> Iterator[Entry]:
        for entry in world.simulate():
            kept.append(entry)
            yield entry

    with Recorder(world.estate, world.version, None, os_language=os_language, truth=True) as recorder:  # type: ignore[arg-type]
        recorder.record(keep())
    return recorder.texts


def _check_entries(entries: list[Entry], *, healthy: bool) -> None:
    """Every abnormal entry ends at a deed, every trouble has a cause, and nothing is abnormal where nothing was done."""
    for entry in entries:
        *_, end = entry, *entry.chain()
        if entry.because is not None:
            assert isinstance(end.event, FaultBegan | ActionTaken), (entry, end)
            assert entry.because.at <= entry.at, (entry, entry.because)
        assert entry.because is not None or not isinstance(entry.event, TROUBLE), entry
        assert not healthy or entry.because is None, entry


LINE = re.compile(r"  \$\$<(SMS_WSUS_[A-Z_]+)><([^<>]+)><thread=(\d+) \(0x([0-9A-F]+)\)>$")
ZONE_NAME = re.compile(r"(?P<local>[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d\.\d{3} \d{4}) (?P<zone>\S.*)")
BIAS = re.compile(r"(?P<local>\d\d-\d\d-\d{4} \d\d:\d\d:\d\d\.\d{3})(?P<zone>[+-]\d+)")
"""Time stamps with the name of the zone (2007), and with its bias."""


def _check_site_component_line(line: str, record: TruthRecord, *, bias: bool) -> None:
    """The envelope of wsyncmgr.log, WCM.log and WSUSCtrl.log says the same as the truth."""
    found = LINE.search(line)
    assert found is not None, line
    component, stamp, thread, in_hex = found.groups()
    form, template = (BIAS, "%m-%d-%Y %H:%M:%S.%f") if bias else (ZONE_NAME, "%a %b %d %H:%M:%S.%f %Y")
    parts = form.fullmatch(stamp)
    assert parts is not None, line
    local = datetime.datetime.strptime(parts["local"], template).replace(tzinfo=datetime.UTC)
    told = datetime.datetime.fromisoformat(record.ts_local).replace(tzinfo=datetime.UTC)
    assert (component, local) == (record.component, told), (line, record)
    assert not bias or int(parts["zone"]) == record.bias_min, (line, record)
    assert int(thread) == int(in_hex, 16) == record.thread, (line, record)


def _check_records(texts: dict[str, bytes], *, bias: bool, healthy: bool) -> None:
    """Every file is made of the records that its truth tells of, in order of time."""
    for path, content in texts.items():
        if not path.startswith("logs/"):
            continue
        records = read(texts[f"truth/records/{path.removeprefix('logs/')}.jsonl"])
        last, line, end = "", 1, 0
        for record in records:
            assert record.file == path
            assert record.line == line + content.count(b"\n", end, record.byte_start), (path, record)
            line, end = record.line, record.byte_start
            span = content[record.byte_start : record.byte_end]
            lines = span.count(b"\n")
            assert (record.line_end or record.line) == record.line + lines, (path, record)
            assert record.ts_utc >= last, f"{path} runs backwards at line {record.line}"
            last = record.ts_utc
            local = datetime.datetime.fromisoformat(record.ts_local) + datetime.timedelta(minutes=record.bias_min)
            assert local == datetime.datetime.fromisoformat(record.ts_utc.removesuffix("Z")), record
            if b"$$<" in span:
                _check_site_component_line(span.decode("utf-8", "replace"), record, bias=bias)
            assert healthy or record.causes or record.severity not in ("warning", "error"), (path, record, span)


# --- the laws


def check_laws(world: Composed, os_language: str = "en") -> None:
    """Nothing crashes, everything that is abnormal is explained, and files and truth agree."""
    entries: list[Entry] = []
    built = world.build()
    texts = _played(built, entries, os_language=os_language)
    _check_entries(entries, healthy=not world.deeds)
    _check_records(texts, bias=built.version.stamp_form == "bias", healthy=not world.deeds)


def check_determinism(world: Composed) -> None:
    """Running ahead writes what running stepwise writes, and what running again does."""
    ahead, again, stepwise = (_played(world.build(stepwise=mode), []) for mode in (False, False, True))
    assert ahead == again
    for path in {**ahead, **stepwise}:
        assert ahead.get(path) == stepwise.get(path), path


@settings(max_examples=70)
@given(composed(), st.sampled_from(("en", "de")))
def test_whatever_happens_is_explained_and_every_file_parses(world: Composed, os_language: str) -> None:
    check_laws(world, os_language)


@settings(max_examples=25)
@given(composed(most_deeds=0))
def test_a_composed_estate_without_faults_and_actions_is_healthy(world: Composed) -> None:
    check_laws(world)


@settings(max_examples=25)
@given(composed())
def test_composed_worlds_run_ahead_as_they_run_stepwise(world: Composed) -> None:
    check_determinism(world)


TURNS = (
    ReplicaSynced,
    SettleStarted,
    SyncRetryPlanned,
    SyncRunEnded,
    SyncStarted,
    SynFileArrived,
    WcmConfigurationRefused,
    WcmStateSet,
    WcmWokeUp,
    WsusSyncBegan,
    WsusSyncEnded,
    WsusSyncFinishFired,
)
"""Where who comes first decides how it goes on."""
MEDDLING = ("R10", "R11", "X22", "X27")
"""Starts and cancels synchronizations, in ConfigMgr and past it."""


@settings(max_examples=25)
@given(composed(most_deeds=2), st.data())
def test_what_is_done_just_before_a_turn_does_the_same_however_the_world_is_played(world: Composed, data: st.DataObject) -> None:
    turns = [entry for entry in world.build().simulate() if isinstance(entry.event, TURNS)]
    for _ in range(data.draw(st.integers(1, 2)) if turns else 0):
        turn = data.draw(st.sampled_from(turns))
        site = next((site.code for site in world.estate.sites if turn.host.startswith(site.code)), world.estate.top.code)
        at_us = turn.at - world.build().start - data.draw(st.integers(0, 2_500)) * MS
        deed = Deed(data.draw(st.sampled_from(MEDDLING)), site, max(at_us, 0))
        world = replace(world, deeds=(*world.deeds, deed))
    in_slices = list(world.build().simulate())
    assert list(world.build(stepwise=True).simulate()) == in_slices
    assert _in_steps(world.build(), data.draw(st.integers(1, 2 * 60)) * MINUTE - 1) == in_slices


def _in_steps(world: World, step_us: int = 7 * MINUTE - 1) -> list[Entry]:
    entries: list[Entry] = []
    while world.now < world.end:
        entries += world.run_until(min(world.now + step_us, world.end))
    return entries


CLOSE = {
    "a run asks whether WSUS is busy while a foreign synchronization ends": Composed(
        ESTATES["contoso"], "cb", 1, MONDAY, 4, (Deed("X22", "CS1", 150 * MINUTE), Deed("R11", "CS1", 10_220_042_961))
    ),
    "a file arrives while the child's thread is ahead": Composed(
        ESTATES["contoso-child"], "2007", 1, MONDAY, 5, (Deed("R10", "CS1", 185 * MINUTE),)
    ),
    "a run passes the gate while WCM is failing": Composed(
        ESTATES["contoso"], "cb", 1, MONDAY, 5, (Deed("S11", "CS1", HOUR), Deed("R11", "CS1", 6_685_785_135))
    ),
}


@pytest.mark.parametrize("name", CLOSE)
def test_close_calls_end_the_same_however_the_world_is_played(name: str) -> None:
    world = CLOSE[name]
    entries = list(world.build().simulate())
    assert list(world.build(stepwise=True).simulate()) == entries
    assert _in_steps(world.build()) == entries


@pytest.mark.parametrize("stopped_at_us", [0, 90 * MINUTE])
def test_wcm_goes_on_to_complain_of_a_further_point_while_the_rest_is_well(stopped_at_us: int) -> None:
    estate = replace(ESTATES["contoso"], sites=(replace(ESTATES["contoso"].sites[0], further_sups=("CS1SUP2",)),))
    played = []
    for stepwise in (False, True):
        world = Composed(estate, "cb", 1, MONDAY, 6).build(stepwise=stepwise)
        world.plan(world.start + stopped_at_us, lambda world: world.sites["CS1"].points[1].wsus.stop(world.now, None))
        played.append(list(world.simulate()))
    assert sum(isinstance(entry.event, WcmConfigurationRefused) for entry in played[0]) >= 4
    assert played[0] == played[1]


def test_a_synchronization_can_be_canceled_in_its_last_second() -> None:
    world = Composed(ESTATES["contoso"], "cb", 1, MONDAY, 6)
    ended = next(entry.at for entry in world.build().simulate() if isinstance(entry.event, WsusSyncEnded))
    at_us = ended - world.build().start + SECOND // 2
    canceled = replace(world, deeds=(Deed("X27", "CS1", at_us),))
    assert list(canceled.build().simulate()) == list(canceled.build(stepwise=True).simulate())
