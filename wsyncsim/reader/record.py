"""What a reader of logs makes of a file: records, and spans that are none."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

Form = Literal["server", "client", "w3c", "httperr", "wsus"]
"""Server form (``$$<``), client form (``<![LOG[``), IIS, HTTP.sys, SoftwareDistribution.log."""
Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of a file. Lines count from 1 and end in CR LF or LF; bytes count from 0, without the line end."""

    line: int
    line_end: int
    byte_start: int
    byte_end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Span):
    """One log record."""

    form: Form
    message: str
    """The text as written, tildes included, without the gap before ``$$<``; line breaks inside it as LF. In W3C forms the row."""
    component: str | None = None
    """As written; in SoftwareDistribution.log the process. ``None`` in W3C forms."""
    time_local: datetime | None = None
    """Naive, as written. ``None`` in the forms that are in UTC. What is finer than a microsecond is cut."""
    bias_min: int | None = None
    """UTC = local time + bias. ``None`` if the record does not say."""
    time_utc: datetime | None = None
    """Naive, UTC. ``None`` if the record does not tell."""
    thread: int | None = None
    severity: Severity | None = None
    file: str | None = None
    """Source reference of the client form."""
    context: str | None = None
    """``context`` of the client form."""
    fields: dict[str, str] = field(default_factory=dict)
    """W3C: every field of the row by its name; SoftwareDistribution.log: ``level`` and ``method``."""

    def to_json(self) -> dict[str, Any]:
        """The record as the conformance suite expects it from a tool; what is ``None`` is left out."""
        values: dict[str, Any] = {
            "line": self.line,
            "line_end": self.line_end,
            "byte_start": self.byte_start,
            "byte_end": self.byte_end,
            "form": self.form,
            "message": self.message,
            "component": self.component,
            "time_local": None if self.time_local is None else self.time_local.isoformat(),
            "bias_min": self.bias_min,
            "time_utc": None if self.time_utc is None else f"{self.time_utc.isoformat()}Z",
            "thread": self.thread,
            "severity": self.severity,
            "file": self.file,
            "context": self.context,
            "fields": self.fields or None,
        }
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found in one file, in its order."""

    encoding: str
    """``utf-8``, ``utf-16-le``, ``utf-16-be``, or ``cp1252`` if at least one line is not UTF-8."""
    records: tuple[Record, ...]
    unparsed: tuple[Span, ...]
    """What is no record: cut off parts, lines without a form, NUL bytes. Blank lines, headers and byte-order marks are not told."""


def utc_of(local: datetime | None, bias_min: int | None) -> datetime | None:
    """UTC = local time + bias; ``None`` if one is not known or the result is out of all calendars."""
    if local is None or bias_min is None:
        return None
    try:
        return local + timedelta(minutes=bias_min)
    except OverflowError:
        return None
