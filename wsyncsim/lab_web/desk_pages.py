"""What the pages of a session show, and which call each of its forms is. No page decides anything: the session does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wsyncsim.lab.data import LabError, people, policy, say
from wsyncsim.lab.hints import price, price_rule
from wsyncsim.lab.session import QUESTIONS, RESOLUTIONS
from wsyncsim.lab_web import drawing, evidence, log_rows, sheets, viewer
from wsyncsim.lab_web.words import all_words, moment

if TYPE_CHECKING:
    from wsyncsim.lab.session import LabSession
    from wsyncsim.lab.views import LookItem, Sight
    from wsyncsim.lab_web.app import Visit
    from wsyncsim.lab_web.shelf import Desk

STEPS = ("ticket", "look", "logs", "check", "mend")
"""Pages in the order of the five steps."""
GROUPS = ("console", "logs", "iis_manager", "wsus_console", "windows", "network", "tools", "site_server")
ONCE = ("ask", "diagnose", "act", "escalate", "hint", "close")
"""Deeds that cost something, or cannot be taken back: sent twice, they are done once. Their forms tell how many were before."""
ACTION_GROUPS = ("configmgr", "wsus", "iis", "windows", "network")
MOST_CAUSES = 3
MOST_DIGITS = 4
"""A session has no more sights than actions."""


def common(visit: Visit, desk: Desk, page: str) -> dict[str, Any]:
    """What every page of a session shows."""
    session = desk.session
    about = session.about()
    return {
        "session": session,
        "about": about,
        "base": f"/s/{visit.session_id}",
        "page": page,
        "once": ONCE,
        "made_after": _count_once(session),
        "steps": STEPS,
        "xray": session.xray(),
        "said": desk.said if visit.asked("said") else "",
        "pin_text": log_rows.in_short,
        "listed": evidence.listed(session),
        "hint_price": price(session),
        "hint_rule": price_rule(session.language),
        "team_name": lambda team: say(f"team_{team.replace(' ', '_')}", session.language),
        "group_name": lambda group: _group(visit, group),
    }


def _group(visit: Visit, group: str) -> str:
    name = f"group_{group}"
    return visit.says(name if name in all_words() else "group_other")


def _in_order(groups: Mapping[str, Any], order: Sequence[str]) -> dict[str, Any]:
    names = [*(name for name in order if name in groups), *(name for name in groups if name not in order)]
    return {name: groups[name] for name in names}


# --- what pages show


def ticket(_visit: Visit, desk: Desk) -> dict[str, Any]:
    session = desk.session
    said = {
        name: people().answers[name].in_(session.language).format_map({"site": session.variant.site}) for name in session.answers
    }
    return {"questions": QUESTIONS, "answers": said}


def look(_visit: Visit, desk: Desk) -> dict[str, Any]:
    """All looks by console, with their prices, and where they have been done."""
    return {"groups": consoles(desk.session), "last_seen": _last_seen(desk.session), "group": ""}


def consoles(session: LabSession) -> dict[str, list[LookItem]]:
    """All looks by console."""
    groups: dict[str, list[LookItem]] = {}
    for item in session.looks():
        groups.setdefault(item.group, []).append(item)
    return _in_order(groups, GROUPS)


def _last_seen(session: LabSession) -> dict[tuple[str, str], str]:
    return {(sight.id, sight.host): sight.evidence for sight in session.sights}


def sight_of(visit: Visit, desk: Desk) -> Sight:
    """The sight that the address names. Raises ``LabError``."""
    given, seen = str(visit.request.path_params["number"]), desk.session.sights
    if not (given.isascii() and given.isdecimal() and len(given) <= MOST_DIGITS and 1 <= int(given) <= len(seen)):
        raise LabError(visit.says("not_found"))
    return seen[int(given) - 1]


def sight(visit: Visit, desk: Desk) -> dict[str, Any]:
    """Something that has been seen."""
    found = sight_of(visit, desk)
    groups = desk.groups()
    is_log = log_rows.is_log(found, groups)
    rows = log_rows.rows_of(desk.session, found) if is_log else []
    return {
        "sight": found,
        "group": groups.get(found.id, ""),
        "rows": rows,
        "heading": log_rows.heading(found) if rows else "",
        "sheet": None if rows else sheets.sheet(found.lines),
        "highlight": "",
        "groups": consoles(desk.session),
        "last_seen": _last_seen(desk.session),
        "news": visit.says("looked_at", title=found.title, host=found.host),
        **viewer.for_rows(visit, desk, rows),
    }


def check(visit: Visit, desk: Desk) -> dict[str, Any]:
    """Evidence, hypotheses, and the form of the diagnosis."""
    session = desk.session
    titles = {cause.id: cause.title for cause in session.causes()}
    return {
        "causes": titles,
        "handed_in": [
            (cause_titles(session, diagnosis.causes), diagnosis.evidence, diagnosis.confidence) for diagnosis in session.diagnoses
        ],
        "diagnoses_left": max(0, int(policy().weights["diagnoses"]) - len(session.diagnoses)),
        "left": desk.remaining() if visit.asked("left") and session.shows_remaining else None,
        "can_show_left": session.shows_remaining,
        "most_causes": MOST_CAUSES,
    }


def cause_titles(session: LabSession, causes: Sequence[Any]) -> list[str]:
    return [cause.title(session.language) for cause in causes]


def mend(_visit: Visit, desk: Desk) -> dict[str, Any]:
    """Actions by console, escalation, proof, note, closing."""
    groups: dict[str, list[Any]] = {}
    for item in desk.session.actions():
        groups.setdefault(item.group, []).append(item)
    return {"groups": _in_order(groups, ACTION_GROUPS), "teams": desk.session.teams()}


def confirm(visit: Visit, desk: Desk) -> dict[str, Any]:
    """An action before it is done."""
    wanted = str(visit.request.path_params["action"])
    item = next((each for each in desk.session.actions() if each.id == wanted), None)
    if item is None:
        raise LabError(visit.says("not_found"))
    return {"item": item, "site": visit.asked("site") if visit.asked("site") in item.sites else ""}


def close(_visit: Visit, _desk: Desk) -> dict[str, Any]:
    return {"resolutions": RESOLUTIONS}


def debrief(_visit: Visit, desk: Desk) -> dict[str, Any]:
    """The mark and what really happened."""
    found = desk.debrief()
    return {
        "result": desk.session.result(),
        "weights": policy().weights,
        "titles": {item.id: item.title for item in desk.session.looks()},
        "debrief": found,
        "timeline": drawing.timeline(found),
        "curve": drawing.curve(found),
    }


PAGES: dict[str, Callable[[Visit, Desk], dict[str, Any]]] = {
    "ticket": ticket,
    "look": look,
    "logs": viewer.logs,
    "check": check,
    "mend": mend,
    "close": close,
    "debrief": debrief,
}


def is_stale(what: str, visit: Visit, desk: Desk) -> bool:
    """Whether something that counts has been done since a form was made. Scripts need not say after how much they were."""
    return what in ONCE and "after" in visit.form and visit.first("after") != str(_count_once(desk.session))


def _count_once(session: LabSession) -> int:
    return sum(action["do"] in ONCE for action in session.actions_done)


def page_is_known(page: str, visit: Visit, desk: Desk) -> bool:
    """Whether what a page shows need not be computed any more. Raises ``LabError`` for what must not be shown."""
    if page == "debrief":
        return desk.knows("debrief")
    if page == "check" and visit.asked("left") and desk.session.shows_remaining:
        return desk.knows("left")
    return True


def deed_is_known(what: str, visit: Visit, desk: Desk) -> bool:
    """Whether what a form asks for need not be computed, or not any more: what is refused needs no answer."""
    session = desk.session
    if session.closed:
        return True
    if what == "hint":
        return not session.hints_allowed or desk.knows("hint")
    if what == "escalate":
        team, evidence = visit.first("team"), set(visit.form.get("evidence", []))
        refused = team not in session.teams() or not evidence or not evidence <= {sight.evidence for sight in session.sights}
        return refused or desk.knows("enough", team)
    return True


# --- what forms do; each returns where to go, empty for the page that it came from


def _look(visit: Visit, desk: Desk) -> str:
    given = {name: visit.first(name).strip() or None for name in ("host", "target")}
    seen = desk.session.look(visit.first("look"), **given)
    desk.said = "" if seen.new else visit.says("nothing_new" if seen.same else "nothing_more")
    if visit.first("back") == "logs":
        return viewer.opened(visit, desk, seen)
    return f"e/{seen.evidence[1:]}"


def _act(visit: Visit, desk: Desk) -> str:
    done = desk.session.act(visit.first("action"), site=visit.first("site") or None)
    local = moment(done.local, visit.language)
    desk.said = visit.says("done", title=done.title, site=done.site, n=done.minutes, local=local)
    return "mend"


def _wait(visit: Visit, desk: Desk) -> str:
    waited = desk.session.wait(visit.first("for"))
    desk.said = visit.says("waited", n=waited.minutes, local=moment(waited.local, visit.language))
    return ""


def _ask(visit: Visit, desk: Desk) -> str:
    question = visit.first("question")
    answer = desk.session.ask(question)
    desk.said = f"{visit.says(f'ask_{question}')} – {answer}"
    return "ticket"


def _think(visit: Visit, desk: Desk) -> str:
    desk.session.hypothesis(visit.first("text"))
    desk.said = visit.says("kept")
    return ""


def _note(visit: Visit, desk: Desk) -> str:
    desk.session.note(visit.first("text"))
    desk.said = visit.says("noted")
    return "mend"


def _diagnose(visit: Visit, desk: Desk) -> str:
    causes = [cause for cause in visit.form.get("cause", []) if cause]
    confidence = visit.first("confidence")
    if not causes or confidence not in ("1", "2", "3"):
        raise LabError(visit.says("bad_choice"))
    left = desk.session.diagnose(causes, visit.form.get("evidence", []), int(confidence))
    nothing = not any(cause.fault for cause in desk.session.diagnoses[-1].causes)
    desk.said = visit.says("handed_in_nothing" if nothing else "handed_in", n=left)
    return "check"


def _escalate(visit: Visit, desk: Desk) -> str:
    desk.said = desk.session.escalate(visit.first("team"), visit.form.get("evidence", [])).reply
    return "mend"


def _verify(_visit: Visit, desk: Desk) -> str:
    desk.said = desk.session.verify().text
    return "mend"


def _hint(visit: Visit, desk: Desk) -> str:
    hint = desk.session.hint()
    desk.said = f"{visit.says('hint_n', n=len(desk.session.hints))}: {hint.text}"
    return ""


def _close(visit: Visit, desk: Desk) -> str:
    desk.session.finish(visit.first("resolution") or None)
    desk.said = ""
    return after_closing(desk)


def after_closing(desk: Desk) -> str:
    """The page of a closed session: an exam keeps its answers until they are released."""
    return "debrief" if desk.session.released else "close"


def _fork(visit: Visit, desk: Desk) -> str:
    at = visit.first("at")
    if not (at.isascii() and at.isdigit() and len(at) <= 4):
        raise LabError(visit.says("bad_choice"))
    return f"/s/{visit.shelf.fork(desk, int(at))}/ticket"


DEEDS: dict[str, Callable[[Visit, Desk], str]] = {
    "look": _look,
    "act": _act,
    "wait": _wait,
    "ask": _ask,
    "think": _think,
    "note": _note,
    "diagnose": _diagnose,
    "escalate": _escalate,
    "verify": _verify,
    "hint": _hint,
    "close": _close,
    "fork": _fork,
    "pin": viewer.pin,
    "follow": viewer.follow,
}
HOME_OF = {
    "look": "look",
    "act": "mend",
    "wait": "ticket",
    "ask": "ticket",
    "think": "check",
    "note": "mend",
    "diagnose": "check",
    "escalate": "mend",
    "verify": "mend",
    "hint": "ticket",
    "close": "close",
    "fork": "ticket",
    "pin": "logs",
    "follow": "logs",
}
"""The page of a form, when it does not say from where it was sent."""
