"""How results are shown: colours only on terminals, talk on stderr, machine output on stdout."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wsyncsim.words import word

if TYPE_CHECKING:
    from rich.console import Console

    from scenarios.chronicle import Chronicle, Line
    from scenarios.run import Progress
    from scenarios.story import Story

PATIENCE_S = 2.0
"""After this long a bar shows how far the work is."""
_STYLES = {
    "fault": ("x", "bold red"),
    "fault ended": ("o", "green"),
    "action": (">", "cyan"),
    "failed": ("x", "red"),
    "further failed": ("x", "red"),
    "succeeded": ("+", "green"),
    "gate shut": ("!", "yellow"),
    "gate open": ("o", "green"),
}
FIRST_LINES = 7
LAST_LINES = 4
"""What is shown of a long tale."""
PIPED_WIDTH = 200


def inert(text: str) -> str:
    """A line that a terminal only shows: whatever it could obey (escape sequences, bells, marks of direction) is spelled out."""
    return "".join(_harmless(character) for character in text.replace("\t", "    "))


def _harmless(character: str) -> str:
    if character.isprintable():
        return character
    if character.isspace() and ord(character) > 0x7F and character not in "\x85\u2028\u2029":
        return " "
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def console(*, stderr: bool = False) -> Console:
    """A console that uses colours on terminals only, and none with NO_COLOR; tables that are piped are not folded."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPED_WIDTH
    return Console(stderr=stderr, highlight=False, soft_wrap=True, emoji=False, markup=False, width=width)


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """Something to tell the share of finished work to; a bar appears on a terminal's stderr after two seconds."""
    if not sys.stderr.isatty():
        yield lambda _share: None
        return
    from rich.progress import Progress as Bar

    began = time.monotonic()
    bar = Bar(console=console(stderr=True), transient=True)
    task = bar.add_task(title, total=1.0, visible=True)
    started = False

    def tell(share: float) -> None:
        nonlocal started
        if not started and time.monotonic() - began > PATIENCE_S:
            started = True
            bar.start()
        if started:
            bar.update(task, completed=share)

    try:
        yield tell
    finally:
        if started:
            bar.stop()


def took_words(seconds: int) -> str:
    """``3 s``, ``5m01s``, ``2h05m``."""
    if seconds < 60:
        return f"{seconds} s"
    minutes, second = divmod(seconds, 60)
    return f"{minutes}m{second:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"


def tell_chronicle(chronicle: Chronicle, story: Story, language: str) -> None:
    """What happened, in about ten lines on stderr."""
    from generators.reasons import Reasons
    from simulator.clock import Zone
    from simulator.failures import UpstreamTrouble
    from simulator.versions import version

    zone = Zone(story.estate.top.timezone or story.estate.timezone)
    reasons = Reasons(version(story.generation), "de" if language == "de" else "en")
    out = console(stderr=True)

    first, last = zone.local(story.start_at), zone.local(story.end_at)
    form = "%H:%M:%S" if first.date() == last.date() else "%Y-%m-%d %H:%M:%S"
    if first.utcoffset() != last.utcoffset():
        form += " %z"  # the same hour comes twice, or not at all

    def clock(at: int) -> str:
        return zone.local(at).strftime(form)

    def text(line: Line) -> str:
        values = {"site": line.site, "id": line.id, "entity": line.entity, "took": took_words(line.took_s), "items": line.items}
        values["title"] = line.title.in_(language) if line.id else ""
        values["times"] = (
            word("chronicle", "times", language, {"count": line.count, "last": clock(line.last_at)}) if line.count > 1 else ""
        )
        if line.reason is not None:
            reason = line.reason
            shown = (
                f"{reason.error}: {reasons.text(reason.reason)}" if isinstance(reason, UpstreamTrouble) else reasons.text(reason)
            )
            values["reason"] = shown.splitlines()[0].split(". ", 1)[0].rstrip(".")
        return word("chronicle", line.kind, language, values)

    left_out = range(FIRST_LINES, len(chronicle.lines) - LAST_LINES)
    if len(left_out) == 1:
        left_out = range(0)
    for number, line in enumerate(chronicle.lines):
        if left_out and number == left_out.start:
            out.print(f"  {word('chronicle', 'more', language, {'count': len(left_out)})}", style="dim")
        if number not in left_out:
            mark, style = _STYLES[line.kind]
            out.print(f"  {clock(line.at)}  {mark} {text(line)}", style=style)
