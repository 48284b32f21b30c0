"""How the reader is tested: with played runs, a live run, and the conformance suite."""

import time

import pytest
from configmgr_log import follow, parse_file, parse_line


@pytest.mark.parametrize("name", ["wsyncmgr.log", "WCM.log", "WSUSCtrl.log"])
@pytest.mark.parametrize("generation", ["2012", "cb"])
def test_every_record_is_read_as_it_was_written(play, name, generation):
    """``play`` runs a simulated site whose web server is stopped; the truth says what each record is."""
    run = play("S19", generation=generation, os_language="de")
    records = run.records(name)
    lines = parse_file(run.log(name))
    assert len(lines) == len(records) > 50
    for line, record in zip(lines, records, strict=True):
        assert record.text.startswith(line.message)
        assert line.component == record.truth.component
        assert line.thread == record.truth.thread
        assert line.local.isoformat(timespec="milliseconds") == record.truth.ts_local
        assert line.utc.isoformat(timespec="milliseconds") + "Z" == record.truth.ts_utc


def test_a_tool_finds_the_failures(play):
    """What a tool should notice stands in the answer key: every failed synchronization leaves a line."""
    run = play("S19")
    failed = [line for line in parse_file(run.log("wsyncmgr.log")) if line.message.startswith("Sync failed: ")]
    assert len(failed) == run.answer["runs"]["failed"] > 0
    assert run.answer["root_causes"][0]["fault"] == "S19"


def test_a_growing_log_is_followed(live_site):
    """``live_site`` lets a site run beside the test, here a day in a few seconds; ``check`` compares what was read."""
    site = live_site("healthy", speed=40_000, hours=24)
    site.wait(records=100)
    (log,) = site.logs.rglob("WCM.log")
    texts, offset = [], 0
    while True:
        running = site.running
        for text, end in follow(log, offset):
            texts.append(text)
            offset = end
        if not running:
            break
        time.sleep(0.02)
    assert all(parse_line(text) for text in texts)
    report = site.check(texts, only=("WCM.log",))
    assert (report.total.lost, report.total.duplicated, report.total.broken) == (0, 0, 0)


@pytest.mark.wsyncsim_suite(format="server")
def test_the_suite_does_no_harm(suite_case):
    """``suite_case`` goes through the cases of the conformance suite; none may make the reader fail."""
    for line in parse_file(suite_case.path):
        assert line.message in suite_case.data.decode("utf-8-sig", "replace")
