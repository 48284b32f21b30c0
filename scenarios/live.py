"""The live environment: a story runs in real or accelerated time, and its logs grow as the product's would.

The world, the writers and so the bytes are those of ``scenarios.run``; what is written when, and how a file is rotated, is
decided here. This is the one place that looks at the clock: to wait, and to say when something was written. Nothing in the
simulation depends on it.

What was written stands in the truth file, outside the folder that is read: one JSON object a line, flushed at once. ``start``
comes first, ``record``, ``header`` and ``rotation`` follow, ``end`` comes last unless the process was killed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import FileIO
from pathlib import Path
from typing import Any, Final

import msgspec

from generators.feed import Deed, Feed, Piece, Roll
from generators.write import Recorder
from scenarios.live_files import ROTATIONS, LiveFiles, Rotation
from scenarios.run import MANIFEST, OutputError
from scenarios.story import Story
from scenarios.truth import stamp
from simulator.clock import Zone
from simulator.dice import Dice
from simulator.errors import WsyncsimError
from simulator.units import MINUTE, SECOND

SCHEMA = "wsyncsim-live/1"
AHEAD_US: Final = 15 * MINUTE
"""How much simulated time is computed at once; it is written later, each record at its time."""
TICK_S: Final = 0.05
"""How long it waits at most before it looks whether it is to stop."""
STATUS_S: Final = 1.0
CATCH_UP: Final = 0.1
"""How fast time that was held back is made up for: this share faster than asked for."""
MAX_ROTATIONS_PER_S: Final = 0.5
CALM_S: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """How a story is written live."""

    speed: float | None = 1.0
    """Simulated seconds per second; ``None`` for as fast as it goes."""
    rotation: Rotation = "rename"
    max_bytes: int | None = None
    """Size at which a site component's log is rotated; ``None`` for the estate's."""
    torn: bool = False
    """Write every record in two halves."""
    max_rotations_per_s: float = MAX_ROTATIONS_PER_S
    """How often one file may be rotated, per second of real time; the world slows down rather than exceed it."""
    calm_s: float = CALM_S
    """How long the world stands still before and after a rotation, in real time, so that a reader that polls notices both."""

    def check(self) -> None:
        """Raise ``WsyncsimError`` for what makes no sense."""
        for name, value, low in (
            ("speed", self.speed, 0.0),
            ("max_rotations_per_s", self.max_rotations_per_s, 0.0),
            ("calm_s", self.calm_s, -1e-9),
        ):
            if value is not None and not low < value < 1e9:
                raise WsyncsimError(f"expected a number above {max(low, 0):g}, found {value:g}", where=name)
        if self.rotation not in ROTATIONS:
            raise WsyncsimError(f"expected one of {', '.join(ROTATIONS)}, found {self.rotation!r}", where="rotation")


@dataclass(slots=True)
class Status:
    """How far a live environment is."""

    state: str = "running"
    """``running``, ``finished`` (the story is over) or ``stopped``."""
    records: int = 0
    bytes: int = 0
    files: int = 0
    rotations: int = 0
    simulated_utc: str = ""
    """Time of the newest record."""
    lag_s: float = 0.0
    """How far the world is behind its schedule, in real seconds; 0 without a speed."""


def next_second(timezone: str) -> tuple[str, float]:
    """The next whole second: as local time of a zone, for ``Changes.start``, and in seconds since the epoch."""
    at_s = int(time.time()) + 1
    return Zone(timezone).local(at_s * SECOND).strftime("%Y-%m-%dT%H:%M:%S"), float(at_s)


class Pace:
    """Which instant is due when."""

    def __init__(self, start: int, speed: float | None, delay_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._start = start
        self._speed = speed
        self._clock = clock
        self._slewed_at = clock()
        self._began = self._slewed_at + delay_s
        self._held_s = 0.0

    def due_in_s(self, at: int) -> float:
        """Seconds until instant ``at`` is due; 0 or less when it is."""
        if self._speed is None:
            return self._began - self._clock()
        return self._behind_s(at) + self._held_s

    def lag_s(self, at: int) -> float:
        """How far the world, now at ``at``, is behind its schedule."""
        return max(0.0, -self._behind_s(at)) if self._speed is not None else 0.0

    def hold(self, seconds: float) -> None:
        """The world stood still for so long; it does not hurry afterwards, it catches up by and by."""
        self._slew()
        self._held_s += seconds

    def _behind_s(self, at: int) -> float:
        assert self._speed is not None
        self._slew()
        return (at - self._start) / SECOND / self._speed - (self._clock() - self._began)

    def _slew(self) -> None:
        now = self._clock()
        self._held_s = max(0.0, self._held_s - CATCH_UP * (now - self._slewed_at))
        self._slewed_at = now


class _Truth:
    """The side channel."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = FileIO(path, "wb")
        self._encode = msgspec.json.Encoder().encode
        self._seq = 0
        self._file_seqs: dict[str, int] = {}

    def note(self, kind: str, **facts: Any) -> None:
        line = memoryview(self._encode({"kind": kind, "seq": self._seq, **facts}) + b"\n")
        self._seq += 1
        while line:
            line = line[self._file.write(line) or 0 :]

    def file_seq(self, path: str) -> int:
        """The next number of a file's records, counted from 1 through all rotations."""
        number = self._file_seqs[path] = self._file_seqs.get(path, 0) + 1
        return number

    def close(self) -> None:
        self._file.close()


