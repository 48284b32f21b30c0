"""What else could be wrong: other worlds in which the same would be complained of, and which of them looked the same so far.

Nothing here is authored. Every hypothesis is a world of the same estate, generation and dice in which something else is wrong;
it goes through what the trainee does, and is ruled out by the first look that shows other facts there. The cheapest order of
looks is computed from the same worlds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from scenarios.fault import SYNC_FAILS
from scenarios.faults import FAULTS
from scenarios.looks import LOOKS
from scenarios.story import Story
from simulator.errors import WsyncsimError
from simulator.events import FaultBegan
from simulator.units import MINUTE
from wsyncsim.lab.bench import Bench, open_bench, states_of
from wsyncsim.lab.data import policy
from wsyncsim.lab.ticket import Cause, Variant, possible_causes, true_causes, variant, with_causes

if TYPE_CHECKING:
    from scenarios.look import Fact
    from wsyncsim.lab.session import Deed
    from wsyncsim.lab.views import Sight

Hypothesis = tuple[Cause, ...]
"""What may be wrong, all of it."""
Facts = tuple[tuple[str, "Fact"], ...]
WIDTH = 6
"""How many looks are tried at each step of the search for the cheapest order, the most telling for their price first."""


class Option(NamedTuple):
    """A look at a place, as the search for the cheapest order sees it."""

    minutes: int
    id: str
    host: str
    outcomes: tuple[int, ...]
    """For each hypothesis the number of what it would show."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the best way."""

    id: str
    host: str
    minutes: int
    left: int
    """How many hypotheses it leaves."""
    facts: Facts = ()


@dataclass(frozen=True, slots=True)
class BestWay:
    """The cheapest diagnosis of a ticket's variant."""

    steps: tuple[Step, ...]
    minutes: int
    candidates: int
    """How many hypotheses there were at the beginning."""
    floor: tuple[Hypothesis, ...]
    """Those that no look tells from the truth."""


@dataclass(slots=True)
class Panel:
    """The worlds of all hypotheses of a ticket, each as far as the trainee's."""

    ticket: Variant
    story: Story
    opened_at: int
    alive: dict[Hypothesis, Bench] = field(init=False)
    ruled_out: dict[Hypothesis, int] = field(init=False, default_factory=dict)
    """Hypothesis -> number of the sight (from 1) that ruled it out; 0 for what would have refused an action."""
    candidates: int = field(init=False)
    _done: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        ticket = self.ticket
        found = _candidates(self.story, self.opened_at, ticket.broken_us, ticket.complaint, ticket.site)
        self.alive = {hypothesis: _twin(self.story, hypothesis, ticket.broken_us, self.opened_at) for hypothesis in found}
        self.candidates = len(found)

    @property
    def truth(self) -> Hypothesis:
        return true_causes(self.story)

    def follow(self, deeds: Sequence[Deed], sights: Sequence[Sight]) -> None:
        """Go through what the trainee has done since the last time."""
        for deed in deeds[self._done :]:
            if deed.kind == "look":
                sight = sights[deed.sight - 1]
                self.compare(sight.id, sight.host, sight.facts, deed.sight, sight.site, sight.account, sight.target)
            else:
                for hypothesis, bench in list(self.alive.items()):
                    if not _carry_on(bench, deed):
                        self._rule_out(hypothesis, 0)
        self._done = len(deeds)

    def compare(
        self,
        id: str,
        host: str,
        facts: Facts,
        number: int,
        site: str | None = None,
        account: str | None = None,
        target: str | None = None,
    ) -> None:
        """Rule out every hypothesis whose world shows other facts there."""
        for hypothesis, bench in list(self.alive.items()):
            if _facts(bench, id, host, site, account, target) != facts:
                self._rule_out(hypothesis, number)

    def _rule_out(self, hypothesis: Hypothesis, number: int) -> None:
        if hypothesis != self.truth:
            del self.alive[hypothesis]
            self.ruled_out[hypothesis] = number

    def options(self) -> list[Option]:
        """Every look without a trace at every place, with what it would show now in the worlds that are left."""
        benches = list(self.alive.values())
        found = []
        for id, look in sorted(LOOKS.items()):
            if self.story.generation not in look.generations or look.leaves_trace:
                continue
            for host in benches[0].places(id):
                numbers: dict[Facts | None, int] = {}
                outcomes = tuple(numbers.setdefault(_facts(bench, id, host), len(numbers)) for bench in benches)
                if len(numbers) > 1:
                    found.append(Option(look.minutes, id, host, outcomes))
        return found

    def best(self) -> Option | None:
        """The look that begins the cheapest way to tell apart what is left; ``None`` when none can."""
        options = self.options()
        return _Search(options).best(tuple(range(len(self.alive))))[1] if options else None

    def facts(self, hypothesis: Hypothesis, option: Option) -> Facts:
        """What a look would show now if that were wrong."""
        return _facts(self.alive[hypothesis], option.id, option.host) or ()

    def known_enough(self, team: str) -> bool:
        """Whether what is left is the truth and what nobody can tell from it, or is all that team's business."""
        floor = best_way(self.ticket).floor
        if all(hypothesis in floor for hypothesis in self.alive):
            return True
        return all(cause.fault and team in owners(self.story, cause) for hypothesis in self.alive for cause in hypothesis)

    def bits(self) -> float:
        """What is still uncertain, bits."""
        return math.log2(len(self.alive))


