"""Logs as rows of a table: what a look at a log shows, read as CMTrace and Event Viewer read it, filtered and merged by time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from wsyncsim.lab.typed import readable
from wsyncsim.reader import Record, read
from wsyncsim.reader.stamps import unix_epoch_us

if TYPE_CHECKING:
    from wsyncsim.lab.session import LabSession
    from wsyncsim.lab.views import Pin, Sight

GROUP = "logs"
SEVERITIES = ("info", "warning", "error")
_W3C = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) ", re.ASCII)
_EVENT = re.compile(r"Event\[\d+\]:?", re.ASCII)
_FIELD = re.compile(r"  ([A-Z][A-Za-z ]*): ?(.*)")
_LEVELS = {
    "error": "error",
    "fehler": "error",
    "critical": "error",
    "kritisch": "error",
    "warning": "warning",
    "warnung": "warning",
    "information": "info",
    "informationen": "info",
}
_LOCAL_FORMS = ("%m/%d/%Y %I:%M:%S %p", "%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S")
_NUMBER = re.compile(r"(?<![\w.])(-?\d{8,10})(?![\w.])", re.ASCII)
_FAILURE_BIT = 1 << 31
_NEVER = datetime(1, 1, 1)
LONGEST_PIN = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a log as the viewer shows it."""

    evidence: str
    source: str
    severity: str
    """``info``, ``warning``, ``error``, or empty where the log does not say."""
    text: str
    component: str
    time: str
    """At the site's clock."""
    order: datetime
    thread: str
    raw: str
    line: int = 0
    """Which line of what was seen it begins with, from 1."""
    new: bool = False
    """It was not there when the same was looked at before."""

    @property
    def id(self) -> str:
        return f"{self.evidence}-{self.line}"

    def holds(self, text: str) -> bool:
        """Whether a text stands in it, whatever its letters' case."""
        return text.casefold() in f"{self.text} {self.component} {self.raw}".casefold()

    @property
    def codes(self) -> list[tuple[str, str]]:
        """Decimal numbers in it that are error codes, and how they are written in hexadecimal."""
        found = dict.fromkeys(_NUMBER.findall(self.raw))
        return [(each, f"0x{int(each) & 0xFFFFFFFF:08X}") for each in found if int(each) < 0 or int(each) & _FAILURE_BIT]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is shown of the rows."""

    text: str = ""
    severity: str = ""
    """At least this."""
    component: str = ""
    highlight: str = ""

    def shows(self, row: Row) -> bool:
        if self.text and not row.holds(self.text):
            return False
        if self.component and row.component != self.component:
            return False
        least = SEVERITIES.index(self.severity) if self.severity in SEVERITIES else 0
        return least == 0 or (row.severity in SEVERITIES and SEVERITIES.index(row.severity) >= least)


def is_log(sight: Sight, groups: dict[str, str]) -> bool:
    """Whether a sight is of a log."""
    return groups.get(sight.id) == GROUP


def heading(sight: Sight) -> str:
    """The line above the log's lines: which file, how much of it."""
    return sight.lines[0] if sight.lines else ""


def rows_of(session: LabSession, sight: Sight) -> list[Row]:
    """The rows of one log."""
    lines = list(sight.lines[1:])
    if not lines:
        return []
    if _EVENT.match(lines[0]):
        return _events(sight, lines)
    records = read("\r\n".join(lines).encode()).records
    if records:
        return [_of_record(session, sight, record, lines) for record in records]
    return _plain(session, sight, lines)


def _of_record(session: LabSession, sight: Sight, record: Record, lines: Sequence[str]) -> Row:
    raw = "\n".join(lines[record.line - 1 : record.line_end])
    local = record.time_local
    if local is None and record.time_utc is not None:
        local = _local(session, record.time_utc)
    return Row(
        evidence=sight.evidence,
        source=sight.title,
        severity=record.severity or "",
        text=record.message.replace("~~", "\n").strip("~ ").replace("~", " "),
        component=record.component or "",
        time=_shown(local),
        order=local or _NEVER,
        thread=str(record.thread) if record.thread is not None else "",
        raw=raw,
        line=record.line + 1,
    )


