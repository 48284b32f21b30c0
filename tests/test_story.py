"""Stories: how they are read, what is said of mistakes in them, and what the packaged ones play."""

from __future__ import annotations

import dataclasses
import difflib
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios import durations
from scenarios.catalogue import FOLDER, fault_ids, find, story_names
from scenarios.fault import SYNC_FAILS
from scenarios.faults import FAULTS
from scenarios.mistakes import LONGEST_NAME, nearest
from scenarios.repairs import REPAIRS
from scenarios.story import Changes, Step, Story, StoryError, default_story, load, parse
from simulator.clock import Zone
from simulator.errors import WsyncsimError
from simulator.estate import ESTATES, Proxy, Site
from simulator.events import ActionTaken, FaultBegan, FaultEnded, ReplicaSyncFailed, SyncFailed, SyncSucceeded
from simulator.failures import HttpStatus, WsusNotConfigured
from simulator.journal import Entry
from simulator.units import DAY, HOUR, MINUTE, SECOND
from simulator.versions import VERSIONS

TITLE = 'title.en = "A"\ntitle.de = "B"\n'
HAND = (FaultBegan, FaultEnded, ActionTaken)


def _story(text: str, changes: Changes | None = None) -> Story:
    return parse(TITLE + text, "my.toml", changes or Changes())


def _played(story: Story, *kinds: type) -> list[Entry]:
    return [entry for entry in story.build().simulate() if isinstance(entry.event, kinds)]


# --- reading


def test_what_is_left_out_has_its_default() -> None:
    story = _story("")
    assert story.estate == ESTATES["contoso"]
    assert (story.generation, story.os_language, story.hours, story.seed) == ("cb", "en", 12, 1)
    assert story.start == datetime(2026, 3, 2, 6, 0)
    assert (story.ticket, story.timeline) == (None, ())
    assert _story('generation = "2007"').start == datetime(2007, 8, 6, 6, 0)


def test_times_are_offsets_or_local_times_of_the_estate() -> None:
    steps = (
        '[[timeline]]\nat = 2026-03-02T07:30:00\nfault = "S19"\nuntil = "2h"\n'
        '[[timeline]]\nat = "2026-03-02 07:00"\nrepair = "R10"\n[[timeline]]\nat = "1h 1s"\nrepair = "R11"\n'
    )
    assert _story(steps).timeline == (
        Step(HOUR, "repair", "R10", "CS1"),
        Step(HOUR + SECOND, "repair", "R11", "CS1"),
        Step(90 * MINUTE, "fault", "S19", "CS1", 2 * HOUR),
    )


def test_local_times_follow_daylight_saving_time() -> None:
    night = 'start = 2026-03-29T00:00:00\n[[timeline]]\nat = 2026-03-29T04:00:00\nrepair = "R10"\n'
    assert _story(night).timeline[0].at == 3 * HOUR


def test_a_built_in_estate_can_be_changed() -> None:
    estate = _story(
        '[estate]\nbase = "contoso-child"\nname = "mine"\ninternet_names = false\n'
        '[estate.proxy]\naccount = "svc"\n'
        '[[estate.sites]]\ncode = "CS1"\nproxy = true\n'
        '[[estate.sites]]\ncode = "PS2"\nserver = "B2"\nsup = "B2"\nparent = "CS1"\n'
    ).estate
    child = ESTATES["contoso-child"].sites[1]
    assert estate.name == "mine"
    assert estate.proxy == Proxy(account="svc")
    assert [site.code for site in estate.sites] == ["CS1", "PS1", "PS2"]
    assert estate.sites[0] == dataclasses.replace(ESTATES["contoso-child"].sites[0], proxy=True)
    assert estate.sites[1:] == (child, Site(code="PS2", server="B2", sup="B2", parent="CS1"))


