"""A process that answers questions about sessions: one JSON line in, one out. It ends with its input.

The browser lab starts it, so that pages need not wait for what is computed here.
"""

from __future__ import annotations

import signal
import sys
import traceback
from contextlib import suppress
from typing import IO, TypeVar

import msgspec

from simulator.errors import WsyncsimError
from wsyncsim.lab.answers import Answer, Mirrors, Question, warm_up
from wsyncsim.lab.data import LabError

_T = TypeVar("_T")


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What comes back for a question: an answer, a refusal of the session, or what went wrong here."""

    number: int = 0
    """Number and key of the question; 0 and nothing when it could not be read at all."""
    key: str = ""
    answer: Answer | None = None
    refused: tuple[str, str, str] | None = None
    """``what``, ``where`` and ``hint`` of a ``WsyncsimError``."""
    failed: str = ""
    """A traceback."""


class _Name(msgspec.Struct, frozen=True):
    """Which question a line is, whatever else stands in it."""

    number: int = 0
    key: str = ""


def work(questions: IO[bytes], replies: IO[bytes]) -> None:
    """Answer until there are no more questions. No line ends it."""
    mirrors = Mirrors()
    for line in questions:
        replies.write(_reply(mirrors, line) + b"\n")
        replies.flush()


def _reply(mirrors: Mirrors, line: bytes) -> bytes:
    name = _Name()
    try:
        name = _decoded(line, _Name)
        answer = mirrors.answer(_decoded(line, Question))
        return msgspec.json.encode(Reply(number=name.number, key=name.key, answer=answer))
    except WsyncsimError as error:
        return msgspec.json.encode(Reply(number=name.number, key=name.key, refused=(error.what, error.where, error.hint)))
    except Exception:  # whatever it is, who asked must get to know it
        return msgspec.json.encode(Reply(number=name.number, key=name.key, failed=traceback.format_exc()))


def _decoded(line: bytes, type: type[_T]) -> _T:
    try:
        return msgspec.json.decode(line, type=type)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise LabError(f"what is asked of this session is damaged: {error}") from None


def main() -> None:
    """Answer what comes on the standard input; whatever else is printed goes to stderr."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then closes our input
    replies, sys.stdout = sys.stdout.buffer, sys.stderr
    warm_up()
    with suppress(BrokenPipeError):
        work(sys.stdin.buffer, replies)


if __name__ == "__main__":
    main()
