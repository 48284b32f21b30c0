"""Looks at IIS: bindings, authentication, SSL, permissions, application pool, web sites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.look import WSUS_SERVERS, Observer, Page, look
from simulator.components.iis import WEB_SERVICES
from simulator.components.windows import GUESTS

if TYPE_CHECKING:
    from simulator.components.iis import WebSite


def _sites(see: Observer) -> list[tuple[str, WebSite]]:
    """The web sites of the server, WSUS's own first, and what facts call them."""
    return [("wsus", see.iis.wsus_site), ("other", see.iis.other_site)]


@look("L60", minutes=1, hosts=WSUS_SERVERS)
def bindings(see: Observer, page: Page) -> None:
    for called, site in _sites(see):
        for binding in site.bindings:
            if binding.present:
                kind = "https" if binding.https else "http"
                page.fact(f"binding.{called}", f"{kind} *:{binding.port}")
                page.say("binding_row", site=site.name, kind=kind, port=binding.port)
                if binding.https:
                    page.fact(f"binding.{called}.certificate", binding.certificate is not None)


@look("L61", minutes=1, hosts=WSUS_SERVERS)
def authentication(see: Observer, page: Page) -> None:
    for name, directory in sorted(see.iis.directories.items()):
        account = directory.anonymous_account.name
        page.fact(f"authentication.{name}.anonymous", account if directory.anonymous else None)
        page.fact(f"authentication.{name}.integrated", directory.integrated)
        anonymous = page.word("enabled" if directory.anonymous else "disabled")
        integrated = page.word("enabled" if directory.integrated else "disabled")
        page.say("authentication_row", name=name, anonymous=anonymous, account=account, integrated=integrated)


@look("L62", minutes=2, hosts=WSUS_SERVERS)
def ssl_settings(see: Observer, page: Page) -> None:
    for name, directory in sorted(see.iis.directories.items()):
        page.fact(f"require_ssl.{name}", directory.require_ssl)
        page.say("ssl_row", name=name, required=page.word(directory.require_ssl))


@look("L63", minutes=3, hosts=WSUS_SERVERS)
def folder_permissions(see: Observer, page: Page) -> None:
    """Permissions, effective permissions of the accounts that matter, and who belongs to Guests."""
    for name, directory in sorted(see.iis.directories.items()):
        for reader in directory.readers:
            page.fact(f"permissions.{name}.allow", reader)
        for denial in directory.denied:
            page.fact(f"permissions.{name}.deny", denial.account)
        denied = ", ".join(denial.account for denial in directory.denied)
        page.say("permissions_row", name=name, readers=", ".join(directory.readers), denied=denied or page.word("nobody"))
        anonymous = directory.anonymous_account.name
        for account in [anonymous] if directory.anonymous else _callers(see):
            effective = "read" if see.iis.may_read(directory, account) else "nothing"
            page.fact(f"effective.{name}.{account}", effective)
            page.say("effective_row", account=account, access=page.word(effective))
    members = see.server.groups[GUESTS].members
    for member in members:
        page.fact("guests.member", member)
    page.say("guests_row", members=", ".join(members) or page.word("nobody"))


def _callers(see: Observer) -> list[str]:
    """Who uses the API: the site server, the account that it may use instead, and the server itself."""
    accounts = (see.site.server.computer_account, see.point.properties.connection_account, see.server.computer_account)
    return [account for account in dict.fromkeys(accounts) if account]


@look("L64", minutes=1, hosts=WSUS_SERVERS)
def application_pool(see: Observer, page: Page) -> None:
    pool = see.iis.pool
    state = "started" if pool.started else "stopped"
    page.fact(f"pool.{pool.name}.state", state)
    page.say("pool_row", name=pool.name, state=page.word(state))


@look("L65", minutes=1, hosts=WSUS_SERVERS)
def web_sites(see: Observer, page: Page) -> None:
    for called, site in _sites(see):
        state = "started" if see.iis.w3svc.running and site.started else "stopped"
        page.fact(f"web_site.{called}.state", state)
        page.say("web_site_row", name=site.name, id=site.number, state=page.word(state))


@look("L66", minutes=2, hosts=WSUS_SERVERS)
def web_config(see: Observer, page: Page) -> None:
    """The list is a setting that nothing in the model changes: as WSUS installs it, it names nobody."""
    for name in sorted(see.iis.directories):
        if name in WEB_SERVICES:
            page.fact(f"authorization.{name}", None)
    page.say("no_authorization")
