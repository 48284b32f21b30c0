"""A plan, read and worked out: which run has which number, and what is played in it.

Runs are not kept in a list. A ``Cell`` is a combination of fault, estate, generation, language and time zone with a number of
seeds; the run of a number is found by arithmetic, so a plan of a million runs takes no more memory than one of ten. Everything
about a run follows from the plan and its number: who makes it, when and in which order does not matter.
"""

from __future__ import annotations

import dataclasses
import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, cast

import msgspec

from scenarios import story_file
from scenarios.faults import FAULTS
from scenarios.mistakes import Path as KeyPath
from scenarios.mistakes import Source, StoryError, convert, did_you_mean, read_toml
from scenarios.story import Changes, Step, Story, default_story, read_estate
from scenarios.story_file import Generation
from scenarios.text import Language, Text
from simulator.clock import Zone
from simulator.dice import Stream
from simulator.errors import EstateError
from simulator.estate import ESTATES, Estate
from simulator.units import HOUR, MINUTE, SECOND
from simulator.versions import VERSIONS
from wsyncsim.corpus.plan_file import SPLITS, USUAL, File, Split

HEALTHY = "healthy"
"""Scenario of runs in which nothing goes wrong."""
HEALTHY_TITLE = Text("Nothing goes wrong", "Nichts geht schief")
EXTRA_FAULT_MIN = (10, 360)
"""How long a fault lasts that comes on top, minutes [C]."""
_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True)
class Environment:
    """Where and when runs play, whatever goes wrong in them."""

    estate: str
    """Name of the estate."""
    generation: str
    os_language: str
    timezone: str
    """Empty for the estate's own."""

    @property
    def key(self) -> str:
        return f"{self.estate}/{self.generation}/{self.os_language}/{self.timezone}"


@dataclass(frozen=True, slots=True)
class Cell:
    """Runs that differ by their seed only."""

    scenario: str
    """Id of the fault, or ``healthy``."""
    environment: Environment
    rounds: int
    """Number of seeds."""
    split: Split


