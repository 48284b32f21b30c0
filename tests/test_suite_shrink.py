"""The reducer: what a tool gets wrong becomes as short as it can be, and stays wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.catalogue import find
from scenarios.story import Changes, load
from simulator.errors import WsyncsimError
from wsyncsim import cli
from wsyncsim.reader import Record, read
from wsyncsim.suite.case import Case
from wsyncsim.suite.fields import OWN_NAMES
from wsyncsim.suite.play import Player
from wsyncsim.suite.runs import run_files
from wsyncsim.suite.score import Output, output_of
from wsyncsim.suite.shrink import Shrinker, ddmin, joined, pieces
from wsyncsim.suite.tool import Ran

Planted = Callable[[Record, dict[str, Any]], dict[str, Any] | None]


class Planter(Player):
    """Our reader with a bug in it, in this process."""

    def __init__(self, bug: Planted) -> None:
        super().__init__([], OWN_NAMES, 1.0)
        self._bug = bug
        self.runs = 0

    def one(self, case: Case, folder: Path, stop: threading.Event | None = None) -> Output:
        self.runs += 1
        records = [self._bug(record, record.to_json()) for record in read(case.data).records]
        out = "".join(json.dumps(record) + "\n" for record in records if record is not None)
        return output_of(case, Ran(0, out.encode(), "", 0.0), self._fields)


def _shrink(bug: Planted, name: str = "S19", seconds: float = 60, **changes: Any) -> Any:
    return Shrinker(Planter(bug), None, seconds, lambda _text: None, "en").shrink(find(name, Changes(**changes)))


@given(st.lists(st.integers(0, 99), max_size=60), st.sets(st.integers(0, 99), min_size=1, max_size=3))
def test_what_is_left_is_all_that_is_needed(items: list[int], needed: set[int]) -> None:
    items += sorted(needed)
    *_, left = [items, *ddmin(items, lambda some: needed <= set(some))]
    assert sorted(left) == sorted(needed)


def test_a_file_is_the_sum_of_its_pieces() -> None:
    for file in run_files(find("M07", Changes(hours=4))):
        assert joined(pieces(file)) == (file.data, file.records)


def test_pieces_of_a_file_are_a_file_whose_records_are_known() -> None:
    for file in run_files(find("S19", Changes(generation="2007", os_language="de"))):
        parts = pieces(file)
        some = [part for number, part in enumerate(parts) if number % 3 or part.record is None]
        data, records = joined(some)
        found = [(each.line, each.line_end, each.byte_start, each.byte_end) for each in read(data).records]
        assert found == [tuple(each[name] for name in ("line", "line_end", "byte_start", "byte_end")) for each in records]


def test_a_bug_in_one_kind_of_record_leaves_one_record() -> None:
    def loses_the_retry(record: Record, told: dict[str, Any]) -> dict[str, Any] | None:
        return None if "Will retry in" in record.message else told

    found = _shrink(loses_the_retry)
    assert found.finished
    assert (found.level, len(found.records)) == ("frame", 1)
    assert "Will retry in" in found.records[0]["message"]
    assert found.story.hours < 12
    assert len(found.story.timeline) == 1


def test_a_bug_that_needs_two_records_leaves_two() -> None:
    seen: list[Record] = []

    def second_after_first(record: Record, told: dict[str, Any]) -> dict[str, Any] | None:
        if record.byte_start == 0 or not seen or seen[-1].byte_start >= record.byte_start:
            seen.clear()
        seen.append(record)
        starts = any("Starting Sync" in each.message for each in seen)
        return told | {"message": "?"} if starts and "Sync failed" in record.message and record.form == "server" else told

    found = _shrink(second_after_first)
    assert [record["message"][:11] for record in found.records] == ["Starting Sy", "Sync failed"]
    assert found.level == "text"


def test_a_bug_on_any_day_needs_no_fault_and_one_hour() -> None:
    def shifts(record: Record, told: dict[str, Any]) -> dict[str, Any]:
        return told | {"bias_min": 0, "time_utc": None} if record.form == "server" else told

    found = _shrink(shifts, "two-faces")
    assert (found.level, len(found.records), found.story.hours, found.story.timeline) == ("utc", 1, 1, ())


def test_a_smaller_estate_is_taken_if_it_fails_as_well() -> None:
    def loses_all(_record: Record, _told: dict[str, Any]) -> None:
        return None

    large = find("healthy-child", Changes(hours=3))
    assert len(large.estate.sites) > 1
    assert len(_shrink(loses_all, "healthy-child", hours=3).story.estate.sites) == 1


def test_a_tool_that_is_right_leaves_nothing() -> None:
    assert _shrink(lambda _record, told: told, hours=3) is None


def test_only_the_level_that_was_asked_for_counts() -> None:
    def wrong_twice(record: Record, told: dict[str, Any]) -> dict[str, Any]:
        return told | {"message": "?", "severity": "warning"} if "STATMSG" in record.message else told

    player = Planter(wrong_twice)
    found = Shrinker(player, "severity", 60, lambda _text: None, "de").shrink(find("S19"))
    assert found is not None
    assert (found.level, len(found.records)) == ("severity", 1)
    assert Shrinker(player, "utc", 60, lambda _text: None, "de").shrink(find("S19")) is None


def test_only_the_logs_that_were_asked_for_are_read() -> None:
    player = Planter(lambda _record, _told: None)

    def shrinker(logs: str) -> Shrinker:
        return Shrinker(player, None, 60, lambda _text: None, "en", logs)

    found = shrinker("WSUSCtrl*").shrink(find("S19", Changes(hours=3)))
    assert found is not None
    assert found.file.name == "WSUSCtrl.log"
    with pytest.raises(WsyncsimError, match="writes no log"):
        shrinker("smsts.log").shrink(find("S19", Changes(hours=3)))


def test_looking_ends_in_time_with_what_there_is() -> None:
    found = _shrink(lambda record, told: None if "e" in record.message else told, seconds=0)
    assert not found.finished
    assert found.records


def test_what_is_written_fails_again_and_plays_again(tmp_path: Path) -> None:
    found = _shrink(lambda record, told: None if "Will retry in" in record.message else told)
    found.write(tmp_path / "out")
    data = (tmp_path / "out" / "wsyncmgr.log").read_bytes()
    expected = json.loads((tmp_path / "out" / "wsyncmgr.log.expected.json").read_bytes())
    assert [record.message for record in read(data).records] == [record["message"] for record in expected["records"]]
    story = load(tmp_path / "out" / "story.toml")
    assert story.timeline == found.story.timeline
    assert data.split(b"\r\n")[0].removeprefix(b"\xef\xbb\xbf") in found.file.data
    assert found.file in run_files(story)
    with pytest.raises(WsyncsimError, match="exists already"):
        found.write(tmp_path / "out")


def test_the_command_writes_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Player, "one", Planter(lambda record, told: None if record.thread else told).one)
    command = ["suite", "shrink", "healthy", "--cmd", "python {file}"]
    monkeypatch.setattr("wsyncsim.suite.tool.shutil.which", lambda name: name)
    assert cli._run([*command, "--seconds", "20"]) == 1
    printed = capsys.readouterr()
    assert printed.out == "healthy-shrunk\n"
    assert "frame" in printed.err
    assert {"story.toml", "failure.json"} < {path.name for path in (tmp_path / "healthy-shrunk").iterdir()}
    assert cli._run([*command, "--seconds", "20"]) == 2, "the folder exists"
    monkeypatch.setattr(Player, "one", Planter(lambda _record, told: told).one)
    assert cli._run([*command, "--out", "other"]) == 0
    assert not (tmp_path / "other").exists()
