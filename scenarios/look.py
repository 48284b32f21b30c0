"""What a look is: something that a person opens, runs or asks, and what it shows at that moment. It changes nothing.

A look is one function that reads the world and fills a page::

    @look("L45", minutes=1, hosts=("sup", "ss"))
    def services(see: Observer, page: Page) -> None:
        for name, service in sorted(see.server.services.items()):
            page.fact(f"service.{name}.state", "running" if service.running else "stopped")
            page.say("service_row", name=name, state=page.word("running" if service.running else "stopped"))

Facts are for programs: the same in every language, and on every healthy day; servers, sites and accounts are in them as
``scenarios.look_names`` masks them, by what they are to the site that is looked at. Lines are for people: their texts are messages
of the catalogues ``generators/messages/look_*.toml``, titles and places those of ``look.toml`` (``L45_title``, ``L45_where``,
``L45_reveals``). What differs from run to run without meaning anything, such as an instant, is in the lines alone.

L50 and L72 alone leave something: a request of the person who looks, in the log of the web site that answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

from generators.catalogue import Language, catalogues
from generators.compile import compile_texts
from generators.framed import parameter_names
from generators.log import Run
from simulator.errors import WsyncsimError
from simulator.versions import VERSIONS, Version, version

if TYPE_CHECKING:
    from scenarios.look_logs import LogFiles
    from scenarios.look_past import Past
    from simulator.components.iis import Iis
    from simulator.components.site import Site
    from simulator.components.sup import SoftwareUpdatePoint
    from simulator.components.windows import Account, Server
    from simulator.components.wsus import Wsus
    from simulator.world import World

ALL = tuple(VERSIONS)
Role = Literal["ss", "sup", "psup", "csup", "old", "db", "prx", "dc", "adm"]
"""Where somebody looks, seen from a site: its site server, its software update point(s), its parent's, its (first) child's, its
retired WSUS server, the proxy server, the administrator's workstation; ``db`` and ``dc`` stand for the site database and the
directory, which have no server of their own here."""
ROLES: tuple[Role, ...] = ("ss", "sup", "psup", "csup", "old", "db", "prx", "dc", "adm")
SUPS: Final[tuple[Role, ...]] = ("sup", "psup", "csup")
WSUS_SERVERS: Final[tuple[Role, ...]] = (*SUPS, "old")
EVERY_SERVER: Final[tuple[Role, ...]] = ("sup", "ss", "psup", "csup", "old")
CLIENTS: Final[tuple[Role, ...]] = ("ss", "sup", "psup", "csup", "adm")
"""From where somebody tries to reach WSUS; the site server first."""
Fact = str | int | bool | None
"""A value of a fact, as JSON has it."""
ADMINISTRATOR = "Administrator"
"""Who looks when nobody else is named: a domain administrator, and thus a local administrator of every server."""


class LookError(WsyncsimError):
    """There is nothing to see there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Somebody who looks: where, when, as whom, in which language."""

    look: Look
    world: World
    site: Site
    """The site that the place belongs to."""
    server: Server
    account: Account
    """Who looks."""
    language: Language
    run: Run
    """What the simulated servers' own texts depend on."""
    files: LogFiles
    """All logs as they are now."""
    past: Past
    number: int
    """Which look of its lookout this is, from 1."""
    target: str | None
    """What to try, for the looks that try something (L70, L71, L72, L95); ``None`` for the usual."""

    @property
    def at(self) -> int:
        return self.world.now

    @property
    def wsus(self) -> Wsus:
        """WSUS of the server (or, on a server without, of its site)."""
        return self.server.wsus or self.site.wsus

    @property
    def point(self) -> SoftwareUpdatePoint:
        """The software update point on the server (or, on a server without, the first one of its site)."""
        return next((point for point in self.site.points if point.server is self.server), self.site.points[0])

    @property
    def on_workstation(self) -> bool:
        return self.server is self.world.wsus_console.workstation

    @property
    def iis(self) -> Iis:
        """IIS of the server (or, on a server without, of its site's WSUS)."""
        iis = self.server.iis or self.site.wsus.server.iis
        assert iis is not None
        return iis

    def clock(self, at: int) -> str:
        """An instant on this server's clock, as its language writes it."""
        form = "%d.%m.%Y %H:%M:%S" if self.language == "de" else "%Y-%m-%d %H:%M:%S"
        return self.server.zone.local(at).strftime(form)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a look showed."""

    id: str
    title: str
    where: str
    host: str
    site: str
    account: str
    at: int
    """When, microseconds since the epoch (UTC)."""
    local: str
    """When, on that server's clock, as its language writes it."""
    minutes: int
    """What it costs, simulated minutes."""
    facts: tuple[tuple[str, Fact], ...]
    """Key and value, in order; a key may come more than once. Independent of the language; names are masked
    (``scenarios.look_names``), so that what two estates have in common is the same."""
    lines: tuple[str, ...]
    """The same for people, in their language."""

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        fields = ("id", "title", "where", "host", "site", "account", "at", "local", "minutes")
        return {**{name: getattr(self, name) for name in fields}, "facts": [list(fact) for fact in self.facts], "lines": self.lines}


