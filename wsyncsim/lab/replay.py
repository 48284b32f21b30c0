"""A session once more: its actions as lines that could have been typed, and the conversation that they give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scenarios.repairs import REPAIRS
from wsyncsim.lab.diary import Diary
from wsyncsim.lab.session import LabSession, code
from wsyncsim.lab.terminal import Terminal

if TYPE_CHECKING:
    from wsyncsim.lab.course import Seat
    from wsyncsim.lab.terminal import Write

_OPTIONS = (("host", "--on"), ("site", "--at"), ("account", "--as"), ("target", "--target"))


def replay(diary: Diary, write: Write, *, language: str, seat: Seat | None = None) -> None:
    """Show how a session went, as its trainee could have seen it. The session's file is only read."""
    session = LabSession.replayed(Diary(None, diary.header), language=language, seat=seat)
    terminal = Terminal(session, lambda _prompt: None, write, lambda: session)
    terminal.welcome()
    for number, action in enumerate(diary.actions, 1):
        line = typed(action)
        for part in f"{number}: {terminal.prompt}{line}".split("\n"):
            terminal.show(part)
        terminal.obey(line)


def typed(action: Mapping[str, Any]) -> str:
    """The line that does this action, in English words."""
    evidence = " ".join(action.get("evidence", ()))
    match action["do"]:
        case "look":
            options = [f"{option} {action[key]}" for key, option in _OPTIONS if action.get(key) is not None]
            return " ".join(("look", action["id"], *options))
        case "act":
            id = str(action["id"])
            words = ["do", code("a", id.upper()) if id.upper() in REPAIRS else id]
            return " ".join([*words, "at", action["site"]] if action.get("site") else words)
        case "wait":
            return f"wait {action['for']}"
        case "ask":
            return f"ask {action['question']}"
        case "diagnose":
            causes = ", ".join(code("c", cause) if "@" in cause or cause == "nothing" else cause for cause in action["causes"])
            return f"diagnose {causes} with {evidence} confidence {action['confidence']}"
        case "escalate":
            return f"escalate {action['team']} with {evidence}"
        case "close":
            return f"close {action.get('resolution') or ''} anyway".replace("  ", " ")
        case "pin" | "unpin" as kind:
            return f"{kind} {action['of']} {action['line']}"
        case "think" | "note" as kind:
            return f"{kind} {action['text']}"
        case kind:
            return str(kind)
