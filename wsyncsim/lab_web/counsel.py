"""Who computes what takes a while: processes beside the server, so that pages come at once whatever is being computed.

A question goes out with the whole session in it, and an answer comes back; nothing else is shared. When such a process dies it is
started again, and asked again once; where none can be had, the server computes by itself. The session's file is written by the
server alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from queue import Empty, PriorityQueue
from threading import Lock, Thread
from typing import IO, TYPE_CHECKING, NamedTuple
from zlib import crc32

import msgspec

from wsyncsim.lab.answers import Answer, Mirrors, Question
from wsyncsim.lab.data import LabError
from wsyncsim.lab.worker import Reply
from wsyncsim.mistakes import show

if TYPE_CHECKING:
    from collections.abc import Sequence

ATTEMPTS = 2
MOST_PROCESSES = 2
REST_S = 30.0
"""How long no process is started again after one that could not be had."""
GOODBYE_S = 1.0
"""How long closing waits at most for what is being computed."""
START = (
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "  # Ctrl-C is for the server, which then closes our input
    "import sys; sys.path[:] = sys.argv[1:]; from wsyncsim.lab.worker import main; main()"
)
OWN_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""On Windows a console's Ctrl-C goes to a whole group of processes, as it does elsewhere."""


def command() -> list[str]:
    """Starts a process that imports from where we do, and from nowhere else."""
    return [sys.executable, "-P", "-c", START, *sys.path]


class Unanswered(RuntimeError):
    """What was asked is not answered any more: nobody is there who could."""


class _Asked(NamedTuple):
    """A question that waits: what somebody waits for goes before what is only likely to be asked next."""

    rank: int
    number: int
    question: Question
    answer: Future[Answer]


