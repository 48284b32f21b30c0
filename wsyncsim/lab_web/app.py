"""The pages: each is a view of a ``LabSession``, each form one call of it, followed by a redirect."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from anyio import CapacityLimiter
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from simulator.errors import WsyncsimError
from wsyncsim import lab
from wsyncsim.lab.data import LabError, say
from wsyncsim.lab_web import desk_pages
from wsyncsim.lab_web.guard import COOKIE, LONGEST_FIELD, Breakage, Forms, Headers, Keys, NoForms, Turns, fields, overlong
from wsyncsim.lab_web.log_rows import marked
from wsyncsim.lab_web.shelf import Coming, Ordered, Shelf
from wsyncsim.lab_web.words import LANGUAGES, duration, moment, word
from wsyncsim.mistakes import told

if TYPE_CHECKING:
    from wsyncsim.lab_web.counsel import Counsel
    from wsyncsim.lab_web.shelf import Desk

THEMES = ("auto", "light", "dark")
LOCAL_HOSTS = ("127.0.0.1", "localhost")
STATIC = {
    "lab.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "lab.js": "text/javascript; charset=utf-8",
    "htmx.min.js": "text/javascript; charset=utf-8",
    "htmx.LICENSE.txt": "text/plain; charset=utf-8",
}
A_YEAR_S = 365 * 24 * 3600
HEAVY_DEEDS = ("hint", "escalate", "close", "fork")
"""What plays other worlds; without somebody else who computes that, one such request at a time: the others stay quick."""
AGAIN_S = 1
"""So soon a page that waits for something asks again."""


@dataclass(slots=True)
class Visit:
    """A request, and what its page needs."""

    request: Request
    keys: Forms
    shelf: Shelf
    language: str
    theme: str
    form: Mapping[str, list[str]] = field(default_factory=dict)
    error: WsyncsimError | None = None

    def first(self, name: str) -> str:
        """A field of the form; empty when it is missing."""
        return self.form.get(name, [""])[0].replace("\r\n", "\n")

    def asked(self, name: str) -> str:
        """A value of the address."""
        return str(self.request.query_params.get(name, ""))[:200]

    @property
    def session_id(self) -> str:
        return str(self.request.path_params["id"])

    def says(self, name: str, /, **values: Any) -> str:
        return word(name, self.language, **values)


@cache
def _pages() -> Environment:
    return Environment(
        loader=PackageLoader("wsyncsim.lab_web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(visit: Visit, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page."""
    text = (
        _pages()
        .get_template(f"{template}.html.j2")
        .render(
            visit=visit,
            t=visit.says,
            language=visit.language,
            theme=visit.theme,
            token=visit.keys.token,
            here=visit.request.url.path,
            moment=lambda local: moment(local, visit.language),
            marked=marked,
            duration=lambda minutes: duration(minutes, visit.language),
            role_name=lambda role: say(f"role_{role.replace(' ', '_')}", visit.language),
            error=told(visit.error, visit.language) if visit.error is not None else None,
            **values,
        )
    )
    return HTMLResponse(text, status_code=status)


def go(path: str) -> Response:
    """To another page, after a form."""
    return RedirectResponse(path, status_code=303)


# --- pages without a session


def home(visit: Visit) -> Response:
    """The first page: begin, continue, all tickets by level."""
    levels: dict[int, list[Any]] = {}
    for ticket in lab.tickets():
        levels.setdefault(ticket.level, []).append(ticket)
    return render(visit, "home", levels=levels, sessions=visit.shelf.kept(), first=lab.tickets()[0].id)


def options(visit: Visit, *, status: int = 200) -> Response:
    """How a ticket may be opened otherwise."""
    wanted = visit.first("ticket") or str(visit.request.path_params.get("ticket", ""))
    ticket = next((each for each in lab.tickets() if each.id == wanted), None)
    if ticket is None:
        raise LabError("there is no such ticket")
    return render(visit, "options", ticket=ticket, status=status)


def open_ticket(visit: Visit) -> Response:
    """Open a ticket: a new session."""
    try:
        given = visit.first("seed").strip()
        if given and not (given.isascii() and given.isdigit() and len(given) <= 15):
            raise LabError(visit.says("bad_number"))
        id = visit.shelf.open(
            visit.first("ticket"),
            seed=int(given) if given else None,
            role=visit.first("role") or None,
            generation=visit.first("generation") or None,
            language=visit.language,
        )
    except WsyncsimError as error:
        visit.error = error
        return options(visit, status=422)
    return go(f"/s/{id}/ticket")


