"""Cases that are files of simulated runs: bytes from the writers, expectations from the truth records and the catalogue.

The times are those of the journal, the text is the catalogue's with the record's parameters, and where it lies is what the
writer counted. No reader is asked.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from generators.compile import compile_texts
from generators.truth_record import TruthRecord
from generators.truth_record import read as read_truth
from generators.write import Recorder
from scenarios.catalogue import find
from scenarios.story import Changes, Story
from simulator.versions import version
from wsyncsim.suite.case import EXPECTED_SCHEMA, Case, record

_FORMATS: Final = (
    (re.compile(r"/(?:wsyncmgr|WCM|WSUSCtrl)\.lo[g_]$"), "server"),
    (re.compile(r"/SoftwareDistribution\.log$"), "wsus"),
    (re.compile(r"/(?:u_)?ex\d{6}\.log$"), "w3c"),
    (re.compile(r"/httperr1\.log$"), "httperr"),
)
_STATMSG: Final = {"statmsg_info": "info", "statmsg_warning": "warning", "statmsg_error": "error"}
_SINCE: Final = "1.0.0"


@dataclass(frozen=True, slots=True)
class RunFile:
    """A log of a simulated run, and what its records are."""

    path: str
    """Below the run's folder."""
    format: str
    encoding: str
    data: bytes
    records: tuple[dict[str, Any], ...]
    """As in ``.expected.json``."""

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


def run_files(story: Story) -> list[RunFile]:
    """Play a story in memory; its logs of the five formats that hold records, by path."""
    world = story.build()
    with Recorder(world.estate, world.version, None, os_language=story.os_language, truth=True) as recorder:
        recorder.record(world.simulate())
    texts = recorder.texts
    found = []
    for path, data in texts.items():
        kind = next((name for pattern, name in _FORMATS if path.startswith("logs/") and pattern.search(path)), None)
        truth = texts.get(f"truth/records/{path.removeprefix('logs/')}.jsonl", b"")
        if kind is not None and truth:
            encoding = world.version.log_encoding if kind == "server" else "utf-8"
            records = tuple(_expected(each, kind, story, encoding) for each in read_truth(truth))
            found.append(RunFile(path, kind, encoding, data, records))
    return found


def _expected(truth: TruthRecord, kind: str, story: Story, encoding: str) -> dict[str, Any]:
    catalogue, _, name = truth.template.partition(".")
    text = _text(catalogue, name, story.generation, story.os_language, truth.params).replace("\r\n", "\n")
    values: dict[str, Any] = {
        "line": truth.line,
        "line_end": truth.line_end or truth.line,
        "byte_start": truth.byte_start,
        "byte_end": truth.byte_end,
        "form": kind,
        "message": text.encode(encoding, "replace").decode(encoding),
        "time_utc": truth.ts_utc,
        "thread": truth.thread,
    }
    if kind == "server":
        values |= {
            "component": truth.component,
            "time_local": truth.ts_local,
            "bias_min": truth.bias_min,
            "severity": _STATMSG.get(name),
        }
    elif kind == "wsus":
        constants = _constants(catalogue, name)
        values |= {
            "component": constants["process"],
            "severity": truth.severity,
            "fields": {"level": constants["level"], "method": constants["method"]},
        }
    else:
        row = f"{truth.ts_utc[:10]} {truth.ts_utc[11:19]} {text}"
        names = _fields(catalogue, story.generation)
        values |= {
            "message": row,
            "time_utc": f"{truth.ts_utc[:19]}Z",
            "thread": None,
            "fields": dict(zip(names, row.split(" "), strict=True)),
        }
    return record(values)


def _text(catalogue: str, name: str, generation: str, language: str, params: dict[str, Any]) -> str:
    function = compile_texts(catalogue, version(generation), language)[name]
    return function(**{parameter: params.get(parameter, "") for parameter in _parameters(catalogue, name, generation, language)})


@cache
def _parameters(catalogue: str, name: str, generation: str, language: str) -> tuple[str, ...]:
    return tuple(inspect.signature(compile_texts(catalogue, version(generation), language)[name]).parameters)


@cache
def _constants(catalogue: str, name: str) -> dict[str, str]:
    from generators.catalogue import load

    return dict(load(catalogue)[name].constants)


@cache
def _fields(catalogue: str, generation: str) -> tuple[str, ...]:
    from generators.catalogue import load

    header = load(catalogue)["header"].text(version(generation)) or ""
    return tuple(header.split("#Fields: ", 1)[1].split())


# --- the cases


@dataclass(frozen=True, slots=True)
class _Run:
    story: str
    generation: Any
    language: Any
    why: str
    tags: tuple[str, ...] = ()
    hours: int | None = None
    log_max_bytes: int = 0


RUNS: Final = (
    _Run("healthy", "2007", "en", "a healthy morning", hours=4),
    _Run("healthy", "2012", "en", "a healthy morning", hours=4),
    _Run("healthy", "cb", "en", "a healthy morning", hours=4),
    _Run("S19", "2007", "de", "the web service stands still, on German servers", ("fault", "german")),
    _Run("S19", "2012", "en", "the web service stands still", ("fault",)),
    _Run("M07", "2012", "de", "an application pool is stopped: HTTP.sys answers, on German servers", ("fault", "german")),
    _Run("M07", "cb", "en", "an application pool is stopped: HTTP.sys answers", ("fault",)),
    _Run("two-faces", "2007", "en", "one fault with two faces", ("fault",)),
    _Run("daylight-saving", "cb", "de", "the night in which an hour comes twice", ("dst", "german")),
    _Run("daylight-saving", "2007", "en", "the night in which an hour comes twice, with zone names", ("dst", "zone name")),
    _Run("S19", "cb", "en", "logs that are rolled over in mid-synchronization", ("rotation", "fault"), log_max_bytes=10_000),
)
"""What is played: all generations, both languages, faults, the end of daylight saving time, rotation."""


def run_cases(progress: Callable[[float], None] = lambda _share: None) -> Iterator[Case]:
    """A case for every file of every run; ``progress`` hears which share of the runs is done."""
    for number, run in enumerate(RUNS):
        progress(number / len(RUNS))
        story = find(run.story, Changes(generation=run.generation, os_language=run.language, hours=run.hours))
        if run.log_max_bytes:
            story = dataclasses.replace(story, estate=dataclasses.replace(story.estate, log_max_bytes=run.log_max_bytes))
        stem = f"y_run_{run.generation}_{run.language}_{story.name.lower().replace('-', '_')}"
        if run.log_max_bytes:
            stem += "_rotated"
        for file in run_files(story):
            yield Case(
                id=f"{stem}_{_slug(file)}",
                format=file.format,
                encoding=file.encoding,
                why=f"{file.name} of a whole simulated run, {run.generation}: {run.why}.",
                evidence="see the message catalogues",
                tags=("run", run.generation, *run.tags),
                since=_SINCE,
                data=file.data,
                expected=expectation(f"{stem}_{_slug(file)}", file.records),
                origin="run",
            )


def expectation(id_: str, records: tuple[dict[str, Any], ...] | list[dict[str, Any]]) -> dict[str, Any]:
    """What is expected of a file in which all is well."""
    return {"schema": EXPECTED_SCHEMA, "id": id_, "group": "y", "records": list(records), "unparsed": []}


def _slug(file: RunFile) -> str:
    host = file.path.split("/")[1].lower()
    stem, _, suffix = file.name.lower().rpartition(".")
    return f"{host}_{stem}{'_older' if suffix == 'lo_' else ''}"