class _Here:
    """Computes in the server itself, one question at a time."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._mirrors = Mirrors()
        self._lock = Lock()
        self._said = False

    def answer(self, question: Question) -> Answer:
        """The answer, from this process. Raises whatever computing it raises."""
        with self._lock:
            return self._mirrors.answer(question)

    def say_so(self) -> None:
        """Say on stderr, once, that nobody else computes."""
        with self._lock:
            said, self._said = self._said, True
        if not said:
            missing = LabError(
                "no process can be started that computes beside the pages",
                hint="What takes a while is computed by the server itself; pages come more slowly then",
            )
            show(missing, self._language)


class _Process:
    """One process, and the thread that talks with it."""

    def __init__(self, command: Sequence[str], here: _Here) -> None:
        self._command = command
        self._here = here
        self._waiting: PriorityQueue[_Asked] = PriorityQueue()
        self._newest: dict[str, int] = {}
        """Session -> its newest question that nobody waits for; those before it need no answer."""
        self._child: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._rests_until_s = 0.0
        """No process is started before that, on a clock that only goes forward."""
        self._thread = Thread(target=self._talk, daemon=True)
        self._thread.start()

    def ask(self, number: int, question: Question) -> Future[Answer]:
        answer: Future[Answer] = Future()
        idle = question.kind == "ready"
        if idle:
            self._newest[question.key] = number
        self._waiting.put(_Asked(1 if idle else 0, number, question, answer))
        if self._closed:
            self._forget()
        return answer

    def stop(self) -> None:
        """Answer nothing more."""
        self._closed = True
        self._forget()
        child = self._child
        if child is not None:
            child.kill()

    def join(self, until_s: float) -> None:
        """Wait for what is being computed, but not beyond that instant."""
        self._thread.join(max(0.0, until_s - time.monotonic()))

    def _forget(self) -> None:
        """What waits stays unanswered; whoever waits for a question is woken."""
        with suppress(Empty):
            while True:
                self._waiting.get_nowait().answer.cancel()
        self._waiting.put(_Asked(-1, 0, _NOTHING, Future()))

    def _talk(self) -> None:
        with suppress(OSError):  # who asks gets to know it
            self._running()
        while not self._closed:
            asked = self._waiting.get()
            if asked.rank > 0 and self._newest.get(asked.question.key) != asked.number:
                asked.answer.set_result(Answer())
            elif asked.rank >= 0:
                if asked.rank:
                    self._newest.pop(asked.question.key, None)
                try:
                    asked.answer.set_result(self._answer(msgspec.structs.replace(asked.question, number=asked.number)))
                except Exception as error:
                    asked.answer.set_exception(error)
        _end(self._child)
        self._forget()

    def _running(self) -> subprocess.Popen[bytes]:
        """The process; a new one when there is none any more. Raises ``OSError``."""
        child = self._child
        if child is not None and child.poll() is None:
            return child
        _end(child)
        child = subprocess.Popen(  # noqa: S603 - our own module
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0, creationflags=OWN_GROUP
        )
        self._child = child
        if self._closed:  # while it was started, so nobody else has seen it
            child.kill()
        return child

    def _answer(self, question: Question) -> Answer:
        try:
            line = msgspec.json.encode(question) + b"\n"
        except (ValueError, TypeError, OverflowError, RecursionError):  # a damaged file: whoever plays it says where
            return self._here.answer(question)
        reply = self._reply(line, question)
        if reply is not None and (reply.answer is not None or reply.refused is not None):
            return _opened(reply)
        if self._closed:
            raise Unanswered("closed")
        if reply is None:
            self._here.say_so()
            if question.kind == "ready":  # nobody waits for it, and pages would
                return Answer()
        return self._here.answer(question)

    def _reply(self, line: bytes, question: Question) -> Reply | None:
        """What the process says; ``None`` when there is none that says anything to the point."""
        if time.monotonic() < self._rests_until_s:
            return None
        with suppress(OSError):
            for _ in range(ATTEMPTS):
                if self._closed:
                    return None
                child = self._running()
                reply = _exchange(child.stdin, child.stdout, line)
                if reply is not None and (reply.number, reply.key) == (question.number, question.key):
                    return reply
                _end(child)
        self._rests_until_s = time.monotonic() + REST_S
        return None


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
    """The reply to a question; ``None`` when there is nobody any more, or what comes is none."""
    assert questions is not None
    assert replies is not None
    try:
        questions.write(line)
        questions.flush()
        return msgspec.json.decode(replies.readline(), type=Reply)
    except (OSError, msgspec.MsgspecError, UnicodeError):
        return None


def _opened(reply: Reply) -> Answer:
    if reply.refused is not None:
        what, where, hint = reply.refused
        raise LabError(what, where=where, hint=hint)
    assert reply.answer is not None
    return reply.answer


_NOTHING = Question(kind="ready", key="", ticket="", seed=0, role=None, generation=None, actions=[])


class Counsel:
    """Processes that answer questions; those about one session are answered by the same one."""

    def __init__(self, processes: int | None = None, start: Sequence[str] | None = None, language: str = "en") -> None:
        """``processes``: by default as many as there are cores beside the server's, but not many: each takes memory. ``start``: the
        command that starts one. ``language``: in which is said on stderr that none can be had.
        """
        wanted = processes or max(1, min(MOST_PROCESSES, (os.cpu_count() or 1) - 1))
        self._numbers = count(1)
        self._lock = Lock()
        here = _Here(language)
        self._processes = [_Process(start or command(), here) for _ in range(wanted)]

    def ask(self, question: Question) -> Future[Answer]:
        """The answer, when it is there."""
        with self._lock:
            number = next(self._numbers)
        return self._processes[crc32(question.key.encode()) % len(self._processes)].ask(number, question)

    def close(self) -> None:
        """Stop; what is still asked stays unanswered. It does not wait for what is being computed in this process."""
        for process in self._processes:
            process.stop()
        until_s = time.monotonic() + GOODBYE_S
        for process in self._processes:
            process.join(until_s)
