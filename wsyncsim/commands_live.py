"""``wsyncsim live`` and ``wsyncsim live check``."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from wsyncsim._version import __version__
from wsyncsim.words import LANGUAGE_VARIABLE, spoken_language, word

if TYPE_CHECKING:
    from scenarios.live import Live, Status
    from wsyncsim.live_check import Report

EXIT_DAMAGED = 1
GENERATIONS = ("2007", "2012", "cb")
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
TOLD_EVERY_S = 10.0
"""How often the status is told where stderr is no terminal."""

_language = click.option(
    "--language",
    "-l",
    type=click.Choice(["en", "de"]),
    default=None,
    metavar="en|de",
    help=f"Language of what the program says (default: {LANGUAGE_VARIABLE}, else the system's).",
)


class _LiveGroup(click.Group):
    """A group whose first argument may be the name of a story: then it plays that."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in self.commands:
            args = ["play", *(args or ["--help"])]
        return super().parse_args(ctx, args)


class _Play(click.Command):
    """The word ``play`` is left out where the call is shown."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        called = ctx.parent.command_path if ctx.parent is not None else ctx.command_path
        formatter.write_usage(called, "NAME --out DIR [OPTIONS]")


@click.group("live", cls=_LiveGroup)
def live() -> None:
    """Let a story run in real or accelerated time, its logs growing as the product's would; check what a shipper made of them."""


def _speed(_context: click.Context, _option: click.Parameter, value: str) -> float | None:
    """A number, or ``None`` for ``max``."""
    if value == "max":
        return None
    try:
        speed = float(value)
    except ValueError:
        speed = 0.0
    if not 0 < speed < 1e9:
        raise click.BadParameter(f"{value!r} is neither a number above 0 nor 'max'")
    return speed


@live.command("play", cls=_Play, short_help="Let a story run, its logs growing (the word 'play' may be left out).")
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder for the logs; must be empty.")
@click.option("--speed", callback=_speed, default="1", show_default=True, metavar="N|max", help="Simulated seconds per second.")
@click.option(
    "--rotate",
    type=click.Choice(["rename", "copytruncate", "history"]),
    default="rename",
    show_default=True,
    help="A full log becomes .lo_, is copied to .lo_ and emptied, or gets a dated name.",
)
@click.option("--max-bytes", type=click.IntRange(min=10_000), default=None, help="Size of a full log (default: the estate's).")
@click.option("--torn", is_flag=True, help="Write every record in two halves.")
@click.option(
    "--max-rotations-per-s",
    type=click.FloatRange(min=0, min_open=True, max=1e6),
    default=0.5,
    show_default=True,
    help="Of one log; the world slows down rather than rotate more often.",
)
@click.option(
    "--calm",
    "calm_s",
    type=click.FloatRange(min=0, max=3600),
    default=0.25,
    show_default=True,
    metavar="SECONDS",
    help="How long nothing is written before and after a rotation.",
)
@click.option(
    "--truth", type=click.Path(path_type=Path), default=None, help="What was written, as JSON lines (default: DIR.truth.jsonl)."
)
@click.option(
    "--status", type=click.Path(path_type=Path), default=None, metavar="FILE", help="Keep the status in this file, as JSON."
)
@click.option("--seed", type=click.IntRange(0, 2**53), default=None, help="Seed of all chance (default: the story's).")
@click.option("--generation", type=click.Choice(GENERATIONS), default=None, help="Product generation (default: the story's).")
@click.option("--os-language", type=click.Choice(["en", "de"]), default=None, help="Language of the simulated servers.")
@click.option("--timezone", default=None, metavar="ZONE", help="IANA time zone of the estate, such as America/Chicago.")
@click.option("--start", default=None, metavar="TIME", help="Local start time, such as 2026-03-02T06:00 (default: now).")
@click.option(
    "--hours", type=click.IntRange(1, 24 * 366 * 10), default=None, help="Length in simulated hours (default: the story's)."
)
@click.option("--force", is_flag=True, help="Replace an earlier live run.")
@_language
def play(
    name: str,
    out: Path,
    speed: float | None,
    rotate: str,
    max_bytes: int | None,
    torn: bool,
    max_rotations_per_s: float,
    calm_s: float,
    truth: Path | None,
    status: Path | None,
    seed: int | None,
    generation: str | None,
    os_language: str | None,
    timezone: str | None,
    start: str | None,
    hours: int | None,
    force: bool,
    language: str | None,
) -> None:
    """Let a story run, and append to its logs as the product does: record by record, with rotation, while others read.

    NAME is a story (see 'wsyncsim list'), a fault id such as S19, or a TOML file. The simulated clock begins now, whatever the
    speed. Point a shipper at DIR/logs; what was really written stands in the truth file beside DIR. Ctrl-C ends it after a
    whole record. 'wsyncsim live check' compares what arrived with the truth.

    \b
    Examples:
      wsyncsim live S19 --out site                       in real time
      wsyncsim live S19 --out site --speed 600 --hours 48
      wsyncsim live healthy --out site --speed max --rotate copytruncate --max-bytes 20000
      wsyncsim live check site.truth.jsonl collected.log --only wsyncmgr.log
    """
    from scenarios.catalogue import find
    from scenarios.live import Live, LiveOptions, next_second
    from scenarios.story import Changes

    language = language or spoken_language()
    changes: dict[str, Any] = {"seed": seed, "generation": generation, "os_language": os_language, "timezone": timezone}
    begin_at_s = None
    if start is None:
        zone = find(name, Changes(**changes)).timezone
        start, begin_at_s = next_second(zone)
    story = find(name, Changes(**changes, start=start, hours=hours))
    rotation: Any = rotate
    options = LiveOptions(
        speed=speed,
        rotation=rotation,
        max_bytes=max_bytes,
        torn=torn,
        max_rotations_per_s=max_rotations_per_s,
        calm_s=calm_s,
    )
    teller = _Teller(status, language)
    world = Live(
        story, out, tool_version=__version__, options=options, truth=truth, force=force, begin_at_s=begin_at_s, tell=teller.tell
    )
    if status is not None and (Path.cwd() / status).resolve().is_relative_to(world.out):
        raise click.UsageError("--status lies inside the folder that is read")
    if status is not None and not status.absolute().parent.is_dir():
        raise click.UsageError("--status: there is no such folder")
    if status is not None and status.is_dir():
        raise click.UsageError("--status is a folder, not a file")
    if status is not None and status.resolve() == world.truth_path.resolve():
        raise click.UsageError("--status and the truth are the same file")
    world.prepare()
    title = {"name": story.name, "title": story.title.in_(language), "start": f"{story.start:%Y-%m-%d %H:%M:%S}"}
    click.echo(word("live", "begins", language, title), err=True)
    click.echo(word("live", "truth", language, {"path": world.truth_path}), err=True)
    with _stopped_by_signals(world):
        done = world.run()
    teller.end(done)
    click.echo(str(out))


