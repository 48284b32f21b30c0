"""The debrief: what really happened, what could be seen and where, what was done, and what the cheapest way would have been."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from scenarios.looks import LOOKS
from scenarios.repairs import REPAIRS
from scenarios.truth import facts as plain
from simulator.events import ActionTaken, FaultBegan
from wsyncsim.lab.bench import Bench, open_bench
from wsyncsim.lab.data import say
from wsyncsim.lab.diagnosis import best_way, right_steps
from wsyncsim.lab.harm import Harm, Tempting, acts_of, horizon, measured, tempting
from wsyncsim.lab.hints import title
from wsyncsim.lab.outlook import outlook
from wsyncsim.lab.ticket import true_causes, variant, with_causes
from wsyncsim.lab.typed import tell
from wsyncsim.lab.views import Plain
from wsyncsim.lab.xray import Xray, taken
from wsyncsim.words import event_words

if TYPE_CHECKING:
    from scenarios.story import Story
    from simulator.journal import Entry
    from wsyncsim.lab.session import Deed, LabSession
    from wsyncsim.lab.ticket import Variant

MOST_EVENTS = 200
LONGEST_NOTE = 120
"""Characters of a note where it is one line of many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened(Plain):
    """An entry of the causal timeline."""

    id: str
    local: str
    host: str
    text: str
    because: str | None
    """Id of the entry that it follows from."""
    kind: str
    """``fault``, ``action``, or ``event``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible(Plain):
    """A look that showed something unusual when the ticket was opened."""

    look: str
    title: str
    host: str
    minutes: int
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Did(Plain):
    """Something that the trainee (or a team) did."""

    local: str
    text: str
    kind: str
    """The action, as the session's file calls it: ``look``, ``ask``, ``hint``, ``diagnose``, ``act``, ``escalate``, ``note``."""
    action: int
    """Number of the action before which the session can be forked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point(Plain):
    """A point of the uncertainty curve."""

    look: str
    host: str
    minutes: int
    """Minutes of looks so far."""
    left: int
    bits: float
    wasted: str
    """Why it could not help; empty when it did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Debrief(Plain):
    """All of it. It holds the answer."""

    causes: tuple[str, ...]
    repair: tuple[str, ...]
    happened: tuple[Happened, ...]
    visible: tuple[Visible, ...]
    did: tuple[Did, ...]
    candidates: int
    curve: tuple[Point, ...]
    best: tuple[Point, ...]
    masked: dict[str, tuple[str, ...]]
    """Cause -> facts that it would have shown alone, and that another cause hid."""
    harms: tuple[Harm, ...]
    measured: tuple[Harm, ...]
    """What each of the trainee's own actions did, harmless ones too."""
    tempting: tuple[Tempting, ...]
    """What the tempting wrong moves of this ticket would have done, as the first thing of all."""
    remarks: tuple[str, ...]
    """What the mark says about diagnosis and repair: whether they rested on what had been seen."""
    still_open: tuple[str, ...]
    thoughts: tuple[str, ...]
    card: str
    """A case card, Markdown."""
    xrays: tuple[Xray, ...]
    """How far the caller's last synchronization had come, when the ticket was opened and when it was closed."""


def debrief(session: LabSession) -> Debrief:
    """The debrief of a closed session, in its language."""
    language = session.language
    truth = true_causes(session.story)
    steps = [step for cause in truth for step in right_steps(session.story, cause)]
    repair = tuple(f"{REPAIRS[id].title.in_(language)} ({site})" for id, site in steps)
    best, did = _best(session), measured(session)
    looks = "\n".join(f"- {_look_title(session, point.look)} ({point.host})" for point in best)
    actions = "\n".join(f"- {line}" for line in repair) or f"- {say('nothing_to_do', language)}"
    return Debrief(
        causes=tuple(cause.title(language) for cause in truth),
        repair=repair,
        happened=tuple(_happened(session)),
        visible=tuple(_visible(session)),
        did=tuple(done_so_far(session)),
        candidates=best_way(session.variant).candidates,
        curve=tuple(_curve(session)),
        best=tuple(best),
        masked=_masked(session),
        harms=tuple(harm for harm in did if harm.points),
        measured=tuple(did),
        tempting=tuple(tempting(session)),
        remarks=session.result().remarks(language),
        still_open=tuple(_still_open(session)),
        thoughts=tuple(session.thoughts),
        card=say(
            "card",
            language,
            complaint=session.ticket.complaint.in_(language),
            cause=title(session, truth),
            looks=looks,
            actions=actions,
        ),
        xrays=tuple(taken(session, at) for at in (session.opened_at, session.now)),
    )


