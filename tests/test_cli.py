"""The command: what it prints and writes, its exit codes, and that mistakes and interruptions leave nothing behind."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import string
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

import scenarios.prove
import simulator.events
import simulator.failures
import wsyncsim
from generators.log import Folder
from generators.truth_record import read
from scenarios.chronicle import Kind
from scenarios.faults import FAULTS
from scenarios.prove import Proof
from wsyncsim import cli
from wsyncsim.words import _texts, event_words

ROOT = Path(wsyncsim.__file__).parents[1]


class Result:
    """What a command printed, and its exit code."""

    def __init__(self, code: object, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err


class Command:
    """Calls the command in this process, in a folder of its own."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> Result:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        printed = self._capsys.readouterr()
        return Result(ended.value.code, printed.out, printed.err)

    def fine(self, *arguments: str | Path) -> Result:
        """A call that must succeed."""
        result = self(*arguments)
        assert result.code == 0, result.err
        return result

    def mistake(self, *arguments: str | Path) -> str:
        """What a call that must be refused says; it prints nothing else and shows no traceback."""
        result = self(*arguments)
        assert result.code == 2
        assert result.out == ""
        assert "Traceback" not in result.err
        return result.err


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WSYNCSIM_LANGUAGE", raising=False)
    before = signal.getsignal(signal.SIGTERM)
    yield Command(capsys)
    signal.signal(signal.SIGTERM, before)


