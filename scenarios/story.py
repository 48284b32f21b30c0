"""Stories: an estate, and a timeline of what goes wrong in it and what people do about it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from unicodedata import category

import msgspec
from msgspec import UNSET, UnsetType

from scenarios import durations, story_file
from scenarios.complaint import COMPLAINTS
from scenarios.faults import FAULTS, Fault
from scenarios.mistakes import Path as KeyPath
from scenarios.mistakes import Source, StoryError, convert, did_you_mean, read_toml
from scenarios.repairs import REPAIRS
from scenarios.schema import schema
from scenarios.story_file import Generation
from scenarios.text import Language, Text
from simulator import estate as spec
from simulator.clock import Zone, zone_names
from simulator.errors import EstateError
from simulator.estate import ESTATES, Estate
from simulator.units import HOUR, MINUTE
from simulator.versions import VERSIONS, version
from simulator.world import World

if TYPE_CHECKING:
    from simulator.journal import Entry

__all__ = ["AS_WRITTEN", "Changes", "Step", "Story", "StoryError", "default_story", "load", "parse", "schema"]

START = datetime(2026, 3, 2, 6, 0)
STARTS: dict[str, datetime] = {"2007": datetime(2007, 8, 6, 6, 0)}
"""When a story begins that does not say so: a Monday in the time of its generation."""
REPAIR_STEP_US = 5 * MINUTE
HOURS_AFTER_SYNC = 10
"""Default stories, seen from the scheduled synchronization.

A fault usually sets in shortly before it, so that it mostly meets the fault before WSUS Configuration Manager does, and the retry
an hour later the other way round. Then somebody tries Run Synchronization, and after that the fault is repaired step by step.
"""
TRY = "R10"
YEARS = range(1990, 2100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is played otherwise than the story says; ``None`` for what stays."""

    seed: int | None = None
    generation: Generation | None = None
    os_language: Language | None = None
    timezone: str | None = None
    start: str | None = None
    """Local date and time, as in a story file."""
    hours: int | None = None


AS_WRITTEN = Changes()