class Live:
    """One live environment. ``run`` returns when the story is over or somebody called ``stop`` (from any thread, or a signal).

    ``out`` gets ``manifest.json`` and ``logs/``; ``truth`` lies outside of it (``OUT.truth.jsonl`` beside it by default).
    Raises ``OutputError`` for a folder that holds what is not an earlier live run's, and without ``force`` for any that is not
    empty. ``begin_at_s`` is when the world begins (seconds since the epoch; at once without it); ``tell`` is told the status
    about once a second and must not block.
    """

    def __init__(
        self,
        story: Story,
        out: Path,
        *,
        tool_version: str,
        options: LiveOptions | None = None,
        truth: Path | None = None,
        force: bool = False,
        begin_at_s: float | None = None,
        tell: Callable[[Status], None] = lambda _status: None,
    ) -> None:
        self.options = options or LiveOptions()
        self.options.check()
        if self.options.max_bytes is not None:
            estate = replace(story.estate, log_max_bytes=self.options.max_bytes)
            estate.check()
            story = replace(story, estate=estate)
        self.story = story
        self.out = (Path.cwd() / out).resolve()
        self.truth_path = (Path.cwd() / truth).resolve() if truth else self.out.with_name(f"{self.out.name}.truth.jsonl")
        self.status = Status()
        self._tool_version = tool_version
        self._force = force
        self._begin_at_s = begin_at_s
        self._prepared = False
        self._tell = tell
        self._stopping = False
        self._status_due = 0.0
        self._rolled_at: dict[str, float] = {}

    @property
    def logs(self) -> Path:
        """The folder to point a reader at."""
        return self.out / "logs"

    def stop(self) -> None:
        """Have ``run`` end after the record that is being written.

        A signal may come at any moment, so this takes no lock, as setting a ``threading.Event`` would.
        """
        self._stopping = True

    def run(self) -> Status:
        """Write until the story is over or ``stop`` is called."""
        self.prepare()
        try:
            self._play()
        finally:
            self._truth.close()
        return self.status

    # --- the folder

    def prepare(self) -> None:
        """Make the folder and the truth file; ``run`` does it where nobody has."""
        if self._prepared:
            return
        try:
            self._make_folder()
            self._truth = _Truth(self.truth_path)
        except OSError as error:
            raise OutputError(f"cannot be written: {error.strerror or error}", where=str(error.filename or self.out)) from None
        self._prepared = True

    def _make_folder(self) -> None:
        out, truth = self.out, self.truth_path
        if truth.is_relative_to(out):
            raise OutputError(
                "the truth lies inside the folder that is read", where=str(truth), hint="Choose a place outside of it"
            )
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            self._clear()
        if truth.exists() and not self._force:
            raise OutputError(
                "it exists already", where=str(truth), hint="Choose another file with --truth, or replace it with --force"
            )
        self.logs.mkdir(parents=True, exist_ok=True)
        self._manifest([])

    def _clear(self) -> None:
        """Remove an earlier live run, and only that."""
        hint = "Choose another folder with --out"
        try:
            manifest = msgspec.json.decode((self.out / MANIFEST).read_bytes())
            ours = manifest["schema"] == SCHEMA
            known = {MANIFEST, *manifest["files"]}
        except (OSError, msgspec.DecodeError, TypeError, KeyError):
            ours = False
        if not ours:
            raise OutputError("it is not empty, and not an earlier live run", where=str(self.out), hint=hint)
        if not self._force:
            raise OutputError("it holds an earlier live run", where=str(self.out), hint=f"{hint}, or replace it with --force")
        found = sorted(path.relative_to(self.out).as_posix() for path in self.out.rglob("*") if not path.is_dir())
        others = [path for path in found if path not in known]
        if others:
            what = f"it holds files that wsyncsim did not write, so it is not replaced: {', '.join(others[:3])}"
            raise OutputError(what, where=str(self.out), hint=hint)
        shutil.rmtree(self.logs)

    def _manifest(self, files: list[str]) -> None:
        """What lies in the folder; written anew whenever a file is added."""
        content = {"schema": SCHEMA, "wsyncsim": self._tool_version, **self._about(), "files": files}
        replace_file(self.out / MANIFEST, msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")

    def _about(self) -> dict[str, Any]:
        story = self.story
        return {
            "story": story.name,
            "story_sha256": story.sha256,
            "seed": story.seed,
            "generation": story.generation,
            "os_language": story.os_language,
            "timezone": story.timezone,
            "start": story.start.isoformat(),
            "start_utc": stamp(story.start_at),
            "hours": story.hours,
        }

    # --- the run

    def _play(self) -> None:
        options = self.options
        torn = Dice(self.story.seed).stream("live/torn") if options.torn else None
        self._files = LiveFiles(self.out, options.rotation, torn)
        self._names: dict[str, None] = {}
        how = {name: getattr(options, name) for name in options.__slots__}
        self._truth.note("start", schema=SCHEMA, wsyncsim=self._tool_version, **self._about(), **how, written=_wall())
        feed = Feed()
        world = self.story.build()
        estate, language = world.estate, self.story.os_language
        with Recorder(estate, world.version, None, os_language=language, truth=True, store=feed) as recorder:
            delay_s = self._begin_at_s - time.time() if self._begin_at_s is not None else 0.0
            self._pace = Pace(world.start, options.speed, delay_s)
            while world.now < world.end and not self._stopping:
                recorder.record(world.run_until(min(world.now + AHEAD_US, world.end)))
                recorder.flush()
                self._write_all(feed.take())
        for _, deed in feed.take():  # the last lines of some files
            if isinstance(deed, Piece) and deed.record is None and deed.path in self._files:
                self._append(deed, "")
        self.status.state = "stopped" if self._stopping else "finished"
        self._truth.note("end", records=self.status.records, state=self.status.state, written=_wall())
        self._show()

    def _write_all(self, deeds: Iterator[tuple[str, Deed]]) -> None:
        rolls: dict[str, Roll] = {}
        for utc, deed in deeds:
            at = _instant(utc)
            if not self._wait_for(at):
                return
            if isinstance(deed, Roll):
                rolls[deed.path] = deed
                continue
            roll = rolls.pop(deed.path, None) or self._files.owed(deed.path)
            if roll is not None:
                self._roll(roll, deed, at)
            self._append(deed, utc)

    def _wait_for(self, at: int) -> bool:
        """Wait until instant ``at`` is due; whether to go on."""
        while (due_in_s := self._pace.due_in_s(at)) > 0:
            if self._stopping:
                return False
            time.sleep(min(due_in_s, TICK_S))
            self._show_now_and_then(at)
        self._show_now_and_then(at)
        return not self._stopping

    def _stand_still(self, seconds: float) -> None:
        """The world waits; a stop ends that."""
        began = time.monotonic()
        while (left := began + seconds - time.monotonic()) > 0 and not self._stopping:
            time.sleep(min(left, TICK_S))
        self._pace.hold(time.monotonic() - began)

    def _roll(self, roll: Roll, following: Piece, at: int) -> None:
        """Rotate, not too often, and with calm before and after."""
        options = self.options
        since = time.monotonic() - self._rolled_at.get(roll.path, float("-inf"))
        self._stand_still(max(options.calm_s, 1 / options.max_rotations_per_s - since))
        local = following.record.ts_local if following.record is not None else stamp(at)[:-1]
        rolled = self._files.roll(roll, local)
        self._truth.note("rotation", file=roll.path, to=rolled, mode=options.rotation, done=rolled is not None, written=_wall())
        if rolled is None:
            return
        self._rolled_at[roll.path] = time.monotonic()
        self.status.rotations += 1
        self._name(rolled)
        self._stand_still(options.calm_s)

    def _append(self, piece: Piece, utc: str) -> None:
        self._name(piece.path)
        written = self._files.append(piece)
        if written is None:
            return
        status, text = self.status, piece.text
        status.bytes += len(piece.data)
        facts: dict[str, Any] = {
            "file": piece.path,
            "byte_start": written.start,
            "bytes": len(text),
            "sha256": hashlib.sha256(text).hexdigest(),
            "text": _decoded(text),
        }
        record = piece.record
        if record is None:
            self._truth.note("header", **facts, written=_wall())
            return
        status.records += 1
        status.simulated_utc = utc
        self._truth.note(
            "record",
            file_seq=self._truth.file_seq(piece.path),
            **facts,
            ts_local=record.ts_local,
            bias_min=record.bias_min,
            ts_utc=record.ts_utc,
            severity=record.severity,
            component=record.component,
            template=record.template,
            run=record.run,
            entry=record.entry,
            causes=record.causes,
            faults=record.faults,
            written=_wall(),
        )

    def _name(self, path: str) -> None:
        """Remember that the file is ours, before it is there."""
        if path not in self._names:
            self._names[path] = None
            self._manifest(list(self._names))
            self.status.files = len(self._names)

    def _show_now_and_then(self, at: int) -> None:
        if time.monotonic() >= self._status_due:
            self._status_due = time.monotonic() + STATUS_S
            self.status.lag_s = round(self._pace.lag_s(at), 3)
            self._show()

    def _show(self) -> None:
        self._tell(self.status)


def replace_file(path: Path, data: bytes) -> None:
    """Write a file that is never seen half written; where somebody just reads it (Windows), the older one stays."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    new.write_bytes(data)
    try:
        with suppress(PermissionError):
            new.replace(path)
            return
    finally:
        new.unlink(missing_ok=True)


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _instant(utc: str) -> int:
    return (datetime.fromisoformat(utc) - _EPOCH) // timedelta(microseconds=1)


def _wall() -> str:
    """The real time."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("cp1252", "replace")
