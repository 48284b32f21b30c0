"""The reference reader: everything that we write comes back, and nothing that a file holds makes it fail."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.catalogue import fault_ids, find, story_names
from scenarios.faults import FAULTS
from scenarios.story import Changes, StoryError
from scenarios.story_file import Generation
from simulator.versions import VERSIONS
from tests.second_parser import parse
from wsyncsim.reader import Reading, read
from wsyncsim.suite.case import Case
from wsyncsim.suite.handmade import handmade_cases
from wsyncsim.suite.runs import RunFile, run_files

CASES = list(handmade_cases())
SMALL = [case.data for case in CASES if len(case.data) < 20_000]
PLACES = ("line", "line_end", "byte_start", "byte_end")


def _comes_back(file: RunFile) -> None:
    """The reader finds the truth's records, at their places, with their times and texts."""
    reading = read(file.data)
    assert reading.unparsed == ()
    assert len(reading.records) == len(file.records), file.path
    for record, truth in zip(reading.records, file.records, strict=True):
        found = record.to_json()
        found["time_utc"] = datetime.datetime.fromisoformat(found["time_utc"])
        wanted = {**truth, "time_utc": datetime.datetime.fromisoformat(truth["time_utc"])}
        if "time_local" in wanted:
            assert found.pop("time_local") == datetime.datetime.fromisoformat(wanted.pop("time_local")).isoformat(), file.path
        assert {name: found.get(name) for name in wanted} == wanted, file.path


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("generation", VERSIONS)
@pytest.mark.parametrize("name", story_names())
def test_every_packaged_story_comes_back(name: str, generation: Generation, language: str) -> None:
    try:
        story = find(name, Changes(generation=generation, os_language=language))  # type: ignore[arg-type]
    except StoryError:
        pytest.skip("it cannot be played in this generation")
    files = run_files(story)
    assert files
    for file in files:
        _comes_back(file)


@pytest.mark.parametrize("fault", fault_ids())
def test_every_fault_comes_back_in_all_generations_and_languages(fault: str) -> None:
    for number, generation in enumerate(FAULTS[fault].generations):
        for language in ("en", "de"):
            for file in run_files(find(fault, Changes(generation=generation, os_language=language, seed=number))):  # type: ignore[arg-type]
                _comes_back(file)


@pytest.mark.parametrize("zone", ["America/St_Johns", "Asia/Kathmandu", "Australia/Sydney", "Europe/London", "UTC"])
def test_every_zone_comes_back_from_its_windows_name(zone: str) -> None:
    for start in ("2007-01-08T22:00", "2007-07-09T22:00"):
        for language in ("en", "de"):
            changes = Changes(generation="2007", timezone=zone, start=start, hours=4, os_language=language)
            for file in run_files(find("healthy", changes)):
                _comes_back(file)


def _within(reading: Reading, size: int) -> None:
    """Spans lie in the file, in order, without overlap; lines too."""
    position, line = 0, 1
    for span in sorted((*reading.records, *reading.unparsed), key=lambda each: each.byte_start):
        assert position <= span.byte_start < span.byte_end <= size
        assert line <= span.line <= span.line_end
        position, line = span.byte_end, span.line


@given(st.binary(max_size=400))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    _within(read(data), len(data))


TOKENS = st.sampled_from(
    [
        "<![LOG[",
        "]LOG]!>",
        '<time="01:02:03.004-60" date="01-02-2026" component="C" context="" type="1" thread="1" file="">',
        "  $$<C>",
        "<01-02-2026 03:04:05.006+60>",
        "<thread=8 (0x8)>",
        "\r\n",
        "\n",
        "\r",
        "\x00",
        "\ufeff",
        "ü",
        "𝄞",
        "#Fields: date time a",
        "#Software: x",
        "2026-01-02 03:04:05",
        ".006 UTC\tInfo\tw3wp.1\tA.B\t",
        "   at A.B()",
        "99-99-9999",
        "<Mon Aug 06 ",
        " ",
    ]
)


@given(st.lists(TOKENS, max_size=25), st.sampled_from(["utf-8", "cp1252", "utf-16", "utf-16-le", "utf-16-be"]))
def test_no_mixture_of_its_own_marks_makes_it_fail(tokens: list[str], encoding: str) -> None:
    data = "".join(tokens).encode(encoding, "replace")
    _within(read(data), len(data))


@given(st.data())
def test_no_mutation_of_a_log_makes_it_fail(data: st.DataObject) -> None:
    log = bytearray(data.draw(st.sampled_from(SMALL)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(log)))
        match data.draw(st.sampled_from(["cut", "insert", "flip", "tail"])):
            case "cut":
                del log[at : at + data.draw(st.integers(1, 40))]
            case "insert":
                log[at:at] = data.draw(st.binary(min_size=1, max_size=8))
            case "tail":
                del log[at:]
            case _ if at < len(log):
                log[at] ^= 1 << data.draw(st.integers(0, 7))
    _within(read(bytes(log)), len(log))


@given(st.sampled_from(SMALL), st.integers(0, 20_000))
def test_records_before_a_cut_are_those_of_the_whole_file(data: bytes, at: int) -> None:
    """A reader that follows a growing file sees the same records, but for the last."""
    line_end = data.rfind(b"\n", 0, at) + 1
    whole, part = read(data), read(data[:line_end])
    if whole.encoding == part.encoding and not whole.encoding.startswith("utf-16"):
        before = [record for record in whole.records if record.byte_end < line_end]
        assert [record for record in part.records if record in before] == before


def test_a_long_file_of_beginnings_takes_no_endless_time() -> None:
    data = b"x <![LOG[ y\r\n" * 20_000 + b"<![LOG[\r\n" * 20_000
    assert read(data).records == ()


@pytest.mark.parametrize("case", [case for case in CASES if case.group == "y"], ids=lambda case: case.id)
def test_a_second_parser_reads_the_same_from_hand_made_cases(case: Case) -> None:
    """Neither our reader nor our writers made these expectations; a parser of another kind confirms them."""
    found = parse(case.data, case.format)
    wanted = [
        {name: _moment(name, value) for name, value in record.items() if name not in PLACES} for record in case.expected["records"]
    ]
    assert found == wanted


def _moment(name: str, value: object) -> object:
    if name not in ("time_local", "time_utc"):
        return value
    return datetime.datetime.fromisoformat(str(value)).replace(tzinfo=None)


def test_a_second_parser_reads_the_same_from_whole_runs() -> None:
    for generation in VERSIONS:
        for file in run_files(find("S19", Changes(generation=generation, os_language="de"))):  # type: ignore[arg-type]
            for record, truth in zip(parse(file.data, file.format), file.records, strict=True):
                wanted = {name: _moment(name, value) for name, value in truth.items() if name not in PLACES}
                assert {name: record.get(name) for name in wanted} == wanted, file.path
