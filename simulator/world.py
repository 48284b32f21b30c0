"""The world: wires the components of an estate together and lets them run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from heapq import heappop, heappush
from itertools import count

import simpy

from simulator import estate as spec
from simulator.clock import Zone
from simulator.components.console import ADMINISTRATOR, Console, WsusConsole
from simulator.components.health import HealthMonitor
from simulator.components.iis import DEFAULT_SITE, Binding, Iis, WebSite
from simulator.components.network import Certificate, Dns, Firewall, Network
from simulator.components.proxy import ProxyServer, ProxySettings
from simulator.components.replication import DatabaseReplication, FileReplication
from simulator.components.site import Site, SupProperties
from simulator.components.site_database import SiteDatabase
from simulator.components.sup import SoftwareUpdatePoint
from simulator.components.upstream import (
    BASELINE,
    CLASSIFICATIONS,
    LANGUAGES,
    USUAL_CLASSIFICATIONS,
    Catalogue,
    MicrosoftUpdate,
    Portion,
    Subscription,
)
from simulator.components.wcm import ConfigurationManager
from simulator.components.windows import GUESTS, Account, Group, Server
from simulator.components.wsus import Wsus, WsusSettings
from simulator.components.wsyncmgr import SyncManager
from simulator.dice import Dice
from simulator.errors import EstateError
from simulator.events import WsusServiceStarted
from simulator.journal import Entry, Journal
from simulator.units import DAY, HOUR
from simulator.versions import Version

SLICE_US = 6 * HOUR
"""How much simulated time is computed before entries are handed over: the bound of what is held in memory."""
SLICE_ACTORS = 12_000
"""With more health monitors and sync managers than these, less time is computed at once."""
CERTIFICATE_US = 730 * DAY
WORKSTATION_NUMBER = 238
ARRIVAL_US = 20 * HOUR
"""From a publication to its arrival in the WSUS servers of a world that has been running for long."""
PROXY_NUMBER = 239
"""The proxy's number among the addresses."""


