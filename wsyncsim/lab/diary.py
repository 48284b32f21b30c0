"""A session's file: JSON lines, one per action, each on the disk before it counts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from wsyncsim.lab.data import LabError

SCHEMA = "wsyncsim-lab/1"
MAX_BYTES = 4_000_000
"""A longer file is no session's."""
LAST_LINE_BYTES = 1_000
"""So much of it is kept free for closing."""


def is_begun(path: Path) -> bool:
    """Whether a file holds the first line of a session. A kill while it was made can have left one without."""
    try:
        with path.open("rb") as file:
            return file.readline(MAX_BYTES).endswith(b"\n")
    except FileNotFoundError:
        return False
    except OSError as error:
        raise LabError(f"it cannot be read: {error.strerror}", where=str(path)) from None


class Diary:
    """The header and the actions of a session, in a file or (without ``path``) in memory.

    A line counts when it ends in a line feed: what a crash left of the last one is dropped at the next writing.
    """

    def __init__(self, path: Path | None, header: dict[str, Any]) -> None:
        self.path = path
        self.header = header
        self.actions: list[dict[str, Any]] = []
        self._size = 0

    @classmethod
    def create(cls, path: Path | None, header: dict[str, Any]) -> Diary:
        """A new one; raises ``LabError`` when the file exists already."""
        diary = cls(path, {"schema": SCHEMA, **header})
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb"):
                    pass
            except FileExistsError:
                if not is_begun(path):
                    diary._write(diary.header)
                    return diary
                raise LabError("it exists already", where=str(path), hint="Resume that session, or choose another file") from None
            except OSError as error:
                raise LabError(f"it cannot be written: {error.strerror}", where=str(path)) from None
            diary._write(diary.header)
        return diary

    @classmethod
    def read(cls, path: Path) -> Diary:
        """An existing one; raises ``LabError`` for what is none."""
        try:
            if path.stat().st_size > MAX_BYTES:
                raise LabError("it is too long for a session", where=str(path))
            content = path.read_bytes()
        except FileNotFoundError:
            raise LabError("there is no such session", where=str(path)) from None
        except OSError as error:
            raise LabError(f"it cannot be read: {error.strerror}", where=str(path)) from None
        whole, _, _torn = content.rpartition(b"\n")
        lines = whole.split(b"\n") if whole else []
        records = [_record(line, number, path) for number, line in enumerate(lines, 1)]
        if not records or records[0].get("schema") != SCHEMA:
            raise LabError("it is not a session of this lab", where=str(path), hint=f"Its first line names {SCHEMA}")
        diary = cls(path, records[0])
        diary.actions = records[1:]
        for number, action in enumerate(diary.actions, 1):
            if action.get("n") != number or type(action.get("do")) is not str:
                raise LabError(f"action {number} is missing or damaged", where=str(path))
        diary._size = len(whole) + 1
        return diary

    def append(self, action: dict[str, Any]) -> None:
        """Write an action down: it is on the disk when this returns. Raises ``LabError`` when it cannot be."""
        if self.path is not None:
            try:
                size = self.path.stat().st_size
                if size > self._size and self._others_wrote():
                    raise LabError(
                        "somebody else has gone on with this session",
                        where=str(self.path),
                        hint="Refresh it, or open it again, to go on from there",
                    )
                self._write(action, MAX_BYTES if action["do"] == "close" else MAX_BYTES - LAST_LINE_BYTES)
            except OSError as error:
                raise LabError(f"it cannot be written: {error.strerror}", where=str(self.path)) from None
        self.actions.append(action)

    def _others_wrote(self) -> bool:
        """Whether there is a whole line behind what is known; a torn one is not."""
        assert self.path is not None
        with self.path.open("rb") as file:
            file.seek(self._size)
            return b"\n" in file.read()

    def _write(self, record: dict[str, Any], most_bytes: int = MAX_BYTES) -> None:
        assert self.path is not None
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        if self._size + len(line) > most_bytes:
            raise LabError("the session's file is full", where=str(self.path), hint="Close the ticket")
        with self.path.open("r+b") as file:
            file.truncate(self._size)
            file.seek(self._size)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._size += len(line)


def _record(line: bytes, number: int, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(line)
        json.dumps(found, ensure_ascii=False).encode()  # halves of characters could be shown to nobody
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise LabError(f"line {number} is not JSON", where=str(path))
    return found