def settings(visit: Visit) -> Response:
    """Language and colours, kept in cookies."""
    back = visit.first("back")
    answer = go(back if back.startswith("/") and not back.startswith("//") and "\\" not in back and back.isprintable() else "/")
    for name, allowed in (("language", LANGUAGES), ("theme", THEMES)):
        value = visit.first(name)
        if value in allowed:
            answer.set_cookie(f"wsyncsim_{name}", value, max_age=A_YEAR_S, httponly=True, samesite="strict")
    return answer


# --- pages of a session


def desk_page(visit: Visit) -> Response:
    """A page of a session."""
    name = str(visit.request.path_params["page"])
    with visit.shelf.desk(visit.session_id, visit.language) as desk:
        return _desk_page(visit, desk, name)


def coming(visit: Visit) -> Response:
    """A page that waits for its session, and looks again by itself."""
    answer = render(visit, "coming")
    answer.headers["Refresh"] = str(AGAIN_S)
    return answer


def _being_computed(visit: Visit, desk: Desk, name: str, ordered: Ordered | None = None) -> Response:
    """A page that says so, and looks again by itself."""
    since_s = time.monotonic() - ordered.since_s if ordered is not None else 0
    answer = render(visit, "soon", **desk_pages.common(visit, desk, name), waited_s=int(since_s))
    answer.headers["Refresh"] = str(AGAIN_S)
    return answer


def _desk_page(visit: Visit, desk: Desk, name: str, *, status: int = 200) -> Response:
    if not desk_pages.page_is_known(name, visit, desk):
        return _being_computed(visit, desk, name)
    values = desk_pages.PAGES[name](visit, desk)
    return render(visit, name, status=status, **desk_pages.common(visit, desk, name), **values)


def sight_page(visit: Visit) -> Response:
    with visit.shelf.desk(visit.session_id, visit.language) as desk:
        return render(visit, "sight", **desk_pages.common(visit, desk, "look"), **desk_pages.sight(visit, desk))


def act_page(visit: Visit) -> Response:
    with visit.shelf.desk(visit.session_id, visit.language) as desk:
        return render(visit, "confirm", **desk_pages.common(visit, desk, "mend"), **desk_pages.confirm(visit, desk))


def do(visit: Visit) -> Response:
    """A form of a session: one call of it."""
    what = str(visit.request.path_params["what"])
    with visit.shelf.desk(visit.session_id, visit.language, at_once=True) as desk:  # a form is not sent again by itself
        done = _done(visit, desk, what)
        if done is None:
            return go(f"/s/{visit.session_id}/soon?order={desk.order(what, visit.form)}")
        return done


def soon(visit: Visit) -> Response:
    """Where somebody waits for the answer to a form."""
    with visit.shelf.desk(visit.session_id, visit.language) as desk:
        base, id = f"/s/{visit.session_id}", visit.asked("order")
        ordered = desk.ordered.get(id)
        if ordered is None or desk.session.closed:
            desk.ordered.pop(id, None)
            return go(f"{base}/{desk_pages.after_closing(desk) if desk.session.closed else 'ticket'}")
        visit.form = ordered.form
        page = _page_of(visit, ordered.what)
        if not desk.holds(ordered):
            del desk.ordered[id]
            desk.said = visit.says("order_dropped")
            return go(f"{base}/{page}?said=1")
        done = _done(visit, desk, ordered.what)
        if done is None:
            return _being_computed(visit, desk, page, ordered)
        del desk.ordered[id]
        return done


def _page_of(visit: Visit, what: str) -> str:
    """From where a form was sent."""
    back = visit.first("back")
    return back if back in desk_pages.PAGES else desk_pages.HOME_OF[what]


def _done(visit: Visit, desk: Desk, what: str) -> Response | None:
    """What a form comes to; ``None`` while that is being computed."""
    page = _page_of(visit, what)
    if desk_pages.is_stale(what, visit, desk):
        return _look_first(visit, desk, page)
    try:
        if not desk_pages.deed_is_known(what, visit, desk):
            return None
        target = desk_pages.DEEDS[what](visit, desk)
    except WsyncsimError as error:
        visit.error = error
        return _desk_page(visit, desk, desk_pages.after_closing(desk) if desk.session.closed else page, status=422)
    if target.startswith("/"):
        return go(target)
    return go(f"/s/{visit.session_id}/{target or page}{'?said=1' if desk.said else ''}")


def _look_first(visit: Visit, desk: Desk, page: str) -> Response:
    """To the page of a form that was made before something else was done; with it, what that came to."""
    sentence = visit.says("meanwhile")
    if not desk.said.startswith(sentence):
        desk.said = f"{sentence} {desk.said}".strip()
    return go(f"/s/{visit.session_id}/{desk_pages.after_closing(desk) if desk.session.closed else page}?said=1")


# --- machinery


