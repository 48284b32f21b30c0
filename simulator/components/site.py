"""A ConfigMgr site: its servers, its software update point's properties, and the components of SMS_EXECUTIVE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simpy import Interrupt, Process

from simulator import estate
from simulator.components.actor import Actor, Steps
from simulator.components.upstream import Subscription
from simulator.components.windows import Account, Server
from simulator.events import Component, ComponentStarted, ComponentStopped, StatusReported
from simulator.journal import Entry
from simulator.state import State
from simulator.units import MS, SECOND

if TYPE_CHECKING:
    from simulator.components.site_database import SiteDatabase
    from simulator.components.sup import SoftwareUpdatePoint
    from simulator.components.wcm import ConfigurationManager
    from simulator.components.wsus import Wsus
    from simulator.components.wsusctrl import ControlManager
    from simulator.components.wsyncmgr import SyncManager
    from simulator.world import World

MICROSOFT_UPDATE = "Microsoft Update"
NO_SOURCE = "none"
"""Values of ``SupProperties.source``: the service, and synchronizing from nowhere."""
BELL = "bell"
"""Cause of an interrupt that wakes a thread, instead of ending it."""
STARTED, STOPPED = 500, 502
"""Status messages of every component [L]."""
RESTART_US = 40 * SECOND
"""Stopping and starting SMS_EXECUTIVE [U]."""


@dataclass(slots=True, eq=False, kw_only=True)
class SupProperties(State):
    """The software update point as the site configures it (site control)."""

    fqdn: str
    http_port: int
    https_port: int
    use_ssl: bool
    proxy_host: str
    """Empty when no proxy is to be used."""
    proxy_port: int
    proxy_account: str
    connection_account: str
    """``DOMAIN\\user``; empty for the site server's computer account."""
    products: tuple[str, ...] = ()
    classifications: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    """What the top-level site asks Microsoft Update for, and in which languages summary details are told."""
    active: bool = True
    """The site has an active software update point."""
    source: str = MICROSOFT_UPDATE
    """Where the top-level site synchronizes from: ``Microsoft Update``, the name of an upstream server, or ``none``."""
    scheduled: bool = True
    """The synchronization schedule is enabled (top-level site)."""

    @property
    def subscription(self) -> Subscription:
        """What the site asks for."""
        return Subscription(self.products, self.classifications, self.languages)

    @property
    def port(self) -> int:
        """The port that WCM and WSyncMgr use."""
        return self.https_port if self.use_ssl else self.http_port

    @property
    def because_address(self) -> Entry | None:
        """Why the site looks for WSUS in the wrong place, if it does."""
        return self.because("fqdn", "use_ssl", "https_port" if self.use_ssl else "http_port")


class ThreadedActor(Actor):
    """A component that is a thread of SMS_EXECUTIVE."""

    component: Component
    process: Process
    """The thread, while it runs."""

    def __init__(self, world: World, server: Server, role: str, site: Site) -> None:
        super().__init__(world, server.name, role)
        self.site = site
        self.server = server
        self.started_because: Entry | None = None
        self._waits = False

    def live(self, *, resumed: bool) -> Steps:
        """The thread's life, from its start."""
        raise NotImplementedError

    def wait_for_bell(self, until: int | None) -> Steps:
        """Sleep until instant ``until`` (``None``: for ever), or until somebody rings."""
        env = self.env
        if until is None or until > env.now:
            self._waits = True
            try:
                yield env.event() if until is None else env.timeout(until - env.now)
            except Interrupt as interrupt:
                if interrupt.cause is not BELL:
                    raise
            finally:
                self._waits = False
            self.look_back(self.world.now)
        self.now = max(self.now, self.world.now)

    def look_back(self, until: int) -> None:
        """Do what came due before instant ``until`` while it waited, and matters to nobody else."""

    def ring(self) -> None:
        """Wake this component if it waits for the bell."""
        if self._waits:
            self._waits = False
            self.process.interrupt(BELL)

    @property
    def computer_account(self) -> Account:
        return self.world.accounts[self.server.computer_account]


