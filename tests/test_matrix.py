"""The matrix of diagnosis: what every look shows of every fault, what tells faults apart, and the cheapest way to each."""

from __future__ import annotations

import dataclasses
import json
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from scenarios.catalogue import fault_ids
from scenarios.diagnosis import Diagnosis, Leaf, Node, costs, follow, leaves, minutes_of, told_apart
from scenarios.evidence import Spot, cases_of, newest, samples, samples_of
from scenarios.fault import SYNC_FAILS
from scenarios.faults import FAULTS
from scenarios.looks import LOOKS
from scenarios.matrix import Matrix, MatrixError, Region, chosen_faults, compute
from scenarios.story import default_story
from simulator.estate import ESTATES
from wsyncsim.cli import main
from wsyncsim.matrix_chart import chart
from wsyncsim.matrix_page import as_json, markdown
from wsyncsim.matrix_words import Words

FEW = ("S16", "S18", "S19", "S20", "S21", "S22", "S33")
DOCS = Path(__file__).parents[1] / "docs"


@cache
def _matrix() -> Matrix:
    return compute(FEW, ["2007"], (1, 2), languages=("en", "de"))


def _region() -> Region:
    return _matrix().regions["2007"]


def _all_leaves(region: Region) -> list[Leaf]:
    return [leaf for tree in region.trees.values() for leaf, _ in leaves(tree)]


# --- evidence


@pytest.mark.parametrize("fault", [id for id in FEW if id != "S33"])
def test_a_seed_that_was_not_played_is_diagnosed_all_the_same(fault: str) -> None:
    region, complaint = _region(), FAULTS[fault].complaint
    for sample in samples(fault, "2007", 77):
        leaf = follow(region.trees[complaint], sample, region.candidates[complaint])
        assert leaf is not None
        assert fault in leaf.faults


@pytest.mark.parametrize("generation", ["2007", "cb"])
@pytest.mark.parametrize("estate", ["contoso-ssl", "contoso-account", "contoso-proxy", "contoso-old"])
def test_the_shape_of_the_estate_is_no_evidence(estate: str, generation: Any) -> None:
    cases = []
    for each in ("contoso", estate):
        story = dataclasses.replace(default_story("S19", generation=generation), estate=ESTATES[each])
        cases.append(cases_of("S19", [sample for seed in (1, 2) for sample in samples_of(dataclasses.replace(story, seed=seed))]))
    for mine, theirs in zip(*cases, strict=True):
        telling = [spot for spot in sorted({*mine.ever, *theirs.ever}) if told_apart(mine, theirs, spot)]
        assert mine.face == theirs.face
        assert telling == []


def test_evidence_names_no_server() -> None:
    for cases in _region().cases.values():
        for case in cases:
            for spot, signs in case.ever.items():
                assert spot.place.islower()
                assert not any(name in sign.text.upper() for sign in signs for name in ("CS1SUP", "CS1SITE", "CONTOSO", "PS1"))


def test_a_fault_that_shuts_the_gate_has_two_faces() -> None:
    faces = {id: {case.face for case in cases} for id, cases in _region().cases.items()}
    assert faces["S19"] == {"fresh", "aged"}
    assert faces["S21"] == {"fresh"}


def test_what_always_shows_is_among_what_ever_shows() -> None:
    for cases in _region().cases.values():
        for case in cases:
            assert all(signs <= case.ever[spot] for spot, signs in case.always.items())
            assert case.always


# --- what tells apart


def test_every_two_of_the_few_are_told_apart() -> None:
    assert not _matrix().inseparable
    assert len(_matrix().pairs) == 15


@pytest.mark.parametrize(("one", "other", "look"), [("S18", "S19", "L45"), ("S19", "S20", "L45"), ("S21", "S22", "L61")])
def test_look_alikes_are_split_by_the_looks_of_the_reference(one: str, other: str, look: str) -> None:
    region = _region()
    assert look in FAULTS[one].looks
    spots = [spot for spot in region.spots if spot.look == look]
    for mine in region.cases[one]:
        for theirs in region.cases[other]:
            assert any(told_apart(mine, theirs, spot) for spot in spots)


