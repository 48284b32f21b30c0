"""How a line is laid out: the text around a message, the form of its time stamp, and the pen that holds both.

A ``Layout`` is two Jinja2 texts around the message. In them ``{{ stamp }}`` and ``{{ thread }}`` change from line to line,
``{{ component }}`` is the log's, and every other name is a constant of the message in the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from simulator.clock import Zone
from simulator.units import MS

_QUARTER_MS: Final = 900_000
_MINUTE_MS: Final = 60_000
_MINUTES: Final = tuple(f"{second // 60:02}:{second % 60:02}" for second in range(3600))
_MILLIS: Final = tuple(f".{milli:03}" for milli in range(1000))


@dataclass(frozen=True, slots=True)
class Layout:
    """The envelope of every line of a log."""

    head: str = ""
    tail: str = ""
    thread: Callable[[int], str] = str
    """How a thread id is written."""
    eol: str = "\r\n"


def hex_thread(tid: int) -> str:
    """Thread id as site components write it: decimal, and upper-case hex without padding."""
    return f"{tid} (0x{tid:X})"


CMTRACE: Final = Layout(tail="  $$<{{ component }}><{{ stamp }}><thread={{ thread }}>", thread=hex_thread)
"""Server form of ConfigMgr's site components [D]: two blanks, component, local time, thread."""
W3C: Final = Layout(head="{{ stamp }} ")
"""IIS and HTTP.sys: date and time in UTC, whole seconds, then the fields of the message's text."""
SOFTWARE_DISTRIBUTION: Final = Layout(head="{{ stamp }} UTC\t{{ level }}\t{{ process }}.{{ thread }}\t{{ method }}\t")
"""SoftwareDistribution.log of WSUS [D]; messages name ``level``, ``process`` and ``method``."""
PLAIN: Final = Layout()
"""Nothing around the message: exports of event logs and status messages."""


def _slot_ms(zone: Zone, at: int) -> int:
    """How long a piece of time around ``at`` has one offset: a quarter of an hour, or a minute where it changes."""
    start = at - at % (_QUARTER_MS * MS)
    return _QUARTER_MS if zone.bias_min(start) == zone.bias_min(start + _QUARTER_MS * MS - 1) else _MINUTE_MS


