"""Microsoft Update: publishes a stream of update revisions, in the rhythm of a month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from simulator.clock import utc
from simulator.dice import Dice, Stream
from simulator.state import State
from simulator.units import DAY, HOUR

ADDRESS_US = 3 * DAY
"""How long Microsoft Update is found under the same address [I: content networks change theirs without notice]."""
BASELINE = 12_000
"""Revisions that were published before the simulation begins."""
_DEFINITION_HOURS = (2, 6, 10, 14, 18, 22)
_PATCH_HOUR = 17


class Update(NamedTuple):
    """One update as the site database shows it."""

    guid: str
    title: str


@dataclass(slots=True, eq=False, kw_only=True)
class MicrosoftUpdate(State):
    """The service on the Internet, and its catalogue."""

    host: str


class Catalogue:
    """How many revisions have been published by when, and which of them are updates that an administrator sees.

    Revisions are numbered from 1 in the order of publication; the stream depends on the seed alone.
    """

    def __init__(self, dice: Dice, start: int, products: tuple[str, ...], first_article: int) -> None:
        """``start``: an instant before which nobody asks, save for the day before it."""
        self._dice = dice
        self._products = products
        self._first_article = first_article
        self._first_day = start // DAY - 1
        self._before: list[int] = [BASELINE]

    def _published(self, day: int) -> Stream:
        return self._dice.stream(f"microsoft update/{day}")

    @staticmethod
    def _is_patch_day(day: int) -> bool:
        date = utc(day * DAY)
        return date.weekday() == 1 and 8 <= date.day <= 14

    def _of_day(self, day: int) -> tuple[list[int], int]:
        """Revisions at each of the definition hours, and at the patch hour of a second Tuesday."""
        stream = self._published(day)
        return [stream.between(6, 30) for _ in _DEFINITION_HOURS], stream.between(90, 150) if self._is_patch_day(day) else 0

    def address(self, at: int) -> str:
        """Where Microsoft Update is reached at instant ``at``: one of the addresses that are reserved for documentation."""
        return f"203.0.113.{self._dice.stream(f'microsoft update/address/{at // ADDRESS_US}').between(1, 255)}"

    def revision(self, at: int) -> int:
        """Number of the newest revision at instant ``at``."""
        day = max(at // DAY - self._first_day, 0)
        while len(self._before) <= day:
            definitions, patches = self._of_day(self._first_day + len(self._before) - 1)
            self._before.append(self._before[-1] + sum(definitions) + patches)
        definitions, patches = self._of_day(self._first_day + day)
        hour = at % DAY // HOUR
        newest = self._before[day] + sum(count for at_h, count in zip(_DEFINITION_HOURS, definitions, strict=True) if at_h <= hour)
        return newest + (patches if hour >= _PATCH_HOUR else 0)

    @staticmethod
    def visible(after: int, to: int) -> list[int]:
        """The revisions in ``after < n <= to`` that are updates of the subscribed products; the rest are their parts."""
        return [n for n in range(after + 1, to + 1) if n * 2_654_435_761 % 64 < 6]

    def update(self, revision: int) -> Update:
        """GUID and title of a visible revision."""
        stream = self._dice.stream(f"update/{revision}")
        product = self._products[revision % len(self._products)]
        return Update(stream.guid(), f"Security Update for {product} (KB{self._first_article + revision})")
