"""The lab in a terminal: what is typed becomes the session's actions, nothing is lost, nothing that is shown is obeyed."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import string
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import wsyncsim.lab.terminal
from simulator.errors import WsyncsimError
from wsyncsim import cli, lab
from wsyncsim.commands_lab_desk import lab_language
from wsyncsim.lab.session import LabSession
from wsyncsim.lab.terminal import Terminal
from wsyncsim.lab.typed import NAMES, command_of, pick, readable, severity_of, sort_words
from wsyncsim.output import inert
from wsyncsim.words import LANGUAGE_VARIABLES

SERVICE = "1058"
TEXTS = Path(wsyncsim.lab.terminal.__file__).with_name("terminal.toml")
DOCUMENT = Path(__file__).parents[1] / "docs" / "lab.md"
ENGLISH = """\
# a play that is right
?
status
calendar
ask 1
logs
look L55
look services
think "the web service is stopped"
diagnose World Wide Web Publishing with e1 e2 confidence 3
escalate second with all
do sync
wait ev
look L55
verify
note "It works again."
close
debrief
quit
"""
GERMAN = """\
hilfe
stand
kalender
protokolle
ansehen startseite
ansehen dienste auf sup
diagnose
WWW-Publishingdienst
1, 2
3
eskalieren second mit alle
tun sync
warte ereignis
ansehen startseite
nachweisen
notiz Es geht wieder.
abschließen
auswertung
beenden
"""


class Talk:
    """A conversation without a terminal."""

    def __init__(self, session: Any, lines: str) -> None:
        self._lines = iter(lines.splitlines())
        self.shown: list[str] = []
        self.terminal = Terminal(session, self._read, lambda text, _style: self.shown.append(text), lambda: session)
        self.terminal.run()

    def _read(self, prompt: str) -> str | None:
        line = next(self._lines, None)
        self.shown.append(f"{prompt}{line}")
        return line

    @property
    def text(self) -> str:
        return "\n".join(self.shown)


class Ran:
    """What the command printed, and its exit code."""

    def __init__(self, code: object, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Calls ``wsyncsim lab`` in this process, with sessions of its own."""
    monkeypatch.setenv("WSYNCSIM_LANGUAGE", "en")
    before = signal.getsignal(signal.SIGTERM)

    def call(*arguments: str, typed: str = "") -> Ran:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            cli.main(["lab", *arguments, "--state", str(tmp_path)] if arguments else ["lab", "--state", str(tmp_path)])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return Ran(ended.value.code, printed.out, printed.err)

    yield call
    signal.signal(signal.SIGTERM, before)


def _directly(path: Path) -> LabSession:
    """The English play, without a terminal."""
    session = lab.open_ticket(SERVICE, seed=7, path=path)
    session.ask("worked_before")
    session.look("L55")
    session.look("L45")
    session.hypothesis("the web service is stopped")
    cause = next(cause.id for cause in session.causes() if cause.title.startswith("World Wide Web Publishing"))
    session.diagnose(cause, ["e1", "e2"], 3)
    session.escalate("second level", ["e1", "e2"])
    session.act(next(action.id for action in session.actions() if action.title == "Run Synchronization"))
    session.wait("event")
    session.look("L55")
    session.verify()
    session.note("It works again.")
    session.close()
    return session


# --- whole tickets


