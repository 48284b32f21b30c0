"""Looks into logs: status messages, log files of ConfigMgr, WSUS, IIS and HTTP.sys, and Windows's event logs.

What is shown is the end of the real file; facts are what it says of the last 24 hours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import msgspec

from generators.compile import compile_texts
from generators.utc import utc_iso
from scenarios.look import EVERY_SERVER, SUPS, WSUS_SERVERS, Observer, Page, look
from scenarios.look_logs import TAIL_LINES, Tail
from simulator.units import MINUTE
from simulator.versions import Version

EVENTS_SHOWN = 8
"""How many events, or status messages, are shown."""
_EVENT = re.compile(r"<Provider Name='([^']*)'.*?<EventID[^>]*>(\d+)</EventID>", re.DOTALL)
_LIMITS_S = (10, 60, 240, 360)
RECENT_US = 70 * MINUTE
"""Within this time every component that works has asked WSUS something, once an hour."""
_W3C_FIELDS = ("stem", "status", "substatus", "win32")


# --- ConfigMgr's status messages


def _status_messages(see: Observer, page: Page, components: tuple[str, ...]) -> None:
    host = see.site.server.name
    rows = []
    for record in see.files.records(host, rf"StatusMessages_{see.language}\.txt$"):
        columns = see.files.bytes_of(record).split("\t")
        if columns[5] in components:
            rows.append("  ".join((columns[0], *columns[3:])))
    page.say("status_shown", count=len(rows[-EVENTS_SHOWN:]), total=len(rows))
    page.lines += rows[-EVENTS_SHOWN:]
    said = []
    for record in see.files.records(host, r"StatusMessages\.jsonl$"):
        message = msgspec.json.decode(see.files.bytes_of(record))
        if message["component"] in components:
            strings = [see.files.exception(text) or text for text in message["strings"] if text]
            os_error = f" 0x{message['os_error']:08X}" if message["os_error"] else ""
            said.append(" ".join((f"{message['id']} {message['component']}{os_error}", *strings)))
    page.fact_set("status", said)


@look("L01", minutes=2, hosts=("ss",), site_wide=True)
def status_of_sync_manager(see: Observer, page: Page) -> None:
    _status_messages(see, page, ("SMS_WSUS_SYNC_MANAGER",))


@look("L02", minutes=2, hosts=("ss",), site_wide=True)
def status_of_configuration_and_control(see: Observer, page: Page) -> None:
    _status_messages(see, page, ("SMS_WSUS_CONFIGURATION_MANAGER", "SMS_WSUS_CONTROL_MANAGER"))


# --- log files


def _show(page: Page, tail: Tail | None, name: str) -> None:
    if tail is None:
        page.say("no_such_log", name=name)
        return
    page.say("log_tail", path=tail.path, count=len(tail.lines), total=tail.total)
    page.lines += tail.lines


def _component_log(see: Observer, page: Page, name: str) -> None:
    """The end of a component's log, and what its messages have said."""
    pattern = rf"(^|/){re.escape(name)}\.lo[g_]$"
    _show(page, see.files.tail(see.server.name, pattern), f"{name}.log")
    page.fact_set("template", map(see.files.meaning, see.files.records(see.server.name, pattern)))


@look("L20", minutes=3, hosts=("ss",))
def wsyncmgr_log(see: Observer, page: Page) -> None:
    _component_log(see, page, "wsyncmgr")
    page.fact_set("failed_after", _failed_after(see))


def _failed_after(see: Observer) -> Iterator[str]:
    """How long failed runs took, roughly: it tells a refused connection from one without an answer, and both from the gate."""
    failed = False
    for record in see.files.records(see.server.name, r"(^|/)wsyncmgr\.lo[g_]$"):
        if record.template == "wsyncmgr.sync_failed":
            failed = True
        elif record.template == "wsyncmgr.sync_time" and failed:
            failed = False
            days, hours, minutes, seconds = map(int, re.findall(r"\d+", record.params["took"]))
            took_s = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
            yield next((f"less than {limit_s} s" for limit_s in _LIMITS_S if took_s < limit_s), "longer")


@look("L21", minutes=3, hosts=("ss",))
def wcm_log(see: Observer, page: Page) -> None:
    _component_log(see, page, "WCM")


@look("L30", minutes=3, hosts=SUPS)
def wsusctrl_log(see: Observer, page: Page) -> None:
    _component_log(see, page, "WSUSCtrl")


