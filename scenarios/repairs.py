"""Repairs and other manual actions: each writes what a person would write, and the owning process notices later.

Ids ``R..`` are repairs and checks, ``X..`` what a well-meaning person should better not do. A repair knows nothing of faults.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.text import Text
from simulator.components.iis import DIRECTORIES, SSL_DIRECTORIES
from simulator.components.windows import GUESTS
from simulator.errors import EstateError
from simulator.events import ActionTaken, FaultBegan
from simulator.state import State
from simulator.units import DAY, SECOND

if TYPE_CHECKING:
    from simulator import estate as spec
    from simulator.components.iis import Iis
    from simulator.components.site import Site
    from simulator.journal import Entry
    from simulator.world import World

CONSOLE_US = (2 * SECOND, 30 * SECOND)
"""From the console's button to the file in wsyncmgr.box [L]."""


@dataclass(frozen=True, slots=True)
class Hand:
    """Somebody at work on one site."""

    world: World
    site: Site
    action: str

    @property
    def at(self) -> int:
        return self.world.now

    @property
    def iis(self) -> Iis:
        iis = self.site.wsus.server.iis
        assert iis is not None
        return iis

    def note(self, state: State, detail: str, *settings: str) -> Entry:
        """Write down what is done to ``state``, and against which fault if one made these settings deviate.

        What a person does follows from nothing: she would do it in a healthy world, too.
        """
        cause = state.because(*settings)
        while cause is not None and cause.because is not None:
            cause = cause.because
        against = cause.id if cause is not None and isinstance(cause.event, FaultBegan) else ""
        return self.world.hand.report(self.at, ActionTaken(self.action, self.site.code, state.entity, detail, against))


@dataclass(frozen=True, slots=True)
class Repair:
    """One action that somebody can take."""

    id: str
    title: Text
    do: Callable[[Hand], None]

    def check(self, estate: spec.Estate, site: spec.Site) -> None:
        """Raise ``EstateError`` when this cannot be done at that site."""
        if self.id in ("R10", "R11") and site.parent is not None:
            raise EstateError(
                f"a synchronization cannot be started by hand at child site {site.code}",
                hint=f"Start it at the top-level site, {estate.top.code}",
            )
        if self.id in ("R16", "R17") and not (site.ssl or site.certificate):
            raise EstateError(f"{site.sup} has no certificate", hint="Use a site with ssl = true or certificate = true")
        if self.id in ("R29", "R30", "R31") and estate.proxy is None:
            raise EstateError("there is no proxy in this estate", hint="Add [estate.proxy] to the story")

    def apply(self, world: World, site_code: str) -> None:
        """Do it now at that site; raises ``EstateError`` where it makes no sense."""
        self.check(world.estate, world.sites[site_code].spec)
        self.do(Hand(world, world.sites[site_code], self.id))


REPAIRS: dict[str, Repair] = {}
"""Every repair and action by id."""


def repair(id: str, en: str, de: str) -> Callable[[Callable[[Hand], None]], Callable[[Hand], None]]:
    """Register a function as the repair of that id."""

    def register(do: Callable[[Hand], None]) -> Callable[[Hand], None]:
        REPAIRS[id] = Repair(id, Text(en, de), do)
        return do

    return register


@repair("R01", "Start Update Services", "Update Services starten")
def start_update_services(hand: Hand) -> None:
    hand.site.wsus.start(hand.at, hand.note(hand.site.wsus.service, "running", "running"))


@repair(
    "R02",
    "Start IIS Admin Service and World Wide Web Publishing Service",
    "IIS-Administratordienst und WWW-Publishingdienst starten",
)
def start_iis(hand: Hand) -> None:
    because = hand.note(hand.iis.w3svc, "running", "running")
    hand.iis.start_iisadmin(hand.at, because)
    hand.iis.start_w3svc(hand.at, because)


@repair("R03", "Restart SMS_EXECUTIVE on the site server", "SMS_EXECUTIVE auf dem Standortserver neu starten")
def restart_executive(hand: Hand) -> None:
    executive = hand.site.executive
    executive.restart(hand.note(executive.service, "restarted"))


@repair("R04", "Start the database service of SUSDB", "Datenbankdienst der SUSDB starten")
def start_susdb(hand: Hand) -> None:
    database = hand.site.wsus.database
    because = hand.note(database, "running", "running")
    hand.site.wsus.server.set_service(hand.at, database.name, running=True, because=because)


@repair("R06", "Start WsusPool", "WsusPool starten")
def start_pool(hand: Hand) -> None:
    hand.iis.pool.change(hand.note(hand.iis.pool, "started", "started"), started=True)


@repair("R08", "Trigger WCM: save the SUP's properties again", "WCM anstoßen: Eigenschaften des SUP erneut speichern")
def trigger_wcm(hand: Hand) -> None:
    hand.site.save_sup(hand.note(hand.site.wcm.state, "WCM triggered"))


@repair("R10", "Run Synchronization", "Synchronisierung ausführen")
def run_synchronization(hand: Hand) -> None:
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


