"""Who is where in a course: read from the files of its sessions alone, without playing them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.errors import WsyncsimError
from wsyncsim.lab.course import Course
from wsyncsim.lab.diary import Diary, is_begun
from wsyncsim.lab.shelf import SUFFIX, is_closed
from wsyncsim.lab.views import Plain

CHANGES = ("act", "escalate")
MOVES = (*CHANGES, "diagnose", "ask", "note", "close")
"""Actions that bring a ticket on whenever they are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seated(Plain):
    """How far a participant is at a slot."""

    trainee: str
    slot: str
    state: str
    """``not begun``, ``opened``, ``looking``, ``diagnosed``, ``repairing``, ``verified``, ``closed``, or ``damaged``."""
    looks: int = 0
    changes: int = 0
    hints: int = 0
    diagnoses: int = 0
    actions: int = 0
    idle: int = 0
    """Actions in a row, up to now, that were no new look, no question, no change, no diagnosis and no note."""


def session_file(folder: Path, slot: str, trainee: str) -> Path:
    """Where the session of a seat lies."""
    return folder / f"{slot}.{trainee}{SUFFIX}"


def board(course: Course, folder: Path) -> list[Seated]:
    """All seats of a course, by participant and slot."""
    return [seated(folder, slot.id, trainee) for trainee in course.participants for slot in course.slots]


def seated(folder: Path, slot: str, trainee: str) -> Seated:
    """A seat of a course."""
    path = session_file(folder, slot, trainee)
    if not is_begun(path):
        return Seated(trainee=trainee, slot=slot, state="not begun")
    try:
        diary = Diary.read(path)
    except WsyncsimError:
        return Seated(trainee=trainee, slot=slot, state="damaged")
    done = [action["do"] for action in diary.actions]
    return Seated(
        trainee=trainee,
        slot=slot,
        state="closed" if is_closed(diary) else _state(done),
        looks=done.count("look"),
        changes=done.count("act"),
        hints=done.count("hint"),
        diagnoses=done.count("diagnose"),
        actions=len(done),
        idle=_idle(diary.actions),
    )


def _idle(actions: list[dict[str, Any]]) -> int:
    """How many of the last actions brought nothing new. After a change every look is new again."""
    count, seen = 0, set()
    for action in actions:
        look = json.dumps([action.get(name) for name in ("id", "host", "site", "account", "target")])
        if action["do"] in MOVES or (action["do"] == "look" and look not in seen):
            count = 0
        else:
            count += 1
        if action["do"] == "look":
            seen.add(look)
        elif action["do"] in CHANGES:
            seen.clear()
    return count


def _state(done: list[str]) -> str:
    for kind, state in (("verify", "verified"), ("escalate", "repairing"), ("act", "repairing"), ("diagnose", "diagnosed")):
        if kind in done:
            return state
    return "looking" if "look" in done else "opened"
