"""What happened, in a few lines: faults, repairs, and how the synchronizations went, repetitions folded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scenarios.faults import FAULTS
from scenarios.repairs import REPAIRS
from scenarios.text import Text
from simulator.events import (
    ActionTaken,
    FaultBegan,
    FaultEnded,
    ReplicaSyncFailed,
    SyncFailed,
    SyncRetryPlanned,
    SyncSucceeded,
    WcmStateSet,
)
from simulator.failures import Reason, UpstreamTrouble
from simulator.journal import Entry

Kind = Literal["fault", "fault ended", "action", "failed", "succeeded", "further failed", "gate shut", "gate open"]


@dataclass(slots=True)
class Line:
    """One line of the chronicle; ``count`` repetitions, the last at ``last_at``."""

    at: int
    kind: Kind
    site: str
    id: str = ""
    entity: str = ""
    reason: Reason | UpstreamTrouble | None = None
    took_s: int = 0
    items: int = 0
    count: int = 1
    last_at: int = 0

    @property
    def title(self) -> Text:
        """Title of the fault or action."""
        return FAULTS[self.id].title if self.id in FAULTS else REPAIRS[self.id].title


WATCHED = frozenset(
    {FaultBegan, FaultEnded, ActionTaken, SyncFailed, ReplicaSyncFailed, SyncRetryPlanned, SyncSucceeded, WcmStateSet}
)


OUTCOMES: tuple[tuple[Kind, ...], ...] = (("failed", "succeeded"), ("further failed",))
"""What is folded when it comes again at a site, and nothing else of its row came in between."""


class Chronicle:
    """Reads the journal and keeps what a person would tell of it; its size does not grow with repetitions."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._shut: set[str] = set()

    def read(self, entries: list[Entry]) -> None:
        """Take notice of some entries, in order."""
        for entry in entries:
            if type(entry.event) in WATCHED:
                self._note(entry)

    def _note(self, entry: Entry) -> None:
        event, at = entry.event, entry.at
        match event:
            case FaultBegan():
                self._add(Line(at, "fault", event.site, event.fault, event.entity))
            case FaultEnded():
                self._add(Line(at, "fault ended", event.site, event.fault))
            case ActionTaken():
                self._add(Line(at, "action", event.site, event.action, event.entity))
            case SyncFailed():
                self._add(Line(at, "failed", (entry.run or "").split("-")[0], reason=event.reason))
            case ReplicaSyncFailed():
                self._add(Line(at, "further failed", (entry.run or "").split("-")[0], reason=event.reason))
            case SyncRetryPlanned():
                self._took(event.site, event.took_s)
            case SyncSucceeded():
                self._add(Line(at, "succeeded", event.site, took_s=event.took_s, items=event.items))
            case WcmStateSet(state=3) if entry.reporter not in self._shut:
                self._shut.add(entry.reporter)
                self._add(Line(at, "gate shut", entry.host))
            case WcmStateSet(state=2) if entry.reporter in self._shut:
                self._shut.remove(entry.reporter)
                self._add(Line(at, "gate open", entry.host))

    def _took(self, site: str, took_s: int) -> None:
        for line in reversed(self.lines):
            if line.kind == "failed" and line.site == site:
                line.took_s = took_s
                return

    def _add(self, line: Line) -> None:
        """Add a line, or count it as a repetition of the last outcome at its site."""
        line.last_at = line.at
        outcomes = next((kinds for kinds in OUTCOMES if line.kind in kinds), ())
        if outcomes:
            for before in reversed(self.lines[-6:]):
                if before.site == line.site and before.kind in outcomes:
                    if (before.kind, before.reason) == (line.kind, line.reason):
                        before.count += 1
                        before.last_at = line.at
                        return
                    break
        self.lines.append(line)
