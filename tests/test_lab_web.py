"""The lab in the browser: pages without JavaScript over the same session, for one person on this computer only."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import Future
from datetime import datetime
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast

import pytest

pytest.importorskip("starlette", reason="the extra 'lab' is not installed")
pytest.importorskip("httpx2", reason="httpx2, which Starlette's test client needs, is not installed")

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from simulator.errors import WsyncsimError
from tests.crowd import Waiting, statuses
from wsyncsim import lab, lab_web
from wsyncsim.lab.answers import Answer, Mirrors, Question, about_diary
from wsyncsim.lab.course import Seat
from wsyncsim.lab.data import policy
from wsyncsim.lab.diagnosis import best_way, owners, right_steps
from wsyncsim.lab.diary import Diary
from wsyncsim.lab.session import LabSession, code
from wsyncsim.lab.ticket import true_causes
from wsyncsim.lab_web import desk_pages, log_rows
from wsyncsim.lab_web.app import home, lab_app
from wsyncsim.lab_web.drawing import curve, timeline
from wsyncsim.lab_web.guard import COOKIE, LARGEST_BODY, LONGEST_FIELD, POLICY, Keys
from wsyncsim.lab_web.sheets import sheet
from wsyncsim.lab_web.shelf import Shelf
from wsyncsim.lab_web.words import all_words

OWN = "http://127.0.0.1"
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>"
HTMX = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"
"""SHA-256 of htmx.min.js of htmx.org 4.0.1."""
OUR_SCRIPT = re.compile(r'<script src="/static/[a-z.]+" defer></script>')
PACKAGE = Path(lab_web.__file__).parent


class _Forms(HTMLParser):
    """The forms of a page: where they go, and what they send if nothing is changed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | list[str]], set[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method") == "post":
            self.found.append((given["action"], {}, set()))
        elif self.found and given.get("name"):
            _, hidden, names = self.found[-1]
            names.add(given["name"])
            if tag == "input" and given.get("type") == "hidden":
                before = hidden.get(given["name"], [])
                several = [before] if isinstance(before, str) else before
                hidden[given["name"]] = [*several, given["value"]] if before else given["value"]


class Visitor:
    """Somebody with a browser without JavaScript."""

    def __init__(self, folder: Path, language: str = "en") -> None:
        self.keys = Keys()
        self.shelf = Shelf(folder)
        self.client = TestClient(lab_app(folder, self.keys, language=language, shelf=self.shelf), base_url=OWN)
        self.come_in()
        self.page = ""
        self.at = ""
        self.address = ""
        """The same with what stands behind its question mark."""

    def come_in(self) -> None:
        assert self.client.get(f"/?key={self.keys.key}").status_code == 200

    def get(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return self.sees(answer)

    def sees(self, answer: Any) -> str:
        self.page, self.at, self.address = answer.text, answer.url.path, str(answer.url)
        return self.page

    def again(self) -> str:
        """Load the page again."""
        return self.get(self.address)

    def submit(self, action: str, /, *, status: int = 200, **given: Any) -> str:
        """Send the form of the page that goes there and has these fields."""
        forms = _Forms()
        forms.feed(self.page)
        for target, hidden, names in forms.found:
            fits = all(hidden[name] == value for name, value in given.items() if name in hidden)
            if target.endswith(action) and set(given) <= names and fits:
                answer = self.client.post(target, data={**hidden, **given})
                assert answer.status_code == status, answer.text
                return self.sees(answer)
        raise AssertionError(f"no form {action} {given} on {self.at}")

    def let_pass(self, for_: str) -> None:
        given: dict[str, Any] = {"for": for_}
        self.submit("/do/wait", **given)

    def open(self, ticket: str, seed: int = 7) -> str:
        """Open a ticket; returns where its session is."""
        self.get(f"/ticket/{ticket}")
        self.submit("/open", ticket=ticket, seed=str(seed))
        return self.at.removesuffix("/ticket")


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Visitor:
    return Visitor(tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="module")
def desk(visitor: Visitor) -> str:
    """A session that is not closed by any test."""
    return visitor.open("1009")


def _session(visitor: Visitor, base: str) -> LabSession:
    with visitor.shelf.desk(base.rsplit("/", 1)[1], "en") as found:
        return found.session


def _diagnose(visitor: Visitor, base: str) -> LabSession:
    """Look the best way and hand in what is wrong."""
    session = _session(visitor, base)
    for step in best_way(session.variant).steps:
        visitor.get(f"{base}/look")
        visitor.submit("/do/look", look=step.id, host=step.host)
    causes = [code("c", cause.id) for cause in true_causes(session.story)]
    evidence = [sight.evidence for sight in session.sights]
    visitor.get(f"{base}/check")
    visitor.submit("/do/diagnose", cause=causes, evidence=evidence, confidence="3")
    return session


def _see_success(visitor: Visitor, base: str, session: LabSession) -> None:
    changed = session.now
    for _ in range(20):
        at = session.succeeded_at()
        if at is not None and at > changed:
            break
        visitor.get(f"{base}/mend")
        visitor.let_pass("event")
    for id, host in session.where_success_shows():
        visitor.get(f"{base}/look")
        visitor.submit("/do/look", look=id, host=host)
        visitor.get(f"{base}/mend")
        visitor.submit("/do/verify")
        if session.verified():
            return


def _finish(visitor: Visitor, base: str, resolution: str) -> str:
    visitor.get(f"{base}/mend")
    visitor.submit("/do/note", text="Es geht wieder. It works again.")
    visitor.get(f"{base}/close")
    return visitor.submit("/do/close", resolution=resolution)


def test_a_german_ticket_is_solved_without_javascript_and_its_file_is_that_of_the_same_calls(tmp_path: Path) -> None:
    visitor = Visitor(tmp_path, "de")
    base = visitor.open("1009")
    assert 'lang="de"' in visitor.page
    session = _diagnose(visitor, base)
    causes = true_causes(session.story)
    for cause in causes:
        for id, site in right_steps(session.story, cause):
            visitor.get(f"{base}/act/{code('a', id)}")
            assert "Die Welt ändern?" in visitor.page
            visitor.submit("/do/act", site=site)
    _see_success(visitor, base, session)
    assert "gelungen ist" in visitor.page
    page = _finish(visitor, base, "fixed")
    assert "Auswertung: 100 von 100" in page
    assert causes[0].title("de") in page.replace("&#39;", "'")
    assert '<svg class="timeline"' in page
    assert '<svg class="curve"' in page
    _assert_same_calls_write_the_same_file(session, visitor.shelf.path(base.rsplit("/", 1)[1]), tmp_path / "direct" / "x.jsonl")


def _assert_same_calls_write_the_same_file(session: LabSession, written: Path, path: Path) -> None:
    direct = lab.open_ticket("1009", seed=7, path=path, language="de")
    calls: dict[str, Any] = {
        "look": lambda given: direct.look(given["id"], host=given["host"]),
        "diagnose": lambda given: direct.diagnose(given["causes"], given["evidence"], given["confidence"]),
        "act": lambda given: direct.act(given["id"], site=given["site"]),
        "wait": lambda given: direct.wait(given["for"]),
        "verify": lambda _given: direct.verify(),
        "note": lambda given: direct.note(given["text"]),
        "close": lambda given: direct.close(given["resolution"]),
    }
    for action in session.actions_done:
        calls[action["do"]](action)
    assert path.read_bytes() == written.read_bytes()


def test_an_english_ticket_of_the_help_desk_is_handed_over_and_solved_without_javascript(visitor: Visitor) -> None:
    base = visitor.open("1058")
    visitor.submit("/do/ask", question="who")
    visitor.get(f"{base}/check")
    visitor.submit("/do/think", text="a service has stopped")
    assert "a service has stopped" in visitor.page
    session = _diagnose(visitor, base)
    visitor.get(f"{base}/mend")
    team = next(iter(owners(session.story, true_causes(session.story)[0])), "second level")
    visitor.submit("/do/escalate", team=team, evidence=[sight.evidence for sight in session.sights])
    assert "has taken it over" in visitor.page
    visitor.get(f"{base}/act/{code('a', 'R10')}")
    visitor.submit("/do/act")
    _see_success(visitor, base, session)
    page = _finish(visitor, base, "escalated")
    assert "Debrief: " in page
    visitor.submit("/do/fork", at="2")
    assert visitor.at != f"{base}/ticket"
    assert _session(visitor, visitor.at.removesuffix("/ticket")).actions_done == session.actions_done[:2]
    visitor.get("/")
    assert "closed" in visitor.page


def test_a_hint_is_given_and_kept_on_the_board(visitor: Visitor, desk: str) -> None:
    visitor.get(f"{desk}/look")
    visitor.submit("/do/hint")
    assert re.sub('data-news="[^"]*"', "", visitor.page).count("Hint 1") == 2
    assert visitor.at == f"{desk}/look"


MEANWHILE = {"en": "has been done here meanwhile", "de": "Inzwischen ist hier etwas geschehen"}


@pytest.mark.parametrize(
    ("what", "page", "given", "language"),
    [
        ("hint", "look", {}, "en"),
        ("ask", "ticket", {"question": "who"}, "de"),
        ("act", "act/{action}", {}, "en"),
        ("diagnose", "check", {"cause": "{cause}", "evidence": "e1", "confidence": "1"}, "de"),
        ("escalate", "mend", {"team": "network", "evidence": "e1"}, "en"),
        ("close", "close", {"resolution": "nothing"}, "de"),
    ],
)
def test_a_form_that_is_sent_twice_is_done_once(tmp_path: Path, what: str, page: str, given: dict[str, str], language: str) -> None:
    visitor, text = Visitor(tmp_path, language), MEANWHILE[language]
    base = visitor.open("1009")
    visitor.get(f"{base}/look")
    visitor.submit("/do/look", look="L20")
    session = _session(visitor, base)
    names = {"action": session.actions()[0].id, "cause": session.causes()[0].id}
    filled: dict[str, Any] = {name: value.format(**names) for name, value in given.items()}
    made = visitor.get(f"{base}/{page.format(**names)}")
    visitor.submit(f"/do/{what}", **filled)
    assert text not in visitor.page
    visitor.page = made
    visitor.submit(f"/do/{what}", **filled)
    assert text in visitor.page
    assert [action["do"] for action in _session(visitor, base).actions_done] == ["look", what]


def test_a_form_that_is_sent_twice_while_it_is_computed_is_done_once(tmp_path: Path) -> None:
    visitor, slow = _with_slow(tmp_path)
    base = visitor.open("1009")
    made = visitor.page
    visitor.submit("/do/hint")
    slow.compute()
    visitor.page = made
    visitor.submit("/do/hint")
    visitor.get(f"{base}/soon")
    assert [action["do"] for action in _session(visitor, base).actions_done] == ["hint"]
    assert "Hint 1<" in visitor.page


def test_forms_are_not_stale_because_of_looks_waiting_or_thoughts_and_scripts_need_not_count(tmp_path: Path) -> None:
    visitor = Visitor(tmp_path)
    base = visitor.open("1009")
    made = visitor.page
    visitor.submit("/do/think", text="the port")
    for _ in range(2):
        visitor.page = made
        visitor.let_pass("5m")
    visitor.page = made
    visitor.submit("/do/hint")
    assert MEANWHILE["en"] not in visitor.page
    assert visitor.client.post(f"{base}/do/hint", data={"token": visitor.keys.token}).status_code == 200
    assert [action["do"] for action in _session(visitor, base).actions_done] == ["think", "wait", "wait", "hint", "hint"]


def test_where_nothing_was_wrong_the_debrief_says_that_nothing_was_to_be_seen(visitor: Visitor) -> None:
    base = visitor.open("2030")
    visitor.get(f"{base}/close")
    visitor.submit("/do/close", resolution="nothing")
    assert "Nothing unusual was to be seen" in visitor.page
    assert f'<a href="{base}/debrief">Debrief<' in visitor.get("/")


def test_a_hint_says_its_price_before_it_is_asked_for(tmp_path: Path) -> None:
    visitor = Visitor(tmp_path)
    base = visitor.open("1058")
    prices = policy().weights["hint"]
    for number, points in enumerate(prices[:4], 1):
        assert f"costs {points} points if you solve the ticket" in visitor.page
        visitor.submit("/do/hint")
        assert _session(visitor, base).hints[-1].rung == number
    assert "shows the whole solution, and there is no mark" in visitor.page
    assert re.findall(r"<summary>(Hint \d)</summary>", visitor.page) == ["Hint 1", "Hint 2", "Hint 3", "Hint 4"]
    visitor.submit("/do/hint")
    assert "costs nothing more" in visitor.page


@pytest.mark.parametrize(("cause", "said"), [(0, "nothing is to be mended"), (1, "Now mend it")])
def test_what_comes_next_after_a_diagnosis_depends_on_what_it_says(visitor: Visitor, cause: int, said: str) -> None:
    base = visitor.open("2030")
    visitor.get(f"{base}/look")
    visitor.submit("/do/look", look="L20")
    ids = [each.id for each in _session(visitor, base).causes()]
    visitor.get(f"{base}/check")
    visitor.submit("/do/diagnose", cause=ids[cause], evidence="e1", confidence="1")
    assert said in visitor.page


def test_each_look_shows_its_price_before_it_is_done(visitor: Visitor, desk: str) -> None:
    page = visitor.get(f"{desk}/look")
    for item in _session(visitor, desk).looks():
        for place in item.places:
            assert f'value="{place.host}" aria-label="{place.host} {item.minutes} min: ' in page


def test_looks_that_try_something_can_be_told_what(visitor: Visitor, desk: str) -> None:
    able = {item.id for item in _session(visitor, desk).looks() if item.takes_target}
    asked = re.findall(r'name="look" value="(L\d+)">\s*<label class="target">', visitor.get(f"{desk}/look"))
    assert set(asked) == able >= {"L50", "L70", "L71", "L72", "L95"}


def test_a_mistake_changes_nothing_and_keeps_what_was_entered(visitor: Visitor, desk: str) -> None:
    before = _session(visitor, desk).actions_done
    visitor.get(f"{desk}/check")
    cause = _session(visitor, desk).causes()[1].id
    page = visitor.submit("/do/diagnose", status=422, cause=[cause], confidence="2")
    assert 'role="alert"' in page
    assert f'<option value="{cause}" selected>' in page
    assert _session(visitor, desk).actions_done == before


def test_the_log_viewer_merges_filters_and_highlights(visitor: Visitor, desk: str) -> None:
    for id in ("L20", "L21"):
        visitor.get(f"{desk}/look")
        visitor.submit("/do/look", look=id)
    page = visitor.get(f"{desk}/logs")
    times = re.findall(r'<time datetime="(\S+ \S+)">', page)
    assert times == sorted(times)
    assert {"SMS_WSUS_SYNC_MANAGER", "SMS_WSUS_CONFIGURATION_MANAGER"} <= set(re.findall(r"<option>(\w+)</option>", page))
    some = visitor.get(f"{desk}/logs?severity=error&text=configured&highlight=WSUS")
    assert 0 < some.count('<tr class="error"') < page.count("<tr class=")
    assert some.count('<tr class="error"') == some.count("<tr class=")
    assert "<mark>WSUS</mark>" in some
    assert 'aria-label="Remove filter: errors only"' in some


def _rows(page: str) -> list[str]:
    return re.findall(r'<tr class="[^"]*" id="(e\d+-\d+)">', page)


def test_find_goes_from_hit_to_hit_and_round(visitor: Visitor, desk: str) -> None:
    visitor.get(f"{desk}/look")
    visitor.submit("/do/look", look="L20")
    page = visitor.get(f"{desk}/logs?find=WSUS")
    count = int(re.findall(r'class="count">1 of (\d+)<', page)[0])
    assert count == len(re.findall(r'<tr class="[^"]* (?:hit|at)', page)) > 2
    first = re.findall(r'<tr class="[^"]* at" id="([^"]+)"', page)
    assert re.findall(r'data-show="([^"]+)"', page) == first
    asked = {"find": "WSUS", "found": "WSUS"}
    second = visitor.client.get(f"{desk}/logs", params={**asked, "at": "2"}).text
    assert f'class="count">2 of {count}<' in second
    assert re.findall(r'<tr class="[^"]* at" id="([^"]+)"', second) != first
    for at, is_at in (("0", count), (str(count + 1), 1), ("x", 1), ("9" * 40, 1)):
        assert f'class="count">{is_at} of {count}<' in visitor.client.get(f"{desk}/logs", params={**asked, "at": at}).text
    another = visitor.client.get(f"{desk}/logs", params={"find": "WSUS", "found": "other", "at": "3"}).text
    assert f'class="count">1 of {count}<' in another
    assert "not found" in visitor.get(f"{desk}/logs?find=no+such+text")


def test_lines_are_pinned_from_the_viewer_and_stand_on_the_board(tmp_path: Path) -> None:
    visitor = Visitor(tmp_path)
    base = visitor.open("1058")
    visitor.get(f"{base}/logs")
    visitor.submit("/do/look", look="L20")
    line = _rows(visitor.get(f"{base}/logs?severity=info&find=a"))[3]
    page = visitor.submit("/do/pin", pin=line)
    assert visitor.at.endswith("/logs")
    assert f'href="{base}/e/1#{line}"' in page
    assert 'name="unpin" value="' in page
    assert '<input id="f-find" name="find" type="search" maxlength="200" value="a"' in page
    assert [(pin.evidence, pin.line) for pin in _session(visitor, base).pins] == [("e1", int(line[3:]))]
    visitor.get(f"{base}/e/1")
    visitor.submit("/do/pin", unpin=line)
    assert visitor.at.endswith("/e/1")
    visitor.submit("/do/pin", status=422, pin="e1-99999")
    assert _session(visitor, base).pins == []


def test_following_lets_time_pass_reads_again_and_marks_what_is_new(tmp_path: Path) -> None:
    visitor = Visitor(tmp_path)
    base = visitor.open("1058")
    visitor.get(f"{base}/logs")
    visitor.submit("/do/look", look="L20")
    visitor.submit("/do/look", look="L21")
    given: dict[str, Any] = {"for": "1h"}
    page = visitor.submit("/do/follow", **given)
    session = _session(visitor, base)
    assert [action["do"] for action in session.actions_done] == ["look", "look", "wait", "look", "look"]
    said = re.findall(r'class="message">(\d+) new lines, (\d+) errors', page)
    new = page.count('class="tag">new<')
    assert [int(number) for number in said[0]] == [new, len(re.findall(r'<tr class="error new', page))]
    assert 0 < new == len(re.findall(r'<tr class="\w+ new', page))
    before = session.actions_done
    token = visitor.keys.token
    for wrong in ({"log": "e9"}, {}, {"log": "e1", "for": "x"}):
        assert visitor.client.post(f"{base}/do/follow", data={"token": token, **wrong}).status_code == 422
    assert _session(visitor, base).actions_done == before


def test_a_pinned_line_stays_pinned_in_what_is_read_of_that_log_later(tmp_path: Path) -> None:
    visitor = Visitor(tmp_path)
    base = visitor.open("1058")
    visitor.get(f"{base}/logs")
    page = visitor.submit("/do/look", look="L20")
    pin = re.findall(r'name="pin" value="(e1-\d+)"', page)[-1]
    visitor.submit("/do/pin", pin=pin)
    given: dict[str, Any] = {"for": "1h"}
    page = visitor.submit("/do/follow", **given)
    assert page.count('class="tag">pinned<') == 1
    assert 'class="tag">pinned<' in page.split(f'value="{pin}"')[0].rsplit("<tr", 1)[1]
    assert 'value="e1-' not in page.replace(f'name="unpin" value="{pin}"', "")
    visitor.get(f"{base}/e/2")
    page = visitor.submit("/do/pin", unpin=pin)
    assert visitor.at.endswith("/e/2")
    assert 'class="tag">pinned<' not in page
    assert _session(visitor, base).pins == []


def test_lists_of_evidence_offer_the_newest_sight_and_older_ones_that_are_needed(tmp_path: Path) -> None:
    visitor = Visitor(tmp_path)
    base = visitor.open("1058")

    def offered() -> list[str]:
        return re.findall(r'name="evidence" value="(e\d+)"', visitor.get(f"{base}/check"))

    for _ in range(3):
        visitor.get(f"{base}/look")
        visitor.submit("/do/look", look="L20")
    assert offered() == ["e3"]
    assert f'href="{base}/e/1"' in visitor.page
    visitor.get(f"{base}/e/1")
    visitor.submit("/do/pin", pin="e1-2")
    assert offered() == ["e1", "e3"]
    visitor.submit("/do/diagnose", cause=re.findall(r'<option value="(c\w+)"', visitor.page)[0], evidence="e3", confidence="1")
    visitor.get(f"{base}/look")
    visitor.submit("/do/look", look="L20")
    assert offered() == ["e1", "e3", "e4"]


def test_codes_are_explained_in_the_viewer(visitor: Visitor, desk: str) -> None:
    visitor.get(f"{desk}/look")
    visitor.submit("/do/look", look="L01")
    assert "The server name or address could not be resolved." in visitor.get(f"{desk}/logs?code=0x80072EE7")
    assert "Nothing is known of 999 here." in visitor.get(f"{desk}/logs?code=999")
    assert "That is no code." in visitor.get(f"{desk}/logs?code=hello")
    assert "Status message 6703" in visitor.get(f"{desk}/logs")


def test_htmx_is_the_release_that_was_looked_at_and_brings_its_licence() -> None:
    static = PACKAGE / "static"
    assert sha256((static / "htmx.min.js").read_bytes()).hexdigest() == HTMX
    assert 'version="4.0.1"' in (static / "htmx.min.js").read_text(encoding="utf-8")
    assert (static / "htmx.LICENSE.txt").read_text(encoding="utf-8").startswith("Zero-Clause BSD")


def test_scripts_come_from_here_and_may_not_evaluate(visitor: Visitor, desk: str) -> None:
    page = visitor.get(f"{desk}/logs")
    assert re.findall(r'src="([^"]+)"', page) == ["/static/htmx.min.js", "/static/lab.js"]
    for path in re.findall(r'src="([^"]+)"', page):
        assert visitor.client.get(path).headers["content-type"].startswith("text/javascript")
    directives = dict(each.strip().split(" ", 1) for each in POLICY.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["connect-src"] == directives["style-src"] == "'self'"
    assert "unsafe" not in POLICY
    own = (PACKAGE / "static" / "lab.js").read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|eval\(|new Function|http", own)


def test_the_text_of_logs_is_out_of_reach_for_htmx(visitor: Visitor, desk: str) -> None:
    page = visitor.get(f"{desk}/logs")
    assert page.count('<td class="text" hx-ignore>') == len(_rows(page)) > 0


def test_answers_are_the_same_for_htmx_and_without(visitor: Visitor, desk: str) -> None:
    headers = {"HX-Request": "true", "HX-Target": "div#desk"}
    for page in ("ticket", "look", "logs?severity=error", "check", "mend", "e/1"):
        assert visitor.client.get(f"{desk}/{page}", headers=headers).content == visitor.client.get(f"{desk}/{page}").content


@pytest.mark.parametrize(
    ("lines", "titles", "cells"),
    [
        (["A: port: 1; SSL: 2", "B: port: 3; SSL: 4"], ("", "port", "SSL"), [("A", "1", "2"), ("B", "3", "4")]),
        (["A: port: 1; SSL: 2", "plain"], (), [("A",), ("port", "1"), ("SSL", "2"), ("plain",)]),
        (["A: on, by X", "B: off, by Y", "C: on, by Z"], (), [("A", "on", "by X"), ("B", "off", "by Y"), ("C", "on", "by Z")]),
        (["Name          : value", "Other = 0"], (), [("Name", "value"), ("Other", "0")]),
        (["Group, 2 members:", "  A"], (), [("Group, 2 members",), ("A",)]),
        (["2007-09-12 08:00:01  Manual  Succeeded"], (), [("2007-09-12 08:00:01", "Manual", "Succeeded")]),
        ([], (), []),
    ],
)
def test_lines_of_a_console_become_a_property_sheet(
    lines: list[str], titles: tuple[str, ...], cells: list[tuple[str, ...]]
) -> None:
    found = sheet(lines)
    assert found.titles == titles
    assert [line.cells for line in found.lines] == cells


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_property_sheet_loses_no_word(language: str) -> None:
    session = lab.open_ticket("1024", seed=3, language=language)
    for item in session.looks():
        if item.group != log_rows.GROUP:
            lines = session.look(item.id, host=item.places[0].host).lines
            found = sheet(lines)
            shown = " ".join([*found.titles, *(cell for line in found.lines for cell in line.cells)])
            assert set(re.findall(r"[\w.$\\-]+", " ".join(lines))) <= set(re.findall(r"[\w.$\\-]+", shown)), item.id


def test_error_codes_are_told_in_both_forms() -> None:
    row = log_rows.Row(
        evidence="e1",
        source="",
        severity="",
        text="",
        component="",
        time="",
        order=datetime(2026, 1, 1),
        thread="",
        raw="error 2147500037 (-2147467259)",
    )
    assert row.codes == [("2147500037", "0x80004005"), ("-2147467259", "0x80004005")]


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_line_of_every_log_is_in_the_table(language: str) -> None:
    session = lab.open_ticket("1024", seed=3, language=language)
    for item in session.looks():
        if item.group == log_rows.GROUP:
            sight = session.look(item.id, host=item.places[0].host)
            rows = log_rows.rows_of(session, sight)
            shown = "\n".join(row.raw for row in rows).split("\n") if rows else []
            assert shown == list(sight.lines[1:])
            assert all(row.time for row in rows)


def test_no_page_tells_the_answer_before_closing(visitor: Visitor, desk: str) -> None:
    session = _session(visitor, desk)
    truth = true_causes(session.story)[0]
    pages = ["ticket", "look", "logs", "mend", "close", "e/1"]
    for page in pages:
        text = visitor.get(f"{desk}/{page}")
        assert truth.title("en") not in text.replace("&#39;", "'")
        assert not re.search(r"\b[SXR]\d\d\b", re.sub(r'value="[^"]*"', "", text)), page
    assert visitor.client.get(f"{desk}/debrief").status_code == 404


def test_mistakes_are_told_in_the_language_of_the_pages(visitor: Visitor) -> None:
    assert "there is no such session" in visitor.client.get("/s/nope/ticket").text
    cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in visitor.client.cookies.items()) + "; wsyncsim_language=de"}
    assert "diese Sitzung gibt es nicht" in visitor.client.get("/s/nope/ticket", headers=cookie).text


def test_hostile_text_is_inert(visitor: Visitor) -> None:
    base = visitor.open("1058", 3)
    visitor.get(f"{base}/check")
    visitor.submit("/do/think", text=HOSTILE)
    visitor.get(f"{base}/mend")
    visitor.submit("/do/note", text=HOSTILE)
    visitor.get(f"{base}/look")
    visitor.submit("/do/look", look="L20")
    visitor.get(f"{base}/look")
    answer = visitor.client.post(
        f"{base}/do/look", data={"token": visitor.keys.token, "look": HOSTILE, "host": HOSTILE, "target": HOSTILE}
    )
    assert answer.status_code == 422
    pages = [visitor.get(f"{base}/{page}") for page in ("ticket", "check", "mend")]
    pages.append(visitor.client.get(f"{base}/logs", params={"text": HOSTILE, "highlight": HOSTILE, "component": HOSTILE}).text)
    for page in [answer.text, *pages]:
        assert "<script" not in OUR_SCRIPT.sub("", page)
        assert "<img" not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize("garbage", ["", "nope", "../x", "-1", "9" * 30, "\x00", HOSTILE, "é" * 300])
def test_garbage_in_forms_is_refused_without_a_trace(visitor: Visitor, desk: str, garbage: str) -> None:
    before = _session(visitor, desk).actions_done
    names = (
        "look",
        "host",
        "target",
        "action",
        "site",
        "for",
        "question",
        "cause",
        "evidence",
        "confidence",
        "team",
        "at",
        "resolution",
    )
    given = {"token": visitor.keys.token, **dict.fromkeys(names, garbage)}
    for what in ("look", "act", "wait", "ask", "diagnose", "escalate", "fork"):
        assert visitor.client.post(f"{desk}/do/{what}", data=given).status_code == 422, what
    if garbage:
        assert visitor.client.post(f"{desk}/do/close", data=given).status_code == 422
        status = 404 if len(garbage) <= LONGEST_FIELD else 422
        assert visitor.client.post("/open", data={**given, "ticket": garbage}).status_code == status
    assert _session(visitor, desk).actions_done == before


def test_only_who_brings_the_key_once_comes_in(tmp_path: Path) -> None:
    visitor = Visitor(tmp_path)
    cookie = visitor.client.cookies.get(COOKIE)
    visitor.client.cookies.clear()
    assert visitor.client.get("/").status_code == 403
    assert visitor.client.get(f"/?key={visitor.keys.key}").status_code == 403
    visitor.client.cookies.set(COOKIE, "x" * 43)
    assert visitor.client.get("/s/x/ticket").status_code == 403
    assert visitor.client.get("/nowhere").status_code == 403
    visitor.client.cookies.clear()
    visitor.client.cookies.set(COOKIE, str(cookie))
    assert visitor.client.get("/").status_code == 200


@pytest.mark.parametrize(("method", "path"), [("HEAD", "/"), ("POST", "/open"), ("OPTIONS", "/")])
def test_what_shows_no_page_does_not_use_up_the_key(tmp_path: Path, method: str, path: str) -> None:
    keys = Keys()
    client = TestClient(lab_app(tmp_path, keys), base_url=OWN)
    assert client.request(method, f"{path}?key={keys.key}").status_code == 403
    assert COOKIE not in client.cookies
    assert client.get(f"/?key={keys.key}").status_code == 200


def test_who_has_not_come_in_is_told_no_token(visitor: Visitor, desk: str) -> None:
    stranger = TestClient(visitor.client.app, base_url=OWN, cookies={COOKIE: "x"})
    pages = [stranger.get(path) for path in ("/", "/nope", f"{desk}/ticket", "/?key=x")]
    pages.append(stranger.post("/settings", data={"language": "de"}))
    assert {page.status_code for page in pages} == {403}
    assert not any(visitor.keys.token in page.text or "<form" in page.text for page in pages)
    assert visitor.keys.token in visitor.get("/")


def test_the_cookie_is_for_this_site_and_for_no_script(tmp_path: Path) -> None:
    keys = Keys()
    client = TestClient(lab_app(tmp_path, keys), base_url=OWN, follow_redirects=False)
    given = client.get(f"/?key={keys.key}").headers["set-cookie"].lower()
    assert "httponly" in given
    assert "samesite=strict" in given


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80"])
def test_other_host_names_are_refused(visitor: Visitor, host: str) -> None:
    answer = visitor.client.get("/", headers={"host": host})
    assert answer.status_code == 400
    assert answer.headers["content-security-policy"] == POLICY


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({"origin": "http://evil.example"}, None),
        ({"origin": "http://127.0.0.1:1"}, None),
        ({"sec-fetch-site": "cross-site"}, None),
        ({"origin": "null", "sec-fetch-site": "same-site"}, None),
        ({}, ""),
        ({}, "0" * 64),
    ],
)
def test_forms_from_elsewhere_are_refused(visitor: Visitor, desk: str, headers: dict[str, str], token: str | None) -> None:
    before = _session(visitor, desk).actions_done
    given = {"token": visitor.keys.token if token is None else token, "for": "5m"}
    assert visitor.client.post(f"{desk}/do/wait", data=given, headers=headers).status_code == 403
    assert _session(visitor, desk).actions_done == before


