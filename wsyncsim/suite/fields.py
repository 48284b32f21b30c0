"""What a tool prints -> records in the suite's names and units, by a field map.

Without a map a tool prints the suite's own names. A map is TOML: our name, and where the tool has it::

    message = "text"
    component = "event.component"                                    # a path through nested objects
    time_utc = { path = "timestamp", unit = "us" }                   # s, ms, us or ns since 1970; iso is the default
    severity = { path = "level", map = { INFO = "info", WARN = "warning", ERROR = "error" } }
    line = { path = "line", add = 1 }                                # lines counted from 0
    fields.sc-status = "http_status"

    [output]
    format = "json"                                                  # one JSON document instead of a line a record
    path = "entries"                                                 # the list in it
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from scenarios.mistakes import did_you_mean, read_toml
from simulator.errors import WsyncsimError
from wsyncsim.suite.case import RECORD_FIELDS

_UNITS: Final = {"s": 1_000_000, "ms": 1000, "us": 1, "ns": 0}
_TIMES: Final = ("time_local", "time_utc")
_NUMBERS: Final = ("line", "line_end", "byte_start", "byte_end", "bias_min", "thread")
_NAMES: Final = (*(name for name in RECORD_FIELDS if name != "fields"), "unparsed")
_SEVERITIES: Final = {0: "info", 1: "info", 2: "warning", 3: "error"}
_KEYS: Final = {"path", "unit", "map", "add"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MISSING: Final = object()


class FieldMapError(WsyncsimError):
    """A mistake in a field map."""


class OutputError(Exception):
    """The tool printed something else than records."""


@dataclass(frozen=True, slots=True)
class _Field:
    path: str
    unit: str = "iso"
    map: dict[str, Any] = field(default_factory=dict)
    add: int = 0


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Where a tool has what."""

    names: dict[str, _Field]
    w3c: dict[str, _Field]
    """Members of ``fields``."""
    document_path: str | None = None
    """The list in one JSON document; ``None`` for JSON Lines."""

    def records(self, out: bytes) -> list[dict[str, Any]]:
        """Records of what a tool printed on stdout. Raises ``OutputError``."""
        return [self._record(item) for item in self._items(out)]

    def _items(self, out: bytes) -> Iterator[dict[str, Any]]:
        try:
            text = out.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise OutputError(f"byte {error.start} of its output is not UTF-8") from None
        if self.document_path is not None:
            items = _json(text, "its output") if text.strip() else []
            for step in filter(None, self.document_path.split(".")):
                items = items.get(step, []) if isinstance(items, dict) else []
            if not isinstance(items, list):
                raise OutputError("there is no list of records in its output")
            numbered = list(enumerate(items, 1))
        else:
            lines = ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())
            numbered = [(number, _json(line, f"line {number} of its output")) for number, line in lines]
        for number, item in numbered:
            if not isinstance(item, dict):
                raise OutputError(f"record {number} of its output is no JSON object")
            yield item

    def _record(self, item: dict[str, Any]) -> dict[str, Any]:
        record: dict[str, Any] = {}
        for name, where in self.names.items():
            value = _found(item, where.path)
            if value is not _MISSING:
                record[name] = _value(name, value, where)
        if self.w3c:
            found = {name: _found(item, where.path) for name, where in self.w3c.items()}
            record["fields"] = {name: str(value) for name, value in found.items() if value is not _MISSING and value is not None}
        else:
            value = item.get("fields")
            if "fields" in self.names or not isinstance(value, dict):
                return record
            record["fields"] = {str(name): str(each) for name, each in value.items() if each is not None}
        return record


OWN_NAMES: Final = FieldMap({name: _Field(name) for name in _NAMES}, {})
"""For tools that print the suite's names."""


def load_field_map(path: Path) -> FieldMap:
    """Read a field map. Raises ``FieldMapError`` or ``StoryError`` (not TOML)."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise FieldMapError("there is no such file", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise FieldMapError(f"byte {error.start} is not UTF-8", where=str(path)) from None
    except OSError as error:
        raise FieldMapError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
    table = read_toml(text, str(path))
    output = table.pop("output", {})
    w3c = table.pop("fields", {})
    if not isinstance(output, dict) or not isinstance(w3c, dict) or output.get("format", "jsonl") not in ("jsonl", "json"):
        raise FieldMapError('[output] has format = "jsonl" or "json", and fields is a table', where=str(path))
    for name in table:
        if name not in _NAMES:
            raise FieldMapError(f"{name!r} is no field", where=str(path), hint=did_you_mean(name, _NAMES, ", ".join(_NAMES)))
    return FieldMap(
        names={name: _field(name, value, path) for name, value in table.items()},
        w3c={name: _field(f"fields.{name}", value, path) for name, value in w3c.items()},
        document_path=output.get("path", "") if output.get("format") == "json" else None,
    )


def _field(name: str, value: Any, path: Path) -> _Field:
    if isinstance(value, str):
        return _Field(value)
    if not isinstance(value, dict) or not isinstance(value.get("path"), str) or set(value) - _KEYS:
        raise FieldMapError(
            "expected a name, or a table with path and, if needed, unit, map or add",
            where=f"{path}, {name}",
            hint='For example time_utc = { path = "timestamp", unit = "us" }',
        )
    unit, mapped, add = value.get("unit", "iso"), value.get("map", {}), value.get("add", 0)
    if unit != "iso" and unit not in _UNITS:
        raise FieldMapError(f"{unit!r} is no unit", where=f"{path}, {name}", hint=f"One of iso, {', '.join(_UNITS)}")
    if not isinstance(mapped, dict) or not isinstance(add, int):
        raise FieldMapError("map is a table, and add a whole number", where=f"{path}, {name}")
    return _Field(value["path"], unit, mapped, add)


def _json(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise OutputError(f"{what} is not JSON: {text.strip()[:60]!r}") from None


def _found(item: dict[str, Any], path: str) -> Any:
    if path in item:
        return item[path]
    value: Any = item
    for step in path.split("."):
        if not isinstance(value, dict) or step not in value:
            return _MISSING
        value = value[step]
    return value


def _value(name: str, value: Any, where: _Field) -> Any:
    if where.map:
        value = where.map.get(str(value), value)
    if name in _TIMES:
        return _time(value, where.unit, utc=name == "time_utc")
    if name in _NUMBERS:
        number = _number(value)
        return number if number is None else number + where.add
    if name == "severity":
        number = _number(value)
        return _SEVERITIES.get(number) if number is not None else (value.lower() if isinstance(value, str) else None)
    if name == "unparsed":
        return bool(value)
    return None if value is None else str(value)


def _number(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int):
        return value
    try:
        return int(value) if isinstance(value, str) and len(value) < 20 else None
    except ValueError:
        return None


def _time(value: Any, unit: str, *, utc: bool) -> int | str | None:
    """Microseconds since 1970 of the clock's face; a text that is no time stays, so that it can be told."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    if unit != "iso":
        try:
            number = float(value) if isinstance(value, str) and "." in value else value
            if isinstance(number, float):
                return round(number * _UNITS[unit]) if unit != "ns" else round(number / 1000)
            return int(number) * _UNITS[unit] if unit != "ns" else int(number) // 1000
        except (TypeError, ValueError, OverflowError):
            return str(value)
    return clock_us(str(value), utc=utc)


def clock_us(text: str, *, utc: bool) -> int | str:
    """ISO 8601 as microseconds since 1970; an offset leads to UTC if that is asked for, else it is left out."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return text
    if utc and at.tzinfo is not None:
        try:
            at = at.astimezone(UTC)
        except (OverflowError, ValueError):
            return text
    return (at.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