def _look_title(session: LabSession, id: str) -> str:
    return LOOKS[id].title(session.story.generation, session.language)  # type: ignore[arg-type]


def _happened(session: LabSession) -> list[Happened]:
    """Faults, actions, and what followed from them: of what repeats itself, the first time."""
    found: list[Happened] = []
    seen: set[tuple[str, str]] = set()
    for entry in session.bench.kept:
        text = event_words(plain(entry.event), session.language)
        if (entry.host, text) in seen or (entry.because is None and entry.host):
            continue
        seen.add((entry.host, text))
        found.append(
            Happened(
                id=entry.id,
                local=session.clock(entry.at),
                host=entry.host,
                text=text,
                because=entry.because.id if entry.because is not None else None,
                kind=_kind(entry),
            )
        )
    return found[:MOST_EVENTS]


def _kind(entry: Entry) -> str:
    if isinstance(entry.event, FaultBegan):
        return "fault"
    return "action" if isinstance(entry.event, ActionTaken) else "event"


def _all_facts(bench: Bench) -> dict[tuple[str, str], tuple[tuple[str, object], ...]]:
    return {
        (id, host): bench.facts(id, host=host)
        for id, look in sorted(LOOKS.items())
        if bench.story.generation in look.generations and not look.leaves_trace
        for host in bench.places(id)
    }


def _at_opening(session: LabSession, story_of: tuple[int, ...] | None = None) -> Bench:
    """A world at the opening of the ticket, with only some of the causes (by number)."""
    truth = true_causes(session.story)
    causes = truth if story_of is None else tuple(truth[number] for number in story_of)
    return _twin_at(session.opened_at, with_causes(session.story, causes, session.variant.broken_us))


def _twin_at(until: int, story: Story) -> Bench:
    bench = Bench(story)
    bench.go(until)
    return bench


def _visible(session: LabSession) -> list[Visible]:
    """Where something was to be seen: what differs from the healthy twin."""
    return [
        Visible(look=id, title=_look_title(session, id), host=host, minutes=LOOKS[id].minutes, facts=unusual)
        for id, host, unusual in unusual_at_opening(session.variant)
    ]


