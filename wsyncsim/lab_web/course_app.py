"""A course in the browser: trainees at their seats, the instructor's board. Who may open what stands in one table, ``RULES``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio.to_thread
from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.errors import WsyncsimError
from wsyncsim.lab import course as courses
from wsyncsim.lab.data import LabError
from wsyncsim.lab.debrief import done_so_far
from wsyncsim.lab.ticket import true_causes
from wsyncsim.lab.typed import tell
from wsyncsim.lab_web import desk_pages
from wsyncsim.lab_web.app import (
    HEAVY_DEEDS,
    LOCAL_HOSTS,
    THEMES,
    Visit,
    act_page,
    coming,
    desk_page,
    go,
    render,
    settings,
    sight_page,
    static,
)
from wsyncsim.lab_web.app import do as do_at_desk
from wsyncsim.lab_web.app import soon as soon_at_desk
from wsyncsim.lab_web.guard import LONGEST_FIELD, Breakage, Headers, Turns, fields, from_page_of, overlong
from wsyncsim.lab_web.people import INSTRUCTOR, NOBODY, TRAINEE, Entrance, Limit, Pass
from wsyncsim.lab_web.shelf import Coming
from wsyncsim.lab_web.words import LANGUAGES
from wsyncsim.mistakes import told

if TYPE_CHECKING:
    from wsyncsim.lab_web.classroom import Classroom, Outcome, Row
    from wsyncsim.lab_web.shelf import Desk

COOKIE = "wsyncsim_course"
REFRESH_S = 10
DEEDS = tuple(deed for deed in desk_pages.DEEDS if deed != "fork")
FORMS: dict[str, tuple[Callable[[list[Outcome]], str], str, str]] = {
    "csv": (lambda found: courses.csv_of(each.row for each in found), "text/csv; charset=utf-8", "csv"),
    "jsonl": (lambda found: courses.json_lines_of(each.row for each in found), "application/x-ndjson; charset=utf-8", "jsonl"),
    "xapi": (
        lambda found: courses.json_lines_of(each.statement for each in found),
        "application/x-ndjson; charset=utf-8",
        "xapi.jsonl",
    ),
}
"""How results are handed out: by what, as what, and how the file's name ends."""
SORTS: dict[str, Callable[[Row], tuple[object, ...]]] = {
    "trainee": lambda _row: (),
    "slot": lambda row: (row.seated.slot,),
    "state": lambda row: (row.seated.state,),
    "looks": lambda row: (-row.seated.looks,),
    "changes": lambda row: (-row.seated.changes,),
    "hints": lambda row: (-row.seated.hints,),
    "diagnoses": lambda row: (-row.seated.diagnoses,),
    "stuck": lambda row: (-row.stuck_min, -row.seated.idle),
}
"""Columns of the board, and what each sorts by; who is alike stays in the course's order."""
WRONG_CODES = (10, 1 / 6)
REQUESTS = (120, 10.0)
REQUESTS_OF_NOBODY = (300, 30.0)
"""How many at once, and then each second: wrong codes of an address, requests of a browser, requests of an address without one."""


@dataclass(slots=True, kw_only=True)
class CourseVisit(Visit):
    """A request to a course."""

    room: Classroom
    entrance: Entrance
    wrong_codes: Limit
    inside: Pass | None = None

    @property
    def role(self) -> str:
        return self.inside.person.role if self.inside is not None else NOBODY

    @property
    def trainee(self) -> str:
        return self.inside.person.trainee if self.inside is not None else ""

    @property
    def address(self) -> str:
        """Where the request comes from."""
        return self.request.client.host if self.request.client is not None else ""


# --- the door


def home(visit: CourseVisit) -> Response:
    """The form for the code; inside, the trainee's tickets."""
    if visit.role == INSTRUCTOR:
        return go("/board")
    if visit.role == NOBODY:
        return render(visit, "entrance", course=visit.room.course)
    course, trainee = visit.room.course, visit.trainee
    rows = [visit.room.row(id) for id in visit.room.seats_of(trainee)]
    return render(
        visit,
        "seats",
        course=course,
        trainee=trainee,
        rows=rows,
        places={row.id: visit.room.place(row.id) for row in rows},
        closed=sum(row.seated.state == "closed" for row in rows),
        state_name=lambda state: _state_name(visit, state),
    )


