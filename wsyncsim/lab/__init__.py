"""The training lab: tickets, and sessions in which somebody works on them.

>>> from wsyncsim import lab
>>> session = lab.open_ticket("1058", seed=7)
>>> session.look("L20").title
'wsyncmgr.log'

What is imported here is light; the simulation is loaded when a ticket is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from wsyncsim.lab.course import Seat
    from wsyncsim.lab.session import LabSession
    from wsyncsim.lab.ticket import Ticket

__all__ = ["open_ticket", "resume", "tickets"]


def tickets() -> list[Ticket]:
    """All tickets, by level and id."""
    from wsyncsim.lab import ticket

    return ticket.tickets()


def open_ticket(
    id: str,
    *,
    seed: int = 1,
    path: str | PathLike[str] | None = None,
    role: str | None = None,
    generation: str | None = None,
    language: str = "en",
) -> LabSession:
    """Open a ticket: a new session.

    ``seed`` chooses the variant, ``path`` is the new file that keeps the session (none: it is in memory only), ``role`` and
    ``generation`` override the ticket's. Raises ``simulator.errors.WsyncsimError`` for mistakes.
    """
    from wsyncsim.lab.session import LabSession

    return LabSession.open(id, seed=seed, path=path, role=role, generation=generation, language=language)


def resume(path: str | PathLike[str], *, language: str = "en", seat: Seat | None = None) -> LabSession:
    """Go on with a session that was kept in a file; ``seat`` for one of an exam. Raises ``WsyncsimError``."""
    from wsyncsim.lab.session import LabSession

    return LabSession.resume(path, language=language, seat=seat)
