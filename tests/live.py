"""Live runs for tests: as fast as it goes, with small files, and no more waiting than asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scenarios.catalogue import find
from scenarios.live import Live, LiveOptions
from scenarios.story import Changes, Story

BRISK = LiveOptions(speed=None, max_rotations_per_s=1000, calm_s=0)


def story(name: str = "S16", *, hours: int | None = 10, generation: Any = None, seed: int | None = None) -> Story:
    return find(name, Changes(hours=hours, generation=generation, seed=seed))


def live(out: Path, played: Story | None = None, options: LiveOptions = BRISK, **how: Any) -> Live:
    return Live(played or story(), out, tool_version="test", options=options, **how)


def files(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by relative path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def notes(truth: Path, kind: str = "") -> list[dict[str, Any]]:
    """Lines of a truth file (of one kind)."""
    found = [json.loads(line) for line in truth.read_bytes().splitlines()]
    return [note for note in found if kind in ("", note["kind"])]
