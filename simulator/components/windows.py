"""Windows as far as the synchronization can tell: services, local accounts and groups, and the account directory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.clock import Zone
from simulator.events import ServiceStateChanged
from simulator.journal import Entry, Reporter
from simulator.state import State

if TYPE_CHECKING:
    from simulator.components.iis import Iis
    from simulator.components.wsus import Wsus


@dataclass(slots=True, eq=False, kw_only=True)
class WindowsService(State):
    """A Windows service."""

    name: str
    running: bool = True


@dataclass(slots=True, eq=False, kw_only=True)
class Account(State):
    """A user account, local or in the domain."""

    name: str
    """``DOMAIN\\user`` or, for local accounts, the bare name."""
    enabled: bool = True
    password_current: bool = True
    """The password stored where it is used is the account's."""

    @property
    def can_log_on(self) -> bool:
        return self.enabled and self.password_current


@dataclass(slots=True, eq=False, kw_only=True)
class Group(State):
    """A local group."""

    members: tuple[str, ...]


@dataclass(slots=True, eq=False, kw_only=True)
class Programs(State):
    """What is installed on a server."""

    wsus_console: bool
    """The WSUS administration console, which brings Microsoft.UpdateServices.Administration."""


class Server:
    """A computer of the estate."""

    def __init__(self, *, name: str, fqdn: str, ip: str, netbios_domain: str, zone: Zone, pen: Reporter) -> None:
        self.name = name
        self.fqdn = fqdn
        self.ip = ip
        self.zone = zone
        self.pen = pen
        self.computer_account = f"{netbios_domain}\\{name}$"
        self.services: dict[str, WindowsService] = {}
        self.programs = Programs(entity=f"{name}/programs", wsus_console=False)
        self.iis: Iis | None = None
        self.wsus: Wsus | None = None

    def add_service(self, name: str) -> WindowsService:
        service = self.services[name] = WindowsService(entity=f"{self.name}/{name}", name=name)
        return service

    def set_service(self, at: int, name: str, *, running: bool, because: Entry | None) -> None:
        """Start or stop a service at ``at``; nothing happens when it is in that state already."""
        service = self.services[name]
        if service.running == running:
            return
        service.change(because, running=running)
        self.pen.report(at, ServiceStateChanged(name, "running" if running else "stopped"), because)
