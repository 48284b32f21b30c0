"""Pairs of faults under cross-examination: do they explain all there is to explain, and which of them hides which?

Both faults of a pair begin shortly before a scheduled synchronization, in an estate composed for them. What they leave is
compared, seed by seed, with the same story without both and without either one:

1. every failure's chain must end at one of the two, or at a repair: who cancels WSUS's synchronization ends ConfigMgr's run;
2. what is blamed on one of them must be gone without both, and without that one alone. A line that the other one would have
   brought about by itself is not gone, and yet not to blame: it counts as gone;
3. repaired one after the other, in this order and in the other, the last synchronization must succeed and the complaints be
   over. Some repairs come to nothing while the other fault is there (a console that cannot connect, a request that a failing
   run uses up); they are done again at the end, and the proof tells of it;
4. what one of them shows by itself, but not before the other is repaired, is what that other one hides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import cast

from scenarios.composing import compose_for
from scenarios.fault import Fault
from scenarios.faults import FAULTS
from scenarios.played import TROUBLE, Played, not_gone, play, symptom
from scenarios.story import START, STARTS, TRY, Step, Story
from scenarios.story_file import Generation
from scenarios.text import Text
from scenarios.truth import faults_of, root
from simulator.dice import Dice
from simulator.errors import EstateError
from simulator.events import ActionTaken, SyncFailed, SyncSucceeded
from simulator.journal import Entry
from simulator.units import HOUR, MINUTE
from simulator.versions import VERSIONS

STEP_US = 5 * MINUTE
"""Between the steps of a repair."""
PAUSE_US = 100 * MINUTE
"""Between the repair of the first fault and that of the second: time enough for the second to show both its faces."""
HOURS_AFTER = 11
"""After the last action; a first synchronization takes hours."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two faults in one generation, with the seed of their day."""

    first: str
    second: str
    generation: Generation
    seed: int

    @property
    def ids(self) -> tuple[str, str]:
        return self.first, self.second

    @property
    def faults(self) -> tuple[Fault, Fault]:
        return FAULTS[self.first], FAULTS[self.second]


@dataclass(slots=True)
class PairProof:
    """The outcome for one pair."""

    first: str
    second: str
    generation: str
    seed: int
    shows: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What each of the two shows when it is alone."""
    hides: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By fault: what the other one shows only after this one is repaired."""
    repaired_twice: tuple[str, ...] = ()
    """Faults whose repair comes to nothing while the other one is there."""
    problems: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.problems


# --- which pairs


def possible(generations: tuple[str, ...] = (), seed: int = 1) -> list[Pair]:
    """All pairs that can happen together in one estate, in order of the catalogue."""
    found = []
    ids = tuple(FAULTS)
    for generation in generations or tuple(VERSIONS):
        for number, first in enumerate(ids):
            for second in ids[number + 1 :]:
                try:
                    compose_for((FAULTS[first], FAULTS[second]), generation, seed)
                except EstateError:
                    continue
                found.append(Pair(first, second, cast(Generation, generation), seed))
    return found


def draw(count: int, *, seed: int = 1, generations: tuple[str, ...] = (), ids: Sequence[str] = ()) -> list[Pair]:
    """``count`` different pairs (or all there are) in which all faults of ``ids`` are, drawn by the seed."""
    pairs = [pair for pair in possible(generations, seed) if set(ids) <= set(pair.ids)]
    dice = Dice(seed).stream("pairs")
    return [pairs.pop(dice.between(0, len(pairs))) for _ in range(min(count, len(pairs)))]


# --- their story


def story_of(pair: Pair, *, reverse: bool = False, again: bool = False) -> Story:
    """The two faults, an attempt to synchronize, both repairs (``reverse``: the second fault's first), another attempt.

    ``again``: the repair that came first is done once more after the other.
    """
    estate, sites = compose_for(pair.faults, pair.generation, pair.seed)
    start, top = STARTS.get(pair.generation, START), estate.top
    sync_us = (top.sync_at_h - start.hour) * HOUR
    begin_us = [sync_us - fault.before_min * MINUTE for fault in pair.faults]
    if begin_us[0] == begin_us[1]:
        begin_us[1] += MINUTE
    steps = [Step(at, "fault", id, site) for at, id, site in zip(begin_us, pair.ids, sites, strict=True)]
    steps.append(Step(sync_us + max(fault.try_min for fault in pair.faults) * MINUTE, "repair", TRY, top.code))
    at = sync_us + max(fault.repair_min for fault in pair.faults) * MINUTE
    order = [1, 0] if reverse else [0, 1]
    for number in order + (order[:1] if again else []):
        for repair, code in pair.faults[number].steps(estate, sites[number], pair.generation, pair.seed):
            steps.append(Step(at, "repair", repair, code))
            at += STEP_US
        at += PAUSE_US
    steps.append(Step(at, "repair", TRY, top.code))
    steps.sort(key=lambda step: step.at)
    name = f"{pair.first} and {pair.second}"
    return Story(
        name=name,
        title=Text(name, f"{pair.first} und {pair.second}"),
        ticket=None,
        estate=estate,
        generation=pair.generation,
        os_language="en",
        start=start,
        hours=at // HOUR + HOURS_AFTER,
        seed=pair.seed,
        timeline=tuple(steps),
    )


