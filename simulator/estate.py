"""What stands where: the frozen description of sites, servers and network from which a world is built.

CONTOSO is the estate of all examples and goldens.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from simulator.errors import EstateError

if TYPE_CHECKING:
    from simulator.versions import Version

_HOST = re.compile(r"[A-Z]([A-Z0-9-]{0,13}[A-Z0-9])?")
_ACCOUNT = re.compile(r"[A-Za-z0-9._$-]{1,20}")
_DEVICE = re.compile(r"CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9]")
"""Names that no file or folder of Windows may have."""
_CODE = re.compile(r"[A-Z0-9]{3}")
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
WORKSTATION = "ADMIN1"
"""Computer of the administrator, in every estate."""
RESERVED_CODES = frozenset({"AUX", "CON", "NUL", "PRN", "SMS"})
"""Site codes that ConfigMgr does not allow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A ConfigMgr site with its software update point."""

    code: str
    """Site code: three letters or digits."""
    kind: Literal["central", "primary", "secondary"] = "primary"
    """``central`` for a top-level site with child sites; a primary without a parent is a stand-alone site; a ``secondary`` lies
    below a primary, and its WSUS is a replica of that site's."""
    parent: str | None = None
    """Code of the parent site; ``None`` for the top-level site."""
    server: str
    """NetBIOS name of the site server."""
    sup: str
    """NetBIOS name of the software update point; the same as ``server`` when it is local."""
    further_sups: tuple[str, ...] = ()
    """NetBIOS names of further software update points of the site: replicas of the first (2007: the Internet-based one)."""
    ssl: bool = False
    """The SUP requires SSL (2007: native mode) and WSUS is configured for it."""
    certificate: bool = False
    """WSUS has an HTTPS binding with a certificate although the SUP does not use it. Implied by ``ssl``."""
    old_wsus: str = ""
    """NetBIOS name of a retired WSUS server that still runs, though no site uses it; empty for none."""
    proxy: bool = False
    """This site's SUP reaches Microsoft Update through the estate's proxy."""
    connection_account: str = ""
    """Account, without domain, that connects to WSUS; empty for the site server's computer account."""
    sync_at_h: int = 8
    """Hour of the day, local time, of the first scheduled synchronization (top-level site only)."""
    sync_every_h: int = 24
    """Hours between scheduled synchronizations; 0 switches the schedule off."""
    timezone: str = ""
    """IANA name of this site's time zone; empty for the estate's."""
    products: tuple[str, ...] = ()
    """Products that it subscribes to; empty for the usual ones of the generation (top-level site only)."""
    classifications: tuple[str, ...] = ()
    """Update classifications that it subscribes to; empty for the usual ones (top-level site only)."""
    languages: tuple[str, ...] = ("en",)
    """Languages of the summary details, such as ``en`` and ``de`` (top-level site only)."""
    transfer_from_h: int = 0
    """Hour of the day, by the parent's clock, from which files may be sent to this site."""
    transfer_until_h: int = 24
    """Hour of the day until which they may; when it is the earlier one, over midnight."""

    @property
    def remote_sup(self) -> bool:
        return self.server != self.sup

    @property
    def sups(self) -> tuple[str, ...]:
        """NetBIOS names of all its software update points, the first one first."""
        return (self.sup, *self.further_sups)

    @property
    def hosts(self) -> tuple[str, ...]:
        """NetBIOS names of all its servers, each once."""
        return tuple(dict.fromkeys((self.server, *self.wsus_servers)))

    @property
    def wsus_servers(self) -> tuple[str, ...]:
        """NetBIOS names of all servers with WSUS, those in use first."""
        return (*self.sups, self.old_wsus) if self.old_wsus else self.sups


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """The proxy server between the estate and the Internet."""

    host: str = "PROXY1"
    """NetBIOS name."""
    port: int = 8080
    """TCP port."""
    account: str = ""
    """Account, without domain, that it demands; empty when it lets everybody through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """Sites and network of one organization."""

    name: str
    domain: str = "contoso.com"
    """DNS domain; its first label, in capitals, is the NetBIOS domain."""
    sites: tuple[Site, ...]
    proxy: Proxy | None = None
    internet_names: bool = True
    """DNS inside resolves Internet names (off where only the proxy does)."""
    timezone: str = "Europe/Berlin"
    """IANA name of the time zone of all sites that do not name their own."""
    log_max_bytes: int = 250_000
    """Size at which a site component's log is rolled over to ``.lo_`` (documented default [L])."""

    @property
    def netbios_domain(self) -> str:
        return self.domain.split(".", 1)[0].upper()

    def site(self, code: str) -> Site:
        """The site of that code; raises ``EstateError`` when there is none."""
        for site in self.sites:
            if site.code == code:
                return site
        raise EstateError(f"there is no site {code!r}", where=self.name, hint=f"Its sites: {', '.join(s.code for s in self.sites)}")

    @property
    def top(self) -> Site:
        """The site without a parent."""
        return next(site for site in self.sites if site.parent is None)

    def children(self, code: str) -> Iterator[Site]:
        """Sites directly below ``code``, in the order of the estate."""
        return (site for site in self.sites if site.parent == code)

    def hosts(self) -> Iterator[str]:
        """Every server, once, site by site."""
        for site in self.sites:
            yield from site.hosts

    def check(self) -> None:
        """Raise ``EstateError`` for what cannot exist: says which key, what was expected, and what to do."""
        self._check_domain()
        if not self.sites:
            raise EstateError(
                "an estate needs at least one site", where="estate.sites", hint="Add [[estate.sites]] with code, server and sup"
            )
        if self.log_max_bytes < 10_000:
            raise EstateError(
                f"{self.log_max_bytes} is too small", where="estate.log_max_bytes", hint="The product's minimum is 10000 bytes"
            )
        above: dict[str, Site] = {}
        hosts: dict[str, str] = {}
        for number, site in enumerate(self.sites, 1):
            where = f"estate.sites, site {number} ({site.code})"
            self._check_place(site, where, above)
            self._check_names(site, where, hosts)
            above[site.code] = site
        if self.proxy is not None:
            self._check_proxy(self.proxy, hosts)
        if self.sites[0].kind == "central" and len(self.sites) == 1:
            raise EstateError(
                "a central site without child sites", where="estate.sites", hint="Make it a primary, or add a child site"
            )
        if not self.internet_names and not self.top.proxy:
            raise EstateError(
                "the top-level site has neither Internet names nor a proxy, so it could never synchronize",
                where="estate.internet_names",
                hint="Set proxy = true on the top-level site, or internet_names = true",
            )

    def _check_domain(self) -> None:
        labels = self.domain.split(".")
        if not _DOMAIN.fullmatch(self.domain):
            raise EstateError(
                f"{self.domain!r} is not a DNS domain",
                where="estate.domain",
                hint="Write it in lower case with at least one dot: contoso.com",
            )
        if len(self.domain) > 200 or len(labels[0]) > 15 or any(len(label) > 63 for label in labels):
            raise EstateError(
                "it is too long", where="estate.domain", hint="At most 15 letters in the first label, 63 in the others, 200 in all"
            )

    def check_for(self, version: Version) -> None:
        """Raise ``EstateError`` for what that product generation does not have or support."""
        children: Counter[tuple[str | None, str]] = Counter((site.parent, site.kind) for site in self.sites)
        kinds = {site.code: site.kind for site in self.sites}
        for number, site in enumerate(self.sites, 1):
            where = f"estate.sites, site {number} ({site.code})"
            if len(site.sups) > version.max_sups:
                raise EstateError(
                    f"{len(site.sups)} software update points; {version.title} supports {version.max_sups} at a site",
                    where=where,
                    hint="Leave out some of further_sups",
                )
            if kinds.get(site.parent or "") == "primary" and site.kind == "primary" and not version.primaries_nest:
                raise EstateError(
                    f"a primary site below a primary site; in {version.title} they lie below a central one",
                    where=where,
                    hint='Make its parent kind = "central", or the site itself kind = "secondary"',
                )
            for kind, highest in (("primary", version.max_child_primaries), ("secondary", version.max_secondaries)):
                if children[site.code, kind] > highest:
                    raise EstateError(
                        f"{children[site.code, kind]} {kind} sites below it; {version.title} supports {highest}",
                        where=where,
                        hint="Spread them over several sites, or leave some out",
                    )

    def _check_place(self, site: Site, where: str, above: Mapping[str, Site]) -> None:
        """The site's code, and its place in the hierarchy."""
        if not _CODE.fullmatch(site.code) or site.code in RESERVED_CODES:
            raise EstateError(
                f"{site.code!r} is not a site code", where=where, hint="Three capital letters or digits, none of the reserved names"
            )
        if site.code in above:
            raise EstateError(f"site code {site.code} is there twice", where=where, hint="Every site has its own code")
        if site.kind == "central" and site.parent is not None:
            raise EstateError("a central site has no parent", where=where, hint="Make it a primary")
        if site.parent is None and above:
            raise EstateError(
                "a second site without a parent", where=where, hint=f"Give it one, for example parent = {self.sites[0].code!r}"
            )
        if site.parent is not None and site.parent not in above:
            raise EstateError(f"its parent {site.parent!r} is not above it", where=where, hint="List a parent before its children")
        self._check_kind(site, where, above[site.parent] if site.parent is not None else None)
        if not 0 <= site.sync_at_h <= 23 or not 0 <= site.sync_every_h <= 24 * 31:
            raise EstateError("its schedule is impossible", where=where, hint="sync_at_h is 0 to 23, sync_every_h 0 (off) to 744")
        opens_h, closes_h = site.transfer_from_h, site.transfer_until_h
        if not 0 <= opens_h <= 23 or not 1 <= closes_h <= 24 or opens_h == closes_h:
            raise EstateError(
                "its transfer hours are impossible",
                where=where,
                hint="transfer_from_h is 0 to 23, transfer_until_h 1 to 24 and another one",
            )

    @staticmethod
    def _check_kind(site: Site, where: str, parent: Site | None) -> None:
        """Which kinds of sites may lie below which."""
        if parent is None:
            if site.kind == "secondary":
                raise EstateError("a secondary site without a parent", where=where, hint="Give it a primary site as parent")
        elif parent.kind == "secondary":
            raise EstateError(
                f"its parent {parent.code} is a secondary site", where=where, hint="Nothing lies below a secondary site"
            )
        elif parent.kind == "central" and site.kind == "secondary":
            raise EstateError("a secondary site below the central site", where=where, hint="Secondary sites lie below primary ones")

    def _check_names(self, site: Site, where: str, hosts: dict[str, str]) -> None:
        """The names of its servers and accounts."""
        if len(set(site.sups)) < len(site.sups):
            raise EstateError(
                "a software update point is there twice", where=where, hint="further_sups names those besides sup, each once"
            )
        for key, host in (("server", site.server), ("sup", site.sup), *(("further_sups", host) for host in site.further_sups)):
            _check_host(host, key, where)
            if hosts.setdefault(host, site.code) != site.code:
                raise EstateError(f"{host} already serves site {hosts[host]}", where=where, hint="Every site has its own servers")
        if site.old_wsus:
            _check_host(site.old_wsus, "old_wsus", where)
            if site.old_wsus in hosts:
                raise EstateError(
                    f"the retired server {site.old_wsus} still serves site {hosts[site.old_wsus]}",
                    where=where,
                    hint="Give the retired WSUS server a name of its own",
                )
            hosts[site.old_wsus] = site.code
        _check_account(site.connection_account, where)
        if site.proxy and self.proxy is None:
            raise EstateError(
                "it uses a proxy that the estate does not have", where=where, hint="Add [estate.proxy], or set proxy = false"
            )

    @staticmethod
    def _check_proxy(proxy: Proxy, hosts: dict[str, str]) -> None:
        _check_host(proxy.host, "host", "estate.proxy.host")
        _check_account(proxy.account, "estate.proxy.account")
        if proxy.host in hosts:
            raise EstateError(
                f"the proxy's name {proxy.host} is a site server's", where="estate.proxy.host", hint="Give the proxy its own name"
            )


