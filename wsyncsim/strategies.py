"""Hypothesis strategies: records, files, rotated files, damaged files and stories, each with what a reader should make of it.

Needs the extra ``hypothesis``. Everything is written by the same layouts and catalogues as a run is, only that messages,
their parameters, times, zones and threads are drawn: so the expected records are known, and examples shrink to the shortest
message, the fewest records and the plainest text that still show a mistake.

    from hypothesis import given
    from wsyncsim import strategies as wsync

    @given(wsync.files())
    def test_my_parser(file):
        found = my_parser.parse(file.data, file.encoding)
        assert [line.message for line in found] == [record.message for record in file.records]
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Literal, get_args

from hypothesis import reject
from hypothesis import strategies as st

from generators.catalogue import LANGUAGES, Language, Message, load
from generators.compile import compile_texts
from generators.framed import parameter_names
from generators.log import Log, Memory, Run
from generators.logs.softwaredistribution import SoftwareDistributionLog
from generators.logs.wcm import WcmLog
from generators.logs.wsusctrl import WsusCtrlLog
from generators.logs.wsyncmgr import WsyncmgrLog
from generators.truth_record import TruthRecord, read
from scenarios.faults import FAULTS
from scenarios.repairs import REPAIRS
from scenarios.story import Story, StoryError, parse
from simulator.estate import CONTOSO
from simulator.units import MS, SECOND
from simulator.versions import VERSIONS, version

LOGS: Final[dict[str, type[Log]]] = {
    "wsyncmgr.log": WsyncmgrLog,
    "WCM.log": WcmLog,
    "WSUSCtrl.log": WsusCtrlLog,
    "SoftwareDistribution.log": SoftwareDistributionLog,
}
"""Logs that are drawn, by name."""
_SEVERAL_LINES: Final = ("SoftwareDistribution.log",)
"""Logs in which a record may go on in further lines."""
ZONES: Final = ("UTC", "Europe/Berlin", "America/Chicago", "America/Los_Angeles", "Asia/Kolkata", "Australia/Sydney")
TRICKY: Final = ("$$<", "~~", "~", "]LOG]!>", "<![LOG[", "<thread=1 (0x1)>", "+60>", '"', "ä", "€", "%s", "{0}", "  ", "#", "-")
"""Pieces of text that have been the undoing of readers."""
_FIRST: Final = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * SECOND
_LAST: Final = int(datetime(2040, 1, 1, tzinfo=UTC).timestamp()) * SECOND
_CONTEXT: Final = ',"run":null,"event":"","entry":"","causes":[],"faults":[]}\n'
_NEVER: Final = 10**12

_NUMBERS: Final = frozenset(
    (
        *("code", "count", "done", "error", "id", "items", "number", "percent", "pid", "port", "retry_min", "tid", "total"),
        *("updates", "version", "wait_min", "wait_ms", "wait_s", "waited_min"),
    )
)
_WORDS: Final = {
    "at_word": ("at", "bei"),
    "comp": ("SMS_WSUS_SYNC_MANAGER", "SMS_WSUS_CONFIGURATION_MANAGER", "SMS_WSUS_CONTROL_MANAGER"),
    "gmtdate": ("Mon Mar 02 07:00:03.285 2026", "Sun Dec 31 23:59:59.999 2006"),
    "le": ("0", "80131509", "8013150a"),
    "site": ("CS1", "PS1"),
    "ssl": ("False", "True"),
    "sys": ("CS1SITE", "CS1SITE.CONTOSO.COM"),
}
"""Parameters that are no free text."""

Damage = Literal["cut begin", "cut end", "torn", "merged", "garbled", "zeros", "lf", "no mark"]
"""Kinds of damage.

