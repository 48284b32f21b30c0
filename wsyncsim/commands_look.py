"""``wsyncsim look``: plays a run again up to some moment, and looks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from scenarios import durations, story_file
from scenarios.catalogue import find
from scenarios.look import LookError, View
from scenarios.lookout import Lookout
from scenarios.looks import LOOKS
from scenarios.mistakes import StoryError
from scenarios.story import load
from simulator.clock import Zone, utc
from wsyncsim._version import __version__
from wsyncsim.words import word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenarios.story import Story
    from scenarios.text import Language

Progress = Callable[[float], None]
_AGAIN = "Make the run anew: the same story, seed and version give the same run"


def story_of(run: str) -> Story:
    """The story of a run's folder, if it can be played again to the same bytes; else the story or fault of that name."""
    folder = Path(run)
    try:
        is_folder = folder.is_dir()
    except (OSError, ValueError):
        is_folder = False
    if not is_folder:
        return find(run)
    if not (folder / "manifest.json").is_file():
        raise LookError("it is not the folder of a run (no manifest.json)", where=run, hint="Make one: wsyncsim run S19")
    if not (folder / "truth" / "story.toml").is_file():
        raise LookError(
            "this run does not hold its story",
            where=run,
            hint="It was made with --no-truth; make it again without",
        )
    try:
        manifest = msgspec.json.decode((folder / "manifest.json").read_bytes())
        played_by, digest = manifest["wsyncsim"], manifest["story_sha256"]
        story = load(folder / "truth" / "story.toml")
    except (OSError, msgspec.MsgspecError, KeyError, TypeError, StoryError) as error:
        raise LookError(f"this run is damaged: {error}", where=run, hint=_AGAIN) from None
    if played_by != __version__:
        raise LookError(f"it was made by wsyncsim {played_by}, this is {__version__}", where=run, hint=_AGAIN)
    if digest != story.sha256:
        raise LookError("truth/story.toml is not the story that was played", where=run, hint=_AGAIN)
    return story


def instant(story: Story, text: str | None) -> int:
    """The instant that ``--at`` means; the end without."""
    if text is None:
        return story.end_at
    offset = durations.parse(text)
    if offset is None:
        local = story_file.local_time(text)
        if local is None:
            raise LookError(
                f"expected a time since the start or a local date and time, found {text!r}",
                where="--at",
                hint="For example 1h30m, or 2026-03-02T07:30:00 without offset",
            )
        offset = Zone(story.timezone).instant(local) - story.start_at
    if not 0 <= offset <= story.end_at - story.start_at:
        raise LookError(
            f"{text} is not within the story", where="--at", hint=f"It begins at {story.start.isoformat()} and lasts {story.hours}h"
        )
    return story.start_at + offset


def _known_language(language: str) -> Language:
    if language not in ("en", "de"):
        raise LookError(f"there is no language {language!r}", hint="One of en, de")
    return "de" if language == "de" else "en"


def look_once(
    run: str,
    id: str,
    *,
    host: str | None,
    site: str | None,
    at: str | None,
    account: str | None,
    target: str | None,
    language: str,
    progress: Progress = lambda _share: None,
) -> View:
    """Play up to the moment and look once."""
    from scenarios.lookout import find as find_look

    story, words = story_of(run), _known_language(language)
    find_look(id)
    lookout = Lookout(story)
    # what is refused now need not be played for
    lookout.check(id, host=host, site=site, account=account)
    lookout.go(instant(story, at), progress)
    return lookout.look(id, host=host, site=site, account=account, target=target, language=words)


def show_look(run: str, id: str, language: str, *, as_json: bool, options: Mapping[str, str | None]) -> None:
    """Print one look."""
    from wsyncsim.output import progress_bar

    with progress_bar(word("look", "playing", language)) as progress:
        view = look_once(
            run,
            id,
            host=options["host"],
            site=options["site"],
            at=options["at"],
            account=options["account"],
            target=options["target"],
            language=language,
            progress=progress,
        )
    if as_json:
        at = f"{utc(view.at):%Y-%m-%dT%H:%M:%S.%f}Z"
        click.echo(msgspec.json.encode({**view.as_json(), "at": at}).decode())
        return
    values = {"id": view.id, "title": view.title, "host": view.host, "account": view.account}
    click.echo(word("look", "head", language, {**values, "at": view.local}))
    click.echo(f"  {view.where}")
    click.echo("")
    for line in view.lines:
        click.echo(line)


def show_list(run: str, language: str, *, as_json: bool) -> None:
    """Print all looks that this run's generation has: what they reveal, what they cost, where they can be done."""
    from rich import box
    from rich.table import Table

    from wsyncsim.output import console

    story, words = story_of(run), _known_language(language)
    lookout = Lookout(story)
    looks = [look for _, look in sorted(LOOKS.items()) if story.generation in look.generations]
    rows: list[dict[str, Any]] = [
        {
            "id": look.id,
            "title": look.title(story.generation, words),
            "where": look.where(story.generation, words),
            "reveals": look.reveals(story.generation, words),
            "minutes": look.minutes,
            "places": lookout.places(look.id),
        }
        for look in looks
    ]
    if as_json:
        for row in rows:
            click.echo(msgspec.json.encode(row).decode())
        return
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("look", "title", "reveals", "minutes", "places"):
        table.add_column(word("look", column, words))
    for row in rows:
        if row["places"]:
            table.add_row(row["id"], row["title"], row["reveals"], str(row["minutes"]), " ".join(row["places"]))
    console().print(table)
