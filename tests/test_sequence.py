"""Complete successful runs follow the order and timing of real ones.

The sequences and gaps are those of the reference runs (documentation of 2012 R2; Current Branch logs of 2021 to 2025): see
``docs/model.md``. An item matches the beginning of a line; ``...`` at its end, lines that may repeat.
"""

from __future__ import annotations

import re

import pytest

from simulator.events import StatusReported, SyncSucceeded, WsusSyncBegan, WsusSyncEnded, WsusSyncFinishFired
from simulator.journal import Entry
from simulator.units import SECOND
from tests.conftest import log_text, logs_of, messages, world_of

TOP_2012 = """
Wakeup for scheduled regular sync
Starting Sync
Performing sync on regular schedule
Read SUPs from SCF for CS1SITE.CONTOSO.COM
Found 1 SUPs
Found active SUP CS1SUP.CONTOSO.COM from SCF File.~
STATMSG: ID=6701 SEV=I
Synchronizing WSUS server CS1SUP.CONTOSO.COM
STATMSG: ID=6704 SEV=I
Synchronizing WSUS server cs1sup.contoso.com ...
sync: Starting WSUS synchronization
sync: WSUS synchronizing categories
sync: WSUS synchronizing updates
sync: WSUS synchronizing updates, processed N out of N items (100%)
sync: WSUS synchronizing updates, processed N out of N items (100%)
Done synchronizing WSUS Server
Sleeping 2 more minutes for WSUS server sync results to become available
Set content version of update source {GUID} for site CS1 to N
STATMSG: ID=6705 SEV=I
Synchronizing SMS database with WSUS server
sync: SMS synchronizing categories
sync: SMS synchronizing categories, processed N out of N items (100%)
sync: SMS synchronizing updates
+Synchronizing update GUID -
sync: SMS synchronizing updates, processed N out of N items (100%)
Done synchronizing SMS with WSUS Server
Set content version of update source {GUID} for site CS1 to N
STATMSG: ID=6702 SEV=I
Sync succeeded. Setting sync alert to canceled state on site CS1
Updated N items in SMS database, new update source content version is N
Sync time: 0d00h03m
Sending sync notification to child site(s): PS1
SQL Replication type has not been set for
"""

CHILD_2012 = """
Wakeup by inbox drop
Found parent sync notification file CS1.SYN.
Starting Sync
Performing sync on parent request
Read SUPs from SCF for PS1SITE.CONTOSO.COM
Found 1 SUPs
Found active SUP PS1SUP.CONTOSO.COM from SCF File.~
STATMSG: ID=6701 SEV=I
Synchronizing WSUS server PS1SUP.CONTOSO.COM
STATMSG: ID=6704 SEV=I
Synchronizing WSUS server ps1sup.contoso.com ...
sync: Starting WSUS synchronization
sync: WSUS synchronizing categories
sync: WSUS synchronizing updates
sync: WSUS synchronizing updates, processed N out of N items (100%)
sync: WSUS synchronizing updates, processed N out of N items (100%)
Done synchronizing WSUS Server
Sleeping 2 more minutes for WSUS server sync results to become available
Set content version of update source {GUID} for site PS1 to N
STATMSG: ID=6702 SEV=I
Sync succeeded. Setting sync alert to canceled state on site PS1
Successfully synced site with parent CS1, version N
Sync time: 0d00h02m
"""

TOP_CB = """
Wakeup for scheduled regular sync
Starting Sync
Performing sync on regular schedule
Read SUPs from SCF for CS1SITE.CONTOSO.COM
Found 1 SUPs
Found active SUP CS1SUP.CONTOSO.COM from SCF File.~
STATMSG: ID=6701 SEV=I
Sync Surface Drivers option is not set
Synchronizing WSUS, default server is CS1SUP.CONTOSO.COM
STATMSG: ID=6704 SEV=I
http://CS1SUP.CONTOSO.COM:8530
Attempting connection to WSUS server: cs1sup.contoso.com, port: 8530, useSSL: False
Synchronizing WSUS server CS1SUP.CONTOSO.COM ...
sync: Starting WSUS synchronization
sync: WSUS synchronizing categories
sync: WSUS synchronizing updates
sync: WSUS synchronizing updates, processed N out of N items (100%)
sync: WSUS synchronizing updates, processed N out of N items (100%)
Done synchronizing WSUS Server CS1SUP.CONTOSO.COM
Sync Catalog Drivers SCF value is set to : 0
SyncGracePeriod not set, use default 120000
Sleeping 120 more seconds for WSUS server sync results to become available
Set content version of update source {GUID} for site CS1 to N
Resetting MaxInstall RunTime for Cumulative updates.
Synchronizing SMS database with WSUS, default server is CS1SUP.CONTOSO.COM
STATMSG: ID=6705 SEV=I
http://CS1SUP.CONTOSO.COM:8530
Synchronizing SMS database with WSUS server CS1SUP.CONTOSO.COM ...
sync: Starting SMS database synchronization
requested localization languages: en
Syncing updates arrived after
Requested categories:
sync: SMS synchronizing categories
sync: SMS synchronizing categories, processed 0 out of N items (0%)
sync: SMS synchronizing categories, processed N out of N items (100%)
sync: SMS synchronizing categories, processed N out of N items (100%)
sync: SMS synchronizing updates
SyncBatchCount not set, using default 1
SyncBatchMinCreationDate not set, using default 01/01/2001 00:00:00
+Synchronizing update GUID -
sync: SMS synchronizing updates, processed N out of N items (100%)
sync: SMS performing cleanup
Done synchronizing SMS with WSUS Server CS1SUP.CONTOSO.COM
Set content version of update source {GUID} for site CS1 to N
Resetting MaxInstall RunTime for Cumulative updates.
STATMSG: ID=6702 SEV=I
Sync succeeded. Setting sync alert to canceled state on site CS1
Updated N items in SMS database, new update source content version is N
Sync time: 0d00h03m
Sending sync notification to child site(s): PS1
"""

