"""``wsyncsim lab``: the training lab in a terminal, and the instructor's commands."""

from __future__ import annotations

import locale
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wsyncsim.words import LANGUAGE_VARIABLE

if TYPE_CHECKING:
    from wsyncsim.lab.course import Course, Seat
    from wsyncsim.lab.session import LabSession
    from wsyncsim.lab.shelf import Shelf

EXIT_NOT_VALID = 1
EXIT_MISTAKE = 2
MOST_BUNDLE_BYTES = 8_000_000
_STYLES: dict[str, dict[str, Any]] = {"head": {"bold": True}, "error": {"fg": "red"}, "warning": {"fg": "yellow"}}
CLEAR_ABOVE = "-" * 40


def lab_language() -> str:
    """The language asked for in the environment, else the system's, else English."""
    for name in (LANGUAGE_VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG"):
        wanted = os.environ.get(name)
        if wanted:
            return "de" if wanted.lower().startswith("de") else "en"
    with suppress(ValueError):
        spoken = locale.getlocale()[0] or ""
        return "de" if spoken.lower().startswith(("de", "german")) else "en"
    return "en"


@dataclass(frozen=True, slots=True)
class Settings:
    """What was asked for before the command."""

    language: str | None = None
    state: Path | None = None
    plain: bool = False


def _with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--plain", is_flag=True, help="No colours."),
        click.option("--state", type=click.Path(path_type=Path), default=None, metavar="DIR", help="Where your sessions are kept."),
        _language,
    ):
        command = option(command)
    return command


_language = click.option(
    "--language",
    "--lang",
    "-l",
    type=click.Choice(["en", "de"]),
    default=None,
    metavar="en|de",
    help=f"Language (default: {LANGUAGE_VARIABLE}, else the system's).",
)
_json = click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
_key = click.option(
    "--key", type=click.Path(path_type=Path), default=None, metavar="FILE", help="The instructor's key (default: COURSE.key)."
)
_sessions = click.option(
    "--sessions",
    type=click.Path(path_type=Path),
    default=None,
    metavar="DIR",
    help="Where the sessions of the course lie (default: COURSE.sessions).",
)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a trainee sits: language, sessions, terminal."""

    language: str
    shelf: Shelf
    plain: bool
    kept: str
    """What has to be typed after a command for the same sessions."""

    @property
    def talks(self) -> bool:
        """Whether a person is typing."""
        return sys.stdin is not None and sys.stdin.isatty()

    def write(self, text: str, style: str = "") -> None:
        styles = {} if self.plain or os.environ.get("NO_COLOR") else _STYLES.get(style, {})
        click.echo(click.style(text, **styles) if styles else text)

    def read(self, prompt: str) -> str | None:
        """A line from the keyboard, or from a file whose lines are shown as if they were typed."""
        if sys.stdin is None:
            return None
        if self.talks:
            try:
                return input(prompt)
            except EOFError:
                click.echo()
                return None
        line = sys.stdin.readline()
        if not line:
            return None
        from wsyncsim.output import inert

        click.echo(f"{prompt}{inert(line.rstrip(chr(10)).rstrip(chr(13)))}")
        return line


def _desk(context: click.Context, language: str | None, state: Path | None, *, plain: bool) -> Desk:
    from wsyncsim.lab.shelf import Shelf, default_folder

    before = context.find_object(Settings) or Settings()
    chosen = language or before.language or lab_language()
    folder = state or before.state
    desk = Desk(
        language=chosen,
        shelf=Shelf(folder or default_folder(), chosen),
        plain=plain or before.plain,
        kept=f" --state {folder}" if folder is not None else "",
    )
    reconfigure = getattr(sys.stdin, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace", encoding=None if desk.talks else "utf-8-sig")
    return desk


@click.group("lab", invoke_without_command=True)
@_with_settings
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
    desk = _desk(context, language, state, plain=plain)
    path = desk.shelf.last(closed=False)
    if path is not None and desk.talks and not _wants(desk, path):
        path = None
    return _go_on(desk, path) if path is not None else _begin(desk, desk.shelf.next_ticket())


def _wants(desk: Desk, path: Path) -> bool:
    from wsyncsim.lab.typed import tell
    from wsyncsim.output import inert

    answer = desk.read(tell("offer", desk.language, name=inert(path.stem)))
    if answer is None:
        raise click.exceptions.Exit(0)
    return not answer.strip().lower().startswith("n")


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
        begun = {path.stem.split(".")[0] for path in desk.shelf.sessions()}
        seed = next(number for number in range(1, len(begun) + 2) if f"{ticket}-{number}" not in begun)
    _patience(desk)
    path = desk.shelf.new(ticket, seed)
    session = open_ticket(ticket, seed=seed, path=path, language=desk.language, **chosen)
    return _talk(desk, session, path)


def _go_on(desk: Desk, path: Path) -> int:
    from wsyncsim.lab import resume
    from wsyncsim.lab.typed import tell
    from wsyncsim.output import inert

    _patience(desk)
    session = resume(path, language=desk.language)
    desk.write(tell("goes_on", desk.language, name=inert(path.stem), count=len(session.actions_done)), "head")
    return _talk(desk, session, path)


def _patience(desk: Desk) -> None:
    from wsyncsim.lab.typed import tell

    if desk.talks:
        click.echo(tell("opening", desk.language), err=True)


def _talk(desk: Desk, session: LabSession, path: Path, *, seat: Seat | None = None, again: str = "") -> int:
    """Talk about a session; the exit code says whether a script's lines were all understood."""
    from wsyncsim.lab import resume
    from wsyncsim.lab.terminal import Terminal
    from wsyncsim.lab.typed import tell
    from wsyncsim.output import inert

    if desk.talks:
        with suppress(ImportError):
            import readline  # noqa: F401 - it lets lines be edited and repeated

    terminal = Terminal(session, desk.read, desk.write, lambda: resume(path, language=desk.language, seat=seat))
    terminal.run()
    session = terminal.session
    verb = "debrief" if session.closed else "continue"
    command = again or f"wsyncsim lab {verb} {path.stem}{desk.kept}"
    name = "bye" if not session.closed else "bye_exam" if again else "bye_closed"
    desk.write(tell(name, session.language, command=inert(command)))
    return EXIT_MISTAKE if terminal.mistakes and not desk.talks else 0


