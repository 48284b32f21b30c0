"""Runs a tool on one file: no shell, a time limit for it and all that it started, a limit for what it prints."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simulator.errors import WsyncsimError

PLACEHOLDER: Final = "{file}"
MAX_OUTPUT: Final = 256 * 1024 * 1024
"""Bytes on stdout; more is taken for an endless loop."""
_WINDOWS: Final = os.name == "nt"
_POLL_S: Final = 0.01
_MAX_POLL_S: Final = 0.1
_ERROR_TAIL: Final = 2000


class CommandError(WsyncsimError):
    """The command of a tool cannot be used."""


class Cancelled(Exception):
    """Somebody asked to stop while tools were running."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run of the tool ended."""

    exit_code: int | None
    """``None`` if it was ended; negative for a signal."""
    out: bytes
    error_tail: str
    took_s: float
    ended_because: str = ""
    """``time`` or ``output`` when a limit was reached."""


def parse_command(text: str) -> list[str]:
    """Split a command line as a shell would, without one. Raises ``CommandError``.

    On Windows backslashes are kept, and only double quotes group.
    """
    try:
        parts = shlex.split(text, posix=not _WINDOWS)
    except ValueError as error:
        raise CommandError(f"cannot be taken apart: {error}", where="--cmd", hint="Close the quotes") from None
    if _WINDOWS:
        parts = [part[1:-1] if len(part) > 1 and part[0] == part[-1] == '"' else part for part in parts]
    if not any(PLACEHOLDER in part for part in parts):
        raise CommandError(
            f"there is no {PLACEHOLDER} in it", where="--cmd", hint=f'For example --cmd "my-parser --json {PLACEHOLDER}"'
        )
    program = shutil.which(parts[0])
    if program is None:
        raise CommandError(f"there is no program {parts[0]!r}", where="--cmd", hint="Give its path, or put it on PATH")
    return [program, *parts[1:]]


def run_tool(command: list[str], file: Path, timeout_s: float, stop: threading.Event | None = None) -> Ran:
    """Run ``command`` on ``file``. Raises ``CommandError`` if it cannot be started, ``Cancelled`` if ``stop`` is set meanwhile."""
    arguments = [command[0], *(part.replace(PLACEHOLDER, str(file)) for part in command[1:])]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own command, without a shell
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=not _WINDOWS,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError as error:
            raise CommandError(f"cannot be started: {error.strerror or error}", where=command[0]) from None
        try:
            because = _wait(process, out.fileno(), began + timeout_s, stop)
        except BaseException:
            _end(process)
            raise
        if because:
            _end(process)
        took_s = time.monotonic() - began
        out.seek(0)
        err.seek(0)
        return Ran(
            exit_code=None if because else process.returncode,
            out=out.read(MAX_OUTPUT),
            error_tail=err.read()[-_ERROR_TAIL:].decode("utf-8", "replace").strip(),
            took_s=took_s,
            ended_because=because,
        )


def _wait(process: subprocess.Popen[bytes], out: int, until: float, stop: threading.Event | None) -> str:
    poll_s = _POLL_S
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.0, min(poll_s, until - time.monotonic())))
            return ""
        poll_s = min(poll_s * 1.5, _MAX_POLL_S)
        if stop is not None and stop.is_set():
            raise Cancelled
        if os.fstat(out).st_size > MAX_OUTPUT:
            return "output"
        if time.monotonic() >= until:
            return "time"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the tool and everything that it started."""
    if _WINDOWS:
        taskkill = Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "taskkill.exe"
        with suppress(OSError):
            subprocess.run([taskkill, "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False)  # noqa: S603
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(OSError):
        process.kill()
    process.wait()
