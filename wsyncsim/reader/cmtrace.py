"""Server form and client form, which may stand in one file.

* A client record begins with ``<![LOG[`` and ends with the first trailer that is followed by the end of its line, by NUL bytes
  or by the next record; a trailer with text behind it is part of the message. What has no trailer before the next line that
  begins with ``<![LOG[`` is cut off.
* A server record is one line; it ends with a trailer, and its message with the last ``$$<``.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Final

from wsyncsim.reader.decode import Text
from wsyncsim.reader.record import Record, Span, utc_of
from wsyncsim.reader.stamps import client_severity, client_stamp, server_severity, server_stamp

START: Final = "<![LOG["
_TRAILER: Final = re.compile(r"\]LOG\]!><(time=\"[^\"\r\n]*\"(?:[ \t]+\w+=\"[^\"\r\n]*\")*)[ \t]*>")
_ATTRIBUTE: Final = re.compile(r"(\w+)=\"([^\"]*)\"")
_BEHIND: Final = re.compile(r"[ \t]*(?:\r?\n|\x00|\r?\Z|<!\[LOG\[)")
_BEGIN: Final = re.compile(r"^[\ufeff\x00]*<!\[LOG\[", re.MULTILINE)
_NULS: Final = re.compile(r"\x00+")
_SERVER: Final = re.compile(r"\$\$<([^<>]*)><([^<>]*)><thread=(\d{1,20})(?: \(0x[0-9A-Fa-f]+\))?>[ \t]*", re.ASCII)
_THREAD: Final = re.compile(r"\d{1,20}", re.ASCII)


def records(text: Text) -> Iterator[Record | Span]:
    """Records and unparsed spans, in the order of the file."""
    whole = text.text
    file = _File(text)
    position = 0
    while position < len(whole):
        padding = _NULS.match(whole, position)
        if whole[position] in "\r\n\ufeff":
            position += 1
        elif padding:
            yield text.span(position, padding.end())
            position = padding.end()
        elif whole.startswith(START, position):
            found, position = file.client(position)
            yield found
        else:
            found_here, position = file.line(position)
            yield from found_here


def _line_end(whole: str, position: int) -> int:
    """Where the text of the line ends: before CR LF or LF, or the CR whose LF was not written any more."""
    end = whole.find("\n", position)
    if end < 0:
        end = len(whole)
    return end - 1 if end > position and whole[end - 1] == "\r" else end


class _File:
    """A file in which every end of a client record, and every line that begins one, is looked for once."""

    def __init__(self, text: Text) -> None:
        whole = text.text
        self.text = text
        self._trailers = [trailer for trailer in _TRAILER.finditer(whole) if _BEHIND.match(whole, trailer.end())]
        self._trailer_at = [trailer.start() for trailer in self._trailers]
        self._begins_at = [begin.end() for begin in _BEGIN.finditer(whole)]

    def client(self, start: int) -> tuple[Record | Span, int]:
        """The client record that begins here, or its line if it is cut off; and where it ends."""
        following = bisect_right(self._begins_at, start + len(START))
        limit = self._begins_at[following] if following < len(self._begins_at) else len(self.text.text)
        number = bisect_left(self._trailer_at, start)
        if number < len(self._trailers) and self._trailer_at[number] < limit:
            trailer = self._trailers[number]
            record = _client_record(self.text, start, trailer)
            if record is not None:
                return record, trailer.end()
        end = max(_line_end(self.text.text, start), start + 1)
        return self.text.span(start, end), end

    def line(self, start: int) -> tuple[list[Record | Span], int]:
        """What a line holds that does not begin with a client record; and where it ends."""
        whole = self.text.text
        end = _line_end(whole, start)
        padding = whole.find("\x00", start, end)
        if padding >= 0:
            end = padding
        record = _server(self.text, start, end)
        if record is not None:
            return [record], end
        inner = whole.find(START, start, end)
        if inner >= 0:
            found, after = self.client(inner)
            if isinstance(found, Record):
                return [self.text.span(start, inner), found], after
        if not whole[start:end].strip():
            return [], end
        return [self.text.span(start, end)], end


def _client_record(text: Text, start: int, trailer: re.Match[str]) -> Record | None:
    values = dict(_ATTRIBUTE.findall(trailer[1]))
    stamp = client_stamp(values.get("time", ""), values.get("date", ""))
    if stamp is None:
        return None
    span = text.span(start, trailer.end())
    thread = values.get("thread", "")
    return Record(
        line=span.line,
        line_end=span.line_end,
        byte_start=span.byte_start,
        byte_end=span.byte_end,
        form="client",
        message=text.text[start + len(START) : trailer.start()].replace("\r\n", "\n"),
        component=values.get("component"),
        time_local=stamp.local,
        bias_min=stamp.bias_min,
        time_utc=utc_of(stamp.local, stamp.bias_min),
        thread=int(thread) if _THREAD.fullmatch(thread) else None,
        severity=client_severity(values.get("type", "")),
        file=values.get("file"),
        context=values.get("context"),
    )


def _server(text: Text, start: int, end: int) -> Record | None:
    whole = text.text
    mark = whole.rfind("$$<", start, end)
    if mark < 0:
        return None
    match = _SERVER.fullmatch(whole, mark, end)
    if match is None:
        return None
    stamp = server_stamp(match[2])
    if stamp is None:
        return None
    message = whole[start:mark]
    message = message.removesuffix("  ") if message.endswith("  ") else message.removesuffix(" ")
    span = text.span(start, start + len(whole[start:end].rstrip(" \t")))
    return Record(
        line=span.line,
        line_end=span.line_end,
        byte_start=span.byte_start,
        byte_end=span.byte_end,
        form="server",
        message=message,
        component=match[1],
        time_local=stamp.local,
        bias_min=stamp.bias_min,
        time_utc=utc_of(stamp.local, stamp.bias_min),
        thread=int(match[3]),
        severity=server_severity(message),
    )
