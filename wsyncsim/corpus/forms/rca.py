"""Cases for root cause analysis: as OpenRCA and RCAEval lay them out, with the causal graph of the answer key.

Every run with a fault is a case. The graph has the journal's entries that matter as nodes and their ``because`` as edges; it
is what the simulation did, not what somebody inferred.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from scenarios.faults import FAULTS
from wsyncsim.corpus.extras import need
from wsyncsim.corpus.forms import Csv, Form, one_line
from wsyncsim.corpus.forms.labels import epoch_s
from wsyncsim.corpus.forms.loghub import EMPTY, LEVELS
from wsyncsim.corpus.plan import HEALTHY
from wsyncsim.corpus.play import PlayedRun
from wsyncsim.corpus.records import Record

SYSTEM: Final = "wsus"
_TASKS: Final = {
    "task_1": ("time",),
    "task_2": ("reason",),
    "task_3": ("component",),
    "task_4": ("time", "reason"),
    "task_5": ("time", "component"),
    "task_6": ("component", "reason"),
    "task_7": ("time", "component", "reason"),
}
"""OpenRCA's tasks: what is asked for in each."""
_ASKED: Final = {
    "time": "root cause occurrence datetime",
    "component": "root cause component",
    "reason": "root cause reason",
}


def causal_graph(run: PlayedRun) -> dict[str, Any]:
    """Nodes and edges of a run's causes, and how often a component's entry followed from another's."""
    nodes = run.nodes
    by_id = {node["id"]: node for node in nodes}
    edges = [[node["because"], node["id"]] for node in nodes if node["because"] is not None]
    between = Counter((by_id[cause]["component"], by_id[effect]["component"]) for cause, effect in edges)
    return {
        "nodes": nodes,
        "edges": edges,
        "components": [{"cause": cause, "effect": effect, "count": count} for (cause, effect), count in sorted(between.items())],
    }


def _host(entity: str, hosts: set[str]) -> str:
    """The server that an entity belongs to; what belongs to none is called by its first part."""
    first = entity.partition("/")[0]
    return first if first in hosts else re.sub(r"[^A-Za-z0-9-]+", "-", first)


class OpenRca(Form):
    """``openrca/<shard>/<run>/``: ``record.csv``, ``query.csv`` and ``telemetry/<date>/log/log_service.csv``. Times are UTC."""

    name: ClassVar[str] = "openrca"
    causes: ClassVar[bool] = True

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._days: dict[str, Csv] = {}

    def write(self, run: PlayedRun, records: list[Record]) -> None:
        if run.planned.scenario == HEALTHY:
            return
        folder = f"openrca/{self.shard.name}/{run.id}/telemetry"
        by_day: dict[str, list[tuple[Any, ...]]] = {}
        for record in records:
            row = (record.record_id, epoch_s(record.ts_utc), record.host, record.log, one_line(record.message) or EMPTY)
            by_day.setdefault(record.ts_utc[:10].replace("-", "_"), []).append(row)
        for day, rows in by_day.items():
            if day not in self._days:
                columns = ("log_id", "timestamp", "cmdb_id", "log_name", "value")
                self._days[day] = Csv(self.open(f"{folder}/{day}/log/log_service.csv"), columns)
            self._days[day].rows(rows)

    def end(self, run: PlayedRun) -> None:
        self._days.clear()
        self.abandon()
        if run.planned.scenario == HEALTHY:
            return
        folder = f"openrca/{self.shard.name}/{run.id}"
        causes = run.answer["root_causes"]
        facts = [_openrca_facts(cause) for cause in causes]
        table = Csv(self.open(f"{folder}/record.csv"), ("level", "component", "timestamp", "datetime", "reason"))
        table.rows(
            [
                ("service" if "/" in fact["component"] else "node", fact["component"], fact["epoch"], fact["time"], fact["reason"])
                for fact in facts
            ]
        )
        queries = Csv(self.open(f"{folder}/query.csv"), ("task_index", "instruction", "scoring_points"))
        queries.rows([(task, _instruction(run, facts, asked), _points(facts, asked)) for task, asked in _TASKS.items()])
        self.put_json(f"{folder}/causal_graph.json", causal_graph(run))
        self.abandon()


def _openrca_facts(cause: dict[str, Any]) -> dict[str, Any]:
    seconds = epoch_s(cause["began"])
    when = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return {"component": cause["entity"], "reason": FAULTS[cause["fault"]].title.en, "time": when, "epoch": f"{seconds}.0"}


