"""A .NET exception in full, as WSUS prints it: class, message, inner exception, stack frames, each on a line of its own."""

from __future__ import annotations

from typing import Final

from generators.compile import compile_texts
from generators.escape import one_line
from generators.log import Run
from simulator.failures import ConnectionRefused, ConnectionTimedOut, HttpStatus, ProxyStatus, Reason

EOL: Final = "\r\n"


def exception_text(run: Run, reason: Reason) -> str:
    """The exception that a web service call of ``reason`` raised, down to the frame of the SOAP client."""
    reasons = run.reasons
    say = compile_texts("exceptions", run.version, run.os_language)
    head = f"{reasons.kind(reason)}: {one_line(reasons.text(reason))}"
    lines = []
    inner = one_line(reasons.inner(reason))
    if inner:
        head = f"{head} ---> {inner}"
        frame = "frame_connect" if isinstance(reason, ConnectionRefused | ConnectionTimedOut) else "frame_authenticate"
        lines += [f"   {reasons.at} {say[frame]()}", f"   {say['end_of_inner']()}"]
    lines.append(f"   {reasons.at} {reasons.frame(reason)}")
    if not isinstance(reason, HttpStatus | ProxyStatus) and "frame_get_request_stream" in say:
        lines.append(f"   {reasons.at} {say['frame_get_request_stream']()}")
    lines.append(f"   {reasons.at} {say['frame_invoke']()}")
    return EOL.join((head, *lines))
