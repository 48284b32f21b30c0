"""One log file of one host: what is written into it and how it lies on disk.

Adding a log is one module in ``generators/logs`` and its texts in ``generators/messages``::

    class PatchLog(Log):
        messages = ("patch",)                  # messages/patch.toml
        layout = CMTRACE
        component = "SMS_PATCH"

        @classmethod
        def hosts(cls, site: Site) -> tuple[str, ...]:
            return (site.server,)

        def path(self) -> str:
            return f"{self.run.version.logs_folder}/patch.log"

        def stamp(self) -> Stamp:
            return bias_stamp(self.zone)

        def sync_failed(self, entry: Entry) -> None:
            self.lines.sync_failed(entry.at, self.run.reasons.message(entry.event.reason))

        writes: ClassVar[Writes] = {SyncFailed: sync_failed}     # event -> writer

Modules are found by themselves. A log that begins a new file every day (UTC) derives from ``DailyLog``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import accumulate, count
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

from generators.catalogue import Language
from generators.compile import compile_lines
from generators.layouts import Layout, Stamp
from generators.reasons import Reasons
from simulator.clock import utc
from simulator.estate import Estate, Site
from simulator.journal import Entry
from simulator.units import DAY
from simulator.versions import Version

Writes = Mapping[type[Any], Callable[[Any, Entry], None]]
"""Event class -> method that writes it down."""

BOM_UTF8: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Run:
    """What all logs of a run share."""

    estate: Estate
    version: Version
    os_language: Language = "en"
    """Language of Windows and .NET on all servers."""

    @cached_property
    def reasons(self) -> Reasons:
        return Reasons(self.version, self.os_language)

    def zone(self, site: Site) -> str:
        """IANA name of the site's time zone."""
        return site.timezone or self.estate.timezone

    def fqdn(self, host: str) -> str:
        """Full name, in capitals as site control spells it."""
        return f"{host}.{self.estate.domain}".upper()


class Store(Protocol):
    """Where the bytes go; paths are relative and have forward slashes."""

    def append(self, path: str, data: bytes) -> None: ...

    def roll(self, path: str, rolled: str) -> None:
        """Rename a file over an older one."""

    def replace(self, path: str, old: bytes, new: bytes) -> None:
        """Replace text in a file."""