@lab.command("list")
@_json
@_with_settings
@click.pass_context
def list_(context: click.Context, language: str | None, state: Path | None, plain: bool, as_json: bool) -> None:
    """All tickets, by level, with their topics."""
    import json

    from wsyncsim.lab import tickets
    from wsyncsim.lab.data import curriculum
    from wsyncsim.lab.typed import tell

    desk = _desk(context, language, state, plain=plain)
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
@_with_settings
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
    return _begin(_desk(context, language, state, plain=plain), ticket, seed, role=role, generation=generation)


@lab.command("continue")
@click.argument("session", required=False)
@_with_settings
@click.pass_context
def continue_(context: click.Context, session: str | None, language: str | None, state: Path | None, plain: bool) -> int:
    """Go on with SESSION (default: the last that is unfinished)."""
    from wsyncsim.lab.data import LabError
    from wsyncsim.lab.typed import tell

    desk = _desk(context, language, state, plain=plain)
    path = desk.shelf.find(session) if session is not None else desk.shelf.last(closed=False)
    if path is None:
        raise LabError(tell("no_unfinished", desk.language), hint=tell("begin_one", desk.language))
    return _go_on(desk, path)


@lab.command()
@click.argument("session", required=False)
@click.option("--all", "everything", is_flag=True, help="Long lists too.")
@_json
@_with_settings
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

    desk = _desk(context, language, state, plain=plain)
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
@_key
@_with_settings
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

    desk = _desk(context, language, state, plain=plain)
    diary, place = Diary.read(desk.shelf.find(session)), None
    if "exam" in diary.header and course_file is not None:
        secret = read_key(key or course_file.with_suffix(".key"))
        place = seat(load(course_file), secret, str(diary.header.get("slot")), str(diary.header.get("trainee")))
    replay(diary, desk.write, language=desk.language, seat=place)


@lab.command()
@_with_settings
@click.pass_context
def doctor(context: click.Context, language: str | None, state: Path | None, plain: bool) -> int:
    """Is everything there that the lab needs? Exit code 1 when something is not."""
    from wsyncsim.lab.typed import tell
    from wsyncsim.output import inert

    desk, well = _desk(context, language, state, plain=plain), True
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

    yield True, "doctor_version", {"version": __version__, "python": platform.python_version()}
    folder = desk.shelf.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        yield True, "doctor_folder", {"folder": folder}
    except OSError as error:
        yield False, "doctor_no_folder", {"folder": folder, "error": error.strerror}
    paths = desk.shelf.sessions() if folder.is_dir() else []
    unfinished = 0
    for path in paths:
        try:
            unfinished += not any(action["do"] == "close" for action in Diary.read(path).actions)
        except WsyncsimError as error:
            yield False, "doctor_damaged", {"name": path.stem, "error": error.what}
    yield True, "doctor_sessions", {"count": len(paths), "open": unfinished}
    encoding = sys.stdout.encoding or "ascii"
    try:
        "äöüß„“".encode(encoding)
        yield True, "doctor_umlauts", {"encoding": encoding}
    except (UnicodeEncodeError, LookupError):
        yield False, "doctor_no_umlauts", {"encoding": encoding}
    open_ticket(desk.shelf.next_ticket())
    yield True, "doctor_plays", {}