def _local(session: LabSession, utc: datetime) -> datetime:
    whole = datetime.fromisoformat(session.clock(unix_epoch_us(utc)))
    return whole.replace(microsecond=utc.microsecond)


def _shown(local: datetime | None) -> str:
    return "" if local is None else local.isoformat(sep=" ", timespec="milliseconds" if local.microsecond else "seconds")


def _plain(session: LabSession, sight: Sight, lines: Sequence[str]) -> list[Row]:
    """Rows of IIS, and status messages in columns; a line that is neither belongs to the one before."""
    rows: list[Row] = []
    for number, line in enumerate(lines, 2):
        web, cells = _W3C.match(line), line.split("  ")
        local, severity, component, text = None, "", "", line
        if web:
            local = _local(session, datetime.fromisoformat(web[1]))
            text = line[web.end() :]
        elif len(cells) >= 6:
            severity, local = _LEVELS.get(cells[0].casefold(), ""), _parsed(cells[1])
            component, text = cells[3], "  ".join(cells[4:])
        elif rows and line.startswith(" "):
            last = rows.pop()
            rows.append(_longer(last, line))
            continue
        order = local or (rows[-1].order if rows else _NEVER)
        rows.append(
            Row(
                evidence=sight.evidence,
                source=sight.title,
                severity=severity,
                text=text,
                component=component,
                time=_shown(local),
                order=order,
                thread="",
                raw=line,
                line=number,
            )
        )
    return rows


def _longer(row: Row, line: str) -> Row:
    from dataclasses import replace

    return replace(row, text=f"{row.text}\n{line.strip()}", raw=f"{row.raw}\n{line}")


def _parsed(text: str) -> datetime | None:
    for form in _LOCAL_FORMS:
        try:
            return datetime.strptime(text.strip(), form)  # noqa: DTZ007
        except ValueError:
            continue
    return None


def _events(sight: Sight, lines: Sequence[str]) -> list[Row]:
    """Events as ``wevtutil`` writes them, one a row."""
    blocks: list[list[str]] = []
    for line in lines:
        if _EVENT.match(line):
            blocks.append([])
        blocks[-1].append(line)
    rows = []
    number = 2
    for block in blocks:
        rows.append(_event(sight, block, number))
        number += len(block)
    return rows


def _event(sight: Sight, block: Sequence[str], first: int) -> Row:
    values: dict[str, str] = {}
    text: list[str] = []
    for line in block[1:]:
        field = _FIELD.match(line) if "Description" not in values else None
        if field:
            values[field[1]] = field[2].strip()
        else:
            text.append(line)
    stamp = values.get("Date", "")
    try:
        local = datetime.fromisoformat(stamp).replace(tzinfo=None)
    except ValueError:
        local = None
    number = values.get("Event ID", "")
    said = "\n".join([values.get("Description", ""), *text]).strip()
    return Row(
        evidence=sight.evidence,
        source=sight.title,
        severity=_LEVELS.get(values.get("Level", "").casefold(), ""),
        text=f"{number}  {said}".strip(),
        component=values.get("Source", ""),
        time=_shown(local),
        order=local or _NEVER,
        thread="",
        raw="\n".join(block),
        line=first,
    )


def in_short(pin: Pin) -> str:
    """A pinned line as the board shows it."""
    return readable(pin.text)[:LONGEST_PIN]


def marked(text: str, words: Iterable[str]) -> list[tuple[bool, str]]:
    """A text in parts: whether the part is one of the words that are highlighted, and the part."""
    wanted = sorted({re.escape(word) for word in words if word}, key=lambda word: (-len(word), word))
    if not wanted:
        return [(False, text)]
    parts = re.split(f"({'|'.join(wanted)})", text, flags=re.IGNORECASE)
    return [(bool(number % 2), part) for number, part in enumerate(parts) if part]
