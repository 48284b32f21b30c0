"""The last heading of the seed page: a synchronization that fails for an unknown reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.fault import FAULTS, Fault, Scene, fault
from scenarios.text import Text
from simulator.dice import Dice
from simulator.errors import EstateError

if TYPE_CHECKING:
    from simulator import estate as spec

CHECKLIST = ("S01", "S02", "S04", "S06", "S08", "S09", "S10", "S11", "S16", "S17", "S18", "S19", "S20")
"""Causes that the page's general tips ask about and that all end as "WSUS server not configured", which names none of them."""


def behind(estate: spec.Estate, site: spec.Site, generation: str, seed: int) -> Fault:
    """The fault that the seed hides: one that can happen at that site.

    Raises ``EstateError`` when none can.
    """
    possible = []
    for id in CHECKLIST:
        try:
            FAULTS[id].check(estate, site, generation)
        except (EstateError, KeyError):
            continue
        possible.append(FAULTS[id])
    if not possible:
        raise EstateError(f"no fault can hide at site {site.code}", hint="Use a site with a remote software update point")
    return possible[Dice(seed).stream("hidden cause").between(0, len(possible))]


@fault(
    "S33",
    Text("Synchronization fails for an unknown reason", "Synchronisierung schlägt aus unbekanntem Grund fehl"),
    Text(
        "Another fault, chosen by the seed, has been there for a while: the log says no more than that WSUS is not configured.",
        "Ein anderer, vom Startwert gewählter Fehler besteht seit einer Weile; das Protokoll nennt WSUS nur nicht konfiguriert.",
    ),
    entity="somewhere",
    setting="any of the others",
    healthy="-",
    faulty="hidden",
    generations=("2007",),
    repairs=("R08", "R10"),
    looks=("L20", "L21", "L26", "L05", "L07", "L61", "L04", "L45"),
    level=3,
    behind=behind,
    before_min=100,
)
def unknown_reason(scene: Scene) -> None:
    world, site = scene.world, scene.site
    hidden = behind(world.estate, site.spec, world.version.generation, world.dice.seed)
    if scene.broken:
        hidden.begin(world, site.code, scene.because)
    else:
        hidden.do(scene)
