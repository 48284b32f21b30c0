"""Faults in IIS on a WSUS server: services, application pool, virtual directories."""

from __future__ import annotations

from scenarios.fault import Scene, deny, fault
from scenarios.text import Text
from simulator.components.iis import DIRECTORIES, EVERYBODY, SSL_DIRECTORIES, WEB_SERVICES
from simulator.components.windows import GUESTS, Account


@fault(
    "S02",
    Text(
        "Computer and administrator accounts cannot reach the WSUS virtual directories",
        "Computer- und Administratorkonten ohne Zugriff auf die virtuellen Verzeichnisse der WSUS-Website",
    ),
    Text(
        "A hardening script took Users and Authenticated Users out of the permissions of all WSUS web service folders.",
        "Ein Härtungsskript hat Benutzer und Authentifizierte Benutzer aus den Berechtigungen aller WSUS-Webdienstordner entfernt.",
    ),
    entity="{sup}/web service folders",
    setting="readers",
    healthy="with Users and Authenticated Users",
    faulty="without Users and Authenticated Users",
    repairs=("R22", "R08", "R10"),
    looks=("L37", "L63", "L85"),
    level=3,
    needs=("remote",),
)
def folders_hardened(scene: Scene) -> None:
    for row in DIRECTORIES:
        if row.name in WEB_SERVICES:
            readers = tuple(name for name in row.readers if name not in EVERYBODY) if scene.broken else row.readers
            scene.iis.directories[row.name].change(scene.because, readers=readers)


@fault(
    "S16",
    Text(
        "Site server's computer account lacks permission on ApiRemoting30",
        "Computerkonto des Standortservers ohne Berechtigung auf ApiRemoting30",
    ),
    Text(
        "The folder permissions of ApiRemoting30 deny the site server's computer account.",
        "Die Ordnerberechtigungen von ApiRemoting30 verweigern dem Computerkonto des Standortservers den Zugriff.",
    ),
    entity="{sup}/ApiRemoting30",
    setting="denied",
    healthy="nobody",
    faulty="the site server's computer account",
    repairs=("R22", "R08", "R10"),
    looks=("L37", "L96", "L63"),
    needs=("remote",),
)
def computer_account_denied(scene: Scene) -> None:
    deny(scene, scene.iis.directories["ApiRemoting30"], scene.site.server.computer_account)


@fault(
    "S17",
    Text(
        "SUP connection account lacks permission on ApiRemoting30",
        "Verbindungskonto des SUP ohne Berechtigung auf ApiRemoting30",
    ),
    Text(
        "The folder permissions of ApiRemoting30 deny the account with which the site connects to WSUS.",
        "Die Ordnerberechtigungen von ApiRemoting30 verweigern dem Konto, mit dem sich der Standort verbindet, den Zugriff.",
    ),
    entity="{sup}/ApiRemoting30",
    setting="denied",
    healthy="nobody",
    faulty="the SUP's connection account",
    estate="contoso-account",
    repairs=("R22", "R08", "R10"),
    looks=("L37", "L07", "L96"),
    needs=("account", "remote"),
)
def connection_account_denied(scene: Scene) -> None:
    deny(scene, scene.iis.directories["ApiRemoting30"], scene.sup.connection_account)


@fault(
    "S18",
    Text("IIS Admin Service stopped", "IIS-Administratordienst beendet"),
    Text(
        "The IIS Admin Service was stopped and took the World Wide Web Publishing Service, which depends on it, down with it.",
        "Der IIS-Administratordienst wurde beendet und hat den von ihm abhängigen WWW-Publishingdienst mitgenommen.",
    ),
    entity="{sup}/IISADMIN",
    setting="state",
    healthy="running",
    faulty="stopped",
    generations=("2007",),
    repairs=("R02", "R08", "R10"),
    looks=("L45", "L71", "L35"),
)
def iisadmin_stopped(scene: Scene) -> None:
    if scene.broken:
        scene.iis.stop_iisadmin(scene.at, scene.because)
    else:
        scene.iis.start_w3svc(scene.at, scene.because)


@fault(
    "S19",
    Text("World Wide Web Publishing Service stopped", "WWW-Publishingdienst beendet"),
    Text(
        "The World Wide Web Publishing Service on the WSUS server was stopped: nothing listens on any port of its sites.",
        "Der WWW-Publishingdienst auf dem WSUS-Server wurde beendet: Auf keinem Port seiner Websites antwortet noch etwas.",
    ),
    entity="{sup}/W3SVC",
    setting="state",
    healthy="running",
    faulty="stopped",
    repairs=("R02", "R08", "R10"),
    looks=("L45", "L71", "L35"),
    level=1,
)
def w3svc_stopped(scene: Scene) -> None:
    if scene.broken:
        scene.iis.stop_w3svc(scene.at, scene.because)
    else:
        scene.iis.start_w3svc(scene.at, scene.because)


