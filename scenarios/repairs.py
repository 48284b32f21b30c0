"""Repairs and other manual actions: each writes what a person would write, and the owning process notices later.

Ids ``R..`` are repairs and checks, ``X..`` what a well-meaning person should better not do. A repair knows nothing of faults.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.text import Text
from simulator.components.iis import DIRECTORIES, SSL_DIRECTORIES
from simulator.components.windows import ADMINISTRATORS, GUESTS
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
RESET_US = 15 * SECOND
"""How long iisreset keeps the web sites down [U]."""


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
        if self.id in ("R16", "R17", "R18", "R21") and not (site.ssl or site.certificate):
            raise EstateError(f"{site.sup} has no certificate", hint="Use a site with ssl = true or certificate = true")
        if self.id in ("R29", "R30", "R31", "R32", "X21") and estate.proxy is None:
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


@repair("R32", "Have the proxy team set up the proxy again", "Proxyserver durch das Proxyteam wiederherstellen lassen")
def restore_proxy_server(hand: Hand) -> None:
    proxy = hand.world.proxy
    assert proxy is not None
    settings = proxy.settings
    port, account = settings.healthy.get("port", settings.port), settings.healthy.get("account", settings.account)
    settings.change(hand.note(settings, f"port={port}, account={account}", "port", "account"), port=port, account=account)


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


# --- what a well-meaning person should better not do: against no fault, though some of it hides one


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
    settings, proxy = hand.site.wsus.settings, _proxy_of(hand)
    settings.change(hand.note(settings, f"{proxy['proxy_host']}:{proxy['proxy_port']}"), **proxy)


@repair("X22", "Switch on WSUS's own synchronization schedule", "Automatischen Synchronisierungszeitplan in WSUS einschalten")
def switch_on_automatic_schedule(hand: Hand) -> None:
    hand.site.wsus.schedule(hand.note(hand.site.wsus.settings, "automatic=True", "automatic"))


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
