"""The browser skin of the training lab: pages over ``wsyncsim.lab`` that work without JavaScript. It needs the extra ``lab``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from simulator.errors import WsyncsimError

__all__ = ["MissingExtraError", "serve"]

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
    try:
        import starlette  # noqa: F401
        import uvicorn
    except ImportError:
        raise MissingExtraError(
            "the browser lab needs Starlette and uvicorn", hint="python -m pip install 'wsyncsim[lab]'"
        ) from None
    if host in ("", "0.0.0.0") or ":" in host:  # noqa: S104
        raise WsyncsimError(
            f"it cannot be served at {host!r}", hint="Name one IPv4 address of this computer; 127.0.0.1 is the usual"
        )
    import socket
    from threading import Thread

    from wsyncsim.lab.answers import warm_up
    from wsyncsim.lab_web.app import lab_app
    from wsyncsim.lab_web.counsel import Counsel
    from wsyncsim.lab_web.guard import Keys

    keys = Keys()
    listener = socket.socket()
    try:
        if os.name == "posix":  # elsewhere it would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise WsyncsimError(
            f"it cannot listen on {host}, port {port}: {error.strerror}", hint="Choose another one with --port; 0 takes a free one"
        ) from None
    counsel = Counsel()
    app = lab_app(folder, keys, hosts=(host,), language=language, counsel=counsel)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, lifespan="off", timeout_graceful_shutdown=2
    )
    if tell is not None:
        tell(f"http://{host}:{listener.getsockname()[1]}/?key={keys.key}")
    sys.setswitchinterval(SWITCH_S)
    Thread(target=warm_up, daemon=True).start()
    try:
        with listener:
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        counsel.close()