def _check_host(host: str, key: str, where: str) -> None:
    if host == WORKSTATION:
        raise EstateError(f"{key} {host!r} is the administrator's workstation", where=where, hint="Choose another name")
    if not _HOST.fullmatch(host) or _DEVICE.fullmatch(host):
        raise EstateError(
            f"{key} {host!r} is not a computer name",
            where=where,
            hint="Up to 15 capital letters, digits and hyphens, a letter first, and no device's name",
        )


def _check_account(account: str, where: str) -> None:
    if account and not _ACCOUNT.fullmatch(account):
        raise EstateError(
            f"{account!r} is not an account", where=where, hint="Up to 20 letters, digits and . _ $ -, without its domain"
        )


def _contoso(**changes: bool | str | tuple[str, ...]) -> Site:
    return replace(Site(code="CS1", server="CS1SITE", sup="CS1SUP"), **changes)  # type: ignore[arg-type]


_CHILD = Site(code="PS1", server="PS1SITE", sup="PS1SUP", parent="CS1")
_PS2 = Site(code="PS2", server="PS2SITE", sup="PS2SUP", parent="CS1")
_SECONDARY = Site(code="SS1", kind="secondary", server="SS1SITE", sup="SS1SITE", parent="PS1")
_CENTRAL = _contoso(kind="central")

