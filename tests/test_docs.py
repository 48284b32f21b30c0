"""The documents say what the code does: tables, excerpts, links and examples are compared with it."""

from __future__ import annotations

import importlib
import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
import pytest

from generators.truth_record import TruthRecord
from generators.write import log_types
from scenarios.faults import FAULTS, Fault
from scenarios.prove import face
from scenarios.repairs import REPAIRS
from scenarios.run import play
from scenarios.schema import schema
from scenarios.story import StoryError, default_story, parse
from scenarios.truth import AnswerKey
from simulator import versions
from simulator.components.iis import DIRECTORIES
from simulator.estate import ESTATES
from simulator.events import FaultBegan, SyncFailed, SyncSucceeded
from simulator.state import State
from simulator.units import HOUR, MINUTE, MS, SECOND
from simulator.versions import VERSIONS, Version
from tests.conftest import logs_of, world_of
from wsyncsim.cli import wsyncsim
from wsyncsim.corpus.forms import forms
from wsyncsim.corpus.plan import parse as parse_plan
from wsyncsim.corpus.plan_file import schema as plan_schema
from wsyncsim.corpus.records import Record
from wsyncsim.suite.case import FORMATS, RECORD_FIELDS, SUITE_VERSION
from wsyncsim.suite.fields import load_field_map
from wsyncsim.suite.score import LEVELS
from wsyncsim.suite.write import SCHEMAS, schema_text

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *(page for page in ROOT.glob("*.md"))])
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def _section(text: str, title: str) -> str:
    """What stands below a heading of the second level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def _rows(text: str) -> Iterator[list[str]]:
    """All table rows, headings included; cells without back-ticks."""
    for line in text.splitlines():
        if line.startswith("|"):
            yield [cell.strip().replace("`", "") for cell in line.strip().strip("|").split("|")]


def _blocks(text: str, language: str) -> list[str]:
    return [block for name, block in FENCE.findall(text) if name == language]


# --- all pages


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in LINK.findall(text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {_anchor(heading) for heading in headings}, f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_that_a_page_names_exist(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for path in re.findall(r"`((?:simulator|generators|scenarios|wsyncsim|tests|benchmarks|docs|examples)/[\w./-]*)`", text):
        assert (ROOT / path).exists(), f"{page.name}: {path}"


def _options(command: click.Command) -> set[str]:
    """Options of a command, or of all commands of a group."""
    options = {option for each in command.params for option in each.opts}
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return options.union(*map(_options, below))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_that_a_page_names_exist(page: Path) -> None:
    known = {name: _options(command) for name, command in wsyncsim.commands.items()}
    for name, group in wsyncsim.commands.items():
        if isinstance(group, click.Group):
            known |= {f"{name} {below}": _options(command) for below, command in group.commands.items()}
    calls = re.findall(r"(?:^ *|`|\$ |\W/)wsyncsim ([a-z]+)\b([^`\n]*)", page.read_text(encoding="utf-8"), re.MULTILINE)
    for name, rest in calls:
        if isinstance(wsyncsim.commands.get(name), click.Group) and (below := re.match(r" +([a-z]+)\b", rest)):
            name = f"{name} {below[1]}"  # noqa: PLW2901 - the command that is meant
        assert name in known, f"{page.name}: wsyncsim {name}"
        options = set(re.findall(r"(?<![\w-])--[a-z-]+", rest.partition("#")[0]))
        assert options <= known[name], f"{page.name}: wsyncsim {name}{rest}"


# --- the model


def test_every_fault_stands_in_the_model_with_its_facts() -> None:
    rows = {row[0]: row for row in _rows(_section(_read("model.md"), "Faults")) if row[0] in FAULTS and len(row) == 8}
    assert set(rows) == set(FAULTS)
    for fault_id, fault in FAULTS.items():
        changed, generations = f"{fault.entity}, {fault.setting}", ", ".join(fault.generations)
        where = f"{fault.estate}, {fault.site} site"
        facts = [fault_id, fault.title.en, changed, fault.healthy, fault.faulty, generations, where, " ".join(fault.repairs)]
        assert rows[fault_id] == facts, fault_id


def _faces(fault: Fault) -> tuple[list[str], list[int]]:
    """Faces of a fault that begins a second before somebody synchronizes by hand, and how long the first runs took, seconds."""
    world = world_of(fault.estate, fault.generations[-1], hours=9)
    site = "PS1" if fault.site == "child" else "CS1"
    world.plan(world.start + 30 * MINUTE, lambda w: fault.begin(w, site) and None)
    for hour in (0, 2, 5):
        world.plan(world.start + hour * HOUR + 30 * MINUTE + SECOND, lambda w: REPAIRS["R10"].apply(w, "CS1"))
    found: dict[str, int] = {}
    current = ""
    for entry in world.simulate():
        if isinstance(entry.event, SyncFailed):
            current = face(entry.event)
        took_s = getattr(entry.event, "took_s", None)
        if current and took_s is not None:
            found.setdefault(current, took_s)
            current = ""
    return list(found), list(found.values())


def _seconds(cell: str) -> int:
    number, unit = cell.rsplit(" ", 2)[-2:]
    return int(number) * {"s": 1, "min": 60}[unit]


@pytest.mark.parametrize("fault_id", sorted(FAULTS))
def test_the_two_faces_are_those_of_the_model(fault_id: str) -> None:
    row = next(row for row in _rows(_section(_read("model.md"), "Faults")) if row[0] == fault_id and len(row) == 4)
    fresh, aged = row[1:3]
    told = [cell for cell in (fresh, aged) if not cell.startswith(("none", "the same"))]
    faces, took_s = _faces(FAULTS[fault_id])
    assert faces == [cell.split(",")[0] for cell in told]
    for cell, took in zip(told, took_s, strict=True):
        if "," in cell:
            assert abs(took - _seconds(cell)) <= max(1, _seconds(cell) // 20), cell


def test_every_generation_stands_in_the_model_with_its_traits() -> None:
    rows = {row[0]: row[1:] for row in _rows(_section(_read("model.md"), "Product generations"))}
    assert rows["trait"] == list(VERSIONS)

    def cell(value: Any) -> str:
        if isinstance(value, bool):
            return "yes" if value else "no"
        return ", ".join(value) if isinstance(value, tuple) else str(value)

    names = [field.name for field in fields(Version)]
    assert set(rows) - {"trait", "---"} == set(names)
    for name in names:
        assert rows[name] == [cell(getattr(version, name)) for version in VERSIONS.values()], name
    assert versions.__doc__


def test_every_constant_of_the_model_has_the_value_that_the_code_gives_it() -> None:
    units = {"ms": MS, "s": SECOND, "min": MINUTE}

    def duration(text: str) -> int:
        number, unit = text.split()
        return int(number) * units[unit]

    rows = [row for row in _rows(_section(_read("model.md"), "Clocks and constants")) if "." in row[0]]
    assert rows
    for name, value, *_ in rows:
        module, _, constant = name.partition(".")
        is_value = getattr(importlib.import_module(f"simulator.components.{module}"), constant)
        if isinstance(is_value, tuple):
            assert is_value == tuple(duration(part) for part in value.split(" to ")), name
        elif constant.endswith("_MIN"):
            assert is_value == duration(value) // MINUTE, name
        else:
            assert is_value == (int(value) if value.isdigit() else duration(value)), name


def test_every_duration_of_the_components_stands_in_the_model() -> None:
    listed = {row[0] for row in _rows(_section(_read("model.md"), "Clocks and constants"))}
    for path in sorted((ROOT / "simulator" / "components").glob("*.py")):
        for name in re.findall(r"^([A-Z_]+_(?:US|MIN))\b", path.read_text(encoding="utf-8"), re.MULTILINE):
            assert f"{path.stem}.{name}" in listed, f"{path.stem}.{name}"


_FIXED = {"entity", "why", "healthy", "name", "endpoint", "https", "application", "notice"}
"""Attributes of states that nobody changes."""


def test_every_state_stands_in_the_model_with_what_can_be_changed() -> None:
    rows = {row[0]: row[2] for row in _rows(_section(_read("model.md"), "State"))}
    assert State.__subclasses__()
    for kind in State.__subclasses__():
        listed = set(re.findall(r"\b[a-z][a-z_]*\b", rows[kind.__name__]))
        assert {field.name for field in fields(kind)} - listed <= _FIXED, kind.__name__


def test_virtual_directories_stand_in_the_model_as_installed() -> None:
    rows = {row[0]: row for row in _rows(_section(_read("model.md"), "State"))}
    for directory in DIRECTORIES:
        _, endpoint, authentication, ssl, *_ = rows[directory.name]
        assert endpoint == directory.endpoint
        assert authentication.startswith("anonymous") == directory.anonymous
        assert (ssl == "yes") == directory.ssl


def test_every_repair_and_every_estate_stands_in_the_model() -> None:
    text = _read("model.md")
    repairs = {row[0]: row[1] for row in _rows(_section(text, "Repairs and actions"))}
    assert {key: repairs.get(key) for key in REPAIRS} == {key: repair.title.en for key, repair in REPAIRS.items()}
    assert set(ESTATES) <= {row[0] for row in _rows(_section(text, "Built-in estates"))}


# --- logs and answer key


def _file_names() -> set[str]:
    """Paths below ``logs/<HOST>`` in runs of all generations; dates and web site ids masked."""
    names: set[str] = set()
    for generation in VERSIONS:
        world = world_of("contoso-child", generation, hours=5)
        world.plan(world.start + HOUR, lambda w: FAULTS["S22"].begin(w, "PS1") and None)
        if generation != "2007":
            world.plan(world.start + 4 * HOUR, lambda w: FAULTS["M07"].begin(w, "CS1") and None)
        names |= {path.split("/", 2)[2] for path in logs_of(world) if path.startswith("logs/")}
    return {re.sub(r"\d{6}(?=\.log)", "YYMMDD", re.sub(r"W3SVC\d+", "W3SVC<id>", name.replace(".lo_", ".log"))) for name in names}


def test_every_file_that_is_written_stands_among_the_log_formats() -> None:
    text = _read("log-formats.md")
    for name in sorted(_file_names()):
        assert name in text, name


def test_every_log_class_stands_among_the_log_formats() -> None:
    text = _read("log-formats.md")
    for log_type in log_types():
        assert f"generators/logs/{log_type.__module__.rsplit('.', 1)[-1]}.py" in text, log_type.__name__


def _cells(title: str) -> set[str]:
    """Names in the first column of all tables of a section of the answer key's page."""
    return {name for row in _rows(_section(_read("answer-key.md"), title)) for name in row[0].split(", ")}


