"""Write down hand-made events and look at one file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from generators.truth_record import TruthRecord, read
from generators.write import Recorder
from simulator.estate import CONTOSO
from simulator.journal import Entry
from simulator.units import SECOND
from simulator.versions import version

EVENING = int(datetime(2007, 8, 6, 17, 54, 32, tzinfo=UTC).timestamp()) * SECOND + 699_000
"""2007-08-06 17:54:32.699 UTC, in Berlin 19:54:32.699."""


def entry(event: Any, *, at: int = EVENING, host: str = "CS1SUP", n: int = 1) -> Entry:
    return Entry(at, f"{host}/test", n, host, event, None, None)


def written(entries: list[Entry], generation: str, *, language: str = "en", truth: bool = False) -> dict[str, bytes]:
    """All files that these entries leave on CONTOSO's servers, by path."""
    with Recorder(CONTOSO, version(generation), None, os_language=language, truth=truth) as recorder:  # type: ignore[arg-type]
        recorder.record(entries)
    return recorder.texts


def text_of(files: dict[str, bytes], name: str, host: str = "CS1SUP") -> str:
    """The file of that name on a host, decoded, line ends kept; empty when there is none."""
    found = [data for path, data in files.items() if path.startswith(f"logs/{host}/") and path.endswith(f"/{name}")]
    assert len(found) <= 1, sorted(files)
    return found[0].decode("utf-8-sig") if found else ""


def truth_of(files: dict[str, bytes], name: str, host: str = "CS1SUP") -> list[tuple[str, TruthRecord]]:
    """Each record's text, cut out by its byte span, with its truth record."""
    path = next(path for path in files if path.startswith(f"logs/{host}/") and path.endswith(f"/{name}"))
    records = read(files[f"truth/records/{path.removeprefix('logs/')}.jsonl"])
    return [(files[path][record.byte_start : record.byte_end].decode(), record) for record in records]
