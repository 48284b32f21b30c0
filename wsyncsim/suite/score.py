"""Scores what a tool made of the cases, level by level.

Levels of must-read cases build on each other: which records there are (``frame``), what they say (``text``), when they were
written (``local``, ``utc``), how bad they are (``severity``). A level that a tool never says anything about is not offered:
its viewer shows local time only, for example, and that is not counted as wrong, but as nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from wsyncsim.suite.case import Case
from wsyncsim.suite.fields import FieldMap, OutputError, clock_us
from wsyncsim.suite.tool import Ran

Level = Literal["robust", "frame", "text", "local", "utc", "severity", "reject"]
LEVELS: Final[tuple[Level, ...]] = ("robust", "frame", "text", "local", "utc", "severity", "reject")
RECORD_LEVELS: Final[tuple[Level, ...]] = ("frame", "text", "local", "utc", "severity")
"""Levels of must-read cases, besides ``robust``."""
TOLERANCE_US: Final = 1000
"""Times that differ by less than a millisecond are the same."""
_TEXTS: Final = ("component", "thread", "file", "context")
_LOCAL: Final = ("time_local",)
_UTC: Final = ("time_utc", "bias_min")
_ALIGN_MAX: Final = 4000
"""Records of a case up to which different numbers of them are aligned by what they say."""

ToolRecord = dict[str, Any]
"""A record of the tool, by ``FieldMap``: the suite's names, times as microseconds."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a tool made of one case."""

    case: Case
    ran: Ran
    records: tuple[ToolRecord, ...]
    unparsed: tuple[ToolRecord, ...]
    trouble: str
    """Why it is not robust; empty if it is."""


@dataclass(slots=True)
class CaseScore:
    """Levels of one case that apply to it, and why it missed some."""

    case: Case
    levels: dict[Level, bool] = field(default_factory=dict)
    reasons: dict[Level, str] = field(default_factory=dict)
    behaviour: str = ""
    """Implementation-defined cases: the alternative that the tool chose, ``nothing``, ``not told`` by its fields, or ``other``."""
    took_s: float = 0.0

    def put(self, level: Level, reason: str) -> None:
        """Level reached if there is no reason against it."""
        self.levels[level] = not reason
        if reason:
            self.reasons[level] = reason


class Share(NamedTuple):
    """How many cases reached a level, of those to which it applies."""

    passed: int
    total: int
    offered: bool

    @property
    def percent(self) -> float:
        return 100.0 * self.passed / self.total if self.total else 100.0


@dataclass(frozen=True, slots=True)
class Score:
    """All cases, in their order."""

    cases: tuple[CaseScore, ...]
    offered: frozenset[str]
    """Fields that the tool gives anywhere."""

    @property
    def shares(self) -> dict[Level, Share]:
        """Every level, over all cases."""
        return {level: self._share(level, self.cases) for level in LEVELS}

    def of_format(self, name: str) -> dict[Level, Share]:
        """Every level, over the cases of a format."""
        cases = [case for case in self.cases if case.case.format == name]
        return {level: self._share(level, cases) for level in LEVELS}

    def _share(self, level: Level, cases: Sequence[CaseScore]) -> Share:
        found = [case.levels[level] for case in cases if level in case.levels]
        return Share(sum(found), len(found), offers(level, self.offered))


def output_of(case: Case, ran: Ran, fields: FieldMap) -> Output:
    """Read what the tool printed about a case."""
    trouble, records = _trouble(ran), []
    if not trouble:
        try:
            records = fields.records(ran.out)
        except OutputError as error:
            trouble = str(error)
    return Output(
        case=case,
        ran=ran,
        records=tuple(_completed(each) for each in records if not each.get("unparsed")),
        unparsed=tuple(each for each in records if each.get("unparsed")),
        trouble=trouble,
    )


def _trouble(ran: Ran) -> str:
    if ran.ended_because == "time":
        return f"it did not end within {ran.took_s:.0f} s"
    if ran.ended_because:
        return "it printed without end"
    if ran.exit_code in (0, 1):
        return ""
    last = ran.error_tail.splitlines()[-1:] or [""]
    return f"exit code {ran.exit_code}: {last[0][:200]}".rstrip(": ")


def _completed(record: ToolRecord) -> ToolRecord:
    """With local time and bias, UTC is said too."""
    local, bias = record.get("time_local"), record.get("bias_min")
    if record.get("time_utc") is None and isinstance(local, int) and bias is not None:
        return {**record, "time_utc": local + bias * 60_000_000}
    return record


def score(outputs: Sequence[Output]) -> Score:
    """Score all outputs of one tool."""
    offered = frozenset(
        name for output in outputs for record in output.records for name, value in record.items() if value is not None
    )
    return Score(tuple(score_case(output, offered) for output in outputs), offered)


def offers(level: Level, offered: frozenset[str]) -> bool:
    """Whether a tool with these fields says anything about a level."""
    needed = {"text": {"message"}, "local": {"time_local"}, "utc": {"time_utc"}, "severity": {"severity"}}
    return needed.get(level, set()) <= offered


