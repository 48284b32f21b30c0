"""Files: bytes, rotation, days, truth records, time stamps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.layouts import CMTRACE, W3C, Stamp, bias_stamp, gmt_stamp, hex_thread, iso_stamp, zone_name_stamp
from generators.log import BOM_UTF8, DailyLog, Log, Memory, Run, Writes, _cp1252
from generators.truth_record import TruthRecord, read
from generators.utc import utc_seconds
from generators.write import Recorder, log_types
from simulator.clock import Zone
from simulator.estate import CONTOSO, ESTATES, Estate, Site
from simulator.events import ActionTaken, ComponentStarted, FaultBegan, Source, SyncFailed, UpdateSynced
from simulator.failures import NameNotResolved
from simulator.journal import Entry
from simulator.units import DAY, HOUR, MINUTE, MS, SECOND
from simulator.versions import version
from tests.conftest import world_of

NOON = int(datetime(2020, 2, 8, 12, tzinfo=UTC).timestamp()) * SECOND
SMALL = replace(CONTOSO, log_max_bytes=10_000)
WSYNCMGR = "logs/CS1SITE/Program Files/Microsoft Configuration Manager/Logs/wsyncmgr"
STARTED = ComponentStarted("SMS_WSUS_SYNC_MANAGER", "CS1", 2148, 5976, True)


def entries_of(*titles: str) -> list[Entry]:
    """One update line each, a second apart, on the site server's wsyncmgr."""
    events = [STARTED, *(UpdateSynced("id", title, 0) for title in titles)]
    return [Entry(NOON + n * SECOND, "CS1SITE/wsyncmgr", n, "CS1SITE", event, None, None) for n, event in enumerate(events)]


