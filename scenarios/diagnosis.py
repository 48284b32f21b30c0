"""From what was seen to the cause: which faults are left, which look to take next, and the whole way as a tree.

Two cases can be told apart by a look when one always shows there what the other never shows. A look divides the cases that are
left into groups that can all be told apart from each other; the best look is the one that tells most about the fault, in bits,
per minute. That is greedy, and deterministic: what is equal is decided by minutes, id and place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from scenarios.looks import LOOKS

if TYPE_CHECKING:
    from scenarios.evidence import Case, Sample, Sign, Spot

LOG = "wsyncmgr.log"
"""Title of the look that everybody takes first when a synchronization fails."""
_NONE: frozenset[Sign] = frozenset()
_NO_TEXTS: frozenset[str] = frozenset()
_LITTLE = 1e-9


class Step(NamedTuple):
    """A look to take next."""

    spot: Spot
    minutes: int
    gain_bits: float
    """How much it tells about the fault, on average."""


def minutes_of(spot: Spot) -> int:
    """What a look costs, simulated minutes."""
    return LOOKS[spot.look].minutes


def contradicts(sign: Sign, spot: Spot, case: Case) -> bool:
    """Whether that sign cannot be of that case: it never shows there.

    What is missing contradicts only where it is there: an estate without a proxy misses no proxy.
    """
    if sign in case.ever.get(spot, _NONE):
        return False
    return sign.there or sign.text in case.stays.get(spot, _NO_TEXTS)


def told_apart(one: Case, other: Case, spot: Spot) -> bool:
    """Whether that look tells one case from the other, with every seed."""
    return any(
        contradicts(sign, spot, theirs) for mine, theirs in ((one, other), (other, one)) for sign in mine.always.get(spot, _NONE)
    )


class Candidates:
    """Cases among which the right one is, and what every look makes of them. Sets of cases are bit masks."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.cases = tuple(cases)
        self.all = (1 << len(self.cases)) - 1
        self.spots = tuple(sorted({spot for case in self.cases for spot in case.ever if spot.look in LOOKS}))
        faces: dict[str, int] = {}
        for case in self.cases:
            faces[case.fault] = faces.get(case.fault, 0) + 1
        self._weights = [1 / faces[case.fault] for case in self.cases]
        self._alike = {spot: self._alike_at(spot) for spot in self.spots}

    def _alike_at(self, spot: Spot) -> list[int]:
        alike = [1 << number for number in range(len(self.cases))]
        for number, one in enumerate(self.cases):
            for other in range(number):
                if not told_apart(one, self.cases[other], spot):
                    alike[number] |= 1 << other
                    alike[other] |= 1 << number
        return alike

    def of(self, mask: int) -> tuple[Case, ...]:
        return tuple(case for number, case in enumerate(self.cases) if mask >> number & 1)

    def faults(self, mask: int) -> tuple[str, ...]:
        """The faults of these cases, each once."""
        return tuple(dict.fromkeys(case.fault for case in self.of(mask)))

    def mask(self, wanted: Callable[[Case], bool]) -> int:
        return sum(1 << number for number, case in enumerate(self.cases) if wanted(case))

    def split(self, mask: int, spots: Iterable[Spot]) -> list[int]:
        """Groups of cases that those looks together tell apart."""
        tables = [self._alike[spot] for spot in spots if spot in self._alike]
        groups = []
        while mask:
            group, new = 0, mask & -mask
            while new:
                number = (new & -new).bit_length() - 1
                group |= 1 << number
                near = mask
                for table in tables:
                    near &= table[number]
                new = (new | near) & ~group
            groups.append(group)
            mask &= ~group
        return groups

    def entropy(self, mask: int) -> float:
        """How uncertain the fault is, bits."""
        weights: dict[str, float] = {}
        for number, case in enumerate(self.cases):
            if mask >> number & 1:
                weights[case.fault] = weights.get(case.fault, 0.0) + self._weights[number]
        total = sum(weights.values())
        return -sum(weight / total * math.log2(weight / total) for weight in weights.values()) if total else 0.0

    def weight(self, mask: int) -> float:
        return sum(weight for number, weight in enumerate(self._weights) if mask >> number & 1)

    def steps(self, mask: int, paid: Sequence[Spot] = ()) -> list[Step]:
        """Every look that would tell something, the best first."""
        before, total = self.entropy(mask), self.weight(mask)
        found = []
        for spot in self.spots:
            groups = self.split(mask, (*paid, spot))
            gain = before - sum(self.weight(group) / total * self.entropy(group) for group in groups)
            if len(groups) > 1 and gain > _LITTLE:
                found.append(Step(spot, minutes_of(spot), round(gain, 6)))
        return sorted(found, key=lambda step: (-step.gain_bits / step.minutes, step.minutes, step.spot))

    @cached_property
    def vocabulary(self) -> Mapping[Spot, frozenset[Sign]]:
        """What some case always shows; the rest is noise."""
        return {spot: frozenset().union(*(case.always.get(spot, _NONE) for case in self.cases)) for spot in self.spots}


