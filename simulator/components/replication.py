"""File replication between sites: carries a .SYN file from a parent's outbox to its children's inboxes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from simulator.units import SECOND

if TYPE_CHECKING:
    from simulator.components.site import Site
    from simulator.world import World

DELAY_US = (20 * SECOND, 80 * SECOND)
"""Seconds to hours in the field; the reference run's child starts 51 s after its parent has finished [L]."""


class FileReplication:
    """The senders of all sites; every link has dice of its own."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._dice = {
            (site.code, child.code): world.dice.stream(f"sender/{site.code}-{child.code}")
            for site in world.sites.values()
            for child in site.children
        }

    def notify(self, at: int, site: Site) -> None:
        """Send ``<site code>.SYN`` to every child."""
        for child in site.children:
            arrives_at = at + self._dice[site.code, child.code].between(*DELAY_US)
            self._world.plan(arrives_at, partial(self._deliver, site.code, child))

    @staticmethod
    def _deliver(parent: str, child: Site, world: World) -> None:
        child.wsyncmgr.drop(world.now, f"{parent}.SYN")
