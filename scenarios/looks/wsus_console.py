"""Looks at WSUS itself: its console, wsusutil, PowerShell, registry and database service.

The console shows what it shows to somebody who can connect to it on the server itself; where it cannot be opened there, these
looks say so, and why.
"""

from __future__ import annotations

from generators.exceptions import exception_text
from scenarios.look import WSUS_SERVERS, Observer, Page, look
from scenarios.looks.ways import ask_quietly, dice, outcome
from scenarios.looks.windows import service_name
from simulator.failures import Failure, SynchronizationCanceled

SYNCS_SHOWN = 8


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


@look("L52", minutes=2, hosts=WSUS_SERVERS)
def synchronizations(see: Observer, page: Page) -> None:
    if not _opened(see, page):
        return
    wsus = see.wsus
    page.fact("sync.running", wsus.phase != "idle")
    if wsus.phase != "idle":
        page.say("sync_running", done=wsus.done, total=wsus.total)
    for number, past in enumerate(list(wsus.history)[-SYNCS_SHOWN:][::-1]):
        trouble = past.trouble
        canceled = trouble is not None and isinstance(trouble.reason, SynchronizationCanceled)
        result = "canceled" if canceled else "failed"
        if trouble is None:
            result = "succeeded" if past.ended_at else "running"
        said = f"{past.trigger} {result}"
        if trouble is not None:
            said = f"{said} {trouble.error} {outcome(trouble.reason)}"
            inner = see.run.reasons.inner(trouble.reason)
            said = f"{said} {see.files.exception(inner)}".rstrip()
        page.fact("sync", said)
        if number == 0:
            page.fact("sync.last", said)
        started, kind = see.clock(past.began_at), page.word(past.trigger)
        page.say(
            "sync_row", began=started, ended=see.clock(past.ended_at) if past.ended_at else "", kind=kind, result=page.word(result)
        )
        if trouble is not None:
            page.quote(f"{trouble.error}: {exception_text(see.run, trouble.reason)}")


@look("L55", minutes=1, hosts=WSUS_SERVERS)
def home_page(see: Observer, page: Page) -> None:
    if not _opened(see, page):
        return
    wsus, iis = see.wsus, see.iis
    port = iis.https.port if wsus.settings.using_ssl else iis.http.port
    last = wsus.history[-1] if wsus.history else None
    result = "none" if last is None else "succeeded" if last.trouble is None else "failed"
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


@look("L90", minutes=4, hosts=WSUS_SERVERS)
def database_service(see: Observer, page: Page) -> None:
    database = see.wsus.database
    state = "running" if database.running else "stopped"
    page.fact("susdb.service", state)
    page.say("database_row", name=service_name(see, database), state=page.word(state))
