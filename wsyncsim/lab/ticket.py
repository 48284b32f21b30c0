"""Tickets and their variants: which estate, which names, when it broke, who calls. Everything follows from ticket and seed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from scenarios.complaint import COMPLAINTS
from scenarios.fault import ALL
from scenarios.faults import FAULTS
from scenarios.mistakes import did_you_mean
from scenarios.story import START, STARTS, Step, Story
from scenarios.text import Text
from simulator.clock import Zone
from simulator.dice import Dice, Stream
from simulator.errors import EstateError
from simulator.estate import ESTATES, Estate
from simulator.units import DAY, MINUTE
from wsyncsim.lab.data import LabError, Said, TicketData, people, policy, ticket_data

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
DAYS = 8
"""How long a ticket's world lasts; nobody works that long on one."""
HIGHEST_SEED = 2**53
DEFAULT_ESTATE = "contoso"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket as the list of tickets shows it. It does not tell what is wrong."""

    id: str
    complaint: Text
    """What is complained of, in short."""
    level: int
    """0 tour, 1 one symptom and one cause, 2 one symptom and several causes, 3 silent or misleading, 4 one fault behind another,
    5 exam."""
    role: str
    """``help desk`` or ``second level``."""
    minutes: int
    """How long it is thought to take a person."""
    generations: tuple[str, ...]
    headings: tuple[str, ...]
    """Headings of the curriculum that it belongs to."""

    def as_json(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "complaint": self.complaint._asdict()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An entry of the change calendar."""

    at: str
    """Local date and time, ISO 8601."""
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A ticket as one trainee gets it."""

    ticket: Ticket
    seed: int
    role: str
    story: Story
    """What happens. It holds the answer."""
    site: str
    """Code of the site that the caller speaks of."""
    complaint: str
    caller: Text
    says: Text
    calendar: tuple[Change, ...]
    opens_us: int
    """When the ticket may be opened at the earliest, after the start of the story."""
    broken_us: int
    """When it broke (or, where nothing is wrong, might have)."""

    @property
    def broken(self) -> bool:
        return any(step.kind == "fault" for step in self.story.timeline)


def data(id: str) -> TicketData:
    """A ticket's data; raises ``LabError``."""
    found = ticket_data().get(id)
    if found is None:
        raise LabError(f"there is no ticket {id!r}", hint=did_you_mean(id, ticket_data(), "`lab.tickets()` lists them"))
    return found


def tickets() -> list[Ticket]:
    """All tickets, by level and id."""
    return sorted((_ticket(each) for each in ticket_data().values()), key=lambda ticket: (ticket.level, ticket.id))


def _complaint(given: TicketData) -> str:
    return given.complaint or FAULTS[given.faults[0]].complaint


def _generations(given: TicketData) -> tuple[str, ...]:
    wanted = given.generations or ALL
    return tuple(each for each in wanted if all(each in FAULTS[fault].generations for fault in given.faults))


def _ticket(given: TicketData) -> Ticket:
    return Ticket(
        id=given.id,
        complaint=COMPLAINTS[_complaint(given)].title,
        level=given.level,
        role=given.role,
        minutes=given.minutes,
        generations=_generations(given),
        headings=tuple(given.headings),
    )


def variant(id: str, seed: int, *, role: str | None = None, generation: str | None = None) -> Variant:
    """The variant of a ticket that a seed chooses; raises ``LabError`` for what does not exist."""
    given = data(id)
    ticket = _ticket(given)
    if type(seed) is not int or not 0 <= seed <= HIGHEST_SEED:
        raise LabError(f"expected a whole number from 0 to {HIGHEST_SEED}, found {seed!r}", where="seed")
    if role is not None and role not in (*policy().roles, "second level"):
        raise LabError(f"there is no role {role!r}", hint="help desk, second level")
    if generation is not None and generation not in ticket.generations:
        raise LabError(f"ticket {id} is not there in generation {generation}", hint=f"In: {', '.join(ticket.generations)}")
    dice = Dice(seed).stream(f"lab/{id}")
    drawn = _choose(dice, ticket.generations)
    chosen: Any = generation or drawn
    built_in = ESTATES[given.estate or (FAULTS[given.faults[0]].estate if given.faults else DEFAULT_ESTATE)]
    estate = _renamed(built_in, dice)
    start = STARTS.get(chosen, START) + timedelta(days=7 * dice.between(0, 12) + dice.between(0, 5))
    sync_us = timedelta(hours=estate.top.sync_at_h - start.hour) // timedelta(microseconds=1)
    broken_us = sync_us - dice.between(*given.before_min) * MINUTE - dice.between(0, 60) * 1_000_000
    opens_us = sync_us + dice.between(*given.open_min) * MINUTE
    steps = _steps(given, estate, chosen, broken_us)
    story = Story(
        name=f"lab-{id}",
        title=ticket.complaint,
        ticket=COMPLAINTS[_complaint(given)].ticket,
        estate=estate,
        generation=chosen,
        os_language="de" if dice.between(0, 2) else "en",
        start=start,
        hours=DAYS * 24,
        seed=dice.between(1, HIGHEST_SEED),
        timeline=steps,
    )
    return Variant(
        ticket=ticket,
        seed=seed,
        role=role or ticket.role,
        story=story,
        site=steps[0].site if steps else estate.top.code,
        complaint=_complaint(given),
        caller=_pair(people().names, dice),
        says=_both(_choose(dice, given.says or people().says[_complaint(given)])),
        calendar=_calendar(given, story, broken_us, dice),
        opens_us=opens_us,
        broken_us=broken_us,
    )


