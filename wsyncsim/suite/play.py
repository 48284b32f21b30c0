"""Lets a tool read cases, several at a time."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

from wsyncsim.suite.case import Case
from wsyncsim.suite.fields import FieldMap
from wsyncsim.suite.score import Output, output_of
from wsyncsim.suite.tool import Cancelled, run_tool

Progress = Callable[[float], None]


class Player:
    """A tool that is ready to be run."""

    def __init__(self, command: list[str], fields: FieldMap, timeout_s: float) -> None:
        self._command = command
        self._fields = fields
        self._timeout_s = timeout_s

    def one(self, case: Case, folder: Path, stop: threading.Event | None = None) -> Output:
        """Write a case's file into ``folder`` and let the tool read it."""
        file = folder / f"{case.id}.log"
        file.write_bytes(case.data)
        return output_of(case, run_tool(self._command, file, self._timeout_s, stop), self._fields)

    def all(self, cases: Sequence[Case], jobs: int, progress: Progress = lambda _share: None) -> list[Output]:
        """All cases, in their order. When one cannot be run, or the user interrupts, the tools that run are ended."""
        outputs: dict[int, Output] = {}
        stop = threading.Event()
        with scratch() as folder, ThreadPoolExecutor(max_workers=jobs) as pool:
            futures = {pool.submit(self.one, case, folder, stop): number for number, case in enumerate(cases)}
            waiting = set(futures)
            try:
                while waiting:
                    done, waiting = wait(waiting, timeout=1, return_when=FIRST_COMPLETED)
                    for future in done:
                        outputs[futures[future]] = future.result()
                    progress(len(outputs) / len(futures))
            except BaseException:
                stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return [outputs[number] for number in range(len(cases))]


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for the files that tools read; what they leave there goes with it."""
    with tempfile.TemporaryDirectory(prefix="wsyncsim-suite-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def default_jobs() -> int:
    """As many as there are processors."""
    return os.cpu_count() or 1


__all__ = ["Cancelled", "Player", "default_jobs", "scratch"]