CASES = {
    "2012 top": ("2012", "CS1SITE", TOP_2012),
    "2012 child": ("2012", "PS1SITE", CHILD_2012),
    "cb top": ("cb", "CS1SITE", TOP_CB),
}


def _pattern(items: str) -> re.Pattern[str]:
    parts = []
    for item in items.strip("\n").split("\n"):
        many = item.startswith("+")
        text = re.escape(item.removeprefix("+")).replace("GUID", "[0-9A-Fa-f-]{36}")
        text = re.sub(r"(?<![A-Z])N(?![A-Z])", r"\\d+", text)
        line = rf"{text}[^\n]*\n"
        parts.append(f"(?:{line})+" if many else line)
    return re.compile("".join(parts))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("case", CASES)
def test_a_complete_run_follows_the_order_of_real_ones(case: str, seed: int) -> None:
    generation, host, items = CASES[case]
    text = log_text(logs_of(world_of("contoso-child", generation, seed=seed, hours=4)), "wsyncmgr.log", host)
    lines = "\n".join(messages(text)) + "\n"
    assert _pattern(items).search(lines), lines


def _status(entries: list[Entry], host: str, message_id: int) -> int:
    return next(
        e.at for e in entries if e.host == host and isinstance(e.event, StatusReported) and e.event.message_id == message_id
    )


@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("generation", ["2012", "cb"])
def test_a_complete_run_takes_the_time_of_real_ones(generation: str, seed: int) -> None:
    entries = list(world_of("contoso-child", generation, seed=seed, hours=4).simulate())

    def first(kind: type, host: str) -> int:
        return next(e.at for e in entries if e.host == host and isinstance(e.event, kind))

    top = {id: _status(entries, "CS1SITE", id) for id in (6701, 6704, 6705, 6702)}
    assert 0.9 * SECOND < top[6704] - top[6701] < 1.4 * SECOND  # 1.09 s, 1.14 s, 1.31 s
    began, ended = first(WsusSyncBegan, "CS1SUP"), first(WsusSyncEnded, "CS1SUP")
    assert 1.5 * SECOND < began - top[6704] < 4 * SECOND  # 2.5 s
    assert 30 * SECOND < ended - began < 120 * SECOND  # 69 s for 130 updates
    assert 0.9 * SECOND < first(WsusSyncFinishFired, "CS1SUP") - ended < 1.3 * SECOND  # 1.1 s
    assert 120 * SECOND < top[6705] - ended < 135 * SECOND  # 124 s
    assert 20 * SECOND < top[6702] - top[6705] < 60 * SECOND  # 37 s
    done = next(e for e in entries if e.host == "CS1SITE" and isinstance(e.event, SyncSucceeded))
    assert done.event.took_s == (top[6702] - top[6701]) // SECOND
    child = {id: _status(entries, "PS1SITE", id) for id in (6701, 6704, 6702)}
    assert 15 * SECOND < child[6701] - top[6702] < 100 * SECOND  # 51 s
    assert 125 * SECOND < child[6702] - child[6701] < 240 * SECOND  # 177.5 s


def test_the_control_lines_are_the_main_threads_and_the_phases_a_workers() -> None:
    text = log_text(logs_of(world_of(hours=4)), "wsyncmgr.log")
    threads: dict[str, set[str]] = {}
    for line in text.splitlines():
        message, _, stamp = line.rpartition("  $$<")
        threads.setdefault(message.split(" ")[0], set()).add(stamp.rsplit("thread=", 1)[1])
    assert len(threads["STATMSG:"]) == 1
    assert len(threads["sync:"]) == 1
    assert threads["STATMSG:"] != threads["sync:"]
