"""The proxy server between the estate and the Internet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.components.windows import Account, Server
from simulator.failures import Failure, ProxyStatus
from simulator.state import State, first
from simulator.units import MS

if TYPE_CHECKING:
    from simulator.components.wsus import WsusSettings

REFUSAL_US = 300 * MS


@dataclass(slots=True, eq=False, kw_only=True)
class ProxySettings(State):
    """How the proxy is set up."""

    port: int
    account: str
    """Account that it demands; empty when it lets everybody through."""


class ProxyServer:
    """Resolves Internet names for those inside, and asks for credentials if it is told to."""

    def __init__(self, server: Server, settings: ProxySettings, accounts: dict[str, Account]) -> None:
        self.server = server
        self.settings = settings
        self._accounts = accounts

    def relay(self, client: WsusSettings, took_us: int) -> int:
        """Pass one request on: the time it takes; raises ``Failure`` (407) without valid credentials."""
        if not self.settings.account:
            return took_us
        account = self._accounts.get(client.proxy_account)
        if account is not None and account.can_log_on:
            return took_us
        because = first(
            account.because("enabled", "password_current") if account is not None else None, client.because("proxy_account")
        )
        raise Failure(ProxyStatus(407), because, REFUSAL_US)
