"""What actions did to the world: the same world with and without each of them, a day ahead, compared.

Runs and symptoms are compared prefix by prefix; settings that were left changed name the action themselves, in their chain of
causes. What the catalogue's own repair leaves is no harm.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from scenarios.complaint import COMPLAINTS
from scenarios.repairs import REPAIRS
from scenarios.story import Step as StoryStep
from scenarios.story import Story
from scenarios.truth import root
from simulator.events import ActionTaken, ServiceStateChanged, SyncFailed, SyncStarted, SyncSucceeded
from simulator.units import DAY, HOUR, MINUTE
from wsyncsim.lab.bench import ENDED, FAILED, of_site, states_of
from wsyncsim.lab.data import policy
from wsyncsim.lab.diagnosis import Effect, right_steps
from wsyncsim.lab.ticket import true_causes
from wsyncsim.lab.views import Plain

if TYPE_CHECKING:
    from simulator.journal import Entry
    from wsyncsim.lab.session import Deed, LabSession

AHEAD_US = DAY
DATABASES = ("Susdb", "SiteDatabase")
STALLED_MIN = 5
"""So many minutes of stopped services make one point."""


class Act(NamedTuple):
    """An action in a world."""

    at: int
    id: str
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm(Plain):
    """What one action did."""

    action: str
    site: str
    local: str
    points: int
    critical: bool
    details: tuple[str, ...]
    """What is otherwise because of it: settings, symptoms, failed runs."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """How a world is, a day ahead."""

    deviations: dict[Effect, tuple[str, int]]
    """Settings that are not as they were because of what somebody did: which action, and when."""
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
    recovered_at: int | None
    """When the site's last synchronization succeeded, if the last one did."""


@lru_cache(maxsize=512)
def outlook(story: Story, acts: tuple[Act, ...], until: int, site: str) -> Outlook:
    """The world of a story after these actions, at an instant."""
    steps = [StoryStep(act.at - story.start_at, "repair", act.id, act.site) for act in acts]
    hours = (until - story.start_at) // HOUR + 1
    played = dataclasses.replace(story, timeline=(*story.timeline, *steps), hours=max(story.hours, hours))
    world = played.build()
    entries = world.run_until(until)
    ours: dict[Effect, tuple[str, int]] = {}
    theirs: set[Effect] = set()
    for state in states_of(world):
        for name, entry in state.why.items():
            end = [entry, *entry.chain()][-1]
            effect = Effect(state.entity, type(state).__name__, name)
            if isinstance(end.event, ActionTaken):
                ours[effect] = end.event.action, end.at
            else:
                theirs.add(effect)
    last: dict[str, Entry] = {}
    scheduled: dict[str, bool] = {}
    for entry in entries:
        if isinstance(entry.event, SyncStarted) and entry.event.trigger == "schedule":
            scheduled[entry.run or ""] = False
        elif isinstance(entry.event, ENDED):
            last[(entry.run or "").split("-")[0]] = entry
    ended = {
        entry.run: entry.event
        for entry in entries
        if entry.run in scheduled and isinstance(entry.event, SyncFailed | SyncSucceeded)
    }
    symptoms = {
        (name, code)
        for name, complaint in COMPLAINTS.items()
        if complaint.holds is not None
        for code, each in world.sites.items()
        if complaint.holds(world, each)
    }
    good = next((entry.at for entry in reversed(entries) if isinstance(entry.event, ENDED) and of_site(entry, site)), None)
    failing = frozenset(code for code, entry in last.items() if isinstance(entry.event, FAILED))
    return Outlook(
        deviations=ours,
        left=frozenset(theirs),
        symptoms=frozenset(symptoms),
        failed_runs=sum(isinstance(event, SyncFailed) for event in ended.values()),
        good_runs=sum(isinstance(event, SyncSucceeded) for event in ended.values()),
        failing_sites=failing,
        stalled_min=_stalled_min(entries, until),
        recovered_at=good if site not in failing else None,
    )


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


def acts_of(deeds: Sequence[Deed]) -> list[tuple[Act, str]]:
    """What was done, and by whom, in order."""
    return [(Act(deed.at, deed.id, deed.site), deed.by) for deed in deeds if deed.kind == "act"]