def test_an_own_estate_is_complete() -> None:
    estate = _story('[estate]\ndomain = "fabrikam.example"\n[[estate.sites]]\ncode = "FAB"\nserver = "S1"\nsup = "S2"\n').estate
    assert (estate.domain, estate.netbios_domain) == ("fabrikam.example", "FABRIKAM")
    assert estate.sites == (Site(code="FAB", server="S1", sup="S2"),)


def test_a_step_without_site_is_at_the_usual_one() -> None:
    steps = '[[timeline]]\nat = "1h"\nfault = "S21"\n[[timeline]]\nat = "2h"\nrepair = "R10"\n'
    assert [step.site for step in _story('estate = "contoso-child"\n' + steps).timeline] == ["PS1", "CS1"]


def test_a_file_may_have_a_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "own story.toml"
    file.write_bytes(b"\xef\xbb\xbf" + TITLE.replace("\n", "\r\n").encode())
    assert load(file).name == "own story"


def test_changes_replace_what_the_story_says() -> None:
    story = _story(
        'hours = 5\n[[timeline]]\nat = "1h"\nfault = "S19"\nuntil = "4h"\n[[timeline]]\nat = "3h"\nrepair = "R02"\n',
        Changes(seed=7, generation="2012", os_language="de", timezone="America/Chicago", start="2026-05-04T05:00", hours=2),
    )
    assert (story.seed, story.generation, story.os_language, story.hours) == (7, "2012", "de", 2)
    assert (story.timezone, story.start) == ("America/Chicago", datetime(2026, 5, 4, 5, 0))
    assert story.start_at == Zone("America/Chicago").instant(datetime(2026, 5, 4, 5, 0))
    assert story.timeline == (Step(HOUR, "fault", "S19", "CS1"),)


# --- mistakes: where, what, hint

