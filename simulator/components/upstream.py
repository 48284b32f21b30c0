"""Microsoft Update: publishes a stream of update revisions, in the rhythm of a month.

Revisions are numbered from 1 in the order of publication. What a revision is (product, classification, whether it is an
update that an administrator sees or a part of one, what it revises) depends on its number alone; how many are published when,
and the GUIDs, depend on the seed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from simulator.clock import utc
from simulator.dice import Dice, Stream
from simulator.state import State
from simulator.units import DAY, HOUR

ADDRESS_US = 3 * DAY
"""How long Microsoft Update is found under the same address [I: content networks change theirs without notice]."""
BASELINE = 72_000
"""Revisions that were published before the simulation begins; a site's first synchronization reads about a quarter [I]."""
BASELINE_DAYS = 4 * 365
"""In how many days they were published [I]."""
CHUNK = 2_000
"""Long stretches of revisions are fetched and remembered in pieces of this many numbers."""
_DEFINITION_HOURS = (2, 6, 10, 14, 18, 22)
_PATCH_HOUR = 17

CLASSIFICATIONS: Final = (
    "Critical Updates",
    "Definition Updates",
    "Drivers",
    "Feature Packs",
    "Security Updates",
    "Service Packs",
    "Tools",
    "Update Rollups",
    "Updates",
)
"""Update classifications of WSUS [L]."""
_CLASS_OF: Final = (4, 4, 4, 4, 4, 0, 0, 8, 8, 1, 1, 1, 7, 2, 3, 6)
"""How often each is published: sixteenths, as indexes of ``CLASSIFICATIONS`` [I]; service packs are rarer than that."""
USUAL_CLASSIFICATIONS: Final = ("Critical Updates", "Security Updates", "Updates")
"""What a site subscribes to unless told otherwise [C]."""
LANGUAGES: Final = ("en", "de", "fr", "es", "ja")
"""Languages in which Microsoft Update offers summary details of every update; real ones are more [I]."""
_TITLES: Final = {
    "Security Updates": "Security Update for {product} (KB{article})",
    "Definition Updates": "Definition Update for {product} - KB{article}",
    "Update Rollups": "Update Rollup for {product} (KB{article})",
    "Feature Packs": "Feature Pack for {product} (KB{article})",
    "Drivers": "Driver update for {product}",
    "Tools": "Tool for {product} (KB{article})",
}
_PLAIN_TITLE: Final = "Update for {product} (KB{article})"


class Subscription(NamedTuple):
    """Which updates are asked for: those of one of the products and one of the classifications, told in these languages."""

    products: tuple[str, ...]
    classifications: tuple[str, ...]
    languages: tuple[str, ...]

    def meet(self, other: Subscription) -> Subscription:
        """What both ask for; languages are this one's."""
        return Subscription(
            tuple(name for name in self.products if name in other.products),
            tuple(name for name in self.classifications if name in other.classifications),
            self.languages,
        )

    def within(self, other: Subscription) -> bool:
        """Whether the other one asks for all of this one's products and classifications."""
        return set(self.products) <= set(other.products) and set(self.classifications) <= set(other.classifications)

    @property
    def empty(self) -> bool:
        return not self.products or not self.classifications


class Portion(NamedTuple):
    """The revisions ``after < n <= to`` that a subscription asks for: how the contents of SUSDB and site database are told."""

    after: int
    to: int
    subscription: Subscription

    def chunks(self) -> list[Portion]:
        """The same in pieces that end at multiples of ``CHUNK``."""
        ends = [*range(self.after - self.after % CHUNK + CHUNK, self.to, CHUNK), self.to]
        starts = [self.after, *ends]
        return [Portion(after, to, self.subscription) for after, to in zip(starts, ends, strict=False) if after < to]


class Update(NamedTuple):
    """One update as the consoles show it."""

    guid: str
    title: str
    product: str
    classification: str
    revision: int
    """Its revision number as WSUS counts: 100 and up."""
    published_at: int
    expired: bool
    """This revision withdraws the update."""
    license_terms: bool
    """It asks for the acceptance of license terms."""


@dataclass(slots=True, eq=False, kw_only=True)
class MicrosoftUpdate(State):
    """The service on the Internet."""

    host: str


def _mixed(n: int) -> int:
    """32 bits that look like chance, from a revision's number."""
    h = n * 2_654_435_761 & 0xFFFFFFFF
    h = (h ^ h >> 15) * 2_246_822_519 & 0xFFFFFFFF
    return h ^ h >> 13


def _class(h: int) -> int:
    return 5 if h >> 8 & 0x3F0 == 0x3F0 and h & 1 else _CLASS_OF[h >> 8 & 15]


@lru_cache(maxsize=4096)
def _matching(after: int, to: int, number: int, products: int, classes: int) -> tuple[int, tuple[int, ...]]:
    """How many revisions are asked for, and which of them are visible updates; choices as bit masks, of ``number`` products."""
    size, visible = 0, []
    for n in range(after + 1, to + 1):
        h = _mixed(n)
        if products >> h % number & 1 and classes >> _class(h) & 1:
            size += 1
            if h >> 18 & 63 < 6:
                visible.append(n)
    return size, tuple(visible)


