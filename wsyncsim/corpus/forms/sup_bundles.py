"""Bundles for CMTrace Open's software update point reducer: a manifest, what is expected, and evidence.

That reducer accepts only marked synthetic records: each file says ``SYNTHETIC FIXTURE; Phase=...`` in the client form of the
log, for the site LAB with offset zero. So a bundle is no copy of our logs. It tells one synchronization run of ours in that
contract's words: what came of the run, and when each phase of it was done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from scenarios.truth import stamp
from simulator.clock import utc
from simulator.events import DatabaseSynced, SyncFailed, SyncStarted, SyncSucceeded, WsusSynced
from simulator.failures import WsusNotConfigured
from simulator.journal import Entry
from simulator.units import MS, SECOND
from wsyncsim.corpus.forms import Form
from wsyncsim.corpus.play import PlayedRun

PHASES: Final = ("configure", "synchronize", "importOrProcessMetadata", "validateWsus", "publishAvailability", "healthyOrTerminal")
_SUFFIXES: Final = ("configure", "synchronize", "import", "validate", "publish", "terminal")
_PROFILE: Final = "sup-server-5.00.test-v1"
_SITE: Final = "LAB"
_SUP: Final = "safe:sup:lab-sup-01"
_WSUS: Final = "safe:wsus:lab-wsus-01"
_SITE_SERVER: Final = "safe:server:lab-pri-01"
_CONTRACT: Final = "proposedPendingReviewed318And335"
_HANDOFF: Final = {"issue": "#333", "performed": False, "timeOnlyEligible": False}
"""Values that the contract fixes."""
_BYTE_LIMIT: Final = 65_536

Disposition = Literal["succeeded", "failed", "retrying"]


@dataclass(frozen=True, slots=True)
class _Log:
    """A file of the contract."""

    suffix: str
    basename: str
    role: str
    handle: str
    folder: str
    source: str
    component: str


_WCM: Final = _Log("01-wcm", "WCM.log", "siteServer", _SITE_SERVER, "site", "Site", "WCM")
_WSYNC: Final = _Log("02-wsync", "wsyncmgr.log", "siteServer", _SITE_SERVER, "site", "Site", "SMS_WSUS_SYNC_MANAGER")
_CTRL: Final = _Log("03-wsus", "WSUSCtrl.log", "softwareUpdatePoint", _SUP, "sup", "SUP", "SMS_WSUS_CONTROL_MANAGER")
_FILE_OF: Final = (_WCM, _WSYNC, _WSYNC, _CTRL, _WSYNC, _CTRL)
"""Which file tells of each phase."""


@dataclass(frozen=True, slots=True)
class _Observation:
    """A phase of a run."""

    phase: int
    at: int
    disposition: Disposition
    terminal: bool


class SupBundles(Form):
    """``sup-bundles/<shard>/<run>/``: the first run of the top-level site that failed, or else the first that succeeded."""

    name: ClassVar[str] = "sup-bundles"

    def end(self, run: PlayedRun) -> None:
        found = _observed(run)
        if found:
            self._put(run, f"sup-bundles/{self.shard.name}/{run.id}", found)

    def _put(self, run: PlayedRun, folder: str, observations: list[_Observation]) -> None:
        scenario = f"wsyncsim-{run.id}"
        sync = f"sync-{run.id}"
        lines: dict[_Log, list[str]] = {}
        observed = []
        for number, each in enumerate(observations, 1):
            log = _FILE_OF[each.phase]
            lines.setdefault(log, []).append(_line(log, each, sync, len(lines[log]) + 1 if log in lines else 1))
            evidence = {"artifactId": f"{scenario}-{log.suffix}", "startLine": len(lines[log]), "endLine": len(lines[log])}
            observed.append(
                {
                    "observationId": f"{sync}-{number:02}-{_SUFFIXES[each.phase]}",
                    "phase": PHASES[each.phase],
                    "disposition": each.disposition,
                    "terminal": each.terminal,
                    "evidence": [evidence],
                }
            )
        logs = sorted(lines, key=lambda log: log.suffix)
        collected = stamp(run.story.end_at)[:19] + "Z"
        artifacts = []
        for log in logs:
            data = "".join(lines[log]).encode()
            path = f"evidence/server-sup-sync/{log.folder}/current/{log.basename}"
            self.put(f"{folder}/{path}", data)
            artifacts.append(_artifact(log, scenario, path, len(data), collected))
        roles = sorted({"siteServer", "softwareUpdatePoint", "wsUs"})
        manifest = {
            "sccmManifestVersion": 1,
            "proposalOnly": True,
            "syntheticFixture": True,
            "scenario": scenario,
            "bundle": {"bundleRole": "server", "workflow": "softwareUpdatePoint", "capturedUtc": collected},
            "topology": {"siteCode": _SITE, "supHandle": _SUP, "wsusHandle": _WSUS, "rolesObserved": roles},
            "artifacts": artifacts,
        }
        self.put_json(f"{folder}/manifest.json", manifest)
        coverage = [{"artifactId": artifact["artifactId"], "state": "captured"} for artifact in artifacts]
        self.put_json(f"{folder}/expected.json", _expected(scenario, sync, coverage, observations[-1], observed))


def _observed(run: PlayedRun) -> list[_Observation]:
    """The phases of the run that is told, in the contract's order."""
    top = run.story.estate.top.code
    syncs: dict[str, list[Entry]] = {}
    for entry in run.steps:
        assert entry.run is not None
        if entry.run.startswith(f"{top}-"):
            syncs.setdefault(entry.run, []).append(entry)
    for kind in (SyncFailed, SyncSucceeded):
        for entries in syncs.values():
            if any(isinstance(entry.event, kind) for entry in entries):
                return _phases(entries)
    return []