@fault(
    "S21",
    Text(
        "Anonymous access disabled on DssAuthWebService of the parent's WSUS",
        "Anonymer Zugriff auf DssAuthWebService des übergeordneten WSUS deaktiviert",
    ),
    Text(
        "On the parent site's WSUS server DssAuthWebService no longer allows anonymous access, so child servers get no cookie.",
        "Auf dem WSUS-Server des übergeordneten Standorts erlaubt DssAuthWebService keinen anonymen Zugriff mehr; "
        "untergeordnete Server erhalten kein Cookie.",
    ),
    entity="{parent_sup}/DssAuthWebService",
    setting="anonymous",
    healthy="enabled",
    faulty="disabled (integrated only)",
    estate="contoso-child",
    site="child",
    repairs=("R23@parent", "R10@top"),
    looks=("L37", "L61", "L34", "L72"),
    level=3,
    needs=("parent",),
)
def dss_auth_not_anonymous(scene: Scene) -> None:
    scene.parent_iis.directories["DssAuthWebService"].change(scene.because, anonymous=not scene.broken, integrated=scene.broken)


@fault(
    "S22",
    Text("Wrong anonymous account on DssAuthWebService of the parent's WSUS", "Falsches anonymes Konto am DssAuthWebService"),
    Text(
        "DssAuthWebService on the parent site's WSUS server uses another account for anonymous access, with a wrong password.",
        "DssAuthWebService auf dem WSUS-Server des übergeordneten Standorts verwendet für den anonymen Zugriff ein anderes Konto "
        "mit falschem Kennwort.",
    ),
    entity="{parent_sup}/DssAuthWebService",
    setting="anonymous_account",
    healthy="IUSR",
    faulty="another account, with a wrong password",
    estate="contoso-child",
    site="child",
    repairs=("R24@parent", "R10@top"),
    looks=("L37", "L36", "L61"),
    level=3,
    needs=("parent",),
)
def dss_auth_wrong_account(scene: Scene) -> None:
    iis = scene.parent_iis
    old = Account(entity=f"{iis.server.name}/IUSR_OLD", name="IUSR_OLD", password_current=False)
    account = old if scene.broken else iis.anonymous_account
    iis.directories["DssAuthWebService"].change(scene.because, anonymous_account=account)


@fault(
    "S23",
    Text("IUSR is denied through the Guests group", "IUSR über die Gruppe Gäste verweigert"),
    Text(
        "The permissions of DssAuthWebService on the parent site's WSUS server deny Guests, of which IUSR is a member.",
        "Die Berechtigungen von DssAuthWebService auf dem WSUS-Server des übergeordneten Standorts verweigern der Gruppe Gäste, "
        "zu der IUSR gehört, den Zugriff.",
    ),
    entity="{parent_sup}/DssAuthWebService",
    setting="denied",
    healthy="nobody",
    faulty="Guests",
    estate="contoso-child",
    site="child",
    generations=("2007",),
    repairs=("R25@parent", "R10@top"),
    looks=("L37", "L63", "L61"),
    level=3,
    needs=("parent",),
)
def dss_auth_denies_guests(scene: Scene) -> None:
    deny(scene, scene.parent_iis.directories["DssAuthWebService"], GUESTS)


@fault(
    "M05",
    Text(
        "Virtual directories require SSL but the SUP speaks HTTP",
        "SSL an den virtuellen Verzeichnissen erforderlich, SUP spricht HTTP",
    ),
    Text(
        "WSUS was switched to SSL (five virtual directories require it), the software update point's properties were not.",
        "WSUS wurde auf SSL umgestellt (fünf virtuelle Verzeichnisse verlangen es), "
        "die Eigenschaften des Softwareupdatepunkts nicht.",
    ),
    entity="{sup}/WSUS web site",
    setting="require_ssl",
    healthy="off",
    faulty="on",
    estate="contoso-certificate",
    repairs=("R15", "R08", "R10"),
    looks=("L37", "L62", "L21", "L05"),
    needs=("certificate", "plain", "remote"),
)
def ssl_required(scene: Scene) -> None:
    for name in SSL_DIRECTORIES:
        scene.iis.directories[name].change(scene.because, require_ssl=scene.broken)
    scene.wsus.settings.change(scene.because, using_ssl=scene.broken)


@fault(
    "M07",
    Text("WsusPool stopped", "WsusPool angehalten"),
    Text(
        "The application pool WsusPool is stopped; HTTP.sys answers every request with 503.",
        "Der Anwendungspool WsusPool ist angehalten; HTTP.sys beantwortet jede Anforderung mit 503.",
    ),
    entity="{sup}/WsusPool",
    setting="state",
    healthy="started",
    faulty="stopped",
    generations=("2012", "cb"),
    repairs=("R06", "R08", "R10"),
    looks=("L64", "L39"),
    level=1,
)
def pool_stopped(scene: Scene) -> None:
    scene.iis.pool.change(scene.because, started=not scene.broken)