def _steps(given: TicketData, estate: Estate, generation: str, at: int) -> tuple[Step, ...]:
    """The faults of the ticket, all at about the same time."""
    steps = []
    for number, id in enumerate(given.faults):
        fault = FAULTS[id]
        top = estate.top.code
        site = next(estate.children(top)).code if fault.site == "child" else top
        fault.check(estate, estate.site(site), generation)
        steps.append(Step(at + number * MINUTE, "fault", id, site))
    return tuple(steps)


def _choose(dice: Stream, among: Sequence[T]) -> T:
    return among[dice.between(0, len(among))]


def _both(said: Said) -> Text:
    return Text(said.en, said.de)


def _pair(names: dict[str, list[str]], dice: Stream) -> Text:
    number = dice.between(0, len(names["en"]))
    return Text(names["en"][number], names["de"][number])


def _renamed(estate: Estate, dice: Stream) -> Estate:
    """The same estate under other names of domain, sites and servers."""
    organization = _choose(dice, people().organization)
    codes = list(people().places["codes"])
    new: dict[str, str] = {}
    for site in estate.sites:
        new[site.code] = codes.pop(dice.between(0, len(codes)))
    sites = []
    for site in estate.sites:
        code = new[site.code]
        server, sup = organization.hosts.format(code=code).split(" ")
        sites.append(
            dataclasses.replace(
                site,
                code=code,
                parent=new[site.parent] if site.parent else None,
                server=server,
                sup=sup if site.remote_sup else server,
                further_sups=tuple(f"{sup}{number}" for number, _ in enumerate(site.further_sups, 2)),
                old_wsus=f"{code}OLD{dice.between(1, 9)}" if site.old_wsus else "",
            )
        )
    changed = dataclasses.replace(estate, domain=organization.domain, sites=tuple(sites))
    changed.check()
    return changed


def _calendar(given: TicketData, story: Story, broken_us: int, dice: Stream) -> tuple[Change, ...]:
    """What was really done, and harmless entries of the days before."""
    day = story.start + timedelta(microseconds=broken_us)
    real = day.replace(second=0, microsecond=0) - timedelta(minutes=day.minute % 5)
    entries = [Change(at=real.isoformat(), text=_both(given.change))] if given.change else []
    harmless = list(people().harmless)
    for _ in range(dice.between(3, 6)):
        text = harmless.pop(dice.between(0, len(harmless)))
        at = datetime.combine(story.start.date(), datetime.min.time()) - timedelta(
            minutes=5 * dice.between(0, 5 * DAY // MINUTE // 5)
        )
        entries.append(Change(at=at.isoformat(), text=_both(text)))
    return tuple(sorted(entries, key=lambda entry: (entry.at, entry.text)))


@dataclass(frozen=True, slots=True, order=True)
class Cause:
    """Something that may be wrong: a fault at a site; no id for "nothing is wrong"."""

    fault: str
    site: str

    @property
    def id(self) -> str:
        return f"{self.fault}@{self.site}" if self.fault else "nothing"

    def title(self, language: str) -> str:
        if not self.fault:
            return NOTHING.in_(language)
        return f"{FAULTS[self.fault].title.in_(language)} ({self.site})"


NOTHING = Text("Nothing is wrong: it works as designed", "Nichts ist falsch: Es arbeitet wie vorgesehen")


def possible_causes(story: Story) -> list[Cause]:
    """Everything that can be wrong in this estate and generation, whatever is complained of; a constant list of the estate."""
    found = [Cause("", "")]
    for id in sorted(FAULTS, key=lambda id: (not id.startswith("S"), id)):
        if FAULTS[id].behind is not None:
            continue
        for site in story.estate.sites:
            try:
                FAULTS[id].check(story.estate, site, story.generation)
            except (EstateError, KeyError):
                continue
            found.append(Cause(id, site.code))
    return found


def true_causes(story: Story) -> tuple[Cause, ...]:
    """What is wrong in a story, a fault that hides another one replaced by that one; "nothing" where nothing is."""
    causes = []
    for step in story.timeline:
        if step.kind == "fault":
            fault = FAULTS[step.id]
            if fault.behind is not None:
                fault = fault.behind(story.estate, story.estate.site(step.site), story.generation, story.seed)
            causes.append(Cause(fault.id, step.site))
    return tuple(causes) or (Cause("", ""),)


def with_causes(story: Story, causes: Sequence[Cause], at: int) -> Story:
    """The same story in which these things go wrong instead, at the same time."""
    steps = [Step(at + number * MINUTE, "fault", cause.fault, cause.site) for number, cause in enumerate(causes) if cause.fault]
    others = [step for step in story.timeline if step.kind != "fault"]
    return dataclasses.replace(story, timeline=(*steps, *others))


def zone_of(story: Story, site: str) -> Zone:
    """The time zone of a site."""
    return Zone(story.estate.site(site).timezone or story.timezone)