def score_case(output: Output, offered: frozenset[str]) -> CaseScore:
    """Score one case; ``offered`` are the fields that the tool gives anywhere."""
    found = CaseScore(output.case, took_s=output.ran.took_s)
    found.put("robust", output.trouble)
    expected = output.case.expected
    if output.case.group == "i":
        found.behaviour = _behaviour(output, expected, offered)
    elif output.case.group == "n":
        found.put("reject", output.trouble or _rejected(output, expected, offered))
    else:
        _must_read(found, output, expected, offered)
    return found


def _must_read(found: CaseScore, output: Output, expected: dict[str, Any], offered: frozenset[str]) -> None:
    wanted = expected["records"]
    against = output.trouble
    pairs: list[tuple[dict[str, Any], ToolRecord | None]] = [(record, None) for record in wanted]
    if not against:
        pairs, extra = align(wanted, _claimed(output.records, expected["unparsed"], offered))
        against = _framed(pairs, extra)
    found.put("frame", against)
    for level in RECORD_LEVELS[1:]:
        if any(_says(record, level) for record in wanted):
            found.put(level, against or _first(_wrong(level, record, given or {}, offered) for record, given in pairs))


def _says(wanted: dict[str, Any], level: Level) -> bool:
    """Whether a level applies to a record. A local time without a bias says that UTC is unknown."""
    keys = {"text": ("message",), "local": _LOCAL, "utc": ("time_utc", "time_local"), "severity": ("severity",)}[level]
    return any(key in wanted for key in keys)


def _first(reasons: Iterable[str]) -> str:
    return next((reason for reason in reasons if reason), "")


def _claimed(records: Sequence[ToolRecord], no_records: Iterable[dict[str, int]], offered: frozenset[str]) -> list[ToolRecord]:
    """Records without those by which a tool shows what it could not read: no time, and in a line that is no record."""
    lines = {line for span in no_records for line in range(span["line"], span["line_end"] + 1)}
    if not lines or not offered & {"time_local", "time_utc"}:
        return list(records)
    return [
        each
        for each in records
        if each.get("time_local") is not None
        or each.get("time_utc") is not None
        or (each.get("line") is not None and each["line"] not in lines)
    ]


def align(
    wanted: Sequence[dict[str, Any]], given: Sequence[ToolRecord]
) -> tuple[list[tuple[dict[str, Any], ToolRecord | None]], list[ToolRecord]]:
    """Which record of the tool is meant by which expected one, and the records that are left over.

    By line if the tool tells lines and no two records share one; in order if there are equally many; else by what they say.
    """
    by_line = {each.get("line"): each for each in given}
    lines = [record["line"] for record in wanted]
    if None not in by_line and len(by_line) == len(given) and len(set(lines)) == len(lines):
        pairs = [(record, by_line.pop(record["line"], None)) for record in wanted]
        return pairs, list(by_line.values())
    if len(wanted) == len(given):
        return list(zip(wanted, given, strict=True)), []
    if max(len(wanted), len(given)) > _ALIGN_MAX:
        return [(record, None) for record in wanted], list(given)
    return _aligned_by_text(wanted, given)


def _aligned_by_text(
    wanted: Sequence[dict[str, Any]], given: Sequence[ToolRecord]
) -> tuple[list[tuple[dict[str, Any], ToolRecord | None]], list[ToolRecord]]:
    ours = [plain(record["message"]) for record in wanted]
    theirs = [plain(str(record.get("message") or "")) for record in given]
    pairs: list[tuple[dict[str, Any], ToolRecord | None]] = []
    extra: list[ToolRecord] = []
    for _, a, a_end, b, b_end in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        for number in range(max(a_end - a, b_end - b)):
            here = given[b + number] if b + number < b_end else None
            if a + number < a_end:
                pairs.append((wanted[a + number], here))
            elif here is not None:
                extra.append(here)
    return pairs, extra


def _framed(pairs: Sequence[tuple[dict[str, Any], ToolRecord | None]], extra: Sequence[ToolRecord]) -> str:
    missing = [record for record, given in pairs if given is None]
    if missing:
        return f"{len(missing)} of {len(pairs)} records missing, the first in line {missing[0]['line']}"
    if extra:
        first = extra[0]
        where = f"in line {first['line']}" if first.get("line") is not None else repr(str(first.get("message"))[:60])
        return f"{len(extra)} records too many, the first {where}"
    for record, given in pairs:
        assert given is not None
        for name in ("line", "line_end", "byte_start", "byte_end"):
            if given.get(name) is not None and given[name] != record[name]:
                return _told(record, name, record[name], given[name])
    return ""