def enter(visit: CourseVisit) -> Response:
    """Exchange a code for a cookie. A right one opens whatever others behind the same address have tried."""
    inside = visit.entrance.enter(visit.first("code"))
    if inside is None:
        if not visit.wrong_codes.take(visit.address):
            return refusal(visit, visit.says("too_many"), 429)
        visit.error = LabError(visit.says("wrong_code"))
        return render(visit, "entrance", status=422, course=visit.room.course)
    answer = go("/")
    secure = visit.request.url.scheme == "https"
    answer.set_cookie(COOKIE, inside.cookie, httponly=True, samesite="strict", secure=secure, path="/")
    language = visit.room.course.settings_of(inside.person.trainee).language
    if language is not None:
        answer.set_cookie("wsyncsim_language", language, httponly=True, samesite="strict")
    return answer


def leave(visit: CourseVisit) -> Response:
    """Forget this browser."""
    visit.entrance.leave(visit.request.cookies.get(COOKIE, ""))
    answer = go("/")
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return answer


def begin(visit: CourseVisit) -> Response:
    """Sit down at a ticket, or go on there."""
    id = f"{visit.first('slot')}.{visit.trainee}"
    visit.room.begin(id, visit.language)
    return go(f"/s/{id}/ticket")


def do(visit: CourseVisit) -> Response:
    """A form of a session; the board learns of it."""
    if visit.request.path_params["what"] not in DEEDS:
        raise LabError(visit.says("not_found"))
    answer = do_at_desk(visit)
    visit.room.row(visit.session_id)
    return answer


def soon(visit: CourseVisit) -> Response:
    """Where somebody waits for the answer to a form; the board learns of it."""
    answer = soon_at_desk(visit)
    visit.room.row(visit.session_id)
    return answer


def page(visit: CourseVisit) -> Response:
    """A page of a session."""
    if visit.request.path_params["page"] not in desk_pages.PAGES:
        raise LabError(visit.says("not_found"))
    return desk_page(visit)


# --- for the instructor


def board(visit: CourseVisit) -> Response:
    """Who is where. It loads itself again, unless that is not wanted."""
    sort = visit.asked("sort") if visit.asked("sort") in SORTS else "trainee"
    still = visit.asked("still") == "1"
    rows = sorted(visit.room.rows(), key=SORTS[sort])
    answer = render(
        visit,
        "board",
        course=visit.room.course,
        trouble=told(visit.room.trouble, visit.language) if visit.room.trouble is not None else None,
        rows=rows,
        sorts=tuple(SORTS),
        sort=sort,
        still=still,
        every=REFRESH_S,
        forms=tuple(FORMS),
        closed=sum(row.seated.state == "closed" for row in rows),
        working=sum(row.seated.state not in ("closed", "not begun") for row in rows),
        state_name=lambda state: _state_name(visit, state),
    )
    return answer if still else _again(answer)


def _again(answer: Response) -> Response:
    answer.headers["refresh"] = str(REFRESH_S)
    return answer


def _state_name(visit: Visit, state: str) -> str:
    return tell(f"state_{state.replace(' ', '_')}", visit.language)


def at_seat(visit: CourseVisit) -> AbstractContextManager[Desk]:
    """A trainee's session, for the instructor; when it is played again, then in the trainee's language."""
    return visit.room.desk(visit.session_id, visit.language, spoken=visit.room.spoken(visit.session_id, visit.language))


