"""The two looks that leave something behind: connecting the WSUS console, and a browser. The request of the person who looks
stands in the log of the web site that answered it, as soon as time has moved on."""

from __future__ import annotations

from typing import Literal

from scenarios.look import CLIENTS, LookError, Observer, Page, look
from scenarios.looks.ways import ANSWER_US, address_of, dice, let_in, outcome
from simulator.components.iis import DIRECTORIES, Caller, request
from simulator.failures import Failure


def _ask(see: Observer, name: str, port: int, directory: str, *, ssl: bool, agent: Literal["soap", "browser"]) -> None:
    """A request as the person who looks; it leaves what any request leaves. Raises ``Failure``."""
    caller = Caller(see.world.journal, see.server, f"look{see.number}/{directory}", see.account, dice(see))
    request(see.world.network, caller, name, port, directory, ssl=ssl, at=see.at, took_us=ANSWER_US, fresh=True, agent=agent)


def _api_address(see: Observer) -> tuple[str, int, bool]:
    """Server, port and SSL that somebody types into Connect to Server: on the server itself, and at the workstation, what is right
    there; at the site server what the site has."""
    if see.target is not None:
        return address_of(see.target)
    sup = see.site.sup
    if see.server.wsus is None and not see.on_workstation:
        return sup.fqdn, sup.port, sup.use_ssl
    wsus, iis = see.wsus, see.iis
    ssl = wsus.settings.using_ssl
    return wsus.server.fqdn, iis.https.port if ssl else iis.http.port, ssl


@look("L50", minutes=2, hosts=CLIENTS, leaves_trace=True, takes_target=True)
def connect_console(see: Observer, page: Page) -> None:
    name, port, ssl = _api_address(see)
    page.say("connecting", server=name, port=port, ssl=page.word(ssl), account=see.account.name)
    if not see.server.programs.wsus_console and see.server.wsus is None and not see.on_workstation:
        page.fact("connect", "no console")
        page.say("connect_no_console")
        return
    try:
        _ask(see, name, port, "ApiRemoting30", ssl=ssl, agent="soap")
    except Failure as failure:
        if not let_in(see, failure.reason):
            page.fact("connect", outcome(failure.reason))
            page.say("connect_failed", reason=see.run.reasons.text(failure.reason))
            return
    page.fact("connect", "connected")
    page.say("connected")
    server = see.world.network.resolve(see.server, name, dice(see))
    if server is not None and server.wsus is not None and not server.wsus.service.running:
        page.fact("connect.service", "stopped")
        page.say("connected_service_stopped")


@look("L72", minutes=3, hosts=CLIENTS, leaves_trace=True, takes_target=True)
def browse(see: Observer, page: Page) -> None:
    """A person in a browser, who has a proxy of her own for the Internet."""
    for url in [see.target] if see.target is not None else _usual_urls(see):
        name, port, ssl = address_of(url)
        if name.lower() == see.world.microsoft_update.host:
            _browse_internet(see, page, url, port)
        else:
            _browse(see, page, url, name, port, ssl=ssl)


def _usual_urls(see: Observer) -> list[str]:
    """The API as the site addresses it, and what its WSUS asks first upstream."""
    sup, settings = see.site.sup, see.site.wsus.settings
    api = next(row.endpoint for row in DIRECTORIES if row.name == "ApiRemoting30")
    urls = [f"{'https' if sup.use_ssl else 'http'}://{sup.fqdn}:{sup.port}{api}"]
    if settings.upstream:
        dss = next(row.endpoint for row in DIRECTORIES if row.name == "DssAuthWebService")
        scheme = "https" if settings.upstream_ssl else "http"
        urls.append(f"{scheme}://{settings.upstream}:{settings.upstream_port}{dss}")
    else:
        urls.append(f"https://{see.world.microsoft_update.host}")
    return urls


def _directory(url: str) -> str:
    path = f"/{url.split('://', 1)[-1].partition('/')[2]}".lower()
    for row in DIRECTORIES:
        if path in (row.endpoint.lower(), f"/{row.name.lower()}"):
            return row.name
    raise LookError(f"{url} is none of WSUS's addresses", hint=f"Paths: {', '.join(row.endpoint for row in DIRECTORIES)}")


def _browse(see: Observer, page: Page, url: str, name: str, port: int, *, ssl: bool) -> None:
    directory = _directory(url)
    key = f"browse.{url.lower()}"
    try:
        _ask(see, name, port, directory, ssl=ssl, agent="browser")
    except Failure as failure:
        if not let_in(see, failure.reason):
            page.fact(key, outcome(failure.reason))
            page.say("browse_failed", url=url, reason=see.run.reasons.text(failure.reason))
            return
    server = see.world.network.resolve(see.server, name, dice(see))
    assert server is not None
    assert server.iis is not None
    anonymous = server.iis.directories[directory].anonymous
    page.fact(key, "opened" if anonymous else "opened after logon")
    if anonymous:
        page.say("browse_opened", url=url)
    else:
        page.say("browse_opened_after_logon", url=url, account=see.account.name)


def _browse_internet(see: Observer, page: Page, url: str, port: int) -> None:
    host, network = see.world.microsoft_update.host, see.world.network
    try:
        if see.world.proxy is None:
            network.resolve(see.server, host, dice(see))
        network.reach(see.server, host, port, dice(see))
    except Failure as failure:
        page.fact(f"browse.{url.lower()}", outcome(failure.reason))
        page.say("browse_failed", url=url, reason=see.run.reasons.text(failure.reason))
        return
    page.fact(f"browse.{url.lower()}", "opened")
    page.say("browse_opened", url=url)
