"""Shared helpers: play something in memory and look at what it left."""

from __future__ import annotations

import datetime
import os

import pytest
from hypothesis import HealthCheck, settings

from generators.write import Recorder
from simulator.clock import Zone
from simulator.estate import ESTATES, Estate
from simulator.journal import Entry
from simulator.units import HOUR
from simulator.versions import version
from simulator.world import World
from wsyncsim.words import LANGUAGE_VARIABLES

for _name in LANGUAGE_VARIABLES:
    os.environ.pop(_name, None)
os.environ["LANG"] = "C.UTF-8"  # whatever the developer speaks

settings.register_profile("wsyncsim", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("wsyncsim")

MONDAY = datetime.datetime(2026, 3, 2, 6, 0)


def start_at(local: datetime.datetime = MONDAY, zone: str = "Europe/Berlin") -> int:
    """The instant of a local time."""
    return Zone(zone).instant(local)


def world_of(
    estate: Estate | str = "contoso",
    generation: str = "cb",
    *,
    seed: int = 1,
    hours: int = 6,
    local: datetime.datetime = MONDAY,
    stepwise: bool = False,
) -> World:
    """A world that begins on a Monday morning."""
    estate = ESTATES[estate] if isinstance(estate, str) else estate
    start = start_at(local, estate.timezone)
    return World(estate, version(generation), seed=seed, start=start, end=start + hours * HOUR, stepwise=stepwise)


def logs_of(world: World, *, os_language: str = "en", truth: bool = False) -> dict[str, bytes]:
    """Run a world to its end; all files by path."""
    with Recorder(world.estate, world.version, None, os_language=os_language, truth=truth) as recorder:  # type: ignore[arg-type]
        recorder.record(world.simulate())
    return recorder.texts


def log_text(texts: dict[str, bytes], name: str, host: str = "") -> str:
    """The one file called ``name`` (of ``host``), decoded, without byte-order mark and carriage returns."""
    paths = [path for path in texts if path.rsplit("/", 1)[-1] == name and path.startswith(f"logs/{host}")]
    assert len(paths) == 1, f"{name} on {host or 'any host'}: {paths}"
    raw = texts[paths[0]]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252")
    return text.replace("\r\n", "\n")


def messages(text: str) -> list[str]:
    """The message part of each line of a site component's log."""
    return [line.rsplit("  $$<", 1)[0] for line in text.splitlines()]


@pytest.fixture
def healthy_entries() -> list[Entry]:
    """Six healthy hours of the smallest estate."""
    return list(world_of().simulate())


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-goldens", action="store_true", help="write the golden files anew; review them as a diff")


@pytest.fixture
def update_goldens(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written instead of compared."""
    return bool(request.config.getoption("--update-goldens"))
