"""Two faults at once: estates composed for them, their proof, and what masks what."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from scenarios import pairs as pairing
from scenarios.composing import compose, compose_for
from scenarios.fault import SYNC_FAILS
from scenarios.faults import FAULTS
from scenarios.pairs import Pair, draw, possible, prove_pair, story_of
from scenarios.played import Line, Played, play
from scenarios.story import Story, parse
from simulator.errors import EstateError
from simulator.events import SyncSucceeded
from simulator.versions import VERSIONS
from tests.conftest import world_of


def _pair(first: str, second: str, generation: str = "cb", seed: int = 1) -> Pair:
    return Pair(first, second, generation, seed)  # type: ignore[arg-type]


# --- estates


@pytest.mark.parametrize("id", sorted(FAULTS))
def test_every_fault_finds_what_it_needs_in_an_estate_composed_for_it(id: str) -> None:
    for generation in FAULTS[id].generations:
        placed = compose_for([FAULTS[id]], generation, 1)
        FAULTS[id].check(placed.estate, placed.estate.site(placed.sites[0]), generation)


def test_a_composed_estate_is_healthy() -> None:
    estate = compose({"top": ("children", "further", "old", "account", "ssl", "proxy"), "child": ("children", "further", "old")})
    for generation in VERSIONS:
        entries = list(world_of(estate, generation, hours=8).simulate())
        assert not [entry for entry in entries if entry.because is not None]
        sites = {entry.event.site for entry in entries if isinstance(entry.event, SyncSucceeded)}
        assert sites == {"CS1", "PS1", "SS1"}


@pytest.mark.parametrize(
    ("first", "second"),
    [("S08", "S04"), ("S08", "S09"), ("M05", "S09"), ("S12", "S15"), ("S33", "M29")],
)
def test_faults_that_contradict_each_other_have_no_estate(first: str, second: str) -> None:
    generations = set(FAULTS[first].generations) | set(FAULTS[second].generations)
    for generation in sorted(generations):
        with pytest.raises(EstateError):
            compose_for((FAULTS[first], FAULTS[second]), generation, 1)


def test_a_fault_is_not_paired_with_the_one_that_it_hides() -> None:
    (hidden,) = {
        id
        for id in FAULTS
        if id != "S33" and "2007" in FAULTS[id].generations and FAULTS[id].site == "top" and _refused_as_hidden(id, seed=4)
    }
    assert _pair("S33", hidden, "2007", 4) not in possible(("2007",), 4)


def _refused_as_hidden(id: str, *, seed: int) -> bool:
    try:
        compose_for((FAULTS["S33"], FAULTS[id]), "2007", seed)
    except EstateError as error:
        return "hides" in error.what
    return False


# --- which pairs


def test_pairs_are_drawn_by_the_seed() -> None:
    assert draw(20, seed=5) == draw(20, seed=5)
    assert draw(20, seed=5) != draw(20, seed=6)
    assert len(set(draw(200, seed=5))) == 200
    everything = possible(("2012",), 5)
    assert sorted(draw(10**6, seed=5, generations=("2012",)), key=str) == sorted(everything, key=str)
    assert {id for pair in everything for id in pair.ids} == {id for id in FAULTS if "2012" in FAULTS[id].generations}


def test_the_story_of_a_pair_can_be_written_down_and_read_again() -> None:
    story = story_of(_pair("S19", "S21"))
    again = parse(story.to_toml(), "pair", name=story.name)
    assert again.to_toml() == story.to_toml()


# --- proofs


@pytest.mark.parametrize("generation", ["2007", "2012", "cb"])
def test_a_stopped_web_service_hides_missing_permissions(generation: str) -> None:
    proof = prove_pair(_pair("S16", "S19", generation))
    assert proof.problems == []
    assert proof.hides == {"S19": ("WCM: HttpStatus 401", "WSUS server not configured")}
    assert proof.repaired_twice == ()


@pytest.mark.parametrize(
    ("first", "second", "generation", "hides"),
    [
        ("S21", "S06", "cb", None),
        ("S20", "S15", "cb", {"S20": ("GetAuthConfig: NameNotResolved", "SyncWSUS: NameNotResolved")}),
        ("M33", "M07", "2012", {"M07": ("WSUSCtrl: HttpStatus 500", "WCM: HttpStatus 500", "WSUS server not configured")}),
        ("S10", "S11", "cb", None),
        ("S15", "S31", "2012", None),
        ("S04", "S10", "2007", None),
        ("S24", "S30", "2007", None),
    ],
)
def test_pairs_are_proven(first: str, second: str, generation: str, hides: dict[str, tuple[str, ...]] | None) -> None:
    proof = prove_pair(_pair(first, second, generation))
    assert proof.problems == []
    assert hides is None or proof.hides == hides


def test_what_cannot_be_done_while_the_other_fault_is_there_is_done_again() -> None:
    """S25's repair needs the WSUS console and a synchronization; both need the way that S20 blocks."""
    proof = prove_pair(_pair("S25", "S20", "2007"))
    assert (proof.problems, proof.repaired_twice) == ([], ("S25",))