def _wrong(level: Level, wanted: dict[str, Any], given: ToolRecord, offered: frozenset[str]) -> str:
    """What is wrong with a record at a level; empty if nothing is."""
    if level == "text":
        return _wrong_text(wanted, given, offered)
    if level == "local":
        return _wrong_time(wanted, given, "time_local")
    if level == "severity":
        if "severity" in wanted and wanted["severity"] != given.get("severity"):
            return _told(wanted, "severity", wanted["severity"], given.get("severity"))
        return ""
    if "bias_min" in wanted and given.get("bias_min") is not None and given["bias_min"] != wanted["bias_min"]:
        return _told(wanted, "bias_min", wanted["bias_min"], given["bias_min"])
    if "time_utc" not in wanted and "time_local" in wanted:
        return _told(wanted, "time_utc", None, _clock(given["time_utc"])) if given.get("time_utc") is not None else ""
    return _wrong_time(wanted, given, "time_utc")


def _wrong_text(wanted: dict[str, Any], given: ToolRecord, offered: frozenset[str]) -> str:
    w3c = wanted["form"] in ("w3c", "httperr")
    if "message" in offered and not (w3c and given.get("message") is None):
        text = str(given.get("message") or "")
        if plain(text) != plain(wanted["message"]) and not (w3c and "fields" in offered):
            return _told(wanted, "message", *_where_different(plain(wanted["message"]), plain(text)))
    elif not w3c or "fields" not in offered:
        return _told(wanted, "message", wanted["message"][:60], None)
    for name in _TEXTS:
        if name in offered and wanted.get(name) not in (None, "") and given.get(name) != wanted[name]:
            return _told(wanted, name, wanted[name], given.get(name))
    fields = given.get("fields") or {}
    for name, value in wanted.get("fields", {}).items():
        if fields.get(name, value if not w3c else None) != value and "fields" in offered:
            return _told(wanted, f"fields.{name}", value, fields.get(name))
    return ""


def _where_different(wanted: str, given: str) -> tuple[str, str]:
    """The texts from shortly before the first difference on."""
    same = next((at for at, (a, b) in enumerate(zip(wanted, given, strict=False)) if a != b), min(len(wanted), len(given)))
    start = max(0, same - 20)
    return wanted[start : start + 60], given[start : start + 60]


def _wrong_time(wanted: dict[str, Any], given: ToolRecord, name: str) -> str:
    if name not in wanted:
        return ""
    at, right = given.get(name), clock_us(wanted[name], utc=False)
    assert isinstance(right, int)
    if isinstance(at, int) and abs(at - right) < TOLERANCE_US:
        return ""
    return _told(wanted, name, wanted[name], _clock(at))


def _clock(at: Any) -> Any:
    if not isinstance(at, int):
        return at
    from datetime import UTC, datetime, timedelta

    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).replace(tzinfo=None).isoformat()
    except OverflowError:
        return at


def _told(wanted: dict[str, Any], name: str, right: Any, given: Any) -> str:
    return f"line {wanted['line']}: {name} is {right!r}, not {given!r}" if given is not None else _untold(wanted, name, right)


def _untold(wanted: dict[str, Any], name: str, right: Any) -> str:
    return f"line {wanted['line']}: {name} is missing, it is {right!r}"


def plain(message: str) -> str:
    """A message as it is compared: line breaks as LF, no blanks and tildes at its ends."""
    return message.replace("\r\n", "\n").strip("~ \t\r\n")


def _rejected(output: Output, expected: dict[str, Any], offered: frozenset[str]) -> str:
    claimed = _claimed(output.records, expected["reject"], offered)
    pairs, extra = align(expected["records"], claimed)
    against = _framed(pairs, extra)
    levels: Iterator[Level] = (level for level in RECORD_LEVELS[1:] if offers(level, offered))
    return against or _first(_wrong(level, record, given or {}, offered) for level in levels for record, given in pairs)


def _behaviour(output: Output, expected: dict[str, Any], offered: frozenset[str]) -> str:
    """The alternative that fits. What is wrong in all of them, such as UTC of a tool that has the sign wrong, is not at stake."""
    if output.trouble:
        return "not robust"
    levels = [level for level in RECORD_LEVELS[1:] if offers(level, offered)]
    wrong: dict[str, set[Level]] = {}
    said: dict[str, int] = {}
    """How much of what an alternative says the tool says too: more than of one that leaves it open."""
    for alternative in expected["alternatives"]:
        wanted = alternative["records"]
        if len(wanted) != len(output.records):
            continue
        pairs = list(zip(wanted, output.records, strict=True))
        if not expected["exact"] or all(record["message"] == given.get("message") for record, given in pairs):
            found = {level for level in levels if any(_wrong(level, record, given, offered) for record, given in pairs)}
            wrong[alternative["name"]] = found
            said[alternative["name"]] = sum(given.get(key) is not None for record, given in pairs for key in record)
    if not wrong:
        return "other" if output.records else "nothing"
    always = set.intersection(*wrong.values()) - {"text"}
    fitting = [name for name, missed in wrong.items() if not missed - always]
    fitting = [name for name in fitting if not wrong[name]] or fitting
    fitting = [name for name in fitting if said[name] == max(said[each] for each in fitting)]
    if len(fitting) > 1:
        return "not told"
    return fitting[0] if fitting else "other"
