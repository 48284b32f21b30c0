"""Where the sessions of a trainee lie, and which of them is meant."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from scenarios.mistakes import did_you_mean
from scenarios.whole import write_whole
from simulator.errors import WsyncsimError
from wsyncsim.lab import tickets
from wsyncsim.lab.data import LabError
from wsyncsim.lab.diary import Diary
from wsyncsim.lab.typed import tell

SUFFIX = ".jsonl"


def default_folder() -> Path:
    """The folder of this user where programs keep their state."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    else:
        base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "wsyncsim" / "lab"


class Shelf:
    """A folder of sessions."""

    def __init__(self, folder: Path, language: str) -> None:
        self.folder = folder
        self.language = language

    def sessions(self) -> list[Path]:
        """All of them, the one that was worked on last first."""
        found = [path for path in self.folder.glob(f"*{SUFFIX}") if path.is_file()]
        return sorted(found, key=lambda path: (-path.stat().st_mtime_ns, path.name))

    def last(self, *, closed: bool) -> Path | None:
        """The last session that is closed, or that is not; those that cannot be read and those of exams are passed over."""
        for path in self.sessions():
            with suppress(WsyncsimError):
                diary = Diary.read(path)
                if "ticket" in diary.header and is_closed(diary) == closed:
                    return path
        return None

    def find(self, name: str) -> Path:
        """A session by its name or its file; raises ``LabError``."""
        for path in (Path(name), self.folder / name, self.folder / f"{name}{SUFFIX}"):
            with suppress(OSError, ValueError):
                if path.is_file():
                    return path
        known = [path.stem for path in self.sessions()]
        raise LabError(tell("no_session", self.language, name=name), hint=did_you_mean(name, known))

    def new(self, ticket: str, seed: int) -> Path:
        """A file for a new session."""
        for number in range(1, 10_000):
            path = self.folder / f"{ticket}-{seed}{f'-{number}' if number > 1 else ''}{SUFFIX}"
            if not path.exists():
                return path
        raise LabError(f"there are too many sessions of ticket {ticket}", where=str(self.folder))

    def next_ticket(self) -> str:
        """The easiest ticket for the help desk that has not been begun here; else the easiest one at all."""
        begun = {path.stem.split("-")[0] for path in self.sessions()}
        ordered = sorted(tickets(), key=lambda ticket: (ticket.level < 1, ticket.level, ticket.role != "help desk", ticket.id))
        return next((ticket.id for ticket in ordered if ticket.id not in begun), ordered[0].id)


def is_closed(diary: Diary) -> bool:
    """Whether the diary's last action closed its ticket."""
    return bool(diary.actions) and diary.actions[-1]["do"] == "close"


def write_text(path: Path, text: str) -> None:
    """Write a file, all of it or nothing, into a folder that is there; raises ``LabError``."""
    if not path.parent.is_dir():
        raise LabError("its folder is not there", where=str(path))
    try:
        write_whole(path, text.encode("utf-8"))
    except OSError as error:
        raise LabError(f"it cannot be written: {error.strerror}", where=str(path)) from None