@pytest.mark.parametrize("pair", draw(12, seed=2026), ids=lambda pair: "-".join((*pair.ids, pair.generation)))
def test_random_pairs_are_proven(pair: Pair) -> None:
    assert prove_pair(pair).problems == []


def test_a_line_that_the_other_fault_would_leave_too_does_not_refute(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that would be there without both does."""
    real = play

    def liar(story: Story, *ids: str, lines: bool = True) -> Played:
        played = real(story, *ids, lines=lines)
        if len(story.faults) == 2 and lines:
            number = next(i for i, (_, line) in enumerate(played.lines) if line.template == "wcm.categories_refreshed")
            key, line = played.lines[number]
            played.lines[number] = key, Line(line.template, line.params, line.ts_utc, "healthy.1", ["S19"])
        return played

    monkeypatch.setattr(pairing, "play", liar)
    problems = prove_pair(_pair("S16", "S19")).problems
    assert problems == [
        "healthy.1 is blamed, but what it says is there without both faults too",
        "healthy.1 is blamed on S19, but what it says is there without S19 too",
    ]


def test_a_pair_of_which_one_is_never_repaired_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    real = story_of

    def forgetful(pair: Pair, *, reverse: bool = False, again: bool = False) -> Story:
        story = real(pair, reverse=reverse, again=again)
        return replace(story, timeline=tuple(step for step in story.timeline if step.id != "R22"))

    monkeypatch.setattr(pairing, "story_of", forgetful)
    assert any("CS1 fails" in problem for problem in prove_pair(_pair("S16", "S19")).problems)


def test_complaints_besides_failing_are_over_in_the_end() -> None:
    assert FAULTS["S27"].complaint != SYNC_FAILS
    assert prove_pair(_pair("S27", "S19")).problems == []


# --- the command


def _prove(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wsyncsim", "prove", *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def test_the_command_tells_what_hides_what() -> None:
    told = _prove("--pairs", "1", "--generation", "cb", "S19", "S16", "--language", "en")
    assert told.returncode == 0, told.stderr
    assert "S19 hides S16: WCM: HttpStatus 401" in " ".join(told.stdout.split())
    assert "1 of 1 pairs proven; in 1 of them one fault hides the other" in told.stdout


def test_the_command_writes_json() -> None:
    told = _prove("--pairs", "1", "--json", "--generation", "cb", "S19", "S16")
    (proof,) = map(json.loads, told.stdout.splitlines())
    assert (proof["first"], proof["second"], proof["problems"]) == ("S16", "S19", [])
    assert list(proof["hides"]) == ["S19"]


def test_the_command_refuses_pairs_that_cannot_be() -> None:
    told = _prove("--pairs", "1", "S08", "S09")
    assert told.returncode == 2
    assert "together" in told.stderr
    assert "Traceback" not in told.stderr
