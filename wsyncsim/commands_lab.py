"""``wsyncsim lab``: the training lab in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wsyncsim.commands_lab_desk import Desk, Settings, desk_for, json_option, key_option, patience, talk, with_settings

if TYPE_CHECKING:
    pass

EXIT_NOT_VALID = 1
YES = ("yes", "ja")
NO = ("no", "nein")


@click.group("lab", invoke_without_command=True)
@with_settings
@click.pass_context
def lab(context: click.Context, language: str | None, state: Path | None, plain: bool) -> int | None:
    """The training lab: take a ticket, find out what is wrong, mend it or hand it over, prove that it works again.

    Without a command it goes on with the unfinished session, or takes the next ticket.

    \b
    Examples:
      wsyncsim lab                      start, or go on
      wsyncsim lab list                 all tickets
      wsyncsim lab new 1058 --lang de   a certain ticket, in German
      wsyncsim lab < script             commands from a file
      wsyncsim lab debrief              what really happened in the last ticket

    \b
    For instructors:
      wsyncsim lab course init week47.toml
      wsyncsim lab board week47.toml
      wsyncsim lab results week47.toml --out results.csv
    """
    if context.invoked_subcommand is not None:
        context.obj = Settings(language, state, plain)
        return None
    desk = desk_for(context, language, state, plain=plain)
    path = desk.shelf.last(closed=False)
    if path is not None and desk.talks and not _wants(desk, path):
        path = None
    return _go_on(desk, path) if path is not None else _begin(desk, desk.shelf.next_ticket())


def _wants(desk: Desk, path: Path) -> bool:
    from wsyncsim.lab.typed import tell
    from wsyncsim.output import inert

    while True:
        answer = desk.read(tell("offer", desk.language, name=inert(path.stem)))
        if answer is None:
            raise click.exceptions.Exit(0)
        wanted = answer.strip().lower()
        if not wanted or any(word.startswith(wanted) for word in YES):
            return True
        if any(word.startswith(wanted) for word in NO):
            return False


def _begin(desk: Desk, ticket: str, seed: int | None = None, **chosen: Any) -> int:
    from scenarios.mistakes import did_you_mean
    from wsyncsim.lab import open_ticket, tickets
    from wsyncsim.lab.data import LabError
    from wsyncsim.lab.typed import tell

    known = [each.id for each in tickets()]
    if ticket not in known:
        hint = did_you_mean(ticket, known, tell("see_list", desk.language))
        raise LabError(tell("no_ticket", desk.language, ticket=ticket), hint=hint)
    if seed is None:
        begun = {"-".join(path.stem.split("-")[:2]) for path in desk.shelf.sessions()}
        seed = next(number for number in range(1, len(begun) + 2) if f"{ticket}-{number}" not in begun)
    patience(desk)
    path = desk.shelf.new(ticket, seed)
    session = open_ticket(ticket, seed=seed, path=path, language=desk.language, **chosen)
    return talk(desk, session, path)


def _go_on(desk: Desk, path: Path) -> int:
    from wsyncsim.lab import resume
    from wsyncsim.lab.typed import tell
    from wsyncsim.output import inert

    patience(desk)
    session = resume(path, language=desk.language)
    desk.write(tell("goes_on", desk.language, name=inert(path.stem), count=len(session.actions_done)), "head")
    return talk(desk, session, path)


@lab.command("list")
@json_option
@with_settings
@click.pass_context
def list_(context: click.Context, language: str | None, state: Path | None, plain: bool, as_json: bool) -> None:
    """All tickets, by level, with their topics."""
    import json

    from wsyncsim.lab import tickets
    from wsyncsim.lab.data import curriculum
    from wsyncsim.lab.typed import tell

    desk = desk_for(context, language, state, plain=plain)
    if as_json:
        click.echo(json.dumps([ticket.as_json() for ticket in tickets()], ensure_ascii=False, indent=2))
        return
    titles = {heading.id: heading.title.in_(desk.language) for heading in curriculum()}
    level = None
    for ticket in tickets():
        if ticket.level != level:
            level = ticket.level
            desk.write(tell("list_level", desk.language, level=level, about=tell(f"level_{level}", desk.language)), "head")
        role = tell(f"short_{ticket.role.replace(' ', '_')}", desk.language)
        values = {"complaint": ticket.complaint.in_(desk.language), "role": role, "minutes": ticket.minutes}
        headings = "; ".join(titles[heading] for heading in ticket.headings)
        desk.write(tell("list_ticket", desk.language, id=ticket.id, headings=headings, **values))
    desk.write(tell("list_how", desk.language))


@lab.command()
@click.argument("ticket")
@click.option("--seed", type=click.IntRange(0, 2**53), default=None, help="The variant (default: the first you have not had).")
@click.option("--role", type=click.Choice(["help desk", "second level"]), default=None, help="Instead of the ticket's role.")
@click.option("--generation", type=click.Choice(["2007", "2012", "cb"]), default=None, help="Instead of the variant's.")
@with_settings
@click.pass_context
def new(
    context: click.Context,
    ticket: str,
    seed: int | None,
    role: str | None,
    generation: str | None,
    language: str | None,
    state: Path | None,
    plain: bool,
) -> int:
    """Open a ticket: a new session. 'wsyncsim lab list' shows all tickets."""
    return _begin(desk_for(context, language, state, plain=plain), ticket, seed, role=role, generation=generation)


@lab.command("continue")
@click.argument("session", required=False)
@with_settings
@click.pass_context
def continue_(context: click.Context, session: str | None, language: str | None, state: Path | None, plain: bool) -> int:
    """Go on with SESSION (default: the last that is unfinished)."""
    from wsyncsim.lab.data import LabError
    from wsyncsim.lab.typed import tell

    desk = desk_for(context, language, state, plain=plain)
    path = desk.shelf.find(session) if session is not None else desk.shelf.last(closed=False)
    if path is None:
        raise LabError(tell("no_unfinished", desk.language), hint=tell("begin_one", desk.language))
    return _go_on(desk, path)


@lab.command()
@click.argument("session", required=False)
@click.option(
    "--at", type=click.IntRange(0), default=None, metavar="N", help="After its first N actions (default: all but closing)."
)
@with_settings
@click.pass_context
def fork(context: click.Context, session: str | None, at: int | None, language: str | None, state: Path | None, plain: bool) -> int:
    """Try it another way: a new session that begins like SESSION (default: the last closed one) and goes on from there.

    'wsyncsim lab replay SESSION' numbers the actions.
    """
    from wsyncsim.lab import resume
    from wsyncsim.lab.data import LabError
    from wsyncsim.lab.typed import tell

    desk = desk_for(context, language, state, plain=plain)
    path = desk.shelf.find(session) if session is not None else desk.shelf.last(closed=True)
    if path is None:
        raise LabError(tell("no_closed", desk.language), hint=tell("begin_one", desk.language))
    patience(desk)
    played = resume(path, language=desk.language)
    done = played.actions_done
    after = at if at is not None else len(done) - bool(done and done[-1]["do"] == "close")
    new_path = desk.shelf.new(played.ticket.id, played.variant.seed)
    forked = played.fork(after, new_path)
    desk.write(tell("forked", desk.language, name=path.stem, count=len(forked.actions_done)), "head")
    return talk(desk, forked, new_path)


@lab.command()
@click.argument("session", required=False)
@click.option("--all", "everything", is_flag=True, help="Long lists too.")
@json_option
@with_settings
@click.pass_context
def debrief(
    context: click.Context,
    session: str | None,
    everything: bool,
    as_json: bool,
    language: str | None,
    state: Path | None,
    plain: bool,
) -> None:
    """What really happened in SESSION (default: the last closed one), what could be seen, and the best way."""
    import json

    from wsyncsim.lab import resume
    from wsyncsim.lab.data import LabError
    from wsyncsim.lab.terminal import Terminal
    from wsyncsim.lab.typed import tell

    desk = desk_for(context, language, state, plain=plain)
    path = desk.shelf.find(session) if session is not None else desk.shelf.last(closed=True)
    if path is None:
        raise LabError(tell("no_closed", desk.language), hint=tell("begin_one", desk.language))
    played = resume(path, language=desk.language)
    found = played.debrief()
    if as_json:
        content = {"result": played.result().as_json(), "debrief": found.as_json()}
        click.echo(json.dumps(content, ensure_ascii=False, indent=2))
        return
    terminal = Terminal(played, desk.read, desk.write, lambda: played)
    terminal.show_result()
    terminal.show_debrief(everything=everything)


@lab.command("replay")
@click.argument("session")
@click.option("--course", "course_file", type=click.Path(path_type=Path), default=None, metavar="FILE", help="For one of an exam.")
@key_option
@with_settings
@click.pass_context
def replay_(
    context: click.Context,
    session: str,
    course_file: Path | None,
    key: Path | None,
    language: str | None,
    state: Path | None,
    plain: bool,
) -> None:
    """Show how SESSION went, finished or not: what was typed, and what it showed. The session stays as it is.

    A session of an exam needs its --course.
    """
    from wsyncsim.lab.course import load, read_key, seat
    from wsyncsim.lab.diary import Diary
    from wsyncsim.lab.replay import replay

    desk = desk_for(context, language, state, plain=plain)
    diary, place = Diary.read(desk.shelf.find(session)), None
    if "exam" in diary.header and course_file is not None:
        secret = read_key(key or course_file.with_suffix(".key"))
        place = seat(load(course_file), secret, str(diary.header.get("slot")), str(diary.header.get("trainee")))
    replay(diary, desk.write, language=desk.language, seat=place)


@lab.command()
@with_settings
@click.pass_context
def doctor(context: click.Context, language: str | None, state: Path | None, plain: bool) -> int:
    """Is everything there that the lab needs? Exit code 1 when something is not."""
    from wsyncsim.lab.typed import tell
    from wsyncsim.output import inert

    desk, well = desk_for(context, language, state, plain=plain), True
    for fine, name, values in _checks(desk):
        well = well and fine
        text = inert(tell(name, desk.language, **values))
        desk.write(tell("doctor_ok" if fine else "doctor_bad", desk.language, what=text), "" if fine else "error")
    return 0 if well else EXIT_NOT_VALID


def _checks(desk: Desk) -> Iterator[tuple[bool, str, dict[str, Any]]]:
    import platform
    import tempfile

    from simulator.errors import WsyncsimError
    from wsyncsim._version import __version__
    from wsyncsim.lab import open_ticket
    from wsyncsim.lab.diary import Diary
    from wsyncsim.mistakes import told, translated

    yield True, "doctor_version", {"version": __version__, "python": platform.python_version()}
    folder = desk.shelf.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        yield True, "doctor_folder", {"folder": folder}
    except OSError as error:
        yield False, "doctor_no_folder", {"folder": folder, "error": translated(str(error.strerror or error), desk.language)}
    paths = desk.shelf.sessions() if folder.is_dir() else []
    unfinished = 0
    for path in paths:
        try:
            unfinished += not any(action["do"] == "close" for action in Diary.read(path).actions)
        except WsyncsimError as error:
            yield False, "doctor_damaged", {"name": path.stem, "error": told(error, desk.language).what}
    yield True, "doctor_sessions", {"count": len(paths), "open": unfinished}
    encoding = sys.stdout.encoding or "ascii"
    try:
        "äöüß„“".encode(encoding)
        yield True, "doctor_umlauts", {"encoding": encoding}
    except (UnicodeEncodeError, LookupError):
        yield False, "doctor_no_umlauts", {"encoding": encoding}
    open_ticket(desk.shelf.next_ticket())
    yield True, "doctor_plays", {}
