"""How large a hierarchy may be: time and memory of a central site with many primary and secondary sites.

    python benchmarks/hierarchy.py                     # 25 primary sites with 250 secondary ones each, one day: half a minute
    python benchmarks/hierarchy.py 5 40 --days 3
    python benchmarks/hierarchy.py 5 40 --write        # all logs, too, into a temporary folder

Reported are CPU seconds of one process and its peak resident set: after building, and day by day, so that it shows what
grows with time.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.throughput import START, peak_mb
from generators.write import Recorder
from scenarios.quiet import quiet_gc
from simulator.estate import MAX_PRIMARIES, MAX_SECONDARIES, hierarchy
from simulator.units import DAY
from simulator.versions import version
from simulator.world import World


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("primaries", nargs="?", type=int, default=MAX_PRIMARIES, help="primary sites below the central one")
    parser.add_argument("secondaries", nargs="?", type=int, default=MAX_SECONDARIES, help="secondary sites below each of them")
    parser.add_argument("--days", type=int, default=1, help="simulated days")
    parser.add_argument("--write", action="store_true", help="write all logs")
    arguments = parser.parse_args()

    estate = hierarchy(primaries=arguments.primaries, secondaries=arguments.secondaries)
    with quiet_gc(len(estate.sites)), ExitStack() as stack:
        began = time.process_time()
        world = World(estate, version("cb"), seed=1, start=START, end=START + arguments.days * DAY)
        print(f"CPython {platform.python_version()}, {platform.machine()}; {len(estate.sites)} sites, cb")
        print(f"  {'':10} {'CPU s':>8} {'entries':>12} {'us/entry':>9} {'peak MB':>8}")
        print(f"  {'build':10} {time.process_time() - began:8.1f} {'':12} {'':9} {peak_mb():8.0f}")
        recorder = None
        if arguments.write:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            recorder = stack.enter_context(Recorder(estate, world.version, Path(folder)))
            print(f"  {'open logs':10} {'':8} {len(recorder.logs):12,} {'':9} {peak_mb():8.0f}")
        kinds: Counter[str] = Counter()
        day, count, began = 1, 0, time.process_time()
        for entries in world.slices():
            count += len(entries)
            kinds.update(type(entry.event).__name__ for entry in entries)
            if recorder is not None:
                recorder.record(entries)
            if world.now >= START + day * DAY:
                took = time.process_time() - began
                print(f"  {f'day {day}':10} {took:8.1f} {count:12,} {took / count * 1e6:9.2f} {peak_mb():8.0f}")
                day, count, began = day + 1, 0, time.process_time()
        print("most frequent: " + ", ".join(f"{name} {number:,}" for name, number in kinds.most_common(6)))
        if recorder is not None:
            recorder.close()
            lines = sum(summary.lines for summary in recorder.summary().values())
            print(f"{lines:,} lines in {len(recorder.summary()):,} files")


if __name__ == "__main__":
    main()
