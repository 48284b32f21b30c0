"""Repairs and other manual actions: each writes what a person would write, and the owning process notices later.

Ids ``R..`` are repairs and checks, ``X..`` what a well-meaning person should better not do. A repair knows nothing of faults.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.text import Text
from simulator.errors import EstateError
from simulator.events import ActionTaken, FaultBegan
from simulator.failures import Failure
from simulator.state import State

if TYPE_CHECKING:
    from simulator import estate as spec
    from simulator.components.iis import Iis
    from simulator.components.site import Site
    from simulator.journal import Entry
    from simulator.world import World


@dataclass(frozen=True, slots=True)
class Hand:
    """Somebody at work on one site."""

    world: World
    site: Site
    action: str

    @property
    def at(self) -> int:
        return self.world.now

    @property
    def iis(self) -> Iis:
        iis = self.site.wsus.server.iis
        assert iis is not None
        return iis

    def note(self, state: State, detail: str, *settings: str) -> Entry:
        """Write down what is done to ``state``, and against which fault if one made these settings deviate.

        What a person does follows from nothing: she would do it in a healthy world, too.
        """
        cause = state.because(*settings)
        while cause is not None and cause.because is not None:
            cause = cause.because
        against = cause.id if cause is not None and isinstance(cause.event, FaultBegan) else ""
        return self.world.hand.report(self.at, ActionTaken(self.action, self.site.code, state.entity, detail, against))

    def in_wsus_console(self, state: State, detail: str, *settings: str) -> Entry | None:
        """Like ``note``, for what is done in the WSUS console: it must reach the server first. ``None`` when it cannot."""
        try:
            self.world.wsus_console.connect(self.site)
        except Failure:
            self.note(state, "the WSUS console cannot connect")
            return None
        return self.note(state, detail, *settings)


@dataclass(frozen=True, slots=True)
class Repair:
    """One action that somebody can take."""

    id: str
    title: Text
    do: Callable[[Hand], None]

    def check(self, estate: spec.Estate, site: spec.Site) -> None:
        """Raise ``EstateError`` when this cannot be done at that site."""
        if self.id in ("R10", "R11") and site.parent is not None:
            raise EstateError(
                f"a synchronization cannot be started by hand at child site {site.code}",
                hint=f"Start it at the top-level site, {estate.top.code}",
            )
        if self.id == "R58" and site.parent is None:
            raise EstateError(f"site {site.code} has no parent site", hint="Name the child site at the end of the link")
        if self.id == "R37" and site.kind == "secondary":
            raise EstateError(
                f"WSUS of secondary site {site.code} is a replica by design", hint="Clear the option at a primary site"
            )
        if self.id in ("R16", "R17", "R18", "R21") and not (site.ssl or site.certificate):
            raise EstateError(f"{site.sup} has no certificate", hint="Use a site with ssl = true or certificate = true")
        if self.id in ("R29", "R30", "R31", "R32", "X21") and estate.proxy is None:
            raise EstateError("there is no proxy in this estate", hint="Add [estate.proxy] to the story")

    def apply(self, world: World, site_code: str) -> None:
        """Do it now at that site; raises ``EstateError`` where it makes no sense."""
        self.check(world.estate, world.sites[site_code].spec)
        self.do(Hand(world, world.sites[site_code], self.id))


REPAIRS: dict[str, Repair] = {}
"""Every repair and action by id."""


def repair(id: str, en: str, de: str) -> Callable[[Callable[[Hand], None]], Callable[[Hand], None]]:
    """Register a function as the repair of that id."""

    def register(do: Callable[[Hand], None]) -> Callable[[Hand], None]:
        REPAIRS[id] = Repair(id, Text(en, de), do)
        return do

    return register
