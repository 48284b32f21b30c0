"""The five log excerpts of the seed page come out of ConfigMgr 2007 runs, line for line.

The excerpts are data (``tests/data/seed``), as printed on the page. Their placeholders and what differs from run to run
(process and thread ids, times) match anything of the right form; the page's single-character ellipsis is the log's three
full stops. All else must be the same, in the same order and without a line between.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from pathlib import Path

import pytest

from scenarios.faults import FAULTS
from scenarios.repairs import REPAIRS
from simulator.estate import ESTATES, Estate, Site
from simulator.events import SyncFailed
from simulator.units import HOUR, MINUTE, SECOND
from simulator.world import World
from tests.conftest import log_text, logs_of, messages, world_of

DATA = Path(__file__).parent / "data" / "seed"
AUGUST = datetime.datetime(2007, 8, 6, 18, 0)
"""The page's dated excerpt is of 6 August 2007."""

_HIERARCHY = Estate(
    name="seed",
    sites=(
        Site(code="TEQ", kind="central", server="TEQSITE", sup="TEQSUP", sync_at_h=20),
        Site(code="CHD", server="CHDSITE", sup="CHDSUP", parent="TEQ"),
    ),
)


def _world(estate: Estate, seed: int, sync_at_h: int = 20) -> World:
    top, *others = estate.sites
    estate = replace(estate, sites=(replace(top, sync_at_h=sync_at_h), *others))
    return world_of(estate, "2007", seed=seed, hours=5, local=AUGUST)


def _break(world: World, fault: str, site: str, after_us: int) -> None:
    world.plan(world.start + after_us, lambda w: FAULTS[fault].begin(w, site) and None)


def _press(world: World, site: str, after_us: int) -> None:
    """Somebody presses Run Synchronization."""
    world.plan(world.start + after_us, lambda w: REPAIRS["R10"].apply(w, site))


def not_configured(seed: int) -> World:
    """A stopped service, long before the scheduled run: WCM has met it, the gate is shut."""
    world = _world(ESTATES["contoso"], seed)
    _break(world, "S19", "CS1", 10 * MINUTE)
    return world


def remote_name(seed: int) -> World:
    world = _world(ESTATES["contoso"], seed, sync_at_h=23)
    _break(world, "S15", "CS1", HOUR)
    _press(world, "CS1", HOUR + 5 * MINUTE)
    return world


def unauthorized(seed: int) -> World:
    """Denied just before somebody presses the button: WCM does not know yet."""
    world = _world(ESTATES["contoso"], seed, sync_at_h=23)
    _break(world, "S16", "CS1", HOUR)
    _press(world, "CS1", HOUR + 1 * SECOND)
    return world


def unable_to_connect(seed: int) -> World:
    """Somebody presses the button twice: the retry is planned by the first failure, 59 minutes remain after the second."""
    world = _world(ESTATES["contoso"], seed, sync_at_h=23)
    _break(world, "S19", "CS1", HOUR)
    _press(world, "CS1", HOUR + 1 * SECOND)
    _press(world, "CS1", HOUR + 40 * SECOND)
    return world


def dss_authentication(seed: int) -> World:
    world = _world(_HIERARCHY, seed)
    _break(world, "S21", "CHD", HOUR)
    return world


CASES = {
    "not-configured": (not_configured, "CS1SITE", (300, 302)),
    "remote-name": (remote_name, "CS1SITE", (6, 8)),
    "unauthorized": (unauthorized, "CS1SITE", (3, 3)),
    "unable-to-connect": (unable_to_connect, "CS1SITE", (3, 3)),
    "dss-authentication": (dss_authentication, "CHDSITE", (27, 29)),
}
"""Excerpt: world, site server, and the page's sync time in seconds (about)."""

_ANY = {
    re.escape("<ComputerName>"): r"[A-Z0-9]{3}(SITE|SUP)",
    re.escape("<SiteCode>"): r"(CS1|CHD)",
    re.escape("<FQDN>"): r"[A-Za-z0-9.]+\.(CONTOSO\.COM|contoso\.com)",
    re.escape("<Date & Time>"): r"[A-Za-z0-9:/. ]+",
}


def _pattern(line: str) -> re.Pattern[str]:
    text = re.escape(line.replace("…", "...").rstrip())
    for placeholder, form in _ANY.items():
        text = text.replace(placeholder, form)
    text = re.sub(r"PID=\d+\\ TID=\d+", r"PID=\\d+\\ TID=\\d+", text)
    text = re.sub(r"GMTDATE=Mon\\ Aug\\ 06\\ [\d:.\\]+\\ 2007", r"GMTDATE=Mon Aug 06 [0-9:.]{12} 2007", text)
    text = re.sub(r"Sync\\ time:\\ \S+", r"Sync time: 0d00h\\d\\dm\\d\\ds", text)
    return re.compile(text)


def _stands_in(excerpt: list[str], lines: list[str]) -> bool:
    patterns = [_pattern(line) for line in excerpt]
    return any(
        all(pattern.fullmatch(line.rstrip()) for pattern, line in zip(patterns, lines[first:], strict=False))
        for first in range(len(lines) - len(patterns) + 1)
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", CASES)
def test_excerpt_stands_in_the_log(name: str, seed: int) -> None:
    build, host, _ = CASES[name]
    lines = messages(log_text(logs_of(build(seed)), "wsyncmgr.log", host))
    excerpt = (DATA / f"{name}.log").read_text(encoding="utf-8").splitlines()
    assert _stands_in(excerpt, lines), "\n".join(lines[-40:])


@pytest.mark.parametrize("name", CASES)
def test_german_description_of_the_failure_is_the_page_s(name: str) -> None:
    """To the letter, missing colon, quote and full stop included; blanks that the page doubles are one."""
    build, host, _ = CASES[name]
    rows = log_text(logs_of(build(1), os_language="de"), "StatusMessages_de.txt", host).splitlines()
    said = {row.split("\t")[7] for row in rows if row.split("\t")[6] == "6703"}
    page = dict(zip(CASES, (DATA / "descriptions_de.txt").read_text(encoding="utf-8").splitlines(), strict=True))
    assert page[name] in said


@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("name", CASES)
def test_run_takes_as_long_as_on_the_page(name: str, seed: int) -> None:
    build, host, (shortest_s, longest_s) = CASES[name]
    entries = [entry for entry in build(seed).simulate() if entry.host == host]
    failed = [entry for entry in entries if isinstance(entry.event, SyncFailed)]
    assert failed
    took_s = next(entry.event.took_s for entry in entries if entry.at >= failed[0].at and hasattr(entry.event, "retry_min"))
    assert shortest_s <= took_s <= longest_s
