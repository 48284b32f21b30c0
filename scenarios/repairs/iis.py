"""Repairs in IIS Manager."""

from __future__ import annotations

from scenarios.action import Hand, repair
from simulator.components.iis import DIRECTORIES, SSL_DIRECTORIES
from simulator.errors import EstateError
from simulator.units import DAY


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