@lru_cache(maxsize=65_536)
def _revises(revision: int, number: int) -> int:
    """The earlier revision that one revises, of as many products; itself if none."""
    h = _mixed(revision)
    if h >> 24 & 7 > 1:
        return revision
    kind = _class(h)
    for n in range(revision - 1 - h % 1_500, max(revision - 12_000, 0), -1):
        other = _mixed(n)
        if other >> 18 & 63 < 6 and other % number == h % number and _class(other) == kind:
            return n
    return revision


@lru_cache(maxsize=1024)
def _mask(products: tuple[str, ...], subscription: Subscription) -> tuple[int, int]:
    """Bit masks of what a subscription asks for."""
    return (
        sum(1 << products.index(name) for name in subscription.products),
        sum(1 << CLASSIFICATIONS.index(name) for name in subscription.classifications),
    )


def updates(products: tuple[str, ...], portion: Portion) -> tuple[int, ...]:
    """The revisions of a portion that are updates, of all these products; the rest are their parts."""
    return _matching(portion.after, portion.to, len(products), *_mask(products, portion.subscription))[1]


def origin(revision: int, number: int) -> int:
    """The revision with which an update first appeared, of so many products: itself, or an earlier one."""
    while (earlier := _revises(revision, number)) != revision:
        revision = earlier
    return revision


def expires(revision: int, number: int) -> bool:
    """Whether a revision withdraws its update, of so many products."""
    return _mixed(revision) >> 24 & 7 == 1 and _revises(revision, number) != revision


@lru_cache(maxsize=4096)
def _by_product(products: tuple[str, ...], portion: Portion) -> tuple[tuple[str, int], ...]:
    """How many updates of each product a portion holds."""
    number = len(products)
    return tuple(Counter(products[_mixed(revision) % number] for revision in updates(products, portion)).items())


class Catalogue:
    """What Microsoft Update publishes, and when."""

    def __init__(self, dice: Dice, start: int, products: Sequence[str], first_article: int) -> None:
        """``start``: an instant before which nobody asks, save for the day before it. ``products``: all that are published."""
        self.products = tuple(products)
        self._dice = dice
        self._first_article = first_article
        self._first_day = start // DAY - 1
        self._before: list[int] = [BASELINE]

    # --- when

    def _published(self, day: int) -> Stream:
        return self._dice.stream(f"microsoft update/{day}")

    @staticmethod
    def _is_patch_day(day: int) -> bool:
        date = utc(day * DAY)
        return date.weekday() == 1 and 8 <= date.day <= 14

    def _of_day(self, day: int) -> tuple[list[int], int]:
        """Revisions at each of the definition hours, and at the patch hour of a second Tuesday."""
        stream = self._published(day)
        return [stream.between(24, 120) for _ in _DEFINITION_HOURS], stream.between(360, 600) if self._is_patch_day(day) else 0

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

    def published_at(self, revision: int) -> int:
        """The instant at which a revision was published; of the baseline about."""
        if revision <= BASELINE:
            return self._first_day * DAY - (BASELINE - revision) * (BASELINE_DAYS * DAY // BASELINE)
        day = bisect_right(self._before, revision - 1) - 1
        definitions, patches = self._of_day(self._first_day + day)
        hours = sorted([*zip(_DEFINITION_HOURS, definitions, strict=True), (_PATCH_HOUR, patches)])
        left = revision - self._before[day]
        for hour, count in hours:
            left -= count
            if left <= 0:
                return (self._first_day + day) * DAY + hour * HOUR
        return (self._first_day + day + 1) * DAY

    # --- what

    def size(self, portion: Portion) -> int:
        """How many revisions a portion has, parts of updates included: what WSUS counts as items."""
        return _matching(portion.after, portion.to, len(self.products), *_mask(self.products, portion.subscription))[0]

    def updates(self, portion: Portion) -> tuple[int, ...]:
        """The revisions of a portion that are updates; the rest are their parts."""
        return updates(self.products, portion)

    def by_product(self, portion: Portion) -> tuple[tuple[str, int], ...]:
        """How many updates of each product a portion holds."""
        return _by_product(self.products, portion)

    def history(self, subscription: Subscription, to: int) -> list[Portion]:
        """All that a server holds that has always had this subscription, up to revision ``to``."""
        return Portion(0, to, subscription).chunks()

    def origin(self, revision: int) -> int:
        """The revision with which an update first appeared: itself, or an earlier one that it revises or withdraws."""
        return origin(revision, len(self.products))

    def expires(self, revision: int) -> bool:
        """Whether a revision withdraws its update."""
        return expires(revision, len(self.products))

    def kind(self, revision: int) -> tuple[str, str]:
        """Product and classification of a revision."""
        h = _mixed(revision)
        return self.products[h % len(self.products)], CLASSIFICATIONS[_class(h)]

    def update(self, revision: int) -> Update:
        """The update that a visible revision is (a revision of)."""
        origin = self.origin(revision)
        product, kind = self.kind(revision)
        title = _TITLES.get(kind, _PLAIN_TITLE).format(product=product, article=self._first_article + origin // 4)
        return Update(
            self.guid(origin),
            title,
            product,
            kind,
            100 + (revision - origin) % 900 if origin != revision else 100,
            self.published_at(revision),
            self.expires(revision),
            _mixed(origin) >> 27 == 0,
        )

    def guid(self, origin: int) -> str:
        """GUID of the update that first appeared as that revision."""
        return self._dice.stream(f"update/{origin}").guid()
