"""What the pages say, in English and German: ``words.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "de")
_DAYS = (("Mon", "Mo"), ("Tue", "Di"), ("Wed", "Mi"), ("Thu", "Do"), ("Fri", "Fr"), ("Sat", "Sa"), ("Sun", "So"))


@cache
def all_words() -> Mapping[str, tuple[str, str]]:
    content = tomllib.loads(files("wsyncsim.lab_web").joinpath("words.toml").read_text(encoding="utf-8"))
    return {name: (str(texts[0]), str(texts[1])) for name, texts in content.items()}


def word(name: str, language: str, /, **values: Any) -> str:
    """A text with its ``{names}`` filled in; raises ``KeyError`` when there is none."""
    text = all_words()[name][LANGUAGES.index(language)]
    return text.format_map(values) if values else text


def moment(local: str, language: str) -> str:
    """A local date and time (ISO 8601) as people write it."""
    at = datetime.fromisoformat(local)
    day = _DAYS[at.weekday()][LANGUAGES.index(language)]
    return at.strftime(f"{day} %d.%m.%Y %H:%M" if language == "de" else f"{day} %Y-%m-%d %H:%M")


def duration(minutes: int, language: str) -> str:
    """Simulated minutes as people write them."""
    if minutes < 2 * 60:
        return word("min", language, n=minutes)
    return word("hours", language, h=minutes // 60, n=minutes % 60)