``cut begin``, ``cut end``: the file begins or ends in the middle of a record. ``torn``: a line end stands in the middle of a
record. ``merged``: the line end between two records is missing. ``garbled``: bytes of a record are overwritten with 0xFF.
``zeros``: NUL bytes follow the last record, as after a crash. ``lf``: lines end in LF alone. ``no mark``: the byte-order mark is
missing. The last three hurt no record.
"""
DAMAGES: Final[tuple[Damage, ...]] = get_args(Damage)


@dataclass(frozen=True)
class Record:
    """One record, and what a reader should make of it."""

    text: str
    """The whole record, without line end and byte-order mark."""
    message: str
    """What the record says: the text without the envelope of its layout; CR LF between its lines, if it has several."""
    truth: TruthRecord
    """Component, thread, severity, ``ts_local``, ``bias_min``, ``ts_utc``, template, parameters, and its span in the file."""


@dataclass(frozen=True)
class LogFile:
    """A file, and its records in order."""

    name: str
    data: bytes
    encoding: str
    """Python's name of it; a byte-order mark at the beginning is not part of the first record."""
    generation: str
    records: tuple[Record, ...]


@dataclass(frozen=True)
class RotatedLog:
    """A log that was rotated, perhaps several times."""

    files: tuple[LogFile, ...]
    """What is left, the oldest first: ``name.lo_`` and ``name.log``, or the latter alone."""
    dropped: int
    """Records that were in an older ``.lo_``, and are gone."""

    @property
    def records(self) -> tuple[Record, ...]:
        """All records that are left, in order."""
        return tuple(record for file in self.files for record in file.records)


@dataclass(frozen=True)
class DamagedFile:
    """A file that something has happened to."""

    data: bytes
    damage: Damage
    whole: LogFile
    """The file before that; spans of its records hold there."""
    hurt: tuple[int, ...]
    """Numbers (from 0) of the records that can no longer be read for certain.

    In a log whose records may have several lines, what is left of a record may pass for more of the one before it: then that
    one is among them.
    """

    @property
    def intact(self) -> tuple[Record, ...]:
        """Records that a reader must still find."""
        return tuple(record for number, record in enumerate(self.whole.records) if number not in self.hurt)


# --- what is drawn


@dataclass(frozen=True)
class _Line:
    message: Message
    parameters: tuple[str, ...]
    thread: int
    after_ms: int
    """Time since the line before."""


@dataclass(frozen=True)
class _Setting:
    """Where a log is written."""

    name: str
    generation: str
    language: Language
    zone: str

    def log(self, store: Memory, max_bytes: int) -> Log:
        estate = replace(CONTOSO, timezone=self.zone, log_max_bytes=max_bytes)
        run = Run(estate, version(self.generation), self.language)
        site = estate.top
        log_type = LOGS[self.name]
        return log_type(run, site, log_type.hosts(site)[0], store, truth=True)

    def lines(self, tricky: bool) -> st.SearchStrategy[_Line]:
        return _lines(self.name, self.generation, self.language, tricky)


@cache
def _messages(name: str, generation: str, language: Language) -> list[Message]:
    """Messages that a log has, the plainest first."""
    there = [
        message
        for catalogue in LOGS[name].messages
        for message in load(catalogue).values()
        if message.text(version(generation), language) is not None
    ]
    return sorted(there, key=lambda message: len(parameter_names(message.catalogue, message.name)))


@cache
def texts(*, tricky: bool = True) -> st.SearchStrategy[str]:
    """What is put into messages: printable text of one line that neither begins nor ends with a blank.

    ``tricky`` mixes in pieces that look like parts of a layout (``TRICKY``).
    """
    plain = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=12)
    pieces = st.lists(plain | st.sampled_from(TRICKY), max_size=4).map("".join) if tricky else plain
    return pieces.map(str.strip)


def _settings(log: str | None, generation: str | None, language: Language | None, zone: str | None) -> st.SearchStrategy[_Setting]:
    if log is not None and log not in LOGS:
        raise ValueError(f"log: expected one of {', '.join(LOGS)}, found {log!r}")
    if generation is not None and generation not in VERSIONS:
        raise ValueError(f"generation: expected one of {', '.join(VERSIONS)}, found {generation!r}")
    return st.builds(
        _Setting,
        st.just(log) if log else st.sampled_from(list(LOGS)),
        st.just(generation) if generation else st.sampled_from(["cb", "2012", "2007"]),
        st.just(language) if language else st.sampled_from(LANGUAGES),
        st.just(zone) if zone else st.sampled_from(ZONES),
    )


