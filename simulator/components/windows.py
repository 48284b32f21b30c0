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


@dataclass(slots=True, eq=False, kw_only=True)
class HostsFile(State):
    """The file ``hosts`` of one computer: what stands in it is not asked of DNS."""

    entries: dict[str, str]
    """Names, lower case, to the name of a server, or to the address of a host on the Internet."""


@dataclass(slots=True, eq=False, kw_only=True)
class WindowsSettings(State):
    """Settings of one computer that are tried when something does not work, and rarely help."""

    loopback_check: bool = True
    """Windows authentication to oneself under another name is refused (off: DisableLoopbackCheck) [L]."""
    own_names: tuple[str, ...] = ()
    """Names, lower case, that are let through all the same (BackConnectionHostNames) [L]."""
    winhttp_proxy: str = ""
    """What ``netsh winhttp`` set; WSUS takes its proxy from its own configuration."""


ADMINISTRATORS, GUESTS = "Administrators", "Guests"


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
        self.hosts_file = HostsFile(entity=f"{name}/hosts", entries={})
        self.settings = WindowsSettings(entity=f"{name}/Windows")
        self.groups = {group: Group(entity=f"{name}/{group}", members=()) for group in (ADMINISTRATORS, GUESTS)}
        self.iis: Iis | None = None
        self.wsus: Wsus | None = None

    def groups_of(self, account: str) -> tuple[str, ...]:
        """The local groups of which ``account`` is expressly a member."""
        return tuple(name for name, group in self.groups.items() if account in group.members)

    def answers_itself_as(self, name: str) -> bool:
        """Whether Windows authentication to itself under ``name`` works: the loopback check lets few names through."""
        low, settings = name.lower(), self.settings
        return not settings.loopback_check or low == self.fqdn.lower() or low in settings.own_names

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
