"""Looks at the ConfigMgr console: the site, its software update points as it configures them, and its updates."""

from __future__ import annotations

from collections import Counter
from heapq import nlargest
from typing import TYPE_CHECKING

from scenarios.look import Observer, Page, look
from scenarios.looks.ways import filters, named, try_port
from simulator.components.site import MICROSOFT_UPDATE, NO_SOURCE
from simulator.units import DAY

if TYPE_CHECKING:
    from simulator.components.site import Site
    from simulator.components.sup import SoftwareUpdatePoint

UPDATES_SHOWN = 12
"""How many of the newest updates are listed."""
RECENT_US = 7 * DAY
LINK_STATES = {0: "active", 1: "degraded", 2: "failed"}
"""LinkState of SMS_SUPSyncStatus [L]."""


def _upstream(point: SoftwareUpdatePoint) -> str:
    """From where a software update point synchronizes, as the console has it."""
    return point.upstream.fqdn if point.upstream is not None else point.properties.source


@look("L03", minutes=1, hosts=("ss",), site_wide=True, generations=("2012", "cb"))
def sync_status(see: Observer, page: Page) -> None:
    site = see.site
    links = see.world.database_replication.links
    link = links.get((site.parent.code, site.code)) if site.parent is not None else None
    state = link.state.status if link is not None else 0
    for point in site.points:
        last, name = see.past.states[point.server.name], point.server.name
        page.fact(f"sync_status.{name}.source", _upstream(point))
        page.fact(f"sync_status.{name}.last_state", last.state)
        page.fact(f"sync_status.{name}.error", f"0x{last.error & 0xFFFFFFFF:08X}")
        page.fact(f"sync_status.{name}.link_state", state)
        page.say(
            "sync_status_of_sup",
            sup=point.properties.fqdn,
            source=page.word(_upstream(point)),
            state=last.state,
            error=f"0x{last.error & 0xFFFFFFFF:08X}",
            link=page.word(f"link {LINK_STATES[state]}"),
            version=site.content_version,
            when=see.clock(last.at),
        )


@look("L04", minutes=2, hosts=("ss",), site_wide=True)
def synchronization_source(see: Observer, page: Page) -> None:
    parent, sup = see.site.parent, see.site.sup
    page.fact("sup.active", sup.fqdn if sup.active else None)
    if sup.active:
        page.say("active_sup", server=sup.fqdn)
    else:
        page.say("no_active_sup")
    if parent is None and sup.source == MICROSOFT_UPDATE:
        page.fact("sup.source", "microsoft update")
        page.say("source_microsoft_update")
    elif parent is None and sup.source == NO_SOURCE:
        page.fact("sup.source", None)
        page.say("source_none")
    else:
        upstream = parent.sup.fqdn if parent is not None else sup.source
        page.fact("sup.source", "upstream")
        page.fact("sup.upstream", upstream)
        page.say("source_upstream", server=upstream)


@look("L05", minutes=2, hosts=("ss",), site_wide=True)
def sup_ports(see: Observer, page: Page) -> None:
    for point in see.site.points:
        sup = point.properties
        page.fact(named(see, point, "http_port"), sup.http_port)
        page.fact(named(see, point, "https_port"), sup.https_port)
        page.fact(named(see, point, "use_ssl"), sup.use_ssl)
        page.say("sup_ports", sup=point.server.name, http=sup.http_port, https=sup.https_port, ssl=page.word(sup.use_ssl))


@look("L06", minutes=2, hosts=("ss",), site_wide=True)
def sup_name(see: Observer, page: Page) -> None:
    for point in see.site.points:
        page.fact(named(see, point, "fqdn"), point.properties.fqdn)
        page.say("sup_name", fqdn=point.properties.fqdn)


@look("L07", minutes=2, hosts=("ss",), site_wide=True)
def proxy_and_accounts(see: Observer, page: Page) -> None:
    for point in see.site.points:
        sup = point.properties
        page.fact(named(see, point, "proxy"), f"{sup.proxy_host}:{sup.proxy_port}" if sup.proxy_host else None)
        page.fact(named(see, point, "proxy_account"), sup.proxy_account or None)
        page.fact(named(see, point, "connection_account"), sup.connection_account or None)
        page.lines.append(f"{point.server.name}:")
        if sup.proxy_host:
            page.say("proxy_set", host=sup.proxy_host, port=sup.proxy_port)
        else:
            page.say("proxy_not_set")
        page.say("proxy_account", account=page.word(sup.proxy_account))
        if sup.connection_account:
            page.say("connection_account", account=sup.connection_account)
        else:
            page.say("connection_computer_account", account=see.site.server.computer_account)


@look("L08", minutes=3, hosts=("ss",), site_wide=True)
def asked_for(see: Observer, page: Page) -> None:
    """They are set at the top-level site; below it the console shows the same."""
    filters(page, see.site.top.sup.subscription, "sup")


@look("L09", minutes=1, hosts=("ss",), site_wide=True)
def sync_schedule(see: Observer, page: Page) -> None:
    spec = see.site.spec
    enabled = spec.parent is None and spec.sync_every_h > 0 and see.site.sup.scheduled
    page.fact("schedule.enabled", enabled)
    if enabled:
        page.fact("schedule.every_h", spec.sync_every_h)
        page.fact("schedule.at_h", spec.sync_at_h)
        page.say("schedule_on", hours=spec.sync_every_h, when=f"{spec.sync_at_h:02}:00")
    elif spec.parent is not None:
        page.say("schedule_of_parent", parent=spec.parent)
    else:
        page.say("schedule_off")