class Step(NamedTuple):
    """One step of the timeline. Times are microseconds after the story's start."""

    at: int
    kind: Literal["fault", "repair"]
    id: str
    site: str
    until: int | None = None
    """When the fault ends by itself; ``None`` when it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A story that can be played."""

    name: str
    title: Text
    ticket: Text | None
    estate: Estate
    generation: Generation
    os_language: Language
    start: datetime
    """Local time of the estate, without zone."""
    hours: int
    seed: int
    timeline: tuple[Step, ...]
    """In order of time."""

    @property
    def timezone(self) -> str:
        return self.estate.timezone

    @property
    def start_at(self) -> int:
        """The first instant, microseconds since the epoch (UTC)."""
        return Zone(self.timezone).instant(self.start)

    @property
    def end_at(self) -> int:
        """The instant after the last."""
        return self.start_at + self.hours * HOUR

    def build(self, seed: int | None = None, *, stepwise: bool = False) -> World:
        """A world in which the timeline will happen."""
        world = World(
            self.estate,
            version(self.generation),
            seed=self.seed if seed is None else seed,
            start=self.start_at,
            end=self.end_at,
            stepwise=stepwise,
        )
        for step in self.timeline:
            world.plan(world.start + step.at, _deed(step))
        return world

    def without_faults(self) -> Story:
        """The same story in which nothing goes wrong; what people do, they do all the same."""
        return dataclasses.replace(self, timeline=tuple(step for step in self.timeline if step.kind != "fault"))

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults of the timeline, each once, in order of appearance."""
        return tuple(FAULTS[id] for id in dict.fromkeys(step.id for step in self.timeline if step.kind == "fault"))

    def to_toml(self) -> str:
        """The whole story as a file that plays the same."""
        return "\n".join(_write_story(self)) + "\n"

    @property
    def sha256(self) -> str:
        """Digest of ``to_toml``: tells whether two runs played the same."""
        return hashlib.sha256(self.to_toml().encode()).hexdigest()


def _deed(step: Step) -> Callable[[World], None]:
    if step.kind == "repair":
        return lambda world: REPAIRS[step.id].apply(world, step.site)

    def begin(world: World) -> None:
        because: Entry = FAULTS[step.id].begin(world, step.site)
        if step.until is not None:
            world.plan(world.start + step.until, lambda later: FAULTS[step.id].end(later, step.site, because))

    return begin


# --- reading


def load(path: Path | str, changes: Changes = AS_WRITTEN) -> Story:
    """Read a story file. The story is called after it."""
    path = Path(path)
    try:
        data = path.read_bytes()
        utf_16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))  # as older PowerShells redirect
        text = data.decode("utf-16" if utf_16 else "utf-8-sig")
    except FileNotFoundError:
        raise StoryError(
            "there is no such file", where=str(path), hint="`wsyncsim list` shows the stories that come along"
        ) from None
    except UnicodeDecodeError as error:
        raise StoryError(f"byte {error.start} is not UTF-8", where=str(path), hint="Save the file as UTF-8") from None
    except OSError as error:
        raise StoryError(f"cannot be read: {error.strerror}", where=str(path)) from None
    return parse(text, str(path), changes, name=path.stem)


def parse(text: str, where: str, changes: Changes = AS_WRITTEN, *, name: str = "story") -> Story:
    """Read a story from the TOML ``text``; ``where`` is what messages call it."""
    file: story_file.File = convert(story_file.as_text(read_toml(text, where)), story_file.File, Source(where, text))
    return _Reader(file, Source(where, text), changes).story(name)


def _check_changes(changes: Changes) -> None:
    """Raise ``StoryError`` for what no story file could say either."""
    for name, value, highest in (("seed", changes.seed, 2**53), ("hours", changes.hours, story_file.MAX_HOURS)):
        lowest = 1 if name == "hours" else 0
        if value is not None and (type(value) is not int or not lowest <= value <= highest):
            raise StoryError(f"expected a whole number from {lowest} to {highest}, found {value!r}", where=name)
    for name, choice, known in (
        ("generation", changes.generation, tuple(VERSIONS)),
        ("os_language", changes.os_language, ("en", "de")),
    ):
        if choice is not None and choice not in known:
            raise StoryError(f"expected one of {', '.join(known)}, found {choice!r}", where=name)
    for name, text in (("timezone", changes.timezone), ("start", changes.start)):
        if text is not None and (type(text) is not str or not text):
            raise StoryError(f"expected a text, found {text!r}", where=name)


def read_estate(given: story_file.Estate, source: Source) -> Estate:
    """The estate that a table of a story file describes; ``source`` is where mistakes are told to be."""
    file = story_file.File(title=story_file.Texts("", ""), estate=given)
    return _Reader(file, source, AS_WRITTEN).estate


class _Reader:
    """Turns a file into a story, and says where it is wrong."""

    def __init__(self, file: story_file.File, source: Source, changes: Changes) -> None:
        self.file = file
        self.source = source
        self.changes = changes
        _check_changes(changes)
        self._check_texts()
        self.estate = self._estate()
        self.generation: Generation = changes.generation or file.generation
        self.start = self._start()
        self.hours = file.hours if changes.hours is None else changes.hours
        self.zone = Zone(self.estate.timezone)
        self.start_at = self.zone.instant(self.start)

    def story(self, name: str) -> Story:
        file, changes = self.file, self.changes
        steps = [(self._step(step, ("timeline", number)), number) for number, step in enumerate(file.timeline)]
        timeline = _cut([step for step, _ in sorted(steps, key=lambda pair: pair[0].at)], self.hours, changes)
        story = Story(
            name=name,
            title=Text(file.title.en, file.title.de),
            ticket=Text(file.ticket.en, file.ticket.de) if file.ticket else None,
            estate=self.estate,
            generation=self.generation,
            os_language=changes.os_language or file.os_language,
            start=self.start,
            hours=self.hours,
            seed=file.seed if changes.seed is None else changes.seed,
            timeline=timeline,
        )
        self._try(story, steps)
        return story

    def _try(self, story: Story, steps: Sequence[tuple[Step, int]]) -> None:
        """Take every step once, in a world that stands still: some cannot be taken in every estate."""
        self._refuse_overlap(steps)
        world = story.without_faults().build()
        for step, number in steps:
            try:
                _deed(step)(world)
            except EstateError as error:
                raise self.source.wrong(("timeline", number), error.what, error.hint) from None

    def _check_texts(self) -> None:
        """Texts are shown on terminals: no control characters in them."""
        texts: dict[KeyPath, str] = {("title", "en"): self.file.title.en, ("title", "de"): self.file.title.de}
        if self.file.ticket is not None:
            texts |= {("ticket", "en"): self.file.ticket.en, ("ticket", "de"): self.file.ticket.de}
        if isinstance(self.file.estate, story_file.Estate) and isinstance(self.file.estate.name, str):
            texts["estate", "name"] = self.file.estate.name
        for path, text in texts.items():
            if any(category(character) == "Cc" and character != "\n" for character in text):
                raise self.source.wrong(path, "it holds control characters", "Leave them out")

    def _refuse_overlap(self, steps: Sequence[tuple[Step, int]]) -> None:
        """A fault that is in force already cannot begin again at the same site."""
        until: dict[tuple[str, str], int | None] = {}
        for step, number in sorted(steps, key=lambda pair: pair[0].at):
            if step.kind == "repair":
                mended = [key for key in until if step.id in {repair.partition("@")[0] for repair in FAULTS[key[0]].repairs}]
                for key in mended:
                    del until[key]
                continue
            key = (step.id, step.site)
            if key in until and (until[key] is None or step.at < (until[key] or 0)):
                raise self.source.wrong(
                    ("timeline", number),
                    f"fault {step.id} is in force at site {step.site} already",
                    "Let the first one end (until), or have it repaired before",
                )
            until[key] = step.until

    def _start(self) -> datetime:
        text = self.changes.start or self.file.start
        if text is None:
            return STARTS.get(self.generation, START)
        start = story_file.local_time(text)
        if start is None or start.year not in YEARS:
            source, path = (Source("--start"), ()) if self.changes.start else (self.source, ("start",))
            raise source.wrong(
                path,
                f"expected a local date and time from {YEARS[0]} to {YEARS[-1]}, without offset, found {text}",
                "For example 2026-03-02T06:00:00",
            )
        return start

    # --- the estate

    def _estate(self) -> Estate:
        given = self.file.estate
        estate = _built_in(given, self.source, ("estate",)) if isinstance(given, str) else self._own_estate(given)
        zone, source = self.file.timezone, self.source
        path: KeyPath = ("timezone",)
        if self.changes.timezone:
            zone, source, path = self.changes.timezone, Source("--timezone"), ()
        if zone is not None:
            estate = dataclasses.replace(estate, timezone=_zone(zone, source, path))
        try:
            estate.check()
            estate.check_for(version(self.changes.generation or self.file.generation))
        except EstateError as error:
            raise StoryError(error.what, where=f"{self.source.name}, {error.where}", hint=error.hint) from None
        return estate

    def _own_estate(self, given: story_file.Estate) -> Estate:
        base = _built_in(given.base, self.source, ("estate", "base")) if given.base is not None else None
        sites = {site.code: site for site in base.sites} if base else {}
        for number, change in enumerate(given.sites):
            path: KeyPath = ("estate", "sites", number)
            values = _given(change)
            code = values.get("code")
            if code is None:
                raise self.source.wrong(path, "the key 'code' is missing", "Every site has a code of three letters or digits")
            known = sites.get(code)
            missing = [key for key in ("server", "sup") if key not in values]
            if known is None and missing:
                hint = "Name the site server and the software update point, which may be the same"
                raise self.source.wrong(path, f"the key {missing[0]!r} is missing", hint)
            if code in (other.code for other in (base.sites if base else ())) or known is None:
                sites[code] = dataclasses.replace(known, **values) if known else spec.Site(**values)
            else:
                raise self.source.wrong((*path, "code"), f"site code {code} is there twice", "Every site has its own code")
            if values.get("timezone"):
                _zone(values["timezone"], self.source, (*path, "timezone"))
        values = {key: value for key, value in _given(given).items() if key not in ("base", "sites", "proxy")}
        if "timezone" in values:
            _zone(values["timezone"], self.source, ("estate", "timezone"))
        if not isinstance(given.proxy, UnsetType):
            proxy = base.proxy if base and base.proxy else spec.Proxy()
            values["proxy"] = dataclasses.replace(proxy, **_given(given.proxy))
            if not 0 < values["proxy"].port < 65_536:
                raise self.source.wrong(
                    ("estate", "proxy", "port"), f"expected a port from 1 to 65535, found {values['proxy'].port}"
                )
        if base is None:
            return Estate(**{"name": "own", **values}, sites=tuple(sites.values()))
        return dataclasses.replace(base, **values, sites=tuple(sites.values()))

    # --- the timeline

    def _step(self, step: story_file.Step, path: KeyPath) -> Step:
        at = self._offset(step.at, (*path, "at"))
        if (step.fault is None) == (step.repair is None):
            raise self.source.wrong(path, "expected exactly one of fault and repair", "Write two steps for two things")
        if step.repair is not None:
            if step.repair not in REPAIRS:
                raise self.source.wrong(
                    (*path, "repair"),
                    f"there is no repair {step.repair!r}",
                    did_you_mean(step.repair, REPAIRS, "`wsyncsim list` shows all repairs"),
                )
            if step.until is not None:
                raise self.source.wrong((*path, "until"), "a repair does not end", "Only faults have until")
            return Step(at, "repair", step.repair, self._site(step, path, "top"))
        fault = _fault(step.fault or "", self.source, (*path, "fault"))
        until = self._offset(step.until, (*path, "until")) if step.until is not None else None
        if until is not None and until <= at:
            raise self.source.wrong((*path, "until"), f"the fault would end at {step.until}, before it begins at {step.at}")
        return Step(at, "fault", fault.id, self._site(step, path, fault.site), until)

    def _site(self, step: story_file.Step, path: KeyPath, usual: Literal["top", "child"]) -> str:
        codes = [site.code for site in self.estate.sites]
        if step.site is None:
            top = self.estate.top.code
            child = next((site.code for site in self.estate.children(top)), top)
            return child if usual == "child" else top
        if step.site not in codes:
            raise self.source.wrong((*path, "site"), f"there is no site {step.site!r}", did_you_mean(step.site, codes))
        return step.site

    def _offset(self, text: str, path: KeyPath) -> int:
        """Microseconds after the start."""
        offset = durations.parse(text)
        if offset is None:
            local = story_file.local_time(text)
            if local is None:
                negative = "times count forward from the start; " if text.startswith("-") else ""
                raise self.source.wrong(
                    path,
                    f"{negative}expected a time since the start or a local date and time, found {text!r}",
                    "For example 1h30m, or 2026-03-02T07:30:00 without offset",
                )
            offset = self.zone.instant(local) - self.start_at
        if offset < 0:
            raise self.source.wrong(path, f"{text} is before the start, {self.start}")
        if offset >= self.hours * HOUR and self.changes.hours is None:
            raise self.source.wrong(
                path, f"{text} is after the end: the story lasts {self.hours} hours", f"Set hours = {offset // HOUR + 1} or more"
            )
        return offset


def _cut(timeline: list[Step], hours: int, changes: Changes) -> tuple[Step, ...]:
    """Leave out what comes after the end that the user chose."""
    end = hours * HOUR
    kept = tuple(
        step._replace(until=None) if step.until is not None and step.until >= end else step for step in timeline if step.at < end
    )
    first = next((step for step in timeline if step.kind == "fault"), None)
    if first is not None and all(step.kind != "fault" for step in kept):
        raise StoryError(
            f"{changes.hours} hours end before the first fault, {first.id} at {durations.spell(first.at)}",
            where="--hours",
            hint=f"Choose {first.at // HOUR + 1} or more",
        )
    return kept


def _given(struct: Any) -> dict[str, Any]:
    """What stands in the file, without what was left out."""
    pairs = ((field, getattr(struct, field)) for field in struct.__struct_fields__)
    return {field: value for field, value in pairs if value is not UNSET}


def _built_in(name: str, source: Source, path: KeyPath) -> Estate:
    if name not in ESTATES:
        raise source.wrong(path, f"there is no built-in estate {name!r}", did_you_mean(name, ESTATES))
    return ESTATES[name]


def _zone(name: str, source: Source, path: KeyPath) -> str:
    if name not in zone_names():
        hint = did_you_mean(name, sorted(zone_names()), "Use an IANA name such as Europe/Berlin, America/Chicago or UTC")
        raise source.wrong(path, f"there is no time zone {name!r}", hint)
    return name


def _fault(id: str, source: Source, path: KeyPath) -> Fault:
    if id not in FAULTS:
        raise source.wrong(path, f"there is no fault {id!r}", did_you_mean(id, FAULTS, "`wsyncsim list` shows all faults"))
    return FAULTS[id]


# --- the default story of a fault


def default_story(
    fault_id: str,
    *,
    generation: Generation | None = None,
    estate: str | story_file.Estate | None = None,
    changes: Changes = AS_WRITTEN,
) -> Story:
    """The story of one fault: it sets in shortly before the scheduled synchronization, and is repaired.

    It plays in ``estate``, as a story file describes one, or else in the fault's usual estate. ``changes.start`` moves all of
    it; the story then waits for the next synchronization by schedule.
    """
    fault = _fault(fault_id, Source("default story"), ())
    if generation is not None:
        changes = dataclasses.replace(changes, generation=generation)
    usual: Any = "cb" if "cb" in fault.generations else fault.generations[-1]
    file = story_file.File(
        title=story_file.Texts(fault.title.en, fault.title.de),
        ticket=story_file.Texts(*COMPLAINTS[fault.complaint].ticket),
        generation=usual,
        estate=fault.estate if estate is None else estate,
    )
    reader = _Reader(file, Source(fault_id), changes)
    top = reader.estate.top.code
    site = next(reader.estate.children(top)).code if fault.site == "child" else top
    sync = _next_sync(reader, fault.before_min * MINUTE)
    steps = [story_file.Step(at=durations.spell(sync - fault.before_min * MINUTE), fault=fault.id, site=site)]
    steps.append(story_file.Step(at=durations.spell(sync + fault.try_min * MINUTE), repair=TRY, site=top))
    seed = file.seed if changes.seed is None else changes.seed
    for number, (repair, code) in enumerate(fault.steps(reader.estate, site, reader.generation, seed)):
        at = durations.spell(sync + fault.repair_min * MINUTE + number * REPAIR_STEP_US)
        steps.append(story_file.Step(at=at, repair=repair, site=code))
    file = msgspec.structs.replace(file, timeline=steps, hours=sync // HOUR + HOURS_AFTER_SYNC)
    return _Reader(file, Source(fault_id), changes).story(fault_id)


def _next_sync(reader: _Reader, before_us: int) -> int:
    """The first scheduled synchronization that leaves time for a fault before it, in microseconds after the start."""
    top = reader.estate.top
    local = reader.start.replace(hour=top.sync_at_h, minute=0, second=0, microsecond=0)
    zone = Zone(top.timezone or reader.estate.timezone)
    while zone.instant(local) - reader.start_at < before_us:
        local += timedelta(days=1)
    return zone.instant(local) - reader.start_at


# --- writing


def _text(value: str) -> str:
    """A TOML basic string."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    return str(value) if isinstance(value, int) else _text(value)