def test_a_script_gives_the_same_file_and_mark_as_the_session_itself(run: Any, tmp_path: Path) -> None:
    done = run("new", SERVICE, "--seed", "7", typed=ENGLISH)
    assert done.code == 0
    directly = _directly(tmp_path / "other" / "direct.jsonl")
    assert (tmp_path / f"{SERVICE}-7.jsonl").read_bytes() == (tmp_path / "other" / "direct.jsonl").read_bytes()
    total = directly.result().total
    assert total >= 90
    assert f"Mark: {total} of 100, excellent." in done.out
    assert "World Wide Web Publishing Service stopped" in done.out.split("What was wrong:")[1]
    excerpt = re.search(r"```text\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert excerpt is not None
    assert [line for line in excerpt[1].splitlines() if line not in done.out.splitlines() and line != "..."] == []


def test_a_ticket_is_solved_in_german(run: Any) -> None:
    done = run("new", SERVICE, "--seed", "7", "--lang", "de", typed=GERMAN)
    assert done.code == 0, done.out
    mark = re.search(r"Bewertung: (\d+) von 100", done.out)
    assert mark is not None
    assert int(mark[1]) >= 90
    assert "WWW-Publishingdienst beendet" in done.out.split("Was falsch war:")[1]
    content = json.loads(run("debrief", "--json").out)
    assert content["result"]["total"] == int(mark[1])
    assert content["debrief"]["card"]


def test_the_lab_goes_on_after_it_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wsyncsim", "lab"]
    state = ["--state", str(tmp_path)]
    environment = {**os.environ, "WSYNCSIM_LANGUAGE": "en", "PYTHONUNBUFFERED": "1"}
    playing = subprocess.Popen(
        [*command, "new", SERVICE, "--seed", "7", *state], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    assert playing.stdin is not None
    assert playing.stdout is not None
    playing.stdin.write(b"look L55\n")
    playing.stdin.flush()
    for line in playing.stdout:
        if b"e1:" in line:
            break
    playing.kill()
    playing.communicate()
    path = tmp_path / f"{SERVICE}-7.jsonl"
    with path.open("ab") as file:
        file.write(b'{"n":2,"do":"lo')
    done = subprocess.run([*command, *state], input=b"evidence\nlook services\n", capture_output=True, env=environment, check=True)
    assert b"You go on with session 1058-7: 1 actions so far." in done.stdout
    assert b"e1: Home page of the server" in done.stdout
    assert [json.loads(line).get("id") for line in path.read_bytes().splitlines()[1:]] == ["L55", "L45"]


def test_without_a_command_it_takes_the_next_ticket_and_goes_on_with_it(run: Any, tmp_path: Path) -> None:
    first = run(typed="look L48\nquit\n")
    assert first.code == 0
    assert "wsyncsim lab continue" in first.out
    assert len([*tmp_path.glob("*.jsonl")]) == 1
    assert "1 actions so far" in run(typed="close anyway\n").out
    assert "Ticket" in run(typed="").out
    assert len({path.name.split("-")[0] for path in tmp_path.glob("*.jsonl")}) == 2


# --- mistakes


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("dance", "there is no command"),
        ("lok services", "Did you mean look?"),
        ("look", ""),
        ("look nowhere", "nothing here is called"),
        ("look services on NOWHERE", "no such server"),
        ("look L45 as nobody", "no account"),
        ("log wsyn", ""),
        ("do 99", "nothing here is called"),
        ("wait", "needs something after it"),
        ("wait forever", "cannot wait"),
        ("evidence e9", "nothing here is called"),
        ("diagnose 1 with e9 confidence 3", "nothing here is called"),
        ("escalate plumbers with e1", "nothing here is called"),
        ("close", "diagnosis handed in, note to the customer"),
        ("close anyway sometimes", "there is no resolution"),
        ("debrief", "still open"),
        ("lang fr", "lang de"),
        ("think", "needs something after it"),
        ("note a\x1b[2Jb", "control characters"),
        ("note \ud800", "control characters"),
        ("d", "may mean several things"),
    ],
)
def test_a_mistake_is_told_and_the_session_goes_on(typed: str, said: str, shared: LabSession) -> None:
    count = len(shared.actions_done)
    talk = Talk(shared, f"{typed}\nticket\n")
    assert said in talk.text
    assert (talk.terminal.mistakes > 0) == bool(said)
    assert "site MUC" in talk.text.rsplit("> ticket", 1)[1]
    assert len(shared.actions_done) == count + (typed == "log wsyn")


def test_a_mistake_is_told_in_the_language_of_the_session(shared: LabSession) -> None:
    text = Talk(shared, "lang de\nwarten forever\nabschließen anyway sometimes\nsprache en\n").text
    assert "Nicht getan: auf „forever“ kann man nicht warten\n  Zum Beispiel 5m" in text
    assert "there is no" not in text


@pytest.fixture(scope="module")
def shared() -> LabSession:
    return lab.open_ticket(SERVICE, seed=7)


def test_a_script_with_mistakes_ends_with_exit_code_2(run: Any) -> None:
    done = run("new", SERVICE, "--seed", "7", typed="dance\nlook L55\n")
    assert done.code == 2
    assert "e1: Home page" in done.out


