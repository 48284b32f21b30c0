"""What may stand in a story file: the shape of its TOML, from which also its JSON Schema is made."""

from __future__ import annotations

import dataclasses
import datetime
import re
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import UNSET, Meta, UnsetType

from simulator import estate as spec

Generation = Literal["2007", "2012", "cb"]
MAX_HOURS = 24 * 366 * 10


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same text in English and German."""

    en: str
    """English."""
    de: str
    """German."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something that happens in the story: a fault sets in, or somebody repairs or starts something."""

    at: str
    """When: time since the start (1h30m), or local date and time (2026-03-02T07:40:00)."""
    fault: str | None = None
    """Id of the fault that sets in, such as S19."""
    repair: str | None = None
    """Id of the repair or manual action that is done, such as R02 or R10 (Run Synchronization)."""
    site: str | None = None
    """Code of the site at which it happens. Default: the fault's usual site; for a repair, the top-level site."""
    until: str | None = None
    """When the fault ends by itself, written like at. Default: it stays until it is repaired."""


def _settings_of(kind: type[Any], name: str) -> type[msgspec.Struct]:
    """A struct with the fields of a dataclass of ``simulator.estate``, each of which may be left out."""
    types = get_type_hints(kind)
    fields: list[tuple[str, Any, Any]] = [(field.name, types[field.name] | UnsetType, UNSET) for field in dataclasses.fields(kind)]
    struct: type[msgspec.Struct] = msgspec.defstruct(name, fields, frozen=True, forbid_unknown_fields=True, module=__name__)
    struct.__doc__ = kind.__doc__
    return struct


Site = _settings_of(spec.Site, "Site")
Proxy = _settings_of(spec.Proxy, "Proxy")


class Estate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An estate of your own, or a built-in one with changes."""

    base: str | None = None
    """Name of the built-in estate to start from; without it, sites must be complete."""
    name: str | UnsetType = UNSET
    """What the estate is called."""
    domain: str | UnsetType = UNSET
    """DNS domain; its first label, in capitals, is the NetBIOS domain."""
    timezone: str | UnsetType = UNSET
    """IANA name of the time zone of all sites that do not name their own."""
    internet_names: bool | UnsetType = UNSET
    """DNS inside resolves Internet names (false where only the proxy does)."""
    log_max_bytes: int | UnsetType = UNSET
    """Size at which a site component's log is rolled over to .lo_ (default 250000)."""
    proxy: Proxy | UnsetType = UNSET  # type: ignore[valid-type]
    """The proxy server between the estate and the Internet."""
    sites: list[Site] = []  # type: ignore[valid-type]
    """The sites, parents first. With base, a site of the same code is changed and others are added."""


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A story: an estate, and what goes wrong and is done in it."""

    title: Texts
    """What the story is called."""
    ticket: Texts | None = None
    """What the help desk was told; it should not give the cause away."""
    generation: Generation = "cb"
    """Product generation: 2007, 2012 (R2) or cb (Current Branch)."""
    os_language: Literal["en", "de"] = "en"
    """Language of the servers' operating systems."""
    timezone: str | None = None
    """IANA name of the estate's time zone. Default: the estate's own."""
    start: str | None = None
    """Local date and time at which the story begins, without offset. Default: a Monday at 06:00."""
    hours: Annotated[int, Meta(ge=1, le=MAX_HOURS)] = 12
    """Length of the story in hours."""
    seed: Annotated[int, Meta(ge=0, le=2**53)] = 1
    """Seed of all chance in it."""
    estate: str | Estate = "contoso"
    """Name of a built-in estate, or a table that describes one."""
    timeline: list[Step] = []
    """What happens, each step a table with at and one of fault and repair."""


def as_text(value: Any) -> Any:
    """TOML values with dates and times as ISO 8601 texts, the one form that is read from here on."""
    if isinstance(value, dict):
        return {key: as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else value


LOCAL_PATTERN = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?$"


def local_time(text: str) -> datetime.datetime | None:
    """A local date and time in whole seconds, or ``None`` when ``text`` is not one (or has an offset)."""
    if not re.match(LOCAL_PATTERN, text, re.ASCII):
        return None
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
