"""The master record: one row for each log record, from which every other form derives.

Three things always hold: ``fill(template, params) == message``; ``ts_local`` plus ``bias_minutes`` is ``ts_utc``; the bytes
from ``byte_start`` to ``byte_end`` of the log file hold it (``holds``).
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterator
from functools import cache
from itertools import chain, islice
from operator import itemgetter
from typing import Any, Final

import msgspec

from generators.catalogue import load
from generators.compile import parts
from generators.escape import xml
from generators.log import Log
from generators.truth_record import TruthRecord
from simulator.versions import version
from wsyncsim.corpus.play import PlayedRun

VARIABLE: Final = "<*>"
SEVERITIES: Final = {"info": 1, "warning": 2, "error": 3}
"""As in CMTrace; 0 is its success."""
CHUNK: Final = 2000
"""Records that are handed on at a time."""


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One log record; fields in the order in which they are written."""

    record_id: str
    """Run and running number in the run's order of time."""
    run_id: str
    """Row of the runs table."""
    split: str
    """train, validation or test."""
    host: str
    """NetBIOS name of the server on which the file lies."""
    log: str
    """Kind of log: the module of ``generators.logs`` that writes it."""
    log_file: str
    """Path on the host, with forward slashes."""
    line_start: int
    """First line, counted from 1."""
    line_end: int
    """Last line."""
    byte_start: int
    """Offset of the record's first byte in the file."""
    byte_end: int
    """Offset after its last byte; its line end does not belong to it."""
    ts_utc: str
    """ISO 8601 with milliseconds and Z."""
    ts_local: str
    """Local time of the host, milliseconds."""
    bias_minutes: int
    """UTC = local time + bias."""
    component: str
    """Component, or what the log's source is called."""
    thread: int | None
    """Thread id, where the log has one."""
    severity: int
    """1 information, 2 warning, 3 error."""
    message: str
    """What the record says, without what its form puts around it; lines end with LF."""
    event_id: str
    """Identifies the template: ``E`` and eight hexadecimal digits."""
    template: str
    """The message with ``<*>`` for each variable."""
    params: list[str]
    """What stands for the variables, in their order."""
    template_id: str
    """Message in the catalogue, such as ``wsyncmgr.sync_failed``."""
    session_id: str
    """Run and synchronization run that it belongs to, or empty."""
    event: str
    """Class of the simulated event that it tells of."""
    entry: str
    """Id of the journal entry of that event."""
    causes: list[str]
    """Ids of the entries that it follows from, nearest first; empty for what is healthy."""
    is_anomaly: bool
    """It follows from a fault."""
    fault_ids: list[str]
    """Ids of the faults that it follows from."""
    root_cause: str | None
    """What that fault changed, such as ``CS1SUP/W3SVC``."""


def fill(template: str, params: list[str]) -> str:
    """The message: a template with its variables filled in."""
    pieces = template.split(VARIABLE)
    return "".join(chain.from_iterable(zip(pieces, [*params, ""], strict=True)))


def holds(raw: bytes, encoding: str, record: Record) -> bool:
    """Whether the bytes of a record hold what it says.

    White space may differ, for an export may put a message of several lines on one. XML is escaped. Exports as JSON lines hold
    a message's number and insertion strings, not its text: of them only the form is looked at.
    """
    text = _one_line(raw.decode(encoding))
    if record.log_file.endswith(".jsonl"):
        return isinstance(json.loads(text), dict)
    return _one_line(xml(record.message) if record.log_file.endswith(".xml") else record.message) in text


def _one_line(text: str) -> str:
    return " ".join(text.split())


class Template(msgspec.Struct, frozen=True):
    """A message's text as data sets call it."""

    event_id: str
    text: str
    names: tuple[str, ...]
    pieces: tuple[tuple[str, bool], ...]

    def message(self, params: dict[str, str]) -> str:
        return "".join([params[piece] if is_name else piece for piece, is_name in self.pieces])


@cache
def template(id: str, generation: str, language: str) -> Template:
    """The template of a message of the catalogue."""
    catalogue, _, name = id.partition(".")
    text = load(catalogue)[name].text(version(generation), language)
    assert text is not None, f"{id} was written, but has no text"
    pieces = parts(text, id)
    shown = _shown(text, id)
    digest = hashlib.blake2b(shown.encode(), digest_size=4).hexdigest()
    return Template(f"E{digest}", shown, tuple(piece for piece, is_name in pieces if is_name), tuple(pieces))


def _shown(text: str, id: str) -> str:
    return "".join(VARIABLE if is_name else piece for piece, is_name in parts(text, id))


@cache
def parameter_names(template_id: str, template: str) -> tuple[str, ...]:
    """Names of the variables of a message's template, in their order."""
    catalogue, _, name = template_id.partition(".")
    text = next(text for text in load(catalogue)[name].all_texts() if _shown(text, template_id) == template)
    return tuple(piece for piece, is_name in parts(text, template_id) if is_name)


def records(run: PlayedRun) -> Iterator[list[Record]]:
    """All records of a run in order of time, a few at a time."""
    merged = heapq.merge(*(_notes(run, _File(run, log, path)) for path, log in run.logs.items()), key=itemgetter(0))
    made = (file.record(note, number) for number, (_, file, note) in enumerate(merged))
    while batch := list(islice(made, CHUNK)):
        yield batch


_Key = tuple[str, str, int]


def _notes(run: PlayedRun, file: _File) -> Iterator[tuple[_Key, _File, TruthRecord]]:
    decode = msgspec.json.Decoder(TruthRecord).decode
    for line in run.truth_lines(file.truth):
        note = decode(line)
        yield (note.ts_utc, file.truth, note.line), file, note


class _File:
    """What all records of a log file share."""

    __slots__ = ("_generation", "_host", "_kind", "_language", "_path", "_run", "truth")

    def __init__(self, run: PlayedRun, log: Log, path: str) -> None:
        self.truth = path
        self._run = run
        self._generation = run.generation
        self._language = log.language()
        self._kind = kind(log)
        _, self._host, self._path = path.split("/", 2)

    def record(self, note: TruthRecord, number: int) -> Record:
        """The master record of a truth record, the run's record of that number."""
        says = template(note.template, self._generation, self._language)
        params = {name: _text(value) for name, value in note.params.items()}
        run = self._run
        return Record(
            record_id=f"{run.id}-{number:06}",
            run_id=run.id,
            split=run.split,
            host=self._host,
            log=self._kind,
            log_file=self._path,
            line_start=note.line,
            line_end=note.line_end or note.line,
            byte_start=note.byte_start,
            byte_end=note.byte_end,
            ts_utc=note.ts_utc,
            ts_local=note.ts_local,
            bias_minutes=note.bias_min,
            component=note.component,
            thread=note.thread,
            severity=SEVERITIES[note.severity],
            message=says.message(params),
            event_id=says.event_id,
            template=says.text,
            params=[params[name] for name in says.names],
            template_id=note.template,
            session_id=f"{run.id}/{note.run}" if note.run else "",
            event=note.event,
            entry=note.entry,
            causes=note.causes,
            is_anomaly=bool(note.faults),
            fault_ids=note.faults,
            root_cause=run.root_cause(note.causes),
        )


def _text(value: Any) -> str:
    return value.replace("\r\n", "\n") if isinstance(value, str) else str(value)


def kind(log: Log) -> str:
    """What kind of log it is, whatever its files are called."""
    return type(log).__module__.rsplit(".", 1)[-1]
