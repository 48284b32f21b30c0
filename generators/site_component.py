"""Logs of ConfigMgr's WSUS components: server form, one file per component, rolled over by size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from generators.layouts import CMTRACE, Stamp, bias_stamp, gmt_stamp, zone_name_stamp
from generators.log import BOM_UTF8, Log
from generators.statmsg import severity_of
from generators.windows_zones import windows_zone
from simulator.clock import Zone
from simulator.events import (
    ApiConnected,
    ApiConnectionFailed,
    AssembliesChecked,
    ComponentStarted,
    StatusReported,
)
from simulator.journal import Entry

_STATMSG = {"info": "statmsg_info", "warning": "statmsg_warning", "error": "statmsg_error"}


class SiteComponentLog(Log):
    """What wsyncmgr.log, WCM.log and WSUSCtrl.log have in common: threads, STATMSG lines, encoding, rotation."""

    layout = CMTRACE
    file: ClassVar[str]
    pid = 0
    tid = 0
    """Main thread, known from ``ComponentStarted``."""

    def path(self) -> str:
        version = self.run.version
        folder = version.logs_folder if self.host == self.site.server else version.role_logs_folder
        return f"{folder}/{self.file}"

    def stamp(self) -> Stamp:
        if self.run.version.stamp_form == "bias":
            return bias_stamp(self.zone)
        names = windows_zone(self.zone, self.run.os_language)
        return zone_name_stamp(self.zone, names.standard, names.daylight)

    def encoded_as(self) -> str:
        return self.run.version.log_encoding

    def bom(self) -> bytes:
        return BOM_UTF8 if self.run.version.log_bom else b""

    def max_bytes(self) -> int:
        return self.run.estate.log_max_bytes

    def say(self, worker: int = 0) -> Any:
        """The pen, in the hand of a worker thread or of the main thread."""
        lines = self.lines
        tid = worker or self.tid
        if tid != lines.tid:
            lines.set_thread(tid)
        return lines

    def component_started(self, entry: Entry) -> None:
        event: ComponentStarted = entry.event
        if event.component == self.component:
            self.pid = event.pid
            self.tid = event.tid

    def status_reported(self, entry: Entry) -> None:
        event: StatusReported = entry.event
        if event.component != self.component:
            return
        strings = [self.run.reasons.string(value) for value in event.strings]
        istr0, istr1, istr2 = (*strings, "", "", "")[:3]
        host = self.host if self.run.version.system_name == "netbios" else self.run.fqdn(self.host)
        say = self.say(event.worker)
        write = getattr(say, _STATMSG[severity_of(event.message_id)])
        write(
            entry.at,
            event.message_id,
            self.component,
            host,
            self.site.code,
            self.pid,
            event.worker or self.tid,
            gmt_stamp()(entry.at),
            istr0,
            istr1,
            istr2,
            f"{event.os_error:x}",
        )


COMPONENT_WRITES: Mapping[type[Any], Any] = {
    ComponentStarted: SiteComponentLog.component_started,
    StatusReported: SiteComponentLog.status_reported,
}


class WsusClientLog(SiteComponentLog):
    """WCM.log and WSUSCtrl.log: both look for the WSUS API on their computer and connect to it."""

    def assemblies_checked(self, entry: Entry) -> None:
        event: AssembliesChecked = entry.event
        if event.component != self.component:
            return
        at, say, version = entry.at, self.say(), self.run.version
        say.checking_version(at)
        say.checking_version_2007(at)
        *others, last = version.runtimes
        for runtime in others:
            say.checking_runtime(at, runtime)
            say.assembly_not_found(at)
        say.checking_runtime(at, last)
        if event.found:
            say.assembly_found(at, "Administration", version.assembly_version, version.assembly_file_version)
            say.assembly_found(at, "BaseApi", version.assembly_version, version.assembly_file_version)
            say.version_supported(at)
        else:
            say.assembly_not_found(at)

    def _connection_tried(self, at: int, event: ApiConnected | ApiConnectionFailed) -> None:
        say = self.say()
        if event.account:
            say.using_credentials(at, event.account)
        if event.local:
            say.attempting_local(at)
        else:
            say.attempting_remote(at, event.server, event.port, str(event.ssl))

    def connected(self, entry: Entry) -> None:
        event: ApiConnected = entry.event
        if event.component != self.component:
            return
        at, say = entry.at, self.say()
        self._connection_tried(at - event.took_us, event)
        if event.local:
            say.connected_local(at)
        else:
            say.connected_remote(at, event.server, event.port, str(event.ssl))
        if event.account:
            say.done_using_credentials(at, event.account)

    def connection_failed(self, entry: Entry) -> None:
        event: ApiConnectionFailed = entry.event
        if event.component != self.component:
            return
        say = self.say()
        self._connection_tried(entry.at - event.took_us, event)
        say.connection_exception(entry.at, self.run.reasons.exception(event.reason))
        if event.account:
            say.done_using_credentials(entry.at, event.account)


CLIENT_WRITES: Mapping[type[Any], Any] = {
    **COMPONENT_WRITES,
    AssembliesChecked: WsusClientLog.assemblies_checked,
    ApiConnected: WsusClientLog.connected,
    ApiConnectionFailed: WsusClientLog.connection_failed,
}


def us_date_time(zone: Zone, at: int) -> str:
    """``3/29/2011 7:44:37 PM``, local time, as 2007 prints dates [P]."""
    local = zone.local(at)
    return f"{local.month}/{local.day}/{local.year} {local.hour % 12 or 12}:{local:%M:%S} {'PM' if local.hour >= 12 else 'AM'}"


def padded_date_time(zone: Zone, at: int) -> str:
    """``07/22/2025 10:21:12``, local time, as Current Branch prints dates [P]."""
    return f"{zone.local(at):%m/%d/%Y %H:%M:%S}"
