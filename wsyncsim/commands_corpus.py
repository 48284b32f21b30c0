"""``wsyncsim corpus``: data sets of many runs, from a plan."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wsyncsim.words import LANGUAGE_VARIABLE, spoken_language, word

if TYPE_CHECKING:
    from wsyncsim.corpus.plan import Plan

EXIT_INTERRUPTED = 2
LINE_EVERY_S = 10.0
"""How often progress is told where there is no terminal."""

_language = click.option(
    "--language",
    "-l",
    type=click.Choice(["en", "de"]),
    default=None,
    metavar="en|de",
    help=f"Language of what the program says (default: {LANGUAGE_VARIABLE}, else the system's).",
)
_plan = click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path))


@click.group()
def corpus() -> None:
    """Make data sets of many labelled runs from a plan.

    \b
    Start here:
      wsyncsim corpus plan examples/corpus_plan.toml
      wsyncsim corpus make examples/corpus_plan.toml --out my-corpus
    """


@corpus.command()
@_plan
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder of the corpus; an unfinished one is gone on with."
)
@click.option("--workers", type=click.IntRange(1, 4096), default=1, show_default=True, help="Processes that work at once.")
@click.option(
    "--backend", type=click.Choice(["loky", "dask", "ray"]), default="loky", show_default=True, help="This machine, or a cluster."
)
@click.option("--address", default=None, metavar="ADDRESS", help="Scheduler of the cluster, such as tcp://head:8786.")
@click.option("--formats", default=None, metavar="LIST", help="Forms, separated by commas (default: the plan's).")
@_language
def make(
    plan_file: Path, out: Path, workers: int, backend: str, address: str | None, formats: str | None, language: str | None
) -> int:
    """Make the corpus of a plan, or what is missing of it.

    The bytes are the same for any number of workers and after any interruption. Forms: jsonl, parquet, loghub, hdfs, bgl, ait,
    sup-bundles, openrca, rcaeval, otlp, ecs.

    \b
    Examples:
      wsyncsim corpus make plan.toml --out my-corpus --workers 8
      wsyncsim corpus make plan.toml --out my-corpus --formats parquet,loghub
      wsyncsim corpus make plan.toml --out /shared/my-corpus --backend dask --address tcp://head:8786
    """
    from wsyncsim.corpus.make import make as make_corpus

    language = language or spoken_language()
    plan = _load(plan_file, formats)
    try:
        with _progress(word("corpus", "making", language, {"name": plan.file.name}), language) as progress:
            made = make_corpus(plan, out, workers=workers, backend=backend, address=address, progress=progress)
    except KeyboardInterrupt:
        click.echo(f"wsyncsim: {word('corpus', 'interrupted', language)}", err=True)
        return EXIT_INTERRUPTED
    key = "made" if made.made_now else "complete"
    counts = {"runs": made.runs, "records": made.records, "lines": made.lines}
    click.echo(word("corpus", key, language, counts), err=True)
    click.echo(str(out))
    return 0


def _load(plan_file: Path, formats: str | None) -> Plan:
    from wsyncsim.corpus.plan import load

    changes: dict[str, Any] = {}
    if formats is not None:
        changes["formats"] = [form.strip() for form in formats.split(",") if form.strip()]
    return load(plan_file, **changes)


@corpus.command()
@_plan
@click.option("--formats", default=None, metavar="LIST", help="Forms, separated by commas (default: the plan's).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, instead of tables.")
@_language
def plan(plan_file: Path, formats: str | None, as_json: bool, language: str | None) -> None:
    """Show what a plan would make: runs, classes, splits, and an estimate of records, bytes and time.

    A few runs are played for the estimate.
    """
    from wsyncsim.corpus.estimate import estimate

    language = language or spoken_language()
    loaded = _load(plan_file, formats)
    found = estimate(loaded)
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(found))
        return
    _show_plan(loaded, found, language)


def _show_plan(plan: Plan, found: Any, language: str) -> None:
    from rich import box
    from rich.table import Table

    from wsyncsim.output import console, took_words

    out = console()
    out.print(f"{plan.file.name} {plan.file.title}".rstrip(), style="bold")
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("split", "runs", "faulty", "healthy", "shards"):
        table.add_column(word("corpus", column, language), justify="left" if column == "split" else "right")
    for split in found.splits:
        table.add_row(split.split, f"{split.runs:,}", f"{split.faulty:,}", f"{split.healthy:,}", f"{split.shards:,}")
    out.print(table)
    scenarios = Table(box=box.SIMPLE_HEAD)
    for column in ("scenario", "train", "validation", "test"):
        scenarios.add_column(word("corpus", column, language), justify="left" if column == "scenario" else "right")
    for row in found.scenarios:
        scenarios.add_row(row.scenario, *(f"{getattr(row, split):,}" if getattr(row, split) else "" for split in SPLIT_NAMES))
    out.print(scenarios)
    if found.left_out:
        out.print(word("corpus", "left out", language, {"count": found.left_out}))
    values = {
        "records": f"{found.records:,}",
        "gigabytes": f"{found.bytes / 1e9:,.2f}",
        "time": took_words(max(1, int(found.took_s))),
        "formats": ", ".join(plan.file.formats),
    }
    out.print(word("corpus", "estimate", language, values))


SPLIT_NAMES = ("train", "validation", "test")


@corpus.command()
@_plan
@click.argument("run_id", metavar="RUN_ID")
def story(plan_file: Path, run_id: str) -> None:
    """Print one run of a plan as a story file, to play and explain it by itself.

    \b
    Example:
      wsyncsim corpus story plan.toml 0123456789abcdef > run.toml
      wsyncsim run run.toml
    """
    from simulator.errors import WsyncsimError

    for planned in _load(plan_file, None).all_runs():
        if planned.id == run_id:
            click.echo(planned.story.to_toml(), nl=False)
            return
    raise WsyncsimError(f"the plan has no run {run_id!r}", where=str(plan_file), hint="The runs table of the corpus names its runs")


@corpus.command()
@click.argument("folder", metavar="CORPUS", type=click.Path(path_type=Path))
@click.option("--limit", type=click.IntRange(100, 10**9), default=100_000, show_default=True, help="Records of each log, at most.")
@_language
def baseline(folder: Path, limit: int, language: str | None) -> None:
    """Measure log parsers on a finished corpus (extra 'baseline'), and add the table to its data card.

    Needs the form jsonl or parquet. GA is the share of records whose group is exactly right, FGA the F1 of whole groups.
    """
    from rich import box
    from rich.table import Table

    from wsyncsim.corpus.baseline import measure
    from wsyncsim.output import console, progress_bar

    language = language or spoken_language()
    with progress_bar("baseline") as progress:
        rows = measure(folder, limit, progress)
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("parser", "log", "records", "templates", "found", "GA", "FGA"):
        table.add_column(word("corpus", column, language), justify="left" if column in ("parser", "log") else "right")
    for row in rows:
        values = (f"{row.records:,}", str(row.templates), str(row.groups), f"{row.ga:.3f}", f"{row.fga:.3f}")
        table.add_row(row.parser, row.log, *values)
    console().print(table)


@corpus.command()
def schema() -> None:
    """Print the JSON Schema of plan files, for editors."""
    import json

    from wsyncsim.corpus.plan_file import schema as plan_schema

    click.echo(json.dumps(plan_schema(), indent=2))


@contextmanager
def _progress(title: str, language: str) -> Iterator[Callable[[int, int], None]]:
    """A bar with rate and time left on a terminal's stderr, otherwise a line now and then."""
    if not sys.stderr.isatty():
        yield _told_in_lines(title, language)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from wsyncsim.output import console

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    rate = _Rate()
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None, rate="")

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, rate=word("corpus", "rate", language, {"rate": rate.of(done)}))

        yield tell


class _Rate:
    """Runs a second since the first call; what was there before does not count."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._first: int | None = None

    def per_s(self, done: int) -> float:
        if self._first is None:
            self._first, self._began = done, time.monotonic()
        return (done - self._first) / max(time.monotonic() - self._began, 1e-3)

    def of(self, done: int) -> str:
        return f"{self.per_s(done):.1f}"


def _told_in_lines(title: str, language: str) -> Callable[[int, int], None]:
    from wsyncsim.output import took_words

    rate = _Rate()
    last = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal last
        per_s = rate.per_s(done)
        if time.monotonic() - last < LINE_EVERY_S or not per_s:
            return
        last = time.monotonic()
        left = took_words(int((total - done) / per_s))
        values = {"title": title, "done": done, "total": total, "rate": f"{per_s:.1f}", "left": left}
        click.echo(word("corpus", "progress", language, values), err=True)

    return tell
