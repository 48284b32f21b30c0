"""The training lab: a session is its actions, all else is computed from worlds, and the mark has the properties it should."""

from __future__ import annotations

import json
import re
import statistics
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.faults import FAULTS
from scenarios.repairs import REPAIRS
from simulator.errors import WsyncsimError
from wsyncsim import lab
from wsyncsim.lab import course as courses
from wsyncsim.lab.data import LabError, curriculum, policy, ticket_data
from wsyncsim.lab.diagnosis import best_way, difficulty
from wsyncsim.lab.score import Result
from wsyncsim.lab.session import LabSession, code
from wsyncsim.lab.solver import diagnose_best, look_for_success, mend, solve
from wsyncsim.lab.ticket import possible_causes, true_causes, variant

SECOND_LEVEL = "second level"
SERVICE = "1058"
PORT = "1009"
HEALTHY = "2030"
NOT_REPAIRABLE = "1060"
PATIENCE = "1007"
TWO_FAULTS = "2003"
SOME = (PORT, HEALTHY, PATIENCE, NOT_REPAIRABLE)


def _open(id: str = SERVICE, **given: Any) -> LabSession:
    return lab.open_ticket(id, **{"seed": 7, "role": SECOND_LEVEL, **given})


def _views(session: LabSession) -> str:
    return json.dumps([sight.as_json() for sight in session.sights])


# --- tickets


def test_every_fault_of_the_page_has_a_ticket_and_a_heading() -> None:
    page = {id for id in FAULTS if id.startswith("S")}
    assert page <= {fault for ticket in ticket_data().values() for fault in ticket.faults}
    assert page == {fault for heading in curriculum() for fault in heading.faults}


def test_tickets_and_headings_of_the_curriculum_name_each_other() -> None:
    known = {heading.id for heading in curriculum()}
    used = {heading for ticket in lab.tickets() for heading in ticket.headings}
    assert used == known


def test_there_are_tickets_of_every_level() -> None:
    assert {ticket.level for ticket in lab.tickets()} == set(range(6))


@pytest.mark.parametrize("id", [ticket.id for ticket in lab.tickets()])
def test_a_ticket_plays_in_each_of_its_generations(id: str) -> None:
    for generation in variant(id, 1).ticket.generations:
        assert variant(id, 1, generation=generation).story.generation == generation


def test_prices_and_groups_are_for_actions_that_exist() -> None:
    named = {*policy().minutes, *(id for ids in policy().groups.values() for id in ids)}
    assert named <= set(REPAIRS)


@given(st.integers(0, 2**53))
@settings(max_examples=25)
def test_a_variant_follows_from_ticket_and_seed(seed: int) -> None:
    assert variant(PORT, seed) == variant(PORT, seed)


def test_seeds_give_different_variants() -> None:
    stories = {variant(PORT, seed).story.to_toml() for seed in range(12)}
    assert len(stories) == 12


def test_an_unknown_ticket_is_refused_with_a_hint() -> None:
    with pytest.raises(WsyncsimError) as caught:
        lab.open_ticket("1059")
    assert "1058" in caught.value.hint or "1009" in caught.value.hint


# --- the clock


def test_a_look_costs_its_minutes_once() -> None:
    session = _open()
    began = session.now
    first, again = session.look("L45", host="sup"), session.look("L45", host="sup")
    assert (first.charged_min, again.charged_min) == (first.minutes, 0)
    assert session.now - began == first.minutes * 60_000_000


def test_a_look_costs_again_when_it_shows_something_new() -> None:
    session = _open()
    session.look("L45", host="sup")
    session.act("R02")
    assert session.look("L45", host="sup").charged_min > 0


def test_time_moves_only_when_something_is_done() -> None:
    session = _open()
    before = session.now
    session.looks(), session.actions(), session.causes(), session.about(), session.verify(), session.remaining()
    session.hypothesis("a service stands still")
    assert session.now == before
    assert session.wait("5m").minutes == 5


def test_waiting_for_an_event_ends_with_one() -> None:
    session = _open()
    assert 0 < session.wait("event").minutes <= 24 * 60


