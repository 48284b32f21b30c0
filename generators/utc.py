"""Stamps in UTC for logs in which lines are far apart: only the date is made anew, once a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Final

from generators.layouts import Stamp
from simulator.clock import Zone, utc
from simulator.units import DAY, MS, SECOND

_DAY_S: Final = DAY // SECOND
_HOURS: Final = tuple(f"{hour:02}:" for hour in range(24))
_MINUTES: Final = tuple(f"{second // 60:02}:{second % 60:02}" for second in range(3600))
_MILLIS: Final = tuple(f".{milli:03}" for milli in range(1000))


class UtcStamp(Stamp):
    """A stamp without offset and daylight saving time, which therefore knows no quarters of an hour."""

    __slots__ = ("_date", "_day", "_make_date", "_with_millis")

    def __init__(self, date: Callable[[datetime], str], *, millis: bool) -> None:
        """``date`` makes the text up to the hour."""
        super().__init__(Zone("UTC"), date, lambda _local, _bias: "", millis=millis)
        self._make_date = date
        self._with_millis = millis
        self._day = -1
        self._date = ""

    def __call__(self, at: int) -> str:
        second = at // SECOND
        day = second // _DAY_S
        if day != self._day:
            self._day = day
            self._date = self._make_date(utc(day * DAY))
        clock = f"{self._date}{_HOURS[second % _DAY_S // 3600]}{_MINUTES[second % 3600]}"
        return clock + _MILLIS[at // MS % 1000] if self._with_millis else clock


def _sql_date(day: datetime) -> str:
    return f"{day:%Y-%m-%d} "


def _iso_date(day: datetime) -> str:
    return f"{day:%Y-%m-%d}T"


@cache
def utc_seconds() -> UtcStamp:
    """``2014-01-16 18:53:54``: W3C logs."""
    return UtcStamp(_sql_date, millis=False)


@cache
def utc_millis() -> UtcStamp:
    """``2014-01-16 18:53:54.231``: SoftwareDistribution.log."""
    return UtcStamp(_sql_date, millis=True)


@cache
def utc_iso() -> UtcStamp:
    """``2014-01-16T18:53:54.231``: event exports and status messages."""
    return UtcStamp(_iso_date, millis=True)