CONTOSO = Estate(name="contoso", sites=(_contoso(),))
"""One stand-alone primary site with a remote software update point and direct Internet access."""

ESTATES: dict[str, Estate] = {
    estate.name: estate
    for estate in (
        CONTOSO,
        Estate(name="contoso-local", sites=(_contoso(sup="CS1SITE"),)),
        Estate(name="contoso-ssl", sites=(_contoso(ssl=True),)),
        Estate(name="contoso-certificate", sites=(_contoso(certificate=True),)),
        Estate(name="contoso-account", sites=(_contoso(connection_account="svc-wsus"),)),
        Estate(name="contoso-proxy", sites=(_contoso(proxy=True),), proxy=Proxy(account="svc-proxy"), internet_names=False),
        Estate(name="contoso-old", sites=(_contoso(old_wsus="CS1OLD"),)),
        Estate(name="contoso-child", sites=(_CENTRAL, _CHILD)),
        Estate(name="contoso-replica", sites=(_contoso(further_sups=("CS1SUP2",)),)),
        Estate(name="contoso-hierarchy", sites=(_CENTRAL, replace(_CHILD, further_sups=("PS1SUP2",)), _PS2, _SECONDARY)),
    )
}
"""The built-in estates by name; all are CONTOSO with one thing more or different."""