# --- the instructor


@lab.group()
def course() -> None:
    """Set up a course or an exam.

    \b
    In this order:
      wsyncsim lab course init week47.toml     a file to be filled in
      wsyncsim lab course check week47.toml    is it right?
      wsyncsim lab course key week47.key       your key: everybody's variant follows from it
      wsyncsim lab course codes week47.toml    what each participant types
    """


_TEMPLATE = """# A course of wsyncsim's training lab. Check it with: wsyncsim lab course check FILE

id = "{id}"                 # letters, digits, - and _
title = "Help desk training"
exam = true
hints = false               # may participants ask for hints?
released = false            # true: participants may see the debrief
attempt = 1                 # another number gives everybody another variant

# Codes instead of names. Who they are is written down elsewhere.
participants = [{participants}]

# One slot is one ticket. Participants see the slot's id only. 'wsyncsim lab list' shows all tickets.
# Optional: role = "help desk" or "second level"; generation = "2007", "2012" or "cb".
{slots}"""


@course.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--participants", type=click.IntRange(1, 500), default=12, show_default=True, help="How many codes.")
@click.option("--ticket", "chosen", multiple=True, metavar="ID", help="A ticket (repeatable; default: 1058 and 1009).")
@_language
def init(file: Path, participants: int, chosen: tuple[str, ...], language: str | None) -> None:
    """Write a course FILE to be filled in."""
    from wsyncsim.lab.data import LabError
    from wsyncsim.lab.shelf import write_whole
    from wsyncsim.lab.ticket import data
    from wsyncsim.lab.typed import tell
    from wsyncsim.output import inert

    if file.exists():
        raise LabError("it exists already", where=str(file), hint="Choose another name, or delete it")
    tickets = chosen or ("1058", "1009")
    for ticket in tickets:
        data(ticket)
    slots = "".join(f'\n[[slots]]\nid = "{number}"\nticket = "{ticket}"\n' for number, ticket in enumerate(tickets, 1))
    codes = ", ".join(f'"T-{number:03}"' for number in range(1, participants + 1))
    id = "".join(letter if (letter.isascii() and letter.isalnum()) or letter in "-_" else "-" for letter in file.stem).strip("-_")
    write_whole(file, _TEMPLATE.format(id=id[:32] or "course", participants=codes, slots=slots))
    told = tell("course_written", language or lab_language(), file=file, key=file.with_suffix(".key"))
    click.echo(inert(told))


@course.command()
@click.argument("file", type=click.Path(path_type=Path))
@_language
def check(file: Path, language: str | None) -> None:
    """Is this course FILE right? What is in it?"""
    from wsyncsim.lab.course import load
    from wsyncsim.lab.ticket import variant
    from wsyncsim.lab.typed import tell
    from wsyncsim.output import inert

    language = language or lab_language()
    found = load(file)
    counts = {"slots": len(found.slots), "participants": len(found.participants)}
    click.echo(inert(tell("course_fine", language, file=file, id=found.id, title=found.title, **counts)))
    hints = tell("course_hints" if found.hints else "course_no_hints", language)
    released = tell("course_released" if found.released else "course_not_released", language)
    click.echo(tell("course_exam", language, hints=hints, released=released))
    for slot in found.slots:
        chosen = variant(slot.ticket, 0, role=slot.role, generation=slot.generation)
        role = tell(f"short_{chosen.role.replace(' ', '_')}", language)
        complaint = chosen.ticket.complaint.in_(language)
        values = {"ticket": slot.ticket, "level": chosen.ticket.level, "role": role, "complaint": complaint}
        click.echo(tell("course_slot", language, id=slot.id, **values))