def _process(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.Popen[str]:
    """The command as a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **environment}
    command = [sys.executable, "-m", "wsyncsim", *map(str, arguments)]
    return subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    return manifest


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- help


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, contextlib; from wsyncsim.cli import main\n"
        "with contextlib.suppress(SystemExit): main(['--help'])\n"
        "print(*sorted({'simpy', 'jinja2', 'msgspec', 'rich', 'faker', 'tzdata'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.stderr.strip() == ""
    assert "wsyncsim run S19" in done.stdout


@pytest.mark.parametrize("name", ["list", "show", "run", "prove", "explain", "timeline", "look", "live", "schema"])
def test_every_command_has_help(command: Command, name: str) -> None:
    assert name in command.fine("--help").out
    assert "Usage:" in command.fine(name, "--help").out


def test_the_version_is_the_package_s(command: Command) -> None:
    assert command.fine("--version").out == f"wsyncsim {wsyncsim.__version__}\n"


# --- list, show, schema


def test_list_names_everything_in_both_languages(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    english, german = command.fine("list").out, command.fine("list", "--language", "de").out
    for name in ("healthy", "two-faces", "S19", "R02", "contoso-child"):
        assert name in english
        assert name in german
    assert "World Wide Web Publishing Service stopped" in english
    assert "WWW-Publishingdienst beendet" in german
    monkeypatch.setenv("WSYNCSIM_LANGUAGE", "de")
    assert command.fine("list").out == german


def test_piped_tables_are_not_folded(command: Command) -> None:
    assert any(
        "Anonymous access disabled on DssAuthWebService of the parent's WSUS" in line
        for line in command.fine("list").out.splitlines()
    )


def test_show_tells_what_happens_when(command: Command) -> None:
    assert "+1:55  CS1  S19  World Wide Web Publishing Service stopped" in command.fine("show", "S19").out
    assert "+1:55  CS1  S19  WWW-Publishingdienst beendet" in command.fine("show", "s19", "-l", "de").out


def test_show_writes_a_file_that_plays_the_same(command: Command, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(command.fine("show", "S21", "--toml").out, encoding="utf-8")
    command.fine("run", "S21")
    command.fine("run", "own.toml")
    logs = [
        {path: data for path, data in _files(tmp_path / name).items() if path.startswith("logs/")} for name in ("S21-1", "own-1")
    ]
    assert logs[0] == logs[1]


def test_schema_is_json(command: Command) -> None:
    assert json.loads(command.fine("schema").out)["title"] == "wsyncsim story"


# --- run


def test_run_writes_logs_truth_and_manifest(command: Command, tmp_path: Path) -> None:
    result = command.fine("run", "S19", "--seed", "3")
    assert result.out == "S19-3\n"
    out = tmp_path / "S19-3"
    assert sorted(path.name for path in out.iterdir()) == ["logs", "manifest.json", "truth"]
    assert [path.name for path in tmp_path.iterdir()] == ["S19-3"]
    files, manifest = _files(out), _manifest(out)
    assert set(files) == {"manifest.json", *manifest["files"]}
    for name, facts in manifest["files"].items():
        assert facts["bytes"] == len(files[name])
        assert facts["sha256"] == hashlib.sha256(files[name]).hexdigest()
    assert (manifest["seed"], manifest["generation"], manifest["wsyncsim"]) == (3, "cb", wsyncsim.__version__)
    story = tomllib.loads(files["truth/story.toml"].decode())
    assert story["seed"] == 3
    assert manifest["story_sha256"] == hashlib.sha256(files["truth/story.toml"]).hexdigest()


def test_every_truth_record_points_at_its_bytes(command: Command, tmp_path: Path) -> None:
    command.fine("run", "S16", "--os-language", "de")
    files = _files(tmp_path / "S16-1")
    records = [record for path, data in files.items() if path.startswith("truth/records/") for record in read(data)]
    assert any(record.faults == ["S16"] for record in records)
    for record in records:
        log = files[record.file]
        assert log[: record.byte_start].count(b"\n") == record.line - 1
        assert log[record.byte_end : record.byte_end + 2].startswith((b"\r\n", b"\n"))


def test_run_tells_what_happened_in_about_ten_lines(command: Command) -> None:
    lines = command.fine("run", "S19").err.splitlines()
    assert 5 <= len(lines) <= 13
    assert lines[0].startswith("S19: World Wide Web Publishing Service stopped (cb, en, seed 1)")
    assert "07:55:00" in lines[1]
    assert any("synchronization fails" in line for line in lines)
    assert any("synchronization succeeds" in line for line in lines)
    assert not any("\x1b" in line for line in lines)


def test_run_speaks_german(command: Command) -> None:
    talk = command.fine("run", "S19", "--language", "de").err
    assert "Synchronisierung scheitert" in talk
    assert "synchronization" not in talk


def test_run_of_a_healthy_day_is_short(command: Command, tmp_path: Path) -> None:
    command.fine("run", "healthy", "--no-truth")
    assert not (tmp_path / "healthy-1" / "truth").exists()


def test_options_replace_what_the_story_says(command: Command, tmp_path: Path) -> None:
    options = {"generation": "2012", "os-language": "de", "timezone": "America/Chicago", "start": "2026-05-04T06:00", "hours": "6"}
    command.fine(
        "run", "two-faces", "--out", "deep/down", *(part for name, value in options.items() for part in (f"--{name}", value))
    )
    manifest = _manifest(tmp_path / "deep" / "down")
    assert manifest["hours"] == 6
    assert manifest["start_utc"] == "2026-05-04T11:00:00.000Z"
    assert (manifest["generation"], manifest["os_language"]) == ("2012", "de")


def test_a_file_is_played_from_anywhere(command: Command, tmp_path: Path) -> None:
    (tmp_path / "ohne Störung.toml").write_text('title.en = "Quiet"\ntitle.de = "Ruhig"\nhours = 1\n', encoding="utf-8")
    assert command.fine("run", tmp_path / "ohne Störung.toml", "--out", tmp_path / "x").out.strip() == "x"


def test_the_same_bytes_everywhere(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for number, folder in enumerate(folders):
        folder.mkdir()
        process = _process("run", "S21", "--out", "x", cwd=folder, PYTHONHASHSEED=str(number))
        assert process.communicate()[1]
        assert process.returncode == 0
    assert _files(folders[0]) == _files(folders[1])


# --- output folders


def test_existing_output_is_kept_without_force(command: Command, tmp_path: Path) -> None:
    command.fine("run", "healthy", "--hours", "1")
    before = _files(tmp_path)
    assert "--force" in command.mistake("run", "healthy", "--hours", "2")
    assert _files(tmp_path) == before
    command.fine("run", "healthy", "--hours", "2", "--force")
    assert _manifest(tmp_path / "healthy-1")["hours"] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["healthy-1"]


def test_an_empty_folder_may_be_there(command: Command, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    command.fine("run", "healthy", "--hours", "1", "--out", "x")


def test_foreign_folders_are_never_replaced(command: Command, tmp_path: Path) -> None:
    foreign = tmp_path / "photos"
    foreign.mkdir()
    for content in (b"not ours", b"{}", b'{"schema": "other/1", "files": {}}'):
        (foreign / "manifest.json").write_bytes(content)
        assert "not the output of an earlier run" in command.mistake("run", "healthy", "--out", foreign, "--force")
    assert [path.name for path in foreign.iterdir()] == ["manifest.json"]
    (tmp_path / "file").write_text("a file")
    command.mistake("run", "healthy", "--out", "file", "--force")
    assert (tmp_path / "file").read_text() == "a file"


def test_what_somebody_put_into_an_output_folder_is_never_lost(command: Command, tmp_path: Path) -> None:
    command.fine("run", "healthy", "--hours", "1")
    (tmp_path / "healthy-1" / "logs" / "my notes.txt").write_text("mine")
    assert "my notes.txt" in command.mistake("run", "healthy", "--force")
    assert (tmp_path / "healthy-1" / "logs" / "my notes.txt").read_text() == "mine"


def test_a_place_that_cannot_be_written(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    assert "cannot be written" in command.mistake("run", "healthy", "--out", "file/x")


@pytest.mark.parametrize("force", [False, True])
def test_a_full_disk_leaves_nothing_behind(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, force: bool) -> None:
    if force:
        command.fine("run", "healthy", "--hours", "1")
    before = _files(tmp_path)

    def full(_self: Folder, path: str, _data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    monkeypatch.setattr(Folder, "append", full)
    assert os.strerror(errno.ENOSPC) in command.mistake("run", "healthy", *(["--force"] if force else []))
    assert _files(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == len({name.split("/")[0] for name in before})


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send these signals to a process")
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 2), ("SIGTERM", 2)])
def test_an_interrupted_run_leaves_nothing_behind(tmp_path: Path, name: str, code: int) -> None:
    process = _process("run", "healthy", "--hours", "40000", cwd=tmp_path)
    deadline = time.monotonic() + 30
    while not any(tmp_path.glob(".healthy-1-*.unfinished/logs")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(getattr(signal, name))
    out, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert err.strip() == "wsyncsim: interrupted; nothing was left behind"
    assert out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for the processes of the command")
@pytest.mark.parametrize("after_s", [0.3, 1.5])
def test_ctrl_c_on_a_terminal_ends_the_matrix_and_its_processes_quietly(tmp_path: Path, after_s: float) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "wsyncsim", "matrix", "S", "--jobs", "2", "--out", "matrix.txt"]
    process = subprocess.Popen(command, cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True, start_new_session=True)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 30
    while len(children.read_text(encoding="ascii").split()) < 3:  # two and what looks after their resources
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(after_s)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)  # comes to an end only when no process holds the pipe any more
    assert process.returncode == 2
    assert err.strip() == "wsyncsim: interrupted; nothing was left behind"
    assert list(tmp_path.iterdir()) == []


INTERRUPTED_IMPORT = """
import os, runpy, signal, sys

class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupts())
sys.argv = ["wsyncsim", "--version"]
runpy.run_module("wsyncsim", run_name="__main__")
"""


@pytest.mark.parametrize("module", ["click", "wsyncsim.cli", "wsyncsim.commands_suite", "simulator.errors"])
def test_ctrl_c_while_the_program_is_loaded_is_as_quiet_as_later(tmp_path: Path, module: str) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    code = INTERRUPTED_IMPORT.format(module=module)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "wsyncsim: interrupted; nothing was left behind\n"
    assert done.stdout == ""


def test_the_installed_command_begins_where_ctrl_c_is_heeded() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["scripts"] == {"wsyncsim": "wsyncsim.__main__:main"}


def test_a_reader_that_goes_away_is_no_mistake(tmp_path: Path) -> None:
    process = _process("schema", cwd=tmp_path)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(30) in (0, 1)
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()


# --- mistakes


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "helthy"), "Did you mean 'healthy'?"),
        (("run", "S91"), "Did you mean 'S19'?"),
        (("show", "nowhere.toml"), "no such file"),
        (("run", "S18", "--generation", "cb"), "S18 does not exist in generation cb"),
        (("run", "healthy", "--timezone", "Mars/Olympus"), "--timezone: there is no time zone 'Mars/Olympus'"),
        (("run", "healthy", "--start", "yesterday"), "--start: expected a local date and time"),
        (("run", "S19", "--hours", "1"), "--hours: 1 hours end before the first fault"),
        (("run", "healthy", "--hours", "0"), "1<=x"),
        (("run", "healthy", "--seed", "-1"), "0<=x"),
        (("run", "healthy", "--generation", "2022"), "'2022' is not one of"),
        (("list", "--language", "fr"), "not one of 'en', 'de'"),
        (("prove", "S91"), "Did you mean 'S19'?"),
        (("prove", "healthy"), "fault ids such as S19"),
        (("prove", "S18", "--generation", "cb"), "none of these faults exists in that generation"),
        (("explain", "nowhere"), "not the folder of a run"),
        (("fly",), "No such command"),
    ],
)
def test_mistakes_are_told_and_end_with_two(command: Command, tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    assert says in command.mistake(*arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_broken_file_is_told_with_its_line(command: Command, tmp_path: Path) -> None:
    text = 'title.en = "A"\ntitle.de = "B"\n\n[[timeline]]\nat = "1h"\nfault = "M99"\n'
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    says = command.mistake("run", "mine.toml")
    assert says.startswith("wsyncsim: mine.toml, line 6, timeline[0].fault: there is no fault 'M99'\n  Did you mean 'M29'?")


# --- explain


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two finished runs, one of them without truth."""
    folder = tmp_path_factory.mktemp("runs")
    wsyncsim.play("S21", folder / "S21")
    wsyncsim.play("healthy", folder / "blind", hours=1, truth=False)
    return folder


