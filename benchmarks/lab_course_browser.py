"""A course in a real browser: the code entered and a ticket begun by keyboard alone, then every screen of both roles looked at.

    python -m benchmarks.lab_course_browser --axe axe.min.js --shots folder

What is looked at and reported is that of ``benchmarks.lab_browser``.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from benchmarks.lab_browser import Keyboard, Looker
from wsyncsim.lab import course as courses
from wsyncsim.lab.solver import solve
from wsyncsim.lab_web.classroom import Classroom
from wsyncsim.lab_web.people import Entrance

COURSE = """
id = "c1"
title = "Help desk, week 47"
participants = ["T-001", "T-002", "T-003"]
limit_min = 240
[[slots]]
id = "a"
ticket = "1058"
[[slots]]
id = "b"
ticket = "2030"
[settings.T-002]
language = "de"
hints = true
extra_min = 60
"""


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, Classroom, Entrance]]:
    """A course on a free port, in which T-003 has solved a ticket."""
    import uvicorn

    from wsyncsim.lab_web.course_app import course_app

    (folder / "c1.toml").write_text(COURSE, encoding="utf-8")
    room = Classroom(folder / "c1.toml", courses.new_key(folder / "c1.key"), folder / "c1.sessions")
    solve(courses.open_seat(room.course, room.key, "a", "T-003", room.path("a.T-003")))
    entrance = Entrance(room.codes)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(course_app(room, entrance), log_level="error", lifespan="off"))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", room, entrance
        finally:
            server.should_exit = True
            thread.join(timeout=10)


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
    found: list[str] = []
    screens = 0
    with tempfile.TemporaryDirectory() as name, served(Path(name)) as (address, room, entrance), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=given.chromium, args=["--no-sandbox"])
        for who, language in (("T-001", "en"), ("T-002", "de"), ("T-003", "en"), ("instructor", "en"), ("instructor", "de")):
            page: Any = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
            page.context.add_cookies([{"name": "wsyncsim_language", "value": language, "url": address}])
            looker = Looker(page, axe, given.shots, scripts=True)
            page.on("console", lambda said, looker=looker: looker.found.append(f"console: {said.text}"))
            page.on("request", lambda request, looker=looker: looker.asked(request.url, address))
            page.goto(f"{address}/")
            looker.look(f"entrance {language}")
            keyboard = Keyboard(page, room.folder, scripts=True)
            keyboard.to("#code")
            page.keyboard.type(entrance.instructor_code if who == "instructor" else room.codes()[who])
            with page.expect_navigation():
                page.keyboard.press("Enter")
            _look_around(page, looker, keyboard, who, f"{who} {language}")
            found += looker.found
            screens += looker.screens
            page.context.close()
        browser.close()
    print(f"{screens} screens{' with axe' if axe else ''}: {len(found)} findings")
    for each in found:
        print(each)
    return 1 if found else 0


def _look_around(page: Any, looker: Looker, keyboard: Keyboard, who: str, name: str) -> None:
    address = page.url.split("/", 3)[:3]
    base = "/".join(address)
    if who == "instructor":
        screens = ["board?still=1", "board?sort=stuck&still=1", "mirror/a.T-001?still=1", "mirror/a.T-001/e/1", "mirror/a.T-003"]
    elif who == "T-003":
        screens = ["", "s/a.T-003/ticket", "s/a.T-003/mend", "s/a.T-003/close"]
    else:
        looker.look(f"{name} seats")
        keyboard.follow('form[action="/begin"] button')
        keyboard.step("look")
        keyboard.follow('form:has(input[name=look][value="L20"]) button')
        screens = ["", *(f"s/a.{who}/{each}" for each in ("ticket", "look", "logs", "check", "mend", "close", "e/1"))]
    for screen in screens:
        page.goto(f"{base}/{screen}")
        looker.look(f"{name} {screen}")


if __name__ == "__main__":
    raise SystemExit(main())