def test_too_large_a_form_and_other_kinds_are_refused(visitor: Visitor, desk: str) -> None:
    given = {"token": visitor.keys.token, "text": "x" * LARGEST_BODY}
    assert visitor.client.post(f"{desk}/do/note", data=given).status_code == 403
    assert visitor.client.post(f"{desk}/do/note", json=given).status_code == 403
    many = [(f"f{number}", "") for number in range(1_000)]
    assert visitor.client.post(f"{desk}/do/note", content="&".join(f"{name}=" for name, _ in many)).status_code == 403


@pytest.mark.parametrize("name", ["look", "host", "target", "x"])
def test_a_field_is_no_longer_than_pages_can_send(visitor: Visitor, desk: str, name: str) -> None:
    before = _session(visitor, desk).actions_done
    given = {"token": visitor.keys.token, "look": "L20", name: "L" * (LONGEST_FIELD + 1)}
    answer = visitor.client.post(f"{desk}/do/look", data=given)
    assert answer.status_code == 422
    assert "at most 200 characters" in answer.text
    assert "LLL" not in answer.text
    assert _session(visitor, desk).actions_done == before


@pytest.mark.parametrize("what", ["note", "think"])
def test_a_text_that_is_too_long_stays_in_its_page(visitor: Visitor, desk: str, what: str) -> None:
    answer = visitor.client.post(f"{desk}/do/{what}", data={"token": visitor.keys.token, "text": "x" * 2_001})
    assert answer.status_code == 422
    assert "a text has 1 to 2000 characters" in answer.text


