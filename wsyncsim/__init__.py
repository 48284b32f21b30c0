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

    from scenarios.run import Outcome

__all__ = ["__version__", "play"]


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
