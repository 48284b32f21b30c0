"""The matrix of diagnosis: which look tells which fault from which, computed by playing every fault and taking every look."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, cast

from scenarios.catalogue import fault_ids
from scenarios.complaint import COMPLAINTS
from scenarios.diagnosis import Candidates, Cost, Leaf, Node, costs, first_look, follow, grow, minutes_of, told_apart
from scenarios.evidence import Case, Sample, Spot, Task, can_happen, cases_of, gather, hidden_causes, newest
from scenarios.fault import SYNC_FAILS
from scenarios.faults import FAULTS
from scenarios.mistakes import did_you_mean
from scenarios.text import Language
from simulator.errors import WsyncsimError
from simulator.versions import VERSIONS

if TYPE_CHECKING:
    from scenarios.story_file import Generation


class MatrixError(WsyncsimError):
    """There is nothing to compare."""


class Pair(NamedTuple):
    """Two faults, and what tells them apart."""

    one: str
    other: str
    generation: Generation
    """The newest of those played that has both."""
    spots: tuple[Spot, ...]
    """The cheapest look; several where the faces need several; none where nothing helps."""
    minutes: int
    separable: bool
    same_complaint: bool


class Group(NamedTuple):
    """Faults that look alike in wsyncmgr.log."""

    cases: tuple[Case, ...]
    splits: tuple[tuple[Spot, tuple[tuple[str, ...], ...]], ...]
    """Looks that split it, the best first, and into what."""


class Hidden(NamedTuple):
    """What became of a fault that hides another."""

    fault: str
    generation: Generation
    seed: int
    cause: str
    """The fault behind it."""
    found: tuple[str, ...] | None
    """Where the tree leads; ``None`` when the fault behind it was not asked for, or the tree knows no such signs."""


@dataclass(frozen=True)
class Region:
    """One generation: all cases, and the trees for every complaint."""

    generation: Generation
    cases: Mapping[str, tuple[Case, ...]]
    """Fault -> its faces."""

    @cached_property
    def candidates(self) -> Mapping[str, Candidates]:
        """Complaint -> the cases that somebody may complain of in those words."""
        found: dict[str, list[Case]] = {}
        for name in COMPLAINTS:
            for fault, cases in self.cases.items():
                if FAULTS[fault].complaint == name:
                    found.setdefault(name, []).extend(cases)
        return {name: Candidates(cases) for name, cases in found.items()}

    @cached_property
    def trees(self) -> Mapping[str, Node | Leaf]:
        """Complaint -> the cheapest way to the cause."""
        found = {}
        for name, candidates in self.candidates.items():
            first = first_look(candidates, candidates.all) if name == SYNC_FAILS else None
            found[name] = grow(candidates, candidates.all, first)
        return found

    @cached_property
    def costs(self) -> Mapping[str, Cost]:
        """Fault -> minutes from the complaint to the cause."""
        found: dict[str, Cost] = {}
        for tree in self.trees.values():
            found |= costs(tree)
        return dict(sorted(found.items()))

    @cached_property
    def spots(self) -> tuple[Spot, ...]:
        """Every look that shows something of some fault; the cheapest first."""
        found = {spot for cases in self.cases.values() for case in cases for spot in case.ever}
        return tuple(sorted(found, key=lambda spot: (minutes_of(spot), spot)))

    def telling(self, one: str, other: str) -> tuple[Spot, ...] | None:
        """The cheapest looks that tell two faults apart, whatever their faces; ``None`` when nothing does."""
        pairs = [(mine, theirs) for mine in self.cases[one] for theirs in self.cases[other]]
        told = {spot: {number for number, pair in enumerate(pairs) if told_apart(*pair, spot)} for spot in self.spots}
        chosen: list[Spot] = []
        left = set(range(len(pairs)))
        for spot in self.spots:
            if told[spot] == left:
                return (spot,)
        while left:
            best = max(self.spots, key=lambda spot: len(told[spot] & left) / minutes_of(spot), default=None)
            if best is None or not told[best] & left:
                return None
            chosen.append(best)
            left -= told[best]
        return tuple(sorted(chosen))

    def alike(self) -> Iterator[Group]:
        """Groups of faults with the same text in wsyncmgr.log."""
        candidates = self.candidates.get(SYNC_FAILS)
        first = first_look(candidates, candidates.all) if candidates is not None else None
        if candidates is None or first is None:
            return
        for mask in candidates.split(candidates.all, (first,)):
            if len(candidates.faults(mask)) > 1:
                splits = []
                for step in candidates.steps(mask, (first,)):
                    parts = candidates.split(mask, (first, step.spot))
                    splits.append((step.spot, tuple(candidates.faults(part) for part in parts)))
                yield Group(candidates.of(mask), tuple(splits))


@dataclass(frozen=True)
class Matrix:
    """Everything that was found out."""

    faults: tuple[str, ...]
    """All that were asked for, hidden ones too."""
    seeds: tuple[int, ...]
    regions: Mapping[Generation, Region]
    """Newest generation first."""
    hidden: tuple[Hidden, ...]

    @property
    def home(self) -> Region:
        """The generation that has most of the faults; of several, the newest."""
        return max(self.regions.values(), key=lambda region: len(region.cases))

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Every two faults that some generation has both of."""
        return tuple(self._pairs())

    def _pairs(self) -> Iterator[Pair]:
        causes = [id for id in self.faults if any(id in region.cases for region in self.regions.values())]
        for number, one in enumerate(causes):
            for other in causes[number + 1 :]:
                region = next((each for each in self.regions.values() if one in each.cases and other in each.cases), None)
                if region is not None:
                    spots = region.telling(one, other)
                    same = FAULTS[one].complaint == FAULTS[other].complaint
                    told = spots or ()
                    yield Pair(one, other, region.generation, told, sum(map(minutes_of, told)), spots is not None, same)

    @property
    def inseparable(self) -> tuple[Pair, ...]:
        """The honest exceptions."""
        return tuple(pair for pair in self.pairs if not pair.separable)


