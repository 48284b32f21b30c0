"""Texts in both languages of the product's users."""

from __future__ import annotations

from typing import Literal, NamedTuple

Language = Literal["en", "de"]


class Text(NamedTuple):
    """The same text in English and German."""

    en: str
    de: str

    def in_(self, language: str) -> str:
        """The text in ``language`` (``en`` or ``de``)."""
        return self.de if language == "de" else self.en