def test_every_field_of_a_truth_record_stands_in_the_answer_key() -> None:
    assert {field.name for field in msgspec.structs.fields(TruthRecord)} <= _cells("records")


def test_every_field_of_the_answer_stands_in_the_answer_key(tmp_path: Path) -> None:
    story = default_story("S19")
    key = AnswerKey(tmp_path)
    for _ in key.watch(story.build().simulate()):
        pass
    answer = key.finish(None, story={})
    text = _section(_read("answer-key.md"), "answer.json")
    assert set(answer) | set(answer["root_causes"][0]) <= _cells("answer.json")
    assert all(f"`{name}`" in text for name in answer["actions"][0])
    for name in ("runs", "entries"):
        lines = (tmp_path / f"{name}.jsonl").read_bytes().splitlines()
        assert lines
        for line in lines:
            assert set(msgspec.json.decode(line)) <= _cells(f"{name}.jsonl")


def _subset(part: Any, whole: Any) -> bool:
    """Whether all that ``part`` says stands in ``whole`` too."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and _subset(value, whole[key]) for key, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) == len(whole) and all(map(_subset, part, whole))
    return bool(part == whole)


def test_examples_of_the_answer_key_are_those_of_its_story(tmp_path: Path) -> None:
    """The examples are shortened, or single lines, of what the default story of S19 leaves."""
    outcome = play(default_story("S19"), tmp_path / "out", tool_version="")
    lines = {line for path in (outcome.out / "truth").rglob("*.jsonl") for line in path.read_text(encoding="utf-8").splitlines()}
    for block in _blocks(_read("answer-key.md"), "json"):
        assert block.strip() in lines or _subset(msgspec.json.decode(block), outcome.answer), block


# --- story files


def _keys(schema: dict[str, Any]) -> set[str]:
    """All keys that a JSON Schema knows, of all tables."""
    tables = [schema, *schema.get("$defs", {}).values()]
    return {key for table in tables for key in table.get("properties", {})}


def test_every_key_of_a_story_stands_among_the_story_files() -> None:
    cells = {row[0] for row in _rows(_read("scenario-files.md"))}
    assert _keys(schema()) - {"en", "de"} == cells - {"key", "---"}


@pytest.mark.parametrize("text", _blocks(_read("scenario-files.md"), "toml"))
def test_every_story_that_is_shown_plays_and_ends_well(text: str) -> None:
    story = parse(text, "docs/scenario-files.md")
    entries = list(story.build().simulate())
    runs = [entry.event for entry in entries if isinstance(entry.event, SyncFailed | SyncSucceeded)]
    assert [face(run) for run in runs if isinstance(run, SyncFailed)]
    assert isinstance(runs[-1], SyncSucceeded)


def test_the_mistake_that_is_shown_is_told_so() -> None:
    page = _read("scenario-files.md")
    with pytest.raises(StoryError) as mistake:
        parse(_blocks(page, "toml")[0].replace('"M01"', '"M99"'), "my-story.toml")
    for line in str(mistake.value).splitlines():
        assert f"    {line}" in page.splitlines(), line


# --- corpora


def test_every_key_of_a_plan_stands_in_the_page_on_corpora() -> None:
    cells = {name for row in _rows(_section(_read("corpus.md"), "A plan")) for name in row[0].split(", ")} - {"key", "---"}
    tables = plan_schema()["$defs"]
    below = {"noise": "Noise", "balance": "Balance", "splits": "Splits"}
    wanted = set(tables["File"]["properties"]) - set(below)
    wanted |= {f"{key}.{name}" for key, table in below.items() for name in tables[table]["properties"]}
    assert cells == wanted


def test_every_field_and_every_form_stands_in_the_page_on_corpora() -> None:
    cells = {name for row in _rows(_section(_read("corpus.md"), "What lies in the folder")) for name in row[0].split(", ")}
    assert set(Record.__struct_fields__) | set(forms()) <= cells


@pytest.mark.parametrize("text", _blocks(_read("corpus.md"), "toml"))
def test_every_plan_that_is_shown_is_one(text: str) -> None:
    assert parse_plan(text).runs


# --- contributing


def _diffs() -> Iterator[tuple[str, list[str]]]:
    """File and added lines of every diff in CONTRIBUTING."""
    for block in _blocks((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), "diff"):
        for part in re.split(r"^(?=--- )", block, flags=re.MULTILINE):
            lines = part.splitlines()
            if lines:
                yield lines[1].removeprefix("+++ b/"), [line[1:] for line in lines[2:] if line.startswith("+")]


def test_the_recipes_quote_the_code_as_it_is() -> None:
    diffs = list(_diffs())
    assert diffs
    for file, added in diffs:
        code = (ROOT / file).read_text(encoding="utf-8").splitlines()
        for line in added:
            assert line in code, f"{file}: {line}"


def test_the_fault_that_begins_is_called_so() -> None:
    """The word that the architecture page uses for the end of a chain."""
    assert FaultBegan.__name__ in _read("architecture.md")


# --- the conformance suite


def test_the_keys_and_levels_of_the_suite_stand_on_its_page() -> None:
    page = _read("suite.md")
    keys = {name for row in _rows(_section(page, "Records")) for name in row[0].split(", ")} - {"key", "---"}
    assert keys == set(RECORD_FIELDS)
    assert [row[0] for row in _rows(_section(page, "Levels"))][2:] == list(LEVELS)
    formats = set(re.findall(r"`(\w+)` \(", _section(page, "The files")))
    assert formats == set(FORMATS)
    assert SUITE_VERSION in _section(page, "Parsers that were tried")


def test_the_examples_of_the_suite_work(tmp_path: Path) -> None:
    page = _read("suite.md")
    for block in _blocks(page, "python"):
        exec(compile(block, "suite.md", "exec"), {})
    (tmp_path / "map.toml").write_text(_blocks(page, "text")[0], encoding="utf-8")
    assert load_field_map(tmp_path / "map.toml").document_path == "log.entries"


def test_the_schemas_know_the_keys_of_records() -> None:
    schemas = {name: msgspec.json.decode(schema_text(name)) for name in SCHEMAS}
    assert set(schemas["expected.schema.json"]["$defs"]["record"]["properties"]) == set(RECORD_FIELDS)
    assert set(schemas["record.schema.json"]["properties"]) == {*RECORD_FIELDS, "unparsed"}
