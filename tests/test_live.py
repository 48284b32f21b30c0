"""Live runs: the bytes of an ordinary run, the ways of rotation, the pace, the truth beside the folder, and clean ends."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wsyncsim
from generators.feed import Piece
from generators.log import BOM_UTF8
from generators.write import Recorder
from scenarios.live import LiveOptions, Pace, next_second
from scenarios.live_files import LiveFiles
from scenarios.run import OutputError, play
from scenarios.story import Story
from simulator.dice import Dice
from simulator.errors import WsyncsimError
from simulator.units import MINUTE, SECOND
from tests.live import BRISK, files, live, notes, story
from tests.test_cli import Command, command  # noqa: F401  # a fixture
from wsyncsim.strategies import stories

ROOT = Path(wsyncsim.__file__).parents[1]
SMALL = replace(BRISK, max_bytes=10_000)


# --- bytes


@pytest.mark.parametrize(
    ("name", "generation", "hours"),
    [("S16", "cb", 30), ("S16", "2007", 10), ("S22", "2012", 10), ("two-faces", "cb", None)],
)
def test_files_are_those_of_an_ordinary_run(name: str, generation: str, hours: int | None, tmp_path: Path) -> None:
    world = live(tmp_path / "live", story(name, hours=hours, generation=generation), replace(SMALL, max_bytes=20_000))
    world.run()
    play(world.story, tmp_path / "run", tool_version="test")
    assert files(tmp_path / "live/logs") == files(tmp_path / "run/logs")


@given(stories(max_hours=6), st.integers(10_000, 30_000))
@settings(max_examples=15)
def test_any_story_is_written_as_in_an_ordinary_run(drawn: Story, max_bytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = live(Path(folder) / "live", drawn, replace(BRISK, max_bytes=max_bytes))
        world.run()
        found = files(world.out)
    built = world.story.build()
    with Recorder(built.estate, built.version, None, os_language=drawn.os_language) as recorder:
        recorder.record(built.simulate())
    assert {path: data for path, data in found.items() if path != "manifest.json"} == recorder.texts


def test_every_truth_record_points_at_its_bytes(tmp_path: Path) -> None:
    world = live(tmp_path / "live")
    status = world.run()
    texts = files(tmp_path / "live")
    records = notes(world.truth_path, "record")
    assert status.records == len(records) > 500
    assert status.bytes == sum(len(data) for path, data in texts.items() if path.startswith("logs/"))
    for note in records:
        text = texts[note["file"]][note["byte_start"] : note["byte_start"] + note["bytes"]]
        assert text.decode() == note["text"]
        assert hashlib.sha256(text).hexdigest() == note["sha256"]
        assert texts[note["file"]][note["byte_start"] + note["bytes"] :].startswith((b"\r\n", b"\n"))


def test_truth_is_numbered_without_gaps(tmp_path: Path) -> None:
    world = live(tmp_path / "live", options=SMALL)
    world.run()
    lines = notes(world.truth_path)
    assert [note["seq"] for note in lines] == list(range(len(lines)))
    assert (lines[0]["kind"], lines[-1]["kind"], lines[-1]["state"]) == ("start", "end", "finished")
    by_file: dict[str, list[int]] = {}
    for note in lines:
        if note["kind"] == "record":
            by_file.setdefault(note["file"], []).append(note["file_seq"])
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in by_file.values())


def test_records_of_all_files_are_written_in_order_of_time(tmp_path: Path) -> None:
    world = live(tmp_path / "live")
    world.run()
    times = [note["ts_utc"] for note in notes(world.truth_path, "record")]
    late = sum(later < earlier for earlier, later in pairwise(times))
    assert late < len(times) / 50, "only where a log itself is not in order"


def test_truth_names_faults_and_causes(tmp_path: Path) -> None:
    world = live(tmp_path / "live")
    world.run()
    faults = {fault for note in notes(world.truth_path, "record") for fault in note["faults"]}
    assert faults == {"S16"}


# --- rotation


def test_rename_keeps_the_last_two_files(tmp_path: Path) -> None:
    world = live(tmp_path / "live", options=SMALL)
    status = world.run()
    names = {path.rsplit("/", 1)[-1] for path in files(world.logs)}
    assert {"WCM.log", "WCM.lo_"} <= names
    assert status.rotations == len(notes(world.truth_path, "rotation")) > 2


def test_copying_and_truncating_leaves_the_bytes_of_renaming_and_the_same_file(tmp_path: Path) -> None:
    renamed, copied = live(tmp_path / "a", options=SMALL), live(tmp_path / "b", options=replace(SMALL, rotation="copytruncate"))
    renamed.run()
    identities: set[int] = set()
    watched: list[Path] = []

    def watch(_: Any) -> None:
        watched.extend(path for path in copied.logs.rglob("WCM.log") if path not in watched)
        identities.update(path.stat().st_ino for path in watched)

    copied._tell = watch
    copied.run()
    watch(None)
    assert files(renamed.logs) == files(copied.logs)
    assert len(identities) == 1


def test_history_keeps_everything_under_dated_names(tmp_path: Path) -> None:
    world = live(tmp_path / "live", options=replace(SMALL, rotation="history"))
    whole = live(tmp_path / "whole", options=BRISK)
    world.run()
    whole.run()
    texts = files(world.logs)
    rotations = [note for note in notes(world.truth_path, "rotation") if note["file"].endswith("/WCM.log")]
    path = rotations[0]["file"].removeprefix("logs/")
    assert [note["to"] for note in rotations] == sorted({note["to"] for note in rotations})
    parts = [*(texts[note["to"].removeprefix("logs/")] for note in rotations), texts[path]]
    assert all(part.startswith(BOM_UTF8) for part in parts)
    assert b"".join(part.removeprefix(BOM_UTF8) for part in parts) == files(whole.logs)[path].removeprefix(BOM_UTF8)
    assert all(len(Path(note["to"]).stem) == len("WCM-20260302-080000") for note in rotations)


def test_a_log_overgrows_while_a_reader_prevents_its_rotation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[Path] = []
    rename = Path.replace

    def replace_(self: Path, target: Path) -> Path:
        if self.name == "WCM.log" and len(refused) < 30:
            refused.append(self)
            raise PermissionError
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", replace_)
    world = live(tmp_path / "live", options=replace(SMALL, rotation="history"))
    world.run()
    monkeypatch.undo()
    whole = live(tmp_path / "whole")
    whole.run()
    rotations = [note for note in notes(world.truth_path, "rotation") if note["file"].endswith("/WCM.log")]
    assert [note["done"] for note in rotations[:31]] == [False] * 30 + [True]
    texts = files(tmp_path / "live")
    parts = [*(texts[note["to"]] for note in rotations if note["done"]), texts[rotations[0]["file"]]]
    assert len(parts[0]) > 12_000
    assert all(part.startswith(BOM_UTF8) and part.count(BOM_UTF8) == 1 for part in parts)
    expected = files(tmp_path / "whole")[rotations[0]["file"]]
    assert b"".join(part.removeprefix(BOM_UTF8) for part in parts) == expected.removeprefix(BOM_UTF8)


def test_rotations_of_a_file_keep_their_distance(tmp_path: Path) -> None:
    world = live(tmp_path / "live", options=replace(SMALL, max_rotations_per_s=5))
    rolled_at: dict[str, list[float]] = {}
    roll = LiveFiles.roll

    def noted(self: LiveFiles, deed: Any, local: str) -> str | None:
        rolled_at.setdefault(deed.path, []).append(time.monotonic())
        return roll(self, deed, local)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LiveFiles, "roll", noted)
        world.run()
    gaps = [later - earlier for times in rolled_at.values() for earlier, later in pairwise(times)]
    assert gaps
    assert min(gaps) > 0.19


# --- how records are written


def writes_of(data: bytes, torn: bool, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    written: list[bytes] = []
    monkeypatch.setattr("scenarios.live_files._write_all", lambda handle, part: written.append(bytes(part)))
    store = LiveFiles(folder, "rename", Dice(1).stream("torn") if torn else None)
    store.append(Piece("logs/H/a.log", data, 0, len(data) - 2, True, None))
    return written


def test_a_record_is_one_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert writes_of("Büro\r\n".encode(), False, tmp_path, monkeypatch) == ["Büro\r\n".encode()]


def test_a_torn_record_is_two_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    halves = writes_of("Büro\r\n".encode(), True, tmp_path, monkeypatch)
    assert len(halves) == 2
    assert all(halves)
    assert b"".join(halves) == "Büro\r\n".encode()


def test_torn_records_are_whole_in_the_end(tmp_path: Path) -> None:
    torn, whole = live(tmp_path / "torn", story(hours=4), replace(BRISK, torn=True)), live(tmp_path / "whole", story(hours=4))
    torn.run()
    whole.run()
    assert files(torn.logs) == files(whole.logs)


def test_two_starts_have_no_beginning_in_common(tmp_path: Path) -> None:
    """Shippers tell files apart by their first 1024 bytes, or their first record."""
    beginnings = []
    for number, start in enumerate(("2026-03-02T06:00:00", "2026-03-02T06:00:01")):
        played = story()
        world = live(tmp_path / str(number), replace(played, start=played.start.fromisoformat(start)))
        world.run()
        beginnings.append({path.rsplit("/", 1)[-1]: data[:1024] for path, data in files(world.logs).items()})
    for path in beginnings[0].keys() & beginnings[1].keys():
        assert beginnings[0][path] != beginnings[1][path], path


def test_no_two_files_of_a_run_begin_alike(tmp_path: Path) -> None:
    world = live(tmp_path / "live", story("two-faces", hours=None), replace(SMALL, rotation="history"))
    world.run()
    beginnings = [data[:1024] for data in files(world.logs).values()]
    assert len(set(beginnings)) == len(beginnings) > 10


# --- pace


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_pace_at_a_speed() -> None:
    clock = Clock()
    pace = Pace(0, 60.0, 0.0, clock)
    assert pace.due_in_s(10 * MINUTE) == pytest.approx(10)
    clock.now += 4
    assert pace.due_in_s(10 * MINUTE) == pytest.approx(6)
    clock.now += 8
    assert pace.due_in_s(10 * MINUTE) == pytest.approx(-2)
    assert pace.lag_s(10 * MINUTE) == pytest.approx(2)


def test_pace_begins_later() -> None:
    clock = Clock()
    assert Pace(0, 1.0, 0.5, clock).due_in_s(0) == pytest.approx(0.5)
    assert Pace(0, None, 0.5, clock).due_in_s(5 * MINUTE) == pytest.approx(0.5)


def test_a_world_that_was_held_back_does_not_hurry_but_catches_up() -> None:
    clock = Clock()
    pace = Pace(0, 1.0, 0.0, clock)
    clock.now += 10
    pace.hold(10)
    assert pace.due_in_s(1 * SECOND) == pytest.approx(1)
    clock.now += 50
    assert pace.due_in_s(60 * SECOND) == pytest.approx(5)
    assert pace.lag_s(50 * SECOND) == pytest.approx(10)
    clock.now += 50
    assert pace.due_in_s(120 * SECOND) == pytest.approx(10)


def test_without_a_speed_nothing_waits_and_nothing_lags() -> None:
    clock = Clock()
    pace = Pace(0, None, 0.0, clock)
    assert pace.due_in_s(10**15) <= 0
    clock.now += 99
    assert pace.lag_s(0) == 0


def test_the_next_second_is_now_in_the_estate() -> None:
    start, at_s = next_second("UTC")
    assert 0 <= at_s - time.time() <= 1
    assert start == time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_s))
    assert next_second("Asia/Kathmandu")[0][14:16] != start[14:16]


# --- ends


def test_stop_leaves_whole_records_and_whole_files(tmp_path: Path) -> None:
    world = live(tmp_path / "live", options=LiveOptions(speed=3600 * 24))
    thread = threading.Thread(target=world.run)
    thread.start()
    while world.status.records < 20:
        time.sleep(0.01)
    world.stop()
    thread.join(10)
    assert not thread.is_alive()
    texts = files(tmp_path / "live")
    records = notes(world.truth_path, "record")
    assert notes(world.truth_path)[-1]["state"] == "stopped"
    assert all(data.endswith(b"\n") for path, data in texts.items() if path.startswith("logs/"))
    lines = sum(data.count(b"\n") for path, data in texts.items() if path.startswith("logs/") and path.endswith("WCM.log"))
    assert lines == sum(note["file"].endswith("WCM.log") for note in records)
    for path, data in texts.items():
        if path.endswith(".xml"):
            assert data.rstrip().endswith(b"</Events>")


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "CTRL_BREAK_EVENT"])
def test_a_signal_ends_it_after_a_whole_record(how: str, tmp_path: Path) -> None:
    if (sys.platform == "win32") != (how == "CTRL_BREAK_EVENT"):
        pytest.skip("not a signal of this system")
    arguments = ["live", "S16", "--out", "site", "--speed", "20000", "--torn", "--status", "status.json"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    running = subprocess.Popen(
        [sys.executable, "-m", "wsyncsim", *arguments],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        creationflags=flags,
    )
    truth = tmp_path / "site.truth.jsonl"
    deadline = time.monotonic() + 30
    while not (truth.exists() and truth.read_bytes().count(b"\n") > 20):
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(getattr(signal, how))
    out, err = running.communicate(timeout=30)
    assert running.returncode == 0, err
    assert out == "site\n"
    assert "stopped" in err
    assert notes(truth)[-1]["state"] == "stopped"
    assert json.loads((tmp_path / "status.json").read_bytes())["state"] == "stopped"
    for data in files(tmp_path / "site/logs").values():
        assert data.endswith(b"\n")


# --- folders and mistakes


def test_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "precious").write_text("x")
    for force in (False, True):
        with pytest.raises(OutputError, match="not an earlier live run"):
            live(tmp_path / "live", force=force).run()
    assert files(tmp_path) == {"live/precious": b"x"}


def test_an_earlier_live_run_is_replaced_only_when_asked(tmp_path: Path) -> None:
    live(tmp_path / "live", options=replace(SMALL, rotation="history")).run()
    before = files(tmp_path)
    with pytest.raises(OutputError, match="earlier live run"):
        live(tmp_path / "live").run()
    assert files(tmp_path) == before
    live(tmp_path / "live", force=True).run()
    assert not any("WCM-2" in path for path in files(tmp_path))
    (tmp_path / "live/logs/mine.txt").write_text("x")
    with pytest.raises(OutputError, match="did not write"):
        live(tmp_path / "live", force=True).run()


def test_the_truth_stays_outside(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="inside"):
        live(tmp_path / "live", truth=tmp_path / "live/logs/truth.jsonl").run()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "wrong", [{"speed": 0}, {"speed": float("nan")}, {"max_rotations_per_s": 0}, {"calm_s": -1}, {"rotation": "x"}]
)
def test_impossible_options_are_refused(wrong: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(WsyncsimError, match="expected"):
        live(tmp_path / "live", options=LiveOptions(**wrong))


# --- the command


def test_command_plays_and_says_where(command: Command, tmp_path: Path) -> None:  # noqa: F811
    result = command.fine("live", "S19", "--out", "site", "--speed", "max", "--hours", "24", "--status", "status.json")
    assert result.out == "site\n"
    assert "the story is over" in result.err
    status = json.loads((tmp_path / "status.json").read_bytes())
    assert status["state"] == "finished"
    assert status["records"] == len(notes(tmp_path / "site.truth.jsonl", "record"))
    begin = notes(tmp_path / "site.truth.jsonl", "start")[0]
    assert abs(time.mktime(time.strptime(begin["start_utc"][:19], "%Y-%m-%dT%H:%M:%S")) - time.mktime(time.gmtime())) < 600


def test_command_speaks_german(command: Command) -> None:  # noqa: F811
    result = command.fine("live", "S19", "--out", "site", "--speed", "max", "--hours", "24", "--language", "de")
    assert "die Geschichte ist zu Ende" in result.err


def test_command_tells_mistakes(command: Command, tmp_path: Path) -> None:  # noqa: F811
    assert "there is no story" in command.mistake("live", "S99", "--out", "site")
    assert "neither a number" in command.mistake("live", "S19", "--out", "site", "--speed", "fast")
    assert "--out" in command.mistake("live", "S19")
    assert "no such folder" in command.mistake("live", "S19", "--out", "site", "--status", "nowhere/s.json")
    assert "inside" in command.mistake("live", "S19", "--out", "site", "--status", "site/s.json", "--start", "2026-03-02T06:00")
    assert not list(tmp_path.iterdir())


def test_command_has_help(command: Command) -> None:  # noqa: F811
    assert "Usage: wsyncsim live NAME --out DIR [OPTIONS]" in command.fine("live", "--help").out
    assert "wsyncsim live S19 --out site" in command.fine("live").out
    assert "--max-lost" in command.fine("live", "check", "--help").out


def test_the_page_s_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "live.md").read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code.replace("speed=None", "speed=None, max_rotations_per_s=1000, calm_s=0"), names)
    assert names["status"].state == "finished"
    assert (tmp_path / "site" / "logs").is_dir()
