"""Corpora: records that say what the bytes say, and the same bytes whoever makes them and however often he is interrupted."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulator.errors import WsyncsimError
from tests.corpora import PLAN, files_of, needs, small
from wsyncsim import corpus
from wsyncsim.cli import wsyncsim
from wsyncsim.corpus import extras, play, workers
from wsyncsim.corpus.baseline import grouping
from wsyncsim.corpus.plan import HEALTHY, parse
from wsyncsim.corpus.play import played
from wsyncsim.corpus.records import Record, fill, holds, records
from wsyncsim.corpus.runs import RunRow

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small corpus as JSON lines, made by this process."""
    out = tmp_path_factory.mktemp("corpus") / "small"
    corpus.make(small(), out)
    return out


def _records(folder: Path) -> list[Record]:
    decode = msgspec.json.Decoder(Record).decode
    return [decode(line) for path in sorted((folder / "jsonl").iterdir()) for line in path.read_bytes().splitlines()]


def _rows(folder: Path) -> list[RunRow]:
    decode = msgspec.json.Decoder(RunRow).decode
    return [decode(line) for path in sorted((folder / "runs").iterdir()) for line in path.read_bytes().splitlines()]


# --- what records say


@pytest.mark.parametrize("generation", ["2007", "2012", "cb"])
def test_records_say_what_the_bytes_say(generation: str) -> None:
    text = f'name = "x"\nfaults = ["S16", "S21", "M14"]\ngenerations = ["{generation}"]\nos_languages = ["de"]'
    for planned in parse(f"{text}\n[noise]\nextra_fault_percent = 50").all_runs():
        with played(planned) as run:
            seen: Counter[str] = Counter()
            for record in (record for some in records(run) for record in some):
                path = f"logs/{record.host}/{record.log_file}"
                seen[path] += 1
                assert fill(record.template, record.params) == record.message
                local = datetime.fromisoformat(record.ts_local) + timedelta(minutes=record.bias_minutes)
                assert local.isoformat(timespec="milliseconds") + "Z" == record.ts_utc
                raw = run.read(path)
                bytes_ = raw[record.byte_start : record.byte_end]
                assert holds(bytes_, run.logs[path].encoding, record), record
                assert record.line_end - record.line_start == bytes_.count(b"\n")
                assert raw[: record.byte_start].count(b"\n") == record.line_start - 1
            assert set(seen) == {path for path in run.paths() if run.read(path) and list(run.truth_lines(path))}


def test_records_of_a_run_are_in_order_of_time_and_numbered(made: Path) -> None:
    by_run: dict[str, list[Record]] = {}
    for record in _records(made):
        by_run.setdefault(record.run_id, []).append(record)
    for run, found in by_run.items():
        assert [record.record_id for record in found] == [f"{run}-{number:06}" for number in range(len(found))]
        assert [record.ts_utc for record in found] == sorted(record.ts_utc for record in found)


def test_large_runs_are_read_from_disk_to_the_same_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = next(small().all_runs())
    with played(planned) as run:
        in_memory = list(records(run))
    monkeypatch.setattr(play, "MAX_SITE_HOURS", 1)
    with played(planned, tmp_path) as run:
        assert list(tmp_path.iterdir())
        assert list(records(run)) == in_memory
    assert not list(tmp_path.iterdir())


def test_what_is_abnormal_is_labelled_with_a_fault_of_the_run_and_twins_have_no_label(made: Path) -> None:
    rows = {row.run_id: row for row in _rows(made)}
    anomalous: Counter[str] = Counter()
    for record in _records(made):
        assert record.is_anomaly == bool(record.fault_ids) == (record.root_cause is not None)
        assert set(record.fault_ids) <= set(rows[record.run_id].fault_ids)
        anomalous[record.run_id] += record.is_anomaly
    for row in rows.values():
        assert row.anomalous == anomalous[row.run_id]
        assert (row.label == HEALTHY) == (row.anomalous == 0) == (not row.fault_ids) == (row.first_anomaly_utc is None)
        assert row.twin is None or rows[row.twin].label == HEALTHY


