"""What a plan would make: counted where it can be counted, estimated from a few runs where not."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

import msgspec

from wsyncsim.corpus.forms import forms
from wsyncsim.corpus.plan import HEALTHY, Plan, PlannedRun, Shard
from wsyncsim.corpus.plan_file import SPLITS
from wsyncsim.corpus.play import played
from wsyncsim.corpus.records import records

SAMPLES: Final = 6
"""Runs that are played, spread over the plan."""
PATIENCE_S: Final = 3.0
"""No further run is played after this time."""


class SplitCount(msgspec.Struct, frozen=True):
    split: str
    runs: int
    faulty: int
    healthy: int
    shards: int


class ScenarioCount(msgspec.Struct, frozen=True):
    """Runs of a scenario by split."""

    scenario: str
    train: int
    validation: int
    test: int


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan would make."""

    name: str
    plan_sha256: str
    runs: int
    splits: list[SplitCount]
    scenarios: list[ScenarioCount]
    left_out: int
    """Combinations that cannot be, or that would mix splits."""
    records: int
    """Estimated."""
    bytes: int
    """Estimated size of all forms."""
    took_s: float
    """Estimated seconds of one worker."""
    sampled_runs: int


def estimate(plan: Plan) -> Estimate:
    """Count and estimate; plays a few runs."""
    counts: Counter[tuple[str, str]] = Counter()
    for cell in plan.cells:
        counts[cell.scenario, cell.split] += cell.rounds
    shards = Counter(shard.split for shard in plan.shards)
    healthy = {split: counts[HEALTHY, split] for split in SPLITS}
    runs = {split: sum(count for (_, where), count in counts.items() if where == split) for split in SPLITS}
    scenarios = sorted({scenario for scenario, _ in counts}, key=lambda scenario: (scenario == HEALTHY, scenario))
    sampled, found, size, took_s = _sample(plan)
    share = plan.runs / sampled
    return Estimate(
        name=plan.file.name,
        plan_sha256=plan.sha256,
        runs=plan.runs,
        splits=[SplitCount(split, runs[split], runs[split] - healthy[split], healthy[split], shards[split]) for split in SPLITS],
        scenarios=[ScenarioCount(scenario, *(counts[scenario, split] for split in SPLITS)) for scenario in scenarios],
        left_out=plan.left_out,
        records=int(found * share),
        bytes=int(size * share),
        took_s=took_s * share,
        sampled_runs=sampled,
    )


def _sample(plan: Plan) -> tuple[int, int, int, float]:
    """Runs played, their records, bytes and seconds, in the plan's forms."""
    found = size = runs = 0
    began = time.monotonic()
    took_s = 0.0
    step = max(1, len(plan.cells) // SAMPLES)
    known = forms()
    shard = Shard(plan.cells[0].split, 0, 1, 0, SAMPLES)
    with tempfile.TemporaryDirectory(prefix="wsyncsim-") as folder:
        kinds = [known[name] for name in plan.file.formats]
        writers = [kind(Path(folder), plan, shard) for kind in kinds]
        for cell in plan.cells[::step][:SAMPLES]:
            if runs and time.monotonic() - began > PATIENCE_S:
                break
            planned: PlannedRun = plan.planned(cell, 0)
            start = time.monotonic()
            with played(planned, causes=any(kind.causes for kind in kinds)) as run:
                for writer in writers:
                    writer.begin(run)
                for some in records(run):
                    found += len(some)
                    for writer in writers:
                        writer.write(run, some)
                for writer in writers:
                    writer.end(run)
            took_s += time.monotonic() - start
            runs += 1
        for writer in writers:
            writer.close()
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    return runs, found, size, took_s
