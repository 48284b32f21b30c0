"""The lab in a terminal: lines are typed, lines are appended, nothing is painted. All that it does is done by ``LabSession``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from scenarios.look import ROLES
from simulator.errors import WsyncsimError
from wsyncsim.lab.data import LabError, policy, say
from wsyncsim.lab.session import QUESTIONS, RESOLUTIONS, code
from wsyncsim.lab.typed import (
    MOST_SHOWN,
    NAMES,
    SEVERITY,
    Typed,
    command_of,
    name_of,
    pick,
    readable,
    severity_of,
    sort_words,
    tell,
)
from wsyncsim.mistakes import told
from wsyncsim.output import inert

if TYPE_CHECKING:
    from wsyncsim.lab.session import LabSession
    from wsyncsim.lab.views import ActionItem, LookItem, Sight
    from wsyncsim.lab.xray import Xray

T = TypeVar("T")
Read = Callable[[str], str | None]
"""Asks for a line, with that prompt; ``None`` when there are no more."""
Write = Callable[[str, str], None]
"""Shows a line; the second argument is its style: empty, ``head``, ``error`` or ``warning``."""
EVERYTHING = ("all", "alle", "alles")
ANYWAY = ("anyway", "trotzdem")
RESOLUTIONS_DE = dict(zip(("behoben", "eskaliert", "warten", "nichts"), RESOLUTIONS, strict=True))
EVENT = ("event", "ereignis")
SYNCHRONIZE = ("R10", "R11")
"""Actions that change nothing but start a synchronization."""
SYNC_WORDS = ("sync", "run sync", "sync run", "synchronize", "synchronisieren", "synchronisierung")
FEW_EVENTS = 20
LONGEST_NUMBER = 8
FEW_FACTS = 3
LAST_LINES = 25
"""So many lines of a log are shown, unless all are asked for, or some are looked for."""
"""So many of a long list are shown, unless everything is asked for."""
_UNITS = (
    (re.compile(r"(?<=\d) ?(minuten?|minutes?|min\.?)(?![a-z])"), "m"),
    (re.compile(r"(?<=\d) ?(stunden?|hours?|std\.?)(?![a-z])"), "h"),
)


class Left(Exception):
    """The trainee goes."""


class Cancelled(Exception):
    """The trainee does not want to hand it in after all."""


class Terminal:
    """A conversation about one session.

    ``read`` and ``write`` are the terminal; ``reopen`` gives the session as its file has it, after an interruption.
    """

    def __init__(self, session: LabSession, read: Read, write: Write, reopen: Callable[[], LabSession]) -> None:
        self.session = session
        self.mistakes = 0
        """How often something could not be done."""
        self._read = read
        self._write = write
        self._reopen = reopen

    # --- the conversation

    def run(self) -> None:
        """Talk until the trainee goes, or the input ends."""
        self.welcome()
        while True:
            try:
                line = self._read(self.prompt)
                if line is None:
                    return
                self.obey(line)
            except Left:
                return
            except KeyboardInterrupt as interrupted:
                if type(interrupted) is not KeyboardInterrupt:  # the process was asked to end
                    raise
                self._say("")
                language = self.session.language
                self.session = self._reopen()
                self.session.language = language
                self._tell("interrupt")

    @property
    def prompt(self) -> str:
        """The lab's clock; with the day when it is another one than at first."""
        local, opened = self.session.local, str(self.session.about()["opened"])
        day = "" if local[:10] == opened[:10] else f"{local[5:10]} "
        return f"lab {day}{local[11:16]}> "

    def obey(self, line: str) -> None:
        """Do what a line says. What cannot be done is told, and the session goes on."""
        words = line.split()
        if not words or words[0].startswith("#"):
            return
        try:
            command = command_of(words[0], self.session.language)
            getattr(self, f"_do_{command}")(words[1:], line.strip()[len(words[0]) :].strip())
        except Cancelled:
            self._tell("cancelled")
        except WsyncsimError as error:
            self._refuse(error)

    def _refuse(self, error: WsyncsimError) -> None:
        self.mistakes += 1
        mistake = told(error, self.session.language)
        self._tell("mistake", "error", what=mistake.head)
        if mistake.hint:
            self._say(f"  {mistake.hint}")

    def show(self, text: str) -> None:
        """Show a text that is not the lab's own."""
        self._say(text)

    def _say(self, text: str, style: str = "") -> None:
        for line in text.split("\n"):
            self._write(inert(line), style)

    def _word(self, name: str, /, **values: object) -> str:
        return tell(name, self.session.language, **values)

    def _tell(self, name: str, style: str = "", /, **values: object) -> None:
        self._say(self._word(name, **values), style)

    def _ask(self, name: str) -> str:
        line = self._read(self._word(name))
        if line is None:
            raise Left
        if not line.strip():
            raise Cancelled
        return line.strip()

    def _needed(self, words: Sequence[str], command: str) -> None:
        if not words:
            raise LabError(
                self._word("needs", command=name_of(command, self.session.language)),
                hint=self._word(f"help_{command}"),
            )

    # --- the ticket

    def welcome(self) -> None:
        """What a trainee reads first."""
        self._do_ticket((), "")
        self._tell("time_rule")
        self._tell("type_help")

    def _do_ticket(self, _words: Sequence[str], _rest: str) -> None:
        about = self.session.about()
        known = about["level"] is not None
        name = "level" if known else "about_minutes"
        self._tell("welcome", "head", ticket=about["ticket"], facts=self._word(name, **about))
        self._tell("call", caller=about["caller"], site=about["site"], says=about["says"])
        self._tell(f"role_{about['role'].replace(' ', '_')}")
        self._tell("clock", local=_clock(about["local"]), spent=about["spent_min"], charged=about["charged_min"])

    def _do_calendar(self, _words: Sequence[str], _rest: str) -> None:
        entries = self.session.about()["calendar"]
        for entry in entries:
            self._say(f"{_clock(entry['at'])}: {entry['text']}")
        if not entries:
            self._tell("no_calendar")

    def _do_ask(self, words: Sequence[str], rest: str) -> None:
        language = self.session.language
        items = [
            (id, (id, str(number)), tell(f"q_{id}", language).rstrip("?"))  # as people type it
            for number, id in enumerate(QUESTIONS, 1)
        ]
        if not words:
            self._tell("questions")
            for number, id in enumerate(QUESTIONS, 1):
                self._say(f"{number}: {tell(f'q_{id}', language)}")
            return
        self._tell("answer", text=self.session.ask(pick(rest.rstrip("?"), items, language, "ask")))

    def _do_help(self, _words: Sequence[str], _rest: str) -> None:
        from wsyncsim.lab.hints import price, price_rule

        self._tell("help_intro", "head")
        for command in NAMES:
            self._tell(f"help_{command}", price=price(self.session))
            if command == "hint":
                self._say(f"  {price_rule(self.session.language)}")
        self._tell("help_steps")

    def _do_status(self, _words: Sequence[str], _rest: str) -> None:
        session = self.session
        if session.closed:
            self._tell("is_closed")
            self._tell("next", what=self._word("next_debrief"))
            return
        treated = any(deed.kind == "act" and deed.id not in SYNCHRONIZE for deed in session.deeds)
        steps = {
            "looked": bool(session.sights),
            "diagnosed": bool(session.diagnoses),
            "treated": treated,
            "verified": session.verified(),
            "noted": bool(session.notes),
        }
        for step, done in steps.items():
            self._tell("done" if done else "open", what=self._word(f"step_{step}"))
        following = next((step for step, done in steps.items() if not done and step != "treated"), None)
        if following == "verified" and not treated:
            self._tell(self._after_diagnosis())
            return
        self._tell("next", what=self._word(f"next_{following or 'close'}"))

    def _do_xray(self, _words: Sequence[str], _rest: str) -> None:
        found = self.session.xray()
        if found is None:
            raise LabError(self._word("no_xray"), hint=self._word("no_xray_hint"))
        self._xray(found)

    def _xray(self, found: Xray) -> None:
        self._tell("xray", "head", site=found.site, local=_clock(found.local), text=found.text)
        for number, stage in enumerate(found.stages, 1):
            state = self._word(f"xray_{stage.state}") if stage.state else ""
            name = "xray_stage" if state else "xray_bare"
            self._tell(name, number=number, title=stage.title, about=stage.about, state=state)

    def _do_lang(self, words: Sequence[str], _rest: str) -> None:
        self._needed(words, "lang")
        wanted = words[0].lower()[:2]
        if wanted not in ("de", "en"):
            raise LabError(self._word("not_found", word=words[0]), hint="lang de, lang en")
        self.session.language = wanted
        self._tell("type_help")

    def _do_quit(self, _words: Sequence[str], _rest: str) -> None:
        raise Left

    # --- looks

    def _do_logs(self, _words: Sequence[str], _rest: str) -> None:
        self._looks(item for item in self.session.looks() if item.group == "logs")
        self._tell("log_example")

    def _looks(self, items: Iterable[LookItem]) -> None:
        seen = {sight.id: sight.evidence for sight in self.session.sights}
        for item in items:
            facts = [item.title, self._word("price", minutes=item.minutes)]
            facts.append(self._word("on", hosts=", ".join(place.host for place in item.places)))
            if item.leaves_trace:
                facts.append(self._word("trace"))
            if item.id in seen:
                facts.append(self._word("seen_as", evidence=seen[item.id]))
            self._say(f"{item.id}: {', '.join(facts)}")

    def _do_log(self, words: Sequence[str], rest: str) -> None:
        if not words:
            self._do_logs(words, rest)
            return
        self._look_at([item for item in self.session.looks() if item.group == "logs"], words, "log")

    def _do_look(self, words: Sequence[str], rest: str) -> None:
        items = self.session.looks()
        groups = list(dict.fromkeys(item.group for item in items))
        if not words:
            self._tell("look_groups")
            for group in groups:
                count = sum(item.group == group for item in items)
                self._tell("look_count", group=group.split("_")[0], title=self._word(f"g_{group}"), count=count)
            return
        chosen = [group for group in groups if rest.lower() in (group, group.split("_")[0])]
        if chosen or rest.lower() in EVERYTHING:
            for group in chosen or groups:
                self._say(self._word(f"g_{group}"), "head")
                self._looks(item for item in items if item.group == group)
            self._tell("look_example", id=next(item.id for item in items if item.group in (chosen or groups)))
            return
        self._look_at(items, words, "look")

    def _look_at(self, items: Sequence[LookItem], words: Sequence[str], command: str) -> None:
        typed = sort_words(words, ("host", "site", "account", "target", "find", "errors", "raw", "all"))
        hosts = {place.host.lower(): place.host for item in items for place in item.places}
        host = typed.text("host")
        if host is None and len(typed.words) > 1 and typed.words[-1].lower() in hosts:
            host = typed.words.pop()
        if host is not None and host.lower() not in (*hosts, *ROLES):
            raise LabError(self._word("no_server", name=host), hint=self._word("which", names=", ".join(hosts.values())))
        item = self._pick_look(" ".join(typed.words), items, command)
        sight = self.session.look(
            item.id,
            host=hosts.get(host.lower(), host) if host is not None else None,
            site=(typed.text("site") or "").upper() or None,
            account=typed.text("account"),
            target=typed.text("target"),
        )
        self._show(sight, item.group == "logs", typed)

    def _pick_look(self, text: str, items: Sequence[LookItem], command: str) -> LookItem:
        """By id or title; else by where it is done or what it reveals."""
        try:
            return pick(text, [(item, (item.id,), item.title) for item in items], self.session.language, command)
        except LabError as error:
            words = text.lower().split()
            about = {item.id: f"{item.title} {item.where} {item.reveals}".lower() for item in items}
            found = [item for item in items if words and all(word in about[item.id] for word in words)]
            if len(found) == 1:
                return found[0]
            if not found:
                raise
            names = "; ".join(f"{item.id} {item.title}" for item in found[:MOST_SHOWN])
            raise LabError(self._word("ambiguous", word=text), hint=self._word("which", names=names)) from error

    def _show(self, sight: Sight, log: bool, typed: Typed) -> None:
        self._tell(
            "saw" if sight.new else "saw_again" if sight.same else "saw_more",
            "head",
            evidence=sight.evidence,
            title=sight.title,
            where=sight.where,
            host=sight.host,
            local=sight.local,
            minutes=sight.charged_min,
        )
        self._lines(sight, log, typed)

    def _lines(self, sight: Sight, log: bool, typed: Typed) -> None:
        lines = sight.lines
        if not lines:
            self._tell("empty")
        find, errors = _unquoted(typed.text("find") or "").lower(), "errors" in typed.given
        shown, wanted = 0, lines
        if log and not find and not errors and "all" not in typed.given and len(lines) > LAST_LINES + 1:
            self._say(lines[0])
            self._tell("earlier", count=len(lines) - LAST_LINES - 1, evidence=sight.evidence)
            wanted = lines[-LAST_LINES:]
        for line in wanted:
            severity = severity_of(line) if log else "info"
            if find not in line.lower() or (errors and severity == "info"):
                continue
            shown += 1
            text = line if "raw" in typed.given else readable(line)
            mark = f"[{SEVERITY[severity][self.session.language]}] " if severity in SEVERITY else ""
            self._say(f"{mark}{text}", severity if severity in SEVERITY else "")
        if find or errors:
            self._tell("filtered", shown=shown, total=len(lines), evidence=sight.evidence)

    def _do_evidence(self, words: Sequence[str], _rest: str) -> None:
        sights = self.session.sights
        typed = sort_words(words, ("find", "errors", "raw", "all"))
        if typed.words:
            sight = self._seen(typed.words[0])
            logs = {item.id for item in self.session.looks() if item.group == "logs"}
            self._lines(sight, sight.id in logs, typed)
            return
        for sight in sights:
            self._tell("evidence_row", evidence=sight.evidence, title=sight.title, host=sight.host, local=sight.local)
            for pin in self.session.pins:
                if pin.evidence == sight.evidence:
                    self._tell("pin_row", line=pin.line, text=readable(pin.text))
        if not sights:
            self._tell("no_evidence")

    def _seen(self, name: str) -> Sight:
        """The one thing seen that is called so."""
        names = self._evidence([name])
        sight = next((sight for sight in self.session.sights if [sight.evidence] == names), None)
        if sight is None:
            raise LabError(self._word("not_found", word=name), hint=self._word("help_evidence"))
        return sight

    def _do_pin(self, words: Sequence[str], _rest: str) -> None:
        pin = self.session.pin(*self._line(words, "pin"))
        self._tell("pinned", evidence=pin.evidence, line=pin.line)

    def _do_unpin(self, words: Sequence[str], _rest: str) -> None:
        pin = self.session.unpin(*self._line(words, "unpin"))
        self._tell("unpinned", evidence=pin.evidence, line=pin.line)

    def _line(self, words: Sequence[str], command: str) -> tuple[str, int]:
        """The line that is meant: its number, or a text that only one line of that evidence has."""
        self._needed(words[1:], command)
        sight, text = self._seen(words[0]), _unquoted(" ".join(words[1:]))
        evidence = sight.evidence
        if text.isdecimal() and text.isascii() and len(text) < LONGEST_NUMBER:
            return evidence, int(text)
        found = [number for number, line in enumerate(sight.lines, 1) if text.lower() in line.lower()]
        if len(found) == 1:
            return evidence, found[0]
        name = "several_lines" if found else "no_line"
        numbers = ", ".join(map(str, found[:MOST_SHOWN]))
        raise LabError(self._word(name, evidence=evidence), hint=self._word("which", names=numbers) if found else "")

    def _do_err(self, words: Sequence[str], rest: str) -> None:
        from wsyncsim.lab.codes import look_up

        self._needed(words, "err")
        found = look_up(rest, self.session.language)
        for code_ in found:
            kind = self._word(f"code_{code_.kind.replace(' ', '_')}")
            name = f" {code_.name}" if code_.name else ""
            self._tell("code_row", kind=kind, spelled=code_.spelled, name=name, text=code_.text, source=code_.source)
        if not found:
            self._tell("no_code", code=rest)

    # --- thinking

    def _do_think(self, words: Sequence[str], rest: str) -> None:
        self._needed(words, "think")
        self.session.hypothesis(_unquoted(rest))
        self._tell("thought")

    def _do_note(self, words: Sequence[str], rest: str) -> None:
        self._needed(words, "note")
        self.session.note(_unquoted(rest))
        self._tell("noted")

    def _do_left(self, _words: Sequence[str], _rest: str) -> None:
        remaining = self.session.remaining()
        if remaining is None:
            raise LabError(self._word("no_left_over"))
        self._tell("left", left=remaining.left, candidates=remaining.candidates)
        for cause in remaining.causes:
            self._say(f"- {cause}")

    def _do_hint(self, _words: Sequence[str], _rest: str) -> None:
        from wsyncsim.lab.hints import price

        hint = self.session.hint()
        self._tell("hint", n=len(self.session.hints), text=hint.text)
        self._tell("hint_next", price=price(self.session))

    def _do_diagnose(self, words: Sequence[str], _rest: str) -> None:
        typed = sort_words(words, ("with", "confidence"))
        causes = self.session.causes()
        if not typed.words:
            self._tell("causes")
            for number, cause in enumerate(causes, 1):
                self._say(f"{number}: {cause.title}")
        chosen = self._given_or_asked(" ".join(typed.words), "ask_cause", self._causes)
        with_ = self._given_or_asked(typed.text("with") or "", "ask_evidence", lambda text: self._evidence([text]))
        confidence = self._given_or_asked(typed.text("confidence") or "", "ask_confidence", _whole)
        left = self.session.diagnose(chosen, with_, confidence)
        titles = {cause.id: cause.title for cause in causes}
        self._tell("diagnosed", causes="; ".join(titles[id] for id in chosen), left=left)
        self._tell(self._after_diagnosis())

    def _after_diagnosis(self) -> str:
        """What is said of the next step."""
        if not any(cause.fault for cause in self.session.diagnoses[-1].causes):
            return "diagnosed_next_nothing"
        return f"diagnosed_next_{'help' if self.session.role == 'help desk' else 'second'}"

    def _given_or_asked(self, given: str, question: str, understand: Callable[[str], T]) -> T:
        """What was typed at once, else what is answered, until it is understood."""
        if given:
            return understand(given)
        while True:
            try:
                return understand(self._ask(question))
            except LabError as error:
                self._refuse(error)

    def _causes(self, text: str) -> list[str]:
        items = [(cause.id, (str(number), cause.id), cause.title) for number, cause in enumerate(self.session.causes(), 1)]
        language = self.session.language
        try:
            return [pick(text, items, language, "diagnose")]
        except LabError:
            parts = text.split() if re.fullmatch(r"[\d\s]+", text) else [part.strip() for part in text.split(",")]
            if len(parts) < 2:
                raise
            return [pick(part, items, language, "diagnose") for part in parts if part]

    def _evidence(self, given: Sequence[str]) -> list[str]:
        names = re.split(r"[\s,;]+", " ".join(given).strip().lower())
        if names[0] in EVERYTHING:
            return [sight.evidence for sight in self.session.sights]
        names = [f"e{name}" if name.isdecimal() else name for name in names if name]
        known = {sight.evidence for sight in self.session.sights}
        for name in names:
            if name not in known:
                hint = self._word("which", names=", ".join(sight.evidence for sight in self.session.sights))
                raise LabError(self._word("not_found", word=name), hint=hint if known else self._word("no_evidence"))
        return names

    # --- doing

    def _actions(self, items: Sequence[ActionItem], wanted: str) -> None:
        """List the actions, or those of one group, under the numbers that they have among all."""
        group = number = None
        for number, item in enumerate(items, 1):
            if wanted and item.group != wanted:
                continue
            if item.group != group:
                group = item.group
                self._say(self._word(f"g_{group}"), "head")
            sites = self._word("at", sites=", ".join(item.sites))
            self._say(f"{number}: {item.title}, {self._word('price', minutes=item.minutes)}, {sites}")
        self._tell("do_example", number=number)

    def _do_do(self, words: Sequence[str], rest: str) -> None:
        session = self.session
        items = session.actions()
        if not words or rest.lower() in {item.group for item in items}:
            self._actions(items, rest.lower())
            return
        codes = {site.lower() for item in items for site in item.sites}
        words, site = list(words), None
        if len(words) > 1 and words[-1].lower() in codes:
            site = words.pop().upper()
            if len(words) > 1 and words[-1].lstrip("-").lower() in ("at", "am", "site", "standort"):
                words.pop()
        choices = [(item, (item.id, str(number)), item.title) for number, item in enumerate(items, 1)]
        done = session.act(pick(_unabbreviated(words), choices, session.language, "do").id, site=site)
        self._tell("did", title=done.title, site=done.site, minutes=done.minutes, local=_clock(done.local))
        if session.deeds[-1].id not in SYNCHRONIZE:
            self._tell("did_next")

    def _do_wait(self, words: Sequence[str], rest: str) -> None:
        self._needed(words, "wait")
        wanted = rest.lower()
        for unit, letter in _UNITS:
            wanted = unit.sub(letter, wanted)
        if len(wanted) > 1 and any(name.startswith(wanted) for name in EVENT):
            wanted = "event"
        waited = self.session.wait(f"{wanted}m" if wanted.isdecimal() else wanted)
        name = "waited_event" if wanted == "event" else "waited"
        self._tell(name, minutes=waited.minutes, local=_clock(waited.local))

    def _do_escalate(self, words: Sequence[str], _rest: str) -> None:
        session, language = self.session, self.session.language
        titles = {team: say(f"team_{team.replace(' ', '_')}", language) for team in session.teams()}
        if not words:
            self._tell("teams")
            for team, title in titles.items():
                self._say(f"{team}: {title}")
            return
        typed = sort_words(words, ("with",))
        team = pick(
            " ".join(typed.words), [(team, (team,), f"{title} ({team})") for team, title in titles.items()], language, "escalate"
        )
        with_ = self._given_or_asked(typed.text("with") or "", "ask_evidence", lambda text: self._evidence([text]))
        self._tell("reply", reply=(answer := session.escalate(team, with_)).reply, local=_clock(answer.local))

    def _do_verify(self, _words: Sequence[str], _rest: str) -> None:
        found = self.session.verify()
        self._say(found.text)
        if not found.seen:
            self._tell("verify_how")

    def _do_close(self, words: Sequence[str], _rest: str) -> None:
        session = self.session
        anyway = any(word.lower() in ANYWAY for word in words)
        wanted = " ".join(word.lower() for word in words if word.lower() not in ANYWAY)
        missing = [step for step, there in (("diagnosed", session.diagnoses), ("noted", session.notes)) if not there]
        if missing and not anyway and not session.closed:
            what = ", ".join(self._word(f"step_{step}") for step in missing)
            raise LabError(self._word("unfinished", what=what), hint=self._word("close_anyway"))
        session.close(RESOLUTIONS_DE.get(wanted, wanted) or None)
        self.show_result()

    def show_result(self) -> None:
        """The mark of the closed ticket."""
        result, language = self.session.result(), self.session.language
        if result.worked_example:
            self._tell("worked", "head")
        else:
            self._tell("mark", "head", total=result.total, band=self._word(f"band_{result.band.replace(' ', '_')}"))
        for part, points in result.parts.items():
            self._tell("part", part=self._word(f"part_{part}"), points=_number(points, language), most=policy().weights[part])
        self._tell("looks_min", looks=result.looks_min, best=result.best_min)
        if result.hint_price:
            self._tell("hint_price", points=result.hint_price)
        for remark in result.remarks(language):
            self._say(remark)
        seat = self.session.seat
        self._tell("exam_done" if seat is not None and not seat.released else "read_debrief")

    def _do_debrief(self, words: Sequence[str], _rest: str) -> None:
        self.show_debrief(everything=bool(words) and words[0].lower() in EVERYTHING)

    def show_debrief(self, *, everything: bool) -> None:
        """What really happened; ``everything``: long lists too."""
        found = self.session.debrief()
        self._list("d_causes", found.causes)
        self._list("d_repair", found.repair or [say("nothing_to_do", self.session.language)])
        numbers = {entry.id: number for number, entry in enumerate(found.happened, 1)}
        happened = []
        for entry in found.happened:
            because = f" ({self._word('d_because', because=numbers[entry.because])})" if entry.because in numbers else ""
            happened.append(f"{numbers[entry.id]}: {_clock(entry.local)} {entry.host}: {entry.text}{because}".replace(" : ", ": "))
        self._list("d_happened", happened, everything)
        self._list(
            "d_visible",
            [
                ": ".join(
                    (f"{each.look} {each.title}, {each.host}, {self._word('price', minutes=each.minutes)}", *_telling(each.facts))
                )
                for each in found.visible
            ],
            everything,
        )
        self._list("d_did", [f"{_clock(did.local)} {did.text}" for did in found.did], everything=True)
        for name, points in (("d_curve", found.curve), ("d_best", found.best)):
            rows = [
                self._word(
                    "d_point",
                    minutes=point.minutes,
                    look=point.look,
                    host=point.host,
                    left=point.left,
                    wasted=f" ({point.wasted})" if point.wasted else "",
                )
                for point in points
            ]
            self._list(name, rows, everything=True, candidates=found.candidates)
        for cause, facts in found.masked.items():
            self._list("d_masked", facts, everything, cause=cause)
        for name, moves in (("d_harm", found.measured), ("d_tempting", found.tempting)):
            rows = []
            for harm in moves:
                head = "harm" if harm.points else "no_harm"
                said = self._word(head, action=harm.action, site=harm.site, points=harm.points)
                rows.append(f"{said}: {'; '.join(harm.details)}")
            self._list(name, rows, everything=True)
        self._list("d_open", found.still_open, everything=True)
        self._list("d_xray", [f"{_clock(xray.local)}: {xray.text}" for xray in found.xrays], everything=True)
        self._list("d_thoughts", found.thoughts, everything=True)
        self._tell("d_next")

    def _list(self, name: str, rows: Sequence[str], everything: bool = False, **values: object) -> None:
        if not rows:
            return
        self._tell(name, "head", **values)
        for row in rows if everything else rows[:FEW_EVENTS]:
            self._say(f"- {row}")
        if not everything and len(rows) > FEW_EVENTS:
            self._tell("d_more", count=len(rows) - FEW_EVENTS)


def _clock(local: str) -> str:
    return local[:16].replace("T", " ")


def _telling(facts: Sequence[str]) -> list[str]:
    """Facts that say something to people, as one text; what a log said is better read in the log."""
    found = [fact for fact in facts if not fact.startswith(("template = ", "failed_after = ", "event = "))]
    return ["; ".join(found[:FEW_FACTS])] if found else []


def _number(value: float, language: str) -> str:
    return f"{value:g}".replace(".", "," if language == "de" else ".")


def _unquoted(text: str) -> str:
    return text[1:-1].strip() if len(text) > 2 and text[0] == text[-1] == '"' else text


def _unabbreviated(words: Sequence[str]) -> str:
    """What people say for Run Synchronization is understood."""
    text = " ".join(words)
    return code("a", "R10") if text.lower() in SYNC_WORDS else text


def _whole(text: str) -> int:
    if text not in ("1", "2", "3"):
        raise LabError(f"{text!r}", hint="1, 2, 3")
    return int(text)
