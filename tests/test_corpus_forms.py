"""The forms of a corpus: laid out as their readers expect, and consistent with the master records; readers load them unchanged."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpora import WITHOUT_EXTRAS, files_of, needs, small
from wsyncsim import corpus
from wsyncsim.corpus.forms import forms
from wsyncsim.corpus.forms.labels import epoch_s
from wsyncsim.corpus.forms.loghub import LOG_FORMAT, corrected
from wsyncsim.corpus.plan import HEALTHY
from wsyncsim.corpus.plan_file import Format
from wsyncsim.corpus.records import Record
from wsyncsim.corpus.runs import RunRow

csv.field_size_limit(10**8)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small corpus in all forms that need no extra."""
    out = tmp_path_factory.mktemp("forms") / "small"
    corpus.make(small(formats=WITHOUT_EXTRAS), out)
    return out


@pytest.fixture(scope="module")
def in_parquet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small corpus as Parquet."""
    out = tmp_path_factory.mktemp("parquet") / "small"
    corpus.make(small(formats=["parquet", "rcaeval", "loghub"]), out)
    return out


@pytest.fixture(scope="module")
def records(made: Path) -> list[Record]:
    decode = msgspec.json.Decoder(Record).decode
    return [decode(line) for path in sorted((made / "jsonl").iterdir()) for line in path.read_bytes().splitlines()]


@pytest.fixture(scope="module")
def runs(made: Path) -> list[RunRow]:
    decode = msgspec.json.Decoder(RunRow).decode
    return [decode(line) for path in sorted((made / "runs").iterdir()) for line in path.read_bytes().splitlines()]


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_form_of_the_plan_is_written_by_a_class() -> None:
    from typing import get_args

    assert set(forms()) == set(get_args(Format))
    assert set(WITHOUT_EXTRAS) | {"parquet"} == set(forms())


def test_no_field_is_empty_and_no_text_breaks_a_line(made: Path) -> None:
    tables = [path for folder in ("loghub", "hdfs", "bgl") for path in (made / folder).rglob("*.csv")]
    assert tables
    for path in tables:
        for row in _table(path):
            assert all(row.values()), (path, row)
            assert not any("\n" in value for value in row.values())


# --- Loghub


def test_loghub_tables_tell_the_lines_of_their_logs_and_of_the_records(made: Path, records: list[Record]) -> None:
    by_id = {record.record_id: record for record in records}
    seen = 0
    for path in (made / "loghub").rglob("*_structured.csv"):
        lines = (path.parent / path.name.removesuffix("_structured.csv")).read_text(encoding="utf-8").splitlines()
        rows = _table(path)
        assert [int(row["LineId"]) for row in rows] == list(range(1, len(lines) + 1))
        counts = Counter(row["EventId"] for row in rows)
        templates = _table(path.parent / path.name.replace("_structured", "_templates"))
        assert {row["EventId"]: int(row["Occurrences"]) for row in templates} == counts
        for line, row in zip(lines, rows, strict=True):
            record = by_id[row["RecordId"]]
            assert line.endswith(row["Content"])
            assert line.split(" ", 7)[:2] == [row["Date"], row["Time"]]
            assert row["EventId"] == record.event_id
            assert row["Label"] == (record.fault_ids[0] if record.fault_ids else "-")
        seen += len(rows)
    assert seen == len(records)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Sync  done", "Sync done"),
        ("port 8530 is open", "port <*> is open"),
        ("thread=<*> (0x<*>)", "thread=<*> (<*>)"),
        ("host <*>.<*> and <*><*>", "host <*> and <*>"),
        ("from <*>:<*>", "from <*>"),
        ('file "<*>" is there', "file <*> is there"),
        ("a/<*>/b", "a/<*>/b"),
    ],
)
def test_templates_are_corrected_by_loghubs_rules(template: str, expected: str) -> None:
    assert corrected(template) == expected


@given(st.text(alphabet="ab1 .:/#@'\"<*>", max_size=30))
def test_correcting_twice_changes_nothing(template: str) -> None:
    assert corrected(corrected(template)) == corrected(template)


@needs("drain3", extra="baseline")
def test_drain3_reads_loghub(made: Path) -> None:
    import drain3

    log = next((made / "loghub").rglob("wsyncmgr_full.log"))
    miner = drain3.TemplateMiner()
    lines = log.read_text(encoding="utf-8").splitlines()
    for line in lines:
        miner.add_log_message(line.split(" ", 7)[7])
    assert sum(cluster.size for cluster in miner.drain.clusters) == len(lines)


# --- HDFS, BGL


def test_sessions_are_anomalies_if_one_of_their_records_is(made: Path, records: list[Record]) -> None:
    expected: dict[str, bool] = {}
    for record in records:
        if record.session_id:
            expected[record.session_id] = expected.get(record.session_id, False) or record.is_anomaly
    rows = [row for path in (made / "hdfs").rglob("anomaly_label.csv") for row in _table(path)]
    assert {row["BlockId"]: row["Label"] == "Anomaly" for row in rows} == expected
    assert len(rows) == len(expected)
    assert {True, False} == set(expected.values())
    traces = [row for path in (made / "hdfs").rglob("Event_traces.csv") for row in _table(path)]
    lengths = Counter(record.session_id for record in records if record.session_id)
    assert {row["BlockId"]: len(row["Features"].split(",")) for row in traces} == lengths


def test_the_first_word_of_a_bgl_line_is_its_label(made: Path, records: list[Record]) -> None:
    found = []
    for path in sorted((made / "bgl").rglob("bgl_full.log")):
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = _table(path.with_name("bgl_full.log_structured.csv"))
        assert [line.split(" ", 9)[0] for line in lines] == [row["Label"] for row in rows]
        assert [line.split(" ", 9)[9] for line in lines] == [row["Content"] for row in rows]
        found += [row["Label"] for row in rows]
    assert Counter(label != "-" for label in found) == Counter(record.is_anomaly for record in records)


# --- AIT-LDS


def test_ait_labels_name_lines_of_untouched_files(made: Path, records: list[Record]) -> None:
    labelled = 0
    for path in (made / "ait").rglob("labels/**/*"):
        if not path.is_file():
            continue
        run = next(parent for parent in path.parents if parent.name == "labels").parent
        raw = (run / "gather" / path.relative_to(run / "labels")).read_bytes()
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        numbers = [line["line"] for line in lines]
        assert numbers == sorted(numbers)
        assert len(raw.split(b"\n")) >= numbers[-1]
        for line in lines:
            assert line["labels"] == list(line["rules"])
            labelled += 1
    assert labelled == sum(record.is_anomaly for record in records)


def test_ait_gathers_the_bytes_that_the_records_name(made: Path, records: list[Record]) -> None:
    record = next(record for record in records if record.is_anomaly and record.log == "wsyncmgr")
    file = next((made / "ait").glob(f"*/{record.run_id}")) / "gather" / record.host / "logs" / record.log_file
    assert record.message.encode() in file.read_bytes()[record.byte_start : record.byte_end]


# --- CMTrace Open


def test_sup_bundles_keep_to_their_contract(made: Path, runs: list[RunRow]) -> None:
    bundles = sorted((made / "sup-bundles").glob("*/*"))
    assert bundles
    outcomes = set()
    labels = {row.run_id: row.label for row in runs}
    for bundle in bundles:
        manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
        expected = json.loads((bundle / "expected.json").read_text(encoding="utf-8"))
        ids = [artifact["artifactId"] for artifact in manifest["artifacts"]]
        assert ids == sorted(ids) == [row["artifactId"] for row in expected["coverage"]]
        texts = {}
        for artifact in manifest["artifacts"]:
            raw = (bundle / artifact["relativePath"]).read_bytes()
            assert artifact["bytesCopied"] == len(raw) <= artifact["collectionLimit"]["byteLimit"]
            texts[artifact["artifactId"]] = raw.decode().splitlines()
            assert all("[LOG[SYNTHETIC FIXTURE; Phase=" in line and ".cpp:" in line for line in texts[artifact["artifactId"]])
        (transaction,) = expected["transactions"]
        phases, times = [], []
        for observation in transaction["observations"]:
            (evidence,) = observation["evidence"]
            line = texts[evidence["artifactId"]][evidence["startLine"] - 1]
            assert f"Phase={observation['phase']}; Disposition={observation['disposition']}; " in line
            phases.append(observation["phase"])
            times.append(line.partition('time="')[2][:12])
        assert phases == expected["stateChain"][: len(phases)]
        assert times == sorted(set(times)), "no two phases at once, none before the last"
        outcomes.add(transaction["state"])
        if labels[bundle.name] == HEALTHY:
            assert transaction["state"] == "succeeded"
    assert len(outcomes) > 1
    assert len(bundles) == len(runs)


# --- root causes


def _check_graph(graph: dict[str, Any]) -> None:
    ids = [node["id"] for node in graph["nodes"]]
    assert len(set(ids)) == len(ids)
    at = {node["id"]: node["at"] for node in graph["nodes"]}
    because = {effect: cause for cause, effect in graph["edges"]}
    assert sum(each["count"] for each in graph["components"]) == len(graph["edges"])
    for cause, effect in graph["edges"]:
        assert at[cause] <= at[effect]
    for node in graph["nodes"]:
        end = node["id"]
        while end in because:
            end = because[end]
        assert next(other for other in graph["nodes"] if other["id"] == end)["event"]["kind"] in ("FaultBegan", "ActionTaken")


def test_openrca_cases_ask_for_what_the_record_tells(made: Path, runs: list[RunRow]) -> None:
    faulty = {row.run_id: row for row in runs if row.label != HEALTHY}
    cases = sorted((made / "openrca").glob("*/*"))
    assert {case.name for case in cases} == set(faulty)
    for case in cases:
        row = faulty[case.name]
        truth = _table(case / "record.csv")
        assert [line["component"] for line in truth] == [cause.entity for cause in row.root_causes]
        assert [float(line["timestamp"]) for line in truth] == [epoch_s(cause.began) for cause in row.root_causes]
        queries = {line["task_index"]: line for line in _table(case / "query.csv")}
        assert set(queries) == {f"task_{number}" for number in range(1, 8)}
        points = queries["task_7"]["scoring_points"]
        for line in truth:
            assert f"root cause component is {line['component']}\n" in points
            assert f"root cause reason is {line['reason']}\n" in points
            assert f"(i.e., <=1min) of {line['datetime']}\n" in points
        logs = [line for path in sorted((case / "telemetry").rglob("log_service.csv")) for line in _table(path)]
        assert len(logs) == row.records
        _check_graph(json.loads((case / "causal_graph.json").read_text(encoding="utf-8")))


def test_rcaeval_cases_have_logs_before_and_after_the_injection(made: Path, runs: list[RunRow]) -> None:
    rows = [row for path in (made / "rcaeval").rglob("cases.csv") for row in _table(path)]
    assert {row["run_id"] for row in rows} == {row.run_id for row in runs if row.fault_ids}
    for row in rows:
        (case,) = (made / "rcaeval").glob(f"{row['split']}-*/{row['case']}")
        system, service, fault, number = row["case"].split("_")
        assert (system, service, fault) == ("wsus", row["root_cause_service"], row["fault"])
        assert number.isdecimal()
        injected = int((case / "inject_time.txt").read_text(encoding="ascii"))
        times = [int(line["time"]) for line in _table(case / "logs.csv")]
        assert times[0] < injected < times[-1]
        _check_graph(json.loads((case / "causal_graph.json").read_text(encoding="utf-8")))


# --- collectors


@needs("opentelemetry", extra="dev")
def test_opentelemetrys_own_message_reads_every_line(made: Path, records: list[Record]) -> None:
    from google.protobuf import json_format
    from opentelemetry.proto.logs.v1.logs_pb2 import LogsData

    bodies: Counter[str] = Counter()
    for path in (made / "otlp").iterdir():
        for line in path.read_text(encoding="utf-8").splitlines():
            for resource in json_format.Parse(line, LogsData()).resource_logs:
                for scope in resource.scope_logs:
                    bodies.update(record.body.string_value for record in scope.log_records)
    assert bodies == Counter(record.message for record in records)


def test_ecs_documents_hold_the_fields_that_elastic_expects(made: Path, records: list[Record]) -> None:
    documents = [
        json.loads(line) for path in sorted((made / "ecs").iterdir()) for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert len(documents) == len(records)
    by_id = {record.record_id: record for record in records}
    for document in documents:
        record = by_id[document["labels"]["record_id"]]
        assert document["@timestamp"] == record.ts_utc
        assert document["message"] == record.message
        assert document["log"]["offset"] == record.byte_start
        assert all(isinstance(value, str) for value in document["labels"].values())
    requests = [document for document in documents if "http" in document]
    assert requests
    assert all(document["url"]["path"].startswith("/") for document in requests)


# --- Parquet, Hugging Face, Croissant


@needs("pyarrow", extra="data")
def test_parquet_holds_the_records_and_the_runs(in_parquet: Path, records: list[Record], runs: list[RunRow]) -> None:
    import pyarrow.parquet as parquet

    read = [row for path in sorted((in_parquet / "data").iterdir()) for row in parquet.read_table(path).to_pylist()]
    assert read == [msgspec.to_builtins(record) for record in records]
    rows = [row for path in sorted((in_parquet / "runs").glob("*.parquet")) for row in parquet.read_table(path).to_pylist()]
    assert rows == [msgspec.to_builtins(row) for row in runs]


@needs("pyarrow", extra="data")
def test_cases_of_rcaeval_are_in_parquet_too(in_parquet: Path) -> None:
    import pyarrow.parquet as parquet

    for path in (in_parquet / "rcaeval").rglob("cases.parquet"):
        assert [row["case"] for row in parquet.read_table(path).to_pylist()] == [
            row["case"] for row in _table(path.with_suffix(".csv"))
        ]


def test_the_data_card_begins_with_what_hugging_face_reads(made: Path) -> None:
    card = (made / "README.md").read_text(encoding="utf-8")
    head = card.split("---\n")[1]
    assert "license: cc0-1.0\n" in head
    assert 'pretty_name: "A | small corpus"' in head
    for split in ("train", "validation", "test"):
        assert f"  - split: {split}\n    path: jsonl/{split}-*.jsonl\n" in head
        assert list((made / "jsonl").glob(f"{split}-*.jsonl"))
    assert "SYNTHETIC DATA" in card


def test_croissant_names_every_file_with_its_digest(made: Path) -> None:
    import hashlib

    metadata = json.loads((made / "croissant.json").read_text(encoding="utf-8"))
    assert metadata["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert {each["contentUrl"] for each in metadata["distribution"]} == {
        f"jsonl/{path.name}" for path in (made / "jsonl").iterdir()
    }
    for each in metadata["distribution"]:
        assert hashlib.sha256((made / each["contentUrl"]).read_bytes()).hexdigest() == each["sha256"]
    for record_set in metadata["recordSet"]:
        assert [each["name"] for each in record_set["field"]] == list(Record.__struct_fields__)


def test_provenance_and_marks_are_there(made: Path) -> None:
    provenance = json.loads((made / "provenance.json").read_text(encoding="utf-8"))
    assert provenance["synthetic"] is True
    assert provenance["plan_sha256"] == small(formats=WITHOUT_EXTRAS).sha256
    assert provenance["wsyncsim"]
    assert provenance["time_zone_data"]
    assert "SYNTHETIC" in (made / "SYNTHETIC.txt").read_text(encoding="utf-8")
    assert "CC0-1.0" in (made / "LICENSE").read_text(encoding="utf-8")


def test_a_corpus_names_no_machine(made: Path) -> None:
    """Nothing of the folder, the user or the time of making."""
    for path, data in files_of(made).items():
        assert str(made).encode() not in data, path


def _run(script: str, *arguments: str) -> str:
    """Run Python apart, for libraries that warn, fork or write caches."""
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs("pyarrow", "datasets", extra="dev-data")
def test_datasets_loads_the_corpus_by_its_card(in_parquet: Path, tmp_path: Path, records: list[Record], runs: list[RunRow]) -> None:
    script = """
