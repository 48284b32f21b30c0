"""Master records and the runs table, as JSON lines and as Parquet."""

from __future__ import annotations

from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, Final, get_args, get_origin, get_type_hints

import msgspec

from wsyncsim.corpus.extras import need
from wsyncsim.corpus.forms import Form, encode
from wsyncsim.corpus.plan import Plan, Shard
from wsyncsim.corpus.play import PlayedRun
from wsyncsim.corpus.records import Record
from wsyncsim.corpus.runs import RunRow

ROW_GROUP: Final = 4_000
"""Records that are held in memory for a row group of Parquet."""


class Jsonl(Form):
    """``jsonl/<shard>.jsonl``: one record a line."""

    name: ClassVar[str] = "jsonl"

    def __init__(self, folder: Path, plan: Plan, shard: Shard) -> None:
        super().__init__(folder, plan, shard)
        self._file = self.open(f"jsonl/{shard.name}.jsonl")

    def write(self, run: PlayedRun, records: list[Record]) -> None:
        self._file.write(msgspec.json.Encoder().encode_lines(records))


class Parquet(Form):
    """``data/<shard>.parquet`` and ``runs/<shard>.parquet``, compressed with zstd."""

    name: ClassVar[str] = "parquet"

    def __init__(self, folder: Path, plan: Plan, shard: Shard) -> None:
        super().__init__(folder, plan, shard)
        self._parquet = need("pyarrow.parquet", "data", "the form parquet")
        self._arrow = need("pyarrow", "data", "the form parquet")
        self._arrow.set_cpu_count(1)
        self._arrow.set_memory_pool(self._arrow.system_memory_pool())  # gives back what it does not need
        self._schema = self._schema_of(Record)
        self._file = self._parquet.ParquetWriter(self.make(f"data/{shard.name}.parquet"), self._schema, compression="zstd")
        self._waiting: list[Record] = []

    def write(self, run: PlayedRun, records: list[Record]) -> None:
        self._waiting += records
        if len(self._waiting) >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        columns = [[getattr(record, name) for record in self._waiting] for name in Record.__struct_fields__]
        arrays = [self._arrow.array(column, field.type) for column, field in zip(columns, self._schema, strict=True)]
        self._file.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))
        self._waiting.clear()

    def rows(self, rows: list[RunRow]) -> None:
        """The runs table of the shard."""
        table = self._arrow.Table.from_pylist([msgspec.to_builtins(row) for row in rows], schema=self._schema_of(RunRow))
        self._parquet.write_table(table, self.make(f"runs/{self.shard.name}.parquet"), compression="zstd")

    def close(self) -> None:
        if self._waiting:
            self._flush()
        self._file.close()
        super().close()

    def abandon(self) -> None:
        self._file.close()
        super().abandon()

    def _schema_of(self, struct: type[msgspec.Struct]) -> Any:
        hints = get_type_hints(struct)
        return self._arrow.schema([(name, self._type(hints[name])) for name in struct.__struct_fields__])

    def _type(self, hint: Any) -> Any:
        """The Arrow type of a field."""
        arrow = self._arrow
        plain = {str: arrow.string(), int: arrow.int64(), bool: arrow.bool_()}
        if get_origin(hint) is list:
            return arrow.list_(self._type(get_args(hint)[0]))
        if isinstance(hint, UnionType):
            return self._type(next(each for each in get_args(hint) if each is not type(None)))
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            return arrow.struct(list(self._schema_of(hint)))
        return plain[hint]


def runs_lines(rows: list[RunRow]) -> bytes:
    """The runs table as JSON lines."""
    return b"".join(encode(row) + b"\n" for row in rows)