@pytest.mark.parametrize(("patience_s", "expected"), [(20.0, [200] * 6), (0.05, [200] * 2 + [429] * 4)])
def test_a_browser_has_two_requests_under_way_and_others_wait_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience_s: float, expected: list[int]
) -> None:
    page, keys = Waiting(home), Keys()
    monkeypatch.setattr("wsyncsim.lab_web.app.home", page)
    monkeypatch.setattr("wsyncsim.lab_web.guard.PATIENCE_S", patience_s)
    app = lab_app(tmp_path, keys)
    cookie = f"{COOKIE}={keys.exchange(keys.key)}"
    assert sorted(statuses(app, [cookie] * 6, page, expected.count(429))) == expected
    assert page.most == 2
    assert statuses(app, [cookie], page, 0) == [200]


def test_reading_changes_nothing(visitor: Visitor, desk: str) -> None:
    path = visitor.shelf.path(desk.rsplit("/", 1)[1])
    before = path.read_bytes()
    for what in ("wait", "hint", "close"):
        assert visitor.client.get(f"{desk}/do/{what}").status_code == 404
    for page in ("ticket", "look", "logs", "check?left=1", "mend", "close"):
        visitor.get(f"{desk}/{page}")
    assert path.read_bytes() == before


@pytest.mark.parametrize("id", ["..%2Fsecret", "%2e%2e", "a.b", "x" * 65, "a%00b", "..%5Csecret", "C%3A", "ä"])
def test_ids_that_could_leave_the_folder_are_unknown(visitor: Visitor, id: str) -> None:
    (visitor.shelf.folder.parent / "secret.jsonl").write_bytes(b"{}\n")
    assert visitor.client.get(f"/s/{id}/ticket").status_code == 404
    with pytest.raises(WsyncsimError):
        visitor.shelf.path("../secret")


