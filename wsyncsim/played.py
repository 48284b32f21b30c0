"""A played run as tests and tools want to look at it: logs by name, each record with its text and its truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from generators.truth_record import TruthRecord, read
from simulator.errors import WsyncsimError


class NoSuchLogError(WsyncsimError):
    """A run has no log of that name, or several."""


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record of a log: what a parser is given, and what it should make of it."""

    raw: bytes
    """The record's bytes, without line end and byte-order mark."""
    text: str
    """The same, decoded."""
    truth: TruthRecord
    """Place, template, times, severity, thread, causes; see ``docs/answer-key.md``."""


class Played:
    """The folder of a run (``wsyncsim run``, ``wsyncsim.play``)."""

    def __init__(self, out: Path) -> None:
        self.out = out
        """The folder."""

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """``manifest.json``."""
        manifest: dict[str, Any] = msgspec.json.decode((self.out / "manifest.json").read_bytes())
        return manifest

    @cached_property
    def answer(self) -> dict[str, Any]:
        """The answer key, ``truth/answer.json``."""
        answer: dict[str, Any] = msgspec.json.decode((self.truth / "answer.json").read_bytes())
        return answer

    @property
    def truth(self) -> Path:
        """The folder of the answer key."""
        return self.out / "truth"

    @cached_property
    def runs(self) -> list[dict[str, Any]]:
        """Every synchronization run with its outcome, ``truth/runs.jsonl``."""
        return [msgspec.json.decode(line) for line in (self.truth / "runs.jsonl").read_bytes().splitlines()]

    @cached_property
    def logs(self) -> tuple[Path, ...]:
        """All log files, in order of their names."""
        return tuple(sorted(path for path in (self.out / "logs").rglob("*") if path.is_file()))

    def log(self, name: str, *, host: str | None = None) -> Path:
        """The one log file called ``name`` (of ``host``).

        Raises ``NoSuchLogError`` when there is none, or when several hosts have one.
        """
        folder = self.out / "logs"
        found = [path for path in self.logs if path.name == name and host in (None, path.relative_to(folder).parts[0])]
        if len(found) == 1:
            return found[0]
        where = name if host is None else f"{host}/{name}"
        if not found:
            names = sorted({path.name for path in self.logs})
            raise NoSuchLogError("this run has no such log", where=where, hint=f"It has {', '.join(names)}")
        hosts = sorted({path.relative_to(folder).parts[0] for path in found})
        raise NoSuchLogError("this run has several of them", where=where, hint=f"Name the host: {', '.join(hosts)}")

    def records(self, name: str, *, host: str | None = None) -> list[LogRecord]:
        """All records of the log called ``name`` (of ``host``), in order; header lines are none."""
        path = self.log(name, host=host)
        relative = path.relative_to(self.out / "logs").as_posix()
        data = path.read_bytes()
        truth = read((self.truth / "records" / f"{relative}.jsonl").read_bytes())
        raws = [data[record.byte_start : record.byte_end] for record in truth]
        return [LogRecord(raw, decoded(raw), record) for raw, record in zip(raws, truth, strict=True)]


def decoded(raw: bytes) -> str:
    """A record's text: UTF-8, or code page 1252 in ConfigMgr 2007's logs."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")
