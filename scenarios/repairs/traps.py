"""What a well-meaning person should better not do: useless, or harmful in its own right."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from scenarios.action import Hand, repair
from scenarios.repairs.configmgr import proxy_of
from scenarios.repairs.windows import start_sql_server
from simulator.components.iis import DIRECTORIES
from simulator.components.windows import ADMINISTRATORS
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


@repair("X03", "Switch the whole firewall off", "Die gesamte Firewall ausschalten")
def switch_firewall_off(hand: Hand) -> None:
    firewall = hand.world.network.firewall
    firewall.change(hand.note(firewall, "enabled=False"), enabled=False)


@repair("X04", "Require SSL on the whole web site", "SSL für die gesamte Website verlangen")
def require_ssl_everywhere(hand: Hand) -> None:
    because = hand.note(hand.iis.wsus_site, "require_ssl=True")
    for directory in hand.iis.directories.values():
        directory.change(because, require_ssl=True)


@repair("X05", "Give Everyone full control of the WSUS folders", "Jeder: Vollzugriff auf die WSUS-Ordner erteilen")
def let_everyone_in(hand: Hand) -> None:
    because = hand.note(hand.iis.wsus_site, "Everyone: full control")
    for directory in hand.iis.directories.values():
        directory.change(because, readers=tuple(dict.fromkeys((*directory.readers, "Everyone"))))


@repair("X06", "Bind the WSUS web site to the SUP's port", "WSUS-Website an den Port des SUP binden")
def bind_to_sup_port(hand: Hand) -> None:
    sup = hand.site.sup
    binding = hand.iis.https if sup.use_ssl else hand.iis.http
    binding.change(hand.note(binding, f"port={sup.port}"), port=sup.port)


@repair("X09", "Disable the loopback check on the SUP", "Loopbackprüfung auf dem SUP abschalten")
def disable_loopback_check(hand: Hand) -> None:
    settings = hand.site.wsus.server.settings
    settings.change(hand.note(settings, "loopback_check=False"), loopback_check=False)


@repair(
    "X19",
    "Make the site server's account a local administrator of the SUP",
    "Konto des Standortservers zum lokalen Administrator des SUP machen",
)
def make_administrator(hand: Hand) -> None:
    group, account = hand.site.wsus.server.groups[ADMINISTRATORS], hand.site.server.computer_account
    group.change(hand.note(group, account), members=tuple(dict.fromkeys((*group.members, account))))


@repair("X20", "Enable anonymous access on ApiRemoting30", "Anonymen Zugriff auf ApiRemoting30 aktivieren")
def open_api(hand: Hand) -> None:
    directory = hand.iis.directories["ApiRemoting30"]
    directory.change(hand.note(directory, "anonymous=True"), anonymous=True)


@repair("X21", "Set the proxy in the WSUS console only", "Proxy nur in der WSUS-Konsole eintragen")
def set_proxy_in_wsus(hand: Hand) -> None:
    settings, proxy = hand.site.wsus.settings, proxy_of(hand)
    settings.change(hand.note(settings, f"{proxy['proxy_host']}:{proxy['proxy_port']}"), **proxy)


@repair("X24", "Set the proxy with netsh winhttp on the SUP", "Proxy mit netsh winhttp auf dem SUP setzen")
def set_winhttp_proxy(hand: Hand) -> None:
    settings, proxy = hand.site.wsus.server.settings, hand.world.proxy
    name = f"{proxy.server.fqdn.lower()}:{proxy.settings.port}" if proxy is not None else ""
    settings.change(hand.note(settings, f"winhttp_proxy={name or 'direct'}"), winhttp_proxy=name)


@repair("X29", "Turn SSL off everywhere", "SSL überall abschalten")
def turn_ssl_off(hand: Hand) -> None:
    because = hand.note(hand.iis.wsus_site, "no SSL, in WSUS and in the SUP's properties")
    for directory in hand.iis.directories.values():
        directory.change(because, require_ssl=False)
    hand.site.wsus.settings.change(because, using_ssl=False)
    hand.site.save_sup(because, use_ssl=False)


@repair("X30", "Disable anonymous access to all of WSUS", "Anonymen Zugriff auf ganz WSUS deaktivieren")
def disable_anonymous(hand: Hand) -> None:
    because = hand.note(hand.iis.wsus_site, "anonymous=False")
    for directory in hand.iis.directories.values():
        directory.change(because, anonymous=False, integrated=True)


@repair("X31", "Disable the proxy on the SUP", "Proxy am SUP abschalten")
def disable_proxy(hand: Hand) -> None:
    hand.site.save_sup(hand.note(hand.site.sup, "no proxy"), proxy_host="", proxy_port=0, proxy_account="")


@repair(
    "X32", "Enter Microsoft Update's address into the SUP's hosts file", "Adresse von Microsoft Update in die hosts-Datei eintragen"
)
def pin_microsoft_update(hand: Hand) -> None:
    world, hosts_file = hand.world, hand.site.wsus.server.hosts_file
    address = world.catalogue.address(hand.at)
    entries = {**hosts_file.entries, world.microsoft_update.host: address}
    hosts_file.change(hand.note(hosts_file, f"{world.microsoft_update.host} {address}"), entries=entries)
