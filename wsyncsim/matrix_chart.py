"""The decision tree as a wall chart: one SVG in the proportions of A3, landscape; nothing in it but shapes and text."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from scenarios.complaint import COMPLAINTS
from scenarios.diagnosis import Leaf, minutes_of
from wsyncsim._version import __version__
from wsyncsim.matrix_words import Words, spans

if TYPE_CHECKING:
    from scenarios.diagnosis import Node
    from scenarios.evidence import Spot
    from scenarios.matrix import Matrix
    from scenarios.text import Language

_ROW = 27
_TOP, _BOTTOM, _MARGIN = 112, 62, 28
_LEAST_HEIGHT = 1188
_COMPLAINT_W, _BOX_W, _GAP = 158, 130, 11
_LEAF_SHARE = 0.26
_FONT = "font-family:Arial,'Liberation Sans',Helvetica,sans-serif"
_NARROW, _WIDE = "iljtfrI.,:;|!'()[]/ ", "mwMWOQGDCNHU@%_"
_INK, _SOFT, _LINE = "#1b2733", "#51606f", "#93a1ae"


def _width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a text gets at most, in the usual fonts."""
    ems = sum(0.33 if each in _NARROW else 0.86 if each in _WIDE else 0.72 if each.isupper() else 0.58 for each in text)
    return ems * size * (1.08 if bold else 1.0)


def _wrap(text: str, size: float, width: float, lines: int, *, bold: bool = False) -> list[str]:
    """The text on so many lines at most; what does not fit ends with an ellipsis."""
    made: list[str] = []
    words = text.split()
    while words:
        if len(made) == lines - 1:
            made.append(_cut(" ".join(words), size, width, bold=bold))
            break
        line = words.pop(0)
        if _width(line, size, bold=bold) > width:
            kept = next((each for each in range(len(line) - 1, 1, -1) if _width(line[:each], size, bold=bold) <= width), 1)
            kept = max((place + 1 for place, letter in enumerate(line[:kept]) if letter in "_.:\\/"), default=kept)
            words.insert(0, line[kept:])
            line = line[:kept]
        while words and _width(f"{line} {words[0]}", size, bold=bold) <= width:
            line = f"{line} {words.pop(0)}"
        made.append(line)
    return made or [""]


def _cut(text: str, size: float, width: float, *, bold: bool = False) -> str:
    if _width(text, size, bold=bold) <= width:
        return text
    while text and _width(f"{text}…", size, bold=bold) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _depth(tree: Node | Leaf) -> int:
    return 0 if isinstance(tree, Leaf) else 1 + max(_depth(branch.then) for branch in tree.branches)


def _rows(tree: Node | Leaf) -> int:
    return 1 if isinstance(tree, Leaf) else sum(_rows(branch.then) for branch in tree.branches)