# --- somebody who looks


@dataclass(slots=True)
class Diagnosis:
    """A search for the cause: what has been seen so far, and what follows from it."""

    candidates: Candidates
    seen: dict[Spot, tuple[frozenset[Sign], frozenset[str]]] = field(default_factory=dict)

    def see(self, spot: Spot, signs: frozenset[Sign], stays: frozenset[str] = _NO_TEXTS) -> None:
        """Take down what a look showed (``scenarios.evidence.signs_of``), and what of it is as on the healthy day.

        Nothing unusual is worth telling as well.
        """
        self.seen[spot] = signs, stays

    @property
    def minutes(self) -> int:
        """What the looks so far have cost."""
        return sum(minutes_of(spot) for spot in self.seen)

    def _fits(self, case: Case) -> bool:
        vocabulary = self.candidates.vocabulary
        for spot, (signs, stays) in self.seen.items():
            if any(contradicts(sign, spot, case) for sign in signs & vocabulary.get(spot, _NONE)):
                return False
            if any(sign.there or sign.text in stays for sign in case.always.get(spot, _NONE) - signs):
                return False
        return True

    @property
    def mask(self) -> int:
        """The cases that fit all that was seen."""
        return self.candidates.mask(self._fits)

    @property
    def left(self) -> tuple[str, ...]:
        """The faults that fit all that was seen."""
        return self.candidates.faults(self.mask)

    def next_look(self) -> Step | None:
        """The look with the best gain per minute; ``None`` when no look tells more."""
        mask = self.mask
        steps = self.candidates.steps(mask, tuple(self.seen)) if mask else []
        return steps[0] if steps else None


# --- the tree


@dataclass(frozen=True, slots=True)
class Leaf:
    """The end of a way: one cause, or several that nothing tells apart."""

    faults: tuple[str, ...]
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One outcome of a look."""

    cases: tuple[Case, ...]
    then: Node | Leaf


@dataclass(frozen=True, slots=True)
class Node:
    """A look to take, and what it may show."""

    spot: Spot
    minutes: int
    gain_bits: float
    paid: tuple[Spot, ...]
    """Looks taken before."""
    branches: tuple[Branch, ...]


class Cost(NamedTuple):
    """What finding a cause costs, minutes."""

    expected: float
    worst: int


def first_look(candidates: Candidates, mask: int) -> Spot | None:
    """``wsyncmgr.log`` of the site that suffers, if it tells anything."""
    for spot in candidates.spots:
        if LOOKS[spot.look].title("cb", "en") == LOG and spot.place == "ss" and len(candidates.split(mask, (spot,))) > 1:
            return spot
    return None


def grow(candidates: Candidates, mask: int, first: Spot | None = None, paid: tuple[Spot, ...] = ()) -> Node | Leaf:
    """The cheapest way to the cause of these cases, look by look; it begins with ``first``."""
    faults = candidates.faults(mask)
    steps = candidates.steps(mask, paid) if len(faults) > 1 else []
    if first is not None:
        steps = [step for step in steps if step.spot == first] or steps
    if not steps:
        return Leaf(faults, candidates.of(mask))
    step = steps[0]
    taken = (*paid, step.spot)
    groups = candidates.split(mask, taken)
    branches = tuple(Branch(candidates.of(group), grow(candidates, group, None, taken)) for group in groups)
    return Node(step.spot, step.minutes, step.gain_bits, paid, branches)


def leaves(tree: Node | Leaf, looks: tuple[Spot, ...] = ()) -> Iterator[tuple[Leaf, tuple[Spot, ...]]]:
    """Every end of the tree, and the looks on the way to it."""
    if isinstance(tree, Leaf):
        yield tree, looks
        return
    for branch in tree.branches:
        yield from leaves(branch.then, (*looks, tree.spot))


def costs(tree: Node | Leaf) -> dict[str, Cost]:
    """Fault -> what it costs to find it, over its faces."""
    found: dict[str, list[int]] = {}
    for leaf, looks in leaves(tree):
        for case in leaf.cases:
            found.setdefault(case.fault, []).append(sum(map(minutes_of, looks)))
    return {fault: Cost(sum(each) / len(each), max(each)) for fault, each in sorted(found.items())}


def follow(tree: Node | Leaf, sample: Sample, candidates: Candidates) -> Leaf | None:
    """Where somebody ends who follows the tree and sees what the sample shows; ``None`` who meets what no branch knows."""
    diagnosis = Diagnosis(candidates)
    while isinstance(tree, Node):
        diagnosis.see(tree.spot, sample.facts.get(tree.spot, _NONE), sample.stays.get(tree.spot, _NO_TEXTS))
        left = {case.name for case in candidates.of(diagnosis.mask)}
        open_ways = [branch for branch in tree.branches if any(case.name in left for case in branch.cases)]
        if len(open_ways) != 1:
            return None
        tree = open_ways[0].then
    return tree
