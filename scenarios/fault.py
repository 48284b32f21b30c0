"""What a fault is: a root cause that changes state, and nothing else.

A fault is one function with its facts::

    @fault("S19", Text("...", "..."), entity="{sup}/W3SVC", setting="state", healthy="running", faulty="stopped", ...)
    def w3svc_stopped(scene: Scene) -> None:
        scene.iis.stop_w3svc(scene.at, scene.because) if scene.broken else scene.iis.start_w3svc(scene.at, scene.because)

The function is called with ``broken`` when the fault begins and without it when it ends; whatever the logs say follows
from the state it leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from scenarios.text import Text
from simulator.components.iis import Denial
from simulator.errors import EstateError
from simulator.events import FaultBegan, FaultEnded
from simulator.versions import VERSIONS, version

if TYPE_CHECKING:
    from simulator import estate as spec
    from simulator.components.iis import Iis, VirtualDirectory
    from simulator.components.site import Site, SupProperties
    from simulator.components.wsus import Wsus
    from simulator.journal import Entry
    from simulator.world import World

ALL = tuple(VERSIONS)
SYNC_FAILS = "sync fails"
Need = Literal[
    "top",
    "database",
    "parent",
    "children",
    "primary",
    "further",
    "proxy",
    "account",
    "ssl",
    "certificate",
    "plain",
    "bare",
    "remote",
    "direct",
    "old",
]
"""What a fault may ask of its site."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a fault acts: the world, the site that suffers, and the entry that will be to blame."""

    world: World
    site: Site
    because: Entry
    broken: bool
    """The fault begins (it ends otherwise)."""

    @property
    def at(self) -> int:
        return self.world.now

    @property
    def sup(self) -> SupProperties:
        return self.site.sup

    @property
    def wsus(self) -> Wsus:
        return self.site.wsus

    @property
    def iis(self) -> Iis:
        iis = self.site.wsus.server.iis
        assert iis is not None
        return iis

    @property
    def parent_iis(self) -> Iis:
        """IIS of the parent site's software update point."""
        assert self.site.parent is not None
        iis = self.site.parent.wsus.server.iis
        assert iis is not None
        return iis


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A root cause of the catalogue."""

    id: str
    """``S..`` from the seed page, ``M..`` from the later product."""
    title: Text
    summary: Text
    """One sentence: what is broken, and where it shows."""
    entity: str
    """What is changed, with ``{site}``, ``{server}``, ``{sup}``, ``{parent}``, ``{parent_sup}``, ``{domain}`` filled in."""
    setting: str
    healthy: str
    faulty: str
    estate: str
    """The built-in estate that its default story plays in."""
    site: Literal["top", "child"]
    """Where it is injected by default."""
    generations: tuple[str, ...]
    level: int
    """How hard it is to find: 1 read the text, 2 a second log, 3 another host or the history."""
    repairs: tuple[str, ...]
    """The right repair, step by step; ``R23@parent`` is done at the parent site."""
    looks: tuple[str, ...]
    """Where to look, best first (ids of the reference's looks)."""
    do: Callable[[Scene], None]
    complaint: str = SYNC_FAILS
    """What somebody would complain of: a key of ``scenarios.complaint.COMPLAINTS``."""
    curable: bool = True
    """After the repair the complaint is gone; otherwise the page itself says that it cannot be helped."""
    before_min: int = 5
    try_min: int = 110
    repair_min: int = 150
    """Default story: minutes from the fault to the scheduled synchronization, and from that to somebody's vain attempt and to
    the repair."""
    behind: Callable[[spec.Estate, spec.Site, str, int], Fault] | None = None
    """Chooses the fault that this one hides, by estate, site, generation and seed."""
    needs: tuple[Need, ...] = ()
    """What the site must have for this fault to make sense."""

    def check(self, estate: spec.Estate, site: spec.Site, generation: str) -> None:
        """Raise ``EstateError`` when this fault cannot happen there."""
        if generation not in self.generations:
            raise EstateError(
                f"fault {self.id} does not exist in generation {generation}",
                hint=f"It exists in: {', '.join(self.generations)}",
            )
        has = {
            "parent": (site.parent is not None, "a parent site"),
            "top": (site.parent is None, "the top-level site's place"),
            "database": (
                site.parent is None or version(generation).child_writes_site_database,
                "a site database that it fills from its own WSUS",
            ),
            "children": (any(True for _ in estate.children(site.code)), "a child site"),
            "primary": (site.kind != "secondary", "a WSUS server that is no replica"),
            "further": (
                any(host != site.server for host in site.further_sups),
                "a further software update point, on its own server",
            ),
            "proxy": (site.proxy and estate.proxy is not None and bool(estate.proxy.account), "a proxy that asks for an account"),
            "account": (bool(site.connection_account), "a connection account"),
            "ssl": (site.ssl, "a software update point with SSL"),
            "certificate": (site.certificate or site.ssl, "a certificate on its WSUS server"),
            "plain": (not site.ssl, "a software update point without SSL"),
            "bare": (not (site.certificate or site.ssl), "a WSUS server without HTTPS binding and certificate"),
            "old": (bool(site.old_wsus), "a retired WSUS server"),
            "remote": (site.remote_sup, "a software update point on a server of its own"),
            "direct": (not site.proxy and estate.internet_names, "a direct way to the Internet, without a proxy"),
        }
        for need in self.needs:
            ok, what = has[need]
            if not ok:
                raise EstateError(
                    f"fault {self.id} needs {what}, which site {site.code} does not have",
                    hint=f"Built-in estate {self.estate!r} has what it needs",
                )

    def begin(self, world: World, site_code: str, behind: Entry | None = None) -> Entry:
        """Break it, now; returns the entry that all that follows will name.

        ``behind``: the entry of a fault that hides this one.
        """
        site = world.sites[site_code]
        self.check(world.estate, site.spec, world.version.generation)
        names = {
            "site": site.code,
            "server": site.server.name,
            "sup": site.wsus.server.name,
            "parent": site.parent.code if site.parent else "",
            "parent_sup": site.parent.wsus.server.name if site.parent else "",
            "domain": world.estate.netbios_domain,
            "account": site.sup.connection_account,
            "proxy": world.proxy.server.name if world.proxy else "",
        }
        began = FaultBegan(self.id, site.code, self.entity.format(**names), self.setting, self.healthy, self.faulty)
        because = world.hand.report(world.now, began, behind)
        self.do(Scene(world, site, because, True))
        return because

    def end(self, world: World, site_code: str, because: Entry) -> None:
        """Make it as it was, now."""
        entry = world.hand.report(world.now, FaultEnded(self.id, site_code), because)
        self.do(Scene(world, world.sites[site_code], entry, False))

    def steps(self, estate: spec.Estate, site_code: str, generation: str, seed: int) -> list[tuple[str, str]]:
        """The right repair as pairs of repair id and site code; of a hidden fault, that of the one behind it."""
        steps = []
        cause = self.behind(estate, estate.site(site_code), generation, seed) if self.behind is not None else self
        for step in cause.repairs:
            repair, _, where = step.partition("@")
            code = site_code
            if where == "parent":
                code = estate.site(site_code).parent or site_code
            elif where == "top":
                code = estate.top.code
            steps.append((repair, code))
        return steps


def deny(scene: Scene, directory: VirtualDirectory, account: str) -> None:
    """Have the permissions of a folder deny that account or group, or no longer; others stay as they are."""
    others = tuple(denial for denial in directory.denied if denial.account != account)
    directory.change(scene.because, denied=(*others, Denial(account, scene.because)) if scene.broken else others)


FAULTS: dict[str, Fault] = {}
"""The catalogue: every fault by id."""


def fault(
    id: str,
    title: Text,
    summary: Text,
    *,
    entity: str,
    setting: str,
    healthy: str,
    faulty: str,
    repairs: tuple[str, ...],
    looks: tuple[str, ...],
    estate: str = "contoso",
    site: Literal["top", "child"] = "top",
    generations: tuple[str, ...] = ALL,
    level: int = 2,
    needs: tuple[Need, ...] = (),
    behind: Callable[[spec.Estate, spec.Site, str, int], Fault] | None = None,
    complaint: str = SYNC_FAILS,
    curable: bool = True,
    before_min: int = 5,
    try_min: int = 110,
    repair_min: int = 150,
) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    """Register a function as the fault of that id."""

    def register(do: Callable[[Scene], None]) -> Callable[[Scene], None]:
        if id in FAULTS:
            raise ValueError(f"fault {id} is registered twice")
        FAULTS[id] = Fault(
            id=id,
            title=title,
            summary=summary,
            entity=entity,
            setting=setting,
            healthy=healthy,
            faulty=faulty,
            estate=estate,
            site=site,
            generations=generations,
            level=level,
            repairs=repairs,
            looks=looks,
            do=do,
            needs=needs,
            behind=behind,
            complaint=complaint,
            curable=curable,
            before_min=before_min,
            try_min=try_min,
            repair_min=repair_min,
        )
        return do

    return register
