"""The site database as far as software updates go: its SQL Server, and the updates that the console lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from simulator.components.susdb import Susdb
from simulator.components.upstream import Catalogue, Portion, Subscription, expires, origin, updates
from simulator.components.windows import WindowsService
from simulator.failures import DatabaseUnreachable, Failure, SchemaInvalid
from simulator.state import State
from simulator.units import SECOND

SQL_TIMEOUT_US = 15 * SECOND
"""A connection to SQL Server is given up after this long [I: .NET's default]."""


class Item(NamedTuple):
    """An update in the console's list."""

    revision: int
    """Newest revision of it."""
    languages: tuple[str, ...]
    """Languages in which its summary details are there."""
    since_at: int
    """When that revision was written here."""
    expired: bool
    wanted: bool
    """Its product and classification are among those that the site asks for."""


@dataclass(slots=True, eq=False, kw_only=True)
class SiteDatabase(State):
    """Site database of one site. What it holds of an update is what WSUS held when it was copied."""

    service: WindowsService
    schema_valid: bool = True
    """SQL Server's procedures accept configuration items; in a bad state they do not, until the service is restarted [S]."""
    portions: dict[Portion, int] = field(default_factory=dict)
    """What was copied from WSUS, and when."""
    declined: set[Portion] = field(default_factory=set)
    """What WSUS had declined at the last full synchronization: expired here."""
    seen: int = 0
    """How many of WSUS's portions the last synchronization went through."""

    def unread(self, susdb: Susdb, *, full: bool) -> list[Portion]:
        """What a synchronization has to copy: what arrived since the last one, or all that is missing."""
        start = 0 if full else min(self.seen, len(susdb.portions))
        return [portion for portion in susdb.portions[start:] if portion not in self.portions]

    def missing(self, catalogue: Catalogue, portion: Portion) -> list[int]:
        """The updates of a portion that are not here in any other."""
        overlapping = [other for other in self.portions if other.after < portion.to and portion.after < other.to]
        updates = catalogue.updates(portion)
        if not overlapping:
            return list(updates)
        known = {n for other in overlapping for n in catalogue.updates(other) if portion.after < n <= portion.to}
        return [n for n in updates if n not in known]

    def size(self, catalogue: Catalogue) -> int:
        """How many revisions of updates it holds."""
        return sum(len(catalogue.updates(portion)) for portion in self.portions)

    def check(self) -> None:
        """Raise ``Failure`` when SQL Server does not answer."""
        if not self.service.running:
            raise Failure(DatabaseUnreachable(), self.service.because("running"), SQL_TIMEOUT_US)

    def save(self, guid: str) -> None:
        """Write one update; raises ``Failure`` when SQL Server does not answer, or does not accept it."""
        self.check()
        if not self.schema_valid:
            raise Failure(SchemaInvalid(guid), self.because("schema_valid"), 0)

    def empty(self) -> None:
        """Be the database of a site that has never synchronized."""
        self.portions.clear()
        self.declined.clear()
        self.seen = 0

    def take_over(self, other: SiteDatabase, at: int) -> None:
        """Hold what another site's database holds (database replication)."""
        for portion in other.portions:
            self.portions.setdefault(portion, at)
        self.declined |= other.declined

    def items(self, catalogue: Catalogue, wanted: Subscription) -> tuple[Item, ...]:
        """All updates, each once, oldest first."""
        held = tuple((portion, at, portion in self.declined) for portion, at in self.portions.items())
        return _items(catalogue.products, held, wanted)

    # --- what somebody may complain of

    def unwanted(self, wanted: Subscription) -> list[Portion]:
        """What is here, and not expired, although the site does not ask for it."""
        return [portion for portion in self.portions if portion not in self.declined and not portion.subscription.within(wanted)]

    def untold(self, languages: tuple[str, ...]) -> list[Portion]:
        """What lacks summary details in one of these languages."""
        return [portion for portion in self.portions if not set(languages) <= set(portion.subscription.languages)]


@lru_cache(maxsize=16)
def _items(products: tuple[str, ...], held: tuple[tuple[Portion, int, bool], ...], wanted: Subscription) -> tuple[Item, ...]:
    """What portions (with when they were copied, and whether they are declined) come to; twin worlds often hold the same."""
    number = len(products)
    rows = []
    for portion, at, declined in held:
        languages, in_filter = portion.subscription.languages, portion.subscription.within(wanted)
        rows += [(revision, portion, at, languages, declined, in_filter) for revision in updates(products, portion)]
    items: dict[int, Item] = {}
    for revision, _, at, languages, declined, in_filter in sorted(rows):
        items[origin(revision, number)] = Item(revision, languages, at, declined or expires(revision, number), in_filter)
    return tuple(items.values())