import sys, datasets
for name in ("records", "runs"):
    found = datasets.load_dataset(sys.argv[1], name, cache_dir=sys.argv[2])
    print(*(f"{split}={rows.num_rows}" for split, rows in sorted(found.items())))
"""
    printed = _run(script, str(in_parquet), str(tmp_path)).splitlines()
    for line, rows in zip(printed, ([each.split for each in records], [each.split for each in runs]), strict=True):
        assert dict(pair.split("=") for pair in line.split()) == {split: str(count) for split, count in Counter(rows).items()}


@needs("mlcroissant", "pyarrow", extra="dev-data")
@pytest.mark.parametrize("form", ["made", "in_parquet"])
def test_mlcroissant_reads_the_records(form: str, request: pytest.FixtureRequest, records: list[Record]) -> None:
    script = """
import sys, mlcroissant
dataset = mlcroissant.Dataset(sys.argv[1])
print(sum(1 for each in dataset.metadata.record_sets for _ in dataset.records(each.id)))
"""
    folder: Path = request.getfixturevalue(form)
    assert _run(script, str(folder / "croissant.json")).split() == [str(len(records))]


@needs("logparser", extra="dev-data")
def test_logparser_splits_every_line_of_loghub(made: Path, tmp_path: Path) -> None:
    script = """
import sys, pandas
from logparser.Drain import LogParser
folder, log, out, form = sys.argv[1:]
LogParser(form, indir=folder, outdir=out, depth=4, st=0.5, rex=[]).parse(log)
found, wanted = (pandas.read_csv(f"{where}/{log}_structured.csv", dtype=str) for where in (out, folder))
assert list(found.Content) == list(wanted.Content), "content"
assert list(found.Component) == list(wanted.Component), "component"
"""
    logs = sorted((made / "loghub").glob("test-*/*/*_full.log"))
    assert logs
    for log in logs:
        _run(script, str(log.parent), log.name, str(tmp_path), LOG_FORMAT)
