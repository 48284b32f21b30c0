"""Reduces what a tool gets wrong: first the story that leads to it, then the records of the file.

The measure is always the same: the tool's records differ from the truth at the level at which they differed at first, in a log of
the same kind. Delta debugging (Zeller's ddmin) takes out timeline steps and records; hours and estate are tried from the
smallest on. What is left is 1-minimal if time allows: without any one of its records the tool reads the file as it should.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeVar

from scenarios.story import Step, Story
from simulator.errors import EstateError, WsyncsimError
from simulator.estate import ESTATES
from simulator.units import HOUR
from wsyncsim.suite.case import EXPECTED_SCHEMA, Case
from wsyncsim.suite.play import Player, scratch
from wsyncsim.suite.runs import RunFile, expectation, run_files
from wsyncsim.suite.score import RECORD_LEVELS, Level, score
from wsyncsim.suite.write import expected_json
from wsyncsim.words import word

Item = TypeVar("Item")
Tell = Callable[[str], None]
_PLACES: Final = ("line", "line_end", "byte_start", "byte_end")
_TELL_EVERY_S: Final = 2.0


class OutOfTime(Exception):
    """The time that was allowed is over."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file: bytes with their line end, and the record in them, if they hold one."""

    data: bytes
    record: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The shortest that was found."""

    story: Story
    file: RunFile
    """The log of the shortened story that the tool gets wrong."""
    data: bytes
    """What is left of it."""
    records: tuple[dict[str, Any], ...]
    level: Level
    reason: str
    finished: bool
    """False when time ran out before it was certain that nothing can be taken out."""

    def write(self, folder: Path) -> None:
        """``story.toml``, the log and its ``.expected.json``, into a new folder. Raises ``WsyncsimError``."""
        check_folder(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "story.toml").write_bytes(self.story.to_toml().encode())
            (folder / self.file.name).write_bytes(self.data)
            expected = {**expectation(self.file.name, self.records), "schema": EXPECTED_SCHEMA}
            (folder / f"{self.file.name}.expected.json").write_bytes(expected_json(expected))
            told = {"level": self.level, "reason": self.reason, "path": self.file.path, "finished": self.finished}
            (folder / "failure.json").write_bytes((json.dumps(told, ensure_ascii=False, indent=2) + "\n").encode())
        except OSError as error:
            raise WsyncsimError(f"cannot be written: {error.strerror or error}", where=str(folder)) from None


def check_folder(folder: Path) -> None:
    """Raises ``WsyncsimError`` unless the folder is new or empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WsyncsimError("it exists already", where=str(folder), hint="Choose another folder with --out")


