"""Repairs in IIS Manager."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.action import Hand, repair
from simulator.components.iis import DIRECTORIES, SSL_DIRECTORIES
from simulator.components.windows import GUESTS
from simulator.errors import EstateError
from simulator.units import DAY, SECOND

if TYPE_CHECKING:
    from simulator.world import World

RESET_US = 15 * SECOND
"""How long iisreset keeps the web sites down [U]."""


@repair("R06", "Start WsusPool", "WsusPool starten")
def start_pool(hand: Hand) -> None:
    hand.iis.pool.change(hand.note(hand.iis.pool, "started", "started"), started=True)


@repair("R16", "Configure the WSUS web site for SSL", "WSUS-Website für SSL konfigurieren")
def configure_ssl(hand: Hand) -> None:
    iis = hand.iis
    if iis.https.certificate is None:
        raise EstateError(
            f"{iis.server.name} has no certificate", hint="Use an estate whose site has certificate = true or ssl = true"
        )
    because = hand.note(iis.https, "bound, SSL required on five virtual directories", "present")
    iis.https.change(because, present=True)
    for name in SSL_DIRECTORIES:
        iis.directories[name].change(because, require_ssl=True)
    hand.site.wsus.settings.change(because, using_ssl=True)


@repair("R17", "Renew the certificate and bind it", "Zertifikat erneuern und binden")
def renew_certificate(hand: Hand) -> None:
    certificate = hand.iis.https.certificate
    assert certificate is not None
    not_after = certificate.healthy.get("not_after", hand.at + 365 * DAY)
    certificate.change(hand.note(certificate, "renewed", "not_after"), not_after=not_after)


@repair("R22", "Restore the permissions of the virtual directories", "Berechtigungen der virtuellen Verzeichnisse wiederherstellen")
def restore_permissions(hand: Hand) -> None:
    because = hand.note(hand.iis.directories["ApiRemoting30"], "permissions as installed", "denied", "readers")
    for row in DIRECTORIES:
        hand.iis.directories[row.name].change(because, denied=(), readers=row.readers)


@repair("R23", "Enable anonymous access where WSUS needs it", "Anonymen Zugriff dort aktivieren, wo WSUS ihn braucht")
def enable_anonymous(hand: Hand) -> None:
    because = hand.note(hand.iis.directories["DssAuthWebService"], "anonymous access as installed", "anonymous")
    for row in DIRECTORIES:
        hand.iis.directories[row.name].change(because, anonymous=row.anonymous, integrated=not row.anonymous)


@repair("R24", "Restore the anonymous account", "Anonymes Konto wiederherstellen")
def restore_anonymous_account(hand: Hand) -> None:
    iis = hand.iis
    because = hand.note(iis.directories["DssAuthWebService"], iis.anonymous_account.name, "anonymous_account")
    iis.anonymous_account.change(because, enabled=True, password_current=True)
    for directory in iis.directories.values():
        directory.change(because, anonymous_account=iis.anonymous_account)


@repair("R18", "Import the issuing CA where the callers run", "Ausstellende Zertifizierungsstelle auf den Aufrufern importieren")
def import_issuer(hand: Hand) -> None:
    certificate = hand.iis.https.certificate
    assert certificate is not None
    certificate.change(hand.note(certificate, "trusted", "trusted"), trusted=True)


@repair("R20", "Require SSL only on WSUS's five directories", "SSL nur an den fünf WSUS-Verzeichnissen verlangen")
def unrequire_ssl_elsewhere(hand: Hand) -> None:
    others = [row.name for row in DIRECTORIES if not row.ssl]
    because = hand.note(hand.iis.directories[others[0]], "SSL not required", "require_ssl")
    for name in others:
        hand.iis.directories[name].change(because, require_ssl=False)


@repair("R21", "Run wsusutil configuressl", "wsusutil configuressl ausführen")
def run_configuressl(hand: Hand) -> None:
    settings = hand.site.wsus.settings
    settings.change(hand.note(settings, "using_ssl=True", "using_ssl"), using_ssl=True)


@repair("R25", "Remove the denial of Guests", "Verweigerung für die Gruppe Gäste entfernen")
def remove_guests_denial(hand: Hand) -> None:
    because = hand.note(hand.iis.directories["DssAuthWebService"], "Guests no longer denied", "denied")
    for directory in hand.iis.directories.values():
        directory.change(because, denied=tuple(denial for denial in directory.denied if denial.account != GUESTS))


@repair("R65", "Let the SUP authenticate to itself under its site system name", "BackConnectionHostNames am SUP eintragen")
def allow_own_name(hand: Hand) -> None:
    settings, name = hand.site.wsus.server.settings, hand.site.sup.fqdn.lower()
    names = tuple(dict.fromkeys((*settings.own_names, name)))
    settings.change(hand.note(settings, f"own_names={name}"), own_names=names)


@repair("R70", "Run iisreset on the SUP", "iisreset auf dem SUP ausführen")
def reset_iis(hand: Hand) -> None:
    iis = hand.iis
    because = hand.note(iis.w3svc, "restarted", "running")
    iis.stop_iisadmin(hand.at, because)
    iis.stop_w3svc(hand.at, because)
    delay_us = hand.world.dice.stream(f"iisreset/{iis.server.name}/{hand.at}").about(RESET_US)

    def start(world: World) -> None:
        iis.start_iisadmin(world.now, because)
        iis.start_w3svc(world.now, because)

    hand.world.plan(hand.at + delay_us, start)
