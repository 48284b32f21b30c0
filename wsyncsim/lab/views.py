"""What a session hands to those who show it: plain data, all of it JSON."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from scenarios.look import View


class Plain:
    """Turns a data class to JSON values."""

    __slots__ = ()

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return dataclasses.asdict(self)  # type: ignore[call-overload, no-any-return]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight(View):
    """What a look showed, and what it cost."""

    evidence: str
    """How it is called as evidence: ``e1``."""
    charged_min: int
    """Minutes that it cost; 0 when it showed nothing new."""
    new: bool
    """It says something that it did not say before."""
    same: bool
    """Not even a line of it is another one."""
    target: str | None

    def as_json(self) -> dict[str, Any]:
        more = {
            "evidence": self.evidence,
            "charged_min": self.charged_min,
            "new": self.new,
            "same": self.same,
            "target": self.target,
        }
        return {**View.as_json(self), **more}


@dataclass(frozen=True, slots=True)
class Pin(Plain):
    """A line of something that has been seen, pinned to the board."""

    evidence: str
    line: int
    """From 1."""
    text: str


@dataclass(frozen=True, slots=True)
class Place(Plain):
    """Where a look can be done."""

    host: str
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookItem(Plain):
    """A look that is possible."""

    id: str
    group: str
    """The console or tool that it belongs to, such as ``logs`` or ``iis_manager``."""
    title: str
    where: str
    reveals: str
    minutes: int
    places: tuple[Place, ...]
    site_wide: bool
    leaves_trace: bool
    takes_target: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionItem(Plain):
    """An action that is possible."""

    id: str
    group: str
    title: str
    minutes: int
    sites: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseItem(Plain):
    """Something that can be diagnosed."""

    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Plain):
    """An action that was taken."""

    id: str
    title: str
    site: str
    minutes: int
    local: str
    """The lab's clock after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited(Plain):
    """How long was waited."""

    minutes: int
    local: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated(Plain):
    """How another team answered."""

    team: str
    accepted: bool
    reply: str
    local: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification(Plain):
    """What has been seen of a success."""

    seen: bool
    evidence: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint(Plain):
    """A hint."""

    rung: int
    """1 which step, 2 which question, 3 where to look, 4 what outcomes mean, 5 the worked solution."""
    about: str
    """What it is about: the same until something changes."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining(Plain):
    """What could still be wrong."""

    left: int
    candidates: int
    """How many explanations there were at the beginning."""
    causes: tuple[str, ...]
