"""The looks, family by family; importing this registers them all."""

from __future__ import annotations

from scenarios.look import LOOKS, Look
from scenarios.looks import console, iis_manager, logs, network, site_server, tools, windows, wsus_console

__all__ = ["LOOKS", "Look", "console", "iis_manager", "logs", "network", "site_server", "tools", "windows", "wsus_console"]
