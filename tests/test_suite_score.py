"""The scorer: what tools that are right, wrong, silent, slow or broken get."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from simulator.errors import WsyncsimError
from wsyncsim import cli
from wsyncsim.suite.case import Case
from wsyncsim.suite.fields import OWN_NAMES, OutputError, load_field_map
from wsyncsim.suite.handmade import handmade_cases
from wsyncsim.suite.report import junit, missed, report
from wsyncsim.suite.score import LEVELS, Level, Score, align, output_of, score
from wsyncsim.suite.tool import CommandError, Ran, parse_command, run_tool

Change = Callable[[dict[str, Any]], dict[str, Any] | None]


@cache
def hand_made() -> dict[str, Case]:
    return {case.id: case for case in handmade_cases()}


def _ran(out: str | bytes, exit_code: int | None = 0, ended_because: str = "") -> Ran:
    return Ran(exit_code, out if isinstance(out, bytes) else out.encode(), "", 0.0, ended_because)


def _expected(case: Case) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = (
        case.expected.get("records") or case.expected.get("alternatives", [{"records": []}])[0]["records"]
    )
    return records


def _scored(change: Change, *ids: str) -> Score:
    """The score of a tool that prints the expectations, changed."""
    outputs = []
    for case in [hand_made()[id_] for id_ in ids] or hand_made().values():
        changed = [change(dict(record)) for record in _expected(case)]
        out = "".join(json.dumps(record) + "\n" for record in changed if record is not None)
        outputs.append(output_of(case, _ran(out), OWN_NAMES))
    return score(outputs)


def _percents(scored: Score) -> dict[Level, float]:
    return {level: share.percent for level, share in scored.shares.items()}


def _without(*names: str) -> Change:
    return lambda record: {name: value for name, value in record.items() if name not in names}


# --- levels


def test_a_perfect_tool_reaches_everything() -> None:
    scored = _scored(lambda record: record)
    assert _percents(scored) == dict.fromkeys(LEVELS, 100.0)
    assert missed(scored) == []


def test_a_tool_without_lines_bytes_and_form_can_be_perfect_too() -> None:
    scored = _scored(_without("line", "line_end", "byte_start", "byte_end", "form"))
    assert _percents(scored) == dict.fromkeys(LEVELS, 100.0)


def test_a_wrong_sign_of_the_bias_is_wrong_in_utc_and_nowhere_else() -> None:
    def east(record: dict[str, Any]) -> dict[str, Any]:
        if record.get("bias_min"):
            record["bias_min"] = -record["bias_min"]
            del record["time_utc"]
        return record

    percents = _percents(_scored(east))
    assert percents["utc"] < 60
    assert {level: percents[level] for level in LEVELS if level not in ("utc", "reject")} == dict.fromkeys(
        ("robust", "frame", "text", "local", "severity"), 100.0
    )


def test_local_time_alone_is_no_mistake_in_utc() -> None:
    scored = _scored(_without("time_utc", "bias_min"))
    assert not scored.shares["utc"].offered
    assert scored.shares["local"].percent == 100.0
    assert [case for case, level, _ in missed(scored) if level == "utc"] == []


def test_local_time_and_bias_are_as_good_as_utc() -> None:
    server = [id_ for id_ in hand_made() if id_.startswith("y_server")]
    assert _scored(_without("time_utc"), *server).shares["utc"].percent == 100.0


def test_whoever_takes_an_unknown_zone_for_utc_is_wrong() -> None:
    def claims(record: dict[str, Any]) -> dict[str, Any]:
        return record | {"time_utc": record.get("time_utc", record["time_local"] + "Z")}

    scored = _scored(claims, "y_client_bias_none_seven_digits", "y_client_plain")
    assert [case.levels["utc"] for case in scored.cases] == [False, True]


def test_a_lost_record_is_missed_at_every_level_of_its_case() -> None:
    scored = _scored(lambda record: None if record["line"] == 2 else record, "y_server_plain")
    assert scored.cases[0].levels == {"robust": True} | dict.fromkeys(("frame", "text", "local", "utc", "severity"), False)
    assert "line 2" in scored.cases[0].reasons["frame"]


def test_a_record_too_many_is_seen_without_lines() -> None:
    case = hand_made()["y_server_truncated_text"]
    records = [*case.expected["records"], {"message": "Performing sy", "time_local": "2020-02-08T02:13:11.522"}]
    out = "".join(json.dumps({"message": each["message"], "time_local": each["time_local"]}) + "\n" for each in records)
    scored = score([output_of(case, _ran(out), OWN_NAMES)])
    assert "too many" in scored.cases[0].reasons["frame"]


@pytest.mark.parametrize("extra", [{"message": "Performing sy", "unparsed": True}, {"message": "Performing sy"}])
def test_a_tool_may_show_what_it_could_not_read(extra: dict[str, Any]) -> None:
    case = hand_made()["y_server_truncated_text"]
    out = "".join(json.dumps(each) + "\n" for each in (*case.expected["records"], extra))
    assert score([output_of(case, _ran(out), OWN_NAMES)]).cases[0].levels["frame"]


def test_a_tool_that_tells_no_times_at_all_is_scored_by_its_messages() -> None:
    scored = _scored(lambda record: {"message": record["message"]}, "y_server_truncated_tail")
    assert (scored.cases[0].levels["frame"], scored.cases[0].levels["text"]) == (True, True)
    assert not scored.shares["local"].offered


def test_a_component_that_is_cut_is_wrong_text() -> None:
    scored = _scored(lambda record: record | {"component": record["component"].split("_")[0]}, "y_server_plain")
    assert not scored.cases[0].levels["text"]
    assert "component" in scored.cases[0].reasons["text"]


def test_a_component_that_is_never_told_is_not_wrong() -> None:
    assert _scored(_without("component"), "y_server_plain").cases[0].levels["text"]


def test_blanks_tildes_and_line_ends_do_not_matter_in_messages() -> None:
    def viewer(record: dict[str, Any]) -> dict[str, Any]:
        return record | {"message": record["message"].strip("~ ").replace("\n", "\r\n")}

    assert _scored(viewer, "y_server_tilde_trailing", "y_client_multiline").shares["text"].percent == 100.0


def test_times_may_be_cut_to_the_millisecond_but_not_to_the_second() -> None:
    def cut(digits: int) -> Change:
        return lambda record: record | {"time_local": record["time_local"][: 19 + digits]}

    ids = ("y_client_fraction_with_bias", "y_client_plain")
    assert _scored(cut(4), *ids).shares["local"].percent == 100.0
    assert _scored(cut(0), *ids).shares["local"].percent == 0.0


def test_fields_of_w3c_count_as_text() -> None:
    assert _scored(_without("message"), "y_w3c_iis10").cases[0].levels["text"]
    shifted = _scored(lambda record: record | {"fields": record["fields"] | {"sc-status": "0"}}, "y_w3c_iis10")
    assert "fields.sc-status" in shifted.cases[0].reasons["text"]


def test_reading_what_is_no_record_misses_reject() -> None:
    case = hand_made()["n_server_no_thread"]
    reads = [*case.expected["records"], {"line": 2, "message": "Starting Sync", "time_local": "2020-02-08T02:13:11.600"}]
    damages = case.expected["records"][:1]
    for records in (reads, damages):
        out = "".join(json.dumps(record) + "\n" for record in records)
        assert not score([output_of(case, _ran(out), OWN_NAMES)]).cases[0].levels["reject"]
    empty = hand_made()["n_html"]
    assert score([output_of(empty, _ran("", 1), OWN_NAMES)]).cases[0].levels == {"robust": True, "reject": True}


def test_implementation_defined_cases_are_told_and_not_scored() -> None:
    scored = _scored(lambda record: record, "i_server_double_sign")
    assert scored.cases[0].levels == {"robust": True}
    assert scored.cases[0].behaviour == "the number"
    assert _scored(lambda record: record | {"message": "x"}, "i_server_double_sign").cases[0].behaviour == "other"
    sign = _scored(lambda record: record | {"time_utc": None, "bias_min": 5}, "i_server_interleaved_write")
    assert sign.cases[0].behaviour == "as the lines stand", "a wrong UTC is not at stake here"
    assert _scored(_without("severity"), "i_client_type_0").cases[0].behaviour == "not told"
    tilde = _scored(lambda record: record | {"message": record["message"].rstrip("~")}, "i_server_trailing_tilde")
    assert tilde.cases[0].behaviour == "dropped"


@pytest.mark.parametrize(
    ("ran", "told"),
    [
        (_ran("", None, "time"), "did not end"),
        (_ran("", None, "output"), "without end"),
        (_ran("", -11), "-11"),
        (_ran("", 2), "exit code 2"),
        (_ran("Traceback\n"), "not JSON"),
        (_ran("[1]\n"), "no JSON object"),
        (_ran(b'{"message": "\xff"}\n'), "not UTF-8"),
        (_ran("{" * 100_000), "not JSON"),
    ],
)
def test_what_is_not_robust(ran: Ran, told: str) -> None:
    scored = score([output_of(hand_made()["y_server_plain"], ran, OWN_NAMES)])
    assert told in scored.cases[0].reasons["robust"]
    assert not any(scored.cases[0].levels.values())


@pytest.mark.parametrize("value", [None, "", "yesterday", [], {}, True, -1, 10**30, 1e400, "9" * 30, "2020-02-30T00:00:00"])
def test_no_value_of_a_tool_is_too_strange_to_be_scored(value: Any) -> None:
    names = ("line", "message", "component", "time_local", "time_utc", "bias_min", "thread", "severity", "fields", "unparsed")
    for name in names:
        scored = _scored(lambda record, name=name: record | {name: value}, "y_server_plain", "y_w3c_iis10")  # type: ignore[misc]
        assert scored.cases[0].levels["robust"], name
        assert junit(scored)


def test_records_are_aligned_by_line_then_by_order_then_by_text() -> None:
    wanted = [{"line": 1, "message": "a"}, {"line": 2, "message": "b"}, {"line": 3, "message": "c"}]
    assert align(wanted, [{"line": 3, "message": "x"}])[0][2][1] == {"line": 3, "message": "x"}
    assert align(wanted, [{"message": "x"}, {"message": "y"}, {"message": "z"}])[0][0][1] == {"message": "x"}
    pairs, extra = align(wanted, [{"message": "a"}, {"message": "c"}])
    assert [given for _, given in pairs] == [{"message": "a"}, None, {"message": "c"}]
    assert extra == []


# --- field maps


def _map(tmp_path: Path, text: str) -> Any:
    (tmp_path / "map.toml").write_text(text, encoding="utf-8")
    return load_field_map(tmp_path / "map.toml")


def test_names_units_and_values_of_a_tool_are_translated(tmp_path: Path) -> None:
    fields = _map(
        tmp_path,
        'message = "event.text"\ntime_utc = { path = "t", unit = "us" }\nline = { path = "n", add = 1 }\n'
        'severity = { path = "l", map = { E = "error" } }\nfields.sc-status = "code"\n',
    )
    printed = {"event": {"text": "a"}, "t": 1581156791522000, "n": 0, "l": "E", "code": 401}
    record = fields.records(json.dumps(printed).encode())[0]
    assert record == {
        "message": "a",
        "time_utc": 1581156791522000,
        "line": 1,
        "severity": "error",
        "fields": {"sc-status": "401"},
    }


@pytest.mark.parametrize(
    ("unit", "value"),
    [
        ("s", 1581156791.522),
        ("ms", 1581156791522),
        ("us", "1581156791522000"),
        ("ns", 1581156791522000123),
        ("iso", "2020-02-08T10:13:11.522Z"),
        ("iso", "2020-02-08T02:13:11.522-08:00"),
        ("iso", "2020-02-08 10:13:11.522000"),
    ],
)
def test_units_of_time(tmp_path: Path, unit: str, value: Any) -> None:
    fields = _map(tmp_path, f'time_utc = {{ path = "t", unit = "{unit}" }}')
    assert fields.records(json.dumps({"t": value}).encode()) == [{"time_utc": 1581156791522000}]


def test_one_document_instead_of_lines(tmp_path: Path) -> None:
    fields = _map(tmp_path, 'message = "m"\n[output]\nformat = "json"\npath = "log.entries"\n')
    assert fields.records(b'{"log": {"entries": [{"m": "a"},\n {"m": "b"}]}}') == [{"message": "a"}, {"message": "b"}]
    assert fields.records(b"") == []
    with pytest.raises(OutputError):
        fields.records(b'{"log": {"entries": 5}}')


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('mesage = "a"', "message"),
        ("message = 5", "expected a name"),
        ('time_utc = { path = "t", unit = "days" }', "no unit"),
        ('time_utc = { unit = "s" }', "expected a name"),
        ('line = { path = "n", add = "1" }', "whole number"),
        ('[output]\nformat = "xml"', "jsonl"),
        ("message =", "TOML"),
    ],
)
def test_mistakes_in_a_field_map_are_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(WsyncsimError) as mistake:
        _map(tmp_path, text)
    assert told in str(mistake.value)
    assert "map.toml" in str(mistake.value)


# --- running tools


def _tool(tmp_path: Path, code: str) -> str:
    script = tmp_path / "tool.py"
    script.write_text(code, encoding="utf-8")
    return f'"{sys.executable}" "{script}" {{file}}'


PERFECT = """
import json, sys
from wsyncsim.reader import read_file
for record in read_file(sys.argv[1]).records:
    print(json.dumps(record.to_json()))
