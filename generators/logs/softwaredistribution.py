"""SoftwareDistribution.log: what WSUS itself says of its synchronizations and of its web services."""

from __future__ import annotations

from typing import ClassVar, Final

from generators.escape import one_line
from generators.exceptions import exception_text
from generators.layouts import SOFTWARE_DISTRIBUTION, Stamp
from generators.log import Log, Writes
from generators.utc import utc_millis
from simulator.estate import Site
from simulator.events import (
    SubscriptionChanged,
    UpstreamCallFailed,
    WebServiceChecked,
    WsusServiceStarted,
    WsusServiceStopped,
    WsusSyncBegan,
    WsusSyncEnded,
    WsusSyncFinishFired,
    WsusSyncRequested,
)
from simulator.failures import SynchronizationCanceled
from simulator.journal import Entry

MAIN_THREAD: Final = 1
HEALTH_MESSAGES: Final = {
    "ApiRemoting": "api_remoting",
    "Client": "client",
    "ServerSync": "server_sync",
    "SimpleAuth": "simple_auth",
    "DssAuth": "dss_auth",
    "Reporting": "reporting",
}
"""How the messages of each web service begin, here and in the Application log."""


class WsusLog(Log):
    """What SoftwareDistribution.log and Change.log have in common: what somebody did through the API."""

    messages = ("softwaredistribution",)
    layout = SOFTWARE_DISTRIBUTION
    component = "WSUS"
    file: ClassVar[str]

    @classmethod
    def hosts(cls, site: Site) -> tuple[str, ...]:
        return site.wsus_servers

    def path(self) -> str:
        return f"Program Files/Update Services/LogFiles/{self.file}"

    def stamp(self) -> Stamp:
        return utc_millis()

    def sync_requested(self, entry: Entry) -> None:
        event: WsusSyncRequested = entry.event
        self.lines.set_thread(event.thread)
        self.lines.sync_requested(entry.at)

    def subscription_changed(self, entry: Entry) -> None:
        event: SubscriptionChanged = entry.event
        self.lines.set_thread(event.thread)
        texts = (", ".join(names) for names in (event.products, event.classifications, event.languages))
        self.lines.subscription_changed(entry.at, event.account, *texts)


class ChangeLog(WsusLog):
    """Change.log: only what somebody changed [L]."""

    file = "Change.log"
    writes: ClassVar[Writes] = {
        WsusSyncRequested: WsusLog.sync_requested,
        SubscriptionChanged: WsusLog.subscription_changed,
    }


class SoftwareDistributionLog(WsusLog):
    file = "SoftwareDistribution.log"

    def subscription_changed(self, entry: Entry) -> None:
        super().subscription_changed(entry)
        self.lines.subscription_event(entry.at)

    def sync_began(self, entry: Entry) -> None:
        event: WsusSyncBegan = entry.event
        self.lines.set_thread(event.thread)
        write = self.lines.manual_sync_began if event.trigger == "manual" else self.lines.scheduled_sync_began
        write(entry.at)

    def call_failed(self, entry: Entry) -> None:
        event: UpstreamCallFailed = entry.event
        if not event.retry and not event.attempt:
            return  # what is not worth a second attempt is told of when the synchronization ends
        self.lines.set_thread(event.thread)
        write = self.lines.call_retried if event.retry else self.lines.call_failed
        write(entry.at, exception_text(self.run, event.reason), self.run.reasons.at)

    def sync_ended(self, entry: Entry) -> None:
        event: WsusSyncEnded = entry.event
        self.lines.set_thread(event.thread)
        if event.trouble is None:
            self.lines.sync_succeeded(entry.at)
        elif isinstance(event.trouble.reason, SynchronizationCanceled):
            self.lines.sync_canceled(entry.at)
        else:
            self.lines.sync_failed(entry.at, one_line(self.run.reasons.text(event.trouble.reason)).removesuffix("."))

    def finish_fired(self, entry: Entry) -> None:
        event: WsusSyncFinishFired = entry.event
        self.lines.set_thread(event.thread)
        self.lines.sync_finish_fired(entry.at)

    def web_service_checked(self, entry: Entry) -> None:
        event: WebServiceChecked = entry.event
        self.lines.set_thread(event.thread)
        name = HEALTH_MESSAGES[event.service]
        if event.reason is None:
            getattr(self.lines, f"{name}_working")(entry.at)
        else:
            exception = exception_text(self.run, event.reason)
            getattr(self.lines, f"{name}_checked")(entry.at, exception, self.run.reasons.at)
            getattr(self.lines, f"{name}_broken")(entry.at)

    def service_started(self, entry: Entry) -> None:
        event: WsusServiceStarted = entry.event
        if not event.resumed:
            self.lines.set_thread(MAIN_THREAD)
            self.lines.service_started(entry.at)

    def service_stopped(self, entry: Entry) -> None:
        self.lines.set_thread(MAIN_THREAD)
        self.lines.service_stopped(entry.at)

    writes: ClassVar[Writes] = {
        WsusSyncRequested: WsusLog.sync_requested,
        SubscriptionChanged: subscription_changed,
        WsusSyncBegan: sync_began,
        UpstreamCallFailed: call_failed,
        WsusSyncEnded: sync_ended,
        WsusSyncFinishFired: finish_fired,
        WebServiceChecked: web_service_checked,
        WsusServiceStarted: service_started,
        WsusServiceStopped: service_stopped,
    }
