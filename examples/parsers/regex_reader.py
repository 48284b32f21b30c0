"""A parser as many have one: two regular expressions, line by line. How far does that go?

wsyncsim suite run --cmd 'python regex_reader.py {file}' --fields regex.toml
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

CLIENT = re.compile(
    r'<!\[LOG\[(?P<text>.*?)\]LOG\]!><time="(?P<time>[\d:.]+)(?P<bias>[+-]\d+)?" date="(?P<date>[\d-]+)"'
    r' component="(?P<component>\w*)" context=".*?" type="(?P<type>\d)" thread="(?P<thread>\d+)"'
)
SERVER = re.compile(
    r"(?P<text>.*?)  \$\$<(?P<component>\w+)><(?P<date>[\d-]+) (?P<time>[\d:.]+)(?P<bias>[+-]\d+)?><thread=(?P<thread>\d+)"
)
LEVELS = {"1": "INFO", "2": "WARN", "3": "ERROR"}


def level(text: str) -> str:
    lower = text.lower()
    return "ERROR" if "error" in lower or "fail" in lower else "WARN" if "warn" in lower else "INFO"


with Path(sys.argv[1]).open(encoding="utf-8-sig", errors="replace") as file:
    for number, line in enumerate(file):
        match = CLIENT.search(line) or SERVER.search(line)
        if match:
            month, day, year = match["date"].split("-")
            entry = match.groupdict() | {"line": number, "time": f"{year}-{month}-{day}T{match['time']}"}
            entry["level"] = LEVELS.get(match["type"]) if "type" in entry else level(match["text"])
            print(json.dumps(entry))
