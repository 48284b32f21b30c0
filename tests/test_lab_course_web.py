"""A course in the browser: who may open what, what trainees get and do not get, the board, and files as from the terminal."""

from __future__ import annotations

import csv
import http.cookiejar
import io
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra 'lab' is not installed")
pytest.importorskip("httpx2", reason="httpx2, which Starlette's test client needs, is not installed")

from starlette.testclient import TestClient

from scenarios.faults import FAULTS
from tests.crowd import Waiting, statuses
from wsyncsim import cli
from wsyncsim.lab import course as courses
from wsyncsim.lab.board import session_file
from wsyncsim.lab.session import LabSession
from wsyncsim.lab.solver import diagnose_best
from wsyncsim.lab.ticket import true_causes
from wsyncsim.lab_web.classroom import Classroom
from wsyncsim.lab_web.counsel import Counsel
from wsyncsim.lab_web.course_app import COOKIE, EVERYBODY, RULES, WRONG_CODES, Rule, course_app, home
from wsyncsim.lab_web.guard import POLICY
from wsyncsim.lab_web.people import INSTRUCTOR, MOST_PASSES, NOBODY, TRAINEE, Entrance, Limit

OWN = "http://127.0.0.1"
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>"
COURSE = """
id = "c1"
title = "One <b>"
participants = ["T-1", "T-2", "T-3"]
limit_min = 600
[[slots]]
id = "a"
ticket = "1058"
[[slots]]
id = "b"
ticket = "2030"
[settings.T-2]
language = "de"
hints = true
extra_min = 60
"""


class Course:
    """A course that is served, and everybody's browsers."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "c1.toml"
        if not self.file.exists():
            self.file.write_text(COURSE, encoding="utf-8")
            courses.new_key(folder / "c1.key")
        self.sessions = folder / "c1.sessions"
        self.room = Classroom(self.file, courses.read_key(folder / "c1.key"), self.sessions)
        self.entrance = Entrance(self.room.codes)
        self.app = course_app(self.room, self.entrance)

    def browser(self, who: str = "", address: str = "127.0.0.9") -> Browser:
        """Somebody's browser: a trainee's code, ``instructor``, or nobody's."""
        browser = Browser(self, TestClient(self.app, base_url=OWN, client=(address, 1)))
        if who:
            code = self.entrance.instructor_code if who == INSTRUCTOR else self.room.codes()[who]
            browser.enter(code)
        return browser

    def file_of(self, id: str) -> Path:
        return self.room.path(id)

    def session(self, id: str) -> LabSession:
        with self.room.desk(id, "en") as desk:
            return desk.session

    def change(self, before: str, after: str) -> None:
        """Change the course file."""
        text = self.file.read_text(encoding="utf-8")
        assert before in text
        self.file.write_text(text.replace(before, after), encoding="utf-8")


