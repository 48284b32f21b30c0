"""A store that keeps no files: it hands over, in order of time, every single record that is to be written.

The live environment writes them into real files, each at its time and each with one write.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from generators.log import BOM_UTF8
from generators.truth_record import TruthRecord, read

_TRUTH = "truth/records/"


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes for the end of a file: a record with its line end, or lines that are no record, such as a header."""

    path: str
    """Relative, with forward slashes."""
    data: bytes
    text_start: int
    text_end: int
    """Span of the text in ``data``: after a byte-order mark, before the line end."""
    fresh: bool
    """It begins a file."""
    record: TruthRecord | None
    """``None`` for what is no record."""

    @property
    def text(self) -> bytes:
        """The text without byte-order mark and line end."""
        return self.data[self.text_start : self.text_end]


@dataclass(frozen=True, slots=True)
class Roll:
    """The file has reached its size: what follows belongs into a new one."""

    path: str
    rolled: str
    """What the full file is called in the product's usual rotation (``.lo_``)."""


Deed = Piece | Roll


class Feed:
    """Takes what logs append, with their truth records, apart again."""

    def __init__(self) -> None:
        self._queues: dict[str, list[tuple[str, Deed]]] = {}
        self._waiting: dict[str, bytes] = {}
        """What was appended last to a log, until its truth records come."""
        self._sizes: dict[str, int] = {}

    # --- the store that logs know

    def append(self, path: str, data: bytes) -> None:
        if not path.startswith(_TRUTH):
            self._finish(path)
            self._waiting[path] = data
            return
        log = f"logs/{path.removeprefix(_TRUTH).removesuffix('.jsonl')}"
        self._split(log, self._waiting.pop(log), read(data))

    def roll(self, path: str, rolled: str) -> None:
        if not path.startswith(_TRUTH):
            self._finish(path)
            self._queue(path, "", Roll(path, rolled))
            self._sizes[path] = 0

    def replace(self, path: str, old: bytes, new: bytes) -> None:
        """Truth records name the file as it is now called; the feed has none."""

    # --- what became of it

    def take(self) -> Iterator[tuple[str, Deed]]:
        """Hand over and forget everything: time (``ts_utc`` of the record) and deed, in order of time.

        Within a file the order is that of writing; what is no record has the time of the record that follows it, or else of
        the one before it.
        """
        for path in list(self._waiting):
            self._finish(path)
        queues, self._queues = self._queues, {}
        return heapq.merge(*(_timed(queue) for queue in queues.values()), key=lambda pair: pair[0])

    def _finish(self, path: str) -> None:
        """What waits for truth records gets none."""
        data = self._waiting.pop(path, None)
        if data is not None:
            self._split(path, data, [])

    def _split(self, path: str, data: bytes, records: list[TruthRecord]) -> None:
        base = self._sizes.get(path, 0)
        start = 0
        for record in records:
            begin, end = record.byte_start - base, record.byte_end - base
            if b"\n" in data[start:begin]:
                self._put(path, data[start:begin], start + base == 0)
                start = begin
            stop = data.index(b"\n", end) + 1
            piece = Piece(path, data[start:stop], begin - start, end - start, start + base == 0, record)
            self._queue(path, record.ts_utc, piece)
            start = stop
        if start < len(data):
            self._put(path, data[start:], start + base == 0)
        self._sizes[path] = base + len(data)

    def _put(self, path: str, data: bytes, fresh: bool) -> None:
        mark = len(BOM_UTF8) if data.startswith(BOM_UTF8) else 0
        self._queue(path, "", Piece(path, data, mark, len(data.rstrip(b"\r\n")), fresh, None))

    def _queue(self, path: str, time: str, deed: Deed) -> None:
        self._queues.setdefault(path, []).append((time, deed))


def _timed(queue: list[tuple[str, Deed]]) -> list[tuple[str, Deed]]:
    """The queue, every deed with a time."""
    time = next((time for time, _ in reversed(queue) if time), "")
    timed = []
    for own, deed in reversed(queue):
        time = own or time
        timed.append((time, deed))
    timed.reverse()
    return timed
