"""A place to look from: a story that is played up to some instant, and everything that can be looked at there."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, get_args

from generators.log import Run
from generators.write import Recorder
from scenarios.look import ADMINISTRATOR, ROLES, FactsOnly, Look, LookError, Observer, Page, Role, View
from scenarios.look_logs import WINDOW_US, LogFiles, Recent
from scenarios.look_names import Names
from scenarios.look_past import Memory
from scenarios.looks import LOOKS
from scenarios.mistakes import did_you_mean
from scenarios.text import Language
from simulator.world import SLICE_US

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scenarios.look import Fact
    from scenarios.story import Story
    from simulator.components.site import Site
    from simulator.components.windows import Account, Server
    from simulator.journal import Entry


MOST_WAITING = 2_000
"""How many entries are kept until somebody wants to read logs; more are written down at once."""


class Lookout:
    """Plays a story, as far as it is told to, and looks.

    Looking does not disturb the run: the logs are the same, to the byte, whatever was looked at (but for what L50 and L72
    leave). Several looks at one instant share one world. Time only moves forward.
    """

    def __init__(self, story: Story, seed: int | None = None, *, everything: bool = False) -> None:
        """``everything`` keeps all logs in memory (``texts``), instead of what looks need: the last day, and the ends of files."""
        self.story = story
        self.world = story.build(seed)
        self._everything = everything
        self._store = Recent()
        self._waiting: list[Entry] = []
        """Entries that the logs do not have yet: many a world is never read about."""
        self._run = Run(self.world.estate, self.world.version, story.os_language)
        self._memory = Memory(self.world)
        self._names = Names(self.world)
        self._files: LogFiles | None = None
        self._looks = 0
        self._administrator = self.world.wsus_console.account

    @property
    def now(self) -> int:
        """The instant that it has come to, microseconds since the epoch (UTC)."""
        return self.world.now

    def go(self, at: int, progress: Callable[[float], None] = lambda _share: None) -> None:
        """Let time pass until instant ``at``; raises ``LookError`` for one that has passed, or lies after the story's end."""
        began = self.now
        if at < began:
            raise LookError("time only moves forward", hint="Look at earlier times first, or play the story anew")
        if at > self.world.end:
            raise LookError("that is after the end of the story", hint="Play it with more hours")
        while True:
            until = min(self.now + SLICE_US, at)
            self._take_down(self.world.run_until(until))
            progress((self.now - began) / max(at - began, 1))
            if until >= at:
                return

    def _take_down(self, entries: list[Entry]) -> None:
        self._files = None
        for entry in entries:
            self._memory.read(entry)
        self._waiting += entries
        if len(self._waiting) > MOST_WAITING:
            self._write_down()

    @cached_property
    def _recorder(self) -> Recorder:
        world = self.world
        return Recorder(world.estate, world.version, None, os_language=self.story.os_language, truth=True, store=self._store)

    def _write_down(self) -> None:
        """Bring the logs up to now."""
        self._recorder.record(self._waiting)
        self._waiting.clear()
        if not self._everything:
            self._recorder.flush()
            self._store.forget(self.now - WINDOW_US)

    @property
    def outcomes(self) -> Mapping[str, Entry]:
        """Site code -> how its last synchronization ended (``SyncSucceeded`` or ``SyncFailed``)."""
        return self._memory.past.outcomes

    @property
    def files(self) -> LogFiles:
        """All logs, up to now."""
        if self._files is None:
            self._write_down()
            self._recorder.flush()
            texts, dropped = self._recorder.texts, dict(self._store.dropped)
            self._files = LogFiles(texts, dropped, self.now, self.world.version, self.story.os_language)
        return self._files

    @property
    def texts(self) -> dict[str, bytes]:
        """All files up to now, by path, as a run's folder has them (event logs without their last line); see ``everything``."""
        self._write_down()
        self._recorder.flush()
        return self._recorder.texts

    def look(
        self,
        id: str,
        *,
        host: str | None = None,
        site: str | None = None,
        account: str | None = None,
        language: Language = "en",
        target: str | None = None,
    ) -> View:
        """Look at something, now.

        ``host`` is a server's name or a role seen from ``site`` (default: the top-level site): ``ss``, ``sup``, ``psup``,
        ``csup``, ``old``, ``prx``, ``adm``.
        ``account`` is ``DOMAIN\\user`` (default: an administrator), ``target`` what looks with ``takes_target`` try. Raises
        ``LookError`` where there is nothing to see.
        """
        page, see = self._opened(Page, id, host, site, account, language, target)
        known = see.look
        generation = self.story.generation
        return View(
            id=known.id,
            title=known.title(generation, language),
            where=known.where(generation, language),
            host=see.server.name,
            site=see.site.code,
            account=see.account.name,
            at=self.now,
            local=see.clock(self.now),
            minutes=known.minutes,
            facts=tuple(page.facts),
            lines=tuple(page.lines),
        )

    def facts(
        self, id: str, *, host: str | None = None, site: str | None = None, account: str | None = None, target: str | None = None
    ) -> tuple[tuple[str, Fact], ...]:
        """The facts of that ``look`` alone, for programs that compare worlds: quicker."""
        page, _ = self._opened(FactsOnly, id, host, site, account, "en", target)
        return tuple(page.facts)

    def _opened(
        self,
        kind: type[Page],
        id: str,
        host: str | None,
        site: str | None,
        account: str | None,
        language: Language,
        target: str | None,
    ) -> tuple[Page, Observer]:
        """The page of a look, filled in."""
        known, home, server, viewer = self.check(id, host=host, site=site, account=account)
        if target is not None and not known.takes_target:
            able = ", ".join(sorted(each.id for each in LOOKS.values() if each.takes_target))
            raise LookError(f"{known.id} takes no target", hint=f"These do: {able}")
        self._looks += 1
        see = Observer(
            look=known,
            world=self.world,
            site=home,
            server=server,
            account=viewer,
            language=language,
            run=self._run,
            files=self.files,
            past=self._memory.past,
            number=self._looks,
            target=target,
        )
        page = kind(self.world.version, language, lambda text: self._names.mask(text, home))
        known.do(see, page)
        return page, see

    def views(self, language: Language = "en", *, traces: bool = False) -> Iterator[View]:
        """Every look that this generation has, at every place of the estate; with ``traces`` those too that leave something.

        In the order of ids, and of ``places``. With ``View.facts`` this is what another tool compares between worlds.
        """
        for id, known in sorted(LOOKS.items()):
            if self.story.generation in known.generations and (traces or not known.leaves_trace):
                for place in self.places(id):
                    yield self.look(id, host=place, language=language)

    def check(
        self, id: str, *, host: str | None = None, site: str | None = None, account: str | None = None
    ) -> tuple[Look, Site, Server, Account]:
        """What these arguments of ``look`` mean; raises ``LookError`` for those that mean nothing."""
        known = find(id)
        generation = self.story.generation
        if generation not in known.generations:
            raise LookError(
                f"there is no look {known.id} in generation {generation}", hint=f"It exists in: {', '.join(known.generations)}"
            )
        return known, *self._place(known, host, site), self._account(account)

    def places(self, id: str) -> list[str]:
        """Names of the servers where that look shows something, site by site; one per site for a look at the site."""
        known = find(id)
        found: dict[str, None] = {}
        for site in self.world.sites.values():
            for role in known.hosts[:1] if known.site_wide else known.hosts:
                found.update({server.name: None for server in self._in_role(site, role)})
        return list(found)

    # --- who and where

    def _account(self, name: str | None) -> Account:
        if name is None or name.lower() in (self._administrator.name.lower(), ADMINISTRATOR.lower()):
            return self._administrator
        for account in self.world.accounts.values():
            if account.name.lower() in (name.lower(), f"{self.world.estate.netbios_domain}\\{name}".lower()):
                return account
        known = list(dict.fromkeys((self._administrator.name, *self.world.accounts)))
        raise LookError(f"there is no account {name!r}", hint=did_you_mean(name, known, f"Known: {', '.join(known)}"))

    def _in_role(self, site: Site, role: Role) -> list[Server]:
        """The servers that have that role, seen from a site; the usual one first."""
        world = self.world
        if role in ("sup", "psup", "csup"):
            near = {"sup": site, "psup": site.parent, "csup": site.children[0] if site.children else None}[role]
            return [point.server for point in near.points] if near is not None else []
        if role == "old":
            return [wsus.server for wsus in world.retired if wsus.server.name == site.spec.old_wsus]
        if role == "prx":
            return [world.proxy.server] if world.proxy is not None else []
        if role == "adm":
            return [world.wsus_console.workstation]
        return [site.server]  # the database is there, and the directory is asked from wherever one sits

    def _owner(self, server: Server, site: Site) -> Site:
        """The site that a server belongs to: the given one if it is one of its own."""
        for each in (site, *self.world.sites.values()):
            if server.name in each.spec.hosts:
                return each
        return site

    def _place(self, known: Look, host: str | None, code: str | None) -> tuple[Site, Server]:
        sites = self.world.sites
        if code is not None and code.upper() not in sites:
            raise LookError(f"there is no site {code!r}", hint=f"Its sites: {', '.join(sites)}")
        site = sites[code.upper()] if code is not None else sites[self.world.estate.top.code]
        role: Role = known.hosts[0]
        if host is None or host.lower() in get_args(Role):
            role = role if host is None else ROLES[get_args(Role).index(host.lower())]
            servers = self._in_role(site, role)
            if not servers:
                raise LookError(f"site {site.code} has no {role}", hint=self._hint(known))
            server = servers[0]
        else:
            server = self._server(host)
        home = self._owner(server, site)
        if known.site_wide and role != "prx":
            return home, self._in_role(home, known.hosts[0])[0]
        if server.name not in self.places(known.id):
            raise LookError(f"{known.id} shows nothing on {server.name}", hint=self._hint(known))
        return home, server

    def _server(self, name: str) -> Server:
        servers = self.world.network.servers
        short = name.split(".", 1)[0].upper()
        if short not in servers:
            raise LookError(f"there is no server {name!r}", hint=did_you_mean(short, servers, f"There are: {', '.join(servers)}"))
        return servers[short]

    def _hint(self, known: Look) -> str:
        places = self.places(known.id)
        return f"It can be done on: {', '.join(places)}" if places else "This estate has no place for it"


def find(id: str) -> Look:
    """The look of that id, in any case; raises ``LookError``."""
    known = LOOKS.get(id.upper())
    if known is None:
        raise LookError(f"there is no look {id!r}", hint=did_you_mean(id.upper(), LOOKS, "`wsyncsim look RUN` lists them"))
    return known
