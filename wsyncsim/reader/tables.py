"""Logs in columns: IIS and HTTP.sys (W3C extended format), and WSUS's SoftwareDistribution.log. All of them in UTC."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from wsyncsim.reader.decode import Text
from wsyncsim.reader.record import Form, Record, Severity, Span
from wsyncsim.reader.stamps import iso_utc

_WSUS: Final = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) UTC\t([A-Za-z]+)\t([^\t\n]*?)(?:\.(\d{1,20}))?\t([^\t\n]*)\t(.*)",
    re.ASCII | re.DOTALL,
)
_WSUS_BEGINS: Final = re.compile(r"\d{4}-\d\d-\d\d|\x00", re.ASCII)
_LEVELS: Final[dict[str, Severity]] = {"Info": "info", "Change": "info", "Warning": "warning", "Error": "error"}


def _lines(text: Text) -> Iterator[tuple[int, int]]:
    """First character and end of the text of every line, without NUL bytes and marks around it."""
    whole = text.text
    starts = text.line_starts()
    for start, after in zip(starts, [*starts[1:], len(whole)], strict=True):
        end = after
        while end > start and whole[end - 1] in "\r\n":
            end -= 1
        yield start, end


def w3c(text: Text) -> Iterator[Record | Span]:
    """Rows by the ``#Fields`` line above them. A row that has another number of values is no row."""
    whole = text.text
    names: list[str] = []
    day = ""
    form: Form = "w3c"
    for begin, end in _lines(text):
        start = begin
        while start < end and whole[start] in "\x00\ufeff":
            start += 1
        if whole[begin:start].strip("\ufeff"):
            yield text.span(begin, start)
        stop = whole.find("\x00", start, end)
        row = whole[start : end if stop < 0 else stop]
        if row.startswith("#"):
            key, _, value = row[1:].partition(":")
            if key == "Fields":
                names = value.split()
            elif key == "Date":
                day = value.strip()[:10]
            elif key == "Software":
                form = "httperr" if "HTTP API" in value else "w3c"
        elif row.strip():
            yield _row(text, start, row, names, day, form) or text.span(start, start + len(row))
        if stop >= 0:
            yield text.span(stop, end)


def _row(text: Text, start: int, row: str, names: list[str], day: str, form: Form) -> Record | None:
    values = row.split(" ")
    if not names or len(values) != len(names):
        return None
    fields = dict(zip(names, values, strict=True))
    at = iso_utc(f"{fields.get('date', day)} {fields.get('time', '')}")
    if at is None:
        return None
    span = text.span(start, start + len(row))
    return Record(
        line=span.line,
        line_end=span.line_end,
        byte_start=span.byte_start,
        byte_end=span.byte_end,
        form=form,
        message=row,
        time_utc=at,
        fields=fields,
    )


def wsus(text: Text) -> Iterator[Record | Span]:
    """Records of one line and the lines of their stack traces."""
    whole = text.text
    open_: list[int] = []
    """Start and end of the record that may go on."""
    for begin, end in _lines(text):
        start = begin
        while start < end and whole[start] == "\ufeff":
            start += 1
        line = whole[start:end]
        if not line.strip():
            continue
        head = _WSUS.fullmatch(line.rstrip("\x00"))
        if head is None and open_ and not _WSUS_BEGINS.match(line):
            open_[1] = start + len(line.rstrip("\x00"))
        else:
            if open_:
                yield _wsus_record(text, *open_)
            open_ = [start, start + len(line.rstrip("\x00"))] if head else []
            if not head:
                yield text.span(start, end)
        padding = len(line) - len(line.rstrip("\x00"))
        if padding and padding < len(line):
            if open_:
                yield _wsus_record(text, *open_)
                open_ = []
            yield text.span(end - padding, end)
    if open_:
        yield _wsus_record(text, *open_)


def _wsus_record(text: Text, start: int, end: int) -> Record | Span:
    span = text.span(start, end)
    match = _WSUS.fullmatch(text.text, start, end)
    at = iso_utc(match[1]) if match else None
    if match is None or at is None:
        return span
    return Record(
        line=span.line,
        line_end=span.line_end,
        byte_start=span.byte_start,
        byte_end=span.byte_end,
        form="wsus",
        message=match[6].replace("\r\n", "\n"),
        component=match[3],
        time_utc=at,
        thread=int(match[4]) if match[4] else None,
        severity=_LEVELS.get(match[2]),
        fields={"level": match[2], "method": match[5]},
    )
