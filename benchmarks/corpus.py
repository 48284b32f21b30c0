"""How fast corpora are made with one and two workers, and how much memory a worker takes.

    python -m benchmarks.corpus                       # about two minutes
    python -m benchmarks.corpus --quick               # a fifth of it
    python -m benchmarks.corpus --formats jsonl,parquet,loghub

Reported are wall-clock seconds from the call to the finished folder, starting the workers included, and CPU seconds of all
processes together; of each the smallest of several interleaved rounds. On a machine that is busy otherwise only CPU seconds say
anything: two workers cannot be faster than twice the ratio of both. Memory is the peak resident set of a fresh process that makes
shards, as a worker does.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.throughput import peak_mb
from wsyncsim.corpus.make import Made, make
from wsyncsim.corpus.plan import Plan, parse

PLAN = """
name = "benchmark"
generations = ["cb"]
seeds = {seeds}
shard_runs = 25

[noise]
onset_min = 30
extra_fault_percent = 20
"""


def plan_of(seeds: int, formats: list[str]) -> Plan:
    return parse(PLAN.format(seeds=seeds), formats=formats)


def cpu_s() -> float:
    """CPU seconds of this process and of those that it has started and that have ended."""
    return sum(os.times()[:4])


def timed(plan: Plan, workers: int) -> tuple[float, float, Made]:
    """Wall-clock seconds, CPU seconds, and what was made."""
    with tempfile.TemporaryDirectory() as folder:
        began, cpu_began = time.perf_counter(), cpu_s()
        made = make(plan, Path(folder) / "corpus", workers=workers)
        return time.perf_counter() - began, cpu_s() - cpu_began, made


def memory(seeds: int, formats: list[str]) -> dict[str, float]:
    """Make a corpus in this process and tell its peak."""
    timed(plan_of(seeds, formats), 1)
    return {"peak_mb": peak_mb()}


def in_fresh_process(seeds: int, formats: str) -> float:
    command = [sys.executable, "-m", "benchmarks.corpus", "--memory", "--seeds", str(seeds), "--formats", formats]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["peak_mb"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer runs, one round")
    parser.add_argument("--formats", default="jsonl", help="forms, separated by commas")
    parser.add_argument("--seeds", type=int, default=0, help="seeds of each fault (default: 16, quick: 6)")
    parser.add_argument("--memory", action="store_true", help="only the memory of this process, as JSON")
    arguments = parser.parse_args()
    seeds = arguments.seeds or (6 if arguments.quick else 16)
    formats = arguments.formats.split(",")
    if arguments.memory:
        print(json.dumps(memory(seeds, formats)))
        return
    plan = plan_of(seeds, formats)
    print(
        f"CPython {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores; {plan.runs} runs, {arguments.formats}"
    )
    best: dict[int, tuple[float, float]] = {}
    for _ in range(1 if arguments.quick else 3):
        for workers in (1, 2):
            took, cpu, made = timed(plan, workers)
            before = best.get(workers, (took, cpu))
            best[workers] = min(took, before[0]), min(cpu, before[1])
    print(f"  {'workers':>7} {'s':>8} {'CPU s':>8} {'runs/s':>8} {'records/s':>10} {'lines/s':>10}")
    for workers, (took, cpu) in best.items():
        speeds = f"{made.runs / took:8.1f} {made.records / took:10,.0f} {made.lines / took:10,.0f}"
        print(f"  {workers:7} {took:8.1f} {cpu:8.1f} {speeds}")
    print(f"  speed-up with two workers {best[1][0] / best[2][0]:.2f}, by CPU time {2 * best[1][1] / best[2][1]:.2f}")
    print(f"  peak memory of a worker   {in_fresh_process(seeds, arguments.formats):.0f} MB")


if __name__ == "__main__":
    main()
