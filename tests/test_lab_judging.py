"""The lab's mark tells knowledge from luck, accepts every repair that works, and measures what wrong moves do."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.lab_guesses import BAR, at_random, each_cause, halved, look_sizes, lucky, opener
from benchmarks.lab_repairs import opened, tried, works
from scenarios.faults import FAULTS
from scenarios.repairs import REPAIRS
from wsyncsim import lab
from wsyncsim.lab import course as courses
from wsyncsim.lab.data import policy, tempting_moves, ticket_data
from wsyncsim.lab.diagnosis import best_way, right_steps
from wsyncsim.lab.grounds import LUCK, Grounds, worth
from wsyncsim.lab.harm import measured, tempting
from wsyncsim.lab.session import LabSession, code
from wsyncsim.lab.solver import diagnose_best, look_for_success, mend
from wsyncsim.lab.terminal import Terminal
from wsyncsim.lab.ticket import possible_causes, true_causes

SOME = ["1002", "1007", "1022", "1026", "1054", "1058", "1060", "1080", "2030", "2018"]
"""Tickets of all levels and complaints; the benchmarks go through all."""
SERVICE, PORT, REPLICA, PROXY, FIRST_RUN, PARENT = "1058", "1009", "1038", "1026", "1007", "1080"
NO_HARM = {"en": "no harm measured", "de": "kein Schaden gemessen"}


def _open(id: str = SERVICE, **given: Any) -> LabSession:
    return lab.open_ticket(id, **{"seed": 7, "role": "second level", **given})


def _truth(session: LabSession) -> list[str]:
    return [code("c", cause.id) for cause in true_causes(session.story)]


# --- what is known


GROUNDS = st.integers(2, 60).flatmap(
    lambda candidates: st.builds(Grounds, st.just(candidates), st.integers(1, candidates), st.integers(1, 3))
)


@given(GROUNDS)
def test_knowledge_is_a_share_and_worth_between_luck_and_all(grounds: Grounds) -> None:
    assert 0 <= grounds.known <= 1
    assert LUCK <= worth(grounds.known) <= 1


@given(st.integers(2, 60), st.integers(1, 3))
def test_the_fewer_explanations_are_left_the_more_is_known(candidates: int, floor: int) -> None:
    known = [Grounds(candidates, left, floor).known for left in range(candidates, 0, -1)]
    assert all(before <= after for before, after in pairwise(known))
    assert known[-1] == 1
    assert known[0] == 0 or candidates <= floor


# --- guessing


@pytest.mark.parametrize("id", SOME)
def test_who_has_ruled_out_nothing_stays_below_the_bar_even_when_everything_is_hit_by_chance(id: str) -> None:
    second = opener(id, 4, "second level")
    sizes = look_sizes(second())
    if len(sizes) == 1:
        pytest.skip("every look tells something")
    result = lucky(second, *sizes[max(sizes)])
    assert result.left == result.candidates
    assert result.correctness == 1
    assert result.total < BAR


@pytest.mark.parametrize("id", [SERVICE, PORT])
def test_no_cause_that_is_offered_earns_much_without_evidence(id: str) -> None:
    sizes = look_sizes(_open(id))
    for result in each_cause(opener(id, 7), *sizes[max(sizes)]):
        assert result.total < BAR


@given(st.sampled_from(["1058", "1054", "1088"]), st.sampled_from([1, 3]), st.randoms(use_true_random=False))
@settings(max_examples=5)
def test_random_runs_stay_below_the_bar_unless_half_was_ruled_out(id: str, looks: int, dice: Any) -> None:
    result = at_random(opener(id, 2), looks, dice)
    assert result.total < BAR or halved(result)


def test_a_lucky_repair_before_any_look_earns_little_of_what_a_repair_earns() -> None:
    session = _open()
    session.act("R02")
    assert look_for_success(session)
    session.note("It works again.")
    result = session.close()
    assert (result.solved, result.known_mending) == (True, 0)
    assert result.parts["safety"] == pytest.approx(LUCK * policy().weights["safety"])
    assert result.total < BAR
    assert result.remarks("en")
    assert result.remarks("de")


@pytest.mark.parametrize("id", ["1005", PORT])
def test_looks_after_a_blind_repair_do_not_make_it_a_known_one(id: str) -> None:
    session = _open(id, seed=1)
    for cause in true_causes(session.story):
        for action, site in right_steps(session.story, cause):
            session.act(action, site=site)
    for item in session.looks():
        if not item.leaves_trace and not item.takes_target:
            for place in item.places:
                session.look(item.id, host=place.host)
    assert look_for_success(session)
    session.diagnose(_truth(session), [sight.evidence for sight in session.sights], 3)
    session.note("It works again.")
    result = session.close("fixed")
    assert result.solved
    assert 2 * result.left <= result.candidates
    assert result.left_mending == result.candidates
    assert result.total < BAR


def test_the_order_of_diagnosis_and_repair_does_not_matter() -> None:
    session = _open()
    for step in best_way(session.variant).steps:
        session.look(step.id, host=step.host)
    evidence = [sight.evidence for sight in session.sights]
    session.act("R02")
    assert look_for_success(session)
    session.diagnose(_truth(session), evidence, 3)
    session.note("It works again.")
    assert session.close("fixed").total == 100


def test_a_guess_that_is_looked_after_before_it_counts_is_none() -> None:
    session = _open()
    session.look("L48")
    session.diagnose(_truth(session), ["e1"], 1)
    for step in best_way(session.variant).steps:
        session.look(step.id, host=step.host)
    session.diagnose(_truth(session), ["e2"], 3)
    result = session.close()
    assert (result.guess, result.known) == (False, 1)


def test_a_diagnosis_against_what_was_seen_is_a_guess() -> None:
    session = _open()
    for step in best_way(session.variant).steps:
        session.look(step.id, host=step.host)
    wrong = next(cause for cause in possible_causes(session.story) if cause.fault == "S18")
    session.diagnose(code("c", wrong.id), ["e1"], 3)
    result = session.close()
    assert result.contradicted
    assert result.correctness > 0
    assert result.parts["correctness"] == pytest.approx(LUCK * 40 * result.correctness)
    assert result.total < BAR


def test_one_of_two_true_causes_is_no_guess() -> None:
    session = _open("2003")
    for step in best_way(session.variant).steps:
        session.look(step.id, host=step.host)
    session.diagnose(_truth(session)[0], ["e1"], 3)
    result = session.close()
    assert not result.contradicted
    assert result.parts["correctness"] == pytest.approx(40 * result.correctness, abs=0.01)


# --- repairs


@pytest.mark.parametrize(
    ("id", "ways"),
    [
        ("1034", [("R70",), ("R02",)]),
        ("1058", [("R70",), ("R02",)]),
        ("1073", [("R28",), ("R22",)]),
        ("1069", [("R22",), ("X21",)]),
        ("1063", [("R38",), ("X26",)]),
        ("2003", [("R22", "R70"), ("R22", "R02")]),
    ],
)
def test_different_repairs_that_do_no_harm_reach_full_marks(id: str, ways: list[tuple[str, ...]]) -> None:
    for way in ways:
        session = opened(id, 1)
        steps = tuple((action, session.variant.site) for action in way)
        assert works(session, steps)
        done = tried(id, 1, steps)
        assert done is not None
        assert (done.points, done.total) == (0, 100), done


@pytest.mark.parametrize(
    ("id", "action", "because"),
    [
        (PORT, "X06", "left changed"),  # clients and children keep the port that the site means
        ("1005", "X32", "does not last"),  # Microsoft Update's address changes
        ("1034", "X27", "stood still"),
        ("1022", "R15", "security"),
    ],
)
def test_a_repair_that_works_is_marked_down_for_measured_harm_only(id: str, action: str, because: str) -> None:
    session = opened(id, 1)
    done = tried(id, 1, ((action, session.variant.site),))
    assert done is not None
    assert done.points > 0
    assert any(because in detail for detail in done.details)
    assert done.total == 100 - done.points


# --- tempting wrong moves


def test_every_fault_of_a_ticket_has_tempting_wrong_moves_and_all_of_them_exist() -> None:
    faults = {fault for data in ticket_data().values() for fault in data.faults if FAULTS[fault].behind is None}
    for fault in (*sorted(faults), ""):
        assert tempting_moves(fault)
        assert set(tempting_moves(fault)) <= set(REPAIRS)


@pytest.mark.parametrize("id", SOME)
def test_the_debrief_says_what_each_tempting_move_does_as_measured(id: str) -> None:
    for language in ("en", "de"):
        session = _open(id, language=language)
        moves = tempting(session)
        assert moves
        for move in moves:
            assert (move.points > 0) != move.details[0].startswith(NO_HARM[language])
            assert len(move.details) > 1
            assert json.dumps(move.as_json())


def _harm_of(session: LabSession, action: str) -> tuple[int, str]:
    found = next(harm for harm in measured(session) if harm.action == REPAIRS[action].title.in_("en"))
    return found.points, "; ".join(found.details)


def test_security_settings_that_were_left_changed_are_told_at_once() -> None:
    session = _open("1022", seed=1, language="de")
    session.act("X29")
    (harm,) = measured(session)
    (told,) = [detail for detail in harm.details if "Sicherheit" in detail]
    assert told.startswith("Sicherheitseinstellungen geändert und so belassen: ")
    assert told.count(";") == 2


@pytest.mark.parametrize(("language", "command"), [("en", "debrief"), ("de", "auswertung")])
def test_what_did_no_harm_has_no_points_of_it(language: str, command: str) -> None:
    lines: list[str] = []
    session = _open(language=language)
    assert not all(move.points for move in tempting(session))
    session.close("nothing")
    Terminal(session, lambda _prompt: None, lambda text, _style: lines.append(text), lambda: session).obey(command)
    assert any(NO_HARM[language] in line for line in lines)
    assert not [line for line in lines if re.search(r", 0 (points of harm|Punkte Schaden)", line)]


def test_a_synchronization_past_configmgr_is_harm() -> None:
    session = _open("2030")
    session.act("X08")
    assert _harm_of(session, "X08")[0] == policy().harm["foreign_run"]


def test_a_request_that_was_deleted_before_it_was_read_is_harm_and_nothing_deleted_is_none() -> None:
    session = _open(FIRST_RUN)
    session.act("R10")
    session.act("X34")
    assert _harm_of(session, "X34") == (policy().harm["lost_request"], "requested synchronizations that never began: 1")
    session = _open(SERVICE)
    session.act("X34")
    assert _harm_of(session, "X34")[0] == 0


@pytest.mark.parametrize(("id", "action"), [(PROXY, "X21"), (PORT, "X35"), (REPLICA, "X26"), (PARENT, "X26")])
def test_what_the_product_writes_back_is_harm(id: str, action: str) -> None:
    session = _open(id)
    session.act(action)
    points, details = _harm_of(session, action)
    assert points == policy().harm["undone"]
    assert "undone by the product itself" in details


def test_the_catalogues_own_repair_has_no_harm_and_the_debrief_says_so() -> None:
    for language in ("en", "de"):
        session = _open(language=language)
        diagnose_best(session)
        session.note("It works again.")
        session.close(mend(session))
        found = session.debrief()
        assert not found.harms
        assert found.measured
        assert all(harm.details[0].startswith(NO_HARM[language]) for harm in found.measured)
        assert found.tempting


def test_a_bundle_of_a_session_in_german_is_verified_as_well() -> None:
    session = _open(language="de")
    session.act("X05")
    session.close()
    assert session.result().harms
    key = bytes(32)
    assert courses.verify(courses.bundle(session, key), key).total == session.result().total
