"""The same script of actions through every skin of the lab gives the same file and the same mark, to the byte."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the extra 'lab' is not installed")
pytest.importorskip("uvicorn", reason="the extra 'lab' is not installed")

from benchmarks.lab_skins import (
    LIVE,
    TICKETS,
    Forms,
    Played,
    browser,
    chromium,
    differences,
    in_browser,
    in_terminal,
    over_http,
    served,
    write_script,
)

GERMAN = next(each for each in TICKETS if each[1] == "de")
_script = cache(write_script)


@pytest.mark.parametrize(("ticket", "language"), TICKETS)
def test_terminal_and_pages_without_javascript_write_the_same(ticket: str, language: str, tmp_path: Path) -> None:
    script = _script(ticket, language)
    assert set(LIVE) - {"hint"} <= {step.kind for step in script.steps}
    web = tmp_path / "web"
    with served(web) as (address, key):
        played = {"http": over_http(script, web, address, key), "terminal": in_terminal(script, tmp_path / "terminal")}
    assert differences(script, tmp_path, played) == []


@pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="Playwright is not installed")
@pytest.mark.skipif(chromium() is None, reason="there is no Chromium on the path")
def test_a_browser_with_javascript_writes_the_same(tmp_path: Path) -> None:
    script = _script(*GERMAN)
    with served(tmp_path / "web") as (address, key), browser() as found:
        page = found.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{address}/?key={key}")
        played = {"browser": in_browser(script, tmp_path / "web", page, address)}
    assert differences(script, tmp_path, played) == []
    assert said == []


def test_a_difference_is_told(tmp_path: Path) -> None:
    script = _script(*GERMAN)
    spoilt = Played(script.expected(tmp_path / "spoilt.jsonl").replace(b'"5m"', b'"6m"'), "another mark")
    told = differences(script, tmp_path, {"terminal": spoilt})
    assert len(told) == 2
    assert '"for":"6m"' in told[0]


def test_what_a_page_does_not_offer_cannot_be_sent() -> None:
    page = '<form method="post" action="/a"><input type="hidden" name="h" value="1"><select name="s"><option value="x"></select>'
    (form,) = Forms(f'{page}<button name="b" value="2"></button><input name="text"></form><input name="late">').found
    assert form.takes("h", "1")
    assert form.takes("s", "x")
    assert form.takes("b", "2")
    assert form.takes("text", "anything")
    assert not form.takes("s", "y")
    assert not form.takes("late", "1")
