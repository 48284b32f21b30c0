"""What a well-meaning person should better not do: useless, or harmful in its own right."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from scenarios.action import Hand, repair
from scenarios.repairs.windows import start_sql_server
from simulator.components.iis import DIRECTORIES
from simulator.units import MINUTE

if TYPE_CHECKING:
    from simulator.components.site import Site
    from simulator.journal import Entry
    from simulator.world import World

REBOOT_US = 3 * MINUTE
"""A server is down for about this long [C]."""
ROLE_US = 20 * MINUTE
"""Removing and adding the role of software update point [C]."""


@repair("X01", "Reinstall WSUS", "WSUS neu installieren")
def reinstall_wsus(hand: Hand) -> None:
    wsus, iis = hand.site.wsus, hand.iis
    because = hand.note(wsus.susdb, "reinstalled: SSL, permissions and metadata are as after an installation")
    wsus.stop(hand.at, because)
    wsus.susdb.empty(hand.at, because)
    wsus.settings.change(because, replica=False, using_ssl=False, upstream="", automatic=False)
    iis.https.change(because, present=False)
    iis.pool.change(because, started=True)
    for row in DIRECTORIES:
        iis.directories[row.name].change(
            because,
            anonymous=row.anonymous,
            integrated=not row.anonymous,
            require_ssl=False,
            readers=row.readers,
            denied=(),
            anonymous_account=iis.anonymous_account,
        )
    iis.start_w3svc(hand.at, because)
    wsus.start(hand.at, because)


@repair("X02", "Drop and recreate SUSDB", "SUSDB löschen und neu anlegen")
def recreate_susdb(hand: Hand) -> None:
    wsus = hand.site.wsus
    because = hand.note(wsus.susdb, "new and empty")
    wsus.cancel(hand.at, because)
    wsus.susdb.empty(hand.at, because)


@repair("X07", "Select a further product in the WSUS console", "In der WSUS-Konsole ein weiteres Produkt auswählen")
def change_filters_in_wsus(hand: Hand) -> None:
    wsus = hand.site.wsus
    wanted = wsus.settings.subscription
    other = next((product for product in hand.world.catalogue.products if product not in wanted.products), None)
    because = hand.in_wsus_console(wsus.settings, f"{other} selected" if other else "all are selected already")
    if because is not None and other is not None:
        account = hand.world.wsus_console.account.name
        wsus.subscribe(hand.at, wanted._replace(products=(*wanted.products, other)), account, because)


@repair("X08", "Start a synchronization in the WSUS console", "Synchronisierung in der WSUS-Konsole starten")
def synchronize_in_wsus(hand: Hand) -> None:
    wsus = hand.site.wsus
    ready = wsus.service.running and wsus.phase == "idle"
    because = hand.in_wsus_console(wsus.settings, "synchronization started" if ready else "it cannot be started now")
    if because is not None and ready:
        wsus.synchronize(hand.at, None, hand.world.wsus_console.account.name, because)


@repair("X10", "Restart services during a synchronization", "Dienste während einer Synchronisierung neu starten")
def restart_services(hand: Hand) -> None:
    site = hand.site
    because = hand.note(site.wsus.service, "restarted")
    if site.wsus.service.running:
        site.wsus.stop(hand.at, because)
        site.wsus.start(hand.at, because)
    site.executive.restart(because)


@repair(
    "X18",
    "Remove the role of software update point and add it again",
    "Rolle des Softwareupdatepunkts entfernen und neu hinzufügen",
)
def add_role_again(hand: Hand) -> None:
    site = hand.site
    because = hand.note(site.sup, "role removed, added again")
    site.save_sup(because, active=False)
    hand.world.plan(hand.at + ROLE_US, partial(_role_added, site=site, because=because))


def _role_added(_world: World, *, site: Site, because: Entry) -> None:
    site.wsyncmgr.server_moved(because)
    site.save_sup(because, active=True)


@repair("X22", "Switch on WSUS's own synchronization schedule", "Automatischen Synchronisierungszeitplan in WSUS einschalten")
def switch_on_automatic_schedule(hand: Hand) -> None:
    hand.site.wsus.schedule(hand.note(hand.site.wsus.settings, "automatic=True", "automatic"))


@repair(
    "X26",
    "Have the child's WSUS synchronize from Microsoft Update",
    "WSUS des untergeordneten Standorts mit Microsoft Update synchronisieren",
)
def bypass_parent(hand: Hand) -> None:
    settings = hand.site.wsus.settings
    because = hand.in_wsus_console(settings, "upstream=Microsoft Update")
    if because is not None:
        settings.change(because, upstream="")


@repair("X27", "Reboot the servers of the site", "Die Server des Standorts neu starten")
def reboot(hand: Hand) -> None:
    site, at = hand.site, hand.at
    because = hand.note(site.executive.service, "servers rebooted")
    for executive in dict.fromkeys((site.executive, site.sup_executive)):
        executive.restart(because)
    site.wsus.stop(at, because)
    hand.iis.stop_w3svc(at, because)
    for server in dict.fromkeys((site.server, site.wsus.server)):
        for service in (name for name in server.services if name.startswith("MSSQL")):
            server.set_service(at, service, running=False, because=because)
    hand.world.plan(at + REBOOT_US, partial(_up_again, site=site, because=because))


def _up_again(world: World, *, site: Site, because: Entry) -> None:
    wsus, iis = site.wsus, site.wsus.server.iis
    assert iis is not None
    start_sql_server(world, site=site, because=because)
    wsus.server.set_service(world.now, wsus.database.name, running=True, because=because)
    iis.pool.change(because, started=True)
    iis.start_w3svc(world.now, because)
    wsus.start(world.now, because)


@repair("X28", "Make WSUS a replica", "WSUS zum Replikat machen")
def make_replica(hand: Hand) -> None:
    settings = hand.site.wsus.settings
    because = hand.in_wsus_console(settings, "replica=True")
    if because is not None:
        settings.change(because, replica=True)


@repair("X34", "Delete the .SYN files from wsyncmgr.box", "Die .SYN-Dateien aus wsyncmgr.box löschen")
def delete_requests(hand: Hand) -> None:
    files = hand.site.wsyncmgr.withdraw()
    hand.note(hand.site.wcm.state, f"deleted: {', '.join(files) or 'nothing'}")


@repair("X35", "Edit ConfigurationState in the registry to 2", "ConfigurationState in der Registrierung auf 2 setzen")
def edit_configuration_state(hand: Hand) -> None:
    state = hand.site.wcm.state
    state.change(hand.note(state, "value=2", "value"), value=2)
