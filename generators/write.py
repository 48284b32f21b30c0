"""Journal -> files: routes every entry to the logs that tell of it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import generators.logs
from generators.catalogue import Language
from generators.log import FileSummary, Folder, Log, Memory, Run, Store
from generators.truth_record import Contexts
from simulator.estate import Estate
from simulator.journal import Entry
from simulator.versions import Version

_BATCH: Final = 2048
"""Entries between two looks at the buffers; as many as there are logs, when these are more."""
_MAX_PENDING: Final = 512
_MIN_PENDING: Final = 16
_ALL_PENDING: Final = 131_072
"""Records that one log at most, one log at least, and all logs together may hold back."""


@cache
def log_types() -> tuple[type[Log], ...]:
    """All concrete logs: the classes in ``generators.logs`` that declare what they write, in order of module and name."""
    found: dict[str, type[Log]] = {}
    for module_info in sorted(pkgutil.iter_modules(generators.logs.__path__), key=lambda info: info.name):
        module = importlib.import_module(f"generators.logs.{module_info.name}")
        for name, value in sorted(vars(module).items()):
            if (
                isinstance(value, type)
                and issubclass(value, Log)
                and value.__module__ == module.__name__
                and hasattr(value, "writes")
            ):
                found[f"{module_info.name}.{name}"] = value
    return tuple(found.values())


class Recorder:
    """Writes all logs of all hosts, and with ``truth`` a truth record for every log record.

    Files appear below ``out``: ``logs/<HOST>/...`` and ``truth/records/<HOST>/<same path>.jsonl``; with ``out=None`` they
    stay in memory (``texts``). What lay in ``out`` under the same names is replaced. A ``store`` of one's own goes before.
    """

    def __init__(
        self,
        estate: Estate,
        version: Version,
        out: Path | None,
        *,
        os_language: Language = "en",
        truth: bool = False,
        store: Store | None = None,
    ) -> None:
        """``store``: where the bytes go, if not to ``out`` or (without ``out``) into memory."""
        self._store: Store = store or (Memory() if out is None else Folder(out))
        self._truth = truth
        self._contexts = Contexts()
        run = Run(estate, version, os_language)
        self.logs: list[Log] = [
            log_type(run, site, host, self._store, truth=truth)
            for site in estate.sites
            for log_type in log_types()
            for host in dict.fromkeys(log_type.hosts(site))
        ]
        self._routes = _routes(self.logs)
        self._max_pending = min(_MAX_PENDING, max(_MIN_PENDING, _ALL_PENDING // max(1, len(self.logs))))

    def record(self, entries: Iterable[Entry]) -> None:
        """Write entries down, in their order."""
        waiting = iter(entries)
        record_batch = self._record_with_truth if self._truth else self._record_plain
        batch_size = max(_BATCH, len(self.logs))
        while batch := list(islice(waiting, batch_size)):
            record_batch(batch)
            for log in self.logs:
                if log.pending >= self._max_pending:
                    log.flush()

    def _record_plain(self, entries: list[Entry]) -> None:
        routes = self._routes
        for entry in entries:
            host = routes.get(entry.host)
            if host is not None:
                for _, write in host.get(type(entry.event), ()):
                    write(entry)

    def _record_with_truth(self, entries: list[Entry]) -> None:
        routes, context_of = self._routes, self._contexts.of
        for entry in entries:
            host = routes.get(entry.host)
            if host is not None and (routed := host.get(type(entry.event))):
                context = context_of(entry)
                for lines, write in routed:
                    lines.context = context
                    write(entry)

    def flush(self) -> None:
        """Make everything written so far visible in the files."""
        for log in self.logs:
            log.settle()

    def close(self) -> None:
        """Write what is left."""
        for log in self.logs:
            log.close()

    def summary(self) -> dict[str, FileSummary]:
        """What became of each file, by its path below ``out``."""
        return dict(sorted((path, summary) for log in self.logs for path, summary in log.summary.items()))

    @property
    def texts(self) -> dict[str, bytes]:
        """All files, by path; only without ``out``."""
        if not isinstance(self._store, Memory):
            raise TypeError("texts are kept only when out is None")
        return self._store.texts

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


_Write = tuple[Any, Callable[[Entry], None]]


def _routes(logs: list[Log]) -> Mapping[str, Mapping[type[Any], tuple[_Write, ...]]]:
    routes: dict[str, dict[type[Any], tuple[_Write, ...]]] = {}
    for log in logs:
        for source in log.sources():
            host = routes.setdefault(source, {})
            for event, method in log.writes.items():
                host[event] = (*host.get(event, ()), (log.lines, method.__get__(log)))
    return routes
