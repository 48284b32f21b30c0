"""The sessions of a folder: each is a file, opened when somebody asks for it, and worked on by one request at a time."""

from __future__ import annotations

import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from simulator.errors import WsyncsimError
from wsyncsim import lab
from wsyncsim._version import __version__
from wsyncsim.lab.data import LabError

if TYPE_CHECKING:
    from wsyncsim.lab.answers import Answer, Kind, Question
    from wsyncsim.lab.course import Seat
    from wsyncsim.lab.debrief import Debrief
    from wsyncsim.lab.session import LabSession, Told
    from wsyncsim.lab.ticket import Ticket
    from wsyncsim.lab.views import Remaining
    from wsyncsim.lab_web.counsel import Counsel

SUFFIX = ".jsonl"
SESSION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
"""What a session may be called: nothing in it can leave the folder."""
MOST_OPEN = 100
"""How many sessions are kept in memory, at 1 to 2 MB each; others are played again from their files."""
MOST_ORDERED = 20
"""How many forms of a session wait for their answers; whoever sends more gives up the first ones."""
MOST_LISTED = 100
PATIENCE_S = 0.08
"""How long a page waits for what other worlds say; then a page says that it is being computed."""
HIGHEST_CHANCE_SEED = 1_000_000


class Coming(Exception):
    """A session is being played again elsewhere; whoever asks for it in a moment gets it."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """A form whose answer is being computed."""

    what: str
    form: Mapping[str, list[str]]
    count: int
    """How many actions there were: it is an order for then, and for no other moment."""
    since_s: float = field(default_factory=time.monotonic)
    """When it came, on a clock that only goes forward."""


@dataclass(slots=True)
class Desk:
    """A session that is open, and what belongs to showing it. Whoever holds ``lock`` may use it.

    With a ``counsel``, what other worlds tell is computed elsewhere: ``knows`` first, then ask. Without, it is computed here, when
    it is asked for.
    """

    session: LabSession
    id: str = ""
    counsel: Counsel | None = None
    lock: Lock = field(default_factory=Lock)
    ordered: dict[str, Ordered] = field(default_factory=dict)
    """By ids that stand in the addresses of those who wait."""
    asked: dict[tuple[int, str, str, str], Future[Answer]] = field(default_factory=dict)
    """Number of actions, kind of question, team and language -> what was asked."""
    left: Remaining | None = None
    said: str = ""
    """What the last action came to."""
    debriefs: dict[str, Debrief] = field(default_factory=dict)
    """By language; they take a while to compute."""

    looks: dict[str, str] = field(default_factory=dict)
    known: tuple[int, int] = (-1, -1)
    """How many actions there were when it was last put down, and how long its file was."""

    def put_down(self, path: Path) -> None:
        """Remember the file as it is after what was done here; not what somebody else may have written."""
        count = len(self.session.actions_done)
        if count != self.known[0]:
            self.known = count, path.stat().st_size
            if self.counsel is not None:
                self._ask("debrief" if self.session.closed else "ready")

    def knows(self, kind: Kind, team: str = "") -> bool:
        """Whether that can be told without computing, after a moment's wait. Raises ``WsyncsimError`` when it must not be told."""
        if kind == "debrief":
            self.session.check_answers()
        if self.counsel is None:
            return True
        if kind == "debrief" and self.session.language in self.debriefs:
            return True
        asked = self._ask(kind, team)
        if not wait([asked], PATIENCE_S).done:
            return False
        try:
            answer = asked.result()
        except Exception:  # whatever it is goes on to whoever asked; kept, it would be told again and again
            self.asked.clear()
            raise
        self.session.told.update(answer.told)
        self.left = answer.left
        if answer.result is not None and answer.debrief is not None:
            self.session.take_result(answer.result)
            self.debriefs[self.session.language] = answer.debrief
        return True

    def order(self, what: str, form: Mapping[str, list[str]]) -> str:
        """Keep a form until its answer is there; returns the order's id."""
        id = secrets.token_urlsafe(9)
        self.ordered[id] = Ordered(what, form, len(self.session.actions_done))
        while len(self.ordered) > MOST_ORDERED:
            del self.ordered[next(iter(self.ordered))]
        return id

    def holds(self, ordered: Ordered) -> bool:
        """Whether nothing was done since an order."""
        return ordered.count == len(self.session.actions_done)

    def _ask(self, kind: Kind, team: str = "") -> Future[Answer]:
        from wsyncsim.lab.answers import about

        assert self.counsel is not None
        count = len(self.session.actions_done)
        name = count, kind, team, self.session.language
        self.asked = {each: answer for each, answer in self.asked.items() if each[0] == count}
        if name not in self.asked:
            self.asked[name] = self.counsel.ask(about(self.session, kind, self.id, team))
        return self.asked[name]

    def remaining(self) -> Remaining | None:
        """What could still be wrong; ask ``knows`` before."""
        return self.left if self.counsel is not None else self.session.remaining()

    def groups(self) -> dict[str, str]:
        """The console of each look."""
        if not self.looks:
            self.looks = {item.id: item.group for item in self.session.looks()}
        return self.looks

    def debrief(self) -> Debrief:
        """The debrief of a closed session. Raises ``LabError``."""
        language = self.session.language
        if language not in self.debriefs:
            self.debriefs[language] = self.session.debrief()
        return self.debriefs[language]


