"""What somebody may complain of: symptoms as predicates on the state of the world.

A failed synchronization is a symptom that passes by in the journal; all others can be seen at any moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.fault import SYNC_FAILS
from scenarios.text import Text

if TYPE_CHECKING:
    from simulator.components.site import Site
    from simulator.world import World


@dataclass(frozen=True, slots=True)
class Complaint:
    """A symptom."""

    title: Text
    ticket: Text
    """What the help desk is told; it does not give the cause away."""
    holds: Callable[[World, Site], bool] | None
    """Whether it can be seen now at a site; ``None`` for what passes by in the journal."""


def _unexpected_updates(_world: World, site: Site) -> bool:
    return bool(site.database.unwanted(site.top.sup.subscription))


def _run_synchronization_unavailable(world: World, _site: Site) -> bool:
    return bool(world.console.obstacles(world))


def _summary_details_missing(_world: World, site: Site) -> bool:
    return bool(site.database.untold(site.top.sup.languages))


def _no_metadata(_world: World, site: Site) -> bool:
    return not site.database.portions


def _no_new_updates(world: World, site: Site) -> bool:
    """The last synchronization went well, and yet there is more to be had."""
    last = site.wsus.history[-1] if site.wsus.history else None
    if last is None or not last.ended_at or last.trouble is not None:
        return False
    return site.wsus.susdb.read_to < world.catalogue.revision(last.began_at)


COMPLAINTS: dict[str, Complaint] = {
    SYNC_FAILS: Complaint(
        Text("The synchronization fails", "Die Synchronisierung schlägt fehl"),
        Text(
            "No new updates have appeared in the console since this morning; the synchronization fails.",
            "Seit heute Morgen erscheinen in der Konsole keine neuen Updates; die Synchronisierung schlägt fehl.",
        ),
        None,
    ),
    "unexpected updates": Complaint(
        Text("Unexpected updates are synchronized", "Unerwartete Softwareupdates sind synchronisiert"),
        Text(
            "The console lists updates for products that we have never selected.",
            "In der Konsole stehen Updates für Produkte, die wir nie ausgewählt haben.",
        ),
        _unexpected_updates,
    ),
    "Run Synchronization unavailable": Complaint(
        Text("Run Synchronization is not available", "Aktion „Synchronisierung ausführen“ ist nicht verfügbar"),
        Text(
            "I cannot start a synchronization any more: the action is missing in my console.",
            "Ich kann keine Synchronisierung mehr starten: Die Aktion fehlt in meiner Konsole.",
        ),
        _run_synchronization_unavailable,
    ),
    "summary details missing": Complaint(
        Text(
            "Updates are not synchronized in all configured languages",
            "Softwareupdates werden nicht in allen konfigurierten Sprachen synchronisiert",
        ),
        Text(
            "Our colleagues see most updates in English only, although their language is selected.",
            "Unsere Kollegen sehen die meisten Updates nur auf Englisch, obwohl ihre Sprache ausgewählt ist.",
        ),
        _summary_details_missing,
    ),
    "no metadata": Complaint(
        Text(
            "Update metadata is not shown in the console",
            "Softwareupdate-Metadaten werden nicht in der Konsole angezeigt",
        ),
        Text(
            "We have set up the software update point, and the list of updates is still empty.",
            "Wir haben den Softwareupdatepunkt eingerichtet, und die Liste der Updates ist immer noch leer.",
        ),
        _no_metadata,
    ),
    "no new updates": Complaint(
        Text("Synchronizations succeed, but nothing new arrives", "Die Synchronisierung gelingt, bringt aber nichts Neues"),
        Text(
            "Every synchronization succeeds, but the updates of this week are not there.",
            "Jede Synchronisierung gelingt, aber die Updates dieser Woche fehlen.",
        ),
        _no_new_updates,
    ),
}
"""All complaints by name: the symptoms of the seed page."""