def _instruction(run: PlayedRun, facts: list[dict[str, Any]], asked: tuple[str, ...]) -> str:
    begin = datetime.fromtimestamp(run.story.start_at // 1_000_000, UTC)
    end = datetime.fromtimestamp(run.story.end_at // 1_000_000, UTC)
    wanted = ", ".join(_ASKED[each] for each in asked)
    failures = "a single failure" if len(facts) == 1 else f"{len(facts)} failures"
    return (
        f"Between {begin:%Y-%m-%d %H:%M:%S} and {end:%Y-%m-%d %H:%M:%S} (UTC) the update synchronization of this estate met "
        f"{failures}. Determine from the logs: {wanted}."
    )


def _points(facts: list[dict[str, Any]], asked: tuple[str, ...]) -> str:
    lines = []
    for number, fact in enumerate(facts, 1):
        which = "only" if len(facts) == 1 else f"{number}-th"
        told = {
            "time": f"The {which} root cause occurrence time is within 1 minutes (i.e., <=1min) of {fact['time']}",
            "component": f"The {which} predicted root cause component is {fact['component']}",
            "reason": f"The {which} predicted root cause reason is {fact['reason']}",
        }
        lines += [told[each] for each in asked]
    return "\n".join(lines) + "\n"


class RcaEval(Form):
    """``rcaeval/<shard>/wsus_<service>_<fault>_<n>/``: ``logs.csv``, ``inject_time.txt``, injections and the causal graph.

    The service is the server on which something was broken; ``cases.csv`` (with the form parquet also ``cases.parquet``)
    lists the cases.
    """

    name: ClassVar[str] = "rcaeval"
    causes: ClassVar[bool] = True
    columns: ClassVar = (
        "time",
        "timestamp",
        "container_name",
        "message",
        "level",
        "req_path",
        "error",
        "cluster_id",
        "log_template",
    )

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._count: Counter[tuple[str, str]] = Counter()
        self._cases: list[dict[str, Any]] = []
        self._case = ""
        self._logs: Csv | None = None

    def begin(self, run: PlayedRun) -> None:
        causes = run.answer["root_causes"]
        if not causes:
            return
        first = causes[0]
        service = _host(first["entity"], set(run.story.estate.hosts()))
        self._count[service, first["fault"]] += 1
        self._case = f"{SYSTEM}_{service}_{first['fault']}_{self._count[service, first['fault']]}"
        self._cases.append(
            {
                "case": self._case,
                "run_id": run.id,
                "split": run.split,
                "root_cause_service": service,
                "root_cause_entity": first["entity"],
                "fault": first["fault"],
                "inject_time": epoch_s(first["began"]),
            }
        )
        self._logs = Csv(self.open(f"rcaeval/{self.shard.name}/{self._case}/logs.csv"), self.columns)

    def write(self, run: PlayedRun, records: list[Record]) -> None:
        if self._logs is not None:
            self._logs.rows([_rcaeval_row(record) for record in records])

    def end(self, run: PlayedRun) -> None:
        if self._logs is None:
            return
        self._logs = None
        self.abandon()
        folder = f"rcaeval/{self.shard.name}/{self._case}"
        self.put(f"{folder}/inject_time.txt", f"{self._cases[-1]['inject_time']}\n".encode())
        self.put_json(f"{folder}/injection.json", {**self._cases[-1], "injections": run.answer["root_causes"]})
        self.put_json(f"{folder}/causal_graph.json", causal_graph(run))

    def close(self) -> None:
        if self._cases:
            folder = f"rcaeval/{self.shard.name}"
            table = Csv(self.open(f"{folder}/cases.csv"), tuple(self._cases[0]))
            table.rows([tuple(case.values()) for case in self._cases])
            if "parquet" in self.plan.file.formats:
                arrow = need("pyarrow", "data", "the form parquet")
                parquet = need("pyarrow.parquet", "data", "the form parquet")
                parquet.write_table(arrow.Table.from_pylist(self._cases), self.make(f"{folder}/cases.parquet"))
        super().close()


def _rcaeval_row(record: Record) -> tuple[Any, ...]:
    seconds = epoch_s(record.ts_utc)
    message = one_line(record.message) or EMPTY
    error = message if record.severity == 3 else ""
    nanos = f"{seconds}{record.ts_utc[20:23]}000000"
    return seconds, nanos, record.host, message, LEVELS[record.severity], "", error, record.event_id, one_line(record.template)
