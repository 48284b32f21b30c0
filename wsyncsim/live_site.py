"""A live environment in a thread: for tests of what reads growing logs."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Self

from scenarios.live import Live
from simulator.errors import WsyncsimError

if TYPE_CHECKING:
    from scenarios.live import Status
    from wsyncsim.live_check import Report


class LiveSite:
    """Runs a ``Live`` beside the caller, from construction until ``stop``, or until the story is over.

    A context manager; leaving it stops the environment.
    """

    def __init__(self, live: Live) -> None:
        self.live = live
        self._error: BaseException | None = None
        live.prepare()
        self._thread = Thread(target=self._run, name="wsyncsim live", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.live.run()
        except BaseException as error:
            self._error = error

    @property
    def logs(self) -> Path:
        """The folder to point a reader at."""
        return self.live.logs

    @property
    def truth_path(self) -> Path:
        """The truth file, outside of that folder."""
        return self.live.truth_path

    @property
    def status(self) -> Status:
        """How far it is."""
        return self.live.status

    @property
    def running(self) -> bool:
        """Whether more is going to be written."""
        return self._thread.is_alive()

    def wait(self, *, records: int | None = None, timeout_s: float = 60.0) -> Status:
        """Wait until so many records are written, or until the story is over.

        Raises ``WsyncsimError`` when that takes too long, or when the story ends with fewer records.
        """
        deadline = time.monotonic() + timeout_s
        while self.running and (records is None or self.status.records < records):
            if time.monotonic() > deadline:
                raise WsyncsimError(
                    f"the live run is not there after {timeout_s:g} s", hint="Choose a higher speed, or wait longer"
                )
            self._thread.join(0.01)
        self._tell()
        if records is not None and self.status.records < records:
            raise WsyncsimError(f"the story was over after {self.status.records} records", hint="Choose more hours")
        return self.status

    def stop(self) -> Status:
        """End it after a whole record; what went wrong in it is raised here."""
        self.live.stop()
        self._thread.join()
        self._tell()
        return self.status

    def _tell(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def check(self, collected: Path | Iterable[str], *, only: tuple[str, ...] = (), field: str | None = None) -> Report:
        """Compare what was collected (a file, a folder, or lines) with what was written so far.

        ``only`` are patterns of the logs that are expected; ``field`` is that of the text in JSON lines.
        """
        from wsyncsim.live_check import check, lines_of, read_collected, read_truth

        expected = read_truth(self.truth_path, only)
        lines = read_collected(collected, field) if isinstance(collected, Path) else lines_of(collected)
        return check(*expected, lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
