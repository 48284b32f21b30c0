"""The human side of the lab as data: tickets, people, curriculum, prices, texts."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from scenarios.text import Text
from simulator.errors import WsyncsimError


class LabError(WsyncsimError):
    """Something that the lab cannot do, or does not allow; it says why."""


class Said(msgspec.Struct, frozen=True):
    """A text in both languages."""

    en: str
    de: str

    def in_(self, language: str) -> str:
        return Text(self.en, self.de).in_(language)


class TicketData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ticket as its file has it."""

    id: str
    faults: list[str]
    level: int
    role: str
    minutes: int
    headings: list[str]
    complaint: str | None = None
    generations: list[str] | None = None
    estate: str | None = None
    change: Said | None = None
    says: list[Said] = []
    before_min: tuple[int, int] = (3, 40)
    open_min: tuple[int, int] = (20, 100)


class Heading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A heading of the seed page, what is learned there, and the faults that it is about."""

    id: str
    title: Said
    skill: Said
    faults: list[str]


class Organization(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an organization names its domain and servers."""

    domain: str
    hosts: str


class People(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Callers, places, what they say, and harmless changes."""

    organization: list[Organization]
    places: dict[str, list[str]]
    names: dict[str, list[str]]
    says: dict[str, list[Said]]
    answers: dict[str, Said]
    harmless: list[Said]


class Success(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fact that says that a synchronization succeeded: the end of its key, and a part of its value."""

    key: str
    contains: str


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Prices, weights, teams, and what is not to be changed."""

    weights: dict[str, Any]
    partial: dict[str, float]
    harm: dict[str, int]
    security: dict[str, list[str]]
    teams: dict[str, list[str]]
    delays: dict[str, int]
    success: list[Success]
    roles: dict[str, list[str]]
    waiting: dict[str, list[str]]
    minutes: dict[str, int]
    groups: dict[str, list[str]]


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("wsyncsim.lab").joinpath("tickets", name).read_text(encoding="utf-8"))


@cache
def ticket_data() -> dict[str, TicketData]:
    """All tickets by id, in the order of their files."""
    found: dict[str, TicketData] = {}
    for name in ("seed_page.toml", "several.toml"):
        for ticket in msgspec.convert(_read(name)["ticket"], list[TicketData]):
            if ticket.id in found:
                raise ValueError(f"ticket {ticket.id} is there twice")
            found[ticket.id] = ticket
    return found


@cache
def curriculum() -> list[Heading]:
    """The headings of the seed page, in its order."""
    return msgspec.convert(_read("curriculum.toml")["heading"], list[Heading])


@cache
def people() -> People:
    return msgspec.convert(_read("people.toml"), People)


@cache
def policy() -> Policy:
    return msgspec.convert(_read("policy.toml"), Policy)


@cache
def _tempting() -> dict[str, list[str]]:
    return msgspec.convert(_read("tempting.toml")["moves"], dict[str, list[str]])


def tempting_moves(fault: str) -> list[str]:
    """Ids of the actions that people are tempted to take against a fault, and should not; empty: where nothing is wrong."""
    return _tempting().get(fault or "nothing", [])


@cache
def _texts() -> Mapping[str, Said]:
    return msgspec.convert(_read("texts.toml"), dict[str, Said])


def say(name: str, language: str, /, **values: Any) -> str:
    """A text of ``texts.toml`` with its ``{names}`` filled in."""
    return _texts()[name].in_(language).format_map(values)
