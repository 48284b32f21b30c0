"""What a diagnosis and a repair rest on: what had been seen before them, so that luck is told from knowledge.

How much was known at a moment is read off the worlds that were still possible then: with what chance would somebody who picks one
of them at random be right? That chance, corrected for the one there was before anything was seen, is 0 for who has seen nothing
that tells them apart, and 1 for who has nothing left to tell apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wsyncsim.lab.diagnosis import best_way
from wsyncsim.lab.ticket import true_causes

if TYPE_CHECKING:
    from wsyncsim.lab.session import Diagnosis, LabSession

LUCK = 0.2
"""The share that a diagnosis or a repair earns that rests on nothing."""
OPEN_QUESTION = 0.5
"""Who knew less than this and is right has guessed."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What was known at a moment."""

    candidates: int
    """How many things could be wrong, by the complaint alone."""
    left: int
    """How many of them fitted what had been seen."""
    floor: int
    """How many no look can tell apart."""
    minutes: int = 0
    """What the looks before it had cost."""

    @property
    def halved(self) -> bool:
        """Whether at least half of what could be wrong had been ruled out."""
        return 2 * self.left <= self.candidates

    @property
    def known(self) -> float:
        """0 to 1: how much better than before the first look a guess among what is left would be."""
        left = max(self.left, self.floor)
        if self.candidates <= self.floor:
            return 1.0
        before, now = self.floor / self.candidates, self.floor / left
        return max(now - before, 0.0) / (1 - before)


def worth(known: float) -> float:
    """The share of its points that something earns which rests on so much knowledge."""
    return LUCK + (1 - LUCK) * known


def grounds(session: LabSession, deeds: int) -> Grounds:
    """What was known before the deed of that number (from 0)."""
    way = best_way(session.variant)
    floor = len(way.floor)
    sights = sum(deed.kind == "look" for deed in session.deeds[:deeds])
    minutes = sum(sight.charged_min for sight in session.sights[:sights])
    if not sights:
        return Grounds(max(way.candidates, floor + 1), max(way.candidates, floor + 1), floor)
    panel = session.panel
    left = len(panel.alive) + sum(number > sights or number == 0 for number in panel.ruled_out.values())
    return Grounds(way.candidates, left, floor, minutes)


def contradicted(session: LabSession, last: Diagnosis) -> bool:
    """Whether a diagnosis names no true cause, and could not be true: by the complaint, or by what had been seen before it."""
    if set(last.causes) & set(true_causes(session.story)):
        return False
    sights = sum(deed.kind == "look" for deed in session.deeds[: last.deeds])
    said, panel = frozenset(last.causes), session.panel
    if any(frozenset(hypothesis) == said for hypothesis in panel.alive):
        return False
    ruled_out = [number for hypothesis, number in panel.ruled_out.items() if frozenset(hypothesis) == said]
    return all(0 < number <= sights for number in ruled_out)
