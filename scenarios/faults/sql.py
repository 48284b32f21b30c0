"""Faults of SQL Server."""

from __future__ import annotations

from scenarios.fault import Scene, fault
from scenarios.text import Text


@fault(
    "S30",
    Text("SQL Server problem: error 12, invalid schema", "Fehler 12 und ungültiges Schema (SQL Server)"),
    Text(
        "SQL Server of the site database is in a bad state: its procedures refuse configuration items until a restart.",
        "Der SQL Server der Standortdatenbank ist in schlechtem Zustand: Bis zum Neustart weist er alle Konfigurationselemente ab.",
    ),
    entity="{site}/site database",
    setting="schema_valid",
    healthy="yes",
    faulty="no",
    generations=("2007",),
    repairs=("R47", "R10"),
    looks=("L20", "L90"),
    level=3,
    needs=("database",),
)
def schema_invalid(scene: Scene) -> None:
    scene.site.database.change(scene.because, schema_valid=not scene.broken)
