"""Courses and exams: who sits where, with which seed; results as CSV, JSON lines and xAPI; bundles that can be checked.

An exam's sessions name slot and trainee, never a ticket: which ticket a slot is stands in the instructor's course file, and
everybody's seed follows from the instructor's key.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
import os
import re
import secrets
import tomllib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from scenarios.mistakes import did_you_mean
from wsyncsim.lab import ticket as tickets
from wsyncsim.lab.data import LabError
from wsyncsim.lab.diary import Diary, is_begun

if TYPE_CHECKING:
    from wsyncsim.lab.score import Result
    from wsyncsim.lab.session import LabSession

BUNDLE = "wsyncsim-lab-bundle/1"
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""What entry codes are made of: nothing that could be read as something else."""
_MISREAD = str.maketrans("OIL", "011", " -\t\r\n")
ENTRY_SIGNS = 12
"""60 bits: nobody guesses one."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would calculate."""
KEY_BYTES = 32
COLUMNS = (
    "course",
    "slot",
    "trainee",
    "total",
    "band",
    "correctness",
    "safety",
    "evidence",
    "verified",
    "efficiency",
    "solved",
    "critical",
    "hint_price",
    "left",
    "looks_min",
    "best_min",
    "spent_min",
    "confidence",
)
VERBS = {
    "passed": "http://adlnet.gov/expapi/verbs/passed",
    "failed": "http://adlnet.gov/expapi/verbs/failed",
}
PASS_FROM = 50


class Slot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place in a course: which ticket is worked on there."""

    id: str
    ticket: str
    role: str | None = None
    generation: str | None = None


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is different for one participant."""

    language: Literal["en", "de"] | None = None
    """Of the pages, until she chooses another one."""
    hints: bool | None = None
    role: str | None = None
    extra_min: int = 0
    """Simulated minutes beyond the course's limit."""


class Course(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A course or an exam, as its TOML file has it."""

    id: str
    title: str
    slots: list[Slot]
    participants: list[str]
    """Pseudonymous codes. Who they are is written down elsewhere."""
    exam: bool = True
    """False: debriefs are seen as soon as a ticket is closed."""
    hints: bool = False
    released: bool = False
    """Trainees may see the debrief."""
    attempt: int = 1
    limit_min: int | None = None
    """Simulated minutes for each ticket; none: as long as it takes."""
    settings: dict[str, Settings] = {}
    """By participant: language, hints, role and extra time, where they are not the course's."""

    def settings_of(self, trainee: str) -> Settings:
        """What is different for a participant."""
        return self.settings.get(trainee, Settings())


@dataclass(frozen=True, slots=True)
class Seat:
    """One participant at one slot: what a session of an exam needs to be opened."""

    course: str
    slot: str
    trainee: str
    attempt: int
    ticket: str
    seed: int
    role: str | None
    generation: str | None
    hints: bool
    released: bool
    limit_min: int | None = None
    """Simulated minutes that the ticket may take."""

    def header(self) -> dict[str, Any]:
        """What the session's file says of it. It does not name the ticket."""
        return {"exam": self.course, "slot": self.slot, "trainee": self.trainee, "attempt": self.attempt}


def load(path: Path) -> Course:
    """Read a course file; raises ``LabError``."""
    try:
        course = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Course)
    except OSError as error:
        raise LabError(f"it cannot be read: {error.strerror}", where=str(path)) from None
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise LabError(f"it is no course: {error}", where=str(path)) from None
    for name in (course.id, *(slot.id for slot in course.slots), *course.participants):
        if not _CODE.fullmatch(name):
            raise LabError(f"{name!r} is not a code", where=str(path), hint="Up to 32 letters, digits, - and _")
    for what, names in (("slot", [slot.id for slot in course.slots]), ("participant", course.participants)):
        if len(set(names)) < len(names):
            raise LabError(f"a {what} is there twice", where=str(path))
    for trainee, settings in course.settings.items():
        if trainee not in course.participants:
            hint = did_you_mean(trainee, course.participants, "")
            raise LabError(f"there are settings for {trainee!r}, who is no participant", where=str(path), hint=hint)
        if settings.extra_min < 0:
            raise LabError(f"extra_min of {trainee} is below 0", where=str(path))
    if course.limit_min is not None and course.limit_min < 1:
        raise LabError("limit_min is below 1", where=str(path))
    for slot in course.slots:
        for role in dict.fromkeys([slot.role, *(each.role for each in course.settings.values() if each.role is not None)]):
            tickets.variant(slot.ticket, 0, role=role, generation=slot.generation)
    return course


