"""Wall clocks of the simulated servers: instants (integer microseconds, UTC) seen in a time zone, with daylight saving time.

Zones are read from the ``tzdata`` package, never from the machine, so every machine knows the same rules.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from simulator.errors import EstateError
from simulator.units import SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@cache
def _names() -> frozenset[str]:
    listing = files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    return frozenset(listing.split())


def zone_names() -> frozenset[str]:
    """All IANA names that ``zone`` knows."""
    return _names()


@cache
def _zone_info(name: str) -> ZoneInfo:
    if name not in _names():
        raise EstateError(f"there is no time zone {name!r}", hint="Use an IANA name such as Europe/Berlin, America/Chicago or UTC")
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


class Zone:
    """One time zone. ``bias_min`` is what ConfigMgr writes: UTC = local time + bias."""

    __slots__ = ("_info", "_standard", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._standard: dict[int, int] = {}
        self._info = _zone_info(name)

    def local(self, at: int) -> datetime:
        """The wall clock (aware, whole seconds) at instant ``at``."""
        return datetime.fromtimestamp(at // SECOND, UTC).astimezone(self._info)

    def bias_min(self, at: int) -> int:
        """Minutes to add to local time to get UTC at instant ``at``; negative east of Greenwich."""
        offset = self.local(at).utcoffset()
        assert offset is not None
        return -int(offset.total_seconds()) // 60

    def daylight(self, at: int) -> bool:
        """Whether the clocks are ahead of what they are in the other half of the year, at instant ``at``."""
        local = self.local(at)
        return self.bias_min(at) < self.standard_bias_min(local.year)

    def standard_bias_min(self, year: int) -> int:
        """The larger bias of a year: that of standard time, in zones too that call their summer the normal time."""
        standard = self._standard.get(year)
        if standard is None:
            halves = (datetime(year, month, 1, tzinfo=UTC) for month in (1, 7))
            biases = (self.bias_min((half - _EPOCH) // timedelta(microseconds=1)) for half in halves)
            standard = self._standard[year] = max(biases)
        return standard

    def instant(self, local: datetime) -> int:
        """The instant of a naive local time; of an ambiguous one the first, of a skipped one as if the clock had not moved."""
        aware = local.replace(tzinfo=self._info)
        return (aware.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def utc(at: int) -> datetime:
    """Instant ``at`` as an aware datetime in UTC, microseconds kept."""
    return _EPOCH + timedelta(microseconds=at)
