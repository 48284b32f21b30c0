"""A small reader of ConfigMgr's site component logs (wsyncmgr.log, WCM.log, WSUSCtrl.log), as 2012 and later write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

LINE = re.compile(
    r"(?P<message>.*?) *\$\$<(?P<component>[^<>]*)><(?P<local>\d\d-\d\d-\d{4} \d\d:\d\d:\d\d\.\d{3})(?P<bias>[+-]\d{1,3})>"
    r"<thread=(?P<thread>\d+) \(0x[0-9A-F]+\)>",
    re.DOTALL,
)


@dataclass(frozen=True)
class Line:
    """One record."""

    message: str
    component: str
    local: datetime
    utc: datetime
    thread: int


def parse_line(text: str) -> Line | None:
    """A record, or ``None`` when the text is none.

    The number behind the milliseconds is a bias: minutes to add to local time to get UTC.
    """
    match = LINE.fullmatch(text)
    if match is None:
        return None
    month, day, year, hour, minute, second, milli = map(int, re.findall(r"\d+", match["local"]))
    try:
        local = datetime(year, month, day, hour, minute, second, milli * 1000)
    except ValueError:  # no day of any calendar
        return None
    utc = local + timedelta(minutes=int(match["bias"]))
    return Line(match["message"], match["component"], local, utc, int(match["thread"]))


def parse_file(path: Path) -> list[Line]:
    """All records of a file; what is no record, such as half of one at the end, is left out."""
    lines = path.read_bytes().decode("utf-8-sig", "replace").split("\r\n")
    return [line for text in lines if (line := parse_line(text)) is not None]


def follow(path: Path, offset: int = 0) -> Iterator[tuple[str, int]]:
    """Whole lines that were added since ``offset``, each with the offset behind it."""
    with path.open("rb") as file:
        file.seek(offset)
        for raw in file:
            if not raw.endswith(b"\n"):
                return
            offset += len(raw)
            yield raw.decode("utf-8-sig", "replace").rstrip("\r\n"), offset
