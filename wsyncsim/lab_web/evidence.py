"""What has been seen, as the lists of evidence show it: the newest sight of each look, and pinned lines wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wsyncsim.lab_web import log_rows

if TYPE_CHECKING:
    from wsyncsim.lab.session import LabSession
    from wsyncsim.lab.views import Sight
    from wsyncsim.lab_web.log_rows import Row

Look = tuple[str, ...]
_EVENT_NUMBER = re.compile(r"\AEvent\[\d+\]:?")


@dataclass(frozen=True, slots=True)
class Listed:
    """A sight of a list, and the older ones of the same look that are not in it."""

    sight: Sight
    earlier: tuple[Sight, ...]


def listed(session: LabSession) -> list[Listed]:
    """The newest sight of each look, and older ones that have pins or show a diagnosis; oldest first."""
    kept = {pin.evidence for pin in session.pins} | {name for each in session.diagnoses for name in each.evidence}
    newest = {_look(sight): sight.evidence for sight in session.sights}
    hidden: dict[Look, list[Sight]] = {}
    found = []
    for sight in session.sights:
        is_newest = newest[_look(sight)] == sight.evidence
        if is_newest or sight.evidence in kept:
            found.append(Listed(sight, tuple(hidden.get(_look(sight), ())) if is_newest else ()))
        else:
            hidden.setdefault(_look(sight), []).append(sight)
    return found


def _look(sight: Sight) -> Look:
    """What two sights of the same thing have in common."""
    return sight.id, sight.host, sight.site, sight.account, sight.target or ""


def pinned_rows(session: LabSession, rows: Iterable[Row]) -> dict[str, str]:
    """Id of a row -> the pin that is meant (``e3-17``): the row itself, or the same line in another sight of the same look."""
    sights = {sight.evidence: sight for sight in session.sights}
    pins = {f"{pin.evidence}-{pin.line}": pin for pin in session.pins}
    lines: dict[Look, dict[tuple[str, int], str]] = {}
    for evidence in dict.fromkeys(pin.evidence for pin in session.pins):
        sight = sights[evidence]
        known = lines.setdefault(_look(sight), {})
        for row, line in _told(log_rows.rows_of(session, sight)):
            if row.id in pins:
                known.setdefault(line, row.id)
    shown = list(rows)
    found = {row.id: row.id for row in shown if row.id in pins}
    for evidence in dict.fromkeys(row.evidence for row in shown):
        known = lines.get(_look(sights[evidence]), {})
        for row, line in _told(log_rows.rows_of(session, sights[evidence])) if known else ():
            if line in known:
                found.setdefault(row.id, known[line])
    return found


def _told(rows: Iterable[Row]) -> Iterable[tuple[Row, tuple[str, int]]]:
    """Each row with what it says, and how many before it said the same."""
    count: dict[str, int] = {}
    for row in rows:
        text = _EVENT_NUMBER.sub("", row.raw)
        number = count[text] = count.get(text, -1) + 1
        yield row, (text, number)
