"""State that knows why it is as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from simulator.journal import Entry


@dataclass(slots=True, eq=False, kw_only=True)
class State:
    """Facts about one thing in the estate that faults and repairs may change.

    The first value of an attribute is its healthy one. An attribute that deviates from it remembers the entry that made
    it so; when it is healthy again, it forgets.
    """

    changes: ClassVar[int] = 0
    """Counts all changes of all states, so that what depends on them need not be worked out again while nothing changes."""

    entity: str
    """What this is, as the answer key names it, such as ``CS1SUP/W3SVC``."""
    why: dict[str, Entry] = field(default_factory=dict, init=False, repr=False)
    healthy: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def change(self, because: Entry | None, **values: Any) -> None:
        """Set attributes, remembering ``because`` for those that are no longer as they were when all was well."""
        State.changes += 1
        for name, value in values.items():
            before = getattr(self, name)
            healthy = self.healthy.setdefault(name, before)
            setattr(self, name, value)
            if because is None or value == healthy:
                self.why.pop(name, None)
            else:
                self.why[name] = because

    def because(self, *names: str) -> Entry | None:
        """The entry that explains the first of ``names`` that deviates; ``None`` when none does."""
        if self.why:
            for name in names:
                if name in self.why:
                    return self.why[name]
        return None


def first(*causes: Entry | None) -> Entry | None:
    """The first cause there is."""
    for cause in causes:
        if cause is not None:
            return cause
    return None
