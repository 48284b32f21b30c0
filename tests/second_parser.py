"""A second reader of the five formats, written from their description in another technique than ``wsyncsim.reader``.

One regular expression over the whole text for the forms of ConfigMgr, ``csv`` for W3C, ``split`` for SoftwareDistribution.log.
It reads what is well defined, and shares no code with the reader or the writers.
"""

from __future__ import annotations

import codecs
import csv
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

ZONES = {
    "W. Europe Daylight Time": -120,
    "W. Europe Standard Time": -60,
    "Westeuropäische Sommerzeit": -120,
    "Westeuropäische Normalzeit": -60,
    "Eastern Standard Time": 300,
    "Eastern Daylight Time": 240,
    "Pacific Daylight Time": 420,
    "Coordinated Universal Time": 0,
}
CMTRACE = re.compile(
    r"""(?:^|(?<=">))<!\[LOG\[(?P<client>(?:(?!\n<!\[LOG\[).)*?)\]LOG\]!>
        <time="(?P<ctime>\d+:\d\d:\d\d[.]\d+)(?P<cbias>[+-]\d+)?"[ ]date="(?P<cdate>\d+-\d+-\d{4})"
        [ ]component="(?P<ccomponent>[^"]*)"[ ]context="(?P<context>[^"]*)"[ ]type="(?P<type>\d*)"
        [ ]thread="(?P<cthread>\d*)"(?:[ ]file="(?P<file>[^"]*)")?>(?=\r?$|<!\[LOG\[)
      | ^(?P<server>[^\n]*?)[ ]{0,2}\$\$<(?P<component>[^<>\n]*)>
        <(?:(?P<date>\d\d-\d\d-\d{4})[ ](?P<time>\d\d:\d\d:\d\d[.]\d{3})(?P<bias>[+-]\d+)?
          | \w{3}[ ](?P<c>\w{3}[ ]\d\d[ ]\d\d:\d\d:\d\d[.]\d{3}[ ]\d{4})[ ](?P<zone>[^<>\n]+))>
        <thread=(?P<thread>\d+)[ ]\(0x[0-9A-F]+\)>[ ]*\r?$""",
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
WSUS = re.compile(r"(?m)^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC\t)")
TYPES = {"0": "info", "1": "info", "2": "warning", "3": "error"}
LEVELS = {"Info": "info", "Change": "info", "Warning": "warning", "Error": "error"}


def parse(data: bytes, form: str) -> list[dict[str, Any]]:
    """Records as the suite expects them, without their places."""
    text = _text(data)
    if form in ("w3c", "httperr"):
        return _w3c(text, form)
    if form == "wsus":
        return _wsus(text)
    return [_client(match) if match["client"] is not None else _server(match) for match in CMTRACE.finditer(text)]


def _text(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    lines = []
    for line in data.split(b"\n"):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            lines.append(line.decode("cp1252", "replace"))
    return re.sub("\x00+", "\n", "\n".join(lines).replace("\ufeff", ""))


def _clock(text: str, form: str) -> datetime:
    return datetime.strptime(text, form)  # noqa: DTZ007 - a clock's face, its zone is told elsewhere


def _moment(local: datetime, bias: str | int | None) -> dict[str, Any]:
    told: dict[str, Any] = {"time_local": local}
    if bias is not None:
        zone = timezone(timedelta(minutes=-int(bias)))  # ISO 8601 counts eastwards
        told |= {"bias_min": int(bias), "time_utc": local.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)}
    return told


def _client(match: re.Match[str]) -> dict[str, Any]:
    whole, _, fraction = match["ctime"].partition(".")
    local = _clock(f"{match['cdate']} {whole}.{fraction[:6]}", "%m-%d-%Y %H:%M:%S.%f")
    record = {
        "form": "client",
        "message": match["client"].replace("\r\n", "\n"),
        "component": match["ccomponent"],
        **_moment(local, match["cbias"]),
        "thread": int(match["cthread"]) if match["cthread"] else None,
        "severity": TYPES.get(match["type"]),
        "file": match["file"],
        "context": match["context"],
    }
    return {name: value for name, value in record.items() if value is not None}


def _server(match: re.Match[str]) -> dict[str, Any]:
    if match["c"]:
        local = _clock(match["c"], "%b %d %H:%M:%S.%f %Y")
        moment = _moment(local, ZONES[match["zone"]])
    else:
        moment = _moment(_clock(f"{match['date']} {match['time']}", "%m-%d-%Y %H:%M:%S.%f"), match["bias"])
    message = match["server"]
    status = re.match(r"STATMSG: ID=\d+ SEV=(.)", message)
    if status:
        severity = {"E": "error", "W": "warning", "I": "info"}[status[1]]
    elif re.search(r"error|fail(?!over)", message, re.IGNORECASE):
        severity = "error"
    else:
        severity = "warning" if re.search("warn", message, re.IGNORECASE) else "info"
    return {
        "form": "server",
        "message": message,
        "component": match["component"],
        **moment,
        "thread": int(match["thread"]),
        "severity": severity,
    }


def _w3c(text: str, form: str) -> list[dict[str, Any]]:
    records = []
    fields: list[str] = []
    day = ""
    lines = text.replace("\r\n", "\n").split("\n")
    for row in csv.reader(lines, delimiter=" ", quoting=csv.QUOTE_NONE):
        if not row:
            continue
        if row[0] == "#Fields:":
            fields = [name for name in row[1:] if name]
        elif row[0] == "#Date:":
            day = row[1]
        elif not row[0].startswith("#") and len(row) == len(fields):
            values = dict(zip(fields, row, strict=True))
            at = _clock(f"{values.get('date', day)} {values['time']}", "%Y-%m-%d %H:%M:%S")
            records.append({"form": form, "message": " ".join(row), "time_utc": at, "fields": values})
    return records


def _wsus(text: str) -> list[dict[str, Any]]:
    records = []
    for chunk in WSUS.split(text.replace("\r\n", "\n")):
        columns = chunk.rstrip("\n").split("\t", 4)
        if len(columns) == 5:
            stamp, level, process, method, message = columns
            component, _, thread = process.rpartition(".")
            records.append(
                {
                    "form": "wsus",
                    "message": message,
                    "component": component,
                    "time_utc": _clock(stamp, "%Y-%m-%d %H:%M:%S.%f UTC"),
                    "thread": int(thread),
                    "severity": LEVELS[level],
                    "fields": {"level": level, "method": method},
                }
            )
    return records
