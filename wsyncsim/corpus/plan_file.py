"""What may stand in a plan file: the shape of its TOML, from which also its JSON Schema is made."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from scenarios import story_file
from scenarios.faults import FAULTS
from scenarios.schema import descriptions
from scenarios.story_file import Generation
from simulator.estate import ESTATES

Format = Literal["jsonl", "parquet", "loghub", "hdfs", "bgl", "ait", "sup-bundles", "openrca", "rcaeval", "otlp", "ecs"]
Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"
Percent = Annotated[int, Meta(ge=0, le=100)]
Hours = Annotated[int, Meta(ge=0, le=24 * 366)]


class Noise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What makes runs of the same fault differ beyond their seed."""

    healthy_before_h: Hours = 0
    """Healthy hours before the fault's own story begins."""
    healthy_after_h: Hours = 0
    """Hours after the fault's own story has ended."""
    start_days: Annotated[int, Meta(ge=1, le=3660)] = 1
    """The run begins on any one of so many days, the first of which is start."""
    onset_min: Annotated[int, Meta(ge=0, le=600)] = 0
    """Fault and repair happen up to so many minutes earlier or later than in the fault's own story."""
    unrepaired_percent: Percent = 0
    """Share of the faulty runs in which nobody repairs anything."""
    extra_fault_percent: Percent = 0
    """Share of the faulty runs in which other faults of the plan come on top at random times, and end by themselves."""
    extra_faults: Annotated[int, Meta(ge=1, le=10)] = 1
    """How many come on top at most."""


class Balance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many runs of each class there are."""

    runs_per_fault: Annotated[int, Meta(ge=1)] | None = None
    """Exactly so many runs of every fault, however many estates and generations it fits. Default: seeds runs of each fit."""
    healthy_pairs: bool = True
    """For every faulty run its twin: the same estate, time and seed, but nothing goes wrong. Faults of one split share it."""
    healthy_percent: Annotated[int, Meta(ge=0, le=95)] = 0
    """At least this share of all runs is healthy; what the twins do not reach is made with further seeds."""


class Splits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is for training and what is held back. Whole groups of runs go to one split, never single lines."""

    train: Percent = 80
    """Share of the runs, about."""
    validation: Percent = 10
    """Share of the runs, about."""
    test: Percent = 10
    """Share of the runs, about."""
    by: Literal["scenario-and-estate", "scenario", "estate", "strict"] = "scenario-and-estate"
    """Which runs stay together: those of one fault in one estate; of one fault; of one estate. With strict no fault and no
    estate is in two splits, and runs that would mix them are left out."""


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A plan: which runs a corpus consists of."""

    name: Annotated[str, Meta(pattern=NAME_PATTERN)]
    """What the data set is called: small letters, digits and hyphens."""
    title: Annotated[str, Meta(max_length=200)] = ""
    """One line about it for people."""
    seed: Annotated[int, Meta(ge=0, le=2**53)] = 1
    """Seed of all chance in the corpus."""
    seeds: Annotated[int, Meta(ge=1, le=10_000_000)] = 1
    """How many runs, each with a seed of its own, there are of each fault in each estate, generation, language and time zone."""
    faults: list[str] = []
    """Ids of faults. Default: all."""
    leave_out: list[str] = []
    """Ids of faults that are left out."""
    estates: list[str | story_file.Estate] = []
    """Built-in estates by name, usual for each fault's usual one, or tables as in story files. Default: usual."""
    generations: list[Generation] = []
    """Product generations. Default: all; a fault is played in those that know it."""
    os_languages: list[Literal["en", "de"]] = msgspec.field(default_factory=lambda: ["en"])
    """Languages of the servers' operating systems."""
    timezones: list[str] = []
    """IANA names of time zones. Default: the estate's own."""
    start: str | None = None
    """Local date and time at which the fault's own story begins. Default: a Monday at 06:00."""
    hours: Annotated[int, Meta(ge=1, le=24 * 366)] = 12
    """Length of the fault's own story; noise.healthy_before_h and healthy_after_h come on top."""
    noise: Noise = Noise()
    """What makes runs of the same fault differ."""
    balance: Balance = Balance()
    """How many runs of each class there are."""
    splits: Splits = Splits()
    """What is for training and what is held back."""
    shard_runs: Annotated[int, Meta(ge=1, le=100_000)] = 100
    """Runs in one shard: one file of each form, and the piece of work that a worker takes."""
    formats: list[Format] = msgspec.field(default_factory=lambda: ["jsonl"])
    """Forms in which the corpus is written."""
    license: Literal["CC0-1.0", "CC-BY-4.0", "MIT"] = "CC0-1.0"
    """Licence of the data (SPDX id)."""


USUAL = "usual"


def schema() -> dict[str, Any]:
    """The JSON Schema of plan files; ids of faults and estates are those of this version."""
    result = msgspec.json.schema(File)
    tables = result["$defs"]
    described: dict[str, type[Any]] = {
        "File": File,
        "Noise": Noise,
        "Balance": Balance,
        "Splits": Splits,
        "Estate": story_file.Estate,
    }
    for name, source in described.items():
        for key, text in descriptions(source).items():
            if key in tables[name]["properties"]:
                tables[name]["properties"][key]["description"] = text
    properties = tables["File"]["properties"]
    for key in ("faults", "leave_out"):
        properties[key]["items"] = {"oneOf": [{"const": id, "title": fault.title.en} for id, fault in FAULTS.items()]}
    properties["estates"]["items"] = {"anyOf": [{"enum": [USUAL, *ESTATES]}, {"$ref": "#/$defs/Estate"}]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "wsyncsim corpus plan", **result}