def _twin(story: Story, hypothesis: Hypothesis, broken_us: int, until: int) -> Bench:
    """The world in which that is wrong, up to an instant."""
    bench = Bench(with_causes(story, hypothesis, broken_us))
    bench.go(until)
    return bench


@lru_cache(maxsize=256)
def _candidates(story: Story, opened_at: int, broken_us: int, complaint: str, site: str) -> tuple[Hypothesis, ...]:
    """Which hypotheses would be complained of in the same words when the ticket is opened; the truth, and "nothing", always."""
    truth = true_causes(story)
    return tuple(
        hypothesis
        for hypothesis in _hypotheses(story, truth)
        if hypothesis == truth
        or not hypothesis[0].fault
        or _twin(story, hypothesis, broken_us, opened_at).complains(complaint, site)
    )


def _hypotheses(story: Story, truth: Hypothesis) -> Iterator[Hypothesis]:
    """All single causes; where more than one thing is wrong, also all pairs with one of these."""
    singles = possible_causes(story)
    for cause in singles:
        yield (cause,)
    if len(truth) > 1:
        yield truth
        for cause in singles:
            if cause.fault and cause not in truth:
                yield (truth[0], cause)
                yield (cause, truth[1])


def _carry_on(bench: Bench, deed: Deed) -> bool:
    try:
        if deed.kind == "go":
            bench.go(deed.until)
        else:
            bench.act(deed.id, deed.site, deed.until - deed.at)
    except WsyncsimError:
        return False
    return True


def _facts(
    bench: Bench, id: str, host: str, site: str | None = None, account: str | None = None, target: str | None = None
) -> Facts | None:
    try:
        return bench.facts(id, host=host, site=site, account=account, target=target)
    except WsyncsimError:
        return None


class _Search:
    """Looks for the cheapest order: the expected minutes until nothing more can be told apart, all hypotheses equally likely."""

    def __init__(self, options: Sequence[Option]) -> None:
        cheapest: dict[tuple[int, ...], Option] = {}
        for option in options:
            if option.outcomes not in cheapest or option < cheapest[option.outcomes]:
                cheapest[option.outcomes] = option
        self._options = sorted(cheapest.values())
        self._memo: dict[tuple[int, ...], tuple[float, Option | None]] = {}

    def best(self, left: tuple[int, ...]) -> tuple[float, Option | None]:
        """Expected minutes, and the look to begin with."""
        if len(left) == 1:
            return 0.0, None
        if left not in self._memo:
            self._memo[left] = self._find(left)
        return self._memo[left]

    def _find(self, left: tuple[int, ...]) -> tuple[float, Option | None]:
        useful: dict[tuple[int, ...], tuple[float, Option, list[tuple[int, ...]]]] = {}
        for option in self._options:
            groups: dict[int, list[int]] = {}
            for number in left:
                groups.setdefault(option.outcomes[number], []).append(number)
            if len(groups) > 1:
                first: dict[int, int] = {}
                shape = tuple(first.setdefault(option.outcomes[number], len(first)) for number in left)
                gain = math.log2(len(left)) - sum(len(group) * math.log2(len(group)) for group in groups.values()) / len(left)
                if shape not in useful or option < useful[shape][1]:
                    useful[shape] = (gain / option.minutes, option, [tuple(group) for group in groups.values()])
        promising = sorted(useful.values(), key=lambda each: (-each[0], each[1]))[:WIDTH]
        found: tuple[float, Option | None] = (0.0, None)
        for _, option, parts in promising:
            cost = option.minutes + sum(len(part) * self.best(part)[0] for part in parts) / len(left)
            if found[1] is None or (cost, option) < (found[0], found[1]):
                found = (cost, option)
        return found


