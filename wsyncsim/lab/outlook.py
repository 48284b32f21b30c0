"""How a world is a day after some actions: what is compared to see what they did."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from scenarios.complaint import COMPLAINTS
from scenarios.story import Step as StoryStep
from scenarios.story import Story
from scenarios.truth import root
from simulator.events import ActionTaken, ServiceStateChanged, SyncFailed, SyncStarted, SyncSucceeded, WsusSyncBegan
from simulator.units import HOUR, MINUTE
from wsyncsim.lab.bench import ENDED, FAILED, states_of
from wsyncsim.lab.diagnosis import Effect

if TYPE_CHECKING:
    from simulator.journal import Entry
    from simulator.world import World

Blame = tuple[str, int]
"""Which action, and when."""


class Act(NamedTuple):
    """An action in a world."""

    at: int
    id: str
    site: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """How a world is, a day ahead."""

    deviations: dict[Effect, Blame]
    """Settings that are not as they were because of what somebody did."""
    by_hand: frozenset[Effect]
    """Those of them that somebody wrote there herself; the others followed."""
    left: frozenset[Effect]
    """Settings that are still not as they were, because of what had gone wrong."""
    symptoms: frozenset[tuple[str, str]]
    """Complaint and site."""
    failed_runs: int
    """Scheduled synchronizations that failed."""
    good_runs: int
    """Scheduled synchronizations that succeeded."""
    failing_sites: frozenset[str]
    """Sites whose last synchronization failed."""
    stalled_min: int
    """Minutes in which a service stood still because of what somebody did."""
    requests: int
    """Synchronizations that somebody or a parent site asked for, and that began."""
    foreign_runs: Mapping[Blame, int]
    """Synchronizations of WSUS that somebody began past ConfigMgr."""
    failed_requests: Mapping[Blame, int]
    """Synchronizations that somebody asked for, and that failed because of what somebody did."""


@lru_cache(maxsize=512)
def outlook(story: Story, acts: tuple[Act, ...], until: int) -> Outlook:
    """The world of a story after these actions, at an instant."""
    steps = [StoryStep(act.at - story.start_at, "repair", act.id, act.site) for act in acts]
    hours = (until - story.start_at) // HOUR + 1
    played = dataclasses.replace(story, timeline=(*story.timeline, *steps), hours=max(story.hours, hours))
    world = played.build()
    entries = world.run_until(until)
    ours, by_hand, theirs = _deviations(world)
    last: dict[str, Entry] = {}
    triggers: dict[str, str] = {}
    foreign: Counter[Blame] = Counter()
    failed: Counter[Blame] = Counter()
    good_runs = failed_runs = 0
    for entry in entries:
        event, run = entry.event, entry.run or ""
        if isinstance(event, SyncStarted):
            triggers[run] = event.trigger
        elif isinstance(event, ENDED):
            last[run.split("-")[0]] = entry
            scheduled = triggers.get(run) == "schedule"
            good_runs += scheduled and isinstance(event, SyncSucceeded)
            failed_runs += scheduled and isinstance(event, SyncFailed)
            if isinstance(event, SyncFailed) and triggers.get(run) == "local":
                failed.update(_blame(entry))
        elif isinstance(event, WsusSyncBegan) and not run:
            foreign.update(_blame(entry))
    symptoms = {
        (name, code)
        for name, complaint in COMPLAINTS.items()
        if complaint.holds is not None
        for code, each in world.sites.items()
        if complaint.holds(world, each)
    }
    return Outlook(
        deviations=ours,
        by_hand=by_hand,
        left=theirs,
        symptoms=frozenset(symptoms),
        failed_runs=failed_runs,
        good_runs=good_runs,
        failing_sites=frozenset(code for code, entry in last.items() if isinstance(entry.event, FAILED)),
        stalled_min=_stalled_min(entries, until),
        requests=sum(trigger in ("local", "parent") for trigger in triggers.values()),
        foreign_runs=foreign,
        failed_requests=failed,
    )


def _deviations(world: World) -> tuple[dict[Effect, Blame], frozenset[Effect], frozenset[Effect]]:
    """Settings that are not as they were: those that somebody is to blame for, which of them she wrote herself, and the others."""
    ours: dict[Effect, Blame] = {}
    by_hand, theirs = set(), set()
    for state in states_of(world):
        for name, entry in state.why.items():
            end = [entry, *entry.chain()][-1]
            effect = Effect(state.entity, type(state).__name__, name)
            if isinstance(end.event, ActionTaken):
                ours[effect] = end.event.action, end.at
            else:
                theirs.add(effect)
            if isinstance(entry.event, ActionTaken):
                by_hand.add(effect)
    return ours, frozenset(by_hand), frozenset(theirs)


def _blame(entry: Entry) -> list[Blame]:
    """The action that an entry follows from, if it follows from one."""
    end = root(entry)
    return [(end.event.action, end.at)] if end is not None and isinstance(end.event, ActionTaken) else []


def _stalled_min(entries: Sequence[Entry], until: int) -> int:
    stopped: dict[tuple[str, str], int] = {}
    total_us = 0
    for entry in entries:
        if isinstance(entry.event, ServiceStateChanged):
            key = (entry.host, entry.event.service)
            end = root(entry)
            if entry.event.state == "stopped" and end is not None and isinstance(end.event, ActionTaken):
                stopped.setdefault(key, entry.at)
            elif entry.event.state == "running" and key in stopped:
                total_us += entry.at - stopped.pop(key)
    return (total_us + sum(until - at for at in stopped.values())) // MINUTE
