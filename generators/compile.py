"""Catalogue -> Python, once per run: every message becomes a method that is one f-string.

``compile_lines`` makes the pen of a log: a subclass of ``layouts.Lines`` with a method ``name(at, <parameters>)`` for each
message, parameters in the order in which they first appear in the message's texts. ``compile_texts`` makes plain functions
``name(<parameters>) -> str`` for texts without a layout.

Jinja2 only parses; its own rendering of the same text is what the tests compare with. Code is generated from our packaged
catalogues alone, never from anything that a user wrote.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import msgspec
from jinja2 import Environment, TemplateSyntaxError, nodes

from generators.catalogue import CatalogueError, Message, load
from generators.layouts import Layout, Lines, TruthLines
from simulator.versions import Version

_JINJA: Final = Environment(keep_trailing_newline=True, autoescape=False)  # noqa: S701  # plain text, and never rendered
_json: Final = msgspec.json.Encoder().encode

RUNTIME_NAMES: Final = ("stamp", "thread")
"""Names in a layout that change from line to line; all others are constants of the message."""
RESERVED: Final = frozenset({"self", "at", "json", *RUNTIME_NAMES})

Part = tuple[str, bool]
"""A piece of a text: a literal (False) or a name (True)."""


def parts(text: str, where: str) -> list[Part]:
    """Take a Jinja2 text apart; anything but literals and ``{{ name }}`` is a ``CatalogueError``."""
    try:
        tree = _JINJA.parse(text)
    except TemplateSyntaxError as error:
        raise CatalogueError(f"not Jinja2: {error.message}", where=where) from None
    found: list[Part] = []
    for statement in tree.body:
        if not isinstance(statement, nodes.Output):
            raise CatalogueError("only {{ name }} is supported", where=where, hint=f"Found a {type(statement).__name__}")
        for node in statement.nodes:
            match node:
                case nodes.TemplateData(data=data):
                    found.append((data, False))
                case nodes.Const(value=str(value)):
                    found.append((value, False))
                case nodes.Name(name=name) if name not in RESERVED and not keyword.iskeyword(name):
                    found.append((name, True))
                case _:
                    raise CatalogueError("only {{ name }} is supported", where=where, hint=f"Found {node!r}")
    return found


def parameters(message: Message) -> tuple[str, ...]:
    """Names that the message's texts ask for, in order of first appearance over all generations and languages."""
    names: dict[str, None] = {}
    for text in message.all_texts():
        names.update((name, None) for name, is_name in parts(text, message.id) if is_name)
    return tuple(names)


@cache
def compile_lines(
    catalogues: tuple[str, ...], version: Version, language: str, layout: Layout, component: str, *, truth: bool
) -> type[Lines]:
    """The pen of a log: a method per message of ``catalogues``, with ``layout`` around the text.

    With ``truth`` every method also notes what it wrote for the truth record.
    """
    base = TruthLines if truth else Lines
    source = [
        _line_method(message, version, language, layout, component, truth=truth)
        for catalogue in catalogues
        for message in load(catalogue).values()
    ]
    return type("CompiledLines", (base,), {"__slots__": (), **_methods(source)})


@cache
def compile_texts(catalogue: str, version: Version, language: str) -> Mapping[str, Callable[..., str]]:
    """Functions that render the texts of a catalogue, by message name; messages without a text here are left out."""
    source: list[str] = []
    for message in load(catalogue).values():
        text = message.text(version, language)
        if text is not None:
            _check_name(message)
            source.append(f"def {message.name}({', '.join(parameters(message))}):\n return {_fstring(parts(text, message.id))}\n")
    return _methods(source)


def _methods(source: list[str]) -> dict[str, Callable[..., Any]]:
    namespace: dict[str, Any] = {"json": _json}
    exec("\n".join(source), namespace)  # noqa: S102  # source is generated from packaged data
    return {name: value for name, value in namespace.items() if callable(value) and name not in ("json", "__builtins__")}


def _line_method(message: Message, version: Version, language: str, layout: Layout, component: str, *, truth: bool) -> str:
    _check_name(message)
    names = parameters(message)
    head = f"def {message.name}({', '.join(('self', 'at', *names))}):\n"
    text = message.text(version, language)
    if text is None:
        return f"{head} pass\n"
    text_parts = parts(text, message.id)
    line = [
        *_layout_parts(layout.head, message, component),
        *(((part if is_name else part.replace("\n", layout.eol)), is_name) for part, is_name in text_parts),
        *_layout_parts(layout.tail, message, component),
        (layout.eol, False),
    ]
    turn = " if at != self.at:\n  self.at = at\n  self.stamp = self.stamp_of(at)\n" + (
        "  self.when = self.when_of(at)\n" if truth else ""
    )
    body = f"{turn} self.out({_fstring(line)})\n"
    if truth:
        reporter = message.constants.get("component", component)
        used = dict.fromkeys(name for name, is_name in text_parts if is_name)
        params = "json({" + ", ".join(f"'{name}': {name}" for name in used) + "}).decode()" if used else ""
        note = [
            (f',"template":{_text(message.id)},"params":{"" if used else "{}"}', False),
            *([(params, True)] if used else []),
            ("self.when", True),
            (f',"severity":{_text(message.severity)},"component":{_text(reporter)},"thread":', False),
            ("self.tid", True),
            ("self.context", True),
        ]
        body += f" self.note({_fstring(note)})\n"
    return head + body


def _layout_parts(text: str, message: Message, component: str) -> list[Part]:
    found: list[Part] = []
    constants = {"component": component, **message.constants}
    for part, is_name in _layout_template(text):
        if not is_name:
            found.append((part, False))
        elif part in RUNTIME_NAMES:
            found.append((f"self.{part}", True))
        elif part in constants:
            found.append((constants[part], False))
        else:
            raise CatalogueError(f"its layout needs {part}", where=message.id, hint=f'Add {part} = "..." to the message')
    return found


@cache
def _layout_template(text: str) -> list[Part]:
    return [
        (node.name, True) if isinstance(node, nodes.Name) else (node.data, False)
        for output in _JINJA.parse(text).find_all(nodes.Output)
        for node in output.nodes
        if isinstance(node, nodes.Name | nodes.TemplateData)
    ]


def _fstring(pieces: list[Part]) -> str:
    inner = "".join("{" + part + "}" if is_name else _escaped(part) for part, is_name in pieces)
    return f'f"{inner}"'


def _escaped(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")
    return escaped.replace("{", "{{").replace("}", "}}")


def _text(value: str) -> str:
    return _json(value).decode()


def _check_name(message: Message) -> None:
    if not message.name.isidentifier() or keyword.iskeyword(message.name) or hasattr(TruthLines, message.name):
        raise CatalogueError("this name cannot be a method", where=message.id, hint="Choose another one")