def _line_of(folder: Path, host: str, text: str) -> int:
    """Number of the first line of a host's wsyncmgr.log that contains ``text``."""
    log = next((folder / "logs" / host).rglob("wsyncmgr.log"))
    return next(number for number, line in enumerate(log.read_text(encoding="utf-8-sig").splitlines(), 1) if text in line)


def test_explain_tells_a_run(command: Command, runs: Path) -> None:
    told = command.fine("explain", runs / "S21").out
    for part in ("Root causes", "S21", "CS1SUP/DssAuthWebService", "2026-03-02 07:55:00", "R23", "PS1-0001", "failed", "succeeded"):
        assert part in told


def test_explain_tells_a_run_that_was_cut_off_from_one_that_is_under_way(command: Command, tmp_path: Path) -> None:
    story = tmp_path / "story.toml"
    steps = "".join(f'[[timeline]]\nat = "{at}"\nrepair = "{id}"\n' for at, id in (("2h1m", "X10"), ("2h59m", "R10")))
    text = f'title.en = "Cut off"\ntitle.de = "Abgebrochen"\nhours = 3\n{steps}'
    story.write_text(text, encoding="utf-8")
    command.fine("run", story, "--out", "cut-off")
    told = command.fine("explain", "cut-off").out
    assert "CS1-0001, 2026-03-02 08:00:00, schedule: cut off" in told
    assert "started by hand: still under way at the end" in told


