"""Message catalogues, and the functions that they are compiled to."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from generators.catalogue import LANGUAGES, CatalogueError, Message, catalogues, load, parse, unsourced
from generators.compile import compile_lines, compile_texts, parameters, parts
from generators.layouts import CMTRACE, SOFTWARE_DISTRIBUTION, Layout, bias_stamp
from generators.windows_zones import _IANA, _REGIONS, windows_zone
from simulator.clock import zone_names
from simulator.errors import EstateError
from simulator.versions import VERSIONS, version

JINJA = Environment(keep_trailing_newline=True, autoescape=False)
MESSAGES = [message for catalogue in catalogues() for message in load(catalogue).values()]
VALUES = st.text(st.characters(blacklist_categories=["Cs"]), max_size=30) | st.integers()


def pen(catalogue: str, generation: str, layout: Layout = CMTRACE, *, truth: bool = False) -> tuple[Any, list[str], list[str]]:
    lines: list[str] = []
    notes: list[str] = []
    made = compile_lines((catalogue,), version(generation), "en", layout, "COMPONENT", truth=truth)
    return made(layout, bias_stamp("UTC"), "UTC", lines.append, notes.append), lines, notes


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.id)
@pytest.mark.parametrize("generation", VERSIONS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_compiled_text_equals_jinja(message: Message, generation: str, language: str) -> None:
    text = message.text(version(generation), language)
    functions = compile_texts(message.catalogue, version(generation), language)
    if text is None:
        assert message.name not in functions
        return
    values = {name: f"<{name} {{}} \\ ä\"'>" for name in parameters(message)}
    assert functions[message.name](**values) == JINJA.from_string(text).render(values)


@given(
    text=st.lists(
        st.sampled_from(["{{ a }}", "{{b}}", '{{ "{" }}', "}", "\\", '"', "'", "~~", "%s", "\t", "\n", "{x}", "ä€😀", " "]),
        max_size=12,
    ),
    a=VALUES,
    b=VALUES,
)
def test_any_text_equals_jinja(text: list[str], a: str | int, b: str | int) -> None:
    source = "".join(text)
    rendered = JINJA.from_string(source).render(a=a, b=b)
    assert "".join(str({"a": a, "b": b}[part]) if is_name else part for part, is_name in parts(source, "test")) == rendered


@pytest.mark.parametrize(
    "text",
    [
        "{% if a %}x{% endif %}",
        "{{ a.b }}",
        "{{ a | upper }}",
        "{{ f() }}",
        "{{ 1 + 1 }}",
        "{{ __import__ }} {{ a[0] }}",
        "{{ self }}",
        "{{ a",
    ],
)
def test_only_plain_names_are_supported(text: str) -> None:
    with pytest.raises(CatalogueError):
        parts(text, "test")


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        ('evidence = "S"', "needs a text"),
        ('text = "x"', "names no source"),
        ('text = "x"\nevidence = "S"\nsourced = false', "contradicts"),
        ('text = "x"\nevidence = "C own"', "contradicts"),
        ('text = "x"\nevidence = "S"\nseverity = "fatal"', "severity"),
        ('text.2003 = "x"\nevidence = "S"', "generation"),
        ('text = "x"\nevidence = "S"\nlevel = 1', "not text"),
    ],
)
def test_mistakes_in_a_catalogue_are_told(table: str, wrong: str) -> None:
    with pytest.raises(CatalogueError, match=wrong) as told:
        parse("test", f"[broken]\n{table}\n")
    assert "[broken]" in str(told.value)


def test_generations_fall_back() -> None:
    messages = parse(
        "test",
        '[a]\ntext.2007 = "old"\ntext.2012 = "new"\nde.2012 = "neu"\nevidence = "S"\n'
        '[b]\ntext.2012 = "until 2012"\ntext.cb = ""\nevidence = "S"\n'
        '[c]\ntext = "all"\nde.2007 = "alle"\nevidence = "S"\n',
    )

    def texts(name: str, language: str) -> list[str | None]:
        return [messages[name].text(version(generation), language) for generation in ("2007", "2012", "cb")]

    assert texts("a", "en") == ["old", "new", "new"]
    assert texts("a", "de") == ["old", "neu", "neu"]
    assert texts("b", "en") == [None, "until 2012", None]
    assert texts("c", "de") == ["alle", "all", "all"]


def test_signature_is_the_same_for_all_generations() -> None:
    for generation in VERSIONS:
        say, _, _ = pen("wsyncmgr", generation)
        assert list(inspect.signature(say.done_wsus).parameters) == ["at", "sup", "lower", "name"]


def test_a_message_without_text_writes_nothing() -> None:
    say, lines, notes = pen("wsyncmgr", "2007", truth=True)
    say.starting_sync(0)
    assert lines == notes == []


def test_truth_is_noted_as_json() -> None:
    say, lines, notes = pen("wsyncmgr", "cb", truth=True)
    say.set_thread(7)
    say.context = ',"run":null}\n'
    say.synchronizing_update(0, "id", 'a "title" \\ ä')
    assert lines == ['Synchronizing update id - a "title" \\ ä  $$<COMPONENT><01-01-1970 00:00:00.000+00><thread=7 (0x7)>\r\n']
    (note,) = notes
    assert note.startswith(',"template":')
    assert msgspec.json.decode("{" + note.removeprefix(",")) == {
        "template": "wsyncmgr.synchronizing_update",
        "params": {"guid": "id", "title": 'a "title" \\ ä'},
        "ts_local": "1970-01-01T00:00:00.000",
        "bias_min": 0,
        "ts_utc": "1970-01-01T00:00:00.000Z",
        "severity": "info",
        "component": "COMPONENT",
        "thread": 7,
        "run": None,
    }


def test_a_layout_takes_its_constants_from_the_message() -> None:
    with pytest.raises(CatalogueError, match="needs level"):
        pen("wsyncmgr", "cb", SOFTWARE_DISTRIBUTION)


def test_every_list_entry_of_unsourced_wording_is_a_message() -> None:
    known = {message.id for message in MESSAGES}
    assert {entry.removesuffix(" [de]") for entry in unsourced()} <= known
    assert len(unsourced()) == len(set(unsourced()))


@pytest.mark.parametrize("name", [*_IANA, "UTC"])
def test_windows_zone_names_can_be_read(name: str) -> None:
    assert name in zone_names()
    for language in LANGUAGES:
        for text in windows_zone(name, language):
            assert all(letter.isalpha() or letter in " ." for letter in text)
            text.encode("cp1252")


def test_windows_zones_of_berlin_and_of_nowhere() -> None:
    assert windows_zone("Europe/Berlin", "en") == ("W. Europe Standard Time", "W. Europe Daylight Time")
    assert windows_zone("Europe/Berlin", "de") == ("Westeuropäische Normalzeit", "Westeuropäische Sommerzeit")
    assert set(_IANA.values()) == set(_REGIONS)
    with pytest.raises(EstateError, match="Antarctica/Troll"):
        windows_zone("Antarctica/Troll", "en")
