"""The JSON Schema of story files accepts what the reader accepts, and describes every key."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import jsonschema
import pytest

from scenarios.catalogue import FOLDER, fault_ids, find, story_names
from scenarios.faults import FAULTS
from scenarios.repairs import REPAIRS
from scenarios.schema import schema
from scenarios.story_file import as_text
from simulator.estate import ESTATES
from tests.test_story import MISTAKES, TITLE

SCHEMA = schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
ONLY_THE_READER = {
    "after the end",
    "ancient start",
    "before the start",
    "by hand at a child",
    "ends too early",
    "ends too late",
    "impossible estate",
    "impossible port",
    "no parent for it",
    "no proxy for it",
    "no sites",
    "not TOML",
    "not in this generation",
    "site",
    "site twice",
    "site without server",
    "zone",
}
"""Mistakes that only whoever knows the whole story can see."""


def _valid(text: str) -> bool:
    return bool(VALIDATOR.is_valid(as_text(tomllib.loads(text))))


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("name", story_names())
def test_packaged_stories_are_valid(name: str) -> None:
    assert _valid((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", [*story_names(), *fault_ids()])
def test_written_stories_are_valid(name: str) -> None:
    assert _valid(find(name).to_toml())


@pytest.mark.parametrize("name", sorted(set(MISTAKES) - ONLY_THE_READER))
def test_mistakes_are_invalid(name: str) -> None:
    assert not _valid(TITLE + MISTAKES[name][0])


@pytest.mark.parametrize("name", sorted(ONLY_THE_READER - {"not TOML"}))
def test_what_only_the_reader_sees_is_valid(name: str) -> None:
    assert _valid(TITLE + MISTAKES[name][0])


def _tables() -> dict[str, dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = SCHEMA["$defs"]
    return tables


@pytest.mark.parametrize("table", sorted(_tables()))
def test_every_key_is_described(table: str) -> None:
    assert _tables()[table]["description"]
    for key, field in _tables()[table]["properties"].items():
        assert field.get("description"), f"{table}.{key}"
        assert "`" not in field["description"]


def test_names_are_those_of_the_catalogues() -> None:
    def names(table: str, key: str) -> list[str]:
        return [choice["const"] for choice in _tables()[table]["properties"][key]["oneOf"]]

    assert names("Step", "fault") == list(FAULTS)
    assert names("Step", "repair") == list(REPAIRS)
    assert names("Estate", "base") == list(ESTATES)
    assert _tables()["File"]["properties"]["estate"]["anyOf"][0]["enum"] == list(ESTATES)