@look("L31", minutes=5, hosts=WSUS_SERVERS)
def software_distribution_log(see: Observer, page: Page) -> None:
    _component_log(see, page, "SoftwareDistribution")


@look("L32", minutes=2, hosts=WSUS_SERVERS)
def change_log(see: Observer, page: Page) -> None:
    _component_log(see, page, "Change")


# --- Windows's event logs


@cache
def _services(version: Version, language: str) -> dict[str, str]:
    """What the Service Control Manager calls services and their states -> their short names."""
    return {text(): name.removeprefix("state_") for name, text in compile_texts("services", version, language).items()}


def _events(see: Observer, page: Page, channel: str) -> None:
    files, host = see.files, see.server.name
    shown = [files.bytes_of(record) for record in files.records(host, rf"{channel}\.txt$")]
    page.say("events_shown", channel=channel, host=host, count=len(shown[-EVENTS_SHOWN:]), total=len(shown))
    for text in shown[-EVENTS_SHOWN:]:
        page.quote(text.rstrip())
    facts = []
    short = _services(see.world.version, see.run.os_language)
    for record in files.records(host, rf"{channel}\.xml$"):
        found = _EVENT.search(files.bytes_of(record))
        if found is None:
            continue
        params = record.params
        if record.template == "eventlog.service_state":
            said = f"{short.get(params['display'], params['display'])} {short.get(params['state'], params['state'])}"
        elif record.template.startswith("eventlog.logon_failed"):
            said = f"{params['domain']}\\{params['user']} {params['logon_type']}"
        elif record.template.startswith("eventlog.status_"):
            said = f"{params['reporter']} {files.exception(params['description'])}".rstrip()
        else:
            said = files.meaning(record)
        facts.append(f"{found[1]} {found[2]} {said}".rstrip())
    page.fact_set("event", facts)


@look("L34", minutes=2, hosts=EVERY_SERVER)
def application_events(see: Observer, page: Page) -> None:
    _events(see, page, "Application")


@look("L35", minutes=2, hosts=EVERY_SERVER)
def system_events(see: Observer, page: Page) -> None:
    _events(see, page, "System")


@look("L36", minutes=4, hosts=EVERY_SERVER)
def security_events(see: Observer, page: Page) -> None:
    _events(see, page, "Security")


# --- IIS and HTTP.sys


def _requests(see: Observer, page: Page, pattern: str) -> None:
    facts, recent = [], []
    since = f"{utc_iso()(see.at - RECENT_US)}Z"
    hosts = {server.ip: name for name, server in see.world.network.servers.items()}
    for record in see.files.records(see.server.name, pattern):
        params = record.params
        client = hosts.get(params["client_ip"], params["client_ip"])
        facts.append(" ".join((client, params["user"], *(str(params[name]) for name in _W3C_FIELDS))))
        if record.ts_utc >= since:
            recent.append(client)
    page.fact_set("request", facts)
    page.fact_set("client.recent", recent)


@look("L37", minutes=4, hosts=WSUS_SERVERS)
def iis_log(see: Observer, page: Page) -> None:
    pattern = rf"/W3SVC{see.iis.web_site}/"
    _show(page, see.files.tail(see.server.name, pattern), f"W3SVC{see.iis.web_site}")
    _requests(see, page, pattern)


@look("L38", minutes=3, hosts=WSUS_SERVERS)
def iis_log_of_another_site(see: Observer, page: Page) -> None:
    others = rf"/W3SVC(?!{see.iis.web_site}/)\d+/"
    tail = see.files.tail(see.server.name, others)
    page.fact("other_site.log", tail is not None)
    if tail is None:
        page.say("no_other_site_log", web_site=see.iis.web_site)
        return
    _show(page, tail, "W3SVC")
    _requests(see, page, others)


@look("L39", minutes=2, hosts=WSUS_SERVERS)
def http_error_log(see: Observer, page: Page) -> None:
    pattern = r"HTTPERR/httperr\d+\.log$"
    _show(page, see.files.tail(see.server.name, pattern, TAIL_LINES), "httperr1.log")
    rejected = (record.params for record in see.files.records(see.server.name, pattern))
    page.fact_set("rejected", (f"{params['uri']} {params['reason']} {params['pool']}" for params in rejected))
