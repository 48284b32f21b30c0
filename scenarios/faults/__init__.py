"""The fault catalogue, family by family; importing this package fills ``FAULTS``."""

from __future__ import annotations

from scenarios.fault import FAULTS, Fault
from scenarios.faults import configmgr, content, hidden, iis, network, proxy, replication, sql, tls, wsus

__all__ = ["FAULTS", "Fault", "configmgr", "content", "hidden", "iis", "network", "proxy", "replication", "sql", "tls", "wsus"]
