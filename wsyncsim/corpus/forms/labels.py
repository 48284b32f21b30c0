"""Labels in the forms of well-known data sets: sessions as of HDFS, lines as of BGL, files as of AIT-LDS."""

from __future__ import annotations

from typing import Any, ClassVar

from scenarios.story_file import local_time
from wsyncsim.corpus.forms import Csv, Form, encode, one_line
from wsyncsim.corpus.forms.loghub import EMPTY, LEVELS, word
from wsyncsim.corpus.play import PlayedRun
from wsyncsim.corpus.records import Record

__all__ = ["Ait", "Bgl", "Hdfs"]


class Hdfs(Form):
    """``hdfs/<shard>/anomaly_label.csv`` and ``Event_traces.csv``: a block is a synchronization run.

    A session is an anomaly if one of its records follows from a fault.
    """

    name: ClassVar[str] = "hdfs"

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        folder = f"hdfs/{self.shard.name}"
        self._labels = Csv(self.open(f"{folder}/anomaly_label.csv"), ("BlockId", "Label"))
        self._traces = Csv(self.open(f"{folder}/Event_traces.csv"), ("BlockId", "Label", "Type", "Features"))
        self._sessions: dict[str, tuple[list[str], set[str]]] = {}

    def write(self, run: PlayedRun, records: list[Record]) -> None:
        for record in records:
            if record.session_id:
                events, faults = self._sessions.setdefault(record.session_id, ([], set()))
                events.append(record.event_id)
                faults.update(record.fault_ids)

    def end(self, run: PlayedRun) -> None:
        for session, (events, faults) in self._sessions.items():
            label = "Anomaly" if faults else "Normal"
            self._labels.rows([(session, label)])
            kind = ";".join(sorted(faults)) or EMPTY
            self._traces.rows([(session, "Fail" if faults else "Success", kind, f"[{','.join(events)}]")])
        self._sessions.clear()


class Bgl(Form):
    """``bgl/<shard>/bgl_full.log`` and its structured table: the first word of a line is its label, ``-`` for normal."""

    name: ClassVar[str] = "bgl"
    columns: ClassVar = (
        *("LineId", "Label", "Timestamp", "Date", "Node", "Time", "NodeRepeat", "Type", "Component", "Level", "Content"),
        *("EventId", "EventTemplate", "RecordId"),
    )

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        path = f"bgl/{self.shard.name}/bgl_full.log"
        self._log = self.open(path)
        self._table = Csv(self.open(f"{path}_structured.csv"), self.columns)
        self._line = 0

    def write(self, run: PlayedRun, records: list[Record]) -> None:
        lines, rows = [], []
        for record in records:
            self._line += 1
            at = record.ts_utc
            date, clock = at[:10], f"{at[:10]}-{at[11:13]}.{at[14:16]}.{at[17:23]}000"
            fields = (
                record.fault_ids[0] if record.fault_ids else EMPTY,
                epoch_s(at),
                date.replace("-", "."),
                record.host,
                clock,
                record.host,
                "LOG",
                word(record.component),
                LEVELS[record.severity],
                one_line(record.message).strip() or EMPTY,
            )
            lines.append(" ".join(map(str, fields)) + "\n")
            rows.append((self._line, *fields, record.event_id, one_line(record.template).strip() or EMPTY, record.record_id))
        self._log.write("".join(lines).encode())
        self._table.rows(rows)


class Ait(Form):
    """``ait/<shard>/<run>/gather``: raw bytes; ``.../labels``: by the same path, the labelled lines of each file."""

    name: ClassVar[str] = "ait"

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._labels: dict[str, list[tuple[int, bytes]]] = {}

    def write(self, run: PlayedRun, records: list[Record]) -> None:
        for record in records:
            if record.is_anomaly:
                path = f"{record.host}/logs/{record.log_file}"
                self._labels.setdefault(path, []).append((record.line_start, _ait_line(record)))

    def end(self, run: PlayedRun) -> None:
        folder = f"ait/{self.shard.name}/{run.id}"
        for path in run.paths():
            host, _, rest = path.removeprefix("logs/").partition("/")
            self.put(f"{folder}/gather/{host}/logs/{rest}", run.read(path))
        for path, lines in self._labels.items():
            self.put(f"{folder}/labels/{path}", b"".join(line for _, line in sorted(lines, key=lambda pair: pair[0])))
        self._labels.clear()


def _ait_line(record: Record) -> bytes:
    """One labelled line; the rule is the template, by which the line is to be recognized."""
    rules = {label: [record.template_id] for label in record.fault_ids}
    found: dict[str, Any] = {"line": record.line_start, "labels": list(rules), "rules": rules}
    if record.line_end > record.line_start:
        found["multiline"] = list(range(record.line_start, record.line_end + 1))
    return encode(found) + b"\n"


def epoch_s(ts_utc: str) -> int:
    """Whole seconds since 1970 of a time stamp in UTC."""
    at = local_time(ts_utc[:19])
    assert at is not None
    return (at.toordinal() - 719_163) * 86_400 + at.hour * 3600 + at.minute * 60 + at.second
