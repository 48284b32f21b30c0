"""What actions did to the world: the same world with and without each of them, a day ahead, compared.

Runs and symptoms are compared prefix by prefix; settings that were left changed name the action themselves, in their chain of
causes. What the catalogue's own repair leaves is no harm. What is tempting on a ticket is tried in a world of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scenarios.complaint import COMPLAINTS
from scenarios.repairs import REPAIRS
from simulator.units import DAY, MINUTE
from wsyncsim.lab.data import policy, say, tempting_moves
from wsyncsim.lab.diagnosis import Effect, right_steps
from wsyncsim.lab.outlook import Act, Blame, Outlook, outlook
from wsyncsim.lab.ticket import true_causes
from wsyncsim.lab.views import Plain

if TYPE_CHECKING:
    from scenarios.story import Story
    from wsyncsim.lab.session import Deed, LabSession

AHEAD_US = DAY
LASTING_US = 6 * DAY
"""So much later it is asked again whether what ended the complaint still holds."""
DATABASES = ("Susdb", "SiteDatabase")
UNSTEADY = ("WindowsService", "AppPool")
"""What is stopped and started, not set; minutes that it stood still are counted elsewhere."""
STALLED_MIN = 5
"""So many minutes of stopped services make one point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm(Plain):
    """What one action did."""

    action: str
    site: str
    local: str
    points: int
    critical: bool
    details: tuple[str, ...]
    """What is otherwise because of it: settings, symptoms, failed runs; that nothing is, where no harm was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tempting(Harm):
    """What a tempting wrong move does here, done first of all."""

    helps: bool
    """The complaint would be over with it, and not without."""
    done: bool
    """It was done in this session."""


@dataclass(slots=True)
class _Bill:
    """What is measured of one action, in the language of who reads it."""

    language: str
    points: int = 0
    critical: bool = False
    details: list[str] = field(default_factory=list)

    def charge(self, points: int, name: str, /, **values: object) -> None:
        self.points += points
        self.tell(say(name, self.language, **values))

    def tell(self, text: str) -> None:
        if text not in self.details:
            self.details.append(text)


def acts_of(deeds: Sequence[Deed]) -> list[tuple[Act, str]]:
    """What was done, and by whom, in order."""
    return [(Act(deed.at, deed.id, deed.site), deed.by) for deed in deeds if deed.kind == "act"]


def reference(session: LabSession, until: int) -> Outlook:
    """The same world after the catalogue's own repair, done at the moment when the ticket was opened."""
    at = session.opened_at
    acts = []
    for cause in true_causes(session.story):
        for id, site in right_steps(session.story, cause):
            acts.append(Act(at, id, site))
            at += 5 * MINUTE
    return outlook(session.story, tuple(acts), until)


def horizon(session: LabSession) -> int:
    """The instant at which worlds are compared."""
    return session.now + AHEAD_US


def harms(session: LabSession) -> list[Harm]:
    """What each of the trainee's own actions did, in order; actions that did no harm are left out."""
    return [harm for harm in measured(session) if harm.points]


def measured(session: LabSession) -> list[Harm]:
    """What each of the trainee's own actions did, in order; of those that did no harm, that none was measured.

    A setting counts against who changed it last, and only if it was left so; what failed meanwhile counts against the action
    with which it began.
    """
    until, story = horizon(session), session.story
    acts = acts_of(session.deeds)
    done = [act for act, _ in acts]
    allowed, final = reference(session, until), outlook(story, tuple(done), until)
    found = []
    for number, (act, by) in enumerate(acts):
        if by == "trainee":
            bill = _measure(story, done[:number], act, until, session.language, allowed, final)
            _lasting(session, bill, done[:number], act, until)
            found.append(_harm(session, act, bill))
    return found


def tempting(session: LabSession) -> list[Tempting]:
    """What each move that is tempting on this ticket, and wrong, would have done as the first thing of all."""
    until, story, site = session.opened_at + AHEAD_US, session.story, session.variant.site
    allowed = reference(session, until)
    nothing, by_itself = not true_causes(story)[0].fault, over(session, outlook(story, (), until))
    found = []
    for id in tempting_of(session):
        act = Act(session.opened_at, id, site)
        after = outlook(story, (act,), until)
        helps = over(session, after)
        bill = _measure(story, [], act, until, session.language, allowed, after)
        _lasting(session, bill, [], act, until)
        harm = _harm(session, act, bill)
        verdict = "tempting_nothing_wrong" if nothing else "tempting_by_itself" if by_itself else "tempting_helps"
        verdict = verdict if helps or nothing else "tempting_useless"
        found.append(
            Tempting(
                action=harm.action,
                site=harm.site,
                local=harm.local,
                points=harm.points,
                critical=harm.critical,
                details=(*harm.details, say(verdict, session.language)),
                helps=helps and not nothing and not by_itself,
                done=any(deed.kind == "act" and deed.id == id and deed.by == "trainee" for deed in session.deeds),
            )
        )
    return found


def tempting_of(session: LabSession) -> list[str]:
    """The moves that are tempting on this ticket, and wrong: ids of the catalogue, as far as they can be done at its site."""
    moves = [id for cause in true_causes(session.story) for id in tempting_moves(cause.fault)]
    return [id for id in dict.fromkeys(moves) if session.possible(id, session.variant.site)]


def over(session: LabSession, world: Outlook) -> bool:
    """Whether nobody complains any more in a world."""
    complains = any(complaint == session.variant.complaint for complaint, _ in world.symptoms)
    return not complains and session.variant.site not in world.failing_sites