@pytest.mark.parametrize("wanted", ["", "soon", "0m", "2d", -5])
def test_impossible_waits_are_refused(wanted: Any) -> None:
    session = _open()
    with pytest.raises(WsyncsimError):
        session.wait(wanted)
    assert session.spent_min == 0


# --- roles and refusals


def test_the_help_desk_may_not_change_settings() -> None:
    session = _open(role="help desk")
    assert [action.title for action in session.actions()] == ["Run Synchronization"]
    with pytest.raises(WsyncsimError, match="help desk"):
        session.act("R02")


def test_what_is_refused_leaves_nothing(tmp_path: Path) -> None:
    session = _open(path=tmp_path / "a.jsonl")
    session.look("L20")
    before = (session.now, _views(session), (tmp_path / "a.jsonl").read_bytes())
    refused = (
        lambda: session.act("R99"),
        lambda: session.look("L999"),
        lambda: session.diagnose(code("c", "nothing"), [], 3),
        lambda: session.diagnose(code("c", "nothing"), ["e9"], 3),
        lambda: session.escalate("gardeners", ["e1"]),
        lambda: session.note("\x1b[2J"),
        lambda: session.close("perhaps"),
    )
    for attempt in refused:
        with pytest.raises(WsyncsimError):
            attempt()
    assert (session.now, _views(session), (tmp_path / "a.jsonl").read_bytes()) == before


def test_escalating_without_evidence_comes_back_and_with_it_is_taken_over() -> None:
    session = _open("1011", role="help desk")
    session.look("L48")
    assert not session.escalate("network", ["e1"]).accepted
    for step in best_way(session.variant).steps:
        last = session.look(step.id, host=step.host)
    assert not session.escalate("database", [last.evidence]).accepted
    assert session.escalate("network", [last.evidence]).accepted
    assert look_for_success(session)


# --- state is the actions


def test_a_resumed_session_is_the_same_to_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    session = _open(path=path)
    diagnose_best(session)
    session.act("R02")
    session.look("L72", host="ss")
    session.wait("1h")
    session.look("L37", host="sup")
    again = lab.resume(path)
    assert (again.now, _views(again), again.actions_done) == (session.now, _views(session), session.actions_done)
    assert again.close().as_json() == session_close(session, path)


def session_close(session: LabSession, path: Path) -> dict[str, Any]:
    """The other one went on with the file, so this one is opened again."""
    with pytest.raises(WsyncsimError, match="somebody else"):
        session.close()
    return lab.resume(path).result().as_json()


