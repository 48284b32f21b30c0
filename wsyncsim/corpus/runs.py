"""The runs table: one row for each run."""

from __future__ import annotations

from typing import Any

import msgspec

from scenarios.truth import stamp
from wsyncsim.corpus.plan import HEALTHY, Shard
from wsyncsim.corpus.play import PlayedRun


class RootCause(msgspec.Struct, frozen=True):
    """A fault of a run, as the answer key tells it."""

    fault: str
    site: str
    entity: str
    setting: str
    healthy: str
    faulty: str
    began: str
    ended: str | None
    repaired: str | None


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run; fields in the order in which they are written."""

    run_id: str
    split: str
    shard: str
    label: str
    """``faulty`` or ``healthy``."""
    scenario: str
    """Id of the fault that the run is about, or ``healthy``."""
    fault_ids: list[str]
    """All faults of the run, in order of appearance."""
    root_causes: list[RootCause]
    twin: str | None
    """Id of the run of the same world in which nothing goes wrong."""
    estate: str
    sites: int
    generation: str
    os_language: str
    timezone: str
    start_utc: str
    hours: int
    seed: int
    story_sha256: str
    """Digest of the story, as ``wsyncsim corpus story`` prints it."""
    records: int
    anomalous: int
    """Records that follow from a fault."""
    first_anomaly_utc: str | None
    syncs_succeeded: int
    syncs_failed: int
    syncs_unfinished: int


def run_row(run: PlayedRun, shard: Shard, records: int, anomalous: int, first_anomaly: str | None) -> RunRow:
    """What the table says of a run."""
    story, answer = run.story, run.answer
    causes = [RootCause(**{name: cause[name] for name in RootCause.__struct_fields__}) for cause in answer["root_causes"]]
    counts: dict[str, Any] = answer["runs"]
    return RunRow(
        run_id=run.id,
        split=run.split,
        shard=shard.name,
        label=HEALTHY if run.planned.scenario == HEALTHY else "faulty",
        scenario=run.planned.scenario,
        fault_ids=list(dict.fromkeys(cause.fault for cause in causes)),
        root_causes=causes,
        twin=run.planned.twin,
        estate=story.estate.name,
        sites=len(story.estate.sites),
        generation=story.generation,
        os_language=story.os_language,
        timezone=story.timezone,
        start_utc=stamp(story.start_at),
        hours=story.hours,
        seed=story.seed,
        story_sha256=story.sha256,
        records=records,
        anomalous=anomalous,
        first_anomaly_utc=first_anomaly,
        syncs_succeeded=counts["succeeded"],
        syncs_failed=counts["failed"],
        syncs_unfinished=counts["unfinished"],
    )