class Stamp:
    """Text of an instant in a zone, made by look-ups: what is the same for a quarter of an hour is made once.

    All offsets are whole quarters of an hour. Where one changes in between, the quarter is taken minute by minute.
    """

    __slots__ = ("_base", "_head", "_make_head", "_make_tail", "_millis", "_slot_ms", "_start_ms", "_tail", "zone")

    def __init__(
        self, zone: Zone, head: Callable[[datetime], str], tail: Callable[[datetime, int], str], *, millis: bool = True
    ) -> None:
        """``head`` makes the text up to and with the hour, ``tail`` what follows the (milli)seconds, given the bias in minutes."""
        self.zone = zone
        self._make_head = head
        self._make_tail = tail
        self._millis = millis
        self._turn(0)

    def __call__(self, at: int) -> str:
        """Instant ``at``, microseconds, in words."""
        ms = at // MS - self._start_ms
        if not 0 <= ms < self._slot_ms:
            ms = self._turn(at)
        if self._millis:
            return f"{self._head}{_MINUTES[self._base + ms // 1000]}{_MILLIS[ms % 1000]}{self._tail}"
        return f"{self._head}{_MINUTES[self._base + ms // 1000]}{self._tail}"

    def _turn(self, at: int) -> int:
        """Make the texts of the quarter of ``at``; returns how many milliseconds have passed in it."""
        self._slot_ms = _slot_ms(self.zone, at)
        ms = at // MS % self._slot_ms
        start = (at // MS - ms) * MS
        self._start_ms = start // MS
        local = self.zone.local(start)
        self._base = local.minute * 60
        self._head = self._make_head(local)
        self._tail = self._make_tail(local, self.zone.bias_min(start))
        return ms


WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _c_head(local: datetime) -> str:
    return f"{WEEKDAYS[local.weekday()]} {MONTHS[local.month - 1]} {local.day:02} {local.hour:02}:"


def _iso_head(local: datetime) -> str:
    return f"{local:%Y-%m-%d}T{local.hour:02}:"


@cache
def _zone(name: str) -> Zone:
    return Zone(name)


@cache
def bias_stamp(zone: str) -> Stamp:
    """``02-08-2020 02:13:11.522+480`` [D]: local time and the minutes to add to it to get UTC, at least two digits."""
    return Stamp(_zone(zone), lambda local: f"{local:%m-%d-%Y} {local.hour:02}:", lambda _, bias_min: f"{bias_min:+03d}")


@cache
def zone_name_stamp(zone: str, standard: str, daylight: str) -> Stamp:
    """``Mon Aug 06 19:54:32.699 2007 W. Europe Daylight Time`` [U; D for SMS 2.0]: C's date and the zone's Windows name."""
    rules = _zone(zone)

    def tail(local: datetime, bias_min: int) -> str:
        return f" {local.year} {daylight if bias_min < rules.standard_bias_min(local.year) else standard}"

    return Stamp(rules, _c_head, tail)


@cache
def gmt_stamp() -> Stamp:
    """``Mon Aug 06 17:54:32.699 2007``: GMTDATE of a STATMSG line [S]."""
    return Stamp(_zone("UTC"), _c_head, lambda local, _: f" {local.year}")


@cache
def iso_stamp(zone: str) -> Stamp:
    """``2014-01-16T19:53:54.231`` in local time; event exports and truth records."""
    return Stamp(_zone(zone), _iso_head, lambda _local, _bias: "")


class Lines:
    """The pen of one log: its compiled subclass has a method per message, ``name(at, <parameters>)``.

    Lines come in blocks, so the stamp of the last instant is kept.
    """

    __slots__ = ("_thread_form", "at", "out", "stamp", "stamp_of", "thread", "tid")

    def __init__(
        self,
        layout: Layout,
        stamp: Stamp,
        zone: str,  # as ``note``: pens with truth need it
        out: Callable[[str], None],
        note: Callable[[str], None],
    ) -> None:
        self.out = out
        self.stamp_of = stamp.__call__
        self._thread_form = layout.thread
        self.at = -1
        self.stamp = ""
        self.tid: int | str = "null"
        self.thread = ""

    def set_thread(self, tid: int) -> None:
        """Write as that thread from now on."""
        if tid != self.tid:
            self.tid = tid
            self.thread = self._thread_form(tid)


class When:
    """The instant's part of a truth record, shared by all logs of a zone."""

    __slots__ = ("_at", "_local", "_local_base", "_slot_ms", "_start_ms", "_text", "_utc", "_utc_base", "_zone")

    def __init__(self, zone: str) -> None:
        self._zone = _zone(zone)
        self._turn(0)
        self._at = -1
        self._text = ""

    def text(self, at: int) -> str:
        """``ts_local``, ``bias_min`` and ``ts_utc`` of instant ``at``, with the comma before them."""
        if at != self._at:
            self._at = at
            ms = at // MS - self._start_ms
            if not 0 <= ms < self._slot_ms:
                ms = self._turn(at)
            second, milli = ms // 1000, _MILLIS[ms % 1000]
            local, utc = _MINUTES[self._local_base + second], _MINUTES[self._utc_base + second]
            self._text = f'{self._local}{local}{milli}{self._utc}{utc}{milli}Z"'
        return self._text

    def _turn(self, at: int) -> int:
        self._slot_ms = _slot_ms(self._zone, at)
        ms = at // MS % self._slot_ms
        start = (at // MS - ms) * MS
        self._start_ms = start // MS
        local, utc = self._zone.local(start), _zone("UTC").local(start)
        self._local_base, self._utc_base = local.minute * 60, utc.minute * 60
        self._local = f',"ts_local":"{_iso_head(local)}'
        self._utc = f'","bias_min":{self._zone.bias_min(start)},"ts_utc":"{_iso_head(utc)}'
        return ms


@cache
def when(zone: str) -> When:
    return When(zone)


class TruthLines(Lines):
    """A pen that also notes what it wrote: the part of the truth record that follows the byte span."""

    __slots__ = ("context", "note", "when", "when_of")

    def __init__(self, layout: Layout, stamp: Stamp, zone: str, out: Callable[[str], None], note: Callable[[str], None]) -> None:
        super().__init__(layout, stamp, zone, out, note)
        self.note = note
        self.when = ""
        self.when_of = when(zone).text
        self.context = ""
        """End of the record: run, event, entry and causes of the entry that is being written down."""