def _phases(entries: list[Entry]) -> list[_Observation]:
    """What came of a run; its instants are those of the simulation, a millisecond apart where one tells of two phases."""
    at = {type(entry.event): entry.at for entry in entries}
    began = at[SyncStarted]
    failed = next((entry for entry in entries if isinstance(entry.event, SyncFailed)), None)
    if failed is not None and isinstance(failed.event.reason, WsusNotConfigured):
        return [_Observation(0, failed.at, "failed", True)]
    passed = _Observation(0, began, "succeeded", False)
    if failed is not None:
        return [passed, _Observation(1, max(failed.at, began + MS), "retrying", False)]
    wsus, database, done = at.get(WsusSynced, began + MS), at.get(DatabaseSynced, began + 2 * MS), at[SyncSucceeded]
    instants = [began, wsus, database, database + MS, done, done + MS]
    for number in range(1, len(instants)):
        instants[number] = max(instants[number], instants[number - 1] + MS)
    return [_Observation(phase, instants[phase], "succeeded", phase == len(PHASES) - 1) for phase in range(len(PHASES))]


def _line(log: _Log, observation: _Observation, sync: str, number: int) -> str:
    local = utc(observation.at)
    kind = {"succeeded": 1, "retrying": 2, "failed": 3}[observation.disposition]
    fields = (
        f"SYNTHETIC FIXTURE; Phase={PHASES[observation.phase]}; Disposition={observation.disposition}; "
        f"Terminal={str(observation.terminal).lower()}; SyncRunId={sync}; SiteCode={_SITE}; SupHandle={_SUP}; ProfileId={_PROFILE}"
    )
    millis = observation.at % SECOND // MS
    return (
        f'<![LOG[{fields}]LOG]!><time="{local:%H:%M:%S}.{millis:03}+000" date="{local.month}-{local.day}-{local.year}" '
        f'component="{log.component}" context="" type="{kind}" thread="100" '
        f'file="{log.basename.removesuffix(".log").lower()}.cpp:{number}">\n'
    )


def _artifact(log: _Log, scenario: str, path: str, size: int, collected: str) -> dict[str, Any]:
    name = f"{scenario}-{log.suffix.partition('-')[2]}"
    return {
        "artifactId": f"{scenario}-{log.suffix}",
        "sourceId": "server-sup-sync",
        "producerRole": log.role,
        "producerHostHandle": log.handle,
        "workflowSubjectRole": "softwareUpdatePoint",
        "workflowSubjectHandle": _SUP,
        "sourceKind": "ccmLog",
        "originalBasename": log.basename,
        "sanitizedSourcePath": f"SYNTHETIC://configured-root/{log.source}/Logs/{log.basename}",
        "pathFingerprint": f"synthetic:{name}",
        "rotation": {"kind": "current", "lineageId": name, "fragmentComplete": True},
        "captureState": "captured",
        "sourceVersion": "5.00.TEST.0001",
        "collectedUtc": collected,
        "encoding": "utf-8",
        "collectionLimit": {"byteLimit": _BYTE_LIMIT, "limitApplied": False},
        "bytesCopied": size,
        "relativePath": path,
    }


def _expected(
    scenario: str, sync: str, coverage: list[dict[str, Any]], last: _Observation, observed: list[dict[str, Any]]
) -> dict[str, Any]:
    state, classification, confidence = {
        "succeeded": ("succeeded", "success", "high"),
        "retrying": ("deferred", "blockedOrDeferred", "medium"),
        "failed": ("failed", "confirmedFailure", "high"),
    }[last.disposition]
    reached = [each["phase"] for each in observed if each["disposition"] == "succeeded"]
    key = {
        "syncRunId": sync,
        "siteCode": _SITE,
        "supHandle": _SUP,
        "updateId": None,
        "kbId": None,
        "confidence": "exact",
        "extractionProfileId": _PROFILE,
    }
    transaction = {
        "transactionId": f"sup:{sync}:{_SITE}:{_SUP}",
        "key": key,
        "topologyCompatibility": "exact",
        "correlationEligible": True,
        "state": state,
        "classification": classification,
        "confidence": confidence,
        "confidenceCeiling": confidence,
        "lastSuccessfulPhase": reached[-1] if reached else None,
        "nextSourceId": None,
        "coverageGapArtifactIds": [],
        "observations": observed,
    }
    return {
        "contractState": _CONTRACT,
        "workflow": "softwareUpdatePoint",
        "scenario": scenario,
        "stateChain": list(PHASES),
        "analysisContract": {
            "independentReducer": True,
            "consumesClientOutput": False,
            "crossSideCorrelationPerformed": False,
        },
        "extractionProfile": {
            "selectionState": "selectedSynthetic",
            "profileId": _PROFILE,
            "validatedRole": "softwareUpdatePoint",
        },
        "roleAssessment": {
            "softwareUpdatePointObserved": True,
            "roleAbsentInferred": False,
            "missingDefaultPathInterpretation": "sourceCoverageOnly",
        },
        "coverage": coverage,
        "transactions": [transaction],
        "sourceLocalObservations": [],
        "artifactRequests": [],
        "clientCausalClaims": [],
        "correlationHandoff": _HANDOFF,
    }
