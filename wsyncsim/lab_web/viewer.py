"""The log viewer, in the manner of CMTrace: what it shows of the logs that were opened, and what its forms do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from simulator.errors import WsyncsimError
from wsyncsim.lab.codes import codes_in, look_up
from wsyncsim.lab.data import LabError
from wsyncsim.lab_web import evidence, log_rows
from wsyncsim.lab_web.log_rows import Filter, Row

if TYPE_CHECKING:
    from wsyncsim.lab.codes import Code
    from wsyncsim.lab.session import LabSession
    from wsyncsim.lab.views import LookItem, Sight
    from wsyncsim.lab_web.app import Visit
    from wsyncsim.lab_web.shelf import Desk

FILTERS = ("text", "severity", "component", "highlight")
KEPT = (*FILTERS, "find", "log", "at")
"""What the address holds of the viewer's state."""
LONGEST = 200
MOST_HITS = 100_000
Place = tuple[str, str]
"""A look, and the server where it was done."""


def logs(visit: Visit, desk: Desk) -> dict[str, Any]:
    """The page."""
    session = desk.session
    last, before = _opened(desk)
    wanted = {_place(session, name) for name in visit.request.query_params.getlist("log")} & set(last)
    chosen = [sight for place, sight in last.items() if not wanted or place in wanted]
    seen = _merged(session, chosen, before)
    given = {name: visit.asked(name) for name in FILTERS}
    filter_ = Filter(**given)
    rows = [row for row in seen if filter_.shows(row)]
    find = visit.asked("find")
    hits = [row.id for row in rows if find and find.casefold() in row.text.casefold()]
    at = _hit(visit, len(hits))
    kept = [("log", last[place].evidence) for place in last if place in wanted]
    state = [*kept, *((name, value) for name, value in given.items() if value)]
    errors = sum(row.severity == "error" for row in rows)
    return {
        "last": list(last.values()),
        "chosen": {each.evidence for each in chosen},
        "rows": rows,
        "total": len(seen),
        "errors": errors,
        "components": sorted({row.component for row in seen if row.component}),
        "filter": filter_,
        "find": find,
        "hits": set(hits),
        "hit": hits[at - 1] if hits else "",
        "at": at,
        "state": state,
        "query": urlencode([*state, *([("find", find), ("at", str(at))] if find else [])]),
        "chips": _chips(visit, given, [*kept, *([("find", find)] if find else [])]),
        "clear": "?" + urlencode(kept),
        "unopened": _unopened(session, last),
        "follow_minutes": sum(each.minutes for each in chosen),
        "news": _news(visit, len(rows), len(seen), errors, at, len(hits)),
        "show": hits[at - 1] if hits else next((row.id for row in rows if row.new), "") if visit.asked("said") else "",
        **for_rows(visit, desk, rows),
        **_code(visit),
    }


def for_rows(visit: Visit, desk: Desk, rows: Sequence[Row]) -> dict[str, Any]:
    """What the table of a log needs beside its rows."""
    return {
        "known_codes": lambda row: codes_in(row.raw, visit.language),
        "other_codes": _other_codes,
        "pinned": evidence.pinned_rows(desk.session, rows),
    }


def _other_codes(row: Row, known: Sequence[Code]) -> list[tuple[str, str]]:
    told = " ".join(code.spelled for code in known)
    return [each for each in row.codes if each[1] not in told]


def _opened(desk: Desk) -> tuple[dict[Place, Sight], dict[Place, Sight]]:
    """What was last seen of each log, and what was seen of it before that."""
    groups = desk.groups()
    last: dict[Place, Sight] = {}
    before: dict[Place, Sight] = {}
    for sight in desk.session.sights:
        if log_rows.is_log(sight, groups):
            place = sight.id, sight.host
            if place in last:
                before[place] = last[place]
            last[place] = sight
    return last, before


def _place(session: LabSession, name: str) -> Place:
    """Where something was seen; empty for what was not."""
    return next(((sight.id, sight.host) for sight in session.sights if sight.evidence == name), ("", ""))


def _merged(session: LabSession, chosen: Iterable[Sight], before: Mapping[Place, Sight]) -> list[Row]:
    """The rows of these logs by time; those that were not there at the look before are new."""
    rows: list[Row] = []
    for sight in chosen:
        found = log_rows.rows_of(session, sight)
        earlier = before.get((sight.id, sight.host))
        rows += found if earlier is None else _fresh(found, earlier)
    return sorted(rows, key=lambda row: row.order)


def _fresh(rows: Iterable[Row], earlier: Sight) -> list[Row]:
    known = Counter(earlier.lines)
    marked = []
    for row in rows:
        first = row.raw.split("\n", 1)[0]
        new = not known[first]
        known[first] -= not new
        marked.append(replace(row, new=new))
    return marked


def _hit(visit: Visit, count: int) -> int:
    """Which hit is meant, from 1, round and round; the first when something else is sought than before."""
    if not count:
        return 0
    given = visit.asked("at").removeprefix("-")
    asked = "found" in visit.request.query_params
    again = not asked or visit.asked("found") == visit.asked("find")
    if not again or not (given.isascii() and given.isdecimal() and len(given) < len(str(MOST_HITS))):
        return 1
    number = int(visit.asked("at"))
    return (number - 1) % count + 1


