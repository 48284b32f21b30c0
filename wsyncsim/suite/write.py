"""Writes the suite: a folder, or an archive that is the same to the byte on every machine."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from scenarios.whole import work_folder, write_whole
from simulator.errors import WsyncsimError
from wsyncsim._version import __version__
from wsyncsim.suite.case import SUITE_SCHEMA, SUITE_VERSION, Case
from wsyncsim.suite.handmade import handmade_cases
from wsyncsim.suite.runs import run_cases

INDEX: Final = "suite.json"
SCHEMAS: Final = ("suite.schema.json", "expected.schema.json", "record.schema.json")
ZIP_FOLDER: Final = f"wsyncsim-suite-{SUITE_VERSION}"
_ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)
_ABOUT: Final = """wsyncsim conformance suite {version}

Test data for parsers of WSUS and ConfigMgr logs. SYNTHETIC: no line comes from a real system.

suite.json                list of all cases: group, format, reason, evidence, SHA-256
<id>.log                  exact bytes
<id>.expected.json        what a parser should make of them
schemas/                  JSON Schemas of suite.json, of *.expected.json, and of a line that a tool prints

Groups: y_ must read; n_ must reject, or skip without damage to the records around; i_ implementation-defined, one of the
alternatives. UTC = local time + bias_min. Lines count from 1, bytes from 0; a line ends in CR LF or LF. Messages are compared
without blanks and tildes at both ends, line breaks inside them as LF; times to the millisecond. A key that an expectation
does not have is not compared. A file may be copied: its name has no meaning.
MIT licensed, as wsyncsim.
"""
Progress = Callable[[float], None]


class SuiteError(WsyncsimError):
    """The suite cannot be written or read."""


def all_cases(progress: Progress = lambda _share: None) -> Iterator[Case]:
    """Hand-made cases, then those of simulated runs."""
    yield from handmade_cases()
    yield from run_cases(progress)


def suite_files(cases: Iterable[Case]) -> Iterator[tuple[str, bytes]]:
    """Every file of the suite by its relative path: the index, cases, schemas."""
    index: dict[str, Any] = {"schema": SUITE_SCHEMA, "version": SUITE_VERSION, "wsyncsim": __version__, "cases": []}
    for case in cases:
        index["cases"].append(case.entry())
        yield f"{case.id}.log", case.data
        yield f"{case.id}.expected.json", expected_json(case.expected)
    yield INDEX, json_text(index, "cases")
    yield "README.txt", _ABOUT.format(version=SUITE_VERSION).encode()
    for name in SCHEMAS:
        yield f"schemas/{name}", schema_text(name)


def schema_text(name: str) -> bytes:
    """One of ``SCHEMAS``."""
    return files("wsyncsim.suite").joinpath("schemas", name).read_bytes().replace(b"\r\n", b"\n")


def expected_json(expected: dict[str, Any]) -> bytes:
    """An ``.expected.json``: a record a line."""
    for key in ("records", "alternatives"):
        if key in expected:
            return json_text(expected, key)
    raise AssertionError


def json_text(value: dict[str, Any], key: str) -> bytes:
    """JSON in UTF-8 with an item of ``value[key]`` on each line."""
    empty = json.dumps({**value, key: []}, ensure_ascii=False, indent=2)
    items = ",\n".join(f"    {json.dumps(item, ensure_ascii=False)}" for item in value[key])
    filled = f'"{key}": [\n{items}\n  ]' if items else f'"{key}": []'
    return (empty.replace(f'"{key}": []', filled, 1) + "\n").encode()


def write_folder(out: Path, *, force: bool = False, progress: Progress = lambda _share: None) -> int:
    """Write the suite into a folder that appears when it is complete; returns the number of cases. Raises ``SuiteError``.

    An existing folder is replaced with ``force`` if it is an earlier suite and holds nothing else.
    """
    out = Path(os.path.abspath(out))  # noqa: PTH100 - a link stays the folder that was meant
    work = None
    try:
        _check(out, force=force)
        out.parent.mkdir(parents=True, exist_ok=True)
        work = work_folder(out)
        (work / "schemas").mkdir()
        cases = list(all_cases(progress))
        for path, data in suite_files(cases):
            (work / path).write_bytes(data)
        _check(out, force=force)
        if out.exists():
            old = work.with_suffix(".old")
            out.replace(old)
            try:
                work.replace(out)
            except BaseException:
                if not out.exists():
                    old.replace(out)
                raise
            shutil.rmtree(old, ignore_errors=True)
        else:
            work.replace(out)
    except OSError as error:
        raise SuiteError(f"cannot be written: {error.strerror or error}", where=str(out)) from None
    finally:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)
    return len(cases)


def _check(out: Path, *, force: bool) -> None:
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not force:
        raise SuiteError("it exists already", where=str(out), hint="Choose another place, or replace it with --force")
    hint = "Choose another place"
    try:
        index = json.loads((out / INDEX).read_bytes())
        ours = index["schema"] == SUITE_SCHEMA
        known = {INDEX, "README.txt", *(f"schemas/{name}" for name in SCHEMAS)}
        known |= {case[key] for case in index["cases"] for key in ("file", "expected")}
    except (OSError, ValueError, TypeError, KeyError):
        ours = False
    if not ours:
        raise SuiteError("it is not an earlier suite, so it is not replaced", where=str(out), hint=hint)
    found = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if not path.is_dir())
    others = [path for path in found if path not in known]
    if others:
        told = ", ".join(others[:3])
        raise SuiteError(f"it holds files that are not the suite's, so it is not replaced: {told}", where=str(out), hint=hint)


def zip_bytes(progress: Progress = lambda _share: None) -> tuple[bytes, int]:
    """The suite as an archive, and the number of cases.

    Nothing in it depends on the machine: names in order, one date, stored without compression (which differs between
    versions of zlib).
    """
    cases = list(all_cases(progress))
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, data in sorted(suite_files(cases)):
            info = zipfile.ZipInfo(f"{ZIP_FOLDER}/{path}", _ZIP_DATE)
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            archive.writestr(info, data)
    return buffer.getvalue(), len(cases)


def write_zip(file: Path, *, force: bool = False, progress: Progress = lambda _share: None) -> tuple[Path, int]:
    """Write the archive; returns where it is and the number of cases. In a folder it is named by its version.

    An existing file is replaced only with ``force``. Raises ``SuiteError``.
    """
    if file.is_dir():
        file /= f"{ZIP_FOLDER}.zip"
    if file.exists() and not force:
        raise SuiteError("it exists already", where=str(file), hint="Choose another name, or replace it with --force")
    data, cases = zip_bytes(progress)
    try:
        write_whole(file, data)
    except OSError as error:
        raise SuiteError(f"cannot be written: {error.strerror or error}", where=str(file)) from None
    return file, cases


def load_folder(folder: Path) -> list[Case]:
    """The cases of a suite on disk. Raises ``SuiteError`` for what is missing or changed."""
    try:
        index = json.loads((folder / INDEX).read_bytes())
        if index["schema"] != SUITE_SCHEMA:
            raise SuiteError(f"its schema is {index['schema']!r}, not {SUITE_SCHEMA!r}", where=str(folder / INDEX))
        cases = [_load(folder, entry) for entry in index["cases"]]
    except FileNotFoundError as error:
        raise SuiteError(
            "there is no such file", where=str(error.filename), hint="`wsyncsim suite write DIR` writes a suite"
        ) from None
    except OSError as error:
        raise SuiteError(f"cannot be read: {error.strerror or error}", where=str(folder)) from None
    except (ValueError, TypeError, KeyError) as error:
        raise SuiteError(f"this is no suite: {error}", where=str(folder / INDEX)) from None
    return cases


def _load(folder: Path, entry: dict[str, Any]) -> Case:
    for key in ("file", "expected"):
        if Path(entry[key]).name != entry[key]:
            raise SuiteError(f"{entry[key]!r} is not the name of a file beside it", where=str(folder / INDEX))
    case = Case(
        id=entry["id"],
        format=entry["format"],
        encoding=entry["encoding"],
        why=entry["why"],
        evidence=entry["evidence"],
        tags=tuple(entry["tags"]),
        since=entry["since"],
        data=(folder / entry["file"]).read_bytes(),
        expected=json.loads((folder / entry["expected"]).read_bytes()),
        origin=entry["origin"],
    )
    if case.entry()["sha256"] != entry["sha256"]:
        raise SuiteError(
            "its bytes are not those of the suite",
            where=str(folder / entry["file"]),
            hint="A checkout may have changed line ends: mark *.log as binary, or write the suite anew",
        )
    return case
