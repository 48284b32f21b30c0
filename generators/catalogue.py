"""The message catalogue: what every log line says, as data, with its evidence.

``messages/<catalogue>.toml`` holds one table per message::

    [sync_failed]
    text = "Sync failed: {{ message }}. Source: {{ source }}"   # all generations; or text.2007 = "...", text.2012 = "..."
    de = "..."                      # German, where Windows or .NET is localized; may be per generation
    severity = "error"              # info (default), warning, error
    evidence = "S five excerpts"    # tag of the source and, if useful, a note
    sourced = false                 # only for wording that is composed, inferred or unconfirmed
    de_evidence, de_sourced         # the same of the German text, where they differ
    level = "Error"                 # any other text: a constant that the log's layout asks for

A text for 2012 serves Current Branch too, unless that has its own (``Version.message_generations``). A message without a
text for a generation, or with an empty one, is not written there at all; writers need not ask. Texts are Jinja2 with
plain ``{{ name }}`` only.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, Literal

from simulator.errors import WsyncsimError
from simulator.versions import VERSIONS, Version

Language = Literal["en", "de"]
Severity = Literal["info", "warning", "error"]

LANGUAGES: Final[tuple[Language, ...]] = ("en", "de")
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "error")
SOURCED_TAGS: Final = frozenset("SLWXDP")
"""Seed, Learn, WSUS guide, protocol specification, product metadata or files on disk, third party."""
OWN_TAGS: Final = frozenset("CIU")
"""Composed, inferred, unconfirmed."""
_EVERY: Final = "*"
_KEYS: Final = frozenset({"text", "de", "severity", "evidence", "sourced", "de_evidence", "de_sourced"})


class CatalogueError(WsyncsimError):
    """A mistake in a packaged message catalogue: says which file and message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a catalogue."""

    catalogue: str
    name: str
    texts: Mapping[str, Mapping[str, str]]
    """Language -> generation (``*`` for all) -> Jinja2 text."""
    severity: Severity
    evidence: str
    sourced: bool
    unsourced_languages: tuple[str, ...]
    constants: Mapping[str, str]

    @property
    def id(self) -> str:
        """``catalogue.name``: the template id of truth records."""
        return f"{self.catalogue}.{self.name}"

    def text(self, version: Version, language: str = "en") -> str | None:
        """What this message says in a product generation and language; ``None`` when it does not exist there."""
        english = _newest(self.texts["en"], version)
        return english if english is None or language not in self.texts else _newest(self.texts[language], version) or english

    def all_texts(self) -> tuple[str, ...]:
        """Every text there is, in the order of the file; together they determine the message's parameters."""
        return tuple(text for texts in self.texts.values() for text in texts.values())


def catalogues() -> tuple[str, ...]:
    """Names of all packaged catalogues."""
    folder = files("generators").joinpath("messages")
    return tuple(sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml")))


@cache
def load(catalogue: str) -> Mapping[str, Message]:
    """All messages of a packaged catalogue by name.

    Raises ``CatalogueError`` for what is missing, unknown or contradictory.
    """
    source = files("generators").joinpath("messages", f"{catalogue}.toml").read_text(encoding="utf-8")
    return parse(catalogue, source)


def parse(catalogue: str, source: str) -> Mapping[str, Message]:
    """The messages in the text of a catalogue."""
    return MappingProxyType({name: _message(catalogue, name, table) for name, table in tomllib.loads(source).items()})


def unsourced() -> tuple[str, ...]:
    """Ids of all messages (``id [de]`` for a language of them) whose wording has no source: a list that may only shrink."""
    return tuple(
        found
        for catalogue in catalogues()
        for message in load(catalogue).values()
        for found in (
            *(() if message.sourced else (message.id,)),
            *(f"{message.id} [{language}]" for language in message.unsourced_languages),
        )
    )


def _message(catalogue: str, name: str, table: Any) -> Message:
    where = f"messages/{catalogue}.toml, [{name}]"
    if not isinstance(table, dict) or "text" not in table:
        raise CatalogueError("a message needs a text", where=where, hint='text = "..." or text.2007 = "..."')
    severity = table.get("severity", "info")
    if severity not in SEVERITIES:
        raise CatalogueError(f"{severity!r} is not a severity", where=where, hint=f"One of {', '.join(SEVERITIES)}")
    evidence = table.get("evidence", "")
    sourced = table.get("sourced", True)
    _check_evidence(evidence, sourced, where)
    texts = {"en": _texts(table["text"], where)}
    unsourced_languages: tuple[str, ...] = ()
    if "de" in table:
        texts["de"] = _texts(table["de"], where)
        de_sourced = table.get("de_sourced", sourced)
        _check_evidence(table.get("de_evidence", evidence), de_sourced, where)
        unsourced_languages = () if de_sourced else ("de",)
    constants = {key: value for key, value in table.items() if key not in _KEYS}
    for key, value in constants.items():
        if not isinstance(value, str):
            raise CatalogueError(f"{key} is not text", where=where, hint="Constants for the layout are texts")
    return Message(
        catalogue=catalogue,
        name=name,
        texts=MappingProxyType(texts),
        severity=severity,
        evidence=evidence,
        sourced=sourced,
        unsourced_languages=unsourced_languages,
        constants=MappingProxyType(constants),
    )


def _newest(texts: Mapping[str, str], version: Version) -> str | None:
    for generation in (*version.message_generations, _EVERY):
        if generation in texts:
            return texts[generation] or None
    return None


def _texts(value: Any, where: str) -> Mapping[str, str]:
    texts = {_EVERY: value} if isinstance(value, str) else value
    if not isinstance(texts, dict) or not texts or not all(isinstance(text, str) for text in texts.values()):
        raise CatalogueError("a text is a string or one string per generation", where=where)
    for generation in texts:
        if generation != _EVERY and generation not in VERSIONS:
            raise CatalogueError(f"there is no generation {generation!r}", where=where, hint=f"One of {', '.join(VERSIONS)}")
    return MappingProxyType(texts)


def _check_evidence(evidence: Any, sourced: Any, where: str) -> None:
    tag = evidence[:1] if isinstance(evidence, str) else ""
    if not tag or tag not in SOURCED_TAGS | OWN_TAGS:
        raise CatalogueError(
            f"evidence {evidence!r} names no source", where=where, hint='Begin with a tag: "S ...", "D ..." or "C ..."'
        )
    if sourced is not (tag in SOURCED_TAGS):
        raise CatalogueError(
            f"evidence {evidence!r} contradicts sourced = {sourced}",
            where=where,
            hint="C, I and U are sourced = false; all others true",
        )
