"""Makes a corpus into a folder: all shards, then what describes the whole. Interrupted, it goes on where it was.

In the folder ``.corpus`` lie ``identity.json`` (which plan, by which version), ``index/`` with an entry for each finished
shard, ``work/`` with what is unfinished, and a lock that the operating system lets go of when its holder dies.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, Final

import msgspec

from scenarios.whole import write_whole
from simulator.errors import WsyncsimError
from wsyncsim._version import __version__
from wsyncsim.corpus import workers as crew
from wsyncsim.corpus.extras import need
from wsyncsim.corpus.plan import Plan, Shard
from wsyncsim.corpus.shard import STATE, ShardNote, index_path

SCHEMA: Final = "wsyncsim-corpus/1"
Progress = Callable[[int, int], None]
"""Told how many runs are made, and how many there are."""


class CorpusError(WsyncsimError):
    """The folder cannot be used."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a corpus consists of."""

    out: Path
    runs: int
    records: int
    lines: int
    made_now: int
    """Runs that were made by this call; the rest was there."""


def make(
    plan: Plan,
    out: Path | str,
    *,
    workers: int = 1,
    backend: str = "loky",
    address: str | None = None,
    progress: Progress = lambda _done, _all: None,
) -> Made:
    """Make the corpus of a plan in the folder ``out``, or what is missing of it.

    ``workers`` processes work at once; with ``backend`` ``dask`` or ``ray`` they are those of a cluster at ``address``, or a
    new one on this machine without it. The bytes are the same whoever does it. Raises ``CorpusError`` for a folder that holds
    something else, ``ExtraMissingError`` for a missing extra, ``BackendError`` for workers that cannot be had.
    """
    crew.check(backend, address, workers)
    if "parquet" in plan.file.formats:
        need("pyarrow", "data", "the form parquet")
    out = (Path.cwd() / out).resolve()
    try:
        _claim(plan, out)
        with _locked(out):
            return _make(plan, out, workers=workers, backend=backend, address=address, progress=progress)
    except OSError as error:
        raise CorpusError(
            f"cannot be written: {error.strerror or error}",
            where=str(out),
            hint="What is finished is kept; the same command goes on",
        ) from None


def _make(plan: Plan, out: Path, *, workers: int, backend: str, address: str | None, progress: Progress) -> Made:
    work = out / STATE / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    (out / STATE / "index").mkdir(exist_ok=True)
    missing = [number for number, shard in enumerate(plan.shards) if not finished(out, shard)]
    lacking = sum(plan.shards[number].runs for number in missing)
    done = plan.runs - lacking
    progress(done, plan.runs)
    try:
        for runs in crew.make_all(plan.to_json(), str(out), missing, workers=workers, backend=backend, address=address):
            done += runs
            progress(done, plan.runs)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    from wsyncsim.corpus.describe import describe

    total = describe(plan, out)
    return Made(out, total.runs, total.records, total.lines, lacking)


def finished(out: Path, shard: Shard) -> bool:
    """Whether a shard is in the index and all of its files are there."""
    try:
        note = read_note(out, shard)
        return all((out / file.path).stat().st_size == file.bytes for file in note.files)
    except (OSError, msgspec.DecodeError):
        return False


def read_note(out: Path, shard: Shard) -> ShardNote:
    """A shard's entry in the index; raises ``OSError`` or ``msgspec.DecodeError`` without one."""
    return msgspec.json.decode(index_path(out, shard).read_bytes(), type=ShardNote)


def identity(plan: Plan) -> dict[str, Any]:
    """What must be the same for two calls to make the same bytes."""
    found = {"schema": SCHEMA, "wsyncsim": __version__, "time_zone_data": installed("tzdata"), "plan_sha256": plan.sha256}
    if "parquet" in plan.file.formats:
        found["pyarrow"] = installed("pyarrow")
    return found


def _claim(plan: Plan, out: Path) -> None:
    """Make the folder this plan's, or refuse."""
    path = out / STATE / "identity.json"
    mine = identity(plan)
    if not path.exists():
        if out.exists() and (not out.is_dir() or any(item.name != STATE for item in out.iterdir())):
            raise CorpusError("it holds something else", where=str(out), hint="Choose another folder with --out")
        write_whole(path, msgspec.json.encode(mine))
        return
    try:
        there = msgspec.json.decode(path.read_bytes())
    except msgspec.DecodeError:
        raise CorpusError("its identity cannot be read", where=str(path), hint="Choose another folder with --out") from None
    for key, what in (
        ("plan_sha256", "another plan (or other forms)"),
        ("wsyncsim", "another version of wsyncsim"),
        ("time_zone_data", "other time zone data"),
        ("pyarrow", "another version of pyarrow"),
        ("schema", "another layout"),
    ):
        if there.get(key) != mine.get(key):
            hint = f"Choose another folder with --out. There: {there.get(key)}; now: {mine.get(key)}"
            raise CorpusError(f"it holds a corpus made with {what}", where=str(out), hint=hint)


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Nobody else makes a corpus in this folder meanwhile; the lock is the operating system's, so no crash leaves it behind."""
    lock = sqlite3.connect(out / STATE / "lock.sqlite", timeout=0, isolation_level=None)
    try:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise CorpusError(
                "somebody else is making a corpus there", where=str(out), hint="Wait for it, or choose another folder"
            ) from None
        yield
    finally:
        with suppress(sqlite3.Error):
            lock.close()
