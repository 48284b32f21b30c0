"""What mistakes say, read from the sources: a template for each text that a raise site can give to a ``WsyncsimError``."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from string import Formatter

ROOT = Path(__file__).parent.parent
PACKAGES = ("simulator", "generators", "scenarios", "wsyncsim")

MISTAKE = ("what", "where", "hint")
CLICK_ERRORS = ("UsageError", "BadParameter", "ClickException")
"""Errors of click that we raise ourselves; their first argument is a text of ours."""
BILINGUAL = frozenset({"tell", "say", "says", "_word", "word", "in_"})
"""Functions whose texts come from a catalogue of words, which has both languages."""
ADVICE = ("Did you mean {0!r}?", "Did you mean {0!r}? {1}", "Known: {0}")
"""What ``did_you_mean`` says of its own; its third argument is said as well."""
DEPTH = 6
"""So far names, parameters and functions are followed."""

Part = str | ast.expr
"""A piece of a text: as it stands in the source, or an expression whose value is filled in."""
Parts = tuple[Part, ...]
Function = ast.FunctionDef | ast.AsyncFunctionDef


class ComputedElsewhere(Exception):
    """A text that does not stand in the source."""


@dataclass(frozen=True)
class Site:
    """An argument of a raise site."""

    file: str
    line: int
    function: str
    role: str
    source: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} ({self.function}), {self.role}: {self.source}"


class Module:
    """A source file in which every node knows its parent."""

    def __init__(self, path: Path) -> None:
        self.name = path.relative_to(ROOT).as_posix()
        self.dotted = self.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.nodes = list(ast.walk(self.tree))
        self.parents = {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}
        self.classes = {node.name: {called(base) for base in node.bases} for node in self.nodes if isinstance(node, ast.ClassDef)}
        self.stored: dict[str, list[ast.Name]] = {}
        for node in self.nodes:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self.stored.setdefault(node.id, []).append(node)
        self.imports = {
            (alias.asname or alias.name, node.module)
            for node in self.nodes
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }

    def functions(self, node: ast.AST) -> Iterator[Function]:
        """The functions around a node, from the innermost."""
        above = self.parents.get(node)
        while above is not None:
            if isinstance(above, Function):
                yield above
            above = self.parents.get(above)

    def assigned(self, scope: Function | None, name: str) -> Iterator[ast.expr | None]:
        """The expressions that a scope (None: the module) gives to a name; None for a loop, an import and the like."""
        for node in self.stored.get(name, []):
            if next(self.functions(node), None) is scope:
                yield self._value_of(node)

    def _value_of(self, node: ast.AST) -> ast.expr | None:
        parent = self.parents[node]
        return parent.value if isinstance(parent, ast.Assign | ast.AnnAssign | ast.NamedExpr) else None


def called(node: ast.expr) -> str:
    """The last part of a dotted name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def template(parts: Iterable[Part]) -> str:
    """A key of the catalogue: literal text and numbered placeholders."""
    text, number = "", 0
    for part in parts:
        if isinstance(part, str):
            text += part.replace("{", "{{").replace("}", "}}")
            continue
        quoted = isinstance(part, ast.FormattedValue) and part.conversion == ord("r")
        text += f"{{{number}{'!r' if quoted else ''}}}"
        number += 1
    return text


def parsed(text: str) -> Parts:
    """The opposite of ``template``."""
    parts: list[Part] = []
    for literal, field, _spec, conversion in Formatter().parse(text):
        if literal:
            parts.append(literal)
        if field is not None:
            parts.append(ast.FormattedValue(ast.Constant(None), ord(conversion) if conversion else -1, None))
    return tuple(parts)


def has_words(parts: Parts, role: str) -> bool:
    """Whether there is something to translate: not in values and punctuation alone, nor where an option or a key is named."""
    literal = "".join(part if isinstance(part, str) else " " if role == "where" else "" for part in parts)
    return any(character.isalpha() for character in literal) and not (role == "where" and " " not in literal)


