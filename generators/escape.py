"""Foreign text inside our formats: whatever a name contains, a record stays one record."""

from __future__ import annotations

import re
from typing import Final
from xml.sax.saxutils import escape

_BREAKS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NOT_W3C: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")


def one_line(text: str) -> str:
    """``text`` without tabs, line breaks and other control characters: each run of them becomes a blank."""
    return _BREAKS.sub(" ", text)


def xml(text: str) -> str:
    """``text`` as character data or as an attribute in apostrophes; what XML 1.0 does not allow becomes U+FFFD."""
    return escape(_NOT_XML.sub("\ufffd", text), {"'": "&apos;"})


def w3c(text: str) -> str:
    """``text`` as a field of a W3C log: blanks are plus signs, nothing is a hyphen."""
    return _NOT_W3C.sub("+", text) or "-"
