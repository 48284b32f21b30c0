"""WSUSCtrl.log: how the software update point watches its own WSUS."""

from __future__ import annotations

from typing import ClassVar, Final

from generators.log import Writes
from generators.site_component import CLIENT_WRITES, WsusClientLog
from simulator.estate import Site
from simulator.events import ComponentWaiting, CtrlDatabaseChecked, CtrlHealthChecked, CtrlProxyVerified, CtrlWokeUp
from simulator.journal import Entry

NO_PROXY_PORT: Final = 80
"""What the line says when no proxy is used [P]."""


class WsusCtrlLog(WsusClientLog):
    messages = ("wsusctrl", "wsus_connection", "statmsg")
    component = "SMS_WSUS_CONTROL_MANAGER"
    file = "WSUSCtrl.log"

    @classmethod
    def hosts(cls, site: Site) -> tuple[str, ...]:
        return site.sups

    def woke_up(self, entry: Entry) -> None:
        event: CtrlWokeUp = entry.event
        if event.cause == "timeout":
            self.say().timed_out(entry.at)

    def proxy_verified(self, entry: Entry) -> None:
        event: CtrlProxyVerified = entry.event
        write = self.say().proxy_updated if event.changed else self.say().proxy_unchanged
        write(entry.at, event.name, event.port or NO_PROXY_PORT)

    def health_checked(self, entry: Entry) -> None:
        event: CtrlHealthChecked = entry.event
        if event.unhealthy:
            self.say().health_failures(entry.at, event.server)
        else:
            self.say().all_healthy(entry.at, event.server)

    def database_checked(self, entry: Entry) -> None:
        event: CtrlDatabaseChecked = entry.event
        self.say().database_checked(entry.at, event.server)

    def waiting(self, entry: Entry) -> None:
        event: ComponentWaiting = entry.event
        if event.component == self.component:
            self.say().waiting(entry.at, event.wait_min)

    writes: ClassVar[Writes] = {
        **CLIENT_WRITES,
        CtrlWokeUp: woke_up,
        CtrlProxyVerified: proxy_verified,
        CtrlHealthChecked: health_checked,
        CtrlDatabaseChecked: database_checked,
        ComponentWaiting: waiting,
    }
