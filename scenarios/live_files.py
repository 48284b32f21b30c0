"""The files of a live environment: written as the product writes them, while others read.

One write of the operating system per record (or two, torn), and nothing stays open: a file is opened for appending, written
and closed. Readers may open it at any time; on Windows they have to share reading, writing and deleting, as CMTrace and the
usual shippers do. Where a reader does not, a write is tried again for a while, and a rotation is put off: then the log
overgrows, as the product's does.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import FileIO
from pathlib import Path
from typing import Literal, get_args

from generators.feed import Piece, Roll
from simulator.dice import Stream

Rotation = Literal["rename", "copytruncate", "history"]
"""Ways to begin a new file.

``rename``
    ``name.log`` becomes ``name.lo_``, over an older one.
``copytruncate``
    ``name.log`` is copied to ``name.lo_`` and emptied.
``history``
    ``name.log`` becomes ``name-YYYYMMDD-HHMMSS.log``, in simulated local time; all are kept.
"""
ROTATIONS: tuple[Rotation, ...] = get_args(Rotation)

TRY_AGAIN_S = 0.05
TRIES = 200
"""How often, and how many times, a write is tried that a reader forbids (Windows)."""
TORN_PAUSE_SHARE = 0.05
TORN_PAUSE_S = 0.03
"""How many torn records are left half written for a moment, and for how long."""


@dataclass(slots=True)
class Written:
    """Where bytes came to lie."""

    file: str
    start: int
    """Offset of the text in the file."""


@dataclass(slots=True)
class _State:
    size: int = 0
    preamble: bytes = b""
    """What every file of this name begins with: byte-order mark and header."""
    put_off: Roll | None = None
    """A rotation that a reader has prevented so far."""
    stamps: set[str] = field(default_factory=set)


class LiveFiles:
    """Files below ``root``; with ``torn`` dice every record is written in two halves."""

    def __init__(self, root: Path, rotation: Rotation, torn: Stream | None) -> None:
        self._root = root
        self._rotation = rotation
        self._torn = torn
        self._states: dict[str, _State] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._states

    def size(self, path: str) -> int:
        """Bytes that the file holds; 0 when there is none."""
        state = self._states.get(path)
        return state.size if state else 0

    def owed(self, path: str) -> Roll | None:
        """The rotation that is still to be made up for."""
        state = self._states.get(path)
        return state.put_off if state else None

    def append(self, piece: Piece) -> Written | None:
        """Write a piece; ``None`` for the beginning of a file that could not be begun."""
        state = self._states.get(piece.path)
        if state is None:
            state = self._states[piece.path] = _State()
            (self._root / piece.path).parent.mkdir(parents=True, exist_ok=True)
        data, text_start = piece.data, piece.text_start
        if piece.fresh:
            state.preamble = piece.data if piece.record is None else piece.data[: piece.text_start]
            if state.put_off is not None:  # the old file goes on
                if piece.record is None:
                    return None
                data, text_start = data[text_start:], 0
        elif not state.size:  # a rotation was made up for in mid-file
            data, text_start = state.preamble + data, text_start + len(state.preamble)
        written = Written(piece.path, state.size + text_start)
        self._write(self._root / piece.path, data)
        state.size += len(data)
        return written

    def roll(self, deed: Roll, local: str) -> str | None:
        """Begin a new file; returns what the old one is called now, or ``None`` when a reader prevents it.

        ``local`` is the simulated local time, ISO 8601. The rotation is owed then: the caller tries again later.
        """
        state = self._states[deed.path]
        rolled = self._dated(state, deed.path, local) if self._rotation == "history" else deed.rolled
        old, new = self._root / deed.path, self._root / rolled
        try:
            if self._rotation == "copytruncate":
                shutil.copyfile(old, new)
                os.truncate(old, 0)
            else:
                old.replace(new)
        except PermissionError:
            state.put_off = deed
            return None
        state.put_off = None
        state.size = 0
        return rolled

    @staticmethod
    def _dated(state: _State, path: str, local: str) -> str:
        """A name that no earlier file has."""
        stem, dot, extension = path.rpartition(".")
        moment = datetime.fromisoformat(local)
        while (stamp := f"{moment:%Y%m%d-%H%M%S}") in state.stamps:
            moment += timedelta(seconds=1)
        state.stamps.add(stamp)
        return f"{stem}-{stamp}{dot}{extension}"

    def _write(self, file: Path, data: bytes) -> None:
        """Append ``data``. The command turns signals into ``stop``, so nothing interrupts it and every record is whole."""
        for tries_left in reversed(range(TRIES)):
            try:
                handle = file.open("ab", buffering=0)
            except PermissionError:
                if not tries_left:
                    raise
                time.sleep(TRY_AGAIN_S)
                continue
            break
        with handle:
            torn = self._torn
            if torn is None or len(data) < 2:
                _write_all(handle, data)
                return
            cut = torn.between(1, len(data))
            _write_all(handle, data[:cut])
            if torn.uniform() < TORN_PAUSE_SHARE:
                time.sleep(TORN_PAUSE_S)
            _write_all(handle, data[cut:])


def _write_all(handle: FileIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[handle.write(rest) or 0 :]
