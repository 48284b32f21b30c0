"""The world: wires the components of an estate together and lets them run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import simpy

from simulator import estate as spec
from simulator.clock import Zone
from simulator.components.iis import DEFAULT_SITE, Binding, Iis, WebSite
from simulator.components.network import Certificate, Dns, Firewall, Network
from simulator.components.proxy import ProxyServer, ProxySettings
from simulator.components.replication import FileReplication
from simulator.components.site import Site, SupProperties
from simulator.components.upstream import BASELINE, Catalogue, MicrosoftUpdate
from simulator.components.wcm import ConfigurationManager
from simulator.components.windows import GUESTS, Account, Group, Server
from simulator.components.wsus import Wsus, WsusSettings
from simulator.components.wsusctrl import ControlManager
from simulator.components.wsyncmgr import SyncManager
from simulator.dice import Dice
from simulator.events import WsusServiceStarted
from simulator.journal import Entry, Journal
from simulator.units import DAY, HOUR
from simulator.versions import Version

SLICE_US = 6 * HOUR
"""How much simulated time is computed before entries are handed over: the bound of what is held in memory."""
CERTIFICATE_US = 730 * DAY
PROXY_SERVER, OLD_SERVER = 239, 238
"""Where their addresses lie among those of the site servers."""


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
        self.estate = estate
        self.version = version
        self.start = start
        self.end = end
        self.stepwise = stepwise
        self.env = simpy.Environment(initial_time=start)
        self.dice = Dice(seed)
        self.journal = Journal()
        self.synced_at = start - self.dice.stream("last synchronization").between(12 * HOUR, 22 * HOUR)
        """When all sites synchronized last, before the simulation begins."""
        self.hand = self.journal.reporter("", "#story")
        """The pen of whoever does something to this world: faults, repairs, people. Its name sorts before all others, so what
        is done stands before what follows from it at the same instant."""
        self.catalogue = Catalogue(self.dice, start, version.products, version.first_article)
        self.microsoft_update = MicrosoftUpdate(entity="Microsoft Update", host=version.upstream_host)
        self.accounts: dict[str, Account] = {}
        self.network = Network(
            Dns(entity=estate.domain, records={}, forwards=estate.internet_names), Firewall(entity="network/firewall")
        )
        self.proxy = self._build_proxy()
        self.sites: dict[str, Site] = {}
        self.retired: list[Wsus] = []
        """WSUS servers that still run though no site uses them."""
        for site in estate.sites:
            self.sites[site.code] = self._build_site(site, len(self.sites))
        self.replication = FileReplication(self)
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

    def plan(self, at: int, do: Callable[[World], None]) -> None:
        """Have ``do(world)`` called at instant ``at`` (now or later).

        Whatever changes servers, services, IIS or the network does so from here: health monitors look back first.
        """

        def fire(_: simpy.Event) -> None:
            self._look_back(self.now)
            do(self)

        timer = self.env.timeout(max(at - self.now, 0))
        assert timer.callbacks is not None
        timer.callbacks.append(fire)

    def _look_back(self, until: int) -> None:
        for site in self.sites.values():
            site.wsus.health.look_back(until)
        for wsus in self.retired:
            wsus.health.look_back(until)

    def simulate(self) -> Iterator[Entry]:
        """Run from start to end and yield every entry, in order."""
        for entries in self.slices():
            yield from entries

    def slices(self) -> Iterator[list[Entry]]:
        """Like ``simulate``, but some simulated hours at a time.

        Memory does not grow with the length of the run. What is still under way at the end breaks off, as in a log that
        was copied from a living server.
        """
        while self.now < self.end:
            until = min(self.now + SLICE_US, self.end)
            self.env.run(until=until)
            self._look_back(until)
            yield self.journal.release(until)

    def run_until(self, at: int) -> list[Entry]:
        """Run to instant ``at`` and return the entries up to there."""
        if at > self.env.now:
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
            ip=f"10.{1 + number // 62_500}.{number // 250 % 250}.{10 + number % 240}",
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
        server = self._server(proxy.host, PROXY_SERVER, "")
        account = self._user(proxy.account)
        if account:
            self._account(account)
        return ProxyServer(server, ProxySettings(entity=proxy.host, port=proxy.port, account=account), self.accounts)

    def _build_site(self, site: spec.Site, number: int) -> Site:
        version = self.version
        server = self._server(site.server, number * 2, site.timezone)
        sup_server = self._server(site.sup, number * 2 + 1, site.timezone) if site.remote_sup else server
        server.programs.wsus_console = True
        connection_account = self._user(site.connection_account)
        if connection_account:
            self._account(connection_account)
        self._build_iis(sup_server, site)
        parent = self.sites[site.parent] if site.parent is not None else None
        proxy = self.estate.proxy if site.proxy else None
        proxy_host = f"{proxy.host}.{self.estate.domain}".lower() if proxy else ""
        proxy_port = proxy.port if proxy else 0
        proxy_account = self._user(proxy.account) if proxy else ""
        settings = WsusSettings(
            entity=f"{site.sup}/WSUS",
            upstream=parent.sup.fqdn if parent else "",
            upstream_port=parent.sup.port if parent else 0,
            upstream_ssl=parent.sup.use_ssl if parent else False,
            replica=False,
            proxy_host=proxy_host,
            proxy_port=proxy_port,
            proxy_account=proxy_account,
            using_ssl=site.ssl,
        )
        members = (server.computer_account, sup_server.computer_account, connection_account)
        administrators = Group(entity=f"{site.sup}/WSUS Administrators", members=tuple(m for m in members if m))
        wsus = Wsus(self, sup_server, settings, administrators, proxy=self.proxy if site.proxy else None)
        sup_server.wsus = wsus
        sup = SupProperties(
            entity=f"{site.code}/SUP",
            fqdn=sup_server.fqdn,
            http_port=version.default_http_port,
            https_port=version.default_https_port,
            use_ssl=site.ssl,
            proxy_host=proxy_host,
            proxy_port=proxy_port,
            proxy_account=proxy_account,
            connection_account=connection_account,
        )
        built = Site(self, site, server, wsus, sup)
        built.wcm = ConfigurationManager(self, built)
        built.wsyncmgr = SyncManager(self, built)
        built.wsusctrl = ControlManager(self, built)
        if parent is not None:
            built.parent = parent
            built.content_version = parent.content_version
            parent.children.append(built)
        return built

    def _build_old_wsus(self, site: spec.Site) -> Wsus:
        """The retired WSUS server: nobody synchronizes it any more, and no site's account is among its administrators."""
        server = self._server(site.old_wsus, OLD_SERVER, site.timezone)
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
        )
        administrators = Group(entity=f"{server.name}/WSUS Administrators", members=(server.computer_account,))
        wsus = server.wsus = Wsus(self, server, settings, administrators, proxy=None)
        wsus.revision = BASELINE - self.dice.stream(f"{server.name}/last synchronization").between(500, 3_000)
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
        site.sup_executive.add(site.wsusctrl)
        site.executive.start(self.start, resumed=True, because=None)
        if site.sup_executive is not site.executive:
            site.sup_executive.start(self.start, resumed=True, because=None)
        site.wsus.report(WsusServiceStarted(resumed=True))