@contextmanager
def _stopped_by_signals(world: Live) -> Iterator[None]:
    """Ctrl-C and the like end the world after a whole record."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        world.stop()

    before = {}
    with suppress(ValueError):  # not the main thread
        before = {name: signal.signal(getattr(signal, name), stop) for name in SIGNALS if hasattr(signal, name)}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


class _Teller:
    """Shows the status on stderr (one line on a terminal, now and then a line elsewhere) and keeps it in a file."""

    def __init__(self, file: Path | None, language: str) -> None:
        self._file = file
        self._language = language
        self._terminal = sys.stderr.isatty()
        self._due = time.monotonic() + (0 if self._terminal else TOLD_EVERY_S)

    def keep(self, status: Status) -> None:
        """Write the file, if there is one; raises ``OutputError`` where that cannot be done."""
        if self._file is None:
            return
        import msgspec

        from scenarios.live import replace_file
        from scenarios.run import OutputError

        try:
            replace_file(self._file, msgspec.json.encode(status) + b"\n")
        except OSError as error:
            raise OutputError(f"cannot be written: {error.strerror or error}", where=str(self._file)) from None

    def tell(self, status: Status) -> None:
        """Keep it, and show it when it is time."""
        self.keep(status)
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + (0 if self._terminal else TOLD_EVERY_S)
            with suppress(OSError):
                end = "\x1b[K\r" if self._terminal else "\n"
                click.echo(self._line(status) + end, nl=False, err=True)

    def end(self, status: Status) -> None:
        """The last line, which stays."""
        with suppress(OSError):
            click.echo(self._line(status) + ("\x1b[K" if self._terminal else ""), err=True)

    def _line(self, status: Status) -> str:
        values = {
            "state": word("live", status.state, self._language),
            "records": status.records,
            "files": status.files,
            "rotations": status.rotations,
            "simulated": status.simulated_utc[:19].replace("T", " ") or "-",
            "lag_s": round(status.lag_s, 1),
        }
        return word("live", "status", self._language, values)


@live.command()
@click.argument("truth", type=click.Path(path_type=Path))
@click.argument("collected", type=click.Path(path_type=Path))
@click.option("--only", multiple=True, metavar="PATTERN", help="Expect only these logs, such as 'wsyncmgr.log' (repeatable).")
@click.option("--field", "json_field", default=None, metavar="NAME", help="COLLECTED holds JSON lines; the text is in this field.")
@click.option("--encoding", default="utf-8", show_default=True, help="Encoding of COLLECTED.")
@click.option("--max-lost", type=click.IntRange(min=0), default=0, show_default=True, help="More is damage.")
@click.option("--max-duplicated", type=click.IntRange(min=0), default=0, show_default=True, help="More is damage.")
@click.option("--max-broken", type=click.IntRange(min=0), default=0, show_default=True, help="More is damage.")
@click.option("--max-reordered", type=click.IntRange(min=0), default=0, show_default=True, help="More is damage.")
@click.option("--min-records", type=click.IntRange(min=0), default=1, show_default=True, help="Fewer delivered records are damage.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, allow_dash=True),
    default=None,
    metavar="FILE",
    help="Write the report as JSON ('-' for stdout).",
)
@_language
def check(
    truth: Path,
    collected: Path,
    only: tuple[str, ...],
    json_field: str | None,
    encoding: str,
    max_lost: int,
    max_duplicated: int,
    max_broken: int,
    max_reordered: int,
    min_records: int,
    json_file: Path | None,
    language: str | None,
) -> int:
    """Compare what a shipper collected with what was written: lost, duplicated, broken and reordered records.

    TRUTH is the truth file of a live run. COLLECTED is a file, or a folder of files, of lines as they are or of JSON lines.
    Exit code 1 when there is more damage than allowed.

    \b
    Examples:
      wsyncsim live check site.truth.jsonl collected.log --only wsyncmgr.log
      wsyncsim live check site.truth.jsonl out/ --field message --only '*/Logs/*.log' --json report.json
    """
    import codecs
    import json

    from wsyncsim.live_check import KINDS, check, read_collected, read_truth

    language = language or spoken_language()
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise click.BadParameter(f"there is no encoding {encoding!r}", param_hint="--encoding") from None
    expected, others, headers = read_truth(truth, only)
    if not expected:
        raise click.UsageError("the truth has no record" + (" of these logs" if only else ""))
    report = check(expected, others, headers, read_collected(collected, json_field, encoding))
    limits = dict(zip(KINDS, (max_lost, max_duplicated, max_broken, max_reordered), strict=True))
    over = [kind for kind, limit in limits.items() if getattr(report.total, kind) > limit]
    if report.total.delivered < min_records:
        over.append("delivered")
    result = {**report.as_json(), "over_limit": over}
    if json_file is not None:
        text = json.dumps(result, indent=2, ensure_ascii=False)
        if str(json_file) == "-":
            click.echo(text)
        else:
            json_file.write_text(text + "\n", encoding="utf-8", newline="\n")
    if str(json_file) != "-":
        _show(report, over, language)
    return EXIT_DAMAGED if over else 0


def _show(report: Report, over: list[str], language: str) -> None:
    from rich import box
    from rich.table import Table

    from wsyncsim.live_check import Tally
    from wsyncsim.output import console

    def say(name: str, **values: Any) -> str:
        return word("live", name, language, values)

    out = console()
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(say("file"))
    columns = Tally.__slots__
    for column in columns:
        table.add_column(say(column), justify="right")
    for file, tally in report.files.items():
        table.add_row(file.removeprefix("logs/"), *(str(getattr(tally, column)) for column in columns))
    table.add_section()
    table.add_row(say("total"), *(str(getattr(report.total, column)) for column in columns), style="bold")
    out.print(table)
    out.print(say("lines", count=report.collected_lines, damaged=report.damaged_lines, foreign=report.foreign_lines))
    for kind, examples in report.examples.items():
        for example in examples:
            out.print(f"  {say(kind)}: {example}", style="dim")
    verdict = say("damaged", what=", ".join(say(kind) for kind in over)) if over else say("fine")
    out.print(verdict, style="red" if over else "green")
