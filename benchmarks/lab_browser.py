"""The browser lab in a real browser: three tickets solved by keyboard alone, every screen looked at, three skins compared.

    python -m benchmarks.lab_browser                                    # needs Playwright and Chromium
    python -m benchmarks.lab_browser --axe axe.min.js                   # and axe-core: accessibility of every screen
    python -m benchmarks.lab_browser --shots folder                     # screenshots
    python -m benchmarks.lab_browser --skins                            # only the comparison of the skins

All is done with JavaScript and without. Each screen is looked at 1280 and 360 pixels wide, light and dark (without JavaScript,
where they look the same, only wide and light, and narrow and dark). Reported are messages on the console, requests to other
hosts, answers of 400 and more, screens that are wider than the window, what axe finds, and where a script of actions leaves
another file or mark in the terminal, over HTTP without a browser, or in the browser with JavaScript (see ``lab_skins``); the exit
code is 1 if there is anything. The script knows what is wrong (it asks the solver); what is tried is whether the pages let
somebody do it without a mouse.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.lab_skins import SEED, TICKETS, browser, play_all, served, session_of
from wsyncsim.lab.diagnosis import best_way, owners, right_steps
from wsyncsim.lab.session import LabSession, code
from wsyncsim.lab.ticket import true_causes

NARROW = 360
VARIANTS = ((1280, 860, "light"), (1280, 860, "dark"), (NARROW, 740, "light"), (NARROW, 740, "dark"))
MOST_TABS = 600
SCREENS = (
    "ticket",
    "look",
    "logs",
    "logs?severity=error&highlight=WSUS",
    "logs?find=sync&at=2",
    "logs?code=0x80072EE7",
    "check",
    "check?left=1",
    "mend",
    "close",
    "debrief",
    "e/1",
    "e/3",
)
IN_SIGHT = """() => { const row = document.querySelector('tr.at').getBoundingClientRect();
  const box = document.getElementById('log').getBoundingClientRect();
  return row.top >= Math.max(box.top, 0) - 1 && row.top < Math.min(box.bottom, innerHeight); }"""
"""Whether the hit that is meant can be seen; the page may still be scrolling there."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = """axe.run(document, {runOnly: %s}).then(found => JSON.stringify(found.violations.map(
  each => each.id + ": " + each.nodes.map(node => node.html.slice(0, 120)).slice(0, 3).join(" | "))))"""


class Keyboard:
    """Somebody without a mouse."""

    def __init__(self, page: Any, folder: Path, *, scripts: bool) -> None:
        self.page = page
        self.folder = folder
        self.scripts = scripts
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
        """Tab to a link or button and press Enter; where the page stays, so does the focus."""
        self.to(selector)
        if not self.scripts or not self.page.evaluate("() => Boolean(document.activeElement.form?.hasAttribute('hx-post'))"):
            with self.page.expect_navigation():
                self.press("Enter")
            return
        with self.page.expect_response(lambda answer: answer.request.method == "GET"):
            self.press("Enter")
        self.page.wait_for_selector("#desk:not([aria-busy])")

    def step(self, name: str) -> None:
        self.follow(f'.steps a[href$="/{name}"]')

    def session(self) -> LabSession:
        """What the file of the session says now."""
        return session_of(self.page, self.folder)

    def look(self, id: str, host: str) -> None:
        self.step("look")
        self.follow(f'form:has(input[name=look][value="{id}"]) button[value="{host}"]')

    def evidence(self, count: int) -> None:
        """Tick the last ones."""
        last = len(self.session().sights)
        for number in range(last - count + 1, last + 1):
            self.to(f'main input[name=evidence][value="e{number}"]')
            self.press("Space")

    def solve(self, ticket: str) -> int:
        """Work on a ticket from the list to the debrief; returns the mark."""
        self.follow(f'a[href="/ticket/{ticket}"]')
        self.to("#seed")
        self.page.keyboard.type(str(SEED))
        self.follow("button.main")
        self.follow('button[name=question][value="who"]')
        self.read_a_log()
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

    def read_a_log(self) -> None:
        """Open two logs, find something in them, pin it, follow."""
        self.step("logs")
        for log in ("L21", "L20"):
            if not self.page.evaluate("document.querySelector('details:has(.openlogs)').open"):
                self.to("details:has(.openlogs) > summary")
                self.press("Enter")
            self.follow(f'form:has(input[name=look][value="{log}"]) button')
            if self.page.evaluate("document.querySelector('details:has(.openlogs)').open"):
                raise AssertionError(f"{self.page.url}: the list of logs stays open above the log")
        self.to("#f-find")
        self.page.keyboard.type("sync")
        if self.scripts:
            self.page.wait_for_selector("tr.at")
        else:
            with self.page.expect_navigation():
                self.press("Enter")
        at = self.page.locator("tr.at").get_attribute("id")
        if self.scripts and not self.page.evaluate("() => document.activeElement.matches('#f-find')"):
            raise AssertionError(f"{self.page.url}: finding takes the focus away")
        self.follow("[data-key=next]")
        self.in_sight()
        self.follow("[data-key=previous]")
        self.in_sight()
        self.to(f'[id="{at}"] summary')
        self.press("Enter")
        self.follow(f'button[name=pin][value="{at}"]')
        self.follow('form[action$="/do/follow"] button[value="5m"]')

    def in_sight(self) -> None:
        """The hit that is meant stands inside the log's box, and inside the window."""
        self.page.wait_for_function(IN_SIGHT, timeout=5_000)

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

    def __init__(self, page: Any, axe: str, shots: Path | None, *, scripts: bool) -> None:
        self.page = page
        self.scripts = scripts
        self.variants = VARIANTS if scripts else VARIANTS[::3]
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
        if not self.scripts and self.page.evaluate("typeof htmx !== 'undefined'"):
            self.found.append(f"{name}: scripts run")
        world = self.world() if self.axe else None
        for width, height, scheme in self.variants:
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.emulate_media(color_scheme=scheme)
            self.screens += 1
            where = f"{name}, {width} px, {scheme}"
            if self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                self.found.append(f"{where}: wider than the window")
            if world:
                self.found += [f"{where}: {each}" for each in self.violations(*world)]
            if self.shots is not None:
                file = "".join(letter if letter.isalnum() else "-" for letter in f"{name} {width} {scheme}")
                self.page.screenshot(path=str(self.shots / f"{file}.png"), full_page=width == NARROW)
        if world:
            self.let_scripts_run(world[0], self.scripts)
            world[0].detach()

    def let_scripts_run(self, cdp: Any, value: bool) -> None:
        """axe needs them; those of the page, which has been loaded, are not run any more. Only a change of the switch counts."""
        if not self.scripts:
            cdp.send("Emulation.setScriptExecutionDisabled", {"value": value})
            cdp.send("Emulation.setScriptExecutionDisabled", {"value": not value})

    def world(self) -> tuple[Any, int]:
        """A world of its own for axe in the page, for the pages allow no foreign script."""
        cdp = self.page.context.new_cdp_session(self.page)
        self.let_scripts_run(cdp, True)
        frame = cdp.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
        world = cdp.send("Page.createIsolatedWorld", {"frameId": frame})["executionContextId"]
        cdp.send("Runtime.evaluate", {"expression": self.axe, "contextId": world})
        return cdp, world

    def violations(self, cdp: Any, world: int) -> list[str]:
        """What axe finds."""
        asked = {"expression": AXE % json.dumps(RULES), "contextId": world, "awaitPromise": True, "returnByValue": True}
        return [str(each) for each in json.loads(cdp.send("Runtime.evaluate", asked)["result"]["value"])]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--axe", type=Path, help="axe.min.js of axe-core")
    parser.add_argument("--shots", type=Path, help="folder for screenshots")
    parser.add_argument("--skins", action="store_true", help="only compare the skins")
    parser.add_argument("--chromium", help="path of the browser (default: the one on the path)")
    given = parser.parse_args()
    if given.shots:
        given.shots.mkdir(parents=True, exist_ok=True)
    axe = given.axe.read_text(encoding="utf-8") if given.axe else ""
    found: list[str] = []
    with browser(given.chromium) as chromium:
        for scripts in () if given.skins else (True, False):
            found += look_at_all(chromium, axe, given.shots if scripts else None, scripts=scripts)
        found += compare_skins(chromium)
    print(f"{len(found)} findings")
    return 1 if found else 0