@pytest.mark.parametrize(
    "arguments", [("new", "1059"), ("new", SERVICE, "--seed", "-1"), ("continue",), ("continue", "x"), ("debrief",), ("dance",)]
)
def test_wrong_arguments_end_with_exit_code_2(run: Any, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert done.err


def test_a_wrong_answer_is_asked_again_and_an_empty_one_cancels(shared: LabSession) -> None:
    count = len(shared.diagnoses)
    talk = Talk(shared, "diagnose\n99\n12\n\nticket\n")
    assert "Cancelled" in talk.text
    assert talk.text.count("Cause (number") == 2
    assert len(shared.diagnoses) == count


def test_an_interruption_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    session = lab.open_ticket(SERVICE, seed=7, path=path)
    lines: list[Any] = ["look L55", KeyboardInterrupt, "evidence", None]

    def read(_prompt: str) -> str | None:
        line = lines.pop(0)
        if line is KeyboardInterrupt:
            raise KeyboardInterrupt
        return line  # type: ignore[no-any-return]

    shown: list[str] = []
    Terminal(session, read, lambda text, _style: shown.append(text), lambda: lab.resume(path)).run()
    assert any(line.startswith("e1: Home page of the server, on") for line in shown)
    assert "Nothing is lost. Type quit to go." in shown


# --- words


def test_every_command_is_known_by_each_of_its_names_and_has_help() -> None:
    known = tomllib.loads(TEXTS.read_text(encoding="utf-8"))
    for command, names in NAMES.items():
        assert f"help_{command}" in known
        assert hasattr(Terminal, f"_do_{command}")
        for language in ("en", "de"):
            for name in (*names["en"], *names["de"]):
                assert command_of(name, language) == command


def test_the_beginning_of_a_word_is_enough() -> None:
    assert command_of("diag", "en") == "diagnose"
    assert command_of("Esk", "de") == "escalate"
    assert command_of("warte", "en") == "wait"


def test_a_misspelt_command_is_suggested_in_the_language_that_is_spoken() -> None:
    for language, typed, suggested in (("en", "dignose", "diagnose"), ("de", "anseen", "ansehen"), ("de", "loook", "ansehen")):
        with pytest.raises(WsyncsimError) as caught:
            command_of(typed, language)
        assert suggested in caught.value.hint


def test_words_are_divided_at_keywords() -> None:
    typed = sort_words(["wsyncmgr", "--find", "sync", "failed", "--errors", "on", "CM1"], ("find", "errors", "host"))
    assert (typed.words, typed.given) == (["wsyncmgr"], {"find": ["sync", "failed"], "errors": [], "host": ["CM1"]})


def test_words_of_a_title_are_enough_when_they_are_of_one_only() -> None:
    items = [(1, ("L1",), "Start Update Services"), (2, ("L2",), "Start the database")]
    assert pick("database", items, "en", "do") == 2
    assert pick("l1", items, "en", "do") == 1
    with pytest.raises(WsyncsimError, match="several"):
        pick("start", items, "en", "do")


def test_texts_have_the_same_values_in_both_languages() -> None:
    for name, texts in tomllib.loads(TEXTS.read_text(encoding="utf-8")).items():
        values = [{field for _, field, _, _ in string.Formatter().parse(texts[each]) if field} for each in ("en", "de")]
        assert values[0] == values[1], name


def test_what_a_look_reveals_finds_it_too(shared: LabSession) -> None:
    assert "L05 Port numbers and SSL" in Talk(shared, "look ports\n").text
    count = len(shared.sights)
    Talk(shared, "look netstat\n")
    assert shared.sights[count].id == "L73"


def test_actions_keep_their_numbers_when_one_group_is_listed() -> None:
    session = lab.open_ticket("1009", seed=7)
    everything, some = Talk(session, "do\n").shown, Talk(session, "do iis\n").shown
    rows = [line for line in some if line[0].isdigit()]
    assert rows
    assert set(rows) < set(everything)


def test_the_language_changes_nothing_but_texts(shared: LabSession) -> None:
    count = len(shared.actions_done)
    talk = Talk(shared, "lang de\nticket\nsprache en\n")
    assert "ruft an" in talk.text
    assert (shared.language, len(shared.actions_done)) == ("en", count)


@pytest.mark.parametrize(
    ("environment", "language"),
    [({"LANG": "de_AT.UTF-8"}, "de"), ({"LANG": "C.UTF-8"}, "en"), ({"LANG": "de_DE", "WSYNCSIM_LANGUAGE": "en"}, "en")],
)
def test_the_language_is_the_systems(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], language: str) -> None:
    for name in LANGUAGE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert lab_language() == language


# --- what is shown


def test_nothing_that_is_shown_can_be_obeyed_by_a_terminal() -> None:
    assert inert("".join(map(chr, range(0x110000)))).isprintable()


