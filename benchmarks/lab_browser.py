"""The browser lab in a real browser: three tickets solved by keyboard alone, then every screen looked at.

    python -m benchmarks.lab_browser                                    # needs Playwright and Chromium
    python -m benchmarks.lab_browser --axe axe.min.js                   # and axe-core: accessibility of every screen
    python -m benchmarks.lab_browser --shots folder                     # screenshots

Each screen is looked at 1280 and 360 pixels wide, light and dark. Reported are messages on the console, requests to other hosts,
answers of 400 and more, screens that are wider than the window, and what axe finds; the exit code is 1 if there is anything. The
script knows what is wrong (it asks the solver); what is tried is whether the pages let somebody do it without a mouse.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from wsyncsim import lab
from wsyncsim.lab.diagnosis import best_way, owners, right_steps
from wsyncsim.lab.session import LabSession, code
from wsyncsim.lab.ticket import true_causes

TICKETS = (("1058", "en"), ("1009", "de"), ("2030", "en"))
SEED = 7
WIDTHS = ((1280, 860), (360, 740))
MOST_TABS = 600
SCREENS = (
    "ticket",
    "look",
    "logs",
    "logs?severity=error&highlight=WSUS",
    "check",
    "check?left=1",
    "mend",
    "close",
    "debrief",
    "e/1",
)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = """axe.run(document, {runOnly: %s}).then(found => JSON.stringify(found.violations.map(
  each => each.id + ": " + each.nodes.map(node => node.html.slice(0, 120)).slice(0, 3).join(" | "))))"""


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


class Keyboard:
    """Somebody without a mouse."""

    def __init__(self, page: Any, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.pressed = 0

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.pressed += 1

    def to(self, selector: str) -> None:
        """Tab to an element."""
        for _ in range(MOST_TABS):
            self.press("Tab")
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{self.page.url}: the keyboard does not reach {selector}")

    def follow(self, selector: str) -> None:
        """Tab to a link or button and press Enter."""
        self.to(selector)
        with self.page.expect_navigation():
            self.press("Enter")

    def step(self, name: str) -> None:
        self.follow(f'.steps a[href$="/{name}"]')

    def session(self) -> LabSession:
        """What the file of the session says now."""
        return lab.resume(self.folder / f"{self.page.url.split('/s/')[1].split('/')[0]}.jsonl")

    def look(self, id: str, host: str) -> None:
        self.step("look")
        self.follow(f'form:has(input[name=look][value="{id}"]) button[value="{host}"]')

    def evidence(self, count: int) -> None:
        for number in range(1, count + 1):
            self.to(f'main input[name=evidence][value="e{number}"]')
            self.press("Space")

    def solve(self, ticket: str) -> int:
        """Work on a ticket from the list to the debrief; returns the mark."""
        self.follow(f'a[href="/ticket/{ticket}"]')
        self.to("#seed")
        self.page.keyboard.type(str(SEED))
        self.follow("button.main")
        self.follow('button[name=question][value="who"]')
        session = self.session()
        causes = true_causes(session.story)
        for each in best_way(session.variant).steps:
            self.look(each.id, each.host)
        self.diagnose(session, [code("c", cause.id) for cause in causes])
        resolution = self.mend(session)
        self.step("mend")
        self.to("#notetext")
        self.page.keyboard.type("It works again.")
        self.follow("section:has(#notetext) button")
        self.follow('a[href$="/close"]')
        self.to("input[name=resolution]")
        for _ in range(("fixed", "escalated", "wait", "nothing").index(resolution)):
            self.press("ArrowDown")
        if resolution == "fixed":
            self.press("Space")
        self.follow("main button.main")
        return self.session().result().total

    def diagnose(self, session: LabSession, causes: list[str]) -> None:
        self.step("check")
        ids = [cause.id for cause in session.causes()]
        for number, cause in enumerate(causes, 1):
            self.to(f"#cause{number}")
            for _ in range(ids.index(cause) + 1):
                self.press("ArrowDown")
        self.evidence(len(best_way(session.variant).steps))
        self.to("input[name=confidence]")
        self.press("ArrowDown")
        self.press("ArrowDown")
        self.follow("main button.main")

    def mend(self, session: LabSession) -> str:
        causes = [cause for cause in true_causes(session.story) if cause.fault]
        if not causes:
            return "nothing"
        if session.role == "help desk":
            self.step("mend")
            team = next(iter(owners(session.story, causes[0])), "second level")
            self.to("#team")
            for _ in range(session.teams().index(team) + 1):
                self.press("ArrowDown")
            self.evidence(len(best_way(session.variant).steps))
            self.follow("details[open] button.main")
            self.act("R10")
        else:
            for cause in causes:
                for id, _ in right_steps(session.story, cause):
                    self.act(id)
        self.see_success()
        return "escalated" if session.role == "help desk" else "fixed"

    def act(self, id: str) -> None:
        self.step("mend")
        link = f'a[href$="/act/{code("a", id)}"]'
        if not self.page.evaluate("selector => document.querySelector(selector).closest('details').open", link):
            self.to(f"details:has({link}) > summary")
            self.press("Enter")
        self.follow(link)
        self.follow("main button.main")

    def see_success(self) -> None:
        began = self.session().now
        for _ in range(20):
            at = self.session().succeeded_at()
            if at is not None and at > began:
                break
            self.follow('button[name="for"][value="event"]')
        for id, host in self.session().where_success_shows():
            self.look(id, host)
            self.step("mend")
            self.follow('form[action$="/do/verify"] button')
            if self.session().verified():
                return


class Looker:
    """Looks at every screen."""

    def __init__(self, page: Any, axe: str, shots: Path | None) -> None:
        self.page = page
        self.axe = axe
        self.shots = shots
        self.found: list[str] = []
        self.screens = 0

    def asked(self, url: str, address: str) -> None:
        if not url.startswith(address):
            self.found.append(f"elsewhere: {url}")

    def answered(self, status: int, url: str) -> None:
        if status >= 400:
            self.found.append(f"{status}: {url}")

    def look(self, name: str) -> None:
        for width, height in WIDTHS:
            for scheme in ("light", "dark"):
                self.page.set_viewport_size({"width": width, "height": height})
                self.page.emulate_media(color_scheme=scheme)
                self.screens += 1
                where = f"{name}, {width} px, {scheme}"
                if self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                    self.found.append(f"{where}: wider than the window")
                self.found += [f"{where}: {each}" for each in self.violations()]
                if self.shots is not None:
                    file = "".join(letter if letter.isalnum() else "-" for letter in f"{name} {width} {scheme}")
                    self.page.screenshot(path=str(self.shots / f"{file}.png"), full_page=width == WIDTHS[1][0])

    def violations(self) -> list[str]:
        """What axe finds. It runs in a world of its own, for the pages allow no foreign script."""
        if not self.axe:
            return []
        cdp = self.page.context.new_cdp_session(self.page)
        frame = cdp.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
        world = cdp.send("Page.createIsolatedWorld", {"frameId": frame})["executionContextId"]
        cdp.send("Runtime.evaluate", {"expression": self.axe, "contextId": world})
        asked = {"expression": AXE % json.dumps(RULES), "contextId": world, "awaitPromise": True, "returnByValue": True}
        found = json.loads(cdp.send("Runtime.evaluate", asked)["result"]["value"])
        cdp.detach()
        return [str(each) for each in found]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--axe", type=Path, help="axe.min.js of axe-core")
    parser.add_argument("--shots", type=Path, help="folder for screenshots")
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"), help="path of the browser")
    given = parser.parse_args()
    from playwright.sync_api import sync_playwright

    if given.shots:
        given.shots.mkdir(parents=True, exist_ok=True)
    axe = given.axe.read_text(encoding="utf-8") if given.axe else ""
    with tempfile.TemporaryDirectory() as name, served(Path(name)) as (address, key), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=given.chromium, args=["--no-sandbox"])
        page: Any = browser.new_page(viewport={"width": 1280, "height": 860})
        looker = Looker(page, axe, given.shots)
        page.on("console", lambda said: looker.found.append(f"console: {said.text}"))
        page.on("request", lambda request: looker.asked(request.url, address))
        page.on("response", lambda answer: looker.answered(answer.status, answer.url))
        page.goto(f"{address}/?key={key}")
        looker.look("home")
        for ticket, language in TICKETS:
            page.set_viewport_size({"width": 1280, "height": 860})
            page.context.add_cookies([{"name": "wsyncsim_language", "value": language, "url": address}])
            page.goto(address)
            keyboard = Keyboard(page, Path(name))
            mark = keyboard.solve(ticket)
            print(f"ticket {ticket} ({language}): {mark} points, {keyboard.pressed} keys")
            base = page.url.rsplit("/", 1)[0]
            page.goto(f"{address}/ticket/{ticket}")
            looker.look(f"options {ticket}")
            fork = keyboard_fork(page, base)
            for at in (fork, base):
                for screen in SCREENS:
                    if at == base or screen != "debrief":
                        page.goto(f"{at}/{screen}")
                        looker.look(f"{ticket} {language} {'closed' if at == base else 'open'} {screen}")
        browser.close()
    print(f"{looker.screens} screens{' with axe' if axe else ''}: {len(looker.found)} findings")
    for each in looker.found:
        print(each)
    return 1 if looker.found else 0


def keyboard_fork(page: Any, base: str) -> str:
    """A session that is not closed, with the looks of a closed one."""
    page.goto(f"{base}/debrief")
    page.locator("form[action$='/do/fork'] button").last.click()
    return str(page.url.split("?")[0].rsplit("/", 1)[0])


if __name__ == "__main__":
    sys.exit(main())