def test_every_answer_carries_the_headers_of_safety(visitor: Visitor, desk: str) -> None:
    paths = [
        "/",
        "/ticket/1009",
        "/ticket/nope",
        "/nope",
        "/s/nope/ticket",
        "/static/lab.css",
        "/static/nope",
        f"{desk}/ticket",
        f"{desk}/logs",
    ]
    for path in paths:
        headers = visitor.client.get(path).headers
        assert headers["content-security-policy"] == POLICY, path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_only_files_that_are_there_are_kept_by_the_browser(visitor: Visitor, desk: str) -> None:
    kept = {"/static/lab.css": "max-age=3600"}
    for path in ("/static/lab.css", "/static/nope", "/static/lab.css/x", "/static/", "/", "/nope", f"{desk}/ticket"):
        assert visitor.client.get(path).headers["cache-control"] == kept.get(path, "no-store"), path
    assert visitor.client.post("/static/lab.css").headers["cache-control"] == "no-store"


def test_templates_hold_no_script_but_the_two_files_and_no_style() -> None:
    for path in sorted((PACKAGE / "templates").iterdir()):
        text = path.read_text(encoding="utf-8")
        text = OUR_SCRIPT.sub("", text)
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|\|\s*safe|autoescape", text), path.name


def test_every_text_of_the_templates_is_there_in_both_languages_and_each_is_used() -> None:
    sources = [*(PACKAGE / "templates").iterdir(), *PACKAGE.glob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    used = set(re.findall(r"""\bt\(["']([\w ]+)["'][,)]""", text)) | set(re.findall(r"""says\(["']([\w ]+)["'][,)]""", text))
    assert used <= set(all_words())
    built = (
        "level_",
        "theme_",
        "step_",
        "about_",
        "ask_",
        "group_",
        "sev_",
        "confidence_",
        "resolution_",
        "part_",
        "band_",
        "wait_",
        "column_",
        "results_",
        "stage_",
        "code_",
    )
    text = text.replace("'", '"')
    unused = {name for name in all_words() if name not in used and not name.startswith(built) and f'"{name}"' not in text}
    assert not unused


@pytest.mark.parametrize(("language", "text"), [("en", "Something broke in the lab"), ("de", "Im Labor ist etwas kaputtgegangen")])
def test_what_breaks_gives_a_page_of_ours_and_a_traceback_in_the_log_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, language: str, text: str
) -> None:
    def breaks(*_: object) -> dict[str, Any]:
        raise RuntimeError("nobody thought of this")

    visitor = Visitor(tmp_path, language)
    base = visitor.open("1058")
    monkeypatch.setitem(desk_pages.PAGES, "look", breaks)
    answer = visitor.client.get(f"{base}/look")
    assert answer.status_code == 500
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["cache-control"] == "no-store"
    assert text in answer.text
    assert "nobody thought of this" not in answer.text
    assert "Traceback" not in answer.text
    assert "nobody thought of this" in caplog.text
    assert "Traceback" in caplog.text
    monkeypatch.undo()
    visitor.get(f"{base}/look")


