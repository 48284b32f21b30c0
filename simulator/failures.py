"""Trouble that the modelled product meets and handles: facts first, text later.

A ``Reason`` says what went wrong on the way, as the program that made the call could tell; a ``Failure`` carries it, as an
exception, to the place where the product would notice it. German and English exception texts are the message catalogue's.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from simulator.journal import Entry


class NameNotResolved(NamedTuple):
    """DNS had no answer. ``proxy``: it was the proxy server's name that was looked up."""

    name: str
    proxy: bool = False


class ConnectionRefused(NamedTuple):
    """A reset came back: nobody listens on that port, or a firewall rejects."""

    address: str
    port: int


class ConnectionTimedOut(NamedTuple):
    """No answer at all: packets are dropped, the route or the host is gone."""

    address: str
    port: int


class TrustNotEstablished(NamedTuple):
    """The server's certificate was not accepted."""

    server: str
    problem: Literal["expired", "not yet valid", "wrong name", "untrusted issuer"]


class TlsRefused(NamedTuple):
    """The other side does not speak TLS on that port, or has no certificate for it."""

    server: str


class HttpStatus(NamedTuple):
    """The server answered with an error status. ``substatus`` and ``win32`` stay in the server's own log."""

    status: int
    substatus: int = 0
    win32: int = 0


class ProxyStatus(NamedTuple):
    """The proxy server, not the destination, answered with an error status."""

    status: int


class PermissionRefused(NamedTuple):
    """The caller is authenticated but not a member of WSUS Administrators (``Request for principal permission failed``)."""

    account: str


class CallTimedOut(NamedTuple):
    """The API call got no answer in time."""


class WsusNotConfigured(NamedTuple):
    """The gate: WSUS Configuration Manager's last result is not success."""

    state: int


class ConfigurationRefused(NamedTuple):
    """WSUS does not take the settings. ``problem``: it is a replica, or its service does not run."""

    problem: Literal["replica", "service"]


class DatabaseUnreachable(NamedTuple):
    """The server's own database does not answer (SqlException)."""


class SchemaInvalid(NamedTuple):
    """SQL Server's procedures do not accept a configuration item (``sp_SetupSDMPackage returns an error``) [S]."""

    guid: str
    """The update that could not be saved."""


class SynchronizationCanceled(NamedTuple):
    """Somebody cancelled, or the service stopped in mid-run."""


Reason = (
    NameNotResolved
    | ConnectionRefused
    | ConnectionTimedOut
    | TrustNotEstablished
    | TlsRefused
    | HttpStatus
    | ProxyStatus
    | PermissionRefused
    | CallTimedOut
    | WsusNotConfigured
    | ConfigurationRefused
    | DatabaseUnreachable
    | SchemaInvalid
    | SynchronizationCanceled
)

UssError = Literal[
    "UssCommunicationError", "DssAuthenticationError", "ProxyError", "UssInternalError", "LocalDBConnectFail", "UserCanceled"
]
"""Members of WSUS's SynchronizationError enumeration that prefix what failed on the way to the upstream server."""


class UpstreamTrouble(NamedTuple):
    """What WSUS says of a failed synchronization: its own error class, and what happened on the wire."""

    error: UssError
    reason: Reason


class Failure(Exception):
    """A call that did not work.

    ``reason`` is what the caller can tell, ``because`` the journal entry (or the state's) that made it so,
    ``took_us`` how long the caller had to wait for it.
    """

    def __init__(self, reason: Reason, because: Entry | None, took_us: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.because = because
        self.took_us = took_us
