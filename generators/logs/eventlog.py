"""Windows event logs of every server, as ``wevtutil qe <log> /f:renderedxml /e:Events`` and ``/f:text`` print them."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from generators.catalogue import Message, load
from generators.compile import compile_texts
from generators.escape import one_line, xml
from generators.exceptions import EOL, exception_text
from generators.framed import FramedLog, parameter_names
from generators.layouts import Stamp, iso_stamp
from generators.log import Writes
from generators.logs.softwaredistribution import HEALTH_MESSAGES
from generators.logs.status import StatusTexts, date_time, system_name
from generators.statmsg import severity_of
from generators.utc import utc_iso
from simulator.clock import Zone
from simulator.estate import Site
from simulator.events import (
    LogonFailed,
    ServiceStateChanged,
    StatusReported,
    WebServiceChecked,
    WsusServiceStarted,
    WsusServiceStopped,
    WsusSyncBegan,
    WsusSyncEnded,
)
from simulator.failures import SynchronizationCanceled
from simulator.journal import Entry
from simulator.units import MS, SECOND

Data = Sequence[tuple[str, str]]
"""Values of an event with their names; classic sources name none."""

_TASKS: Final = {"SMS_WSUS_CONFIGURATION_MANAGER": "77", "SMS_WSUS_CONTROL_MANAGER": "78", "SMS_WSUS_SYNC_MANAGER": "79"}
"""Number of a ConfigMgr component as event category: 78 [D], its neighbours by their alphabetical order [I]."""
_BINARY_STATE: Final = {"stopped": 1, "running": 4}


class EventLog(FramedLog):
    """One log of one server in one form."""

    messages = ("eventlog",)
    channel: ClassVar[str]
    form: ClassVar[str]
    """``xml`` or ``text``."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        run = self.run
        self._clock = Zone(self.zone)
        self._say = compile_texts("eventlog_forms", run.version, run.os_language)
        # 2007's servers are called by their NetBIOS names in their own logs
        self._computer = self.host if run.version.system_name == "netbios" else f"{self.host}.{run.estate.domain}"
        seed = zlib.crc32(f"{self.host}/{self.channel}".encode())
        self._index = -1
        self._first_record = seed % 80_000 + 10_000
        process = zlib.crc32(self.host.encode()) % 100 * 4 + 500
        thread = seed % 900 * 4 + 1000
        self._constants = {
            "channel": self.channel,
            "computer": xml(self._computer) if self.form == "xml" else self._computer,
            "culture": self._say["culture"](),
            "nobody": self._say["not_available"](),
            "opcode_name": self._say["info"](),
            "pid": process,
            "tid": thread,
        }
        self._message: Message
        self._data: Data | None = None
        self._details: dict[str, str] = {}

    @classmethod
    def hosts(cls, site: Site) -> tuple[str, ...]:
        return (site.server, *site.wsus_servers)

    def path(self) -> str:
        extension = "xml" if self.form == "xml" else "txt"
        return f"{self.run.version.event_log_folder}/{self.channel}.{extension}"

    def stamp(self) -> Stamp:
        return iso_stamp(self.zone)

    def header(self, at: int) -> str:
        return f"<Events>{EOL}" if self.form == "xml" else ""

    def footer(self) -> str:
        return f"</Events>{EOL}" if self.form == "xml" and self.summary else ""

    def write(self, entry: Entry, name: str, *values: Any, data: Data | None = None, **details: str) -> None:
        """Write a message of the catalogue as an event.

        ``data`` are the event's values (without: its text), ``details`` what the catalogue leaves open, such as ``event_id``.
        """
        self._message = load("eventlog")[name]
        self._data = data
        self._details = details
        getattr(self.lines, name)(entry.at, *values)

    def frame(self, text: str) -> str:
        self._index += 1
        at = self.lines.at
        message, say = self._message, self._say
        constants = message.constants
        task_name = say[constants["task_word"]]() if "task_word" in constants else ""
        values: dict[str, Any] = {
            **self._constants,
            "task_name": task_name,
            "level_name": say[f"level_{constants['level']}"](),
            "keyword_name": say[constants.get("keyword_word", "classic")](),
            "provider": constants["component"],
            "index": self._index,
            "record": self._first_record + self._index,
            "second": utc_iso()(at)[:19],
            "micros": f"{at % SECOND:06}",
            "local_second": self.lines.stamp[:19],
            "millis": f"{at // MS % 1000:03}",
            **constants,
            **self._details,
        }
        values["task_text"] = values["task_name"] or values["nobody"]
        if self.form == "xml":
            values["message"] = xml(text)
            data = self._data if self._data is not None else (("", text),)
            values["data"] = "".join(_element(name, value) for name, value in data)
        else:
            values["message"] = text
        form = f"{constants['form']}_{self.form}"
        record: str = say[form](*(values.get(name) for name in parameter_names("eventlog_forms", form)))
        return record + EOL if self.form == "xml" else record.replace("\r\n", "\n").replace("\n", EOL)


def _element(name: str, value: str) -> str:
    if name == "Binary":
        return f"<Binary>{value}</Binary>"
    return f"<Data Name='{name}'>{xml(value)}</Data>" if name else f"<Data>{xml(value)}</Data>"


