"""Hand-made cases: ``cases/*.toml`` -> bytes and expectations, without asking the writer or the reader of wsyncsim.

A file of cases has ``format``, ``[defaults]`` for its expected records, ``[records.<name>]`` that several cases use, and
``[raw]`` lines. A case is a list of parts, each written down with ``eol`` (of the part, the case, else CR LF) behind it::

    { use = "one" }                 a record of [records]
    { text = "...", message = ... } a record and what it says; a list of texts is joined with the line end
    { raw = "..." }                 text that is nothing: headers, blank lines, byte-order marks
    { put = "software" }            a line of [raw]
    { bad = "..." }                 text that is no record
    { bad_hex = "00", times = 512 } bytes that are no record, without line end

``repeat = ["abc", 100]`` stands for ``{*}`` in a text and in what is expected of it; ``{text}`` in a message for the text itself.
Where a record lies follows from the parts before it. ``false`` says that a record does not have what the defaults say.
Implementation-defined cases list ``alternatives``: their ``records`` name parts, or are a part with changes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, Final

from wsyncsim.suite.case import EXPECTED_SCHEMA, FORMATS, GROUPS, Case, record

FIRST_VERSION: Final = "1.0.0"
_NO_EXPECTATION: Final = frozenset({"use", "text", "raw", "put", "bad", "bad_hex", "times", "repeat", "eol", "encoding", "name"})


def handmade_cases() -> Iterator[Case]:
    """All hand-made cases, by file and in the order of the file."""
    folder = files("wsyncsim.suite").joinpath("cases")
    for name in FORMATS:
        source = tomllib.loads(folder.joinpath(f"{name}.toml").read_text(encoding="utf-8"))
        for table in source["case"]:
            yield _Builder(source, table).case()


class _Builder:
    """Puts the parts of one case together."""

    def __init__(self, source: dict[str, Any], table: dict[str, Any]) -> None:
        self._source = source
        self._table = table
        self._eol: str = table.get("eol", "\r\n")
        self._encoding: str = table.get("encoding", "utf-8")
        self._data = bytearray()
        self._line = 1
        self._records: list[dict[str, Any]] = []
        self._no_records: list[dict[str, int]] = []
        self._named: dict[str, dict[str, Any]] = {}

    def case(self) -> Case:
        table = self._table
        if table["id"][0] not in GROUPS or table["id"][1] != "_":
            raise ValueError(f"{table['id']}: an id begins with y_, n_ or i_")
        for part in table["parts"]:
            self._part(part)
        return Case(
            id=table["id"],
            format=self._source["format"],
            encoding=self._encoding,
            why=table["why"],
            evidence=table["evidence"],
            tags=tuple(table["tags"]),
            since=table.get("since", FIRST_VERSION),
            data=bytes(self._data),
            expected=self._expected(),
        )

    def _expected(self) -> dict[str, Any]:
        expected: dict[str, Any] = {"schema": EXPECTED_SCHEMA, "id": self._table["id"], "group": self._table["id"][0]}
        if expected["group"] == "i":
            alternatives = [
                {"name": each["name"], "records": [self._alternative(chosen) for chosen in each["records"]]}
                for each in self._table["alternatives"]
            ]
            return expected | {"exact": bool(self._table.get("exact")), "alternatives": alternatives}
        no_records = "reject" if expected["group"] == "n" else "unparsed"
        return expected | {"records": self._records, no_records: self._no_records}

    def _part(self, part: dict[str, Any]) -> None:
        if "bad_hex" in part:
            span = self._write(bytes.fromhex(part["bad_hex"]) * part.get("times", 1), 0)
            self._no_record(span)
            return
        known = self._source["records"][part["use"]] if "use" in part else {}
        if "put" in part:
            known = {"raw": self._source["raw"][part["put"]]}
        part = {**known, **part}
        text = next(part[kind] for kind in ("text", "raw", "bad") if kind in part)
        text = self._filled(text if isinstance(text, str) else self._eol.join(text), part)
        encoding = part.get("encoding", self._encoding)
        span = self._write(text.encode(encoding), text.count("\n"))
        if "bad" in part:
            self._no_record(span)
        if "text" in part:
            self._expect(part, text, span)
        eol = part.get("eol", self._eol)
        self._write(eol.encode(encoding), eol.count("\n"))

    def _write(self, data: bytes, line_ends: int) -> dict[str, int]:
        start, line = len(self._data), self._line
        self._data += data
        self._line += line_ends
        return {"line": line, "line_end": self._line, "byte_start": start, "byte_end": len(self._data)}

    def _no_record(self, span: dict[str, int]) -> None:
        if self._no_records and self._no_records[-1]["byte_end"] == span["byte_start"]:
            span = {**self._no_records.pop(), "line_end": span["line_end"], "byte_end": span["byte_end"]}
        self._no_records.append(span)

    def _expect(self, part: dict[str, Any], text: str, span: dict[str, int]) -> None:
        values = {**self._source.get("defaults", {}), **part}
        values = {name: value for name, value in values.items() if name not in _NO_EXPECTATION}
        filled = self._filled_all({"form": self._source["format"], **values}, part, text)
        self._named.setdefault(part.get("use") or part.get("name", ""), {**filled, **span})
        if "message" in part:
            self._records.append(record({**filled, **span}))

    def _filled_all(self, value: Any, part: dict[str, Any], text: str) -> Any:
        if isinstance(value, dict):
            return {name: self._filled_all(item, part, text) for name, item in value.items()}
        return self._filled(value.replace("{text}", text), part) if isinstance(value, str) else value

    @staticmethod
    def _filled(text: str, part: dict[str, Any]) -> str:
        if "repeat" not in part:
            return text
        piece, times = part["repeat"]
        return text.replace("{*}", piece * times)

    def _alternative(self, chosen: str | dict[str, Any]) -> dict[str, Any]:
        if isinstance(chosen, str):
            return record(self._named[chosen])
        values = {**self._named[chosen["part"]], **chosen}
        if "to" in chosen:
            last = self._named[chosen["to"]]
            values |= {"line_end": last["line_end"], "byte_end": last["byte_end"]}
        return record(values)
