"""How well log parsers group a corpus's records: the baseline table of the data card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from scenarios.whole import write_whole
from wsyncsim.corpus.describe import BASELINE, Totals, card, notes
from wsyncsim.corpus.extras import need
from wsyncsim.corpus.forms import one_line
from wsyncsim.corpus.make import CorpusError, finished
from wsyncsim.corpus.plan import Plan, from_json

ALL: Final = "all"
"""All logs together."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One parser on one log."""

    parser: str
    log: str
    records: int
    templates: int
    """Templates that there are."""
    groups: int
    """Groups that the parser made."""
    ga: float
    """Grouping accuracy: the share of records whose group holds exactly the records of their template."""
    fga: float
    """F1 of whole groups."""


def grouping(truth: Sequence[Hashable], found: Sequence[Hashable]) -> tuple[float, float]:
    """GA and FGA of a grouping of the same records; a group is right if it holds exactly the records of one template."""
    pairs = Counter(zip(truth, found, strict=True))
    in_truth, in_found = Counter(truth), Counter(found)
    right = [count for (event, group), count in pairs.items() if count == in_truth[event] == in_found[group]]
    if not right:
        return 0.0, 0.0
    precision, recall = len(right) / len(in_found), len(right) / len(in_truth)
    return sum(right) / len(truth), 2 * precision * recall / (precision + recall)


def measure(folder: Path, limit: int, progress: Callable[[float], None] = lambda _share: None) -> list[Row]:
    """Measure the parsers on the first ``limit`` records of each log, write ``baseline.json``, and renew the data card.

    Raises ``CorpusError`` for a folder without a finished corpus, ``ExtraMissingError`` without drain3.
    """
    need("drain3", "baseline", "the baseline")
    plan = _plan_of(folder)
    read: dict[str, tuple[list[str], list[str]]] = {}
    for number, (log, event_id, message) in enumerate(_records(plan, folder)):
        events, messages = read.setdefault(log, ([], []))
        if len(events) < limit:
            events.append(event_id)
            messages.append(one_line(message))
        if number % 1000 == 0:
            progress(0.0)
    rows = []
    everything = {**dict(sorted(read.items())), ALL: _together(read)}
    for done, (log, (events, messages)) in enumerate(everything.items()):
        groups = _drain3(messages)
        ga, fga = grouping(events, groups)
        rows.append(
            Row(
                parser="drain3",
                log=log,
                records=len(events),
                templates=len(set(events)),
                groups=len(set(groups)),
                ga=round(ga, 6),
                fga=round(fga, 6),
            )
        )
        progress((done + 1) / len(everything))
    about = {"schema": "wsyncsim-baseline/1", "limit": limit, "drain3": _version("drain3"), "rows": rows}
    write_whole(folder / BASELINE, msgspec.json.format(msgspec.json.encode(about), indent=2) + b"\n")
    totals = Totals()
    for note in notes(plan, folder):
        totals.add(note)
    write_whole(folder / "README.md", card(plan, folder, totals).encode())
    return rows


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def _together(read: dict[str, tuple[list[str], list[str]]]) -> tuple[list[str], list[str]]:
    events, messages = [], []
    for log in sorted(read):
        events += read[log][0]
        messages += read[log][1]
    return events, messages


def _plan_of(folder: Path) -> Plan:
    try:
        plan = from_json((folder / "plan.json").read_bytes())
    except (OSError, msgspec.DecodeError):
        raise CorpusError("there is no finished corpus", where=str(folder), hint="Make it first: wsyncsim corpus make") from None
    if not all(finished(folder, shard) for shard in plan.shards):
        raise CorpusError("the corpus is not complete", where=str(folder), hint="Run the same `wsyncsim corpus make` again")
    return plan


class _Seen(msgspec.Struct, frozen=True):
    """What is read of a record."""

    log: str
    event_id: str
    message: str


def _records(plan: Plan, folder: Path) -> Iterator[tuple[str, str, str]]:
    """Log, event id and message of every record."""
    if "jsonl" in plan.file.formats:
        decode = msgspec.json.Decoder(_Seen).decode
        for shard in plan.shards:
            with (folder / "jsonl" / f"{shard.name}.jsonl").open("rb") as file:
                for line in file:
                    record = decode(line)
                    yield record.log, record.event_id, record.message
    elif "parquet" in plan.file.formats:
        parquet = need("pyarrow.parquet", "data", "the form parquet")
        for shard in plan.shards:
            with parquet.ParquetFile(folder / "data" / f"{shard.name}.parquet") as file:
                for batch in file.iter_batches(columns=["log", "event_id", "message"]):
                    for row in batch.to_pylist():
                        yield row["log"], row["event_id"], row["message"]
    else:
        raise CorpusError("it has no master records", where=str(folder), hint="Make it with the form jsonl or parquet")


def _drain3(messages: list[str]) -> list[Any]:
    """The group that Drain puts each message into, with drain3's usual settings."""
    drain = need("drain3.drain", "baseline", "the baseline").Drain()
    return [drain.add_log_message(message)[0].cluster_id for message in messages]
