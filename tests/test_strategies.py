"""The Hypothesis strategies: what they draw is what the layouts write, the expectations hold, and examples shrink."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from generators.log import BOM_UTF8
from generators.write import Recorder
from scenarios.story import Story, parse
from wsyncsim import strategies as wsync
from wsyncsim.strategies import DAMAGES, LOGS, Damage, DamagedFile, LogFile, Record, RotatedLog

T = TypeVar("T")
SERVER = re.compile(r"(.*)  \$\$<([^<>]*)><(.*?)><thread=(\d+) \(0x([0-9A-F]+)\)>", re.DOTALL)
FEW = settings(max_examples=40)
QUICK = settings(database=None, max_examples=500, phases=[Phase.generate])
"""For what has only to be found."""
PLAIN = settings(database=None, max_examples=500, phases=[Phase.generate, Phase.shrink])
"""For what has to be small."""


def drawn(strategy: st.SearchStrategy[T], wanted: Callable[[T], bool], how: settings = QUICK) -> T:
    """An example that is wanted."""
    return find(strategy, wanted, settings=how)


@given(wsync.records(log="WCM.log"))
@FEW
def test_a_record_is_its_message_in_the_envelope(record: Record) -> None:
    found = SERVER.fullmatch(record.text)
    assert found
    assert (found[1], found[2]) == (record.message, record.truth.component)
    assert int(found[4]) == int(found[5], 16) == record.truth.thread


@given(wsync.records(generation="cb", log="wsyncmgr.log"))
@FEW
def test_a_record_s_times_are_those_of_its_text(record: Record) -> None:
    found = SERVER.fullmatch(record.text)
    assert found
    local = datetime.strptime(found[3][:23], "%m-%d-%Y %H:%M:%S.%f")  # noqa: DTZ007
    bias_min = int(found[3][23:])
    assert local.isoformat(timespec="milliseconds") == record.truth.ts_local
    assert bias_min == record.truth.bias_min
    assert (local + timedelta(minutes=bias_min)).isoformat(timespec="milliseconds") + "Z" == record.truth.ts_utc


@given(wsync.records(log="SoftwareDistribution.log"))
@FEW
def test_a_record_of_wsus_ends_with_its_message(record: Record) -> None:
    assert record.text.split("\t", 4)[4] == record.message
    assert record.text.startswith(record.truth.ts_utc[:-1].replace("T", " "))


@given(wsync.files())
@FEW
def test_a_file_is_its_records(file: LogFile) -> None:
    mark = BOM_UTF8 if file.data.startswith(BOM_UTF8) else b""
    assert mark + b"".join(record.text.encode(file.encoding) + b"\r\n" for record in file.records) == file.data
    assert [record.truth.ts_utc for record in file.records] == sorted(record.truth.ts_utc for record in file.records)
    for record in file.records:
        raw = file.data[record.truth.byte_start : record.truth.byte_end]
        assert raw.decode(file.encoding) == record.text
        assert record.message in record.text


@given(wsync.files(log="WSUSCtrl.log", generation="2007", language="de", zone="Europe/Berlin", max_records=3))
@FEW
def test_what_is_asked_for_is_drawn(file: LogFile) -> None:
    assert (file.name, file.generation, file.encoding) == ("WSUSCtrl.log", "2007", "cp1252")
    assert len(file.records) <= 3
    assert all("Westeuropäische" in record.text for record in file.records)


@given(wsync.texts(tricky=False))
@FEW
def test_plain_texts_are_one_line(text: str) -> None:
    assert len(text.splitlines()) <= 1
    assert text == text.strip()


@given(wsync.rotations())
@FEW
def test_rotated_files_hold_the_newest_records(log: RotatedLog) -> None:
    assert [file.name.rsplit(".", 1)[1] for file in log.files] == ["lo_", "log"][-len(log.files) :]
    assert log.dropped == 0 or len(log.files) == 2
    times = [record.truth.ts_utc for record in log.records]
    assert times == sorted(times)


def test_some_logs_are_rotated_more_than_once() -> None:
    assert drawn(wsync.rotations(), lambda log: log.dropped > 0).files[0].records


@pytest.mark.parametrize("kind", DAMAGES)
def test_intact_records_are_still_there(kind: Damage) -> None:
    @given(wsync.damaged_files(damage=kind))
    @settings(max_examples=15)
    def check(file: DamagedFile) -> None:
        assert file.damage == kind
        assert len(file.intact) == len(file.whole.records) - len(file.hurt)
        for record in file.intact:
            assert record.text.replace("\r\n", "\n").encode(file.whole.encoding) in file.data.replace(b"\r\n", b"\n")
        assert file.data != file.whole.data or kind == "no mark" or (kind == "garbled" and file.whole.encoding == "cp1252")

    check()


def test_a_record_of_several_lines_may_take_in_what_is_left_of_the_next() -> None:
    wanted = wsync.damaged_files(damage="torn", log="SoftwareDistribution.log")
    assert drawn(wanted, lambda file: len(file.hurt) == 2).hurt in {(n, n + 1) for n in range(10)}
    single = wsync.damaged_files(damage="torn", log="WCM.log")
    assert len(drawn(single, lambda file: len(file.whole.records) > 2).hurt) == 1


@pytest.mark.parametrize("kind", DAMAGES)
def test_every_kind_of_damage_is_drawn(kind: Damage) -> None:
    assert drawn(wsync.damaged_files(), lambda file: file.damage == kind)


@given(wsync.stories())
@settings(max_examples=25)
def test_stories_can_be_played(story: Story) -> None:
    world = story.build()
    with Recorder(world.estate, world.version, None, os_language=story.os_language) as recorder:
        recorder.record(world.simulate())
    assert recorder.texts
    again = parse(story.to_toml(), "again", name=story.name)
    assert again.timeline == story.timeline
    assert again.sha256 == story.sha256


def test_records_shrink_to_the_plainest() -> None:
    record = drawn(wsync.records(), lambda _: True, PLAIN)
    assert (record.truth.params, record.truth.thread, record.truth.ts_utc) == ({}, 1, "2000-01-01T00:00:00.000Z")


def test_files_shrink_to_one_record() -> None:
    file = drawn(
        wsync.files(log="wsyncmgr.log", max_records=5), lambda file: any("ä" in record.message for record in file.records), PLAIN
    )
    assert len(file.records) == 1
    assert "ä" in file.records[0].truth.params.values()


def test_stories_shrink_to_one_step() -> None:
    story = drawn(wsync.stories(), lambda story: len(story.faults) == 1, PLAIN)
    assert (len(story.timeline), story.seed, story.hours) == (1, 0, 1)


def test_a_reader_with_a_mistake_is_found_out() -> None:
    """Who looks for the first ``$$<`` instead of the last stumbles over a message that holds one."""

    def wrong(record: Record) -> bool:
        return record.text.split("$$<", 1)[0].rstrip(" ") != record.message.rstrip(" ")

    record = drawn(wsync.records(log="wsyncmgr.log"), wrong, PLAIN)
    assert "$$<" in record.message


@pytest.mark.parametrize("wrong", [{"log": "nothing.log"}, {"generation": "2011"}])
def test_names_that_do_not_exist_are_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected one of"):
        find(wsync.records(**wrong), lambda _: True)


@pytest.mark.parametrize("name", list(LOGS))
def test_all_logs_are_drawn(name: str) -> None:
    assert drawn(wsync.files(), lambda file: file.name == name)