"""
DROPS_THE_BIAS = PERFECT.replace(
    "record.to_json()", '{k: v for k, v in {**record.to_json(), "time_utc": T(record)}.items() if v}'
).replace("import json", "T = lambda r: r.time_local.isoformat() + 'Z'\nimport json")
CRASHES = "import os\nos.abort()"
RAISES = "raise ValueError('what is this?')"
HANGS = "import time\ntime.sleep(60)"
GARBAGE = "print('Reading file ...')\nprint('\\x00\\x01')"


def _run(*arguments: str | Path) -> int:
    return cli._run(["suite", "run", *(str(argument) for argument in arguments)])


FEW = ("--only", "y_server_bias_[b-z]*", "--jobs", "2")


@pytest.mark.parametrize(
    ("code", "levels"),
    [
        (PERFECT, {"robust": 100, "frame": 100, "text": 100, "local": 100, "utc": 100}),
        (DROPS_THE_BIAS, {"robust": 100, "frame": 100, "text": 100, "local": 100}),
        (CRASHES, {}),
        (GARBAGE, {}),
    ],
    ids=["perfect", "drops the bias", "crashes", "prints garbage"],
)
def test_levels_of_tools_that_are_run(
    tmp_path: Path, code: str, levels: dict[str, float], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(cli.__file__).parents[1]))
    assert _run("--cmd", _tool(tmp_path, code), *FEW, "--json", tmp_path / "report.json", "--junit", tmp_path / "junit.xml") == 0
    reached = json.loads((tmp_path / "report.json").read_bytes())["levels"]
    for level in ("robust", "frame", "text", "local", "utc"):
        if level in levels:
            assert reached[level]["percent"] == levels[level], level
        elif reached[level]["offered"]:
            assert reached[level]["percent"] < 50, level
    tree = ElementTree.parse(tmp_path / "junit.xml").getroot()
    suite = tree.find("testsuite")
    assert suite is not None
    assert len(suite.findall("testcase")) == int(suite.get("tests", 0)) > 20
    assert len(suite.findall("testcase/failure")) == int(suite.get("failures", -1))
    assert "robust" in capsys.readouterr().out


def test_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tool = _tool(tmp_path, 'print(\'{"message": "x"}\')')
    one = ("--only", "y_server_bias_zero", "--cmd", tool)
    assert _run(*one, "--min", "robust=100") == 0
    assert _run(*one, "--min", "text=1") == 1
    assert "text: 0.0 %, below 1 %" in capsys.readouterr().out
    assert _run(*one, "--min", "utc=1", "--language", "de") == 1, "what is not offered counts as nothing"
    assert "unter 1 %" in capsys.readouterr().out
    for wrong in ("text", "texte=5", "text=101", "text=x"):
        assert _run(*one, "--min", wrong) == 2
    assert _run("--only", "nothing", "--cmd", tool) == 2
    assert _run("--cmd", "python") == 2
    assert _run("--cmd", "no-such-program {file}") == 2
    assert _run(*one, "--fields", tmp_path / "none.toml") == 2
    assert _run(*one, "--suite", tmp_path / "none") == 2
    assert _run(*one, "--json", tmp_path / "none" / "report.json") == 2


def test_a_tool_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    child = f"import time\nwhile True:\n    open({str(mark)!r}, 'a').write('x')\n    time.sleep(0.05)"
    code = f"import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {child!r}])\ntime.sleep(60)"
    began = time.monotonic()
    ran = run_tool(parse_command(_tool(tmp_path, code)), tmp_path / "x.log", 1.5)
    assert ran.ended_because == "time"
    assert time.monotonic() - began < 20
    time.sleep(0.3)
    size = mark.stat().st_size if mark.exists() else 0
    time.sleep(0.3)
    assert (mark.stat().st_size if mark.exists() else 0) == size


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interruption_ends_the_tools_and_leaves_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    code = f"import time\nwhile True:\n    open({str(mark)!r}, 'a').write('x')\n    time.sleep(0.05)"
    command = [sys.executable, "-m", "wsyncsim", "suite", "run", "--cmd", _tool(tmp_path, code), "--only", "y_server_plain"]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(cli.__file__).parents[1])}
    running = subprocess.Popen([*command, "--timeout", "60"], env=environment, stderr=subprocess.PIPE, text=True)
    began = time.monotonic()
    while not mark.exists() and time.monotonic() - began < 60:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=30)
    assert (running.returncode, "interrupted" in told) == (2, True), told
    size = mark.stat().st_size
    time.sleep(0.3)
    assert mark.stat().st_size == size
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alive", "tool.py"]


def test_a_tool_that_prints_without_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsyncsim.suite.tool.MAX_OUTPUT", 100_000)
    ran = run_tool(parse_command(_tool(tmp_path, "while True: print('x' * 1000)")), tmp_path / "x.log", 30)
    assert ran.ended_because == "output"
    assert len(ran.out) == 100_000


def test_a_tool_gets_the_path_as_one_argument_and_no_shell(tmp_path: Path) -> None:
    folder = tmp_path / "a b; $(x) 'q'" if os.name != "nt" else tmp_path / "a b; $(x)"
    folder.mkdir()
    ran = run_tool(parse_command(_tool(tmp_path, "import sys; print(sys.argv[1])")), folder / "x.log", 30)
    assert ran.out.decode().strip() == str(folder / "x.log")


def test_the_end_of_a_tool_that_raises_is_told(tmp_path: Path) -> None:
    ran = run_tool(parse_command(_tool(tmp_path, RAISES)), tmp_path / "x.log", 30)
    assert (ran.exit_code, "what is this?" in ran.error_tail) == (1, True)


@pytest.mark.parametrize("command", ["python", "", "python 'x {file}", "no-such-program {file}"])
def test_mistakes_in_a_command_are_told(command: str) -> None:
    with pytest.raises(CommandError):
        parse_command(command)


def test_a_report_holds_every_case() -> None:
    scored = _scored(lambda record: record, "y_server_plain", "i_server_double_sign")
    made = report(scored, "tool {file}")
    assert [case["id"] for case in made["cases"]] == ["y_server_plain", "i_server_double_sign"]
    assert made["formats"]["server"]["frame"]["total"] == 1
    assert made["formats"]["w3c"]["frame"]["total"] == 0
