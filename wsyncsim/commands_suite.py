"""``wsyncsim suite``: test data for parsers, a scorer for them, and a reducer of what they get wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wsyncsim.words import LANGUAGE_VARIABLE, spoken_language, word

if TYPE_CHECKING:
    from wsyncsim.suite.case import Case
    from wsyncsim.suite.fields import FieldMap
    from wsyncsim.suite.score import Score

EXIT_BELOW = 1
_LEVELS = ("robust", "frame", "text", "local", "utc", "severity", "reject")

_language = click.option(
    "--language",
    "-l",
    type=click.Choice(["en", "de"]),
    default=None,
    metavar="en|de",
    help=f"Language of what the program says (default: {LANGUAGE_VARIABLE}, else the system's).",
)
_cmd = click.option("--cmd", "command", required=True, metavar="COMMAND", help="The tool; {file} stands for the log. No shell.")
_fields = click.option(
    "--fields",
    "fields_file",
    type=click.Path(path_type=Path),
    default=None,
    metavar="MAP.toml",
    help="Where the tool's output has what (default: it prints the suite's own names).",
)
_timeout = click.option(
    "--timeout", "timeout_s", type=click.FloatRange(0.1, 3600), default=10.0, show_default=True, help="Seconds for one file."
)


@click.group("suite")
def suite() -> None:
    """Test data for parsers of these logs: write it, score a parser, reduce what it gets wrong.

    \b
    Start here:
      wsyncsim suite write cases                       the cases as files
      wsyncsim suite run --cmd 'my-parser {file}'      how well does my parser read them?
      wsyncsim suite read wsyncmgr.log                 what the reference reader makes of a file
      wsyncsim suite shrink S19 --cmd 'my-parser {file}'
                                                       the shortest log that it gets wrong

    A tool prints one JSON object for each record on stdout, with any of the keys message, component, time_local, time_utc,
    bias_min, thread, severity, line ... or names of its own and a field map. docs/suite.md describes it all.
    """


@suite.command("write")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option(
    "--zip",
    "zip_file",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help="Write one archive instead; in a folder it is named by its version.",
)
@click.option("--force", is_flag=True, help="Replace an earlier suite.")
@_language
def write(folder: Path | None, zip_file: Path | None, force: bool, language: str | None) -> None:
    """Write the suite into FOLDER, or into an archive that is the same to the byte everywhere.

    \b
    Examples:
      wsyncsim suite write cases
      wsyncsim suite write --zip wsyncsim-suite.zip
      wsyncsim suite write --zip .                     wsyncsim-suite-VERSION.zip
    """
    from wsyncsim.output import progress_bar
    from wsyncsim.suite.write import write_folder, write_zip

    language = language or spoken_language()
    if (folder is None) == (zip_file is None):
        raise click.UsageError("name a folder, or an archive with --zip")
    with progress_bar(word("suite", "writing", language)) as progress:
        if zip_file is not None:
            zip_file, cases = write_zip(zip_file, force=force, progress=progress)
        else:
            assert folder is not None
            cases = write_folder(folder, force=force, progress=progress)
    click.echo(word("suite", "written", language, {"count": cases}), err=True)
    click.echo(str(zip_file or folder))


@suite.command("read")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--unparsed", is_flag=True, help='Print what is no record too, with "unparsed": true.')
def read(files: tuple[Path, ...], unparsed: bool) -> None:
    """Read logs with the reference reader; one JSON object for each record.

    \b
    Examples:
      wsyncsim suite read wsyncmgr.log
      wsyncsim suite run --cmd 'wsyncsim suite read {file}'
    """
    import json
    from dataclasses import asdict

    from simulator.errors import WsyncsimError
    from wsyncsim.reader import read_file

    for path in files:
        try:
            reading = read_file(path)
        except OSError as error:
            raise WsyncsimError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
        items = [(record.byte_start, record.to_json()) for record in reading.records]
        if unparsed:
            items += [(span.byte_start, {**asdict(span), "unparsed": True}) for span in reading.unparsed]
        for _, item in sorted(items, key=lambda pair: pair[0]):
            click.echo(json.dumps(item, ensure_ascii=False).encode("utf-8", "replace"))


@suite.command("run")
@_cmd
@click.option(
    "--suite", "folder", type=click.Path(path_type=Path), default=None, metavar="DIR", help="A suite on disk (default: built in)."
)
@_fields
@click.option("--junit", "junit_file", type=click.Path(path_type=Path), default=None, metavar="FILE", help="Write JUnit XML.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), default=None, metavar="FILE", help="Write everything as JSON."
)
@click.option("--min", "minimum", multiple=True, metavar="LEVEL=PERCENT", help="Exit code 1 below this (repeatable).")
@_timeout
@click.option("--jobs", type=click.IntRange(1, 256), default=None, help="Files at a time (default: as many as processors).")
@click.option(
    "--only", multiple=True, metavar="GLOB", help="Only cases with such an id, format or tag, such as 'y_server_*' (repeatable)."
)
@_language
def run(
    command: str,
    folder: Path | None,
    fields_file: Path | None,
    junit_file: Path | None,
    json_file: Path | None,
    minimum: tuple[str, ...],
    timeout_s: float,
    jobs: int | None,
    only: tuple[str, ...],
    language: str | None,
) -> int:
    """Let a tool read every case, and score it level by level.

    The levels: robust (ends in time, exit code 0 or 1, prints JSON lines), frame (the right records), text (message and
    component, thread ... as far as the tool tells them), local (local time), utc, severity, reject (what is no record is
    not read). A level that the tool tells nothing about is shown as not offered, and counts as 0 % for --min.

    \b
    Examples:
      wsyncsim suite run --cmd 'my-parser --json {file}'
      wsyncsim suite run --cmd 'my-parser {file}' --fields my-parser.toml --min frame=100 --min utc=100 --junit junit.xml
      wsyncsim suite run --cmd 'my-parser {file}' --only 'y_client_*' --only bias
    """
    from wsyncsim.output import console, progress_bar
    from wsyncsim.suite.play import Player, default_jobs
    from wsyncsim.suite.report import junit, level_table, report_json
    from wsyncsim.suite.score import score
    from wsyncsim.suite.tool import parse_command

    language = language or spoken_language()
    wanted = _minimum(minimum)
    player = Player(parse_command(command), _field_map(fields_file), timeout_s)
    cases = _chosen(folder, only)
    with progress_bar(word("suite", "reading", language)) as progress:
        scored = score(player.all(cases, jobs or default_jobs(), progress))
    for path, data in ((junit_file, junit), (json_file, lambda each: report_json(each, command))):
        if path is not None:
            _write_report(path, data(scored))
    out = console()
    out.print(level_table(scored, language))
    _tell_missed(scored, language)
    below = [
        (level, percent, share.percent if share.offered else 0.0)
        for level, percent in wanted.items()
        if (share := scored.shares[level]).total and (share.percent if share.offered else 0.0) < percent
    ]
    for level, percent, reached in below:
        values = {"level": level, "reached": f"{reached:.1f}", "wanted": f"{percent:g}"}
        out.print(word("suite", "below", language, values), style="red")
    return EXIT_BELOW if below else 0


def _tell_missed(scored: Score, language: str) -> None:
    from wsyncsim.output import console
    from wsyncsim.suite.report import SHOWN, behaviours, missed

    out = console()
    found = missed(scored)
    for case, level, reason in found[:SHOWN]:
        out.print(f"{level:8}  {case.case.id}: {reason}", style="red")
        out.print(f"          {case.case.why}", style="dim")
    if len(found) > SHOWN:
        out.print(word("suite", "more", language, {"count": len(found) - SHOWN}))
    chosen = behaviours(scored)
    if chosen:
        out.print(f"\n{word('suite', 'behaviour', language)}:", style="bold")
    for id_, behaviour in chosen.items():
        out.print(f"  {id_}: {behaviour}")


@suite.command("shrink")
@click.argument("story")
@_cmd
@_fields
@_timeout
@click.option("--level", type=click.Choice(_LEVELS[1:6]), default=None, help="Only what is wrong at this level.")
@click.option("--log", "logs", default="*", metavar="GLOB", help="Only logs of such a name, such as wsyncmgr.log.")
@click.option("--generation", type=click.Choice(["2007", "2012", "cb"]), default=None, help="Product generation.")
@click.option("--seconds", type=click.FloatRange(1, 86_400), default=120.0, show_default=True, help="Stop looking after this time.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Output folder (default: ./STORY-shrunk).")
@_language
def shrink(
    story: str,
    command: str,
    fields_file: Path | None,
    timeout_s: float,
    level: str | None,
    logs: str,
    generation: Any,
    seconds: float,
    out: Path | None,
    language: str | None,
) -> int:
    """Find the shortest log of a simulated run that a tool gets wrong.

    STORY is played, and the tool reads its logs. Where its records differ from the truth, first the story is made shorter
    (hours, timeline, estate), then the file (records), as long as the tool still fails at the same level. The new folder
    gets story.toml, the log, and what it should have read. Exit code 1 when something was found, 0 when the tool reads all.

    \b
    Examples:
      wsyncsim suite shrink S19 --cmd 'my-parser {file}' --fields my-parser.toml
      wsyncsim suite shrink S19 --cmd 'my-parser {file}' --log wsyncmgr.log --level utc
    """
    from scenarios.catalogue import find
    from scenarios.story import Changes
    from wsyncsim.output import console
    from wsyncsim.suite.play import Player
    from wsyncsim.suite.shrink import Shrinker, check_folder
    from wsyncsim.suite.tool import parse_command

    language = language or spoken_language()
    player = Player(parse_command(command), _field_map(fields_file), timeout_s)
    played = find(story, Changes(generation=generation))
    target = out if out is not None else Path(f"{played.name}-shrunk")
    check_folder(target)
    talk = console(stderr=True)
    found = Shrinker(player, level, seconds, lambda text: talk.print(text, style="dim"), language, logs).shrink(played)
    if found is None:
        said = word("suite", "reads all", language) if level is None else word("suite", "nothing at", language, {"level": level})
        talk.print(said, style="green")
        return 0
    found.write(target)
    values = {"level": found.level, "reason": found.reason, "records": len(found.records), "hours": found.story.hours}
    talk.print(word("suite", "shrunk", language, values), style="bold")
    if not found.finished:
        talk.print(word("suite", "out of time", language))
    click.echo(str(target))
    return EXIT_BELOW


def _minimum(given: tuple[str, ...]) -> dict[Any, float]:
    wanted: dict[Any, float] = {}
    for text in given:
        level, equals, percent = text.partition("=")
        try:
            value = float(percent)
        except ValueError:
            value = -1.0
        if level not in _LEVELS or not equals or not 0 <= value <= 100:
            raise click.BadParameter(f"{text!r}: expected LEVEL=PERCENT with a level of {', '.join(_LEVELS)}", param_hint="--min")
        wanted[level] = value
    return wanted


def _field_map(path: Path | None) -> FieldMap:
    from wsyncsim.suite.fields import OWN_NAMES, load_field_map

    return OWN_NAMES if path is None else load_field_map(path)


def _chosen(folder: Path | None, only: tuple[str, ...]) -> list[Case]:
    from fnmatch import fnmatchcase

    from wsyncsim.suite.write import all_cases, load_folder

    cases = list(all_cases()) if folder is None else load_folder(folder)
    if only:
        cases = [
            case for case in cases if any(fnmatchcase(name, glob) for glob in only for name in (case.id, case.format, *case.tags))
        ]
    if not cases:
        raise click.UsageError("no case has such an id, format or tag")
    return cases


def _write_report(path: Path, data: bytes) -> None:
    from simulator.errors import WsyncsimError

    try:
        path.write_bytes(data)
    except OSError as error:
        raise WsyncsimError(f"cannot be written: {error.strerror or error}", where=str(path)) from None
