"""``wsyncsim matrix``: plays every fault, takes every look, and prints what tells which cause from which."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from scenarios.matrix import Matrix, MatrixError, compute
from scenarios.text import Language
from scenarios.whole import write_whole
from wsyncsim.words import word

Format = Literal["text", "md", "svg", "json"]


def _document(matrix: Matrix, form: Format, language: Language, command: str) -> str:
    from wsyncsim.matrix_page import as_json, markdown, show

    if form == "md":
        return markdown(matrix, language, command)
    if form == "svg":
        from wsyncsim.matrix_chart import chart

        return chart(matrix, language, command)
    if form == "json":
        import msgspec

        return msgspec.json.format(msgspec.json.encode(as_json(matrix, language)), indent=2).decode() + "\n"
    from io import StringIO

    from rich.console import Console

    from wsyncsim.output import PIPED_WIDTH

    text = StringIO()
    show(matrix, language, Console(file=text, width=PIPED_WIDTH, highlight=False, emoji=False, markup=False, color_system=None))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def command_of(faults: Sequence[str], generations: Sequence[str], seeds: int, form: str, language: str) -> str:
    """The command that makes the same again."""
    words = ["wsyncsim", "matrix", *(fault.upper() for fault in faults)]
    words += [part for generation in generations for part in ("--generation", generation)]
    if seeds != 3:
        words += ["--seeds", str(seeds)]
    words += ["--format", form] if form != "text" else []
    words += ["--language", language] if language != "en" else []
    return " ".join(words)


def write(target: Path, content: str) -> None:
    """The whole file or nothing."""
    hint = "Nothing was changed. Choose another file with --out"
    if target.is_dir():
        raise MatrixError("it is a folder", where=str(target), hint=hint)
    try:
        write_whole(target, content.encode("utf-8", "replace"))
    except OSError as error:
        raise MatrixError(f"cannot be written: {error.strerror or error}", where=str(target), hint=hint) from None


def run_matrix(
    faults: Sequence[str],
    generations: Sequence[str],
    seeds: int,
    *,
    form: Format,
    out: Path | None,
    language: str,
    jobs: int,
) -> None:
    """Compute and print, or write to ``out``."""
    from wsyncsim.matrix_page import show
    from wsyncsim.output import console, progress_bar

    words: Language = "de" if language == "de" else "en"
    if out is not None and (out.is_dir() or not out.parent.is_dir()):
        reason = "it is a folder" if out.is_dir() else "its folder does not exist"
        raise MatrixError(reason, where=str(out), hint="Choose another file with --out")
    with progress_bar(word("matrix", "playing", words)) as progress:
        matrix = compute(
            faults, generations, range(1, seeds + 1), languages=(words,), jobs=jobs or os.cpu_count() or 1, progress=progress
        )
    if out is not None:
        write(out, _document(matrix, form, words, command_of(faults, generations, seeds, form, language)))
    elif form == "text":
        show(matrix, words, console())
    else:
        click.echo(_document(matrix, form, words, command_of(faults, generations, seeds, form, language)), nl=False)