@look("L10", minutes=1, hosts=("adm",))
def connected_site(see: Observer, page: Page) -> None:
    """What the console on the workstation shows: not why the action is missing, only that it is."""
    console = see.world.console
    site = see.world.sites[console.site]
    spec = site.spec
    kind = "central" if spec.kind == "central" else "child primary" if spec.parent is not None else "stand-alone"
    obstacles = [obstacle for obstacle, _ in console.obstacles(see.world)]
    action = "absent" if "child site" in obstacles else "greyed" if obstacles else "available"
    page.fact("site.code", spec.code)
    page.fact("site.kind", kind)
    page.fact("run_synchronization", action)
    page.say("title_bar", title=see.world.version.title, code=spec.code, server=site.server.name, kind=page.word(kind))
    page.say("run_synchronization", state=page.word(action))


# --- what the site holds


def _with_database(site: Site) -> Site:
    """The site whose database the console shows: a secondary site's is its parent's."""
    return site.parent if site.spec.kind == "secondary" and site.parent is not None else site


@look("L11", minutes=3, hosts=("ss",), site_wide=True)
def list_of_updates(see: Observer, page: Page) -> None:
    site, catalogue = _with_database(see.site), see.world.catalogue
    items = site.database.items(catalogue, site.top.sup.subscription)
    page.fact("updates", "some" if items else "none")
    page.say("updates_count", count=len(items), expired=sum(item.expired for item in items))
    if not items:
        return
    newest = catalogue.published_at(max(item.revision for item in items))
    page.fact("updates.newest", "this week" if see.at - newest < RECENT_US else "older")
    kinds = Counter((*catalogue.kind(item.revision), item.expired) for item in items)
    page.fact_set("updates.product", (product for product, _, expired in kinds if not expired))
    page.fact_set("updates.classification", (classification for _, classification, expired in kinds if not expired))
    told: Counter[str] = Counter()
    for languages, count in Counter(item.languages for item in items).items():
        told[" ".join(sorted(languages))] += count
    page.fact_set("updates.languages", told)
    for product in sorted({product for product, _, _ in kinds}):
        live, gone = (
            sum(count for (name, _, expired), count in kinds.items() if (name, expired) == (product, wanted))
            for wanted in (False, True)
        )
        page.say("updates_of_product", product=product, count=live + gone, expired=gone)
    for names, count in sorted(told.items()):
        page.say("updates_in_languages", languages=names, count=count)
    page.say("updates_newest", count=min(UPDATES_SHOWN, len(items)))
    for item in nlargest(UPDATES_SHOWN, items):
        update = catalogue.update(item.revision)
        page.say(
            "update_row",
            when=see.clock(update.published_at),
            title=update.title,
            classification=update.classification,
            product=update.product,
            languages=" ".join(sorted(item.languages)),
            state=page.word("update_expired" if item.expired else "update_current"),
        )


@look("L12", minutes=3, hosts=("ss",), site_wide=True, generations=("2012", "cb"))
def replication_state(see: Observer, page: Page) -> None:
    """The links of the site's database, and the hierarchy around it."""
    code = see.site.code
    for (parent, child), link in see.world.database_replication.links.items():
        if code in (parent, child):
            name = f"{parent} -> {child}"
            state = LINK_STATES[link.state.status]
            overdue = bool(link.backlog) and state != "active"
            page.fact(f"link.{name}", state)
            page.fact(f"link.{name}.backlog", overdue)
            page.say("link_row", link=name, state=page.word(f"link {state}"), since=see.clock(link.since), count=len(link.backlog))
    for site in see.world.sites.values():
        if site is see.site or site.parent is see.site or see.site.parent is site:
            page.say("hierarchy_row", site=site.code, server=site.server.name, parent=page.word(site.spec.parent))
    if not page.facts:
        page.fact("link", None)
        page.say("no_links")


@look("L13", minutes=1, hosts=("ss",), site_wide=True)
def site_system_status(see: Observer, page: Page) -> None:
    """The site server's own services, and whether the software update points' servers answer it at all (SMB)."""
    site = see.site
    executive = site.executive.service.running
    page.fact(f"site_system.{site.server.name}.executive", executive)
    page.say("site_server_row", server=site.server.name, state=page.word("running" if executive else "stopped"))
    for point in site.points:
        if not point.on_site_server:
            result, _ = try_port(see, point.server.fqdn, 445, always_listens=True)
            page.fact(f"site_system.{point.server.name}.reachable", result)
            page.say("site_system_row", server=point.server.name, state=page.word(result))


@look("L93", minutes=4, hosts=("db", "ss"), site_wide=True)
def site_database_tables(see: Observer, page: Page) -> None:
    """Update_SyncStatus and CI_UpdateSources, as far as they are about this site."""
    site = see.site
    for point in site.points:
        last = see.past.states[point.server.name]
        page.fact(f"sync_status.{point.server.name}.last_state", last.state)
        page.say("sync_status_row", sup=point.properties.fqdn, version=site.content_version, state=last.state)
    page.fact("database.filled", bool(site.database.portions))
    if site.parent is not None:
        page.fact("content_version.behind_parent", site.content_version < site.parent.content_version)
    if site.parent is not None and not site.synchronizes_database:
        page.say("replicated_version", parent=site.parent.code, version=site.replicated_version)