class Browser:
    """A browser without JavaScript."""

    def __init__(self, course: Course, client: TestClient) -> None:
        self.course = course
        self.client = client
        self.seen: list[str] = []
        """All that was sent to it."""

    def get(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        self.seen.append(answer.text)
        return str(answer.text)

    def post(self, path: str, status: int = 200, /, **given: Any) -> str:
        answer = self.client.post(path, data={"token": self.token, **given})
        assert answer.status_code == status, answer.text
        self.seen += [*(each.text for each in answer.history), answer.text]
        return str(answer.text)

    @property
    def token(self) -> str:
        found = re.search(r'name="token" value="(\w+)"', self.client.get("/").text)
        assert found
        return found[1]

    def enter(self, code: str, status: int = 200) -> str:
        return self.post("/enter", status, code=code)

    def begin(self, slot: str) -> str:
        self.post("/begin", slot=slot)
        return str(self.client.get("/").url)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course in which T-1 and T-2 have begun the first ticket; no test goes on with them or closes anything."""
    course = Course(tmp_path_factory.mktemp("course"))
    for trainee in ("T-1", "T-2"):
        browser = course.browser(trainee)
        browser.begin("a")
        browser.post(f"/s/a.{trainee}/do/look", look="L20", host="")
    return course


@pytest.fixture
def course(begun: Course, tmp_path: Path) -> Course:
    """A copy of it, to do something in."""
    shutil.copytree(begun.file.parent, tmp_path / "room")
    return Course(tmp_path / "room")


# --- who may open what

ROUTES = {
    # path: statuses for nobody, a trainee at her own seat, at somebody else's, at one that is not, the instructor
    ("GET", "/"): (200, 200, None, None, 303),
    ("POST", "/enter"): (422, 422, None, None, 422),
    ("POST", "/leave"): (403, 303, None, None, 303),
    ("POST", "/settings"): (303, 303, None, None, 303),
    ("POST", "/begin"): (403, 303, None, None, 403),
    ("GET", "/s/{id}/e/{number}"): (403, 200, 404, 404, 403),
    ("GET", "/s/{id}/act/{action}"): (403, 404, 404, 404, 403),
    ("POST", "/s/{id}/do/{what}"): (403, 303, 404, 404, 403),
    ("GET", "/s/{id}/soon"): (403, 303, 404, 404, 403),
    ("GET", "/s/{id}/{page}"): (403, 200, 404, 404, 403),
    ("GET", "/board"): (403, 403, None, None, 200),
    ("GET", "/mirror/{id}"): (403, 403, 403, 403, 200),
    ("GET", "/mirror/{id}/e/{number}"): (403, 403, 403, 403, 200),
    ("GET", "/results/{form}"): (403, 403, None, None, 200),
    ("GET", "/bundle/{id}"): (403, 403, 403, 403, 404),
}
FILLED = {"{number}": "1", "{action}": "a000000", "{what}": "verify", "{page}": "logs", "{form}": "csv"}
"""Values of paths. An action that does not exist is unknown, and nothing is closed that could be signed."""


def test_the_table_knows_every_route() -> None:
    assert {(rule.method, rule.path) for rule in RULES} == set(ROUTES)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_asks_for_its_role_and_its_own_seat(course: Course, method: str, path: str) -> None:
    browsers = {who: course.browser(who if who != NOBODY else "") for who in (NOBODY, "T-1", INSTRUCTOR)}
    requests = zip(
        (NOBODY, "T-1", "T-1", "T-1", INSTRUCTOR), ("a.T-1", "a.T-1", "a.T-2", "z.T-9", "a.T-1"), ROUTES[method, path], strict=True
    )
    before = course.file_of("a.T-2").read_bytes()
    for who, id, expected in requests:
        if expected is None:
            continue
        filled = path.replace("{id}", id)
        for name, value in FILLED.items():
            filled = filled.replace(name, value)
        browser = browsers[who]
        given = {"token": browser.token if who != INSTRUCTOR else _token_of(browser), "slot": "a", "code": "wrong"}
        answer = browser.client.request(method, filled, data=given if method == "POST" else None, follow_redirects=False)
        assert answer.status_code == expected, (who, filled)
        assert answer.headers["content-security-policy"] == POLICY
    assert course.file_of("a.T-2").read_bytes() == before


def _token_of(browser: Browser) -> str:
    found = re.search(r'name="token" value="(\w+)"', browser.client.get("/board").text)
    assert found
    return found[1]


@pytest.mark.parametrize(
    "what", ["look", "act", "wait", "ask", "think", "note", "diagnose", "escalate", "verify", "hint", "close", "fork"]
)
def test_nobody_but_the_trainee_does_anything_in_her_session(course: Course, what: str) -> None:
    before = course.file_of("a.T-2").read_bytes()
    given = {"look": "L20", "for": "5m", "question": "who", "text": "x", "resolution": "fixed", "at": "0"}
    for who, status in (("", 403), ("T-1", 404), (INSTRUCTOR, 403)):
        browser = course.browser(who)
        token = _token_of(browser) if who == INSTRUCTOR else browser.token
        assert browser.client.post(f"/s/a.T-2/do/{what}", data={"token": token, **given}).status_code == status
    assert course.file_of("a.T-2").read_bytes() == before


@pytest.mark.parametrize("id", ["a.T-2", "a.T-1%2F..%2Fa.T-2", "..%2Fa.T-1", "A.T-1", "a.t-1", "a", "a.T-1.jsonl", "c1"])
def test_a_trainee_cannot_name_a_seat_that_is_not_hers(course: Course, id: str) -> None:
    assert course.browser("T-1").client.get(f"/s/{id}/ticket").status_code == 404


def test_a_form_of_somebody_else_is_refused(course: Course) -> None:
    one, other = course.browser("T-1"), course.browser("T-2")
    before = course.file_of("a.T-1").read_bytes()
    for token in (other.token, course.entrance.token, ""):
        assert one.client.post("/s/a.T-1/do/wait", data={"token": token, "for": "5m"}).status_code == 403
    given = {"token": one.token, "for": "5m"}
    assert one.client.post("/s/a.T-1/do/wait", data=given, headers={"origin": "http://evil.example"}).status_code == 403
    assert course.file_of("a.T-1").read_bytes() == before


def test_fields_are_no_longer_than_pages_can_send(course: Course) -> None:
    before = course.file_of("a.T-1").read_bytes()
    page = course.browser("T-1").post("/s/a.T-1/do/look", 422, look="L20", target="x" * 201)
    assert "at most 200 characters" in page
    assert course.file_of("a.T-1").read_bytes() == before


# --- codes


def test_a_code_can_be_pasted_however_it_was_written(begun: Course) -> None:
    code = begun.room.codes()["T-1"]
    for written in (code, f"  {code.lower()}\n", code.replace("-", ""), code.replace("-", " ")):
        assert "You are T-1." in begun.browser().enter(written)


def test_neither_a_pseudonym_nor_another_course_s_code_opens_the_door(begun: Course) -> None:
    for wrong in ("T-1", "", courses.entry_code(bytes(32), "c1", "T-1"), courses.entry_code(begun.room.key, "c2", "T-1"), "ü" * 99):
        browser = begun.browser(address=f"127.0.1.{len(wrong)}")
        assert "nobody’s" in browser.enter(wrong, 422)
        assert COOKIE not in browser.client.cookies


def test_wrong_codes_are_limited_by_address_and_right_ones_are_not(begun: Course) -> None:
    guesser = begun.browser(address="127.0.2.1")
    token = guesser.token
    statuses = [guesser.client.post("/enter", data={"token": token, "code": str(number)}).status_code for number in range(14)]
    assert statuses[: WRONG_CODES[0]] == [422] * WRONG_CODES[0]
    assert statuses[-1] == 429
    assert "retry-after" in guesser.client.post("/enter", data={"token": token, "code": "0"}).headers
    for who in ("T-2", INSTRUCTOR):
        browser = begun.browser(address="127.0.2.1")
        code = begun.entrance.instructor_code if who == INSTRUCTOR else begun.room.codes()[who]
        assert browser.client.post("/enter", data={"token": token, "code": code}).status_code == 200
        assert COOKIE in browser.client.cookies
    assert guesser.client.post("/enter", data={"token": token, "code": "0"}).status_code == 429
    for _ in range(2 * WRONG_CODES[0]):
        assert "You are T-2" in begun.browser("T-2", "127.0.2.2").get("/").replace("Sie sind", "You are")


def test_a_limit_fills_up_again_and_forgets_names() -> None:
    now = [0.0]
    limit = Limit(2, 0.5, clock=lambda: now[0])
    assert [limit.take("a") for _ in range(3)] == [True, True, False]
    assert limit.take("b")
    now[0] = 2.0
    assert [limit.take("a") for _ in range(2)] == [True, False]
    for number in range(5_000):
        limit.take(str(number))
    assert len(limit._left) <= 2_000
    assert [limit.take("a") for _ in range(3)] == [True, True, False]


def test_requests_of_one_browser_are_limited(begun: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsyncsim.lab_web.course_app.REQUESTS", (5, 0.0))
    monkeypatch.setattr(begun, "app", course_app(begun.room, begun.entrance))
    fast, other = begun.browser("T-1"), begun.browser("T-2")
    assert 429 in [fast.client.get("/").status_code for _ in range(6)]
    assert other.client.get("/").status_code == 200


def test_one_browser_does_not_take_the_place_of_others(begun: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Waiting(home)
    monkeypatch.setattr("wsyncsim.lab_web.course_app.RULES", (Rule("/", page, EVERYBODY),))
    monkeypatch.setattr("wsyncsim.lab_web.guard.PATIENCE_S", 0.05)
    inside = [begun.entrance.enter(begun.room.codes()[trainee]) for trainee in ("T-1", "T-2")]
    one, other = (f"{COOKIE}={each.cookie}" for each in inside if each is not None)
    found = statuses(course_app(begun.room, begun.entrance), [*[one] * 6, other, *[""] * 6], page, 4)
    assert sorted(found[:6]) == [200, 200, 429, 429, 429, 429]
    assert found[6:] == [200] * 7


def test_the_cookie_is_for_this_site_and_no_script_and_is_forgotten_on_leaving(course: Course) -> None:
    browser = course.browser()
    answer = browser.client.post(
        "/enter", data={"token": browser.token, "code": course.room.codes()["T-1"]}, follow_redirects=False
    )
    given = answer.headers["set-cookie"].lower()
    assert "httponly" in given
    assert "samesite=strict" in given
    cookie = browser.client.cookies[COOKIE]
    browser.post("/leave")
    browser.client.cookies.set(COOKIE, cookie)
    assert "Your code" in browser.get("/")


def test_instructor_codes_are_long_and_new_at_each_start(begun: Course) -> None:
    codes = {Entrance(begun.room.codes).instructor_code for _ in range(5)}
    assert len(codes) == 5
    assert all(len(code.replace("-", "")) == 32 for code in codes)


def test_a_person_has_a_few_browsers_and_the_oldest_goes_first(begun: Course) -> None:
    browsers = [begun.browser("T-3") for _ in range(MOST_PASSES + 1)]
    assert "Your code" in browsers[0].get("/")
    assert all("You are T-3." in browser.get("/") for browser in browsers[1:])


def test_who_is_taken_out_of_the_course_is_out(course: Course) -> None:
    browser = course.browser("T-3")
    course.change(', "T-3"', "")
    assert browser.client.get("/s/a.T-3/ticket").status_code == 403
    assert "Your code" in browser.get("/")


# --- what trainees get


def test_each_gets_her_own_tickets_with_her_seed_and_settings(course: Course) -> None:
    one, other = course.browser("T-1"), course.browser("T-2")
    assert 'lang="en"' in one.get("/")
    assert 'lang="de"' in other.get("/")
    assert "600 simulated min" in one.get("/")
    assert "660 simulierte Min." in other.get("/")
    seeds = {course.session(f"a.{trainee}").variant.seed for trainee in ("T-1", "T-2")}
    expected = {courses.seat(course.room.course, course.room.key, "a", trainee).seed for trainee in ("T-1", "T-2")}
    assert seeds == expected
    assert len(seeds) == 2
    assert "/do/hint" not in one.get("/s/a.T-1/ticket")
    assert "no hints" in one.post("/s/a.T-1/do/hint", 422)
    assert "Hinweis 1" in other.post("/s/a.T-2/do/hint")


def test_hints_and_debriefs_of_a_course_are_computed_beside_the_server(course: Course) -> None:
    course.room.counsel = Counsel(1)
    try:
        browser = course.browser("T-2")
        browser.begin("b")
        answer = browser.client.post("/s/b.T-2/do/hint", data={"token": browser.token})
        page = answer.text
        for _ in range(300):
            if "Hinweis 1" in page:
                break
            page = browser.get(str(answer.url))
            time.sleep(0.1)
        assert "Hinweis 1" in page
        browser.post("/s/b.T-2/do/close", resolution="nothing")
        browser.get("/s/b.T-2/debrief", 404)
        course.change('id = "c1"', 'id = "c1"\nreleased = true')
        for _ in range(300):
            page = browser.get("/s/b.T-2/debrief")
            if "von 100" in page:
                break
            time.sleep(0.1)
        assert "von 100" in page
    finally:
        course.room.counsel.close()


def test_the_instructor_changes_no_trainees_language(course: Course) -> None:
    browser = course.browser("T-2")
    browser.begin("b")
    browser.post("/s/b.T-2/do/look", look="L20")
    before = course.room._desks["b.T-2"].session.sights
    course.room._desks.clear()
    course.browser(INSTRUCTOR).get("/mirror/b.T-2")
    assert course.room._desks["b.T-2"].session.sights == before


def test_statements_name_the_language_that_the_course_speaks(course: Course) -> None:
    for trainee in ("T-1", "T-2"):
        browser = course.browser(trainee)
        browser.begin("b")
        browser.post(f"/s/b.{trainee}/do/close", resolution="nothing")
    text = course.browser(INSTRUCTOR).get("/results/xapi")
    assert [json.loads(line)["context"]["language"] for line in text.splitlines()] == ["en-US", "de-DE"]
    assert text == courses.to_xapi(courses.sessions_of(course.room.course, course.room.key, course.sessions))


def test_progress_is_seen(course: Course) -> None:
    browser = course.browser("T-1")
    page = browser.get("/")
    assert "0 of 2 tickets are closed." in page
    assert 'Continue<span class="away">: Ticket a<' in page
    assert 'Begin<span class="away">: Ticket b<' in page
    browser.begin("b")
    browser.post("/s/b.T-1/do/close", resolution="nothing")
    page = browser.get("/")
    assert "1 of 2 tickets are closed." in page
    assert 'See again<span class="away">: Ticket b<' in page


def test_beginning_twice_is_going_on(course: Course) -> None:
    browser = course.browser("T-1")
    before = course.file_of("a.T-1").read_bytes()
    browser.begin("a")
    assert course.file_of("a.T-1").read_bytes() == before
    for slot in ("z", "", "../a", "a.T-1"):
        browser.post("/begin", 404, slot=slot)


def test_an_exam_s_browser_gets_no_answer_before_its_release(course: Course) -> None:
    browser = course.browser("T-1")
    session = course.session("a.T-1")
    truth = [cause.title(language) for cause in true_causes(session.story) for language in ("en", "de")]
    browser.get("/")
    diagnose_elsewhere = session.causes()[1].id
    for page in ("ticket", "look", "logs", "check?left=1", "mend", "close", "e/1"):
        browser.get(f"/s/a.T-1/{page}")
    browser.get("/s/a.T-1/debrief", 404)
    browser.post("/s/a.T-1/do/diagnose", cause=[diagnose_elsewhere], evidence=["e1"], confidence="1")
    browser.post("/s/a.T-1/do/verify")
    browser.post("/s/a.T-1/do/fork", 404, at="0")
    page = browser.post("/s/a.T-1/do/close", resolution="nothing")
    assert "when your instructor releases them" in page
    for page in ("ticket", "look", "logs", "check", "mend", "close"):
        browser.get(f"/s/a.T-1/{page}")
    browser.get("/s/a.T-1/debrief", 404)
    browser.post("/s/a.T-1/do/wait", 422, **{"for": "5m"})
    browser.get("/")
    ids = re.compile(rf"\b({'|'.join(FAULTS)})\b")
    secrets = [str(session.variant.seed), "1058", "2030", "T-2", *course.room.codes().values(), course.entrance.instructor_code]
    for sent in browser.seen:
        plain = sent.replace("&#39;", "'")
        listed = re.sub(r"<option.*?</option>", "", plain)  # everybody's list of all that can be diagnosed
        assert not [title for title in truth if title in listed]
        assert not ids.search(re.sub(r'value="[^"]*"', "", plain))
        assert not [secret for secret in secrets if secret in re.sub(r"\d{4}-\d\d-\d\d|datetime=\S+", "", plain)]
        assert "of 100" not in plain


def test_release_in_the_course_file_opens_the_debrief_at_once(course: Course) -> None:
    browser = course.browser("T-1")
    browser.post("/s/a.T-1/do/close", resolution="nothing")
    browser.get("/s/a.T-1/debrief", 404)
    course.change('id = "c1"', 'id = "c1"\nreleased = true')
    assert 'Debrief<span class="away">: Ticket a<' in browser.get("/")
    page = browser.get("/s/a.T-1/debrief")
    assert "of 100" in page
    assert "/open" not in page
    assert "/do/fork" not in page


def test_a_course_that_is_no_exam_shows_the_debrief_when_a_ticket_is_closed(course: Course) -> None:
    course.change('id = "c1"', 'id = "c1"\nexam = false')
    assert "of 100" in course.browser("T-1").post("/s/a.T-1/do/close", resolution="nothing")


def test_more_time_can_be_given_while_a_ticket_is_worked_on(course: Course) -> None:
    browser = course.browser("T-1")
    course.change("limit_min = 600", "limit_min = 1")
    assert "time of this exam" in browser.post("/s/a.T-1/do/wait", 422, **{"for": "1h"})
    course.change("limit_min = 1", "limit_min = 900")
    browser.post("/s/a.T-1/do/wait", **{"for": "1h"})


def test_a_broken_course_file_changes_nothing_and_the_board_says_so(course: Course) -> None:
    trainee, instructor = course.browser("T-1"), course.browser(INSTRUCTOR)
    text = course.file.read_text(encoding="utf-8")
    for broken in ("nonsense", text.replace('id = "c1"', 'id = "c2"'), ""):
        course.file.write_text(broken, encoding="utf-8")
        assert "is not heeded" in instructor.get("/board")
        trainee.get("/s/a.T-1/ticket")
    course.file.write_text(text, encoding="utf-8")
    assert "is not heeded" not in instructor.get("/board")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('id = "c1"', 'id = "c1"\nattempt = 2'),
        ('ticket = "1058"', 'ticket = "1009"'),
        ('ticket = "1058"', 'ticket = "1058"\nrole = "second level"'),
        ("[settings.T-2]", '[settings.T-1]\nrole = "second level"\n[settings.T-2]'),
    ],
)
def test_what_begun_sessions_rest_on_stays_and_the_board_says_so(course: Course, before: str, after: str) -> None:
    trainee, instructor = course.browser("T-1"), course.browser(INSTRUCTOR)
    course.change(before, after)
    for _ in range(2):
        page = instructor.get("/board")
        assert "is not heeded" in page
        assert "a.T-1" in page
        trainee.get("/s/a.T-1/ticket")
        trainee.post("/s/a.T-1/do/wait", **{"for": "5m"})
        course.room._desks.clear()
    course.change(after, before)
    assert "is not heeded" not in instructor.get("/board")
    assert [action["do"] for action in course.session("a.T-1").actions_done] == ["look", "wait", "wait"]


def test_what_nobody_has_begun_may_be_changed(course: Course) -> None:
    course.change('ticket = "2030"', 'ticket = "1009"')
    assert "is not heeded" not in course.browser(INSTRUCTOR).get("/board")
    assert course.room.place("b.T-1").ticket == "1009"


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ('id = "c1"', 'id = "c1"\nattempt = 2', "it was begun as attempt 1; the course is at attempt 2 now"),
        ('ticket = "1058"', 'ticket = "1034"', "action 1 cannot be done again"),
    ],
)
def test_who_cannot_go_on_after_the_course_was_changed_is_told_why(tmp_path: Path, before: str, after: str, why: str) -> None:
    course = Course(tmp_path)
    course.browser("T-1").post("/begin", slot="a")
    session = course.session("a.T-1")
    look = next(each for each in session.looks() if not each.takes_target)
    session.look(look.id, host=look.places[0].host)
    course.change(before, after)
    again = Course(tmp_path)
    trainee = again.browser("T-1")
    assert why in trainee.post("/begin", 404, slot="a")
    assert why in trainee.get("/s/a.T-1/ticket", 404)
    if "attempt" in after:
        assert "a.T-1" in again.browser(INSTRUCTOR).get("/board")
        again.change(after, before)
        trainee.post("/begin", slot="a")
        assert "is not heeded" not in again.browser(INSTRUCTOR).get("/board")


# --- the instructor


def test_the_board_renews_itself_without_a_script_and_can_be_stopped(begun: Course) -> None:
    browser = begun.browser(INSTRUCTOR)
    answer = browser.client.get("/board")
    assert int(answer.headers["refresh"]) > 0
    assert "<meta http-equiv" not in answer.text
    assert "<script" not in answer.text
    still = browser.client.get("/board?sort=stuck&still=1")
    assert "refresh" not in still.headers
    assert 'href="/board?sort=stuck"' in still.text


def test_the_board_sorts_by_links_and_ranks_nobody(begun: Course) -> None:
    browser = begun.browser(INSTRUCTOR)
    page = browser.get("/board")
    rows = re.findall(r'<tr><th scope="row">([^<]+)</th><td>([^<]+)</td>', page)
    assert rows == [(trainee, slot) for trainee in ("T-1", "T-2", "T-3") for slot in ("a", "b")]
    by_slot = re.findall(r'<tr><th scope="row">([^<]+)</th><td>([^<]+)</td>', browser.get("/board?sort=slot"))
    assert by_slot == sorted(rows, key=lambda row: row[1])
    assert 'aria-sort="ascending"><a href="/board?sort=slot"' in browser.get("/board?sort=slot")
    for column in re.findall(r"\?sort=(\w+)", page):
        browser.get(f"/board?sort={column}")
    assert browser.get(f"/board?sort={HOSTILE}").count("<script") == 0
    for word in ("of 100", "excellent", "not yet"):
        assert word not in page


def test_who_is_stuck_comes_first_and_since_when_is_told(course: Course) -> None:
    path = course.file_of("a.T-2")
    course.browser("T-1")
    an_hour_ago = path.stat().st_mtime - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))
    browser, trainee = course.browser(INSTRUCTOR), course.browser("T-2")
    page = browser.get("/board?sort=stuck")
    assert page.index("T-2, Ticket a") < page.index("T-1, Ticket a")
    assert "60 min, 0 actions" in page
    trainee.post("/s/a.T-2/do/wait", **{"for": "5m"})
    assert "60 min, 1 actions" in browser.get("/board")
    trainee.post("/s/a.T-2/do/look", look="L21")
    assert "60 min" not in browser.get("/board")


def test_the_mirror_shows_what_was_done_elsewhere_and_can_do_nothing(course: Course) -> None:
    terminal = courses.open_seat(course.room.course, course.room.key, "a", "T-1", course.file_of("a.T-1"))
    instructor = course.browser(INSTRUCTOR)
    assert "WCM.log" not in instructor.get("/mirror/a.T-1")
    terminal.look("L21")
    terminal.hypothesis(HOSTILE)
    terminal.note(HOSTILE)
    before = course.file_of("a.T-1").read_bytes()
    page = instructor.get("/mirror/a.T-1")
    assert "WCM.log" in page
    assert page.count("&lt;script&gt;") == 2
    assert "<script" not in page
    assert "<img" not in page
    assert set(re.findall(r'action="([^"]*)"', page)) == {"/settings"}
    assert "wsyncmgr.log" in instructor.get("/mirror/a.T-1/e/1")
    for number in ("9", "0", "x", "9" * 5_000):
        instructor.get(f"/mirror/a.T-1/e/{number}", 404)
    instructor.get("/mirror/b.T-3", 404)
    assert course.file_of("a.T-1").read_bytes() == before


def test_watching_in_another_language_does_not_change_the_trainee_s(course: Course) -> None:
    trainee, instructor = course.browser("T-2"), course.browser(INSTRUCTOR)
    instructor.get("/mirror/a.T-2")
    assert "Hinweis 1" in trainee.post("/s/a.T-2/do/hint")


def test_both_languages_have_all_pages(begun: Course) -> None:
    for role, pages in (
        ("", ["/"]),
        ("T-1", ["/", "/s/a.T-1/ticket"]),
        (INSTRUCTOR, ["/board", "/mirror/a.T-1", "/mirror/a.T-1/e/1"]),
    ):
        for language in ("en", "de"):
            browser = begun.browser(role)
            browser.client.cookies.set("wsyncsim_language", language)
            for page in pages:
                assert f'<html lang="{language}"' in browser.get(page)


# --- files as from the terminal


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("WSYNCSIM_LANGUAGE", "en")
    before = signal.getsignal(signal.SIGTERM)

    def call(*arguments: object, code: int = 0) -> str:
        with pytest.raises(SystemExit) as ended:
            cli.main(["lab", *(str(argument) for argument in arguments)])
        printed = capfd.readouterr()
        assert ended.value.code == code, printed.err
        return printed.out if code == 0 else printed.err

    yield call
    signal.signal(signal.SIGTERM, before)


def test_what_is_done_in_the_browser_is_the_terminal_s_to_the_byte_and_is_verified(
    course: Course, run: Any, tmp_path: Path
) -> None:
    browser, instructor = course.browser("T-3"), course.browser(INSTRUCTOR)
    assert "nothing was" not in browser.begin("a")
    session = courses.open_seat(course.room.course, course.room.key, "a", "T-3", tmp_path / "twin" / "a.T-3.jsonl")
    diagnose_best(session)
    session.note("It works.")
    for action in session.actions_done:
        given = {"look": action.get("id"), "host": action.get("host")} if action["do"] == "look" else dict(action)
        if action["do"] == "diagnose":
            given = {"cause": action["causes"], "evidence": action["evidence"], "confidence": str(action["confidence"])}
        browser.post(f"/s/a.T-3/do/{action['do']}", **{key: value for key, value in given.items() if value is not None})
    session.close("fixed")
    browser.post("/s/a.T-3/do/close", resolution="fixed")
    path = session_file(course.sessions, "a", "T-3")
    assert path.read_bytes() == (tmp_path / "twin" / "a.T-3.jsonl").read_bytes()

    signed = tmp_path / "bundle.json"
    signed.write_text(instructor.get("/bundle/a.T-3"), encoding="utf-8")
    check = ("verify", signed, "--key", course.file.with_suffix(".key"), "--course", course.file)
    assert run(*check).startswith(f"valid: {session.result().total} of 100")
    signed.write_bytes(signed.read_bytes().replace(b'"confidence": 3', b'"confidence": 1'))
    assert run(*check, code=1) == ""

    for form in ("csv", "jsonl", "xapi"):
        answer = instructor.client.get(f"/results/{form}")
        assert answer.content.decode("utf-8") == run("results", course.file, "--format", form).replace("\r\r\n", "\r\n")
        assert answer.headers["content-disposition"].startswith('attachment; filename="c1.')
    (row,) = csv.DictReader(io.StringIO(instructor.get("/results/csv")))
    assert (row["trainee"], row["slot"], row["total"]) == ("T-3", "a", str(session.result().total))
    seats = {(seat["trainee"], seat["slot"]): seat["state"] for seat in json.loads(run("board", course.file, "--json"))}
    assert seats["T-3", "a"] == "closed"
    assert "of 100" in instructor.get("/mirror/a.T-3")
    instructor.get("/results/pdf", 404)
    for trainee, slot in (("T-1", "b"), ("T-1", "a"), ("T-2", "a")):
        other = course.browser(trainee)
        other.begin(slot)
        other.post(f"/s/{slot}.{trainee}/do/close", resolution="nothing")
    assert instructor.client.get("/results/csv").text == run("results", course.file).replace("\r\r\n", "\r\n")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")
def test_killing_the_server_loses_nothing_and_the_same_code_goes_on(tmp_path: Path) -> None:
    (tmp_path / "c1.toml").write_text(COURSE, encoding="utf-8")
    key = courses.new_key(tmp_path / "c1.key")
    code = courses.entry_code(key, "c1", "T-1")
    for deed in ("5m", "1h"):
        command = [sys.executable, "-m", "wsyncsim", "lab", "serve", "--port", "0", "--course", str(tmp_path / "c1.toml")]
        env = {**os.environ, "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env) as server:
            try:
                assert server.stdout is not None
                address, instructor = server.stdout.readline().strip().rstrip("/"), server.stdout.readline().strip()
                assert re.fullmatch(r"([0-9A-F]{4}-){7}[0-9A-F]{4}", instructor)
                opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
                _send(opener, address, "/enter", code=code)
                _send(opener, address, "/begin", slot="a")
                _send(opener, address, "/s/a.T-1/do/wait", **{"for": deed})
            finally:
                server.kill()
    session = courses.open_seat(
        courses.load(tmp_path / "c1.toml"), key, "a", "T-1", session_file(tmp_path / "c1.sessions", "a", "T-1")
    )
    assert [action["for"] for action in session.actions_done] == ["5m", "1h"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl, which makes the certificate, is not installed")
def test_with_a_certificate_what_is_sent_is_encrypted_and_the_cookie_is_for_that_only(tmp_path: Path) -> None:
    (tmp_path / "c1.toml").write_text(COURSE, encoding="utf-8")
    key = courses.new_key(tmp_path / "c1.key")
    names = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    made = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names)
    subprocess.run([*made, "-keyout", "key.pem", "-out", "lab.pem"], cwd=tmp_path, check=True, capture_output=True)
    options = ("--course", "c1.toml", "--certificate", "lab.pem", "--certificate-key", "key.pem", "--port", "0")
    command = [sys.executable, "-m", "wsyncsim", "lab", "serve", *options]
    env = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(Path(cli.__file__).parents[1])}
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip().rstrip("/")
            assert address.startswith("https://127.0.0.1:")
            cookies = http.cookiejar.CookieJar()
            trusting = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(tmp_path / "lab.pem")))
            opener = urllib.request.build_opener(trusting, urllib.request.HTTPCookieProcessor(cookies))
            _send(opener, address, "/enter", code=courses.entry_code(key, "c1", "T-1"))
            assert {cookie.name: cookie.secure for cookie in cookies}[COOKIE]
        finally:
            server.kill()


def _send(opener: urllib.request.OpenerDirector, address: str, path: str, **given: str) -> None:
    with opener.open(f"{address}/") as answer:
        found = re.search(r'name="token" value="(\w+)"', answer.read().decode())
    assert found
    data = urllib.parse.urlencode({"token": found[1], **given}).encode()
    with opener.open(f"{address}{path}", data=data) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "arguments",
    [
        ("--course", "nowhere.toml"),
        ("--key", "x.key"),
        ("--sessions", "x"),
        ("--certificate", "c1.toml"),
        ("--course", "c1.toml", "--state", "x"),
        ("--course", "c1.toml", "--certificate-key", "c1.key"),
        ("--course", "c1.toml", "--certificate", "c1.key"),
        ("--course", "c1.toml", "--certificate", "nowhere.pem"),
        ("--course", "c1.toml", "--key", "c1.toml"),
    ],
)
def test_mistakes_in_the_command_are_told(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c1.toml").write_text(COURSE, encoding="utf-8")
    courses.new_key(Path("c1.key"))
    assert run("serve", *arguments, code=2)


def test_somebody_is_a_trainee_or_the_instructor_or_nobody() -> None:
    assert {role for rule in RULES for role in rule.roles} == {NOBODY, TRAINEE, INSTRUCTOR}
