"""A software update point: WSUS on one server of a site, what the site configures of it, and what watches it there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.components.site import Executive
from simulator.components.wsusctrl import ControlManager

if TYPE_CHECKING:
    from simulator.components.site import Site, SupProperties
    from simulator.components.windows import Server
    from simulator.components.wsus import Wsus
    from simulator.world import World


class SoftwareUpdatePoint:
    """One software update point of a site. A site's first one has its upstream server elsewhere; further ones are its replicas."""

    def __init__(self, world: World, site: Site, wsus: Wsus, properties: SupProperties) -> None:
        self.site = site
        self.server: Server = wsus.server
        self.wsus = wsus
        self.properties = properties
        self.replica = site.spec.kind == "secondary" or bool(site.points)
        """Its WSUS is to be a replica: every one of a secondary site, and every further one [L]."""
        self.on_site_server = self.server is site.server
        self.local = self.on_site_server and world.version.local_api
        """It is on the site server and addressed through the local API."""
        self.executive = site.executive if self.on_site_server else Executive(world, self.server, site.code)
        self._first = site.points[0] if site.points else None
        self.wsusctrl = ControlManager(world, site, self)

    @property
    def upstream(self) -> SupProperties | None:
        """The software update point that its WSUS is to synchronize from; ``None`` for Microsoft Update."""
        if self._first is not None:
            return self._first.properties
        return self.site.parent.sup if self.site.parent is not None else None
