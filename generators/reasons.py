"""Failures in words: what .NET and WSUS say of a ``Reason``, in the language of the server's Windows.

The product quotes an exception in several ways; each has its method in ``Reasons``. Texts are in ``messages/dotnet.toml``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, assert_never

from generators.catalogue import Language
from generators.compile import compile_texts
from generators.sources import source_text
from simulator.events import Source
from simulator.failures import (
    CallTimedOut,
    ConfigurationRefused,
    ConnectionRefused,
    ConnectionTimedOut,
    DatabaseUnreachable,
    HttpStatus,
    NameNotResolved,
    PermissionRefused,
    ProxyStatus,
    Reason,
    SchemaInvalid,
    SynchronizationCanceled,
    TlsRefused,
    TrustNotEstablished,
    UpstreamTrouble,
    WsusNotConfigured,
)
from simulator.versions import Version

_PHRASES: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    407: "Proxy Authentication Required",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
_GERMAN_PHRASES: Final = {401: "Nicht autorisiert"}
"""The seed translates this one; all others are the server's own words, which no Windows translates."""


class Reasons:
    """Words for failures in one product generation and language."""

    def __init__(self, version: Version, language: Language) -> None:
        self._version = version
        self._language = language
        self._say = compile_texts("dotnet", version, language)
        self._at = "bei" if language == "de" else "at"
        self.message = lru_cache(maxsize=1024)(self._message)
        """As wsyncmgr.log and status 6703 quote it: without the final period of the exception's message."""

    def text(self, reason: Reason) -> str:
        """The exception's own message, with its final period if it has one."""
        match reason:
            case NameNotResolved(name, proxy):
                return self._say["proxy_name_not_resolved" if proxy else "name_not_resolved"](name)
            case ConnectionRefused() | ConnectionTimedOut():
                return self._say["not_connected"]()
            case TrustNotEstablished():
                return self._say["trust_not_established"]()
            case TlsRefused():
                return self._say["tls_refused"]()
            case HttpStatus(status) | ProxyStatus(status):
                return self._say["http_status"](status, self._phrase(status, proxy=isinstance(reason, ProxyStatus)))
            case PermissionRefused():
                return self._say["permission_refused"]()
            case CallTimedOut():
                return self._say["call_timed_out"]()
            case WsusNotConfigured():
                return self._say["wsus_not_configured"]()
            case ConfigurationRefused(problem):
                return self._say["refused_replica" if problem == "replica" else "refused_service"]()
            case DatabaseUnreachable():
                return self._say["database_unreachable"]()
            case SchemaInvalid(guid):
                return self._say["update_not_saved"](guid)
            case SynchronizationCanceled():
                return self._say["canceled"]()
        assert_never(reason)

    def inner(self, reason: Reason) -> str:
        """Type and message of the inner exception, ``Type: message``; empty when there is none."""
        match reason:
            case ConnectionRefused(address, port):
                return f"System.Net.Sockets.SocketException: {self._say['connection_refused'](address, port)}"
            case ConnectionTimedOut(address, port):
                return f"System.Net.Sockets.SocketException: {self._say['connection_timed_out'](address, port)}"
            case TrustNotEstablished():
                return f"System.Security.Authentication.AuthenticationException: {self._say['certificate_invalid']()}"
            case TlsRefused():
                return f"System.IO.IOException: {self._say['handshake_failed']()}"
        return ""

    def kind(self, reason: Reason) -> str:
        """Full name of the exception's class."""
        match reason:
            case PermissionRefused():
                return "System.Security.SecurityException"
            case ConfigurationRefused():
                return "System.InvalidOperationException"
            case DatabaseUnreachable():
                return "System.Data.SqlClient.SqlException"
        return "System.Net.WebException"

    def frame(self, reason: Reason) -> str:
        """The method in which a web service call failed: the first stack frame, without ``at``."""
        if isinstance(reason, HttpStatus | ProxyStatus):
            return self._say["frame_read_response"]()
        if isinstance(reason, DatabaseUnreachable):
            return self._say["frame_sql_connection"]()
        return self._say["frame_get_request_stream"]()

    @property
    def unspecified_error(self) -> str:
        """What Windows says of E_FAIL."""
        return self._say["unspecified_error"]()

    @property
    def at(self) -> str:
        """The word before a stack frame."""
        return self._at

    def upstream(self, trouble: UpstreamTrouble) -> str:
        """WSUS's own view of a failed synchronization, two lines: class of exception and message, first frame."""
        if isinstance(trouble.reason, SynchronizationCanceled):
            return self.text(trouble.reason).removesuffix(".")
        if trouble.error == "UssInternalError":
            return f"SoapException: {self._say['soap_fault']()}\r\n{self._at} {self._say['frame_read_response']()}"
        kind = self.kind(trouble.reason).rpartition(".")[2]
        return f"{kind}: {self.text(trouble.reason)}\r\n{self._at} {self.frame(trouble.reason)}"

    def exception(self, reason: Reason) -> str:
        """As WCM.log prints a failed connection: class, message and frames, line breaks as ``~~``."""
        names = ["frame_create_update_server", "frame_connect"]
        if isinstance(reason, CallTimedOut):
            names.insert(0, "frame_get_web_response")
        frames = "".join(f"~~   {self._at} {self._say[name]()}" for name in names)
        return f"{self.kind(reason)}: {self.text(reason)}{frames}"

    def string(self, value: str | Source | Reason | UpstreamTrouble) -> str:
        """An insertion string of a status message."""
        if isinstance(value, str):
            return value
        if isinstance(value, Source):
            return source_text(value, self._version)
        return self.message(value)

    def _message(self, reason: Reason | UpstreamTrouble) -> str:
        if isinstance(reason, UpstreamTrouble):
            return f"{reason.error}: {self.upstream(reason)}".replace("\r\n", "~~")
        text = self.text(reason)
        return text if isinstance(reason, WsusNotConfigured) else text.removesuffix(".")

    def _phrase(self, status: int, *, proxy: bool) -> str:
        if proxy and status == 502:
            return "Proxy Error"
        if self._language == "de" and status in _GERMAN_PHRASES:
            return _GERMAN_PHRASES[status]
        return _PHRASES.get(status, "Error")
