"""The two consoles at which people work: ConfigMgr's, and that of WSUS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from simulator.components.iis import Caller, request
from simulator.components.site import MICROSOFT_UPDATE, NO_SOURCE, Site
from simulator.components.windows import Account, Server
from simulator.state import State
from simulator.units import MS

if TYPE_CHECKING:
    from simulator.journal import Entry
    from simulator.world import World

Obstacle = Literal["child site", "no active software update point", "source is not Microsoft Update"]
"""Why Run Synchronization is not available: the three conditions of the seed page [S]."""

ADMINISTRATOR: Final = "Administrator"
"""Account of the person at the consoles, without domain."""


@dataclass(slots=True, eq=False, kw_only=True)
class Console(State):
    """The ConfigMgr console of the administrator's workstation."""

    site: str
    """Code of the site that it is connected to."""

    def obstacles(self, world: World) -> tuple[tuple[Obstacle, Entry | None], ...]:
        """What keeps Run Synchronization from being available, each with its cause."""
        site = world.sites[self.site]
        found: list[tuple[Obstacle, Entry | None]] = []
        if site.parent is not None:
            found.append(("child site", self.because("site")))
        if not site.sup.active:
            found.append(("no active software update point", site.sup.because("active")))
        any_server = world.version.any_source
        if site.parent is None and (site.sup.source == NO_SOURCE or (site.sup.source != MICROSOFT_UPDATE and not any_server)):
            found.append(("source is not Microsoft Update", site.sup.because("source")))
        return tuple(found)


class WsusConsole:
    """The WSUS administration console on the administrator's workstation, connected to a site's WSUS server."""

    def __init__(self, world: World, workstation: Server, account: Account) -> None:
        self.world = world
        self.workstation = workstation
        self.account = account
        self._dice = world.dice.stream(f"{workstation.name}/WSUS console")

    def connect(self, site: Site, run: str | None = None) -> None:
        """Open the API of the site's WSUS server as its own web site answers; raises ``Failure`` when that fails."""
        server = site.wsus.server
        iis = server.iis
        assert iis is not None
        ssl = site.wsus.settings.using_ssl
        caller = Caller(self.world.journal, self.workstation, "WSUS console", self.account, self._dice)
        caller.run = run
        port = iis.https.port if ssl else iis.http.port
        at, took_us = self.world.now, self._dice.about(40 * MS)
        request(self.world.network, caller, server.fqdn, port, "ApiRemoting30", ssl=ssl, at=at, took_us=took_us, fresh=True)
