"""The cross-examination of the answer key: is what is blamed really to blame, and does the right repair help?

For one fault, generation and seed, three worlds are compared:

1. the fault's default story: the fault's complaint must come true (as a rule that a synchronization at its site fails, or does
   not take place at all, where it does on the healthy day), and every failure's chain must end at the fault;
2. the same seed without the fault: whatever was blamed on it must be gone (an entry may come with lines that are always
   there, such as ``Done using ... credentials``, but never with such lines alone);
3. what the first world does after the repair: the next synchronization must succeed, the complaint be over, and nothing more
   be blamed. Where the seed page says that nothing helps, the complaint must still be true.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

from generators.write import Recorder
from scenarios.complaint import COMPLAINTS
from scenarios.fault import SYNC_FAILS
from scenarios.faults import FAULTS
from scenarios.story import Changes, Story, default_story
from scenarios.story_file import Generation
from scenarios.truth import faults_of
from simulator.events import (
    ActionTaken,
    ApiConnectionFailed,
    FaultBegan,
    ReplicaSyncFailed,
    SyncFailed,
    SyncStarted,
    SyncSucceeded,
    UpstreamCallFailed,
)
from simulator.failures import HttpStatus, ProxyStatus, UpstreamTrouble, WsusNotConfigured
from simulator.journal import Entry
from simulator.units import MINUTE
from simulator.world import World

PROBE_US = 10 * MINUTE
"""How often it is looked whether a complaint holds."""
TROUBLE = (SyncFailed, ReplicaSyncFailed, ApiConnectionFailed, UpstreamCallFailed)
"""Events that never happen in a healthy estate."""
SILENCE = "silence"
"""The face of a fault that makes synchronizations not even begin."""


@dataclass(slots=True)
class Proof:
    """The outcome for one fault, generation and seed."""

    fault: str
    generation: str
    seed: int
    faces: tuple[str, ...] = ()
    """What the failed synchronizations were blamed on, in order of appearance (the fresh and the aged face)."""
    blamed_lines: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.problems


_Key = tuple[str, str, str]
"""What a line says, whenever: its file, template and parameters."""


class _Line(msgspec.Struct, frozen=True):
    """What is compared of a truth record."""

    template: str
    params: Any
    ts_utc: str
    entry: str
    faults: list[str]


def prove(fault_ids: Sequence[str] = (), generations: Sequence[str] = (), seeds: Sequence[int] = (1, 2, 3)) -> Iterator[Proof]:
    """Prove faults (all of them by default) in their generations, one seed after the other."""
    for fault_id in fault_ids or tuple(FAULTS):
        for generation in FAULTS[fault_id].generations:
            if not generations or generation in generations:
                for seed in seeds:
                    yield prove_one(fault_id, cast(Generation, generation), seed)


def prove_one(fault_id: str, generation: Generation, seed: int) -> Proof:
    """Prove one fault."""
    proof = Proof(fault_id, generation, seed)
    story = default_story(fault_id, generation=generation, changes=Changes(seed=seed))
    broken, healthy = _play(story, fault_id), _play(story.without_faults(), fault_id)
    _check_cause(proof, broken, healthy)
    _check_counterfactual(proof, broken.lines, healthy.lines)
    _check_repair(proof, broken.entries)
    if FAULTS[fault_id].complaint != SYNC_FAILS:
        _check_complaint(proof, broken, healthy)
    return proof


@dataclass(slots=True)
class Played:
    """What a story left."""

    entries: list[Entry]
    lines: list[tuple[_Key, _Line]]
    complaints: list[tuple[int, bool]]
    """When it was looked whether the fault's complaint holds, and whether it did."""


def face(event: SyncFailed | ReplicaSyncFailed) -> str:
    """A failed run, or a failed part of one, in short: method, and what it met."""
    reason = event.reason.reason if isinstance(event.reason, UpstreamTrouble) else event.reason
    if isinstance(reason, WsusNotConfigured):
        return "WSUS server not configured"
    status = f" {reason.status}" if isinstance(reason, HttpStatus | ProxyStatus) else ""
    return f"{event.source.method}: {type(reason).__name__}{status}"


def _play(story: Story, fault_id: str) -> Played:
    played = Played([], [], [])
    world = story.build()
    for at in range(world.start, world.end, PROBE_US):
        world.plan(at, _probe(fault_id, played.complaints))
    with Recorder(world.estate, world.version, None, os_language=story.os_language, truth=True) as recorder:
        recorder.record(_keep(world.simulate(), played.entries))
    played.lines = list(_lines(recorder.texts))
    return played


def _probe(fault_id: str, found: list[tuple[int, bool]]) -> Callable[[World], None]:
    holds = COMPLAINTS[FAULTS[fault_id].complaint].holds

    def look(world: World) -> None:
        if holds is not None:
            found.append((world.now, any(holds(world, site) for site in world.sites.values())))

    return look


