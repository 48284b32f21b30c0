"""What collectors and SIEMs read: OpenTelemetry's log data as JSON, and Elastic Common Schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Final

from wsyncsim._version import __version__
from wsyncsim.corpus.forms import Form, encode
from wsyncsim.corpus.forms.labels import epoch_s
from wsyncsim.corpus.forms.loghub import LEVELS
from wsyncsim.corpus.plan import Plan, Shard
from wsyncsim.corpus.play import PlayedRun
from wsyncsim.corpus.records import Record, parameter_names

_SEVERITY_NUMBERS: Final = {1: 9, 2: 13, 3: 17}
"""SEVERITY_NUMBER_INFO, _WARN and _ERROR."""
_ECS_VERSION: Final = "8.17.0"
_ECS_LEVELS: Final = {1: "information", 2: "warning", 3: "error"}


class Otlp(Form):
    """``otlp/<shard>.jsonl``: each line is one ``LogsData`` message with records of one run, by host."""

    name: ClassVar[str] = "otlp"

    def __init__(self, folder: Path, plan: Plan, shard: Shard) -> None:
        super().__init__(folder, plan, shard)
        self._file = self.open(f"otlp/{shard.name}.jsonl")

    def write(self, run: PlayedRun, records: list[Record]) -> None:
        by_host: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for record in records:
            by_host.setdefault(record.host, {}).setdefault(record.component, []).append(_otlp_record(record))
        resources = [
            {
                "resource": {"attributes": _attributes({"host.name": host, "wsyncsim.run_id": run.id, "wsyncsim.synthetic": True})},
                "scopeLogs": [
                    {"scope": {"name": component, "version": __version__}, "logRecords": found}
                    for component, found in components.items()
                ],
            }
            for host, components in by_host.items()
        ]
        self._file.write(encode({"resourceLogs": resources}) + b"\n")


def _otlp_record(record: Record) -> dict[str, Any]:
    nanos = f"{epoch_s(record.ts_utc)}{record.ts_utc[20:23]}000000"
    attributes: dict[str, Any] = {
        "log.file.path": record.log_file,
        "log.record.uid": record.record_id,
        "wsyncsim.line": record.line_start,
        "wsyncsim.event_id": record.event_id,
        "wsyncsim.template_id": record.template_id,
        "wsyncsim.session_id": record.session_id,
        "wsyncsim.is_anomaly": record.is_anomaly,
        "wsyncsim.fault_ids": record.fault_ids,
        "wsyncsim.root_cause": record.root_cause,
        "thread.id": record.thread,
    }
    return {
        "timeUnixNano": nanos,
        "observedTimeUnixNano": nanos,
        "severityNumber": _SEVERITY_NUMBERS[record.severity],
        "severityText": LEVELS[record.severity],
        "body": {"stringValue": record.message},
        "attributes": _attributes(attributes),
        "eventName": record.template_id,
    }


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _any_value(value)} for key, value in values.items() if value is not None and value != ""]


def _any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_any_value(item) for item in value]}}
    return {"stringValue": value}


class Ecs(Form):
    """``ecs/<shard>.ndjson``: one document of the Elastic Common Schema a line; what is ours is below ``labels``."""

    name: ClassVar[str] = "ecs"

    def __init__(self, folder: Path, plan: Plan, shard: Shard) -> None:
        super().__init__(folder, plan, shard)
        self._file = self.open(f"ecs/{shard.name}.ndjson")

    def write(self, run: PlayedRun, records: list[Record]) -> None:
        self._file.write(b"".join(encode(_ecs_document(record)) + b"\n" for record in records))


def _ecs_document(record: Record) -> dict[str, Any]:
    labels = {
        "run_id": record.run_id,
        "record_id": record.record_id,
        "split": record.split,
        "session_id": record.session_id,
        "event_id": record.event_id,
        "fault_ids": ",".join(record.fault_ids),
        "root_cause": record.root_cause or "",
        "synthetic": "true",
    }
    document: dict[str, Any] = {
        "@timestamp": record.ts_utc,
        "ecs": {"version": _ECS_VERSION},
        "message": record.message,
        "log": {"level": _ECS_LEVELS[record.severity], "file": {"path": record.log_file}, "offset": record.byte_start},
        "event": {
            "kind": "event",
            "module": "wsyncsim",
            "dataset": f"wsyncsim.{record.log}",
            "code": record.template_id,
            "sequence": int(record.record_id.rpartition("-")[2]),
            "outcome": "failure" if record.severity == 3 else "unknown",
        },
        "host": {"name": record.host},
        "service": {"name": record.component},
        "labels": {key: value for key, value in labels.items() if value},
    }
    if record.thread is not None:
        document["process"] = {"thread": {"id": record.thread}}
    document |= _http(record)
    return document


def _http(record: Record) -> dict[str, Any]:
    """What a web server's log tells, where its message has parameters of these names."""
    names = dict(zip(parameter_names(record.template_id, record.template), record.params, strict=True))
    if "stem" not in names or "client_ip" not in names:
        return {}
    found: dict[str, Any] = {"source": {"ip": names["client_ip"]}, "url": {"path": names["stem"]}}
    if "status" in names:
        found["http"] = {"response": {"status_code": int(names["status"])}}
    if names.get("agent", "-") != "-":
        found["user_agent"] = {"original": names["agent"].replace("+", " ")}
    return found
