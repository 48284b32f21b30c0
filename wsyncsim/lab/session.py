"""A session: somebody works on a ticket. Its state is ticket, version, seed and the ordered actions, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import category

from scenarios import durations
from scenarios.look import View
from scenarios.looks import LOOKS
from scenarios.mistakes import did_you_mean
from scenarios.repairs import REPAIRS
from simulator.dice import Dice
from simulator.errors import EstateError, WsyncsimError
from simulator.units import MINUTE
from wsyncsim._version import __version__
from wsyncsim.lab import ticket as tickets
from wsyncsim.lab.bench import Bench, open_bench
from wsyncsim.lab.data import LabError, policy, say
from wsyncsim.lab.diary import Diary
from wsyncsim.lab.ticket import Cause, Variant, possible_causes, true_causes, zone_of
from wsyncsim.lab.views import (
    ActionItem,
    CauseItem,
    Done,
    Escalated,
    Hint,
    LookItem,
    Pin,
    Place,
    Remaining,
    Sight,
    Verification,
    Waited,
)

if TYPE_CHECKING:
    from os import PathLike

    from wsyncsim.lab.course import Seat
    from wsyncsim.lab.debrief import Debrief
    from wsyncsim.lab.diagnosis import Panel
    from wsyncsim.lab.score import Result
    from wsyncsim.lab.xray import Xray

MAX_TEXT = 2_000
MAX_NAME = 200
MAX_ACTIONS = 1_000
LONGEST_WAIT_US = 24 * 60 * MINUTE
LEFT_US = 25 * 60 * MINUTE
"""What must be left of the story: harm is judged a day ahead."""
RESOLUTIONS = ("fixed", "escalated", "wait", "nothing")
QUESTIONS = ("worked_before", "changed", "who", "tried")
STARTS = ("R10", "R11")
"""Actions that start a synchronization, and change no setting."""
ASK_MIN = 1
BEGINNERS = 2
"""Up to this level the list of what could still be wrong is shown."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that changes the world, or lets time pass: what a twin world must go through as well."""

    kind: str
    """``go``, ``act`` or ``look``."""
    at: int
    until: int
    id: str = ""
    site: str = ""
    by: str = "trainee"
    sight: int = 0
    """Number of the sight (from 1) of a look."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A diagnosis that was handed in."""

    causes: tuple[Cause, ...]
    evidence: tuple[str, ...]
    confidence: int
    deeds: int
    """How many deeds there were before it."""
    minutes: int
    """Minutes of looks that were charged before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What other worlds say to an action."""

    hint: Hint | None = None
    enough: bool = False
    """Whether what has been seen is enough to escalate."""


def code(kind: str, id: str) -> str:
    """A name that tells nothing: how actions and causes are called before a ticket is closed."""
    return kind + hashlib.blake2b(id.encode(), digest_size=3).hexdigest()


