"""What the lab's mark gives to those who know, who do nothing, and who guess.

    python benchmarks/lab_guesses.py                      # all tickets, five seeds each: about twenty minutes
    python benchmarks/lab_guesses.py --ticket 1058 --seeds 1

* ``solver``: the best way. It must get 100.
* ``nothing``: closed at once. It must stay below 25.
* ``every cause``: a look that tells nothing apart, and then each cause that is offered, one session each. Below 25.
* ``random``: some random looks, a random cause, random repairs or escalations, a synchronization perhaps, a random look, a note.
* ``lucky``: one look, the right cause, the right repair, the success seen, a note: everything hit by chance. The look is one that
  rules out nothing, the best one that leaves more than half of the explanations, and the worst one that does not.

Who guesses stays below 25 as long as what she has seen, before the diagnosis and before what ended the trouble, has not ruled out
half of what could be wrong. Runs that got 25 or more although it has not are counted; there must be none.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from simulator.errors import WsyncsimError
from wsyncsim import lab
from wsyncsim.lab.score import Result, score
from wsyncsim.lab.session import LabSession, code
from wsyncsim.lab.solver import mend, solve
from wsyncsim.lab.ticket import possible_causes, true_causes

BAR = 25
LOOKS = (1, 3, 8)
Opened = Callable[[], LabSession]


def opener(ticket: str, seed: int, role: str | None = None) -> Opened:
    return lambda: lab.open_ticket(ticket, seed=seed, role=role)


def look_sizes(session: LabSession) -> dict[int, tuple[str, str]]:
    """How many explanations a first look may leave, and the cheapest such look: id and host."""
    panel = session.panel
    worlds = list(panel.alive)
    truth = worlds.index(panel.truth)
    found: dict[int, tuple[int, str, str]] = {}
    telling = set()
    for option in panel.options():
        telling.add((option.id, option.host))
        left = option.outcomes.count(option.outcomes[truth])
        found[left] = min(found.get(left, (option.minutes, option.id, option.host)), (option.minutes, option.id, option.host))
    idle = [
        (item.minutes, item.id, place.host)
        for item in session.looks()
        for place in item.places
        if not item.leaves_trace and (item.id, place.host) not in telling
    ]
    if idle:
        found[len(worlds)] = min(idle)
    return {left: (id, host) for left, (_, id, host) in sorted(found.items())}


def around_the_bar(sizes: Sequence[int]) -> list[int]:
    """Of the numbers of explanations that a look may leave: all, the least that is more than half, and the most that is not."""
    most = max(sizes)
    above, below = [size for size in sizes if 2 * size > most], [size for size in sizes if 2 * size <= most]
    return list(dict.fromkeys([most, min(above), *([max(below)] if below else [])]))


def lucky(opened: Opened, look: str, host: str) -> Result:
    """Everything right, after one look."""
    session = opened()
    session.look(look, host=host)
    session.diagnose([code("c", cause.id) for cause in true_causes(session.story)], ["e1"], 3)
    resolution = mend(session)
    session.note("It works again.")
    return session.close(resolution)


def each_cause(opened: Opened, look: str, host: str) -> Iterator[Result]:
    """A look, a cause, and closed: for every cause that is offered."""
    session = opened()
    session.look(look, host=host)
    causes = possible_causes(session.story)
    session.diagnose(code("c", causes[0].id), ["e1"], 1)
    session.close()
    handed_in = session.diagnoses[-1]
    for cause in causes:
        session.diagnoses[-1] = dataclasses.replace(handed_in, causes=(cause,))
        yield score(session)


def at_random(opened: Opened, looks: int, dice: random.Random) -> Result:
    """Random looks, a random cause, random deeds."""
    session = opened()
    places = [(item.id, place.host) for item in session.looks() for place in item.places if not item.takes_target]
    for look, host in dice.sample(places, looks):
        session.look(look, host=host)
    evidence = [sight.evidence for sight in session.sights]
    session.diagnose(dice.choice(session.causes()).id, evidence, dice.choice((1, 2, 3)))
    for _ in range(dice.choice((1, 2))):
        _random_deed(session, evidence, dice)
    if dice.random() < 0.5:
        _try(lambda: session.act("R10", site=session.story.estate.top.code))
        for _ in range(4):
            session.wait("event")
        look, host = dice.choice(places)
        session.look(look, host=host)
    session.note("Please try again.")
    return session.close()


def _random_deed(session: LabSession, evidence: list[str], dice: random.Random) -> None:
    actions = session.actions()
    if len(actions) == 1 or dice.random() < 0.3:
        team = dice.choice(session.teams())
        _try(lambda: session.escalate(team, evidence))
    else:
        action = dice.choice(actions)
        site = dice.choice(action.sites)
        _try(lambda: session.act(action.id, site=site))


def _try(do: Callable[[], object]) -> None:
    try:
        do()
    except WsyncsimError:
        return


def halved(result: Result) -> bool:
    """Whether half of what could be wrong had been ruled out in time; by who handed it over, by that team's standards."""
    return 2 * result.left <= result.candidates or 2 * result.left_mending <= result.candidates


def runs(ticket: str, seed: int) -> Iterator[tuple[str, Result]]:
    """All runs of a variant: kind, mark."""
    opened, second = opener(ticket, seed), opener(ticket, seed, "second level")
    yield "solver", solve(opened())
    yield "nothing", opened().close()
    session = second()
    sizes = look_sizes(session)
    for size in around_the_bar([*sizes]):
        yield "lucky", lucky(second, *sizes[size])
    for result in each_cause(opened, *sizes[max(sizes)]):
        yield "every cause", result
    dice = random.Random(f"{ticket} {seed}")
    for looks in LOOKS:
        yield f"random, {looks} looks", at_random(opened, looks, dice)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ticket", action="append", help="only this one (may be repeated)")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds of each ticket")
    given = parser.parse_args(arguments)
    totals: dict[str, list[Result]] = defaultdict(list)
    wrong = 0
    for seed in range(1, given.seeds + 1):
        for ticket in given.ticket or [each.id for each in lab.tickets()]:
            for kind, result in runs(ticket, seed):
                totals[kind].append(result)
                failed = result.total != 100 if kind == "solver" else result.total >= BAR and not halved(result)
                if failed or (kind == "nothing" and result.total >= BAR):
                    wrong += 1
                    print(f"{ticket} {seed}: {kind}: {result.total} {result.parts}", flush=True)
            print(f"{ticket} {seed}: done", file=sys.stderr, flush=True)
    print(f"{'':16} {'runs':>6} {'mean':>6} {'least':>6} {'most':>6} {'25 or more':>11} {'most, not halved':>17}")
    for kind, results in totals.items():
        marks = [result.total for result in results]
        not_halved = [result.total for result in results if not halved(result)]
        print(
            f"{kind:16} {len(marks):6} {sum(marks) / len(marks):6.1f} {min(marks):6} {max(marks):6} "
            f"{sum(mark >= BAR for mark in marks):11} {max(not_halved, default=0):17}"
        )
    print(f"{wrong} run(s) that should not be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