@dataclass(frozen=True, slots=True)
class Kept:
    """A session in the list: what its file says, without playing it."""

    id: str
    ticket: Ticket
    seed: int
    actions: int
    closed: bool
    other_version: str
    """The version that began it, when that is not this one."""


class Shelf:
    """The sessions of a folder."""

    def __init__(self, folder: Path, counsel: Counsel | None = None) -> None:
        self.folder = folder
        self.counsel = counsel
        self._desks: OrderedDict[str, Desk] = OrderedDict()
        self._lock = Lock()
        self._opening: dict[str, Lock] = {}
        self._telling: dict[tuple[str, str, int], Future[Answer]] = {}
        """Session, language and number of actions -> what was told to them."""
        self._playing = Lock()
        """What plays other worlds in this process waits for its like."""

    def path(self, id: str) -> Path:
        """The file of a session. Raises ``LabError`` for an id that cannot be one."""
        if not SESSION_ID.fullmatch(id):
            raise LabError("there is no such session")
        return self.folder / f"{id}{SUFFIX}"

    def new_id(self) -> str:
        return secrets.token_hex(16)

    def open(self, ticket: str, *, seed: int | None, role: str | None, generation: str | None, language: str) -> str:
        """Open a ticket; returns the session's id. Raises ``WsyncsimError``."""
        id = self.new_id()
        chosen = seed if seed is not None else secrets.randbelow(HIGHEST_CHANCE_SEED)
        path = self.path(id)
        session = lab.open_ticket(ticket, seed=chosen, path=path, role=role, generation=generation, language=language)
        self._keep(id, Desk(session, id, self.counsel))
        return id

    def fork(self, desk: Desk, at: int) -> str:
        """A session that is like this one was before action ``at`` + 1; returns its id. Raises ``WsyncsimError``."""
        id = self.new_id()
        self._keep(id, Desk(desk.session.fork(at, self.path(id)), id, self.counsel))
        return id

    @contextmanager
    def desk(self, id: str, language: str, *, spoken: str | None = None, at_once: bool = False) -> Iterator[Desk]:
        """A session, for as long as the block lasts nobody else's. Raises ``WsyncsimError`` when it cannot be opened.

        ``spoken``: the language in which it is played again, when that is another one. Raises ``Coming`` while it is being played
        again elsewhere, unless it is needed ``at_once``.
        """
        path = self.path(id)
        desk = self._found(id) or self._resumed(id, spoken or language, at_once=at_once)
        with desk.lock:
            if not path.is_file():
                raise LabError("there is no such session")
            if path.stat().st_size != desk.known[1]:  # another program has gone on with it
                desk.session, desk.debriefs, desk.said = self._resume(id, spoken or language, at_once=at_once), {}, ""
                desk.asked = {}
                desk.known = len(desk.session.actions_done), path.stat().st_size
            desk.session.language = language
            try:
                yield desk
            finally:
                desk.put_down(path)

    def is_open(self, id: str) -> bool:
        """Whether a session is in memory, and need not be played again."""
        return id in self._desks

    def _found(self, id: str) -> Desk | None:
        with self._lock:
            desk = self._desks.get(id)
            if desk is not None:
                self._desks.move_to_end(id)
            return desk

    def _resumed(self, id: str, language: str, *, at_once: bool) -> Desk:
        path = self.path(id)
        if not path.is_file():
            raise LabError("there is no such session")
        with self._lock:
            opening = self._opening.setdefault(id, Lock())
        try:
            with opening:
                desk = self._found(id)
                if desk is None:
                    desk = Desk(self._resume(id, language, at_once=at_once), id, self.counsel)
                    self._keep(id, desk)
                return desk
        finally:
            with self._lock:
                self._opening.pop(id, None)

    def _resume(self, id: str, language: str, *, at_once: bool) -> LabSession:
        """The session of a file, played again; what other worlds told meanwhile is computed elsewhere, if anybody is there.

        Raises ``Coming`` as long as that takes; ``at_once`` it is then computed here.
        """
        from wsyncsim.lab.answers import about_diary
        from wsyncsim.lab.diary import Diary
        from wsyncsim.lab.session import LabSession

        diary, seat = Diary.read(self.path(id)), self._place(id)
        question = about_diary(diary, id, language, seat) if self.counsel is not None else None
        told = self._told(question, at_once=at_once) if question is not None else None
        with self._playing if question is not None and told is None else nullcontext():
            return LabSession.replayed(diary, language=language, told=told, seat=seat)

    def _told(self, question: Question, *, at_once: bool) -> Mapping[int, Told] | None:
        """What was told to the actions of a session; ``None`` when whoever plays it must find out."""
        assert self.counsel is not None
        name = question.key, question.language, len(question.actions)
        with self._lock:
            asked = self._telling.get(name)
            if asked is None:
                asked = self._telling[name] = self.counsel.ask(question)
        done = wait([asked], PATIENCE_S).done
        if not done and not at_once:
            raise Coming
        with self._lock:
            self._telling = {other: each for other, each in self._telling.items() if other[0] != question.key}
        if not done:
            return None
        try:
            return asked.result().told
        except Exception:  # playing it here says so as well, and where
            return None

    def _place(self, id: str) -> Seat | None:
        """Whose seat of a course a session is; sessions of one's own are nobody's."""
        return None

    def _keep(self, id: str, desk: Desk) -> None:
        desk.put_down(self.path(id))
        with self._lock:
            self._desks[id] = desk
            for other in list(self._desks):
                if len(self._desks) <= MOST_OPEN:
                    break
                if other != id and not self._desks[other].lock.locked():
                    del self._desks[other]

    def kept(self) -> list[Kept]:
        """The sessions of the folder, the last used first. Those of exams are left out: they open with their key only."""
        if not self.folder.is_dir():
            return []
        paths = [path for path in self.folder.glob(f"*{SUFFIX}") if SESSION_ID.fullmatch(path.stem) and path.is_file()]
        paths.sort(key=lambda path: (-path.stat().st_mtime_ns, path.name))
        known = {ticket.id: ticket for ticket in lab.tickets()}
        found = (_kept(path, known) for path in paths[:MOST_LISTED])
        return [each for each in found if each is not None]


def _kept(path: Path, known: dict[str, Ticket]) -> Kept | None:
    from wsyncsim.lab.diary import Diary

    try:
        diary = Diary.read(path)
    except WsyncsimError:
        return None
    header: dict[str, Any] = diary.header
    ticket, seed = known.get(str(header.get("ticket"))), header.get("seed")
    if ticket is None or type(seed) is not int:
        return None
    version = str(header.get("version"))
    return Kept(
        id=path.stem,
        ticket=ticket,
        seed=seed,
        actions=len(diary.actions),
        closed=any(action["do"] == "close" for action in diary.actions),
        other_version="" if version == __version__ else version,
    )