class World:
    """One estate in one span of time.

    ``start`` and ``end`` are instants (microseconds since the epoch, UTC). The same arguments always give the same
    entries. ``stepwise`` makes every component give way at every step: slower, and the same to the byte.
    """

    def __init__(
        self,
        estate: spec.Estate,
        version: Version,
        *,
        seed: int,
        start: int,
        end: int,
        stepwise: bool = False,
    ) -> None:
        estate.check()
        estate.check_for(version)
        self.estate = estate
        self.version = version
        self.start = start
        self.end = end
        self.stepwise = stepwise
        self.env = simpy.Environment(initial_time=start)
        self._deeds: list[int] = []
        self._halt_at = start
        self.undisturbed_until = start
        """Before this instant nobody does anything to this world (``plan``), nor asks it how it is."""
        self.dice = Dice(seed)
        self.journal = Journal()
        self.synced_at = start - self.dice.stream("last synchronization").between(12 * HOUR, 22 * HOUR)
        """When all sites synchronized last, before the simulation begins."""
        self.hand = self.journal.reporter("", "#story")
        """The pen of whoever does something to this world: faults, repairs, people. Its name sorts before all others, so what
        is done stands before what follows from it at the same instant."""
        products = (*version.products, *version.other_products)
        self.catalogue = Catalogue(self.dice, start, products, version.first_article)
        self.subscription = self._subscription(estate.top)
        self._past: dict[int, list[Portion]] = {}
        self.microsoft_update = MicrosoftUpdate(entity="Microsoft Update", host=version.upstream_host)
        self.accounts: dict[str, Account] = {}
        self.network = Network(
            Dns(entity=estate.domain, records={}, forwards=estate.internet_names), Firewall(entity="network/firewall")
        )
        self.proxy = self._build_proxy()
        self._behind: list[HealthMonitor | SyncManager] = []
        """Who works off what has come due only when it begins to matter."""
        self.sites: dict[str, Site] = {}
        self._numbers = count(2 * len(estate.sites))
        """Of servers beyond the first two of a site."""
        self.retired: list[Wsus] = []
        """WSUS servers that still run though no site uses them."""
        for site in estate.sites:
            self.sites[site.code] = self._build_site(site, len(self.sites))
        administrator = self._account(self._user(ADMINISTRATOR))
        self.console = Console(entity="console", site=estate.top.code)
        self.wsus_console = WsusConsole(self, self._server(spec.WORKSTATION, WORKSTATION_NUMBER, ""), administrator)
        self.replication = FileReplication(self)
        self.database_replication = DatabaseReplication(self)
        for site in estate.sites:
            if site.old_wsus:
                self.retired.append(self._build_old_wsus(site))
        for built in self.sites.values():
            self._start(built)
        for wsus in self.retired:
            wsus.report(WsusServiceStarted(resumed=True))

    # --- running

    @property
    def now(self) -> int:
        """The instant that the simulation has reached."""
        return int(self.env.now)

    def call_at(self, at: int, do: Callable[[], None]) -> None:
        """Have ``do()`` called at instant ``at`` (now or later); it must not change what health monitors look at."""
        timer = self.env.timeout(max(at - self.now, 0))
        assert timer.callbacks is not None
        timer.callbacks.append(lambda _: do())

    def plan(self, at: int, do: Callable[[World], None]) -> None:
        """Have ``do(world)`` called at instant ``at`` (now or later).

        Whatever changes servers, services, IIS or the network does so from here: who is behind looks back first.
        """

        def fire() -> None:
            self._look_back(self.now)
            do(self)
            heappop(self._deeds)
            self._look_ahead(self._halt_at)

        heappush(self._deeds, max(at, self.now))
        self._look_ahead(self._halt_at)
        self.call_at(at, fire)

    def _look_ahead(self, halt_at: int) -> None:
        self._halt_at = halt_at
        self.undisturbed_until = min(halt_at, self._deeds[0]) if self._deeds else halt_at

    def _look_back(self, until: int) -> None:
        for component in self._behind:
            component.look_back(until)

    def simulate(self) -> Iterator[Entry]:
        """Run from start to end and yield every entry, in order."""
        for entries in self.slices():
            yield from entries

    def slices(self) -> Iterator[list[Entry]]:
        """Like ``simulate``, but some simulated hours (in a very large estate: minutes) at a time.

        Memory does not grow with the length of the run. What is still under way at the end breaks off, as in a log that
        was copied from a living server.
        """
        slice_us = SLICE_US * SLICE_ACTORS // max(len(self._behind), SLICE_ACTORS)
        while self.now < self.end:
            until = min(self.now + slice_us, self.end)
            self._look_ahead(until)
            self.env.run(until=until)
            self._look_back(until)
            yield self.journal.release(until)

    def run_until(self, at: int) -> list[Entry]:
        """Run to instant ``at`` and return the entries up to there."""
        if at > self.env.now:
            self._look_ahead(at)
            self.env.run(until=at)
        self._look_back(at)
        return self.journal.release(at)

    # --- building

    def _server(self, name: str, number: int, timezone: str) -> Server:
        pen = self.journal.reporter(name, f"{name}/windows")
        domain = self.estate.domain
        server = Server(
            name=name,
            fqdn=f"{name}.{domain}".upper(),
            ip=_address(number),
            netbios_domain=self.estate.netbios_domain,
            zone=Zone(timezone or self.estate.timezone),
            pen=pen,
        )
        self.network.servers[name] = server
        self.network.dns.records[server.fqdn.lower()] = name
        self._account(server.computer_account)
        return server

    def _account(self, name: str) -> Account:
        return self.accounts.setdefault(name, Account(entity=name, name=name))

    def _user(self, user: str) -> str:
        return f"{self.estate.netbios_domain}\\{user}" if user else ""

    def _build_proxy(self) -> ProxyServer | None:
        proxy = self.estate.proxy
        if proxy is None:
            return None
        server = self._server(proxy.host, PROXY_NUMBER, "")
        account = self._user(proxy.account)
        if account:
            self._account(account)
        return ProxyServer(server, ProxySettings(entity=proxy.host, port=proxy.port, account=account), self.accounts)

    def _build_site(self, site: spec.Site, number: int) -> Site:
        server = self._server(site.server, _host_number(number * 2), site.timezone)
        server.programs.wsus_console = True
        account = self._user(site.connection_account)
        if account:
            self._account(account)
        built = Site(self, site, server)
        parent = self.sites[site.parent] if site.parent is not None else None
        for host in site.sups:
            first = host == site.sup
            sup_server = server
            if host != site.server:
                host_number = number * 2 + 1 if first else next(self._numbers)
                sup_server = self._server(host, _host_number(host_number), site.timezone)
            properties = self._sup_properties(site, sup_server, first=first)
            wsus = self._build_wsus(site, server, sup_server, properties, (parent.sup if parent else None) if first else built.sup)
            built.add_point(SoftwareUpdatePoint(self, built, wsus, properties))
        built.database = SiteDatabase(entity=f"{site.code}/site database", service=server.add_service("MSSQLSERVER"))
        if site.kind != "secondary":
            susdb = built.wsus.susdb
            built.database.portions.update(zip(susdb.portions, susdb.arrived, strict=True))
            built.database.seen = len(susdb.portions)
        built.wcm = ConfigurationManager(self, built)
        built.wsyncmgr = SyncManager(self, built)
        self._behind.append(built.wsyncmgr)
        if parent is not None:
            built.parent = parent
            built.content_version = built.replicated_version = parent.content_version
            parent.children.append(built)
        return built

    def _subscription(self, top: spec.Site) -> Subscription:
        """What the top-level site asks for; raises ``EstateError`` for names that Microsoft Update does not have."""
        wanted = Subscription(
            top.products or self.version.products, top.classifications or USUAL_CLASSIFICATIONS, top.languages or ("en",)
        )
        known = Subscription(self.catalogue.products, CLASSIFICATIONS, LANGUAGES)
        for key, names in wanted._asdict().items():
            for name in names:
                if name not in getattr(known, key):
                    raise EstateError(
                        f"Microsoft Update has no {name!r} in generation {self.version.generation}",
                        where=f"estate.sites, site {top.code}, {key}",
                        hint=f"It has: {', '.join(getattr(known, key))}",
                    )
        return wanted

    def _fill(self, wsus: Wsus, newest: int | None = None) -> None:
        """Let a WSUS server hold what it has synchronized before the simulation begins, up to revision ``newest``."""
        susdb, settings = wsus.susdb, wsus.settings
        if newest is None:
            newest = self.catalogue.revision(self.synced_at)
        for portion in self._history(newest):
            susdb.add(min(self.catalogue.published_at(portion.to) + ARRIVAL_US, self.synced_at), portion)
        susdb.read_to, susdb.subscription = newest, self.subscription
        if settings.upstream:
            upstream = self.network.servers[self.network.dns.records[settings.upstream.lower()]].wsus
            assert upstream is not None
            susdb.source = settings.upstream, upstream.susdb.installed_at
            susdb.anchor = len(upstream.susdb.portions)

    def _history(self, newest: int) -> list[Portion]:
        if newest not in self._past:
            self._past[newest] = self.catalogue.history(self.subscription, newest)
        return self._past[newest]

    def _sup_properties(self, site: spec.Site, server: Server, *, first: bool) -> SupProperties:
        proxy = self.estate.proxy if site.proxy else None
        return SupProperties(
            entity=f"{site.code}/SUP" if first else f"{site.code}/SUP {server.name}",
            fqdn=server.fqdn,
            http_port=self.version.default_http_port,
            https_port=self.version.default_https_port,
            use_ssl=site.ssl,
            proxy_host=f"{proxy.host}.{self.estate.domain}".lower() if proxy else "",
            proxy_port=proxy.port if proxy else 0,
            proxy_account=self._user(proxy.account) if proxy else "",
            connection_account=self._user(site.connection_account),
            scheduled=site.parent is None and bool(site.sync_every_h),
            **self.subscription._asdict(),
        )

    def _build_wsus(
        self, site: spec.Site, site_server: Server, server: Server, sup: SupProperties, upstream: SupProperties | None
    ) -> Wsus:
        """WSUS of a software update point, synchronizing from the one with the properties ``upstream``."""
        self._build_iis(server, site)
        settings = WsusSettings(
            entity=f"{server.name}/WSUS",
            upstream=upstream.fqdn if upstream else "",
            upstream_port=upstream.port if upstream else 0,
            upstream_ssl=upstream.use_ssl if upstream else False,
            replica=site.kind == "secondary" or server.name != site.sup,
            proxy_host=sup.proxy_host,
            proxy_port=sup.proxy_port,
            proxy_account=sup.proxy_account,
            using_ssl=site.ssl,
            **self.subscription._asdict(),
        )
        members = (
            site_server.computer_account,
            server.computer_account,
            sup.connection_account,
            self._user(ADMINISTRATOR),
        )
        administrators = Group(entity=f"{server.name}/WSUS Administrators", members=tuple(m for m in members if m))
        wsus = server.wsus = Wsus(self, server, settings, administrators, proxy=self.proxy if site.proxy else None)
        self._behind.append(wsus.health)
        self._fill(wsus)
        return wsus

    def _build_old_wsus(self, site: spec.Site) -> Wsus:
        """The retired WSUS server: nobody synchronizes it any more, and no site's account is among its administrators."""
        server = self._server(site.old_wsus, _host_number(next(self._numbers)), site.timezone)
        self._build_iis(server, replace(site, ssl=False, certificate=False))
        settings = WsusSettings(
            entity=f"{server.name}/WSUS",
            upstream="",
            upstream_port=0,
            upstream_ssl=False,
            replica=False,
            proxy_host="",
            proxy_port=0,
            proxy_account="",
            using_ssl=False,
            **self.subscription._asdict(),
        )
        administrators = Group(
            entity=f"{server.name}/WSUS Administrators", members=(server.computer_account, self._user(ADMINISTRATOR))
        )
        wsus = server.wsus = Wsus(self, server, settings, administrators, proxy=None)
        self._behind.append(wsus.health)
        self._fill(wsus, BASELINE - self.dice.stream(f"{server.name}/last synchronization").between(500, 3_000))
        return wsus

    def _other_site(self, server: Server) -> WebSite:
        """The web site beside WSUS's: where WSUS has the default one, a site for something else."""
        if self.version.default_http_port == 80:
            name, port, number = "Intranet", 8080, self.dice.stream(f"{server.name}/other web site").between(100_000, 2_000_000_000)
        else:
            name, port, number = "Default Web Site", 80, DEFAULT_SITE
        binding = Binding(entity=f"{server.name}/{name}/binding", port=port, https=False, present=True)
        return WebSite(entity=f"{server.name}/{name}", name=name, number=number, bindings=(binding,))

    def _build_iis(self, server: Server, site: spec.Site) -> None:
        version = self.version
        names = (server.fqdn.lower(),)
        certificate = Certificate(
            entity=f"{server.name}/certificate", names=names, not_before=self.start - 30 * DAY, not_after=self.end + CERTIFICATE_US
        )
        secure = site.ssl or site.certificate
        anonymous = version.anonymous_account.format(host=server.name)
        web_site = (
            DEFAULT_SITE
            if version.default_http_port == 80
            else self.dice.stream(f"{server.name}/web site").between(100_000, 2_000_000_000)
        )
        server.iis = Iis(
            server,
            needs_iisadmin=version.w3svc_needs_iisadmin,
            web_site=web_site,
            http=Binding(entity=f"{server.name}/http binding", port=version.default_http_port, https=False, present=True),
            https=Binding(
                entity=f"{server.name}/https binding",
                port=version.default_https_port,
                https=True,
                present=secure,
                certificate=certificate if secure else None,
            ),
            anonymous_account=Account(entity=f"{server.name}/{anonymous}", name=anonymous),
            ssl=site.ssl,
            other_site=self._other_site(server),
        )
        if version.anonymous_is_guest:
            server.groups[GUESTS].members = (anonymous,)

    def _start(self, site: Site) -> None:
        """Everything runs already when the simulation begins."""
        site.executive.add(site.wsyncmgr)
        site.executive.add(site.wcm)
        for point in site.points:
            point.executive.add(point.wsusctrl)
        site.executive.start(self.start, resumed=True, because=None)
        for point in site.points:
            if point.executive is not site.executive:
                point.executive.start(self.start, resumed=True, because=None)
            point.wsus.report(WsusServiceStarted(resumed=True))


def _host_number(number: int) -> int:
    """Numbers of servers leave out the workstation's and the proxy's."""
    return number if number < WORKSTATION_NUMBER else number + 2


def _address(number: int) -> str:
    """The IP address of the server of that number: 240 in each of 250 networks, and so on."""
    return f"10.{1 + number // 60_000}.{number // 240 % 250}.{10 + number % 240}"