class LabSession:
    """Somebody's work on a ticket.

    ``open`` begins one, ``resume`` goes on with one from its file. Methods raise ``WsyncsimError`` for what cannot be done;
    nothing has happened then. All data that methods return can be turned to JSON with ``as_json``.
    """

    def __init__(self, variant: Variant, diary: Diary, *, language: str = "en", seat: Seat | None = None) -> None:
        self.variant = variant
        self.language = _language(language)
        self.seat = seat
        self.told: dict[int, Told] = {}
        """Number of an action -> what the other worlds say to it, where somebody else has computed that (``lab.answers``)."""
        self._diary = diary
        self._start()

    def _start(self) -> None:
        self._bench, self.story, self._opened_at = open_bench(self.variant)
        self.sights: list[Sight] = []
        """What has been seen, oldest first."""
        self.deeds: list[Deed] = []
        self.thoughts: list[str] = []
        self.notes: list[str] = []
        self.pins: list[Pin] = []
        """Lines that were pinned to the board, in the order in which they were pinned."""
        self.diagnoses: list[Diagnosis] = []
        self.escalations: list[Escalated] = []
        self.enough: list[bool] = []
        """Of each escalation, whether what had been seen was enough for that team."""
        self.hints: list[Hint] = []
        self.answers: list[str] = []
        self.charged_min = 0
        """Minutes of looks that were charged."""
        self.closed = False
        self.resolution = ""
        self._last_seen: dict[tuple[str, ...], tuple[Any, tuple[str, ...]]] = {}
        self._panel: Panel | None = None
        self._result: Result | None = None
        self._stale = False

    # --- opening

    @classmethod
    def open(
        cls,
        id: str,
        *,
        seed: int = 1,
        path: str | PathLike[str] | None = None,
        role: str | None = None,
        generation: str | None = None,
        language: str = "en",
        seat: Seat | None = None,
    ) -> LabSession:
        """A new session; see ``wsyncsim.lab.open_ticket``."""
        variant = tickets.variant(id, seed, role=role, generation=generation)
        _language(language)
        if seat is not None:
            header: dict[str, Any] = {"version": __version__, **seat.header()}
        else:
            header = {"version": __version__, "ticket": id, "seed": seed, "role": role, "generation": generation}
        diary = Diary.create(Path(path) if path is not None else None, header)
        return cls(variant, diary, language=language, seat=seat)

    @classmethod
    def resume(cls, path: str | PathLike[str], *, language: str = "en", seat: Seat | None = None) -> LabSession:
        """Go on with a session: its actions are played again."""
        return cls.replayed(Diary.read(Path(path)), language=language, seat=seat)

    @classmethod
    def replayed(
        cls, diary: Diary, *, language: str = "en", seat: Seat | None = None, told: Mapping[int, Told] | None = None
    ) -> LabSession:
        """The session that a diary tells of; raises ``LabError`` for one that cannot have been. ``told``: see ``told``."""
        header, where = diary.header, str(diary.path or "")
        if header.get("version") != __version__:
            raise LabError(
                f"it was begun with version {header.get('version')} of wsyncsim; this is {__version__}",
                where=where,
                hint="The same version plays the same; install that one to go on with it",
            )
        if "exam" in header:
            if seat is None or any(header.get(key) != value for key, value in seat.header().items() if key != "attempt"):
                raise LabError("it belongs to an exam", where=where, hint="It can be opened with its course and key only")
            _check_attempt(header.get("attempt"), seat.attempt, where)
            variant = tickets.variant(seat.ticket, seat.seed, role=seat.role, generation=seat.generation)
        else:
            id, seed = header.get("ticket"), header.get("seed")
            if type(id) is not str or type(seed) is not int:
                raise LabError("its first line is damaged", where=where)
            variant = tickets.variant(id, seed, role=header.get("role"), generation=header.get("generation"))
        session = cls(variant, diary, language=language, seat=seat)
        session.told.update(told or {})
        for action in diary.actions:
            session._apply_again(action, where)
        return session

    def _apply_again(self, action: dict[str, Any], where: str) -> None:
        try:
            self._apply(action)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
            raise LabError(f"action {action.get('n')} is damaged: {error!r}", where=where) from None
        except WsyncsimError as error:
            if self.seat is None:
                raise
            raise LabError(
                f"action {action.get('n')} cannot be done again: {error.what}",
                where=where,
                hint="Ticket, role and generation in the course file must be those with which it was begun",
            ) from None

    def refresh(self) -> int:
        """Take in what somebody else has done in the meantime with the same file: a mirror. Returns how many actions."""
        if self._diary.path is None:
            return 0
        newer = Diary.read(self._diary.path)
        known = self._diary.actions
        if newer.header != self._diary.header or newer.actions[: len(known)] != known:
            raise LabError("it is not the same session any more", where=str(self._diary.path))
        if self._stale:
            self._rebuild()
        self._diary = newer
        self._stale = len(newer.actions) > len(known)
        for action in newer.actions[len(known) :]:
            self._apply(action)
        self._stale = False
        return len(newer.actions) - len(known)

    def follow(self, actions: Sequence[dict[str, Any]]) -> None:
        """Take in what was done elsewhere, for a session without a file. ``actions`` begin with those that were done here."""
        known = self._diary.actions
        if self._diary.path is not None or list(actions[: len(known)]) != known:
            raise LabError("it is not the same session any more")
        for action in actions[len(known) :]:
            self._apply_again(action, "")
            self._diary.append(action)

    def fork(self, at: int, path: str | PathLike[str] | None = None) -> LabSession:
        """A new session that is like this one was before action number ``at`` + 1: its first ``at`` actions are the same."""
        if not 0 <= at <= len(self._diary.actions):
            raise LabError(f"there are {len(self._diary.actions)} actions, no {at}", where="fork")
        if self.seat is not None:
            raise LabError("sessions of an exam cannot be forked", hint="Practise the same ticket with another seed")
        header = {key: value for key, value in self._diary.header.items() if key != "schema"}
        diary = Diary.create(Path(path) if path is not None else None, header)
        for action in self._diary.actions[:at]:
            if action["do"] != "close":
                diary.append({**action, "n": len(diary.actions) + 1})
        return self.replayed(diary, language=self.language, told={n: told for n, told in self.told.items() if n <= at})

    # --- where we are

    @property
    def ticket(self) -> tickets.Ticket:
        return self.variant.ticket

    @property
    def role(self) -> str:
        return self.variant.role

    @property
    def now(self) -> int:
        """The lab's clock, microseconds since the epoch (UTC)."""
        return self._bench.now

    @property
    def local(self) -> str:
        """The lab's clock at the caller's site: local date and time, ISO 8601."""
        return self.clock(self.now)

    def clock(self, at: int) -> str:
        """An instant at the caller's site, ISO 8601 without offset."""
        return zone_of(self.story, self.variant.site).local(at).replace(microsecond=0, tzinfo=None).isoformat()

    @property
    def spent_min(self) -> int:
        """Simulated minutes since the ticket was opened."""
        return (self.now - self._opened_at) // MINUTE

    @property
    def left_min(self) -> int | None:
        """Simulated minutes that this ticket may still take; ``None`` without a limit."""
        if self.seat is None or self.seat.limit_min is None:
            return None
        return max(0, self.seat.limit_min - self.spent_min)

    @property
    def _left_us(self) -> int | None:
        """Microseconds of the lab's clock that this ticket may still take; ``None`` without a limit."""
        if self.seat is None or self.seat.limit_min is None:
            return None
        return max(0, self._opened_at + self.seat.limit_min * MINUTE - self.now)

    @property
    def hints_allowed(self) -> bool:
        return self.seat is None or self.seat.hints

    @property
    def released(self) -> bool:
        """Whether mark and debrief may be seen once the ticket is closed."""
        return self.seat is None or self.seat.released

    @property
    def actions_done(self) -> list[dict[str, Any]]:
        """The actions so far, as the file has them."""
        return [dict(action) for action in self._diary.actions]

    @property
    def header(self) -> dict[str, Any]:
        """The first line of the session's file."""
        return dict(self._diary.header)

    def about(self) -> dict[str, Any]:
        """The ticket as the trainee gets it, as JSON values: caller, what is said, calendar, role, clock."""
        language, variant = self.language, self.variant
        return {
            "ticket": variant.ticket.id if self.seat is None else self.seat.header()["slot"],
            "level": variant.ticket.level if self.seat is None else None,
            "minutes": variant.ticket.minutes,
            "role": variant.role,
            "site": variant.site,
            "generation": self.story.generation,
            "caller": variant.caller.in_(language),
            "says": variant.says.in_(language),
            "complaint": variant.ticket.complaint.in_(language),
            "calendar": [{"at": change.at, "text": change.text.in_(language)} for change in variant.calendar],
            "opened": self.clock(self._opened_at),
            "local": self.local,
            "spent_min": self.spent_min,
            "charged_min": self.charged_min,
            "closed": self.closed,
        }

    # --- what can be done

    def looks(self) -> list[LookItem]:
        """All looks of this estate, grouped like the consoles, with prices and places."""
        items = []
        generation = self.story.generation
        for id, look in sorted(LOOKS.items()):
            if generation not in look.generations:
                continue
            places = tuple(Place(host, self._bench.check(id, host=host)[1].code) for host in self._bench.places(id))
            if places:
                items.append(
                    LookItem(
                        id=id,
                        group=look.do.__module__.rsplit(".", 1)[-1],
                        title=look.title(generation, self.language),  # type: ignore[arg-type]
                        where=look.where(generation, self.language),  # type: ignore[arg-type]
                        reveals=look.reveals(generation, self.language),  # type: ignore[arg-type]
                        minutes=look.minutes,
                        places=places,
                        site_wide=look.site_wide,
                        leaves_trace=look.leaves_trace,
                        takes_target=look.takes_target,
                    )
                )
        return sorted(items, key=lambda item: item.group)

    def actions(self) -> list[ActionItem]:
        """Everything that this role may change, with prices and sites; harmful ones too."""
        items = []
        for id in REPAIRS:
            if self._forbidden(id) is None:
                sites = tuple(site.code for site in self.story.estate.sites if self.possible(id, site.code))
                if sites:
                    items.append(
                        ActionItem(
                            id=code("a", id),
                            group=_group(id),
                            title=REPAIRS[id].title.in_(self.language),
                            minutes=_minutes(id),
                            sites=sites,
                        )
                    )
        return sorted(items, key=lambda item: (item.group, item.title))

    def causes(self) -> list[CauseItem]:
        """Everything that can be diagnosed here: the same list whatever is wrong."""
        return [CauseItem(id=code("c", cause.id), title=cause.title(self.language)) for cause in possible_causes(self.story)]

    @property
    def shows_remaining(self) -> bool:
        """Whether ``remaining`` may be known."""
        return self.seat is None and self.ticket.level <= BEGINNERS

    def remaining(self) -> Remaining | None:
        """What could still be wrong after all that has been seen; ``None`` from level 3 on, and in exams."""
        if not self.shows_remaining:
            return None
        from wsyncsim.lab.hints import title

        panel = self.panel
        return Remaining(
            left=len(panel.alive),
            candidates=panel.candidates,
            causes=tuple(title(self, hypothesis) for hypothesis in panel.alive),
        )

    def xray(self) -> Xray | None:
        """Where on its chain the caller's last synchronization is: in the tour, as a bare chain at level 1, and after closing."""
        from wsyncsim.lab.xray import shown

        return shown(self)

    def teams(self) -> list[str]:
        """To whom a ticket can be escalated."""
        return [*policy().teams, *(["second level"] if self.role != "second level" else [])]

    # --- what is done

    def look(
        self, id: str, *, host: str | None = None, site: str | None = None, account: str | None = None, target: str | None = None
    ) -> Sight:
        """Look at something. It costs its minutes, unless the same look there shows what it showed before."""
        given = {"id": id, "host": host, "site": site, "account": account, "target": target}
        _names(given)
        return self._do("look", given)  # type: ignore[no-any-return]

    def act(self, id: str, *, site: str | None = None) -> Done:
        """Change something, or start a synchronization: ``id`` is one of ``actions()``."""
        return self._do("act", {"id": id, "site": site})  # type: ignore[no-any-return]

    def wait(self, for_: str | int) -> Waited:
        """Let time pass: minutes, a duration such as ``1h``, or ``event`` for the next thing that happens (a day at most)."""
        given: dict[str, Any] = {"for": f"{for_}m" if type(for_) is int else for_}
        left_min = self.left_min
        if for_ == "event" and left_min is not None and left_min < LONGEST_WAIT_US // MINUTE:
            given["most_min"] = max(1, left_min)  # in the file: a limit that is changed must not change what has been
        return self._do("wait", given)  # type: ignore[no-any-return]

    def ask(self, question: str) -> str:
        """Ask the caller: one of ``worked_before``, ``changed``, ``who``, ``tried``. A question costs a minute, once."""
        return self._do("ask", {"question": question})  # type: ignore[no-any-return]

    def hypothesis(self, text: str) -> None:
        """Write down what one thinks before one looks."""
        self._do("think", {"text": text})

    def note(self, text: str) -> None:
        """Write a note to the customer."""
        self._do("note", {"text": text})

    def pin(self, evidence: str, line: int) -> Pin:
        """Pin a line (from 1) of something that has been seen to the board. It costs nothing, and counts for nothing."""
        return self._do("pin", {"of": evidence, "line": line})  # type: ignore[no-any-return]

    def unpin(self, evidence: str, line: int) -> Pin:
        """Take a line off the board again."""
        return self._do("unpin", {"of": evidence, "line": line})  # type: ignore[no-any-return]

    def diagnose(self, cause: str | Sequence[str], evidence: Sequence[str], confidence: int) -> int:
        """Say what is wrong: causes (ids of ``causes()``), the sights that show it (``e1``), confidence 1 (guess) to 3 (sure).

        Returns how many diagnoses may still be handed in.
        """
        causes = [cause] if isinstance(cause, str) else list(cause)
        return self._do("diagnose", {"causes": causes, "evidence": list(evidence), "confidence": confidence})  # type: ignore[no-any-return]

    def escalate(self, team: str, evidence: Sequence[str]) -> Escalated:
        """Hand the ticket to another team. Without the evidence that it needs, or to the wrong one, it comes back."""
        given: dict[str, Any] = {"team": team, "evidence": list(evidence)}
        left_us = self._left_us
        if left_us is not None:
            given["most_us"] = left_us  # in the file: a limit that is changed must not change what has been
        return self._do("escalate", given)  # type: ignore[no-any-return]

    def verify(self) -> Verification:
        """Whether what has been seen shows that a synchronization has succeeded since the last change. It costs nothing."""
        return self._do("verify", {})  # type: ignore[no-any-return]

    def hint(self) -> Hint:
        """The next hint, from what has been seen so far."""
        return self._do("hint", {})  # type: ignore[no-any-return]

    def close(self, resolution: str | None = None) -> Result:
        """Close the ticket: ``fixed``, ``escalated``, ``wait`` or ``nothing`` (to repair); by default what was done."""
        self.finish(resolution)
        return self.result()

    def finish(self, resolution: str | None = None) -> None:
        """Close the ticket as ``close`` does, and leave the mark for later: it takes a while."""
        self._do("close", {"resolution": resolution})

    def result(self) -> Result:
        """The score of a closed ticket."""
        from wsyncsim.lab.score import score

        if not self.closed:
            raise LabError("the ticket is still open", hint="Close it first")
        if self._result is None:
            self._result = score(self)
        return self._result

    def take_result(self, result: Result) -> None:
        """Take the mark of this session from somebody else who has computed it."""
        self._result = result

    def debrief(self) -> Debrief:
        """What really happened, what could be seen, what was done, and what the cheapest way would have been."""
        from wsyncsim.lab.debrief import debrief

        self.check_answers()
        return debrief(self)

    def check_answers(self) -> None:
        """Raise ``LabError`` as long as the debrief must not be seen."""
        if not self.closed:
            raise LabError("the ticket is still open", hint="Close it first")
        if self.seat is not None and not self.seat.released:
            raise LabError("answers of this exam are not released yet")

    # --- machinery

    def _do(self, do: str, given: dict[str, Any]) -> Any:
        if self.closed:
            raise LabError("the ticket is closed", hint="Fork it (wsyncsim lab fork), or open another one")
        if len(self._diary.actions) >= MAX_ACTIONS and do != "close":
            raise LabError(f"a session has at most {MAX_ACTIONS} actions", hint="Close the ticket")
        if self._stale:
            self._rebuild()
        action = {"n": len(self._diary.actions) + 1, "do": do, **{key: value for key, value in given.items() if value is not None}}
        self._stale = True
        try:
            before = self.now
            outcome = self._apply(action)
            self._heed_limit(before)
            self._diary.append(action)
        except WsyncsimError:
            self._rebuild()
            raise
        self._stale = False
        return outcome

    def _rebuild(self) -> None:
        """Play everything again: what was refused half-way must leave nothing."""
        actions = self._diary.actions
        self.told = {n: told for n, told in self.told.items() if n <= len(actions)}
        self._start()
        for action in actions:
            self._apply(action)

    def _apply(self, action: dict[str, Any]) -> Any:
        handlers: dict[str, Callable[[dict[str, Any]], Any]] = {
            "look": self._look,
            "act": self._act,
            "wait": self._wait,
            "ask": self._ask,
            "think": lambda given: self.thoughts.append(_text(given["text"])),
            "note": lambda given: self.notes.append(_text(given["text"])),
            "pin": self._pin,
            "unpin": self._unpin,
            "diagnose": self._diagnose,
            "escalate": self._escalate,
            "verify": lambda _given: self._verify(),
            "hint": self._hint,
            "close": self._close,
        }
        if self.closed or action["do"] not in handlers:
            raise LabError(f"action {action['n']}, {action['do']!r}, cannot be done")
        return handlers[action["do"]](action)

    def _in_time(self, until: int) -> int:
        """That instant; raises ``LabError`` when no day of the story would be left to judge what was done."""
        if until > self._bench.world.end - LEFT_US:
            raise LabError("the ticket has taken too long", hint="Close it")
        return until

    def _heed_limit(self, before: int) -> None:
        """Refuse what has let the clock go beyond the limit of an exam. What was done before the limit was changed stays done."""
        limit_min = self.seat.limit_min if self.seat is not None else None
        if limit_min is not None and self.now > max(before, self._opened_at + limit_min * MINUTE):
            raise LabError(say("refused_time", self.language), hint=say("hint_time", self.language))

    def _go(self, until: int) -> None:
        self._in_time(until)
        self.deeds.append(Deed("go", self.now, until))
        self._bench.go(until)

    def _look(self, given: dict[str, Any]) -> Sight:
        id = str(given["id"]).upper()
        known, site, server, _ = self._bench.check(
            id, host=given.get("host"), site=given.get("site") or self.variant.site, account=given.get("account")
        )
        at = self.now
        view = self.see(self._bench, given)
        key = (known.id, server.name, site.code, view.account, str(given.get("target")).lower())
        facts, lines = self._last_seen.get(key, (None, ()))
        new = facts != view.facts
        self._last_seen[key] = view.facts, view.lines
        charged = known.minutes if new else 0
        number = len(self.sights) + 1
        sight = Sight(
            **{name: getattr(view, name) for name in View.__dataclass_fields__},
            evidence=f"e{number}",
            charged_min=charged,
            new=new,
            same=not new and lines == view.lines,
            target=given.get("target"),
        )
        self.sights.append(sight)
        self.deeds.append(Deed("look", at, at, known.id, site.code, sight=number))
        self.charged_min += charged
        if charged:
            self._go(at + charged * MINUTE)
        return sight

    def see(self, bench: Bench, given: dict[str, Any]) -> View:
        """The view of a look of this session, in this world or in a twin of it."""
        return bench.look(
            str(given["id"]),
            host=given.get("host"),
            site=given.get("site") or self.variant.site,
            account=given.get("account"),
            target=given.get("target"),
            language=self.language,  # type: ignore[arg-type]
        )

    def _forbidden(self, id: str) -> str | None:
        """Why this role may not do that; ``None`` when it may."""
        if id in policy().waiting["actions"]:
            return say("refused_waiting", self.language)
        allowed = policy().roles.get(self.role)
        if allowed is not None and id not in allowed:
            return say("refused_role", self.language, role=say(f"role_{self.role.replace(' ', '_')}", self.language))
        return None

    def possible(self, id: str, site: str) -> bool:
        """Whether that action of the catalogue makes sense at that site."""
        estate = self.story.estate
        try:
            REPAIRS[id].check(estate, estate.site(site))
        except EstateError:
            return False
        return True

    def _act(self, given: dict[str, Any]) -> Done:
        wanted = str(given["id"])
        id = next((each for each in REPAIRS if wanted.upper() == each or wanted == code("a", each)), None)
        if id is None:
            raise LabError(f"there is no action {wanted!r}", hint=did_you_mean(wanted, [item.id for item in self.actions()], ""))
        refused = self._forbidden(id)
        if refused is not None:
            raise LabError(refused, where=REPAIRS[id].title.in_(self.language))
        site = given.get("site") or (self.variant.site if self.possible(id, self.variant.site) else self.story.estate.top.code)
        site = self.story.estate.site(str(site).upper()).code
        at, took_us = self.now, _minutes(id) * MINUTE
        self._bench.act(id, site, took_us)
        self.deeds.append(Deed("act", at, at + took_us, id, site))
        return Done(id=code("a", id), title=REPAIRS[id].title.in_(self.language), site=site, minutes=_minutes(id), local=self.local)

    def _wait(self, given: dict[str, Any]) -> Waited:
        wanted, began = str(given["for"]), self.now
        if wanted == "event":
            most_us = int(given.get("most_min", LONGEST_WAIT_US // MINUTE)) * MINUTE
            self._bench.next_event(self._in_time(began + min(most_us, LONGEST_WAIT_US)))
            self.deeds.append(Deed("go", began, self.now))
        else:
            took_us = durations.parse(wanted)
            if not took_us or took_us > LONGEST_WAIT_US:
                raise LabError(f"cannot wait for {wanted!r}", hint="For example 5m, 1h (a day at most), or event")
            self._go(began + took_us)
        return Waited(minutes=(self.now - began) // MINUTE, local=self.local)

    def _ask(self, given: dict[str, Any]) -> str:
        question = given["question"]
        if question not in QUESTIONS:
            raise LabError(f"there is no question {question!r}", hint=did_you_mean(str(question), QUESTIONS))
        from wsyncsim.lab.data import people

        if question not in self.answers:
            self.answers.append(question)
            self._go(self.now + ASK_MIN * MINUTE)
        return people().answers[question].in_(self.language).format_map({"site": self.variant.site})

    def _line(self, given: dict[str, Any]) -> Pin:
        (evidence,), line = self._evidence([given["of"]]), given["line"]
        lines = next(sight.lines for sight in self.sights if sight.evidence == evidence)
        if type(line) is not int or not 1 <= line <= len(lines):
            raise LabError(say("refused_line", self.language, evidence=evidence, line=line), hint=f"1 - {len(lines)}")
        return Pin(evidence, line, lines[line - 1])

    def _pin(self, given: dict[str, Any]) -> Pin:
        pin = self._line(given)
        if pin in self.pins:
            raise LabError(say("refused_pinned", self.language))
        self.pins.append(pin)
        return pin

    def _unpin(self, given: dict[str, Any]) -> Pin:
        pin = self._line(given)
        if pin not in self.pins:
            raise LabError(say("refused_unpinned", self.language))
        self.pins.remove(pin)
        return pin

    def _evidence(self, names: Any) -> tuple[str, ...]:
        known = {sight.evidence for sight in self.sights}
        evidence = tuple(str(name) for name in names)
        for name in evidence:
            if name not in known:
                raise LabError(f"there is no evidence {name!r}", hint=f"Seen so far: {', '.join(sorted(known)) or 'nothing'}")
        if not evidence:
            raise LabError(say("refused_evidence", self.language), hint=say("hint_evidence", self.language))
        return evidence

    def _diagnose(self, given: dict[str, Any]) -> int:
        left = int(policy().weights["diagnoses"]) - len(self.diagnoses)
        if left <= 0:
            raise LabError(say("refused_diagnoses", self.language))
        known = {name: cause for cause in possible_causes(self.story) for name in (code("c", cause.id), cause.id)}
        causes = []
        for name in given["causes"]:
            if name not in known:
                raise LabError(f"there is no cause {name!r}", hint="`causes()` lists them")
            causes.append(known[name])
        if not causes or len(set(causes)) < len(causes) or len(causes) > 3:
            raise LabError("a diagnosis names one to three different causes")
        if given["confidence"] not in (1, 2, 3):
            raise LabError("confidence is 1 (guess), 2 (likely) or 3 (sure)")
        evidence = self._evidence(given["evidence"])
        self.diagnoses.append(Diagnosis(tuple(causes), evidence, given["confidence"], len(self.deeds), self.charged_min))
        return left - 1

    # --- what needs to know what else could be wrong

    @property
    def panel(self) -> Panel:
        """The other worlds that would have looked the same so far."""
        from wsyncsim.lab.diagnosis import Panel

        if self._panel is None:
            self._panel = Panel(self.variant, self.story, self._opened_at)
        self._panel.follow(self.deeds, self.sights)
        return self._panel

    def _escalate(self, given: dict[str, Any]) -> Escalated:
        from wsyncsim.lab.diagnosis import owners

        team = given["team"]
        if team not in self.teams():
            raise LabError(f"there is no team {team!r}", hint=did_you_mean(str(team), self.teams()))
        self._evidence(given["evidence"])
        most_us = self._time_to_escalate(given.get("most_us"), team)
        truth = [cause for cause in true_causes(self.story) if cause.fault]
        told = self.told.get(given["n"])
        enough = told.enough if told is not None else self.panel.known_enough(team)
        self.enough.append(enough)
        mine = [cause for cause in truth if team == "second level" or team in owners(self.story, cause)]
        delays = policy().delays
        dice = Dice(self.variant.seed).stream(f"lab/escalation/{len(self.escalations)}")
        accepted = enough and bool(mine)
        if accepted:
            self._repair_by(team, mine, dice.about(delays[team] * MINUTE), most_us)
            reply = say("escalated", self.language, team=say(f"team_{team.replace(' ', '_')}", self.language))
        else:
            self._go(self.now + min(delays["returned"] * MINUTE, most_us))
            name = "returned_evidence" if not enough else "returned_team"
            reply = say(name, self.language, team=say(f"team_{team.replace(' ', '_')}", self.language))
        done = Escalated(team=team, accepted=accepted, reply=reply, local=self.local)
        self.escalations.append(done)
        return done

    def _time_to_escalate(self, most_us: int | None, team: str) -> int:
        """How long an escalation may take at most, in microseconds. Raises ``LabError`` when there is no time for any.

        It is decided before anything is judged: whether there is time for it must not tell whose the cause is.
        """
        if most_us is not None and most_us <= 0:
            raise LabError(say("refused_time", self.language), hint=say("hint_time", self.language))
        delays = policy().delays
        self._in_time(self.now + 2 * max(delays[team], delays["returned"]) * MINUTE)
        return LONGEST_WAIT_US if most_us is None else most_us

    def _repair_by(self, team: str, causes: Sequence[Cause], delay_us: int, most_us: int) -> None:
        """The team does the right thing, step by step; the synchronization is started by who gave the ticket away.

        With less time left than that takes, it is done at the last moment of it.
        """
        from wsyncsim.lab.diagnosis import right_steps

        without = (*STARTS, *policy().waiting["actions"])
        steps = [(id, site) for cause in causes for id, site in right_steps(self.story, cause) if id not in without]
        step_us = min(2 * MINUTE, most_us // max(len(steps), 1))
        self._go(self.now + min(delay_us, most_us - len(steps) * step_us))
        for id, site in steps:
            at = self.now
            self._bench.act(id, site, step_us)
            self.deeds.append(Deed("act", at, self.now, id, site, by=team))

    @property
    def opened_at(self) -> int:
        """When the ticket was opened, microseconds since the epoch (UTC)."""
        return self._opened_at

    def succeeded_at(self) -> int | None:
        """When a synchronization of the caller's site last succeeded, if the last one did; microseconds since the epoch."""
        return self._bench.succeeded_at(self.variant.site)

    def where_success_shows(self) -> list[tuple[str, str]]:
        """Looks at the caller's site that show a success now, and where, the cheapest first."""
        found = []
        for id, look in LOOKS.items():
            if self.story.generation in look.generations and not look.leaves_trace:
                for host in self._bench.places(id):
                    view = self._bench.look(id, host=host, site=self.variant.site)
                    if view.site == self.variant.site and shows_success(view):
                        found.append((look.minutes, id, host))
        return [(id, host) for _, id, host in sorted(found)]

    @property
    def bench(self) -> Bench:
        """The world. It holds the answer."""
        return self._bench

    def mended(self) -> bool:
        """Whether the trouble will be over with the next synchronization (or needs nobody to mend it)."""
        from wsyncsim.lab.score import outcome

        done = outcome(self)
        return done.recovered or done.nothing_to_do

    def verified(self) -> bool:
        """Whether a synchronization has succeeded since the last change, and a look has shown it."""
        return self._verify().seen

    def _verify(self) -> Verification:
        changes = [deed.at for deed in self.deeds if deed.kind == "act" and deed.id not in STARTS]
        succeeded = self.succeeded_at()
        if succeeded is not None and succeeded > max(changes, default=0):
            for sight in reversed(self.sights):
                if sight.at >= succeeded and shows_success(sight):
                    return Verification(
                        seen=True, evidence=sight.evidence, text=say("verified", self.language, evidence=sight.evidence)
                    )
        return Verification(seen=False, evidence="", text=say("not_verified", self.language))

    def _hint(self, action: dict[str, Any]) -> Hint:
        from wsyncsim.lab.hints import hint

        if self.seat is not None and not self.seat.hints:
            raise LabError(say("refused_hint", self.language))
        told = self.told.get(action["n"])
        given = told.hint if told is not None and told.hint is not None else hint(self)
        self.hints.append(given)
        return given

    def _close(self, given: dict[str, Any]) -> None:
        resolution = given.get("resolution")
        if resolution is not None and resolution not in RESOLUTIONS:
            raise LabError(f"there is no resolution {resolution!r}", hint=did_you_mean(str(resolution), RESOLUTIONS))
        handed_over = any(done.accepted for done in self.escalations)
        self.resolution = resolution or ("escalated" if handed_over else "fixed")
        self.closed = True


def shows_success(view: View) -> bool:
    """Whether a view says that a synchronization succeeded."""
    return any(
        key.endswith(success.key) and isinstance(value, str) and success.contains in value
        for key, value in view.facts
        for success in policy().success
    )


def _check_attempt(begun: Any, now: int, where: str) -> None:
    if begun != now:
        raise LabError(
            f"it was begun as attempt {begun}; the course is at attempt {now} now",
            where=where,
            hint="The instructor sets attempt back in the course file, or uses another folder for its sessions",
        )


def _minutes(id: str) -> int:
    return policy().minutes.get(id, 2)


def _group(id: str) -> str:
    return next((group for group, ids in policy().groups.items() if id in ids), "other")


def _language(language: str) -> str:
    if language not in ("en", "de"):
        raise LabError(f"there is no language {language!r}", hint="en or de")
    return language


def _names(given: Mapping[str, Any]) -> None:
    """Refuse what no look could be told, before it is done: what has been written down can be read again."""
    for name, value in given.items():
        if value is not None and not (isinstance(value, str) and len(value) <= MAX_NAME and value.isprintable()):
            raise LabError(f"{name!r} of a look has at most {MAX_NAME} characters, all of them printable")


def _text(value: Any) -> str:
    if type(value) is not str or not value.strip() or len(value) > MAX_TEXT:
        raise LabError(f"a text has 1 to {MAX_TEXT} characters")
    if any(category(character) in ("Cc", "Cs") and character != "\n" for character in value):
        raise LabError("it holds control characters", hint="Leave them out")
    return value
