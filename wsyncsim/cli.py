"""The command ``wsyncsim``. Nothing heavy is imported until a command needs it."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from wsyncsim._version import __version__
from wsyncsim.commands_corpus import corpus
from wsyncsim.commands_lab import lab
from wsyncsim.commands_lab_course import INSTRUCTOR
from wsyncsim.commands_lab_serve import serve
from wsyncsim.commands_live import live
from wsyncsim.commands_suite import suite
from wsyncsim.words import LANGUAGE_VARIABLE, spoken_language, word

EXIT_REFUTED = 1
EXIT_MISTAKE = 2

GENERATIONS = ("2007", "2012", "cb")


class Terminated(KeyboardInterrupt):
    """The process was asked to end."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line: mistakes become a message and exit code 2, never a traceback."""

    def terminate(_signal: int, _frame: FrameType | None) -> None:
        raise Terminated

    with suppress(ValueError):  # not the main thread: then nobody sends us signals
        for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), terminate)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open as long as the program
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    from simulator.errors import WsyncsimError

    try:
        result = wsyncsim.main(args=arguments, prog_name="wsyncsim", standalone_mode=False)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except (click.ClickException, WsyncsimError, KeyboardInterrupt, click.Abort, OSError) as error:
        from wsyncsim.mistakes import mistake_language, show

        with suppress(OSError):
            show(error, mistake_language(sys.argv[1:] if arguments is None else arguments))
        return EXIT_MISTAKE
    except SystemExit:  # click's answer to a reader that has gone
        return 0
    return result if isinstance(result, int) else 0


_language = click.option(
    "--language",
    "-l",
    type=click.Choice(["en", "de"]),
    default=None,
    metavar="en|de",
    help=f"Language of what the program says (default: {LANGUAGE_VARIABLE}, else the system's).",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, no_args_is_help=True)
@click.version_option(__version__, message="wsyncsim %(version)s")
def wsyncsim() -> None:
    """A simulated WSUS/ConfigMgr environment: it runs, breaks, and writes its logs, with a proven answer key.

    \b
    Start here:
      wsyncsim list                     stories and faults
      wsyncsim run S19                  break the web service, write the logs to ./S19-1
      wsyncsim explain S19-1            what was wrong, and what followed from it
      wsyncsim explain S19-1 wsyncmgr.log:21
                                        why that line was written
    """


