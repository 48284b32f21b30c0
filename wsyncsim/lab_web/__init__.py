"""The browser skin of the training lab: pages over ``wsyncsim.lab`` that work without JavaScript. It needs the extra ``lab``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.errors import WsyncsimError

if TYPE_CHECKING:
    import socket

    import uvicorn
    from starlette.applications import Starlette
    from starlette.types import ASGIApp

    from wsyncsim.lab_web.counsel import Counsel

__all__ = ["MissingExtraError", "serve", "serve_course"]

SWITCH_S = 0.001
"""How long a thread that plays other worlds may keep the interpreter while another one has a page to send."""


class MissingExtraError(WsyncsimError):
    """What the browser skin needs is not installed."""


def serve(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    language: str = "en",
    tell: Callable[[str], None] | None = None,
) -> None:
    """Serve the lab until it is interrupted; ``tell`` is called with the address to open, which holds a key for one visit.

    ``folder`` keeps the sessions; it is made when the first one is opened. Raises ``WsyncsimError`` when the extra is missing or
    the port is taken.
    """
    listener = _listener(host, port)
    from wsyncsim.lab_web.app import lab_app
    from wsyncsim.lab_web.counsel import Counsel
    from wsyncsim.lab_web.guard import Keys

    keys, counsel = Keys(), Counsel(language=language)
    if tell is not None:
        tell(f"http://{host}:{listener.getsockname()[1]}/?key={keys.key}")
    _run(lab_app(folder, keys, hosts=(host,), language=language, counsel=counsel), listener, counsel)


def serve_course(
    file: Path,
    key: bytes,
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    language: str = "en",
    tell: Callable[[str, str], None] | None = None,
    certificate: Path | None = None,
    certificate_key: Path | None = None,
) -> None:
    """Serve a course until it is interrupted; ``tell`` is called with the address, and with the code that opens the board.

    ``file`` is the course, ``key`` the instructor's, ``folder`` keeps the sessions. With ``certificate`` (PEM; its private key in
    it or in ``certificate_key``) what is sent is encrypted. Raises ``WsyncsimError`` as ``serve`` does, and for mistakes in the
    course or the certificate.
    """
    from wsyncsim.lab_web.classroom import Classroom
    from wsyncsim.lab_web.counsel import Counsel
    from wsyncsim.lab_web.people import Entrance

    room = Classroom(file, key, folder)
    entrance = Entrance(room.codes)
    encrypted = _encrypted(certificate, certificate_key)
    listener = _listener(host, port)
    from wsyncsim.lab_web.course_app import course_app

    room.counsel = Counsel(language=language)
    if tell is not None:
        tell(f"http{'s' if encrypted else ''}://{host}:{listener.getsockname()[1]}/", entrance.instructor_code)
    _run(course_app(room, entrance, hosts=(host,), language=language), listener, room.counsel, **encrypted)


def _encrypted(certificate: Path | None, key: Path | None) -> dict[str, Path]:
    """What uvicorn needs to encrypt, if anything. Raises ``WsyncsimError`` for files that are no certificate with its key."""
    if certificate is None:
        return {}
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError) as error:  # SSLError is an OSError
        raise WsyncsimError(
            f"it is no certificate with its key: {error}",
            where=str(certificate),
            hint="PEM, with the private key (without a password) in it or in --certificate-key",
        ) from None
    return {"ssl_certfile": certificate, **({"ssl_keyfile": key} if key is not None else {})}


def _listener(host: str, port: int) -> socket.socket:
    """A socket that listens; nothing is answered yet. Raises ``WsyncsimError``."""
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError:
        raise MissingExtraError(
            "the browser lab needs Starlette and uvicorn", hint="python -m pip install 'wsyncsim[lab]'"
        ) from None
    import socket

    try:
        address = "" if ":" in host else socket.gethostbyname(host)  # one: what is named may have several
    except (OSError, UnicodeError):
        address = ""
    if address in ("", "0.0.0.0"):  # noqa: S104
        raise WsyncsimError(
            f"it cannot be served at {host!r}", hint="Name one IPv4 address of this computer; 127.0.0.1 is the usual"
        )
    listener = socket.socket()
    try:
        if os.name == "posix":  # elsewhere it would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise WsyncsimError(
            f"it cannot listen on {host}, port {port}: {error.strerror}", hint="Choose another one with --port; 0 takes a free one"
        ) from None
    return listener


def _config(app: ASGIApp, **encrypted: Any) -> uvicorn.Config:
    import uvicorn

    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whoever asks could say that somebody else does
        lifespan="off",
        timeout_graceful_shutdown=2,
        **encrypted,
    )


def _run(app: Starlette, listener: socket.socket, counsel: Counsel, **encrypted: Any) -> None:
    from threading import Thread

    import uvicorn

    from wsyncsim.lab.answers import warm_up

    sys.setswitchinterval(SWITCH_S)
    Thread(target=warm_up, daemon=True).start()
    try:
        with listener:
            uvicorn.Server(_config(app, **encrypted)).run(sockets=[listener])
    finally:
        counsel.close()