def test_explain_tells_a_run_in_german(command: Command, runs: Path) -> None:
    told = command.fine("explain", runs / "S21", "-l", "de").out
    for part in ("Ursachen", "Anonymer Zugriff auf DssAuthWebService", "gescheitert", "gelungen", "Es fehlt"):
        assert part in told


@pytest.mark.parametrize(("language", "because"), [("en", "because"), ("de", "denn")])
def test_explain_follows_a_line_to_its_fault(command: Command, runs: Path, language: str, because: str) -> None:
    number = _line_of(runs / "S21", "PS1SITE", "Sync failed")
    told = command.fine("explain", runs / "S21", f"PS1SITE/wsyncmgr.log:{number}", "-l", language).out.splitlines()
    assert "Sync failed" in told[1]
    chain = [line for line in told if line.strip().startswith(because)]
    assert len(chain) >= 2
    assert "CS1SUP/DssAuthWebService" in chain[-1]
    assert told[-1].startswith("S21 ")


def test_explain_says_when_a_line_is_healthy(command: Command, runs: Path) -> None:
    assert "follows from no fault" in command.fine("explain", runs / "S21", "CS1SITE/wsyncmgr.log:1").out


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("wsyncmgr.log:3", "Say which: CS1SITE/"),
        ("PS1SITE/nothing.log:3", "It has: CS1SITE/"),
        ("CS1SITE/wsyncmgr.log:999999", "no record at line 999999"),
        ("wsyncmgr.log", "not LOG:LINE"),
    ],
)
def test_explain_answers_mistakes(command: Command, runs: Path, place: str, says: str) -> None:
    assert says in command.mistake("explain", runs / "S21", place)


