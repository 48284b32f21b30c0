"""A case of the conformance suite: exact bytes, and what a parser should make of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Group = Literal["y", "n", "i"]
"""Must read; must reject, or skip without damage; implementation-defined."""
GROUPS: Final[tuple[Group, ...]] = ("y", "n", "i")
FORMATS: Final = ("server", "client", "w3c", "httperr", "wsus")

SUITE_VERSION: Final = "1.0.0"
"""Semantic version of the cases: major when an expectation changes, minor when cases are added."""
SUITE_SCHEMA: Final = "wsyncsim-suite/1"
EXPECTED_SCHEMA: Final = "wsyncsim-suite-expected/1"
RECORD_FIELDS: Final = (
    "line",
    "line_end",
    "byte_start",
    "byte_end",
    "form",
    "message",
    "component",
    "time_local",
    "bias_min",
    "time_utc",
    "thread",
    "severity",
    "file",
    "context",
    "fields",
)
"""What a record can tell, in the order in which it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case; ``expected`` is the content of its ``.expected.json``."""

    id: str
    format: str
    encoding: str
    why: str
    """The reason, in one line."""
    evidence: str
    """Tag of the source, as in the message catalogues, and if useful a note."""
    tags: tuple[str, ...]
    since: str
    """Version of the suite that had it first."""
    data: bytes = field(repr=False)
    expected: dict[str, Any] = field(repr=False)
    origin: Literal["hand", "run"] = "hand"
    """Written by hand, or a file of a simulated run with its truth records."""

    @property
    def group(self) -> Group:
        group: Group = self.id[0]  # type: ignore[assignment]  # checked where cases are made
        return group

    def entry(self) -> dict[str, Any]:
        """The case in ``suite.json``."""
        return {
            "id": self.id,
            "group": self.group,
            "format": self.format,
            "file": f"{self.id}.log",
            "expected": f"{self.id}.expected.json",
            "bytes": len(self.data),
            "sha256": hashlib.sha256(self.data).hexdigest(),
            "encoding": self.encoding,
            "why": self.why,
            "evidence": self.evidence,
            "tags": list(self.tags),
            "since": self.since,
            "origin": self.origin,
        }


def record(values: dict[str, Any]) -> dict[str, Any]:
    """A record of an expectation: known fields in their order; what is ``None`` or ``False`` says nothing and is left out."""
    return {name: values[name] for name in RECORD_FIELDS if values.get(name) is not None and values[name] is not False}
