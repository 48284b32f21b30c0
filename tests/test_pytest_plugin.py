"""The pytest plugin: its fixtures and options in projects of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import wsyncsim
from wsyncsim.played import NoSuchLogError, Played

pytest_plugins = ["pytester"]

ROOT = Path(wsyncsim.__file__).parents[1]
EXAMPLE = ROOT / "examples" / "pytest_project"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A conformance suite of two cases."""
    folder = tmp_path / "suite"
    folder.mkdir()
    cases = []
    for id, form in (("y_one", "server"), ("n_two", "client")):
        facts = {"id": id, "group": id[0], "format": form, "file": f"{id}.log", "expected": f"{id}.expected.json"}
        cases.append(facts)
        (folder / f"{id}.log").write_bytes(id.encode())
        (folder / f"{id}.expected.json").write_text('{"records": []}', encoding="utf-8")
    (folder / "suite.json").write_text(json.dumps({"schema": "x/1", "version": "1", "cases": cases}), encoding="utf-8")
    return folder


def outcomes(pytester: pytest.Pytester, source: str, *arguments: str, **expected: int) -> pytest.RunResult:
    """Run one test file in a project of its own."""
    pytester.makepyfile(source)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:xdist", *arguments)
    result.assert_outcomes(**expected)
    return result


# --- the plugin as such


def test_help_shows_the_options(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("--help")
    result.stdout.fnmatch_lines(
        ["*--wsyncsim-generation=*", "*--wsyncsim-seed=N*", "*--wsyncsim-suite=DIR*", "*wsyncsim_generation (string):*"]
    )
    result = pytester.runpytest_inprocess("--markers")
    result.stdout.fnmatch_lines(["*wsyncsim_suite*"])
    result = pytester.runpytest_inprocess("--fixtures")
    result.stdout.fnmatch_lines(["live_site *", "play *"])


def test_nothing_heavy_is_imported_until_a_fixture_is_used(pytester: pytest.Pytester) -> None:
    source = """
        import sys

        def test_it():
            assert "wsyncsim.pytest_plugin" in sys.modules
            heavy = {"simpy", "jinja2", "msgspec", "rich", "click", "simulator", "generators", "scenarios"}
            assert not heavy & set(sys.modules)
    """
    pytester.makepyfile(source)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)


def test_a_project_with_a_package_of_our_names_is_left_in_peace(pytester: pytest.Pytester) -> None:
    pytester.mkpydir("scenarios")
    pytester.makepyfile("""
        def test_own():
            import scenarios

        def test_play(play):
            play("healthy")

        def test_live_site(live_site):
            live_site("healthy")
    """)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*'scenarios' is hidden by another one*"])


# --- play


def test_play_gives_logs_records_and_the_answer_key(pytester: pytest.Pytester) -> None:
    source = """
        def test_it(play):
            run = play("S19", seed=3, generation="2012", os_language="de")
            assert run.answer["root_causes"][0]["fault"] == "S19"
            assert run.manifest["seed"] == 3
            assert run.manifest["generation"] == "2012"
            assert run.manifest["os_language"] == "de"
            assert {"wsyncmgr.log", "WCM.log"} <= {path.name for path in run.logs}
            assert any(each["outcome"] == "failed" for each in run.runs)
            records = run.records("wsyncmgr.log")
            assert len(records) > 20
            for record in records:
                assert record.raw.decode() == record.text
                assert record.truth.component in record.text
                assert str(record.truth.thread) in record.text
            assert any(record.truth.faults == ["S19"] for record in records)
            assert run.log("wsyncmgr.log").read_bytes().count(records[0].raw) >= 1
            assert (run.truth / "answer.json").is_file()
    """
    outcomes(pytester, source, passed=1)