def test_hostile_texts_are_inert(shared: LabSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.__class__, "about", lambda _self: {**ABOUT, "says": "hello\x1b]0;owned\x07\u202e\x9b2J"})
    text = Talk(shared, "ticket\n").text
    assert "hello\\x1b]0;owned\\x07\\u202e\\x9b2J" in text
    assert all(line.isprintable() for line in text.split("\n"))


def test_a_hostile_session_file_is_inert(run: Any, tmp_path: Path) -> None:
    header = {"schema": "wsyncsim-lab/1", "version": "\x1b]0;owned\x07", "ticket": SERVICE, "seed": 7}
    (tmp_path / "evil.jsonl").write_text(json.dumps(header) + "\n", encoding="utf-8")
    done = run("continue", "evil")
    assert done.code == 2
    assert "\\x1b]0;owned\\x07" in done.err
    assert "\x1b" not in done.err


ABOUT = {
    "ticket": "1",
    "level": 1,
    "minutes": 5,
    "caller": "x",
    "site": "MUC",
    "role": "help desk",
    "local": "2026-01-01T08:00:00",
    "opened": "2026-01-01T08:00:00",
    "spent_min": 0,
    "charged_min": 0,
}


@pytest.mark.parametrize(
    ("line", "shown", "severity"),
    [
        (
            "Sync failed: x~  $$<SMS_WSUS_SYNC_MANAGER><05-04-2026 08:05:01.364-120><thread=2 (0x2)>",
            "05-04-2026 08:05:01  Sync failed: x",
            "error",
        ),
        (
            "Found 1 SUPs  $$<SMS_WSUS_SYNC_MANAGER><Mon Oct 01 06:27:52.784 2007 W. Europe Daylight Time><thread=3 (0x3)>",
            "Mon Oct 01 06:27:52 2007  Found 1 SUPs",
            "info",
        ),
        ("2026-01-01 08:00:00.000 UTC\tWarning\tx", "2026-01-01 08:00:00.000 UTC\tWarning\tx", "warning"),
        ("  Level: Error", "  Level: Error", "error"),
    ],
)
def test_log_lines_are_readable_and_their_severity_is_a_word(line: str, shown: str, severity: str) -> None:
    assert readable(line) == shown
    assert severity_of(line) == severity


def test_a_log_can_be_searched_and_seen_again_for_nothing(shared: LabSession) -> None:
    Talk(shared, "log wsyncmgr\n")
    spent, name = shared.spent_min, shared.sights[-1].evidence
    found = Talk(shared, f"evidence {name} find sync failed: errors\n").text
    assert "[ERROR] Mon Oct 01 08:05:01 2007  Sync failed: WSUS server not configured" in found
    assert "Waiting" not in found
    assert "$$<SMS_WSUS_SYNC_MANAGER>" in Talk(shared, f"evidence {name} raw\n").text
    assert shared.spent_min == spent


def test_tickets_are_listed_by_level_in_both_languages(run: Any) -> None:
    assert "Level 1: one symptom, one cause" in run("list").out
    german = run("list", "--lang", "de")
    assert german.out.count(": ") > len(lab.tickets())
    assert "Stufe 5: Prüfung" in german.out
    assert {ticket["id"] for ticket in json.loads(run("list", "--json").out)} == {ticket.id for ticket in lab.tickets()}


def test_the_doctor_finds_what_is_there_and_what_is_damaged(run: Any, tmp_path: Path) -> None:
    assert run("doctor").code == 0
    (tmp_path / "broken.jsonl").write_bytes(b"nonsense\n")
    done = run("doctor")
    assert done.code == 1
    assert "problem: session broken" in done.out


def test_lines_are_pinned_by_number_or_text_and_taken_off() -> None:
    session = lab.open_ticket("1058", seed=7)
    talk = Talk(session, "look L20\npin e1 2\npin 1 no such thing\npin e1 2\nevidence\nunpin e1 2\npin e1 99999999999\npin all 1 2")
    assert "Pinned: line 2 of e1." in talk.text
    assert "no line of e1 has that" in talk.text
    assert "that line is pinned already" in talk.text
    assert "pinned, line 2: " in talk.text
    assert "Taken off: line 2 of e1." in talk.text
    assert talk.terminal.mistakes == 4
    assert [action["do"] for action in session.actions_done] == ["look", "pin", "unpin"]


