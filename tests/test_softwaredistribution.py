"""SoftwareDistribution.log: every event with its exact lines."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.events import (
    UpstreamCallFailed,
    WebServiceChecked,
    WsusServiceStarted,
    WsusServiceStopped,
    WsusSyncBegan,
    WsusSyncEnded,
    WsusSyncFinishFired,
    WsusSyncRequested,
)
from simulator.failures import (
    ConnectionRefused,
    HttpStatus,
    NameNotResolved,
    SynchronizationCanceled,
    TlsRefused,
    UpstreamTrouble,
)
from tests.writing import entry, text_of, truth_of, written

FILE = "SoftwareDistribution.log"
STAMP = "2007-08-06 17:54:32.699 UTC"
URL = "https://www.update.microsoft.com/v6/ServerSyncWebService/ServerSyncWebService.asmx"
HELPER = (
    "WebServiceCommunicationHelper.ProcessWebServiceProxyException\t"
    "ProcessWebServiceProxyException found Exception was WebException"
)
READ_RESPONSE = (
    "System.Web.Services.Protocols.SoapHttpClientProtocol.ReadResponse"
    "(SoapClientMessage message, WebResponse response, Stream responseStream, Boolean asyncCall)"
)
INVOKE = "System.Web.Services.Protocols.SoapHttpClientProtocol.Invoke(String methodName, Object[] parameters)"
EXECUTE = "Microsoft.UpdateServices.ServerSync.CatalogSyncAgentCore.ExecuteSyncProtocol(Boolean allowRedirect)"
PROCESS = "Microsoft.UpdateServices.ServerSync.CatalogSyncAgentCore.CatalogSyncThreadProcess()"
NAME = NameNotResolved("www.update.microsoft.com")
CHECK = (
    "Microsoft.UpdateServices.Internal.HealthMonitoring.HmtWebServices.CheckDssAuthWebService"
    "(EventLoggingType type, HealthEventLogger logger)"
)
REPORT = "EventLogEventReporter.ReportEvent"

CASES: list[tuple[Any, str, str, list[str]]] = [
    (
        WsusSyncRequested(58, "CONTOSO\\CS1SITE$"),
        "2012",
        "en",
        [f"{STAMP}\tChange\tw3wp.58\tAdminDataAccess.StartSubscriptionManually\tSynchronization manually started"],
    ),
    (
        WsusSyncBegan("manual", 15),
        "2012",
        "de",
        [
            (
                f"{STAMP}\tInfo\tWsusService.15\t{REPORT}\t"
                "EventId=382,Type=Information,Category=Synchronization,Message=A manual synchronization was started."
            )
        ],
    ),
    (
        WsusSyncBegan("scheduled", 10),
        "2007",
        "en",
        [
            (
                f"{STAMP}\tInfo\tWsusService.10\t{REPORT}\t"
                "EventId=381,Type=Information,Category=Synchronization,Message=A scheduled synchronization was started."
            )
        ],
    ),
    (
        WsusSyncEnded(None, 15),
        "cb",
        "en",
        [
            (
                f"{STAMP}\tInfo\tWsusService.15\t{REPORT}\t"
                "EventId=384,Type=Information,Category=Synchronization,Message=Synchronization completed successfully."
            )
        ],
    ),
    (
        WsusSyncEnded(UpstreamTrouble("UssCommunicationError", NAME), 15),
        "2007",
        "en",
        [
            (
                f"{STAMP}\tError\tWsusService.15\t{REPORT}\tEventId=386,Type=Error,Category=Synchronization,Message="
                "Synchronization failed. Reason: The remote name could not be resolved: 'www.update.microsoft.com'."
            )
        ],
    ),
    (
        WsusSyncEnded(UpstreamTrouble("UserCanceled", SynchronizationCanceled()), 15),
        "cb",
        "en",
        [
            (
                f"{STAMP}\tInfo\tWsusService.15\t{REPORT}\t"
                "EventId=387,Type=Information,Category=Synchronization,Message=Synchronization was canceled."
            )
        ],
    ),
    (
        WsusSyncFinishFired(15),
        "cb",
        "en",
        [f"{STAMP}\tInfo\tWsusService.15\tCatalogSyncAgent.SetSubscriptionStateWithRetry\tFiring event SyncFinish..."],
    ),
    (
        UpstreamCallFailed(URL, "GetCookie", HttpStatus(401, 2, 5), 1, retry=True, thread=27),
        "2007",
        "en",
        [
            (
                f"{STAMP}\tWarning\tWsusService.27\t{HELPER}. Action: Retry. Exception Details: "
                "System.Net.WebException: The request failed with HTTP status 401: Unauthorized."
            ),
            f"   at {READ_RESPONSE}",
            f"   at {INVOKE}",
            f"   at {EXECUTE}",
            f"   at {PROCESS}",
        ],
    ),
    (
        UpstreamCallFailed(URL, "GetCookie", NAME, 1, retry=False, thread=27),
        "cb",
        "de",
        [
            (
                f"{STAMP}\tError\tWsusService.27\t{HELPER} but Retry Limit Exceeded. Action: No Retry, Fail. Exception Details: "
                "System.Net.WebException: Der Remotename konnte nicht aufgelöst werden: 'www.update.microsoft.com'"
            ),
            "   bei System.Net.HttpWebRequest.GetRequestStream(TransportContext& context)",
            "   bei System.Net.HttpWebRequest.GetRequestStream()",
            f"   bei {INVOKE}",
            f"   bei {EXECUTE}",
            f"   bei {PROCESS}",
        ],
    ),
    (
        WebServiceChecked("DssAuth", ConnectionRefused("10.1.0.11", 80), 9),
        "2007",
        "en",
        [
            (
                f"{STAMP}\tError\tWsusService.9\tHmtWebServices.CheckDssAuthWebService\tDssAuth WebService WebException:"
                "System.Net.WebException: Unable to connect to the remote server ---> System.Net.Sockets.SocketException: "
                "No connection could be made because the target machine actively refused it 10.1.0.11:80"
            ),
            "   at System.Net.Sockets.Socket.DoConnect(EndPoint endPointSnapshot, SocketAddress socketAddress)",
            "   --- End of inner exception stack trace ---",
            "   at System.Net.HttpWebRequest.GetRequestStream()",
            f"   at {INVOKE}",
            f"   at {CHECK}",
            (
                f"{STAMP}\tError\tWsusService.9\t{REPORT}\t"
                "EventId=12052,Type=Error,Category=9,Message=The DSS Authentication Web Service is not working."
            ),
        ],
    ),
    (
        WebServiceChecked("Reporting", None, 9),
        "cb",
        "en",
        [
            (
                f"{STAMP}\tInfo\tWsusService.9\t{REPORT}\t"
                "EventId=12000,Type=Information,Category=9,Message=The Reporting Web Service is working correctly."
            )
        ],
    ),
    (WsusServiceStarted(resumed=True), "cb", "en", []),
    (
        WsusServiceStarted(resumed=False),
        "2007",
        "en",
        [
            (
                f"{STAMP}\tInfo\tWsusService.1\t{REPORT}\t"
                "EventId=501,Type=Information,Category=WsusService,Message=Update Services Service Started"
            )
        ],
    ),
    (
        WsusServiceStopped(),
        "2007",
        "en",
        [
            (
                f"{STAMP}\tInfo\tWsusService.1\t{REPORT}\t"
                "EventId=502,Type=Information,Category=WsusService,Message=Update Services Service Stopped"
            )
        ],
    ),
]


@pytest.mark.parametrize(("event", "generation", "language", "lines"), CASES, ids=lambda value: type(value).__name__)
def test_lines(event: Any, generation: str, language: str, lines: list[str]) -> None:
    files = written([entry(event)], generation, language=language)
    assert text_of(files, FILE) == "".join(f"{line}\r\n" for line in lines)


def test_lines_of_tls_name_the_inner_exception() -> None:
    files = written([entry(WebServiceChecked("Client", TlsRefused("x"), 9))], "cb")
    assert "   at System.Net.TlsStream.ProcessAuthentication(LazyAsyncResult result)\r\n" in text_of(files, FILE)


def test_a_stack_trace_is_one_truth_record() -> None:
    files = written([entry(UpstreamCallFailed(URL, "GetCookie", NAME, 1, retry=False, thread=27))], "cb", truth=True)
    ((text, record),) = truth_of(files, FILE)
    assert text + "\r\n" == text_of(files, FILE)
    assert (record.line, record.line_end) == (1, 6)
    assert (record.template, record.severity, record.thread) == ("softwaredistribution.call_failed", "error", 27)


@given(st.text())
def test_any_name_stays_in_its_record(name: str) -> None:
    reason = NameNotResolved(name)
    files = written(
        [
            entry(UpstreamCallFailed(URL, "GetCookie", reason, 1, retry=True, thread=7)),
            entry(WebServiceChecked("Client", reason, 7)),
        ],
        "2012",
    )
    lines = text_of(files, FILE).removesuffix("\r\n").split("\r\n")
    heads = [line for line in lines if not line.startswith("   ")]
    assert len(heads) == 3
    for line in heads:
        assert re.fullmatch(r"[\d-]{10} [\d:.]{12} UTC\t\w+\tWsusService\.7\t[\w.]+\t[^\t\r\n]*", line)
