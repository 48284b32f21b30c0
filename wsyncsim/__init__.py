"""wsyncsim: a simulated WSUS/ConfigMgr environment whose logs follow from its state, with a proven answer key.

>>> import wsyncsim
>>> run = wsyncsim.play("S19", out="my-run")
>>> run.answer["root_causes"][0]["entity"]
'CS1SUP/W3SVC'
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsyncsim._version import __version__

if TYPE_CHECKING:
    from os import PathLike

    from scenarios.look import View
    from scenarios.run import Outcome

__all__ = ["__version__", "look", "play", "timeline"]


def _refuse_foreign_layers() -> None:
    """Notice when a user's own folder hides one of our packages; its name would be hard to recognize in what fails then."""
    home = Path(__file__).resolve().parents[1]
    for name in ("simulator", "generators", "scenarios"):
        found = find_spec(name)
        if found is None or found.origin is None or Path(found.origin).resolve().parents[1] != home:
            locations = list(found.submodule_search_locations or []) if found is not None else []
            where = found.origin if found is not None and found.origin else ", ".join(locations) or "nowhere"
            raise ImportError(
                f"wsyncsim's package {name!r} is hidden by another one of that name: {where}\n"
                "Python puts the current folder first. Call 'wsyncsim', or keep that folder out: 'python -P -m wsyncsim', "
                "'python -P -m pytest --import-mode=importlib'; or give your folder another name."
            )


if "pytest" not in sys.modules:  # our plugin must not stop a session that needs nothing of us; the fixtures look then
    _refuse_foreign_layers()


def play(
    story: str | PathLike[str],
    out: str | PathLike[str],
    *,
    seed: int | None = None,
    generation: str | None = None,
    os_language: str | None = None,
    timezone: str | None = None,
    start: str | None = None,
    hours: int | None = None,
    truth: bool = True,
    force: bool = False,
) -> Outcome:
    """Play a story into a folder.

    ``story`` is the name of a packaged story, a fault id, or the path of a TOML file. The other arguments override what the
    story says, as the options of ``wsyncsim run`` do. Returns where the files are, the manifest, and the answer key (``None``
    without ``truth``). Raises ``simulator.errors.WsyncsimError`` for mistakes; nothing is left behind then.
    """
    _refuse_foreign_layers()
    from scenarios import run
    from scenarios.catalogue import find
    from scenarios.story import Changes

    changes: dict[str, Any] = {
        "seed": seed,
        "generation": generation,
        "os_language": os_language,
        "timezone": timezone,
        "start": start,
        "hours": hours,
    }
    return run.play(find(os.fspath(story), Changes(**changes)), Path(out), truth=truth, force=force, tool_version=__version__)


def look(
    run: str | PathLike[str],
    id: str,
    *,
    host: str | None = None,
    site: str | None = None,
    at: str | None = None,
    account: str | None = None,
    target: str | None = None,
    language: str = "en",
) -> View:
    """Look at something in a run, as ``wsyncsim look`` does: what a console, file or command would show.

    ``run`` is a run's folder, a packaged story, a fault id or a story file; ``id`` a look such as ``L45``; ``at`` a time after
    the start (``2h30m``) or a local date and time, by default the end. Raises ``simulator.errors.WsyncsimError`` for mistakes.
    To look at many things, use ``scenarios.lookout.Lookout``.
    """
    from wsyncsim.commands_look import look_once

    return look_once(os.fspath(run), id, host=host, site=site, at=at, account=account, target=target, language=language)


def timeline(
    run_folder: str | PathLike[str],
    out: str | PathLike[str] | None = None,
    *,
    language: str | None = None,
    site: str | None = None,
    begin: str | None = None,
    end: str | None = None,
) -> Path:
    """Draw a run that ``play`` wrote as one HTML file, and return its path.

    ``out`` is the file (default: ``<name of the run folder>-timeline.html`` in the current folder), ``language`` is ``en`` or
    ``de`` (default: ``WSYNCSIM_LANGUAGE``, else ``en``), ``site`` the code of the only site to show, ``begin`` and ``end`` local
    times such as ``2026-03-02T08:00``. Raises ``simulator.errors.WsyncsimError`` for mistakes; nothing is written then.
    """
    from wsyncsim.timeline_page import write_timeline
    from wsyncsim.words import default_language

    return write_timeline(
        Path(run_folder),
        Path(out) if out is not None else None,
        language=language or default_language(),
        site=site,
        begin=begin,
        end=end,
    )
