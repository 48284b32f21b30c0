"""Mistakes in German: no text that we raise is missing, values come through, the language is the one asked for."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

import click
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import WsyncsimError
from tests.raised import ROOT, Sources
from wsyncsim import cli
from wsyncsim.mistakes import mistake_language, told, translated
from wsyncsim.words import LANGUAGE_VARIABLES

ELSEWHERE = {
    # file, function: why its text does not stand there
    ("scenarios/mistakes.py", "_translated"): "what msgspec says where we have no words of our own: the table libraries",
    ("scenarios/story.py", "_try"): "passes a mistake on, with a better place",
    ("scenarios/story.py", "_estate"): "passes a mistake on, with a better place",
    ("wsyncsim/corpus/plan.py", "_rehearse"): "passes a mistake on, with a better place",
    ("wsyncsim/lab_web/counsel.py", "_opened"): "passes a mistake of another process on",
}
"""The only functions whose texts cannot be read from the sources."""

Slots = list[tuple[int, bool]]


@cache
def tables() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("wsyncsim").joinpath("mistakes_de.toml").read_text(encoding="utf-8"))


@cache
def sources() -> Sources:
    return Sources()


def entries() -> Iterator[tuple[str, str]]:
    for table in tables().values():
        yield from table.items()


def slots(template: str) -> Slots:
    """The placeholders of a template in their order: number, and whether it is in quotes."""
    return [(int(field), conversion == "r") for _, field, _, conversion in Formatter().parse(template) if field is not None]


def shown(template: str, values: list[str]) -> str:
    """A German template with its values, as somebody with a pen would do it."""
    text = ""
    for literal, field, _spec, conversion in Formatter().parse(template):
        text += literal
        if field is not None:
            value = values[int(field)]
            text += f"„{value}“" if conversion == "r" else value
    return text


# --- every text has its entry


def test_every_mistake_that_is_raised_is_there_in_german() -> None:
    missing = {template: sites for template, sites in sources().found.items() if template not in tables()["texts"]}
    told_of = [f"{json.dumps(template, ensure_ascii=False)} = ?   # {sites[0]}" for template, sites in missing.items()]
    assert not missing, "these lack an entry in wsyncsim/mistakes_de.toml, [texts]:\n" + "\n".join(told_of)


def test_no_entry_outlives_its_mistake() -> None:
    stale = [template for template in tables()["texts"] if template not in sources().found]
    assert not stale, "nothing says this any more; take it out of wsyncsim/mistakes_de.toml:\n" + "\n".join(stale)


def test_texts_that_are_computed_elsewhere_are_known() -> None:
    found = {(site.file, site.function) for site in sources().elsewhere}
    unknown = [str(site) for site in sources().elsewhere if (site.file, site.function) not in ELSEWHERE]
    assert not unknown, "write the text where it is raised, or give the reason in ELSEWHERE:\n" + "\n".join(unknown)
    assert found == set(ELSEWHERE)


def test_words_that_are_filled_in_stand_in_the_sources() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "scenarios").rglob("*.py"))
    text += "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "simulator").rglob("*.py"))
    text += "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "wsyncsim").rglob("*.py"))
    for template in tables()["parts"]:
        for literal, *_ in Formatter().parse(template):
            for words in literal.split(" or "):
                assert words.strip(" ,()") in text, template


def test_german_has_the_placeholders_of_the_english_text() -> None:
    for english, german in entries():
        assert slots(english) == [(number, quoted) for number, (_, quoted) in enumerate(slots(english))], english
        assert sorted(set(slots(german))) == slots(english), english
        assert all(spec in ("", "t") for _, field, spec, _ in Formatter().parse(german) if field is not None), german
        assert all(literal for literal, *_ in list(Formatter().parse(english))[1:]), f"{english}: nothing between two values"


def test_german_is_german() -> None:
    for _, german in entries():
        words = f" {german.replace(',', ' ').replace(':', ' ')} ".lower()
        assert not any(f" {word} " in words for word in ("the", "is", "not", "choose", "there", "with", "or", "this")), german


# --- values


@pytest.mark.parametrize("table", ["texts", "command", "libraries"])
def test_every_text_is_recognized_as_itself(table: str) -> None:
    for english, german in tables()[table].items():
        values = [f"VALUE{number}" for number in range(len(slots(english)))]
        assert translated(english.format(*values), "de") == shown(german, values), english


def unescaped(value: str) -> str:
    """What Python writes between its quotes, but quotes and backslashes are themselves again."""
    noted = repr(value)[1:-1]
    return re.sub(r"""\\([\\'"])""", r"\1", noted)


NASTY = st.text(st.sampled_from("aZ09äß.*+?^$()[]{}|\\/-_#&<>%\n\r\t\x00\x1b\u2028'\"`„“"), min_size=1, max_size=12)
"""What regular expressions, templates, terminals and pages obey. Without blanks: then no value holds one of our texts."""


@given(st.data())
def test_values_come_through_as_they_are(data: st.DataObject) -> None:
    english = data.draw(st.sampled_from(sorted(template for template in tables()["texts"] if slots(template))))
    values = [data.draw(NASTY) for _ in slots(english)]
    text = translated(english.format(*values), "de")
    for number, quoted in slots(english):
        assert (unescaped(values[number]) if quoted else values[number]) in text


@given(st.text())
def test_a_quoted_value_may_hold_anything(value: str) -> None:
    text = translated(f"there is no story and no fault {value!r}", "de")
    assert text.startswith("es gibt keine Geschichte und keinen Fehler „")
    assert text.endswith("“")
    if value.isprintable():
        assert text == f"es gibt keine Geschichte und keinen Fehler „{value}“"


@given(st.text())
def test_any_text_can_be_asked_for(text: str) -> None:
    assert isinstance(translated(text, "de"), str)
    assert translated(text, "en") == text


@pytest.mark.parametrize(
    "hostile",
    [
        "'" * 200_000,
        "'\\" * 100_000,
        "there is no " * 50_000,
        "expected " + ", found " * 50_000,
        "Did you mean 'a'? " * 20_000,
        "text in quotes or " * 20_000,
        "Error: " * 50_000,
        " - at `$" * 50_000,
        "x (at line 1, column 2)" * 20_000,
        "{0}" * 50_000,
    ],
    ids=lambda text: text[:12],
)
def test_a_hostile_value_takes_no_longer_than_others(hostile: str) -> None:
    """With expressions that go back and try again this would not come to an end."""
    for text in (
        hostile,
        f"expected {hostile}, found {hostile!r}",
        f"this is not TOML: {hostile}",
        f"there is no site {hostile!r}",
    ):
        assert isinstance(translated(text, "de"), str)


def test_what_where_and_hint_are_told_each_by_itself() -> None:
    error = WsyncsimError("there is no site 'X'", where="s.toml, line 3, site", hint="Did you mean 'CS1'? Known: CS1")
    assert told(error, "de") == (
        "es gibt keinen Standort „X“",
        "s.toml, Zeile 3, site",
        "Meinten Sie „CS1“? Bekannt: CS1",
    )
    assert told(error, "en") == (error.what, error.where, error.hint)


def test_a_text_without_entry_stays_english() -> None:
    assert told(WsyncsimError("the moon is full", where="sky", hint="Wait"), "de") == ("the moon is full", "sky", "Wait")


# --- what libraries say


class Sample(msgspec.Struct, forbid_unknown_fields=True):
    """Something to get wrong."""

    name: str
    kind: Any = None
    numbers: list[int] = []


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({}, "es fehlt das Feld `name`"),
        ({"name": 1}, "erwartet wird `str`, gefunden: `int` - bei `$.name`"),
        ({"name": "x", "numbers": [1, "x"]}, "erwartet wird `int`, gefunden: `str` - bei `$.numbers[1]`"),
        ({"name": "x", "other": 1}, "das Feld `other` gibt es nicht"),
    ],
)
def test_what_msgspec_says_is_translated(data: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(data, Sample)
    assert translated(f"it is no course: {caught.value}", "de") == f"das ist kein Kurs: {says}"


@pytest.mark.parametrize(
    "document",
    [
        "x",
        "a =",
        "a = [",
        "a = {",
        'a = "',
        'a = "\\q"',
        "[a",
        "[[a]",
        "a = 1\na = 2",
        "[a]\n[a]",
        "a = 1 b",
        "= 1",
        "a = 2026-99-99",
    ],
)
def test_what_the_toml_parser_says_is_translated(document: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(document)
    english = str(caught.value)
    german = translated(f"this is not TOML: {english}", "de")
    assert german.startswith("das ist kein TOML: ")
    assert english.split(" (at ", maxsplit=1)[0] not in german
    assert "line" not in german
    assert "document" not in german


@pytest.mark.skipif(os.name == "nt", reason="Windows says it in its own language")
def test_what_the_system_says_is_translated() -> None:
    with pytest.raises(OSError, match="No such file") as caught:
        open("/nowhere/at/all", encoding="utf-8")  # noqa: PTH123, SIM115
    says = translated(f"cannot be read: {caught.value.strerror}", "de")
    assert says == "kann nicht gelesen werden: Datei oder Ordner nicht gefunden"


# --- which language


@pytest.mark.parametrize(
    ("arguments", "environment", "language"),
    [
        ("run S99", {}, "en"),
        ("run S99 --language de", {}, "de"),
        ("run S99 --language=de", {}, "de"),
        ("lab --lang de list", {}, "de"),
        ("run -l de S99", {}, "de"),
        ("run -lde S99", {}, "de"),
        ("run S99 --language en", {"LANG": "de_DE.UTF-8"}, "en"),
        ("run S99 --os-language de", {}, "en"),
        ("lab -l de play -l en", {}, "en"),
        ("run -- -l de", {}, "en"),
        ("run --language", {}, "en"),
        ("run --language fr", {"LANG": "de_DE.UTF-8"}, "de"),
        ("", {"LANG": "de_AT.UTF-8"}, "de"),
        ("", {"LC_MESSAGES": "de_DE", "LANG": "en_US"}, "de"),
        ("", {"LC_ALL": "C", "LANG": "de_DE"}, "en"),
        ("", {"LANGUAGE": "de:en", "LC_ALL": "en_US"}, "de"),
        ("", {"LANGUAGE": "fr:en:de"}, "en"),
        ("", {"LANGUAGE": "fr"}, "en"),
        ("", {"WSYNCSIM_LANGUAGE": "en", "LANGUAGE": "de"}, "en"),
        ("", {"WSYNCSIM_LANGUAGE": "de"}, "de"),
    ],
)
def test_the_language_is_the_one_asked_for_or_the_users(
    monkeypatch: pytest.MonkeyPatch, arguments: str, environment: dict[str, str], language: str
) -> None:
    for name in LANGUAGE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"LANG": "C"} | environment).items():
        monkeypatch.setenv(name, value)
    assert mistake_language(arguments.split()) == language