class Executive:
    """SMS_EXECUTIVE on one server: the process whose threads the components are."""

    def __init__(self, world: World, server: Server, site_code: str) -> None:
        self.world = world
        self.server = server
        self.site_code = site_code
        self.service = server.add_service("SMS_EXECUTIVE")
        self._dice = world.dice.stream(f"{server.name}/SMS_EXECUTIVE")
        self._members: list[ThreadedActor] = []
        self._restart_pending = False

    def add(self, member: ThreadedActor) -> None:
        self._members.append(member)

    def start(self, at: int, *, resumed: bool, because: Entry | None) -> None:
        """Start all threads under a new process id."""
        self._restart_pending = False
        if not resumed:
            self.server.set_service(at, "SMS_EXECUTIVE", running=True, because=because)
        pid = self._dice.between(500, 2_000) * 4
        first_tid = self._dice.between(700, 9_000)
        for number, member in enumerate(self._members):
            tid = (first_tid + number * 9) * 4 % 65_536
            member.now = at + number * 15 * MS
            member.started_because = because
            member.pen.run = None
            member.report(ComponentStarted(member.component, self.site_code, pid, tid, resumed), because)
            if not resumed:
                member.report(StatusReported(member.component, STARTED), because)
            member.process = self.world.env.process(self._guard(member, resumed=resumed))

    def stop(self, at: int, because: Entry | None) -> None:
        """Stop all threads where they are; nothing happens when they do not run."""
        if not self.service.running:
            return
        for member in self._members:
            if member.process.is_alive:
                member.process.interrupt()
            member.pen.report(at, StatusReported(member.component, STOPPED), because)
            member.pen.report(at, ComponentStopped(member.component), because)
        self.server.set_service(at, "SMS_EXECUTIVE", running=False, because=because)

    def restart(self, because: Entry | None) -> None:
        """Stop now, start again a little later; a restart under way is not begun again."""
        if self._restart_pending:
            return
        self._restart_pending = True
        self.stop(self.world.now, because)
        at = self.world.now
        self.world.plan(at + self._dice.about(RESTART_US), lambda world: self.start(world.now, resumed=False, because=because))

    @staticmethod
    def _guard(member: ThreadedActor, *, resumed: bool) -> Steps:
        try:
            yield from member.live(resumed=resumed)
        except Interrupt:
            return


class Site:
    """One site of the hierarchy.

    ``points`` are its software update points; ``sup``, ``wsus``, ``wsusctrl`` and ``sup_executive`` are parts of the first one.
    """

    def __init__(self, world: World, spec: estate.Site, server: Server) -> None:
        self.world = world
        self.spec = spec
        self.code = spec.code
        self.server = server
        self.points: list[SoftwareUpdatePoint] = []
        self.parent: Site | None = None
        self.children: list[Site] = []
        self.content_version = world.dice.stream(f"{spec.code}/content version").between(20, 400)
        self.replicated_version = self.content_version
        """The parent's content version whose rows database replication has brought (2012 and later)."""
        self.source_guid = world.dice.stream(f"{spec.code}/update source").guid().upper()
        self.executive = Executive(world, server, spec.code)
        self.sup: SupProperties
        self.wsus: Wsus
        self.database: SiteDatabase
        self.wsusctrl: ControlManager
        self.sup_executive: Executive
        self.wcm: ConfigurationManager
        self.wsyncmgr: SyncManager

    def add_point(self, point: SoftwareUpdatePoint) -> None:
        """Give it a software update point; the first one is the one that its upstream server and its gate are about."""
        if not self.points:
            self.sup, self.wsus = point.properties, point.wsus
            self.wsusctrl, self.sup_executive = point.wsusctrl, point.executive
        self.points.append(point)

    @property
    def top(self) -> Site:
        """The top-level site above (or this one)."""
        return self if self.parent is None else self.parent.top

    @property
    def synchronizes_database(self) -> bool:
        """Its site database is filled from its WSUS: at the top, and in 2007 at child primary sites too [L][I]."""
        return self.parent is None or (self.spec.kind == "primary" and self.world.version.child_writes_site_database)

    def replicate(self, version: int) -> None:
        """Take what database replication brings: the rows up to a content version of the parent's."""
        assert self.parent is not None
        self.replicated_version = max(self.replicated_version, version)
        self.database.take_over(self.parent.database, self.world.now)

    def save_sup(self, because: Entry | None, **values: Any) -> None:
        """Save SUP properties in the console: site control changes, and WCM is told."""
        self.sup.change(because, **values)
        self.wcm.site_control_changed(because)