async def static(request: Request) -> Response:
    """Style sheet and icon."""
    name = str(request.path_params["name"])
    if name not in STATIC:
        return Response(status_code=404)
    return Response(files("wsyncsim.lab_web").joinpath("static", name).read_bytes(), media_type=STATIC[name])


def mistake(visit: Visit, error: WsyncsimError, status: int) -> Response:
    """A page that says what is wrong."""
    visit.error = error
    return render(visit, "mistake", status=status)


def _is_heavy(request: Request, shelf: Shelf) -> bool:
    given = request.path_params
    if shelf.counsel is not None:
        return False
    if "id" not in given:
        return request.url.path == "/open"
    if given.get("what") in HEAVY_DEEDS or given.get("page") == "debrief" or "left" in request.query_params:
        return True
    return not shelf.is_open(str(given["id"]))


def lab_app(
    folder: Path,
    keys: Keys,
    *,
    hosts: tuple[str, ...] = (),
    language: str = "en",
    shelf: Shelf | None = None,
    counsel: Counsel | None = None,
) -> Starlette:
    """The application. ``hosts`` may be called beside this computer's own names; ``counsel`` computes what takes a while."""
    shelf = shelf or Shelf(folder, counsel)
    heavy, turns = CapacityLimiter(1), Turns()

    def visit_of(request: Request) -> Visit:
        chosen = request.cookies.get("wsyncsim_language", language)
        theme = request.cookies.get("wsyncsim_theme", "auto")
        return Visit(
            request,
            keys if keys.knows(request) else NoForms(),
            shelf,
            chosen if chosen in LANGUAGES else language,
            theme if theme in THEMES else "auto",
        )

    def answered(visit: Visit, handler: Callable[[Visit], Response]) -> Response:
        try:
            return handler(visit)
        except Coming:
            return coming(visit)
        except WsyncsimError as error:
            return mistake(visit, error, 404)

    def guarded(handler: Callable[[Visit], Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            visit = visit_of(request)
            key = request.query_params.get("key")
            if key is not None and request.method == "GET":
                cookie = keys.exchange(key)
                if cookie is not None:
                    answer = go("/")
                    answer.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", path="/")
                    return answer
            if not keys.knows(request):
                return mistake(visit, LabError(visit.says("no_entry_text")), 403)
            if request.method == "POST":
                form = await fields(request)
                if form is None or not keys.from_our_page(request, form.get("token", [""])[0]):
                    return mistake(visit, LabError(visit.says("foreign_form")), 403)
                if overlong(form):
                    return mistake(visit, LabError(visit.says("overlong", n=LONGEST_FIELD)), 422)
                visit.form = form
            async with turns.turn(COOKIE) as come:
                if not come:
                    return mistake(visit, LabError(visit.says("too_many")), 429)
                return await anyio.to_thread.run_sync(
                    answered, visit, handler, limiter=heavy if _is_heavy(request, shelf) else None
                )

        return endpoint

    async def lost(request: Request, _error: Exception) -> Response:
        visit = visit_of(request)
        if not keys.knows(request):
            return mistake(visit, LabError(visit.says("no_entry_text")), 403)
        return mistake(visit, LabError(visit.says("not_found")), 404)

    def broken(request: Request) -> Response:
        visit = visit_of(request)
        return mistake(visit, LabError(visit.says("broken"), hint=visit.says("broken_hint")), 500)

    pages = "|".join(desk_pages.PAGES)
    deeds = "|".join(desk_pages.DEEDS)
    routes = [
        Route("/", guarded(home)),
        Route("/ticket/{ticket}", guarded(options)),
        Route("/open", guarded(open_ticket), methods=["POST"]),
        Route("/settings", guarded(settings), methods=["POST"]),
        Route("/s/{id}/e/{number}", guarded(sight_page)),
        Route("/s/{id}/act/{action}", guarded(act_page)),
        Route("/s/{id}/do/{what}", guarded(_only(do, "what", deeds)), methods=["POST"]),
        Route("/s/{id}/soon", guarded(soon)),
        Route("/s/{id}/{page}", guarded(_only(desk_page, "page", pages))),
        Route("/static/{name}", static),
    ]
    middleware = [
        Middleware(Headers),
        Middleware(Breakage, page=broken),
        Middleware(TrustedHostMiddleware, allowed_hosts=[*LOCAL_HOSTS, *hosts], www_redirect=False),
    ]
    return Starlette(routes=routes, middleware=middleware, exception_handlers={404: lost, 405: lost})


def _only(handler: Callable[[Visit], Response], name: str, allowed: str) -> Callable[[Visit], Response]:
    """The handler, for names that there are."""
    known = allowed.split("|")

    def checked(visit: Visit) -> Response:
        if visit.request.path_params[name] not in known:
            raise LabError(visit.says("not_found"))
        return handler(visit)

    return checked
