"""Where everything of a timeline stands: lanes, bars, marks and rows of text, ready for the template."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from scenarios.faults import FAULTS
from simulator.units import DAY, HOUR, MINUTE, SECOND
from wsyncsim.output import took_words
from wsyncsim.run_folder import Json, action_words, instant, offset_changes
from wsyncsim.timeline_reading import LANES, MARKS, NEAREST, PIXELS, Cell, EngineRun, Lane, Mark, Moment, Place, Run, Tale, chain_of
from wsyncsim.words import event_words, reason_words, value_words, word

LABELS: Final = 190
"""Width of the lanes' names."""
MOST_LANES: Final = 64
MOST_GUIDES: Final = 8
"""Faults whose begin and end are marked in all lanes."""
MOST_DETAILS: Final = 400
"""Marks with a row of text and log lines; what happens more often is folded further."""
MOST_ROWS: Final = 400
"""Rows of the table of synchronizations; beyond that, runs with the same end become one row."""
MOST_BARS: Final = 120
"""Synchronizations of a site that are bars of their own; of more, those near to each other become one bar."""
MOST_LINES: Final = 6
"""Log lines in a row of text."""
MOST_FINE: Final = 60
"""Healthy marks of a lane that are told one by one; more become a density."""
CROWD: Final = 4.0
"""Distance of the lines of a density."""
LONGEST_CHAIN: Final = 8
FAULT_ROWS: Final = 12
ACTION_ROWS: Final = 5
CHARACTER: Final = 6.5
BOLD: Final = 7.3
"""Width of a character of a label, about; fonts differ."""
STEPS: Final = (
    *(minutes * MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * DAY for days in (1, 2, 7, 14, 28, 56, 112, 364)),
)
TICK_GAP: Final = 66.0
GLYPHS: Final = {"succeeded": "✓", "failed": "✕", "unfinished": "…"}


@dataclass(slots=True)
class Row:
    """A row of the picture."""

    y: float
    height: float
    kind: str
    """``host`` or ``lane``."""
    title: str
    note: str = ""
    middle: float = 0.0
    """Where marks stand."""


@dataclass(slots=True)
class Shape:
    """A mark, bar or span that can be pointed at, and leads to a row of text."""

    target: str
    kind: str
    x: float
    y: float
    title: str = ""
    width: float = 0.0
    height: float = 0.0
    label: str = ""
    label_x: float = 0.0
    label_end: bool = False
    chain: str = ""
    nodes: list[tuple[float, float]] = field(default_factory=list)
    parts: list[tuple[str, float, float]] = field(default_factory=list)
    big: bool = False


@dataclass(slots=True)
class Detail:
    """A row of text."""

    id: str
    when: str
    where: str
    mark: str
    what: list[str]
    lines: list[tuple[str, str]] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)
    more: str = ""


@dataclass(slots=True)
class Cluster:
    """Neighbouring cells of a lane that are one mark."""

    lane: Lane
    x: float
    cell: Cell

    @property
    def mark(self) -> Mark:
        return next(mark for mark in MARKS if self.cell.marks[mark])

    @property
    def healthy(self) -> bool:
        return not self.cell.abnormal

    @property
    def count(self) -> int:
        return self.cell.marks.total()


@dataclass(slots=True)
class Group:
    """Runs of one site that are one bar or one row."""

    runs: list[Run]

    @property
    def first(self) -> Run:
        return self.runs[0]

    @property
    def ended(self) -> int:
        return self.runs[-1].ended


