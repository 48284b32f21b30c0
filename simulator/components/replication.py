"""What carries things between sites: files by senders, and from 2012 on rows by database replication.

Every link has a state that can be changed, dice of its own, and remembers what waits on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

from simulator.clock import Zone
from simulator.state import State
from simulator.units import MINUTE, SECOND

if TYPE_CHECKING:
    from simulator.components.site import Site
    from simulator.world import World

DELAY_US = (20 * SECOND, 80 * SECOND)
"""Seconds to hours in the field; the reference run's child starts 51 s after its parent has finished [L]."""
DATABASE_DELAY_US = (2 * MINUTE, 6 * MINUTE)
"""Rows reach the child's database within minutes [L: minutes][I: how many]."""
DEGRADED = 10
"""How many times longer a degraded link takes [I]."""


class Waiting(NamedTuple):
    """Something that has not left yet."""

    what: str
    """Name of a file, or the content version that rows belong to."""
    since: int


# --- files


@dataclass(slots=True, eq=False, kw_only=True)
class Sender(State):
    """What sends files from a site to a child site: address, account and share, and when it may."""

    up: bool = True
    from_h: int = 0
    until_h: int = 24
    """Hours of the day between which it may send, by the sending site's clock; the night between when the first is later."""
    delay_us: tuple[int, int] = DELAY_US
    """How long a file is under way, at least and at most (exclusive)."""
    notice: Callable[[], None]
    """Called after every change."""

    def change(self, because: object, **values: object) -> None:
        super(Sender, self).change(because, **values)  # type: ignore[arg-type]
        self.notice()

    def opens_at(self, at: int, zone: Zone) -> int:
        """The first instant from ``at`` on at which it may send."""
        local = zone.local(at).replace(tzinfo=None)
        first, last = self.from_h, self.until_h
        if first <= local.hour < last or (last < first and not last <= local.hour < first):
            return at
        opens = local.replace(hour=first, minute=0, second=0)
        return zone.instant(opens if opens > local else opens + timedelta(days=1))


class FileLink:
    """The way of files from one site to a child site. What cannot leave waits in the outbox; nothing is lost."""

    def __init__(self, world: World, parent: Site, child: Site) -> None:
        self._world = world
        self._child = child
        self._zone = parent.server.zone
        self._dice = world.dice.stream(f"sender/{parent.code}-{child.code}")
        self._outbox: dict[str, int] = {}
        self.sender = Sender(
            entity=f"{parent.code}->{child.code} sender",
            from_h=child.spec.transfer_from_h,
            until_h=child.spec.transfer_until_h,
            notice=self._go_on,
        )

    @property
    def backlog(self) -> tuple[Waiting, ...]:
        """The files that wait, oldest first."""
        return tuple(Waiting(file, since) for file, since in self._outbox.items())

    def put(self, file: str) -> None:
        """Lay a file into the outbox, now; it takes the place of an older one of that name."""
        self._outbox.pop(file, None)
        self._outbox[file] = self._world.now
        self._go_on()

    def _go_on(self) -> None:
        if self._outbox and self.sender.up:
            leaves_at = self.sender.opens_at(self._world.now, self._zone)
            self._world.call_at(leaves_at + self._dice.between(*self.sender.delay_us), self._arrive)

    def _arrive(self) -> None:
        if self.sender.up:
            files, self._outbox = self._outbox, {}
            for file in files:
                self._child.wsyncmgr.drop(self._world.now, file)


class FileReplication:
    """The senders of all sites."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.links = {
            (site.code, child.code): FileLink(world, site, child) for site in world.sites.values() for child in site.children
        }
        """By codes of parent and child."""

    def notify(self, at: int, site: Site) -> None:
        """Send ``<site code>.SYN`` to every child, at instant ``at``."""
        self._world.call_at(at, partial(self._put, site))

    def _put(self, site: Site) -> None:
        for child in site.children:
            self.links[site.code, child.code].put(f"{site.code}.SYN")


# --- rows


@dataclass(slots=True, eq=False, kw_only=True)
class ReplicationLink(State):
    """Database replication from a central site to a primary site [L]."""

    up: bool = True
    degraded: bool = False
    notice: Callable[[], None]
    """Called after every change."""

    def change(self, because: object, **values: object) -> None:
        super(ReplicationLink, self).change(because, **values)  # type: ignore[arg-type]
        self.notice()

    @property
    def status(self) -> Literal[0, 1, 2]:
        """0 healthy, 1 degraded, 2 error, as SMS_SUPSyncStatus shows it [L]."""
        if not self.up:
            return 2
        return 1 if self.degraded else 0


class DatabaseLink:
    """The way of update rows from one site's database to a child's. What cannot leave waits; nothing is lost."""

    def __init__(self, world: World, parent: Site, child: Site) -> None:
        self._world = world
        self._child = child
        self._dice = world.dice.stream(f"database replication/{parent.code}-{child.code}")
        self._waiting: dict[int, int] = {}
        self.state = ReplicationLink(entity=f"{parent.code}->{child.code} database replication", notice=self._noticed)
        self._status = self.state.status
        self.since = world.start
        """Instant since which the link has the status that it has."""

    @property
    def backlog(self) -> tuple[Waiting, ...]:
        """The content versions that the child has not received, oldest first."""
        return tuple(Waiting(str(version), since) for version, since in self._waiting.items())

    def publish(self, version: int) -> None:
        """Send the rows of a content version, now."""
        self._waiting.setdefault(version, self._world.now)
        self._go_on()

    def _noticed(self) -> None:
        if self._status != self.state.status:
            self._status, self.since = self.state.status, self._world.now
        self._go_on()

    def _go_on(self) -> None:
        if self._waiting and self.state.up:
            took_us = self._dice.between(*DATABASE_DELAY_US) * (DEGRADED if self.state.degraded else 1)
            self._world.call_at(self._world.now + took_us, partial(self._arrive, max(self._waiting)))

    def _arrive(self, version: int) -> None:
        """All rows up to a content version have arrived, unless the link broke in between."""
        if self.state.up and version in self._waiting:
            self._waiting = {other: since for other, since in self._waiting.items() if other > version}
            self._child.replicate(version)


class DatabaseReplication:
    """The links between a central site's database and its primary sites', in generations that have them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.links = {
            (site.code, child.code): DatabaseLink(world, site, child)
            for site in world.sites.values()
            for child in site.children
            if not world.version.child_writes_site_database and child.spec.kind == "primary"
        }
        """By codes of parent and child."""

    def publish(self, at: int, site: Site) -> None:
        """Send what is new in a site's database to its child primary sites, at instant ``at``."""
        links = [link for (parent, _), link in self.links.items() if parent == site.code]
        if links:
            self._world.call_at(at, partial(self._publish, links, site.content_version))

    @staticmethod
    def _publish(links: list[DatabaseLink], version: int) -> None:
        for link in links:
            link.publish(version)