class ApplicationEvents(EventLog):
    """WSUS's own events, and warnings and errors among the status messages of this server's components."""

    channel = "Application"

    def sync_began(self, entry: Entry) -> None:
        event: WsusSyncBegan = entry.event
        self.write(entry, "manual_sync_began" if event.trigger == "manual" else "scheduled_sync_began")

    def sync_ended(self, entry: Entry) -> None:
        event: WsusSyncEnded = entry.event
        if event.trouble is None:
            self.write(entry, "sync_succeeded")
        elif isinstance(event.trouble.reason, SynchronizationCanceled):
            self.write(entry, "sync_canceled")
        else:
            self.write(entry, "sync_failed", one_line(self.run.reasons.text(event.trouble.reason)).removesuffix("."))

    def web_service_checked(self, entry: Entry) -> None:
        event: WebServiceChecked = entry.event
        name = HEALTH_MESSAGES[event.service]
        if event.reason is None:
            self.write(entry, f"{name}_working")
        else:
            self.write(entry, f"{name}_broken", exception_text(self.run, event.reason), self.run.reasons.at)

    def service_started(self, entry: Entry) -> None:
        event: WsusServiceStarted = entry.event
        if not event.resumed:
            self.write(entry, "service_started")

    def service_stopped(self, entry: Entry) -> None:
        self.write(entry, "service_stopped")

    def status_reported(self, entry: Entry) -> None:
        event: StatusReported = entry.event
        severity = severity_of(event.message_id)
        if severity == "info":
            return
        run = self.run
        texts = StatusTexts.of(run.version, run.os_language)
        date = date_time(self._clock, entry.at, run.os_language)
        computer = system_name(run, self.host)
        description = texts.describe(event.message_id, event.strings, event.os_error)
        name = f"status_{severity}"
        head = compile_texts("eventlog", run.version, run.os_language)[name](date, event.component, computer, "")
        strings = [one_line(texts.string(value)) for value in event.strings]
        clause = texts.clause(event.os_error)
        data = [("", value) for value in (*strings, head, f" {clause}" if clause else "") if value]
        self.write(
            entry,
            name,
            date,
            event.component,
            computer,
            description.replace("\n", EOL),
            data=data,
            event_id=str(event.message_id),
            task=_TASKS[event.component],
            task_name=event.component,
        )


_APPLICATION: Final[Writes] = {
    WsusSyncBegan: ApplicationEvents.sync_began,
    WsusSyncEnded: ApplicationEvents.sync_ended,
    WebServiceChecked: ApplicationEvents.web_service_checked,
    WsusServiceStarted: ApplicationEvents.service_started,
    WsusServiceStopped: ApplicationEvents.service_stopped,
    StatusReported: ApplicationEvents.status_reported,
}


class ApplicationXml(ApplicationEvents):
    form = "xml"
    writes = _APPLICATION


class ApplicationText(ApplicationEvents):
    form = "text"
    writes = _APPLICATION


class SystemEvents(EventLog):
    """Services that start and stop."""

    channel = "System"

    def service_changed(self, entry: Entry) -> None:
        event: ServiceStateChanged = entry.event
        say = compile_texts("services", self.run.version, self.run.os_language)
        name = re.sub(r"\W", "_", event.service)
        display = say[name]() if name in say else one_line(event.service)
        state = say[f"state_{event.state}"]()
        if self.run.version.w3svc_needs_iisadmin:  # Windows Server 2003: a classic source
            data = [("", display), ("", state)]
        else:
            binary = f"{event.service}/{_BINARY_STATE[event.state]}\0".encode("utf-16-le").hex().upper()
            data = [("param1", display), ("param2", state), ("Binary", binary)]
        self.write(entry, "service_state", display, state, data=data)


_SYSTEM: Final[Writes] = {ServiceStateChanged: SystemEvents.service_changed}


class SystemXml(SystemEvents):
    form = "xml"
    writes = _SYSTEM


class SystemText(SystemEvents):
    form = "text"
    writes = _SYSTEM


class SecurityEvents(EventLog):
    """Logons that were refused: event 529 until Windows Server 2003, 4625 later."""

    channel = "Security"

    def logon_failed(self, entry: Entry) -> None:
        event: LogonFailed = entry.event
        domain, _, user = one_line(event.account).rpartition("\\")
        client = one_line(event.client) or "-"
        # a local account is IIS's anonymous one, which IIS itself logs on; others authenticate over the network
        logon_type, process, package = ("3", "NtLmSsp ", "NTLM") if domain else ("8", "Advapi  ", "Negotiate")
        address, domain = (client, domain) if domain else ("-", self.host)
        values = {
            "user": user,
            "domain": domain,
            "logon_type": logon_type,
            "process": process,
            "package": package,
            "workstation": "-",
            "address": address,
        }
        audited = [
            ("SubjectUserSid", "S-1-0-0"),
            ("SubjectUserName", "-"),
            ("SubjectDomainName", "-"),
            ("SubjectLogonId", "0x0"),
            ("TargetUserSid", "S-1-0-0"),
            ("TargetUserName", user),
            ("TargetDomainName", domain),
            ("Status", "0xc000006d"),
            ("FailureReason", "%%2313"),
            ("SubStatus", "0xc000006a"),
            ("LogonType", logon_type),
            ("LogonProcessName", process),
            ("AuthenticationPackageName", package),
            ("WorkstationName", "-"),
            ("TransmittedServices", "-"),
            ("LmPackageName", "-"),
            ("KeyLength", "0"),
            ("ProcessId", "0x0"),
            ("ProcessName", "-"),
            ("IpAddress", address),
            ("IpPort", "-"),
        ]
        data: dict[str, Data] = {
            "logon_failed_529": [("", value) for value in values.values()],
            "logon_failed_4625": audited,
        }
        for name, named in data.items():  # Windows has one of them
            self.write(entry, name, *(values[value] for value in parameter_names("eventlog", name)), data=named)


_SECURITY: Final[Writes] = {LogonFailed: SecurityEvents.logon_failed}


class SecurityXml(SecurityEvents):
    form = "xml"
    writes = _SECURITY


class SecurityText(SecurityEvents):
    form = "text"
    writes = _SECURITY
