"""The examples run, and print what stands beside them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.catalogue import find

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_script_prints_what_stands_beside_it(script: Path, tmp_path: Path, update_goldens: bool) -> None:
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = script.with_suffix(".txt")
    if update_goldens:
        expected.write_text(done.stdout, encoding="utf-8", newline="\n")
    assert done.stdout == expected.read_text(encoding="utf-8")
    assert not list(tmp_path.iterdir()), "an example leaves nothing behind"


STORIES = [path for path in sorted(EXAMPLES.glob("*.toml")) if not path.stem.endswith("_plan")]


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.stem)
def test_story_can_be_played(story: Path) -> None:
    assert sum(1 for _ in find(str(story)).build().simulate()) > 1_000


def test_every_example_is_listed() -> None:
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for path in EXAMPLES.iterdir():
        if path.suffix in (".py", ".toml"):
            assert f"`{path.name}`" in listed
