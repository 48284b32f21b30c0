"""Bytes -> text in which every character still knows its byte.

With a byte-order mark, UTF-16 or UTF-8; without one, UTF-16 if the file begins like it. Else each line by itself is UTF-8, or
Windows-1252 if it is not UTF-8: servers of different languages and ages append to one file.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from typing import Final

from wsyncsim.reader.record import Span

_LINE: Final = re.compile(rb"[^\n]*\n|[^\n]+")
_MARKS: Final = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_BARE_UTF16: Final = re.compile(rb"(?:[\t\n\r -~]\x00){4}")
_BARE_UTF16_BE: Final = re.compile(rb"(?:\x00[\t\n\r -~]){4}")


class Text:
    """The text of a file; ``span`` tells where a piece of it lies."""

    def __init__(self, data: bytes) -> None:
        self.encoding = "utf-8"
        self._line_chars: list[int] = []
        self._line_bytes: list[int] = []
        self._line_width: list[int] = []
        """1: a byte a character; 2: UTF-16; 0: UTF-8."""
        wide = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), None)
        if wide is not None:
            self.text = self._utf16(data, len(wide[0]), wide[1])
        elif _BARE_UTF16.match(data):
            self.text = self._utf16(data, 0, "utf-16-le")
        elif _BARE_UTF16_BE.match(data):
            self.text = self._utf16(data, 0, "utf-16-be")
        else:
            self.text = self._bytes(data, len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0)

    def _utf16(self, data: bytes, start: int, encoding: str) -> str:
        self.encoding = encoding
        text = data[start : len(data) - (len(data) - start) % 2].decode(encoding, "replace")
        char = 0
        byte = start
        for line in re.findall(r"[^\n]*\n|[^\n]+", text):
            self._add(char, byte, 2)
            char += len(line)
            byte += _utf16_bytes(line)
        return text

    def _bytes(self, data: bytes, start: int) -> str:
        pieces = []
        char = 0
        for match in _LINE.finditer(data, start):
            raw = match[0]
            try:
                piece = raw.decode("utf-8")
                width = 1 if len(piece) == len(raw) else 0
            except UnicodeDecodeError:
                piece = raw.decode("cp1252", "replace")
                width = 1
                self.encoding = "cp1252"
            self._add(char, match.start(), width)
            pieces.append(piece)
            char += len(piece)
        return "".join(pieces)

    def _add(self, char: int, byte: int, width: int) -> None:
        self._line_chars.append(char)
        self._line_bytes.append(byte)
        self._line_width.append(width)

    def line_at(self, char: int) -> int:
        """Number of the line, from 1, in which a character stands."""
        return max(1, bisect_right(self._line_chars, char))

    def line_starts(self) -> list[int]:
        """The first character of every line."""
        return self._line_chars

    def byte_at(self, char: int) -> int:
        """Offset of the byte with which a character begins."""
        if not self._line_chars:
            return 0
        line = self.line_at(char) - 1
        start, width = self._line_chars[line], self._line_width[line]
        before = self.text[start:char]
        if width == 1:
            return self._line_bytes[line] + len(before)
        return self._line_bytes[line] + (_utf16_bytes(before) if width == 2 else len(before.encode("utf-8")))

    def span(self, start: int, end: int) -> Span:
        """Where the characters from ``start`` to before ``end`` lie; ``end`` is greater."""
        return Span(
            line=self.line_at(start),
            line_end=self.line_at(end - 1),
            byte_start=self.byte_at(start),
            byte_end=self.byte_at(end),
        )


def _utf16_bytes(text: str) -> int:
    return 2 * len(text) + 2 * sum(character > "\uffff" for character in text)
