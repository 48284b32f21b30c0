"""What other worlds tell of a session, computed by another process: it is what the session itself says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from simulator.errors import WsyncsimError
from wsyncsim import lab
from wsyncsim.lab.answers import MOST_MIRRORS, Answer, Mirrors, Question, about, about_diary
from wsyncsim.lab.diary import Diary
from wsyncsim.lab.session import LabSession
from wsyncsim.lab.solver import diagnose_best, mend

if TYPE_CHECKING:
    from collections.abc import Callable

PORT, SERVICE = "1009", "1058"
WORKER = (sys.executable, "-m", "wsyncsim.lab.worker")


def _told(mirrors: Mirrors, session: LabSession, kind: Any, team: str = "") -> Answer:
    """The answer, both ways through JSON."""
    question = msgspec.json.decode(msgspec.json.encode(about(session, kind, "x", team)), type=Question)
    return msgspec.json.decode(msgspec.json.encode(mirrors.answer(question)), type=Answer)


def _hint(mirrors: Mirrors, session: LabSession) -> None:
    told = _told(mirrors, session, "hint").told[len(session.actions_done) + 1]
    assert told.hint == session.hint()


@pytest.mark.parametrize(("language", "ticket"), [("en", PORT), ("de", SERVICE)])
def test_answers_are_what_the_session_itself_says(language: str, ticket: str) -> None:
    session, mirrors = lab.open_ticket(ticket, seed=7, language=language), Mirrors()
    _hint(mirrors, session)
    _hint(mirrors, session)
    session.look("L45")
    _hint(mirrors, session)
    assert _told(mirrors, session, "left").left == session.remaining()
    diagnose_best(session)
    assert _told(mirrors, session, "ready") == Answer()
    _hint(mirrors, session)
    team = session.teams()[-1]
    assert _told(mirrors, session, "enough", team).told[len(session.actions_done) + 1].enough
    session.finish(mend(session))
    answer = _told(mirrors, session, "debrief")
    assert (answer.result, answer.debrief) == (session.result(), session.debrief())
    assert answer == _told(Mirrors(), session, "debrief")


def test_a_session_that_is_told_what_was_told_before_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    session = lab.open_ticket(SERVICE, seed=7, path=path)
    session.look("L45")
    session.hint()
    session.escalate("second level", ["e1"])
    session.look("L20")
    session.hint()
    question = about_diary(Diary.read(path), "x")
    assert question is not None
    again = LabSession.replayed(Diary.read(path), told=Mirrors().answer(question).told)
    assert (again.hints, again.escalations, again.deeds, again.now) == (
        session.hints,
        session.escalations,
        session.deeds,
        session.now,
    )


def test_nothing_is_asked_of_a_diary_to_which_nothing_was_told(tmp_path: Path) -> None:
    lab.open_ticket(SERVICE, path=tmp_path / "a.jsonl").look("L45")
    assert about_diary(Diary.read(tmp_path / "a.jsonl"), "x") is None


def test_what_was_told_to_an_action_that_did_not_come_about_is_forgotten() -> None:
    session = lab.open_ticket(SERVICE, seed=7)
    session.told.update(Mirrors().answer(about(session, "hint", "x")).told)
    with pytest.raises(WsyncsimError):
        session.escalate("nobody", ["e1"])
    assert not session.told


def test_a_mirror_of_another_past_is_played_anew() -> None:
    mirrors, first, second = Mirrors(), lab.open_ticket(PORT, seed=7), lab.open_ticket(PORT, seed=7)
    first.look("L45")
    second.look("L20")
    _hint(mirrors, first)
    _hint(mirrors, second)
    _hint(mirrors, first)


def test_mirrors_are_not_kept_without_end() -> None:
    mirrors, session = Mirrors(), lab.open_ticket(SERVICE, seed=7)
    for number in range(MOST_MIRRORS + 3):
        mirrors.answer(about(session, "told", str(number)))
    assert len(mirrors._kept) == MOST_MIRRORS


def test_the_process_answers_line_by_line_and_ends_with_its_input() -> None:
    session = lab.open_ticket(SERVICE, seed=7)
    lines = [msgspec.json.encode(about(session, kind, "x")) for kind in ("hint", "debrief")]
    done = subprocess.run(WORKER, input=b"\n".join([*lines, b""]), capture_output=True, check=True, timeout=60)
    hint, refused = [msgspec.json.decode(line) for line in done.stdout.splitlines()]
    assert hint["answer"]["told"]["1"]["hint"] == session.hint().as_json()
    assert refused["refused"][0] == "the ticket is still open"
    assert not done.stderr


def _counsel(*command: str) -> Any:
    from wsyncsim.lab_web.counsel import Counsel

    return Counsel(1, command)


@pytest.fixture
def closing() -> Any:
    """Closes what is put into it."""
    opened: list[Any] = []
    yield opened.append
    for each in opened:
        each.close()


def test_a_process_that_dies_is_started_again_and_asked_again(closing: Callable[[Any], None]) -> None:
    counsel, session = _counsel(), lab.open_ticket(SERVICE, seed=7)
    closing(counsel)
    question = about(session, "hint", "x")
    first = counsel.ask(question).result(60)
    counsel._processes[0]._child.kill()
    assert counsel.ask(question).result(60) == first


def test_a_process_that_always_dies_leaves_the_question_unanswered(closing: Callable[[Any], None]) -> None:
    counsel = _counsel(sys.executable, "-c", "import sys; sys.stdin.readline()")
    closing(counsel)
    with pytest.raises(RuntimeError, match="died"):
        counsel.ask(about(lab.open_ticket(SERVICE), "hint", "x")).result(60)


def test_a_refusal_comes_back_as_one(closing: Callable[[Any], None]) -> None:
    counsel = _counsel()
    closing(counsel)
    with pytest.raises(WsyncsimError, match="still open"):
        counsel.ask(about(lab.open_ticket(SERVICE), "debrief", "x")).result(60)


def test_closing_leaves_nobody_waiting() -> None:
    counsel = _counsel(sys.executable, "-c", "import time; time.sleep(60)")
    asked = [counsel.ask(about(lab.open_ticket(SERVICE), "hint", str(number))) for number in range(3)]
    counsel.close()
    assert all(each.done() for each in asked)
    assert counsel._processes[0]._child.poll() is not None


ECHO = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    with open(sys.argv[1], "a") as done:
        print(asked["kind"], asked["key"], file=done)
    print('{"answer":{}}', flush=True)
"""


def test_what_somebody_waits_for_goes_first_and_of_the_rest_only_the_newest(closing: Callable[[Any], None], tmp_path: Path) -> None:
    done = tmp_path / "done"
    done.touch()
    counsel, session = _counsel(sys.executable, "-c", ECHO, str(done)), lab.open_ticket(SERVICE, seed=7)
    closing(counsel)
    asked = [counsel.ask(about(session, "ready", key)) for key in ("x", "y", "y", "y")]
    asked.append(counsel.ask(about(session, "hint", "z")))
    for each in asked:
        each.result(60)
    counsel.ask(about(session, "hint", "last")).result(60)
    order = done.read_text(encoding="utf-8").split("\n")
    assert order.index("hint z") < order.index("ready y")
    assert order.count("ready y") == 1
