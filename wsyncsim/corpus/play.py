"""Plays one planned run: logs and truth in memory, or on disk when they are large, and what the answer key says of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from generators.log import Log
from generators.write import Recorder
from scenarios.truth import AnswerKey, facts, stamp
from simulator.events import DatabaseSynced, FaultBegan, SyncFailed, SyncStarted, SyncSucceeded, WsusSynced
from simulator.journal import Entry
from wsyncsim.corpus.plan import PlannedRun

MAX_SITE_HOURS: Final = 24 * 14
"""Runs of more hours times sites are written to disk instead of kept in memory: a site writes about 2 MB a day with truth."""


STEPS: Final = (SyncStarted, WsusSynced, DatabaseSynced, SyncSucceeded, SyncFailed)
"""What is remembered of synchronization runs."""


class PlayedRun:
    """A run and what it left; valid within ``played``."""

    def __init__(self, planned: PlannedRun, out: Path | None, *, causes: bool) -> None:
        self.planned = planned
        self.id = planned.id
        self.split: str = planned.split
        self.story = planned.story
        self.generation: str = planned.story.generation
        self.answer: dict[str, Any] = {}
        self.nodes: list[dict[str, Any]] = []
        """Faults, actions and all that follows from something, in order of time; only with ``causes``."""
        self.steps: list[Entry] = []
        """The main events of synchronization runs (``STEPS``)."""
        self._causes = causes
        self._out = out
        self._texts: dict[str, bytes] = {}
        self._root_causes: dict[str, str] = {}
        self.logs = self._play(out)
        """What wrote each file, by its path below the run's folder."""

    def _play(self, out: Path | None) -> dict[str, Log]:
        key = AnswerKey(None)
        world = self.story.build()
        with Recorder(world.estate, world.version, out, os_language=self.story.os_language, truth=True) as recorder:
            for entries in world.slices():
                recorder.record(self._watch(key.watch(entries)))
        self.answer = key.finish(None)
        if out is None:
            self._texts = recorder.texts
        found = {path: log for log in recorder.logs for path in log.summary}
        return dict(sorted(found.items()))

    def _watch(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        for entry in entries:
            event = entry.event
            if isinstance(event, FaultBegan):
                self._root_causes[entry.id] = event.entity
            if self._causes and (entry.because is not None or not entry.host):
                self.nodes.append(_node(entry))
            if isinstance(event, STEPS):
                self.steps.append(entry)
            yield entry

    def root_cause(self, causes: list[str]) -> str | None:
        """What the fault at the end of a chain of causes changed."""
        return self._root_causes.get(causes[-1]) if causes else None

    def paths(self) -> list[str]:
        """All log files, as paths with forward slashes that begin with ``logs/``."""
        return list(self.logs)

    def read(self, path: str) -> bytes:
        """A log file's bytes."""
        if self._out is None:
            return self._texts.get(path, b"")
        file = self._out / path
        return file.read_bytes() if file.exists() else b""

    def truth_lines(self, path: str) -> Iterator[bytes]:
        """The truth records of a log file."""
        truth = f"truth/records/{path.removeprefix('logs/')}.jsonl"
        if self._out is None:
            yield from self._texts.get(truth, b"").splitlines()
        elif (self._out / truth).exists():
            with (self._out / truth).open("rb") as file:
                yield from file


def _node(entry: Entry) -> dict[str, Any]:
    """An entry of the journal as JSON values."""
    return {
        "id": entry.id,
        "at": stamp(entry.at),
        "host": entry.host,
        "component": entry.reporter,
        "event": facts(entry.event),
        "because": entry.because.id if entry.because is not None else None,
        "run": entry.run,
    }


@contextmanager
def played(planned: PlannedRun, scratch: Path | None = None, *, causes: bool = False) -> Iterator[PlayedRun]:
    """Play a run; large ones lie in a temporary folder below ``scratch`` while they are looked at.

    With ``causes`` the entries that matter are kept for the causal graph.
    """
    story = planned.story
    if story.hours * len(story.estate.sites) <= MAX_SITE_HOURS:
        yield PlayedRun(planned, None, causes=causes)
        return
    with tempfile.TemporaryDirectory(prefix="run-", dir=scratch) as folder:
        yield PlayedRun(planned, Path(folder), causes=causes)
