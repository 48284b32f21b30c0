"""The answer key: what was wrong, what each synchronization came to, and what followed from what.

Everything is read off the journal's ``because`` chains; ``scenarios.prove`` cross-examines it. Below the output folder's
``truth``:

``answer.json``
    root causes with entity, setting, healthy and faulty value and their times; actions; totals; what is missing compared
    with the same seed without faults.
``runs.jsonl``
    one line per synchronization run with its outcome.
``entries.jsonl``
    every fault, every action and every abnormal thing that happened, each naming the entry it follows from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from simulator.clock import utc
from simulator.events import (
    ActionTaken,
    FaultBegan,
    FaultEnded,
    SyncFailed,
    SyncRetryPlanned,
    SyncStarted,
    SyncSucceeded,
)
from simulator.journal import Entry

SCHEMA = "wsyncsim-answer/1"
Counts = Counter[tuple[str, str]]
"""How often each kind of event happened: (host, event class) to number."""


def stamp(at: int) -> str:
    """An instant as ISO 8601 in UTC with milliseconds."""
    return utc(at).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at // 1000 % 1000:03d}Z"


def facts(value: Any) -> Any:
    """An event, or anything in it, as JSON values; named tuples carry their class as ``kind``."""
    if hasattr(value, "_asdict"):
        return {"kind": type(value).__name__, **{name: facts(field) for name, field in value._asdict().items()}}
    if isinstance(value, tuple):
        return [facts(item) for item in value]
    return value


def root(entry: Entry) -> Entry | None:
    """The end of an entry's chain: a fault, or an action; ``None`` for what is healthy."""
    end = entry.because
    while end is not None and end.because is not None:
        end = end.because
    return end


def faults_of(entry: Entry) -> list[str]:
    """Ids of the faults that an entry follows from."""
    end = root(entry)
    return [end.event.fault] if end is not None and isinstance(end.event, FaultBegan) else []


class AnswerKey:
    """Reads the journal as it streams by and writes the answer key; keeps only what does not grow with time.

    Without ``out`` it counts and writes nothing: so the healthy twin is counted.
    """

    def __init__(self, out: Path | None) -> None:
        self.counts: Counts = Counter()
        self._out = out
        self._runs_file, self._entries_file = self._open("runs.jsonl"), self._open("entries.jsonl")
        self._encode = msgspec.json.Encoder().encode
        self._open_runs: dict[str, dict[str, Any]] = {}
        self._faults: dict[str, dict[str, Any]] = {}
        self._actions: list[dict[str, Any]] = []
        self._outcomes: Counter[str] = Counter()
        self._abnormal = 0

    def _open(self, name: str) -> BinaryIO | None:
        if self._out is None:
            return None
        self._out.mkdir(parents=True, exist_ok=True)
        return (self._out / name).open("wb")

    def _write(self, file: BinaryIO | None, record: dict[str, Any]) -> None:
        if file is not None:
            file.write(self._encode(record) + b"\n")

    def watch(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Pass the entries on, having read them."""
        counts = self.counts
        for entry in entries:
            event = entry.event
            counts[entry.host, type(event).__name__] += 1
            if entry.because is not None or not entry.host:
                self._note(entry)
            if entry.run is not None:
                self._follow(entry, event)
            yield entry

    def _note(self, entry: Entry) -> None:
        event = entry.event
        if isinstance(event, FaultBegan):
            self._faults[entry.id] = {
                "fault": event.fault,
                "site": event.site,
                "entity": event.entity,
                "setting": event.setting,
                "healthy": event.healthy,
                "faulty": event.faulty,
                "began": stamp(entry.at),
                "ended": None,
                "repaired": None,
                "hidden_by": entry.because.id if entry.because is not None else None,
                "entry": entry.id,
            }
        elif isinstance(event, FaultEnded):
            began = entry.because
            assert began is not None
            for fault in self._and_hidden(began.id):
                fault["ended"] = stamp(entry.at)
        elif isinstance(event, ActionTaken):
            for fault in self._and_hidden(event.against):
                if fault["repaired"] is None:
                    fault["repaired"] = stamp(entry.at)
            self._actions.append({"at": stamp(entry.at), **facts(event), "entry": entry.id})
        self._abnormal += entry.because is not None
        self._write(
            self._entries_file,
            {
                "id": entry.id,
                "at": stamp(entry.at),
                "host": entry.host,
                "event": facts(event),
                "because": entry.because.id if entry.because is not None else None,
                "run": entry.run,
            },
        )

    def _and_hidden(self, id: str) -> list[dict[str, Any]]:
        """A fault, and what it hides."""
        return [fault for fault in self._faults.values() if id and id in (fault["entry"], fault["hidden_by"])]

    def _follow(self, entry: Entry, event: Any) -> None:
        run = entry.run
        assert run is not None
        if isinstance(event, SyncStarted):
            self._open_runs[run] = {
                "run": run,
                "site": run.split("-", 1)[0],
                "trigger": event.trigger,
                "began": stamp(entry.at),
                "ended": None,
                "outcome": "unfinished",
                "took_s": None,
                "source": None,
                "reason": None,
                "causes": [],
                "faults": [],
            }
        elif isinstance(event, SyncFailed):
            self._open_runs[run].update(
                outcome="failed",
                source=event.source.method,
                reason=facts(event.reason),
                causes=[entry.id, *(cause.id for cause in entry.chain())],
                faults=faults_of(entry),
            )
        elif isinstance(event, SyncRetryPlanned):
            self._end(run, entry, event.took_s)
        elif isinstance(event, SyncSucceeded):
            self._open_runs[run]["outcome"] = "succeeded"
            self._end(run, entry, event.took_s)

    def _end(self, run: str, entry: Entry, took_s: int) -> None:
        record = self._open_runs.pop(run)
        record.update(ended=stamp(entry.at), took_s=took_s)
        self._outcomes[record["outcome"]] += 1
        self._write(self._runs_file, record)

    def finish(self, healthy: Counts | None, **about: Any) -> dict[str, Any]:
        """Write what is left and return ``answer.json``'s content.

        ``healthy`` are the counts of the same seed without faults; ``about`` goes in first.
        """
        for record in self._open_runs.values():
            self._outcomes["unfinished"] += 1
            self._write(self._runs_file, record)
        answer = {
            "schema": SCHEMA,
            **about,
            "root_causes": list(self._faults.values()),
            "actions": self._actions,
            "runs": {outcome: self._outcomes[outcome] for outcome in ("succeeded", "failed", "unfinished")},
            "abnormal_entries": self._abnormal,
            "missing": self._missing(healthy) if healthy is not None else None,
        }
        self.close()
        if self._out is not None:
            encoded = msgspec.json.format(self._encode(answer), indent=2)
            (self._out / "answer.json").write_bytes(encoded + b"\n")
        return answer

    def close(self) -> None:
        """Close the files."""
        for file in (self._runs_file, self._entries_file):
            if file is not None:
                file.close()

    def _missing(self, healthy: Counts) -> list[dict[str, Any]]:
        """What the healthy twin has more of: silence is evidence too."""
        return [
            {"host": host, "event": event, "healthy": count, "here": self.counts[host, event]}
            for (host, event), count in sorted(healthy.items())
            if self.counts[host, event] < count
        ]
