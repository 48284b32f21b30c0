"""Makes one shard: plays its runs, writes them in all forms, and notes in the index that it is finished.

Everything is written into a folder of this attempt first. Its files are then moved to their places one by one, and last of
all the shard's entry in the index. So whatever is in the index is complete, and a shard that is not is made again, to the same
bytes. It does not matter who makes it, nor whether somebody else is still at it.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

from scenarios.quiet import quiet_gc
from scenarios.whole import write_whole
from wsyncsim.corpus.forms import Form, forms
from wsyncsim.corpus.forms.master import Parquet, runs_lines
from wsyncsim.corpus.plan import Plan, Shard, from_json
from wsyncsim.corpus.play import PlayedRun, played
from wsyncsim.corpus.records import Record, records
from wsyncsim.corpus.runs import RunRow, run_row

STATE: Final = ".corpus"
"""Folder with the index and what is unfinished."""


class TemplateCount(msgspec.Struct, array_like=True):
    """A template and how often it occurs."""

    event_id: str
    template_id: str
    template: str
    count: int


class FileNote(msgspec.Struct, array_like=True):
    """A file of a shard."""

    path: str
    bytes: int
    sha256: str


class ShardNote(msgspec.Struct, frozen=True, kw_only=True):
    """A shard's entry in the index."""

    name: str
    split: str
    runs: int
    records: int
    anomalous: int
    lines: int
    """Lines of log, those of records of several lines counted."""
    scenarios: dict[str, int]
    """Runs of each scenario."""
    labels: dict[str, int]
    """Runs of each label."""
    logs: dict[str, int]
    """Records of each kind of log."""
    files: list[FileNote]
    templates: list[TemplateCount]


def index_path(out: Path, shard: Shard) -> Path:
    """Where a shard's entry in the index lies."""
    return out / STATE / "index" / f"{shard.name}.json"


def make_shard(plan_json: bytes, out: str, number: int) -> int:
    """Make the shard of that number; returns how many runs it has."""
    plan = from_json(plan_json)
    shard = plan.shards[number]
    work = Path(tempfile.mkdtemp(prefix=f"{shard.name}-", dir=Path(out) / STATE / "work"))
    try:
        with quiet_gc():
            note = _Writer(plan, shard, work).note
        _publish(work, Path(out), note)
        write_whole(index_path(Path(out), shard), msgspec.json.encode(note))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return note.runs


class _Writer:
    """Plays and writes a shard below ``work``."""

    def __init__(self, plan: Plan, shard: Shard, work: Path) -> None:
        self._plan = plan
        self._shard = shard
        self._work = work
        self._rows: list[RunRow] = []
        self._logs: Counter[str] = Counter()
        self._templates: Counter[tuple[str, str, str]] = Counter()
        self._records = self._anomalous = self._lines = 0
        known = forms()
        kinds = [known[name] for name in plan.file.formats]
        scratch = work / "scratch"
        scratch.mkdir()
        self._files = work / "files"
        self._files.mkdir()
        with ExitStack() as stack:
            self._forms: list[Form] = []
            for kind in kinds:
                form = kind(self._files, plan, shard)
                stack.callback(form.abandon)
                self._forms.append(form)
            for planned in plan.shard_runs(shard):
                with played(planned, scratch, causes=any(kind.causes for kind in kinds)) as run:
                    for form in self._forms:
                        form.begin(run)
                    row = self._write(run)
                    for form in self._forms:
                        form.end(run)
                self._rows.append(row)
            self._finish()
        self.note = self._noted()

    def _write(self, run: PlayedRun) -> RunRow:
        total = anomalous = 0
        first: str | None = None
        for some in records(run):
            total += len(some)
            anomalous += self._count(some)
            if first is None:
                first = next((record.ts_utc for record in some if record.is_anomaly), None)
            for form in self._forms:
                form.write(run, some)
        self._records += total
        self._anomalous += anomalous
        return run_row(run, self._shard, total, anomalous, first)

    def _count(self, some: list[Record]) -> int:
        self._logs.update(record.log for record in some)
        self._templates.update((record.event_id, record.template_id, record.template) for record in some)
        self._lines += sum(record.line_end - record.line_start + 1 for record in some)
        return sum(record.is_anomaly for record in some)

    def _finish(self) -> None:
        target = self._files / "runs" / f"{self._shard.name}.jsonl"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(runs_lines(self._rows))
        for form in self._forms:
            if isinstance(form, Parquet):
                form.rows(self._rows)
            form.close()

    def _noted(self) -> ShardNote:
        files = []
        for path in sorted(path for path in self._files.rglob("*") if path.is_file()):
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            files.append(FileNote(path.relative_to(self._files).as_posix(), path.stat().st_size, digest))
        return ShardNote(
            name=self._shard.name,
            split=self._shard.split,
            runs=len(self._rows),
            records=self._records,
            anomalous=self._anomalous,
            lines=self._lines,
            scenarios=dict(sorted(Counter(row.scenario for row in self._rows).items())),
            labels=dict(sorted(Counter(row.label for row in self._rows).items())),
            logs=dict(sorted(self._logs.items())),
            files=sorted(files, key=lambda note: note.path),
            templates=[TemplateCount(*key, count) for key, count in sorted(self._templates.items())],
        )


def _publish(work: Path, out: Path, note: ShardNote) -> None:
    """Move the files to their places; what lies there from an attempt that was cut off has the same bytes."""
    for file in note.files:
        target = out / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        (work / "files" / file.path).replace(target)