def mirror(visit: CourseVisit) -> Response:
    """What a trainee has seen and done. Nothing can be done here."""
    still = visit.asked("still") == "1"
    with at_seat(visit) as desk:
        session = desk.session
        answer = render(
            visit,
            "mirror",
            id=visit.session_id,
            row=visit.room.row(visit.session_id),
            session=session,
            about=session.about(),
            did=done_so_far(session),
            diagnoses=[(desk_pages.cause_titles(session, each.causes), each) for each in session.diagnoses],
            truth=desk_pages.cause_titles(session, true_causes(session.story)),
            result=session.result() if session.closed else None,
            still=still,
            every=REFRESH_S,
            state_name=lambda state: _state_name(visit, state),
        )
    return answer if still or session.closed else _again(answer)


def mirror_sight(visit: CourseVisit) -> Response:
    """Something that a trainee has seen."""
    with at_seat(visit) as desk:
        return render(visit, "mirror_sight", id=visit.session_id, sight=desk_pages.sight_of(visit, desk))


def results(visit: CourseVisit) -> Response:
    """Results of all that is closed, as a file."""
    form = str(visit.request.path_params["form"])
    if form not in FORMS:
        raise LabError(visit.says("not_found"))
    write, kind, ending = FORMS[form]
    return _file(write(visit.room.results()), kind, f"{visit.room.course.id}.{ending}")


def bundle(visit: CourseVisit) -> Response:
    """A closed session with its mark, signed, as a file."""
    with at_seat(visit) as desk:
        text = courses.bundle(desk.session, visit.room.key) + "\n"
    return _file(text, "application/json; charset=utf-8", f"{visit.session_id}.bundle.json")


def _file(text: str, kind: str, name: str) -> Response:
    """A file to be kept; its name is made of codes."""
    return Response(text.encode("utf-8"), media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})


# --- who may open what


@dataclass(frozen=True, slots=True)
class Rule:
    """A route: what it does, and for whom. With ``{id}`` in its path, trainees are let to their own seats only."""

    path: str
    do: Callable[[CourseVisit], Response]
    roles: tuple[str, ...]
    method: str = "GET"
    heavy: bool = False
    """It plays other worlds, or many."""


EVERYBODY = (NOBODY, TRAINEE, INSTRUCTOR)
RULES = (
    Rule("/", home, EVERYBODY),
    Rule("/enter", enter, EVERYBODY, "POST"),
    Rule("/leave", leave, (TRAINEE, INSTRUCTOR), "POST"),
    Rule("/settings", settings, EVERYBODY, "POST"),
    Rule("/begin", begin, (TRAINEE,), "POST", heavy=True),
    Rule("/s/{id}/e/{number}", sight_page, (TRAINEE,)),
    Rule("/s/{id}/act/{action}", act_page, (TRAINEE,)),
    Rule("/s/{id}/do/{what}", do, (TRAINEE,), "POST"),
    Rule("/s/{id}/soon", soon, (TRAINEE,)),
    Rule("/s/{id}/{page}", page, (TRAINEE,)),
    Rule("/board", board, (INSTRUCTOR,)),
    Rule("/mirror/{id}", mirror, (INSTRUCTOR,)),
    Rule("/mirror/{id}/e/{number}", mirror_sight, (INSTRUCTOR,)),
    Rule("/results/{form}", results, (INSTRUCTOR,), heavy=True),
    Rule("/bundle/{id}", bundle, (INSTRUCTOR,), heavy=True),
)


def refusal(visit: CourseVisit, why: str, status: int) -> Response:
    """A page that says why not."""
    visit.error = LabError(why)
    answer = render(visit, "refusal", status=status)
    if status == 429:
        answer.headers["retry-after"] = str(REFRESH_S)
    return answer


async def _unread(visit: CourseVisit) -> Response | None:
    """Read the form of a request; why not, if it is not to be read."""
    form = await fields(visit.request)
    if form is None or not from_page_of(visit.keys, visit.request, form.get("token", [""])[0]):
        return refusal(visit, visit.says("foreign_form"), 403)
    if overlong(form):
        return refusal(visit, visit.says("overlong", n=LONGEST_FIELD), 422)
    visit.form = form
    return None


