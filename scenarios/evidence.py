"""What a fault shows: everything that any look shows otherwise than on the same day without the fault.

For one fault, generation and seed the fault's default story and its healthy twin are played, and everything is looked at when
somebody would come: as soon as the complaint is true, and once more shortly before the repair. What the looks show is compared
with what they show in the twin: a ``Sign`` is one thing that is there and would not be, or the other way round. So the shape of
the estate is no evidence, only what has changed in it. Names of servers, sites and accounts become what they are, seen from the
site that suffers (``[sup]``).

A fault may have two faces. The fresh one is what a synchronization meets first; once WSUS Configuration Manager has noticed the
fault and shut the gate, a synchronization says no more than that WSUS is not configured. So the story is also played with the
fault in force long before the synchronization. That shows the other face, and what in the first one was but a matter of time.
"""

from __future__ import annotations

import dataclasses
import re
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from scenarios.complaint import COMPLAINTS
from scenarios.fault import SYNC_FAILS
from scenarios.faults import Fault
from scenarios.lookout import Lookout
from scenarios.story import Changes, Story, StoryError, default_story
from scenarios.text import Language
from simulator.events import SyncFailed
from simulator.failures import WsusNotConfigured
from simulator.units import MINUTE
from simulator.versions import VERSIONS

if TYPE_CHECKING:
    from scenarios.look import View
    from scenarios.story_file import Generation
    from simulator.components.site import Site
    from simulator.world import World

Face = Literal["fresh", "aged"]
FACES: tuple[Face, ...] = ("fresh", "aged")
LATER_US = 5 * MINUTE
"""So long after the complaint somebody has come, and so long before the repair the last look is taken."""
STEP_US = 5 * MINUTE
"""How often it is looked whether there is something to complain of."""
AGED_MIN = 100
"""So long before the synchronization an aged fault has been there: WCM, which wakes up every hour, has met it."""
PROBED_SEEDS = range(1, 257)
"""Seeds that are asked which fault a hidden one may be."""


class Spot(NamedTuple):
    """A look at a place."""

    look: str
    place: str
    """What the server is, seen from the site that suffers: ``ss``, ``sup``, ``psup`` (the parent's) ..."""


class Sign(NamedTuple):
    """Something that a look shows otherwise than on the healthy day."""

    there: bool
    """It is there and would not be; otherwise it is missing."""
    text: str
    """A fact, ``key = value``, or a line."""


