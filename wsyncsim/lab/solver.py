"""Somebody who knows: works on a ticket the cheapest way. The yardstick of the score, and the worked solution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.faults import FAULTS
from wsyncsim.lab.data import policy
from wsyncsim.lab.diagnosis import best_way, owners, right_steps
from wsyncsim.lab.session import LabSession, code
from wsyncsim.lab.ticket import Cause, true_causes

if TYPE_CHECKING:
    from wsyncsim.lab.score import Result

PATIENCE = 40
"""How many events the solver waits for."""


def solve(session: LabSession) -> Result:
    """Work on a ticket from its beginning to its end."""
    diagnose_best(session)
    resolution = mend(session)
    session.note("done")
    return session.close(resolution)


def diagnose_best(session: LabSession) -> None:
    """Take the cheapest way, and say what is wrong."""
    for step in best_way(session.variant).steps:
        session.look(step.id, host=step.host)
    truth = true_causes(session.story)
    session.diagnose([code("c", cause.id) for cause in truth], [sight.evidence for sight in session.sights], 3)


def mend(session: LabSession, steps: list[tuple[str, str]] | None = None) -> str:
    """Do what is to be done, or hand it over, and look whether it has worked; returns the resolution."""
    truth = [cause for cause in true_causes(session.story) if cause.fault]
    if not truth or not any(FAULTS[cause.fault].curable for cause in truth):
        return "nothing"
    if all(all(id in policy().waiting["actions"] for id, _ in right_steps(session.story, cause)) for cause in truth):
        return "wait"
    resolution = "fixed"
    if policy().roles.get(session.role) is not None:
        _hand_over(session, truth)
        resolution = "escalated"
    else:
        wanted = steps or [step for cause in truth for step in right_steps(session.story, cause)]
        for id, site in wanted:
            if id in policy().waiting["actions"]:
                session.wait("1h")
            else:
                session.act(id, site=site)
    look_for_success(session)
    return resolution


def _hand_over(session: LabSession, truth: list[Cause]) -> None:
    for cause in truth:
        team = next(iter(owners(session.story, cause)), "second level")
        session.escalate(team, [sight.evidence for sight in session.sights])


def look_for_success(session: LabSession) -> bool:
    """Start a synchronization, wait for it, and look at what shows its success; whether it does."""
    changed = session.now
    started = False
    for _ in range(PATIENCE):
        at = session.succeeded_at()
        if at is not None and at > changed:
            break
        if not started:
            session.act("R10", site=session.story.estate.top.code)
            started = True
        session.wait("event")
    return look_at_success(session)


def look_at_success(session: LabSession) -> bool:
    """The cheapest look that shows that a synchronization succeeded."""
    shown = session.where_success_shows()
    for id, host in shown:
        session.look(id, host=host)
        if session.verify().seen:
            return True
    return False
