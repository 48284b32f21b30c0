"""The X-ray: it follows the journal, is told in the tour and in debriefs, and gives nothing away in between."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulator.units import MINUTE
from wsyncsim import lab
from wsyncsim.lab import course as courses
from wsyncsim.lab.session import LabSession
from wsyncsim.lab.terminal import Terminal
from wsyncsim.lab.xray import STAGES, Xray, taken

TOUR = "1000"


def _xray(session: LabSession) -> Xray:
    found = session.xray()
    assert found is not None
    return found


def _states(xray: Xray) -> list[str]:
    return [stage.state for stage in xray.stages]


@pytest.fixture(scope="module")
def tour() -> LabSession:
    """The tour, after a synchronization that was watched."""
    session = lab.open_ticket(TOUR, seed=3)
    session.act("R10")
    session.wait("30m")
    return session


def test_in_the_tour_it_follows_a_synchronization_stage_by_stage() -> None:
    session = lab.open_ticket(TOUR, seed=3)
    session.act("R10")
    seen = []
    for _ in range(12):
        states = _states(_xray(session))
        seen.append(states.index("now") if "now" in states else len(states))
        assert states[: seen[-1]] == ["done"] * seen[-1]
        assert set(states[seen[-1] + 1 :]) <= {"ahead"}
        session.wait(1)
    began = seen.index(min(seen))
    assert seen[began:] == sorted(seen[began:])
    assert len(set(seen)) > 1
    assert seen[-1] == len(_xray(session).stages)


def test_every_stage_is_passed_in_the_order_of_the_chain(tour: LabSession) -> None:
    run = tour.bench.steps[tour.variant.site][-10:]
    reached = [
        next((stage.id for stage in taken(tour, entry.at).stages if stage.state == "now"), "end")
        for entry in run
        if entry.run == run[-1].run
    ]
    order = [*STAGES, "end"]
    assert reached == sorted(reached, key=order.index)
    assert {"upstream", "susdb", "site_database"} <= set(reached)


def test_at_level_1_it_is_the_bare_chain_whatever_is_wrong() -> None:
    found = {
        tuple(stage.title for stage in _xray(lab.open_ticket(id, seed=seed)).stages[:7]) for id, seed in (("1058", 7), ("1024", 3))
    }
    assert len(found) == 1
    xray = _xray(lab.open_ticket("1058", seed=7))
    assert set(_states(xray)) == {""}
    assert xray.began == ""
    assert xray.text == "Each synchronization goes this way."


@pytest.mark.parametrize("id", ["1009", "1048"])
def test_from_level_2_on_there_is_none_before_closing_and_then_it_tells_where_it_stopped(id: str) -> None:
    session = lab.open_ticket(id, seed=7)
    assert session.xray() is None
    session.close("nothing")
    opened, closed = session.debrief().xrays
    assert _states(_xray(session)) == _states(closed)
    assert (opened.local, closed.local) == (session.clock(session.opened_at), session.local)


@pytest.mark.parametrize(("id", "stage"), [("1058", "site_server"), ("1026", "upstream"), ("1024", "site_database")])
def test_the_debrief_tells_the_stage_at_which_it_stopped(id: str, stage: str) -> None:
    session = lab.open_ticket(id, seed=7)
    session.close("nothing")
    opened = session.debrief().xrays[0]
    assert [each.id for each in opened.stages if each.state == "stopped"] == [stage]
    assert next(each.title for each in opened.stages if each.id == stage) in opened.text


@pytest.mark.parametrize(
    ("language", "pattern"),
    [
        ("en", r"The synchronization of \d{4}-\d\d-\d\d \d\d:\d\d stopped"),
        ("de", r"Die Synchronisierung vom \d\d\.\d\d\.\d{4}, \d\d:\d\d Uhr, blieb"),
    ],
)
def test_its_sentence_has_dates_as_the_language_writes_them(language: str, pattern: str) -> None:
    session = lab.open_ticket("1026", seed=7, language=language)
    assert re.match(pattern, taken(session, session.opened_at).text)


def test_an_exam_shows_none_before_its_answers_are_released(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(f'id = "c"\ntitle = "C"\nparticipants = ["T-1"]\n[[slots]]\nid = "a"\nticket = "{TOUR}"\n', encoding="utf-8")
    session = courses.open_seat(courses.load(path), bytes(32), "a", "T-1", tmp_path / "a.T-1.jsonl")
    assert session.xray() is None
    session.finish("nothing")
    assert session.xray() is None


def test_looking_through_it_changes_nothing(tour: LabSession) -> None:
    before, now = tour.actions_done, tour.now
    assert _xray(tour) == _xray(tour)
    assert taken(tour, now - 5 * MINUTE).local < _xray(tour).local
    assert (tour.actions_done, tour.now) == (before, now)


def test_child_sites_are_a_stage_only_where_there_are_some() -> None:
    for id in (TOUR, "1058"):
        session = lab.open_ticket(id, seed=3)
        has = any(session.story.estate.children(session.variant.site))
        assert ("children" in [stage.id for stage in _xray(session).stages]) == has


@pytest.mark.parametrize(("language", "command"), [("en", "xray"), ("de", "röntgen")])
def test_the_terminal_has_it_as_lines(language: str, command: str) -> None:
    lines: list[str] = []
    session = lab.open_ticket(TOUR, seed=3, language=language)
    Terminal(session, lambda _prompt: None, lambda text, _style: lines.append(text), lambda: session).obey(command)
    stages = _xray(session).stages
    assert len([line for line in lines if line.startswith(command)]) == len(stages)
    assert lines[1].startswith(f"{command} 1, {stages[0].title}: ")


def test_the_pages_have_it_in_the_tour_and_in_the_debrief(tmp_path: Path) -> None:
    pytest.importorskip("starlette", reason="the extra 'lab' is not installed")
    from starlette.testclient import TestClient

    from wsyncsim.lab_web.app import lab_app
    from wsyncsim.lab_web.guard import Keys

    keys = Keys()
    client = TestClient(lab_app(tmp_path, keys), base_url="http://127.0.0.1")
    client.get(f"/?key={keys.key}")
    pages = {}
    for id in (TOUR, "1058", "1009"):
        answer = client.post("/open", data={"token": keys.token, "ticket": id, "seed": "7"})
        pages[id] = answer.text
        base = answer.url.path.removesuffix("/ticket")
    assert '<details class="xray" open>' in pages[TOUR]
    assert "<span>done</span>" in pages[TOUR]
    assert '<details class="xray">' in pages["1058"]
    assert "<span>done</span>" not in pages["1058"]
    assert 'class="chain"' not in pages["1009"]
    debrief = client.post(f"{base}/do/close", data={"token": keys.token, "resolution": "nothing"}).text
    assert debrief.count('class="chain"') == 2
    assert "stopped here" in debrief
