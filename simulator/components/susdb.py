"""SUSDB: the metadata that a WSUS server holds, in the order in which it arrived."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import Final

from simulator.components.upstream import Portion, Subscription
from simulator.journal import Entry
from simulator.state import State

NOTHING: Final = Subscription((), (), ())


@dataclass(slots=True, eq=False, kw_only=True)
class Susdb(State):
    """The update metadata of one WSUS server. It grows by 16 bytes a synchronization that brings something new."""

    installed_at: int
    """Instant at which this database was created."""
    declined: tuple[Portion, ...] = ()
    """What somebody declined in the WSUS console."""
    portions: list[Portion] = field(default_factory=list)
    """What it holds, as it arrived; portions that came from an upstream server are that server's own."""
    arrived: array[int] = field(default_factory=lambda: array("q"))
    """When each portion arrived."""
    subscription: Subscription = NOTHING
    """What the last synchronization with Microsoft Update asked for."""
    read_to: int = 0
    """Newest revision that it has seen."""
    source: tuple[str, int] = ("", 0)
    """Upstream server of the last synchronization, and when its database was created; an empty name for Microsoft Update."""
    anchor: int = 0
    """How many of that server's portions have been read [X: SyncAnchor]."""
    lost_to: int = 0
    """Up to which revision it had read when it was created anew."""
    causes: dict[Portion, Entry] = field(default_factory=dict)
    """Why it holds what it should not."""

    def add(self, at: int, portion: Portion, because: Entry | None = None) -> None:
        """Take in a portion that arrived at ``at``."""
        self.portions.append(portion)
        self.arrived.append(at)
        if because is not None:
            self.causes[portion] = because

    def reuse(self, because: Entry, portions: list[Portion], arrived: list[int]) -> None:
        """Have held other metadata before: what the server was used for earlier stands first."""
        self.change(because, installed_at=arrived[0])
        self.portions[:0] = portions
        self.arrived[:0] = array("q", arrived)
        self.causes.update((portion, because) for portion in portions)

    def empty(self, at: int, because: Entry | None) -> None:
        """Be a new database, created at ``at``."""
        self.change(because, installed_at=at, declined=())
        self.portions.clear()
        del self.arrived[:]
        self.causes.clear()
        self.subscription = NOTHING
        self.lost_to = max(self.lost_to, self.read_to)
        self.read_to = self.anchor = 0

    @property
    def because_new(self) -> Entry | None:
        """Why everything must be fetched again, while it has never been fetched."""
        return self.because("installed_at") if not self.read_to else None