def _keep(entries: Iterable[Entry], kept: list[Entry]) -> Iterator[Entry]:
    for entry in entries:
        kept.append(entry)
        yield entry


def _lines(texts: dict[str, bytes]) -> Iterator[tuple[_Key, _Line]]:
    """Every log line, by what it says."""
    decode = msgspec.json.Decoder(_Line).decode
    for path, content in texts.items():
        if path.startswith("truth/"):
            for raw in content.splitlines():
                line = decode(raw)
                yield (path, line.template, repr(line.params)), line


def _check_cause(proof: Proof, played: Played, healthy: Played) -> None:
    faces: dict[str, None] = {}
    for entry in played.entries:
        if isinstance(entry.event, TROUBLE) and faults_of(entry) != [proof.fault]:
            proof.problems.append(f"{entry.id} ({type(entry.event).__name__}) is not explained by {proof.fault}")
        if isinstance(entry.event, SyncFailed | ReplicaSyncFailed):
            faces[face(entry.event)] = None
    complaint = FAULTS[proof.fault].complaint
    if any(held for _, held in played.complaints):
        faces[complaint] = None
    if complaint == SYNC_FAILS and _runs_of_site(played.entries) < _runs_of_site(healthy.entries, played.entries):
        faces[SILENCE] = None
    proof.faces = tuple(faces)
    if not faces:
        proof.problems.append("no synchronization failed" if complaint == SYNC_FAILS else f"no complaint: {complaint}")


def _runs_of_site(entries: list[Entry], story: list[Entry] | None = None) -> int:
    """How many runs began at the fault's site from the fault to the last action of ``story`` (of these entries themselves)."""
    began = next(entry for entry in story or entries if isinstance(entry.event, FaultBegan))
    until = max((entry.at for entry in story or entries if isinstance(entry.event, ActionTaken)), default=began.at)
    return sum(
        isinstance(entry.event, SyncStarted)
        and began.at <= entry.at < until
        and (entry.run or "").startswith(f"{began.event.site}-")
        for entry in entries
    )


def _check_counterfactual(proof: Proof, lines: list[tuple[_Key, _Line]], healthy: list[tuple[_Key, _Line]]) -> None:
    """Of everything that is blamed on the fault, at least one line must say what is said less often, or later, without it."""
    times: dict[_Key, list[str]] = {}
    for key, line in healthy:
        times.setdefault(key, []).append(line.ts_utc)
    count = Counter(key for key, _ in lines)
    so_far: Counter[_Key] = Counter()
    gone: dict[str, bool] = {}
    for key, line in lines:
        so_far[key] += 1
        if line.faults:
            proof.blamed_lines += 1
            without = times.get(key, [])
            less_often = len(without) < count[key] or bisect_right(without, line.ts_utc) < so_far[key]
            gone[line.entry] = gone.get(line.entry, False) or less_often
    kept = [entry for entry, is_gone in gone.items() if not is_gone]
    proof.problems += [f"{entry} is blamed, but what it says is there without the fault too" for entry in kept]
    if any(line.faults for _, line in healthy):
        proof.problems.append("lines are blamed on a fault that is not there")


def _check_complaint(proof: Proof, broken: Played, healthy: Played) -> None:
    """A complaint that can be looked at begins with the fault, and is over in the end unless nothing helps."""
    fault = FAULTS[proof.fault]
    began_at = next(entry.at for entry in broken.entries if isinstance(entry.event, FaultBegan))
    if any(held for at, held in broken.complaints if at < began_at):
        proof.problems.append(f"the complaint is older than the fault: {fault.complaint}")
    if any(held for _, held in healthy.complaints):
        proof.problems.append(f"the complaint is there without the fault too: {fault.complaint}")
    if broken.complaints[-1][1] is fault.curable:
        proof.problems.append(f"after the repair the complaint is {'still there' if fault.curable else 'gone'}: {fault.complaint}")


def _check_repair(proof: Proof, entries: list[Entry]) -> None:
    site = next(entry.event.site for entry in entries if isinstance(entry.event, FaultBegan))
    last_action_at = max((entry.at for entry in entries if isinstance(entry.event, ActionTaken)), default=None)
    if last_action_at is None:
        proof.problems.append("the story has no repair")
        return
    recovered_at = next(
        (
            entry.at
            for entry in entries
            if entry.at > last_action_at and isinstance(entry.event, SyncSucceeded) and entry.event.site == site
        ),
        None,
    )
    if recovered_at is None:
        proof.problems.append("no synchronization succeeds after the repair")
        return
    for entry in entries:
        if entry.at > last_action_at and isinstance(entry.event, SyncFailed) and (entry.run or "").startswith(site):
            proof.problems.append(f"{entry.run} fails after the repair")
        if entry.at > recovered_at and faults_of(entry) and FAULTS[proof.fault].curable:
            proof.problems.append(f"{entry.id} ({type(entry.event).__name__}) is blamed after the recovery")
