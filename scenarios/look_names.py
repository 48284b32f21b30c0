"""Names as facts have them: what a server or site is to the site that is looked at, so that facts of different estates compare.

``CS1SUP.CONTOSO.COM:8530`` seen from site CS1 is ``<sup>.<domain>:8530``, from its child ``<psup>.<domain>:8530``; the file
``CS1.SYN`` is ``<site>.SYN`` and ``<parent>.SYN``. IP addresses are those of servers, so they become servers, too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.components.site import Site
    from simulator.world import World

_WORD = r"(?P<token>[A-Za-z0-9][A-Za-z0-9-]*)"
_ADDRESS = r"(?P<address>\d+(?:\.\d+){3})"


class Names:
    """All names of a world, and what they are to a site."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._roles: dict[str, tuple[str, str]] = {}
        """Server in capitals -> code of its site and its role there; an empty code for what belongs to no site."""
        for code, site in world.sites.items():
            self._roles[site.server.name] = code, "ss"
            for number, point in enumerate(site.points, 1):
                self._roles[point.server.name] = code, "sup" if number == 1 else f"sup{number}"
            if site.spec.old_wsus:
                self._roles[site.spec.old_wsus] = code, "old"
        self._roles[world.wsus_console.workstation.name] = "", "adm"
        if world.proxy is not None:
            self._roles[world.proxy.server.name] = "", "prx"
        self._addresses = {server.ip: name for name, server in world.network.servers.items()}
        self._relations: dict[str, dict[str, tuple[str, str]]] = {}
        self._accounts = self._named_accounts()
        self._pattern = self._compile()

    def _named_accounts(self) -> dict[str, str]:
        """Accounts that somebody chose the names of, in lower case -> what they are for."""
        estate = self._world.estate
        found = {site.connection_account.lower(): "<connection account>" for site in estate.sites if site.connection_account}
        if estate.proxy is not None and estate.proxy.account:
            found[estate.proxy.account.lower()] = "<proxy account>"
        return found

    def _compile(self) -> re.Pattern[str]:
        estate = self._world.estate
        domain, netbios = re.escape(estate.domain), re.escape(estate.netbios_domain)
        parts = [_ADDRESS, rf"(?P<domain>{domain}(?![\w-])|{netbios}(?=\\))"]
        if self._accounts:
            accounts = "|".join(re.escape(name) for name in sorted(self._accounts, key=len, reverse=True))
            parts.append(rf"(?<=\\)(?P<account>{accounts})(?![\w$-])")
        return re.compile("|".join((*parts, _WORD)), re.IGNORECASE)

    def _of(self, site: Site) -> dict[str, tuple[str, str]]:
        """Site code -> what that site is to this one, and how roles there begin."""
        known = self._relations.get(site.code)
        if known is None:
            known = {site.code: ("<site>", "")}
            if site.parent is not None:
                known[site.parent.code] = "<parent>", "p"
            for number, child in enumerate(site.children, 1):
                known[child.code] = (f"<child{number}>", f"c{number}") if number > 1 else ("<child>", "c")
            others = (code for code in self._world.sites if code not in known)
            known.update({code: (f"<other{number}>", f"o{number}") for number, code in enumerate(list(others), 1)})
            self._relations[site.code] = known
        return known

    def mask(self, text: str, site: Site) -> str:
        """The text with all names replaced, as seen from ``site``."""
        sites = self._of(site)

        def replace(match: re.Match[str]) -> str:
            found = match[0]
            if match.lastgroup == "domain":
                return "<domain>"
            if match.lastgroup == "account":
                return self._accounts[found.lower()]
            if match.lastgroup == "address":
                role = self._roles.get(self._addresses.get(found, ""))
            else:
                role = self._roles.get(found.upper())
            if role is not None:
                code, what = role
                return f"<{sites[code][1] if code else ''}{what}>"
            around = text[max(match.start() - 1, 0) : match.start()] + text[match.end() : match.end() + 1]
            return sites[found][0] if found in sites and "_" not in around else found

        return self._pattern.sub(replace, text)
