"""The journal: the one record of what happened, from which every log and the answer key are written."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """One thing that happened.

    Entries order by time, then by reporter, then by the reporter's own count, so neither their order nor their
    identity depends on the order in which the simulation happened to compute them.
    """

    at: int
    """When, in microseconds since the epoch (UTC)."""
    reporter: str
    """Name of the component that reported it, such as ``CS1SITE/wcm``."""
    n: int
    """The reporter's own running number."""
    host: str
    """Name of the server on which it happened (NetBIOS name, as in the estate)."""
    event: Any
    """One of the classes of ``simulator.events``: facts, no prose."""
    because: Entry | None
    """The entry that this one abnormally follows from; ``None`` for all that is healthy. Chains end at a fault."""
    run: str | None
    """The synchronization run it belongs to, such as ``CS1-0003``, or ``None``."""

    @property
    def id(self) -> str:
        """Identifies the entry within its run, such as ``CS1SITE/wcm.17``."""
        return f"{self.reporter}.{self.n}"

    def chain(self) -> Iterator[Entry]:
        """The causes of this entry, nearest first, the fault last; empty when all is well."""
        cause = self.because
        while cause is not None:
            yield cause
            cause = cause.because


new_tuple = tuple.__new__
"""Makes a named tuple without the detour over its constructor: a third of the time, where it is made most often."""


class Journal:
    """Collects entries while the world runs and releases them in order."""

    __slots__ = ("_pending",)

    def __init__(self) -> None:
        self._pending: list[Entry] = []

    def reporter(self, host: str, name: str) -> Reporter:
        """A reporter called ``name`` (unique in the run) for something on ``host``."""
        return Reporter(self._pending, host, name)

    def release(self, until_us: int) -> list[Entry]:
        """Hand over, in order, all entries before ``until_us`` and forget them here.

        Components may write ahead of the simulation's clock, so what is later stays until it is due.
        """
        pending = self._pending
        pending.sort()
        due_count = bisect_left(pending, (until_us,))  # a 1-tuple sorts before its longer kin
        due = pending[:due_count]
        del pending[:due_count]
        return due

    def __len__(self) -> int:
        return len(self._pending)


class Reporter:
    """One component's pen: writes entries for its host, numbered in its own sequence."""

    __slots__ = ("_append", "host", "n", "name", "run")

    def __init__(self, pending: list[Entry], host: str, name: str) -> None:
        self._append = pending.append
        self.host = host
        self.name = name
        self.n = 0
        self.run: str | None = None

    def report(self, at: int, event: Any, because: Entry | None = None) -> Entry:
        """Write down that ``event`` happened at ``at`` (microseconds), abnormally ``because`` of an earlier entry."""
        self.n = n = self.n + 1
        entry = new_tuple(Entry, (at, self.name, n, self.host, event, because, self.run))
        self._append(entry)
        return entry