_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FIRST = "ABCDEFGHIJKLMNOQRSTUVWXYZ"
"""First letters of secondary sites' codes, a primary site each; P is the primary sites' own."""
MAX_PRIMARIES, MAX_SECONDARIES = 25, 250
"""Supported numbers of primary sites below a central one, and of secondary sites below each of these [L]."""


def hierarchy(sites: int = 0, *, primaries: int = 0, secondaries: int = 0) -> Estate:
    """A CONTOSO of many sites: a central site, ``primaries`` below it, ``secondaries`` below each of these.

    ``sites`` says how many there shall be in all instead: as many primaries as are supported, then secondaries, spread evenly.
    Raises ``EstateError`` for more than are supported.
    """
    if sites:
        primaries = min(sites - 1, MAX_PRIMARIES)
        below = sites - 1 - primaries
        counts = [below // primaries + (number < below % primaries) for number in range(primaries)]
    else:
        counts = [secondaries] * primaries
    if not 0 <= primaries <= MAX_PRIMARIES or not all(0 <= number <= MAX_SECONDARIES for number in counts):
        raise EstateError(
            f"a hierarchy has at most {MAX_PRIMARIES} primary sites with {MAX_SECONDARIES} secondary sites each",
            where="hierarchy",
            hint=f"{1 + MAX_PRIMARIES * (1 + MAX_SECONDARIES)} sites in all",
        )
    if not primaries:
        return CONTOSO
    built = [_CENTRAL]
    for number, count in enumerate(counts):
        parent = f"P{_DIGITS[(number + 1) // 36]}{_DIGITS[(number + 1) % 36]}"
        built.append(Site(code=parent, server=f"{parent}SITE", sup=f"{parent}SUP", parent="CS1"))
        for below in range(count):
            code = f"{_FIRST[number]}{_DIGITS[below // 36]}{_DIGITS[below % 36]}"
            built.append(Site(code=code, kind="secondary", server=f"{code}SITE", sup=f"{code}SITE", parent=parent))
    return Estate(name=f"contoso-{len(built)}", sites=tuple(built))
