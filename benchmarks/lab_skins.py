"""One script of actions through the skins of the lab: terminal, HTTP without JavaScript, and a real browser with it.

A script is written by somebody who plays a ticket with ``LabSession`` itself. Each skin then does the same in its own way, as a
person would: it types lines, fills in the forms that pages offer, or clicks. What the session's file says must be the same to
the byte, and so must the mark that each skin shows.

``python -m benchmarks.lab_browser`` plays all three; ``tests/test_lab_skins.py`` too, the browser where there is one.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode

from wsyncsim import lab
from wsyncsim.lab import solver
from wsyncsim.lab.diagnosis import best_way
from wsyncsim.lab.diary import Diary
from wsyncsim.lab.replay import typed
from wsyncsim.lab.session import LabSession, code
from wsyncsim.lab.ticket import true_causes
from wsyncsim.lab.typed import tell
from wsyncsim.lab_web.words import word

TICKETS = (("1058", "en"), ("1009", "de"), ("2030", "en"))
"""A help desk's, a second level's in German, and one on which nothing is wrong."""
SEED = 7
LOG = "L20"
THOUGHT = "Läuft der Dienst? <b>&amp; \"so\" 'so'</b>"
PATIENCE_S = 60
LIVE = ("ask", "think", "log", "pin", "unpin", "follow", "wait", "hint")
"""Steps that leave the page where it is when there is JavaScript."""
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a person does: one action of the session, or the few that following a log is."""

    kind: str
    actions: tuple[dict[str, Any], ...]

    @property
    def first(self) -> dict[str, Any]:
        return self.actions[0]


@dataclass(slots=True)
class Script:
    """What is done in a session of a ticket, and what its file must say then."""

    ticket: str
    language: str
    steps: list[Step] = field(default_factory=list)
    header: dict[str, Any] = field(default_factory=dict)

    def expected(self, path: Path) -> bytes:
        """The file that these calls write."""
        diary = Diary.create(path, {key: value for key, value in self.header.items() if key != "schema"})
        for step in self.steps:
            for action in step.actions:
                diary.append(action)
        return path.read_bytes()


def write_script(ticket: str, language: str, seed: int = SEED) -> Script:
    """Play a ticket, using everything that a session can do."""
    session = lab.open_ticket(ticket, seed=seed, language=language)
    script = Script(ticket, language, header=session.header)

    def done(kind: str = "") -> None:
        known = sum(len(step.actions) for step in script.steps)
        new = [_as_skins_say(action) for action in session.actions_done[known:]]
        if kind:
            script.steps.append(Step(kind, tuple(new)))
        else:
            script.steps.extend(Step(action["do"], (action,)) for action in new)

    host = next(item.places[0].host for item in session.looks() if item.id == LOG)
    session.ask("who")
    session.hypothesis(THOUGHT)
    done()
    session.look(LOG, host=host)
    done("log")
    session.pin("e1", 3)
    session.pin("e1", 2)
    session.unpin("e1", 3)
    done()
    session.wait("5m")
    session.look(LOG, host=host)
    done("follow")
    session.wait("event")
    if session.ticket.level == 1:
        session.hint()
    for look in best_way(session.variant).steps:
        session.look(look.id, host=look.host)
    causes = [code("c", cause.id) for cause in true_causes(session.story)]
    session.diagnose(causes, [sight.evidence for sight in session.sights][1:], 2)
    resolution = solver.mend(session)
    session.note(THOUGHT)
    session.close(resolution)
    done()
    return script


def _as_skins_say(action: dict[str, Any]) -> dict[str, Any]:
    """Skins call actions by names that tell nothing."""
    return {**action, "id": code("a", action["id"])} if action["do"] == "act" else action


@dataclass(frozen=True, slots=True)
class Played:
    """What came out of a skin."""

    file: bytes
    mark: str
    """As its last screen says it."""


