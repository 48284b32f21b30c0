"""Time as integers: every instant and every duration in the simulation is a whole number of microseconds.

An instant (``at``) counts microseconds since 1970-01-01T00:00:00Z.
"""

from __future__ import annotations

from typing import Final

US: Final = 1
MS: Final = 1_000
SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
