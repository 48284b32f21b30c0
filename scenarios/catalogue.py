"""Finds stories by name: the packaged ones, the default story of every fault, and files."""

from __future__ import annotations

import re
from pathlib import Path

from scenarios.faults import FAULTS
from scenarios.mistakes import StoryError, did_you_mean
from scenarios.story import AS_WRITTEN, Changes, Story, default_story, load

FOLDER = Path(__file__).parent / "catalogue"


def story_names() -> list[str]:
    """Names of the packaged stories; the healthy days come first."""
    return sorted((path.stem for path in FOLDER.glob("*.toml")), key=lambda name: (not name.startswith("healthy"), name))


def fault_ids() -> list[str]:
    """Ids of all faults, by letter and number; each is also the name of a story."""
    return sorted(FAULTS, key=lambda id: (not id.startswith("S"), id))


def is_file(name: str) -> bool:
    """Whether ``name`` means a file, not a story of the catalogue."""
    return name.lower().endswith(".toml") or re.search(r"[/\\]", name) is not None


def find(name: str, changes: Changes = AS_WRITTEN) -> Story:
    """The story of that name: a packaged one, a fault id in any case, or a TOML file."""
    if is_file(name):
        return load(name, changes)
    if name.upper() in FAULTS:
        return default_story(name.upper(), changes=changes)
    names = story_names()
    if name not in names:
        hint = did_you_mean(name, [*names, *fault_ids()], "`wsyncsim list` shows all; a file's name ends in .toml")
        raise StoryError(f"there is no story and no fault {name!r}", hint=hint)
    return load(FOLDER / f"{name}.toml", changes)