def differences(script: Script, folder: Path, played: dict[str, Played]) -> list[str]:
    """What is not the same; nothing if all is well."""
    path = folder / f"expected-{script.ticket}.jsonl"
    expected = script.expected(path)
    result = lab.resume(path, language=script.language).result()
    shown = {
        "terminal": tell("mark", script.language, total=result.total, band=tell(f"band_{_band(result.band)}", script.language)),
        "http": word("mark", script.language, n=result.total),
    }
    found = []
    for skin, each in played.items():
        if each.file != expected:
            found.append(f"{script.ticket}, {skin}: {_first_difference(expected, each.file)}")
        wanted = shown.get(skin, shown["http"])
        if wanted not in each.mark:
            found.append(f"{script.ticket}, {skin}: the mark is not {wanted!r}")
    return found


def _band(band: str) -> str:
    return band.replace(" ", "_")


def _first_difference(expected: bytes, written: bytes) -> str:
    for number, (one, other) in enumerate(zip(expected.splitlines(), written.splitlines(), strict=False), 1):
        if one != other:
            return f"line {number} is {other.decode()} instead of {one.decode()}"
    return f"{len(written.splitlines())} lines instead of {len(expected.splitlines())}"


# --- the terminal


def in_terminal(script: Script, folder: Path) -> Played:
    """The command, with lines from a pipe."""
    lines = [typed(action) for step in script.steps for action in step.actions]
    command = ["lab", "new", script.ticket, "--seed", str(SEED), "--lang", script.language, "--state", str(folder), "--plain"]
    ran = subprocess.run(
        [sys.executable, "-m", "wsyncsim", *command],
        input="".join(f"{line}\n" for line in lines).encode(),
        capture_output=True,
        env={**os.environ, "PYTHONUTF8": "1"},
        check=False,
    )
    out = ran.stdout.decode()
    if ran.returncode:
        raise AssertionError(f"exit code {ran.returncode}: {ran.stderr.decode()}\n{out}")
    (path,) = folder.glob("*.jsonl")
    return Played(path.read_bytes(), out)


# --- HTTP


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, str]]:
    """The lab on a free port: its address, and the key."""
    import uvicorn

    from wsyncsim.lab_web.app import lab_app
    from wsyncsim.lab_web.guard import Keys

    keys = Keys()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(lab_app(folder, keys), log_level="error", lifespan="off"))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", keys.key
        finally:
            server.should_exit = True
            thread.join(timeout=10)


@dataclass(slots=True)
class Form:
    """A form of a page: where it goes, what it sends unasked, and what can be chosen or written in it."""

    action: str
    hidden: list[tuple[str, str]] = field(default_factory=list)
    offered: dict[str, set[str]] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)

    def takes(self, name: str, value: str) -> bool:
        return name in self.written or value in self.offered.get(name, set()) or (name, value) in self.hidden