class Drawing:
    """Lays a tale out. Attributes without an underscore are the template's."""

    def __init__(self, tale: Tale, text: Callable[[Place], str], language: str) -> None:
        self._tale, self._text, self._language = tale, text, language
        window = tale.window
        self._begin, self._span, self._zone = window.begin, window.end - window.begin, window.zone
        self.offset_changes = offset_changes(window.zone, window.begin, window.end)
        one_day = window.zone.local(window.begin).date() == window.zone.local(window.end - 1).date()
        self._form = ("%H:%M:%S" if one_day else "%Y-%m-%d %H:%M:%S") + (" %z" if self.offset_changes else "")
        self.width, self.labels = PIXELS, LABELS
        self.rows: list[Row] = []
        self.spans: list[Shape] = []
        self.actions: list[Shape] = []
        self.bars: list[Shape] = []
        self.engine: list[Shape] = []
        self.marks: list[Shape] = []
        self.densities: list[tuple[str, str, str]] = []
        self.bands: list[tuple[float, float, float, float]] = []
        self.gates: list[Shape] = []
        self.lost: list[tuple[float, float, float]] = []
        self.guides: list[tuple[str, float, float]] = []
        self.abnormal: list[Detail] = []
        self.healthy: list[Detail] = []
        self.run_rows: list[Detail] = []
        self.gate_rows: list[Detail] = []
        self.notes: list[str] = []
        self._rows_of: dict[Lane, Row] = {}
        self._fault_y: dict[str, tuple[float, float]] = {}
        self._numbers: list[tuple[Shape, list[str]]] = []
        self._runs_of: dict[str, str] = {}
        self._height = 30.0
        self._lay_out()

    # --- words and places

    def _say(self, name: str, **values: Any) -> str:
        return word("timeline", name, self._language, values)

    def x(self, at: int) -> float:
        """Where an instant stands."""
        return round(max(0, min(at - self._begin, self._span)) * PIXELS / self._span, 1)

    def clock(self, at: int) -> str:
        """An instant on the estate's clocks."""
        return self._zone.local(at).strftime(self._form)

    @property
    def counts(self) -> dict[str, int]:
        """How many faults, synchronizations by outcome, and abnormal entries are shown."""
        runs = Counter(run.outcome for run in self._tale.runs)
        return {"faults": len(self._tale.faults), **{name: runs[name] for name in GLYPHS}, "abnormal": self._tale.abnormal}

    @property
    def height(self) -> float:
        """Height of the picture, without the lower axis."""
        return self._height

    def _row(self, kind: str, height: float, title: str, note: str = "", middle: float | None = None) -> Row:
        row = Row(self._height, height, kind, title, note)
        row.middle = row.y + (height / 2 if middle is None else middle)
        self.rows.append(row)
        self._height += height
        return row

    def _lay_out(self) -> None:
        self._draw_story()
        groups = self._run_groups()
        self._tell_runs(groups)
        for host, lanes in self._lanes().items():
            self._draw_host(host, lanes)
        self._draw_runs(groups)
        self._draw_marks()

    # --- the story

    def _draw_story(self) -> None:
        tale = self._tale
        if not tale.faults and not tale.actions:
            return
        self._row("host", 22, self._say("story"))
        if tale.faults:
            self._draw_faults()
        if tale.actions:
            self._draw_actions()
        self._height += 4

    def _draw_faults(self) -> None:
        top, ends = self._height, [0.0] * FAULT_ROWS
        used = left_out = 0
        guided = len(self._tale.faults) <= MOST_GUIDES
        for number, fault in enumerate(self._tale.faults, 1):
            begin, end, how = self._extent(fault)
            left, right = self.x(begin), self.x(end)
            text = f"{fault['fault']} {FAULTS[fault['fault']].title.in_(self._language)}{self._at_site(fault)}"
            label_x, text, at_end = _beside(left, text, 7, BOLD)
            reach = max(right, label_x if at_end else label_x + len(text) * BOLD)
            start = label_x - len(text) * BOLD if at_end else left
            slot = next((slot for slot, taken in enumerate(ends) if start >= taken), None)
            if slot is None:
                left_out += 1
                self._fault_y[fault["entry"]] = (left, top + FAULT_ROWS * 24)
                continue
            ends[slot] = reach + 10
            used = max(used, slot + 1)
            y = top + slot * 24 + 3
            title = f"{self.clock(begin)} – {self.clock(end)}\n{self.fault_words(fault)}"
            width = max(right - left, 4.0)
            self.spans.append(Shape(f"f{number}", how, left, y, title, width, 18, text, label_x, at_end))
            self._fault_y[fault["entry"]] = (left, y + 18)
            if guided:
                self.guides.append(("began", left, y + 18))
            if guided and how != "lasts":
                self.guides.append((how, right, y + 18))
        if left_out:
            self.notes.append(self._say("faults_left_out", count=left_out))
        self._row("lane", used * 24, self._say("faults"))

    def _at_site(self, happened: Json) -> str:
        """The site of a fault or action, where there are several."""
        return f" ({happened['site']})" if len(self._tale.answer["story"]["estate"]["sites"]) > 1 else ""

    def _extent(self, fault: Json) -> tuple[int, int, str]:
        """From when to when a fault was there, and how it ended: ``ended``, ``repaired`` or ``lasts``."""
        begin = instant(fault["began"])
        ends = [(instant(fault[how]), how) for how in ("repaired", "ended") if fault[how]]
        if not ends or min(ends)[0] > self._begin + self._span:
            return begin, self._begin + self._span, "lasts"
        return begin, *min(ends)

    def fault_words(self, fault: Json) -> str:
        """What a fault changed."""
        language = self._language
        values = {name: value_words(fault[name], language) for name in ("healthy", "faulty")}
        return (
            f"{fault['fault']} {FAULTS[fault['fault']].title.in_(language)}: {fault['entity']}, {fault['setting']}: "
            f"{values['healthy']} → {values['faulty']}"
        )

    def fault_rows(self) -> Iterator[Detail]:
        """The faults in text."""
        for number, fault in enumerate(self._tale.faults, 1):
            began, ended, how = self._extent(fault)
            end = self._say(f"fault_{how}", at=self.clock(ended))
            summary = FAULTS[fault["fault"]].summary.in_(self._language)
            yield Detail(f"f{number}", self.clock(began), fault["site"], "fault", [self.fault_words(fault), summary, end])

    def _draw_actions(self) -> None:
        top, ends = self._height, [0.0] * ACTION_ROWS
        used = 1
        for number, action in enumerate(self._tale.actions, 1):
            at = instant(action["at"])
            left, full = self.x(at), action_words(action, self._language) + self._at_site(action)
            slot, text = 0, ""
            for text in (full, action["action"], ""):
                label_x, text, at_end = _beside(left, text, 9, CHARACTER)  # noqa: PLW2901 - shortened to what fits
                length = len(text) * CHARACTER + 9
                start, reach = (left - length, left + 6) if at_end else (left - 6, left + length)
                found = next((slot for slot, taken in enumerate(ends) if start >= taken), None)
                if found is not None:
                    slot = found
                    ends[slot] = reach + 8
                    break
            used = max(used, slot + 1)
            y = top + slot * 20 + 11
            title = (
                f"{self.clock(at)} {action['site']}: {full}\n{action['entity']}: {value_words(action['detail'], self._language)}"
            )
            self.actions.append(Shape(f"a{number}", "action", left, y, title, label=text, label_x=label_x, label_end=at_end))
            self._fault_y[action["entry"]] = (left, y)
        self._row("lane", used * 20 + 3, self._say("actions"))

    def action_rows(self) -> Iterator[Detail]:
        """What people did, in text."""
        for number, action in enumerate(self._tale.actions, 1):
            what = [action_words(action, self._language), f"{action['entity']}: {value_words(action['detail'], self._language)}"]
            yield Detail(f"a{number}", self.clock(instant(action["at"])), action["site"], "action", what)

    # --- lanes

    def _lanes(self) -> dict[str, list[Lane]]:
        """The lanes of each host in which something happens; with too many, those in which something goes wrong."""
        tale = self._tale
        found = set(tale.cells)
        found |= {Lane(run.host, "wsyncmgr") for run in tale.runs}
        found |= {Lane(host, "wsus") for host, bars in tale.engine.items() if bars}
        order = {name: number for number, name in enumerate(LANES)}
        hosts = list(tale.window.hosts)
        lanes = sorted(
            (lane for lane in found if lane.host in tale.window.hosts),
            key=lambda lane: (hosts.index(lane.host), order.get(lane.name, len(order)), lane.name),
        )
        if len(lanes) > MOST_LANES:
            worst = sorted(lanes, key=self._severity, reverse=True)[:MOST_LANES]
            kept = set(worst)
            self.notes.append(self._say("lanes_left_out", count=len(lanes) - len(kept)))
            lanes = [lane for lane in lanes if lane in kept]
        grouped: dict[str, list[Lane]] = {}
        for lane in lanes:
            grouped.setdefault(lane.host, []).append(lane)
        return grouped

    def _severity(self, lane: Lane) -> int:
        """How many things went wrong in a lane; the site servers' synchronizations come first."""
        wrong = sum(cell.marks[mark] for cell in self._tale.cells.get(lane, {}).values() for mark in MARKS[:3])
        return 2 * wrong + (lane.name == "wsyncmgr")

    def _draw_host(self, host: str, lanes: list[Lane]) -> None:
        self._height += 4
        roles = (self._say(role.split()[0], code=role.split()[1]) for role in self._tale.window.hosts[host])
        self._row("host", 22, host, ", ".join(roles))
        shut = self._tale.shut.get(host, [])
        for lane in lanes:
            title = self._lane_title(lane)
            cells = self._tale.cells.get(lane, {})
            if lane.name == "wsyncmgr":
                row = self._row("lane", 48 if cells else 36, title, middle=40)
            elif lane.name == "wsus" and self._tale.engine.get(host):
                row = self._row("lane", 36 if cells else 24, title, middle=27)
                self._draw_engine(lane, row)
            else:
                row = self._row("lane", 24, title)
            self._rows_of[lane] = row
            if lane.name != "wsyncmgr" and lane in self._tale.kept_from and (width := self.x(self._tale.kept_from[lane])) > 2:
                self.lost.append((row.y, row.height, width))
            if lane.name == "wsyncmgr" and shut:
                self._draw_gate(host, shut, row)

    def _lane_title(self, lane: Lane) -> str:
        return self._say(f"lane_{lane.name}") if lane.name in LANES else lane.name

    def _draw_gate(self, host: str, shut: list[tuple[int, int]], runs: Row) -> None:
        row = self._row("lane", 20, self._say("gate"))
        self.gates.append(Shape("", "open", 0, row.middle, width=PIXELS))
        for begin, end in _merged(shut, self._span // PIXELS):
            left, width = self.x(begin), max(self.x(end) - self.x(begin), 2.0)
            when = f"{self.clock(begin)} – {self.clock(end)}"
            target = f"g{len(self.gate_rows) + 1}"
            title = f"{when}\n{host}: {self._say('gate_shut_long')}"
            label = self._say("gate_shut", took=_lasted(end - begin))
            label = label if len(label) * CHARACTER + 10 <= width else ""
            self.gates.append(Shape(target, "shut", left, row.y + 3, title, width, 14, label, left + 7))
            self.bands.append((left, runs.y, width, runs.height))
            if len(self.gate_rows) < MOST_ROWS:
                self.gate_rows.append(Detail(target, when, host, "shut", [self._say("gate_shut_long")]))

    def _draw_engine(self, lane: Lane, row: Row) -> None:
        folded: list[tuple[EngineRun, int, int]] = []
        for bar in self._tale.engine[lane.host]:
            if folded and (bar.entry is None) == (folded[-1][0].entry is None) and self.x(bar.began) - self.x(folded[-1][1]) < 2:
                first, _, count = folded[-1]
                folded[-1] = (first, bar.ended, count + 1)
            else:
                folded.append((bar, bar.ended, 1))
        for bar, ended, count in folded:
            kind = "succeeded" if bar.entry is None else "failed"
            title = f"{self.clock(bar.began)} – {self.clock(ended)}\n{lane.host}: {self._say('engine_' + kind, count=count)}"
            left = self.x(bar.began)
            self.engine.append(Shape("", kind, left, row.y + 6, title, max(self.x(ended) - left, 4.0), 10))

    # --- synchronizations

    def _run_groups(self) -> list[Group]:
        """Rows of the table: one run each, or with too many of them, neighbours of the same end."""
        runs = self._tale.runs
        if len(runs) <= MOST_ROWS:
            return [Group([run]) for run in runs]
        last: dict[str, Group] = {}
        groups = []
        for run in runs:
            before = last.get(run.site)
            if before is not None and _same_end(before.first, run):
                before.runs.append(run)
            else:
                last[run.site] = group = Group([run])
                groups.append(group)
        return groups

    def _tell_runs(self, groups: list[Group]) -> None:
        for number, group in enumerate(groups[:MOST_ROWS], 1):
            for run in group.runs:
                self._runs_of[run.id] = f"r{number}"
            self.run_rows.append(self._run_detail(f"r{number}", group))
        if len(groups) > MOST_ROWS:
            self.notes.append(self._say("runs_left_out", count=sum(len(group.runs) for group in groups[MOST_ROWS:])))

    def _run_detail(self, id: str, group: Group) -> Detail:
        run = group.first
        what = [self.run_words(run)]
        if len(group.runs) > 1:
            last = group.runs[-1]
            what.append(self._say("runs_alike", count=len(group.runs), last=last.id, at=self.clock(last.began)))
        elif run.phases:
            what.append(f"{self._say('phases')}: {self._phase_words(run)}")
        lines = [self._line(place) for place in run.places]
        causes = [self._cause(id) for id in run.causes[1:LONGEST_CHAIN] if id in self._tale.events]
        return Detail(id, self.clock(run.began), run.site, run.outcome, what, lines, causes)

    def run_words(self, run: Run) -> str:
        """What a run came to."""
        language = self._language
        values = {
            "run": run.id,
            "trigger": word("values", run.trigger, language),
            "took": took_words(run.took_s or 0),
            "source": word("sources", run.source, language) if run.source else "",
            "reason": reason_words(run.reason, language) if run.reason else "",
            "faults": ", ".join(dict.fromkeys(run.faults)) or "-",
        }
        return self._say(f"run_{run.outcome}", **values)

    def _phase_words(self, run: Run) -> str:
        phases = sorted(run.phases, key=lambda phase: phase[1])
        ends = [at for _, at in phases[1:]] + [run.ended]
        told = (
            f"{self._say('phase_' + name)} {took_words((end - at + SECOND // 2) // SECOND)}"
            for (name, at), end in zip(phases, ends, strict=True)
        )
        return ", ".join(told)

    def _draw_runs(self, groups: list[Group]) -> None:
        by_host: dict[str, list[Group]] = {}
        nearest = 2.0 if len(self._tale.runs) <= MOST_BARS * len(self._tale.window.sites) else 6.0
        for run in self._tale.runs:
            bars = by_host.setdefault(run.host, [])
            if bars and bars[-1].first.outcome == run.outcome and self.x(run.began) - self.x(bars[-1].ended) < nearest:
                bars[-1].runs.append(run)
            else:
                bars.append(Group([run]))
        for host, bars in by_host.items():
            row = self._rows_of.get(Lane(host, "wsyncmgr"))
            if row is not None:
                self._draw_bars(bars, row)

    def _draw_bars(self, bars: list[Group], row: Row) -> None:
        shapes = []
        for bar in bars:
            run = bar.first
            left = self.x(run.began)
            width = max(self.x(bar.ended) - left, 5.0)
            title = f"{self.clock(run.began)} – {self.clock(bar.ended)}\n{self.run_words(run)}"
            parts: list[tuple[str, float, float]] = []
            if len(bar.runs) > 1:
                title += "\n" + self._say(
                    "runs_alike", count=len(bar.runs), last=bar.runs[-1].id, at=self.clock(bar.runs[-1].began)
                )
            elif run.phases:
                title += f"\n{self._say('phases')}: {self._phase_words(run)}"
                parts = self._parts(run, left, width)
            title += "".join(f"\n{place}  {text}" for place, text in map(self._line, run.places[:3]))
            shape = Shape(self._runs_of.get(run.id, ""), run.outcome, left, row.y + 17, title, width, 14, parts=parts)
            shapes.append((shape, bar))
        taken = -100.0
        for number, (shape, bar) in enumerate(shapes):
            following = shapes[number + 1][0].x if number + 1 < len(shapes) else float(PIXELS)
            for label in self._bar_labels(bar):
                start = min(shape.x, PIXELS - len(label) * BOLD)
                if start > taken + 5 and (start + len(label) * BOLD + 5 < following or len(label) == 1):
                    shape.label, shape.label_x = label, start
                    taken = start + len(label) * BOLD
                    break
            self.bars.append(shape)

    def _parts(self, run: Run, left: float, width: float) -> list[tuple[str, float, float]]:
        """Phases within a bar that is wide enough."""
        if width < 14:
            return []
        phases = sorted(run.phases, key=lambda phase: phase[1])
        starts = [self.x(at) for _, at in phases] + [left + width]
        return [(name, starts[number], round(starts[number + 1] - starts[number], 1)) for number, (name, _) in enumerate(phases)]

    def _bar_labels(self, bar: Group) -> Iterable[str]:
        """What may stand above a bar, the longest first."""
        run, glyph = bar.first, GLYPHS[bar.first.outcome]
        if len(bar.runs) > 1:
            return (f"{glyph} {len(bar.runs)}×", glyph)
        took = took_words(run.took_s or 0) if run.took_s is not None else ""
        return (*((f"{glyph} {run.source} {took}",) if run.source else ()), f"{glyph} {took}", glyph)

    # --- marks

    def _draw_marks(self) -> None:
        gap = float(NEAREST)
        clusters = self._clusters(gap)
        while sum(not cluster.healthy for cluster in clusters) > MOST_DETAILS and gap < PIXELS / 8:
            gap *= 2
            clusters = self._clusters(gap)
        crowds = self._clusters(CROWD)
        if gap > NEAREST:
            self._draw_crowds(crowds)
        fine: dict[Lane, list[Cluster]] = {}
        for cluster in crowds:
            if cluster.healthy:
                fine.setdefault(cluster.lane, []).append(cluster)
        dense = {lane for lane, marks in fine.items() if len(marks) > MOST_FINE}
        room = MOST_DETAILS
        for cluster in sorted(clusters, key=lambda cluster: (cluster.healthy, cluster.cell.first_at)):
            if cluster.healthy and cluster.lane in dense:
                continue
            self._draw_mark(cluster, told=room > 0)
            room -= 1
        self._label_messages()
        if room < 0:
            self.notes.append(self._say("marks_left_out", count=-room))
        for lane in self._rows_of:
            if lane in dense:
                self._draw_density(lane, fine[lane])

    def _draw_crowds(self, crowds: list[Cluster]) -> None:
        """Behind the marks, where these stand for much: a line for every few pixels in which something abnormal happened."""
        paths: dict[Lane, list[str]] = {}
        for cluster in crowds:
            if not cluster.healthy:
                paths.setdefault(cluster.lane, []).append(f"M{cluster.x:g} {self._rows_of[cluster.lane].middle - 4:g}v8")
        for lane, path in paths.items():
            self.densities.append(("crowd", "".join(path), f"{lane.host} · {self._lane_title(lane)}"))

    def _label_messages(self) -> None:
        """Numbers beside status messages, where there is room before the next mark."""
        beside = sorted((shape for shape, _ in self._numbers), key=lambda shape: (shape.y, shape.x))
        following = {id(shape): later.x for shape, later in pairwise(beside) if later.y == shape.y}
        for shape, numbers in self._numbers:
            room = following.get(id(shape), float(PIXELS)) - shape.x - 16
            text = next((text for text in (" ".join(numbers), f"{numbers[0]} …") if len(text) * CHARACTER <= room), "")
            shape.label, shape.label_x = text, shape.x + 8

    def _clusters(self, nearest: float) -> list[Cluster]:
        clusters: list[Cluster] = []
        for lane in self._rows_of:
            last: Cluster | None = None
            for _, cell in sorted(self._tale.cells.get(lane, {}).items()):
                x = self.x(cell.first_at)
                if last is not None and x - last.x < nearest:
                    last.cell.add(cell)
                else:
                    copy = Cell(cell.first_at, cell.last_at, cell.marks.copy(), dict(cell.moments), cell.abnormal)
                    last = Cluster(lane, x, copy)
                    clusters.append(last)
        return clusters

    def _draw_mark(self, cluster: Cluster, *, told: bool) -> None:
        row, cell = self._rows_of[cluster.lane], cluster.cell
        moments = sorted(cell.moments.values(), key=lambda moment: (MARKS.index(moment.mark), moment.at, moment.id))
        shape = Shape("", cluster.mark, cluster.x, row.middle, big=cluster.count > 4)
        self.marks.append(shape)
        if cluster.lane.name == "status":
            self._numbers.append((shape, list(dict.fromkeys(moment.number for moment in moments))))
        if not told:
            return
        where = f"{cluster.lane.host} · {self._lane_title(cluster.lane)}"
        rows = self.healthy if cluster.healthy else self.abnormal
        shape.target = f"{'h' if cluster.healthy else 'e'}{len(rows) + 1}"
        told_moments = sorted(moments, key=lambda moment: (moment.at, moment.id))
        chosen = [place for moment in moments for place in moment.places][:MOST_LINES]
        places = [place for moment in told_moments for place in moment.places if place in chosen]
        detail = Detail(
            shape.target,
            self.clock(cell.first_at),
            where,
            cluster.mark,
            list(dict.fromkeys(self._moment_words(moment) for moment in told_moments)),
            [self._line(place) for place in places],
        )
        if not cluster.healthy:
            chain = list(chain_of(self._tale, moments[0].id))
            detail.causes = [self._cause(id) for id in chain[1 : LONGEST_CHAIN + 1] if id in self._tale.events]
            self._draw_chain(shape, chain)
        if (left_out := cluster.count - len(moments)) > 0:
            detail.more = self._say("more", count=left_out, at=self.clock(cell.last_at))
        rows.append(detail)
        lines = "".join(f"\n{place}  {text[:120]}" for place, text in detail.lines[:3])
        shape.title = f"{detail.when} {where}\n" + "\n".join(detail.what[:4]) + lines

    def _draw_chain(self, shape: Shape, chain: list[str]) -> None:
        """A line from a mark by way of its causes to the fault."""
        points = [(shape.x, shape.y)]
        for id in chain[1:]:
            known = self._tale.known[id]
            if id in self._fault_y:
                points.append(self._fault_y[id])
            elif known.lane in self._rows_of:
                points.append((self.x(known.at), self._rows_of[known.lane].middle))
        points = list(dict.fromkeys(points))
        shape.nodes = points[1:]
        shape.chain = "M" + "L".join(f"{x:g} {y:g}" for x, y in points) if len(points) > 1 else ""

    def _moment_words(self, moment: Moment) -> str:
        entry = self._tale.events.get(moment.id)
        if entry is not None:
            return event_words(entry["event"], self._language)
        return self._say(f"fine_{moment.kind}", number=moment.number)

    def _cause(self, id: str) -> str:
        entry = self._tale.events[id]
        host = f"{entry['host']}: " if entry["host"] else ""
        return f"{self.clock(instant(entry['at']))} {host}{event_words(entry['event'], self._language)}"

    def _line(self, place: Place) -> tuple[str, str]:
        """File and line number, and the text."""
        return f"{place.file.rsplit('/', 1)[-1]}:{place.line}", self._text(place)

    def _draw_density(self, lane: Lane, clusters: list[Cluster]) -> None:
        """Healthy marks without a text of their own: the more, the higher."""
        row = self._rows_of[lane]
        most = max(cluster.count for cluster in clusters)
        base = row.middle + 6
        path = "".join(f"M{c.x:g} {base:g}v{-(4 + 8 * c.count / most):.1f}" for c in clusters)
        count = sum(cluster.count for cluster in clusters)
        self.densities.append(("fine", path, self._say("density", count=count, lane=self._lane_title(lane), host=lane.host)))
        when = f"{self.clock(clusters[0].cell.first_at)} – {self.clock(clusters[-1].cell.last_at)}"
        where = f"{lane.host} · {self._lane_title(lane)}"
        words = self._say("density", count=count, lane=self._lane_title(lane), host=lane.host)
        self.healthy.append(Detail(f"h{len(self.healthy) + 1}", when, where, "fine", [words]))

    # --- the axis

    def ticks(self) -> list[tuple[float, str, str]]:
        """Where the axis has a line, its time, and the date or offset below where it is new."""
        step = next((step for step in STEPS if step * PIXELS / self._span >= TICK_GAP), STEPS[-1])
        walk = min(step, HOUR)
        at = self._begin - self._begin % walk
        found: list[tuple[float, str, str]] = []
        before = ""
        while at <= self._begin + self._span:
            local = self._zone.local(at)
            if at >= self._begin and self._on_step(at, step):
                below = f"{local:%Y-%m-%d}" + (f" {local:%z}" if self.offset_changes else "")
                label = f"{local:%H:%M}" if step < DAY else f"{local:%m-%d}"
                short = below if step < DAY else f"{local:%Y}"
                found.append((self.x(at), label, short if short != before else ""))
                before = short
            at += walk
        return found

    def _on_step(self, at: int, step: int) -> bool:
        local = self._zone.local(at)
        if step < DAY:
            return (local.hour * 60 + local.minute) % (step // MINUTE) == 0
        days = local.date().toordinal() - self._zone.local(self._begin).date().toordinal()
        return local.hour == 0 and local.minute == 0 and days % (step // DAY) == 0

    def clock_changes(self) -> list[tuple[float, str]]:
        """Where the clocks are put forward or back."""
        found = []
        at = self._begin - self._begin % HOUR
        before = self._zone.local(at)
        while at < self._begin + self._span:
            at += HOUR
            local = self._zone.local(at)
            if local.utcoffset() != before.utcoffset() and at > self._begin:
                found.append((self.x(at), f"{before:%z} → {local:%z}"))
            before = local
        return found


def _beside(left: float, text: str, gap: float, character: float) -> tuple[float, str, bool]:
    """Where a label stands: in or after its bar, before it when there is no room; shortened when there is none at all."""
    length = len(text) * character
    if left + gap + length <= PIXELS:
        return left + gap, text, False
    if left - gap - length >= 0:
        return left - gap, text, True
    room = int(max(PIXELS - left, 40) / character) - 3
    return left + gap, text[:room] + "…", False


def _merged(spans: list[tuple[int, int]], nearest: int) -> list[tuple[int, int]]:
    """Spans that are nearer than a pixel become one."""
    merged: list[tuple[int, int]] = []
    for begin, end in spans:
        if merged and begin - merged[-1][1] <= nearest:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((begin, end))
    return merged


def _lasted(us: int) -> str:
    return took_words(us // SECOND) if us < 2 * DAY else f"{us // DAY} d"


def _same_end(one: Run, other: Run) -> bool:
    return (one.outcome, one.source, one.reason, one.faults) == (other.outcome, other.source, other.reason, other.faults)
