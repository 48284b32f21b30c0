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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from scenarios.fault import SYNC_FAILS
from scenarios.faults import FAULTS
from scenarios.played import TROUBLE, Key, Line, Played, face, not_gone, play
from scenarios.story import Changes, default_story
from scenarios.story_file import Generation
from scenarios.truth import faults_of
from simulator.events import (
    ActionTaken,
    FaultBegan,
    ReplicaSyncFailed,
    SyncFailed,
    SyncStarted,
    SyncSucceeded,
)
from simulator.journal import Entry

__all__ = ["SILENCE", "Proof", "face", "play", "prove", "prove_one"]

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
    broken, healthy = play(story, fault_id), play(story.without_faults(), fault_id)
    _check_cause(proof, broken, healthy)
    _check_counterfactual(proof, broken.lines, healthy.lines)
    _check_repair(proof, broken.entries)
    if FAULTS[fault_id].complaint != SYNC_FAILS:
        _check_complaint(proof, broken, healthy)
    return proof


def _check_cause(proof: Proof, played: Played, healthy: Played) -> None:
    faces: dict[str, None] = {}
    for entry in played.entries:
        if isinstance(entry.event, TROUBLE) and faults_of(entry) != [proof.fault]:
            proof.problems.append(f"{entry.id} ({type(entry.event).__name__}) is not explained by {proof.fault}")
        if isinstance(entry.event, SyncFailed | ReplicaSyncFailed):
            faces[face(entry.event)] = None
    complaint = FAULTS[proof.fault].complaint
    if any(held for _, held in played.complaints[proof.fault]):
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


def _check_counterfactual(proof: Proof, lines: list[tuple[Key, Line]], healthy: list[tuple[Key, Line]]) -> None:
    """Of everything that is blamed on the fault, at least one line must say what is said less often, or later, without it."""
    blamed = [(key, line) for key, line in lines if line.faults]
    proof.blamed_lines = len(blamed)
    kept = not_gone(blamed, lines, healthy)
    proof.problems += [f"{entry} is blamed, but what it says is there without the fault too" for entry in kept]
    if any(line.faults for _, line in healthy):
        proof.problems.append("lines are blamed on a fault that is not there")


def _check_complaint(proof: Proof, broken: Played, healthy: Played) -> None:
    """A complaint that can be looked at begins with the fault, and is over in the end unless nothing helps."""
    fault = FAULTS[proof.fault]
    began_at = next(entry.at for entry in broken.entries if isinstance(entry.event, FaultBegan))
    if any(held for at, held in broken.complaints[fault.id] if at < began_at):
        proof.problems.append(f"the complaint is older than the fault: {fault.complaint}")
    if any(held for _, held in healthy.complaints[fault.id]):
        proof.problems.append(f"the complaint is there without the fault too: {fault.complaint}")
    if broken.complaints[fault.id][-1][1] is fault.curable:
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