@pytest.mark.parametrize("number", ["0", "-1", "+1", "1.0", "x", "²", "٣", "10000", "9" * 5_000])
def test_a_number_in_an_address_that_is_none_is_unknown(visitor: Visitor, desk: str, number: str) -> None:
    assert visitor.client.get(f"{desk}/e/{number}").status_code == 404
    stranger = TestClient(lab_app(visitor.shelf.folder, Keys()), base_url=OWN)
    assert stranger.get(f"{desk}/e/{number}").status_code == 403


def test_the_log_shows_a_path_and_does_not_obey_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    visitor = Visitor(tmp_path)
    monkeypatch.setattr("wsyncsim.lab_web.app.mistake", lambda *_: 1 / 0)
    visitor.client.get("/s/%1b%5d0;PWNED%07%0a" + "x" * 1_000 + "/ticket")
    (said,) = (record.getMessage() for record in caplog.records if record.getMessage().endswith(" broke"))
    assert said.startswith("GET /s/\\x1b]0;PWNED\\x07\\x0ax")
    assert len(said) < 300


def test_even_when_the_page_that_says_so_breaks_there_are_headers_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = Visitor(tmp_path)
    monkeypatch.setattr("wsyncsim.lab_web.app.render", lambda *_, **__: 1 / 0)
    answer = visitor.client.get("/")
    assert (answer.status_code, answer.text) == (500, "Internal error")
    assert answer.headers["content-security-policy"] == POLICY


