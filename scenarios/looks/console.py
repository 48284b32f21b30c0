"""Looks at the ConfigMgr console: the site, and its software update point as the site configures it."""

from __future__ import annotations

from scenarios.look import Observer, Page, look
from scenarios.looks.ways import try_port
from simulator.events import SyncSucceeded


@look("L04", minutes=2, hosts=("ss",), site_wide=True)
def synchronization_source(see: Observer, page: Page) -> None:
    parent, sup = see.site.parent, see.site.sup
    source = "microsoft update" if parent is None else "upstream"
    page.fact("sup.source", source)
    page.fact("sup.active", sup.fqdn)
    if parent is None:
        page.say("source_microsoft_update")
    else:
        page.fact("sup.upstream", parent.sup.fqdn)
        page.say("source_upstream", server=parent.sup.fqdn)
    page.say("active_sup", server=sup.fqdn)


@look("L05", minutes=2, hosts=("ss",), site_wide=True)
def sup_ports(see: Observer, page: Page) -> None:
    sup = see.site.sup
    page.fact("sup.http_port", sup.http_port)
    page.fact("sup.https_port", sup.https_port)
    page.fact("sup.use_ssl", sup.use_ssl)
    page.say("sup_ports", http=sup.http_port, https=sup.https_port, ssl=page.word(sup.use_ssl))


@look("L06", minutes=2, hosts=("ss",), site_wide=True)
def sup_name(see: Observer, page: Page) -> None:
    page.fact("sup.fqdn", see.site.sup.fqdn)
    page.say("sup_name", fqdn=see.site.sup.fqdn)


@look("L07", minutes=2, hosts=("ss",), site_wide=True)
def proxy_and_accounts(see: Observer, page: Page) -> None:
    sup = see.site.sup
    page.fact("sup.proxy", f"{sup.proxy_host}:{sup.proxy_port}" if sup.proxy_host else None)
    page.fact("sup.proxy_account", sup.proxy_account or None)
    page.fact("sup.connection_account", sup.connection_account or None)
    if sup.proxy_host:
        page.say("proxy_set", host=sup.proxy_host, port=sup.proxy_port)
    else:
        page.say("proxy_not_set")
    page.say("proxy_account", account=page.word(sup.proxy_account))
    if sup.connection_account:
        page.say("connection_account", account=sup.connection_account)
    else:
        page.say("connection_computer_account", account=see.site.server.computer_account)


@look("L09", minutes=1, hosts=("ss",), site_wide=True)
def sync_schedule(see: Observer, page: Page) -> None:
    spec = see.site.spec
    enabled = spec.parent is None and spec.sync_every_h > 0
    page.fact("schedule.enabled", enabled)
    if enabled:
        page.fact("schedule.every_h", spec.sync_every_h)
        page.fact("schedule.at_h", spec.sync_at_h)
        page.say("schedule_on", hours=spec.sync_every_h, when=f"{spec.sync_at_h:02}:00")
    elif spec.parent is not None:
        page.say("schedule_of_parent", parent=spec.parent)
    else:
        page.say("schedule_off")


@look("L10", minutes=1, hosts=("ss",), site_wide=True)
def connected_site(see: Observer, page: Page) -> None:
    spec = see.site.spec
    kind = "central" if spec.kind == "central" else "child primary" if spec.parent is not None else "stand-alone"
    page.fact("site.code", spec.code)
    page.fact("site.kind", kind)
    page.say("title_bar", title=see.world.version.title, code=spec.code, server=see.site.server.name, kind=page.word(kind))


@look("L13", minutes=1, hosts=("ss",), site_wide=True)
def site_system_status(see: Observer, page: Page) -> None:
    """The site server's own services, and whether the software update point's server answers it at all (SMB)."""
    site = see.site
    executive = site.executive.service.running
    page.fact(f"site_system.{site.server.name}.executive", executive)
    page.say("site_server_row", server=site.server.name, state=page.word("running" if executive else "stopped"))
    if site.spec.remote_sup:
        result, _ = try_port(see, site.wsus.server.fqdn, 445, always_listens=True)
        page.fact(f"site_system.{site.wsus.server.name}.reachable", result)
        page.say("site_system_row", server=site.wsus.server.name, state=page.word(result))


@look("L93", minutes=4, hosts=("db", "ss"), site_wide=True)
def site_database_tables(see: Observer, page: Page) -> None:
    last = see.past.outcomes.get(see.site.code)
    state = "none" if last is None else "6702" if isinstance(last.event, SyncSucceeded) else "6703"
    page.fact("sync_status.last_state", state)
    page.say("sync_status_row", sup=see.site.sup.fqdn, version=see.site.content_version, state=state)
