"""Files and folders that are written whole or not at all: beside their place first, then moved there."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO


def work_folder(out: Path) -> Path:
    """A new folder beside ``out``, with the rights that every new folder has. Raises ``OSError``."""
    for number in count():
        work = _beside(out, number)
        with suppress(FileExistsError):
            work.mkdir()
            return work
    raise AssertionError


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, and the folders above it, so that it is never seen half written. Raises ``OSError``; nothing is left then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    work, file = _work_file(path)
    try:
        with file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        work.replace(path)
    finally:
        with suppress(OSError):
            work.unlink(missing_ok=True)


def _work_file(path: Path) -> tuple[Path, BinaryIO]:
    for number in count():
        work = _beside(path, number)
        with suppress(FileExistsError):
            return work, work.open("xb")
    raise AssertionError


def _beside(path: Path, number: int) -> Path:
    return path.parent / f".{path.name}-{os.getpid()}-{number}.unfinished"