def test_explain_needs_the_truth(command: Command, runs: Path) -> None:
    assert "no answer key" in command.mistake("explain", runs / "blind")


def test_explain_has_words_for_every_abnormal_entry(runs: Path) -> None:
    for line in (runs / "S21" / "truth" / "entries.jsonl").read_bytes().splitlines():
        for language in ("en", "de"):
            assert event_words(json.loads(line)["event"], language)


# --- prove


def test_prove_prints_a_table(command: Command) -> None:
    result = command.fine("prove", "s19", "--generation", "cb", "--seeds", "1")
    assert "S19" in result.out
    assert "proven" in result.out
    proof = json.loads(command.fine("prove", "S19", "--generation", "2007", "--seeds", "1", "--json").out)
    assert (proof["fault"], proof["generation"], proof["seed"], proof["problems"]) == ("S19", "2007", 1, [])


def test_prove_takes_a_family(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def proofs(ids: list[str], generations: Any, seeds: Any) -> Iterator[Proof]:
        asked.append(ids)
        return iter([Proof("S19", "cb", 1)])

    monkeypatch.setattr(scenarios.prove, "prove", proofs)
    command.fine("prove", "s", "S19", "M01")
    assert asked == [[*(id for id in FAULTS if id.startswith("S")), "M01"]]


def test_a_failed_proof_ends_with_one(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    refuted = Proof("S19", "cb", 1, problems=["no synchronization failed"])
    monkeypatch.setattr(scenarios.prove, "prove", lambda ids, generations, seeds: iter([refuted]))
    result = command("prove", "S19")
    assert result.code == 1
    assert "REFUTED" in result.out
    assert "no synchronization failed" in result.out


# --- invented names


def test_an_estate_can_be_given_invented_names(command: Command, tmp_path: Path) -> None:
    for out in ("one", "two"):
        command.fine("run", "M01", "--estate-seed", "5", "--out", out)
    manifest = _manifest(tmp_path / "one")
    assert manifest == _manifest(tmp_path / "two")
    assert manifest["decorated"]["estate_seed"] == 5
    assert manifest["decorated"]["faker"]
    assert manifest["estate"]["domain"] != "contoso.com"
    assert not any(b"contoso.com" in data.lower() for data in _files(tmp_path / "one").values())


def test_without_faker_it_is_said_how_to_get_it(command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "faker", None)
    assert "pip install faker" in command.mistake("run", "healthy", "--estate-seed", "5")
    assert list(tmp_path.iterdir()) == []


# --- the package


def test_a_folder_that_hides_ours_is_named(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "__init__.py").write_text("")
    process = _process("--version", cwd=tmp_path)
    _, err = process.communicate()
    assert process.returncode != 0
    assert str(tmp_path / "scenarios") in err
    assert "python -P -m pytest" in err


def test_importing_the_package_is_light() -> None:
    code = "import sys, wsyncsim; print(*sorted({'simpy', 'jinja2', 'msgspec', 'click', 'simulator'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_play_returns_what_it_wrote(tmp_path: Path) -> None:
    outcome = wsyncsim.play("S19", tmp_path / "x", seed=2, generation="2007", os_language="de")
    assert outcome.out == tmp_path / "x"
    assert outcome.manifest == _manifest(tmp_path / "x")
    assert outcome.answer is not None
    assert [cause["entity"] for cause in outcome.answer["root_causes"]] == ["CS1SUP/W3SVC"]
    assert (outcome.manifest["seed"], outcome.manifest["generation"]) == (2, "2007")


# --- words


def _named_tuples(module: Any) -> dict[str, type[Any]]:
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, tuple) and value.__module__ == module.__name__
    }


