"""What went wrong, in the user's language.

The English text at the place where a mistake is raised is its name, as with gettext, and stands there alone. German is looked up
when the mistake is printed, in ``mistakes_de.toml``: an entry for each English template, in which ``{0}`` stands for a value.
``tests/test_mistakes.py`` proves that no template lacks its entry. A text without entry stays English.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import TYPE_CHECKING, NamedTuple

from simulator.errors import WsyncsimError
from wsyncsim.output import inert
from wsyncsim.words import spoken_language

if TYPE_CHECKING:
    import click

DEPTH = 4
"""So deep texts are looked for inside of texts."""
_OPTIONS = ("--language", "--lang")
_ESCAPED = re.compile(r"""\\([\\'"])""")
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
"""A text as Python notes it."""
_NOTATION = re.compile(r"[-+\d\[({<]|None|True|False|[\w.]+\(")
"""How Python's notation of anything else begins."""


class Told(NamedTuple):
    """A mistake in one language."""

    what: str
    where: str
    hint: str

    @property
    def head(self) -> str:
        """Where and what."""
        return f"{self.where}: {self.what}" if self.where else self.what


def told(error: WsyncsimError, language: str) -> Told:
    """A mistake in a language; each of its texts is looked up by itself."""
    return Told(*(translated(text, language) for text in (error.what, error.where, error.hint)))


def translated(text: str, language: str) -> str:
    """A text of ours, of click or of a library that we call, in a language; in English where there is no entry."""
    return text if language == "en" or not text else _looked_up(text, _catalogue(language), DEPTH)


def mistake_language(arguments: Sequence[str]) -> str:
    """The language that a command line asks for, also one that cannot be understood otherwise; else the user's."""
    found = ""
    for number, argument in enumerate(arguments):
        if argument == "--":
            break
        name, equals, value = argument.partition("=")
        if argument.startswith("-l") and argument[2:] in ("en", "de"):
            found = argument[2:]
        elif argument == "-l" or (name in _OPTIONS and not equals):
            found = next(iter(arguments[number + 1 : number + 2]), "")
        elif name in _OPTIONS:
            found = value
    return found if found in ("en", "de") else spoken_language()


def show(error: BaseException, language: str) -> None:
    """Print what ended a command on stderr: a mistake of ours or in how it was called, an interruption, a refusal of the system."""
    import click

    if isinstance(error, click.ClickException):
        _show_usage(error, language)
    elif isinstance(error, WsyncsimError):
        mistake = told(error, language)
        hint = f"\n  {mistake.hint}" if mistake.hint else ""
        for line in f"wsyncsim: {mistake.head}{hint}".split("\n"):
            click.echo(inert(line), err=True)
    elif isinstance(error, OSError):
        click.echo(f"wsyncsim: {translated(str(error.strerror or error), language)}", err=True)
    else:
        click.echo(translated("wsyncsim: interrupted; nothing was left behind", language), err=True)


def _show_usage(error: click.ClickException, language: str) -> None:
    import click

    if language == "en" or type(error).show not in (click.ClickException.show, click.UsageError.show):
        error.show()
        return
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        usage = context.make_formatter()
        pieces = context.command.collect_usage_pieces(context)
        usage.write_usage(context.command_path, " ".join(pieces), prefix=translated("Usage: ", language))
        click.echo(usage.getvalue().rstrip("\n"), err=True)
        if context.command.get_help_option(context) is not None:
            advice = f"Try '{context.command_path} {max(context.help_option_names, key=len)}' for help."
            click.echo(f"{translated(advice, language)}\n", err=True)
    for line in translated(f"Error: {error.format_message()}", language).split("\n"):
        click.echo(inert(line), err=True)


# --- the catalogue


class Slot(NamedTuple):
    """A placeholder of an English template."""

    number: int
    quoted: bool
    """Its value was written with ``!r``."""
    after: str
    """The literal text behind it."""


class Entry:
    """An English template and what it is in the other language."""

    def __init__(self, english: str, other: str, *, around: bool = False) -> None:
        self._before, self._slots = _parsed(english)
        self._other = list(Formatter().parse(other))
        literal = len(self._before) + sum(len(slot.after) for slot in self._slots)
        self.sureness = (around, bool(self._before), literal, sum(slot.quoted for slot in self._slots))
        """A text that begins like this template, and has much in common with it, is made from it rather than from another one.

        What says where in a text another text is wrong (``around``) is taken off first."""

    def values(self, text: str) -> dict[int, str] | None:
        """What stands at the placeholders, if the text is made from this template.

        Each literal is looked for from where the one before it ended, so the time does not grow faster than the text.
        """
        if not text.startswith(self._before):
            return None
        found: dict[int, str] = {}
        at = len(self._before)
        for slot in self._slots:
            end = self._end(text, at, slot)
            if end < at:
                return None
            found[slot.number] = text[at:end]
            at = end + len(slot.after)
        return found if at == len(text) else None

    def _end(self, text: str, at: int, slot: Slot) -> int:
        """Where the value at ``at`` ends; -1 when this text is another one."""
        last = slot is self._slots[-1]
        if slot.quoted and (value := _QUOTED.match(text, at)):
            end = value.end()
            return end if text.startswith(slot.after, end) and (not last or end + len(slot.after) == len(text)) else -1
        if slot.quoted and not _NOTATION.match(text, at):
            return -1
        if not last:
            return text.find(slot.after, at)
        return len(text) - len(slot.after) if text.endswith(slot.after) else -1

    def filled(self, values: Mapping[int, str], entries: Sequence[Entry], depth: int) -> str:
        """The other language, with these values."""
        text = ""
        for literal, field, spec, conversion in self._other:
            text += literal
            if field is not None:
                value = values[int(field)]
                if conversion == "r":
                    value = _in_german_quotes(value)
                text += _looked_up(value, entries, depth) if spec == "t" else value
        return text


def _parsed(english: str) -> tuple[str, list[Slot]]:
    pieces = list(Formatter().parse(english))
    texts = [""]
    slots: list[tuple[int, bool]] = []
    for literal, field, _spec, conversion in pieces:
        texts[-1] += literal
        if field is not None:
            slots.append((int(field), conversion == "r"))
            texts.append("")
    return texts[0], [Slot(number, quoted, after) for (number, quoted), after in zip(slots, texts[1:], strict=True)]


@cache
def _catalogue(language: str) -> Sequence[Entry]:
    """All entries, the surest first."""
    file = files("wsyncsim").joinpath(f"mistakes_{language}.toml")
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    entries = [Entry(english, other, around=name == "around") for name, table in tables.items() for english, other in table.items()]
    return sorted(entries, key=lambda entry: entry.sureness, reverse=True)


def _looked_up(text: str, entries: Sequence[Entry], depth: int) -> str:
    if depth:
        for entry in entries:
            values = entry.values(text)
            if values is not None:
                return entry.filled(values, entries, depth - 1)
    return text


def _in_german_quotes(value: str) -> str:
    """Python's notation of a text, as people write it; a number stays as it is."""
    if not _QUOTED.fullmatch(value):
        return value
    return f"„{_ESCAPED.sub(_itself, value[1:-1])}“"


def _itself(escaped: re.Match[str]) -> str:
    return escaped[1]
