"""The structure: imports point down, and no event is lost between the world and the logs."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import simulator.events
from generators.write import log_types

ROOT = Path(simulator.events.__file__).parents[1]
LAYERS = ("simulator", "generators", "scenarios", "wsyncsim")


def _modules(layer: str) -> list[Path]:
    return sorted((ROOT / layer).rglob("*.py"))


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            assert node.level == 0, f"{path}: imports are absolute"
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("layer", LAYERS)
def test_nobody_imports_upwards(layer: str) -> None:
    above = set(LAYERS[LAYERS.index(layer) + 1 :])
    for path in _modules(layer):
        assert not _imports(path) & above, path


def test_the_simulator_needs_nothing_but_simpy_and_time_zones() -> None:
    import sys

    allowed = set(sys.stdlib_module_names) | {"simpy", "simulator", "tzdata"}
    for path in _modules("simulator"):
        assert _imports(path) <= allowed, path


def test_no_component_knows_about_faults() -> None:
    for path in (ROOT / "simulator" / "components").glob("*.py"):
        code = path.read_text(encoding="utf-8")
        assert "FaultBegan" not in code, path
        assert "FaultEnded" not in code, path


def _events() -> list[type]:
    return [
        value
        for _, value in inspect.getmembers(simulator.events, inspect.isclass)
        if value.__module__ == "simulator.events" and value not in (simulator.events.Source, simulator.events.Served)
    ]


def test_every_event_is_written_somewhere_or_declared_silent() -> None:
    written = {event for log_type in log_types() for event in log_type.writes}
    silent = set(simulator.events.SILENT)
    assert not written & silent, "declared silent, but written"
    assert set(_events()) == written | silent


def test_no_event_has_a_field_that_the_answer_key_needs_for_its_class() -> None:
    """``kind`` is the name of the class there."""
    import simulator.failures

    for module in (simulator.events, simulator.failures):
        for name, value in inspect.getmembers(module, inspect.isclass):
            assert "kind" not in getattr(value, "_fields", ()), name
