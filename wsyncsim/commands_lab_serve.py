"""``wsyncsim lab serve``: the training lab in the browser."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from wsyncsim.words import LANGUAGE_VARIABLE, default_language

LOCAL = ("127.0.0.1", "localhost")


@click.command("serve", short_help="Work on tickets in the browser.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="Port; 0 takes a free one.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on. Others than this computer's are not encrypted."
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    metavar="DIR",
    help="Folder that keeps the sessions (default: 'lab' in the program's folder of the user).",
)
@click.option(
    "--language",
    "-l",
    type=click.Choice(["en", "de"]),
    default=None,
    metavar="en|de",
    help=f"Language at the beginning; the pages have a switch (default: en, or {LANGUAGE_VARIABLE}).",
)
def serve(port: int, host: str, folder: Path | None, language: str | None) -> None:
    """Work on tickets in the browser, on this computer.

    It prints an address that is good for one visit; open it. Ctrl-C ends it; nothing is lost, sessions are kept as files, and
    `wsyncsim lab serve` goes on with them. It needs the extra 'lab'.

    \b
    Examples:
      wsyncsim lab serve
      wsyncsim lab serve --port 0 --folder my-sessions --language de
    """
    from wsyncsim.lab_web import serve as serve_pages

    if host not in LOCAL:
        click.echo(f"Warning: {host} can be reached from other computers, and what is sent is not encrypted.", err=True)
    kept = folder if folder is not None else Path(click.get_app_dir("wsyncsim")) / "lab"

    def tell(address: str) -> None:
        click.echo(address)
        click.echo(f"Sessions are kept in {kept}. Ctrl-C ends it.", err=True)

    with suppress(KeyboardInterrupt):
        serve_pages(kept, host=host, port=port, language=language or default_language(), tell=tell)
