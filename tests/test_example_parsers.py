"""The parsers of ``examples/parsers``, where they are installed, have the defects that are told of them, and no others."""

from __future__ import annotations

import os
import shutil
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from wsyncsim.suite.fields import load_field_map
from wsyncsim.suite.handmade import handmade_cases
from wsyncsim.suite.play import Player
from wsyncsim.suite.score import CaseScore, Score, score
from wsyncsim.suite.tool import parse_command

FOLDER = Path(__file__).parents[1] / "examples" / "parsers"
PLASO_VARIABLE = "WSYNCSIM_PLASO_PYTHON"
"""A Python that has plaso, if the one that runs the tests has not."""


def _scored(python: str, name: str, *ids: str) -> Score:
    fields = load_field_map(FOLDER / f"{name}.toml")
    player = Player(parse_command(f'"{python}" "{FOLDER / f"{name}_reader.py"}" {{file}}'), fields, 120.0)
    wanted = [case for case in handmade_cases() if case.id in ids]
    assert len(wanted) == len(ids)
    return score(player.all(wanted, 2))


def _case(scored: Score, id_: str) -> CaseScore:
    return next(case for case in scored.cases if case.case.id == id_)


def test_regular_expressions_read_what_is_ordinary_and_no_more() -> None:
    ordinary = ("y_server_plain", "y_client_plain", "y_server_bias_berlin", "y_client_bias_signs")
    hard = ("y_client_multiline", "y_server_utf16le", "y_server_component_blanks", "y_server_2007_summer", "y_client_back_to_back")
    scored = _scored(sys.executable, "regex", *ordinary, *hard)
    assert scored.shares["robust"].percent == 100.0
    for id_ in ordinary:
        assert all(_case(scored, id_).levels.values()), (id_, _case(scored, id_).reasons)
    for id_ in hard:
        assert not _case(scored, id_).levels["frame"], id_


@cache
def _plaso_python() -> str | None:
    named = os.environ.get(PLASO_VARIABLE)
    return named or (sys.executable if find_spec("plaso") is not None else None)


def test_plaso_has_the_sign_wrong_cuts_components_and_does_not_know_the_server_form() -> None:
    python = _plaso_python()
    if python is None:
        pytest.skip(f"plaso is not installed ({PLASO_VARIABLE} may name a Python that has it)")
    scored = _scored(python, "plaso", "y_client_bias_west", "y_client_components", "y_server_plain", "y_w3c_iis10")
    west = _case(scored, "y_client_bias_west")
    assert west.levels == {"robust": True, "frame": True, "text": True, "local": True, "utc": False, "severity": False}
    assert "2020-02-08T07:13:11.522Z" in west.reasons["utc"]
    assert "2020-02-07T21:13:11.522" in west.reasons["utc"], "twice the bias too early"
    assert "component is 'SMS_MP_CONTROL_MANAGER', not 'SMS'" in _case(scored, "y_client_components").reasons["text"]
    assert "3 of 3 records missing" in _case(scored, "y_server_plain").reasons["frame"]
    assert _case(scored, "y_w3c_iis10").levels["utc"]


@pytest.mark.skipif(shutil.which("lnav") is None or os.name == "nt", reason="lnav is not installed")
def test_lnav_reads_the_server_form_in_local_time_only() -> None:
    ids = ("y_server_plain", "y_server_bias_berlin", "y_server_trailer_in_text", "y_server_dst_fall_back", "y_client_plain")
    scored = _scored(sys.executable, "lnav", *ids, "y_wsus_stack_trace")
    for id_ in ids[:3]:
        assert [_case(scored, id_).levels[level] for level in ("frame", "text", "local", "utc")] == [True, True, True, False], id_
    assert not _case(scored, "y_client_plain").levels["frame"]
    assert _case(scored, "y_wsus_stack_trace").levels["utc"]


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="PowerShell is not installed")
def test_the_powershell_function_reads_both_forms() -> None:
    command = f'pwsh -NoProfile -File "{FOLDER / "Read-CMLog.ps1"}" {{file}}'
    from wsyncsim.suite.fields import OWN_NAMES

    ids = {"y_server_plain", "y_client_plain", "y_client_multiline", "y_client_bias_signs", "y_server_statmsg_severity"}
    cases = [case for case in handmade_cases() if case.id in ids]
    scored = score(Player(parse_command(command), OWN_NAMES, 60.0).all(cases, 1))
    assert [case.reasons for case in scored.cases if case.reasons] == []


def test_every_parser_is_listed() -> None:
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")
    for path in FOLDER.iterdir():
        if path.suffix in (".py", ".toml", ".json", ".ps1"):
            assert f"`{path.name}`" in listed, path.name


def test_the_readers_say_how_they_are_called() -> None:
    for path in FOLDER.glob("*_reader.py"):
        source = path.read_text(encoding="utf-8")
        assert "wsyncsim suite run --cmd" in source
        assert compile(source, path.name, "exec")
