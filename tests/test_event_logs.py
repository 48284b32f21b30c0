"""Windows event logs: exact events of every generation in both languages, as XML and as text."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.catalogue import LANGUAGES
from simulator.events import (
    LogonFailed,
    ServiceStateChanged,
    Source,
    StatusReported,
    WebServiceChecked,
    WsusServiceStarted,
    WsusServiceStopped,
    WsusSyncBegan,
    WsusSyncEnded,
)
from simulator.failures import HttpStatus, NameNotResolved, SynchronizationCanceled, UpstreamTrouble, WsusNotConfigured
from simulator.units import SECOND
from simulator.versions import VERSIONS
from tests.writing import EVENING, entry, text_of, truth_of, written

E_FAIL = 2147500037
NS = "{http://schemas.microsoft.com/win/2004/08/events/event}"
HEAD = "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
NAME = NameNotResolved("www.update.microsoft.com")
FAILED = UpstreamTrouble("UssCommunicationError", NAME)
NOT_CONFIGURED = StatusReported("SMS_WSUS_SYNC_MANAGER", 6703, (Source("DoSync"), WsusNotConfigured(3)), E_FAIL)
READ_RESPONSE = (
    "System.Web.Services.Protocols.SoapHttpClientProtocol.ReadResponse"
    "(SoapClientMessage message, WebResponse response, Stream responseStream, Boolean asyncCall)"
)

TEXTS: list[tuple[str, Any, str, str, str]] = [
    ("Application", WsusSyncBegan("manual", 5), "cb", "en", "A manual synchronization was started."),
    ("Application", WsusSyncBegan("scheduled", 5), "2007", "de", "Eine geplante Synchronisierung wurde gestartet."),
    ("Application", WsusSyncEnded(None, 5), "2012", "en", "Synchronization completed successfully."),
    (
        "Application",
        WsusSyncEnded(FAILED, 5),
        "2007",
        "en",
        "Synchronization failed. Reason: The remote name could not be resolved: 'www.update.microsoft.com'.",
    ),
    (
        "Application",
        WsusSyncEnded(FAILED, 5),
        "2007",
        "de",
        "Fehler bei der Synchronisierung. Ursache: Der Remotename konnte nicht aufgelöst werden: 'www.update.microsoft.com'.",
    ),
    (
        "Application",
        WsusSyncEnded(UpstreamTrouble("UserCanceled", SynchronizationCanceled()), 5),
        "cb",
        "en",
        "Synchronization was canceled.",
    ),
    ("Application", WsusServiceStarted(resumed=False), "cb", "en", "Update Services Service Started"),
    ("Application", WsusServiceStopped(), "cb", "en", "Update Services Service Stopped"),
    (
        "Application",
        WebServiceChecked("ApiRemoting", HttpStatus(401), 5),
        "2007",
        "en",
        "The API Remoting Web Service is not working.",
    ),
    (
        "Application",
        WebServiceChecked("DssAuth", HttpStatus(401), 5),
        "cb",
        "en",
        (
            "The DSS Authentication Web Service is not working.\r\n"
            "System.Net.WebException: The request failed with HTTP status 401: Unauthorized.\r\n"
            f"   at {READ_RESPONSE}\r\n"
            "   at System.Web.Services.Protocols.SoapHttpClientProtocol.Invoke(String methodName, Object[] parameters)\r\n"
            "   at Microsoft.UpdateServices.Internal.HealthMonitoring.HmtWebServices.CheckDssAuthWebService"
            "(EventLoggingType type, HealthEventLogger logger)"
        ),
    ),
    ("Application", WebServiceChecked("Client", None, 5), "cb", "de", "Der Clientwebdienst funktioniert ordnungsgemäß."),
    (
        "Application",
        NOT_CONFIGURED,
        "2007",
        "en",
        (
            "On 8/6/2007 7:54:32 PM, component SMS_WSUS_SYNC_MANAGER on computer CS1SUP reported:  SMS WSUS Synchronization failed."
            " Message: WSUS server not configured. Source: CWSyncMgr::DoSync."
            " The operating system reported error 2147500037: Unspecified error"
        ),
    ),
    (
        "Application",
        StatusReported("SMS_WSUS_CONTROL_MANAGER", 7001, ("CS1SUP.CONTOSO.COM", "Client")),
        "cb",
        "de",
        (
            "Am 06.08.2007 19:54:32 meldete Komponente SMS_WSUS_CONTROL_MANAGER auf Computer CS1SUP.CONTOSO.COM:  "
            'Auf dem WSUS-Server "CS1SUP.CONTOSO.COM" wurden Fehler der WSUS-Komponenten "Client" gemeldet.\r\n'
            "Lösung: Vergewissern Sie sich, dass die fehlerhaften WSUS-Komponenten installiert sind und ausgeführt werden."
        ),
    ),
    (
        "System",
        ServiceStateChanged("W3SVC", "stopped"),
        "2007",
        "en",
        "The World Wide Web Publishing Service service entered the stopped state.",
    ),
    (
        "System",
        ServiceStateChanged("W3SVC", "stopped"),
        "2007",
        "de",
        'Dienst "WWW-Publishingdienst" befindet sich jetzt im Status "Beendet".',
    ),
    (
        "System",
        ServiceStateChanged("IISADMIN", "running"),
        "2007",
        "de",
        'Dienst "IIS-Administratordienst" befindet sich jetzt im Status "Wird ausgeführt".',
    ),
    (
        "System",
        ServiceStateChanged("WsusService", "running"),
        "2007",
        "en",
        "The Update Services service entered the running state.",
    ),
    ("System", ServiceStateChanged("WsusService", "running"), "cb", "en", "The WSUS Service service entered the running state."),
    (
        "System",
        ServiceStateChanged("WsusService", "stopped"),
        "cb",
        "de",
        'Der Dienst "WSUS-Dienst" befindet sich jetzt im Status "Beendet".',
    ),
    (
        "System",
        ServiceStateChanged("SMS_EXECUTIVE", "running"),
        "2012",
        "en",
        "The SMS_EXECUTIVE service entered the running state.",
    ),
]


@pytest.mark.parametrize(("log", "event", "generation", "language", "text"), TEXTS)
def test_texts(log: str, event: Any, generation: str, language: str, text: str) -> None:
    files = written([entry(event)], generation, language=language)
    root = ET.fromstring(text_of(files, f"{log}.xml"))
    assert [message.text for message in root.iter(f"{NS}Message")] == [text.replace("\r\n", "\n")]
    printed = text_of(files, f"{log}.txt")
    assert printed.startswith("Event[0]:\r\n")
    assert printed.partition("  Description:\r\n")[2] == f"{text}\r\n\r\n"


SCM = "Service Control Manager"
XML_CASES: list[tuple[str, Any, str, str, str]] = [
    (
        "Application",
        WsusSyncBegan("manual", 5),
        "2012",
        "en",
        (
            f"{HEAD}<Provider Name='Windows Server Update Services'/><EventID Qualifiers='0'>382</EventID><Level>4</Level>"
            "<Task>2</Task><Keywords>0x80000000000000</Keywords><TimeCreated SystemTime='2007-08-06T17:54:32.000000000Z'/>"
            "<EventRecordID>{record}</EventRecordID><Channel>Application</Channel><Computer>CS1SUP.contoso.com</Computer>"
            "<Security/></System><EventData><Data>A manual synchronization was started.</Data></EventData>"
            "<RenderingInfo Culture='en-US'><Message>A manual synchronization was started.</Message><Level>Information</Level>"
            "<Task></Task><Opcode>Info</Opcode><Channel></Channel><Provider></Provider>"
            "<Keywords><Keyword>Classic</Keyword></Keywords></RenderingInfo></Event>"
        ),
    ),
    (
        "Application",
        NOT_CONFIGURED,
        "cb",
        "en",
        (
            f"{HEAD}<Provider Name='SMS Server'/><EventID Qualifiers='49152'>6703</EventID><Level>2</Level><Task>79</Task>"
            "<Keywords>0x80000000000000</Keywords><TimeCreated SystemTime='2007-08-06T17:54:32.699000000Z'/>"
            "<EventRecordID>{record}</EventRecordID><Channel>Application</Channel><Computer>CS1SUP.contoso.com</Computer>"
            "<Security/></System><EventData><Data>CWSyncMgr::DoSync</Data>"
            "<Data>WSUS server not configured. Please refer to WCM.log for configuration error details.</Data>"
            "<Data>On 8/6/2007 7:54:32 PM, component SMS_WSUS_SYNC_MANAGER on computer CS1SUP.CONTOSO.COM reported:  </Data>"
            "<Data> The operating system reported error 2147500037: Unspecified error</Data></EventData>"
            "<RenderingInfo Culture='en-US'><Message>On 8/6/2007 7:54:32 PM, component SMS_WSUS_SYNC_MANAGER on computer"
            " CS1SUP.CONTOSO.COM reported:  WSUS Synchronization failed. Message: WSUS server not configured."
            " Please refer to WCM.log for configuration error details.. Source: CWSyncMgr::DoSync."
            " The operating system reported error 2147500037: Unspecified error</Message><Level>Error</Level>"
            "<Task>SMS_WSUS_SYNC_MANAGER</Task><Opcode>Info</Opcode><Channel></Channel><Provider></Provider>"
            "<Keywords><Keyword>Classic</Keyword></Keywords></RenderingInfo></Event>"
        ),
    ),
    (
        "System",
        ServiceStateChanged("W3SVC", "running"),
        "2007",
        "de",
        (
            f"{HEAD}<Provider Name='{SCM}'/><EventID Qualifiers='16384'>7036</EventID><Level>4</Level><Task>0</Task>"
            "<Keywords>0x80000000000000</Keywords><TimeCreated SystemTime='2007-08-06T17:54:32.000000000Z'/>"
            "<EventRecordID>{record}</EventRecordID><Channel>System</Channel><Computer>CS1SUP</Computer><Security/></System>"
            "<EventData><Data>WWW-Publishingdienst</Data><Data>Wird ausgeführt</Data></EventData>"
            "<RenderingInfo Culture='de-DE'>"
            '<Message>Dienst "WWW-Publishingdienst" befindet sich jetzt im Status "Wird ausgeführt".</Message>'
            "<Level>Informationen</Level><Task></Task><Opcode></Opcode><Channel></Channel>"
            f"<Provider>Microsoft-Windows-{SCM}</Provider>"
            "<Keywords><Keyword>Klassisch</Keyword></Keywords></RenderingInfo></Event>"
        ),
    ),
    (
        "System",
        ServiceStateChanged("W3SVC", "stopped"),
        "2012",
        "en",
        (
            f"{HEAD}<Provider Name='{SCM}' Guid='{{555908d1-a6d7-4695-8e1e-26931d2012f4}}' EventSourceName='{SCM}'/>"
            "<EventID Qualifiers='16384'>7036</EventID><Version>0</Version><Level>4</Level><Task>0</Task><Opcode>0</Opcode>"
            "<Keywords>0x8080000000000000</Keywords><TimeCreated SystemTime='2007-08-06T17:54:32.699000000Z'/>"
            "<EventRecordID>{record}</EventRecordID><Correlation/><Execution ProcessID='{pid}' ThreadID='{tid}'/>"
            "<Channel>System</Channel><Computer>CS1SUP.contoso.com</Computer><Security/></System>"
            "<EventData><Data Name='param1'>World Wide Web Publishing Service</Data><Data Name='param2'>stopped</Data>"
            "<Binary>570033005300560043002F0031000000</Binary></EventData><RenderingInfo Culture='en-US'>"
            "<Message>The World Wide Web Publishing Service service entered the stopped state.</Message><Level>Information</Level>"
            f"<Task></Task><Opcode></Opcode><Channel></Channel><Provider>Microsoft-Windows-{SCM}</Provider>"
            "<Keywords><Keyword>Classic</Keyword></Keywords></RenderingInfo></Event>"
        ),
    ),
]


@pytest.mark.parametrize(("log", "event", "generation", "language", "line"), XML_CASES)
def test_xml(log: str, event: Any, generation: str, language: str, line: str) -> None:
    text = text_of(written([entry(event)], generation, language=language), f"{log}.xml")
    system = ET.fromstring(text)[0][0]
    execution = system.find(f"{NS}Execution")
    expected = (
        line.replace("{record}", system.findtext(f"{NS}EventRecordID", ""))
        .replace("{pid}", execution.get("ProcessID", "") if execution is not None else "")
        .replace("{tid}", execution.get("ThreadID", "") if execution is not None else "")
    )
    assert text == f"<Events>\r\n{expected}\r\n</Events>\r\n"


def test_text_form() -> None:
    text = text_of(written([entry(ServiceStateChanged("W3SVC", "stopped"))], "cb"), "System.txt")
    assert text.split("\r\n") == [
        "Event[0]:",
        "  Log Name: System",
        "  Source: Service Control Manager",
        "  Date: 2007-08-06T19:54:32.699",
        "  Event ID: 7036",
        "  Task: N/A",
        "  Level: Information",
        "  Opcode: N/A",
        "  Keyword: Classic",
        "  User: N/A",
        "  User Name: N/A",
        "  Computer: CS1SUP.contoso.com",
        "  Description:",
        "The World Wide Web Publishing Service service entered the stopped state.",
        "",
        "",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("generation", "event_id"), [("2007", "529"), ("2012", "4625"), ("cb", "4625")])
def test_refused_logons(generation: str, event_id: str, language: str) -> None:
    events = [LogonFailed("CONTOSO\\CS1SITE$", "10.1.0.10"), LogonFailed("IUSR", "10.1.0.10")]
    files = written([entry(event) for event in events], generation, language=language)
    found = ET.fromstring(text_of(files, "Security.xml"))
    assert [system.findtext(f"{NS}EventID") for system in found.iter(f"{NS}System")] == [event_id] * 2
    assert {word.text for word in found.iter(f"{NS}Keyword")} == {
        "Audit Failure" if language == "en" else "Überwachung gescheitert"
    }
    first, second = ([data.text for data in event.iter(f"{NS}Data")] for event in found)
    assert {"CS1SITE$", "CONTOSO", "10.1.0.10", "NtLmSsp "} <= set(first)
    assert {"IUSR", "CS1SUP", "Advapi  "} <= set(second)
    printed = text_of(files, "Security.txt")
    assert ("\tCS1SITE$\r\n" in printed, printed.count("  Event ID: ")) == (True, 2)


def test_events_are_numbered() -> None:
    events = (ServiceStateChanged("W3SVC", "stopped"), ServiceStateChanged("W3SVC", "running"))
    entries = [entry(event, at=EVENING + n * SECOND) for n, event in enumerate(events)]
    files = written(entries, "cb", truth=True)
    first, second = (int(found.text or "") for found in ET.fromstring(text_of(files, "System.xml")).iter(f"{NS}EventRecordID"))
    assert second == first + 1
    assert text_of(files, "System.txt").count("Event[1]:") == 1
    for name in ("System.xml", "System.txt"):
        found = truth_of(files, name)
        assert [(record.template, record.component) for _, record in found] == [
            ("eventlog.service_state", "Service Control Manager")
        ] * 2
        assert [("stopped" in text, "running" in text) for text, _ in found] == [(True, False), (False, True)]
    assert [record.line for _, record in truth_of(files, "System.xml")] == [2, 3]


def test_what_is_no_event() -> None:
    entries = [entry(WsusServiceStarted(resumed=True)), entry(StatusReported("SMS_WSUS_SYNC_MANAGER", 6701), host="CS1SITE")]
    assert not [path for path in written(entries, "cb") if "EventLogs" in path]


_services = st.one_of(st.text(), st.sampled_from(["W3SVC", "<&'\">", "]]>", "a\r\nEvent[7]:"]))


@given(_services, st.sampled_from(sorted(VERSIONS)), st.sampled_from(LANGUAGES))
def test_any_text_stays_in_its_event(name: str, generation: str, language: str) -> None:
    entries = [
        entry(ServiceStateChanged(name, "stopped")),
        entry(ServiceStateChanged("W3SVC", "running")),
        entry(LogonFailed(name, name)),
        entry(StatusReported("SMS_WSUS_CONTROL_MANAGER", 7001, (name, name), E_FAIL)),
        entry(WebServiceChecked("Client", NameNotResolved(name), 5)),
    ]
    files = written(entries, generation, language=language)
    for log, count in (("System", 2), ("Security", 1), ("Application", 2)):
        assert len(ET.fromstring(text_of(files, f"{log}.xml"))) == count
        lines = text_of(files, f"{log}.txt").split("\r\n")
        assert [line for line in lines if line.startswith("Event[")] == [f"Event[{n}]:" for n in range(count)]