class Slow:
    """Somebody who computes when he is told to."""

    def __init__(self) -> None:
        self.mirrors = Mirrors()
        self.waiting: list[tuple[Question, Future[Answer]]] = []

    def ask(self, question: Question) -> Future[Answer]:
        answer: Future[Answer] = Future()
        self.waiting.append((question, answer))
        return answer

    def compute(self) -> None:
        for question, answer in self.waiting:
            answer.set_result(self.mirrors.answer(question))
        self.waiting.clear()


def _with_slow(folder: Path, language: str = "en") -> tuple[Visitor, Slow]:
    visitor, slow = Visitor(folder, language), Slow()
    visitor.shelf.counsel = cast("Any", slow)
    return visitor, slow


@pytest.mark.parametrize(("language", "text"), [("en", "It is being computed"), ("de", "Es wird berechnet")])
def test_a_page_that_waits_says_so_and_looks_again_until_it_is_there(tmp_path: Path, language: str, text: str) -> None:
    visitor, slow = _with_slow(tmp_path, language)
    base = visitor.open("1009")
    visitor.submit("/do/hint")
    ordered = visitor.address
    assert text in visitor.page
    assert visitor.at == f"{base}/soon"
    assert visitor.client.get(ordered).headers["refresh"] == "1"
    assert not _session(visitor, base).actions_done
    slow.compute()
    visitor.again()
    assert visitor.at == f"{base}/ticket"
    assert "refresh" not in visitor.client.get(f"{base}/ticket").headers
    assert [action["do"] for action in _session(visitor, base).actions_done] == ["hint"]
    for address in (ordered, f"{base}/soon"):
        visitor.get(address)
        assert len(_session(visitor, base).actions_done) == 1


@pytest.mark.parametrize(("language", "text"), [("en", "Ask again"), ("de", "Fragen Sie noch einmal")])
def test_who_goes_on_meanwhile_is_asked_whether_the_hint_is_still_wanted(tmp_path: Path, language: str, text: str) -> None:
    visitor, slow = _with_slow(tmp_path, language)
    base = visitor.open("1009")
    visitor.submit("/do/hint")
    ordered = visitor.address
    visitor.let_pass("1h")
    slow.compute()
    visitor.get(ordered)
    assert text in visitor.page
    assert [action["do"] for action in _session(visitor, base).actions_done] == ["wait"]
    visitor.submit("/do/hint")
    slow.compute()
    visitor.again()
    direct = lab.open_ticket("1009", seed=7, language=language)
    direct.wait("1h")
    direct.hint()
    session = _session(visitor, base)
    assert (session.hints, session.actions_done) == (direct.hints, direct.actions_done)


