"""What a scored tool is told: a table, JSON, JUnit."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from typing import TYPE_CHECKING, Any, Final

from wsyncsim.suite.case import FORMATS, SUITE_VERSION
from wsyncsim.suite.score import LEVELS, CaseScore, Level, Score, Share
from wsyncsim.words import word

if TYPE_CHECKING:
    from rich.table import Table

REPORT_SCHEMA: Final = "wsyncsim-suite-report/1"
SHOWN: Final = 12
"""Cases that the table's list shows, of those that missed a level."""
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def level_table(score: Score, language: str) -> Table:
    """A row for every level: percent and number of cases that reached it, and the percent of each format."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for column in ("level", "percent", "cases"):
        table.add_column(word("suite", column, language), justify="left" if column == "level" else "right")
    for name in FORMATS:
        table.add_column(name, justify="right")
    table.add_column(word("suite", "what", language))
    formats = [score.of_format(name) for name in FORMATS]
    for level, share in score.shares.items():
        style = "dim" if not share.offered else ("green" if share.passed == share.total else "red")
        shown = [_percent(shares[level]) if share.offered else "-" for shares in formats]
        percent = _percent(share) if share.offered else word("suite", "not offered", language)
        table.add_row(level, percent, f"{share.passed}/{share.total}", *shown, word("suite", f"is_{level}", language), style=style)
    return table


def _percent(share: Share) -> str:
    return f"{share.percent:.1f}" if share.total else "-"


def missed(score: Score) -> list[tuple[CaseScore, Level, str]]:
    """The first level that each case missed, of those that are offered, and why."""
    offered = {level for level, share in score.shares.items() if share.offered}
    found = []
    for case in score.cases:
        level = next((level for level in LEVELS if level in offered and not case.levels.get(level, True)), None)
        if level is not None:
            found.append((case, level, case.reasons[level]))
    return found


def behaviours(score: Score) -> dict[str, str]:
    """What the tool does where nobody has decided: case -> alternative."""
    return {case.case.id: case.behaviour for case in score.cases if case.behaviour}


def report(score: Score, command: str) -> dict[str, Any]:
    """Everything, for machines."""
    return {
        "schema": REPORT_SCHEMA,
        "suite": SUITE_VERSION,
        "command": command,
        "levels": _levels(score.shares),
        "formats": {name: _levels(score.of_format(name)) for name in FORMATS},
        "cases": [
            {
                "id": case.case.id,
                "levels": case.levels,
                "reasons": case.reasons,
                **({"behaviour": case.behaviour} if case.behaviour else {}),
                "took_ms": round(case.took_s * 1000),
            }
            for case in score.cases
        ],
    }


def _levels(shares: dict[Level, Share]) -> dict[str, Any]:
    return {
        level: {"passed": share.passed, "total": share.total, "percent": round(share.percent, 2), "offered": share.offered}
        for level, share in shares.items()
    }


def report_json(score: Score, command: str) -> bytes:
    return (json.dumps(report(score, command), ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def junit(score: Score) -> bytes:
    """JUnit XML: a test per case and level; levels that are not offered are skipped."""
    offered = {level for level, share in score.shares.items() if share.offered}
    suite = ElementTree.Element("testsuite", name=f"wsyncsim-suite {SUITE_VERSION}")
    counts = {"tests": 0, "failures": 0, "skipped": 0, "errors": 0}
    for case in score.cases:
        for level, passed in case.levels.items():
            counts["tests"] += 1
            took = f"{case.took_s if level == 'robust' else 0:.3f}"
            test = ElementTree.SubElement(suite, "testcase", classname=case.case.id, name=level, time=took)
            if level not in offered:
                counts["skipped"] += 1
                ElementTree.SubElement(test, "skipped", message="not offered")
            elif not passed:
                counts["failures"] += 1
                reason = _NOT_XML.sub("\ufffd", case.reasons[level])
                ElementTree.SubElement(test, "failure", message=reason).text = _NOT_XML.sub("\ufffd", case.case.why)
            elif case.behaviour:
                ElementTree.SubElement(test, "system-out").text = case.behaviour
    for name, value in counts.items():
        suite.set(name, str(value))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    data: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"