class Forms(HTMLParser):
    """The forms of a page that are posted."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._open = False
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = given.get("method") == "post"
            if self._open:
                self.found.append(Form(given["action"]))
        if not self._open:
            return
        form, name, value = self.found[-1], given.get("name", ""), given.get("value", "")
        if tag == "select":
            self._select = name
        elif tag == "option":
            form.offered.setdefault(self._select, set()).add(value)
        elif tag == "textarea":
            form.written.add(name)
        elif tag == "button" or given.get("type") in ("checkbox", "radio"):
            form.offered.setdefault(name, set()).add(value)
        elif tag == "input" and given.get("type") == "hidden":
            form.hidden.append((name, value))
        elif tag == "input":
            form.written.add(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False


class Visitor:
    """Somebody whose browser knows no script: pages, links, forms."""

    def __init__(self, address: str, key: str, language: str) -> None:
        self.address = address
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        self.page = ""
        self.at = ""
        self.get(f"/?key={key}")
        self.submit("/settings", [("language", language)])

    def get(self, path: str) -> None:
        self._answered(self._opener.open(self.address + path))

    def _answered(self, answer: Any) -> None:
        with answer:
            self.page = answer.read().decode()
            self.at = answer.url.removeprefix(self.address)

    def submit(self, action: str, given: Sequence[tuple[str, str]]) -> None:
        """Send the first form of the page that goes there and offers all this."""
        for form in Forms(self.page).found:
            if form.action.endswith(action) and all(form.takes(*each) for each in given):
                names = {name for name, _ in given}
                sent = [each for each in form.hidden if each[0] not in names] + list(given)
                self._answered(self._opener.open(self.address + form.action, urlencode(sent).encode()))
                return
        raise AssertionError(f"no form {action} {given} on {self.at}")


def over_http(script: Script, folder: Path, address: str, key: str) -> Played:
    """Pages and their forms, without a browser."""
    visitor = Visitor(address, key, script.language)
    visitor.get(f"/ticket/{script.ticket}")
    visitor.submit("/open", [("ticket", script.ticket), ("seed", str(SEED))])
    base = visitor.at.rpartition("/")[0]
    for step in script.steps:
        page, form, given = _as_form(step)
        visitor.get(f"{base}/{page}")
        visitor.submit(form, given)
    return Played((folder / f"{base.rpartition('/')[2]}.jsonl").read_bytes(), unescape(visitor.page))


def _as_form(step: Step) -> tuple[str, str, list[tuple[str, str]]]:
    """The page on which a step is done, the form, and what is filled in."""
    action = step.first
    given: dict[str, list[tuple[str, str]]] = {
        "ask": [("question", action.get("question", ""))],
        "think": [("text", action.get("text", ""))],
        "log": [("look", action.get("id", "")), ("host", action.get("host", "")), ("back", "logs")],
        "look": [("look", action.get("id", "")), ("host", action.get("host", ""))],
        "pin": [("pin", f"{action.get('of')}-{action.get('line')}")],
        "unpin": [("unpin", f"{action.get('of')}-{action.get('line')}")],
        "follow": [("for", action.get("for", ""))],
        "wait": [("for", action.get("for", ""))],
        "hint": [],
        "diagnose": [
            *(("cause", cause) for cause in action.get("causes", ())),
            *(("evidence", name) for name in action.get("evidence", ())),
            ("confidence", str(action.get("confidence", ""))),
        ],
        "act": [("action", action.get("id", "")), ("site", action.get("site", ""))],
        "escalate": [("team", action.get("team", "")), *(("evidence", name) for name in action.get("evidence", ()))],
        "verify": [],
        "note": [("text", action.get("text", ""))],
        "close": [("resolution", action.get("resolution", ""))],
    }
    pages = {"ask": "ticket", "think": "check", "log": "logs", "look": "look", "pin": "logs", "unpin": "logs", "follow": "logs"}
    more = {"wait": "logs", "hint": "look", "diagnose": "check", "act": f"act/{action.get('id')}", "close": "close"}
    page = {**pages, **more}.get(step.kind, "mend")
    deed = {"log": "look", "unpin": "pin"}.get(step.kind, step.kind)
    return page, f"/do/{deed}", given[step.kind]


# --- the browser


def chromium() -> str | None:
    """Where Chromium is; ``None`` when there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def in_browser(script: Script, folder: Path, page: Any, address: str) -> Played:
    """Clicks in a real browser with JavaScript. ``page`` has come in already."""
    page.context.add_cookies([{"name": "wsyncsim_language", "value": script.language, "url": address}])
    page.goto(f"{address}/ticket/{script.ticket}")
    page.fill("#seed", str(SEED))
    with page.expect_navigation():
        page.click("main button.main")
    base = page.url.rpartition("/")[0]
    path = folder / f"{base.rpartition('/')[2]}.jsonl"
    lines = 1
    for step in script.steps:
        name, form, given = _as_form(step)
        page.goto(f"{base}/{name}")
        lines += len(step.actions)
        if step.kind in LIVE:
            page.evaluate("window.stays = true")
            _fill_in(page, form, given)
            _settled(page, path, lines)
            if not page.evaluate("window.stays === true"):
                raise AssertionError(f"{script.ticket}, {step.kind}: the page was loaded anew")
        else:
            with page.expect_navigation():
                _fill_in(page, form, given)
    return Played(path.read_bytes(), page.inner_text("h1"))


