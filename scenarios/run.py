"""Plays a story into a folder: logs, answer key, manifest; all of it or nothing."""

from __future__ import annotations

import hashlib
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import msgspec

from generators.write import Recorder
from scenarios.chronicle import Chronicle
from scenarios.quiet import quiet_gc
from scenarios.story import Story
from scenarios.truth import AnswerKey, Counts, stamp
from scenarios.whole import work_folder
from simulator.errors import WsyncsimError
from simulator.world import World

MANIFEST = "manifest.json"
SCHEMA = "wsyncsim-run/1"
TWIN_SHARE = 0.25
"""Which part of the work the healthy twin is, about."""
Progress = Callable[[float], None]
"""Told, now and then, which share of the work is done (0 to 1)."""


class OutputError(WsyncsimError):
    """The output folder cannot be used."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run left."""

    out: Path
    manifest: dict[str, Any]
    answer: dict[str, Any] | None
    """The answer key; ``None`` without truth."""
    chronicle: Chronicle
    """What happened, in a few lines."""


def play(
    story: Story,
    out: Path,
    *,
    truth: bool = True,
    force: bool = False,
    tool_version: str,
    decorated: dict[str, Any] | None = None,
    progress: Progress = lambda _share: None,
) -> Outcome:
    """Play a story and write ``out``: ``logs/``, ``truth/`` and ``manifest.json``.

    Everything is written beside ``out`` first and moved there at the end, so an interrupted run leaves nothing. An existing
    folder is replaced only with ``force``, and only if it is an earlier run's and nothing else lies in it. ``decorated`` is
    recorded in the manifest. Raises ``OutputError``.
    """
    try:
        out = (Path.cwd() / out).resolve()
        _check_target(out, force=force)
        out.parent.mkdir(parents=True, exist_ok=True)
        work = work_folder(out)
    except OSError as error:
        raise _unwritable(error, out) from None
    try:
        outcome = _play_into(story, work, truth=truth, tool_version=tool_version, decorated=decorated, progress=progress)
        _move(work, out, force=force)
    except OSError as error:
        raise _unwritable(error, out) from None
    finally:
        with _undisturbed():
            shutil.rmtree(work, ignore_errors=True)
    return Outcome(out, *outcome)


def _check_target(out: Path, *, force: bool) -> None:
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not force:
        raise OutputError("it exists already", where=str(out), hint="Choose another folder with --out, or replace it with --force")
    hint = "Choose another folder with --out"
    try:
        manifest = msgspec.json.decode((out / MANIFEST).read_bytes())
        ours = manifest["schema"] == SCHEMA
        written = {MANIFEST, *manifest["files"]}
    except (OSError, msgspec.DecodeError, TypeError, KeyError):
        ours = False
    if not ours:
        raise OutputError("it is not the output of an earlier run, so it is not replaced", where=str(out), hint=hint)
    others = sorted(path for path in _files_below(out) if path not in written)
    if others:
        raise OutputError(
            f"it holds files that wsyncsim did not write, so it is not replaced: {', '.join(others[:3])}", where=str(out), hint=hint
        )


def _files_below(folder: Path) -> list[str]:
    """All files, as sorted relative paths with forward slashes."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def _unwritable(error: OSError, out: Path) -> OutputError:
    return OutputError(
        f"cannot be written: {error.strerror or error}", where=str(out), hint="Nothing was changed; choose another place with --out"
    )


def _move(work: Path, out: Path, *, force: bool) -> None:
    """Put the finished folder in its place, looking again at what is there by now; a replaced run disappears only then."""
    _check_target(out, force=force)
    if not out.exists():
        work.replace(out)
        return
    if not any(out.iterdir()):  # somebody may stand in it, or it may be a mount point: fill it
        for item in sorted(work.iterdir()):
            item.replace(out / item.name)
        return
    old = work.with_suffix(".old")
    out.replace(old)
    try:
        _check_target(old, force=True)
        work.replace(out)
    except BaseException:
        if not out.exists():
            old.replace(out)
        raise
    with _undisturbed():
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """While something is cleaned up, nobody interrupts."""
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
    before = {}
    with suppress(ValueError):  # not the main thread
        before = {name: signal.signal(getattr(signal, name), signal.SIG_IGN) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _play_into(
    story: Story,
    work: Path,
    *,
    truth: bool,
    tool_version: str,
    decorated: dict[str, Any] | None,
    progress: Progress,
) -> tuple[dict[str, Any], dict[str, Any] | None, Chronicle]:
    answer: dict[str, Any] | None = None
    chronicle = Chronicle()
    with quiet_gc(len(story.estate.sites)):
        twin_share = TWIN_SHARE if truth and story.faults else 0.0
        healthy = _count(story.without_faults().build(), lambda share: progress(share * twin_share)) if twin_share else None
        world = story.build()
        key = AnswerKey(work / "truth") if truth else None
        try:
            with Recorder(world.estate, world.version, work, os_language=story.os_language, truth=truth) as recorder:
                for entries in world.slices():
                    chronicle.read(entries)
                    recorder.record(key.watch(entries) if key is not None else entries)
                    progress(twin_share + (1 - twin_share) * _done(world))
            if key is not None:
                answer = key.finish(healthy, story=_about(story))
                (work / "truth" / "story.toml").write_bytes(story.to_toml().encode())
        finally:
            if key is not None:
                key.close()
    manifest = {
        "schema": SCHEMA,
        "wsyncsim": tool_version,
        "time_zone_data": installed("tzdata"),
        **_about(story),
        "decorated": decorated,
        "files": _files(work, {path: summary.lines for path, summary in recorder.summary().items()}),
    }
    (work / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    return manifest, answer, chronicle


def _done(world: World) -> float:
    return (world.now - world.start) / (world.end - world.start)


def _count(world: World, progress: Progress) -> Counts:
    """How often everything happens when nothing breaks."""
    key = AnswerKey(None)
    for entries in world.slices():
        for _ in key.watch(entries):
            pass
        progress(_done(world))
    return key.counts


def _about(story: Story) -> dict[str, Any]:
    """What was played; the whole of it is in ``truth/story.toml``."""
    return {
        "name": story.name,
        "title": story.title._asdict(),
        "story_sha256": story.sha256,
        "generation": story.generation,
        "os_language": story.os_language,
        "timezone": story.timezone,
        "start": story.start.isoformat(),
        "start_utc": stamp(story.start_at),
        "hours": story.hours,
        "seed": story.seed,
        "estate": {
            "name": story.estate.name,
            "domain": story.estate.domain,
            "sites": [
                {
                    "code": site.code,
                    "parent": site.parent,
                    "server": site.server,
                    "sup": site.sup,
                    "further_sups": list(site.further_sups),
                    "old_wsus": site.old_wsus,
                }
                for site in story.estate.sites
            ],
        },
    }


def _files(work: Path, lines: dict[str, int]) -> dict[str, dict[str, Any]]:
    """Every file below ``logs`` and ``truth``: size, SHA-256, and lines where they are counted."""
    files = {}
    for name in _files_below(work):
        path = work / name
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        files[name] = {"bytes": path.stat().st_size, "sha256": digest}
        if name in lines:
            files[name]["lines"] = lines[name]
    return files