def compare_skins(chromium: Any) -> list[str]:
    """The same script of actions through terminal, HTTP and browser."""
    with tempfile.TemporaryDirectory() as name:
        return play_all(Path(name), chromium)


def look_at_all(chromium: Any, axe: str, shots: Path | None, *, scripts: bool) -> list[str]:
    """Solve tickets by keyboard, then look at every screen."""
    how = f"JavaScript {'on' if scripts else 'off'}"
    with tempfile.TemporaryDirectory() as name, served(Path(name)) as (address, key):
        page: Any = chromium.new_page(viewport={"width": 1280, "height": 860}, java_script_enabled=scripts)
        looker = Looker(page, axe, shots, scripts=scripts)
        page.on("console", lambda said: looker.found.append(f"console: {said.text}"))
        page.on("pageerror", lambda error: looker.found.append(f"error: {error}"))
        page.on("request", lambda request: looker.asked(request.url, address))
        page.on("response", lambda answer: looker.answered(answer.status, answer.url))
        page.goto(f"{address}/?key={key}")
        looker.look("home")
        for ticket, language in TICKETS:
            page.set_viewport_size({"width": 1280, "height": 860})
            page.context.add_cookies([{"name": "wsyncsim_language", "value": language, "url": address}])
            page.goto(address)
            keyboard = Keyboard(page, Path(name), scripts=scripts)
            mark = keyboard.solve(ticket)
            print(f"ticket {ticket} ({language}), {how}: {mark} points, {keyboard.pressed} keys")
            base = page.url.rsplit("/", 1)[0]
            page.goto(f"{address}/ticket/{ticket}")
            looker.look(f"options {ticket}")
            fork = keyboard_fork(page, base)
            for at in (fork, base):
                for screen in SCREENS:
                    if at == base or screen != "debrief":
                        page.goto(f"{at}/{screen}")
                        looker.look(f"{ticket} {language} {'closed' if at == base else 'open'} {screen}")
        page.close()
    print(f"{how}: {looker.screens} screens{' with axe' if axe else ''}, {len(looker.found)} findings", *looker.found, sep="\n")
    return looker.found


def keyboard_fork(page: Any, base: str) -> str:
    """A session that is not closed, with the looks of a closed one."""
    page.goto(f"{base}/debrief")
    page.locator("form[action$='/do/fork'] button").last.click()
    return str(page.url.split("?")[0].rsplit("/", 1)[0])


if __name__ == "__main__":
    sys.exit(main())
