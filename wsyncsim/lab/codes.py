"""What the numbers in logs and consoles mean: error codes in all their spellings, HTTP statuses, status messages, events.

Looking one up is reading a book: it costs no simulated time, is no action of a session, and knows nothing of the ticket.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Literal

import msgspec

from generators import catalogue
from wsyncsim.lab.data import LabError

Kind = Literal["win32", "hresult", "ntstatus", "http", "status message", "event"]
KINDS: tuple[Kind, ...] = ("hresult", "ntstatus", "win32", "http", "status message", "event")
ERRORS: tuple[Kind, ...] = ("hresult", "ntstatus", "win32")
LONGEST = 60
_FACILITY_WIN32 = 0x80070000
_FAILURE_BIT = 1 << 31
_LARGEST = (1 << 32) - 1
_HEXADECIMAL = re.compile(r"(?:0x)?([0-9a-f]{8})l?|0x([0-9a-f]{1,8})l?", re.IGNORECASE)
_DECIMAL = re.compile(r"[-+]?\d{1,10}")
_HTTP = re.compile(r"(?:http\D{0,12})?([1-5]\d\d(?:\.\d{1,2})?)", re.IGNORECASE)
_PREFIXES: Mapping[str, tuple[Kind, ...]] = {
    "statmsg": ("status message",),
    "status message": ("status message",),
    "statusmeldung": ("status message",),
    "id": ("status message", "event"),
    "event": ("event",),
    "ereignis": ("event",),
    "http": ("http",),
    "win32": ("win32",),
    "error": ERRORS,
    "fehler": ERRORS,
}
_PREFIX = re.compile(rf"({'|'.join(_PREFIXES)})[\s:=#]*(?:id[\s:=#]*)?(.+)", re.IGNORECASE)
_IN_LINE = re.compile(r"(?<![\w.-])(?:0x[0-9a-f]{8}|-?\d{8,10})(?![\w.])", re.IGNORECASE)
_STATUS_IN_LINE = re.compile(
    r"(?:\bSTATMSG: ID=|\bMessage ID: |  SMS_\w+  )(\d{3,5})\b|HTTP.status (\d{3})\b|(?:reported error|meldet Fehler) (\d{1,5})\b",
    re.IGNORECASE,
)
_IIS_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d .* ([1-5]\d\d) (\d{1,2}) (\d{1,10})(?: \d+)*", re.ASCII)
"""A request in an IIS log: status, substatus and win32 status stand near its end."""
_PLACE = re.compile(r"\{\{.*?\}\}")


class _Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of the table."""

    en: str
    de: str
    source: str
    name: str = ""
    de_source: str = "own translation"


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means."""

    kind: Kind
    spelled: str
    """The code in its usual forms, such as ``0x80004005 (-2147467259, 2147500037)``."""
    name: str
    """Its symbolic name, or the component that writes it; may be empty."""
    text: str
    source: str
    """Where the text is from."""


@cache
def _table() -> Mapping[str, Mapping[str, _Known]]:
    content = tomllib.loads(files("wsyncsim.lab").joinpath("codes.toml").read_text(encoding="utf-8"))
    return msgspec.convert(content, dict[str, dict[str, _Known]])


def look_up(text: str, language: str) -> list[Code]:
    """Everything that such a code can mean, the likeliest first; raises ``LabError`` for what is no code.

    Understood are ``0x80072EE7``, ``80072EE7``, ``-2147012889``, ``2147954407``, ``53``, ``401``, ``401.1``, ``HTTP 503``,
    ``STATMSG 6703``, ``event 7036``. An empty list: nothing is known of it.
    """
    wanted = " ".join(text.split())
    if not wanted or len(wanted) > LONGEST:
        raise LabError("a code is a number, such as 0x80004005, -2147467259, 53, 401.1 or 6703")
    kinds: tuple[Kind, ...] = KINDS
    prefixed = _PREFIX.fullmatch(wanted)
    if prefixed:
        kinds, wanted = _PREFIXES[prefixed[1].lower()], prefixed[2].strip(" =:")
    found = list(chain.from_iterable(_of_kind(kind, wanted, language) for kind in kinds))
    if not found and not any(form.fullmatch(wanted) for form in (_HEXADECIMAL, _DECIMAL, _HTTP)):
        raise LabError(f"{text.strip()!r} is no code", hint="0x80004005, -2147467259, 53, 401.1, 6703")
    return list(dict.fromkeys(found))


def codes_in(line: str, language: str) -> list[Code]:
    """What is known of the codes that stand in a line of a log."""
    found: list[Code] = []
    web = _IIS_LINE.match(line)
    if web:
        status, substatus, win32 = web.groups()
        found += _http(f"{status}.{substatus}", language) or _http(status, language)
        found += _error(int(win32), language, ERRORS) if int(win32) else []
    for match in _IN_LINE.finditer(line):
        for value in _numbers(match[0]):
            if value & _FAILURE_BIT:
                found += _error(value, language, ERRORS)
    for match in _STATUS_IN_LINE.finditer(line):
        message, status, error = match.groups()
        found += _status_message(message, language) if message else _http(status, language) if status else []
        found += _error(int(error), language, ("win32",)) if error else []
    return list(dict.fromkeys(found))


def _of_kind(kind: Kind, wanted: str, language: str) -> list[Code]:
    if kind == "http":
        match = _HTTP.fullmatch(wanted)
        return _http(match[1], language) if match else []
    if kind == "status message":
        return _status_message(wanted, language)
    if kind == "event":
        return _event(wanted, language)
    return [found for value in _numbers(wanted) for found in _error(value, language, (kind,))]


def _numbers(text: str) -> Iterator[int]:
    """The unsigned numbers of 32 bits that a text can mean: eight digits are decimal or hexadecimal."""
    if _DECIMAL.fullmatch(text) and -_FAILURE_BIT <= int(text) <= _LARGEST:
        yield int(text) & _LARGEST
    match = _HEXADECIMAL.fullmatch(text)
    if match:
        yield int(match[1] or match[2], 16)


def _error(value: int, language: str, kinds: tuple[Kind, ...]) -> list[Code]:
    table, key = _table(), f"{value:08X}"
    found = [_code(kind, _spelled(value), table[kind][key], language) for kind in kinds if key in table.get(kind, {})]
    low = value & 0xFFFF
    is_win32 = value == low or value & 0xFFFF0000 == _FACILITY_WIN32
    if "win32" in kinds and is_win32 and str(low) in table["win32"]:
        known = table["win32"][str(low)]
        spelled = str(low) if not low else f"{low} = {_spelled(_FACILITY_WIN32 | low)}"
        found.append(_code("win32", spelled, known, language))
    return found


def _spelled(value: int) -> str:
    return f"0x{value:08X} ({value - (1 << 32) if value & _FAILURE_BIT else value}, {value})"


def _code(kind: Kind, spelled: str, known: _Known, language: str) -> Code:
    text, source = (known.de, f"{known.source}; {known.de_source}") if language == "de" else (known.en, known.source)
    return Code(kind, spelled, known.name, text, source)


def _http(status: str, language: str) -> list[Code]:
    known = _table()["http"].get(status)
    return [_code("http", status, known, language)] if known else []


def _status_message(number: str, language: str) -> list[Code]:
    message = catalogue.load("status").get(f"m{number}")
    if message is None:
        return []
    return [Code("status message", number, message.constants.get("component", ""), _first_line(message, language), "ConfigMgr")]


def _event(number: str, language: str) -> list[Code]:
    return [
        Code("event", number, message.constants.get("component", ""), _first_line(message, language), "Windows")
        for message in catalogue.load("eventlog").values()
        if message.constants.get("event_id") == number
    ]


def _first_line(message: catalogue.Message, language: str) -> str:
    """The newest wording, up to its first line break; what the occasion fills in is left open."""
    texts = message.texts.get(language) or message.texts["en"]
    newest = next(texts[each] for each in ("cb", "2012", "2007", "*") if each in texts)
    return _PLACE.sub("…", newest).strip().splitlines()[0].strip()


def all_codes() -> Iterator[tuple[Kind, str]]:
    """Every code of the table: its kind, and how it is written there."""
    kinds: Mapping[str, Kind] = {kind: kind for kind in KINDS}
    return ((kinds[kind], key) for kind, entries in _table().items() for key in entries)