def test_a_mirror_follows_what_another_one_does(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    session = _open(path=path)
    mirror = lab.resume(path, language="de")
    session.look("L20")
    session.act("R02")
    assert mirror.refresh() == 2
    assert (mirror.now, mirror.sights[0].facts) == (session.now, session.sights[0].facts)
    assert mirror.refresh() == 0


def test_an_old_success_verifies_nothing() -> None:
    session = _open()
    session.act("R02")
    assert look_for_success(session)
    session.act("R08")
    session.look("L01")
    assert not session.verify().seen


def test_a_torn_last_line_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    session = _open(path=path)
    session.look("L20")
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"n":2,"do":"lo')
    again = lab.resume(path)
    assert len(again.actions_done) == 1
    again.wait("5m")
    assert path.read_bytes().startswith(whole)
    assert len(lab.resume(path).actions_done) == 2


@pytest.mark.parametrize("content", [b"", b"{}\n", b"nonsense\n", b'{"schema":"wsyncsim-lab/1","version":"0"}\n'])
def test_what_is_no_session_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "session.jsonl"
    path.write_bytes(content)
    with pytest.raises(WsyncsimError):
        lab.resume(path)


@pytest.mark.parametrize("name", ["id", "host", "site", "account", "target"])
@pytest.mark.parametrize("value", ["x" * 201, "a\x1bb", "a\nb", "\ud800", "a\u202eb"])
def test_a_look_is_told_short_printable_names(tmp_path: Path, name: str, value: str) -> None:
    session = lab.open_ticket("1009", seed=7, path=tmp_path / "x.jsonl")
    before = (tmp_path / "x.jsonl").read_bytes()
    with pytest.raises(LabError, match="at most 200 characters"):
        session.look(**{"id": "L71", "target": "host:80", name: value})
    assert (tmp_path / "x.jsonl").read_bytes() == before


def test_a_file_grows_no_longer_than_it_can_be_read_and_leaves_room_for_closing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.jsonl"
    session = lab.open_ticket("1009", seed=7, path=path)
    monkeypatch.setattr("wsyncsim.lab.diary.MAX_BYTES", 6_000)
    for _ in range(4):
        session.note("x" * 1_000)
    before = path.read_bytes()
    with pytest.raises(LabError, match="full"):
        session.note("x" * 1_000)
    assert path.read_bytes() == before
    assert len(lab.resume(path).notes) == len(session.notes) == 4
    session.finish("nothing")
    assert lab.resume(path).closed


def test_damaged_actions_are_refused_without_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    session = _open(path=path)
    header = path.read_bytes()
    for action in (
        {"n": 1, "do": "look"},
        {"n": 2, "do": "verify"},
        {"n": 1, "do": "fly"},
        {"n": 1, "do": "diagnose", "causes": 5},
    ):
        path.write_bytes(header + json.dumps(action).encode() + b"\n")
        with pytest.raises(WsyncsimError):
            lab.resume(path)
    assert session.actions_done == []


def test_a_fork_has_the_first_actions_and_goes_its_own_way() -> None:
    session = _open()
    session.look("L20")
    session.act("R02")
    fork = session.fork(1)
    assert fork.sights == session.sights
    assert fork.act("R70").site == session.variant.site
    assert len(session.actions_done) == 2


def test_language_is_no_part_of_the_state() -> None:
    english, german = _open(language="en"), _open(language="de")
    for session in (english, german):
        session.look("L20")
        session.look("L01")
    assert [sight.facts for sight in english.sights] == [sight.facts for sight in german.sights]
    assert english.actions_done == german.actions_done
    assert english.sights[0].title == german.sights[0].title == "wsyncmgr.log"
    assert english.sights[1].title != german.sights[1].title


def test_nothing_before_closing_names_a_fault() -> None:
    session = _open()
    session.look("L20")
    said = json.dumps(
        [
            session.about(),
            [item.as_json() for item in (*session.looks(), *session.actions(), *session.causes())],
            session.hint().as_json(),
            [sight.as_json() for sight in session.sights],
            session.actions_done,
            [ticket.as_json() for ticket in lab.tickets()],
        ]
    )
    assert not [id for id in FAULTS if f'"{id}' in said or f" {id} " in said]


# --- what is computed


@pytest.mark.parametrize("id", [SERVICE, PORT])
def test_the_truth_is_never_ruled_out(id: str) -> None:
    session = _open(id)
    for look in ("L20", "L21", "L45", "L71"):
        session.look(look)
    session.wait("1h")
    session.look("L99")
    assert true_causes(session.story) in session.panel.alive


def test_looks_rule_out_more_and_more() -> None:
    session = _open(PORT)
    left = [len(session.panel.alive)]
    for step in best_way(session.variant).steps:
        session.look(step.id, host=step.host)
        left.append(len(session.panel.alive))
    assert left == sorted(left, reverse=True)
    assert left[-1] == len(best_way(session.variant).floor) < left[0]


def test_two_faults_are_harder_than_one() -> None:
    assert difficulty(variant(TWO_FAULTS, 7)) > difficulty(variant(SERVICE, 7)) > 0


def test_hints_climb_and_begin_anew_after_a_look() -> None:
    session = _open()
    assert [session.hint().rung for _ in range(3)] == [1, 2, 3]
    step = best_way(session.variant).steps[0]
    session.look(step.id, host=step.host)
    assert session.hint().rung == 1


def test_the_debrief_tells_cause_curve_and_best_way_in_both_languages() -> None:
    for language in ("en", "de"):
        session = _open(language=language)
        session.look("L48")
        solve(session)
        debrief = session.debrief()
        assert debrief.causes == (FAULTS["S19"].title.in_(language) + f" ({session.variant.site})",)
        assert debrief.curve[0].wasted
        assert debrief.curve[-1].left == 1
        assert {entry.kind for entry in debrief.happened} == {"fault", "action", "event"}
        assert debrief.visible
        json.dumps(debrief.as_json())


def test_of_two_faults_the_debrief_tells_what_one_hid_of_the_other() -> None:
    session = _open(TWO_FAULTS)
    assert solve(session).total == 100
    assert session.debrief().masked


# --- the mark


@pytest.mark.parametrize("id", [SERVICE, *SOME])
def test_the_best_way_gets_everything(id: str) -> None:
    result = solve(lab.open_ticket(id, seed=11))
    assert result.total == 100, result


def _close_at_once(id: str) -> Result:
    return lab.open_ticket(id, seed=3).close()


@pytest.mark.parametrize("id", [SERVICE, *SOME])
def test_doing_nothing_gets_next_to_nothing(id: str) -> None:
    assert _close_at_once(id).total < 25


@pytest.mark.parametrize("id", [SERVICE])
def test_handing_in_anything_gets_little(id: str) -> None:
    totals = []
    for cause in possible_causes(_open(id).story)[::3]:
        session = _open(id)
        session.look("L48")
        session.diagnose(code("c", cause.id), ["e1"], 1)
        totals.append(session.close().total)
    assert statistics.mean(totals) < 25


def test_different_repairs_that_work_reach_the_same() -> None:
    for steps in (["R02", "R08"], ["R70"], ["R02"]):
        session = _open()
        diagnose_best(session)
        mend(session, [(step, session.variant.site) for step in steps])
        session.note("It works again.")
        assert session.close().total == 100, steps


def _worked(extra: str = "", *, at: int = 1, hints: int = 0, look: str = "") -> Result:
    """The best way, with something more."""
    session = _open(seed=9)
    if look:
        session.look(look)
    for _ in range(hints):
        session.hint()
    diagnose_best(session)
    for number in range(2):
        if extra and number == at:
            session.act(extra)
        if number == 0:
            session.act("R02")
    look_for_success(session)
    session.note("It works again.")
    return session.close("fixed")


HARMFUL = sorted(id for id in REPAIRS if id.startswith("X"))


@given(st.sampled_from(HARMFUL), st.integers(0, 1))
@settings(max_examples=5)
def test_an_added_harmful_action_never_raises_the_mark(id: str, at: int) -> None:
    if id in ("X21", "X24", "X31"):
        return  # this estate has no proxy
    assert _worked(id, at=at).total <= _worked().total


@given(st.sampled_from(["L06", "L10", "L48", "L60", "L76", "L99"]))
@settings(max_examples=3)
def test_an_added_look_never_raises_the_mark(look: str) -> None:
    assert _worked(look=look).total <= _worked().total


@given(st.integers(1, 6))
@settings(max_examples=3)
def test_hints_never_raise_the_mark(count: int) -> None:
    assert _worked(hints=count).total < _worked().total


def test_what_must_not_be_done_caps_the_mark() -> None:
    result = _worked("X05")
    assert result.critical
    assert result.total <= policy().weights["critical_cap"]
    assert result.harms[0].details


def test_a_guess_earns_no_evidence() -> None:
    session = _open()
    session.look("L48")
    session.diagnose(code("c", true_causes(session.story)[0].id), ["e1"], 1)
    result = session.close()
    assert result.guess
    assert result.parts["evidence"] < 1


def test_repairing_where_nothing_is_wrong_is_not_the_best() -> None:
    session = _open(HEALTHY)
    diagnose_best(session)
    session.act("X05")
    assert session.close("nothing").total <= policy().weights["critical_cap"]


# --- the page about it


def test_the_example_of_the_page_works(capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[1] / "docs" / "lab.md").read_text(encoding="utf-8")
    example = text.split("```python\n", 1)[1].split("```", 1)[0]
    exec(compile(example, "docs/lab.md", "exec"), {})
    assert "\n100 {" in capsys.readouterr().out


# --- courses and exams


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


def test_an_exam_session_names_neither_ticket_nor_seed(exam: tuple[courses.Course, bytes, Path]) -> None:
    course, key, folder = exam
    path = folder / "a.T-1.jsonl"
    session = courses.open_seat(course, key, "a", "T-1", path)
    diagnose_best(session)
    content = path.read_text(encoding="utf-8")
    assert "1058" not in content
    assert str(session.variant.seed) not in content
    assert not set(re.findall(r"[\w+/=-]+", content)) & set(FAULTS)  # as words: a random token may well hold "S01"
    with pytest.raises(WsyncsimError, match="exam"):
        lab.resume(path)
    with pytest.raises(WsyncsimError):
        session.hint()
    session.close()
    with pytest.raises(WsyncsimError, match="released"):
        session.debrief()


def test_participants_have_seeds_of_their_own(exam: tuple[courses.Course, bytes, Path]) -> None:
    course, key, _ = exam
    seeds = {courses.seat(course, each, "a", trainee).seed for each in (key, bytes(32)) for trainee in course.participants}
    assert len(seeds) == 4


def test_a_bundle_is_checked_by_signature_and_by_playing_it_again(exam: tuple[courses.Course, bytes, Path]) -> None:
    course, key, folder = exam
    session = courses.open_seat(course, key, "a", "T-1", folder / "a.T-1.jsonl")
    result = solve(session)
    text = courses.bundle(session, key)
    assert courses.verify(text, key, course).as_json() == result.as_json()
    with pytest.raises(WsyncsimError, match="signature"):
        courses.verify(text.replace('"total": 100', '"total": 99'), key, course)
    content = json.loads(text)
    content.pop("signature")
    content["result"]["total"] = 99
    forged = json.dumps({**content, "signature": courses._sign(content, key)})
    with pytest.raises(WsyncsimError, match="another result"):
        courses.verify(forged, key, course)


def test_results_as_csv_json_lines_and_xapi(exam: tuple[courses.Course, bytes, Path]) -> None:
    course, key, folder = exam
    solve(courses.open_seat(course, key, "a", "T-2", folder / "a.T-2.jsonl"))
    found = courses.sessions_of(course, key, folder)
    assert courses.to_csv(found).splitlines()[1].startswith("c1,a,T-2,100,excellent,40.0")
    assert json.loads(courses.to_json_lines(found))["total"] == 100
    statement = json.loads(courses.to_xapi(found))
    assert statement["verb"]["id"].endswith("/passed")
    assert statement["result"]["score"]["scaled"] == 1.0


@given(st.text())
def test_no_cell_begins_as_a_formula_does(text: str) -> None:
    assert not str(courses.cell(text)).startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "id = 1",
        COURSE + '[[slots]]\nid = "a"\nticket = "1009"',
        COURSE.replace("1058", "nothing"),
        COURSE.replace("T-1", "../x"),
    ],
)
def test_mistakes_in_a_course_are_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "course.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(WsyncsimError):
        courses.load(path)


def test_pinned_lines_are_kept_and_change_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    session = lab.open_ticket("1058", seed=7, path=path)
    session.look("L20")
    before = session.now, session.charged_min
    pin = session.pin("e1", 3)
    session.pin("e1", 2)
    session.unpin("e1", 2)
    assert session.pins == [pin]
    assert pin.text == session.sights[0].lines[2]
    assert (session.now, session.charged_min) == before
    assert lab.resume(path).pins == [pin]


@pytest.mark.parametrize(("evidence", "line"), [("e9", 1), ("e1", 0), ("e1", 10_000), ("e1", True)])
def test_only_lines_that_were_seen_are_pinned(evidence: str, line: int) -> None:
    session = lab.open_ticket("1058", seed=7)
    session.look("L20")
    with pytest.raises(WsyncsimError):
        session.pin(evidence, line)
    with pytest.raises(WsyncsimError):
        session.unpin("e1", 1)
    assert [action["do"] for action in session.actions_done] == ["look"]
