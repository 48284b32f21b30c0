"""Logs as somebody reads them: the end of the file as it lies on the disk, and what has been in it since some hours.

Facts about a log are what its lines say, without what differs from run to run: message ids with those parameters that mean
something (``STABLE``). Exception texts become the name of the message that they are (``http_status(401)``), so that facts
are the same whatever language a server speaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

import msgspec

from generators.catalogue import load
from generators.compile import parts
from generators.log import Memory
from generators.utc import utc_iso
from simulator.failures import UssError
from simulator.units import HOUR
from simulator.versions import Version

TAIL_LINES = 100
"""How many lines of a log are shown."""
TAIL_BYTES = 16_384
"""How much of the end of every file is kept, however old it is."""
WINDOW_US = 24 * HOUR
"""How far back facts about logs reach."""
_RECORDS = "truth/records/"
STABLE = frozenset(
    {
        "account", "comp", "file", "id", "istr0", "istr1", "le", "name", "parent", "pool", "port", "scheme", "server", "site",
        "source", "ssl", "sup",
    }
)  # fmt: skip
"""Parameters that mean the same on every day; numbers, times, titles and thread ids do not."""
WORDED = frozenset({"description", "error", "exception", "istr1", "message", "reason"})
"""Parameters that quote an exception."""

_USS_ERROR = re.compile(rf"\b({'|'.join(get_args(UssError))}): ")


class Record(msgspec.Struct, frozen=True):
    """What is read of a truth record: where a log record lies and what it says, never why."""

    file: str
    line: int
    byte_start: int
    byte_end: int
    template: str
    params: dict[str, Any]
    ts_utc: str
    severity: str
    component: str


class _Place(msgspec.Struct, frozen=True):
    """What is read of a truth record to tell whether it is old."""

    byte_start: int
    ts_utc: str


class Recent(Memory):
    """Files in memory of which only what looks may need is kept, so that memory does not grow with the length of a run: what
    is not older than some instant, and the end of every file."""

    def __init__(self) -> None:
        super().__init__()
        self.dropped: dict[str, tuple[int, int]] = {}
        """How many bytes and lines are missing at the beginning of a log."""

    def roll(self, path: str, rolled: str) -> None:
        super().roll(path, rolled)
        self.dropped[rolled] = self.dropped.pop(path, (0, 0))

    def forget(self, before: int) -> None:
        """Drop what was written before that instant."""
        stamp = f"{utc_iso()(max(before, 0))}Z"
        for path in sorted(self._files):
            if path.startswith(_RECORDS):
                self._forget(path, stamp)

    def _forget(self, truth: str, before: str) -> None:
        records = self._files[truth]
        decode = msgspec.json.Decoder(_Place).decode
        old, start = 0, -1
        for raw in bytes(records).splitlines(keepends=True):
            place = decode(raw)
            if place.ts_utc >= before:
                start = place.byte_start
                break
            old += len(raw)
        del records[:old]
        path = f"logs/{truth.removeprefix(_RECORDS).removesuffix('.jsonl')}"
        log = self._files[path]
        gone, gone_lines = self.dropped.get(path, (0, 0))
        room = len(log) - TAIL_BYTES
        cut = log.rfind(b"\n", 0, max(room if start < 0 else min(start - gone, room), 0)) + 1
        self.dropped[path] = gone + cut, gone_lines + log.count(b"\n", 0, cut)
        del log[:cut]


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a file."""

    path: str
    """As it lies on its server."""
    total: int
    """Lines that the file holds."""
    lines: tuple[str, ...]


class LogFiles:
    """All logs at one instant."""

    def __init__(
        self, texts: Mapping[str, bytes], dropped: Mapping[str, tuple[int, int]], at: int, version: Version, os_language: str
    ) -> None:
        """``dropped``: how many bytes and lines are missing at the beginning of a file."""
        self._texts = texts
        self._dropped = dropped
        self._since = f"{utc_iso()(max(at - WINDOW_US, 0))}Z"
        self._version = version
        self._os_language = os_language

    def paths(self, host: str, pattern: str) -> list[str]:
        """Paths of a host's logs whose name below ``logs/<HOST>`` matches the regular expression, oldest first."""
        head = f"logs/{host}/"
        found = [path for path in self._texts if path.startswith(head) and re.search(pattern, path.removeprefix(head))]
        return sorted(found, key=lambda path: (not path.endswith(".lo_"), path))

    def tail(self, host: str, pattern: str, count: int = TAIL_LINES) -> Tail | None:
        """The last lines of the newest file; ``None`` when there is none."""
        paths = self.paths(host, pattern)
        if not paths:
            return None
        lines = _decoded(self._texts[paths[-1]]).splitlines()
        _, dropped_lines = self._dropped.get(paths[-1], (0, 0))
        return Tail(paths[-1].split("/", 2)[2], dropped_lines + len(lines), tuple(lines[-count:]))

    def records(self, host: str, pattern: str) -> Iterator[Record]:
        """Records of the last 24 hours, oldest first, of all files that match."""
        decode = msgspec.json.Decoder(Record).decode
        for path in self.paths(host, pattern):
            truth = self._texts.get(f"{_RECORDS}{path.removeprefix('logs/')}.jsonl", b"")
            for raw in truth.splitlines():
                record = decode(raw)
                if record.ts_utc >= self._since:
                    yield record

    def bytes_of(self, record: Record) -> str:
        """A record as it stands in its file."""
        dropped, _ = self._dropped.get(record.file, (0, 0))
        return _decoded(self._texts[record.file][record.byte_start - dropped : record.byte_end - dropped])

    def meaning(self, record: Record) -> str:
        """Message id and what is stable of its parameters, as one text."""
        said = []
        for name, value in record.params.items():
            if name in WORDED:
                worded = self.exception(str(value))
                if worded or name != "description":
                    said.append(f"{name}={worded or value}")
            elif name in STABLE:
                said.append(f"{name}={value}")
        return " ".join((record.template, *said))

    def exception(self, text: str) -> str:
        """Which exceptions a text quotes, such as ``http_status(401)``; empty when none."""
        prefix = _USS_ERROR.search(text)
        found = [prefix[1]] if prefix is not None else []
        for name, pattern in _exceptions(self._version, self._os_language):
            match = pattern.search(text)
            if match is not None:
                values = [value for key, value in match.groupdict().items() if key != "phrase"]
                found.append(f"{name}({','.join(values)})" if values else name)
        return "+".join(found)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


@cache
def _exceptions(version: Version, language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The exception messages of .NET and their patterns."""
    found = []
    for name, message in load("dotnet").items():
        if message.severity != "error":
            continue
        patterns = set()
        for each in ("en", language):
            text = message.text(version, each) or ""
            patterns.add("".join(_pattern(part, is_name) for part, is_name in parts(text.removesuffix("."), message.id)))
        found += [(name, re.compile(pattern)) for pattern in sorted(patterns)]
    return tuple(found)


def _pattern(part: str, is_name: bool) -> str:
    if not is_name:
        return re.escape(part)
    return rf"(?P<{part}>\d+)" if part in ("port", "status") else rf"(?P<{part}>[^'\r\n~.]+(?:\.[^'\r\n~. ]+)*)"