def new_key(path: Path) -> bytes:
    """Make the instructor's key; raises ``LabError`` when the file exists."""
    key = secrets.token_hex(KEY_BYTES)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"{key}\n")
    except FileExistsError:
        raise LabError("there is a key already", where=str(path), hint="Whoever replaces it can check no earlier result") from None
    except OSError as error:
        raise LabError(f"it cannot be written: {error.strerror}", where=str(path)) from None
    return bytes.fromhex(key)


def read_key(path: Path) -> bytes:
    """The instructor's key; raises ``LabError``."""
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except OSError as error:
        raise LabError(f"it cannot be read: {error.strerror}", where=str(path)) from None
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise LabError("it is no key of an instructor", where=str(path))
    return key


def seed_of(key: bytes, course: str, slot: str, trainee: str, attempt: int) -> int:
    """A participant's seed: nobody can tell it without the key."""
    said = "\x1f".join((course, slot, trainee, str(attempt))).encode()
    return int.from_bytes(hashlib.blake2b(said, key=key, digest_size=8).digest(), "big") % tickets.HIGHEST_SEED


def seat(course: Course, key: bytes, slot: str, trainee: str) -> Seat:
    """A participant's seat; raises ``LabError``."""
    found = next((each for each in course.slots if each.id == slot), None)
    if found is None or trainee not in course.participants:
        raise LabError(f"course {course.id} has no slot {slot!r} for {trainee!r}")
    own = course.settings_of(trainee)
    return Seat(
        course=course.id,
        slot=slot,
        trainee=trainee,
        attempt=course.attempt,
        ticket=found.ticket,
        seed=seed_of(key, course.id, slot, trainee, course.attempt),
        role=own.role or found.role,
        generation=found.generation,
        hints=course.hints if own.hints is None else own.hints,
        released=course.released or not course.exam,
        limit_min=course.limit_min + own.extra_min if course.limit_min is not None else None,
    )


def entry_code(key: bytes, course: str, trainee: str) -> str:
    """What a participant enters in the browser, ``7KQF-M3XD-92HV``: nobody can tell it without the key."""
    said = "\x1f".join(("entry", course, trainee)).encode()
    number = int.from_bytes(hashlib.blake2b(said, key=key, digest_size=8).digest(), "big")
    signs = "".join(_SIGNS[number >> 5 * place & 31] for place in range(ENTRY_SIGNS))
    return "-".join(signs[at : at + 4] for at in range(0, ENTRY_SIGNS, 4))


def plain_code(entered: str) -> str:
    """An entry code as it was meant: small letters, blanks, missing hyphens, and O, I and L do not matter."""
    return entered.upper().translate(_MISREAD)


def open_seat(course: Course, key: bytes, slot: str, trainee: str, path: Path, *, language: str = "en") -> LabSession:
    """Open a participant's session, or go on with it."""
    from wsyncsim.lab.session import LabSession

    place = seat(course, key, slot, trainee)
    if is_begun(path):
        return LabSession.resume(path, language=language, seat=place)
    return LabSession.open(
        place.ticket, seed=place.seed, path=path, role=place.role, generation=place.generation, language=language, seat=place
    )


# --- results


def row(session: LabSession) -> dict[str, Any]:
    """A closed session of a course as one row of results."""
    if session.seat is None:
        raise LabError("this session belongs to no course")
    result = session.result()
    plain = {**result.as_json(), **result.parts}
    place = session.seat
    return {"course": place.course, "slot": place.slot, "trainee": place.trainee, **{name: plain[name] for name in COLUMNS[3:]}}


def to_csv(sessions: Iterable[LabSession]) -> str:
    """Results as CSV. No cell begins as a formula does."""
    return csv_of(row(session) for session in sessions)


def csv_of(rows: Iterable[dict[str, Any]]) -> str:
    """Rows of results as CSV."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for found in rows:
        writer.writerow([cell(found[name]) for name in COLUMNS])
    return out.getvalue()


def cell(value: Any) -> Any:
    """A value as a spreadsheet may have it: text that begins as a formula does gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def to_json_lines(sessions: Iterable[LabSession]) -> str:
    """Results as JSON lines."""
    return json_lines_of(row(session) for session in sessions)


def json_lines_of(rows: Iterable[dict[str, Any]]) -> str:
    """Records as JSON lines."""
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in rows)


def to_xapi(sessions: Iterable[LabSession]) -> str:
    """Results as xAPI statements, JSON lines. No clock time stands in them, but the lab's."""
    return json_lines_of(statement(session) for session in sessions)


