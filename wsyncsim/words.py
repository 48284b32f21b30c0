"""What the program itself says, in English and German."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import Any

from scenarios.text import Text

LANGUAGE_VARIABLE = "WSYNCSIM_LANGUAGE"
LANGUAGE_VARIABLES = (LANGUAGE_VARIABLE, "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""Where a language is asked for, in gettext's order; the first one that is set counts."""
_GERMAN_ID = 0x07


def default_language() -> str:
    """The language asked for in the environment, else English: of what Python calls make, the same on every system."""
    return "de" if os.environ.get(LANGUAGE_VARIABLE, "").lower().startswith("de") else "en"


def spoken_language() -> str:
    """The language asked for in the environment, else the system's, else English."""
    for name in LANGUAGE_VARIABLES:
        wanted = os.environ.get(name, "").lower().split(":")
        if wanted[0]:
            return next((language[:2] for language in wanted if language.startswith(("de", "en"))), "en")
    if sys.platform == "win32":
        import ctypes

        return "de" if ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF == _GERMAN_ID else "en"
    import locale

    with suppress(ValueError):
        return "de" if (locale.getlocale()[0] or "").lower().startswith("de") else "en"
    return "en"


@cache
def _texts() -> Mapping[str, Mapping[str, Text]]:
    content = tomllib.loads(files("wsyncsim").joinpath("words.toml").read_text(encoding="utf-8"))
    return {group: {name: Text(**texts) for name, texts in table.items()} for group, table in content.items()}


def word(group: str, name: str, language: str, values: Mapping[str, Any] | None = None) -> str:
    """A text of ``words.toml``, its ``{names}`` filled in; raises ``KeyError`` when there is none."""
    text = _texts()[group][name].in_(language)
    return text.format_map(values) if values is not None else text


def event_words(event: Mapping[str, Any], language: str) -> str:
    """An event of the answer key (a JSON object with ``kind``), in words."""
    values = {name: value_words(value, language) for name, value in event.items()}
    return word("events", event["kind"], language, values)


def reason_words(reason: Mapping[str, Any], language: str) -> str:
    """What went wrong on the way, in words."""
    if reason["kind"] == "UpstreamTrouble":
        return f"{reason['error']}: {reason_words(reason['reason'], language)}"
    values = {name: value_words(value, language) for name, value in reason.items()}
    return word("reasons", reason["kind"], language, values)


def value_words(value: Any, language: str) -> Any:
    """A value of an event: what has words gets them, the rest stays."""
    if isinstance(value, Mapping) and "kind" in value:
        if value["kind"] == "Source":
            return word("sources", value["method"], language)
        if value["kind"] == "Served":
            return f"{value['path']} {value['status']}.{value['substatus']}"
        return reason_words(value, language)
    if isinstance(value, list):
        return ", ".join(str(value_words(item, language)) for item in value) or "-"
    if value is None:
        return "-"
    if isinstance(value, bool):
        return word("values", "yes" if value else "no", language)
    if isinstance(value, str) and value in _texts()["values"]:
        return word("values", value, language)
    return value
