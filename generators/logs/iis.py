"""The web site's access log: by far the most lines, so what repeats is rendered once."""

from __future__ import annotations

from copy import copy
from datetime import datetime
from typing import Any, ClassVar, Final

from generators.compile import compile_texts
from generators.escape import w3c
from generators.layouts import W3C, Stamp
from generators.log import DailyLog, Writes
from generators.utc import utc_seconds
from simulator.estate import Site
from simulator.events import RequestNotFound, RequestsServed, ServiceStateChanged
from simulator.journal import Entry
from simulator.units import DAY

_MARK: Final = "\0"
"""Stands in a draft where the instant and the causes go; no W3C field and no JSON text holds it."""
_CACHED_ANSWERS: Final = 4096


class IisLog(DailyLog):
    messages = ("iis",)
    layout = W3C
    component = "W3SVC"
    _web_site = 0
    """Known from the first request."""
    _restarted = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._agent = compile_texts("iis", self.run.version, "en")["user_agent"](self.run.version.clr)
        self._browser = compile_texts("iis", self.run.version, "en")["user_agent_browser"]()
        self._drafted: list[str] = []
        self._notes_drafted: list[str] = []
        draft = self._draft = copy(self.lines)
        draft.out, draft.at, draft.stamp = self._drafted.append, 0, _MARK
        if self._truth:
            draft.note, draft.when, draft.context = self._notes_drafted.append, _MARK, _MARK
        self._answers: dict[RequestsServed, Any] = {}
        """What was served -> its rows (and notes), taken apart at the marks."""

    @classmethod
    def hosts(cls, site: Site) -> tuple[str, ...]:
        return site.wsus_servers

    def day_path(self, day: datetime) -> str:
        version = self.run.version
        prefix = "ex" if version.iis == 6 else "u_ex"
        return f"{version.iis_log_folder}/W3SVC{self._web_site}/{prefix}{day:%y%m%d}.log"

    def stamp(self) -> Stamp:
        return utc_seconds()

    def header(self, at: int) -> str:
        text: str = compile_texts("iis", self.run.version, "en")["header"](utc_seconds()(at))
        return text.replace("\n", self.layout.eol)

    def served(self, entry: Entry) -> None:
        at, event, lines = entry.at, entry.event, self.lines
        if at // DAY != self._day or self._restarted:
            self._open(at, event)
        answers = self._answers.get(event)
        if answers is None:
            answers = self._render(event)
        if at != lines.at:
            lines.at = at
            lines.stamp = lines.stamp_of(at)
            if self._truth:
                lines.when = lines.when_of(at)
        if not self._truth:
            lines.out(lines.stamp.join(answers))
            return
        stamp, when, context, out, note = lines.stamp, lines.when, lines.context, lines.out, lines.note
        for row, before, after in answers:
            out(f"{stamp}{row}")
            note(f"{before}{when}{after}{context}")

    def _open(self, at: int, event: RequestsServed | RequestNotFound) -> None:
        """Begin a file, or a new part of it."""
        self._web_site = event.web_site
        if at // DAY != self._day:
            self.begin_day(at)
        else:
            self.repeat_header(at)
        self._restarted = False

    def _render(self, event: RequestsServed) -> Any:
        if len(self._answers) >= _CACHED_ANSWERS:
            self._answers.clear()
        self._drafted.clear()
        self._notes_drafted.clear()
        browser = event.agent == "browser"
        write, agent = (self._draft.browsed, self._browser) if browser else (self._draft.request, self._agent)
        for row in event.rows:
            write(
                0,
                event.web_site,
                event.server_ip,
                w3c(row.path),
                event.port,
                w3c(row.user),
                event.client_ip,
                agent,
                row.status,
                row.substatus,
                row.win32,
                row.took_ms,
            )
        rows = "".join(self._drafted).split(_MARK)
        answers = self._answers[event] = (
            [(row, *note.split(_MARK)[:2]) for row, note in zip(rows[1:], self._notes_drafted, strict=True)]
            if self._truth
            else rows
        )
        return answers

    def service_changed(self, entry: Entry) -> None:
        event: ServiceStateChanged = entry.event
        if event.service == "W3SVC" and event.state == "running" and self._day >= 0:
            self._restarted = True

    writes: ClassVar[Writes] = {RequestsServed: served, ServiceStateChanged: service_changed}


class OtherSiteLog(IisLog):
    """The log of the web site beside WSUS's: it begins when somebody asks that site for what it does not have."""

    writes: ClassVar[Writes] = {RequestNotFound: IisLog.served, ServiceStateChanged: IisLog.service_changed}
