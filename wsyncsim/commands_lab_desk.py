"""What the commands of the lab have in common: options, and where somebody sits."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wsyncsim.words import LANGUAGE_VARIABLE, spoken_language

if TYPE_CHECKING:
    from wsyncsim.lab.course import Seat
    from wsyncsim.lab.session import LabSession
    from wsyncsim.lab.shelf import Shelf

EXIT_MISTAKE = 2
_STYLES: dict[str, dict[str, Any]] = {"head": {"bold": True}, "error": {"fg": "red"}, "warning": {"fg": "yellow"}}


def lab_language() -> str:
    """The language asked for in the environment, else the system's, else English."""
    return spoken_language()


@dataclass(frozen=True, slots=True)
class Settings:
    """What was asked for before the command."""

    language: str | None = None
    state: Path | None = None
    plain: bool = False


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--plain", is_flag=True, help="No colours."),
        click.option("--state", type=click.Path(path_type=Path), default=None, metavar="DIR", help="Where your sessions are kept."),
        language_option,
    ):
        command = option(command)
    return command


language_option = click.option(
    "--language",
    "--lang",
    "-l",
    type=click.Choice(["en", "de"]),
    default=None,
    metavar="en|de",
    help=f"Language (default: {LANGUAGE_VARIABLE}, else the system's).",
)
json_option = click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
key_option = click.option(
    "--key", type=click.Path(path_type=Path), default=None, metavar="FILE", help="The instructor's key (default: COURSE.key)."
)
sessions_option = click.option(
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


def desk_for(context: click.Context, language: str | None, state: Path | None, *, plain: bool) -> Desk:
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


def patience(desk: Desk) -> None:
    from wsyncsim.lab.typed import tell

    if desk.talks:
        click.echo(tell("opening", desk.language), err=True)


def talk(desk: Desk, session: LabSession, path: Path, *, seat: Seat | None = None, again: str = "") -> int:
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