def statement(session: LabSession) -> dict[str, Any]:
    """The xAPI 1.0.3 statement of a closed session."""
    if session.seat is None:
        raise LabError("this session belongs to no course")
    place, result = session.seat, session.result()
    passed = result.total >= PASS_FROM and not result.critical
    verb = "passed" if passed else "failed"
    name = f"{place.course}/{place.slot}/{place.trainee}/{place.attempt}"
    extension = "urn:wsyncsim:x:"
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:wsyncsim:statement:{name}:{digest(session)}")),
        "actor": {"objectType": "Agent", "account": {"homePage": f"urn:wsyncsim:course:{place.course}", "name": place.trainee}},
        "verb": {"id": VERBS[verb], "display": {"en": verb}},
        "object": {"objectType": "Activity", "id": f"urn:wsyncsim:slot:{place.course}:{place.slot}"},
        "result": {
            "score": {"scaled": result.total / 100, "raw": result.total, "min": 0, "max": 100},
            "success": passed,
            "completion": True,
            "extensions": {
                f"{extension}looks-min": result.looks_min,
                f"{extension}best-min": result.best_min,
                f"{extension}harm": sum(harm.points for harm in result.harms),
                f"{extension}left": result.left,
            },
        },
        "context": {
            "registration": str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:wsyncsim:registration:{name}")),
            "language": {"de": "de-DE", "en": "en-US"}[session.language],
        },
    }


def digest(session: LabSession) -> str:
    """SHA-256 of everything that a session is: header and actions."""
    return hashlib.sha256(_canonical([session.header, *session.actions_done])).hexdigest()


# --- bundles


def bundle(session: LabSession, key: bytes) -> str:
    """A closed session with its result, signed with the instructor's key."""
    content: dict[str, Any] = {
        "schema": BUNDLE,
        "header": session.header,
        "actions": session.actions_done,
        "result": _result(session.result()),
    }
    if session.seat is not None:
        place = session.seat
        content["settings"] = {"role": session.role, "hints": place.hints, "limit_min": place.limit_min}
    return json.dumps({**content, "signature": _sign(content, key)}, ensure_ascii=False)


def verify(text: str, key: bytes, course: Course | None = None) -> Result:
    """Check a bundle: signature, and the result by playing the session again. Raises ``LabError`` for what was changed."""
    from wsyncsim.lab.session import LabSession

    try:
        content = json.loads(text)
        signature = content.pop("signature")
        header, actions = content["header"], content["actions"]
    except (ValueError, KeyError, AttributeError, TypeError):
        raise LabError("it is no bundle of a session") from None
    if not isinstance(signature, str) or not hmac.compare_digest(_sign(content, key).encode(), signature.encode()):
        raise LabError("the signature does not fit: it was changed, or signed with another key")
    diary = Diary(None, header)
    diary.actions = list(actions)
    place = None
    if "exam" in header:
        if course is None:
            raise LabError("it belongs to an exam", hint="Name its course file")
        place = seat(course, key, header["slot"], header["trainee"])
    session = LabSession.replayed(diary, seat=place)
    result = session.result()
    if _canonical(_wordless(_result(result))) != _canonical(_wordless(content["result"])):
        raise LabError("playing it again gives another result")
    return result


def _result(result: Result) -> dict[str, Any]:
    return json.loads(json.dumps(result.as_json()))  # type: ignore[no-any-return]


def _wordless(result: dict[str, Any]) -> dict[str, Any]:
    """A result without what is said in the session's language, which is no part of what is signed for."""
    kept = ("site", "local", "points", "critical")
    return {**result, "harms": [{name: harm.get(name) for name in kept} for harm in result.get("harms", [])]}


def _sign(content: Any, key: bytes) -> str:
    return hmac.new(key, _canonical(content), hashlib.sha256).hexdigest()


def _canonical(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()


def sessions_of(course: Course, key: bytes, folder: Path) -> list[LabSession]:
    """The closed sessions of a course that lie in a folder, by slot and participant; one file ``<slot>.<trainee>.jsonl`` each."""
    found: Sequence[tuple[str, str]] = [(slot.id, trainee) for slot in course.slots for trainee in course.participants]
    sessions = []
    for slot, trainee in found:
        path = folder / f"{slot}.{trainee}.jsonl"
        if is_begun(path):
            session = open_seat(course, key, slot, trainee, path, language=course.settings_of(trainee).language or "en")
            if session.closed:
                sessions.append(session)
    return sessions