def unusual_at_opening(given: Variant) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Look, host and facts of everything that differs from the healthy twin when a ticket is opened, the cheapest look first."""
    return _unusual(given.ticket.id, given.seed, given.story.generation)


@lru_cache(maxsize=64)
def _unusual(id: str, seed: int, generation: str) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    chosen = variant(id, seed, generation=generation)
    ours, story, opened_at = open_bench(chosen)
    healthy = _all_facts(_twin_at(opened_at, with_causes(story, (), chosen.broken_us)))
    found = []
    for (look, host), facts in _all_facts(ours).items():
        unusual = tuple(f"{key} = {value}" for key, value in facts if (key, value) not in healthy.get((look, host), ()))
        if unusual:
            found.append((look, host, unusual))
    return tuple(sorted(found, key=lambda each: (LOOKS[each[0]].minutes, each[0], each[1])))


def done_so_far(session: LabSession) -> list[Did]:
    """What has been looked at, asked, diagnosed, changed, shown by hints and written to the customer so far, in its order."""
    found: list[Did] = []
    place = 0
    counts: dict[str, int] = {}
    for action in session.actions_done:
        do = str(action["do"])
        number = counts[do] = counts.get(do, 0) + 1
        at = session.deeds[place - 1].until if place else session.opened_at
        text = _told(session, action, number)
        if text:
            found.append(Did(local=session.clock(at), text=text, kind=do, action=action["n"] - 1))
        deeds = _deeds_of(session, action, number, place)
        found += [
            Did(local=session.clock(deed.at), text=_team_did(session, deed), kind=do, action=action["n"] - 1)
            for deed in deeds
            if deed.kind == "act" and deed.by != "trainee"
        ]
        place += len(deeds)
    return found


def _deeds_of(session: LabSession, action: dict[str, Any], number: int, place: int) -> list[Deed]:
    """What an action did to the world. ``number`` counts actions of its kind; its deeds begin at ``place``."""
    do, after = action["do"], session.deeds[place:]
    if do == "look":
        return after[: 1 + (session.sights[number - 1].charged_min > 0)]
    if do == "ask":
        earlier = [each["question"] for each in session.actions_done[: action["n"] - 1] if each["do"] == "ask"]
        return after[: action["question"] not in earlier]
    if do == "escalate":
        return after[:1] + list(takewhile(lambda deed: deed.by != "trainee", after[1:]))
    return after[: do in ("act", "wait")]


def _told(session: LabSession, action: dict[str, Any], number: int) -> str:
    """An action in words; empty for what is not told. ``number`` counts actions of its kind."""
    language = session.language
    if action["do"] == "look":
        sight = session.sights[number - 1]
        return say("did_look", language, title=sight.title, host=sight.host, minutes=sight.charged_min)
    if action["do"] == "act":
        deed = [deed for deed in session.deeds if deed.kind == "act" and deed.by == "trainee"][number - 1]
        return say("did_act", language, title=REPAIRS[deed.id].title.in_(language), site=deed.site)
    if action["do"] == "diagnose":
        diagnosis = session.diagnoses[number - 1]
        causes = ", ".join(cause.title(language) for cause in diagnosis.causes)
        return say("did_diagnose", language, causes=causes, confidence=diagnosis.confidence)
    if action["do"] == "escalate":
        done = session.escalations[number - 1]
        name = "did_escalate" if done.accepted else "did_escalate_in_vain"
        return say(name, language, team=say(f"team_{done.team.replace(' ', '_')}", language))
    if action["do"] == "ask":
        return say("did_ask", language, question=tell(f"q_{action['question']}", language))
    if action["do"] == "note":
        return say("did_note", language, text=shorten(action["text"], LONGEST_NOTE, placeholder=" ..."))
    return say("did_hint", language, number=number) if action["do"] == "hint" else ""


def _team_did(session: LabSession, deed: Deed) -> str:
    language = session.language
    team = say(f"team_{deed.by.replace(' ', '_')}", language)
    return say("did_team", language, team=team, title=REPAIRS[deed.id].title.in_(language), site=deed.site)


def _curve(session: LabSession) -> list[Point]:
    """What was left after each look."""
    panel = session.panel
    total, minutes, before, points = panel.candidates, 0, panel.candidates, []
    for number, sight in enumerate(session.sights, 1):
        minutes += sight.charged_min
        left = total - sum(0 < ruled <= number for ruled in panel.ruled_out.values())
        wasted = ""
        if left == before:
            name = "wasted_repeat" if not sight.new else "wasted_known" if left == 1 else "wasted_irrelevant"
            wasted = say(name, session.language)
        points.append(
            Point(look=sight.id, host=sight.host, minutes=minutes, left=left, bits=round(math.log2(max(left, 1)), 3), wasted=wasted)
        )
        before = left
    return points


def _best(session: LabSession) -> list[Point]:
    minutes, points = 0, []
    for step in best_way(session.variant).steps:
        minutes += step.minutes
        points.append(
            Point(look=step.id, host=step.host, minutes=minutes, left=step.left, bits=round(math.log2(step.left), 3), wasted="")
        )
    return points


def _masked(session: LabSession) -> dict[str, tuple[str, ...]]:
    """What each of several causes would have shown alone, and did not show beside the others."""
    truth = true_causes(session.story)
    if len(truth) < 2:
        return {}
    together, healthy = _all_facts(_at_opening(session)), _all_facts(_at_opening(session, ()))
    found = {}
    for number, cause in enumerate(truth):
        alone = _all_facts(_at_opening(session, (number,)))
        hidden = [
            f"{id} {host}: {key} = {value}"
            for (id, host), facts in alone.items()
            for key, value in facts
            if (key, value) not in healthy.get((id, host), ()) and (key, value) not in together.get((id, host), ())
        ]
        if hidden:
            found[cause.title(session.language)] = tuple(hidden)
    return found


def _still_open(session: LabSession) -> list[str]:
    acts = tuple(act for act, _ in acts_of(session.deeds))
    world = outlook(session.story, acts, horizon(session))
    return [
        say("open_left", session.language, entity=effect.entity, name=effect.name)
        for effect in sorted({*world.left, *world.deviations})
    ]
