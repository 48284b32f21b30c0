"""A course on the shelf: each seat is a session file, the same as from the terminal; and who is where, for how long."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from simulator.errors import WsyncsimError
from wsyncsim.lab import course as courses
from wsyncsim.lab.board import Seated, seated, session_file
from wsyncsim.lab.data import LabError
from wsyncsim.lab.diary import Diary, is_begun
from wsyncsim.lab_web.shelf import Desk, Shelf

if TYPE_CHECKING:
    from wsyncsim.lab.course import Course, Seat


@dataclass(frozen=True, slots=True)
class Row:
    """A seat on the board."""

    id: str
    seated: Seated
    stuck_min: int
    """Minutes of the real clock since something new was done; 0 for who has not begun or has closed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has come of a closed ticket."""

    stamp: tuple[int, int]
    """Of the file that it was read off."""
    row: dict[str, Any]
    statement: dict[str, Any]
    """The same for xAPI."""


@dataclass(frozen=True, slots=True)
class _Watched:
    stamp: tuple[int, int]
    seated: Seated
    since_s: float


class Classroom(Shelf):
    """The sessions of a course. Its file is read again when it has changed: so results are released, and time is given."""

    def __init__(self, file: Path, key: bytes, folder: Path) -> None:
        super().__init__(folder)
        self.file = file
        self.key = key
        self.trouble: WsyncsimError | None = None
        """Why the course file as it is now is not heeded."""
        self._stamp = _stamp(file)
        self._course = courses.load(file)
        self._codes: dict[str, str] = {}
        self._seats: dict[str, tuple[str, str]] = {}
        self._reading = Lock()
        self._beginning = Lock()
        self._watched: dict[str, _Watched] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._misfits: frozenset[str] = frozenset()
        """Seats whose session was begun with another attempt than the course has."""
        self._prepare()
        self._adopt(self._course)

    def _prepare(self) -> None:
        course = self._course
        self._codes = {trainee: courses.entry_code(self.key, course.id, trainee) for trainee in course.participants}
        self._seats = {f"{slot.id}.{trainee}": (slot.id, trainee) for trainee in course.participants for slot in course.slots}

    @property
    def course(self) -> Course:
        """The course as its file says."""
        self._heed()
        return self._course

    def _heed(self) -> None:
        with self._reading:
            stamp = _stamp(self.file)
            if stamp != self._stamp:
                self._stamp, self.trouble = stamp, None
                try:
                    read = courses.load(self.file)
                    if read.id != self._course.id:
                        raise LabError(f"it is another course now: {read.id}", where=str(self.file))
                    self._adopt(read)
                except WsyncsimError as error:
                    self.trouble = error

    def _adopt(self, read: Course) -> None:
        """Go on with this course. Raises ``LabError`` when sessions do not fit it that have fitted so far."""
        misfits = {id for id in self._begun_in(read) if not self._fits(read, id)}
        if misfits:
            self.trouble = _changed_under(misfits, self.file)
        if misfits - self._misfits and read is not self._course:
            raise _changed_under(misfits - self._misfits, self.file)
        self._course, self._misfits = read, frozenset(misfits)
        self._prepare()

    def _begun_in(self, course: Course) -> dict[str, tuple[str, str]]:
        """The seats of a course at which somebody has sat down."""
        seats = {f"{slot.id}.{trainee}": (slot.id, trainee) for slot in course.slots for trainee in course.participants}
        return {id: seat for id, seat in seats.items() if is_begun(session_file(self.folder, *seat))}

    def _fits(self, course: Course, id: str) -> bool:
        """Whether a begun session can go on with a course: it has the attempt of its file, and what was served so far."""
        slot, trainee = id.split(".")
        place = courses.seat(course, self.key, slot, trainee)
        try:
            header = Diary.read(session_file(self.folder, slot, trainee)).header
        except WsyncsimError:
            return True  # it is damaged, whatever the course says
        if any(header.get(name) != value for name, value in place.header().items()):
            return False
        if id not in self._seats or id in self._misfits:
            return True
        before = courses.seat(self._course, self.key, slot, trainee)
        return (before.ticket, before.role, before.generation) == (place.ticket, place.role, place.generation)

    def codes(self) -> Mapping[str, str]:
        """Each trainee's entry code."""
        self._heed()
        return self._codes

    def seats_of(self, trainee: str) -> list[str]:
        """The ids of somebody's seats, in the course's order."""
        return [f"{slot.id}.{trainee}" for slot in self.course.slots]

    def has(self, id: str) -> bool:
        """Whether there is such a seat."""
        self._heed()
        return id in self._seats

    def place(self, id: str) -> Seat:
        """A seat as the course has it now. Raises ``LabError``."""
        if not self.has(id):
            raise LabError("there is no such session")
        slot, trainee = self._seats[id]
        return courses.seat(self.course, self.key, slot, trainee)

    # --- sessions

    def path(self, id: str) -> Path:
        """The file of a seat's session. Raises ``LabError`` for what is no seat."""
        place = self.place(id)
        return session_file(self.folder, place.slot, place.trainee)

    def spoken(self, id: str, language: str) -> str:
        """The language of a seat's trainee, where the course says so; else that one."""
        return self.course.settings_of(self.place(id).trainee).language or language

    def _place(self, id: str) -> Seat:
        return self.place(id)

    @contextmanager
    def desk(self, id: str, language: str, *, spoken: str | None = None, at_once: bool = False) -> Iterator[Desk]:
        place = self.place(id)
        if not is_begun(self.path(id)):
            raise LabError("there is no such session")
        with super().desk(id, language, spoken=spoken, at_once=at_once) as desk:
            desk.session.seat = place
            yield desk

    def begin(self, id: str, language: str) -> None:
        """Sit down: a new session, unless there is one. Raises ``WsyncsimError``."""
        with self._beginning:
            path, place = self.path(id), self.place(id)
            if not is_begun(path):
                session = courses.open_seat(self.course, self.key, place.slot, place.trainee, path, language=language)
                self._keep(id, Desk(session, id, self.counsel))
                return
        with self.desk(id, language):  # what cannot go on says so here
            pass

    def results(self) -> list[Outcome]:
        """What has come of each closed ticket. Each is played again once, beside the sessions that are worked on."""
        course = self.course
        ids = [f"{slot.id}.{trainee}" for slot in course.slots for trainee in course.participants]
        return [self._outcome(id) for id in ids if self.row(id).seated.state == "closed"]

    def _outcome(self, id: str) -> Outcome:
        stamp = _stamp(self.path(id))
        known = self._outcomes.get(id)
        if known is None or known.stamp != stamp:
            session = courses.open_seat(self.course, self.key, *self._seats[id], self.path(id), language=self.spoken(id, "en"))
            known = self._outcomes[id] = Outcome(stamp, courses.row(session), courses.statement(session))
        return known

    # --- the board

    def rows(self) -> list[Row]:
        """All seats, by participant and slot."""
        return [self.row(id) for trainee in self.course.participants for id in self.seats_of(trainee)]

    def row(self, id: str) -> Row:
        """A seat on the board. What has not changed since it was asked for last is not read again."""
        slot, trainee = self._seats[id]
        stamp = _stamp(session_file(self.folder, slot, trainee))
        before = self._watched.get(id)
        if before is None or before.stamp != stamp:
            now = seated(self.folder, slot, trainee)
            since_s = stamp[0] / 1e9
            if before is not None and now.idle and before.seated.actions - before.seated.idle == now.actions - now.idle:
                since_s = before.since_s
            before = self._watched[id] = _Watched(stamp, now, since_s)
        works = before.seated.state not in ("not begun", "closed", "damaged")
        return Row(id, before.seated, max(0, int((time.time() - before.since_s) / 60)) if works else 0)


def _changed_under(ids: set[str], file: Path) -> LabError:
    return LabError(
        f"attempt, ticket, role or generation was changed of sessions that are begun: {', '.join(sorted(ids))}",
        where=str(file),
        hint="Set them back, or use another folder for its sessions",
    )


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)