class Folder:
    """Files below a folder. Nothing stays open, so the number of logs is unlimited; what lay there before is replaced."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, Path] = {}

    def append(self, path: str, data: bytes) -> None:
        file = self._known.get(path)
        if file is None:
            file = self._known[path] = self._root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        else:
            with file.open("ab") as handle:
                handle.write(data)

    def roll(self, path: str, rolled: str) -> None:
        file = self._known[rolled] = self._root / rolled
        self._known.pop(path).replace(file)

    def replace(self, path: str, old: bytes, new: bytes) -> None:
        file = self._known[path]
        file.write_bytes(file.read_bytes().replace(old, new))


class Memory:
    """Files as bytes, by path."""

    def __init__(self) -> None:
        self._files: dict[str, bytearray] = {}

    def append(self, path: str, data: bytes) -> None:
        self._files.setdefault(path, bytearray()).extend(data)

    def roll(self, path: str, rolled: str) -> None:
        self._files[rolled] = self._files.pop(path)

    def replace(self, path: str, old: bytes, new: bytes) -> None:
        self._files[path] = self._files[path].replace(old, new)

    @property
    def texts(self) -> dict[str, bytes]:
        return {path: bytes(data) for path, data in sorted(self._files.items())}


@dataclass(slots=True)
class FileSummary:
    """What became of one file."""

    lines: int = 0
    """Lines that it holds, header lines included."""
    bytes: int = 0
    rolled_out_lines: int = 0
    """Lines that were in an earlier file of this name (``.lo_``) and are gone."""


class Log:
    """One log file of one host; a concrete log declares its class attributes, its path and what it writes."""

    messages: ClassVar[tuple[str, ...]]
    """Message catalogues; their messages become methods of ``lines``."""
    layout: ClassVar[Layout]
    component: ClassVar[str] = ""
    """Component as lines and truth records name it."""
    writes: ClassVar[Writes]

    def __init__(self, run: Run, site: Site, host: str, store: Store, *, truth: bool) -> None:
        self.run = run
        self.site = site
        self.host = host
        self.zone = run.zone(site)
        self.summary: dict[str, FileSummary] = {}
        self._store = store
        self._truth = truth
        self._texts: list[str] = []
        self._notes: list[str] = []
        self.encoding = self.encoded_as()
        self._ascii = "a".encode(self.encoding) == b"a"
        self._rolled_path = ""
        """The file that was rolled over since ``settle``."""
        self._limit = self.max_bytes()
        pen = compile_lines(self.messages, run.version, self.language(), self.layout, self.component, truth=truth)
        self.lines: Any = pen(self.layout, self.stamp(), self.zone, self._texts.append, self._notes.append)
        """The pen, with a method per message."""
        self._begin(self.path(), self.header(0))

    # --- what a concrete log says of itself

    @classmethod
    def hosts(cls, site: Site) -> tuple[str, ...]:
        """Servers of a site that keep this log."""
        raise NotImplementedError

    def path(self) -> str:
        """Where the file lies on its server, relative, with forward slashes."""
        raise NotImplementedError

    def stamp(self) -> Stamp:
        """The form of its time stamps."""
        raise NotImplementedError

    def sources(self) -> tuple[str, ...]:
        """Servers whose entries it writes down."""
        return (self.host,)

    def language(self) -> Language:
        return self.run.os_language

    def encoded_as(self) -> str:
        return "utf-8"

    def bom(self) -> bytes:
        """First bytes of every file."""
        return b""

    def header(self, at: int) -> str:  # daily logs use it
        """First lines of every file, complete with line ends. ``at`` is 0 for a log that is not daily."""
        return ""

    def footer(self) -> str:
        """Last lines, when the run is over."""
        return ""

    def max_bytes(self) -> int:
        """Size at which the file is rolled over to ``.lo_``; 0 for never."""
        return 0

    # --- writing

    def repeat_header(self, at: int) -> None:
        """Write the header again in mid-file, as a service does that starts anew."""
        self._texts.append(self.header(at))
        if self._truth:
            self._notes.append("")

    @property
    def pending(self) -> int:
        """Records that wait for ``flush``."""
        return len(self._texts)

    def flush(self) -> None:
        """Hand everything over to the store, rolling over where the size demands it."""
        texts, notes = self._texts[:], self._notes[:]
        self._texts.clear()
        self._notes.clear()
        data = self._encoded("".join(texts))
        while data:
            if 0 < self._limit <= self._size:
                self._roll()
            taken, cut = self._fitting(texts, data) if self._limit else (len(texts), len(data))
            self._append(data[:cut], texts[:taken], notes[:taken])
            del texts[:taken], notes[:taken]
            data = data[cut:]

    def settle(self) -> None:
        """Write what waits, and make the truth records of a rolled-over file name it: then all files agree."""
        self.flush()
        if self._rolled_path and self._truth:
            old, new = (f'{{"file":"{path}"'.encode() for path in (self._path, self._rolled_path))
            self._store.replace(_truth_path(self._rolled_path), old, new)
        self._rolled_path = ""

    def close(self) -> None:
        """Write what is left, and the footer."""
        self.settle()
        footer = self.footer()
        if footer:
            self._append(self._encoded(footer), [], [])

    # --- bytes

    def _begin(self, path: str, header: str) -> None:
        """The next byte opens a new file."""
        self._path = f"logs/{self.host}/{path}"
        self._size = 0
        self._line = 0
        self._preamble = self.bom() + self._encoded(header)
        self._header_lines = header.count("\n")
        self._record_head = f'{{"file":"{self._path}","line":'

    def _append(self, data: bytes, texts: list[str], notes: list[str]) -> None:
        """Write records to the current file, which they do not overfill."""
        lines = data.count(b"\n")
        line, start = self._line, self._size
        written = data
        if not start:
            line = self._header_lines
            start = len(self._preamble)
            written = self._preamble + data
        self._store.append(self._path, written)
        if notes:
            plain = self._ascii and lines == len(texts) and data.isascii() and all(notes)
            records = self._plain_records(line, start, texts, notes) if plain else self._records(line, start, texts, notes)
            self._store.append(_truth_path(self._path), "".join(records).encode())
        self._line = line + lines
        self._size += len(written)
        summary = self.summary.setdefault(self._path, FileSummary())
        summary.lines, summary.bytes = self._line, self._size

    def _plain_records(self, line: int, start: int, texts: list[str], notes: list[str]) -> list[str]:
        """Truth records of ASCII text in which every record is one line."""
        head, eol = self._record_head, len(self.layout.eol)
        offsets = list(accumulate(map(len, texts), initial=start))
        spans = zip(count(line + 1), offsets, offsets[1:], notes, strict=False)
        return [f'{head}{number},"byte_start":{start},"byte_end":{end - eol}{note}' for number, start, end, note in spans]

    def _records(self, line: int, start: int, texts: list[str], notes: list[str]) -> list[str]:
        """Truth records; a text with an empty note, such as a header, has none."""
        head, eol = self._record_head, len(self._encoded(self.layout.eol))
        records = []
        for text, note in zip(texts, notes, strict=True):
            end, first = start + len(self._encoded(text)), line + 1
            line += text.count("\n")
            if note:
                span = f'{first},"line_end":{line}' if line > first else f"{first}"
                records.append(f'{head}{span},"byte_start":{start},"byte_end":{end - eol}{note}')
            start = end
        return records

    def _fitting(self, texts: list[str], data: bytes) -> tuple[int, int]:
        """How many records, and bytes, go into the current file: the record that reaches the limit still does."""
        room = self._limit - (self._size or len(self._preamble))
        if len(data) < room:
            return len(texts), len(data)
        if data.count(b"\n") == len(texts):
            cut = data.find(b"\n", max(room - 1, 0)) + 1 or len(data)
            return data.count(b"\n", 0, cut), cut
        for number, size in enumerate(accumulate(len(self._encoded(text)) for text in texts), 1):
            if size >= room:
                return number, size
        return len(texts), len(data)

    def _roll(self) -> None:
        self._rolled_path = self._path.removesuffix(".log") + ".lo_"
        self._store.roll(self._path, self._rolled_path)
        if self._truth:
            self._store.roll(_truth_path(self._path), _truth_path(self._rolled_path))
        del self.summary[self._path]
        gone = self.summary.get(self._rolled_path, FileSummary())
        self.summary[self._rolled_path] = FileSummary(self._line, self._size, gone.rolled_out_lines + gone.lines)
        self._begin(self.path(), self.header(0))

    def _encoded(self, text: str) -> bytes:
        return _cp1252(text) if self.encoding == "cp1252" else text.encode(self.encoding, "replace")


class DailyLog(Log):
    """A log that begins a new file, with its header, at midnight UTC."""

    _day = -1

    def day_path(self, day: datetime) -> str:
        """Where the file of a day lies on its server."""
        raise NotImplementedError

    def path(self) -> str:
        return self.day_path(utc(0))

    def begin_day(self, at: int) -> None:
        """Writers call this first: turns to the file of the day of ``at``."""
        if at // DAY != self._day:
            self.flush()
            self._day = at // DAY
            self._begin(self.day_path(utc(at)), self.header(at))


def _truth_path(path: str) -> str:
    return f"truth/records/{path.removeprefix('logs/')}.jsonl"


_NOT_C1: Final = bytes(byte for byte in range(256) if not 0x80 <= byte <= 0x9F)


def _cp1252(text: str) -> bytes:
    """``text`` in code page 1252. Latin-1, five times as fast, is the same but for the bytes 0x80 to 0x9F."""
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("cp1252", "replace")
    return text.encode("cp1252", "replace") if data.translate(None, _NOT_C1) else data
