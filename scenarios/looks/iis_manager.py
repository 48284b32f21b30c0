"""Looks at IIS: bindings, authentication, SSL, permissions, application pool, web sites."""

from __future__ import annotations

from scenarios.look import WSUS_SERVERS, Observer, Page, look


@look("L60", minutes=1, hosts=WSUS_SERVERS)
def bindings(see: Observer, page: Page) -> None:
    for binding in (see.iis.http, see.iis.https):
        if binding.present:
            kind = "https" if binding.https else "http"
            page.fact("binding", f"{kind} *:{binding.port}")
            page.say("binding_row", kind=kind, port=binding.port)
            if binding.https:
                page.fact("binding.certificate", binding.certificate is not None)


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
    for name, directory in sorted(see.iis.directories.items()):
        for reader in directory.readers:
            page.fact(f"permissions.{name}.allow", reader)
        for denial in directory.denied:
            page.fact(f"permissions.{name}.deny", denial.account)
        denied = ", ".join(denial.account for denial in directory.denied)
        page.say("permissions_row", name=name, readers=", ".join(directory.readers), denied=denied or page.word("nobody"))


@look("L64", minutes=1, hosts=WSUS_SERVERS)
def application_pool(see: Observer, page: Page) -> None:
    pool = see.iis.pool
    state = "started" if pool.started else "stopped"
    page.fact(f"pool.{pool.name}.state", state)
    page.say("pool_row", name=pool.name, state=page.word(state))


@look("L65", minutes=1, hosts=WSUS_SERVERS)
def web_sites(see: Observer, page: Page) -> None:
    state = "started" if see.iis.w3svc.running else "stopped"
    page.fact("web_site.wsus.state", state)
    page.say("web_site_row", id=see.iis.web_site, state=page.word(state))
