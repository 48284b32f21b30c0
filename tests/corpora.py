"""Small corpora for tests."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from wsyncsim.corpus.plan import Plan, parse

WITHOUT_EXTRAS = ["jsonl", "loghub", "hdfs", "bgl", "ait", "sup-bundles", "openrca", "rcaeval", "otlp", "ecs"]
PLAN = """
name = "small"
title = "A | small corpus"
faults = ["S16", "S19", "S15", "M07"]
generations = ["cb"]
os_languages = ["de"]
shard_runs = 3

[noise]
healthy_before_h = 1
unrepaired_percent = 25
extra_fault_percent = 30

[splits]
train = 50
validation = 25
test = 25
"""
"""Seven runs or so, in all three splits."""


def small(**changes: Any) -> Plan:
    """The small plan, with other keys."""
    return parse(PLAN, "plan.toml", **changes)


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file of a corpus but the lock."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "lock.sqlite")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def needs(*modules: str, extra: str) -> pytest.MarkDecorator:
    """Skips a test where an extra is missing."""
    missing = [module for module in modules if find_spec(module) is None]
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}: pip install -e '.[{extra}]'")