def chosen_faults(words: Sequence[str]) -> tuple[str, ...]:
    """Fault ids, in the order of the catalogue. A word is an id, or the letter of a family (``S``); none means all.

    Raises ``MatrixError`` for others.
    """
    known = fault_ids()
    wanted = set()
    for word in words:
        found = {id for id in known if word.upper() in (id, id[:1])}
        if not found:
            raise MatrixError(f"there is no fault {word!r}", hint=did_you_mean(word.upper(), known, "`wsyncsim list` shows all"))
        wanted |= found
    return tuple(id for id in known if not words or id in wanted)


def compute(
    faults: Sequence[str] = (),
    generations: Sequence[str] = (),
    seeds: Sequence[int] = (1, 2, 3),
    *,
    languages: Sequence[Language] = ("en",),
    jobs: int = 1,
    progress: Callable[[float], None] = lambda _share: None,
) -> Matrix:
    """Play the faults (``chosen_faults``) and compare what they show.

    ``generations``: by default the newest of each fault; every fault is played in all of them that have it. ``jobs``: how many
    processes; more than one needs an importable main module, as ``multiprocessing`` does with ``spawn``.
    """
    ids = chosen_faults(faults)
    wanted = set(generations) or {newest(FAULTS[id]) for id in ids}
    tasks = [
        Task(id, cast("Generation", generation), tuple(seeds), tuple(languages))
        for generation in reversed(list(VERSIONS))
        if generation in wanted
        for id in ids
        if can_happen(FAULTS[id], generation)
    ]
    if not tasks:
        raise MatrixError("none of these faults exists in that generation", hint="`wsyncsim list` shows generations")
    cases: dict[Generation, dict[str, tuple[Case, ...]]] = {}
    hidden: list[tuple[Task, list[Sample]]] = []
    for task, found in gather(tasks, jobs, progress):
        of_generation = cases.setdefault(task.generation, {})
        if FAULTS[task.fault].behind is not None:
            hidden.append((task, found))
        else:
            of_generation[task.fault] = tuple(cases_of(task.fault, found))
    regions = {generation: Region(generation, found) for generation, found in cases.items()}
    told = tuple(_unmask(task, sample, regions[task.generation]) for task, found in hidden for sample in found if sample.first)
    return Matrix(ids, tuple(seeds), regions, told)


def _unmask(task: Task, sample: Sample, region: Region) -> Hidden:
    """Follow the tree with what a hidden fault shows."""
    leaf = None
    complaint = FAULTS[task.fault].complaint
    if sample.fault in region.cases and complaint in region.trees:
        leaf = follow(region.trees[complaint], sample, region.candidates[complaint])
    return Hidden(task.fault, task.generation, sample.seed, sample.fault, leaf.faults if leaf is not None else None)


def possible_causes(fault: str, generation: Generation) -> tuple[str, ...]:
    """Which faults a hidden one may be; empty for all others."""
    return hidden_causes(FAULTS[fault], generation)