def test_faults_alike_in_wsyncmgr_log_are_grouped() -> None:
    groups = [{(case.fault, case.face) for case in group.cases} for group in _region().alike()]
    assert {("S21", "fresh"), ("S22", "fresh")} in groups
    assert {("S18", "fresh"), ("S19", "fresh")} in groups


def test_the_first_split_of_a_group_covers_it() -> None:
    for group in _region().alike():
        assert group.splits
        for _, parts in group.splits:
            assert sorted({id for part in parts for id in part}) == sorted({case.fault for case in group.cases})


def test_the_pair_names_the_cheapest_look() -> None:
    region = _region()
    for pair in _matrix().pairs:
        cases = [(mine, theirs) for mine in region.cases[pair.one] for theirs in region.cases[pair.other]]
        single = [spot for spot in region.spots if all(told_apart(*both, spot) for both in cases)]
        if single:
            assert pair.minutes == min(map(minutes_of, single))


# --- the tree


def test_the_tree_reaches_every_case_once() -> None:
    reached = sorted(case.name for leaf in _all_leaves(_region()) for case in leaf.cases)
    assert reached == sorted(case.name for cases in _region().cases.values() for case in cases)


def test_the_tree_begins_with_wsyncmgr_log() -> None:
    tree = _region().trees[SYNC_FAILS]
    assert isinstance(tree, Node)
    assert LOOKS[tree.spot.look].title("2007", "en") == "wsyncmgr.log"


def test_costs_add_up_and_no_look_is_paid_twice() -> None:
    for tree in _region().trees.values():
        ways: dict[str, list[int]] = {}
        for leaf, looks in leaves(tree):
            assert len(set(looks)) == len(looks)
            for case in leaf.cases:
                ways.setdefault(case.fault, []).append(sum(LOOKS[spot.look].minutes for spot in looks))
        for fault, cost in costs(tree).items():
            assert cost.worst == max(ways[fault])
            assert cost.expected == pytest.approx(sum(ways[fault]) / len(ways[fault]))


def test_a_search_ends_at_the_cause_for_the_minutes_of_the_tree() -> None:
    region = _region()
    sample = next(each for each in samples("S18", "2007", 1) if each.first)
    search = Diagnosis(region.candidates[SYNC_FAILS])
    before = search.left
    tree = region.trees[SYNC_FAILS]
    assert isinstance(tree, Node)
    search.see(tree.spot, sample.facts.get(tree.spot, frozenset()), sample.stays.get(tree.spot, frozenset()))
    while (step := search.next_look()) is not None:
        assert step.gain_bits > 0
        search.see(step.spot, sample.facts.get(step.spot, frozenset()), sample.stays.get(step.spot, frozenset()))
    assert len(before) > 1
    assert search.left == ("S18",)
    assert search.minutes <= region.costs["S18"].worst + 3


def test_a_look_that_shows_nothing_unusual_leaves_those_that_show_nothing_there() -> None:
    region = _region()
    search = Diagnosis(region.candidates[SYNC_FAILS])
    search.see(Spot("L45", "sup"), frozenset())
    assert "S19" not in search.left
    assert "S16" in search.left


# --- the hidden one


def test_a_hidden_fault_is_no_cause_and_leads_to_what_is_behind_it() -> None:
    matrix = compute(("S33", "S06", "S04"), ["2007"], (1, 2))
    assert "S33" not in matrix.regions["2007"].cases
    assert {each.cause for each in matrix.hidden} == {"S04", "S06"}
    for each in matrix.hidden:
        assert each.found == (each.cause,)


def test_what_hides_another_that_was_not_asked_for_is_told() -> None:
    told = [each for each in _matrix().hidden if each.cause not in FEW]
    assert all(each.found is None for each in told)
    assert told


# --- forms


def test_several_processes_find_the_same() -> None:
    one = compute(("S19", "S20"), ["2007"], (1,))
    assert as_json(compute(("S19", "S20"), ["2007"], (1,), jobs=2), "en") == as_json(one, "en")


