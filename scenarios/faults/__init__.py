"""The fault catalogue, family by family; importing this package fills ``FAULTS``."""

from __future__ import annotations

from scenarios.fault import FAULTS, Fault
from scenarios.faults import configmgr, iis, network, proxy, replication, tls, wsus

__all__ = ["FAULTS", "Fault", "configmgr", "iis", "network", "proxy", "replication", "tls", "wsus"]
