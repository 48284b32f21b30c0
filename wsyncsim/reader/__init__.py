"""The reference reader: the logs that wsyncsim writes, and what real servers make of them, from bytes to records.

>>> from wsyncsim.reader import read
>>> line = b"Starting Sync  $$<SMS_WSUS_SYNC_MANAGER><02-08-2020 02:13:11.522+480><thread=5976 (0x1758)>\\r\\n"
>>> read(line).records[0].time_utc
datetime.datetime(2020, 2, 8, 10, 13, 11, 522000)

It never raises for what a file holds: what is no record is told as a span. It is short rather than fast; ``docs/suite.md``
says by which rules it reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Final

from wsyncsim.reader import cmtrace, tables
from wsyncsim.reader.decode import Text
from wsyncsim.reader.record import Form, Reading, Record, Severity, Span

__all__ = ["Form", "Reading", "Record", "Severity", "Span", "read", "read_file"]

_W3C: Final = re.compile(r"^[\ufeff\x00]*#(?:Software|Version|Date|Fields|Start-Date|Remark): ", re.MULTILINE)
_WSUS: Final = re.compile(r"^\ufeff?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC\t", re.MULTILINE | re.ASCII)
_CMTRACE: Final = re.compile(r"<!\[LOG\[|\]LOG\]!><time=|\$\$<[^<>\n]*><[^<>\n]*><thread=")


def read(data: bytes) -> Reading:
    """All records of a file, by what its bytes look like; its name does not matter."""
    text = Text(data)
    kinds = ((_CMTRACE, cmtrace.records), (_W3C, tables.w3c), (_WSUS, tables.wsus))
    found = [(match.start(), read_as) for pattern, read_as in kinds if (match := pattern.search(text.text))]
    read_as = min(found, key=lambda pair: pair[0])[1] if found else cmtrace.records
    parts = list(read_as(text))
    return Reading(
        encoding=text.encoding,
        records=tuple(part for part in parts if isinstance(part, Record)),
        unparsed=_joined(part for part in parts if not isinstance(part, Record)),
    )


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans of which none begins where another one ends."""
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1].byte_end == span.byte_start:
            joined[-1] = replace(joined[-1], line_end=span.line_end, byte_end=span.byte_end)
        else:
            joined.append(span)
    return tuple(joined)


def read_file(path: str | PathLike[str]) -> Reading:
    """All records of a file on disk. Raises ``OSError``."""
    return read(Path(path).read_bytes())