def test_the_same_arguments_are_played_once(pytester: pytest.Pytester) -> None:
    source = """
        runs = []

        def test_one(play):
            runs.append(play("healthy", hours=2))

        def test_two(play):
            assert play("healthy", hours=2) is runs[0]
            assert play("healthy", hours=2, seed=9) is not runs[0]
            assert play("healthy", hours=2, seed=9).manifest["seed"] == 9
    """
    outcomes(pytester, source, passed=2)


SEED_AND_GENERATION = """
    def test_it(play):
        run = play("healthy", hours=2)
        assert (run.manifest["seed"], run.manifest["generation"]) == {expected}
        assert play("healthy", hours=2, seed=1).manifest["seed"] == 1
"""


def test_settings_of_the_project_apply_where_a_test_says_nothing(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nwsyncsim_seed = 11\nwsyncsim_generation = 2007\n")
    outcomes(pytester, SEED_AND_GENERATION.format(expected='(11, "2007")'), passed=1)


def test_the_command_line_goes_before_the_project(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nwsyncsim_seed = 11\nwsyncsim_generation = 2007\n")
    options = ("--wsyncsim-seed=12", "--wsyncsim-generation=2012")
    outcomes(pytester, SEED_AND_GENERATION.format(expected='(12, "2012")'), *options, passed=1)


@pytest.mark.parametrize("line", ["wsyncsim_generation = 2011", "wsyncsim_seed = many"])
def test_settings_that_mean_nothing_are_refused(line: str, pytester: pytest.Pytester) -> None:
    pytester.makeini(f"[pytest]\n{line}\n")
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*wsyncsim_*: expected*"])


def test_a_log_that_is_not_there_or_not_the_only_one_is_told(tmp_path: Path) -> None:
    run = Played(wsyncsim.play("S21", tmp_path / "run").out)
    with pytest.raises(NoSuchLogError, match="no such log"):
        run.log("nothing.log")
    with pytest.raises(NoSuchLogError, match="Name the host: CS1SITE, PS1SITE"):
        run.log("WCM.log")
    assert "CS1SITE" in run.log("WCM.log", host="CS1SITE").parts
    assert run.records("WCM.log", host="PS1SITE")


# --- live_site


def test_a_live_site_runs_beside_the_test_and_ends_with_it(pytester: pytest.Pytester) -> None:
    source = """
        import threading

        def test_it(live_site):
            site = live_site("S16", speed=20_000, max_bytes=10_000)
            site.wait(records=20)
            assert site.running
            assert site.status.records >= 20
            assert any(path.suffix == ".log" for path in site.logs.rglob("*"))
            assert not site.truth_path.is_relative_to(site.logs)

        def test_after():
            assert not [thread for thread in threading.enumerate() if thread.name == "wsyncsim live"]

        def test_check(live_site):
            site = live_site("healthy", speed=None, hours=3)
            assert site.wait().state == "finished"
            assert site.check(site.logs).total.lost == 0
            lines = [line for path in site.logs.rglob("WCM.log") for line in path.read_text("utf-8").splitlines()]
            assert site.check(lines[1:], only=("WCM.log",)).total.lost == 1
    """
    outcomes(pytester, source, passed=3)


def test_a_live_site_tells_what_is_wrong(pytester: pytest.Pytester) -> None:
    source = """
        import pytest
        from simulator.errors import WsyncsimError

        def test_it(live_site):
            with pytest.raises(WsyncsimError, match="over after"):
                live_site("healthy", speed=None, hours=1).wait(records=100_000)
            with pytest.raises(WsyncsimError, match="not there"):
                live_site("healthy", speed=1).wait(records=100_000, timeout_s=0.1)
            with pytest.raises(WsyncsimError, match="no story"):
                live_site("S99")
    """
    outcomes(pytester, source, passed=1)


# --- suite_case

CASES = """
    import pytest

    def test_all(suite_case):
        assert suite_case.data.decode() == suite_case.id
        assert suite_case.expected == {"records": []}

    @pytest.mark.wsyncsim_suite(group="y", format="server")
    def test_some(suite_case):
        assert suite_case.group == "y"
        assert suite_case.format == "server"
"""


def test_one_test_per_case_of_a_suite(pytester: pytest.Pytester, suite: Path) -> None:
    result = outcomes(pytester, CASES, f"--wsyncsim-suite={suite}", "-v", passed=3)
    result.stdout.fnmatch_lines(["*test_all?y_one?*", "*test_all?n_two?*", "*test_some?y_one?*"])


def test_the_suite_s_folder_is_a_setting_too(pytester: pytest.Pytester, suite: Path) -> None:
    shutil.copytree(suite, pytester.path / "cases")
    pytester.makeini("[pytest]\nwsyncsim_suite = cases\n")
    outcomes(pytester, CASES, passed=3)


def test_the_packaged_suite_is_the_default(pytester: pytest.Pytester) -> None:
    pytest.importorskip("wsyncsim.suite.write", reason="this wsyncsim has no conformance suite")
    pytester.makepyfile("def test_it(suite_case): assert suite_case.data is not None and suite_case.expected")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:xdist", "-q")
    assert result.ret == 0
    assert result.parseoutcomes()["passed"] > 20


def test_a_broken_suite_is_told(pytester: pytest.Pytester, suite: Path) -> None:
    (suite / "suite.json").write_text("{}", encoding="utf-8")
    pytester.makepyfile(CASES)
    result = pytester.runpytest_inprocess(f"--wsyncsim-suite={suite}")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*holds no conformance suite*"])


def test_a_choice_without_cases_is_told(pytester: pytest.Pytester, suite: Path) -> None:
    pytester.makepyfile(CASES.replace('group="y"', 'group="q"'))
    result = pytester.runpytest_inprocess(f"--wsyncsim-suite={suite}")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*has no case with*"])


# --- what the page shows

READER = """
    import builtins
    import re
    from types import SimpleNamespace

    SERVER = re.compile(r"(.*?) *\\$\\$<[^<>]*><[^<>]*><thread=(\\d+) \\(0x[0-9A-F]+\\)>")
    WSUS = re.compile(r"[0-9-]{10} [0-9:.]{12} UTC\\t[^\\t]*\\t[^\\t]*\\t[^\\t]*\\t(.*)")

    def parse(data, encoding="utf-8"):
        if isinstance(data, str):
            return SimpleNamespace(message=SERVER.fullmatch(data)[1], thread=int(SERVER.fullmatch(data)[2]))
        text = data.decode(encoding, "replace").removeprefix("\\ufeff").rstrip("\\0")
        found = []
        for line in re.split("\\r?\\n", text):
            match = SERVER.fullmatch(line) or WSUS.fullmatch(line)
            if match:
                found.append(SimpleNamespace(message=match[1]))
            elif found and line.startswith("   "):
                found[-1].message += "\\n" + line
        return found

    def collected(logs):
        return [line for path in logs.rglob("WCM.lo*") for line in path.read_text("utf-8-sig").splitlines()]

    builtins.my_parser = SimpleNamespace(parse=parse)
    builtins.my_tool = SimpleNamespace(blames=lambda logs: "CS1SUP/W3SVC")
    builtins.my_shipper = SimpleNamespace(start=lambda logs: SimpleNamespace(collected=lambda: collected(logs)))
"""


def test_what_the_page_shows_works(pytester: pytest.Pytester, suite: Path) -> None:
    page = (ROOT / "docs" / "pytest.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    source = "import pytest\n" + "\n".join(blocks)
    pytester.makeconftest(READER)
    source = source.replace("speed=3600", "speed=None")
    # all records have to be there still, so no .lo_ may be replaced
    outcomes(pytester, source.replace("max_bytes=10_000", "max_bytes=90_000"), f"--wsyncsim-suite={suite}", passed=5)


# --- the example


def test_the_example_project_passes(tmp_path: Path, suite: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-W",
        "error",
        f"--wsyncsim-suite={suite}",
    ]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=tmp_path / "project", env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 passed" in done.stdout
