"""Status messages of a site: what its components reported, as records and as the Status Message Viewer shows them."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar, Final, Self

import msgspec

from generators.catalogue import Language
from generators.compile import compile_texts
from generators.escape import one_line
from generators.framed import FramedLog, parameter_names
from generators.layouts import Layout, Stamp, iso_stamp
from generators.log import BOM_UTF8, Run, Writes
from generators.reasons import Reasons
from generators.site_component import us_date_time
from generators.sources import source_text
from generators.statmsg import severity_of
from generators.utc import utc_iso
from simulator.clock import Zone
from simulator.estate import Site
from simulator.events import ComponentStarted, Source, StatusReported
from simulator.failures import (
    ConnectionRefused,
    ConnectionTimedOut,
    NameNotResolved,
    Reason,
    SynchronizationCanceled,
    UpstreamTrouble,
    WsusNotConfigured,
)
from simulator.journal import Entry
from simulator.versions import Version

String = str | Source | Reason | UpstreamTrouble
_STRINGS: Final = 10
"""Insertion strings of a status message."""
_json: Final = msgspec.json.Encoder().encode


def describe(message_id: int, strings: tuple[String, ...], os_error: int, version: Version, language: Language) -> str:
    """The description of a status message, as the Status Message Viewer of that language shows it.

    ``strings`` and ``os_error`` are those of ``StatusReported``. Line breaks are the message's own. Raises ``KeyError`` for a
    message that this product generation does not have.
    """
    return StatusTexts.of(version, language).describe(message_id, strings, os_error)


class StatusTexts:
    """Descriptions of one product generation in one language."""

    def __init__(self, version: Version, language: Language) -> None:
        self._version = version
        self._say = compile_texts("status", version, language)
        self._reasons = Reasons(version, language)

    @classmethod
    @cache
    def of(cls, version: Version, language: Language) -> Self:
        return cls(version, language)

    def describe(self, message_id: int, strings: tuple[String, ...], os_error: int) -> str:
        """See the function of that name."""
        text: str = self._say[f"m{message_id}"](*self.values(message_id, strings))
        clause = self.clause(os_error)
        return f"{text} {clause}" if clause else text

    def values(self, message_id: int, strings: tuple[String, ...]) -> list[str]:
        """The insertion strings in words, in the order in which the message's function takes them."""
        words = {f"istr{number}": one_line(self.string(value)) for number, value in enumerate(strings)}
        return [words.get(name, "") for name in parameter_names("status", f"m{message_id}")]

    def clause(self, os_error: int) -> str:
        """What the operating system adds; empty for 0."""
        if not os_error:
            return ""
        meaning = self._say.get(f"os_error_{os_error}", self._say["os_error_unknown"])()
        clause: str = self._say["os_error"](os_error, meaning)
        return clause

    def string(self, value: String) -> str:
        """One insertion string in words."""
        if isinstance(value, str):
            return value
        if isinstance(value, Source):
            return source_text(value, self._version)
        if not isinstance(value, UpstreamTrouble):
            text = self._reason(value)
            return text if isinstance(value, WsusNotConfigured) else text.removesuffix(".")
        if isinstance(value.reason, SynchronizationCanceled) or value.error == "UssInternalError":
            return f"{value.error}: {self._reasons.upstream(value)}".replace("\r\n", " ")
        kind = self._reasons.kind(value.reason).rpartition(".")[2]
        exception = f"{kind}: {self._reason(value.reason)}"
        quoted: str = self._say["reason_upstream"](value.error, exception, self._reasons.frame(value.reason))
        return quoted

    def _reason(self, reason: Reason) -> str:
        text: str
        match reason:
            case NameNotResolved(name, proxy=False):
                text = self._say["reason_name_not_resolved"](name)
            case ConnectionRefused() | ConnectionTimedOut():
                text = self._say["reason_not_connected"]()
            case WsusNotConfigured():
                text = self._say["reason_wsus_not_configured"]()
            case _:
                text = self._reasons.text(reason)
        return text

    def word(self, name: str) -> str:
        """A word of the viewer, such as ``severity_error``."""
        text: str = self._say[name]()
        return text


