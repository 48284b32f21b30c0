"""The mark of a closed ticket, computed from its actions alone."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

from scenarios.faults import FAULTS
from wsyncsim._version import __version__
from wsyncsim.lab.data import policy, say
from wsyncsim.lab.diagnosis import BestWay, Hypothesis, best_way, likeness
from wsyncsim.lab.grounds import OPEN_QUESTION, Grounds, contradicted, grounds, worth
from wsyncsim.lab.harm import Harm, acts_of, harms, horizon, over
from wsyncsim.lab.outlook import outlook
from wsyncsim.lab.ticket import true_causes
from wsyncsim.lab.views import Plain

if TYPE_CHECKING:
    from wsyncsim.lab.session import LabSession

SLACK = 1.25
SOLVED = 0.8
WORKED_ON = 0.3
"""From this share of correctness on, or when the trouble is over, a ticket counts as worked on."""
BANDS = ((85, "excellent"), (70, "good"), (50, "sufficient"), (0, "not yet"))
NOTE_POINTS = 3
HANDED_OVER_POINTS = 4
RECOVERED_POINTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Plain):
    """The mark of a ticket."""

    version: str
    total: int
    """0 to 100."""
    band: str
    parts: dict[str, float]
    """Points for correctness, safety, evidence, verified, efficiency."""
    correctness: float
    """0 to 1: how near the last diagnosis was."""
    solved: bool
    """The trouble is over (or rightly left alone)."""
    critical: bool
    """Something was done that must not be done."""
    harms: tuple[Harm, ...]
    hint_price: int
    worked_example: bool
    """The last rung was asked for: no mark, practise a twin."""
    candidates: int
    left: int
    """How many things could still have been wrong when the diagnosis was handed in."""
    looks_min: int
    """Minutes of looks up to the diagnosis, or up to the repair where nothing more was found out after it."""
    best_min: int
    """Minutes of the cheapest way."""
    spent_min: int
    confidence: int
    guess: bool
    """Right, though what had been seen did not show it."""
    known: float
    """0 to 1: how far what had been seen before the diagnosis singled the cause out."""
    known_mending: float
    """The same before what ended the trouble; that of the diagnosis where nobody had to end it."""
    left_mending: int
    """How many things could still have been wrong before what ended the trouble."""
    contradicted: bool
    """The diagnosis could not be true any more after what had been seen."""
    resolution: str

    def remarks(self, language: str) -> tuple[str, ...]:
        """What is to be said about how the mark came about: what rested on luck."""
        found = []
        if self.guess:
            found.append(say("remark_guess", language, left=self.left, candidates=self.candidates))
        if self.contradicted:
            found.append(say("remark_contradicted", language))
        if self.solved and self.resolution == "fixed" and self.known_mending < OPEN_QUESTION:
            found.append(say("remark_lucky", language))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the ticket stands when it is closed."""

    recovered: bool
    """The complaint is over, and will be a day later."""
    by_itself: bool
    """It would have been, without anybody's doing."""
    nothing_to_do: bool
    """Nothing is wrong, or nothing helps."""
    noticed: bool
    """A success after the last change was seen."""


def outcome(session: LabSession) -> Outcome:
    """Where a ticket stands, with the day after it."""
    until = horizon(session)
    acts = tuple(act for act, _ in acts_of(session.deeds))
    ours, without = outlook(session.story, acts, until), outlook(session.story, (), until)

    return Outcome(
        recovered=over(session, ours),
        by_itself=over(session, without),
        nothing_to_do=nothing_to_do(session),
        noticed=session.verified(),
    )


def nothing_to_do(session: LabSession) -> bool:
    """Whether nothing is wrong, or the product itself has no remedy."""
    return all(not cause.fault or not FAULTS[cause.fault].curable for cause in true_causes(session.story))


def correctness(session: LabSession, said: Hypothesis, floor: tuple[Hypothesis, ...]) -> float:
    """How near a diagnosis is to the truth, 0 to 1. What no look can tell from the truth counts as the truth."""
    truths = [true_causes(session.story), *(each for each in floor if len(each) == len(true_causes(session.story)))]
    return max(_match(session, said, truth) for truth in truths)


def _match(session: LabSession, said: Hypothesis, truth: Hypothesis) -> float:
    """F1 over causes: false ones and missing ones both cost."""
    story = session.story
    long, short = (said, truth) if len(said) >= len(truth) else (truth, said)
    best = max(
        sum(likeness(story, one, other) for one, other in zip(chosen, short, strict=True))
        for chosen in permutations(long, len(short))
    )
    return round(2 * best / (len(said) + len(truth)), 4)


