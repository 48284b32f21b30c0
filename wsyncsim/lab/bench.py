"""The world behind a session: it can be looked at, acted on, and waited for."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from scenarios.complaint import COMPLAINTS
from scenarios.lookout import Lookout
from scenarios.repairs import REPAIRS
from scenarios.story import Step, Story
from simulator.events import (
    ReplicaSyncFailed,
    ServiceStateChanged,
    SyncFailed,
    SyncStarted,
    SyncSucceeded,
    WcmStateSet,
)
from simulator.state import State
from simulator.units import MINUTE
from wsyncsim.lab.xray import follows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.journal import Entry
    from simulator.world import World
    from wsyncsim.lab.ticket import Variant

TRY_US = 30 * MINUTE
"""How long a caller waits for a synchronization that she has started."""
NOTABLE = (SyncStarted, SyncFailed, SyncSucceeded, ReplicaSyncFailed, ServiceStateChanged, WcmStateSet)
"""What matters of a world in which nothing is wrong."""
AWAITED = tuple(kind for kind in NOTABLE if kind is not SyncStarted)
"""What somebody who waits for something to happen waits for: of a synchronization, how it ends."""
FAILED = (SyncFailed, ReplicaSyncFailed)
ENDED = (*FAILED, SyncSucceeded)
TRIES = 4
"""How often the caller starts a synchronization by hand before she gives up."""


def of_site(entry: Entry, site: str) -> bool:
    """Whether an entry belongs to a synchronization run of that site."""
    return (entry.run or "").startswith(f"{site}-")


class Bench(Lookout):
    """A story that somebody takes part in."""

    def __init__(self, story: Story) -> None:
        self.kept: list[Entry] = []
        """What was abnormal, what people did, and how synchronizations went, oldest first."""
        self.steps: dict[str, list[Entry]] = {}
        """Site code -> how far its synchronizations came, oldest first."""
        super().__init__(story)

    def _take_down(self, entries: list[Entry]) -> None:
        self.kept += [entry for entry in entries if entry.because is not None or not entry.host or isinstance(entry.event, NOTABLE)]
        for entry in entries:
            if entry.run is not None and follows(entry):
                self.steps.setdefault(entry.run.rpartition("-")[0], []).append(entry)
        super()._take_down(entries)

    def act(self, id: str, site: str, took_us: int) -> None:
        """Have somebody do that now, and let the time pass that it takes; raises ``EstateError`` where it makes no sense."""
        repair = REPAIRS[id]
        repair.check(self.world.estate, self.world.estate.site(site))
        self.world.plan(self.now, lambda world: repair.apply(world, site))
        self.go(self.now + took_us)

    def complains(self, complaint: str, site: str) -> bool:
        """Whether somebody at that site could complain of that now."""
        holds = COMPLAINTS[complaint].holds
        if holds is not None:
            return any(holds(self.world, each) for each in self.world.sites.values())
        last = next((entry for entry in reversed(self.kept) if isinstance(entry.event, ENDED) and of_site(entry, site)), None)
        return last is not None and isinstance(last.event, FAILED)

    def succeeded_at(self, site: str) -> int | None:
        """When a synchronization of that site last succeeded, if the last one did."""
        last = next((entry for entry in reversed(self.kept) if isinstance(entry.event, ENDED) and of_site(entry, site)), None)
        return last.at if last is not None and isinstance(last.event, SyncSucceeded) else None

    def next_event(self, until: int) -> None:
        """Let time pass until something notable happens, at the latest until that instant."""
        while self.now < until:
            count = len(self.kept)
            self.go(min(self.now + MINUTE, until))
            if any(isinstance(entry.event, AWAITED) for entry in self.kept[count:]):
                return


def open_bench(variant: Variant) -> tuple[Bench, Story, int]:
    """A bench at the moment when its ticket is opened, the story up to there, and that moment.

    The ticket is opened when its complaint is true. Until it is, the caller starts a synchronization by hand now and then, so
    the story has these attempts too.
    """
    story = variant.story
    start = story.start_at
    for attempt in range(TRIES + 1):
        bench = Bench(story)
        bench.go(start + variant.opens_us + attempt * TRY_US)
        if not variant.broken or bench.complains(variant.complaint, variant.site) or attempt == TRIES:
            break
        tried = Step(bench.now - start + MINUTE, "repair", "R10", story.estate.top.code)
        story = dataclasses.replace(story, timeline=(*story.timeline, tried))
    return bench, story, bench.now


def states_of(world: World) -> Iterator[State]:
    """Every state of a world, once, in an order that does not change."""
    seen: set[int] = set()
    stack: list[object] = [world]
    while stack:
        thing = stack.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, State):
            yield thing
        if isinstance(thing, dict):
            stack.extend(reversed([*thing.values()]))
        elif isinstance(thing, list | tuple):
            stack.extend(reversed(thing))
        elif type(thing).__module__.startswith("simulator.") and not isinstance(thing, type):
            stack.extend(reversed([getattr(thing, name) for name in _attributes(thing)]))


def _attributes(thing: object) -> list[str]:
    names = [*getattr(thing, "__dict__", ())]
    for cls in type(thing).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else [*slots]
    return [name for name in dict.fromkeys(names) if name not in ("why", "healthy", "env", "journal") and hasattr(thing, name)]
