"""The forms in which a corpus is written: one module each, or a few that belong together.

Adding one is a subclass of ``Form`` in a module here, its name in ``plan_file.Format`` and its class in ``forms``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import msgspec

from wsyncsim.corpus.plan import Plan, Shard
from wsyncsim.corpus.play import PlayedRun
from wsyncsim.corpus.records import Record

encode = msgspec.json.Encoder().encode


class Form:
    """Writes one shard in one form, below ``folder``; paths that it makes are the final ones, relative to the corpus."""

    name: ClassVar[str]
    """As the plan calls it."""
    causes: ClassVar[bool] = False
    """It asks for the causal graph of a run."""

    def __init__(self, folder: Path, plan: Plan, shard: Shard) -> None:
        self.folder = folder
        self.plan = plan
        self.shard = shard
        self._files: list[BinaryIO] = []

    def begin(self, run: PlayedRun) -> None:
        """A run's records follow."""

    def write(self, run: PlayedRun, records: list[Record]) -> None:
        """Some records of the run, in order of time."""

    def end(self, run: PlayedRun) -> None:
        """All of the run's records have been written."""

    def close(self) -> None:
        """All runs of the shard have been written."""
        self.abandon()

    def abandon(self) -> None:
        """Let go of open files; called too when something has failed."""
        for file in self._files:
            file.close()
        self._files.clear()

    def open(self, path: str) -> BinaryIO:
        """A new file, closed with the form."""
        file = self.make(path).open("wb")
        self._files.append(file)
        return file

    def make(self, path: str) -> Path:
        """Where a file of that path is to be written; its folder is there."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def put(self, path: str, data: bytes) -> None:
        """Write a whole file."""
        self.make(path).write_bytes(data)

    def put_json(self, path: str, value: Any) -> None:
        """Write a JSON file for people to read."""
        self.put(path, msgspec.json.format(encode(value), indent=2) + b"\n")


class Csv:
    """A CSV file as pandas and the benchmarks read it: UTF-8, LF, quoted where needed."""

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        self._file = file
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text, lineterminator="\n")
        self.rows([columns])

    def rows(self, rows: Iterable[Sequence[Any]]) -> None:
        self._writer.writerows(rows)
        self._file.write(self._text.getvalue().encode())
        self._text.seek(0)
        self._text.truncate()


def one_line(text: str) -> str:
    """A text of several lines on one: line ends are written ``\\n``."""
    return text.replace("\r", "\\r").replace("\n", "\\n") if "\n" in text or "\r" in text else text


def forms() -> dict[str, type[Form]]:
    """All forms by name."""
    from wsyncsim.corpus.forms.labels import Ait, Bgl, Hdfs
    from wsyncsim.corpus.forms.loghub import Loghub
    from wsyncsim.corpus.forms.master import Jsonl, Parquet
    from wsyncsim.corpus.forms.rca import OpenRca, RcaEval
    from wsyncsim.corpus.forms.siem import Ecs, Otlp
    from wsyncsim.corpus.forms.sup_bundles import SupBundles

    kinds: tuple[type[Form], ...] = (Jsonl, Parquet, Loghub, Hdfs, Bgl, Ait, SupBundles, OpenRca, RcaEval, Otlp, Ecs)
    return {kind.name: kind for kind in kinds}
