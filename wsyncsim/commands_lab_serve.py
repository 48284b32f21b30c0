"""``wsyncsim lab serve``: the training lab in the browser."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from wsyncsim.commands_lab_desk import Settings, lab_language
from wsyncsim.words import LANGUAGE_VARIABLE

LOCAL = ("127.0.0.1", "localhost")


@click.command("serve", short_help="Work on tickets in the browser.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="Port; 0 takes a free one.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on. Others than this computer's are not encrypted."
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    metavar="DIR",
    help="Where your sessions are kept: the same as in the terminal.",
)
@click.option(
    "--language",
    "--lang",
    "-l",
    type=click.Choice(["en", "de"]),
    default=None,
    metavar="en|de",
    help=f"Language at the beginning; the pages have a switch (default: {LANGUAGE_VARIABLE}, else the system's).",
)
@click.pass_context
def serve(context: click.Context, port: int, host: str, state: Path | None, language: str | None) -> None:
    """Work on tickets in the browser, on this computer.

    It prints an address that is good for one visit; open it. Ctrl-C ends it; nothing is lost, sessions are kept as files, and
    `wsyncsim lab serve` goes on with them. It needs the extra 'lab'.

    \b
    Examples:
      wsyncsim lab serve
      wsyncsim lab serve --port 0 --state my-sessions --lang de
    """
    from wsyncsim.lab.shelf import default_folder
    from wsyncsim.lab_web import serve as serve_pages

    if host not in LOCAL:
        click.echo(f"Warning: {host} can be reached from other computers, and what is sent is not encrypted.", err=True)
    before = context.find_object(Settings) or Settings()
    kept = state or before.state or default_folder()
    spoken = language or before.language or lab_language()

    def tell(address: str) -> None:
        click.echo(address)
        click.echo(f"Sessions are kept in {kept}. Ctrl-C ends it.", err=True)

    with suppress(KeyboardInterrupt):
        serve_pages(kept, host=host, port=port, language=spoken, tell=tell)