EVENTS = {name: kind for name, kind in _named_tuples(simulator.events).items() if name not in ("Source", "Served")}
REASONS = {name: kind for name, kind in _named_tuples(simulator.failures).items() if name != "UpstreamTrouble"}


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _literals(hint: Any) -> Iterator[str]:
    if get_origin(hint) is Literal:
        yield from (value for value in get_args(hint) if isinstance(value, str))
    for part in get_args(hint):
        yield from _literals(part)


def test_words_use_the_same_names_in_both_languages() -> None:
    for group, table in _texts().items():
        for name, text in table.items():
            assert text.en, f"{group}.{name}"
            assert text.de, f"{group}.{name}"
            assert _placeholders(text.en) == _placeholders(text.de), f"{group}.{name}"


@pytest.mark.parametrize(("group", "kinds"), [("events", EVENTS), ("reasons", REASONS)], ids=["events", "reasons"])
def test_there_are_words_for_everything_that_happens(group: str, kinds: Mapping[str, type[Any]]) -> None:
    table = _texts()[group]
    assert set(table) == set(kinds)
    for name, kind in kinds.items():
        hints = get_type_hints(kind)
        used = _placeholders(table[name].en)
        assert used <= set(hints), name
        lower_case = {value for field in used for value in _literals(hints[field]) if value[0].islower()}
        assert lower_case <= set(_texts()["values"]), name


def test_there_are_words_for_sources_and_for_the_chronicle() -> None:
    assert set(_texts()["sources"]) == set(get_args(get_type_hints(simulator.events.Source)["method"]))
    assert set(get_args(Kind)) <= set(_texts()["chronicle"])


def test_every_value_of_a_fault_has_words_in_german() -> None:
    values = tomllib.loads((ROOT / "wsyncsim" / "words.toml").read_text(encoding="utf-8"))["values"]
    for fault in FAULTS.values():
        assert {fault.healthy, fault.faulty} <= set(values), fault.id


def test_a_folder_that_appears_while_it_plays_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import scenarios.run

    real = scenarios.run._play_into
    target = tmp_path / "run"

    def slow(*arguments: Any, **options: Any) -> Any:
        outcome = real(*arguments, **options)
        target.mkdir()
        (target / "thesis.txt").write_text("precious", encoding="utf-8")
        return outcome

    monkeypatch.setattr(scenarios.run, "_play_into", slow)
    with pytest.raises(scenarios.run.OutputError, match="exists already"):
        wsyncsim.play("S19", target)
    assert [path.name for path in tmp_path.rglob("*")] == ["run", "thesis.txt"]


def test_an_empty_folder_is_filled_and_stays_the_same(tmp_path: Path) -> None:
    target = tmp_path / "run"
    target.mkdir()
    before = target.stat().st_ino
    wsyncsim.play("S19", target)
    assert target.stat().st_ino == before
    assert (target / "manifest.json").is_file()


@pytest.mark.parametrize("generation", ["2007", "2012", "cb"])
def test_every_template_of_a_run_can_be_explained(tmp_path: Path, generation: str) -> None:
    from wsyncsim.explain import explain_line

    run = wsyncsim.play("S19", tmp_path / "run", generation=generation)
    for path in sorted((run.out / "truth" / "records").rglob("*.jsonl")):
        log = path.relative_to(run.out / "truth" / "records").as_posix().removesuffix(".jsonl")
        seen: set[str] = set()
        for record in read(path.read_bytes()):
            if record.template not in seen:
                seen.add(record.template)
                for language in ("en", "de"):
                    assert list(explain_line(run.out, f"{log}:{record.line}", language))