def test_codes_are_looked_up_for_nothing() -> None:
    session = lab.open_ticket("1058", seed=7)
    talk = Talk(session, "err 0x80072EE7\nlang de\nnachschlagen 401.1\nerr 999\nerr\nerr hello")
    assert "ERROR_INTERNET_NAME_NOT_RESOLVED: The server name or address could not be resolved." in talk.text
    assert "Anmeldung fehlgeschlagen." in talk.text
    assert "Über 999 ist hier nichts bekannt." in talk.text
    assert talk.terminal.mistakes == 2
    assert session.actions_done == []


# --- waiting, and reading again


def test_who_waits_for_what_happens_waits_for_the_end_of_a_synchronization() -> None:
    session = lab.open_ticket(SERVICE, seed=1)
    session.act(lab.session.code("a", "R10"))
    session.wait("event")
    shown = "\n".join(session.look("L20").lines)
    started = shown.rindex("Starting Sync")
    assert "Sync failed" in shown[started:]


def test_a_log_that_only_says_the_same_again_is_not_called_unchanged() -> None:
    session = lab.open_ticket(SERVICE, seed=1)
    first = session.look("L21")
    again = session.look("L21")
    session.wait("3h")
    later = session.look("L21")
    assert (again.new, again.same) == (False, True)
    assert later.lines != first.lines
    assert not later.same


def test_of_a_long_log_the_end_is_shown_and_all_of_it_on_request() -> None:
    talk = Talk(lab.open_ticket(SERVICE, seed=1), "log wcm\nevidence e1 all\nquit")
    lines = lab.open_ticket(SERVICE, seed=1).look("L21").lines
    assert len(lines) > wsyncsim.lab.terminal.LAST_LINES + 1
    assert f"... {len(lines) - wsyncsim.lab.terminal.LAST_LINES - 1} lines before these" in talk.text
    assert talk.text.count(readable(lines[1])) == 1
    assert talk.text.count(readable(lines[-1])) >= 2


def test_a_closed_ticket_can_be_tried_another_way(run: Any, tmp_path: Path) -> None:
    run("new", SERVICE, "--seed", "1", typed="look L55\nlook services\nclose nothing anyway\nquit\n")
    forked = run("fork", "--at", "1", typed="quit\n")
    assert "1 actions so far" in forked.out
    kinds = [[action["do"] for action in lab.resume(path).actions_done] for path in sorted(tmp_path.rglob("*.jsonl"))]
    assert sorted(kinds, key=len) == [["look"], ["look", "look", "close"]]


def test_the_debrief_tells_everything_that_was_done_in_its_order_and_where_to_try_it_another_way() -> None:
    session = lab.open_ticket(SERVICE, seed=1)
    session.ask("who")
    session.ask("who")
    session.hypothesis("DNS?")
    session.look("L55")
    session.look("L55")
    session.hint()
    session.wait("5m")
    session.escalate("second level", ["e1"])
    session.act("R10")
    session.diagnose(session.causes()[0].id, ["e1"], 1)
    session.note("It is\nbeing looked at.")
    session.close("nothing")
    did = session.debrief().did
    told = [each.text.split()[0].strip(":") for each in did]
    assert told == ["asked", "asked", "looked", "looked", "took", "handed", "second", "second", "did", "diagnosed", "note"]
    assert did[-1].text.endswith("It is being looked at.")
    kinds = [session.actions_done[each.action]["do"] for each in did]
    assert kinds == ["ask", "ask", "look", "look", "hint", *["escalate"] * 3, "act", "diagnose", "note"]
    times = [each.local for each in did]
    assert times == sorted(times)
    assert times[5] > times[4]


def test_the_debrief_lists_every_diagnosis_that_was_handed_in() -> None:
    session = lab.open_ticket(SERVICE, seed=1)
    wrong, other = (cause.id for cause in session.causes()[:2])
    session.look("L55")
    session.diagnose(wrong, ["e1"], 3)
    session.diagnose(other, ["e1"], 1)
    session.close("nothing")
    said = [did.text for did in session.debrief().did]
    assert [text.split(":")[0] for text in said] == ["looked", "diagnosed", "diagnosed"]
    assert "confidence 3" in said[1]


def test_a_session_that_is_full_can_still_be_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsyncsim.lab.session.MAX_ACTIONS", 2)
    session = lab.open_ticket(SERVICE, seed=1)
    session.hypothesis("one")
    session.hypothesis("two")
    with pytest.raises(WsyncsimError, match="at most 2 actions"):
        session.hypothesis("three")
    assert session.close("nothing").total < 25