def test_templates_have_one_text_and_every_record_has_a_template(made: Path) -> None:
    listed = [msgspec.json.decode(line) for line in (made / "templates.jsonl").read_bytes().splitlines()]
    texts = {template["event_id"]: template["template"] for template in listed}
    counts = Counter(record.event_id for record in _records(made))
    occurrences: Counter[str] = Counter()
    for template in listed:
        assert texts[template["event_id"]] == template["template"]
        occurrences[template["event_id"]] += template["occurrences"]
    assert occurrences == counts


def test_a_run_can_be_played_by_itself(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from scenarios.run import play as play_story
    from scenarios.story import parse as parse_story

    (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
    row = _rows(made)[0]
    wsyncsim.main(["corpus", "story", str(tmp_path / "plan.toml"), row.run_id], standalone_mode=False)
    story = parse_story(capsys.readouterr().out, "run.toml")
    assert story.sha256 == row.story_sha256
    outcome = play_story(story, tmp_path / "run", tool_version="")
    record = next(record for record in _records(made) if record.run_id == row.run_id and record.log == "wsyncmgr")
    raw = (outcome.out / "logs" / record.host / record.log_file).read_bytes()
    assert record.message.encode() in raw[record.byte_start : record.byte_end]


# --- who makes them, and when


def _command(out: Path, plan: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "wsyncsim", "corpus", "make", str(plan), "--out", str(out), *options]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    path = tmp_path / "plan.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path


@needs("joblib", extra="data")
def test_two_workers_make_the_same_bytes(made: Path, plan_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "two"
    subprocess.run(_command(out, plan_file, "--workers", "2"), check=True, capture_output=True, env=_environment())
    assert files_of(out) == files_of(made)


@needs("joblib", "distributed", extra="dev-data")
def test_a_dask_cluster_makes_the_same_bytes(made: Path, plan_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "dask"
    command = _command(out, plan_file, "--workers", "2", "--backend", "dask")
    subprocess.run(command, check=True, capture_output=True, env=_environment())
    assert files_of(out) == files_of(made)


def _kill_in_the_middle(out: Path, plan: Path, *options: str) -> int:
    """Start a corpus and kill its process when a shard is finished; returns how many are."""
    index = out / ".corpus" / "index"
    with subprocess.Popen(_command(out, plan, *options), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not (index.exists() and list(index.glob("*.json"))):
            time.sleep(0.005)
        process.kill()
    return len(list(index.glob("[!.]*.json")))


def test_after_a_kill_the_same_command_goes_on_and_nothing_is_lost_or_doubled(made: Path, plan_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    finished = _kill_in_the_middle(out, plan_file)
    assert 0 < finished < len(small().shards)
    again = corpus.make(small(), out)
    assert 0 < again.made_now < again.runs
    assert files_of(out) == files_of(made)


def test_what_was_half_moved_or_deleted_is_made_again(made: Path, tmp_path: Path) -> None:
    plan, out = small(), tmp_path / "again"
    corpus.make(plan, out)
    shard = plan.shards[0]
    (out / "jsonl" / f"{shard.name}.jsonl").write_bytes(b"half")
    (out / ".corpus" / "index" / f"{plan.shards[1].name}.json").unlink()
    (out / ".corpus" / "work" / "left").mkdir(parents=True)
    assert corpus.make(plan, out).made_now == shard.runs + plan.shards[1].runs
    assert files_of(out) == files_of(made)
    assert corpus.make(plan, out).made_now == 0


def test_shards_can_be_made_in_any_order(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_all = workers.make_all

    def backwards(plan: bytes, out: str, numbers: list[int], **options: Any) -> Any:
        return make_all(plan, out, numbers[::-1], **options)

    monkeypatch.setattr(workers, "make_all", backwards)
    corpus.make(small(), tmp_path / "backwards")
    assert files_of(tmp_path / "backwards") == files_of(made)


def test_progress_counts_runs_up_to_all(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    plan = small()
    corpus.make(plan, tmp_path / "out", progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, plan.runs)
    assert told[-1] == (plan.runs, plan.runs)
    assert told == sorted(told)


# --- what is refused


@pytest.mark.parametrize("change", [{"seed": 2}, {"formats": ["jsonl", "ecs"]}, {"hours": 13}])
def test_another_plan_in_the_same_folder_is_refused(made: Path, change: dict[str, Any]) -> None:
    before = files_of(made)
    with pytest.raises(WsyncsimError, match="another plan"):
        corpus.make(small(**change), made)
    assert files_of(made) == before


def test_comments_make_no_other_plan() -> None:
    assert parse(f"# comment\n{PLAN}").sha256 == small().sha256


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(WsyncsimError, match="holds something else"):
        corpus.make(small(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_two_at_a_time_are_refused(made: Path) -> None:
    import sqlite3

    lock = sqlite3.connect(made / ".corpus" / "lock.sqlite", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(WsyncsimError, match="somebody else"):
            corpus.make(small(), made)
    finally:
        lock.close()


@pytest.mark.parametrize(
    ("missing", "options", "extra"),
    [
        ("pyarrow", {"formats": ["parquet"]}, "data"),
        ("joblib", {"workers": 2}, "data"),
        ("distributed", {"workers": 2, "backend": "dask"}, "cluster"),
    ],
)
def test_a_missing_extra_is_named_before_anything_is_written(
    missing: str, options: dict[str, Any], extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    formats = options.pop("formats", ["jsonl"])
    with pytest.raises(extras.ExtraMissingError) as mistake:
        corpus.make(small(formats=formats), tmp_path / "out", **options)
    assert f"wsyncsim[{extra}]" in mistake.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options", [{"workers": 0}, {"backend": "slurm"}, {"address": "tcp://head:8786"}], ids=["workers", "backend", "address"]
)
def test_impossible_workers_are_refused(options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(WsyncsimError):
        corpus.make(small(), tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


# --- the command


def test_the_plan_command_counts_and_estimates(plan_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wsyncsim.main(["corpus", "plan", str(plan_file), "--json"], standalone_mode=False)
    found = msgspec.json.decode(capsys.readouterr().out)
    assert found["runs"] == small().runs == sum(split["runs"] for split in found["splits"])
    wsyncsim.main(["corpus", "plan", str(plan_file), "--language", "de"], standalone_mode=False)
    assert "ungestört" in capsys.readouterr().out


def test_estimates_are_near_what_is_made(made: Path, plan_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wsyncsim.main(["corpus", "plan", str(plan_file), "--json"], standalone_mode=False)
    found = msgspec.json.decode(capsys.readouterr().out)
    really = len(_records(made))
    assert really / 2 < found["records"] < really * 2


def test_the_make_command_prints_the_folder_and_says_when_all_is_there(plan_file: Path, tmp_path: Path) -> None:
    command = _command(tmp_path / "out", plan_file)
    done = [subprocess.run(command, check=True, capture_output=True, encoding="utf-8", env=_environment()) for _ in range(2)]
    assert [each.stdout.strip() for each in done] == [str(tmp_path / "out")] * 2
    assert "complete already" in done[1].stderr


def test_a_mistake_in_a_plan_ends_with_code_2(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('name = "x"\nfaults = ["S99"]\n', encoding="utf-8")
    done = subprocess.run(_command(tmp_path / "out", plan), capture_output=True, encoding="utf-8", env=_environment())
    assert done.returncode == 2
    assert "plan.toml, line 2, faults[0]: there is no fault 'S99'" in done.stderr
    assert not (tmp_path / "out").exists()


# --- the baseline


@pytest.mark.parametrize(
    ("truth", "found", "expected"),
    [
        ("aabb", "1122", (1.0, 1.0)),
        ("aabb", "1111", (0.0, 0.0)),
        ("aabbc", "11223", (1.0, 1.0)),
        ("aabb", "1123", (0.5, 0.4)),
    ],
)
def test_grouping_counts_groups_that_are_exactly_right(truth: str, found: str, expected: tuple[float, float]) -> None:
    assert grouping(truth, found) == pytest.approx(expected)


@needs("drain3", extra="baseline")
def test_the_baseline_stands_in_the_data_card(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wsyncsim.main(["corpus", "baseline", str(made)], standalone_mode=False)
    assert "drain3" in capsys.readouterr().out
    assert "| drain3 | wsyncmgr |" in (made / "README.md").read_text(encoding="utf-8")
    (made / "baseline.json").unlink()
    corpus.make(small(), made)
