"""Follow every abnormal line back to its root cause with nothing but the answer key's files."""

import json
import tempfile
from collections import Counter
from pathlib import Path

import wsyncsim

with tempfile.TemporaryDirectory() as folder:
    run = wsyncsim.play("hidden-behind", Path(folder) / "run")
    truth = run.out / "truth"
    entries = {entry["id"]: entry for entry in map(json.loads, (truth / "entries.jsonl").read_text(encoding="utf-8").splitlines())}

    def root(id: str) -> str:
        while entries[id]["because"] is not None:
            id = entries[id]["because"]
        event = entries[id]["event"]
        return str(event.get("fault") or event["action"])

    blamed: Counter[tuple[str, str]] = Counter()
    for file in sorted((truth / "records").rglob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            if record["causes"]:
                blamed[root(record["entry"]), Path(record["file"]).name] += 1
    for (cause, log), lines in sorted(blamed.items()):
        print(f"{cause:4} {log:28} {lines:4} lines")