@wsyncsim.command("list")
@_language
def list_(language: str | None) -> None:
    """List stories, faults, repairs and estates."""
    from rich import box
    from rich.table import Table

    from scenarios.catalogue import fault_ids, find, story_names
    from scenarios.faults import FAULTS
    from scenarios.repairs import REPAIRS
    from simulator.estate import ESTATES
    from wsyncsim.output import console

    language = language or spoken_language()
    out = console()

    def table(title: str, *columns: str) -> Table:
        made = Table(title=word("list", title, language), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
        for column in columns:
            made.add_column(word("list", column, language))
        return made

    stories = table("stories", "name", "title")
    for name in story_names():
        stories.add_row(name, find(name).title.in_(language))
    faults = table("faults", "name", "title", "generations", "level")
    for fault in (FAULTS[id] for id in fault_ids()):
        faults.add_row(fault.id, fault.title.in_(language), " ".join(fault.generations), str(fault.level))
    estates = table("estates", "name", "sites")
    for estate in ESTATES.values():
        estates.add_row(estate.name, ", ".join(f"{site.code} ({site.server}, {site.sup})" for site in estate.sites))
    repairs = table("repairs", "name", "title")
    for repair in REPAIRS.values():
        repairs.add_row(repair.id, repair.title.in_(language))
    for made in (stories, faults, repairs, estates):
        out.print(made)


@wsyncsim.command()
@click.argument("name")
@click.option("--toml", "as_toml", is_flag=True, help="Print it as a story file, to start one of your own from.")
@_language
def show(name: str, as_toml: bool, language: str | None) -> None:
    """Show what a story or fault is about, and what happens when.

    NAME is a story, a fault id such as S19, or a TOML file.

    \b
    Examples:
      wsyncsim show two-faces
      wsyncsim show S19 --toml > my-story.toml
    """
    from scenarios.catalogue import find
    from scenarios.faults import FAULTS
    from scenarios.repairs import REPAIRS
    from wsyncsim.output import console

    language = language or spoken_language()
    story = find(name)
    if as_toml:
        click.echo(story.to_toml(), nl=False)
        return
    out = console()
    out.print(f"{story.name}: {story.title.in_(language)}", style="bold")
    for fault in story.faults:
        out.print(f"  {fault.id}: {fault.summary.in_(language)}")
    if story.ticket is not None:
        out.print(f"{word('show', 'ticket', language)}: {story.ticket.in_(language)}")
    sites = ", ".join(f"{site.code} ({site.server}, {site.sup})" for site in story.estate.sites)
    out.print(f"{word('show', 'estate', language)}: {story.estate.name}: {sites}; {story.generation}, {story.os_language}")
    hours = word("show", "hours", language)
    out.print(f"{word('show', 'time', language)}: {story.start:%Y-%m-%d %H:%M} {story.timezone}, {story.hours} {hours}")
    if story.timeline:
        out.print(f"{word('show', 'timeline', language)}:")
    for step in story.timeline:
        title = FAULTS[step.id].title if step.kind == "fault" else REPAIRS[step.id].title
        minutes = step.at // 60_000_000
        style = "red" if step.kind == "fault" else "cyan"
        out.print(f"  +{minutes // 60}:{minutes % 60:02}  {step.site}  {step.id}  {title.in_(language)}", style=style)


@wsyncsim.command()
@click.argument("name")
@click.option("--seed", type=click.IntRange(0, 2**53), default=None, help="Seed of all chance (default: the story's).")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Output folder (default: ./NAME-SEED).")
@click.option("--generation", type=click.Choice(GENERATIONS), default=None, help="Product generation (default: the story's).")
@click.option("--os-language", type=click.Choice(["en", "de"]), default=None, help="Language of the simulated servers.")
@click.option("--timezone", default=None, metavar="ZONE", help="IANA time zone of the estate, such as America/Chicago.")
@click.option("--start", default=None, metavar="TIME", help="Local start time, such as 2026-03-02T06:00.")
@click.option("--hours", type=click.IntRange(1, 24 * 366 * 10), default=None, help="Length in hours; what comes later is left out.")
@click.option("--estate-seed", type=click.IntRange(min=0), default=None, help="Give the estate invented names (extra 'names').")
@click.option("--no-truth", is_flag=True, help="Write the logs only, without the answer key.")
@click.option("--force", is_flag=True, help="Replace an earlier run's folder.")
@_language
def run(
    name: str,
    seed: int | None,
    out: Path | None,
    generation: str | None,
    os_language: str | None,
    timezone: str | None,
    start: str | None,
    hours: int | None,
    estate_seed: int | None,
    no_truth: bool,
    force: bool,
    language: str | None,
) -> None:
    """Play a story and write its logs and answer key into a folder.

    NAME is a story (see 'wsyncsim list'), a fault id such as S19, which plays that fault's own story, or a TOML file.

    \b
    Examples:
      wsyncsim run healthy
      wsyncsim run S16 --generation 2007 --os-language de
      wsyncsim run my-story.toml --seed 7 --out corpus/7 --hours 48
    """
    from scenarios.catalogue import find
    from scenarios.run import play
    from scenarios.story import Changes
    from wsyncsim.output import console, progress_bar, tell_chronicle

    language = language or spoken_language()
    changes: dict[str, Any] = {
        "seed": seed,
        "generation": generation,
        "os_language": os_language,
        "timezone": timezone,
        "start": start,
        "hours": hours,
    }
    story = find(name, Changes(**changes))
    decorated = None
    if estate_seed is not None:
        from wsyncsim.decorate import decorate

        story, decorated = decorate(story, estate_seed)
    target = out if out is not None else Path(f"{story.name}-{story.seed}")
    with progress_bar(f"{word('run', 'playing', language)} {story.name}") as progress:
        outcome = play(
            story,
            target,
            truth=not no_truth,
            force=force,
            tool_version=__version__,
            decorated=decorated,
            progress=progress,
        )
    talk = console(stderr=True)
    talk.print(
        f"{story.name}: {story.title.in_(language)} ({story.generation}, {story.os_language}, seed {story.seed})", style="bold"
    )
    tell_chronicle(outcome.chronicle, story, language)
    talk.print(f"{word('run', 'written', language)}:")
    click.echo(_shown(outcome.out))


def _shown(path: Path) -> str:
    """A path below the current folder is shown relative to it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


@wsyncsim.command()
@click.argument("faults", nargs=-1, metavar="[FAULT]...")
@click.option("--generation", type=click.Choice(GENERATIONS), multiple=True, help="Only this generation (repeatable).")
@click.option("--seeds", type=click.IntRange(1, 1000), default=3, show_default=True, help="How many seeds each.")
@click.option("--pairs", type=click.IntRange(1), metavar="N", help="Instead, prove N random pairs of faults (with these FAULTs).")
@click.option("--seed", type=click.IntRange(0, 2**53), default=1, show_default=True, help="Which pairs, and their day.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per proof on stdout, instead of the table.")
@_language
def prove(
    faults: tuple[str, ...],
    generation: tuple[str, ...],
    seeds: int,
    pairs: int | None,
    seed: int,
    as_json: bool,
    language: str | None,
) -> int:
    """Prove the answer key of faults (all of them by default), or of random pairs of them.

    For every fault, generation and seed: the same seed without the fault must not contain what is blamed on it, and after the
    right repair the next synchronization must succeed. Exit code 1 when a proof fails.
    FAULT is a fault id, or the letter of a family: S for the faults of the seed page.

    \b
    wsyncsim prove S19 --generation cb     one fault
    wsyncsim prove S --seeds 5             the whole family
    wsyncsim prove --pairs 50 --seed 7     two faults at a time, and which hides which
    wsyncsim prove --pairs 3 S19 S16       these two, in each generation
    """
    from scenarios.catalogue import find
    from scenarios.faults import FAULTS
    from scenarios.prove import prove as proofs
    from wsyncsim.output import progress_bar

    language = language or spoken_language()
    ids: list[str] = []
    for given in faults:
        meant = [id for id in FAULTS if given.upper() in (id, id[:1])]
        if not meant:
            find(given)  # says what is near
            raise click.BadParameter(f"{given!r} is a story; prove takes fault ids such as S19")
        ids += [id for id in meant if id not in ids]
    if pairs is not None:
        from wsyncsim.commands_pairs import prove_pairs

        return 0 if prove_pairs(pairs, ids, seed, generation, as_json=as_json, language=language) else EXIT_REFUTED
    ids = ids or list(FAULTS)
    total = sum(seeds for id in ids for each in FAULTS[id].generations if not generation or each in generation)
    found = []
    with progress_bar("prove") as progress:
        for done, proof in enumerate(proofs(ids, generation, range(1, seeds + 1)), 1):
            found.append(proof)
            progress(done / max(total, 1))
    if not found:
        raise click.UsageError("none of these faults exists in that generation")
    if as_json:
        import msgspec

        for proof in found:
            click.echo(msgspec.json.encode(proof))
    else:
        _proof_table(found, language)
    return EXIT_REFUTED if any(not proof.holds for proof in found) else 0


def _proof_table(found: list[Any], language: str) -> None:
    from rich import box
    from rich.table import Table

    from wsyncsim.output import console

    table = Table(box=box.SIMPLE_HEAD)
    for column in ("fault", "generation", "seeds", "faces", "lines", "verdict"):
        table.add_column(word("prove", column, language), justify="right" if column in ("seeds", "lines") else "left")
    out = console()
    groups: dict[tuple[str, str], list[Any]] = {}
    for proof in found:
        groups.setdefault((proof.fault, proof.generation), []).append(proof)
    for (fault, generation), proofs in groups.items():
        faces = dict.fromkeys(face for proof in proofs for face in proof.faces)
        refuted = [proof for proof in proofs if not proof.holds]
        verdict = word("prove", "refuted" if refuted else "proven", language)
        table.add_row(
            fault,
            generation,
            str(len(proofs)),
            "; ".join(faces),
            str(sum(proof.blamed_lines for proof in proofs)),
            verdict,
            style="red" if refuted else None,
        )
    out.print(table)
    for proof in found:
        for problem in proof.problems:
            out.print(f"{proof.fault} {proof.generation} seed {proof.seed}: {problem}", style="red")


@wsyncsim.command()
@click.argument("run_folder", type=click.Path(path_type=Path))
@click.argument("place", required=False, metavar="[LOG:LINE]")
@_language
def explain(run_folder: Path, place: str | None, language: str | None) -> None:
    """Explain a run, or why one line of one of its logs was written.

    \b
    Examples:
      wsyncsim explain S19-1
      wsyncsim explain S19-1 wsyncmgr.log:21
      wsyncsim explain S21-1 PS1SITE/wsyncmgr.log:12 --language de
    """
    from wsyncsim.explain import explain_line, explain_run
    from wsyncsim.run_folder import damage_told

    language = language or spoken_language()
    lines = explain_run(run_folder, language) if place is None else explain_line(run_folder, place, language)
    with damage_told(run_folder):
        texts = list(lines)
    for text in texts:
        click.echo(text)


@wsyncsim.command()
@click.argument("run_folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=None, help="HTML file (default: ./RUN_FOLDER-timeline.html).")
@click.option("--site", default=None, metavar="CODE", help="Only this site's servers.")
@click.option("--from", "begin", default=None, metavar="TIME", help="Local time, such as 2026-03-02T08:00, or 08:00.")
@click.option("--to", "end", default=None, metavar="TIME", help="Local time until which it goes.")
@_language
def timeline(
    run_folder: Path, out: Path | None, site: str | None, begin: str | None, end: str | None, language: str | None
) -> None:
    """Draw a run as one HTML page: who did what when, what failed, and why.

    The page needs no network and no script. An earlier timeline is replaced; no other file is.

    \b
    Examples:
      wsyncsim timeline S19-1
      wsyncsim timeline S19-1 --from 07:50 --to 09:00 --out morning.html
      wsyncsim timeline S21-1 --site PS1 --language de
    """
    from wsyncsim.output import progress_bar
    from wsyncsim.timeline_page import write_timeline

    language = language or spoken_language()
    with progress_bar(word("timeline", "reading", language)) as progress:
        written = write_timeline(run_folder, out, language=language, site=site, begin=begin, end=end, progress=progress)
    click.echo(_shown(written))


@wsyncsim.command()
@click.argument("run", metavar="RUN")
@click.argument("look_id", required=False, metavar="[ID]")
@click.option(
    "--host",
    default=None,
    help="Server, or role seen from the site: ss, sup, psup, csup, old, prx, adm (default: the look's usual).",
)
@click.option("--site", default=None, metavar="CODE", help="Site to look from (default: the top-level site).")
@click.option("--at", default=None, metavar="TIME", help="Time after the start (2h30m), or local date and time (default: the end).")
@click.option("--account", default=None, metavar="NAME", help="Who looks (default: a domain administrator).")
@click.option("--target", default=None, help="Name, host:port, URL or account to try (L70, L71, L72, L50, L81, L95).")
@click.option("--json", "as_json", is_flag=True, help="Facts and lines as one JSON object on stdout.")
@_language
def look(run: str, look_id: str | None, as_json: bool, language: str | None, **options: str | None) -> None:
    """Look at a simulated server: what a console, file, command or service would show at that moment.

    RUN is the folder of a run, which is played again up to that moment, or a story or fault. Without ID: all looks, and where
    they can be done. Looking changes nothing.

    \b
    Examples:
      wsyncsim look S19
      wsyncsim look S19-1 L45 --at 3h
      wsyncsim look S21 L37 --site PS1 --host psup --at 2026-03-02T08:30
      wsyncsim look S04 L71 --target CS1SUP.CONTOSO.COM:8530 --json
    """
    from wsyncsim.commands_look import show_list, show_look

    language = language or spoken_language()
    if look_id is None:
        show_list(run, language, as_json=as_json)
    else:
        show_look(run, look_id, language, as_json=as_json, options=options)


@wsyncsim.command()
@click.argument("faults", nargs=-1, metavar="[FAULT]...")
@click.option("--generation", type=click.Choice(GENERATIONS), multiple=True, help="Only this generation (repeatable).")
@click.option("--seeds", type=click.IntRange(1, 100), default=3, show_default=True, help="How many seeds each.")
@click.option("--format", "form", type=click.Choice(["text", "md", "svg", "json"]), default="text", help="Default: text.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Write to this file instead of stdout.")
@click.option("--jobs", type=click.IntRange(0, 256), default=0, help="Processes at once (default: as many as processors).")
@_language
def matrix(
    faults: tuple[str, ...],
    generation: tuple[str, ...],
    seeds: int,
    form: Any,
    out: Path | None,
    jobs: int,
    language: str | None,
) -> None:
    """Compute which look tells which cause from which, and the cheapest way to every cause.

    FAULT is a fault id, or the letter of a family: S for the faults of the seed page. Every fault is played beside the same
    day without it, and everything is looked at. --format svg draws the decision tree as a wall chart (A3).

    \b
    Examples:
      wsyncsim matrix S16 S18 S19 S20
      wsyncsim matrix S --generation cb
      wsyncsim matrix S --format svg --out chart.svg --language de
    """
    from wsyncsim.commands_matrix import run_matrix

    run_matrix(faults, generation, seeds, form=form, out=out, language=language or spoken_language(), jobs=jobs)


@wsyncsim.command()
def schema() -> None:
    """Print the JSON Schema of story files, for editors."""
    import json

    from scenarios.schema import schema as story_schema

    click.echo(json.dumps(story_schema(), indent=2))


wsyncsim.add_command(corpus)
wsyncsim.add_command(lab)
wsyncsim.add_command(live)
for command in (serve, *INSTRUCTOR):
    lab.add_command(command)
wsyncsim.add_command(suite)
