"""Repairs and other actions, family by family; importing this package fills ``REPAIRS``."""

from __future__ import annotations

from scenarios.action import REPAIRS, Repair
from scenarios.repairs import configmgr, iis, network, traps, windows, wsus

__all__ = ["REPAIRS", "Repair", "configmgr", "iis", "network", "traps", "windows", "wsus"]