@course.command()
@click.argument("file", type=click.Path(path_type=Path))
@_language
def key(file: Path, language: str | None) -> None:
    """Make the instructor's key in FILE, readable for you alone."""
    from wsyncsim.lab.course import new_key
    from wsyncsim.lab.typed import tell
    from wsyncsim.output import inert

    new_key(file)
    click.echo(inert(tell("key_written", language or lab_language(), file=file)))


@course.command()
@click.argument("file", type=click.Path(path_type=Path))
def codes(file: Path) -> None:
    """For every participant of course FILE: the code, and what is to be typed to sit down."""
    from wsyncsim.lab.course import load
    from wsyncsim.output import inert

    for trainee in load(file).participants:
        click.echo(inert(f"{trainee}: wsyncsim lab exam {file} {trainee}"))


@dataclass(frozen=True, slots=True)
class Room:
    """A course with its key and its sessions."""

    course: Course
    folder: Path
    key: bytes


def _room(file: Path, key: Path | None, sessions: Path | None) -> Room:
    from wsyncsim.lab.course import load, read_key

    return Room(load(file), sessions or file.with_suffix(".sessions"), read_key(key or file.with_suffix(".key")))


@lab.command()
@click.argument("course_file", metavar="COURSE", type=click.Path(path_type=Path))
@click.argument("trainee")
@click.option("--slot", default=None, help="Which ticket of the course (default: the first that is not closed).")
@_key
@_sessions
@_with_settings
@click.pass_context
def exam(
    context: click.Context,
    course_file: Path,
    trainee: str,
    slot: str | None,
    key: Path | None,
    sessions: Path | None,
    language: str | None,
    state: Path | None,
    plain: bool,
) -> int:
    """Sit down at a COURSE as TRAINEE (a code), or go on there."""
    from scenarios.mistakes import did_you_mean
    from wsyncsim.lab.board import board, session_file
    from wsyncsim.lab.course import open_seat, seat
    from wsyncsim.lab.data import LabError
    from wsyncsim.lab.typed import tell
    from wsyncsim.output import inert

    desk, room = _desk(context, language, state, plain=plain), _room(course_file, key, sessions)
    if trainee not in room.course.participants:
        hint = did_you_mean(trainee, room.course.participants, "")
        raise LabError(tell("no_participant", desk.language, trainee=trainee), where=str(course_file), hint=hint)
    if slot is None:
        mine = [seated for seated in board(room.course, room.folder) if seated.trainee == trainee]
        slot = next((seated.slot for seated in mine if seated.state != "closed"), None)
        if slot is None:
            raise LabError(tell("no_slot_left", desk.language, trainee=trainee))
    place = seat(room.course, room.key, slot, trainee)
    path = session_file(room.folder, place.slot, trainee)
    _patience(desk)
    session = open_seat(room.course, room.key, place.slot, trainee, path, language=desk.language)
    options = "".join(f" {name} {value}" for name, value in (("--key", key), ("--sessions", sessions)) if value is not None)
    return _talk(desk, session, path, seat=place, again=inert(f"wsyncsim lab exam {course_file} {trainee}{options}"))


@lab.command("board")
@click.argument("course_file", metavar="COURSE", type=click.Path(path_type=Path))
@click.option("--watch", type=click.IntRange(1, 3600), default=None, metavar="SECONDS", help="Again every so many seconds.")
@_json
@_sessions
@_language
def board_(course_file: Path, watch: int | None, as_json: bool, sessions: Path | None, language: str | None) -> None:
    """Who is where in a COURSE: a line for each participant and slot. It holds no marks."""
    import json
    import time

    from wsyncsim.lab.board import board
    from wsyncsim.lab.course import load
    from wsyncsim.lab.typed import tell

    language = language or lab_language()
    folder = sessions or course_file.with_suffix(".sessions")
    while True:
        seats = board(load(course_file), folder)
        if as_json:
            click.echo(json.dumps([seated.as_json() for seated in seats]))
        else:
            for seated in seats:
                state = tell(f"state_{seated.state.replace(' ', '_')}", language)
                click.echo(tell("board_row", language, **{**seated.as_json(), "state": state}))
            closed = sum(seated.state == "closed" for seated in seats)
            working = sum(seated.state not in ("closed", "not begun") for seated in seats)
            click.echo(tell("board_sum", language, closed=closed, all=len(seats), working=working))
        if watch is None:
            return
        click.echo(CLEAR_ABOVE)
        time.sleep(watch)


