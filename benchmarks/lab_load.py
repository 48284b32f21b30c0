"""Many trainees at once on the browser lab: how long pages take, and how much memory the server needs.

    python -m benchmarks.lab_load                       # 30 trainees, about two minutes
    python -m benchmarks.lab_load --trainees 10 --think 1

A fresh process serves; each trainee is a thread with a connection of its own that opens a ticket, looks, reads logs, takes a hint,
hands in a diagnosis, writes a note, closes, and reads the debrief, thinking a random while between the pages. Where a page says
that something is being computed, the trainee waits as a browser does, and asks again. Reported are milliseconds from the request to
the last byte of the answer, redirects included: of everything, of the pages that need no other worlds (light), of those that ask
again (again) and of the others by kind; how long it took until the hint and the debrief themselves were there; the peak resident
memory of the server and its processes together; and what they and the trainees took of the processor. Trainees and server share the
machine's cores.
"""

from __future__ import annotations

import argparse
import http.client
import os
import platform
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode, urlsplit

TICKETS = ("1009", "1058", "1017", "1048", "1031", "1085")
HEAVY = ("open", "hint", "close", "again")
LOOKS = ("L20", "L05", "L01", "L60", "L45", "L21", "L04", "L06")


class Trainee:
    """Somebody who works on a ticket."""

    def __init__(self, address: str, cookie: str, number: int, think_s: float) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
        self.cookie = cookie
        self.dice = random.Random(number)
        self.think_s = think_s
        self.number = number
        self.token = ""
        self.took: list[tuple[str, float]] = []
        self.again_s = 0.0
        """When the last page wants to be asked for again; 0 when it is there."""

    def ask(self, kind: str, path: str, **form: str) -> tuple[str, str]:
        """A request with its redirects, and again until what it asks for is there; returns where it ended, and the page."""
        time.sleep(self.dice.uniform(0, 2 * self.think_s))
        ordered = time.perf_counter()
        where, page = self._timed(kind, path, form)
        while self.again_s:
            time.sleep(self.again_s)
            where, page = self._timed("again", where, {})
        if kind in ("hint", "close"):
            self.took.append((f"{kind}: there", (time.perf_counter() - ordered) * 1000))
        return where, page

    def _timed(self, kind: str, path: str, form: dict[str, str]) -> tuple[str, str]:
        self.connection.close()  # the server does not wait for who thinks
        began = time.perf_counter()
        where, page = self._follow(path, form)
        self.took.append((kind, (time.perf_counter() - began) * 1000))
        return where, page

    def _follow(self, path: str, form: dict[str, str]) -> tuple[str, str]:
        headers = {"Cookie": self.cookie}
        if form:
            body = urlencode({**form, "token": self.token})
            self.connection.request("POST", path, body, {**headers, "Content-Type": "application/x-www-form-urlencoded"})
        else:
            self.connection.request("GET", path, headers=headers)
        answer = self.connection.getresponse()
        page = answer.read().decode()
        if answer.status == 303:
            return self._follow(answer.headers["location"], {})
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        self.again_s = float(answer.headers.get("refresh", "0"))
        return path, page

    def work(self) -> list[tuple[str, float]]:
        time.sleep(self.dice.uniform(0, 4 * self.think_s))
        _, page = self.ask("home", "/")
        found = re.search(r'name="token" value="(\w+)"', page)
        assert found
        self.token = found[1]
        ticket = TICKETS[self.number % len(TICKETS)]
        where, page = self.ask("open", "/open", ticket=ticket, seed=str(self.number))
        base = where.rpartition("/")[0]
        for id in LOOKS:
            self.ask("page", f"{base}/look")
            self.ask("look", f"{base}/do/look", look=id)
        self.ask("wait", f"{base}/do/wait", **{"for": "1h"})
        self.ask("page", f"{base}/logs")
        self.ask("page", f"{base}/logs?severity=error")
        self.ask("hint", f"{base}/do/hint", back="look")
        _, page = self.ask("page", f"{base}/check")
        causes = re.findall(r'<option value="(c\w+)">', page)
        self.ask("diagnose", f"{base}/do/diagnose", cause=self.dice.choice(causes), evidence="e1", confidence="1")
        self.ask("page", f"{base}/mend")
        self.ask("note", f"{base}/do/note", text="A note.")
        self.ask("page", f"{base}/close")
        _, page = self.ask("close", f"{base}/do/close", resolution="nothing")
        assert '<svg class="timeline"' in page
        self.ask("page", f"{base}/debrief")
        return self.took


def peak_mb_of(process: int) -> float | None:
    """Peak resident memory of another process, MB; ``None`` where the system does not tell."""
    try:
        text = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return None
    found = re.search(r"VmHWM:\s+(\d+) kB", text)
    return int(found[1]) / 1024 if found else None


def family(process: int) -> list[int]:
    """A process and its children; only itself where the system does not tell."""
    try:
        tasks = [path.read_text(encoding="ascii") for path in Path(f"/proc/{process}/task").glob("*/children")]
    except OSError:
        return [process]
    return [process, *(int(child) for text in tasks for child in text.split())]


def cpu_s_of(process: int) -> float:
    """Processor time that a process has taken, seconds; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def told(name: str, took: list[float]) -> None:
    if len(took) < 2:
        print(f"{name:<12} {len(took):5} times")
        return
    cuts = statistics.quantiles(took, n=100)
    print(f"{name:<12} {len(took):5} times  median {cuts[49]:7.0f} ms  p95 {cuts[94]:7.0f} ms  worst {max(took):7.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trainees", type=int, default=30)
    parser.add_argument("--think", type=float, default=2.0, help="mean pause between pages, seconds")
    given = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {given.trainees} trainees, pauses of {given.think} s")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-u", "-m", "wsyncsim", "lab", "serve", "--port", "0", "--state", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
            try:
                assert server.stdout is not None
                address = server.stdout.readline().strip()
                visit = http.client.HTTPConnection(urlsplit(address).netloc)
                visit.request("GET", f"/?{urlsplit(address).query}")
                cookie = (visit.getresponse().headers["set-cookie"] or "").partition(";")[0]
                began = time.perf_counter()
                with ThreadPoolExecutor(given.trainees) as pool:
                    trainees = [Trainee(address, cookie, number, given.think) for number in range(given.trainees)]
                    took = [each for found in pool.map(Trainee.work, trainees) for each in found]
                lasted_s = time.perf_counter() - began
                processes = family(server.pid)
                peaks = [peak_mb_of(process) for process in processes]
                cpu_s = [cpu_s_of(process) for process in processes]
                mine_s = time.process_time()
            finally:
                server.kill()
    requests = [(kind, ms) for kind, ms in took if not kind.endswith("there")]
    told("all", [ms for _, ms in requests])
    told("light", [ms for kind, ms in requests if kind not in HEAVY])
    for kind in (*HEAVY, "hint: there", "close: there"):
        told(kind, [ms for each, ms in took if each == kind])
    parts = " + ".join("?" if peak is None else f"{peak:.0f}" for peak in peaks)
    print(f"peak memory of the server and its processes: {parts} = {sum(peak or 0 for peak in peaks):.0f} MB")
    shares = " + ".join(f"{100 * each / lasted_s:.0f} %" for each in cpu_s)
    print(
        f"{lasted_s:.0f} s in all; of one core the server and its processes took {shares}, trainees {100 * mine_s / lasted_s:.0f} %"
    )


if __name__ == "__main__":
    main()
