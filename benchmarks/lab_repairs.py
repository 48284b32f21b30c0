"""Which repairs of a ticket work, and whether all of them that do no harm reach full marks.

    python benchmarks/lab_repairs.py                        # all tickets, five seeds each: some minutes
    python benchmarks/lab_repairs.py --ticket 1009 --seeds 1
    python benchmarks/lab_repairs.py --pairs                # also every two repairs that only work together

Each action of the catalogue is done, at each site where it makes sense, at the moment when the ticket is opened; where the
complaint is over a day later, it is a repair, and what it did to the world besides is measured. It is valid when that is no harm.
Then the best way is gone once more, with that repair instead of the catalogue's own, and must get 100 points.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from scenarios.repairs import REPAIRS
from simulator.errors import WsyncsimError
from simulator.units import MINUTE
from wsyncsim import lab
from wsyncsim.lab.data import policy
from wsyncsim.lab.harm import AHEAD_US, over
from wsyncsim.lab.outlook import Act, outlook
from wsyncsim.lab.session import STARTS, LabSession
from wsyncsim.lab.solver import diagnose_best, mend
from wsyncsim.lab.ticket import true_causes

Steps = tuple[tuple[str, str], ...]
"""Actions and sites, in order."""
BETWEEN_US = 5 * MINUTE
FULL = 100


@dataclass(frozen=True, slots=True)
class Tried:
    """A repair that works, and what it got."""

    steps: Steps
    points: int
    """Harm that was measured."""
    total: int
    """The mark of the best way with this repair."""
    details: tuple[str, ...]

    @property
    def valid(self) -> bool:
        return not self.points

    def __str__(self) -> str:
        return " + ".join(f"{id}@{site}" for id, site in self.steps)


def opened(ticket: str, seed: int) -> LabSession:
    return lab.open_ticket(ticket, seed=seed, role="second level")


def to_mend(session: LabSession) -> bool:
    """Whether there is something that can be repaired, and that does not go away by itself."""
    from wsyncsim.lab.score import outcome

    done = outcome(session)
    return not done.nothing_to_do and not done.by_itself


def moves(session: LabSession) -> list[tuple[str, str]]:
    """Everything that second level can do at each site, but for starting synchronizations and waiting."""
    passive = {*STARTS, *policy().waiting["actions"]}
    sites = [site.code for site in session.story.estate.sites]
    return [(id, site) for id in REPAIRS if id not in passive for site in sites if session.possible(id, site)]


def works(session: LabSession, steps: Steps) -> bool:
    """Whether nobody complains any more, a day later."""
    acts = tuple(Act(session.opened_at + number * BETWEEN_US, id, site) for number, (id, site) in enumerate(steps))
    return over(session, outlook(session.story, acts, session.opened_at + AHEAD_US))


def repairs(session: LabSession, *, pairs: bool = False) -> Iterator[Steps]:
    """Single actions that work; with ``pairs`` also two that work together, and neither alone."""
    all_moves = moves(session)
    alone = [move for move in all_moves if works(session, (move,))]
    yield from ((move,) for move in alone)
    if pairs or not alone or len(true_causes(session.story)) > 1:
        others = [move for move in all_moves if move not in alone and not move[0].startswith("X")]
        top = session.story.estate.top.code
        starts = [(id, top) for id in STARTS]
        yield from (pair for pair in itertools.combinations((*others, *starts), 2) if works(session, pair))


def tried(ticket: str, seed: int, steps: Steps) -> Tried | None:
    """The best way with that repair; ``None`` when it cannot be gone."""
    session = opened(ticket, seed)
    diagnose_best(session)
    try:
        resolution = mend(session, list(steps))
    except WsyncsimError:
        return None
    session.note("It works again.")
    result = session.close(resolution)
    details = tuple(detail for harm in result.harms for detail in harm.details)
    return Tried(steps, sum(harm.points for harm in result.harms), result.total, details)


def survey(ticket: str, seed: int, *, pairs: bool = False) -> list[Tried] | None:
    """All repairs of a variant that work; ``None`` where nothing is to be repaired."""
    session = opened(ticket, seed)
    if not to_mend(session):
        return None
    found = [tried(ticket, seed, steps) for steps in repairs(session, pairs=pairs)]
    return [each for each in found if each is not None]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ticket", action="append", help="only this one (may be repeated)")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds of each ticket")
    parser.add_argument("--pairs", action="store_true", help="also try every two repairs")
    given = parser.parse_args(arguments)
    variants = nothing = alternatives = valid = full = 0
    for seed in range(1, given.seeds + 1):
        for ticket in given.ticket or [each.id for each in lab.tickets()]:
            variants += 1
            found = survey(ticket, seed, pairs=given.pairs)
            if found is None:
                nothing += 1
                print(f"{ticket} {seed}: nothing to repair", flush=True)
                continue
            good = [each for each in found if each.valid]
            valid, full = valid + len(good), full + sum(each.total == FULL for each in good)
            alternatives += len(good) > 1
            print(f"{ticket} {seed}: {len(good)} valid: {', '.join(map(str, good))}", flush=True)
            for each in found:
                if each.total != FULL:
                    print(f"    {each.total:3} {each}: harm {each.points}: {'; '.join(each.details)}", flush=True)
    print(
        f"{variants} variants, {nothing} with nothing to repair, {alternatives} with two valid repairs or more; "
        f"{valid} valid repairs, {full} of them with {FULL} points"
    )
    return 0 if valid == full else 1


if __name__ == "__main__":
    sys.exit(main())