@dataclass(slots=True)
class Page:
    """What a look fills in."""

    version: Version
    language: Language
    mask: Callable[[str], str]
    """Replaces the names in a fact."""
    facts: list[tuple[str, Fact]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def fact(self, key: str, value: Fact) -> None:
        """State a fact; the same key may come with several values, the same pair comes once."""
        fact = self.mask(key), self.mask(value) if isinstance(value, str) else value
        if fact not in self.facts:
            self.facts.append(fact)

    def fact_set(self, key: str, values: Iterable[str]) -> None:
        """State facts of one key in the order of the alphabet: what they have in common with another day is not their order."""
        self.facts += [(key, value) for value in sorted({self.mask(value) for value in dict.fromkeys(values)})]

    def say(self, name: str, /, **values: Any) -> None:
        """Add a message of a ``look_*`` catalogue; one of several lines becomes several."""
        self.lines.extend(self.text(name, **values).split("\n"))

    def quote(self, text: str) -> None:
        """Add what a server says in its own words."""
        self.lines.extend(text.splitlines())

    def text(self, name: str, /, **values: Any) -> str:
        """A message of a ``look_*`` catalogue."""
        return _text(name, self.version, self.language, values)

    def word(self, name: str | bool | None) -> str:
        """A value in words: those of ``look_words.toml``; others stay as they are, nothing is called so."""
        key = {True: "yes", False: "no", None: "none", "": "none"}.get(name, name)
        slug = f"w_{str(key).lower().replace(' ', '_').replace('-', '_')}"
        return self.text(slug) if slug in _owners() else str(key)


class FactsOnly(Page):
    """A page that nobody reads: it takes facts down, and no line."""

    def say(self, name: str, /, **values: Any) -> None:
        pass

    def quote(self, text: str) -> None:
        pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One thing to look at."""

    id: str
    minutes: int
    """What it costs, simulated minutes."""
    hosts: tuple[Role, ...]
    """Where it can be done, the usual place first."""
    generations: tuple[str, ...]
    site_wide: bool
    """It shows the site (a console), whichever of the site's servers is named."""
    leaves_trace: bool
    takes_target: bool
    """It tries a name, an address, a server or an account that somebody may name."""
    do: Callable[[Observer, Page], None]

    def title(self, generation: str, language: Language) -> str:
        return _text(f"{self.id}_title", version(generation), language, {})

    def where(self, generation: str, language: Language) -> str:
        """The way to it: console path, file or command."""
        return _text(f"{self.id}_where", version(generation), language, {})

    def reveals(self, generation: str, language: Language) -> str:
        """What it can tell."""
        return _text(f"{self.id}_reveals", version(generation), language, {})


LOOKS: dict[str, Look] = {}
"""Every look by id."""


def look(
    id: str,
    *,
    minutes: int,
    hosts: tuple[Role, ...],
    generations: tuple[str, ...] = ALL,
    site_wide: bool = False,
    leaves_trace: bool = False,
    takes_target: bool = False,
) -> Callable[[Callable[[Observer, Page], None]], Callable[[Observer, Page], None]]:
    """Register a function as the look of that id."""

    def register(do: Callable[[Observer, Page], None]) -> Callable[[Observer, Page], None]:
        if id in LOOKS:
            raise ValueError(f"look {id} is registered twice")
        LOOKS[id] = Look(
            id=id,
            minutes=minutes,
            hosts=hosts,
            generations=generations,
            site_wide=site_wide,
            leaves_trace=leaves_trace,
            takes_target=takes_target,
            do=do,
        )
        return do

    return register


@cache
def _owners() -> Mapping[str, str]:
    """Message -> catalogue, of all messages of looks; a name that two have is a mistake."""
    owners: dict[str, str] = {}
    for catalogue in catalogues():
        if catalogue == "look" or catalogue.startswith("look_"):
            for name in _names(catalogue):
                if name in owners:
                    raise ValueError(f"message {name} stands in {owners[name]} and in {catalogue}")
                owners[name] = catalogue
    return owners


def _names(catalogue: str) -> tuple[str, ...]:
    from generators.catalogue import load

    return tuple(load(catalogue))


def _text(name: str, version: Version, language: Language, values: Mapping[str, Any]) -> str:
    catalogue = _owners()[name]
    names = parameter_names(catalogue, name)
    unknown = values.keys() - names
    if unknown:
        raise TypeError(f"message {name} does not ask for {', '.join(sorted(unknown))}")
    text: str = compile_texts(catalogue, version, language)[name](*(values.get(parameter) for parameter in names))
    return text
