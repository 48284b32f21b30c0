"""Who computes what takes a while: processes beside the server, so that pages come at once whatever is being computed.

A question goes out with the whole session in it, and an answer comes back; nothing else is shared. When such a process dies it is
started again, and asked again once; the session's file is written by the server alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from queue import PriorityQueue
from threading import Lock, Thread
from typing import IO, TYPE_CHECKING, NamedTuple
from zlib import crc32

import msgspec

from wsyncsim.lab.answers import Answer, Question
from wsyncsim.lab.data import LabError
from wsyncsim.lab.worker import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

ATTEMPTS = 2
MOST_PROCESSES = 2
START = "import sys; sys.path[:] = sys.argv[1:]; from wsyncsim.lab.worker import main; main()"


def command() -> list[str]:
    """Starts a process that imports from where we do, and from nowhere else."""
    return [sys.executable, "-P", "-c", START, *sys.path]


class Unanswered(RuntimeError):
    """What was asked could not be computed; a traceback says why."""


class _Asked(NamedTuple):
    """A question that waits: what somebody waits for goes before what is only likely to be asked next."""

    rank: int
    number: int
    question: Question
    answer: Future[Answer]


class _Process:
    """One process, and the thread that talks with it."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._waiting: PriorityQueue[_Asked] = PriorityQueue()
        self._newest: dict[str, int] = {}
        """Session -> its newest question that nobody waits for; those before it need no answer."""
        self._child: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._thread = Thread(target=self._talk, daemon=True)
        self._thread.start()

    def ask(self, number: int, question: Question) -> Future[Answer]:
        answer: Future[Answer] = Future()
        idle = question.kind == "ready"
        if idle:
            self._newest[question.key] = number
        self._waiting.put(_Asked(1 if idle else 0, number, question, answer))
        return answer

    def close(self) -> None:
        """Answer nothing more."""
        self._closed = True
        self._waiting.put(_Asked(-1, 0, _NOTHING, Future()))
        if self._child is not None:
            self._child.kill()
        self._thread.join()

    def _talk(self) -> None:
        with suppress(OSError):  # who asks gets to know it
            self._start()
        while (asked := self._waiting.get()).rank >= 0:
            if asked.rank:
                if self._newest[asked.question.key] != asked.number:
                    asked.answer.set_result(Answer())
                    continue
                del self._newest[asked.question.key]
            try:
                asked.answer.set_result(self._answer(asked.question))
            except Exception as error:
                asked.answer.set_exception(error)
        _end(self._child)
        while not self._waiting.empty():
            self._waiting.get().answer.cancel()

    def _start(self) -> subprocess.Popen[bytes]:
        self._child = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own module
        return self._child

    def _answer(self, question: Question) -> Answer:
        line = msgspec.json.encode(question) + b"\n"
        for _ in range(0 if self._closed else ATTEMPTS):
            child = self._child
            if child is None or child.poll() is not None:
                _end(child)
                child = self._start()
            reply = _exchange(child.stdin, child.stdout, line)
            if reply is not None:
                return _opened(reply)
            _end(child)
        raise Unanswered("the process that computes has died")


def _end(child: subprocess.Popen[bytes] | None) -> None:
    """See to it that a process is gone, and nothing of it left."""
    if child is None:
        return
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with suppress(OSError):  # what was not sent is not wanted any more
                pipe.close()


def _exchange(questions: IO[bytes] | None, replies: IO[bytes] | None, line: bytes) -> Reply | None:
    """The reply to a question; ``None`` when there is nobody any more."""
    assert questions is not None
    assert replies is not None
    try:
        questions.write(line)
        questions.flush()
        got = replies.readline()
    except OSError:
        return None
    return msgspec.json.decode(got, type=Reply) if got.endswith(b"\n") else None


def _opened(reply: Reply) -> Answer:
    if reply.refused is not None:
        what, where, hint = reply.refused
        raise LabError(what, where=where, hint=hint)
    if reply.answer is None:
        raise Unanswered(reply.failed)
    return reply.answer


_NOTHING = Question(kind="ready", key="", ticket="", seed=0, role=None, generation=None, actions=[])


class Counsel:
    """Processes that answer questions; those about one session are answered by the same one."""

    def __init__(self, processes: int | None = None, start: Sequence[str] | None = None) -> None:
        """``processes``: by default as many as there are cores beside the server's, but not many: each takes memory. ``start``: the
        command that starts one.
        """
        wanted = processes or max(1, min(MOST_PROCESSES, (os.cpu_count() or 1) - 1))
        self._numbers = count(1)
        self._lock = Lock()
        self._processes = [_Process(start or command()) for _ in range(wanted)]

    def ask(self, question: Question) -> Future[Answer]:
        """The answer, when it is there."""
        with self._lock:
            number = next(self._numbers)
        return self._processes[crc32(question.key.encode()) % len(self._processes)].ask(number, question)

    def close(self) -> None:
        """Stop; what is still asked stays unanswered."""
        for process in self._processes:
            process.close()
