"""The answer key is proven over the whole catalogue, and every record of it points at what it says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from generators.truth_record import read
from scenarios import prove as proving
from scenarios.catalogue import find, story_names
from scenarios.faults import FAULTS
from scenarios.played import Line, Played
from scenarios.played import play as play_lines
from scenarios.prove import prove_one
from scenarios.run import play
from scenarios.story import Changes, Story, default_story
from scenarios.story_file import Generation
from simulator.events import FaultBegan, RequestsServed, StatusReported

ALL = [(id, generation) for id, fault in FAULTS.items() for generation in fault.generations]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("fault", "generation"), ALL)
def test_every_fault_is_proven(fault: str, generation: Generation, seed: int) -> None:
    proof = prove_one(fault, generation, seed)
    assert proof.problems == []
    unheard = ((proving.SILENCE,), ("Run Synchronization unavailable",))
    assert proof.blamed_lines > 0 or proof.faces in unheard


def test_a_wrong_blame_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer key that blames a healthy line does not pass."""
    real = proving.play

    def liar(story: Story, fault_id: str) -> Played:
        played = real(story, fault_id)
        if story.faults:
            lines = played.lines
            number = next(i for i, (_, line) in enumerate(lines) if line.template == "wcm.categories_refreshed")
            key, line = lines[number]
            lines[number] = key, Line(line.template, line.params, line.ts_utc, "healthy.1", ["S19"])
        return played

    monkeypatch.setattr(proving, "play", liar)
    assert any("healthy.1 is blamed" in problem for problem in prove_one("S19", "cb", 1).problems)


def test_a_fault_that_is_not_repaired_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_repair(fault_id: str, *, generation: Generation | None = None, changes: Changes) -> Story:
        story = default_story(fault_id, generation=generation, changes=changes)
        return replace(story, timeline=tuple(step for step in story.timeline if step.id != "R02"))

    monkeypatch.setattr(proving, "default_story", without_repair)
    assert any("after the repair" in problem for problem in prove_one("S19", "cb", 1).problems)


@pytest.mark.parametrize("name", [*story_names(), "S21", "S18", "M07"])
@pytest.mark.parametrize("os_language", ["en", "de"])
def test_every_truth_record_is_true(name: str, os_language: str, tmp_path: Path) -> None:
    """Bytes, times and faults of each record, and the order of each log."""
    story = find(name, Changes(os_language=os_language, hours=14))  # type: ignore[arg-type]
    outcome = play(story, tmp_path / "run", tool_version="")
    entries = {
        entry["id"]: entry
        for entry in map(json.loads, (outcome.out / "truth" / "entries.jsonl").read_text(encoding="utf-8").splitlines())
    }
    records = 0
    for path in sorted((outcome.out / "truth" / "records").rglob("*.jsonl")):
        before = ""
        for record in read(path.read_bytes()):
            records += 1
            data = (outcome.out / record.file).read_bytes()
            span = data[record.byte_start : record.byte_end]
            assert (
                b"\r\n" not in span
                or record.line_end > record.line
                or b"\n   at" in span
                or path.name.endswith((".txt.jsonl", ".xml.jsonl"))
            )
            assert data.count(b"\n", 0, record.byte_start) + 1 == record.line
            local = datetime.fromisoformat(record.ts_local) + timedelta(minutes=record.bias_min)
            assert local == datetime.fromisoformat(record.ts_utc.removesuffix("Z"))
            assert record.ts_utc >= before, f"{record.file} runs backwards at line {record.line}"
            before = record.ts_utc
            for text in (
                value for value in record.params.values() if isinstance(value, str) and value.isascii() and value.isalnum()
            ):
                assert text.encode() in span
            assert [id for id in record.causes if id not in entries] == []
            if record.faults:
                end = entries[record.causes[-1]]["event"]
                assert (end["kind"], [end["fault"]]) == ("FaultBegan", record.faults)
    assert records > 500


def test_the_answer_key_names_what_is_missing(tmp_path: Path) -> None:
    outcome = play(default_story("S19"), tmp_path / "run", tool_version="")
    assert outcome.answer is not None
    missing = {(item["host"], item["event"]) for item in outcome.answer["missing"]}
    assert ("CS1SITE", "SyncSucceeded") in missing
    assert ("CS1SUP", "RequestsServed") in missing
    cause = outcome.answer["root_causes"][0]
    assert (cause["entity"], cause["healthy"], cause["faulty"]) == ("CS1SUP/W3SVC", "running", "stopped")
    assert cause["repaired"] == "2026-03-02T09:30:00.000Z"


def test_causes_come_before_what_follows_from_them() -> None:
    world = default_story("S22").build()
    seen: set[str] = set()
    for entry in world.simulate():
        if entry.because is not None:
            assert entry.because.at <= entry.at
        if isinstance(entry.event, FaultBegan):
            assert not any(id.startswith("#") for id in seen)
        seen.add(entry.id)
    assert len(seen) == len(set(seen))


def test_a_refusal_leaves_its_substatus_only_where_the_request_was_made() -> None:
    """S21 and S22 say the same in wsyncmgr.log; the parent's IIS tells them apart."""
    found = {}
    for fault in ("S21", "S22"):
        rows = {
            (entry.host, row.substatus)
            for entry in default_story(fault).build().simulate()
            if isinstance(entry.event, RequestsServed) and entry.because is not None
            for row in entry.event.rows
            if "DssAuth" in row.path
        }
        found[fault] = rows
    assert found == {"S21": {("CS1SUP", 2)}, "S22": {("CS1SUP", 1)}}


NOT_CONFIGURED = ("S01", "S04", "S06", "S08", "S10", "S11")


def test_faults_that_all_say_not_configured_are_told_apart_by_other_evidence() -> None:
    """The set of messages (not of wsyncmgr.log) that is blamed on each differs from every other's."""
    evidence: dict[str, frozenset[str]] = {}
    for id in NOT_CONFIGURED:
        story = default_story(id)
        evidence[id] = frozenset(
            f"{line.template} {line.params}"
            for (path, _, _), line in play_lines(story, id).lines
            if line.faults and "wsyncmgr" not in path
        )
    for one in NOT_CONFIGURED:
        for other in NOT_CONFIGURED:
            assert one == other or evidence[one] - evidence[other], f"{one} shows nothing that {other} does not"


def test_status_6703_names_the_operating_systems_error() -> None:
    errors = {}
    for fault, generation in (("S19", "2007"), ("S16", "2007"), ("S21", "2007"), ("M29", "cb"), ("S19", "cb")):
        story = default_story(fault, generation=generation)  # type: ignore[arg-type]
        errors[fault, generation] = next(
            entry.event.os_error
            for entry in story.build().simulate()
            if isinstance(entry.event, StatusReported) and entry.event.message_id == 6703
        )
    assert errors == {
        ("S19", "2007"): 53,
        ("S16", "2007"): 2147500037,
        ("S21", "2007"): 0,
        ("M29", "cb"): 0x8013150A,
        ("S19", "cb"): 0x80131500,
    }