Signs = Mapping[Spot, frozenset[Sign]]
Texts = Mapping[Spot, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen of a fault at one moment of one run."""

    fault: str
    """The root cause: of a hidden fault, the one behind it."""
    generation: Generation
    seed: int
    face: Face
    first: bool
    """The first look, not the one before the repair."""
    facts: Signs
    stays: Texts
    """What is there as on the healthy day: what is missing elsewhere can only be missed where it belongs."""
    lines: Mapping[Language, Signs]
    """The same for people."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a fault shows in one of its faces, whatever the seed."""

    fault: str
    face: Face
    always: Signs
    """What shows in every sample."""
    ever: Signs
    """What shows in some."""
    stays: Texts
    """What is as on the healthy day in every sample."""
    lines_always: Mapping[Language, Signs]
    lines_ever: Mapping[Language, Signs]
    """Lines of the first look."""

    @property
    def name(self) -> str:
        return f"{self.fault} {self.face}"


# --- names


class Names:
    """Names of an estate, seen from the site that suffers; also what WSUS's own port and scheme are on its healthy day.

    Make it before the story begins.
    """

    def __init__(self, world: World, site: Site) -> None:
        self._roles: dict[str, str] = {}
        for near, lead in ((site, ""), (site.parent, "p"), *((child, "c") for child in site.children)):
            if near is None:
                continue
            self._call(near.server.name, f"{lead}ss")
            self._call(near.wsus.server.name, f"{lead}sup")
            for number, host in enumerate((host for host in near.spec.sups if host != near.wsus.server.name), 2):
                self._call(host, f"{lead}sup{number}")
            self._call(near.spec.old_wsus, f"{lead}old")
        if world.proxy is not None:
            self._call(world.proxy.server.name, "prx")
        names = {name: f"[{role}]" for name, role in self._roles.items()}
        servers = world.network.servers
        for name, server in servers.items():
            self._roles.setdefault(name, name.lower())
            token = names.setdefault(name, f"[{self._roles[name]}]")
            names[server.fqdn], names[server.ip] = token, token
        for near, word in ((site, "site"), (site.parent, "parent"), *((child, "child") for child in site.children)):
            if near is not None:
                names.setdefault(near.code, f"[{word}]")
        domain = world.estate.netbios_domain
        for account, word in (
            (site.sup.healthy.get("connection_account") or site.sup.connection_account, "connection account"),
            (site.sup.healthy.get("proxy_account") or site.sup.proxy_account, "proxy account"),
        ):
            if account:
                names.setdefault(account, f"[{word}]")
        names |= {world.estate.domain: "[domain]", domain: "[DOMAIN]"}
        self._tokens = {name.lower(): token for name, token in names.items() if name}
        longest_first = sorted(self._tokens, key=lambda name: (-len(name), name))
        pattern = "|".join(map(re.escape, longest_first))
        self._pattern = re.compile(rf"(?<![A-Za-z0-9-])(?:{pattern})(?![A-Za-z0-9-])", re.IGNORECASE)
        self._scheme = re.compile(rf"\b{'https' if site.sup.use_ssl else 'http'}\b")
        self._port = re.compile(rf"((?<=[:=,])|(?<== )|(?<=[Pp]ort )){site.sup.port}\b")

    def _call(self, host: str, role: str) -> None:
        if host:
            self._roles.setdefault(host, role)

    def place(self, host: str) -> str:
        """What a server is."""
        return self._roles.get(host, host.lower())

    def plain(self, text: str) -> str:
        """The text with every name replaced by what it stands for."""
        text = self._pattern.sub(lambda match: self._tokens[match[0].lower()], text)
        return self._port.sub("[port]", self._scheme.sub("[scheme]", text))


_TRAILER = re.compile(r"\s*(\$\$<.*|<\w+><\d\d-.*)$")
"""What follows the message in a component's log."""
_STAMP = re.compile(
    r"\b\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(\.\d+)?Z?)?|\b\d\d\.\d\d\.\d{4}( \d\d:\d\d(:\d\d)?)?"
    r"|\b\d+d\d\dh\d\dm\d\ds\b|\b\d+ s\b|\b\d{1,2}/\d{1,2}/\d{4}( \d{1,2}:\d\d:\d\d( [AP]M)?)?|\b\d\d:\d\d:\d\d(\.\d+)?\b"
)


_DIGITS = re.compile(r"\d+")
_COUNT = re.compile(r"\b\d+ (?:out of|of|von) \d+\b")
"""A line that counts, as the heading of a log does."""


def plain_line(text: str, names: Names) -> str:
    """A line without what differs from run to run: names, stamps, threads; nothing of a line that only counts."""
    if _COUNT.search(text):
        return ""
    return re.sub(r"\s{2,}", "  ", _STAMP.sub("...", names.plain(_TRAILER.sub("", text)))).strip()


# --- from views to signs


def _content(views: Sequence[View], names: Names) -> dict[Spot, frozenset[str]]:
    return {
        Spot(view.id, names.place(view.host)): frozenset(names.plain(f"{key} = {value}") for key, value in view.facts)
        for view in views
    }


def _lines(views: Sequence[View], names: Names) -> dict[Spot, frozenset[str]]:
    return {
        Spot(view.id, names.place(view.host)): frozenset(filter(None, (plain_line(line, names) for line in view.lines)))
        for view in views
    }


def _difference(here: Mapping[Spot, frozenset[str]], healthy: Mapping[Spot, frozenset[str]]) -> dict[Spot, frozenset[Sign]]:
    found = {}
    for spot in sorted(here.keys() | healthy.keys()):
        ours, theirs = here.get(spot, frozenset()), healthy.get(spot, frozenset())
        signs = frozenset(Sign(text in ours, text) for text in ours ^ theirs)
        if signs:
            found[spot] = signs
    return found


def _unusual(
    here: Mapping[Spot, frozenset[str]], healthy: Mapping[Spot, frozenset[str]], usual: frozenset[str]
) -> dict[Spot, frozenset[Sign]]:
    """The difference in lines, without what stands in a log of the healthy day at another time: the end of a log wanders."""
    difference = _difference(here, healthy)
    kept = {
        spot: frozenset(sign for sign in signs if not (sign.there and sign.text in usual)) for spot, signs in difference.items()
    }
    return {spot: signs for spot, signs in kept.items() if signs}


def signs_of(views: Sequence[View], healthy: Sequence[View], names: Names) -> dict[Spot, frozenset[Sign]]:
    """What looks show otherwise than the same looks in the healthy twin, as facts."""
    return _difference(_content(views, names), _content(healthy, names))


def lines_of(views: Sequence[View], healthy: Sequence[View], names: Names) -> dict[Spot, frozenset[Sign]]:
    """The same as lines; ``views`` and ``healthy`` in one language."""
    return _difference(_lines(views, names), _lines(healthy, names))


# --- playing


class _Moment(NamedTuple):
    at: int
    first: bool
    facts: dict[Spot, frozenset[str]]
    lines: dict[Language, dict[Spot, frozenset[str]]]


def suffering_site(story: Story) -> str:
    """Code of the site whose fault it is."""
    return next(step.site for step in story.timeline if step.kind == "fault")


def _take(lookout: Lookout, names: Names, languages: Sequence[Language], *, first: bool) -> _Moment:
    facts: dict[Spot, frozenset[str]] = {}
    lines: dict[Language, dict[Spot, frozenset[str]]] = {}
    for number, language in enumerate(languages):
        views = list(lookout.views(language))
        if not number:
            facts = _content(views, names)
        lines[language] = _lines(views, names) if first else {}
    return _Moment(lookout.now, first, facts, lines)


def _complains(lookout: Lookout, fault: Fault, site: str) -> bool:
    holds = COMPLAINTS[fault.complaint].holds
    if holds is not None:
        return any(holds(lookout.world, each) for each in lookout.world.sites.values())
    last = lookout.outcomes.get(site)
    return last is not None and isinstance(last.event, SyncFailed)


def _early(story: Story, fault: Fault) -> Story | None:
    """The same story with the fault in force long before the synchronization."""
    earlier_us = (AGED_MIN - fault.before_min) * MINUTE
    step = next(step for step in story.timeline if step.kind == "fault")
    if fault.complaint != SYNC_FAILS or earlier_us <= 0 or step.at < earlier_us:
        return None
    moved = (step._replace(at=step.at - earlier_us), *(other for other in story.timeline if other is not step))
    return dataclasses.replace(story, timeline=tuple(sorted(moved, key=lambda each: each.at)))


def _moments(story: Story, fault: Fault, languages: Sequence[Language]) -> tuple[Face, bool, list[_Moment]]:
    """Play a story; look when there is something to complain of, and before the repair. Also tells whether there ever was."""
    site = suffering_site(story)
    lookout = Lookout(story)
    names = Names(lookout.world, lookout.world.sites[site])
    began = next(step.at for step in story.timeline if step.kind == "fault")
    repair = next((step.at for step in story.timeline if step.kind == "repair" and step.id != "R10"), story.timeline[-1].at)
    last = story.start_at + repair - LATER_US
    lookout.go(story.start_at + began)
    while lookout.now + STEP_US + LATER_US < last and not _complains(lookout, fault, site):
        lookout.go(lookout.now + STEP_US)
    face: Face = "aged" if _is_aged(lookout, site) else "fresh"
    complained = _complains(lookout, fault, site)
    found = []
    if lookout.now + LATER_US < last:
        lookout.go(lookout.now + LATER_US)
        found.append(_take(lookout, names, languages, first=True))
    lookout.go(last)
    found.append(_take(lookout, names, languages, first=not found))
    return face, complained, found


def _is_aged(lookout: Lookout, site: str) -> bool:
    last = lookout.outcomes.get(site)
    return last is not None and isinstance(last.event, SyncFailed) and isinstance(last.event.reason, WsusNotConfigured)


def _twin(
    story: Story, moments: Sequence[_Moment], languages: Sequence[Language]
) -> tuple[dict[tuple[int, bool], _Moment], frozenset[str]]:
    """The same moments of the healthy day, and all lines of its logs."""
    lookout = Lookout(story.without_faults(), everything=True)
    names = Names(lookout.world, lookout.world.sites[suffering_site(story)])
    found = {}
    for at, first in sorted({(moment.at, moment.first) for moment in moments}):
        lookout.go(at)
        found[at, first] = _take(lookout, names, languages, first=first)
    lookout.go(lookout.world.end)
    return found, frozenset(_usual(lookout, names))


def _usual(lookout: Lookout, names: Names) -> Iterator[str]:
    """Every line of the logs, one of each kind."""
    kinds: dict[str, str] = {}
    for path, content in lookout.texts.items():
        if path.startswith("logs/"):
            for line in content.decode("utf-8", "replace").splitlines():
                kinds.setdefault(_DIGITS.sub("#", _TRAILER.sub("", line)), line)
    return (plain_line(line, names) for line in kinds.values())


def samples(fault_id: str, generation: Generation, seed: int, languages: Sequence[Language] = ("en",)) -> list[Sample]:
    """Everything that a fault shows in one generation with one seed: of two stories, two moments each."""
    return samples_of(default_story(fault_id, generation=generation, changes=Changes(seed=seed)), languages)


def samples_of(story: Story, languages: Sequence[Language] = ("en",)) -> list[Sample]:
    """The same of a story of one fault, and its repair."""
    fault = story.faults[0]
    cause = cause_of(fault, story)
    face, _, moments = _moments(story, fault, languages)
    played = [(face, moment) for moment in moments]
    early = _early(story, fault)
    if early is not None:
        face, complained, moments = _moments(early, fault, languages)
        if complained:
            played += [(face, moment) for moment in moments]
    twin, usual = _twin(story, [moment for _, moment in played], languages)
    found = []
    for face, moment in played:
        healthy = twin[moment.at, moment.first]
        lines = {each: _unusual(moment.lines[each], healthy.lines[each], usual) for each in languages} if moment.first else {}
        facts = _difference(moment.facts, healthy.facts)
        stays = {spot: texts & healthy.facts.get(spot, frozenset()) for spot, texts in moment.facts.items()}
        found.append(Sample(cause, story.generation, story.seed, face, moment.first, facts, stays, lines))
    return found


def cause_of(fault: Fault, story: Story) -> str:
    """The root cause of a fault's own story: the fault, or the one that it hides."""
    if fault.behind is None:
        return fault.id
    site = story.estate.site(suffering_site(story))
    return fault.behind(story.estate, site, story.generation, story.seed).id


def hidden_causes(fault: Fault, generation: Generation) -> tuple[str, ...]:
    """Which faults a hidden one may be."""
    if fault.behind is None:
        return ()
    story = default_story(fault.id, generation=generation)
    site = story.estate.site(suffering_site(story))
    found = {fault.behind(story.estate, site, generation, seed).id: None for seed in PROBED_SEEDS}
    return tuple(sorted(found))


# --- cases


def cases_of(fault_id: str, found: Sequence[Sample]) -> list[Case]:
    """What the samples of one fault and generation have in common, face by face."""
    made = []
    for face in FACES:
        of_face = [sample for sample in found if sample.face == face]
        if of_face:
            first = [sample for sample in of_face if sample.first]
            languages = list(first[0].lines) if first else []
            by_language = {each: [sample.lines[each] for sample in first] for each in languages}
            always, ever = _common([sample.facts for sample in of_face])
            both = {each: _common(lines) for each, lines in by_language.items()}
            made.append(
                Case(
                    fault_id,
                    face,
                    always,
                    ever,
                    _all_stay([sample.stays for sample in of_face]),
                    {each: common for each, (common, _) in both.items()},
                    {each: union for each, (_, union) in both.items()},
                )
            )
    return made


def _common(signs: Sequence[Signs]) -> tuple[Signs, Signs]:
    """What all have, and what some have."""
    spots = sorted({spot for each in signs for spot in each})
    none: frozenset[Sign] = frozenset()
    always = {spot: frozenset.intersection(*(each.get(spot, none) for each in signs)) for spot in spots}
    ever = {spot: frozenset.union(*(each.get(spot, none) for each in signs)) for spot in spots}
    return {spot: common for spot, common in always.items() if common}, ever


def _all_stay(texts: Sequence[Texts]) -> Texts:
    spots = sorted(set.intersection(*(set(each) for each in texts)))
    return {spot: frozenset.intersection(*(each[spot] for each in texts)) for spot in spots}


# --- many at once


class Task(NamedTuple):
    """A piece of work for one process."""

    fault: str
    generation: Generation
    seeds: tuple[int, ...]
    languages: tuple[Language, ...]


def _work(task: Task) -> list[Sample]:
    return [sample for seed in task.seeds for sample in samples(task.fault, task.generation, seed, languages=task.languages)]


def gather(
    tasks: Sequence[Task], jobs: int = 1, progress: Callable[[float], None] = lambda _share: None
) -> Iterator[tuple[Task, list[Sample]]]:
    """Work off the tasks, in this process or in ``jobs`` others; results come in the order of the tasks."""
    if jobs <= 1 or len(tasks) <= 1:
        for done, task in enumerate(tasks, 1):
            yield task, _work(task)
            progress(done / len(tasks))
        return
    others = set(active_children())
    pool = ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=get_context("spawn"), initializer=_heed_no_interrupt)
    try:
        with _interrupts_ignored():  # the processes inherit it, so that they do not die with a traceback each
            found_by = pool.map(_work, tasks)
        for done, (task, found) in enumerate(zip(tasks, found_by, strict=True), 1):
            yield task, found
            progress(done / len(tasks))
    except BaseException:
        for process in set(active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _heed_no_interrupt() -> None:
    """In a process of the pool: Ctrl-C is for the process that made it, which then ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    if current_thread() is not main_thread():  # which alone may set handlers, and alone is interrupted
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def newest(fault: Fault) -> Generation:
    """The newest generation that a fault exists in."""
    return cast("Generation", max(fault.generations, key=list(VERSIONS).index))


def can_happen(fault: Fault, generation: str) -> bool:
    """Whether the fault's own story can be told in that generation."""
    if generation not in fault.generations:
        return False
    try:
        default_story(fault.id, generation=cast("Generation", generation))
    except StoryError:
        return False
    return True
