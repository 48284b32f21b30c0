"""Repairs in the ConfigMgr console, and in the folders of the site server."""

from __future__ import annotations

from scenarios.action import Hand, repair
from simulator.components.site import MICROSOFT_UPDATE
from simulator.components.upstream import LANGUAGES
from simulator.state import State
from simulator.units import SECOND

CONSOLE_US = (2 * SECOND, 30 * SECOND)
"""From the console's button to the file in wsyncmgr.box [L]."""


@repair("R08", "Trigger WCM: save the SUP's properties again", "WCM anstoßen: Eigenschaften des SUP erneut speichern")
def trigger_wcm(hand: Hand) -> None:
    hand.site.save_sup(hand.note(hand.site.wcm.state, "WCM triggered"))


@repair("R09", "Wait for WCM's hourly cycle", "Auf den stündlichen Lauf von WCM warten")
def wait_for_wcm(hand: Hand) -> None:
    hand.note(hand.site.wcm.state, "waiting")


@repair("R10", "Run Synchronization", "Synchronisierung ausführen")
def run_synchronization(hand: Hand) -> None:
    obstacles = hand.world.console.obstacles(hand.world)
    if obstacles:
        hand.note(hand.world.console, f"not available: {', '.join(obstacle for obstacle, _ in obstacles)}")
        return
    _drop(hand, "SELF.SYN", hand.world.dice.stream(f"console/{hand.site.code}/{hand.at}").between(*CONSOLE_US))


@repair("R11", "Drop FULL.SYN into wsyncmgr.box", "FULL.SYN in wsyncmgr.box ablegen")
def run_full_synchronization(hand: Hand) -> None:
    _drop(hand, "FULL.SYN", 0)


def _drop(hand: Hand, file: str, delay_us: int) -> None:
    site = hand.site
    hand.note(site.wcm.state, file)
    hand.world.plan(hand.at + delay_us, lambda world: site.wsyncmgr.drop(world.now, file))


@repair("R12", "Set the SUP's port numbers to those of the web site", "Portnummern des SUP auf die der Website setzen")
def set_sup_ports(hand: Hand) -> None:
    http, https = hand.iis.http.port, hand.iis.https.port
    because = hand.note(hand.site.sup, f"http_port={http}, https_port={https}", "http_port", "https_port")
    hand.site.save_sup(because, http_port=http, https_port=https)


@repair("R13", "Correct the site system's FQDN", "FQDN des Standortsystems berichtigen")
def correct_fqdn(hand: Hand) -> None:
    fqdn = hand.site.wsus.server.fqdn
    hand.site.save_sup(hand.note(hand.site.sup, f"fqdn={fqdn}", "fqdn"), fqdn=fqdn)


@repair("R15", "Make the SUP use SSL as WSUS does", "SUP auf dieselbe SSL-Einstellung wie WSUS setzen")
def match_ssl(hand: Hand) -> None:
    settings, sup = hand.site.wsus.settings, hand.site.sup
    wrong: State = settings if sup.because("use_ssl") is None else sup
    because = hand.note(wrong, f"use_ssl={settings.using_ssl}", "using_ssl", "use_ssl")
    hand.site.save_sup(because, use_ssl=settings.using_ssl)


@repair("R28", "Clear the SUP's connection account", "Verbindungskonto des SUP entfernen")
def clear_connection_account(hand: Hand) -> None:
    hand.site.save_sup(hand.note(hand.site.sup, "computer account", "connection_account"), connection_account="")


@repair("R29", "Set the proxy on the SUP", "Proxy am SUP eintragen")
def set_proxy(hand: Hand) -> None:
    proxy = proxy_of(hand)
    because = hand.note(hand.site.sup, f"{proxy['proxy_host']}:{proxy['proxy_port']}", "proxy_host", "proxy_port")
    hand.site.save_sup(because, proxy_host=proxy["proxy_host"], proxy_port=proxy["proxy_port"])


@repair("R30", "Set the proxy account on the SUP", "Proxykonto am SUP eintragen")
def set_proxy_account(hand: Hand) -> None:
    account = proxy_of(hand)["proxy_account"]
    hand.site.save_sup(hand.note(hand.site.sup, str(account), "proxy_account"), proxy_account=account)


def proxy_of(hand: Hand) -> dict[str, str | int]:
    proxy = hand.world.proxy
    assert proxy is not None
    return {
        "proxy_host": proxy.server.fqdn.lower(),
        "proxy_port": proxy.settings.port,
        "proxy_account": proxy.settings.account,
    }


@repair("R31", "Give the proxy account a new password, here and in the SUP", "Kennwort des Proxykontos hier und am SUP erneuern")
def renew_proxy_password(hand: Hand) -> None:
    name = proxy_of(hand)["proxy_account"]
    account = hand.world.accounts.get(str(name))
    if account is None:
        return
    account.change(hand.note(account, "new password", "password_current", "enabled"), password_current=True, enabled=True)


@repair("R39", "Set Microsoft Update as the synchronization source", "Microsoft Update als Synchronisierungsquelle einstellen")
def set_source(hand: Hand) -> None:
    hand.site.save_sup(hand.note(hand.site.sup, f"source={MICROSOFT_UPDATE}", "source"), source=MICROSOFT_UPDATE)


@repair("R40", "Choose the active software update point", "Aktiven Softwareupdatepunkt auswählen")
def choose_active_sup(hand: Hand) -> None:
    site = hand.site
    if not site.sup.active:
        site.wsyncmgr.server_moved(None)
    site.save_sup(hand.note(site.sup, "active", "active"), active=True)


@repair("R41", "Select a further language for summary details", "Eine weitere Sprache für Übersichtsdetails auswählen")
def add_language(hand: Hand) -> None:
    languages = hand.site.top.sup.languages
    added = next((language for language in LANGUAGES if language not in languages), None)
    if added is not None:
        because = hand.note(hand.site.top.sup, f"languages: {added} added", "languages")
        hand.site.top.save_sup(because, languages=(*languages, added))


@repair("R42", "Select products and classifications as before", "Produkte und Klassifizierungen wie zuvor auswählen")
def select_products(hand: Hand) -> None:
    top, wanted = hand.site.top, hand.world.subscription
    because = hand.note(top.sup, "products and classifications as before", "products", "classifications")
    top.save_sup(because, products=wanted.products, classifications=wanted.classifications)


@repair("R43", "Enable the synchronization schedule", "Synchronisierungszeitplan aktivieren")
def enable_schedule(hand: Hand) -> None:
    top = hand.site.top
    top.save_sup(hand.note(top.sup, "scheduled", "scheduled"), scheduled=bool(top.spec.sync_every_h))


@repair("R45", "Wait for the running synchronization", "Auf die laufende Synchronisierung warten")
def wait_for_synchronization(hand: Hand) -> None:
    hand.note(hand.site.wcm.state, "waiting")


@repair("R68", "Connect the console to the top-level site", "Konsole mit dem obersten Standort verbinden")
def connect_console(hand: Hand) -> None:
    console, top = hand.world.console, hand.site.top
    console.change(hand.note(console, f"site={top.code}", "site"), site=top.code)
