"""Real shippers read a live run: nothing may get lost or double at the default limit of rotations.

They are used where they are installed: rsyslog and coreutils' ``tail`` from the system, pygtail from the extra ``tailers``.
``-m "not tailers"`` leaves these tests out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

import pytest

from scenarios.live import Live, LiveOptions
from scenarios.live_files import Rotation
from tests.live import live, story
from wsyncsim.live_check import Report, check, read_collected, read_truth

pytestmark = pytest.mark.tailers

LOG = "WCM.log"
SETTLE_S = 20.0
"""How long a shipper may take to read what is there."""
SHIPPERS = Path(__file__).parents[1] / "examples" / "shippers"


@dataclass
class Shipper:
    """A running shipper: how to end it, and what it collects."""

    collected: Path
    end: Callable[[], None]


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(10)


def _rsyslogd() -> str | None:
    return shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin")


def rsyslog(logs: Path, work: Path) -> Shipper:
    """With the configuration of the examples."""
    program = _rsyslogd()
    assert program is not None
    text = (SHIPPERS / "rsyslog.conf").read_text(encoding="utf-8")
    text = text.replace("/srv/site/logs", logs.as_posix()).replace("/var/spool/wsyncsim", work.as_posix())
    (work / "rsyslog.conf").write_text(text, encoding="utf-8", newline="\n")
    command = [str(program), "-n", "-f", str(work / "rsyslog.conf"), "-i", str(work / "pid")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return Shipper(work / "collected.jsonl", lambda: _ended(process))


def tail(logs: Path, work: Path) -> Shipper:
    """It watches a file, so it waits until there is one."""
    program = shutil.which("tail")
    assert program is not None
    while not (found := list(logs.rglob(LOG))):
        time.sleep(0.01)
    (log,) = found
    out = work / "collected.log"
    with out.open("wb") as collected:
        process = subprocess.Popen([program, "-n", "+1", "-F", str(log)], stdout=collected, stderr=subprocess.DEVNULL)
    return Shipper(out, lambda: _ended(process))


def pygtail(logs: Path, work: Path) -> Shipper:
    from pygtail import Pygtail

    out = work / "collected.log"
    out.touch()
    done = threading.Event()

    def read() -> None:
        with out.open("ab") as collected:
            while True:
                last = done.is_set()
                for log in logs.rglob(LOG):
                    reader = Pygtail(
                        str(log),
                        offset_file=str(work / "offset"),
                        log_patterns=["%.0sWCM.lo_", "%.0sWCM-[0-9]*.log"],
                        full_lines=True,
                        encoding="utf-8",
                    )
                    collected.writelines(line.encode() for line in reader)
                    collected.flush()
                if last:
                    return
                done.wait(0.1)

    thread = threading.Thread(target=read)
    thread.start()

    def end() -> None:
        done.set()
        thread.join(30)

    return Shipper(out, end)


BEGIN: dict[str, Callable[[Path, Path], Shipper]] = {"rsyslog": rsyslog, "pygtail": pygtail, "tail": tail}
MISSING = {
    "rsyslog": _rsyslogd() is None and "rsyslog is not installed",
    "pygtail": find_spec("pygtail") is None and "pygtail is not installed (extra 'tailers')",
    "tail": (shutil.which("tail") is None or sys.platform == "win32") and "there is no tail",
}


def shipped(world: Live, names: list[str], work: Path) -> dict[str, Report]:
    """Let a world run while shippers read its WCM.log; waits until everything has arrived, or for a while."""
    shippers: dict[str, Shipper] = {}

    def reports() -> dict[str, Report]:
        found = {}
        for name, shipper in shippers.items():
            field = "message" if name == "rsyslog" else None
            lines = list(read_collected(shipper.collected, field)) if shipper.collected.exists() else []
            found[name] = check(*read_truth(world.truth_path, (LOG,)), lines)
        return found

    world.prepare()
    running = threading.Thread(target=world.run)
    try:
        for name in sorted(names, key=lambda name: name == "tail"):
            if name == "tail":
                running.start()
            (work / name).mkdir(parents=True)
            shippers[name] = BEGIN[name](world.logs, work / name)
        if running.ident is None:
            time.sleep(0.3)
            running.start()
        running.join()
        deadline = time.monotonic() + SETTLE_S
        while any(report.total.lost for report in reports().values()) and time.monotonic() < deadline:
            time.sleep(0.2)
    finally:
        world.stop()
        for shipper in shippers.values():
            shipper.end()
    return reports()


Shipped = tuple[Rotation, dict[str, Report], int]


@pytest.fixture(scope="module", params=["rename", "copytruncate", "history"])
def at_default_limit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """One live run in each way of rotation, read by all shippers that there are, at the default limit of rotations."""
    rotation: Rotation = request.param
    folder = tmp_path_factory.mktemp(rotation)
    world = live(folder / "site", story("S16", hours=8), LiveOptions(speed=36_000, max_bytes=10_000, rotation=rotation))
    reports = shipped(world, [name for name, missing in MISSING.items() if not missing], folder / "work")
    return rotation, reports, world.status.rotations


def damage(report: Report) -> tuple[int, int, int, int]:
    total = report.total
    return total.lost, total.duplicated, total.broken, total.reordered


@pytest.mark.parametrize("name", list(BEGIN))
def test_nothing_is_lost_or_doubled(name: str, at_default_limit: Shipped) -> None:
    rotation, reports, rotations = at_default_limit
    if name not in reports:
        pytest.skip(str(MISSING[name]))
    if (name, rotation) == ("tail", "copytruncate"):
        pytest.skip("tail is known to lose lines there")
    assert damage(reports[name]) == (0, 0, 0, 0), reports[name].examples
    assert reports[name].total.written > 100
    assert rotations > 2


@pytest.mark.skipif(bool(MISSING["rsyslog"]), reason=str(MISSING["rsyslog"]))
def test_torn_records_arrive_whole(tmp_path: Path) -> None:
    world = live(tmp_path / "site", story("S16", hours=4), LiveOptions(speed=36_000, max_bytes=10_000, torn=True))
    reports = shipped(world, ["rsyslog"], tmp_path / "work")
    assert damage(reports["rsyslog"]) == (0, 0, 0, 0), reports["rsyslog"].examples


@pytest.mark.skipif(shutil.which("lnav") is None, reason="lnav is not installed")
def test_lnav_reads_every_record(tmp_path: Path) -> None:
    world = live(tmp_path / "site", story("S16", hours=8), LiveOptions(speed=None))
    world.run()
    home = tmp_path / "home"
    formats = home / ".lnav" / "formats" / "wsyncsim"
    formats.mkdir(parents=True)
    shutil.copy(SHIPPERS / "lnav.json", formats)
    (log,) = world.logs.rglob(LOG)
    query = ";SELECT count(*) AS records, min(log_time) AS first FROM configmgr_site"
    command = ["lnav", "-n", "-c", query, "-c", ":write-csv-to -", str(log)]
    done = subprocess.run(command, env={**os.environ, "HOME": str(home)}, capture_output=True, text=True, timeout=60)
    first = datetime.strptime(log.read_text(encoding="utf-8-sig").split("><")[1][:23], "%m-%d-%Y %H:%M:%S.%f")  # noqa: DTZ007
    header, row = done.stdout.splitlines()
    assert header == "records,first"
    assert row == str(log.read_bytes().count(b"\n")) + f",{first:%Y-%m-%d %H:%M:%S.%f}"[:-3]


@pytest.fixture(autouse=True)
def _no_shipper_stays() -> Iterator[None]:
    yield
    assert not [thread for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon]
