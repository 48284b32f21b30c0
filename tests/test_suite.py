"""The conformance suite: its cases, its files, and that our own reader is right in all of them."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from generators.catalogue import OWN_TAGS, SOURCED_TAGS
from simulator.errors import WsyncsimError
from simulator.versions import VERSIONS
from tests.second_parser import parse
from wsyncsim import cli
from wsyncsim.reader import read
from wsyncsim.suite.case import FORMATS, GROUPS, SUITE_VERSION, Case
from wsyncsim.suite.fields import OWN_NAMES
from wsyncsim.suite.score import LEVELS, Score, output_of, score
from wsyncsim.suite.tool import Ran
from wsyncsim.suite.write import (
    INDEX,
    SCHEMAS,
    all_cases,
    load_folder,
    schema_text,
    suite_files,
    write_folder,
    write_zip,
    zip_bytes,
)

SCHEMA_OF = {name: json.loads(schema_text(name)) for name in SCHEMAS}


@cache
def cases() -> tuple[Case, ...]:
    return tuple(all_cases())


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return dict(suite_files(cases()))


def _read_by_us() -> Score:
    outputs = []
    for case in cases():
        printed = "".join(json.dumps(record.to_json()) + "\n" for record in read(case.data).records)
        outputs.append(output_of(case, Ran(exit_code=0, out=printed.encode(), error_tail="", took_s=0.0), OWN_NAMES))
    return score(outputs)


# --- the cases


def test_there_are_enough_cases_of_every_kind() -> None:
    assert len([case for case in cases() if case.origin == "hand"]) >= 200
    for name in FORMATS:
        assert {case.group for case in cases() if case.format == name} >= {"y", "n"}, name
    for generation in VERSIONS:
        assert len([case for case in cases() if case.origin == "run" and generation in case.tags]) >= 4


def test_ids_are_unique_and_name_their_group_and_format() -> None:
    ids = [case.id for case in cases()]
    assert len(set(ids)) == len(ids)
    for case in cases():
        assert case.group in GROUPS
        assert re.fullmatch("[yni]_[a-z0-9_]+", case.id)


def test_every_case_says_why_and_where_from() -> None:
    for case in cases():
        assert case.why.endswith("."), case.id
        assert "\n" not in case.why
        assert len(case.why) > 10
        if case.origin == "hand":
            assert case.evidence.split()[0] in SOURCED_TAGS | OWN_TAGS, case.id


def test_times_of_expectations_obey_the_bias() -> None:
    """UTC = local + bias, in every record that is expected anywhere."""
    from wsyncsim.suite.fields import clock_us

    for case in cases():
        lists = [case.expected.get("records", []), *(each["records"] for each in case.expected.get("alternatives", []))]
        for record in (record for records in lists for record in records):
            if "bias_min" in record:
                local, utc = clock_us(record["time_local"], utc=False), clock_us(record["time_utc"], utc=False)
                assert utc == local + record["bias_min"] * 60_000_000, (case.id, record["line"])


def test_places_of_expectations_hold_the_message() -> None:
    for case in cases():
        data = case.data
        for record in case.expected.get("records", []):
            piece = data[record["byte_start"] : record["byte_end"]]
            text = piece.decode("cp1252" if case.encoding == "cp1252" else case.encoding)
            assert record["message"] in text.replace("\r\n", "\n"), case.id
            before = data[: record["byte_start"]].decode(case.encoding, "replace")
            assert before.count("\n") + 1 == record["line"], case.id


def test_byte_65536_lies_in_a_trailer_where_it_should() -> None:
    for id_ in ("y_server_64k_boundary", "y_client_64k_boundary"):
        case = next(case for case in cases() if case.id == id_)
        record = next(each for each in case.expected["records"] if each["byte_start"] < 65_536 < each["byte_end"])
        message_end = case.data.index(record["message"].encode(), record["byte_start"]) + len(record["message"])
        assert message_end + 10 < 65_536 < record["byte_end"] - 10


def test_our_reader_is_right_in_every_case() -> None:
    scored = _read_by_us()
    assert [(case.case.id, case.reasons) for case in scored.cases if case.reasons] == []
    assert {level: share.percent for level, share in scored.shares.items()} == dict.fromkeys(LEVELS, 100.0)
    assert [case.case.id for case in scored.cases if case.behaviour in ("other", "not told", "not robust")] == []


def test_our_reader_tells_what_is_no_record() -> None:
    for case in cases():
        no_records = case.expected.get("unparsed", case.expected.get("reject"))
        if no_records is not None:
            places = ("line", "line_end", "byte_start", "byte_end")
            found = [{name: getattr(span, name) for name in places} for span in read(case.data).unparsed]
            assert found == no_records, case.id


def test_a_second_parser_rejects_what_must_be_rejected() -> None:
    for case in cases():
        if case.group == "n" and "clock" not in case.tags:  # it does not look at calendars
            messages = [record["message"] for record in parse(case.data, case.format)]
            assert messages == [record["message"] for record in case.expected["records"]], case.id


# --- the files


def test_files_are_valid(files: dict[str, bytes]) -> None:
    for schema in SCHEMA_OF.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    index = json.loads(files[INDEX])
    jsonschema.validate(index, SCHEMA_OF["suite.schema.json"])
    validator = jsonschema.Draft202012Validator(SCHEMA_OF["expected.schema.json"])
    for entry in index["cases"]:
        validator.validate(json.loads(files[entry["expected"]]))


def test_what_our_reader_prints_is_valid() -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA_OF["record.schema.json"])
    for case in cases():
        for record in read(case.data).records[:20]:
            validator.validate(json.loads(json.dumps(record.to_json())))


def test_the_index_lists_every_file_and_its_digest(files: dict[str, bytes]) -> None:
    index = json.loads(files[INDEX])
    listed = {entry[key] for entry in index["cases"] for key in ("file", "expected")}
    assert listed == {name for name in files if name.endswith((".log", ".expected.json"))}
    for entry in index["cases"]:
        assert hashlib.sha256(files[entry["file"]]).hexdigest() == entry["sha256"]
        assert len(files[entry["file"]]) == entry["bytes"]
    assert index["version"] == SUITE_VERSION


def test_writing_twice_gives_the_same_bytes(files: dict[str, bytes]) -> None:
    assert dict(suite_files(all_cases())) == files


def test_a_folder_can_be_read_back(tmp_path: Path) -> None:
    write_folder(tmp_path / "suite")
    assert [case.id for case in load_folder(tmp_path / "suite")] == [case.id for case in cases()]
    assert load_folder(tmp_path / "suite")[0] == cases()[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["suite"], "nothing is left beside it"


def test_the_archive_holds_the_same_files_and_no_trace_of_the_machine(tmp_path: Path, files: dict[str, bytes]) -> None:
    write_zip(tmp_path / "suite.zip")
    data = (tmp_path / "suite.zip").read_bytes()
    assert data == zip_bytes()[0]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {info.filename.split("/", 1)[1]: archive.read(info) for info in archive.infolist()} == files
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


def test_only_an_earlier_suite_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsyncsim.suite.write.all_cases", lambda *_: iter(cases()[:3]))
    folder = tmp_path / "suite"
    write_folder(folder)
    with pytest.raises(WsyncsimError, match="exists already"):
        write_folder(folder)
    write_folder(folder, force=True)
    (folder / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(WsyncsimError, match=r"mine\.txt"):
        write_folder(folder, force=True)
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(WsyncsimError, match="not an earlier suite"):
        write_folder(other, force=True)
    assert (other / "mine.txt").exists()
    with pytest.raises(WsyncsimError, match="exists already"):
        write_zip(other / "mine.txt")


def test_a_changed_case_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsyncsim.suite.write.all_cases", lambda *_: iter(cases()[:3]))
    write_folder(tmp_path / "suite")
    changed = tmp_path / "suite" / f"{cases()[1].id}.log"
    changed.write_bytes(changed.read_bytes().replace(b"\r\n", b"\n"))
    with pytest.raises(WsyncsimError, match="not those of the suite"):
        load_folder(tmp_path / "suite")


def test_a_suite_cannot_name_files_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsyncsim.suite.write.all_cases", lambda *_: iter(cases()[:1]))
    write_folder(tmp_path / "suite")
    index = json.loads((tmp_path / "suite" / INDEX).read_bytes())
    index["cases"][0]["file"] = "../secret.log"
    (tmp_path / "suite" / INDEX).write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(WsyncsimError, match="beside it"):
        load_folder(tmp_path / "suite")


# --- the commands


def _run(*arguments: str | Path) -> int:
    return cli._run([str(argument) for argument in arguments])


def test_the_command_writes_a_suite(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsyncsim.suite.write.all_cases", lambda *_: iter(cases()[:3]))
    assert _run("suite", "write", tmp_path / "a") == 0
    printed = capsys.readouterr()
    assert printed.out == f"{tmp_path / 'a'}\n"
    assert "3 cases" in printed.err
    assert _run("suite", "write", "--zip", tmp_path / "a.zip", "--language", "de") == 0
    assert "3 Fälle" in capsys.readouterr().err
    assert _run("suite", "write", tmp_path / "a") == 2
    assert _run("suite", "write") == 2
    assert _run("suite", "write", tmp_path / "b", "--zip", tmp_path / "b.zip") == 2


def test_the_command_reads_files(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    by_id = {case.id: case for case in cases()}
    log = tmp_path / "x.log"
    log.write_bytes(by_id["y_server_truncated_tail"].data)
    assert _run("suite", "read", log) == 0
    records: list[Any] = [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]
    assert [record["message"] for record in records] == ["Wakeup for a polling cycle", "Starting Sync"]
    assert _run("suite", "read", "--unparsed", log) == 0
    assert json.loads(capsysbinary.readouterr().out.splitlines()[-1])["unparsed"] is True
    assert _run("suite", "read", tmp_path / "none.log") == 2
