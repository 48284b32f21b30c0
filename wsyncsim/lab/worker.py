"""A process that answers questions about sessions: one JSON line in, one out. It ends with its input.

The browser lab starts it, so that pages need not wait for what is computed here.
"""

from __future__ import annotations

import signal
import sys
import traceback
from contextlib import suppress
from typing import IO

import msgspec

from simulator.errors import WsyncsimError
from wsyncsim.lab.answers import Answer, Mirrors, Question, warm_up


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What comes back for a question: an answer, a refusal of the session, or what went wrong here."""

    answer: Answer | None = None
    refused: tuple[str, str, str] | None = None
    """``what``, ``where`` and ``hint`` of a ``WsyncsimError``."""
    failed: str = ""
    """A traceback."""


def work(questions: IO[bytes], replies: IO[bytes]) -> None:
    """Answer until there are no more questions."""
    mirrors = Mirrors()
    encoder, decoder = msgspec.json.Encoder(), msgspec.json.Decoder(Question)
    for line in questions:
        replies.write(encoder.encode(_reply(mirrors, decoder.decode(line))) + b"\n")
        replies.flush()


def _reply(mirrors: Mirrors, question: Question) -> Reply:
    try:
        return Reply(answer=mirrors.answer(question))
    except WsyncsimError as error:
        return Reply(refused=(error.what, error.where, error.hint))
    except Exception:  # whatever it is, who asked must get to know it
        return Reply(failed=traceback.format_exc())


def main() -> None:
    """Answer what comes on the standard input; whatever else is printed goes to stderr."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then closes our input
    replies, sys.stdout = sys.stdout.buffer, sys.stderr
    warm_up()
    with suppress(BrokenPipeError):
        work(sys.stdin.buffer, replies)


if __name__ == "__main__":
    main()
