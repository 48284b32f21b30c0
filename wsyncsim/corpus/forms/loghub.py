"""Loghub-2.0: logs of one kind in one file, with templates for each line.

A folder for each shard, in it one for each kind of log (a "system" of Loghub)::

    loghub/<shard>/<LOG>/<LOG>_full.log                    one record a line, its line ends written ``\\n``
                         <LOG>_full.log_structured.csv     LineId, header fields, Content, EventId, EventTemplate, ...
                         <LOG>_full.log_templates.csv      EventId, EventTemplate, Occurrences

All logs have the same header, so ``LOG_FORMAT`` parses every one of them; what the files look like on a server is in other
forms.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, BinaryIO, ClassVar, Final

from wsyncsim.corpus.forms import Csv, Form, one_line
from wsyncsim.corpus.play import PlayedRun
from wsyncsim.corpus.records import VARIABLE, Record

LOG_FORMAT: Final = "<Date> <Time> <Bias> <Level> <Host> <Component> <Thread> <Content>"
"""As logparser's parsers take it."""
LEVELS: Final = {1: "INFO", 2: "WARN", 3: "ERROR"}
COLUMNS: Final = (
    *("LineId", "Date", "Time", "Bias", "Level", "Host", "Component", "Thread", "Content"),
    *("EventId", "EventTemplate", "EventTemplateCorrected", "ParameterList", "RecordId", "Label"),
)
EMPTY: Final = "-"
"""What stands where there is nothing: readers take an empty field for a missing one."""


class Loghub(Form):
    """The shard in the form of Loghub-2.0."""

    name: ClassVar[str] = "loghub"

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._systems: dict[str, _System] = {}

    def write(self, run: PlayedRun, records: list[Record]) -> None:
        by_log: dict[str, list[Record]] = {}
        for record in records:
            by_log.setdefault(record.log, []).append(record)
        for log, some in by_log.items():
            if log not in self._systems:
                path = f"loghub/{self.shard.name}/{log}/{log}_full.log"
                self._systems[log] = _System(self.open(path), Csv(self.open(f"{path}_structured.csv"), COLUMNS))
            self._systems[log].write(some)

    def close(self) -> None:
        for log, system in self._systems.items():
            path = f"loghub/{self.shard.name}/{log}/{log}_full.log_templates.csv"
            table = Csv(self.open(path), ("EventId", "EventTemplate", "Occurrences"))
            rows = sorted(system.occurrences.items(), key=lambda item: item[0])
            table.rows([(event_id, template, count) for (event_id, template), count in rows])
        super().close()


class _System:
    """The files of one kind of log."""

    def __init__(self, log: BinaryIO, table: Csv) -> None:
        self.occurrences: Counter[tuple[str, str]] = Counter()
        self._log = log
        self._table = table
        self._line = 0

    def write(self, records: list[Record]) -> None:
        lines, rows = [], []
        for record in records:
            self._line += 1
            date, _, time = record.ts_local.partition("T")
            level = LEVELS[record.severity]
            component = word(record.component)
            thread = EMPTY if record.thread is None else record.thread
            content = one_line(record.message).strip() or EMPTY
            template = one_line(record.template).strip() or EMPTY
            bias = f"{record.bias_minutes:+04}"
            lines.append(f"{date} {time} {bias} {level} {record.host} {component} {thread} {content}\n")
            label = record.fault_ids[0] if record.fault_ids else EMPTY
            head = (self._line, date, time, bias, level, record.host, component, thread, content)
            rows.append((*head, record.event_id, template, corrected(template), record.params, record.record_id, label))
            self.occurrences[record.event_id, template] += 1
        self._log.write("".join(lines).encode())
        self._table.rows(rows)


def word(text: str) -> str:
    """A text as one field of a header: without blanks."""
    return "_".join(text.split()) or EMPTY


_TOKENS: Final = re.compile(r"""([\s,!;:=|"'\[\](){}.\-+@#$%&])""")
_PAIRS: Final = tuple(f"{VARIABLE}{between}{VARIABLE}" for between in (":", "#", "/", "@", ".", ""))
_corrected: dict[str, str] = {}


def corrected(template: str) -> str:
    """The template by the rules of Loghub-2.0's oracle correction.

    DS: one blank for several; DG: a number is a variable; WV: a word with a variable in it is one; DV and CV: variables with
    a full stop or nothing between them are one, and so with ``:``, ``#``, ``/`` and ``@``; quotes around one go.
    """
    known = _corrected.get(template)
    if known is None:
        known = _corrected[template] = _correct(template)
    return known


def _correct(template: str) -> str:
    tokens = _TOKENS.split(re.sub(r"\s+", " ", template.strip()))
    text = "".join(VARIABLE if _is_variable(token) else token for token in tokens)
    before = ""
    while before != text:
        before = text
        for pair in (*_PAIRS,):
            text = text.replace(pair, VARIABLE)
        for quoted in (f' "{VARIABLE}" ', f" '{VARIABLE}' ", f" #{VARIABLE}# ", f" #{VARIABLE} "):
            text = text.replace(quoted, f" {VARIABLE} ")
    return text


def _is_variable(token: str) -> bool:
    return token.isdecimal() or (VARIABLE in token and "/" not in token)
