"""Sites of all kinds, further software update points, and what carries requests and metadata between sites."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scenarios.story import parse
from simulator.errors import EstateError
from simulator.estate import ESTATES, WORKSTATION, Estate, Site, hierarchy
from simulator.versions import version
from tests.conftest import world_of

GENERATIONS = ("2007", "2012", "cb")


def _estate(*sites: Site) -> Estate:
    return Estate(name="test", sites=sites)


CENTRAL = Site(code="CS1", kind="central", server="CS1SITE", sup="CS1SUP")
PRIMARY = Site(code="PS1", server="PS1SITE", sup="PS1SUP", parent="CS1")
SECONDARY = Site(code="SS1", kind="secondary", server="SS1SITE", sup="SS1SITE", parent="PS1")


@pytest.mark.parametrize(
    ("sites", "what"),
    [
        ((SECONDARY,), "is not above it"),
        ((replace(SECONDARY, parent=None),), "a secondary site without a parent"),
        ((CENTRAL, replace(SECONDARY, parent="CS1")), "a secondary site below the central site"),
        ((CENTRAL, PRIMARY, SECONDARY, replace(PRIMARY, code="PS2", server="A", sup="B", parent="SS1")), "is a secondary site"),
        ((replace(CENTRAL, kind="primary", further_sups=("CS1SUP",)),), "is there twice"),
        ((CENTRAL, replace(PRIMARY, further_sups=("CS1SUP",))), "CS1SUP already serves site CS1"),
        ((replace(CENTRAL, kind="primary", further_sups=("cs1",)),), "further_sups 'cs1' is not a computer name"),
    ],
)
def test_what_cannot_exist_is_refused(sites: tuple[Site, ...], what: str) -> None:
    with pytest.raises(EstateError, match=what):
        _estate(*sites).check()


@pytest.mark.parametrize(
    ("generation", "sites", "what"),
    [
        ("2007", (replace(CENTRAL, kind="primary", further_sups=("A", "B")),), "3 software update points"),
        ("cb", (replace(CENTRAL, kind="primary", further_sups=tuple(f"A{n}" for n in range(8))),), "9 software update points"),
        ("2012", (CENTRAL, PRIMARY, replace(PRIMARY, code="PS2", server="A", sup="B", parent="PS1")), "below a primary site"),
        ("cb", (CENTRAL, *(replace(PRIMARY, code=f"P{n}", server=f"A{n}", sup=f"A{n}") for n in range(10, 36))), "26 primary"),
    ],
)
def test_what_a_generation_does_not_have_is_refused(generation: str, sites: tuple[Site, ...], what: str) -> None:
    estate = _estate(*sites)
    estate.check()
    with pytest.raises(EstateError, match=what):
        world_of(estate, generation)


def test_the_largest_hierarchy_that_is_supported_is_possible_and_a_larger_one_refused() -> None:
    estate = hierarchy(primaries=25, secondaries=250)
    assert len(estate.sites) == 1 + 25 * 251
    estate.check()
    estate.check_for(version("cb"))
    with pytest.raises(EstateError):
        hierarchy(primaries=26)
    with pytest.raises(EstateError):
        hierarchy(primaries=1, secondaries=251)


@pytest.mark.parametrize("sites", [1, 2, 10, 26, 27, 100])
def test_a_hierarchy_has_as_many_sites_as_asked_for(sites: int) -> None:
    assert len(hierarchy(sites).sites) == sites


def test_every_server_has_an_address_of_its_own() -> None:
    estate = hierarchy(primaries=3, secondaries=100)
    estate = replace(estate, sites=(replace(estate.sites[0], further_sups=("EXTRA1", "EXTRA2")), *estate.sites[1:]))
    servers = world_of(estate).network.servers
    assert len({server.ip for server in servers.values()}) == len(servers) == len({*estate.hosts(), WORKSTATION})
    assert len({server.fqdn for server in servers.values()}) == len(servers)


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("name", ["contoso-replica", "contoso-hierarchy"])
def test_a_healthy_day_blames_nothing(name: str, generation: str) -> None:
    for entry in world_of(name, generation, hours=30).simulate():
        assert entry.because is None, entry


@pytest.mark.parametrize("name", ["contoso-replica", "contoso-hierarchy"])
def test_estates_are_written_into_stories_and_read_again(name: str) -> None:
    text = f'title = {{ en = "a", de = "b" }}\nestate = "{name}"\n'
    story = parse(text, "test")
    assert parse(story.to_toml(), "again").estate == story.estate == ESTATES[name]
