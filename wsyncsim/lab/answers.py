"""What only other worlds can tell of a session, as question and answer in JSON: so that another process can compute it.

A question holds the whole session (ticket, seed and actions, as its file does) and no name; whoever answers keeps nothing that
could not be computed anew. The answers are those of ``LabSession`` itself.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from generators.catalogue import LANGUAGES
from simulator.versions import VERSIONS
from wsyncsim._version import __version__
from wsyncsim.lab.debrief import Debrief, unusual_at_opening
from wsyncsim.lab.diary import SCHEMA, Diary
from wsyncsim.lab.score import Result, score
from wsyncsim.lab.session import LabSession, Told
from wsyncsim.lab.ticket import tickets
from wsyncsim.lab.views import Remaining

if TYPE_CHECKING:
    from wsyncsim.lab.course import Seat

MOST_MIRRORS = 32
"""So many sessions are kept by who answers; others are played again."""

Kind = Literal["ready", "told", "hint", "enough", "left", "debrief"]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a session."""

    kind: Kind
    """``ready``: play what was done, so that the next answer comes sooner. ``told``: what was told to each action so far.
    ``hint``, ``enough`` (to escalate to ``team``), ``left`` (what could still be wrong), ``debrief`` (with the mark)."""
    key: str
    """The same for the same session."""
    ticket: str
    seed: int
    role: str | None
    generation: str | None
    actions: list[dict[str, Any]]
    told: dict[int, Told] = {}
    """What was told to actions before."""
    language: str = "en"
    team: str = ""
    number: int = 0
    """Comes back with the answer."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is answered; only what was asked for is there."""

    told: dict[int, Told] = {}
    left: Remaining | None = None
    result: Result | None = None
    debrief: Debrief | None = None


def about(session: LabSession, kind: Kind, key: str, team: str = "") -> Question:
    """A question about a session as it is now."""
    variant = session.variant
    return Question(
        kind=kind,
        key=key,
        ticket=variant.ticket.id,
        seed=variant.seed,
        role=variant.role,
        generation=variant.story.generation,
        actions=session.actions_done,
        told=session.told,
        language=session.language,
        team=team,
    )


def about_diary(diary: Diary, key: str, language: str = "en", seat: Seat | None = None) -> Question | None:
    """The question what was told to the actions of a diary; ``None`` where nothing was, or where its first line is damaged.

    ``seat``: whose seat of a course it is.
    """
    header = diary.header
    if not any(action["do"] in ("hint", "escalate") for action in diary.actions) or header.get("version") != __version__:
        return None
    names = ("ticket", "seed", "role", "generation")
    ticket, seed, role, generation = (getattr(seat, name, None) if "exam" in header else header.get(name) for name in names)
    if type(ticket) is not str or type(seed) is not int or not all(type(each) in (str, type(None)) for each in (role, generation)):
        return None
    return Question(
        kind="told",
        key=key,
        ticket=ticket,
        seed=seed,
        role=role,
        generation=generation,
        actions=diary.actions,
        language=language,
    )


class Mirrors:
    """Sessions as those who ask have them, each played as far as it was told."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[tuple[Any, ...], LabSession]] = OrderedDict()

    def answer(self, question: Question) -> Answer:
        """The answer to a question. Raises ``WsyncsimError`` as the session does."""
        session = self._session(question)
        n = len(question.actions) + 1
        match question.kind:
            case "told":
                return Answer(told=_told(session))
            case "hint":
                from wsyncsim.lab.hints import hint

                return Answer(told={n: Told(hint=hint(session))})
            case "enough":
                return Answer(told={n: Told(enough=session.panel.known_enough(question.team))})
            case "left":
                return Answer(left=session.remaining())
            case "debrief":
                return Answer(result=session.result(), debrief=session.debrief())
            case _:
                _prepare(session)
                return Answer()

    def _session(self, question: Question) -> LabSession:
        """The mirror of a session, caught up."""
        opened = (question.ticket, question.seed, question.role, question.generation)
        known = self._kept.pop(question.key, None)
        session = known[1] if known is not None and known[0] == opened else None
        if session is not None and question.kind == "told" and session.language != question.language:
            session = None  # what it was told stands in the other language
        if session is None or session.actions_done != question.actions[: len(session.actions_done)]:
            names = ("ticket", "seed", "role", "generation")
            header = {"schema": SCHEMA, "version": __version__, **dict(zip(names, opened, strict=True))}
            session = LabSession.replayed(Diary(None, header))
        session.language = question.language
        session.told = dict(question.told)
        session.follow(question.actions)
        self._kept[question.key] = opened, session
        while len(self._kept) > MOST_MIRRORS:
            self._kept.popitem(last=False)
        return session


def warm_up() -> None:
    """Load what every session needs, so that the first ones are as quick as later ones."""
    for generation in VERSIONS:
        id = next(ticket.id for ticket in tickets() if generation in ticket.generations)
        for seed, language in enumerate(LANGUAGES):
            session = LabSession.open(id, seed=seed, generation=generation, language=language)
            for _ in session.bench.views(language):
                pass


def _told(session: LabSession) -> dict[int, Told]:
    hints, enough = iter(session.hints), iter(session.enough)
    found: dict[int, Told] = {}
    for action in session.actions_done:
        if action["do"] == "hint":
            found[action["n"]] = Told(hint=next(hints))
        elif action["do"] == "escalate":
            found[action["n"]] = Told(enough=next(enough))
    return found


def _prepare(session: LabSession) -> None:
    """Let the other worlds catch up; once a diagnosis was handed in, look at what follows, as the mark will."""
    from wsyncsim.lab.diagnosis import best_way

    assert session.panel
    best_way(session.variant)
    unusual_at_opening(session.variant)
    if session.diagnoses:
        score(session)