@repair(
    "R14", "Repair name resolution: DNS records, forwarder, hosts file", "Namensauflösung reparieren: DNS, Weiterleitung, hosts"
)
def repair_dns(hand: Hand) -> None:
    dns = hand.world.network.dns
    because = hand.note(dns, "records, forwarder and hosts files as they should be", "forwards", "records")
    dns.change(because, forwards=True, records=dns.healthy.get("records", dns.records))
    for server in dict.fromkeys((hand.site.server, hand.site.wsus.server)):
        server.hosts_file.change(because, entries={})


@repair("R15", "Make the SUP use SSL as WSUS does", "SUP auf dieselbe SSL-Einstellung wie WSUS setzen")
def match_ssl(hand: Hand) -> None:
    settings, sup = hand.site.wsus.settings, hand.site.sup
    wrong: State = settings if sup.because("use_ssl") is None else sup
    because = hand.note(wrong, f"use_ssl={settings.using_ssl}", "using_ssl", "use_ssl")
    hand.site.save_sup(because, use_ssl=settings.using_ssl)


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


@repair("R25", "Remove the denial of Guests", "Verweigerung für die Gruppe Gäste entfernen")
def remove_guests_denial(hand: Hand) -> None:
    because = hand.note(hand.iis.directories["DssAuthWebService"], "Guests no longer denied", "denied")
    for directory in hand.iis.directories.values():
        directory.change(because, denied=tuple(denial for denial in directory.denied if denial.account != GUESTS))


@repair("R27", "Add the accounts to WSUS Administrators", "Konten zu WSUS-Administratoren hinzufügen")
def add_to_administrators(hand: Hand) -> None:
    group, site = hand.site.wsus.administrators, hand.site
    wanted = (site.server.computer_account, site.wsus.server.computer_account, site.sup.connection_account)
    missing = tuple(account for account in wanted if account and account not in group.members)
    members = group.healthy.get("members", group.members) if missing else group.members
    group.change(hand.note(group, ", ".join(missing) or "unchanged", "members"), members=members)


@repair("R28", "Clear the SUP's connection account", "Verbindungskonto des SUP entfernen")
def clear_connection_account(hand: Hand) -> None:
    hand.site.save_sup(hand.note(hand.site.sup, "computer account", "connection_account"), connection_account="")


@repair("R29", "Set the proxy on the SUP", "Proxy am SUP eintragen")
def set_proxy(hand: Hand) -> None:
    proxy = _proxy_of(hand)
    because = hand.note(hand.site.sup, f"{proxy['proxy_host']}:{proxy['proxy_port']}", "proxy_host", "proxy_port")
    hand.site.save_sup(because, proxy_host=proxy["proxy_host"], proxy_port=proxy["proxy_port"])


@repair("R30", "Set the proxy account on the SUP", "Proxykonto am SUP eintragen")
def set_proxy_account(hand: Hand) -> None:
    account = _proxy_of(hand)["proxy_account"]
    hand.site.save_sup(hand.note(hand.site.sup, str(account), "proxy_account"), proxy_account=account)


def _proxy_of(hand: Hand) -> dict[str, str | int]:
    proxy = hand.world.proxy
    assert proxy is not None
    return {
        "proxy_host": proxy.server.fqdn.lower(),
        "proxy_port": proxy.settings.port,
        "proxy_account": proxy.settings.account,
    }


@repair("R31", "Give the proxy account a new password, here and in the SUP", "Kennwort des Proxykontos hier und am SUP erneuern")
def renew_proxy_password(hand: Hand) -> None:
    name = _proxy_of(hand)["proxy_account"]
    account = hand.world.accounts.get(str(name))
    if account is None:
        return
    account.change(hand.note(account, "new password", "password_current", "enabled"), password_current=True, enabled=True)


@repair("R33", "Repair the firewall rules", "Firewallregeln reparieren")
def repair_firewall(hand: Hand) -> None:
    firewall = hand.world.network.firewall
    names = {hand.site.server.name, hand.site.wsus.server.name}
    rules = tuple(rule for rule in firewall.rules if not {rule.source, rule.destination} & names)
    firewall.change(hand.note(firewall, "rules of this site removed", "rules"), rules=rules)


@repair("R35", "Restart SMS_EXECUTIVE on the SUP", "SMS_EXECUTIVE auf dem SUP neu starten")
def restart_sup_executive(hand: Hand) -> None:
    executive = hand.site.sup_executive
    executive.restart(hand.note(executive.service, "restarted"))


@repair(
    "R36",
    "Install the WSUS administration console on the site server",
    "WSUS-Verwaltungskonsole auf dem Standortserver installieren",
)
def install_console(hand: Hand) -> None:
    programs = hand.site.server.programs
    programs.change(hand.note(programs, "installed", "wsus_console"), wsus_console=True)


@repair("R37", "Clear the replica option", "Replikat-Option deaktivieren")
def clear_replica(hand: Hand) -> None:
    settings = hand.site.wsus.settings
    settings.change(hand.note(settings, "replica=False", "replica"), replica=False)


@repair("X22", "Switch on WSUS's own synchronization schedule", "Automatischen Synchronisierungszeitplan in WSUS einschalten")
def switch_on_automatic_schedule(hand: Hand) -> None:
    hand.site.wsus.schedule(hand.note(hand.site.wsus.settings, "automatic=True", "automatic"))
