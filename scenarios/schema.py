"""The JSON Schema of story files, for editors that complete and check while one writes."""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from typing import Any

import msgspec

from scenarios import durations, story_file
from scenarios.faults import FAULTS
from scenarios.repairs import REPAIRS
from simulator import estate
from simulator.estate import ESTATES

_SOURCES: dict[str, type[Any]] = {
    "File": story_file.File,
    "Step": story_file.Step,
    "Estate": story_file.Estate,
    "Site": estate.Site,
    "Proxy": estate.Proxy,
    "Texts": story_file.Texts,
}
"""Where the fields of each table are described."""
_ZONE = "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"


def schema() -> dict[str, Any]:
    """The schema; ids of faults, repairs and estates are those of this version."""
    result = msgspec.json.schema(story_file.File)
    tables = result["$defs"]
    for name, source in _SOURCES.items():
        described = descriptions(source)
        for key, field in tables[name]["properties"].items():
            if key in described:
                field["description"] = described[key]
    file, step, own_estate, site = (tables[name]["properties"] for name in ("File", "Step", "Estate", "Site"))
    step["fault"] = _one_of(step["fault"], {id: fault.title.en for id, fault in FAULTS.items()})
    step["repair"] = _one_of(step["repair"], {id: repair.title.en for id, repair in REPAIRS.items()})
    own_estate["base"] = _one_of(own_estate["base"], {name: _sites(built_in) for name, built_in in ESTATES.items()})
    file["estate"]["anyOf"] = [{"enum": list(ESTATES)}, {"$ref": "#/$defs/Estate"}]
    for table in (file, own_estate):
        table["timezone"] = {**_bare(table["timezone"]), "type": "string", "pattern": _ZONE}
    site["timezone"]["pattern"] = f"^$|{_ZONE}"
    site["parent"] = {**_bare(site["parent"]), "type": "string"}
    tables["Site"]["required"] = ["code"]
    file["start"] = {**_bare(file["start"]), "type": "string", "pattern": story_file.LOCAL_PATTERN}
    for key in ("at", "until"):
        step[key] = {**_bare(step[key]), "type": "string", "pattern": f"{durations.PATTERN}|{story_file.LOCAL_PATTERN}"}
    tables["Step"]["oneOf"] = [{"required": ["fault"]}, {"required": ["repair"], "not": {"required": ["until"]}}]
    file["ticket"] = {"$ref": "#/$defs/Texts", "description": file["ticket"]["description"]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "wsyncsim story", **result}


def _bare(field: dict[str, Any]) -> dict[str, Any]:
    """A field's description alone."""
    return {key: value for key, value in field.items() if key == "description"}


def _one_of(field: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """A choice that an editor shows with what each name means."""
    return {**_bare(field), "oneOf": [{"const": name, "title": title} for name, title in names.items()]}


def _sites(built_in: estate.Estate) -> str:
    return ", ".join(f"{site.code} ({site.server}, {site.sup})" for site in built_in.sites)


def descriptions(kind: type[Any]) -> dict[str, str]:
    """What the docstrings below the fields of a class say."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    described = {}
    for field, text in itertools.pairwise(body.body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(docstring))):
                described[name] = " ".join(docstring.replace("``", "").split())
    return described