# --- the command


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.main(list(arguments))
    printed = capsys.readouterr()
    assert (ended.value.code, printed.out) == (2, "")
    return printed.err


def test_the_command_tells_a_mistake_in_german(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    german = "wsyncsim: es gibt keine Geschichte und keinen Fehler „nope“\n  `wsyncsim list` zeigt alle"
    assert refused(capsys, "show", "nope", "--language", "de").startswith(german)
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    assert refused(capsys, "show", "nope").startswith(german)
    assert refused(capsys, "show", "nope", "-l", "en").startswith("wsyncsim: there is no story")


def test_a_value_cannot_reach_the_terminal_in_german_either(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\x1b" not in refused(capsys, "show", "\x1b[2J", "--language", "de")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("nope", "Es gibt keinen Befehl „nope“."),
        ("run", "Es fehlt das Argument „NAME“."),
        ("run S19 --nope", "Es gibt keine Option „--nope“."),
        ("run S19 --seed x", "Ungültiger Wert für „--seed“: „x“ ist keine ganze Zahl."),
        ("run S19 --hours 0", "Ungültiger Wert für „--hours“: 0 liegt nicht im Bereich"),
        ("run S19 --generation 2003", "Ungültiger Wert für „--generation“: „2003“ ist keines von"),
        ("run S19 --seed", "Die Option „--seed“ braucht einen Wert."),
        ("run S19 --force=1", "Die Option „--force“ nimmt keinen Wert."),
        ("run S19 a", "Überzähliges Argument (a)"),
        ("list --language fr", "„fr“ ist keines von"),
        ("prove healthy", "„healthy“ ist eine Geschichte; prove nimmt IDs von Fehlern wie S19"),
        ("suite write", "nennen Sie einen Ordner, oder mit --zip ein Archiv"),
    ],
)
def test_how_a_command_is_called_is_explained_in_german(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: str, says: str
) -> None:
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    told_of = refused(capsys, *arguments.split())
    assert says in told_of
    assert "Fehler: " in told_of
    assert not any(word in told_of for word in ("Usage", "Try", "Error", "Invalid", "Missing"))


def test_click_in_english_is_as_click_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    told_of = refused(capsys, "run", "S19", "--seed", "x")
    assert told_of.startswith("Usage: wsyncsim run [OPTIONS] NAME\nTry 'wsyncsim run ")
    assert told_of.endswith("Error: Invalid value for '--seed': 'x' is not a valid integer range.\n")


def test_an_interruption_and_a_refusal_of_the_system_are_told_in_german(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends(error: BaseException) -> str:
        def stopped(**_: object) -> None:
            raise error

        monkeypatch.setattr(cli.wsyncsim, "main", stopped)
        return refused(capsys, "list", "--language", "de")

    assert ends(KeyboardInterrupt()) == "wsyncsim: unterbrochen; es blieb nichts zurück\n"
    assert ends(click.Abort()) == "wsyncsim: unterbrochen; es blieb nichts zurück\n"
    assert ends(OSError(28, "No space left on device")) == "wsyncsim: auf dem Datenträger ist kein Platz mehr\n"
