"""Faults of WSUS itself: its service, its settings, its administrators."""

from __future__ import annotations

from scenarios.fault import Scene, fault
from scenarios.text import Text


@fault(
    "S10",
    Text("WSUS of a child primary site is a replica", "WSUS des untergeordneten primären Standorts ist ein Replikat"),
    Text(
        "The WSUS server of a child primary site was made a replica, so WCM cannot configure it.",
        "Der WSUS-Server eines untergeordneten primären Standorts wurde zum Replikat gemacht; WCM kann ihn nicht konfigurieren.",
    ),
    entity="{sup}/WSUS",
    setting="replica",
    healthy="no",
    faulty="yes",
    estate="contoso-child",
    site="child",
    repairs=("R37", "R08", "R10@top"),
    looks=("L21", "L51", "L87"),
    needs=("parent", "primary"),
)
def child_is_replica(scene: Scene) -> None:
    scene.wsus.settings.change(scene.because, replica=scene.broken)


@fault(
    "S11",
    Text("Update Services service stopped", 'Dienst "Update Services" läuft nicht'),
    Text(
        "The Update Services service on the WSUS server was stopped; IIS still answers, but nothing synchronizes.",
        "Der Dienst Update Services auf dem WSUS-Server wurde beendet; IIS antwortet noch, aber nichts wird synchronisiert.",
    ),
    entity="{sup}/WsusService",
    setting="state",
    healthy="running",
    faulty="stopped",
    repairs=("R01", "R08", "R10"),
    looks=("L45", "L21", "L35", "L31"),
)
def update_services_stopped(scene: Scene) -> None:
    if scene.broken:
        scene.wsus.stop(scene.at, scene.because)
    else:
        scene.wsus.start(scene.at, scene.because)


@fault(
    "M29",
    Text("Connection account not in WSUS Administrators", "Verbindungskonto nicht in WSUS-Administratoren"),
    Text(
        "The SUP's connection account is no longer a member of WSUS Administrators: IIS lets it in, WSUS does not.",
        "Das Verbindungskonto des SUP ist nicht mehr Mitglied von WSUS-Administratoren: IIS lässt es ein, WSUS nicht.",
    ),
    entity="{sup}/WSUS Administrators",
    setting="members",
    healthy="with the SUP's connection account",
    faulty="without the SUP's connection account",
    estate="contoso-account",
    generations=("cb",),
    repairs=("R27", "R08", "R10"),
    looks=("L37", "L96", "L07"),
    needs=("account", "remote"),
)
def not_wsus_administrator(scene: Scene) -> None:
    group, account = scene.wsus.administrators, scene.sup.connection_account
    others = tuple(member for member in group.members if member != account)
    if scene.broken:
        group.change(scene.because, members=others)
    else:
        group.change(scene.because, members=group.healthy["members"])


@fault(
    "M33",
    Text("SQL/WID service of SUSDB stopped", "SQL-/WID-Dienst der SUSDB beendet"),
    Text(
        "The database service that holds SUSDB was stopped; every WSUS web service but SelfUpdate answers with 500.",
        "Der Datenbankdienst, der die SUSDB hält, wurde beendet; jeder WSUS-Webdienst außer SelfUpdate antwortet mit 500.",
    ),
    entity="{sup}/SUSDB service",
    setting="state",
    healthy="running",
    faulty="stopped",
    repairs=("R04", "R08", "R10"),
    looks=("L45", "L35", "L37", "L90"),
)
def susdb_service_stopped(scene: Scene) -> None:
    database = scene.wsus.database
    scene.wsus.server.set_service(scene.at, database.name, running=not scene.broken, because=scene.because)


@fault(
    "S31",
    Text("WSUS is synchronizing already, for a long time", "Zeitüberschreitung, da bereits eine WSUS-Synchronisierung läuft"),
    Text(
        "SUSDB was created anew and its first synchronization started in the WSUS console: ConfigMgr waits for it in vain.",
        "Die SUSDB wurde neu angelegt und ihre erste Synchronisierung in der WSUS-Konsole gestartet: ConfigMgr wartet vergeblich.",
    ),
    entity="{sup}/WSUS",
    setting="status",
    healthy="NotProcessing",
    faulty="Running, started in the WSUS console",
    repairs=("R44", "R10"),
    looks=("L52", "L20", "L34", "L32"),
    try_min=38,
    repair_min=50,
)
def wsus_synchronizes(scene: Scene) -> None:
    wsus = scene.wsus
    if not scene.broken:
        wsus.cancel(scene.at, scene.because)
        return
    wsus.cancel(scene.at, scene.because)
    wsus.susdb.empty(scene.at, scene.because)
    if wsus.service.running:
        wsus.synchronize(scene.at, None, scene.world.wsus_console.account.name, scene.because)


@fault(
    "S03",
    Text(
        "Top-level WSUS no longer synchronizes from Microsoft Update", "Updatequelle am zentralen Standort nicht Microsoft Update"
    ),
    Text(
        "In the WSUS console of the top-level site a retired WSUS server was set as the update source; it has had nothing new for "
        "long, and WCM leaves the source as it is.",
        "In der WSUS-Konsole des obersten Standorts wurde ein ausgemusterter WSUS-Server als Updatequelle eingestellt; der hat "
        "seit langem nichts Neues, und WCM lässt die Quelle, wie sie ist.",
    ),
    entity="{sup}/WSUS",
    setting="upstream",
    healthy="Microsoft Update",
    faulty="a retired WSUS server",
    estate="contoso-old",
    generations=("2007",),
    repairs=("R38", "R10"),
    looks=("L51", "L04", "L52", "L87"),
    level=3,
    needs=("top", "old"),
    complaint="no new updates",
)
def source_changed_in_wsus(scene: Scene) -> None:
    settings, world = scene.wsus.settings, scene.world
    old = next(wsus.server for wsus in world.retired if wsus.server.name == scene.site.spec.old_wsus)
    assert old.iis is not None
    upstream = old.fqdn if scene.broken else ""
    settings.change(scene.because, upstream=upstream, upstream_port=old.iis.http.port if scene.broken else 0)
