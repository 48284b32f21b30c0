"""Mistakes in a story file, told so that they can be mended: file, line, key, what was expected, what was found."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import inspect

from simulator.errors import WsyncsimError

Path = tuple[str | int, ...]
"""Where something stands in a story: ``("timeline", 2, "fault")``."""

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""\s*([\w-]+(?:\s*\.\s*[\w-]+)*)\s*=""")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_AT = re.compile(r" - at `\$(.*)`$")
_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "str": "text in quotes",
    "bool": "true or false",
    "object": "a table",
    "array": "a list",
}


CLOSE = 0.5
"""Names that look less alike than this are not suggested."""
LONGEST_NAME = 60
"""For what is longer nothing is suggested: nobody mistypes that, and comparing takes the square of its length."""


class StoryError(WsyncsimError):
    """A story that cannot be played."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that looks most like ``name`` (one with the same characters, if several do), or an empty text."""
    best, best_score = "", (CLOSE, False)
    if len(name) > LONGEST_NAME:
        return best
    for option in known:
        one, other = name.lower(), option.lower()
        score = (difflib.SequenceMatcher(None, one, other).ratio(), sorted(one) == sorted(other))
        if score > best_score:
            best, best_score = option, score
    return best


def did_you_mean(name: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """A hint: the nearest known name, then where to find all of them (their list, unless ``otherwise`` says it)."""
    names = list(known)
    close = nearest(name, names)
    parts = (f"Did you mean {close!r}?" if close else "", f"Known: {', '.join(names)}" if otherwise is None else otherwise)
    return " ".join(part for part in parts if part)


class Source:
    """A story's text, which knows on which line a key stands."""

    def __init__(self, name: str, text: str = "") -> None:
        self.name = name
        """What the user calls it: a file name."""
        self._lines = _lines(text)

    def wrong(self, path: Path, what: str, hint: str = "") -> StoryError:
        """A mistake at ``path``."""
        where = self.name
        line = self._line(path)
        if line:
            where += f", line {line}"
        if path:
            where += f", {spell(path)}"
        return StoryError(what, where=where, hint=hint)

    def _line(self, path: Path) -> int:
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return 0


def spell(path: Path) -> str:
    """A path as the user reads it: ``timeline[2].fault``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _lines(text: str) -> dict[Path, int]:
    """On which line each table and key of a TOML text stands; what is written inside ``{...}`` counts as its line."""
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    in_string = False
    for number, line in enumerate(text.splitlines(), 1):
        if not in_string and (header := _HEADER.match(line)):
            table = ()
            for part in header[2].split("."):
                table += (part.strip(" \"'"),)
                if table in counts:
                    table += (counts[table],)
            if header[1] == "[[":
                array = table if isinstance(table[-1], str) else table[:-1]
                counts[array] = counts.get(array, -1) + 1
                table = (*array, counts[array])
            lines.setdefault(table, number)
        elif not in_string and (key := _KEY.match(line)):
            path = table
            for part in key[1].split("."):
                path += (part.strip(),)
                lines.setdefault(path, number)
        if (line.count('"""') + line.count("'''")) % 2:
            in_string = not in_string
    return lines


def read_toml(text: str, name: str) -> dict[str, Any]:
    """Parse TOML; a mistake in its syntax is told with its line."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise StoryError(f"this is not TOML: {error}", where=name, hint="Texts stand in quotes, tables in [brackets]") from None


def convert(data: dict[str, Any], spec: type[Any], source: Source) -> Any:
    """``data`` as a ``spec``; what does not fit is told in our words."""
    try:
        return msgspec.convert(data, spec)
    except msgspec.ValidationError as error:
        raise _translated(str(error), data, spec, source) from None


def _translated(text: str, data: Any, spec: type[Any], source: Source) -> StoryError:
    at = _AT.search(text)
    text = _AT.sub("", text)
    path: Path = tuple(name or int(index) for name, index in _STEP.findall(at[1])) if at else ()
    if field := re.fullmatch(r"Object contains unknown field `(.*)`", text):
        return source.wrong((*path, field[1]), "there is no such key", did_you_mean(field[1], _keys(spec, path)))
    if field := re.fullmatch(r"Object missing required field `(.*)`", text):
        return source.wrong(path, f"the key {field[1]!r} is missing")
    found = _shown(_value(data, path))
    if text.startswith("Invalid enum value"):
        choices = _choices(spec, path)
        return source.wrong(path, f"expected one of {', '.join(choices)}, found {found}", did_you_mean(found, choices, ""))
    if expected := re.match(r"Expected `str` (?:matching regex '(?P<pattern>.*)'|of length <= (?P<most>\d+))$", text):
        pattern = (expected["pattern"] or "").replace("\\\\", "\\")
        wanted = f"text like {pattern}" if pattern else f"text of at most {expected['most']} characters"
        return source.wrong(path, f"expected {wanted}, found {found[:100]!r}")
    if expected := re.match(r"Expected `([^`]*)`(?: (of length )?([<>]=? \S+))?", text):
        kinds = " or ".join(_TYPES.get(kind, kind) for kind in expected[1].split(" | ") if kind != "null")
        fitting = f"{kinds} {expected[3]}" if expected[3] else kinds
        hint = f'Write it in quotes: "{found}"' if kinds == _TYPES["str"] and not found.startswith(("[", "{")) else ""
        return source.wrong(path, f"expected {fitting}, found {found}", hint)
    return source.wrong(path, text)


def _value(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _type_at(spec: type[Any], path: Path) -> list[inspect.Type]:
    """What may stand at ``path``."""
    types: list[inspect.Type] = [inspect.type_info(spec)]
    for part in path:
        below: list[inspect.Type] = []
        for kind in types:
            if isinstance(kind, inspect.StructType):
                below += [field.type for field in kind.fields if field.encode_name == part]
            elif isinstance(kind, inspect.ListType):
                below.append(kind.item_type)
        types = [alternative for kind in below for alternative in (kind.types if isinstance(kind, inspect.UnionType) else (kind,))]
    return types


def _keys(spec: type[Any], path: Path) -> list[str]:
    return [field.encode_name for kind in _type_at(spec, path) if isinstance(kind, inspect.StructType) for field in kind.fields]


def _choices(spec: type[Any], path: Path) -> list[str]:
    return [str(value) for kind in _type_at(spec, path) if isinstance(kind, inspect.LiteralType) for value in kind.values]
