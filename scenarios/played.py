"""What a played story left, for those who examine it: entries, log lines by what they say, symptoms, complaints."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from generators.write import Recorder
from scenarios.complaint import COMPLAINTS
from scenarios.faults import FAULTS
from scenarios.story import Story
from simulator.events import ApiConnectionFailed, ReplicaSyncFailed, SyncFailed, UpstreamCallFailed
from simulator.failures import HttpStatus, ProxyStatus, Reason, UpstreamTrouble, WsusNotConfigured
from simulator.journal import Entry
from simulator.units import MINUTE
from simulator.world import World

PROBE_US = 10 * MINUTE
"""How often it is looked whether a complaint holds."""
TROUBLE = (SyncFailed, ReplicaSyncFailed, ApiConnectionFailed, UpstreamCallFailed)
"""Events that never happen in a healthy estate."""
NOT_CONFIGURED = "WSUS server not configured"

Key = tuple[str, str, str]
"""What a line says, whenever: its file, template and parameters."""


class Line(msgspec.Struct, frozen=True):
    """What is compared of a truth record."""

    template: str
    params: Any
    ts_utc: str
    entry: str
    faults: list[str]


@dataclass(slots=True)
class Played:
    """What a story left."""

    entries: list[Entry]
    lines: list[tuple[Key, Line]]
    complaints: dict[str, list[tuple[int, bool]]]
    """When it was looked whether a fault's complaint holds, and whether it did, by the fault's id."""


def play(story: Story, *fault_ids: str, lines: bool = True) -> Played:
    """Play a story in memory, looking at the complaints of these faults. Without ``lines`` no log is written."""
    played = Played([], [], {id: [] for id in fault_ids})
    world = story.build()
    for at in range(world.start, world.end, PROBE_US):
        for id in fault_ids:
            if COMPLAINTS[FAULTS[id].complaint].holds is not None:
                world.plan(at, _probe(id, played.complaints[id]))
    if not lines:
        played.entries.extend(world.simulate())
        return played
    with Recorder(world.estate, world.version, None, os_language=story.os_language, truth=True) as recorder:
        recorder.record(_keep(world.simulate(), played.entries))
    played.lines = list(_lines(recorder.texts))
    return played


def _probe(fault_id: str, found: list[tuple[int, bool]]) -> Callable[[World], None]:
    holds = COMPLAINTS[FAULTS[fault_id].complaint].holds
    assert holds is not None

    def look(world: World) -> None:
        found.append((world.now, any(holds(world, site) for site in world.sites.values())))

    return look


def _keep(entries: Iterable[Entry], kept: list[Entry]) -> Iterator[Entry]:
    for entry in entries:
        kept.append(entry)
        yield entry


def _lines(texts: dict[str, bytes]) -> Iterator[tuple[Key, Line]]:
    """Every log line, by what it says."""
    decode = msgspec.json.Decoder(Line).decode
    for path, content in texts.items():
        if path.startswith("truth/"):
            for raw in content.splitlines():
                line = decode(raw)
                yield (path, line.template, repr(line.params)), line


# --- symptoms


def face(event: SyncFailed | ReplicaSyncFailed) -> str:
    """A failed run, or a failed part of one, in short: method, and what it met."""
    reason = _bare(event.reason)
    return NOT_CONFIGURED if isinstance(reason, WsusNotConfigured) else f"{event.source.method}: {_told(reason)}"


def symptom(event: SyncFailed | ReplicaSyncFailed | ApiConnectionFailed | UpstreamCallFailed) -> str:
    """Any trouble in short: a failed run's face, or who was refused what."""
    if isinstance(event, SyncFailed | ReplicaSyncFailed):
        return face(event)
    where = event.method if isinstance(event, UpstreamCallFailed) else _COMPONENTS[event.component]
    return f"{where}: {_told(_bare(event.reason))}"


_COMPONENTS = {
    "SMS_WSUS_SYNC_MANAGER": "WSyncMgr",
    "SMS_WSUS_CONFIGURATION_MANAGER": "WCM",
    "SMS_WSUS_CONTROL_MANAGER": "WSUSCtrl",
}


def _bare(reason: Reason | UpstreamTrouble) -> Reason:
    return reason.reason if isinstance(reason, UpstreamTrouble) else reason


def _told(reason: Reason) -> str:
    status = f" {reason.status}" if isinstance(reason, HttpStatus | ProxyStatus) else ""
    return f"{type(reason).__name__}{status}"


# --- comparing


def not_gone(blamed: list[tuple[Key, Line]], all_lines: list[tuple[Key, Line]], without: list[tuple[Key, Line]]) -> list[str]:
    """Ids of entries of which no line says what is said less often, or later, ``without``.

    ``blamed`` are the lines in question among ``all_lines``.
    """
    times: dict[Key, list[str]] = {}
    for key, line in without:
        times.setdefault(key, []).append(line.ts_utc)
    count = Counter(key for key, _ in all_lines)
    in_question = {id(line) for _, line in blamed}
    so_far: Counter[Key] = Counter()
    gone: dict[str, bool] = {}
    for key, line in all_lines:
        so_far[key] += 1
        if id(line) in in_question:
            known = times.get(key, [])
            less_often = len(known) < count[key] or bisect_right(known, line.ts_utc) < so_far[key]
            gone[line.entry] = gone.get(line.entry, False) or less_often
    return [entry for entry, is_gone in gone.items() if not is_gone]
