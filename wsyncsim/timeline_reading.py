"""What a timeline shows, read from a run's folder: everything streams, and repetitions are folded while they are read.

Time is divided into as many cells as the picture has pixels. A lane remembers for each cell how often something of a kind
happened, and a few of the entries; so memory and picture do not grow with what happens again and again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import msgspec

from simulator.clock import Zone
from simulator.errors import WsyncsimError
from simulator.units import HOUR
from wsyncsim.run_folder import Json, instant, json_lines, truth_of

PIXELS: Final = 1020
"""Width of the time axis, and number of cells that time is divided into."""
NEAREST: Final = 11
"""Marks that are nearer to each other, in pixels, become one."""
KEPT_ENTRIES: Final = 6
"""Entries of one cell of one lane that are told in words; the others are counted."""
KEPT_PLACES: Final = 3
"""Log lines that are shown of one entry."""
LONGEST_LINE: Final = 240

Mark = Literal["failed", "abnormal", "warning", "note", "fine"]
MARKS: Final[tuple[Mark, ...]] = ("failed", "abnormal", "warning", "note", "fine")
"""Worst first: what stands for a cell in which several things happened."""
Progress = Callable[[float], None]

LANES: Final = ("wsyncmgr", "wcm", "status", "replication", "wsusctrl", "iis", "wsus", "upstream", "health", "windows")
"""From the site server to the upstream server; lanes of other reporters come after them."""
LANE_OF_EVENT: Final = {
    "StatusReported": "status",
    "ChildrenNotified": "replication",
    "SynFileArrived": "replication",
    "UpstreamCallFailed": "upstream",
    "ServiceStateChanged": "windows",
    "LogonFailed": "windows",
    "RequestsRejected": "iis",
}
HEALTHY: Final[dict[str, Mark]] = {
    "WcmCategoriesRefreshed": "fine",
    "CtrlDatabaseChecked": "fine",
    "WebServiceChecked": "fine",
    "StatusReported": "note",
    "ChildrenNotified": "note",
    "ServiceStateChanged": "note",
    "WsusServiceStarted": "note",
    "WsusServiceStopped": "note",
}
"""Healthy events that get a mark. The others are steps of something that is drawn as a whole."""
FAILED: Final = frozenset({"WcmConfigurationFailed", "SyncFailed", "RequestsRejected"})
PHASES: Final = {
    "WsusPhaseStarted": "wsus",
    "SettleStarted": "settle",
    "DatabasePhasePrepared": "database",
    "GateClosed": "gate",
}
"""Events with which a phase of a run begins."""
RUN_EVENTS: Final = frozenset({"SyncStarted", "SyncFailed", "SyncRetryPlanned", "SyncSucceeded"})
"""Of a run, the log lines that tell how it began and ended."""


_DRAWN: Final = frozenset(
    name.encode() for name in (*HEALTHY, *PHASES, *RUN_EVENTS, "WsusSyncBegan", "WsusSyncEnded", "WcmStateSet")
)
"""Events whose healthy records are looked at."""


class TimelineError(WsyncsimError):
    """There is nothing to draw, or no place to put it."""


class LogLine(msgspec.Struct, frozen=True):
    """The part of a truth record that a timeline needs."""

    file: str
    line: int
    byte_start: int
    byte_end: int
    template: str
    params: dict[str, Any]
    ts_utc: str
    severity: str
    run: str | None
    event: str
    entry: str
    causes: list[str]


class Place(NamedTuple):
    """Where a log record lies."""

    file: str
    line: int
    start: int
    end: int


class Lane(NamedTuple):
    host: str
    name: str


class Known(NamedTuple):
    """An abnormal entry, as far as chains need it."""

    at: int
    lane: Lane | None
    because: str | None


@dataclass(slots=True)
class Moment:
    """An entry that is told in words."""

    id: str
    at: int
    mark: Mark
    kind: str
    """Class of the event."""
    number: str = ""
    """Id of a status message."""
    places: list[Place] = field(default_factory=list)


@dataclass(slots=True)
class Cell:
    """What happened in one lane within one pixel."""

    first_at: int
    last_at: int
    marks: Counter[Mark] = field(default_factory=Counter)
    moments: dict[str, Moment] = field(default_factory=dict)
    abnormal: bool = False
    """Whether something in it follows from a fault or an action."""

    def add(self, other: Cell) -> None:
        """Take a later cell in."""
        self.last_at = other.last_at
        self.marks.update(other.marks)
        self.abnormal |= other.abnormal
        for moment in other.moments.values():
            self.keep(moment)

    def keep(self, moment: Moment) -> None:
        """Keep an entry, if there is room or a less important one that can go."""
        if len(self.moments) >= KEPT_ENTRIES:
            least = max(self.moments.values(), key=lambda kept: MARKS.index(kept.mark))
            if MARKS.index(least.mark) <= MARKS.index(moment.mark):
                return
            del self.moments[least.id]
        self.moments[moment.id] = moment


@dataclass(slots=True)
class Run:
    """A synchronization run."""

    id: str
    site: str
    host: str
    trigger: str
    began: int
    ended: int
    outcome: str
    took_s: int | None
    source: str | None
    reason: Json | None
    causes: list[str]
    faults: list[str]
    phases: list[tuple[str, int]] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)


class EngineRun(NamedTuple):
    """A synchronization of WSUS itself."""

    began: int
    ended: int
    entry: str | None
    """The abnormal entry that ended it; ``None`` when it went well."""


class Window(NamedTuple):
    """The part of a run that is shown."""

    begin: int
    end: int
    zone: Zone
    sites: frozenset[str]
    hosts: dict[str, tuple[str, ...]]
    """Hosts from the site servers to their upstream servers, each with its roles: ``server CODE``, ``sup CODE``,
    ``further_sup CODE`` and ``old_wsus CODE``."""

    def cell(self, at: int) -> int:
        """The cell that an instant lies in."""
        return (at - self.begin) * PIXELS // (self.end - self.begin)


@dataclass(slots=True)
class Tale:
    """Everything that a timeline shows."""

    answer: Json
    window: Window
    faults: list[Json] = field(default_factory=list)
    actions: list[Json] = field(default_factory=list)
    abnormal: int = 0
    """Abnormal entries on the hosts that are shown."""
    runs: list[Run] = field(default_factory=list)
    cells: dict[Lane, dict[int, Cell]] = field(default_factory=dict)
    engine: dict[str, list[EngineRun]] = field(default_factory=dict)
    shut: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """When the gate of a site server was shut."""
    known: dict[str, Known] = field(default_factory=dict)
    events: dict[str, Json] = field(default_factory=dict)
    """Journal entries that are told in words, and those that they follow from."""
    kept_from: dict[Lane, int] = field(default_factory=dict)
    """First log record that is left of a lane whose log was rolled over."""


def _hosts(sites: list[Json], wanted: str | None) -> dict[str, tuple[str, ...]]:
    """Child sites before their parents, so that reading down leads from a site server to its upstream servers."""
    children: dict[str | None, list[Json]] = {}
    for site in sites:
        children.setdefault(site["parent"], []).append(site)
    hosts: dict[str, tuple[str, ...]] = {}

    def visit(site: Json) -> None:
        for child in children.get(site["code"], []):
            visit(child)
        if wanted in (None, site["code"]):
            servers = [("server", site["server"]), ("sup", site["sup"])]
            servers += [("further_sup", host) for host in site["further_sups"]]
            servers += [("old_wsus", site["old_wsus"])] if site["old_wsus"] else []
            for role, host in servers:
                hosts[host] = (*hosts.get(host, ()), f"{role} {site['code']}")

    for top in children.get(None, []):
        visit(top)
    return hosts


def window_of(
    folder: Path, answer: Json, site: str | None, begin: Callable[[Zone, int], int] | None, end: Callable[[Zone, int], int] | None
) -> Window:
    """What is to be shown of a run. ``begin`` and ``end`` turn the estate's zone, and the run's own limit, into an instant."""
    story = answer["story"]
    zone = Zone(story["timezone"])
    start = instant(story["start_utc"])
    stop = start + int(story["hours"]) * HOUR
    sites = story["estate"]["sites"]
    codes = [each["code"] for each in sites]
    if site is not None and site not in codes:
        raise TimelineError(f"this run has no site {site!r}", hint="It has: " + ", ".join(codes))
    first = max(begin(zone, start), start) if begin is not None else start
    last = min(end(zone, stop), stop) if end is not None else stop
    if first >= last:
        raise TimelineError(
            "nothing of this run lies between these times",
            hint=f"It lasts from {zone.local(start):%Y-%m-%dT%H:%M} to {zone.local(stop):%Y-%m-%dT%H:%M}",
        )
    shown = frozenset(codes if site is None else [site])
    hosts = _hosts(sites, site)
    if site is None:  # servers of no site come last
        others = sorted(path.name for path in (folder / "truth" / "records").iterdir() if path.is_dir())
        hosts |= {host: () for host in others if host not in hosts}
    return Window(first, last, zone, shown, hosts)


class Reader:
    """Reads one run."""

    def __init__(self, folder: Path, window: Window, answer: Json, progress: Progress) -> None:
        self._folder = folder
        self._truth = truth_of(folder)
        self._progress = progress
        self._tale = Tale(answer, window)
        manifest: Json = msgspec.json.decode((folder / "manifest.json").read_bytes())
        self._files: Json = manifest["files"]
        self._shut_at: dict[str, list[tuple[int, bool]]] = {}
        self._engine: dict[str, list[tuple[int, bool, str | None]]] = {}
        self._runs: dict[str, Run] = {}

    def read(self) -> Tale:
        """Read everything."""
        tale = self._tale
        self._read_runs()
        self._read_entries()
        self._thin_out()
        self._read_records()
        self._close_gates()
        self._pair_engine()
        self._read_events()
        roots = {
            self._root(moment.id) for cells in tale.cells.values() for cell in cells.values() for moment in cell.moments.values()
        }
        roots |= {run.causes[-1] for run in tale.runs if run.causes}
        window = tale.window
        for fault in tale.answer["root_causes"]:
            ends = [instant(fault[end]) for end in ("ended", "repaired") if fault[end]]
            inside = instant(fault["began"]) < window.end and min(ends, default=window.end) >= window.begin
            if inside and (fault["site"] in window.sites or fault["entry"] in roots):
                tale.faults.append(fault)
        shown = {fault["entry"] for fault in tale.faults}
        tale.actions = [
            action
            for action in tale.answer["actions"]
            if window.begin <= instant(action["at"]) < window.end
            and (action["site"] in window.sites or action["entry"] in roots or action["against"] in shown)
        ]
        return tale

    def _root(self, id: str) -> str:
        known = self._tale.known
        while id in known and (because := known[id].because) is not None:
            id = because
        return id

    def _read_runs(self) -> None:
        window = self._tale.window
        servers = {site["code"]: site["server"] for site in self._tale.answer["story"]["estate"]["sites"]}
        for run in json_lines(self._truth / "runs.jsonl"):
            began = instant(run["began"])
            ended = instant(run["ended"]) if run["ended"] else window.end
            if run["site"] not in window.sites or began >= window.end or ended < window.begin:
                continue
            shown = Run(
                run["run"],
                run["site"],
                servers[run["site"]],
                run["trigger"],
                began,
                ended,
                run["outcome"],
                run["took_s"],
                run["source"],
                run["reason"],
                run["causes"],
                run["faults"],
            )
            self._tale.runs.append(shown)
            self._runs[shown.id] = shown
        self._tale.runs.sort(key=lambda run: (run.began, run.id))
        self._cut_off()

    def _cut_off(self) -> None:
        """A run that a restart has cut off ended, at the latest, when the next one of its site began."""
        following: dict[str, int] = {}
        for run in reversed(self._tale.runs):
            if run.outcome == "unfinished":
                run.ended = min(run.ended, following.get(run.site, run.ended))
            following[run.site] = run.began

    def _lane(self, kind: str, entry: str, host: str) -> Lane:
        """The lane of an event: its own, or that of its reporter (``CS1SUP/iis/...`` is of ``iis``)."""
        name = LANE_OF_EVENT.get(kind)
        return Lane(host, name if name is not None else entry.removeprefix(f"{host}/").split("/")[0].rsplit(".", 1)[0])

    def _read_entries(self) -> None:
        tale, window = self._tale, self._tale.window
        for entry in json_lines(self._truth / "entries.jsonl"):
            event, at, host, id = entry["event"], instant(entry["at"]), entry["host"], entry["id"]
            kind = event["kind"]
            lane = self._lane(kind, id, host) if host else None
            tale.known[id] = Known(at, lane, entry["because"])
            if lane is None or host not in window.hosts:
                continue
            if kind == "WcmStateSet":
                self._shut_at.setdefault(host, []).append((at, False))
            elif kind == "WsusSyncEnded":
                self._engine.setdefault(host, []).append((at, False, id))
            elif kind in PHASES and entry["run"] in self._runs:
                self._runs[entry["run"]].phases.append((PHASES[kind], at))
            if window.begin <= at < window.end:
                tale.abnormal += 1
                number = str(event["message_id"]) if kind == "StatusReported" else ""
                self._add(lane, id, at, self._abnormal_mark(event), kind, number)
                tale.cells[lane][window.cell(at)].abnormal = True

    def _thin_out(self) -> None:
        """Forget most entries of cells so near to each other that they will be one mark."""
        for cells in self._tale.cells.values():
            neighbours = Counter(index // NEAREST for index in cells)
            for index, cell in cells.items():
                room = max(KEPT_ENTRIES // neighbours[index // NEAREST], 1)
                worst = sorted(cell.moments.values(), key=lambda moment: (MARKS.index(moment.mark), moment.at, moment.id))
                cell.moments = {moment.id: moment for moment in worst[:room]}

    def _abnormal_mark(self, event: Json) -> Mark:
        kind = event["kind"]
        if kind in FAILED:
            return "failed"
        if (kind == "StatusReported" and not event["os_error"]) or (kind == "WebServiceChecked" and event["reason"] is None):
            return "note"
        if kind in ("CtrlHealthChecked", "SyncManagerWokeUp", "WcmWokeUp", "SyncStarted") or (
            kind == "WcmStateSet" and event["state"] != 3
        ):
            return "warning"
        return "abnormal"

    def _add(self, lane: Lane, id: str, at: int, mark: Mark, kind: str, number: str = "") -> Moment | None:
        """Count an entry; keep it, if there is room in its cell."""
        cells = self._tale.cells.setdefault(lane, {})
        index = self._tale.window.cell(at)
        cell = cells.get(index)
        if cell is None:
            cell = cells[index] = Cell(at, at)
        cell.first_at, cell.last_at = min(cell.first_at, at), max(cell.last_at, at)
        cell.marks[mark] += 1
        cell.keep(Moment(id, at, mark, kind, number))
        return cell.moments.get(id)

    def _read_records(self) -> None:
        paths = sorted((self._truth / "records").rglob("*.jsonl"))
        sizes = [path.stat().st_size for path in paths]
        total, done = max(sum(sizes), 1), 0
        decode = msgspec.json.Decoder(LogLine).decode
        for path, size in zip(paths, sizes, strict=True):
            host = path.relative_to(self._truth / "records").parts[0]
            if host in self._tale.window.hosts:
                seen: set[str] = set()
                rolled = path.name.endswith(".lo_.jsonl")
                with path.open("rb") as lines:
                    for line in lines:
                        if rolled or _matters(line):
                            record = decode(line)
                            if rolled:
                                lane = self._lane(record.event, record.entry, host)
                                self._tale.kept_from[lane] = instant(record.ts_utc)
                                rolled = False
                            self._record(record, host, seen)
            done += size
            self._progress(done / total)

    def _record(self, record: LogLine, host: str, seen: set[str]) -> None:
        first = record.entry not in seen
        if first and len(seen) > 4 * KEPT_ENTRIES:
            seen.clear()  # the records of an entry stand together
        seen.add(record.entry)
        kind, healthy = record.event, not record.causes
        if record.run is not None and record.run in self._runs:
            self._follow(record, self._runs[record.run], first=first)
        if healthy and kind not in HEALTHY and kind not in ("WsusSyncBegan", "WsusSyncEnded", "WcmStateSet"):
            return
        at = instant(record.ts_utc)
        if healthy and kind == "WcmStateSet":
            self._shut_at.setdefault(host, []).append((at, record.template.endswith("state_success")))
        elif healthy and first and kind in ("WsusSyncBegan", "WsusSyncEnded"):
            self._engine.setdefault(host, []).append((at, kind == "WsusSyncBegan", None))
        window = self._tale.window
        if not window.begin <= at < window.end:
            return
        lane = self._lane(kind, record.entry, host)
        cell = self._tale.cells.get(lane, {}).get(window.cell(at))
        moment = cell.moments.get(record.entry) if cell is not None else None
        if moment is None and healthy and kind in HEALTHY and self._tells_first(record):
            number = re.sub(r".*\.m(?=\d+$)", "", record.template) if kind == "StatusReported" else ""
            moment = self._add(lane, record.entry, at, HEALTHY[kind], kind, number)
        if moment is not None and len(moment.places) < KEPT_PLACES:
            moment.places.append(Place(record.file, record.line, record.byte_start, record.byte_end))

    def _tells_first(self, record: LogLine) -> bool:
        """An entry that several logs tell of is counted in one of them."""
        if record.event == "StatusReported":
            return record.file.endswith("StatusMessages_en.txt")
        return record.file.endswith((".log", ".lo_", "/System.txt"))

    def _follow(self, record: LogLine, run: Run, *, first: bool) -> None:
        if record.event in PHASES and not record.causes and first:
            run.phases.append((PHASES[record.event], instant(record.ts_utc)))
        if (
            record.event in RUN_EVENTS
            and len(run.places) < 2 * KEPT_PLACES
            and record.file.endswith(("wsyncmgr.log", "wsyncmgr.lo_"))
        ):
            run.places.append(Place(record.file, record.line, record.byte_start, record.byte_end))

    def _close_gates(self) -> None:
        window = self._tale.window
        for host, changes in sorted(self._shut_at.items()):
            spans: list[tuple[int, int]] = []
            since: int | None = None
            for at, opened in sorted(changes):
                if opened and since is not None:
                    spans.append((since, at))
                    since = None
                elif not opened and since is None:
                    since = at
            if since is not None:
                spans.append((since, window.end))
            self._tale.shut[host] = [
                (max(begin, window.begin), min(end, window.end))
                for begin, end in spans
                if begin < window.end and end > window.begin
            ]

    def _pair_engine(self) -> None:
        window = self._tale.window
        for host, changes in sorted(self._engine.items()):
            bars: list[EngineRun] = []
            since: int | None = None
            for at, began, entry in sorted(changes, key=lambda change: (change[0], change[1])):
                if began:
                    since = at
                elif since is not None:
                    bars.append(EngineRun(since, at, entry))
                    since = None
            if since is not None:
                bars.append(EngineRun(since, window.end, None))
            self._tale.engine[host] = [bar for bar in bars if bar.began < window.end and bar.ended > window.begin]

    def _read_events(self) -> None:
        """The events of what is told in words, and of what it follows from."""
        tale = self._tale
        wanted: set[str] = set()
        for cells in tale.cells.values():
            for cell in cells.values():
                for id in cell.moments:
                    wanted.update(chain_of(tale, id))
        for entry in json_lines(self._truth / "entries.jsonl"):
            if entry["id"] in wanted:
                tale.events[entry["id"]] = entry

    def text(self, place: Place) -> str:
        """The first line of a log record, shortened. Only files of the run itself are read."""
        if place.file not in self._files:
            raise ValueError(f"{place.file} is not in the manifest")
        with (self._folder / place.file).open("rb") as log:
            log.seek(place.start)
            raw = log.read(min(place.end - place.start, 4 * LONGEST_LINE))
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("cp1252", "replace")
        text = " ".join(text.split())
        return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "…"


def _matters(line: bytes) -> bool:
    """Whether a truth record has to be looked at; told from its bytes, because most have not."""
    if b'"causes":[]' not in line:
        return True
    start = line.rfind(b'"event":"') + 9
    return line[start : line.find(b'"', start)] in _DRAWN


def chain_of(tale: Tale, id: str) -> Iterator[str]:
    """An entry and what it follows from, up to the fault or action."""
    step: str | None = id
    while step is not None and step in tale.known:
        yield step
        step = tale.known[step].because


def read_tale(folder: Path, answer: Json, window: Window, progress: Progress) -> tuple[Tale, Callable[[Place], str]]:
    """Everything that happened in a window of a run, and what reads its log lines."""
    reader = Reader(folder, window, answer, progress)
    return reader.read(), reader.text