def _unopened(session: LabSession, last: Mapping[Place, Sight]) -> list[tuple[LookItem, Any]]:
    return [
        (item, place)
        for item in session.looks()
        if item.group == log_rows.GROUP
        for place in item.places
        if (item.id, place.host) not in last
    ]


def _news(visit: Visit, shown: int, total: int, errors: int, at: int, hits: int) -> str:
    """What is said aloud after the page has changed."""
    told = [visit.says("rows_shown", n=shown, of=total), visit.says("errors_of_them", n=errors)]
    if visit.asked("find"):
        told.append(visit.says("hit_of", n=at, of=hits) if hits else visit.says("no_hit"))
    return ". ".join(told)


def _code(visit: Visit) -> dict[str, Any]:
    """The code that is looked up, and what it means."""
    wanted = visit.asked("code").strip()
    found: list[Code] = []
    mistake = ""
    if wanted:
        try:
            found = look_up(wanted, visit.language)
        except WsyncsimError:
            mistake = visit.says("code_mistake")
    return {"code": wanted, "code_found": found, "code_mistake": mistake}


def _chips(visit: Visit, given: Mapping[str, str], kept: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Active filters in words, each with the query without it."""
    words = {
        "text": lambda value: f"{visit.says('contains')}: {value}",
        "severity": lambda value: visit.says("only_error" if value == "error" else "from_warning"),
        "component": lambda value: f"{visit.says('component')}: {value}",
        "highlight": lambda value: f"{visit.says('highlight')}: {value}",
    }
    chips = []
    for name, value in given.items():
        if value:
            rest = [(other, each) for other, each in given.items() if each and other != name]
            chips.append((words[name](value), "?" + urlencode([*kept, *rest])))
    return chips


# --- what forms do


def state_of(visit: Visit) -> list[tuple[str, str]]:
    """The viewer's state that a form brought along; nothing that is not of it."""
    try:
        given = parse_qsl(visit.first("query"), max_num_fields=60)
    except ValueError:
        return []
    return [(name, value[:LONGEST]) for name, value in given if name in KEPT]


def back_to(visit: Visit, state: Sequence[tuple[str, str]], fragment: str = "", *, said: bool = False) -> str:
    """The address of the viewer with this state."""
    query = urlencode([*state, *([("said", "1")] if said else [])])
    return f"/s/{visit.session_id}/logs{'?' if query else ''}{query}{'#' if fragment else ''}{fragment}"


def opened(visit: Visit, desk: Desk, sight: Sight) -> str:
    """After a log was opened from the viewer: there it is, with what was shown before."""
    rows = log_rows.rows_of(desk.session, sight)
    if sight.new:
        desk.said = visit.says("log_read", title=sight.title, n=len(rows), errors=_errors(rows))
    state = state_of(visit)
    if any(name == "log" for name, _ in state):
        state.append(("log", sight.evidence))
    return back_to(visit, state, said=bool(desk.said))


def follow(visit: Visit, desk: Desk) -> str:
    """Let time pass, or none, and read the logs that are shown again."""
    session = desk.session
    places = list(dict.fromkeys(_place(session, name) for name in visit.form.get("log", [])))
    last, _ = _opened(desk)
    if not places or not set(places) <= set(last):
        raise LabError(visit.says("bad_choice"))
    if visit.first("for"):
        session.wait(visit.first("for"))
    for id, host in places:
        session.look(id, host=host)
    last, before = _opened(desk)
    new = [row for row in _merged(session, [last[place] for place in places], before) if row.new]
    desk.said = visit.says("new_lines", n=len(new), errors=_errors(new))
    return back_to(visit, state_of(visit), new[0].id if new else "", said=True)


def _errors(rows: Iterable[Row]) -> int:
    return sum(row.severity == "error" for row in rows)


def pin(visit: Visit, desk: Desk) -> str:
    """Pin a line to the board, or take it off."""
    off = "unpin" in visit.form
    name, _, number = visit.first("unpin" if off else "pin").partition("-")
    if not (number.isascii() and number.isdecimal() and len(number) <= 6):
        raise LabError(visit.says("bad_choice"))
    page = visit.first("page") or name[1:]
    if not (page.isascii() and page.isdecimal() and len(page) <= 6):
        raise LabError(visit.says("bad_choice"))
    fragment = _shown_as(desk, f"{name}-{int(number)}") if visit.first("back") == "logs" else f"{name}-{int(number)}"
    (desk.session.unpin if off else desk.session.pin)(name, int(number))
    desk.said = visit.says("unpinned" if off else "pinned", evidence=name, line=number)
    if visit.first("back") == "logs":
        return back_to(visit, state_of(visit), fragment, said=True)
    if visit.first("back"):
        return ""
    return f"/s/{visit.session_id}/e/{page}?said=1#{fragment}"


def _shown_as(desk: Desk, pin: str) -> str:
    """The row of the viewer that shows a pinned line."""
    session = desk.session
    rows = [row for sight in _opened(desk)[0].values() for row in log_rows.rows_of(session, sight)]
    return next((row for row, each in evidence.pinned_rows(session, rows).items() if each == pin), pin)
