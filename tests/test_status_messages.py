"""Status messages: the seed page's descriptions, both languages, records and viewer exports."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import simulator
from generators.catalogue import LANGUAGES, load
from generators.logs.status import describe
from generators.statmsg import severity_of
from simulator.events import ComponentStarted, Source, StatusReported
from simulator.failures import (
    CallTimedOut,
    ConnectionRefused,
    ConnectionTimedOut,
    HttpStatus,
    NameNotResolved,
    PermissionRefused,
    SynchronizationCanceled,
    UpstreamTrouble,
    WsusNotConfigured,
)
from simulator.versions import VERSIONS, version
from tests.writing import entry, text_of, truth_of, written

DATA = Path(__file__).parent / "data" / "seed"
E_FAIL = 2147500037
NAME = NameNotResolved("www.update.microsoft.com")
DO_SYNC, CONNECT, SYNC_WSUS = Source("DoSync"), Source("CreateUpdateServer"), Source("SyncWSUS")
ADMIN = "Microsoft.UpdateServices.Administration.AdminProxy.CreateUpdateServer"

SEED: dict[str, tuple[tuple[Any, ...], int]] = {
    "not-configured": ((DO_SYNC, WsusNotConfigured(3)), E_FAIL),
    "remote-name": ((SYNC_WSUS, UpstreamTrouble("UssCommunicationError", NAME)), E_FAIL),
    "unauthorized": ((CONNECT, HttpStatus(401, 2)), E_FAIL),
    "unable-to-connect": ((CONNECT, ConnectionRefused("10.1.0.11", 80)), 53),
    "dss-authentication": ((SYNC_WSUS, UpstreamTrouble("DssAuthenticationError", HttpStatus(401, 1))), 0),
}


def _normal(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


@pytest.mark.parametrize("name", SEED)
def test_german_descriptions_are_the_seed_pages(name: str) -> None:
    expected = (DATA / f"{name}.description.txt").read_text(encoding="utf-8")
    strings, os_error = SEED[name]
    assert _normal(describe(6703, strings, os_error, version("2007"), "de")) == _normal(expected)


DESCRIPTIONS: list[tuple[int, tuple[Any, ...], int, str, str, str]] = [
    (6701, (), 0, "2007", "en", "SMS WSUS Synchronization started."),
    (6701, (), 0, "cb", "en", "WSUS Synchronization started."),
    (6702, (), 0, "2012", "de", "WSUS-Synchronisierung abgeschlossen."),
    (
        6703,
        (DO_SYNC, WsusNotConfigured(3)),
        E_FAIL,
        "2007",
        "en",
        (
            "SMS WSUS Synchronization failed. Message: WSUS server not configured. Source: CWSyncMgr::DoSync."
            " The operating system reported error 2147500037: Unspecified error"
        ),
    ),
    (
        6703,
        (DO_SYNC, WsusNotConfigured(3)),
        E_FAIL,
        "2012",
        "en",
        (
            "WSUS Synchronization failed. Message: WSUS server not configured. Please refer to WCM.log for configuration error"
            " details.. Source: CWSyncMgr::DoSync. The operating system reported error 2147500037: Unspecified error"
        ),
    ),
    (
        6703,
        (CONNECT, ConnectionTimedOut("10.1.0.11", 80)),
        53,
        "2007",
        "en",
        (
            f"SMS WSUS Synchronization failed. Message: Unable to connect to the remote server. Source: {ADMIN}."
            " The operating system reported error 53: The network path was not found."
        ),
    ),
    (
        6703,
        (SYNC_WSUS, UpstreamTrouble("UssCommunicationError", NAME)),
        0,
        "cb",
        "en",
        (
            "WSUS Synchronization failed. Message: UssCommunicationError: WebException: The remote name could not be resolved:"
            " 'www.update.microsoft.com' at System.Net.HttpWebRequest.GetRequestStream(TransportContext& context). Source:"
            " Microsoft.SystemsManagementServer.SoftwareUpdatesManagement.WsusSyncAction.WSyncAction.SyncWSUS."
        ),
    ),
    (
        6703,
        (CONNECT, PermissionRefused("CONTOSO\\CS1SITE$")),
        0x8013150A,
        "cb",
        "en",
        (
            f"WSUS Synchronization failed. Message: Request for principal permission failed. Source: {ADMIN}."
            " The operating system reported error 2148734218: Security error."
        ),
    ),
    (
        6703,
        (SYNC_WSUS, UpstreamTrouble("UserCanceled", SynchronizationCanceled())),
        0,
        "2007",
        "de",
        (
            "Fehler bei SMS-WSUS-Synchronisierung. Meldung: UserCanceled: Die Synchronisierung wurde abgebrochen. Quelle:"
            " Microsoft.SystemsManagementServer.SoftwareUpdatesManagement.WSyncAction.WSyncAction.SyncWSUS."
        ),
    ),
    (
        6703,
        (Source("GetWebResponse"), CallTimedOut()),
        12345,
        "2012",
        "en",
        (
            "WSUS Synchronization failed. Message: The operation has timed out. Source:"
            " Microsoft.UpdateServices.Internal.DatabaseAccess.ApiRemotingCompressionProxy.GetWebResponse."
            " The operating system reported error 12345: Unspecified error"
        ),
    ),
    (6704, (), 0, "cb", "en", "WSUS Synchronization in progress. Current phase: Synchronizing WSUS Server."),
    (6705, (), 0, "2007", "en", "SMS WSUS Synchronization in progress. Current phase: Synchronizing SMS Database."),
    (
        7001,
        ("CS1SUP.CONTOSO.COM", "DssAuth, Client"),
        0,
        "2012",
        "en",
        (
            'Failures were reported on WSUS Server "CS1SUP.CONTOSO.COM" for WSUS components "DssAuth, Client".\n'
            "Solution: Verify that the failed WSUS components are installed and running."
        ),
    ),
]


@pytest.mark.parametrize(("message_id", "strings", "os_error", "generation", "language", "text"), DESCRIPTIONS)
def test_descriptions(message_id: int, strings: tuple[Any, ...], os_error: int, generation: str, language: str, text: str) -> None:
    assert describe(message_id, strings, os_error, version(generation), language) == text  # type: ignore[arg-type]


def _reported_ids() -> set[int]:
    folder = Path(simulator.__file__).parent / "components"
    code = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    return {int(found) for found in re.findall(r"\b(?:6[67]|70)\d\d\b", code)} - {7000 + n for n in range(100) if n > 4}


def test_everything_that_components_report_has_a_text() -> None:
    ids = _reported_ids()
    assert {6600, 6701, 6702, 6703, 6704, 6705, 7000, 7001, 7003} <= ids
    for message_id in ids:
        for generation in VERSIONS:
            for language in LANGUAGES:
                assert describe(message_id, (), 0, version(generation), language)


def test_severities_are_the_same_everywhere() -> None:
    for name, message in load("status").items():
        if name[0] == "m" and name[1:].isdigit():
            assert message.severity == severity_of(int(name[1:])), name


FAILED = StatusReported("SMS_WSUS_SYNC_MANAGER", 6703, (DO_SYNC, WsusNotConfigured(3)), E_FAIL)
ENTRIES = [
    entry(ComponentStarted("SMS_WSUS_SYNC_MANAGER", "CS1", 5364, 5220, resumed=True), host="CS1SITE"),
    entry(ComponentStarted("SMS_WSUS_CONTROL_MANAGER", "CS1", 1200, 8080, resumed=True), n=2),
    entry(FAILED, host="CS1SITE", n=3),
    entry(StatusReported("SMS_WSUS_CONTROL_MANAGER", 7001, ("CS1SUP.CONTOSO.COM", "Client")), n=4),
    entry(StatusReported("SMS_WSUS_SYNC_MANAGER", 6704, (), 0, 5408), host="CS1SITE", n=5),
]


@pytest.mark.parametrize("os_language", LANGUAGES)
def test_records(os_language: str) -> None:
    text = text_of(written(ENTRIES, "2007", language=os_language), "StatusMessages.jsonl", "CS1SITE")
    first, second, third = text.splitlines()
    message = "WSUS server not configured"
    assert first == (
        '{"id":6703,"severity":"error","component":"SMS_WSUS_SYNC_MANAGER","system":"CS1SITE","site":"CS1",'
        '"time":"2007-08-06T17:54:32.699Z","pid":5364,"tid":5220,"strings":["CWSyncMgr::DoSync",'
        f'"{message}","","","","","","","",""],"os_error":2147500037}}'
    )
    assert json.loads(second)["system"] == "CS1SUP"
    assert (json.loads(third)["pid"], json.loads(third)["tid"]) == (5364, 5408)


def test_viewer_exports_in_both_languages() -> None:
    files = written(ENTRIES, "2007", language="de")
    assert files["logs/CS1SITE/StatusMessages/StatusMessages_en.txt"].startswith(b"\xef\xbb\xbfSeverity\t")
    assert text_of(files, "StatusMessages_en.txt", "CS1SITE").split("\r\n") == [
        "Severity\tType\tSite code\tDate / Time\tSystem\tComponent\tMessage ID\tDescription",
        (
            "Error\tMilestone\tCS1\t8/6/2007 7:54:32 PM\tCS1SITE\tSMS_WSUS_SYNC_MANAGER\t6703\t"
            "SMS WSUS Synchronization failed. Message: WSUS server not configured. Source: CWSyncMgr::DoSync."
            " The operating system reported error 2147500037: Unspecified error"
        ),
        (
            "Error\tMilestone\tCS1\t8/6/2007 7:54:32 PM\tCS1SUP\tSMS_WSUS_CONTROL_MANAGER\t7001\tFailures were reported on"
            ' WSUS Server "CS1SUP.CONTOSO.COM" for WSUS components "Client".'
            " Solution: Verify that the failed WSUS components are installed and running."
        ),
        (
            "Information\tMilestone\tCS1\t8/6/2007 7:54:32 PM\tCS1SITE\tSMS_WSUS_SYNC_MANAGER\t6704\t"
            "SMS WSUS Synchronization in progress. Current phase: Synchronizing WSUS Server."
        ),
        "",
    ]
    german = text_of(files, "StatusMessages_de.txt", "CS1SITE").split("\r\n")
    assert german[:2] == [
        "Schweregrad\tTyp\tStandortcode\tDatum/Uhrzeit\tSystem\tKomponente\tMeldungs-ID\tBeschreibung",
        (
            "Fehler\tMeilenstein\tCS1\t06.08.2007 19:54:32\tCS1SITE\tSMS_WSUS_SYNC_MANAGER\t6703\t"
            "Fehler bei SMS-WSUS-Synchronisierung. Meldung: Der WSUS-Server ist nicht konfiguriert. Quelle: CWSyncMgr::DoSync."
            " Das Betriebssystem meldet Fehler 2147500037: Unbekannter Fehler"
        ),
    ]


@pytest.mark.parametrize("name", ["StatusMessages.jsonl", "StatusMessages_en.txt", "StatusMessages_de.txt"])
def test_truth(name: str) -> None:
    files = written(ENTRIES, "cb", truth=True)
    found = truth_of(files, name, "CS1SITE")
    lines = text_of(files, name, "CS1SITE").splitlines()
    assert [text for text, _ in found] == lines[-3:]
    assert [(record.template, record.severity, record.component, record.thread) for _, record in found] == [
        ("status.m6703", "error", "SMS_WSUS_SYNC_MANAGER", 5220),
        ("status.m7001", "error", "SMS_WSUS_CONTROL_MANAGER", 8080),
        ("status.m6704", "info", "SMS_WSUS_SYNC_MANAGER", 5408),
    ]


@given(st.text(), st.text())
def test_any_insertion_string_stays_in_its_record(server: str, components: str) -> None:
    report = StatusReported("SMS_WSUS_CONTROL_MANAGER", 7001, (server, components), E_FAIL)
    files = written([entry(report), entry(FAILED, host="CS1SITE")], "cb")
    records = text_of(files, "StatusMessages.jsonl", "CS1SITE").removesuffix("\n").split("\n")
    assert [json.loads(record)["id"] for record in records] == [7001, 6703]
    for language in LANGUAGES:
        rows = text_of(files, f"StatusMessages_{language}.txt", "CS1SITE").removesuffix("\r\n").split("\r\n")
        assert [len(row.split("\t")) for row in rows] == [8, 8, 8]