@dataclass
class _Chart:
    words: Words
    depth: int
    rows: int
    parts: list[str] = field(default_factory=list)
    next_row: int = 0

    def __post_init__(self) -> None:
        complaints = len(self.words.region.trees)
        self.height = max(_LEAST_HEIGHT, _TOP + _BOTTOM + self.rows * _ROW + (complaints - 1) * 8)
        self.width = round(self.height * math.sqrt(2))
        free = self.height - _TOP - _BOTTOM - (complaints - 1) * 8
        self.row = free / self.rows
        self.leaf_w = self.width * _LEAF_SHARE
        self.leaf_x = self.width - _MARGIN - self.leaf_w
        self.first_x = _MARGIN + _COMPLAINT_W + _GAP
        levels = max(self.depth, 1)
        self.level_w = (self.leaf_x - self.first_x) / levels
        self.label_w = self.level_w - _BOX_W - 3 * _GAP
        self.top = float(_TOP)

    # --- shapes

    def text(self, x: float, y: float, text: str, size: float, *, bold: bool = False, fill: str = _INK, end: bool = False) -> None:
        weight = ' font-weight="bold"' if bold else ""
        anchor = ' text-anchor="end"' if end else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}"{weight}{anchor}>{escape(text)}</text>')

    def lines(self, x: float, y: float, lines: list[str], size: float, *, bold: bool = False, fill: str = _INK) -> None:
        """Lines, centred at height ``y``."""
        pitch = size * 1.18
        for number, line in enumerate(lines):
            self.text(x, y + size * 0.36 + (number - (len(lines) - 1) / 2) * pitch, line, size, bold=bold, fill=fill)

    def box(self, x: float, y: float, width: float, height: float, fill: str, stroke: str) -> None:
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="4" fill="{fill}" stroke="{stroke}"/>'
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, *, faint: bool = False) -> None:
        dash = ' stroke-dasharray="1.5 3.5"' if faint else ""
        self.parts.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{_LINE}" stroke-width="1.1"{dash}/>')

    # --- the tree

    def draw(self, tree: Node | Leaf, level: int, paid: tuple[Spot, ...]) -> tuple[float, float]:
        """Draw a part of the tree; returns height and left edge of its beginning."""
        if isinstance(tree, Leaf):
            return self.leaf(tree, paid)
        x = self.first_x + level * self.level_w
        trunk = x + _BOX_W + _GAP
        looks = (*paid, tree.spot)
        heights = []
        outcomes = self.words.outcomes(tree)
        for number, branch in enumerate(tree.branches):
            y, left = self.draw(branch.then, level + 1, looks)
            heights.append(y)
            self.line(trunk, y, trunk + 8, y)
            to_leaf = isinstance(branch.then, Leaf)
            room = self.leaf_x - trunk - 24 if to_leaf else self.label_w
            label = _wrap(outcomes[number], 9.6, room, 2 if to_leaf else min(_rows(branch.then) + 1, 5))
            self.lines(trunk + 12, y, label, 9.6)
            end = trunk + 16 + max(_width(line, 9.6) for line in label)
            self.line(end, y, left - 3, y, faint=to_leaf)
        middle = (heights[0] + heights[-1]) / 2
        self.line(trunk, heights[0], trunk, heights[-1])
        self.line(x + _BOX_W, middle, trunk, middle)
        self.look(x, middle, tree)
        return middle, x

    def look(self, x: float, y: float, node: Node) -> None:
        inner = _BOX_W - 14
        title = _wrap(
            f"{node.spot.look} {self.words.title(node.spot.look)}", 11, inner, 3 if len(node.branches) > 2 else 2, bold=True
        )
        where = _wrap(self.words.place(node.spot.place), 9.6, inner, 2)
        minutes = self.words.say("minutes", minutes=node.minutes)
        if _width(f"{where[-1]}, {minutes}", 9.6) <= inner:
            where[-1] = f"{where[-1]}, {minutes}"
        else:
            where.append(minutes)
        height = len(title) * 13 + len(where) * 11.5 + 10
        self.box(x, y - height / 2, _BOX_W, height, "#e6f0fb", "#4a82bd")
        at = y - height / 2 + 15
        for line in title:
            self.text(x + 7, at, line, 11, bold=True, fill="#123f6d")
            at += 13
        for line in where:
            self.text(x + 7, at - 1, line, 9.6, fill=_SOFT)
            at += 11.5

    def leaf(self, leaf: Leaf, paid: tuple[Spot, ...]) -> tuple[float, float]:
        y = self.top + self.row / 2
        self.top += self.row
        x, width, height = self.leaf_x, self.leaf_w, min(self.row - 4, 30)
        one = len(leaf.faults) == 1
        self.box(x, y - height / 2, width, height, "#f1f8f1" if one else "#fdf1ee", "#5d9b62" if one else "#c46a50")
        minutes = self.words.say("minutes", minutes=sum(map(minutes_of, paid)))
        self.text(x + width - 7, y - 1.5, minutes, 9.6, fill=_SOFT, end=True)
        inner = width - 14
        first = inner - _width(minutes, 9.6) - 8
        if one:
            id = leaf.faults[0]
            self.text(x + 7, y - 1.5, _cut(self.words.fault(id), 10.6, first, bold=True), 10.6, bold=True)
            repair = self.words.say("repair_short", repair=self.words.repair(id))
            self.text(x + 7, y + 9.5, _cut(repair, 8.8, inner), 8.8, fill=_SOFT)
        else:
            text = self.words.say("several", faults=", ".join(leaf.faults))
            self.text(x + 7, y - 1.5, _cut(text, 10.6, first, bold=True), 10.6, bold=True)
        return y, x

    def complaints(self) -> None:
        for name, tree in self.words.region.trees.items():
            y, left = self.draw(tree, 0, ())
            title = COMPLAINTS[name].title.in_(self.words.language)
            alone = isinstance(tree, Leaf)
            width, size = (1.9 * _COMPLAINT_W, 10.0) if alone else (_COMPLAINT_W, 11.0)
            lines = _wrap(title, size, width - 14, 2 if alone else 4, bold=True)
            height = len(lines) * size * 1.18 + 8
            self.box(_MARGIN, y - height / 2, width, height, "#fff5da", "#c79a2b")
            self.lines(_MARGIN + 7, y, lines, size, bold=True)
            self.line(_MARGIN + width, y, left - 3, y, faint=alone)
            self.top += 8


def chart(matrix: Matrix, language: Language, command: str) -> str:
    """The tree of the generation that has most of the faults, as an SVG document."""
    region = matrix.home
    words = Words(region, language)
    depth = max(_depth(tree) for tree in region.trees.values())
    drawing = _Chart(words, depth, sum(_rows(tree) for tree in region.trees.values()))
    drawing.complaints()
    body, drawing.parts = drawing.parts, []
    basis = words.say("basis", count=len(region.cases), generation=region.generation, seeds=spans(matrix.seeds))
    drawing.text(_MARGIN, 44, words.say("chart_title"), 26, bold=True)
    drawing.text(_MARGIN, 68, f"{basis}. {words.summary()}", 13, fill=_SOFT)
    drawing.text(_MARGIN, 96, words.say("start"), 13, bold=True, fill="#8a6a14")
    drawing.text(drawing.leaf_x, 96, f"{words.say('cause')}, {words.say('repair')}", 13, bold=True, fill="#2f6b35")
    tokens = dict.fromkeys(spot.place for tree in region.trees.values() for spot in _spots(tree))
    places = "  ".join(f"[{place}] = {words.place(place)}" for place in sorted(tokens))
    drawing.text(_MARGIN, drawing.height - 36, words.say("legend", places=places), 10.5, fill=_SOFT)
    drawing.text(_MARGIN, drawing.height - 18, words.say("chart_made", version=__version__, command=command), 10.5, fill=_SOFT)
    title = escape(words.say("chart_title"))
    view = f'viewBox="0 0 {drawing.width} {drawing.height}" style="{_FONT}"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="420mm" height="297mm" lang="{language}" role="img" {view}>',
            f"<title>{title}</title>",
            f'<rect width="{drawing.width}" height="{drawing.height}" fill="#ffffff"/>',
            *drawing.parts,
            *body,
            "</svg>",
            "",
        )
    )


def _spots(tree: Node | Leaf) -> list[Spot]:
    if isinstance(tree, Leaf):
        return []
    return [tree.spot, *(spot for branch in tree.branches for spot in _spots(branch.then))]
