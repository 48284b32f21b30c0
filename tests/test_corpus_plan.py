"""Plans of corpora: what they make, how it is shared out, and how mistakes are told."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.catalogue import fault_ids
from scenarios.faults import FAULTS
from scenarios.story import StoryError
from scenarios.story import parse as parse_story
from wsyncsim.corpus.plan import HEALTHY, Plan, from_json, load, parse, run_id
from wsyncsim.corpus.plan_file import SPLITS, schema

EXAMPLE = Path(__file__).parents[1] / "examples" / "corpus_plan.toml"


def plan_of(text: str = "", **changes: Any) -> Plan:
    return parse(f'name = "test"\ngenerations = ["cb"]\n{text}', **changes)


def test_without_further_words_every_fault_is_played_in_its_usual_estate_and_every_generation() -> None:
    plan = parse('name = "all"')
    faulty = {(cell.scenario, cell.environment.generation, cell.environment.estate) for cell in plan.cells}
    wanted = {(id, generation, FAULTS[id].estate) for id in fault_ids() for generation in FAULTS[id].generations}
    assert {each for each in faulty if each[0] != HEALTHY} == wanted


def test_every_run_has_an_id_of_its_own_that_tells_everything_that_is_played() -> None:
    plan = plan_of("seeds = 3\n[noise]\nonset_min = 20\nextra_fault_percent = 40\nhealthy_before_h = 5")
    runs = list(plan.all_runs())
    assert len({run.id for run in runs}) == len(runs) == plan.runs
    for run in runs[:20]:
        assert run.id == run_id(parse_story(run.story.to_toml(), "story"))


def test_the_number_of_a_run_says_what_it_is_whatever_was_made_before() -> None:
    plan = plan_of("seeds = 4\nshard_runs = 7\n[balance]\nruns_per_fault = 5")
    forwards = [run.id for run in plan.all_runs()]
    again = from_json(plan.to_json())
    backwards = [run.id for shard in reversed(again.shards) for run in reversed(list(again.shard_runs(shard)))]
    assert forwards == backwards[::-1]


def test_twins_play_the_same_world_in_which_nothing_goes_wrong_and_faults_share_them() -> None:
    plan = plan_of('faults = ["S16", "S19", "M07"]\nseeds = 2\n[splits]\ntrain = 100\nvalidation = 0\ntest = 0')
    runs = {run.id: run for run in plan.all_runs()}
    faulty = [run for run in runs.values() if run.scenario != HEALTHY]
    assert len(runs) - len(faulty) == 2, "one healthy world for each seed, not one for each fault"
    for run in faulty:
        twin = runs[run.twin or ""]
        assert twin.scenario == HEALTHY
        assert twin.story.timeline == ()
        assert (twin.story.seed, twin.story.start, twin.story.hours) == (run.story.seed, run.story.start, run.story.hours)
        assert twin.story.estate == run.story.estate


def _group(by: str, scenario: str, estate: str) -> list[Any]:
    """What of a fault in an estate must not be in two splits."""
    if by == "estate":
        return []
    return [("pair", scenario, estate)] if by == "scenario-and-estate" else [scenario]


@pytest.mark.parametrize("by", ["scenario-and-estate", "scenario", "estate", "strict"])
def test_no_group_and_no_world_is_in_two_splits(by: str) -> None:
    estates = 'estates = ["usual", "contoso-local", "contoso-ssl", "contoso-account", "contoso-child"]'
    plan = plan_of(f'{estates}\n[noise]\nextra_fault_percent = 60\n[splits]\nby = "{by}"\ntrain = 50\nvalidation = 25\ntest = 25')
    where: dict[Any, set[str]] = {}
    for run in plan.all_runs():
        keys: list[Any] = [("world", run.story.seed)]
        for step in run.story.timeline:
            if step.kind == "fault":
                keys += _group(by, step.id, run.story.estate.name)
        if by in ("estate", "strict"):
            keys.append(("estate", run.story.estate.name))
        for key in keys:
            where.setdefault(key, set()).add(run.split)
    assert all(len(splits) == 1 for splits in where.values())
    assert len({split for splits in where.values() for split in splits}) > 1


def test_shares_of_the_splits_are_about_those_asked_for() -> None:
    plan = parse('name = "shares"\nseeds = 2\n[splits]\ntrain = 60\nvalidation = 20\ntest = 20')
    counts = Counter(cell.split for cell in plan.cells for _ in range(cell.rounds) if cell.scenario != HEALTHY)
    for split, share in zip(SPLITS, (60, 20, 20), strict=True):
        assert abs(100 * counts[split] / sum(counts.values()) - share) < 8


def test_every_fault_gets_as_many_runs_as_the_balance_says() -> None:
    plan = parse('name = "balance"\n[balance]\nruns_per_fault = 7\nhealthy_percent = 50')
    counts = Counter(run.scenario for run in plan.all_runs())
    assert {counts[id] for id in fault_ids()} == {7}
    assert counts[HEALTHY] >= plan.runs / 2


def test_a_million_runs_take_no_list() -> None:
    plan = plan_of("seeds = 1_000_000\n[balance]\nhealthy_percent = 20")
    assert plan.runs > 20_000_000
    last = plan.shards[-1]
    assert len([run.id for run in islice(plan.shard_runs(last), 3)]) == 3


def test_noise_moves_the_fault_leaves_repairs_out_and_adds_faults_that_end() -> None:
    text = "[noise]\nhealthy_before_h = 10\nhealthy_after_h = 3\nonset_min = 30\nunrepaired_percent = {}\nextra_fault_percent = 100"
    mended, unmended = (list(plan_of(text.format(percent)).all_runs()) for percent in (0, 100))
    for run in mended:
        assert run.story.hours == 25
        faults = [step for step in run.story.timeline if step.kind == "fault"]
        if run.scenario != HEALTHY:
            own = next(step for step in faults if step.id == run.scenario)
            assert own.until is None
            assert all(step.until is None or step.until > step.at for step in faults)
            assert own.at > 10 * 3_600_000_000
    assert any(len({step.id for step in run.story.timeline if step.kind == "fault"}) > 1 for run in mended)
    assert any(step.kind == "repair" for run in mended for step in run.story.timeline)
    assert not any(step.kind == "repair" for run in unmended for step in run.story.timeline)


@settings(max_examples=25)
@given(
    st.integers(0, 2**40),
    st.integers(1, 4),
    st.sampled_from(["scenario-and-estate", "scenario", "estate", "strict"]),
    st.integers(1, 30),
    st.booleans(),
    st.integers(0, 80),
)
def test_shards_hold_every_run_once(seed: int, seeds: int, by: str, size: int, pairs: bool, healthy: int) -> None:
    plan = plan_of(
        f'seed = {seed}\nseeds = {seeds}\nshard_runs = {size}\n[splits]\nby = "{by}"\n'
        f"[balance]\nhealthy_pairs = {str(pairs).lower()}\nhealthy_percent = {healthy}"
    )
    assert sum(shard.runs for shard in plan.shards) == plan.runs
    found = Counter(
        (cell, round_)
        for shard in plan.shards
        for cell, round_ in (plan._order[shard.split].at(number) for number in range(shard.first, shard.first + shard.runs))
    )
    assert set(found.values()) == {1}
    assert set(found) == {(cell, round_) for cell in plan.cells for round_ in range(cell.rounds)}


def test_an_estate_of_ones_own_is_played() -> None:
    plan = plan_of('faults = ["S19"]\n[[estates]]\nbase = "contoso"\nname = "fabrikam"\ndomain = "fabrikam.example"')
    run = next(plan.all_runs())
    assert run.story.estate.domain == "fabrikam.example"


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ('faults = ["S99"]', "plan, line 3, faults[0]", "there is no fault 'S99'"),
        ('faults = ["S21"]\nestates = ["contoso"]', "plan, line 3, faults[0]", "can happen in none"),
        ('estates = ["contos"]', "plan, line 3, estates[0]", "there is no built-in estate 'contos'"),
        ("[splits]\ntrain = 90", "plan, line 3, splits", "are not 100 together"),
        ("seeds = 0", "plan, line 3, seeds", "expected a whole number >= 1, found 0"),
        ("seedz = 3", "plan, line 3, seedz", "there is no such key"),
        ('formats = ["jsonl", "jsonl"]', "plan, line 3, formats", "a form is there twice"),
        ('timezones = ["Europe/Berlin", "Mars"]', "plan, line 3, timezones[1]", "there is no time zone 'Mars'"),
        ('start = "tomorrow"', "plan, line 3, start", "expected a local date and time"),
        ('[[estates]]\nbase = "contoso"', "plan, line 3, estates[0]", "needs a name of its own"),
        ('[[estates]]\nname = "x"\nbase = "contoso"\ndomain = "X"', "plan", "is not a DNS domain"),
    ],
)
def test_mistakes_are_told_with_file_line_and_key(text: str, where: str, what: str) -> None:
    with pytest.raises(StoryError) as mistake:
        plan_of(text)
    assert mistake.value.where.startswith(where)
    assert what in mistake.value.what


def test_the_schema_accepts_what_the_reader_accepts() -> None:
    import tomllib

    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(tomllib.loads(EXAMPLE.read_text(encoding="utf-8")), schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"name": "x", "faults": ["S99"]}, schema())


def test_every_key_of_the_schema_is_described() -> None:
    for name in ("File", "Noise", "Balance", "Splits"):
        for key, field in schema()["$defs"][name]["properties"].items():
            assert field.get("description"), key


def test_the_example_plan_is_one(tmp_path: Path) -> None:
    plan = load(EXAMPLE)
    assert plan.runs
    copy = tmp_path / "plan.json"
    copy.write_bytes(plan.to_json())
    assert load(copy).sha256 == plan.sha256
    assert json.loads(copy.read_text(encoding="utf-8"))["name"] == plan.file.name


@pytest.mark.parametrize("text", ["[1]", "{", '{"name": "x", "faults": ["S99"]}'])
def test_a_damaged_plan_of_a_corpus_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StoryError) as mistake:
        load(path)
    assert mistake.value.where.startswith(str(path))