@dataclass(frozen=True, slots=True)
class Shard:
    """A piece of work: runs that are written into one file of each form."""

    split: Split
    number: int
    shards: int
    """Shards of the split."""
    first: int
    """Number of its first run within the split."""
    runs: int

    @property
    def name(self) -> str:
        return f"{self.split}-{self.number:05}-of-{self.shards:05}"


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run, before it is played."""

    id: str
    """Derived from everything that is played, so the same in every corpus."""
    split: Split
    scenario: str
    story: Story
    twin: str | None
    """Id of the run of the same world in which nothing goes wrong, if the corpus has it."""


@dataclass(frozen=True)
class Plan:
    """What a corpus consists of."""

    file: File
    source: Source = field(default_factory=lambda: Source("plan"), compare=False, repr=False)

    @cached_property
    def sha256(self) -> str:
        """Digest of all that is planned, whatever comments the file has."""
        return hashlib.sha256(_encode(self.file)).hexdigest()

    def to_json(self) -> bytes:
        """All that is planned; ``from_json`` reads it back."""
        return _encode(self.file)

    # --- counting

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All combinations, faulty ones first."""
        return _cells(self)

    @cached_property
    def left_out(self) -> int:
        """Combinations that the plan asks for and that cannot be, or that ``splits.by`` leaves out."""
        return len(_wanted(self)) - sum(1 for cell in self.cells if cell.scenario != HEALTHY)

    @property
    def runs(self) -> int:
        return sum(cell.rounds for cell in self.cells)

    @cached_property
    def shards(self) -> tuple[Shard, ...]:
        """All shards, split by split."""
        found = []
        size = self.file.shard_runs
        for split in SPLITS:
            runs = self._order[split].runs
            count = -(-runs // size)
            found += [Shard(split, number, count, number * size, min(size, runs - number * size)) for number in range(count)]
        return tuple(found)

    @cached_property
    def _order(self) -> dict[Split, _Order]:
        return {split: _Order([cell for cell in self.cells if cell.split == split]) for split in SPLITS}

    def shard_runs(self, shard: Shard) -> Iterator[PlannedRun]:
        """The runs of a shard, in their order."""
        order = self._order[shard.split]
        for number in range(shard.first, shard.first + shard.runs):
            yield self.planned(*order.at(number))

    def all_runs(self) -> Iterator[PlannedRun]:
        """Every run of the plan."""
        for shard in self.shards:
            yield from self.shard_runs(shard)

    # --- what is played

    @cached_property
    def _estates(self) -> dict[str, str | story_file.Estate]:
        return dict(_named_estates(self))

    @cached_property
    def _twin_rounds(self) -> dict[tuple[Split, str], int]:
        return {(cell.split, cell.environment.key): cell.rounds for cell in self.cells if cell.scenario == HEALTHY}

    @cached_property
    def _companions(self) -> dict[tuple[Split, str], list[str]]:
        """By split and environment: its faults. Others never come on top, lest a scenario be seen in two splits."""
        found: dict[tuple[Split, str], list[str]] = {}
        for cell in self.cells:
            if cell.scenario != HEALTHY:
                found.setdefault((cell.split, cell.environment.key), []).append(cell.scenario)
        return found

    def template(self, scenario: str, environment: Environment) -> Story:
        """The fault's own story in that environment, as the catalogue tells it. Raises ``StoryError`` where it cannot be."""
        changes = Changes(
            os_language=cast(Language, environment.os_language), timezone=environment.timezone or None, start=self.file.start
        )
        generation = cast(Generation, environment.generation)
        return default_story(scenario, generation=generation, estate=self._estates[environment.estate], changes=changes)

    def planned(self, cell: Cell, round_: int) -> PlannedRun:
        """The run of a cell with its seed of that number."""
        environment = cell.environment
        scenario = cell.scenario if cell.scenario != HEALTHY else self._companions[cell.split, environment.key][0]
        template = _template(self, scenario, environment)
        seed = _number(f"{self.file.seed}/{cell.split}/{template.estate!r}/{environment.key}/{round_}")
        noise = self.file.noise
        before = noise.healthy_before_h * HOUR
        days = Stream(seed, "corpus/start").between(0, noise.start_days)
        zone = Zone(template.timezone)
        own_start = template.start + timedelta(days=days)
        start = zone.local(zone.instant(own_start) - before).replace(tzinfo=None, fold=0)
        shift = zone.instant(own_start) - zone.instant(start)
        healthy = dataclasses.replace(
            template,
            name=HEALTHY,
            title=HEALTHY_TITLE,
            ticket=None,
            start=start,
            hours=self.file.hours + noise.healthy_before_h + noise.healthy_after_h,
            seed=seed,
            timeline=(),
        )
        if cell.scenario == HEALTHY:
            return PlannedRun(run_id(healthy), cell.split, HEALTHY, healthy, None)
        timeline = self._timeline(template, shift, healthy.hours * HOUR, Stream(seed, f"corpus/{scenario}"), cell)
        story = dataclasses.replace(healthy, name=scenario, title=template.title, ticket=template.ticket, timeline=timeline)
        has_twin = round_ < self._twin_rounds.get((cell.split, environment.key), 0)
        return PlannedRun(run_id(story), cell.split, scenario, story, run_id(healthy) if has_twin else None)

    def _timeline(self, template: Story, shift: int, length: int, dice: Stream, cell: Cell) -> tuple[Step, ...]:
        noise = self.file.noise
        onset = noise.onset_min * 60
        shift += dice.between(-onset, onset + 1) * SECOND
        repaired = dice.between(0, 100) >= noise.unrepaired_percent
        steps = [
            step._replace(at=max(step.at + shift, 0), until=step.until + shift if step.until is not None else None)
            for step in template.timeline
            if repaired or step.kind == "fault"
        ]
        if dice.between(0, 100) < noise.extra_fault_percent:
            steps += self._extra_faults(template, length, dice, cell)
        kept = [step for step in steps if step.at < length]
        kept.sort(key=lambda step: step.at)
        return tuple(step._replace(until=None) if step.until is not None and step.until >= length else step for step in kept)

    def _extra_faults(self, template: Story, length: int, dice: Stream, cell: Cell) -> Iterator[Step]:
        own = {step.id for step in template.timeline}
        others = [id for id in self._companions[cell.split, cell.environment.key] if id not in own]
        for _ in range(dice.between(1, self.file.noise.extra_faults + 1)):
            at = dice.between(0, length // MINUTE) * MINUTE
            lasts = dice.between(*EXTRA_FAULT_MIN) * MINUTE
            if not others:
                return
            id = others.pop(dice.between(0, len(others)))
            usual = _template(self, id, cell.environment)
            site = next(step.site for step in usual.timeline if step.id == id)
            yield Step(at, "fault", id, site, at + lasts)


class _Order:
    """Runs of one split in order: seed by seed, each time all cells that have so many."""

    def __init__(self, cells: list[Cell]) -> None:
        self._firsts: list[int] = []
        self._segments: list[tuple[int, list[Cell]]] = []
        self.runs = 0
        begun = 0
        for rounds in sorted({cell.rounds for cell in cells}):
            active = [cell for cell in cells if cell.rounds >= rounds]
            if rounds > begun:
                self._firsts.append(self.runs)
                self._segments.append((begun, active))
                self.runs += (rounds - begun) * len(active)
                begun = rounds

    def at(self, number: int) -> tuple[Cell, int]:
        """Cell and seed number of a run."""
        segment = bisect_right(self._firsts, number) - 1
        begun, active = self._segments[segment]
        rounds, index = divmod(number - self._firsts[segment], len(active))
        return active[index], begun + rounds


def run_id(story: Story) -> str:
    """What identifies a run: 16 hexadecimal digits of everything that is played."""
    return hashlib.blake2b(story.to_toml().encode(), digest_size=8).hexdigest()


def _number(text: str) -> int:
    """A seed of 53 bits."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 11


@lru_cache(maxsize=1024)
def _template_of(plan: bytes, scenario: str, environment: Environment) -> Story:
    return from_json(plan).template(scenario, environment)


def _template(plan: Plan, scenario: str, environment: Environment) -> Story:
    return _template_of(plan.to_json(), scenario, environment)


# --- which combinations there are


def _named_estates(plan: Plan) -> Iterator[tuple[str, str | story_file.Estate]]:
    yield from ((name, name) for name in ESTATES)
    for given in plan.file.estates:
        if isinstance(given, story_file.Estate):
            yield _estate_name(given), given


def _estate_name(given: story_file.Estate) -> str:
    return given.name if isinstance(given.name, str) else given.base or ""


def _faults(plan: Plan) -> list[str]:
    return [id for id in (plan.file.faults or FAULTS) if id not in plan.file.leave_out]


@lru_cache(maxsize=8)
def _wanted_of(plan_json: bytes) -> tuple[tuple[str, Environment, bool], ...]:
    plan = from_json(plan_json)
    file = plan.file
    found: dict[tuple[str, Environment], bool] = {}
    for id in _faults(plan):
        fault = FAULTS[id]
        for given in file.estates or [USUAL]:
            name = _estate_name(given) if isinstance(given, story_file.Estate) else fault.estate if given == USUAL else given
            estate = _estate(plan, name)
            for generation in file.generations or VERSIONS:
                if generation in fault.generations:
                    possible = _can_be(id, estate, generation)
                    for language in dict.fromkeys(file.os_languages):
                        for zone in dict.fromkeys(file.timezones or [""]):
                            found[id, Environment(name, generation, language, zone)] = possible
    return tuple((id, environment, possible) for (id, environment), possible in found.items())


def _wanted(plan: Plan) -> tuple[tuple[str, Environment, bool], ...]:
    """What the plan asks for, and whether it can be."""
    return tuple(each for each in _wanted_of(plan.to_json()) if each[2])


def _can_be(id: str, estate: Estate, generation: str) -> bool:
    """Whether the estate has what the fault needs."""
    fault = FAULTS[id]
    site = next(estate.children(estate.top.code), None) if fault.site == "child" else estate.top
    if site is None:
        return False
    try:
        fault.check(estate, site, generation)
    except EstateError:
        return False
    return True


@lru_cache(maxsize=64)
def _estate_of(plan: bytes, name: str) -> Estate:
    given = from_json(plan)._estates[name]
    if isinstance(given, str):
        return ESTATES[given]
    return read_estate(given, Source("plan"))


def _estate(plan: Plan, name: str) -> Estate:
    return _estate_of(plan.to_json(), name)


def _cells(plan: Plan) -> tuple[Cell, ...]:
    wanted = [(scenario, environment) for scenario, environment, _ in _wanted(plan)]
    rounds = _rounds(plan, wanted)
    splits = _split(plan, wanted, rounds)
    faulty = [
        Cell(scenario, environment, rounds[scenario, environment], split)
        for scenario, environment in wanted
        if (split := splits.get((scenario, environment))) is not None and rounds[scenario, environment]
    ]
    return (*faulty, *_healthy(plan, faulty))


_Wanted = tuple[str, Environment]


def _rounds(plan: Plan, wanted: list[_Wanted]) -> dict[_Wanted, int]:
    """How many seeds of each combination."""
    per_fault = plan.file.balance.runs_per_fault
    if per_fault is None:
        return dict.fromkeys(wanted, plan.file.seeds)
    found: dict[_Wanted, int] = {}
    for scenario in dict.fromkeys(scenario for scenario, _ in wanted):
        fits = _shuffled(plan, [each for each in wanted if each[0] == scenario])
        each, more = divmod(per_fault, len(fits))
        found |= {fit: each + (number < more) for number, fit in enumerate(fits)}
    return found


def _shuffled(plan: Plan, wanted: list[_Wanted]) -> list[_Wanted]:
    return sorted(wanted, key=lambda each: _number(f"{plan.file.seed}/order/{each[0]}/{each[1].key}"))


def _split(plan: Plan, wanted: list[_Wanted], rounds: dict[_Wanted, int]) -> dict[_Wanted, Split]:
    """To which split each combination belongs; what ``strict`` leaves out is missing."""
    by = plan.file.splits.by

    def share_out(keys: Sequence[str]) -> dict[str, Split]:
        weights: dict[str, int] = {}
        for each, key in zip(wanted, keys, strict=True):
            weights[key] = weights.get(key, 0) + rounds[each]
        return _shared_out(plan, weights)

    scenarios, estates = [scenario for scenario, _ in wanted], [environment.estate for _, environment in wanted]
    if by == "strict":
        of_scenario, of_estate = share_out(scenarios), share_out(estates)
        return {each: of_scenario[each[0]] for each in wanted if of_scenario[each[0]] == of_estate[each[1].estate]}
    pairs = [f"{scenario}/{estate}" for scenario, estate in zip(scenarios, estates, strict=True)]
    keys = {"scenario": scenarios, "estate": estates}.get(by, pairs)
    of_key = share_out(keys)
    return {each: of_key[key] for each, key in zip(wanted, keys, strict=True)}


def _shared_out(plan: Plan, weights: dict[str, int]) -> dict[str, Split]:
    """Give each group, in an order by chance, to the split that lacks most."""
    shares = {split: cast(int, getattr(plan.file.splits, split)) for split in SPLITS}
    given = dict.fromkeys(SPLITS, 0)
    found: dict[str, Split] = {}
    total = 0
    for key in sorted(weights, key=lambda key: _number(f"{plan.file.seed}/split/{key}")):
        total += weights[key]
        split = max(SPLITS, key=lambda split: shares[split] * total - 100 * given[split])
        found[key] = split
        given[split] += weights[key]
    return found


def _healthy(plan: Plan, faulty: list[Cell]) -> Iterator[Cell]:
    """Twins, and as many healthy runs more as the plan asks for."""
    balance = plan.file.balance
    for split in SPLITS:
        rounds: dict[Environment, int] = {}
        runs = 0
        for cell in faulty:
            if cell.split == split:
                runs += cell.rounds
                pairs = cell.rounds if balance.healthy_pairs else 0
                rounds[cell.environment] = max(rounds.get(cell.environment, 0), pairs)
        lacking = -(-runs * balance.healthy_percent // (100 - balance.healthy_percent)) - sum(rounds.values())
        each, more = divmod(max(lacking, 0), len(rounds) or 1)
        for number, environment in enumerate(rounds):
            count = rounds[environment] + each + (number < more)
            if count:
                yield Cell(HEALTHY, environment, count, split)


# --- reading


def load(path: Path | str, **changes: Any) -> Plan:
    """Read a plan file; ``changes`` are keys that are said otherwise, such as ``formats``. Raises ``StoryError``."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise StoryError("there is no such file", where=str(path), hint="A plan is a TOML file; see docs/corpus.md") from None
    except UnicodeDecodeError as error:
        raise StoryError(f"byte {error.start} is not UTF-8", where=str(path), hint="Save the file as UTF-8") from None
    except OSError as error:
        raise StoryError(f"cannot be read: {error.strerror}", where=str(path)) from None
    if path.suffix == ".json":  # as it lies in a corpus
        try:
            data = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise StoryError(f"this is no plan: {error}", where=str(path), hint="A corpus has its plan in plan.json") from None
        return _read(data, Source(str(path)), changes)
    return parse(text, str(path), **changes)


def parse(text: str, where: str = "plan", **changes: Any) -> Plan:
    """Read a plan from TOML; ``where`` is what messages call it. Raises ``StoryError`` with line and key of a mistake."""
    return _read(story_file.as_text(read_toml(text, where)), Source(where, text), changes)


def _read(data: Any, source: Source, changes: dict[str, Any]) -> Plan:
    file: File = convert({**data, **changes}, File, source)
    plan = Plan(file, source)
    _check(plan)
    return plan


@lru_cache(maxsize=8)
def from_json(data: bytes) -> Plan:
    """What ``Plan.to_json`` wrote, without checking it again."""
    return Plan(msgspec.json.decode(data, type=File))


def _check(plan: Plan) -> None:
    file, source = plan.file, plan.source
    for key in ("faults", "leave_out"):
        for number, id in enumerate(getattr(file, key)):
            if id not in FAULTS:
                hint = did_you_mean(id, FAULTS, "`wsyncsim list` shows all faults")
                raise source.wrong((key, number), f"there is no fault {id!r}", hint)
    _check_estates(plan)
    if file.splits.train + file.splits.validation + file.splits.test != 100:
        raise source.wrong(("splits",), "train, validation and test are not 100 together", "For example 80, 10 and 10")
    if len(set(file.formats)) != len(file.formats):
        raise source.wrong(("formats",), "a form is there twice", "Name each once")
    if not file.formats:
        raise source.wrong(("formats",), "a corpus has at least one form", 'For example formats = ["jsonl"]')
    found = _wanted(plan)
    possible = {scenario for scenario, _, _ in found}
    for id in _faults(plan):
        if id not in possible:
            asked_for = id in file.faults
            path: KeyPath = ("faults", file.faults.index(id)) if asked_for else ("faults",)
            if asked_for or not possible:
                hint = f"Its usual estate is {FAULTS[id].estate!r}; it exists in: {', '.join(FAULTS[id].generations)}"
                raise source.wrong(path, f"fault {id} can happen in none of these estates and generations", hint)
    if not found:
        raise source.wrong(("leave_out",), "no fault is left", "Leave fewer out")
    _rehearse(plan)


def _check_estates(plan: Plan) -> None:
    source, names = plan.source, set()
    for number, given in enumerate(plan.file.estates):
        path: KeyPath = ("estates", number)
        if isinstance(given, str):
            if given != USUAL and given not in ESTATES:
                raise source.wrong(path, f"there is no built-in estate {given!r}", did_you_mean(given, [USUAL, *ESTATES]))
            name = given
        else:
            name = _estate_name(given)
            if not isinstance(given.name, str) or name in ESTATES:
                raise source.wrong(path, "an estate of your own needs a name of its own", 'Add name = "..."')
            read_estate(given, _EstateSource(source, path))
        if name in names:
            raise source.wrong(path, f"estate {name!r} is there twice", "Every estate has its own name")
        names.add(name)


class _EstateSource(Source):
    """Mistakes in one of the plan's estates, told where that estate stands."""

    def __init__(self, plan: Source, path: KeyPath) -> None:
        self._plan = plan
        self._path = path
        self.name = plan.name

    def wrong(self, path: KeyPath, what: str, hint: str = "") -> StoryError:
        return self._plan.wrong((*self._path, *path[1:]), what, hint)


def _rehearse(plan: Plan) -> None:
    """Tell now what could not be played: time zones, the start, and every fault once in every estate."""
    file, source = plan.file, plan.source
    seen: set[tuple[str, str]] = set()
    zones: set[str] = set()
    for scenario, environment, _ in _wanted(plan):
        if (scenario, environment.estate) in seen and environment.timezone in zones:
            continue
        try:
            _template(plan, scenario, environment)
        except StoryError as error:
            path: KeyPath = ("start",) if error.where == "--start" else ("faults",)
            if error.where == "--timezone":
                path = ("timezones", file.timezones.index(environment.timezone))
            raise source.wrong(path, error.what, error.hint) from None
        seen.add((scenario, environment.estate))
        zones.add(environment.timezone)
