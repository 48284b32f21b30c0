"""A run as one HTML file: everything inline, everything escaped, nothing fetched, readable without its script."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from scenarios.whole import write_whole
from simulator.clock import Zone
from simulator.units import DAY
from wsyncsim._version import __version__
from wsyncsim.run_folder import Json, answer_of, damage_told, truth_of
from wsyncsim.timeline_drawing import GLYPHS, Drawing
from wsyncsim.timeline_reading import Progress, TimelineError, Window, read_tale, window_of
from wsyncsim.words import word

MARK: Final = "made by wsyncsim timeline"
"""Stands near the top of each page, so that an earlier one is known and replaced, and nothing else is."""
MARK_GLYPHS: Final = {
    **GLYPHS,
    "abnormal": "●",
    "warning": "△",
    "note": "◇",
    "fine": "|",
    "fault": "▬",
    "action": "➤",
    "shut": "▨",
}
TIME_FORM: Final = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?|\d{2}:\d{2}(:\d{2})?")


def write_timeline(
    folder: Path,
    out: Path | None,
    *,
    language: str,
    site: str | None = None,
    begin: str | None = None,
    end: str | None = None,
    progress: Progress = lambda _share: None,
) -> Path:
    """Draw the run in ``folder`` as one HTML file and return its path (``out``, or ``<run folder's name>-timeline.html``).

    ``site`` shows one site only; ``begin`` and ``end`` are local times such as ``2026-03-02T08:00``, or ``08:00`` on the
    first day. An earlier timeline is replaced, no other file is. Raises ``WsyncsimError`` for mistakes; nothing is written
    then.
    """
    truth = truth_of(folder)
    with damage_told(folder):
        answer = answer_of(truth)
        started = datetime.fromisoformat(answer["story"]["start"])
    target = _target(folder, out)
    with damage_told(folder):
        window = window_of(
            folder, answer, site.upper() if site is not None else None, _time(begin, "--from", started), _time(end, "--to", started)
        )
        tale, text = read_tale(folder, answer, window, progress)
        page = _page(answer, window, Drawing(tale, text, language), language)
    _write(target, page)
    return target


def _time(text: str | None, option: str, started: datetime) -> Callable[[Zone, int], int] | None:
    """A local time as the user gives it; a time without a date is of the first day."""
    if text is None:
        return None
    wrong = TimelineError(f"{text!r} is not a time", where=option, hint="For example 2026-03-02T08:00, or 08:00 on the first day")
    if not TIME_FORM.fullmatch(text):
        raise wrong
    try:
        local = datetime.fromisoformat(text if "-" in text else f"{started:%Y-%m-%d}T{text}")
    except ValueError:
        raise wrong from None
    return lambda zone, _limit: zone.instant(local)


def _target(folder: Path, out: Path | None) -> Path:
    run = folder.resolve()
    target = (Path.cwd() / (out if out is not None else f"{run.name}-timeline.html")).resolve()
    if target == run or run in target.parents:
        raise TimelineError("a run's folder holds what its manifest lists, and nothing else", where=str(target), hint=_ELSEWHERE)
    if target.is_dir():
        raise TimelineError("it is a folder", where=str(target), hint=_ELSEWHERE)
    if target.exists() and not _ours(target):
        raise TimelineError("it exists already, and is no timeline", where=str(target), hint=_ELSEWHERE)
    return target


_ELSEWHERE: Final = "Choose another file with --out"


def _ours(target: Path) -> bool:
    try:
        with target.open("rb") as page:
            return MARK.encode() in page.read(200)
    except OSError:
        return False


def _write(target: Path, page: str) -> None:
    """The whole page or nothing."""
    try:
        write_whole(target, page.encode("utf-8", "replace"))
    except OSError as error:
        raise TimelineError(
            f"cannot be written: {error.strerror or error}", where=str(target), hint=f"Nothing was changed. {_ELSEWHERE}"
        ) from None


def _page(answer: Json, window: Window, drawing: Drawing, language: str) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("wsyncsim"), autoescape=True, undefined=StrictUndefined, trim_blocks=False, keep_trailing_newline=True
    )
    loader = environment.loader
    assert loader is not None
    style, script = (loader.get_source(environment, f"timeline.{kind}")[0].replace("\r\n", "\n") for kind in ("css", "js"))

    def say(name: str, **values: Any) -> str:
        return word("timeline", name, language, values)

    return environment.get_template("timeline.html.j2").render(
        mark=MARK,
        language=language,
        style=Markup(style),  # noqa: S704 - our own, and part of the package
        script=Markup(script),  # noqa: S704
        style_hash=_hash(style),
        script_hash=_hash(script),
        draw=drawing,
        ticks=drawing.ticks(),
        shifts=drawing.clock_changes(),
        faults=list(drawing.fault_rows()),
        actions=list(drawing.action_rows()),
        glyphs=MARK_GLYPHS,
        say=say,
        because=word("explain", "because", language),
        **_head(answer, window, drawing, language),
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _head(answer: Json, window: Window, drawing: Drawing, language: str) -> dict[str, Any]:
    """What stands above and below the picture."""
    story = answer["story"]
    zone = window.zone
    shown = {"begin": f"{zone.local(window.begin):%Y-%m-%d %H:%M}", "end": f"{zone.local(window.end):%Y-%m-%d %H:%M}"}
    offsets = dict.fromkeys(f"{zone.local(at):%z}" for at in (*range(window.begin, window.end, 7 * DAY), window.end))
    return {
        "title": f"{story['name']}: {story['title'][language]}",
        "about": word("timeline", "about", language, {**story, **shown, "estate": story["estate"]["name"]}),
        "times": word("timeline", "times", language, {"timezone": story["timezone"], "offsets": " → ".join(offsets)}),
        "sum": [
            word("timeline", f"sum_{name}", language, {"count": count})
            for name, count in drawing.counts.items()
            if count or name not in GLYPHS
        ],
        "made": word("timeline", "made", language, {"version": __version__, "sha256": story["story_sha256"][:12]}),
    }