def test_each_of_two_windows_gets_what_it_has_ordered(tmp_path: Path) -> None:
    visitor, slow = _with_slow(tmp_path)
    base = visitor.open("1058")
    visitor.get(f"{base}/look")
    visitor.submit("/do/look", look="L45")
    visitor.get(f"{base}/mend")
    mend = visitor.page
    visitor.submit("/do/escalate", team="second level", evidence=["e1"])
    escalated = visitor.address
    visitor.page = mend
    visitor.submit("/do/hint")
    assert visitor.address != escalated
    visitor.get(f"{base}/ticket")  # the hint is left
    slow.compute()
    visitor.get(escalated)
    assert [action["do"] for action in _session(visitor, base).actions_done] == ["look", "escalate"]


def test_closing_while_a_hint_is_computed_leads_to_the_debrief(tmp_path: Path) -> None:
    visitor, slow = _with_slow(tmp_path)
    base = visitor.open("1009")
    visitor.submit("/do/hint")
    ordered = visitor.address
    _finish(visitor, base, "nothing")
    slow.compute()
    visitor.get(ordered)
    assert visitor.at == f"{base}/debrief"
    assert "Debrief: " in visitor.page


def test_what_will_be_refused_is_not_computed(tmp_path: Path) -> None:
    visitor, slow = _with_slow(tmp_path)
    base = visitor.open("1058")
    visitor.get(f"{base}/look")
    visitor.submit("/do/look", look="L45")
    given = {"token": visitor.keys.token}
    for form in (
        {"team": "second level"},
        {"team": "nobody", "evidence": "e1"},
        {"team": "second level", "evidence": "e2"},
        {"team": "second level", "evidence": ["e1", "x"]},
    ):
        assert visitor.client.post(f"{base}/do/escalate", data={**given, **form}).status_code == 422
    with visitor.shelf.desk(base.rsplit("/", 1)[1], "en") as desk:
        desk.session.seat = Seat("c", "a", "T-1", 1, "1058", 7, None, None, hints=False, released=False, limit_min=None)
    assert visitor.client.post(f"{base}/do/hint", data=given).status_code == 422
    assert {question.kind for question, _ in slow.waiting} == {"ready"}


def test_pages_and_files_are_the_same_whoever_computes(tmp_path: Path) -> None:
    pages = []
    for folder, slow in ((tmp_path / "a", None), (tmp_path / "b", Slow())):
        visitor = Visitor(folder)
        visitor.shelf.counsel = cast("Any", slow)
        monkey = iter(("x" * 32,))
        visitor.shelf.new_id = lambda ids=monkey: next(ids)  # type: ignore[method-assign,misc]
        base = visitor.open("1058")
        _diagnose(visitor, base)
        for _ in range(2):
            visitor.get(f"{base}/look")
            visitor.submit("/do/hint")
            _let_compute(visitor, slow, visitor.address)
        visitor.get(f"{base}/check?left=1")
        _let_compute(visitor, slow, f"{base}/check?left=1")
        pages.append(visitor.page)
        visitor.get(f"{base}/mend")
        visitor.submit("/do/escalate", team="second level", evidence=["e1", "e2"])
        _let_compute(visitor, slow, visitor.address)
        _finish(visitor, base, "escalated")
        _let_compute(visitor, slow, f"{base}/debrief")
        pages.append(visitor.page)
        pages.append(visitor.shelf.path("x" * 32).read_text(encoding="utf-8"))
    same = [page.replace(visitor.keys.token, "") for page in pages]
    half = len(same) // 2
    tokens = re.compile(r'name="token" value="\w*"')
    assert [tokens.sub("", page) for page in same[:half]] == [tokens.sub("", page) for page in same[half:]]
    assert "Debrief: " in pages[-2]
    assert "What could still be wrong" not in pages[-1]


def _let_compute(visitor: Visitor, slow: Slow | None, path: str) -> None:
    if slow is not None:
        assert "It is being computed" in visitor.page
        slow.compute()
        visitor.get(path)
    assert "It is being computed" not in visitor.page


def test_sessions_with_hints_are_played_again_with_what_was_told(tmp_path: Path) -> None:
    visitor, slow = _with_slow(tmp_path)
    base = visitor.open("1009")
    visitor.submit("/do/hint")
    slow.compute()
    visitor.again()
    hints = _session(visitor, base).hints
    again = Shelf(tmp_path, cast("Any", Now()))
    with again.desk(base.rsplit("/", 1)[1], "en") as found:
        assert found.session.hints == hints


