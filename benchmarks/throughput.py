"""How fast the whole pipeline is, how far from its floor, and how much memory it takes.

    python benchmarks/throughput.py            # about two minutes
    python benchmarks/throughput.py --quick    # a tenth of it

Reported are CPU seconds of one process (the smallest of several interleaved rounds), all logs written to disk. The floor
writes the journal of the same run, kept in memory, through the same writers: formatting and writing without simulating.
Memory is the peak resident set of a fresh process, simulation and writing together.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from generators.write import Recorder
from scenarios.quiet import quiet_gc
from simulator.estate import hierarchy
from simulator.journal import Entry
from simulator.units import DAY
from simulator.versions import version
from simulator.world import World

START = 1_772_427_600_000_000
"""Monday, 2 March 2026, 06:00 in Berlin."""


def world_of(sites: int, days: int) -> World:
    return World(hierarchy(sites), version("cb"), seed=1, start=START, end=START + days * DAY)


def write(world: World, slices: Iterable[list[Entry]], *, truth: bool, rotate: bool = True) -> tuple[int, int]:
    """Write entries to a temporary folder; lines and bytes of the logs that are left."""
    estate = world.estate if rotate else replace(world.estate, log_max_bytes=10**15)
    with tempfile.TemporaryDirectory() as folder, Recorder(estate, world.version, Path(folder), truth=truth) as recorder:
        for entries in slices:
            recorder.record(entries)
        recorder.close()
        files = [summary for path, summary in recorder.summary().items() if path.startswith("logs/")]
    return sum(file.lines for file in files), sum(file.bytes for file in files)


def cpu_s(do: Callable[[], object]) -> float:
    began = time.process_time()
    do()
    return time.process_time() - began


def throughput(sites: int, days: int, rounds: int) -> dict[str, float]:
    journal = list(world_of(sites, days).slices())
    lines, size = write(world_of(sites, 1), journal, truth=False, rotate=False)

    def play(truth: bool) -> None:
        world = world_of(sites, days)
        write(world, world.slices(), truth=truth)

    def floor(truth: bool) -> None:
        write(world_of(sites, 1), journal, truth=truth)

    def simulate() -> None:
        for _ in world_of(sites, days).slices():
            pass

    best: dict[str, float] = {}
    tasks: dict[str, Callable[[], None]] = {
        "simulate": simulate,
        "floor": lambda: floor(False),
        "play": lambda: play(False),
        "floor_truth": lambda: floor(True),
        "play_truth": lambda: play(True),
    }
    with quiet_gc(sites):
        for _ in range(rounds):
            for name, task in tasks.items():
                took = cpu_s(task)
                best[name] = min(best.get(name, took), took)
    return {
        "lines": lines,
        "megabytes": size / 1e6,
        "simulate_us_per_line": best["simulate"] / lines * 1e6,
        "floor_us_per_line": best["floor"] / lines * 1e6,
        "play_us_per_line": best["play"] / lines * 1e6,
        "play_truth_us_per_line": best["play_truth"] / lines * 1e6,
        "lines_per_cpu_s": lines / best["play"],
        "megabytes_per_cpu_s": size / 1e6 / best["play"],
        "lines_per_cpu_s_with_truth": lines / best["play_truth"],
        "ratio_to_floor": best["play"] / best["floor"],
        "ratio_to_floor_with_truth": best["play_truth"] / best["floor_truth"],
    }


def peak_mb() -> float:
    """Peak resident set of this process, MB; 0 where the platform does not tell."""
    with suppress(OSError):  # Linux: since this program began, not inherited from the one that started it
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    with suppress(ImportError):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1 if sys.platform == "darwin" else 1024) / (1024 if sys.platform == "darwin" else 1)
    return 0.0


def memory(sites: int, days: int) -> dict[str, float]:
    """Play in this process and tell its peak."""
    world = world_of(sites, days)
    with quiet_gc(sites):
        began = time.process_time()
        write(world, world.slices(), truth=False)
        took = time.process_time() - began
    return {"cpu_s": took, "peak_mb": peak_mb()}


def in_fresh_process(sites: int, days: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--memory", str(sites), str(days)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the time span, one round")
    parser.add_argument("--memory", nargs=2, type=int, metavar=("SITES", "DAYS"), help="only this, as JSON")
    arguments = parser.parse_args()
    if arguments.memory:
        print(json.dumps(memory(*arguments.memory)))
        return
    days, rounds = (3, 1) if arguments.quick else (30, 3)
    print(f"CPython {platform.python_version()}, {platform.machine()}; 10 sites, {days} days, all logs, one process")
    for name, value in throughput(10, days, rounds).items():
        print(f"  {name:28} {value:12,.2f}")
    sizes = [(1, days), (10, days), (100, days), (1, 365 if days == 30 else 12 * days)]
    print(f"peak memory of a fresh process\n  {'sites':>5} {'days':>5} {'CPU s':>8} {'peak MB':>8}")
    for sites, span in sizes:
        result = in_fresh_process(sites, span)
        print(f"  {sites:5} {span:5} {result['cpu_s']:8.1f} {result['peak_mb']:8.1f}")


if __name__ == "__main__":
    main()