def _is_heavy(request: Request, rule: Rule, room: Classroom) -> bool:
    """Whether a request plays other worlds, or a session from its beginning, in this process."""
    given = request.path_params
    if room.counsel is not None and TRAINEE in rule.roles:
        return False
    if rule.heavy or given.get("what") in HEAVY_DEEDS or given.get("page") == "debrief":
        return True
    return "id" in given and (
        not room.is_open(given["id"]) or (rule.do is mirror and room.row(given["id"]).seated.state == "closed")
    )


def course_app(room: Classroom, entrance: Entrance, *, hosts: tuple[str, ...] = (), language: str = "en") -> Starlette:
    """The application of a course. ``hosts`` may be called beside this computer's own names."""
    # what plays other worlds waits for its like; the instructor's results keep no trainee waiting
    limiters = {TRAINEE: CapacityLimiter(1), INSTRUCTOR: CapacityLimiter(1)}
    turns = Turns()
    wrong_codes, requests, requests_of_nobody = Limit(*WRONG_CODES), Limit(*REQUESTS), Limit(*REQUESTS_OF_NOBODY)

    def visit_of(request: Request) -> CourseVisit:
        inside = entrance.known(request.cookies.get(COOKIE, ""))
        spoken, theme = request.cookies.get("wsyncsim_language", language), request.cookies.get("wsyncsim_theme", "auto")
        return CourseVisit(
            request,
            inside or entrance,
            room,
            spoken if spoken in LANGUAGES else language,
            theme if theme in THEMES else "auto",
            room=room,
            entrance=entrance,
            wrong_codes=wrong_codes,
            inside=inside,
        )

    def stopped(visit: CourseVisit, rule: Rule) -> Response | None:
        """Why this request goes no further: too many, the wrong role, or somebody else's seat."""
        limit, name = (requests, visit.inside.cookie) if visit.inside else (requests_of_nobody, visit.address)
        if not limit.take(name):
            return refusal(visit, visit.says("too_many"), 429)
        if visit.role not in rule.roles:
            return refusal(visit, visit.says("no_code" if visit.role == NOBODY else "not_for_you"), 403)
        id = visit.request.path_params.get("id")
        if id is not None and not (room.has(id) if visit.role == INSTRUCTOR else id in room.seats_of(visit.trainee)):
            return refusal(visit, visit.says("not_found"), 404)
        return None

    def answered(visit: CourseVisit, rule: Rule) -> Response:
        try:
            return rule.do(visit)
        except Coming:
            return coming(visit)
        except WsyncsimError as error:
            visit.error = error
            return render(visit, "refusal", status=404)

    async def computed(visit: CourseVisit, rule: Rule) -> Response:
        limiter = limiters.get(visit.role) if _is_heavy(visit.request, rule, room) else None
        return await anyio.to_thread.run_sync(answered, visit, rule, limiter=limiter)

    def guarded(rule: Rule) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            visit = visit_of(request)
            no = stopped(visit, rule)
            if no is not None:
                return no
            no = await _unread(visit) if request.method == "POST" else None
            if no is not None:
                return no
            if visit.inside is None:
                return await computed(visit, rule)
            async with turns.turn(visit.inside.cookie) as come:
                return await computed(visit, rule) if come else refusal(visit, visit.says("too_many"), 429)

        return endpoint

    async def lost(request: Request, _error: Exception) -> Response:
        visit = visit_of(request)
        if visit.role == NOBODY:
            return refusal(visit, visit.says("no_code"), 403)
        return refusal(visit, visit.says("not_found"), 404)

    def broken(request: Request) -> Response:
        visit = visit_of(request)
        visit.error = LabError(visit.says("broken"), hint=visit.says("broken_hint"))
        return render(visit, "refusal", status=500)

    routes = [Route(rule.path, guarded(rule), methods=[rule.method]) for rule in RULES]
    middleware = [
        Middleware(Headers),
        Middleware(Breakage, page=broken),
        Middleware(TrustedHostMiddleware, allowed_hosts=[*LOCAL_HOSTS, *hosts], www_redirect=False),
    ]
    return Starlette(
        routes=[*routes, Route("/static/{name}", static)], middleware=middleware, exception_handlers={404: lost, 405: lost}
    )