def ddmin(items: Sequence[Item], fails: Callable[[list[Item]], bool]) -> Iterator[list[Item]]:
    """Ever shorter lists that still fail; the last one is 1-minimal. ``items`` themselves fail."""
    left = list(items)
    parts = 2
    while left:
        size = max(1, len(left) // parts)
        chunks = [left[start : start + size] for start in range(0, len(left), size)]
        for number, chunk in enumerate(chunks):
            rest = [item for other, each in enumerate(chunks) if other != number for item in each]
            if len(chunk) < len(left) and fails(chunk):
                left, parts = chunk, 2
            elif fails(rest):
                left, parts = rest, max(parts - 1, 2)
            else:
                continue
            yield left
            break
        else:
            if size == 1:
                return
            parts = min(len(left), parts * 2)


def pieces(file: RunFile) -> list[Piece]:
    """A file, cut behind the line end of every record; what stands before a record is a piece of its own."""
    found = []
    position = 0
    for record in file.records:
        if record["byte_start"] > position:
            found.append(Piece(file.data[position : record["byte_start"]], None))
        newline = file.data.find(b"\n", record["byte_end"])
        end = len(file.data) if newline < 0 else newline + 1
        found.append(Piece(file.data[record["byte_start"] : end], record))
        position = end
    if position < len(file.data):
        found.append(Piece(file.data[position:], None))
    return found


def joined(parts: Sequence[Piece]) -> tuple[bytes, tuple[dict[str, Any], ...]]:
    """A file of these pieces, and its records where they are now."""
    data = bytearray()
    line = 1
    records = []
    for part in parts:
        if part.record is not None:
            lines = part.record["line_end"] - part.record["line"]
            length = part.record["byte_end"] - part.record["byte_start"]
            place = (line, line + lines, len(data), len(data) + length)
            records.append({**part.record, **dict(zip(_PLACES, place, strict=True))})
        data += part.data
        line += part.data.count(b"\n")
    return bytes(data), tuple(records)


class Shrinker:
    """Looks for the shortest log that a tool gets wrong."""

    def __init__(self, player: Player, level: str | None, seconds: float, tell: Tell, language: str, logs: str = "*") -> None:
        """``level`` limits what counts as wrong, ``logs`` (a pattern) the names of files; ``tell`` hears about progress."""
        self._player = player
        self._levels = [each for each in RECORD_LEVELS if level in (None, each)]
        self._seconds = seconds
        self._tell = tell
        self._language = language
        self._logs = logs.lower()
        self._until = 0.0
        self._told_at = 0.0
        self._story: Story | None = None
        self._numbers = count()
        self._folder = Path()

    def shrink(self, story: Story) -> Shrunk | None:
        """The shortest that is found in the time allowed; ``None`` if the tool reads everything as it was written."""
        self._story = story
        with scratch() as self._folder:
            first = self._first(story)
            if first is None:
                return None
            file, level, reason = first
            self._until = time.monotonic() + self._seconds
            self._say("found", len(file.records), story, always=True)
            finished = True
            best = (story, file)
            try:
                for best in self._stories(story, file, level):
                    self._say("shrinking story", len(best[1].records), best[0])
            except OutOfTime:
                finished = False
            story, file = best
            parts = pieces(file)
            try:
                for fewer in ddmin(parts, lambda some: self._file_fails(file, some, level)):
                    parts = fewer
                    self._say("shrinking file", sum(part.record is not None for part in parts), story)
            except OutOfTime:
                finished = False
            data, records = joined(parts)
            reason = self._reason(file, data, records, level) or reason
        return Shrunk(story, file, data, records, level, reason, finished)

    def _say(self, what: str, records: int, story: Story, *, always: bool = False) -> None:
        now = time.monotonic()
        if always or now - self._told_at > _TELL_EVERY_S:
            self._told_at = now
            values = {"what": word("suite", what, self._language), "count": records, "hours": story.hours}
            self._tell(word("suite", "trying", self._language, {**values, "steps": len(story.timeline)}))

    def _first(self, story: Story) -> tuple[RunFile, Level, str] | None:
        """The shortest file that the tool gets wrong, and the first level of it."""
        files = [file for file in run_files(story) if fnmatchcase(file.name.lower(), self._logs)]
        if not files:
            raise WsyncsimError(f"this story writes no log {self._logs!r}", where="--log", hint="For example --log wsyncmgr.log")
        for file in sorted(files, key=lambda each: (len(each.data), each.path)):
            reasons = self._reasons(file, file.data, file.records)
            for level in self._levels:
                if level in reasons:
                    return file, level, reasons[level]
        return None

    def _reason(self, file: RunFile, data: bytes, records: Sequence[dict[str, Any]], level: Level) -> str:
        """Why the tool misses a level in a file; empty if it does not, or says nothing about it."""
        return self._reasons(file, data, records).get(level, "")

    def _reasons(self, file: RunFile, data: bytes, records: Sequence[dict[str, Any]]) -> dict[Level, str]:
        """Levels that the tool misses in a file, and why. When it finds other records, nothing else can be said."""
        case = Case(
            id=f"y_{next(self._numbers)}",
            format=file.format,
            encoding=file.encoding,
            why="",
            evidence="",
            tags=(),
            since="",
            data=data,
            expected=expectation(file.name, list(records)),
            origin="run",
        )
        scored = score([self._player.one(case, self._folder)])
        (self._folder / f"{case.id}.log").unlink(missing_ok=True)
        reasons = scored.cases[0].reasons
        if "frame" in reasons:
            return {"frame": reasons["frame"]}
        return {level: reason for level, reason in reasons.items() if scored.shares[level].offered}

    def _in_time(self) -> None:
        if time.monotonic() >= self._until:
            raise OutOfTime

    def _file_fails(self, file: RunFile, parts: Sequence[Piece], level: Level) -> bool:
        self._in_time()
        data, records = joined(parts)
        return bool(records) and bool(self._reason(file, data, records, level))

    # --- the story

    def _stories(self, story: Story, file: RunFile, level: Level) -> Iterator[tuple[Story, RunFile]]:
        """Ever smaller stories, each with the file that still fails."""

        def failing(candidate: Story) -> RunFile | None:
            self._in_time()
            try:
                found = run_files(candidate)
            except EstateError:
                return None
            alike = [each for each in found if each.name == file.name or (each.format, file.format) == ("w3c", "w3c")]
            return next((each for each in alike if self._reason(each, each.data, each.records, level)), None)

        for shorter in (smaller_estates, fewer_hours, partial(fewer_steps, failing=failing), fewer_hours):
            for candidate in shorter(story):
                found = failing(candidate)
                if found is not None:
                    story, file = candidate, found
                    yield story, file
                    break


def smaller_estates(story: Story) -> Iterator[Story]:
    """The same story in smaller estates: the smallest built-in ones, then its own without sites below the top."""
    named = {step.site for step in story.timeline}
    for estate in sorted(ESTATES.values(), key=lambda each: len(each.sites)):
        smaller = len(estate.sites) < len(story.estate.sites)
        if smaller and named <= {site.code for site in estate.sites} and estate.top.code == story.estate.top.code:
            yield replace(story, estate=replace(estate, timezone=story.estate.timezone))
    top = story.estate.top
    if len(story.estate.sites) > 1 and named <= {top.code}:
        yield replace(story, estate=replace(story.estate, sites=(top,)))


def fewer_hours(story: Story) -> Iterator[Story]:
    """From one hour on."""
    for hours in sorted({*(2**power for power in range(14)), *range(1, min(story.hours, 24))}):
        if hours < story.hours:
            yield replace(story, hours=hours, timeline=tuple(step for step in story.timeline if step.at < hours * HOUR))


def fewer_steps(story: Story, failing: Callable[[Story], RunFile | None]) -> Iterator[Story]:
    """The fewest steps of the timeline with which the tool fails."""

    def with_steps(steps: Sequence[Step]) -> Story:
        return replace(story, timeline=tuple(steps))

    if not story.timeline:
        return
    if failing(with_steps(())) is not None:
        yield with_steps(())
        return
    *_, fewest = [list(story.timeline), *ddmin(story.timeline, lambda steps: failing(with_steps(steps)) is not None)]
    if len(fewest) < len(story.timeline):
        yield with_steps(fewest)
