"""Lengths of time as people write them: ``1h30m``, ``45s``, ``2d``."""

from __future__ import annotations

import re

from simulator.units import DAY, HOUR, MINUTE, SECOND

PATTERN = r"^(?=.*\d)(\d{1,4}d)? ?(\d{1,5}h)? ?(\d{1,6}m)? ?(\d{1,7}s)?$"
"""Days, hours, minutes and seconds, in this order, each optional."""
_UNITS = (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND))


def parse(text: str) -> int | None:
    """A duration in microseconds, or ``None`` when ``text`` is not one."""
    match = re.match(PATTERN, text, re.ASCII)
    if match is None:
        return None
    return sum(int(part[:-1]) * unit for part, (_, unit) in zip(match.groups(), _UNITS, strict=True) if part)


def spell(duration_us: int) -> str:
    """The shortest text that ``parse`` reads back; ``duration_us`` is a whole number of seconds."""
    parts = []
    for letter, unit in _UNITS:
        count, duration_us = divmod(duration_us, unit)
        if count:
            parts.append(f"{count}{letter}")
    return "".join(parts) or "0s"
