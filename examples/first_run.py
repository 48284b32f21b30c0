"""Play a fault, read the answer key, and find the first line that a diagnostic tool should flag."""

import json
import tempfile
from pathlib import Path

import wsyncsim

with tempfile.TemporaryDirectory() as folder:
    run = wsyncsim.play("S19", Path(folder) / "run")
    assert run.answer is not None
    for cause in run.answer["root_causes"]:
        print(f"root cause: {cause['fault']} {cause['entity']}, {cause['setting']}: {cause['healthy']} -> {cause['faulty']}")

    records = run.out / "truth" / "records" / "CS1SITE"
    log = next(records.rglob("wsyncmgr.log.jsonl"))
    for line in log.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["severity"] == "error" and record["faults"]:
            with (run.out / record["file"]).open("rb") as file:
                file.seek(record["byte_start"])
                text = file.read(record["byte_end"] - record["byte_start"]).decode("utf-8")
            print(f"line {record['line']} ({record['template']}) is blamed on {', '.join(record['faults'])}:")
            print(f"  {text.split('  $$<')[0]}")
            break