@lab.command()
@click.argument("course_file", metavar="COURSE", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["csv", "jsonl", "xapi"]), default="csv", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=None, metavar="FILE", help="Write it there (default: stdout).")
@_key
@_sessions
@_language
def results(course_file: Path, form: str, out: Path | None, key: Path | None, sessions: Path | None, language: str | None) -> None:
    """Results of a COURSE: a row for each closed ticket, under the participants' codes.

    The forms: csv, JSON lines, or xAPI 1.0.3 statements as JSON lines.
    """
    from msgspec import structs

    from wsyncsim.lab.course import sessions_of, to_csv, to_json_lines, to_xapi
    from wsyncsim.lab.shelf import write_whole
    from wsyncsim.lab.typed import tell
    from wsyncsim.output import progress_bar

    language, room = language or lab_language(), _room(course_file, key, sessions)
    found = []
    seats = [(slot, trainee) for slot in room.course.slots for trainee in room.course.participants]
    with progress_bar(tell("reading", language)) as progress:
        for number, (slot, trainee) in enumerate(seats, 1):
            one = structs.replace(room.course, slots=[slot], participants=[trainee])
            found += sessions_of(one, room.key, room.folder)
            progress(number / len(seats))
        text = to_csv(found) if form == "csv" else to_json_lines(found) if form == "jsonl" else to_xapi(found)
    if not found:
        click.echo(tell("results_none", language), err=True)
    if out is None:
        click.echo(text.encode("utf-8"), nl=False)
    else:
        write_whole(out, text)
        click.echo(str(out))


@lab.command("bundle")
@click.argument("session")
@click.option("--key", type=click.Path(path_type=Path), required=True, metavar="FILE", help="The instructor's key.")
@click.option("--course", "course_file", type=click.Path(path_type=Path), default=None, metavar="FILE", help="For one of an exam.")
@click.option("--out", type=click.Path(path_type=Path), default=None, metavar="FILE", help="Write it there (default: stdout).")
@_with_settings
@click.pass_context
def bundle_(
    context: click.Context,
    session: str,
    key: Path,
    course_file: Path | None,
    out: Path | None,
    language: str | None,
    state: Path | None,
    plain: bool,
) -> None:
    """A closed SESSION with its mark, signed, so that others can check it."""
    from wsyncsim.lab import resume
    from wsyncsim.lab.course import bundle, load, read_key, seat
    from wsyncsim.lab.diary import Diary
    from wsyncsim.lab.shelf import write_whole

    desk = _desk(context, language, state, plain=plain)
    path, secret = desk.shelf.find(session), read_key(key)
    header, place = Diary.read(path).header, None
    if "exam" in header and course_file is not None:
        place = seat(load(course_file), secret, str(header.get("slot")), str(header.get("trainee")))
    text = bundle(resume(path, language=desk.language, seat=place), secret) + "\n"
    if out is None:
        click.echo(text.encode("utf-8"), nl=False)
    else:
        write_whole(out, text)
        click.echo(str(out))


@lab.command("verify")
@click.argument("bundle_file", metavar="BUNDLE", type=click.Path(path_type=Path))
@click.option("--key", type=click.Path(path_type=Path), required=True, metavar="FILE", help="The instructor's key.")
@click.option("--course", "course_file", type=click.Path(path_type=Path), default=None, metavar="FILE", help="For one of an exam.")
@_language
def verify_(bundle_file: Path, key: Path, course_file: Path | None, language: str | None) -> int:
    """Is this BUNDLE what was signed, and does playing it again give the same mark? Exit code 1 when not."""
    from simulator.errors import WsyncsimError
    from wsyncsim.lab.course import load, read_key, verify
    from wsyncsim.lab.data import LabError
    from wsyncsim.lab.typed import tell
    from wsyncsim.output import inert

    language = language or lab_language()
    secret, of = read_key(key), load(course_file) if course_file is not None else None
    try:
        content = bundle_file.read_bytes()
    except OSError as error:
        raise LabError(f"it cannot be read: {error.strerror}", where=str(bundle_file)) from None
    try:
        if len(content) > MOST_BUNDLE_BYTES:
            raise LabError("it is too long for a bundle")
        result = verify(content.decode("utf-8", errors="replace"), secret, of)
    except WsyncsimError as error:
        what = f"{error.what}. {error.hint}" if error.hint else error.what
        click.echo(inert(tell("not_valid", language, what=what)))
        return EXIT_NOT_VALID
    band = tell(f"band_{result.band.replace(' ', '_')}", language)
    click.echo(tell("valid", language, total=result.total, band=band))
    return 0
