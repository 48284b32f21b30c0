"""Time stamps of site and client components, and severities.

``UTC = local time + bias``; a bias is what follows the fraction, minutes with a sign. 2007 has the zone's Windows name instead.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final, NamedTuple

from wsyncsim.reader.record import Severity

MAX_BIAS_MIN: Final = 24 * 60 - 1
_CLOCK: Final = r"(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?"
_BIAS: Final = r"(?:\+?([+-]\d{1,4}))?"
_NUMERIC: Final = re.compile(rf"(\d{{1,2}})-(\d{{1,2}})-(\d{{4}}) {_CLOCK}{_BIAS}", re.ASCII)
_TIME: Final = re.compile(rf"{_CLOCK}{_BIAS}", re.ASCII)
_DATE: Final = re.compile(r"(\d{1,2})-(\d{1,2})-(\d{4})", re.ASCII)
_NAMED: Final = re.compile(rf"[A-Z][a-z]{{2}} ([A-Z][a-z]{{2}}) +(\d{{1,2}}) {_CLOCK} (\d{{4}})(?: ([^<>]+))?", re.ASCII)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STATMSG: Final = re.compile(r"STATMSG: ID=\d+ SEV=([IWE]) ")
_STATMSG_SEVERITY: Final[dict[str, Severity]] = {"I": "info", "W": "warning", "E": "error"}
_TYPES: Final[dict[str, Severity]] = {"0": "info", "1": "info", "2": "warning", "3": "error"}


class Stamp(NamedTuple):
    """Local time and bias as a record has them."""

    local: datetime
    bias_min: int | None


def server_stamp(text: str) -> Stamp | None:
    """``02-08-2020 02:13:11.522+480``, or ``Mon Aug 06 08:00:00.020 2007 W. Europe Daylight Time``; else ``None``."""
    match = _NUMERIC.fullmatch(text)
    if match:
        month, day, year, *clock, bias = match.groups()
        return _stamp(year, month, day, clock, bias)
    match = _NAMED.fullmatch(text)
    if match is None or match[1] not in _MONTHS:
        return None
    month, day, *clock, year, zone = match.groups()
    stamp = _stamp(year, str(_MONTHS.index(month) + 1), day, clock, None)
    return None if stamp is None else Stamp(stamp.local, zone_bias_min(zone, stamp.local) if zone else None)


def client_stamp(time: str, date: str) -> Stamp | None:
    """The attributes ``time`` and ``date`` of the client form."""
    clock, day = _TIME.fullmatch(time), _DATE.fullmatch(date)
    if clock is None or day is None:
        return None
    *parts, bias = clock.groups()
    return _stamp(day[3], day[1], day[2], parts, bias)


def _stamp(year: str, month: str, day: str, clock: list[str | None], bias: str | None) -> Stamp | None:
    hour, minute, second, fraction = clock
    micro = int((fraction or "")[:6].ljust(6, "0"))
    try:
        local = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micro)
    except ValueError:
        return None
    bias_min = int(bias) if bias else None
    return Stamp(local, None if bias_min is None or abs(bias_min) > MAX_BIAS_MIN else bias_min)


@cache
def _zone(name: str) -> tuple[str, bool] | None:
    from generators.windows_zones import zone_named

    return zone_named(name)


def zone_bias_min(name: str, local: datetime) -> int | None:
    """Bias of a zone by its Windows name, English or German, at a local time; ``None`` for unknown names.

    In the hour that comes twice, the name says which one it is.
    """
    from simulator.clock import Zone

    known = _zone(name)
    if known is None:
        return None
    zone, daylight = Zone(known[0]), known[1]
    try:
        first = zone.instant(local.replace(microsecond=0))
        second = zone.instant(local.replace(microsecond=0, fold=1))
        for instant in (first, second):
            if zone.daylight(instant) == daylight:
                return zone.bias_min(instant)
    except (OverflowError, ValueError, OSError):
        return None
    standard = zone.standard_bias_min(local.year)
    return standard - 60 if daylight else standard


def iso_utc(text: str) -> datetime | None:
    """``2026-03-02 07:04:50.357`` or without fraction, UTC, naive."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


def unix_epoch_us(at: datetime) -> int:
    """A naive time as microseconds since 1970, as if it were UTC."""
    return (at.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def server_severity(message: str) -> Severity:
    """The server form has no field for it: SEV of a STATMSG line, else CMTrace's key words anywhere in the text.

    ``error``, or ``fail`` (not in ``failover``), is an error, ``warn`` a warning, in any case; all else is info.
    """
    status = _STATMSG.match(message)
    if status:
        return _STATMSG_SEVERITY[status[1]]
    lower = message.lower()
    if "error" in lower or "fail" in lower.replace("failover", ""):
        return "error"
    return "warning" if "warn" in lower else "info"


def client_severity(type_: str) -> Severity | None:
    """``type`` of the client form: 1 info, 2 warning, 3 error; 0, which .NET writers use, is info; others say nothing."""
    return _TYPES.get(type_)