def _write_story(story: Story) -> Iterator[str]:
    for key, text in (("title", story.title), ("ticket", story.ticket)):
        if text is not None:
            yield f"{key}.en = {_text(text.en)}"
            yield f"{key}.de = {_text(text.de)}"
    yield f"generation = {_text(story.generation)}"
    yield f"os_language = {_text(story.os_language)}"
    yield f"start = {story.start.isoformat()}"
    yield f"hours = {story.hours}"
    yield f"seed = {story.seed}"
    estate = story.estate
    yield from ("", "[estate]", *_write_fields(estate, "sites", "proxy"))
    if estate.proxy is not None:
        yield from ("", "[estate.proxy]", *_write_fields(estate.proxy))
    for site in estate.sites:
        yield from ("", "[[estate.sites]]", *_write_fields(site))
    for step in story.timeline:
        yield from ("", "[[timeline]]", f"at = {_text(durations.spell(step.at))}", f"{step.kind} = {_text(step.id)}")
        yield f"site = {_text(step.site)}"
        if step.until is not None:
            yield f"until = {_text(durations.spell(step.until))}"


def _write_fields(settings: Any, *left_out: str) -> Iterator[str]:
    """Every field of a dataclass of ``simulator.estate`` that has a value."""
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if field.name not in left_out and value is not None and value != ():
            yield f"{field.name} = {_value(value)}"
