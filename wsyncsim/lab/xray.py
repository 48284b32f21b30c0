"""X-ray: where on its chain the last synchronization of a site is, from the site server to the child sites, read off the journal.

It is shown in the tour, as a bare chain at level 1, and again when a ticket is closed and its answers may be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from simulator import events as e
from simulator import failures as f
from wsyncsim.lab.data import say
from wsyncsim.lab.views import Plain

if TYPE_CHECKING:
    from simulator.journal import Entry
    from wsyncsim.lab.session import LabSession

STAGES = ("site_server", "network", "iis", "wsus", "upstream", "susdb", "site_database", "children")
ENTERS: dict[type, str] = {
    e.SyncStarted: "site_server",
    e.WsusPhaseStarted: "network",
    e.WsusConnecting: "iis",
    e.WsusSyncStarted: "wsus",
    e.WsusSyncBegan: "upstream",
    e.WsusSynced: "susdb",
    e.DatabaseSyncStarted: "site_database",
    e.SyncSucceeded: "children",
}
"""What shows that a run has come to a stage; the stages before it are behind it then."""
STOPS: dict[type, str] = {
    f.WsusNotConfigured: "site_server",
    f.NameNotResolved: "network",
    f.ConnectionRefused: "network",
    f.ConnectionTimedOut: "network",
    f.TrustNotEstablished: "iis",
    f.TlsRefused: "iis",
    f.HttpStatus: "iis",
    f.PermissionRefused: "iis",
    f.UpstreamTrouble: "upstream",
    f.DatabaseUnreachable: "susdb",
    f.SchemaInvalid: "site_database",
}
"""Where a run stopped, by what the product says of its failure; else where it was."""
TOUR, SCHEMATIC = 0, 1
"""The highest levels at which it shows what is, and the bare chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Plain):
    """A stage of the chain."""

    id: str
    title: str
    about: str
    state: str
    """``done``, ``now``, ``stopped``, ``ahead``; empty when it is not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Xray(Plain):
    """The chain of a site at one moment."""

    site: str
    local: str
    """The moment, ISO 8601 at the caller's site."""
    began: str
    """When the last run began; empty when there was none yet, or when it is not told."""
    text: str
    """The same in a sentence."""
    stages: tuple[Stage, ...]


def follows(entry: Entry) -> bool:
    """Whether an X-ray needs an entry of the journal."""
    return type(entry.event) in ENTERS or isinstance(entry.event, e.SyncFailed)


def shown(session: LabSession) -> Xray | None:
    """The X-ray of the caller's site now, as far as it may be seen; ``None`` when not at all."""
    if session.closed and session.released:
        return taken(session, session.now)
    if session.seat is not None or session.ticket.level > SCHEMATIC:
        return None
    return taken(session, session.now, told=session.ticket.level <= TOUR)


def taken(session: LabSession, at: int, *, told: bool = True) -> Xray:
    """An X-ray of the caller's site at an instant; not ``told`` leaves only the chain."""
    language, site = session.language, session.variant.site
    run = _last_run(session.bench.steps.get(site, []), at) if told else []
    states = _states(run)
    stages = [
        Stage(id=id, title=say(f"xray_{id}", language), about=say(f"xray_about_{id}", language), state=states[id] if told else "")
        for id in STAGES
        if id != "children" or any(session.story.estate.children(site))
    ]
    began = session.clock(run[0].at) if run else ""
    return Xray(
        site=site, local=session.clock(at), began=began, text=_sentence(stages, began, told, language), stages=tuple(stages)
    )


def _last_run(entries: list[Entry], at: int) -> list[Entry]:
    """The entries up to an instant of the run that began last before it."""
    before = [entry for entry in entries if entry.at <= at]
    return [entry for entry in before if entry.run == before[-1].run] if before else []


def _states(run: list[Entry]) -> dict[str, str]:
    if not run:
        return dict.fromkeys(STAGES, "ahead")
    kinds = [type(entry.event) for entry in run]
    at = STAGES.index(next(ENTERS[kind] for kind in reversed(kinds) if kind in ENTERS))
    failed = next((entry.event for entry in run if isinstance(entry.event, e.SyncFailed)), None)
    if e.SyncSucceeded in kinds:
        return dict.fromkeys(STAGES, "done")
    if failed is not None:
        at = STAGES.index(STOPS.get(type(failed.reason), STAGES[at]))
    here = "now" if failed is None else "stopped"
    return {id: "done" if number < at else here if number == at else "ahead" for number, id in enumerate(STAGES)}


def _sentence(stages: list[Stage], began: str, told: bool, language: str) -> str:
    if not told:
        return say("xray_chain", language)
    if not began:
        return say("xray_none", language)
    began = datetime.fromisoformat(began).strftime("%d.%m.%Y, %H:%M" if language == "de" else "%Y-%m-%d %H:%M")
    for state in ("now", "stopped"):
        for stage in stages:
            if stage.state == state:
                return say(f"xray_is_{state}", language, began=began, stage=stage.title)
    return say("xray_is_done", language, began=began)
