"""The README's excerpt is what the program prints today."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_excerpt_is_what_the_commands_print(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "250", "PYTHONUTF8": "1"}
    environment.pop("WSYNCSIM_LANGUAGE", None)
    excerpt = (ROOT / "README.md").read_text(encoding="utf-8").split("```console\n", 1)[1].split("```", 1)[0]
    for block in excerpt.strip().split("\n\n$ "):
        command, _, expected = block.removeprefix("$ ").partition("\n")
        done = subprocess.run(
            [sys.executable, "-m", *command.split()],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=True,
        )
        assert sorted(expected.strip().splitlines()) == sorted(
            done.stdout.strip().splitlines()[: len(expected.strip().splitlines())]
        )
