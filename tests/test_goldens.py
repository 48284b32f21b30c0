"""Whole logs of CONTOSO, compared to the byte; written anew with ``--update-goldens`` and reviewed as a diff.

The digests cover every file of every run, truth records included: the same on every machine, Python and hash seed.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from generators.catalogue import unsourced
from scenarios.faults import FAULTS
from simulator.units import HOUR, MINUTE
from tests.conftest import logs_of, world_of

GOLDENS = Path(__file__).parent / "goldens"
GENERATIONS = ("2007", "2012", "cb")
LOGS = ("wsyncmgr.log", "WCM.log", "WSUSCtrl.log", "SoftwareDistribution.log", "httperr1.log")
"""Files that are kept as they are; the others (W3C, events, status messages, truth) by their digest."""


def _run(generation: str, name: str) -> dict[str, bytes]:
    """Three hours of a site and its child: ``healthy``, or with WWW-Publishingdienst stopped on a German server."""
    world = world_of("contoso-child", generation, hours=3)
    if name == "broken-de":
        world.plan(world.start + HOUR + 59 * MINUTE, lambda w: FAULTS["S19"].begin(w, "CS1") and None)
    return logs_of(world, os_language="de" if name == "broken-de" else "en", truth=True)


def _compare(path: Path, content: bytes, update: bool) -> None:
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert path.exists(), f"{path.name} is not there: run pytest --update-goldens and review the diff"
    assert path.read_bytes() == content, f"{path} differs"


@pytest.mark.parametrize("name", ["healthy", "broken-de"])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_logs_are_the_golden_ones(generation: str, name: str, update_goldens: bool) -> None:
    files = _run(generation, name)
    for path, content in files.items():
        if path.startswith("logs/") and path.endswith(LOGS):
            host, file = path.split("/")[1], path.rsplit("/", 1)[-1]
            _compare(GOLDENS / f"{generation}-{name}" / host / file, content, update_goldens)


def test_all_bytes_are_the_golden_ones(update_goldens: bool) -> None:
    digests = {
        f"{generation}-{name}": {
            path: hashlib.sha256(content).hexdigest()[:16] for path, content in sorted(_run(generation, name).items())
        }
        for generation in GENERATIONS
        for name in ("healthy", "broken-de")
    }
    _compare(GOLDENS / "digests.json", (json.dumps(digests, indent=1) + "\n").encode(), update_goldens)


def test_the_list_of_unsourced_texts_is_the_golden_one(update_goldens: bool) -> None:
    """Wording without a source is listed in one place, and the list may only shrink."""
    listed = "".join(f"{id}\n" for id in unsourced())
    _compare(GOLDENS / "unsourced.txt", listed.encode(), update_goldens)
