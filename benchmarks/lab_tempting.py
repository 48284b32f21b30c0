"""What the tempting wrong moves of all tickets do to the world, as the debrief tells it.

    python benchmarks/lab_tempting.py                       # all tickets, five seeds each: some minutes
    python benchmarks/lab_tempting.py --ticket 1009 --seeds 1 --lang de

Each is done at the moment when the ticket is opened, and the world a day ahead is compared with the same world without it. The
table at the end says in how many variants each move was tempting, did harm, ended the complaint, or did neither.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from scenarios.repairs import REPAIRS
from wsyncsim import lab
from wsyncsim.lab.harm import tempting, tempting_of


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ticket", action="append", help="only this one (may be repeated)")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds of each ticket")
    parser.add_argument("--lang", choices=("en", "de"), default="en")
    given = parser.parse_args(arguments)
    tried: Counter[str] = Counter()
    harmed: Counter[str] = Counter()
    helped: Counter[str] = Counter()
    neither: Counter[str] = Counter()
    for seed in range(1, given.seeds + 1):
        for ticket in given.ticket or [each.id for each in lab.tickets()]:
            session = lab.open_ticket(ticket, seed=seed, language=given.lang)
            for id, move in zip(tempting_of(session), tempting(session), strict=True):
                tried[id] += 1
                harmed[id] += move.points > 0
                helped[id] += move.helps
                neither[id] += not move.points and not move.helps
                print(f"{ticket} {seed} {id} {move.points:3} {move.action}: {'; '.join(move.details)}", flush=True)
    print(f"{'':4} {'tempting':>9} {'harm':>6} {'helps':>6} {'neither':>8}")
    for id, count in sorted(tried.items()):
        print(f"{id:4} {count:9} {harmed[id]:6} {helped[id]:6} {neither[id]:8}  {REPAIRS[id].title.in_(given.lang)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