def _without(story: Story, id: str) -> Story:
    return replace(story, timeline=tuple(step for step in story.timeline if step.kind != "fault" or step.id != id))


# --- the proof


def prove_pair(pair: Pair) -> PairProof:
    """Prove one pair."""
    proof = PairProof(pair.first, pair.second, pair.generation, pair.seed)
    forth = _repaired(proof, pair, reverse=False)
    back = _repaired(proof, pair, reverse=True)
    story = forth.story
    neither = play(story.without_faults(), *pair.ids)
    alone = {other: play(_without(story, id), *pair.ids) for id, other in (pair.ids, pair.ids[::-1])}
    for day in (forth, back):
        _check_causes(proof, pair, day.played.entries)
    _check_counterfactuals(proof, pair, forth.played, neither, alone)
    for id, other, day in ((pair.first, pair.second, forth), (pair.second, pair.first, back)):
        proof.shows[other] = _symptoms(alone[other].entries, other)
        hidden = _hidden(day, proof.shows[other], other)
        if hidden:
            proof.hides[id] = hidden
    return proof


@dataclass(slots=True)
class _Day:
    """A story of the pair, what it left, and when the first and the second repair began."""

    story: Story
    played: Played
    first_at: int
    second_at: int


def _repaired(proof: PairProof, pair: Pair, *, reverse: bool) -> _Day:
    """Play the story with the repairs in that order; if that does not help, with the first one once more after the second."""
    first = pair.second if reverse else pair.first
    day = partial(_play, pair, reverse=reverse)
    once = day(again=False)
    if not _ills(pair, once):
        return once
    twice = day(again=True)
    ills = _ills(pair, twice)
    proof.problems += [f"{ill} (repaired: {first} first)" for ill in ills]
    if not ills:
        proof.repaired_twice = (*proof.repaired_twice, first)
    return twice


def _play(pair: Pair, *, reverse: bool, again: bool) -> _Day:
    story = story_of(pair, reverse=reverse, again=again)
    repairs = [step.at for step in story.timeline if step.kind == "repair"][1:]
    second = next(at for before, at in pairwise(repairs) if at - before > PAUSE_US)
    played = play(story, *pair.ids, lines=not reverse)
    return _Day(story, played, story.start_at + repairs[0], story.start_at + second)


def _ills(pair: Pair, day: _Day) -> list[str]:
    """What is not well in the end."""
    entries, ills = day.played.entries, []
    last_at = max(entry.at for entry in entries if isinstance(entry.event, ActionTaken))
    _, sites = compose_for(pair.faults, pair.generation, pair.seed)
    for site in dict.fromkeys(sites):
        ends = [
            entry
            for entry in entries
            if entry.at > last_at and isinstance(entry.event, SyncFailed | SyncSucceeded) and (entry.run or "").startswith(site)
        ]
        if not ends or isinstance(ends[-1].event, SyncFailed):
            ills.append(f"the last synchronization of {site} {'fails' if ends else 'does not end'}")
    for fault in pair.faults:
        looked = day.played.complaints[fault.id]
        if looked and looked[-1][1] is fault.curable:
            ills.append(f"the complaint of {fault.id} is {'still there' if fault.curable else 'gone'}: {fault.complaint}")
    return ills


def _check_causes(proof: PairProof, pair: Pair, entries: list[Entry]) -> None:
    for entry in entries:
        end = root(entry)
        repaired = end is not None and isinstance(end.event, ActionTaken)
        if isinstance(entry.event, TROUBLE) and not repaired and not set(faults_of(entry)) & set(pair.ids):
            proof.problems.append(f"{entry.id} ({type(entry.event).__name__}) is explained by neither")


def _check_counterfactuals(proof: PairProof, pair: Pair, both: Played, neither: Played, alone: dict[str, Played]) -> None:
    if any(line.faults for _, line in neither.lines):
        proof.problems.append("lines are blamed on faults that are not there")
    blamed = [(key, line) for key, line in both.lines if line.faults]
    for entry in not_gone(blamed, both.lines, neither.lines):
        proof.problems.append(f"{entry} is blamed, but what it says is there without both faults too")
    for id, other in (pair.ids, pair.ids[::-1]):
        of_this = [(key, line) for key, line in blamed if id in line.faults]
        healthy = [(key, line) for key, line in alone[other].lines if not line.faults]
        for entry in not_gone(of_this, both.lines, healthy):
            proof.problems.append(f"{entry} is blamed on {id}, but what it says is there without {id} too")


# --- who hides whom


def _symptoms(entries: list[Entry], id: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(symptom(entry.event) for entry in entries if isinstance(entry.event, TROUBLE) and id in faults_of(entry))
    )


def _hidden(day: _Day, shown_alone: tuple[str, ...], other: str) -> tuple[str, ...]:
    """What ``other`` shows by itself, here only after the first repair, and before its own."""
    entries = day.played.entries
    before = _symptoms([entry for entry in entries if entry.at < day.first_at], other)
    after = _symptoms([entry for entry in entries if day.first_at <= entry.at < day.second_at], other)
    return tuple(face for face in shown_alone if face not in before and face in after)