def test_a_damaged_session_with_hints_is_refused_and_says_where(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    lab.open_ticket("1009", seed=7, path=path).hint()
    with path.open("ab") as file:
        file.write(b'{"n":2,"do":"look"}\n')
    with pytest.raises(WsyncsimError) as refused, Shelf(tmp_path, cast("Any", Now())).desk("x", "en"):
        pass
    assert refused.value.where == str(path)


def test_a_session_is_played_again_in_the_language_of_who_comes(tmp_path: Path) -> None:
    visitor, english = Visitor(tmp_path, "de"), Visitor(tmp_path / "en")
    base = visitor.open("1009")
    id = base.rsplit("/", 1)[1]
    for _ in range(2):
        visitor.get(f"{base}/look")
        visitor.submit("/do/look", look="L20")
        visitor.submit("/do/hint")
    at_first = _session(visitor, base)
    assert english.open("1009")
    english.submit("/do/hint")
    assert at_first.hints[0].text not in english.page
    before = at_first.sights, at_first.hints
    for counsel in (None, Now()):
        again = Shelf(tmp_path, cast("Any", counsel))
        with again.desk(id, "de") as found:
            assert (found.session.sights, found.session.hints) == before
        lab.resume(again.path(id), language="de").wait("5m")  # another program
        with again.desk(id, "de") as found:
            assert (found.session.sights, found.session.hints) == before
            assert found.session.actions_done[-1]["do"] == "wait"


def test_what_a_session_was_told_in_another_language_is_told_again() -> None:
    mirrors, session = Mirrors(), lab.open_ticket("1009", seed=7)
    session.hint()
    diary = Diary(None, session.header)
    diary.actions = session.actions_done
    told = {language: mirrors.answer(cast("Question", about_diary(diary, "x", language))).told[1].hint for language in ("en", "de")}
    assert told["en"] == session.hints[0]
    german = lab.open_ticket("1009", seed=7, language="de")
    assert told["de"] == german.hint()


def test_a_session_that_is_played_again_elsewhere_comes_in_a_moment(tmp_path: Path) -> None:
    visitor = Visitor(tmp_path)
    base = visitor.open("1009")
    visitor.submit("/do/hint")
    again, slow = Visitor(tmp_path), Slow()
    again.shelf.counsel = cast("Any", slow)
    answer = again.client.get(f"{base}/ticket")
    assert "is being played again" in answer.text
    assert answer.headers["refresh"] == "1"
    assert len(slow.waiting) == 1
    again.client.get(f"{base}/ticket")
    assert len(slow.waiting) == 1
    slow.compute()
    again.get(f"{base}/ticket")
    assert "Hint 1<" in again.page


def test_a_form_that_comes_before_its_session_is_there_is_not_lost(tmp_path: Path) -> None:
    visitor = Visitor(tmp_path)
    base = visitor.open("1009")
    visitor.submit("/do/hint")
    visitor.shelf = Shelf(tmp_path, cast("Any", Slow()))
    visitor.client = TestClient(lab_app(tmp_path, visitor.keys, shelf=visitor.shelf), base_url=OWN, cookies=visitor.client.cookies)
    visitor.let_pass("5m")
    assert [action["do"] for action in _session(visitor, base).actions_done] == ["hint", "wait"]


DAMAGED = {
    "role": ('"role":null', '"role":5'),
    "generation": ('"generation":null', '"generation":["x"]'),
    "seed": ('"seed":7', '"seed":1e999'),
    "half a character": ('"role":null', '"role":"\\ud800"'),
    "half a character in an action": ('"n":1,"do":"hint"', '"n":1,"do":"look","id":"L45","host":"\\udfff"'),
    "nested": ('"role":null', '"role":' + "[" * 100_000 + "]" * 100_000),
    "huge": ('"do":"hint"', f'"do":"wait","for":{10**30}'),
    "host": ('"do":"hint"', '"do":"look","id":"L45","host":5'),
    "most": ('"do":"hint"', '"do":"wait","for":"event","most_min":1e999'),
    "team": ('"do":"hint"', '"do":"escalate","team":{},"evidence":["e1"]'),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_session_is_refused_with_a_page(tmp_path: Path, damage: str) -> None:
    visitor = Visitor(tmp_path)
    path = tmp_path / "x.jsonl"
    session = lab.open_ticket("1009", seed=7, path=path)
    session.hint()
    session.hint()
    before, after = DAMAGED[damage]
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    for counsel in (None, Now()):
        visitor.shelf.counsel = cast("Any", counsel)
        answer = visitor.client.get("/s/x/ticket")
        assert answer.status_code == 404
        assert re.search(r"damaged|is not JSON|there is no|cannot|expected|not there", answer.text)
    visitor.get("/")


class Now(Slow):
    """Somebody who computes at once."""

    def ask(self, question: Question) -> Future[Answer]:
        answer: Future[Answer] = Future()
        try:
            answer.set_result(self.mirrors.answer(question))
        except Exception as error:
            answer.set_exception(error)
        return answer


def test_no_answer_of_an_open_ticket_is_asked_for(tmp_path: Path) -> None:
    visitor, slow = _with_slow(tmp_path)
    base = visitor.open("1009")
    assert visitor.client.get(f"{base}/debrief").status_code == 404
    assert {question.kind for question, _ in slow.waiting} == {"ready"}


def test_settings_are_kept_and_lead_back_to_our_own_pages_only(visitor: Visitor, desk: str) -> None:
    client = visitor.client
    given = {"token": visitor.keys.token, "language": "de", "theme": "dark"}
    answer = client.post("/settings", data={**given, "back": f"{desk}/look"})
    assert answer.url.path == f"{desk}/look"
    assert '<html lang="de" data-theme="dark">' in answer.text
    for back in ("//evil.example", "http://evil.example", "/\\evil.example", "/\r\nx: y"):
        answer = client.post("/settings", data={**given, "language": "en", "theme": "auto", "back": back}, follow_redirects=False)
        assert answer.headers["location"] == "/"
    client.cookies.delete("wsyncsim_language")
    client.cookies.delete("wsyncsim_theme")


def test_sessions_beyond_those_in_memory_are_played_again(visitor: Visitor, desk: str) -> None:
    again = Shelf(visitor.shelf.folder)
    with again.desk(desk.rsplit("/", 1)[1], "de") as found:
        assert found.session.actions_done == _session(visitor, desk).actions_done
        assert found.session.now == _session(visitor, desk).now


def test_what_another_program_does_to_a_session_is_seen(visitor: Visitor) -> None:
    base = visitor.open("1058", 11)
    other = lab.resume(visitor.shelf.path(base.rsplit("/", 1)[1]))
    other.look("L20")
    visitor.get(f"{base}/look")
    assert "e1</b> wsyncmgr.log" in visitor.page
    visitor.let_pass("5m")
    assert [action["do"] for action in _session(visitor, base).actions_done] == ["look", "wait"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::1", "", "0", "0x0", "0.0", "00.0.0.0", "a..b"])
def test_it_is_served_at_one_address_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setattr(lab_web, "_run", lambda _app, listener, _counsel: listener.close())
    with pytest.raises(WsyncsimError):
        lab_web.serve(tmp_path, host=host)


def test_nobody_can_say_that_somebody_else_asks() -> None:
    async def where(scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope)
        assert request.client is not None
        await PlainTextResponse(f"{request.url.scheme} {request.client.host}")(scope, receive, send)

    config = lab_web._config(where)
    config.load()
    client = TestClient(config.loaded_app, base_url=OWN, client=("127.0.0.1", 1))
    assert client.get("/", headers={"x-forwarded-for": "9.9.9.9", "x-forwarded-proto": "https"}).text == "http 127.0.0.1"


def test_the_pictures_stand_inside_their_frames() -> None:
    from wsyncsim.lab.solver import solve

    session = lab.open_ticket("1058", seed=7)
    solve(session)
    debrief = session.debrief()
    drawn = timeline(debrief)
    assert len(drawn.dots) == len([each for each in debrief.happened if each.kind != "action"]) + len(debrief.did)
    assert all(0 < dot.x < drawn.text_x and 0 < dot.y < drawn.height for dot in drawn.dots)
    assert all(0 <= x <= 640 and 0 <= y <= 230 for x, y, _ in curve(debrief).dots)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")
def test_killing_the_server_loses_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wsyncsim", "lab", "serve", "--port", "0", "--state", str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            base = address.partition("/?")[0]
            opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
            with opener.open(address) as answer:
                page = answer.read().decode()
            forms = _Forms()
            forms.feed(page)
            token = forms.found[0][1]["token"]
            with opener.open(f"{base}/open", data=f"token={token}&ticket=1058&seed=7".encode()) as answer:
                at = answer.url.rsplit("/", 1)[0]
            with opener.open(f"{at}/do/wait", data=f"token={token}&for=5m".encode()) as answer:
                assert answer.status == 200
            form = f"token={token}&back=look".encode()
            page = _there(opener, f"{at}/do/hint", form)
            assert page.count("Hint 1") == 3
        finally:
            server.kill()
    session = lab.resume(tmp_path / f"{at.rsplit('/', 1)[1]}.jsonl")
    assert [action["do"] for action in session.actions_done] == ["wait", "hint"]


def _there(opener: urllib.request.OpenerDirector, path: str, form: bytes) -> str:
    """The page that a form leads to, however often it wants to be asked for."""
    with opener.open(path, data=form) as answer:
        page, again, at = answer.read().decode(), answer.headers["refresh"], answer.url
    while again:
        time.sleep(int(again))
        with opener.open(at) as answer:
            page, again, at = answer.read().decode(), answer.headers["refresh"], answer.url
    return str(page)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(WsyncsimError) as refused:
        lab_web.serve(tmp_path)
    assert "wsyncsim[lab]" in (refused.value.hint or "")
