"""``wsyncsim prove --pairs``: random pairs of faults, proven, and which of the two hides the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from scenarios.pairs import draw, prove_pair
from wsyncsim.output import console, progress_bar
from wsyncsim.words import word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.pairs import PairProof


def prove_pairs(count: int, ids: Sequence[str], seed: int, generations: tuple[str, ...], *, as_json: bool, language: str) -> bool:
    """Prove ``count`` pairs in which these faults are, drawn by ``seed``, and show the outcome; returns whether all hold."""
    pairs = draw(count, seed=seed, generations=generations, ids=ids)
    if not pairs:
        raise click.UsageError("no pair of faults like this can happen together in one estate")
    proofs: list[PairProof] = []
    with progress_bar("prove") as progress:
        for pair in pairs:
            proofs.append(prove_pair(pair))
            progress(len(proofs) / len(pairs))
    if as_json:
        import msgspec

        for proof in proofs:
            click.echo(msgspec.json.encode(proof))
    else:
        _show(proofs, language)
    return all(proof.holds for proof in proofs)


def _other(proof: PairProof, id: str) -> str:
    return proof.second if id == proof.first else proof.first


def _show(proofs: list[PairProof], language: str) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for column in ("pair", "generation", "hides", "twice", "verdict"):
        table.add_column(word("prove", column, language))
    for proof in proofs:
        masks = [
            word("prove", "mask", language, {"one": id, "other": _other(proof, id), "faces": ", ".join(faces)})
            for id, faces in proof.hides.items()
        ]
        table.add_row(
            f"{proof.first} + {proof.second}",
            proof.generation,
            "\n".join(masks),
            ", ".join(proof.repaired_twice),
            word("prove", "proven" if proof.holds else "refuted", language),
            style=None if proof.holds else "red",
        )
    out = console()
    out.print(table)
    held, masking = sum(proof.holds for proof in proofs), sum(bool(proof.hides) for proof in proofs)
    out.print(word("prove", "pairs_sum", language, {"held": held, "count": len(proofs), "masking": masking}))
    for proof in proofs:
        for problem in proof.problems:
            out.print(f"{proof.first} + {proof.second} {proof.generation} seed {proof.seed}: {problem}", style="red")
