"""What arrived? Compares what a shipper collected with the truth file of a live environment.

A record is found again by its text. Records of several lines may arrive as one event or line by line; blank lines, carriage
returns and a byte-order mark at the beginning of a line do not count. Of each record the check finds:

delivered
    it arrived whole.
lost
    nothing of it arrived.
broken
    only a part of it arrived, or a line arrived that is a torn or garbled part of it, or in which it has grown together with
    another record. Such a record may have been delivered as well.
duplicated
    it arrived more than once; every further time counts.
reordered
    it arrived after a record of the same file that was written later. Counted is how many records would have to be moved.

Lines that have nothing to do with any record are ``foreign``; they are reported, and are no damage.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import msgspec

from simulator.errors import WsyncsimError

SCHEMA = "wsyncsim-live-check/1"
KINDS: Final = ("lost", "duplicated", "broken", "reordered")
_OPEN: Final = 64
"""Records of several lines that may be under way at once, from as many files."""
_ANCHOR: Final = 12
"""Characters that a damaged line has to have in common with a record."""
_COMPARISONS: Final = 4_000_000
"""How long whole records are looked for in the middle of damaged lines."""
EXAMPLES: Final = 5


class CheckError(WsyncsimError):
    """What is to be compared cannot be read."""


@dataclass(slots=True, eq=False)
class Record:
    """A record that was written."""

    file: str
    number: int
    """Its place in the file, through all rotations."""
    lines: tuple[str, ...]
    """Its lines without blank ones."""
    arrived: int = 0
    broken: bool = False


@dataclass(slots=True)
class Tally:
    """What became of the records of one file, or of all."""

    written: int = 0
    delivered: int = 0
    lost: int = 0
    duplicated: int = 0
    broken: int = 0
    reordered: int = 0


@dataclass(slots=True)
class Report:
    """The result of a check."""

    files: dict[str, Tally]
    total: Tally
    collected_lines: int = 0
    foreign_lines: int = 0
    damaged_lines: int = 0
    examples: dict[str, list[str]] = field(default_factory=dict)
    """A few records of each kind of damage, and foreign lines."""

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""

        def values(tally: Tally) -> dict[str, int]:
            return {name: getattr(tally, name) for name in Tally.__slots__}

        return {
            "schema": SCHEMA,
            "total": values(self.total),
            "files": {file: values(tally) for file, tally in self.files.items()},
            "collected_lines": self.collected_lines,
            "damaged_lines": self.damaged_lines,
            "foreign_lines": self.foreign_lines,
            "examples": self.examples,
        }


# --- reading


class _Note(msgspec.Struct):
    """What is read of a line of the truth."""

    kind: str
    schema: str = ""
    file: str = ""
    text: str = ""


def read_truth(path: Path, only: tuple[str, ...] = ()) -> tuple[list[Record], list[Record], set[str]]:
    """Records to expect, records of other files, and lines that are no records. ``only``: patterns of file names.

    A pattern is compared with the whole path (``logs/...``) and with the name. The last line may be unfinished.
    """
    expected: list[Record] = []
    others: list[Record] = []
    headers: set[str] = set()
    numbers: Counter[str] = Counter()
    decode = msgspec.json.Decoder(_Note).decode
    hint = "`wsyncsim live` writes it; see --truth"
    ours = False
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break
                note = decode(line)
                if number == 1:
                    ours = note.kind == "start" and note.schema.startswith("wsyncsim-live/")
                if note.kind == "header":
                    headers.update(_lines(note.text))
                elif note.kind == "record":
                    numbers[note.file] += 1
                    record = Record(note.file, numbers[note.file], _lines(note.text))
                    (expected if _wanted(note.file, only) else others).append(record)
    except OSError as error:
        raise CheckError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except msgspec.DecodeError:
        raise CheckError(f"line {number} is not of a live environment's truth", where=str(path), hint=hint) from None
    if not ours:
        raise CheckError("it is not the truth of a live environment", where=str(path), hint=hint)
    return expected, others, headers


def _wanted(file: str, only: tuple[str, ...]) -> bool:
    name = file.rsplit("/", 1)[-1]
    return not only or any(fnmatchcase(file, pattern) or fnmatchcase(name, pattern) for pattern in only)


def _lines(text: str) -> tuple[str, ...]:
    """The lines of a text as they are compared; only CR and LF end lines."""
    parts = (part.strip("\r").removeprefix("\ufeff") for part in text.split("\n"))
    return tuple(part for part in parts if part.strip())


def read_collected(path: Path, json_field: str | None = None, encoding: str = "utf-8") -> Iterator[str]:
    """Lines that were collected, file by file in order of their names; with ``json_field`` out of that field of JSON lines.

    ``a.b`` is the field ``b`` of the object ``a``, unless there is a field of that very name.
    """
    if not path.exists():
        raise CheckError("there is no such file or folder", where=str(path))
    files = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
    for file in files:
        try:
            data = file.read_bytes()
        except OSError as error:
            raise CheckError(f"cannot be read: {error.strerror}", where=str(file)) from None
        for number, raw in enumerate(data.split(b"\n"), 1):
            text = _text(raw, encoding)
            if json_field is not None and text.strip():
                text = _field(text, json_field, f"{file}, line {number}")
            yield from _lines(text)


def lines_of(texts: Iterable[str]) -> Iterator[str]:
    """The lines of texts that were collected otherwise, as they are compared."""
    for text in texts:
        yield from _lines(text)


def _text(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _field(text: str, name: str, where: str) -> str:
    try:
        value = json.loads(text)
        if isinstance(value, dict) and name not in value:
            for part in name.split("."):
                value = value[part]
        else:
            value = value[name]
    except (ValueError, TypeError, KeyError):
        hint = "Without --field the lines are taken as they are"
        raise CheckError(f"no JSON object with a field {name!r}", where=where, hint=hint) from None
    if not isinstance(value, str):
        raise CheckError(f"the field {name!r} holds no text", where=where)
    return value


# --- comparing


@dataclass(slots=True, eq=False)
class _Arriving:
    """A record of which some lines have arrived; candidates are those that begin with these lines."""

    candidates: list[Record]
    lines: int = 1


class _Matcher:
    """Finds the record of every line."""

    def __init__(self, records: Iterable[Record], headers: set[str]) -> None:
        self._headers = headers
        self._by_first: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            if record.lines:
                self._by_first[record.lines[0]].append(record)
        self._open: list[_Arriving] = []
        self.order: dict[str, list[int]] = defaultdict(list)
        """Numbers of the records of each file, in order of their (first) arrival."""
        self.duplicates: Counter[str] = Counter()
        self.duplicated: list[Record] = []
        self.unknown: list[str] = []

    def take(self, line: str) -> None:
        """The next line that was collected."""
        if self._continues(line):
            return
        candidates = self._by_first.get(line)
        if candidates is None:
            if line not in self._headers:
                self.unknown.append(line)
            return
        arriving = _Arriving(candidates)
        if not self._close_if_whole(arriving):
            self._open.append(arriving)
            if len(self._open) > _OPEN:
                self._give_up(self._open.pop(0))

    def finish(self) -> None:
        """No more lines come."""
        for arriving in self._open:
            self._give_up(arriving)
        self._open.clear()

    def _continues(self, line: str) -> bool:
        """Whether the line is the next one of a record that is under way."""
        for arriving in reversed(self._open):
            at = arriving.lines
            fitting = [record for record in arriving.candidates if len(record.lines) > at and record.lines[at] == line]
            if fitting:
                arriving.candidates = fitting
                arriving.lines += 1
                if self._close_if_whole(arriving):
                    self._open.remove(arriving)
                return True
        return False

    def _close_if_whole(self, arriving: _Arriving) -> bool:
        if any(len(record.lines) > arriving.lines for record in arriving.candidates):
            return False
        self._arrive(arriving.candidates)
        return True

    def _give_up(self, arriving: _Arriving) -> None:
        """Nothing more of it comes."""
        whole = [record for record in arriving.candidates if len(record.lines) == arriving.lines]
        if whole:
            self._arrive(whole)
            return
        missing = [record for record in arriving.candidates if not record.arrived]
        if missing:
            missing[0].broken = True

    def _arrive(self, candidates: list[Record]) -> None:
        record = next((record for record in candidates if not record.arrived), candidates[0])
        record.arrived += 1
        if record.arrived == 1:
            self.order[record.file].append(record.number)
        else:
            self.duplicates[record.file] += 1
            self.duplicated.append(record)


def check(expected: list[Record], others: list[Record], headers: set[str], collected: Iterable[str]) -> Report:
    """Compare what was collected with what was written."""
    matcher = _Matcher([*expected, *others], headers)
    count = 0
    for line in collected:
        count += 1
        matcher.take(line)
    matcher.finish()
    damaged, foreign = _explain(matcher.unknown, expected, others)
    report = Report({}, Tally(), count, len(foreign), damaged)
    examples: dict[str, list[str]] = {kind: [] for kind in (*KINDS, "foreign")}
    examples["duplicated"] = [_name(record) for record in matcher.duplicated[:EXAMPLES]]
    examples["foreign"] = [line[:200] for line in foreign[:EXAMPLES]]
    for record in expected:
        tally = report.files.setdefault(record.file, Tally())
        tally.written += 1
        tally.delivered += record.arrived > 0
        for kind, so in (("broken", record.broken), ("lost", not record.arrived and not record.broken)):
            if so:
                setattr(tally, kind, getattr(tally, kind) + 1)
                if len(examples[kind]) < EXAMPLES:
                    examples[kind].append(_name(record))
    for file, tally in report.files.items():
        tally.duplicated = matcher.duplicates[file]
        moved = _moved(matcher.order[file])
        tally.reordered = len(moved)
        examples["reordered"].extend(f"{file}, record {number}" for number in moved[: EXAMPLES - len(examples["reordered"])])
    for name in Tally.__slots__:
        setattr(report.total, name, sum(getattr(tally, name) for tally in report.files.values()))
    report.files = dict(sorted(report.files.items()))
    report.examples = {kind: found for kind, found in examples.items() if found}
    return report


def _name(record: Record) -> str:
    return f"{record.file}, record {record.number}: {record.lines[0][:200] if record.lines else ''}"


def _moved(numbers: list[int]) -> list[int]:
    """The fewest numbers without which the rest ascends."""
    ends: list[int] = []
    end_places: list[int] = []
    before: list[int] = []
    for place, number in enumerate(numbers):
        length = bisect_left(ends, number)
        before.append(end_places[length - 1] if length else -1)
        if length == len(ends):
            ends.append(number)
            end_places.append(place)
        else:
            ends[length], end_places[length] = number, place
    stay = set()
    place = end_places[-1] if end_places else -1
    while place >= 0:
        stay.add(place)
        place = before[place]
    return [number for place, number in enumerate(numbers) if place not in stay]


# --- damaged lines


class _Parts:
    """Finds the records that a text begins, ends or but for some characters reads like."""

    def __init__(self, records: Iterable[Record]) -> None:
        lines = [(line, record) for record in records for line in record.lines if len(line) >= _ANCHOR]
        self._begins = sorted(lines, key=_first)
        self._ends = sorted(((line[::-1], record) for line, record in lines), key=_first)
        self._skeletons = {_skeleton(line): record for line, record in lines}

    def related(self, text: str) -> list[Record]:
        """Records of which a line is a torn part, or that have grown together in it, or that it garbles."""
        garbled = self._skeletons.get(_skeleton(text))
        if garbled is not None:
            return [garbled]
        begin, line, first = _nearest(self._begins, text)
        end, line_reversed, last = _nearest(self._ends, text[::-1])
        if begin == len(text) and first is not None and begin >= min(_ANCHOR, len(line) // 2):
            return [first]
        if end == len(text) and last is not None and end >= min(_ANCHOR, len(line_reversed) // 2):
            return [last]
        covered = begin >= _ANCHOR and end >= _ANCHOR and begin + end >= len(text)
        found = []
        if first is not None and (covered or begin == len(line)):
            found.append(first)
        if last is not None and last is not first and (covered or end == len(line_reversed)):
            found.append(last)
        return found


def _first(pair: tuple[str, Record]) -> str:
    return pair[0]


def _skeleton(text: str) -> str:
    """What survives wrong encodings, control characters and blanks that are lost."""
    return "".join(character for character in text if "!" <= character <= "~" and character != "?")


def _nearest(lines: list[tuple[str, Record]], text: str) -> tuple[int, str, Record | None]:
    """The line that begins most like ``text``, and how many characters they share. ``lines`` are sorted."""
    place = bisect_left(lines, text, key=_first)
    best: tuple[int, str, Record | None] = (0, "", None)
    for line, record in lines[max(place - 1, 0) : place + 1]:
        shared = _shared(line, text)
        if shared > best[0]:
            best = (shared, line, record)
    return best


def _shared(first: str, second: str) -> int:
    """How many characters two texts begin with alike."""
    pairs = zip(first, second, strict=False)
    return next((number for number, (one, other) in enumerate(pairs) if one != other), min(len(first), len(second)))


def _explain(unknown: list[str], expected: list[Record], others: list[Record]) -> tuple[int, list[str]]:
    """Tell damaged lines from foreign ones, and mark the records whose parts they are: rather those that are missing."""
    if not unknown:
        return 0, []
    missing = [record for record in expected if not record.arrived]
    texts = [(line, record) for record in missing for line in record.lines if len(line) >= _ANCHOR]
    indexes = (_Parts(missing), _Parts(expected), _Parts(others))
    foreign = []
    budget = _COMPARISONS
    for text in unknown:
        budget -= len(texts)
        related = [record for line, record in texts if line in text] if budget > 0 else []
        for index in indexes:
            related = related or index.related(text)
        for record in related:
            record.broken = True
        if not related:
            foreign.append(text)
    return len(unknown) - len(foreign), foreign
