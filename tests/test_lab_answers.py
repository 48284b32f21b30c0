"""What other worlds tell of a session, computed by another process: it is what the session itself says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from simulator.errors import WsyncsimError
from wsyncsim import lab
from wsyncsim.lab.answers import MOST_MIRRORS, Answer, Mirrors, Question, about, about_diary
from wsyncsim.lab.course import Seat
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


def test_what_a_seat_of_an_exam_was_told_can_be_asked_by_whoever_knows_the_seat(tmp_path: Path) -> None:
    seat, path = Seat("c", "a", "T-1", 1, SERVICE, 7, None, None, hints=True, released=False), tmp_path / "a.jsonl"
    session = LabSession.open(SERVICE, seed=7, path=path, seat=seat)
    session.hint()
    assert about_diary(Diary.read(path), "x") is None
    question = about_diary(Diary.read(path), "x", seat=seat)
    assert question is not None
    assert [told.hint for told in Mirrors().answer(question).told.values()] == session.hints


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


NOBODY = [("/nonexistent/python",), (sys.executable, "-c", ""), (sys.executable, "-c", "import sys; sys.stdin.readline()")]
"""Commands that start no process, one that ends at once, and one that dies of the first question."""


@pytest.mark.parametrize("command", NOBODY)
def test_where_no_process_can_be_had_the_server_computes_and_says_so_once(
    closing: Callable[[Any], None], capfd: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    counsel, session = _counsel(*command), lab.open_ticket(SERVICE, seed=7)
    closing(counsel)
    for _ in range(2):
        answer = counsel.ask(about(session, "hint", "x")).result(60)
        assert answer.told[len(session.actions_done) + 1].hint == session.hint()
    assert counsel.ask(about(session, "ready", "x")).result(60) == Answer()
    assert capfd.readouterr().err.count("wsyncsim: ") == 1


def test_a_process_that_can_be_had_again_computes_again(
    closing: Callable[[Any], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wsyncsim.lab_web.counsel.REST_S", 0.0)
    script = tmp_path / "worker.py"
    script.write_text("", encoding="utf-8")
    counsel, session = _counsel(sys.executable, str(script), str(tmp_path / "done")), lab.open_ticket(SERVICE, seed=7)
    closing(counsel)
    assert counsel.ask(about(session, "hint", "x")).result(60).told
    script.write_text(ECHO, encoding="utf-8")
    assert not counsel.ask(about(session, "hint", "x")).result(60).told


def test_a_reply_to_another_question_is_none(closing: Callable[[Any], None]) -> None:
    other = 'import sys\nfor line in sys.stdin: print(\'{"number":1,"key":"y","answer":{}}\', flush=True)'
    counsel, session = _counsel(sys.executable, "-c", other), lab.open_ticket(SERVICE, seed=7)
    closing(counsel)
    assert counsel.ask(about(session, "hint", "x")).result(60).told
    assert counsel.ask(about(session, "hint", "y")).result(60).told


def test_lines_that_are_no_questions_are_refused_and_the_process_lives() -> None:
    question = msgspec.to_builtins(about(lab.open_ticket(SERVICE, seed=7), "ready", "x"))
    damaged = [{**question, "number": 5, "role": 5}, {**question, "actions": 1}, {**question, "actions": [{"n": 1, "do": "look"}]}]
    lines = [*(json.dumps(each).encode() for each in damaged), b"", b'{"key":"\\ud800"}', b"\xff", b"[" * 100_000]
    lines += [json.dumps({**question, "number": 9}).encode(), b""]
    done = subprocess.run(WORKER, input=b"\n".join(lines), capture_output=True, check=True, timeout=60)
    *refused, last = [msgspec.json.decode(line) for line in done.stdout.splitlines()]
    assert all(reply["refused"][0] for reply in refused)
    assert (refused[0]["number"], refused[0]["key"]) == (5, "x")
    assert last == {"number": 9, "key": "x", "answer": {}}
    assert not done.stderr


def test_what_cannot_be_sent_is_refused_where_it_is_played(closing: Callable[[Any], None]) -> None:
    counsel, question = _counsel(), about(lab.open_ticket(SERVICE, seed=7), "hint", "x")
    closing(counsel)
    for action in ({"n": 1, "do": "look", "id": "\ud800"}, {"n": 1, "do": "wait", "for": 10**30}):
        with pytest.raises(WsyncsimError):
            counsel.ask(msgspec.structs.replace(question, actions=[action])).result(60)
    assert counsel.ask(question).result(60).told


def test_a_refusal_comes_back_as_one(closing: Callable[[Any], None]) -> None:
    counsel = _counsel()
    closing(counsel)
    with pytest.raises(WsyncsimError, match="still open"):
        counsel.ask(about(lab.open_ticket(SERVICE), "debrief", "x")).result(60)


HEARS = "import sys, time; sys.stdin.readline(); open(sys.argv[1], 'x').close(); time.sleep(60)"
"""A process that never comes to an end with its first question."""


def test_closing_leaves_nobody_waiting_and_starts_nothing_new(tmp_path: Path) -> None:
    counsel = _counsel(sys.executable, "-c", HEARS, str(tmp_path / "asked"))
    asked = [counsel.ask(about(lab.open_ticket(SERVICE), "hint", str(number))) for number in range(3)]
    while not (tmp_path / "asked").exists():
        time.sleep(0.01)
    child, started = counsel._processes[0]._child, time.monotonic()
    counsel.close()
    assert time.monotonic() - started < 5
    assert all(each.done() for each in asked)
    assert counsel._processes[0]._child is child
    assert child.poll() is not None
    assert counsel.ask(about(lab.open_ticket(SERVICE), "hint", "x")).cancelled()


def test_closing_does_not_wait_for_what_the_server_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    computing, go_on = Event(), Event()

    def slowly(*_: object) -> Answer:
        computing.set()
        go_on.wait(60)
        return Answer()

    monkeypatch.setattr(Mirrors, "answer", slowly)
    counsel = _counsel("/nonexistent/python")
    asked = [counsel.ask(about(lab.open_ticket(SERVICE), "hint", str(number))) for number in range(3)]
    computing.wait(60)
    counsel.close()
    assert not go_on.is_set()
    assert [each.done() for each in asked[1:]] == [True, True]
    go_on.set()
    assert asked[0].result(60) == Answer()


INTERRUPTED = """
import os, signal, sys, time
signal.signal(signal.SIGINT, lambda *_: None)
from wsyncsim import lab
from wsyncsim.lab.answers import about
from wsyncsim.lab_web.counsel import Counsel
counsel = Counsel(2)
for _ in range(30):
    time.sleep(0.15)
    os.killpg(0, signal.SIGINT)
assert counsel.ask(about(lab.open_ticket("1058", seed=7), "hint", "x")).result(60).told
counsel.close()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there are no process groups here")
def test_an_interruption_of_the_server_is_none_of_its_process() -> None:
    done = subprocess.run((sys.executable, "-c", INTERRUPTED), capture_output=True, text=True, timeout=120, start_new_session=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(os, "getpgid"), reason="there are no process groups here")
def test_a_process_is_in_no_group_that_an_interruption_goes_to(closing: Callable[[Any], None]) -> None:
    counsel = _counsel(sys.executable, "-c", ECHO, os.devnull)
    closing(counsel)
    counsel.ask(about(lab.open_ticket(SERVICE, seed=7), "ready", "x")).result(60)
    assert os.getpgid(counsel._processes[0]._child.pid) != os.getpgid(0)


ECHO = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    with open(sys.argv[1], "a") as done:
        print(asked["kind"], asked["key"], file=done)
    print(json.dumps({"number": asked["number"], "key": asked["key"], "answer": {}}), flush=True)
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
