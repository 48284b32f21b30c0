"""Who may come in: a key once, then a cookie; this host's name only; forms from our own pages only; nothing from elsewhere."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import anyio
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from wsyncsim.output import inert

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG = logging.getLogger("wsyncsim.lab_web")
COOKIE = "wsyncsim_lab"
LARGEST_BODY = 64_000
MOST_FIELDS = 200
LONGEST_FIELD = 200
LONGEST_LOGGED = 200
MOST_AT_ONCE = 2
"""So many requests of one browser are worked on at the same time: nobody takes all threads."""
PATIENCE_S = 5.0
"""So long a further one waits for its turn."""
LONGEST = {"text": LARGEST_BODY, "query": 12_000}
"""Fields that may be longer than the others: texts have a limit of their own; the viewer's state is made of several fields."""
SAFE_SITES = ("same-origin",)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Forms(Protocol):
    """Whose forms are asked for."""

    @property
    def token(self) -> str:
        """What each of our forms holds for them."""


class Keys:
    """The key in the printed address, good for one visit, and the cookies that were given for it."""

    def __init__(self) -> None:
        self.key = secrets.token_urlsafe(24)
        self._used = False
        self._cookie = secrets.token_urlsafe(32)
        self._secret = secrets.token_bytes(32)

    def exchange(self, key: str) -> str | None:
        """The cookie for the key; ``None`` when it is wrong or has been used."""
        if self._used or not hmac.compare_digest(key.encode(), self.key.encode()):
            return None
        self._used = True
        return self._cookie

    def knows(self, request: Request) -> bool:
        """Whether a request brings the cookie."""
        return hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), self._cookie.encode())

    @property
    def token(self) -> str:
        """What each form of ours holds."""
        return hmac.new(self._secret, self._cookie.encode(), hashlib.sha256).hexdigest()

    def from_our_page(self, request: Request, token: str) -> bool:
        """Whether a form was sent from a page of ours."""
        return from_page_of(self, request, token)


class NoForms:
    """Who has not come in has no forms."""

    token = ""


def from_page_of(forms: Forms, request: Request, token: str) -> bool:
    """Whether a form was sent from a page of ours. Pages send no referrer, and so ``Origin: null`` with some browsers."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    ours = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if origin not in (None, "null", ours) or site not in (None, *SAFE_SITES):
        return False
    return hmac.compare_digest(token.encode(), forms.token.encode())


@dataclass(slots=True)
class _Queue:
    free: anyio.Semaphore
    there: int = 0
    """How many have a turn, or wait for one."""


class Turns:
    """Few requests of each browser at once; further ones wait a moment, without a thread."""

    def __init__(self) -> None:
        self._queues: dict[str, _Queue] = {}

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[bool]:
        """Whether the turn of this request has come; it has ended with the block."""
        queue = self._queues.get(name) or self._queues.setdefault(name, _Queue(anyio.Semaphore(MOST_AT_ONCE)))
        queue.there += 1
        try:
            with anyio.move_on_after(PATIENCE_S) as patience:
                await queue.free.acquire()
            if patience.cancelled_caught:
                yield False
                return
            try:
                yield True
            finally:
                queue.free.release()
        finally:
            queue.there -= 1
            if not queue.there:
                del self._queues[name]


class Headers:
    """Puts the headers of safety on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with(message: Message) -> None:
            if message["type"] == "http.response.start":
                keeps = message["status"] == 200 and str(scope.get("path", "")).startswith("/static/")
                cache = b"max-age=3600" if keeps else b"no-store"
                message["headers"] = [*message["headers"], *HEADERS, (b"cache-control", cache)]
            await send(message)

        await self.app(scope, receive, send_with)


class Breakage:
    """Answers with a page of ours when something breaks that should not; what it was stands in the log, not in the page."""

    def __init__(self, app: ASGIApp, page: Callable[[Request], Response]) -> None:
        self.app = app
        self.page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = False

        async def send_and_note(message: Message) -> None:
            nonlocal began
            began = began or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except Exception:  # whatever it is
            if scope["type"] != "http" or began:
                raise
            LOG.exception("%s %s broke", scope["method"], inert(scope["path"][:LONGEST_LOGGED]))
            await self._page(Request(scope))(scope, receive, send)

    def _page(self, request: Request) -> Response:
        try:
            return self.page(request)
        except Exception:  # the last resort: an answer must go out, whatever broke, with the headers of all pages
            LOG.exception("the page that says so broke as well")
            return PlainTextResponse("Internal error", 500)


def overlong(form: Mapping[str, Sequence[str]]) -> bool:
    """Whether a form holds more in a field than our pages can send."""
    return any(len(value) > LONGEST.get(name, LONGEST_FIELD) for name, values in form.items() for value in values)


async def fields(request: Request) -> dict[str, list[str]] | None:
    """The fields of a form; ``None`` when it is too large or none."""
    from urllib.parse import parse_qs

    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return None
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            return None
    try:
        return parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        return None
