"""A finished run's folder, as its readers need it: where the truth lies, its lines, its times on the estate's clocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from scenarios.repairs import REPAIRS
from simulator.clock import Zone
from simulator.errors import WsyncsimError
from simulator.units import DAY, HOUR

Json = dict[str, Any]
Clock = Callable[[str], str]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RunFolderError(WsyncsimError):
    """It is not the folder of a run, or not all of it is there."""


def truth_of(folder: Path) -> Path:
    """The answer key's folder; raises ``RunFolderError`` when there is none."""
    truth = folder / "truth"
    if not (folder / "manifest.json").is_file():
        raise RunFolderError(
            "it is not the folder of a run (no manifest.json)", where=str(folder), hint="Make one: wsyncsim run S19"
        )
    if not (truth / "answer.json").is_file():
        raise RunFolderError(
            "this run has no answer key", where=str(folder), hint="It was made with --no-truth; make it again without"
        )
    return truth


def json_lines(path: Path) -> Iterator[Json]:
    """The objects of a ``.jsonl`` file, one at a time."""
    decode = msgspec.json.Decoder(Json).decode
    with path.open("rb") as lines:
        for line in lines:
            yield decode(line)


def answer_of(truth: Path) -> Json:
    """The content of ``answer.json``."""
    answer: Json = msgspec.json.decode((truth / "answer.json").read_bytes())
    return answer


def instant(stamp: str) -> int:
    """A UTC time of the answer key, in microseconds."""
    return (datetime.fromisoformat(stamp) - _EPOCH) // timedelta(microseconds=1)


def _local(zone: Zone, form: str, stamp: str) -> str:
    """A UTC time of the answer key on the estate's clocks."""
    return zone.local(instant(stamp)).strftime(form)


def offset_changes(zone: Zone, start: int, end: int) -> bool:
    """Whether the clocks are put forward or back between two instants; a year has the same offset at both its ends."""
    bias_min = zone.bias_min(start)
    return any(zone.bias_min(at) != bias_min for at in (*range(start, end, 7 * DAY), end))


def clock_of(answer: Json) -> Clock:
    """Local times; with their offset where it changes in the course of the run."""
    story = answer["story"]
    zone, start = Zone(story["timezone"]), instant(story["start_utc"])
    changes = offset_changes(zone, start, start + int(story["hours"]) * HOUR)
    return partial(_local, zone, "%Y-%m-%d %H:%M:%S %z" if changes else "%Y-%m-%d %H:%M:%S")


@contextmanager
def damage_told(folder: Path) -> Iterator[None]:
    """A run that somebody has changed cannot be read."""
    try:
        yield
    except (OSError, msgspec.MsgspecError, KeyError, ValueError) as error:
        raise RunFolderError(
            f"this run is damaged: {error}", where=str(folder), hint="Make it again: the same seed gives the same run"
        ) from None


def action_words(action: Json, language: str) -> str:
    """Id and title of what somebody did."""
    return f"{action['action']} {REPAIRS[action['action']].title.in_(language)}"


def text_of(file: Path, start: int, end: int) -> str:
    """The text of one log record: its bytes from ``start`` to ``end``."""
    with file.open("rb") as log:
        log.seek(start)
        raw = log.read(end - start)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")