@pytest.mark.parametrize("language", ["en", "de"])
def test_all_forms_are_the_same_every_time(language: Any) -> None:
    first, second = (compute(("S18", "S19", "S20"), ["2007"], (1,), languages=(language,)) for _ in range(2))
    assert chart(first, language, "c") == chart(second, language, "c")
    assert markdown(first, language, "c") == markdown(second, language, "c")


@pytest.mark.parametrize("language", ["en", "de"])
def test_outcomes_of_a_look_are_told_differently(language: Any) -> None:
    words = Words(_region(), language)

    def walk(tree: Node | Leaf) -> None:
        if isinstance(tree, Node):
            texts = words.outcomes(tree)
            assert len(set(texts)) == len(texts), texts
            assert all(texts)
            for branch in tree.branches:
                walk(branch.then)

    for tree in _region().trees.values():
        walk(tree)


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_chart_is_well_formed_and_stays_within_its_sheet(language: Any) -> None:
    root = ET.fromstring(chart(_matrix(), language, "wsyncsim matrix <&>"))
    _, _, width, height = map(float, (root.get("viewBox") or "").split())
    assert width / height == pytest.approx(420 / 297, abs=0.01)
    texts = list(root.iter("{http://www.w3.org/2000/svg}text"))
    assert any("<&>" in (text.text or "") for text in texts)
    for text in texts:
        assert 0 <= float(text.get("x") or -1) <= width
        assert 0 <= float(text.get("y") or -1) <= height
    boxes = [
        tuple(float(rect.get(name) or 0) for name in ("x", "y", "width", "height"))
        for rect in root.iter("{http://www.w3.org/2000/svg}rect")
        if rect.get("x")
    ]
    for number, (x, y, w, h) in enumerate(boxes):
        for x2, y2, w2, h2 in boxes[number + 1 :]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y


def test_german_is_german() -> None:
    assert "Entscheidungsbaum" in markdown(_matrix(), "de", "c")
    assert "Decision tree" not in markdown(_matrix(), "de", "c")


# --- the command


def test_the_command_prints_text(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["matrix", "s19", "S20", "--generation", "2007", "--seeds", "1", "--jobs", "1"])
    printed = capsys.readouterr()
    assert ended.value.code == 0
    assert "S19" in printed.out
    assert "\x1b" not in printed.out


def test_the_command_writes_json_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "matrix.json"
    options = ["--generation", "2007", "--seeds", "1", "--jobs", "1", "--format", "json", "--out", str(target)]
    with pytest.raises(SystemExit) as ended:
        main(["matrix", "S19", "S20", *options])
    assert ended.value.code == 0
    assert capsys.readouterr().out == ""
    assert json.loads(target.read_text(encoding="utf-8"))["pairs"][0]["separable"] is True
    assert [path.name for path in tmp_path.iterdir()] == ["matrix.json"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["S999"],
        ["M07", "--generation", "2007"],
        ["S19", "--seeds", "0"],
        ["S19", "--out", "no-such-folder/x.md"],
        ["S19", "--out", "."],
    ],
)
def test_mistakes_are_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["matrix", *arguments])
    assert ended.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_letter_means_its_family() -> None:
    assert chosen_faults(["s"]) == tuple(id for id in fault_ids() if id.startswith("S"))
    assert chosen_faults([]) == tuple(fault_ids())
    with pytest.raises(MatrixError):
        chosen_faults(["Q"])


# --- the page


def test_the_page_knows_every_fault_of_the_seed_page() -> None:
    page = (DOCS / "diagnosis.md").read_text(encoding="utf-8")
    drawing = (DOCS / "images" / "decision-tree.svg").read_text(encoding="utf-8")
    for id in chosen_faults(["S"]):
        title = FAULTS[id].title.en
        assert f"{id} {title}" in page, id
        assert newest(FAULTS[id]) in FAULTS[id].generations
        assert FAULTS[id].behind is not None or f">{id} " in drawing, id


def test_the_page_names_looks_that_exist() -> None:
    root = ET.fromstring((DOCS / "images" / "decision-tree.svg").read_text(encoding="utf-8"))
    bold = [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text") if text.get("fill") == "#123f6d"]
    assert bold
    assert all(text.split()[0] in LOOKS for text in bold if text[:1] == "L" and text[1:3].isdigit())
