"""Make things happen in a world, and pick what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from scenarios.faults import FAULTS
from scenarios.repairs import REPAIRS
from simulator.journal import Entry
from simulator.world import World


def do(world: World, after_us: int, deed: Callable[[World], object]) -> None:
    """Have ``deed(world)`` called so long after the start."""

    def without_result(world: World) -> None:
        deed(world)

    world.plan(world.start + after_us, without_result)


def fault(world: World, id: str, after_us: int, site: str = "CS1") -> None:
    """A fault begins."""
    do(world, after_us, lambda w: FAULTS[id].begin(w, site))


def act(world: World, id: str, after_us: int, site: str = "CS1") -> None:
    """Somebody repairs or does something."""
    do(world, after_us, lambda w: REPAIRS[id].apply(w, site))


def events(entries: Iterable[Entry], kind: type) -> list[Entry]:
    """The entries with an event of that class."""
    return [entry for entry in entries if isinstance(entry.event, kind)]