def _harm(session: LabSession, act: Act, bill: _Bill) -> Harm:
    return Harm(
        action=REPAIRS[act.id].title.in_(session.language),
        site=act.site,
        local=session.clock(act.at),
        points=bill.points,
        critical=bill.critical,
        details=(*((say("harm_none", session.language),) if not bill.points else ()), *bill.details),
    )


def _measure(story: Story, before: Sequence[Act], act: Act, until: int, language: str, allowed: Outlook, final: Outlook) -> _Bill:
    """What one action did after those before it; ``final`` is the world after all of them and those that came later."""
    bill = _Bill(language)
    without, after = outlook(story, tuple(before), until), outlook(story, (*before, act), until)
    moment = act.at + MINUTE
    meanwhile, just_after = outlook(story, tuple(before), moment), outlook(story, (*before, act), moment)
    blame = act.id, act.at
    _settings(bill, [each for each in _blamed(final, blame) if each not in allowed.deviations])
    passing = [each for each in _blamed(just_after, blame) if each not in allowed.deviations]
    _briefly(bill, passing)
    written = [each for each in passing if each in just_after.by_hand and each not in after.deviations]
    hidden = (meanwhile.left - just_after.left) & after.left
    _undone(bill, (*written, *sorted(hidden)))
    _past_configmgr(bill, blame, final)
    _worse(bill, without, after, allowed, final.failed_requests.get(blame, 0))
    return bill


def _lasting(session: LabSession, bill: _Bill, before: Sequence[Act], act: Act, until: int) -> None:
    """Of what ended the complaint: whether that holds as long as the catalogue's own repair, and what it leaves as it was."""
    story, acts = session.story, (*before, act)
    after = outlook(story, acts, until)
    if not over(session, after) or over(session, outlook(story, tuple(before), until)):
        return
    later = until + LASTING_US
    if not over(session, outlook(story, acts, later)) and over(session, reference(session, later)):
        bill.charge(policy().harm["failing_site"], "harm_not_lasting")
    for name, entities in _by_name(sorted(after.left - reference(session, until).left)):
        bill.tell(say("harm_covered", bill.language, entity=entities, name=name))


def _blamed(world: Outlook, blame: Blame) -> list[Effect]:
    return [effect for effect, cause in sorted(world.deviations.items()) if cause == blame]


def _settings(bill: _Bill, new: Iterable[Effect]) -> None:
    """Settings that were changed and left so: one price for each thing."""
    prices, security = policy().harm, policy().security
    paid: set[str] = set()
    told: dict[str, list[Effect]] = {}
    for effect in new:
        name = f"{effect.kind}.{effect.name}"
        if name in security["allowed"]:
            continue
        kind = "security" if name in security["weakens"] else "data" if effect.kind in DATABASES else "deviation"
        bill.critical = bill.critical or name in security["critical"]
        bill.points += 0 if effect.entity in paid else prices[kind]
        paid.add(effect.entity)
        told.setdefault(kind, []).append(effect)
    for kind, effects in told.items():
        settings = "; ".join(f"{setting} ({entities})" for setting, entities in _by_name(effects))
        bill.tell(say(f"harm_{kind}", bill.language, settings=settings))


def _briefly(bill: _Bill, passing: Iterable[Effect]) -> None:
    """What must not even be changed for a moment."""
    names = [each for each in passing if f"{each.kind}.{each.name}" in policy().security["never"]]
    if names:
        bill.critical = True
        bill.points += policy().harm["symptom"]
    for effect in names:
        bill.tell(say("harm_never", bill.language, entity=effect.entity, name=effect.name))


def _undone(bill: _Bill, passing: Iterable[Effect]) -> None:
    """What somebody wrote somewhere, and the product itself wrote back: it looked mended meanwhile, or was wrong meanwhile."""
    never = policy().security["never"]
    names = [each for each in passing if each.kind not in UNSTEADY and f"{each.kind}.{each.name}" not in never]
    if names:
        bill.points += policy().harm["undone"]
    for name, entities in _by_name(names):
        bill.tell(say("harm_undone", bill.language, entity=entities, name=name))


def _by_name(effects: Iterable[Effect]) -> list[tuple[str, str]]:
    """Settings of the same name at several things, as one: name, and the things."""
    found: dict[str, list[str]] = {}
    for effect in effects:
        found.setdefault(effect.name, []).append(effect.entity)
    return [(name, ", ".join(entities)) for name, entities in found.items()]


def _past_configmgr(bill: _Bill, blame: Blame, final: Outlook) -> None:
    count = final.foreign_runs.get(blame, 0)
    if count:
        bill.charge(count * policy().harm["foreign_run"], "harm_foreign_run", count=count)


def _worse(bill: _Bill, before: Outlook, after: Outlook, allowed: Outlook, failed_requests: int) -> None:
    """In which respects a world goes worse than the one before."""
    prices = policy().harm
    for complaint, site in sorted(after.symptoms - before.symptoms - allowed.symptoms):
        title = COMPLAINTS[complaint].title.in_(bill.language)
        bill.charge(prices["symptom"], "harm_symptom", complaint=title, site=site)
    stalled = max(after.stalled_min - max(before.stalled_min, allowed.stalled_min), 0)
    failing = len(after.failing_sites - before.failing_sites)
    missed = max(before.good_runs - after.good_runs, 0)
    failed = max(after.failed_runs - before.failed_runs, 0)
    lost = max(before.requests - max(after.requests, allowed.requests), 0)
    for count, name in (
        (failing, "failing_site"),
        (missed, "missed_run"),
        (failed, "failed_run"),
        (failed_requests, "failed_request"),
        (lost, "lost_request"),
    ):
        if count:
            bill.charge(count * prices[name], f"harm_{name}", count=count)
    if stalled >= STALLED_MIN:
        bill.charge(stalled // STALLED_MIN * prices["disturbance"], "harm_disturbance", count=stalled)
