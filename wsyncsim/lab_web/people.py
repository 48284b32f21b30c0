"""Who somebody is in a course: an entry code once, then a cookie; and how often anybody may try."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

from wsyncsim.lab.course import plain_code

NOBODY, TRAINEE, INSTRUCTOR = "nobody", "trainee", "instructor"
INSTRUCTOR_BYTES = 16
MOST_PASSES = 4
"""How many browsers one person can use at the same time; the oldest is shown out first."""
MOST_NAMES = 2_000
"""How many names of its callers a limit remembers."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has entered a code."""

    role: str
    trainee: str = ""
    """The pseudonymous code of a trainee."""


@dataclass(frozen=True, slots=True)
class Pass:
    """A browser that has come in."""

    person: Person
    cookie: str
    token: str
    """What each form holds for this browser."""


class Entrance:
    """The codes that open the door, and the browsers that are inside. ``codes`` gives each trainee's entry code."""

    def __init__(self, codes: Callable[[], Mapping[str, str]]) -> None:
        self._codes = codes
        self._secret = secrets.token_bytes(32)
        self._passes: OrderedDict[str, Pass] = OrderedDict()
        self._lock = Lock()
        plain = secrets.token_hex(INSTRUCTOR_BYTES).upper()
        self.instructor_code = "-".join(plain[at : at + 4] for at in range(0, len(plain), 4))
        """Another one at each start."""

    @property
    def token(self) -> str:
        """What the form for the code holds: whoever fills it in has no cookie yet."""
        return self._token("")

    def _token(self, cookie: str) -> str:
        return hmac.new(self._secret, cookie.encode(), hashlib.sha256).hexdigest()

    def enter(self, entered: str) -> Pass | None:
        """A pass for a code; ``None`` when it is nobody's. It takes as long whose ever it is."""
        given = plain_code(entered[:200]).encode()
        found = None
        known = [(Person(TRAINEE, trainee), code) for trainee, code in self._codes().items()]
        for person, code in [(Person(INSTRUCTOR), self.instructor_code), *known]:
            if hmac.compare_digest(given, plain_code(code).encode()):
                found = person
        if found is None:
            return None
        cookie = secrets.token_urlsafe(32)
        made = Pass(found, cookie, self._token(cookie))
        with self._lock:
            self._passes[_digest(cookie)] = made
            theirs = [key for key, each in self._passes.items() if each.person == found]
            for key in theirs[:-MOST_PASSES]:
                del self._passes[key]
        return made

    def known(self, cookie: str) -> Pass | None:
        """Whose cookie that is; nobody's when she is no participant any more."""
        with self._lock:
            found = self._passes.get(_digest(cookie))
        if found is None or not hmac.compare_digest(found.cookie.encode(), cookie.encode()):
            return None
        return found if found.person.role == INSTRUCTOR or found.person.trainee in self._codes() else None

    def leave(self, cookie: str) -> None:
        """Forget a browser."""
        with self._lock:
            self._passes.pop(_digest(cookie), None)


def _digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode(errors="replace")).hexdigest()


class Limit:
    """So many at once, then so many a second, for each name (token buckets)."""

    def __init__(self, most: int, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self.per_s = per_s
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, name: str) -> bool:
        """Take one, if there is one."""
        with self._lock:
            left = self._now(name)
            if left >= 1:
                left -= 1
            else:
                return False
            self._left[name] = (left, self._clock())
            self._left.move_to_end(name)
            while len(self._left) > MOST_NAMES:
                self._left.popitem(last=False)
            return True

    def _now(self, name: str) -> float:
        left, at = self._left.get(name, (float(self.most), self._clock()))
        return min(self.most, left + (self._clock() - at) * self.per_s)
