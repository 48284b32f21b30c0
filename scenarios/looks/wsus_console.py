"""Looks at WSUS itself: its console, wsusutil, PowerShell, registry and database service.

The console shows what it shows to somebody who can connect to it on the server itself; where it cannot be opened there, these
looks say so, and why.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from generators.exceptions import exception_text
from scenarios.look import WSUS_SERVERS, Observer, Page, look
from scenarios.looks.ways import ask_quietly, dice, filters, outcome
from scenarios.looks.windows import service_name
from simulator.failures import Failure, SynchronizationCanceled
from simulator.units import DAY

if TYPE_CHECKING:
    from simulator.components.windows import WindowsService
    from simulator.components.wsus import SyncRecord

SYNCS_SHOWN = 8
MONTHS_SHOWN = 6
"""How many of the last months with arrivals are listed product by product."""


def _opened(see: Observer, page: Page) -> bool:
    """Whether the API can be reached on the server itself; says why not."""
    wsus, iis = see.wsus, see.iis
    ssl = wsus.settings.using_ssl
    try:
        ask_quietly(see, wsus.server, wsus.server.fqdn, iis.https.port if ssl else iis.http.port, "ApiRemoting30", ssl=ssl)
    except Failure as failure:
        page.fact("console", outcome(failure.reason))
        page.say("console_not_connected", reason=see.run.reasons.text(failure.reason))
        return False
    return True


def _source(see: Observer, page: Page) -> None:
    settings = see.wsus.settings
    page.fact("wsus.source", settings.upstream.lower() or "microsoft update")
    if settings.upstream:
        page.fact("wsus.upstream_port", settings.upstream_port)
        page.fact("wsus.upstream_ssl", settings.upstream_ssl)
    page.fact("wsus.replica", settings.replica)
    page.fact("wsus.proxy", f"{settings.proxy_host}:{settings.proxy_port}" if settings.proxy_host else None)
    page.fact("wsus.proxy_account", settings.proxy_account or None)


@look("L51", minutes=2, hosts=WSUS_SERVERS)
def update_source(see: Observer, page: Page) -> None:
    if not _opened(see, page):
        return
    _source(see, page)
    settings = see.wsus.settings
    if settings.upstream:
        ssl = page.word(settings.upstream_ssl)
        page.say("wsus_upstream", server=settings.upstream, port=settings.upstream_port, ssl=ssl)
        page.say("wsus_replica", replica=page.word(settings.replica))
    else:
        page.say("wsus_microsoft_update")
    if settings.proxy_host:
        page.say("wsus_proxy", host=settings.proxy_host, port=settings.proxy_port, account=page.word(settings.proxy_account))
    else:
        page.say("wsus_no_proxy")


def _result(past: SyncRecord) -> str:
    if past.trouble is None:
        return "succeeded" if past.ended_at else "running"
    return "canceled" if isinstance(past.trouble.reason, SynchronizationCanceled) else "failed"


@look("L52", minutes=2, hosts=WSUS_SERVERS)
def synchronizations(see: Observer, page: Page) -> None:
    if not _opened(see, page):
        return
    wsus = see.wsus
    history = wsus.listed[::-1]
    running = wsus.phase != "idle"
    page.fact("sync.running", running)
    if running:
        page.fact("sync.phase", wsus.phase)
        page.fact("sync.started_by", history[0].account or None)
        who = history[0].account or page.word("scheduled")
        page.say("sync_running", since=see.clock(history[0].began_at), account=who, done=wsus.done, total=wsus.total)
    for number, past in enumerate(history[:SYNCS_SHOWN]):
        trouble, result = past.trouble, _result(past)
        said = f"{past.trigger} {result}"
        if trouble is not None:
            inner = see.run.reasons.inner(trouble.reason)
            said = f"{said} {trouble.error} {outcome(trouble.reason)} {see.files.exception(inner)}".rstrip()
        page.fact("sync", said)
        if number == 0:
            page.fact("sync.last", said)
        ended = see.clock(past.ended_at) if past.ended_at else ""
        kind = page.word(past.trigger)
        page.say(
            "sync_row",
            began=see.clock(past.began_at),
            ended=ended,
            kind=kind,
            result=page.word(result),
            items=past.items if past.ended_at else wsus.done,
        )
        if trouble is not None:
            canceled = isinstance(trouble.reason, SynchronizationCanceled)  # no exception: somebody clicked
            reason = see.run.reasons.text(trouble.reason) if canceled else exception_text(see.run, trouble.reason)
            page.quote(f"{trouble.error}: {reason}")


@look("L53", minutes=3, hosts=WSUS_SERVERS)
def options(see: Observer, page: Page) -> None:
    """What WSUS asks for, as opposed to what the site wants it to ask for (L08)."""
    if not _opened(see, page):
        return
    settings = see.wsus.settings
    filters(page, settings.subscription, "wsus")
    page.fact("wsus.automatic", settings.automatic)
    page.say("wsus_schedule", kind=page.word("scheduled" if settings.automatic else "manual"))


@look("L54", minutes=4, hosts=WSUS_SERVERS)
def updates_by_arrival(see: Observer, page: Page) -> None:
    """All that SUSDB holds, by product and by the month in which it arrived; of a product also when it first came."""
    if not _opened(see, page):
        return
    catalogue, susdb = see.world.catalogue, see.wsus.susdb
    products: Counter[str] = Counter()
    months: Counter[tuple[str, str]] = Counter()
    first_at: dict[str, int] = {}
    for portion, at in zip(susdb.portions, susdb.arrived, strict=True):
        month = f"{see.server.zone.local(at):%Y-%m}"
        for product, count in catalogue.by_product(portion):
            products[product] += count
            months[month, product] += count
            first_at[product] = min(first_at.get(product, at), at)
    page.fact("updates", "some" if products else "none")
    page.say("updates_held", count=sum(products.values()))
    page.fact_set("updates.product", products)
    for product, count in sorted(products.items()):
        if first_at[product] >= see.at - DAY:
            page.fact("updates.arrived_today", product)
        page.say("updates_arrived", product=product, count=count, first=see.clock(first_at[product]))
    for month in sorted({month for month, _ in months})[-MONTHS_SHOWN:]:
        page.say("updates_of_month", month=month, count=sum(count for (name, _), count in months.items() if name == month))
        for (name, product), count in sorted(months.items()):
            if name == month:
                page.say("updates_of_month_and_product", product=product, count=count)


@look("L55", minutes=1, hosts=WSUS_SERVERS)
def home_page(see: Observer, page: Page) -> None:
    if not _opened(see, page):
        return
    wsus, iis = see.wsus, see.iis
    port = iis.https.port if wsus.settings.using_ssl else iis.http.port
    last = next((past for past in reversed(wsus.listed) if past.ended_at), None)
    result = "none" if last is None else _result(last)
    page.fact("home.last_sync", result)
    page.fact("home.port", port)
    page.fact("home.version", see.world.version.assembly_file_version)
    page.say(
        "home_row", server=wsus.server.name, result=page.word(result), port=port, version=see.world.version.assembly_file_version
    )


@look("L85", minutes=3, hosts=WSUS_SERVERS)
def check_health(see: Observer, page: Page) -> None:
    """What the health monitor would report now; it is not made to look again, which would leave events."""
    wsus = see.wsus
    if not wsus.service.running:
        page.fact("health.service", "stopped")
        page.say("health_no_service")
        return
    broken = wsus.health.findings(see.at, dice(see))
    for service, reason in broken:
        page.fact("health.broken", f"{service} {outcome(reason)}")
        page.say("health_broken", service=service, reason=see.run.reasons.text(reason))
    page.fact("health.count", len(broken))
    if not broken:
        page.say("health_ok")


@look("L87", minutes=2, hosts=WSUS_SERVERS)
def powershell(see: Observer, page: Page) -> None:
    if not _opened(see, page):
        return
    settings, world = see.wsus.settings, see.world
    _source(see, page)
    page.fact("wsus.automatic", settings.automatic)
    rows = {
        "SyncFromMicrosoftUpdate": not settings.upstream,
        "UpstreamWsusServerName": settings.upstream,
        "UpstreamWsusServerPortNumber": settings.upstream_port,
        "UpstreamWsusServerUseSsl": settings.upstream_ssl,
        "IsReplicaServer": settings.replica,
        "UseProxy": bool(settings.proxy_host),
        "ProxyName": settings.proxy_host,
        "ProxyServerPort": settings.proxy_port or "",
        "ProxyUserName": settings.proxy_account,
        "MUUrl": f"https://{world.microsoft_update.host}",
        "SynchronizeAutomatically": settings.automatic,
    }
    page.lines += [f"{name:<30}: {value}".rstrip() for name, value in rows.items()]


@look("L88", minutes=1, hosts=WSUS_SERVERS)
def setup_registry(see: Observer, page: Page) -> None:
    wsus, iis = see.wsus, see.iis
    port = iis.https.port if wsus.settings.using_ssl else iis.http.port
    values: dict[str, int | str] = {
        "UsingSSL": int(wsus.settings.using_ssl),
        "PortNumber": port,
        "SqlServerName": wsus.database.name.partition("$")[2],
    }
    for name, value in values.items():
        page.fact(f"setup.{name}", value)
        page.lines.append(f"{name} = {value}")
    settings = see.server.settings
    page.fact("lsa.DisableLoopbackCheck", int(not settings.loopback_check))
    page.lines.append(f"DisableLoopbackCheck = {int(not settings.loopback_check)}")
    page.fact_set("lsa.BackConnectionHostNames", settings.own_names)
    page.lines += [f"BackConnectionHostNames = {name}" for name in settings.own_names]


@look("L90", minutes=4, hosts=("sup", "db", "psup", "csup", "old"))
def database_services(see: Observer, page: Page) -> None:
    """The database services of that server: of SUSDB, of the site database, and how the latter's procedures fare."""
    if see.server.wsus is not None:
        _database_service(see, page, "susdb", see.server.wsus.database)
    database = see.site.database
    if see.server is not see.site.server:
        return
    _database_service(see, page, "site_database", database.service)
    if database.service.running:
        page.fact("site_database.errors", None if database.schema_valid else "invalid schema")
        page.say("database_errors_none" if database.schema_valid else "database_errors_schema")


def _database_service(see: Observer, page: Page, called: str, service: WindowsService) -> None:
    state = "running" if service.running else "stopped"
    page.fact(f"{called}.service", state)
    page.say("database_row", name=service_name(see, service), state=page.word(state))