def _fill_in(page: Any, form: str, given: Sequence[tuple[str, str]]) -> None:
    """Fill a form in and send it with its own button."""
    wanted = f'form[action$="{form}"]'
    for name, value in given:
        if name in ("look", "action", "ticket"):
            wanted += f':has(input[type=hidden][name={name}][value="{value}"])'
    if form == "/do/look" and ("back", "logs") in given:
        host = dict(given)["host"]
        wanted += f':has(input[name=back][value=logs]):has(input[name=host][value="{host}"])'
    button = "button"
    causes = 0
    for name, value in given:
        found = page.locator(f'{wanted} [name="{name}"]:not([type=hidden])').first
        if not found.count():
            continue
        _uncover(found)
        kind = found.evaluate("each => each.type")
        if kind == "submit":
            button = f'button[name="{name}"][value="{value}"]'
        elif kind in ("checkbox", "radio"):
            page.check(f'{wanted} [name="{name}"][value="{value}"]')
        elif kind == "select-one":
            page.select_option(f'{wanted} select[name="{name}"] >> nth={causes if name == "cause" else 0}', value)
            causes += name == "cause"
        else:
            found.fill(value)
    target = page.locator(f"{wanted} {button}").first
    _uncover(target)
    target.click()


def _uncover(found: Any) -> None:
    """Open what an element is folded into."""
    found.evaluate("""each => { for (let box = each.closest('details'); box; box = box.parentElement.closest('details'))
        if (!box.open) box.querySelector('summary').click(); }""")


def _settled(page: Any, path: Path, lines: int) -> None:
    """Wait until the session's file has so many lines, and the page shows what came of it."""
    until = time.monotonic() + PATIENCE_S
    while path.read_bytes().count(b"\n") < lines:
        if time.monotonic() > until:
            raise AssertionError(f"nothing came of it: {page.url}")
        page.wait_for_timeout(10)
    page.wait_for_selector("#desk:not([aria-busy])")


@contextmanager
def browser(executable: str | None = None) -> Iterator[Any]:
    """A headless Chromium with an empty profile."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=executable or chromium(), args=list(CHROMIUM))
        try:
            yield found
        finally:
            found.close()


def play_all(folder: Path, chromium: Any) -> list[str]:
    """Every script through every skin; returns what is not the same."""
    found = []
    for ticket, language in TICKETS:
        script = write_script(ticket, language)
        played = {"terminal": in_terminal(script, folder / f"terminal-{ticket}")}
        with served(folder / f"http-{ticket}") as (address, key):
            played["http"] = over_http(script, folder / f"http-{ticket}", address, key)
        with served(folder / f"browser-{ticket}") as (address, key):
            page = chromium.new_page()
            page.goto(f"{address}/?key={key}")
            played["browser"] = in_browser(script, folder / f"browser-{ticket}", page, address)
            page.close()
        different = differences(script, folder, played)
        size = f"{len(script.steps)} steps, {len(played['terminal'].file)} bytes"
        print(
            f"skins, ticket {ticket} ({language}): {size}, {'not the same' if different else 'the same'} in {', '.join(played)}",
            *different,
            sep="\n",
        )
        found += different
    return found


def session_of(page: Any, folder: Path) -> LabSession:
    """What the file of the session on a page says now."""
    return lab.resume(folder / f"{page.url.split('/s/')[1].split('/')[0]}.jsonl")