def best_way(ticket: Variant) -> BestWay:
    """The cheapest diagnosis of a variant, step by step, as it would really go: every look takes its time."""
    return _best_way(ticket.ticket.id, ticket.seed, ticket.role, ticket.story.generation)


@lru_cache(maxsize=64)
def _best_way(id: str, seed: int, role: str, generation: str) -> BestWay:
    ticket = variant(id, seed, role=role, generation=generation)
    bench, story, opened_at = open_bench(ticket)
    panel = Panel(ticket, story, opened_at)
    steps: list[Step] = []
    while (option := panel.best()) is not None:
        facts = panel.facts(panel.truth, option)
        panel.compare(option.id, option.host, facts, len(steps) + 1)
        steps.append(Step(option.id, option.host, option.minutes, len(panel.alive), facts))
        for each in panel.alive.values():
            each.go(each.now + option.minutes * MINUTE)
    if not steps:
        minutes, look, host = min(
            (look.minutes, each, place)
            for each, look in LOOKS.items()
            if story.generation in look.generations and not look.leaves_trace
            for place in bench.places(each)
        )
        steps.append(Step(look, host, minutes, len(panel.alive)))
    return BestWay(tuple(steps), sum(step.minutes for step in steps), panel.candidates, tuple(panel.alive))


def difficulty(ticket: Variant) -> float:
    """How hard a variant is, about 2 to 15: minutes of the best way, explanations to begin with, consoles on the way, causes that
    hide behind another one, and whether no error is shown at all."""
    way, truth = best_way(ticket), true_causes(ticket.story)
    consoles = {LOOKS[step.id].do.__module__ for step in way.steps}
    hidden, silent = len(truth) - 1, ticket.complaint != SYNC_FAILS
    return round(way.minutes / 4 + math.log2(way.candidates) + len(consoles) / 2 + 2 * hidden + 2 * silent, 1)


# --- what a cause changes, and who mends it


class Effect(NamedTuple):
    """A setting that deviates."""

    entity: str
    kind: str
    """Class of the state."""
    name: str


@lru_cache(maxsize=1024)
def _effects(story: Story, cause: Cause) -> frozenset[Effect]:
    world = with_causes(story, (), 0).build()
    began = FAULTS[cause.fault].begin(world, cause.site).event
    assert isinstance(began, FaultBegan)
    changed = {Effect(state.entity, type(state).__name__, name) for state in states_of(world) for name in state.why}
    return frozenset(changed | {Effect(began.entity, "", began.setting)})


def effects(story: Story, cause: Cause) -> frozenset[Effect]:
    """What a cause changes in this estate; nothing for "nothing is wrong"."""
    return _effects(story, cause) if cause.fault else frozenset()


def owners(story: Story, cause: Cause) -> list[str]:
    """The teams whose business it is, besides second level."""
    kinds = {effect.kind for effect in effects(story, cause)}
    return [team for team, theirs in policy().teams.items() if kinds.intersection(theirs)]


def right_steps(story: Story, cause: Cause) -> list[tuple[str, str]]:
    """The catalogue's own repair: action and site, in order."""
    return FAULTS[cause.fault].steps(story.estate, cause.site, story.generation, story.seed) if cause.fault else []


def likeness(story: Story, said: Cause, true: Cause) -> float:
    """How near a diagnosed cause is to a true one: 1 the same, less for the same component, and for the same server."""
    if said == true:
        return 1.0
    ours, theirs = effects(story, said), effects(story, true)
    if not ours or not theirs:
        return 0.0
    if {effect.entity for effect in ours} & {effect.entity for effect in theirs}:
        return policy().partial["component"]
    if {effect.entity.split("/")[0] for effect in ours} & {effect.entity.split("/")[0] for effect in theirs}:
        return policy().partial["neighbour"]
    return 0.0