def reference(session: LabSession) -> Outlook:
    """The same world after the catalogue's own repair, done at the moment when the ticket was opened."""
    at = session.opened_at
    acts = []
    for cause in true_causes(session.story):
        for id, site in right_steps(session.story, cause):
            acts.append(Act(at, id, site))
            at += 5 * MINUTE
    return outlook(session.story, tuple(acts), horizon(session), session.variant.site)


def horizon(session: LabSession) -> int:
    """The instant at which worlds are compared."""
    return session.now + AHEAD_US


def harms(session: LabSession) -> list[Harm]:
    """What each of the trainee's own actions did, in order; actions that did no harm are left out.

    A setting counts against who changed it last, and only if it was left so; what failed meanwhile counts against the action
    with which it began.
    """
    until, site, story = horizon(session), session.variant.site, session.story
    acts = acts_of(session.deeds)
    allowed, before = reference(session), outlook(story, (), until, site)
    final = outlook(story, tuple(act for act, _ in acts), until, site)
    found = []
    for number, (act, by) in enumerate(acts, 1):
        after = outlook(story, tuple(act for act, _ in acts[:number]), until, site)
        if by == "trainee":
            settings = [effect for effect, cause in sorted(final.deviations.items()) if cause == (act.id, act.at)]
            new = [effect for effect in settings if effect not in allowed.deviations]
            points, critical, details = _settings(new)
            brief = _briefly(story, acts[:number], act, site, allowed)
            if brief:
                points, critical = points + policy().harm["symptom"], True
                details += [each for each in brief if each not in details]
            more, worse = _worse(before, after, allowed)
            if points or more:
                found.append(
                    Harm(
                        action=REPAIRS[act.id].title.in_(session.language),
                        site=act.site,
                        local=session.clock(act.at),
                        points=points + more,
                        critical=critical,
                        details=(*details, *worse),
                    )
                )
        before = after
    return found


def _settings(new: Sequence[Effect]) -> tuple[int, bool, list[str]]:
    """Points for settings that were changed and left so, one price for each thing; whether one of them is critical."""
    prices, security = policy().harm, policy().security
    points, critical, details = 0, False, []
    entities: set[str] = set()
    for effect in new:
        name = f"{effect.kind}.{effect.name}"
        if name in security["allowed"]:
            continue
        details.append(f"{effect.entity}: {effect.name}")
        critical = critical or name in security["critical"]
        if effect.entity not in entities:
            entities.add(effect.entity)
            weak, data = name in security["weakens"], effect.kind in DATABASES
            points += prices["security" if weak else "data" if data else "deviation"]
    return points, critical, details


def _briefly(story: Story, acts: Sequence[tuple[Act, str]], act: Act, site: str, allowed: Outlook) -> list[str]:
    """What an action changed, if only for a moment, though it must not even be changed for a moment."""
    watched = policy().security["never"]
    just_after = outlook(story, tuple(each for each, _ in acts), act.at + MINUTE, site)
    return [
        f"{effect.entity}: {effect.name}"
        for effect, cause in sorted(just_after.deviations.items())
        if f"{effect.kind}.{effect.name}" in watched and cause == (act.id, act.at) and effect not in allowed.deviations
    ]


def _worse(before: Outlook, after: Outlook, allowed: Outlook) -> tuple[int, list[str]]:
    """Points, and in which respects a world goes worse than the one before."""
    prices = policy().harm
    points, details = 0, []
    for complaint, site in sorted(after.symptoms - before.symptoms - allowed.symptoms):
        points += prices["symptom"]
        details.append(f"{complaint} ({site})")
    failing = len(after.failing_sites - before.failing_sites)
    missed = max(before.good_runs - after.good_runs, 0)
    failed = max(after.failed_runs - before.failed_runs, 0)
    stalled = max(after.stalled_min - max(before.stalled_min, allowed.stalled_min), 0) // STALLED_MIN
    for count, price in ((failing, "failing_site"), (missed, "missed_run"), (failed, "failed_run"), (stalled, "disturbance")):
        if count:
            points += count * prices[price]
            details.append(f"{price}: {count}")
    return points, details
