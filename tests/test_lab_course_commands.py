"""The instructor's commands: setting up a course, sitting down, the board, results, and bundles that can be checked."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest

from wsyncsim import cli
from wsyncsim.lab import course as courses
from wsyncsim.lab.board import session_file
from wsyncsim.lab.solver import solve

COURSE = """
id = "c1"
title = "One\\u001b[2J"
participants = ["T-1", "T-2"]
[[slots]]
id = "a"
ticket = "1058"
[[slots]]
id = "b"
ticket = "2030"
"""


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a course, its key, and one ticket that is solved."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "c1.toml").write_text(COURSE, encoding="utf-8")
    key = courses.new_key(folder / "c1.key")
    path = session_file(folder / "c1.sessions", "a", "T-1")
    assert solve(courses.open_seat(courses.load(folder / "c1.toml"), key, "a", "T-1", path)).total == 100
    return folder


@pytest.fixture
def run(solved: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Calls ``wsyncsim lab`` in a copy of that folder."""
    room = shutil.copytree(solved, tmp_path / "room")
    monkeypatch.chdir(room)
    monkeypatch.setenv("WSYNCSIM_LANGUAGE", "en")
    before = signal.getsignal(signal.SIGTERM)

    def call(*arguments: str, typed: str = "", code: int = 0) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            cli.main(["lab", *arguments])
        printed = capfd.readouterr()
        assert ended.value.code == code, printed.err
        assert "Traceback" not in printed.err
        assert "\x1b" not in printed.out
        return printed.err if code == 2 else printed.out

    yield call
    signal.signal(signal.SIGTERM, before)


# --- setting up


def test_a_course_can_be_set_up_and_sat_down_at(run: Any) -> None:
    run("course", "init", "week47.toml", "--participants", "3", "--ticket", "1058")
    written = tomllib.loads(Path("week47.toml").read_text(encoding="utf-8"))
    assert written["participants"] == ["T-001", "T-002", "T-003"]
    run("course", "key", "week47.key")
    assert "1 slots, 3 participants" in run("course", "check", "week47.toml")
    assert "T-002: wsyncsim lab exam week47.toml T-002" in run("course", "codes", "week47.toml")
    entered = run("course", "codes", "week47.toml", "--browser").splitlines()
    assert len({line.partition(": ")[2] for line in entered}) == 3
    said = run("exam", "week47.toml", "T-002", typed="look L48\n")
    assert "1058" not in said
    assert "T-002, 1: looking, 1 looks" in run("board", "week47.toml")


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such permissions")
def test_a_key_is_readable_for_its_owner_alone(run: Any) -> None:
    run("course", "key", "other.key")
    assert stat.S_IMODE(Path("other.key").stat().st_mode) == 0o600


def test_nothing_is_written_over(run: Any) -> None:
    before = {path.name: path.read_bytes() for path in Path().glob("c1.*") if path.is_file()}
    assert "exists" in run("course", "init", "c1.toml", code=2)
    assert "already" in run("course", "key", "c1.key", code=2)
    assert before == {path.name: path.read_bytes() for path in Path().glob("c1.*") if path.is_file()}


def test_a_title_cannot_command_the_terminal(run: Any) -> None:
    assert "One\\x1b[2J" in run("course", "check", "c1.toml")


@pytest.mark.parametrize(
    "arguments",
    [
        ("course", "check", "nowhere.toml"),
        ("course", "check", "c1.key"),
        ("course", "init", "x.toml", "--ticket", "1"),
        ("exam", "c1.toml", "T-9"),
        ("exam", "c1.toml", "T-1", "--slot", "z"),
        ("exam", "c1.toml", "T-1", "--key", "nowhere.key"),
        ("results", "c1.toml", "--out", "nowhere/x.csv"),
        ("results", "c1.toml", "--format", "pdf"),
        ("bundle", "c1.sessions/a.T-1.jsonl", "--key", "c1.key"),
        ("verify", "nowhere.json", "--key", "c1.key"),
        ("continue", "c1.sessions/a.T-1.jsonl"),
    ],
)
def test_mistakes_are_told(run: Any, arguments: tuple[str, ...]) -> None:
    assert run(*arguments, code=2)


# --- in the room


def test_who_has_closed_a_ticket_gets_the_next_one_and_no_answers(run: Any) -> None:
    said = run("exam", "c1.toml", "T-1", typed="look L48\nhint\nclose anyway\ndebrief\n", code=2)
    assert said == ""
    assert "closed every ticket" in run("exam", "c1.toml", "T-1", code=2)
    seats = {(seated["trainee"], seated["slot"]): seated["state"] for seated in json.loads(run("board", "c1.toml", "--json"))}
    assert seats == {("T-1", "a"): "closed", ("T-1", "b"): "closed", ("T-2", "a"): "not begun", ("T-2", "b"): "not begun"}


def test_a_session_can_be_watched_once_more(run: Any) -> None:
    path = session_file(Path("c1.sessions"), "a", "T-1")
    before = path.read_bytes()
    shown = run("replay", str(path), "--course", "c1.toml")
    assert shown.count("lab ") >= len(before.splitlines()) - 1
    assert "Not done" not in shown
    assert "Mark: 100 of 100" in shown
    assert path.read_bytes() == before
    assert "exam" in run("replay", str(path), code=2)


def test_a_damaged_file_does_not_stop_the_board(run: Any) -> None:
    session_file(Path("c1.sessions"), "b", "T-2").write_bytes(b"nonsense\n")
    assert "T-2, b: file cannot be read" in run("board", "c1.toml")


def test_results_come_in_three_forms_under_codes(run: Any) -> None:
    (row,) = csv.DictReader(io.StringIO(run("results", "c1.toml")))
    assert (row["trainee"], row["slot"], row["total"]) == ("T-1", "a", "100")
    assert json.loads(run("results", "c1.toml", "--format", "jsonl"))["total"] == 100
    run("results", "c1.toml", "--format", "xapi", "--out", "results.jsonl")
    statement = json.loads(Path("results.jsonl").read_bytes())
    assert statement["actor"]["account"]["name"] == "T-1"
    assert statement["result"]["score"]["scaled"] == 1.0


def test_a_bundle_is_accepted_and_a_changed_one_is_not(run: Any) -> None:
    run("bundle", "c1.sessions/a.T-1.jsonl", "--key", "c1.key", "--course", "c1.toml", "--out", "bundle.json")
    check = ("verify", "bundle.json", "--key", "c1.key")
    assert run(*check, "--course", "c1.toml") == "valid: 100 of 100, excellent\n"
    assert "course file" in run(*check, code=1)
    whole = Path("bundle.json").read_bytes()
    for changed in (whole.replace(b'"total": 100', b'"total": 99'), whole[:-9], b"nonsense", b"\xff\x00"):
        Path("bundle.json").write_bytes(changed)
        assert run(*check, "--course", "c1.toml", code=1).startswith("not valid")
    Path("bundle.json").write_bytes(whole)
    run("course", "key", "other.key")
    assert "not valid" in run("verify", "bundle.json", "--key", "other.key", "--course", "c1.toml", code=1)
    german = run("verify", "bundle.json", "--key", "other.key", "--course", "c1.toml", "--lang", "de", code=1)
    assert german.startswith("nicht gültig: die Signatur passt nicht")