def score(session: LabSession) -> Result:
    """The mark of a session."""
    weights = policy().weights
    way = best_way(session.variant)
    last = session.diagnoses[-1] if session.diagnoses else None
    right = correctness(session, last.causes, way.floor) if last is not None else 0.0
    base = grounds(session, last.deeds if last is not None else 0)
    found = _evidence(base)
    done = outcome(session)
    damage = harms(session)
    critical = any(harm.critical for harm in damage)
    solved = _solved(session, done, right)
    impossible = last is not None and contradicted(session, last)
    number = None if done.nothing_to_do or done.by_itself else _ended_by(session)
    mending = _before_mending(session, number, base)
    minutes = min(base.minutes, mending.minutes) if mending.left <= base.left else base.minutes
    by_word, by_deed = worth(0.0 if impossible else base.known), worth(mending.known)
    worked_on = max(by_word if right >= WORKED_ON else 0.0, by_deed if solved and session.deeds else 0.0)
    parts = {
        "correctness": weights["correctness"] * right * by_word,
        "safety": max(weights["safety"] - sum(harm.points for harm in damage), 0) * worked_on,
        "evidence": weights["evidence"] * found,
        "verified": _verified(session, done, solved, right) * by_deed,
        "efficiency": _efficiency(minutes, way, found) * weights["efficiency"] if right >= SOLVED else 0.0,
    }
    total = math.floor(sum(parts.values()) + 0.5)
    if critical:
        total = min(total, weights["critical_cap"])
    if not _halved(session, number, base, mending):
        total = min(total, weights["guess_cap"])
    prices = [weights["hint"][hint.rung - 1] for hint in session.hints]
    worked_example = any(hint.rung == len(weights["hint"]) for hint in session.hints)
    price = min(sum(prices), total // 2) if right >= SOLVED and solved and not worked_example else 0
    total = 0 if worked_example else total - price
    return Result(
        version=__version__,
        total=total,
        band=next(name for lowest, name in BANDS if total >= lowest),
        parts={name: round(points, 2) for name, points in parts.items()},
        correctness=right,
        solved=solved,
        critical=critical,
        harms=tuple(damage),
        hint_price=price,
        worked_example=worked_example,
        candidates=way.candidates,
        left=base.left,
        looks_min=minutes if last is not None else session.charged_min,
        best_min=way.minutes,
        spent_min=session.spent_min,
        confidence=last.confidence if last is not None else 0,
        guess=right >= SOLVED and base.known < OPEN_QUESTION,
        known=round(base.known, 4),
        known_mending=round(mending.known, 4),
        left_mending=mending.left,
        contradicted=impossible,
        resolution=session.resolution,
    )


def _evidence(base: Grounds) -> float:
    """The share of uncertainty, in bits, that had been removed when the diagnosis was handed in."""
    most = math.log2(base.candidates) - math.log2(base.floor)
    share = (math.log2(base.candidates) - math.log2(max(base.left, base.floor))) / most if most else 1.0
    return max(share, 0.0)


def _before_mending(session: LabSession, number: int | None, said: Grounds) -> Grounds:
    """What was known before the deed that ended the trouble; a team that took it over had seen enough to do so."""
    if number is None:
        return said
    if session.deeds[number].by != "trainee":
        return dataclasses.replace(grounds(session, number), left=said.floor)
    return grounds(session, number)


def _halved(session: LabSession, number: int | None, said: Grounds, mending: Grounds) -> bool:
    """Whether half of what could be wrong had been ruled out in time.

    What was seen after the trainee's own deed has ended the trouble comes too late, for the diagnosis as well: whoever has hit upon
    the repair by chance could look up the cause then.
    """
    if number is None or session.deeds[number].by != "trainee":
        return said.halved or mending.halved
    return mending.halved


def _ended_by(session: LabSession) -> int | None:
    """The number of the deed since which the complaint is over; ``None`` while it is not, or when it never needed one."""
    numbers = [number for number, deed in enumerate(session.deeds) if deed.kind == "act"]
    acts = [act for act, _ in acts_of(session.deeds)]
    ended = None
    for count in range(len(acts), -1, -1):
        world = outlook(session.story, tuple(acts[:count]), horizon(session))
        if not over(session, world):
            return ended
        ended = numbers[count - 1] if count else None
    return ended


def _solved(session: LabSession, done: Outcome, right: float) -> bool:
    """The trouble is over; or nothing was to be done, and that was said; or it was rightly left to time."""
    if done.nothing_to_do or (done.by_itself and not _changed(session)):
        return right >= SOLVED and session.resolution in ("nothing", "wait", "fixed") and (done.recovered or done.nothing_to_do)
    return done.recovered


def _changed(session: LabSession) -> bool:
    from wsyncsim.lab.session import STARTS

    return any(deed.kind == "act" and deed.id not in STARTS for deed in session.deeds)


def _verified(session: LabSession, done: Outcome, solved: bool, right: float) -> float:
    """A later success that was looked at, or the right word where there is none to be seen; and a note to the customer."""
    most = policy().weights["verified"] - NOTE_POINTS
    if not solved:
        handed_over = any(escalated.accepted for escalated in session.escalations)
        return float(HANDED_OVER_POINTS if handed_over and right >= SOLVED else 0)
    note = NOTE_POINTS if session.notes else 0
    if done.noticed:
        return float(most + note)
    if session.resolution in ("nothing", "wait") and (done.nothing_to_do or done.by_itself):
        return float(most + note)
    return float(RECOVERED_POINTS + note)


def _efficiency(minutes: int, way: BestWay, found: float) -> float:
    return found * min(1.0, SLACK * way.minutes / max(minutes, 1))