def date_time(zone: Zone, at: int, language: str) -> str:
    """Local time as Windows writes it: ``8/6/2007 7:54:32 PM``, German ``06.08.2007 19:54:32``."""
    return f"{zone.local(at):%d.%m.%Y %H:%M:%S}" if language == "de" else us_date_time(zone, at)


def system_name(run: Run, host: str) -> str:
    """How status messages name a computer."""
    return host if run.version.system_name == "netbios" else run.fqdn(host)


class StatusLog(FramedLog):
    """Status messages of all components of a site, on its servers, in one form."""

    messages = ("status",)
    component = "SMS Server"
    file: ClassVar[str]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._clock = Zone(self.zone)
        self._texts_of = StatusTexts.of(self.run.version, self.language())
        self._threads: dict[tuple[str, str], ComponentStarted] = {}
        self._entry: Entry

    @classmethod
    def hosts(cls, site: Site) -> tuple[str, ...]:
        return (site.server,)

    def sources(self) -> tuple[str, ...]:
        return self.site.hosts

    def path(self) -> str:
        return f"StatusMessages/{self.file}"

    def stamp(self) -> Stamp:
        return iso_stamp(self.zone)

    def component_started(self, entry: Entry) -> None:
        event: ComponentStarted = entry.event
        self._threads[entry.host, event.component] = event

    def status_reported(self, entry: Entry) -> None:
        event: StatusReported = entry.event
        self._entry = entry
        self.lines.set_thread(self.thread(entry)[1])
        values = self._texts_of.values(event.message_id, event.strings)
        getattr(self.lines, f"m{event.message_id}")(entry.at, *values)

    def thread(self, entry: Entry) -> tuple[int, int]:
        """Process and thread that reported."""
        event: StatusReported = entry.event
        started = self._threads.get((entry.host, event.component))
        pid, tid = (started.pid, started.tid) if started else (0, 0)
        return pid, event.worker or tid


_STATUS: Final[Writes] = {ComponentStarted: StatusLog.component_started, StatusReported: StatusLog.status_reported}


class StatusMessagesJsonl(StatusLog):
    """All facts of every message, in English."""

    layout = Layout(eol="\n")
    file = "StatusMessages.jsonl"
    writes = _STATUS

    def language(self) -> Language:
        return "en"

    def frame(self, text: str) -> str:
        entry = self._entry
        event: StatusReported = entry.event
        pid, tid = self.thread(entry)
        strings = [self.run.reasons.string(value) for value in event.strings]
        record = {
            "id": event.message_id,
            "severity": severity_of(event.message_id),
            "component": event.component,
            "system": system_name(self.run, entry.host),
            "site": self.site.code,
            "time": f"{utc_iso()(entry.at)}Z",
            "pid": pid,
            "tid": tid,
            "strings": (strings + [""] * _STRINGS)[:_STRINGS],
            "os_error": event.os_error,
        }
        return _json(record).decode() + self.layout.eol


class ViewerExport(StatusLog):
    """What the Status Message Viewer saves: one row per message, tabs between the columns."""

    def header(self, at: int) -> str:
        return StatusTexts.of(self.run.version, self.language()).word("columns") + self.layout.eol

    def bom(self) -> bytes:
        return BOM_UTF8

    def frame(self, text: str) -> str:
        entry, words = self._entry, self._texts_of
        event: StatusReported = entry.event
        clause = words.clause(event.os_error)
        columns = (
            words.word(f"severity_{severity_of(event.message_id)}"),
            words.word("type_milestone"),
            self.site.code,
            date_time(self._clock, entry.at, self.language()),
            system_name(self.run, entry.host),
            event.component,
            str(event.message_id),
            one_line(f"{text} {clause}" if clause else text),
        )
        return "\t".join(columns) + self.layout.eol


class StatusMessagesEnglish(ViewerExport):
    file = "StatusMessages_en.txt"
    writes = _STATUS

    def language(self) -> Language:
        return "en"


class StatusMessagesGerman(ViewerExport):
    file = "StatusMessages_de.txt"
    writes = _STATUS

    def language(self) -> Language:
        return "de"
