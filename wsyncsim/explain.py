"""Explains a finished run, or one line of one of its logs, from its answer key alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from generators.truth_record import TruthRecord
from scenarios.faults import FAULTS
from simulator.errors import WsyncsimError
from wsyncsim.run_folder import Clock, Json, action_words, answer_of, clock_of, json_lines, text_of, truth_of
from wsyncsim.words import event_words, reason_words, value_words, word


class ExplainError(WsyncsimError):
    """There is nothing to explain there."""


def explain_run(folder: Path, language: str) -> Iterator[str]:
    """The whole run in words: root causes, synchronizations, what is missing."""
    truth = truth_of(folder)
    answer = answer_of(truth)
    clock = clock_of(answer)
    story = answer["story"]
    yield word("explain", "what", language, {**story, "title": story["title"][language]})
    yield word("explain", "times", language, story)
    yield ""
    yield from _root_causes(answer, clock, language)
    if answer["actions"]:
        yield ""
        yield f"{word('explain', 'actions', language)}:"
        for action in answer["actions"]:
            yield f"  {clock(action['at'])}  {action['site']}: {action_words(action, language)}"
    yield ""
    yield f"{word('explain', 'runs', language)}:"
    newest: dict[str, str] = {}  # of each site: when its last run began
    for run in json_lines(truth / "runs.jsonl"):
        newest[run["site"]] = max(newest.get(run["site"], ""), run["began"])
    for run in json_lines(truth / "runs.jsonl"):
        cut_off = run["outcome"] == "unfinished" and run["began"] < newest[run["site"]]
        yield f"  {_run_words(run, clock, language, 'cut_off' if cut_off else run['outcome'])}"
    if answer["missing"]:
        yield ""
        yield f"{word('explain', 'missing', language)}:"
        for missing in answer["missing"]:
            yield f"  {missing['host']}: {missing['event']} ({missing['here']} / {missing['healthy']})"


def _root_causes(answer: Json, clock: Clock, language: str) -> Iterator[str]:
    if not answer["root_causes"]:
        yield word("explain", "no_root_causes", language)
        return
    yield f"{word('explain', 'root_causes', language)}:"
    for cause in answer["root_causes"]:
        fault = FAULTS[cause["fault"]]
        values = {
            **cause,
            "title": fault.title.in_(language),
            "healthy": value_words(cause["healthy"], language),
            "faulty": value_words(cause["faulty"], language),
            "began": clock(cause["began"]),
        }
        text = word("explain", "root_cause", language, values)
        for end in ("ended", "repaired"):
            if cause[end]:
                text += word("explain", end, language, {"at": clock(cause[end])})
        yield f"  {text}"
        yield f"    {fault.summary.in_(language)}"


def _run_words(run: Json, clock: Clock, language: str, outcome: str) -> str:
    values = {
        **run,
        "began": clock(run["began"]),
        "trigger": word("values", run["trigger"], language),
        "source": word("sources", run["source"], language) if run["source"] else "",
        "reason": reason_words(run["reason"], language) if run["reason"] else "",
        "faults": ", ".join(run["faults"]),
    }
    return word("explain", f"run_{outcome}", language, values)


def explain_line(folder: Path, place: str, language: str) -> Iterator[str]:
    """Why one line was written. ``place`` is ``LOG:LINE``, the log by name, or as much of its path as tells it apart."""
    truth = truth_of(folder)
    match = re.fullmatch(r"(.+):(\d+)", place)
    if match is None:
        raise ExplainError(f"{place!r} is not LOG:LINE", hint="For example wsyncmgr.log:57, or CS1SITE/wsyncmgr.log:57")
    path = _find_log(truth / "records", match[1])
    number = int(match[2])
    record = _find_record(path, number)
    text = text_of(folder / record.file, record.byte_start, record.byte_end)
    yield word("explain", "line_of", language, {"file": record.file, "line": number, "ts": record.ts_local})
    yield f"  {text}"
    if record.run:
        yield word("explain", "belongs", language, {"run": record.run})
    yield ""
    if not record.causes:
        yield word("explain", "healthy_line", language)
        return
    wanted = {record.entry, *record.causes}
    entries = {entry["id"]: entry for entry in json_lines(truth / "entries.jsonl") if entry["id"] in wanted}
    clock, because = clock_of(answer_of(truth)), word("explain", "because", language)
    for depth, id in enumerate((record.entry, *record.causes)):
        entry = entries[id]
        host = f"{entry['host']}: " if entry["host"] else ""
        lead = f"{because} " if depth else ""
        yield f"{'  ' * depth}{lead}{clock(entry['at'])}  {host}{event_words(entry['event'], language)}"
    event = entries[record.causes[-1]]["event"]
    if event["kind"] == "FaultBegan":
        fault = FAULTS[event["fault"]]
        yield ""
        yield f"{fault.id} {fault.title.in_(language)}: {fault.summary.in_(language)}"


def _find_log(records: Path, name: str) -> Path:
    """The truth file of the log called ``name``."""
    all_logs = {path.relative_to(records).as_posix().removesuffix(".jsonl"): path for path in sorted(records.rglob("*.jsonl"))}
    wanted = name.replace("\\", "/").removeprefix("logs/").lower()
    host, _, file = wanted.partition("/")
    found = {
        log: path
        for log, path in all_logs.items()
        if log.lower() == wanted
        or log.lower().endswith(f"/{wanted}")
        or (file and log.lower().startswith(f"{host}/") and log.lower().endswith(f"/{file}"))
    }
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise ExplainError(f"several logs are called {name!r}", hint="Say which: " + ", ".join(found))
    names = dict.fromkeys(f"{log.split('/')[0]}/{log.rsplit('/', 1)[-1]}" for log in all_logs)
    raise ExplainError(f"this run has no log {name!r}", hint="It has: " + ", ".join(names))


def _find_record(path: Path, number: int) -> TruthRecord:
    decode = msgspec.json.Decoder(TruthRecord).decode
    with path.open("rb") as lines:
        for line in lines:
            record = decode(line)
            if record.line <= number <= (record.line_end or record.line):
                return record
    raise ExplainError(
        f"there is no record at line {number}", where=path.name.removesuffix(".jsonl"), hint="It may be a header line"
    )
