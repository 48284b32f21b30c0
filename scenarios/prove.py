"""The cross-examination of the answer key: is what is blamed really to blame, and does the right repair help?

For one fault, generation and seed, three worlds are compared:

1. the fault's default story: a synchronization at the fault's site must fail (or not take place at all, where it does on the
   healthy day), and every failure's chain must end at the fault;
2. the same seed without the fault: whatever was blamed on it must be gone (an entry may come with lines that are always
   there, such as ``Done using ... credentials``, but never with such lines alone);
3. what the first world does after the repair: the next synchronization must succeed, and nothing more be blamed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

from generators.write import Recorder
from scenarios.faults import FAULTS
from scenarios.story import Story, default_story
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
    story = default_story(fault_id, generation=generation)
    entries, lines = _play(story, seed)
    healthy_entries, healthy_lines = _play(story.without_faults(), seed)
    _check_cause(proof, entries, healthy_entries)
    _check_counterfactual(proof, lines, healthy_lines)
    _check_repair(proof, entries)
    return proof


def face(event: SyncFailed | ReplicaSyncFailed) -> str:
    """A failed run, or a failed part of one, in short: method, and what it met."""
    reason = event.reason.reason if isinstance(event.reason, UpstreamTrouble) else event.reason
    if isinstance(reason, WsusNotConfigured):
        return "WSUS server not configured"
    status = f" {reason.status}" if isinstance(reason, HttpStatus | ProxyStatus) else ""
    return f"{event.source.method}: {type(reason).__name__}{status}"


def _play(story: Story, seed: int) -> tuple[list[Entry], list[tuple[_Key, _Line]]]:
    entries: list[Entry] = []
    world = story.build(seed)
    with Recorder(world.estate, world.version, None, os_language=story.os_language, truth=True) as recorder:
        recorder.record(_keep(world.simulate(), entries))
    return entries, list(_lines(recorder.texts))


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


def _check_cause(proof: Proof, entries: list[Entry], healthy: list[Entry]) -> None:
    faces: dict[str, None] = {}
    for entry in entries:
        if isinstance(entry.event, TROUBLE) and faults_of(entry) != [proof.fault]:
            proof.problems.append(f"{entry.id} ({type(entry.event).__name__}) is not explained by {proof.fault}")
        if isinstance(entry.event, SyncFailed | ReplicaSyncFailed):
            faces[face(entry.event)] = None
    if _runs_of_site(entries) < _runs_of_site(healthy, entries):
        faces[SILENCE] = None
    proof.faces = tuple(faces)
    if not faces:
        proof.problems.append("no synchronization failed or failed to appear")


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
    """Of everything that is blamed on the fault, at least one line must say what is said less often without it."""
    count, healthy_count = Counter(key for key, _ in lines), Counter(key for key, _ in healthy)
    gone: dict[str, bool] = {}
    for key, line in lines:
        if line.faults:
            proof.blamed_lines += 1
            gone[line.entry] = gone.get(line.entry, False) or healthy_count[key] < count[key]
    kept = [entry for entry, is_gone in gone.items() if not is_gone]
    proof.problems += [f"{entry} is blamed, but what it says is there without the fault too" for entry in kept]
    if any(line.faults for _, line in healthy):
        proof.problems.append("lines are blamed on a fault that is not there")


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
        if entry.at > recovered_at and faults_of(entry):
            proof.problems.append(f"{entry.id} ({type(entry.event).__name__}) is blamed after the recovery")