def recorded(
    entries: list[Entry],
    estate: Estate = SMALL,
    generation: str = "cb",
    *,
    truth: bool = False,
    pieces: int = 1,
    only: str = "wsyncmgr",
) -> dict[str, bytes]:
    with Recorder(estate, version(generation), None, truth=truth) as recorder:
        for start in range(0, len(entries), len(entries) // pieces + 1):
            recorder.record(entries[start : start + len(entries) // pieces + 1])
            if pieces > 1:
                recorder.flush()
    return {path: data for path, data in recorder.texts.items() if only in path}


def test_bytes_of_a_line() -> None:
    files = recorded(entries_of("Update für Büros"))
    envelope = "$$<SMS_WSUS_SYNC_MANAGER><02-08-2020 13:00:01.000-60><thread=5976 (0x1758)>\r\n"
    line = f"Synchronizing update id - Update für Büros  {envelope}"
    assert files == {f"{WSYNCMGR}.log": BOM_UTF8 + line.encode()}


def test_bytes_of_a_line_of_2007() -> None:
    files = recorded(entries_of("Update für Büros 😀"), generation="2007")
    path = "logs/CS1SITE/Program Files (x86)/Microsoft Configuration Manager/Logs/wsyncmgr.log"
    stamp = "<Sat Feb 08 13:00:01.000 2020 W. Europe Standard Time>"
    line = f"Synchronizing update id - Update für Büros ?  $$<SMS_WSUS_SYNC_MANAGER>{stamp}<thread=5976 (0x1758)>\r\n"
    assert files == {path: line.encode("cp1252")}


@given(st.text())
def test_code_page_1252(text: str) -> None:
    assert _cp1252(text) == text.encode("cp1252", "replace")


@given(st.lists(st.text('aä€😀~"\\<>{}', max_size=300), min_size=1, max_size=150), st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_rotation_and_truth(titles: list[str], pieces: int) -> None:
    entries = entries_of(*titles)
    plain = recorded(entries)
    files = recorded(entries, truth=True, pieces=pieces)
    logs = {path: data for path, data in files.items() if path.startswith("logs/")}
    assert logs == plain, "neither truth records nor the size of the pieces change the logs"
    for path, data in logs.items():
        assert data.startswith(BOM_UTF8)
        assert data.endswith(b"\r\n")
        *whole, last = data[len(BOM_UTF8) :].split(b"\r\n")[:-1]
        assert len(data) - len(last) - 2 < 10_000, "the record that reaches the limit is the last"
        records = read(files[path.replace("logs/", "truth/records/", 1) + ".jsonl"])
        assert [record.line for record in records] == list(range(1, len(whole) + 2))
        for record, line in zip(records, [*whole, last], strict=True):
            assert record.file == path
            assert data[record.byte_start : record.byte_end] == line
            text = line.decode()
            assert text.startswith(f"Synchronizing update id - {record.params['title']}  $$<")
    if f"{WSYNCMGR}.lo_" in logs:
        assert len(logs[f"{WSYNCMGR}.lo_"]) >= 10_000
    newest = [title for path in (f"{WSYNCMGR}.lo_", f"{WSYNCMGR}.log") if path in logs for title in _titles(logs[path])]
    assert newest == titles[len(titles) - len(newest) :]


def _titles(data: bytes) -> list[str]:
    text = data.decode("utf-8-sig")
    return [line.split(" - ", 1)[1].rsplit("  $$<", 1)[0] for line in text.split("\r\n")[:-1]]


def test_summary_counts_what_is_gone() -> None:
    with Recorder(SMALL, version("cb"), None) as recorder:
        recorder.record(entries_of(*["x" * 100] * 200))
    log, rolled = recorder.summary()[f"{WSYNCMGR}.log"], recorder.summary()[f"{WSYNCMGR}.lo_"]
    assert log.lines + rolled.lines + rolled.rolled_out_lines == 200
    assert rolled.rolled_out_lines > 0
    assert (log.bytes, rolled.bytes) == tuple(len(recorder.texts[f"{WSYNCMGR}{end}"]) for end in (".log", ".lo_"))


def test_truth_names_run_causes_and_faults() -> None:
    fault = Entry(NOON, "story", 1, "CS1SUP", FaultBegan("S05", "CS1", "dns", "zone", "yes", "no"), None, None)
    cause = Entry(NOON, "CS1SUP/wsus", 4, "CS1SUP", ActionTaken("R10", "CS1", "x", "y"), fault, None)
    failed = SyncFailed(Source("SyncWSUS"), NameNotResolved("www.update.microsoft.com"))
    entry = Entry(NOON + SECOND, "CS1SITE/wsyncmgr", 9, "CS1SITE", failed, cause, "CS1-0001")
    files = recorded([*entries_of(), entry], truth=True)
    (record,) = read(files["truth/records/" + WSYNCMGR.removeprefix("logs/") + ".log.jsonl"])
    assert (record.run, record.event, record.entry) == ("CS1-0001", "SyncFailed", "CS1SITE/wsyncmgr.9")
    assert (record.causes, record.faults) == (["CS1SUP/wsus.4", "story.1"], ["S05"])
    assert (record.template, record.severity, record.component) == ("wsyncmgr.sync_failed", "error", "SMS_WSUS_SYNC_MANAGER")
    assert (record.ts_local, record.bias_min, record.ts_utc, record.thread) == (
        "2020-02-08T13:00:01.000",
        -60,
        "2020-02-08T12:00:01.000Z",
        5976,
    )
    raw = files["truth/records/" + WSYNCMGR.removeprefix("logs/") + ".log.jsonl"].decode()
    keys = [*TruthRecord.__struct_fields__]
    keys.remove("line_end")
    assert [raw.index(f'"{key}":') for key in keys] == sorted(raw.index(f'"{key}":') for key in keys)


def test_folder_and_memory_hold_the_same(tmp_path: Path) -> None:
    entries = list(world_of("contoso-child", hours=30).simulate())
    small = replace(ESTATES["contoso-child"], log_max_bytes=20_000)
    for path in (tmp_path, tmp_path):
        with Recorder(small, version("cb"), path, truth=True) as recorder:
            recorder.record(entries)
    found = {file.relative_to(tmp_path).as_posix(): file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert found == recorded(entries, small, truth=True, only=""), "written twice over the same folder"
    assert any(path.endswith(".lo_") for path in found)
    assert set(recorder.summary()) == {path for path in found if path.startswith("logs/")}


def test_every_truth_record_points_at_its_line() -> None:
    files = recorded(list(world_of("contoso-child", hours=30).simulate()), ESTATES["contoso-child"], truth=True, only="")
    for path, data in files.items():
        if path.startswith("truth/"):
            for record in read(data):
                log = files[record.file]
                assert log[: record.byte_start].count(b"\n") == record.line - 1
                end = record.line_end or record.line
                assert log[: record.byte_end].count(b"\n") == end - 1
                assert log[record.byte_end : record.byte_end + 1] in b"\r\n"


class _Daily(DailyLog):
    messages = ("wsyncmgr",)
    layout = W3C
    writes: ClassVar[Writes] = {}

    @classmethod
    def hosts(cls, site: Site) -> tuple[str, ...]:
        return (site.sup,)

    def day_path(self, day: datetime) -> str:
        return f"ex{day:%y%m%d}.log"

    def stamp(self) -> Stamp:
        return utc_seconds()

    def header(self, at: int) -> str:
        return f"#Date: {utc_seconds()(at)}\r\n"

    def note(self, at: int) -> None:
        self.begin_day(at)
        self.lines.context = "}\n"
        self.lines.surface_drivers_off(at)


def test_daily_log() -> None:
    store = Memory()
    log = _Daily(Run(CONTOSO, version("cb")), CONTOSO.top, "CS1SUP", store, truth=True)
    for at in (NOON, NOON + HOUR, NOON + 12 * HOUR):
        log.note(at)
    log.repeat_header(NOON + 12 * HOUR)
    log.note(NOON + 13 * HOUR)
    log.close()
    text = "Sync Surface Drivers option is not set\r\n"
    assert store.texts["logs/CS1SUP/ex200208.log"].decode() == (
        f"#Date: 2020-02-08 12:00:00\r\n2020-02-08 12:00:00 {text}2020-02-08 13:00:00 {text}"
    )
    assert store.texts["logs/CS1SUP/ex200209.log"].decode() == (
        f"#Date: 2020-02-09 00:00:00\r\n2020-02-09 00:00:00 {text}#Date: 2020-02-09 00:00:00\r\n2020-02-09 01:00:00 {text}"
    )
    truth = store.texts["truth/records/CS1SUP/ex200209.log.jsonl"].decode().splitlines()
    assert [line.split(",")[1] for line in truth] == ['"line":2', '"line":4']
    assert log.summary["logs/CS1SUP/ex200209.log"].lines == 4


def test_logs_are_found_and_concrete() -> None:
    names = [log_type.__name__ for log_type in log_types()]
    assert {"WcmLog", "WsusCtrlLog", "WsyncmgrLog"} <= set(names)
    assert all(issubclass(log_type, Log) for log_type in log_types())


def test_where_the_control_manager_writes() -> None:
    def paths(estate: str) -> list[str]:
        recorder = Recorder(ESTATES[estate], version("cb"), None)
        return [f"{log.host}/{log.path()}" for log in recorder.logs if type(log).__name__ == "WsusCtrlLog"]

    assert paths("contoso") == ["CS1SUP/SMS/Logs/WSUSCtrl.log"]
    assert paths("contoso-local") == ["CS1SITE/Program Files/Microsoft Configuration Manager/Logs/WSUSCtrl.log"]


@pytest.mark.parametrize(
    ("zone", "at", "text"),
    [
        ("America/Los_Angeles", "2020-02-08 10:13:11.522", "02-08-2020 02:13:11.522+480"),
        ("America/Los_Angeles", "2020-07-08 10:13:11.522999", "07-08-2020 03:13:11.522+420"),
        ("Europe/Berlin", "2020-01-31 23:59:59.999", "02-01-2020 00:59:59.999-60"),
        ("Europe/Berlin", "2020-03-29 00:59:59.999", "03-29-2020 01:59:59.999-60"),
        ("Europe/Berlin", "2020-03-29 01:00:00.000", "03-29-2020 03:00:00.000-120"),
        ("Europe/Berlin", "2020-10-25 00:59:59.999", "10-25-2020 02:59:59.999-120"),
        ("Europe/Berlin", "2020-10-25 01:00:00.000", "10-25-2020 02:00:00.000-60"),
        ("Asia/Kolkata", "2020-01-01 00:00:00", "01-01-2020 05:30:00.000-330"),
        ("Asia/Kathmandu", "2020-01-01 00:14:59", "01-01-2020 05:59:59.000-345"),
        ("Europe/London", "2020-01-01 00:00:00", "01-01-2020 00:00:00.000+00"),
        ("Europe/London", "2020-07-01 00:00:00", "07-01-2020 01:00:00.000-60"),
        ("UTC", "2020-07-01 00:00:00", "07-01-2020 00:00:00.000+00"),
        ("Atlantic/Azores", "2020-01-01 00:00:00", "12-31-2019 23:00:00.000+60"),
    ],
)
def test_bias_stamp(zone: str, at: str, text: str) -> None:
    assert bias_stamp(zone)(_us(at)) == text


def _us(at: str) -> int:
    return int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() * 1000) * MS


@given(
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC", "Pacific/Chatham"]),
    st.integers(NOON, NOON + 600 * DAY),
)
@settings(max_examples=400, deadline=None)
def test_stamps_agree_with_the_clock(zone: str, at: int) -> None:
    stamp = bias_stamp(zone)
    for instant in (at, at - at % (15 * MINUTE), at - at % (15 * MINUTE) - MS, at):
        local = stamp.zone.local(instant)
        millis = f"{instant // MS % 1000:03}"
        assert stamp(instant) == f"{local:%m-%d-%Y %H:%M:%S}.{millis}{stamp.zone.bias_min(instant):+03d}"
        assert iso_stamp(zone)(instant) == f"{local:%Y-%m-%dT%H:%M:%S}.{millis}"


def test_stamps_of_2007() -> None:
    at = _us("2007-08-06 17:54:32.699")
    assert gmt_stamp()(at) == "Mon Aug 06 17:54:32.699 2007"
    stamp = zone_name_stamp("Europe/Berlin", "W. Europe Standard Time", "W. Europe Daylight Time")
    assert stamp(at) == "Mon Aug 06 19:54:32.699 2007 W. Europe Daylight Time"
    assert stamp(at + 180 * DAY) == "Sat Feb 02 18:54:32.699 2008 W. Europe Standard Time"


def test_thread_is_decimal_and_upper_case_hex() -> None:
    assert [hex_thread(tid) for tid in (756, 5976, 33872)] == ["756 (0x2F4)", "5976 (0x1758)", "33872 (0x8450)"]
    assert CMTRACE.thread is hex_thread


def test_a_zone_that_calls_summer_normal_still_has_daylight_time_in_summer() -> None:
    dublin = Zone("Europe/Dublin")
    january, july = 1_768_500_000_000_000, 1_784_200_000_000_000
    assert (dublin.daylight(january), dublin.daylight(july)) == (False, True)


def test_an_offset_that_changes_off_the_quarter_hour_is_met_to_the_minute() -> None:
    zone = Zone("America/St_Johns")
    stamp = bias_stamp(zone.name)
    for minute in range(40):  # clocks went back at 00:01 on 4 November 2007, 02:31 UTC
        at = 1_194_142_800_000_000 + minute * 60_000_000
        local = zone.local(at)
        assert stamp(at) == f"{local:%m-%d-%Y %H:%M:%S}.000{zone.bias_min(at):+03d}"