class Sources:
    """All packages, read once."""

    def __init__(self) -> None:
        self.modules = [Module(path) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
        self.calls: dict[str, list[tuple[Module, ast.Call]]] = {}
        for module in self.modules:
            for node in module.nodes:
                if isinstance(node, ast.Call):
                    self.calls.setdefault(called(node.func), []).append((module, node))
        self.mistakes = self._mistakes()
        self.found: dict[str, list[Site]] = {}
        """Every template, and where it is said."""
        self.elsewhere: set[Site] = set()
        """Texts that do not stand in the sources."""
        for site, module, node in self._arguments():
            self._read(site, module, node)

    def _mistakes(self) -> set[str]:
        found, before = {"WsyncsimError"}, 0
        while len(found) != before:
            before = len(found)
            for module in self.modules:
                found |= {name for name, bases in module.classes.items() if found & bases}
        return found

    def _is_mistake(self, module: Module, name: str) -> bool:
        """Whether it is one of ours; a class of the same name that is something else may stand in the module."""
        bases = module.classes.get(name)
        return name in self.mistakes and (bases is None or name == "WsyncsimError" or bool(self.mistakes & bases))

    def _arguments(self) -> Iterator[tuple[Site, Module, ast.expr]]:
        for name, calls in self.calls.items():
            for module, call in calls:
                ours = name in CLICK_ERRORS and isinstance(call.func, ast.Attribute) and called(call.func.value) == "click"
                roles = MISTAKE if self._is_mistake(module, name) else MISTAKE[:1] if ours else ()
                given = dict(zip(roles, call.args, strict=False))
                given |= {word.arg: word.value for word in call.keywords if word.arg is not None and word.arg in roles}
                for role, node in given.items():
                    yield self._site(module, node, role), module, node

    @staticmethod
    def _site(module: Module, node: ast.expr, role: str) -> Site:
        function = next(module.functions(node), None)
        return Site(module.name, node.lineno, function.name if function else "module", role, ast.unparse(node))

    def _read(self, site: Site, module: Module, node: ast.expr) -> None:
        missed: list[tuple[Module, ast.expr]] = []
        for parts in self._texts(module, node, missed):
            if has_words(parts, site.role):
                self.found.setdefault(template(parts), []).append(site)
        if site.role != "where":  # what is computed there is the name of a file or a key
            self.elsewhere |= {self._site(where, what, site.role) for where, what in missed}

    def _texts(
        self, module: Module, node: ast.expr, missed: list[tuple[Module, ast.expr]] | None, depth: int = DEPTH
    ) -> list[Parts]:
        """All texts that an expression can be. What cannot be known is put into ``missed``, or raises when that is None."""
        if depth:
            match node:
                case ast.Constant(value=str(text)):
                    return [(text,)]
                case ast.Constant(value=None):
                    return []
                case ast.JoinedStr(values=values):
                    return joined(self._filled_in(module, value, depth) for value in values)
                case ast.BinOp(op=ast.Add(), left=left, right=right):
                    return joined(self._operand(module, side, depth) for side in (left, right))
                case ast.IfExp(body=one, orelse=other):
                    return self._texts(module, one, missed, depth) + self._texts(module, other, missed, depth)
                case ast.BoolOp(op=ast.Or(), values=values):
                    return [parts for value in values for parts in self._texts(module, value, missed, depth)]
                case ast.Name():
                    return self._of_name(module, node, missed, depth)
                case ast.Call(func=func, args=args):
                    return self._of_call(module, node, called(func), args, missed, depth)
        return unknown(module, node, missed)

    def _filled_in(self, module: Module, node: ast.expr, depth: int) -> list[Parts]:
        """A piece of an f-string: a value, unless it is a text of ours, which is more than a name."""
        if not isinstance(node, ast.FormattedValue):
            return self._texts(module, node, None, depth)
        if node.conversion == -1 and isinstance(node.value, ast.IfExp | ast.Name):
            try:
                texts = self._texts(module, node.value, None, depth - 1)
            except ComputedElsewhere:
                texts = []
            if any(" " in part.strip() for parts in texts for part in parts if isinstance(part, str)):
                return texts
        return [(node,)]

    def _operand(self, module: Module, node: ast.expr, depth: int) -> list[Parts]:
        try:
            return self._texts(module, node, None, depth)
        except ComputedElsewhere:
            return [(node,)]

    def _of_name(self, module: Module, node: ast.Name, missed: list[tuple[Module, ast.expr]] | None, depth: int) -> list[Parts]:
        name = node.id
        for scope in (*module.functions(node), None):
            values = list(module.assigned(scope, name))
            found = [
                parts
                for value in values
                for parts in (self._texts(module, value, missed, depth - 1) if value else unknown(module, node, missed))
            ]
            if scope is not None and name in parameters(scope):
                return found + self._of_parameter(module, scope, node, missed, depth)
            if values:
                return found
        return unknown(module, node, missed)

    def _of_parameter(
        self, module: Module, function: Function, node: ast.Name, missed: list[tuple[Module, ast.expr]] | None, depth: int
    ) -> list[Parts]:
        """What the callers give to a function; to a method only where it makes a mistake, since its name alone says too little."""
        arguments, name = function.args, node.id
        positional = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
        defaults = dict(zip(reversed(positional), reversed(arguments.defaults), strict=False))
        keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        defaults |= {argument.arg: value for argument, value in keywords if value is not None}
        is_method = positional[:1] in (["self"], ["cls"])
        if is_method and not (function.returns is not None and called(function.returns) in self.mistakes):
            return unknown(module, node, missed)
        found: list[Parts] = []
        for caller, call in self.calls.get(function.name, []):
            known = is_method or caller is module or (function.name, module.dotted) in caller.imports
            if isinstance(call.func, ast.Attribute) is not is_method or not known:
                continue
            given = dict(zip(positional[is_method:], call.args, strict=False))
            given |= {word.arg: word.value for word in call.keywords if word.arg is not None}
            passed_on = (
                name in given
                and ast.unparse(given[name]) == name
                and function.name in {above.name for above in caller.functions(call)}
            )
            if name in given and not passed_on:
                found += self._texts(caller, given[name], missed, depth - 1)
            elif name in defaults and name not in given:
                found += self._texts(module, defaults[name], missed, depth - 1)
        return found

    def _of_call(
        self,
        module: Module,
        node: ast.expr,
        name: str,
        args: list[ast.expr],
        missed: list[tuple[Module, ast.expr]] | None,
        depth: int,
    ) -> list[Parts]:
        if name == "did_you_mean":
            return [parsed(text) for text in ADVICE] + [parts for more in args[2:] for parts in self._operand(module, more, depth)]
        if name in BILINGUAL:
            return []
        if name == "str":
            return [(node,)]  # a path, a number
        for function in module.nodes:
            if isinstance(function, Function) and function.name == name:
                values = [step.value for step in ast.walk(function) if isinstance(step, ast.Return) and step.value is not None]
                return [parts for value in values for parts in self._texts(module, value, missed, depth - 1)]
        return unknown(module, node, missed)


def joined(pieces: Iterable[list[Parts]]) -> list[Parts]:
    """All texts that alternatives, one after the other, can make."""
    return [tuple(part for parts in choice for part in parts) for choice in product(*pieces)]


def unknown(module: Module, node: ast.expr, missed: list[tuple[Module, ast.expr]] | None) -> list[Parts]:
    if missed is None:
        raise ComputedElsewhere
    missed.append((module, node))
    return []


def parameters(function: Function) -> set[str]:
    arguments = function.args
    return {argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
