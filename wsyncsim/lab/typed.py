"""What is typed in the lab's terminal, and how lines of logs are shown there."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import msgspec

from scenarios.mistakes import nearest
from wsyncsim.lab.data import LabError, Said
from wsyncsim.reader.stamps import server_severity

T = TypeVar("T")
NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "help": {"en": ("?", "help"), "de": ("?", "hilfe")},
    "ticket": {"en": ("ticket",), "de": ("ticket",)},
    "calendar": {"en": ("calendar",), "de": ("kalender",)},
    "ask": {"en": ("ask",), "de": ("fragen",)},
    "logs": {"en": ("logs",), "de": ("protokolle",)},
    "log": {"en": ("log",), "de": ("protokoll",)},
    "look": {"en": ("look",), "de": ("ansehen", "schauen", "blick")},
    "evidence": {"en": ("evidence",), "de": ("belege",)},
    "pin": {"en": ("pin",), "de": ("pinnen",)},
    "unpin": {"en": ("unpin",), "de": ("unpin",)},
    "err": {"en": ("err",), "de": ("nachschlagen",)},
    "think": {"en": ("think",), "de": ("denken", "vermuten")},
    "left": {"en": ("left", "remaining"), "de": ("übrig", "uebrig")},
    "hint": {"en": ("hint",), "de": ("hinweis", "tipp")},
    "diagnose": {"en": ("diagnose", "diagnosis"), "de": ("diagnose",)},
    "do": {"en": ("do",), "de": ("tun", "machen")},
    "wait": {"en": ("wait",), "de": ("warten",)},
    "escalate": {"en": ("escalate",), "de": ("eskalieren", "abgeben")},
    "verify": {"en": ("verify",), "de": ("nachweisen", "prüfen", "pruefen")},
    "note": {"en": ("note",), "de": ("notiz", "notieren")},
    "xray": {"en": ("xray", "x-ray"), "de": ("röntgen", "roentgen")},
    "status": {"en": ("status",), "de": ("stand",)},
    "close": {"en": ("close",), "de": ("abschließen", "abschliessen", "schließen", "schliessen")},
    "debrief": {"en": ("debrief",), "de": ("auswertung",)},
    "lang": {"en": ("lang", "language"), "de": ("sprache",)},
    "quit": {"en": ("quit", "exit", "bye"), "de": ("beenden", "ende", "tschüss")},
}
"""Command -> its names, in the order in which help lists them. Every name works in both languages."""
_SERVER = re.compile(r"(?P<text>.*?)\s*\$\$<(?P<component>[^<>]*)><(?P<when>[^<>]*)><thread=[^<>]*>")
_CLIENT = re.compile(
    r'<!\[LOG\[(?P<text>.*)\]LOG\]!><time="(?P<time>[\d:]+)[^"]*" date="(?P<date>[^"]*)" component="[^"]*".*? type="(?P<type>\d)"'
)
_FRACTION = re.compile(r"(?<=:\d\d)\.\d+([+-]\d+)?")
_ZONE_NAME = re.compile(r"(?<=:\d\d) (\d{4}) .*")
_NOTHING_SAID = re.compile(r' ISTR\d=""')
_BESIDE = re.compile(r"\b(error|warning|fehler|warnung)\b", re.IGNORECASE)
SEVERITY = {"error": {"en": "ERROR", "de": "FEHLER"}, "warning": {"en": "WARNING", "de": "WARNUNG"}}
MOST_SHOWN = 8


@cache
def _texts() -> Mapping[str, Said]:
    return msgspec.convert(
        tomllib.loads(files("wsyncsim.lab").joinpath("terminal.toml").read_text(encoding="utf-8")), dict[str, Said]
    )


def tell(name: str, language: str, /, **values: Any) -> str:
    """A text of ``terminal.toml`` with its ``{names}`` filled in."""
    return _texts()[name].in_(language).format_map(values)


# --- commands


def command_of(typed: str, language: str) -> str:
    """The command that a word means: a whole name of either language, or the beginning of just one; raises ``LabError``."""
    wanted = typed.lower()
    for command, names in NAMES.items():
        if any(wanted in each for each in names.values()):
            return command
    other = "en" if language == "de" else "de"
    for spoken in (language, other):
        found = {command: name for command, names in NAMES.items() for name in names[spoken] if name.startswith(wanted)}
        if len(found) == 1:
            return next(iter(found))
        if found:
            names_found = ", ".join(name_of(command, spoken) for command in found)
            raise LabError(tell("ambiguous", language, word=typed), hint=tell("which", language, names=names_found))
    close = nearest(wanted, [name for names in NAMES.values() for name in (*names[language], *names[other])])
    hint = tell("mean", language, name=name_of(command_of(close, language), language)) if close else tell("all_commands", language)
    raise LabError(tell("no_command", language, word=typed), hint=hint)


def name_of(command: str, language: str) -> str:
    """How a command is called first."""
    return next(name for name in NAMES[command][language] if name != "?") if command != "help" else "?"


@dataclass(slots=True)
class Typed:
    """The words after a command."""

    words: list[str]
    given: dict[str, list[str]] = field(default_factory=dict)
    """Keyword -> the words that followed it."""

    def text(self, key: str) -> str | None:
        """What followed a keyword, as one text; ``None`` when it was not there."""
        return " ".join(self.given[key]) if self.given.get(key) else None


KEYWORDS = {
    **dict.fromkeys(("on", "auf"), "host"),
    **dict.fromkeys(("at", "am", "site", "standort"), "site"),
    **dict.fromkeys(("as", "als"), "account"),
    **dict.fromkeys(("target", "ziel"), "target"),
    **dict.fromkeys(("find", "suche", "suchen"), "find"),
    **dict.fromkeys(("errors", "fehler"), "errors"),
    **dict.fromkeys(("raw", "roh"), "raw"),
    **dict.fromkeys(("all", "alles"), "all"),
    **dict.fromkeys(("with", "mit"), "with"),
    **dict.fromkeys(("confidence", "sicherheit", "sure"), "confidence"),
}


def sort_words(words: Sequence[str], keys: Iterable[str]) -> Typed:
    """Divide what was typed at the keywords that are known here (``--find`` is ``find``)."""
    known = set(keys)
    typed = Typed([])
    current = typed.words
    for word in words:
        key = KEYWORDS.get(word.lstrip("-").lower())
        if key in known and key not in typed.given and (typed.words or word.startswith("-")):
            current = typed.given.setdefault(key, [])
        else:
            current.append(word)
    return typed


def pick(typed: str, items: Sequence[tuple[T, Sequence[str], str]], language: str, command: str) -> T:
    """The item that is meant: by one of its exact names, or by words of which its text has all; raises ``LabError``."""
    wanted = typed.strip().lower()
    for item, names, text in items:
        if wanted in (*(name.lower() for name in names), text.lower()):
            return item
    words = re.findall(r"\w+", wanted)
    found = [(item, text) for item, _, text in items if words and all(word in text.lower() for word in words)]
    begin = [(item, text) for item, text in found if text.lower().startswith(wanted)]
    for some in (found, begin):
        if len(some) == 1:
            return some[0][0]
    listing = tell("list_them", language, command=name_of(command, language))
    if found:
        titles = "; ".join(text for _, text in found[:MOST_SHOWN])
        raise LabError(tell("ambiguous", language, word=typed), hint=tell("which", language, names=titles))
    close = nearest(wanted, [text for _, _, text in items])
    hint = f"{tell('mean_item', language, name=close)} {listing}" if close else listing
    raise LabError(tell("not_found", language, word=typed), hint=hint)


# --- lines of logs


def severity_of(line: str) -> str:
    """``error``, ``warning`` or ``info``: as CMTrace would colour it, so not always as it is meant."""
    client = _CLIENT.match(line)
    if client:
        return {"3": "error", "2": "warning"}.get(client["type"], "info")
    server = _SERVER.match(line)
    if server:
        return server_severity(server["text"])
    found = _BESIDE.search(line)
    if found is None:
        return "info"
    return "error" if found[1].lower() in ("error", "fehler") else "warning"


def readable(line: str) -> str:
    """A line of a ConfigMgr log as a viewer shows it: time and text; other lines as they are."""
    client = _CLIENT.match(line)
    if client:
        return f"{client['date']} {client['time']}  {client['text']}"
    server = _SERVER.match(line)
    if server:
        when = _ZONE_NAME.sub(r" \1", _FRACTION.sub("", server["when"]))
        return f"{when}  {_NOTHING_SAID.sub('', server['text'].rstrip('~'))}"
    return line
