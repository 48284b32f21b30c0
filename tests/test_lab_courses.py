"""What a course holds for each of its participants: settings, limits, entry codes; and what its board reads off the files."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from msgspec import structs

from simulator.errors import WsyncsimError
from wsyncsim.lab import course as courses
from wsyncsim.lab.board import board, session_file
from wsyncsim.lab.data import policy
from wsyncsim.lab.diary import Diary
from wsyncsim.lab.session import LabSession
from wsyncsim.lab.solver import diagnose_best

COURSE = """
id = "c1"
title = "One"
participants = ["T-1", "T-2"]
[[slots]]
id = "a"
ticket = "1058"
"""


@pytest.fixture
def exam(tmp_path: Path) -> tuple[courses.Course, bytes, Path]:
    path = tmp_path / "course.toml"
    path.write_text(COURSE, encoding="utf-8")
    return courses.load(path), courses.new_key(tmp_path / "key"), tmp_path


def _copy(session: LabSession) -> Diary:
    diary = Diary(None, session.header)
    diary.actions = session.actions_done
    return diary


def test_participants_can_have_settings_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "course.toml"
    settings = '[settings.T-2]\nlanguage = "de"\nhints = true\nrole = "second level"\nextra_min = 30\n'
    path.write_text("limit_min = 60\n" + COURSE + settings, encoding="utf-8")
    course, key = courses.load(path), bytes(32)
    one, other = (courses.seat(course, key, "a", trainee) for trainee in course.participants)
    assert (one.hints, one.role, one.limit_min) == (False, None, 60)
    assert (other.hints, other.role, other.limit_min) == (True, "second level", 90)
    assert course.settings_of("T-2").language == "de"


@pytest.mark.parametrize(
    "settings",
    [
        "[settings.T-3]",
        "[settings.T-2]\nextra_min = -1",
        '[settings.T-2]\nrole = "boss"',
        '[settings.T-2]\nlanguage = "fr"',
        "[settings.T-2]\nfaster = true",
    ],
)
def test_mistakes_in_settings_are_told(tmp_path: Path, settings: str) -> None:
    path = tmp_path / "course.toml"
    path.write_text(COURSE + settings, encoding="utf-8")
    with pytest.raises(WsyncsimError):
        courses.load(path)


def test_the_limit_of_an_exam_stops_the_clock_but_not_the_diagnosis(exam: tuple[courses.Course, bytes, Path]) -> None:
    course, key, folder = exam
    course = structs.replace(course, limit_min=40)
    path = folder / "a.T-1.jsonl"
    session = courses.open_seat(course, key, "a", "T-1", path)
    session.look("L20")
    session.wait(5)
    session.wait(40 - session.spent_min)
    assert session.left_min == 0
    for refused in (
        lambda: session.wait("event"),
        lambda: session.wait(1),
        lambda: session.act("R10"),
        lambda: session.look("L21"),
    ):
        with pytest.raises(WsyncsimError, match="time"):
            refused()
    for changed in (20, 60, None):
        other = courses.open_seat(structs.replace(course, limit_min=changed), key, "a", "T-1", path)
        assert (other.now, other.actions_done) == (session.now, session.actions_done)
    session.diagnose(session.causes()[1].id, ["e1"], 1)
    session.note("No time left.")
    result = session.close()
    text = courses.bundle(session, key)
    assert json.loads(text)["settings"]["limit_min"] == 40
    assert courses.verify(text, key, course).as_json() == result.as_json()


@pytest.mark.parametrize("left_min", [1, 18])
def test_what_time_is_left_does_not_tell_which_team_is_the_right_one(left_min: int) -> None:
    for team in policy().teams:
        seat = courses.Seat("c1", "a", "T-1", 1, "1024", 1, "help desk", None, False, False)
        session = LabSession.open("1024", seed=1, role="help desk", seat=seat)
        diagnose_best(session)
        session.seat = dataclasses.replace(seat, limit_min=session.spent_min + left_min)
        done = session.escalate(team, ["e1"])
        assert done.accepted == (team == "database")
        assert session.left_min == (0 if done.accepted else max(0, left_min - 15))
        again = LabSession.replayed(_copy(session), seat=seat)
        assert (again.now, again.deeds) == (session.now, session.deeds)
        if done.accepted:
            assert session.mended()
            with pytest.raises(WsyncsimError, match="time"):
                session.escalate(team, ["e1"])


def test_entry_codes_differ_and_forgive_how_they_are_typed() -> None:
    codes = [courses.entry_code(key, "c1", trainee) for key in (bytes(32), bytes([1] * 32)) for trainee in ("T-1", "T-2")]
    assert len(set(codes)) == 4
    for code in codes:
        assert courses.plain_code(f" {code.lower().replace('-', ' ').replace('0', 'o').replace('1', 'l')}\n") == code.replace(
            "-", ""
        )


def test_a_session_that_was_killed_while_it_was_made_begins_again(exam: tuple[courses.Course, bytes, Path]) -> None:
    course, key, folder = exam
    path = session_file(folder, "a", "T-1")
    for torn in (b"", b'{"schema":"wsyn'):
        path.write_bytes(torn)
        assert board(course, folder)[0].state == "not begun"
        assert courses.sessions_of(course, key, folder) == []
        assert courses.open_seat(course, key, "a", "T-1", path).actions_done == []
        assert courses.open_seat(course, key, "a", "T-1", path).actions_done == []


def test_the_board_counts_actions_that_brought_nothing_new(exam: tuple[courses.Course, bytes, Path]) -> None:
    course, key, folder = exam
    session = courses.open_seat(course, key, "a", "T-1", session_file(folder, "a", "T-1"))

    def idle() -> int:
        return board(course, folder)[0].idle

    session.look("L20")
    assert idle() == 0
    session.look("L20")
    session.wait(5)
    assert idle() == 2
    session.look("L21")
    assert idle() == 0
    session.act("R10")
    session.wait(5)
    session.look("L20")
    assert idle() == 0
