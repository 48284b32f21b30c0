"""What every active component has: its place in the simulation, its own dice, its own pen and its own clock."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from simpy import Event

from simulator.journal import Entry

if TYPE_CHECKING:
    from simulator.world import World

Steps = Generator[Event, Any, None]
"""A process or a part of one: yields to SimPy, returns nothing."""
StepsToBool = Generator[Event, Any, bool]
StepsToInt = Generator[Event, Any, int]


class Actor:
    """A component that acts by itself.

    It runs ahead on its own clock (``now``) as long as nobody else can act before that instant, and gives way
    (``catch_up``) before it touches what others can change. Both ways, the same things happen at the same time; the
    world's ``stepwise`` mode gives way always, and a test compares the two.
    """

    def __init__(self, world: World, host: str, role: str) -> None:
        self.world = world
        self.env = world.env
        self.host = host
        self.dice = world.dice.stream(f"{host}/{role}")
        self.pen = world.journal.reporter(host, f"{host}/{role}")
        self.now: int = world.start

    def report(self, event: Any, because: Entry | None = None) -> Entry:
        """Write down that something happened now, by this component's clock."""
        return self.pen.report(self.now, event, because)

    def catch_up(self) -> Steps:
        """Give way to whoever acts before this component's clock."""
        env = self.env
        if self.now > env.now and (self.world.stepwise or env.peek() <= self.now):
            yield env.timeout(self.now - env.now)

    def heed_deeds(self, *, settled: bool = True) -> Steps:
        """Give way to whoever does something to the world (``World.plan``) before this component's clock.

        That is enough where it reads what nothing but deeds and itself can change. Unless all is ``settled``, it is about to
        change what others read, so it gives way to all.
        """
        if not settled:
            yield from self.catch_up()
        elif self.now >= self.world.undisturbed_until or self.world.stepwise:
            yield from self.meet()

    def meet(self) -> Steps:
        """Let the simulation come up to this component's clock, to act on somebody who waits."""
        if self.now > self.env.now:
            yield self.env.timeout(self.now - self.env.now)

    def wait_until(self, at: int) -> Steps:
        """Sleep until instant ``at``."""
        if at > self.env.now:
            yield self.env.timeout(at - self.env.now)
        self.now = max(self.now, at)

    def skip_to(self, at: int) -> Steps:
        """Sleep until instant ``at``, where nothing but deeds could matter before: without any, it is there at once."""
        if at >= self.world.undisturbed_until or self.world.stepwise:
            yield from self.wait_until(at)
        else:
            self.now = max(self.now, at)
