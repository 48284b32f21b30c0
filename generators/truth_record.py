"""Truth records: for every log record where it lies, what it says and why it was written (one JSON object a line)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from simulator.events import FaultBegan
from simulator.journal import Entry

_json: Final = msgspec.json.Encoder().encode


class TruthRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One log record: fields in the order in which they are written."""

    file: str
    """Relative to the run's folder."""
    line: int
    """First line, counted from 1."""
    line_end: int = 0
    """Last line of a record of several lines; else absent."""
    byte_start: int
    byte_end: int
    """Span within the file, without the line end."""
    template: str
    """Id of the message."""
    params: dict[str, Any]
    ts_local: str
    bias_min: int
    """UTC = local time + bias."""
    ts_utc: str
    severity: str
    component: str
    thread: int | None
    run: str | None
    """Synchronization run."""
    event: str
    """Class of the event."""
    entry: str
    """Id of the journal entry, such as ``CS1SITE/wcm.17``."""
    causes: list[str]
    """Ids of the entries that it follows from, nearest first; the last is the fault."""
    faults: list[str]


def read(data: bytes) -> list[TruthRecord]:
    """All records of a truth file."""
    decode = msgspec.json.Decoder(TruthRecord).decode
    return [decode(line) for line in data.splitlines()]


def fault_ids(chain: Iterable[Entry]) -> Iterator[str]:
    """Faults in a chain of causes."""
    return (entry.event.fault for entry in chain if isinstance(entry.event, FaultBegan))


class Contexts:
    """The end of a truth record, the same for all lines of an entry: run, event, entry, causes, faults."""

    __slots__ = ("_because", "_causes")

    def __init__(self) -> None:
        self._because: Entry | None = None
        self._causes = _causes(None)

    def of(self, entry: Entry) -> str:
        _, reporter, n, _, event, because, run = entry
        if because is not self._because:
            self._because = because
            self._causes = _causes(entry)
        run_text = "null" if run is None else f'"{run}"'
        return f',"run":{run_text},"event":"{type(event).__name__}","entry":"{reporter}.{n}"{self._causes}'


def _causes(entry: Entry | None) -> str:
    chain = list(entry.chain()) if entry is not None else []
    causes = _json([cause.id for cause in chain]).decode()
    return f',"causes":{causes},"faults":{_json(list(fault_ids(chain))).decode()}}}\n'
