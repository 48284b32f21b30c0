"""The pictures of the debrief: where things stand. The template draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsyncsim.lab.debrief import Debrief, Point

ROW = 24
LANE = 20
TOP = 34
LEFT = 118
LONGEST = 118
WIDEST_LETTER = 7
PREFIX = 10
CURVE_WIDTH, CURVE_HEIGHT = 640, 230
CURVE_LEFT, CURVE_TOP, CURVE_RIGHT, CURVE_BOTTOM = 46, 16, 18, 40
YOU = "you"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """An entry of the causal timeline."""

    x: int
    y: int
    kind: str
    """``fault``, ``action``, ``event``, or ``you``."""
    time: str
    text: str
    full: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What really happened, from above to below; a lane for each server and one for the trainee; curves from cause to effect."""

    width: int
    height: int
    text_x: int
    lanes: tuple[tuple[int, str], ...]
    dots: tuple[Dot, ...]
    curves: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """How many explanations were left, over minutes of looks: steps downwards."""

    yours: str
    best: str
    dots: tuple[tuple[float, float, str], ...]
    ticks: tuple[tuple[float, str], ...]
    levels: tuple[tuple[float, str], ...]


def timeline(debrief: Debrief) -> Timeline:
    """Where the entries of the debrief stand."""
    entries = [(each.local, 0, each.host, each.kind, each.text, each.id, each.because) for each in debrief.happened]
    entries = [entry for entry in entries if entry[3] != "action"]
    entries += [(did.local, 1, YOU, YOU, did.text, "", None) for did in debrief.did]
    entries.sort(key=lambda entry: (entry[0], entry[1]))
    hosts = [*dict.fromkeys(entry[2] for entry in entries if entry[2] not in ("", YOU)), YOU]
    lanes = {host: LEFT + LANE * number for number, host in enumerate(hosts)}
    lanes[""] = LEFT
    dots, curves, places = [], [], {}
    for number, (local, _, host, kind, text, id, because) in enumerate(entries):
        x, y = lanes[host], TOP + ROW * number
        if id:
            places[id] = (x, y)
        if because in places:
            curves.append(_curve(places[because], (x, y)))
        short = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
        dots.append(Dot(x=x, y=y, kind=kind, time=local[5:16].replace("T", " "), text=short, full=text, host=host))
    text_x = LEFT + LANE * len(hosts) + 4
    longest = max((len(dot.text) + max(len(dot.host), PREFIX) for dot in dots), default=0)
    return Timeline(
        width=text_x + WIDEST_LETTER * longest,
        height=TOP + ROW * len(entries),
        text_x=text_x,
        lanes=tuple((lanes[host], host) for host in hosts),
        dots=tuple(dots),
        curves=tuple(curves),
    )


def _curve(cause: tuple[int, int], effect: tuple[int, int]) -> str:
    (x, y), (to_x, to_y) = cause, effect
    bend = min(x, to_x) - min(9 + (to_y - y) // 8, 34)
    return f"M{x} {y} C{bend} {y + 8} {bend} {to_y - 8} {to_x} {to_y}"


def curve(debrief: Debrief) -> Curve:
    """The uncertainty curve and the best one."""
    last = max([point.minutes for point in (*debrief.curve, *debrief.best)], default=1) or 1
    most = max(debrief.candidates, 2)

    def at(minutes: float, left: float) -> tuple[float, float]:
        from math import log2

        width, height = CURVE_WIDTH - CURVE_LEFT - CURVE_RIGHT, CURVE_HEIGHT - CURVE_TOP - CURVE_BOTTOM
        share = log2(max(left, 1)) / log2(most)
        return round(CURVE_LEFT + width * minutes / last, 1), round(CURVE_TOP + height * (1 - share), 1)

    def path(points: Sequence[Point]) -> str:
        x, y = at(0, most)
        steps = [f"M{x} {y}"]
        for point in points:
            x, y = at(point.minutes, point.left)
            steps.append(f"H{x} V{y}")
        return " ".join(steps)

    levels = [level for level in (1, 2, 4, 8, 16, 32, 64) if level < most] + [most]
    step = next((step for step in (1, 2, 5, 10, 20, 50, 100, 200) if last / step <= 10), 500)
    return Curve(
        yours=path(debrief.curve),
        best=path(debrief.best),
        dots=tuple((*at(point.minutes, point.left), f"{point.look} {point.host}: {point.left}") for point in debrief.curve),
        ticks=tuple((at(minutes, 1)[0], str(minutes)) for minutes in range(0, last + 1, step)),
        levels=tuple((at(0, level)[1], str(level)) for level in levels),
    )
