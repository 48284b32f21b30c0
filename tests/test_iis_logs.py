"""IIS and HTTP.sys logs: exact lines of every generation, headers, days."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.events import RequestsRejected, RequestsServed, Served, ServiceStateChanged
from simulator.units import DAY, HOUR, SECOND
from tests.conftest import logs_of, world_of
from tests.writing import EVENING, entry, text_of, truth_of, written

API = "/ApiRemoting30/WebService.asmx"
AGENT = "Mozilla/4.0+(compatible;+MSIE+6.0;+MS+Web+Services+Client+Protocol+{clr})"
ROWS = (
    Served(API, "", 401, 2, 2148074254, 0),
    Served(API, "", 401, 1, 0, 0),
    Served(API, "CONTOSO\\CS1SITE$", 200, 0, 0, 31),
)
FIELDS = "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent)"

IIS_CASES = {
    "2007": (
        "WINDOWS/system32/LogFiles/W3SVC1/ex070806.log",
        [
            "#Software: Microsoft Internet Information Services 6.0",
            "#Version: 1.0",
            "#Date: 2007-08-06 17:54:32",
            f"#Fields: {FIELDS.replace('time', 'time s-sitename')} sc-status sc-substatus sc-win32-status ",
            (
                f"2007-08-06 17:54:32 W3SVC1 10.1.0.11 POST {API} - 80 - 10.1.0.10 "
                f"{AGENT.format(clr='2.0.50727.1433')} 401 2 2148074254"
            ),
            f"2007-08-06 17:54:32 W3SVC1 10.1.0.11 POST {API} - 80 - 10.1.0.10 {AGENT.format(clr='2.0.50727.1433')} 401 1 0",
            (
                f"2007-08-06 17:54:32 W3SVC1 10.1.0.11 POST {API} - 80 CONTOSO\\CS1SITE$ 10.1.0.10 "
                f"{AGENT.format(clr='2.0.50727.1433')} 200 0 0"
            ),
        ],
    ),
    "2012": (
        "inetpub/logs/LogFiles/W3SVC1/u_ex070806.log",
        [
            "#Software: Microsoft Internet Information Services 8.5",
            "#Version: 1.0",
            "#Date: 2007-08-06 17:54:32",
            f"#Fields: {FIELDS} cs(Referer) sc-status sc-substatus sc-win32-status time-taken",
            f"2007-08-06 17:54:32 10.1.0.11 POST {API} - 80 - 10.1.0.10 {AGENT.format(clr='4.0.30319.42000')} - 401 2 2148074254 0",
            f"2007-08-06 17:54:32 10.1.0.11 POST {API} - 80 - 10.1.0.10 {AGENT.format(clr='4.0.30319.42000')} - 401 1 0 0",
            (
                f"2007-08-06 17:54:32 10.1.0.11 POST {API} - 80 CONTOSO\\CS1SITE$ 10.1.0.10 "
                f"{AGENT.format(clr='4.0.30319.42000')} - 200 0 0 31"
            ),
        ],
    ),
}
IIS_CASES["cb"] = (IIS_CASES["2012"][0], [line.replace("Services 8.5", "Services 10.0") for line in IIS_CASES["2012"][1]])

REJECTED = RequestsRejected(
    1, "10.1.0.11", 8530, "10.1.0.10", 50123, (API, "/ClientWebService/Client.asmx"), "AppOffline", "WsusPool"
)


def served(*rows: Served, agent: str = "soap") -> RequestsServed:
    return RequestsServed(1, 80, "10.1.0.11", "10.1.0.10", agent, rows)  # type: ignore[arg-type]


@pytest.mark.parametrize("truth", [False, True])
@pytest.mark.parametrize("generation", IIS_CASES)
def test_access_log(generation: str, truth: bool) -> None:
    path, lines = IIS_CASES[generation]
    files = written([entry(served(*ROWS))], generation, truth=truth)
    assert files[f"logs/CS1SUP/{path}"].decode() == "".join(f"{line}\r\n" for line in lines)


def test_every_row_has_a_truth_record() -> None:
    event = served(*ROWS)
    files = written([entry(event), entry(event, at=EVENING + SECOND, n=2)], "cb", truth=True)
    found = truth_of(files, "u_ex070806.log")
    lines = text_of(files, "u_ex070806.log").splitlines()
    assert [text for text, _ in found] == lines[4:]
    assert [record.line for _, record in found] == [5, 6, 7, 8, 9, 10]
    assert [record.entry for _, record in found] == ["CS1SUP/test.1"] * 3 + ["CS1SUP/test.2"] * 3
    record = found[2][1]
    assert (record.template, record.component, record.event) == ("iis.request", "W3SVC", "RequestsServed")
    assert record.params["time_taken"] == 31
    assert record.params["user"] == "CONTOSO\\CS1SITE$"
    assert (record.ts_local, record.bias_min, record.ts_utc) == ("2007-08-06T19:54:32.699", -120, "2007-08-06T17:54:32.699Z")


def test_a_new_file_begins_at_midnight_utc() -> None:
    midnight = EVENING // DAY * DAY + DAY
    files = written([entry(served(ROWS[2]), at=at) for at in (midnight - 1, midnight)], "cb")
    assert [text_of(files, f"u_ex07080{day}.log").splitlines()[-1][:19] for day in (6, 7)] == [
        "2007-08-06 23:59:59",
        "2007-08-07 00:00:00",
    ]
    assert "#Date: 2007-08-07 00:00:00\r\n" in text_of(files, "u_ex070807.log")


def test_the_header_is_repeated_when_the_service_starts_anew() -> None:
    restart = ServiceStateChanged("W3SVC", "running")
    entries = [
        entry(restart, at=EVENING - HOUR),  # before the first line there is nothing to repeat
        entry(served(ROWS[2])),
        entry(ServiceStateChanged("WsusService", "running")),
        entry(restart, at=EVENING + SECOND),
        entry(served(ROWS[2]), at=EVENING + 2 * SECOND),
    ]
    lines = text_of(written(entries, "cb", truth=True), "u_ex070806.log").splitlines()
    assert [line.partition(":")[0] for line in lines] == [*["#Software", "#Version", "#Date", "#Fields", "2007-08-06 17"] * 2]
    assert lines[7] == "#Date: 2007-08-06 17:54:34"
    texts = truth_of(written(entries, "cb", truth=True), "u_ex070806.log")
    assert [(text, record.line) for text, record in texts] == [(lines[4], 5), (lines[9], 10)]


@pytest.mark.parametrize("generation", ["2007", "2012", "cb"])
def test_with_and_without_truth_the_bytes_are_the_same(generation: str) -> None:
    plain, full = (logs_of(world_of(generation=generation, hours=30), truth=truth) for truth in (False, True))
    for path, data in plain.items():
        assert full[path] == data, path


HTTPERR_FIELDS = "date time c-ip c-port s-ip s-port cs-version cs-method cs-uri{stream} sc-status s-siteid s-reason s-queuename"


@pytest.mark.parametrize(("generation", "api", "stream"), [("2007", "1.0", False), ("2012", "2.0", False), ("cb", "2.0", True)])
def test_httperr(generation: str, api: str, stream: bool) -> None:
    text = text_of(written([entry(REJECTED)], generation), "httperr1.log")
    no_stream = " -" if stream else ""
    assert text.split("\r\n") == [
        f"#Software: Microsoft HTTP API {api}",
        "#Version: 1.0",
        "#Date: 2007-08-06 17:54:32",
        f"#Fields: {HTTPERR_FIELDS.format(stream=' streamid' if stream else '')}",
        f"2007-08-06 17:54:32 10.1.0.10 50123 10.1.0.11 8530 HTTP/1.1 POST {API}{no_stream} 503 1 AppOffline WsusPool",
        (
            "2007-08-06 17:54:32 10.1.0.10 50123 10.1.0.11 8530 HTTP/1.1 POST /ClientWebService/Client.asmx"
            f"{no_stream} 503 1 AppOffline WsusPool"
        ),
        "",
    ]


@given(st.text(), st.text(), st.sampled_from(["2007", "2012", "cb"]), st.booleans())
def test_any_path_and_user_stay_in_their_fields(path: str, user: str, generation: str, truth: bool) -> None:
    files = written(
        [entry(served(Served(path, user, 200, 0, 0, 5))), entry(REJECTED._replace(paths=(path,), pool=path))],
        generation,
        truth=truth,
    )
    for name in ("ex070806.log" if generation == "2007" else "u_ex070806.log", "httperr1.log"):
        *header, row, end = text_of(files, name).split("\r\n")
        assert (len(header), end) == (4, "")
        assert len(row.split(" ")) == len(header[3].split()) - 1
