"""``wsyncsim lab serve``: the training lab in the browser."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from wsyncsim.commands_lab_desk import Settings, key_option, lab_language, sessions_option
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
@click.option(
    "--course",
    "course_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    metavar="COURSE",
    help="Serve a course or an exam: participants enter their codes, you watch the board.",
)
@key_option
@sessions_option
@click.option(
    "--certificate",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help="With --course: encrypt; a PEM certificate.",
)
@click.option(
    "--certificate-key", type=click.Path(path_type=Path), default=None, metavar="FILE", help="Its private key, when not in it."
)
@click.pass_context
def serve(
    context: click.Context,
    port: int,
    host: str,
    state: Path | None,
    language: str | None,
    course_file: Path | None,
    key: Path | None,
    sessions: Path | None,
    certificate: Path | None,
    certificate_key: Path | None,
) -> None:
    """Work on tickets in the browser, on this computer.

    It prints an address that is good for one visit; open it. Ctrl-C ends it; nothing is lost, sessions are kept as files, and
    `wsyncsim lab serve` goes on with them. It needs the extra 'lab'.

    With --course it prints the address for everybody, and on the second line the code that opens the instructor's board there.
    Participants enter what `wsyncsim lab course codes COURSE --browser` prints. Sessions, key and results are those of the
    terminal. Changes of the course file (such as released = true) are heeded at once.

    \b
    Examples:
      wsyncsim lab serve
      wsyncsim lab serve --port 0 --state my-sessions --lang de
      wsyncsim lab serve --course week47.toml
      wsyncsim lab serve --course week47.toml --host 192.168.5.10 --certificate lab.pem
    """
    from wsyncsim.lab.shelf import default_folder
    from wsyncsim.lab_web import serve as serve_pages
    from wsyncsim.lab_web import serve_course

    if host not in LOCAL and certificate is None:
        click.echo(f"Warning: {host} can be reached from other computers, and what is sent is not encrypted.", err=True)
    before = context.find_object(Settings) or Settings()
    kept = state or before.state or default_folder()
    spoken = language or before.language or lab_language()
    if course_file is not None:
        from wsyncsim.lab.course import read_key

        if state is not None:
            raise click.UsageError("A course keeps its sessions beside it, or in --sessions; --state is for your own.")
        if certificate_key is not None and certificate is None:
            raise click.UsageError("--certificate-key belongs to --certificate.")
        folder, secret = sessions or course_file.with_suffix(".sessions"), read_key(key or course_file.with_suffix(".key"))

        def tell_course(address: str, code: str) -> None:
            click.echo(f"{address}\n{code}")
            click.echo("Everybody opens the address. The second line is the instructor's code: keep it to yourself.", err=True)
            click.echo(f"Sessions are kept in {folder}. Ctrl-C ends it.", err=True)

        with suppress(KeyboardInterrupt):
            serve_course(
                course_file,
                secret,
                folder,
                host=host,
                port=port,
                language=spoken,
                tell=tell_course,
                certificate=certificate,
                certificate_key=certificate_key,
            )
        return
    if any(each is not None for each in (key, sessions, certificate, certificate_key)):
        raise click.UsageError("--key, --sessions, --certificate and --certificate-key belong to --course.")

    def tell(address: str) -> None:
        click.echo(address)
        click.echo(f"Sessions are kept in {kept}. Ctrl-C ends it.", err=True)

    with suppress(KeyboardInterrupt):
        serve_pages(kept, host=host, port=port, language=spoken, tell=tell)