@cache
def _value(name: str, tricky: bool) -> st.SearchStrategy[str]:
    """What a parameter of this name may be."""
    if name in _NUMBERS:
        return st.integers(0, 65_535).map(str)
    return st.sampled_from(_WORDS[name]) if name in _WORDS else texts(tricky=tricky)


@cache
def _lines(name: str, generation: str, language: Language, tricky: bool) -> st.SearchStrategy[_Line]:
    """A line of a log; the plainest message comes first, so that examples shrink to it."""
    thread, after_ms = st.integers(1, 65_535), st.integers(0, 3_600_000)
    lines: list[st.SearchStrategy[_Line]] = []
    for message in _messages(name, generation, language):
        values = st.tuples(*(_value(each, tricky) for each in parameter_names(message.catalogue, message.name)))
        lines.append(st.builds(_Line, st.just(message), values, thread, after_ms))
    return st.one_of(lines)


_STARTS: Final = st.integers(_FIRST // MS, _LAST // MS).map(MS.__mul__)


def _write(setting: _Setting, lines: list[_Line], start: int, max_bytes: int = _NEVER) -> list[LogFile]:
    """The files that these lines leave, the oldest first."""
    store = Memory()
    log = setting.log(store, max_bytes)
    log.lines.context = _CONTEXT
    at = start
    for line in lines:
        at += line.after_ms * MS
        log.lines.set_thread(line.thread)
        getattr(log.lines, line.message.name)(at, *line.parameters)
    log.close()
    found = store.texts
    paths = sorted(path for path in found if path.startswith("logs/"))  # .lo_ comes before .log
    return [_file(setting, log, path, found) for path in paths]


def _file(setting: _Setting, log: Log, path: str, texts: dict[str, bytes]) -> LogFile:
    data = texts[path]
    truth = read(texts[f"truth/records/{path.removeprefix('logs/')}.jsonl"])
    records = tuple(_record(setting, log, data[record.byte_start : record.byte_end], record) for record in truth)
    return LogFile(path.rsplit("/", 1)[-1], data, log.encoding, setting.generation, records)


def _record(setting: _Setting, log: Log, raw: bytes, truth: TruthRecord) -> Record:
    catalogue, _, name = truth.template.partition(".")
    values: dict[str, Any] = dict.fromkeys(parameter_names(catalogue, name), "") | truth.params
    message = compile_texts(catalogue, version(setting.generation), setting.language)[name](**values)
    message = message.replace("\n", log.layout.eol).encode(log.encoding, "replace").decode(log.encoding)
    return Record(raw.decode(log.encoding), message, truth)


# --- strategies


@st.composite
def records(
    draw: st.DrawFn,
    *,
    log: str | None = None,
    generation: str | None = None,
    language: Language | None = None,
    zone: str | None = None,
    tricky: bool = True,
) -> Record:
    """One record. ``log`` is a name out of ``LOGS``; what is not given is drawn."""
    setting = draw(_settings(log, generation, language, zone))
    (file,) = _write(setting, [draw(setting.lines(tricky))], draw(_STARTS))
    return file.records[0]


@st.composite
def files(
    draw: st.DrawFn,
    *,
    log: str | None = None,
    generation: str | None = None,
    language: Language | None = None,
    zone: str | None = None,
    tricky: bool = True,
    min_records: int = 1,
    max_records: int = 20,
) -> LogFile:
    """A whole file of at least one record, in order of time."""
    setting = draw(_settings(log, generation, language, zone))
    lines = draw(st.lists(setting.lines(tricky), min_size=max(min_records, 1), max_size=max_records))
    (file,) = _write(setting, lines, draw(_STARTS))
    return file


@st.composite
def rotations(
    draw: st.DrawFn,
    *,
    log: str | None = None,
    generation: str | None = None,
    language: Language | None = None,
    zone: str | None = None,
    tricky: bool = True,
    max_records: int = 30,
) -> RotatedLog:
    """A site component's log that is rotated at a few hundred bytes: not at all, once or several times."""
    setting = draw(
        _settings(log or None, generation, language, zone).filter(lambda made: LOGS[made.name] is not SoftwareDistributionLog)
    )
    lines = draw(st.lists(setting.lines(tricky), min_size=1, max_size=max_records))
    left = _write(setting, lines, draw(_STARTS), draw(st.integers(300, 3_000)))
    return RotatedLog(tuple(left), len(lines) - sum(len(file.records) for file in left))


@st.composite
def damaged_files(
    draw: st.DrawFn,
    *,
    damage: Damage | None = None,
    log: str | None = None,
    generation: str | None = None,
    language: Language | None = None,
    zone: str | None = None,
    tricky: bool = True,
    max_records: int = 10,
) -> DamagedFile:
    """A file with one damage, and which records a reader must find all the same."""
    kind: Damage = draw(st.just(damage) if damage is not None else st.sampled_from(DAMAGES))
    least = 2 if kind == "merged" else 1
    whole = draw(
        files(
            log=log, generation=generation, language=language, zone=zone, tricky=tricky, min_records=least, max_records=max_records
        )
    )
    data, last = whole.data, len(whole.records) - 1
    if kind == "zeros":
        return DamagedFile(data + bytes(draw(st.integers(1, 4096))), kind, whole, ())
    if kind == "lf":
        return DamagedFile(data.replace(b"\r\n", b"\n"), kind, whole, ())
    if kind == "no mark":
        return DamagedFile(data.removeprefix(b"\xef\xbb\xbf"), kind, whole, ())
    number = {"cut begin": 0, "cut end": last}.get(kind)
    if number is None:
        number = draw(st.integers(0, last - 1 if kind == "merged" else last))
    start, end = whole.records[number].truth.byte_start, whole.records[number].truth.byte_end
    place = draw(st.integers(start + 1, end - 1))
    match kind:
        case "cut begin":
            data = data[place:]
        case "cut end":
            data = data[:place]
        case "torn":
            data = data[:place] + b"\r\n" + data[place:]
        case "merged":
            data = data[:end] + data[end + 2 :]
        case _:
            data = data[:place] + bytes([0xFF]) * (end - place) + data[end:]
    hurt = (number, number + 1) if kind == "merged" else (number,)
    if whole.name in _SEVERAL_LINES and kind in ("cut end", "torn", "garbled") and number:
        hurt = (number - 1, number)
    return DamagedFile(data, kind, whole, hurt)


@st.composite
def stories(
    draw: st.DrawFn,
    *,
    generation: str | None = None,
    os_language: Language | None = None,
    max_faults: int = 2,
    max_hours: int = 12,
) -> Story:
    """A story that can be played: an estate, faults that set in at any time and may end by themselves, and what people do.

    Play it with ``scenarios.run.play``, or in memory with ``generators.write.Recorder``.
    """
    made = generation or draw(st.sampled_from(["cb", "2012", "2007"]))
    hours = draw(st.integers(1, max_hours))
    possible = [fault for fault in FAULTS.values() if made in fault.generations]
    estates = sorted({fault.estate for fault in possible}, key=lambda name: (name != "contoso", name))
    estate = draw(st.sampled_from(estates))
    here = [fault.id for fault in possible if fault.estate == estate]
    faults = draw(st.lists(st.sampled_from(here), max_size=max_faults, unique=True))
    moments = st.integers(0, hours * 60 - 1)
    steps = []
    for fault in faults:
        begins = draw(moments)
        ends = draw(st.none() | st.integers(begins + 1, begins + 24 * 60))
        steps.append(f'at = "{begins}m"\nfault = "{fault}"' + (f'\nuntil = "{ends}m"' if ends is not None else ""))
    deeds = draw(st.lists(st.tuples(moments, st.sampled_from(["R10", *sorted(REPAIRS)])), max_size=3))
    steps += [f'at = "{moment}m"\nrepair = "{repair}"' for moment, repair in deeds]
    text = "\n".join(
        [
            'title = { en = "drawn", de = "gezogen" }',
            f'generation = "{made}"',
            f'os_language = "{os_language or draw(st.sampled_from(LANGUAGES))}"',
            f'estate = "{estate}"',
            f'timezone = "{draw(st.sampled_from(ZONES))}"',
            f"hours = {hours}",
            f"seed = {draw(st.integers(0, 2**53))}",
            *(f"[[timeline]]\n{step}" for step in steps),
        ]
    )
    try:
        return parse(text, "strategies.stories", name="drawn")
    except StoryError:  # what cannot be done in this estate
        reject()
