"""What a console shows, as a property sheet: lines of a look in columns, so that they read like the console and not like a log."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

LONGEST_NAME = 100
LEAST_LISTS = 3
_POWERSHELL = re.compile(r"(\S.*?)\s+: ?(.*)")
_ASSIGNED = re.compile(r"(\w[\w .\\-]*) = (.*)")
_PAIR = re.compile(r"([^:]{2,48}?): (.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of a sheet."""

    cells: tuple[str, ...]
    depth: int = 0
    """How far it is indented: it belongs to the one above that is less so."""
    named: bool = False
    """The first cell names the row."""
    heading: bool = False
    """It names what the rows below it belong to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table: its columns have titles when every row has the same properties."""

    lines: tuple[Line, ...]
    titles: tuple[str, ...] = field(default=())

    @property
    def width(self) -> int:
        return max((len(line.cells) for line in self.lines), default=1)


def sheet(lines: Sequence[str]) -> Sheet:
    """The sheet of a look's lines."""
    return _with_titles(lines) or _of_lists(lines) or Sheet(lines=tuple(each for line in lines for each in _lines(line)))


def _with_titles(lines: Sequence[str]) -> Sheet | None:
    """Lines that all say the same of different things (``name: this: a; that: b``): a row each, a column for each property."""
    found = [_properties(line) for line in lines]
    rows = [each for each in found if each is not None]
    if len(rows) < 2 or len(rows) < len(found):
        return None
    titles = rows[0][1]
    if any(row[1] != titles for row in rows):
        return None
    return Sheet(lines=tuple(Line(cells=(name, *values), named=True) for name, _, values in rows), titles=("", *titles))


def _properties(line: str) -> tuple[str, tuple[str, ...], tuple[str, ...]] | None:
    name, colon, rest = line.partition(": ")
    pairs = [_PAIR.fullmatch(part) for part in rest.split("; ")]
    if not colon or line.startswith(" ") or len(pairs) < 2 or None in pairs:
        return None
    known = [pair for pair in pairs if pair]
    return name, tuple(pair[1] for pair in known), tuple(pair[2] for pair in known)


def _of_lists(lines: Sequence[str]) -> Sheet | None:
    """Lines that all say a list as long of different things (``name: a, b``), such as services: a column for each."""
    found = [line.rpartition(": ") if line.count(": ") > 1 else line.partition(": ") for line in lines]
    values = [tuple(value.split(", ")) for _, _, value in found]
    if len(lines) < LEAST_LISTS or any(len(each) != 2 for each in values) or any(line.startswith(" ") for line in lines):
        return None
    return Sheet(lines=tuple(Line(cells=(name, *each), named=True) for (name, _, _), each in zip(found, values, strict=True)))


def _lines(line: str) -> list[Line]:
    properties = _properties(line)
    if properties is None:
        return [_line(line)]
    name, titles, values = properties
    pairs = zip(titles, values, strict=True)
    return [Line(cells=(name,), heading=True), *(Line(cells=pair, depth=1, named=True) for pair in pairs)]


def _line(line: str) -> Line:
    text = line.strip()
    depth = min(2, (len(line) - len(line.lstrip(" "))) // 2)
    for form in (_POWERSHELL, _ASSIGNED):
        match = form.fullmatch(text)
        if match and ("  " in match[0] or form is _ASSIGNED):
            return Line(cells=(match[1], match[2]), depth=depth, named=True)
    columns = tuple(part.strip() for part in text.split("  ") if part)
    if len(columns) > 2:
        return Line(cells=columns, depth=depth)
    name, colon, value = text.partition(": ")
    if colon and len(name) <= LONGEST_NAME and value:
        return Line(cells=(name, value), depth=depth, named=True)
    return Line(cells=(text.removesuffix(":"),), depth=depth, heading=text.endswith(":"))
