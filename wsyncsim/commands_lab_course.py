"""``wsyncsim lab course``, ``exam``, ``board``, ``results``, ``bundle``, ``verify``: for those who teach."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wsyncsim.commands_lab_desk import (
    desk_for,
    json_option,
    key_option,
    lab_language,
    language_option,
    patience,
    sessions_option,
    talk,
    with_settings,
)

if TYPE_CHECKING:
    from wsyncsim.lab.course import Course

EXIT_NOT_VALID = 1
MOST_BUNDLE_BYTES = 8_000_000
CLEAR_ABOVE = "-" * 40


@click.group()
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
# limit_min = 60            # simulated minutes for each ticket (default: as long as it takes)

# Codes instead of names. Who they are is written down elsewhere.
participants = [{participants}]

# One slot is one ticket. Participants see the slot's id only. 'wsyncsim lab list' shows all tickets.
# Optional: role = "help desk" or "second level"; generation = "2007", "2012" or "cb".
{slots}
# What is different for somebody, for example:
# [settings.{first}]
# language = "de"           # of the pages in the browser, at the beginning
# hints = true
# role = "second level"
# extra_min = 30            # beyond limit_min
"""


@course.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--participants", type=click.IntRange(1, 500), default=12, show_default=True, help="How many codes.")
@click.option("--ticket", "chosen", multiple=True, metavar="ID", help="A ticket (repeatable; default: 1058 and 1009).")
@language_option
def init(file: Path, participants: int, chosen: tuple[str, ...], language: str | None) -> None:
    """Write a course FILE to be filled in."""
    from wsyncsim.lab.data import LabError
    from wsyncsim.lab.shelf import write_text
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
    write_text(file, _TEMPLATE.format(id=id[:32] or "course", participants=codes, slots=slots, first="T-001"))
    told = tell("course_written", language or lab_language(), file=file, key=file.with_suffix(".key"))
    click.echo(inert(told))


@course.command()
@click.argument("file", type=click.Path(path_type=Path))
@language_option
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
@language_option
def key(file: Path, language: str | None) -> None:
    """Make the instructor's key in FILE, readable for you alone."""
    from wsyncsim.lab.course import new_key
    from wsyncsim.lab.typed import tell
    from wsyncsim.output import inert

    new_key(file)
    click.echo(inert(tell("key_written", language or lab_language(), file=file)))


@course.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--browser", is_flag=True, help="What is to be entered in the browser (wsyncsim lab serve --course FILE).")
@key_option
def codes(file: Path, browser: bool, key: Path | None) -> None:
    """For every participant of course FILE: the code, and what is to be typed to sit down.

    With --browser it is a secret of each participant, which follows from your key: hand it out on slips.
    """
    from wsyncsim.lab.course import entry_code, load, read_key
    from wsyncsim.output import inert

    found = load(file)
    secret = read_key(key or file.with_suffix(".key")) if browser else b""
    for trainee in found.participants:
        typed = entry_code(secret, found.id, trainee) if browser else f"wsyncsim lab exam {file} {trainee}"
        click.echo(inert(f"{trainee}: {typed}"))


@dataclass(frozen=True, slots=True)
class Room:
    """A course with its key and its sessions."""

    course: Course
    folder: Path
    key: bytes


def _room(file: Path, key: Path | None, sessions: Path | None) -> Room:
    from wsyncsim.lab.course import load, read_key

    return Room(load(file), sessions or file.with_suffix(".sessions"), read_key(key or file.with_suffix(".key")))


@click.command()
@click.argument("course_file", metavar="COURSE", type=click.Path(path_type=Path))
@click.argument("trainee")
@click.option("--slot", default=None, help="Which ticket of the course (default: the first that is not closed).")
@key_option
@sessions_option
@with_settings
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

    desk, room = desk_for(context, language, state, plain=plain), _room(course_file, key, sessions)
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
    patience(desk)
    session = open_seat(room.course, room.key, place.slot, trainee, path, language=desk.language)
    options = "".join(f" {name} {value}" for name, value in (("--key", key), ("--sessions", sessions)) if value is not None)
    return talk(desk, session, path, seat=place, again=inert(f"wsyncsim lab exam {course_file} {trainee}{options}"))


@click.command("board")
@click.argument("course_file", metavar="COURSE", type=click.Path(path_type=Path))
@click.option("--watch", type=click.IntRange(1, 3600), default=None, metavar="SECONDS", help="Again every so many seconds.")
@json_option
@sessions_option
@language_option
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


@click.command()
@click.argument("course_file", metavar="COURSE", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["csv", "jsonl", "xapi"]), default="csv", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=None, metavar="FILE", help="Write it there (default: stdout).")
@key_option
@sessions_option
@language_option
def results(course_file: Path, form: str, out: Path | None, key: Path | None, sessions: Path | None, language: str | None) -> None:
    """Results of a COURSE: a row for each closed ticket, under the participants' codes.

    The forms: csv, JSON lines, or xAPI 1.0.3 statements as JSON lines.
    """
    from msgspec import structs

    from wsyncsim.lab.course import sessions_of, to_csv, to_json_lines, to_xapi
    from wsyncsim.lab.shelf import write_text
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
        write_text(out, text)
        click.echo(str(out))


@click.command("bundle")
@click.argument("session")
@click.option("--key", type=click.Path(path_type=Path), required=True, metavar="FILE", help="The instructor's key.")
@click.option("--course", "course_file", type=click.Path(path_type=Path), default=None, metavar="FILE", help="For one of an exam.")
@click.option("--out", type=click.Path(path_type=Path), default=None, metavar="FILE", help="Write it there (default: stdout).")
@with_settings
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
    from wsyncsim.lab.shelf import write_text

    desk = desk_for(context, language, state, plain=plain)
    path, secret = desk.shelf.find(session), read_key(key)
    header, place = Diary.read(path).header, None
    if "exam" in header and course_file is not None:
        place = seat(load(course_file), secret, str(header.get("slot")), str(header.get("trainee")))
    text = bundle(resume(path, language=desk.language, seat=place), secret) + "\n"
    if out is None:
        click.echo(text.encode("utf-8"), nl=False)
    else:
        write_text(out, text)
        click.echo(str(out))


@click.command("verify")
@click.argument("bundle_file", metavar="BUNDLE", type=click.Path(path_type=Path))
@click.option("--key", type=click.Path(path_type=Path), required=True, metavar="FILE", help="The instructor's key.")
@click.option("--course", "course_file", type=click.Path(path_type=Path), default=None, metavar="FILE", help="For one of an exam.")
@language_option
def verify_(bundle_file: Path, key: Path, course_file: Path | None, language: str | None) -> int:
    """Is this BUNDLE what was signed, and does playing it again give the same mark? Exit code 1 when not."""
    from simulator.errors import WsyncsimError
    from wsyncsim.lab.course import load, read_key, verify
    from wsyncsim.lab.data import LabError
    from wsyncsim.lab.typed import tell
    from wsyncsim.mistakes import told
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
        mistake = told(error, language)
        what = f"{mistake.what}. {mistake.hint}" if mistake.hint else mistake.what
        click.echo(inert(tell("not_valid", language, what=what)))
        return EXIT_NOT_VALID
    band = tell(f"band_{result.band.replace(' ', '_')}", language)
    click.echo(tell("valid", language, total=result.total, band=band))
    return 0


INSTRUCTOR: tuple[click.Command, ...] = (course, exam, board_, results, bundle_, verify_)
"""The commands of ``wsyncsim lab`` for those who teach."""