_STEP = "[[timeline]]\n"
MISTAKES = {
    "not TOML": ("hours = = 3\n", "my.toml", "line 3", ""),
    "unknown key": ('hurs = 3\nestate = "contoso"\n', "my.toml, line 3, hurs", "no such key", "'hours'"),
    "unknown key of a step": (
        f'{_STEP}at = "1h"\nfault = "S19"\n{_STEP}at = "2h"\nfalt = "S16"\n',
        "line 8, timeline[1].falt",
        "no such key",
        "'fault'",
    ),
    "unknown key of a site": ('[estate]\n[[estate.sites]]\ncod = "X"\n', "line 5, estate.sites[0].cod", "no such key", "'code'"),
    "wrong type": ('hours = "12"\n', "line 3, hours", "expected a whole number, found 12", ""),
    "no quotes": ("generation = 2007\n", "line 3, generation", "found 2007", ""),
    "no quotes around an id": (f'{_STEP}at = 90\nfault = "S19"\n', "line 4, timeline[0].at", "expected text in quotes", '"90"'),
    "neither name nor table": ("estate = 5\n", "line 3, estate", "text in quotes or a table", ""),
    "generation": ('generation = "2021"\n', "line 3, generation", "one of 2007, 2012, cb, found 2021", "'2012'"),
    "too short": ("hours = 0\n", "line 3, hours", "expected a whole number >= 1, found 0", ""),
    "negative seed": ("seed = -1\n", "line 3, seed", ">= 0, found -1", ""),
    "no at": (f'{_STEP}fault = "S19"\n', "line 3, timeline[0]", "'at' is missing", ""),
    "fault": (f'{_STEP}at = "1h"\nfault = "S99"\n', "line 5, timeline[0].fault", "no fault 'S99'", "Did you mean 'S"),
    "small letters": (f'{_STEP}at = "1h"\nfault = "s19"\n', "timeline[0].fault", "no fault 's19'", "'S19'"),
    "repair": (f'{_STEP}at = "1h"\nrepair = "R80"\n', "line 5, timeline[0].repair", "no repair 'R80'", "'R08'"),
    "both": (f'{_STEP}at = "1h"\nfault = "S19"\nrepair = "R02"\n', "line 3, timeline[0]", "exactly one of fault and repair", ""),
    "neither": (f'{_STEP}at = "1h"\n', "timeline[0]", "exactly one of fault and repair", ""),
    "site": (f'{_STEP}at = "1h"\nfault = "S19"\nsite = "CS2"\n', "line 6, timeline[0].site", "no site 'CS2'", "'CS1'"),
    "negative time": (f'{_STEP}at = "-1h"\nfault = "S19"\n', "line 4, timeline[0].at", "times count forward", "1h30m"),
    "no time": (f'{_STEP}at = "soon"\nfault = "S19"\n', "line 4, timeline[0].at", "found 'soon'", "1h30m"),
    "empty time": (f'{_STEP}at = ""\nfault = "S19"\n', "timeline[0].at", "found ''", ""),
    "only a day": (f'{_STEP}at = 2026-03-02\nfault = "S19"\n', "timeline[0].at", "found '2026-03-02'", ""),
    "with offset": (f'{_STEP}at = 2026-03-02T07:00:00Z\nfault = "S19"\n', "timeline[0].at", "local date and time", "without"),
    "before the start": (f'{_STEP}at = 2026-03-02T05:00:00\nfault = "S19"\n', "timeline[0].at", "before the start", ""),
    "after the end": (f'{_STEP}at = "12h"\nfault = "S19"\n', "line 4, timeline[0].at", "after the end", "hours = 13"),
    "ends too late": (f'{_STEP}at = "1h"\nfault = "S19"\nuntil = "2d"\n', "line 6, timeline[0].until", "after the end", ""),
    "ends too early": (f'{_STEP}at = "1h"\nfault = "S19"\nuntil = "1h"\n', "line 6, timeline[0].until", "before it begins", ""),
    "a repair ends": (f'{_STEP}at = "1h"\nrepair = "R02"\nuntil = "2h"\n', "line 6, timeline[0].until", "does not end", ""),
    "zone": ('timezone = "Europe/Berlim"\n', "line 3, timezone", "no time zone 'Europe/Berlim'", "'Europe/Berlin'"),
    "start": ('start = "tomorrow"\n', "line 3, start", "found tomorrow", "2026-03-02T06:00:00"),
    "start with offset": ("start = 2026-03-02T06:00:00+01:00\n", "line 3, start", "without offset", ""),
    "ancient start": ("start = 1601-01-01T00:00:00\n", "line 3, start", "1990 to 2099", ""),
    "estate": ('estate = "contoso-kid"\n', "line 3, estate", "no built-in estate 'contoso-kid'", "'contoso"),
    "base": ('[estate]\nbase = "contso"\n', "line 4, estate.base", "no built-in estate 'contso'", "'contoso'"),
    "no sites": ('[estate]\nname = "x"\n', "my.toml, estate.sites", "at least one site", ""),
    "site without server": ('[estate]\n[[estate.sites]]\ncode = "ABC"\n', "line 4, estate.sites[0]", "'server' is missing", ""),
    "site without code": ('[estate]\nbase = "contoso"\n[[estate.sites]]\nssl = true\n', "estate.sites[0]", "'code' is missing", ""),
    "site twice": (
        (
            '[estate]\n[[estate.sites]]\ncode = "A01"\nserver = "A"\nsup = "A"\n[[estate.sites]]\ncode = "A01"\nserver = "B"\n'
            'sup = "B"\n'
        ),
        "line 9, estate.sites[1].code",
        "A01 is there twice",
        "",
    ),
    "impossible estate": ('[estate]\nbase = "contoso"\ndomain = "x"\n', "my.toml, estate.domain", "not a DNS domain", ""),
    "impossible port": ('[estate]\nbase = "contoso"\n[estate.proxy]\nport = 0\n', "line 6, estate.proxy.port", "1 to 65535", ""),
    "no parent for it": (f'{_STEP}at = "1h"\nfault = "S21"\n', "line 3, timeline[0]", "S21 needs a parent site", "contoso-child"),
    "no proxy for it": (f'{_STEP}at = "1h"\nrepair = "R29"\n', "line 3, timeline[0]", "no proxy", ""),
    "not in this generation": (f'{_STEP}at = "1h"\nfault = "S18"\n', "timeline[0]", "does not exist in generation cb", "2007"),
    "by hand at a child": (
        f'estate = "contoso-child"\n{_STEP}at = "1h"\nrepair = "R10"\nsite = "PS1"\n',
        "line 4, timeline[0]",
        "child site PS1",
        "CS1",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_place_and_a_way_out(name: str) -> None:
    text, where, what, hint = MISTAKES[name]
    with pytest.raises(WsyncsimError) as caught:
        _story(text)
    error = caught.value
    assert where in error.where
    assert what in error.what
    assert hint in error.hint


def test_mistakes_in_options_name_the_option() -> None:
    broken = '[[timeline]]\nat = "3h"\nfault = "S19"\n'
    for changes, where in (
        (Changes(timezone="Nowhere"), "--timezone"),
        (Changes(start="2026-03-02"), "--start"),
        (Changes(hours=2), "--hours"),
    ):
        with pytest.raises(StoryError) as caught:
            _story(broken, changes)
        assert caught.value.where == where


@pytest.mark.parametrize("missing", ["title", "en", "de"])
def test_a_title_has_both_languages(missing: str) -> None:
    text = {"title": "", "en": 'title.de = "B"', "de": 'title.en = "A"'}[missing]
    with pytest.raises(StoryError, match=f"'{missing}' is missing"):
        parse(text, "my.toml")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes('title = "Störung"'.encode("latin-1"))
    (tmp_path / "folder.toml").mkdir()
    for name, what in (("none.toml", "no such file"), ("latin.toml", "not UTF-8"), ("folder.toml", "cannot be read")):
        with pytest.raises(StoryError, match=what) as caught:
            load(tmp_path / name)
        assert name in caught.value.where


@pytest.mark.parametrize(("name", "near"), [("helthy", "healthy"), ("S91", "S19"), ("two-face", "two-faces"), ("m7", "M07")])
def test_an_unknown_name_is_answered_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(StoryError) as caught:
        find(name)
    assert name in caught.value.what
    assert repr(near) in caught.value.hint


def test_what_is_longer_than_any_name_is_compared_with_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert nearest("x" * LONGEST_NAME, ["x" * (LONGEST_NAME - 1)])
    monkeypatch.setattr(difflib, "SequenceMatcher", None)
    assert nearest("x" * (LONGEST_NAME + 1), ["x" * LONGEST_NAME]) == ""


_KEYS = st.sampled_from(
    ["title", "title.en", "hours", "start", "estate", "estate.base", "estate.proxy.port", "timeline", "timezone", "seed", "x"]
)
_VALUES = st.sampled_from(
    [
        '"contoso"',
        "1",
        "-1",
        "true",
        "1.5",
        "[]",
        "[1]",
        "{}",
        '""',
        '"1h"',
        '{en = "a", de = "b"}',
        "2026-03-02",
        "2026-03-02T08:00:00",
        '[{at = "1h", fault = "S19"}]',
        '[{at = "1h", repair = "R10", site = "x"}]',
        '{base = "contoso", sites = [{code = "CS1"}]}',
    ]
)


@given(st.lists(st.tuples(_KEYS, _VALUES), max_size=6))
def test_whatever_is_written_becomes_a_story_or_a_message(pairs: list[tuple[str, str]]) -> None:
    text = "".join(f"{key} = {value}\n" for key, value in pairs)
    with suppress(WsyncsimError):
        assert isinstance(parse(text, "my.toml"), Story)


# --- durations


@given(st.integers(0, 4000 * DAY // SECOND))
def test_durations_are_read_as_they_are_spelled(seconds: int) -> None:
    assert durations.parse(durations.spell(seconds * SECOND)) == seconds * SECOND


@pytest.mark.parametrize("text", ["", " ", "1", "h", "1h-5m", "5m1h", "1.5h", "1H", "١h"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert durations.parse(text) is None


# --- writing


@pytest.mark.parametrize(("id", "generation"), [(id, generation) for id in fault_ids() for generation in FAULTS[id].generations])
def test_every_default_story_can_be_written_and_read(id: str, generation: str) -> None:
    story = find(id, Changes(generation=generation))  # type: ignore[arg-type]
    assert story.generation == generation
    assert [fault.id for fault in story.faults] == [id]
    assert parse(story.to_toml(), "x", name=id) == story


@pytest.mark.parametrize("name", story_names())
def test_every_packaged_story_can_be_written_and_read(name: str) -> None:
    story = find(name)
    again = parse(story.to_toml(), "x", name=name)
    assert again == story
    assert again.sha256 == story.sha256


_TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]))


@given(_TEXTS, _TEXTS)
def test_any_text_survives_writing(en: str, de: str) -> None:
    story = _story("")
    told = dataclasses.replace(story, title=story.title._replace(en=en, de=de))
    assert parse(told.to_toml(), "x") == told


# --- playing


def test_the_timeline_happens_when_it_says() -> None:
    story = _story(
        'hours = 4\n[[timeline]]\nat = "1h"\nfault = "S19"\nuntil = "2h"\n[[timeline]]\nat = "3h"\nrepair = "R10"\n',
    )
    assert [(entry.at - story.start_at, type(entry.event)) for entry in _played(story, *HAND)] == [
        (HOUR, FaultBegan),
        (2 * HOUR, FaultEnded),
        (3 * HOUR, ActionTaken),
    ]


def test_without_faults_nothing_breaks_and_people_do_what_they_do() -> None:
    story = default_story("S19")
    healthy = story.without_faults()
    assert not _played(healthy, FaultBegan, SyncFailed)
    assert len(_played(healthy, ActionTaken)) == len(_played(story, ActionTaken))
    assert healthy.faults == ()


def test_the_same_story_and_seed_give_the_same_entries() -> None:
    story = default_story("S16")
    assert list(story.build(3).simulate()) == list(story.build(3).simulate())
    assert list(story.build(3).simulate()) != list(story.build(4).simulate())


@pytest.mark.parametrize("id", fault_ids())
def test_a_default_story_recovers_from_what_it_tells_of(id: str) -> None:
    """A run fails, wholly or in part, or does not take place at all; in the end, all is well."""
    story = default_story(id)
    runs = [entry.event for entry in _played(story, SyncFailed, ReplicaSyncFailed, SyncSucceeded)]
    healthy = _played(story.without_faults(), SyncSucceeded)
    fails = any(isinstance(run, SyncFailed | ReplicaSyncFailed) for run in runs) or len(runs) < len(healthy)
    assert fails or FAULTS[id].complaint != SYNC_FAILS
    assert isinstance(runs[-1], SyncSucceeded)


def test_a_default_story_waits_for_the_next_synchronization_by_schedule() -> None:
    story = find("S19", Changes(start="2026-03-02T14:00:00"))
    assert story.timeline[0].at == 17 * HOUR + 55 * MINUTE
    assert any(isinstance(run.event, SyncFailed) for run in _played(story, SyncFailed))


@pytest.mark.parametrize("name", ["healthy", "healthy-child"])
@pytest.mark.parametrize("generation", VERSIONS)
def test_the_healthy_days_are_healthy(name: str, generation: str) -> None:
    story = find(name, Changes(generation=generation))  # type: ignore[arg-type]
    entries = list(story.build().simulate())
    assert not [entry for entry in entries if entry.because is not None]
    runs = [entry.event.site for entry in entries if isinstance(entry.event, SyncSucceeded)]
    assert runs == [site.code for site in story.estate.sites]


def test_behind_the_first_fault_waits_the_second() -> None:
    story = find("hidden-behind")
    entries = _played(story, *HAND, SyncFailed, SyncSucceeded)
    repairs = [entry.at for entry in entries if isinstance(entry.event, ActionTaken)]
    between = [entry for entry in entries if repairs[2] < entry.at < repairs[3]]
    assert between
    assert {cause.event.fault for entry in between for cause in entry.chain() if isinstance(cause.event, FaultBegan)} == {"S16"}
    assert isinstance(entries[-1].event, SyncSucceeded)


def test_one_fault_shows_two_faces() -> None:
    first, second, *_ = [entry.event.reason for entry in _played(find("two-faces"), SyncFailed)]
    assert first == HttpStatus(401, 3, 5)
    assert isinstance(second, WsusNotConfigured)


def test_a_repair_that_nobody_tells_wcm_of_helps_later() -> None:
    story = find("repaired-too-quietly")
    entries = _played(story, ActionTaken, SyncFailed, SyncSucceeded)
    repaired = next(entry.at for entry in entries if isinstance(entry.event, ActionTaken) and entry.event.action == "R02")
    after = [type(entry.event) for entry in entries if entry.at > repaired and not isinstance(entry.event, ActionTaken)]
    assert after[0] is SyncFailed
    assert after[-1] is SyncSucceeded


def test_the_hour_that_happens_twice_is_played_twice() -> None:
    story = find("daylight-saving")
    zone = Zone(story.timezone)
    failed, succeeded = _played(story, SyncFailed, SyncSucceeded)
    assert (zone.local(failed.at).hour, zone.bias_min(failed.at)) == (2, -120)
    assert (zone.local(succeeded.at).hour, zone.bias_min(succeeded.at)) == (2, -60)


# --- both languages


@pytest.mark.parametrize("name", [*story_names(), *fault_ids()])
def test_every_story_is_told_in_both_languages(name: str) -> None:
    story = find(name)
    for text in (story.title, *([story.ticket] if story.ticket else [])):
        assert text.en
        assert text.de
        assert text.en != text.de


def test_every_repair_has_both_languages() -> None:
    assert all(repair.title.en and repair.title.de for repair in REPAIRS.values())


def test_the_tickets_of_the_catalogue_do_not_name_the_fault() -> None:
    for path in FOLDER.glob("*.toml"):
        story = load(path)
        assert story.ticket is not None or not story.faults, path.name
        if story.ticket is not None:
            assert not any(fault.title.en in story.ticket.en for fault in story.faults)


def test_control_characters_do_not_reach_the_terminal() -> None:
    with pytest.raises(StoryError, match="control characters"):
        parse('title.en = "\\u001b[31mred"\ntitle.de = "rot"\n', "x")


@pytest.mark.parametrize(
    "estate",
    [
        'sites = [{code = "CS1", server = "NUL", sup = "SUP1"}]',
        'sites = [{code = "CS1", server = "SITE1", sup = "COM1"}]',
        'sites = [{code = "CS1", server = "SITE-", sup = "SUP1"}]',
        'sites = [{code = "CS1", server = "SITE1", sup = "SUP1", connection_account = "c</Data>\\nEVIL"}]',
        'proxy = {host = "../x"}\nbase = "contoso-proxy"',
        (
            'sites = [{code = "CS1", kind = "central", server = "A1", sup = "B1"},'
            ' {code = "CS2", kind = "central", server = "A2", sup = "B2", parent = "CS1"}]'
        ),
    ],
)
def test_names_and_places_that_cannot_be_are_refused(estate: str) -> None:
    with pytest.raises(StoryError):
        parse(f'title.en = "x"\ntitle.de = "x"\n[estate]\n{estate}\n', "x")


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "seed = " + "9" * 5000])
def test_toml_that_breaks_its_parser_is_told_like_any_other(text: str) -> None:
    with pytest.raises(StoryError):
        parse(text, "x")
