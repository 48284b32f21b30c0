"""Hints: five rungs, from what this trainee has seen. Nothing is written down beforehand but how they are worded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.looks import LOOKS
from scenarios.repairs import REPAIRS
from wsyncsim.lab.data import policy, say
from wsyncsim.lab.diagnosis import Hypothesis, Panel, best_way, owners, right_steps
from wsyncsim.lab.ticket import true_causes
from wsyncsim.lab.views import Hint

if TYPE_CHECKING:
    from scenarios.look import Fact
    from wsyncsim.lab.diagnosis import Facts, Option
    from wsyncsim.lab.session import LabSession

RUNGS = 5
SHOWN_GROUPS = 5
SHOWN_CAUSES = 3
SHOWN_FACTS = 3


def hint(session: LabSession) -> Hint:
    """The next hint: the next rung while nothing has changed, else the first one about what is next."""
    about, texts = _situation(session)
    last = session.hints[-1] if session.hints else None
    rung = min(last.rung + 1, RUNGS) if last is not None and last.about == about else 1
    text = solution(session) if rung == RUNGS else texts[min(rung, len(texts)) - 1]
    return Hint(rung=rung, about=about, text=text)


def price(session: LabSession) -> str:
    """What the next hint costs, in words. Which rung it is depends on what has been found out since the last one."""
    prices, language = policy().weights["hint"], session.language
    rungs = [given.rung for given in session.hints]
    if RUNGS in rungs:
        return say("hint_costs_nothing", language)
    deeper = rungs[-1] + 1 if rungs else 1
    name = "hint_costs" if deeper == 1 else "hint_costs_deeper" if deeper < RUNGS else "hint_costs_mark"
    return say(name, language, points=prices[deeper - 1], first=prices[0])


def price_rule(language: str) -> str:
    """The rule of the prices, in words."""
    *prices, last = policy().weights["hint"][: RUNGS - 1]
    return say("hint_price_rule", language, points=", ".join(map(str, prices)), last=last)


def _situation(session: LabSession) -> tuple[str, list[str]]:
    """What is next, and how to say so on the rungs 1 to 4."""
    if not session.diagnoses:
        option = session.panel.best()
        if option is not None:
            return f"look {option.id} {option.host}", _about_look(session, option)
        return "diagnose", _about_diagnosis(session)
    if not session.mended():
        return "mend", _about_repair(session)
    return "verify", _about_success(session)


def _about_look(session: LabSession, option: Option) -> list[str]:
    language, panel = session.language, session.panel
    look, generation = LOOKS[option.id], session.story.generation
    title = look.title(generation, language)  # type: ignore[arg-type]
    where = look.where(generation, language)  # type: ignore[arg-type]
    reveals = look.reveals(generation, language)  # type: ignore[arg-type]
    step = say("step_scope" if not session.sights else "step_stage" if len(session.sights) < 2 else "step_check", language)
    return [
        say("hint_step", language, step=step, left=len(panel.alive)),
        say("hint_question", language, reveals=reveals),
        say("hint_surface", language, title=title, where=where, host=option.host, minutes=option.minutes),
        say("hint_outcomes", language, title=title, outcomes="\n".join(_outcomes(session, panel, option))),
    ]


def _outcomes(session: LabSession, panel: Panel, option: Option) -> list[str]:
    """What a look may show, and what would still be possible then."""
    groups: dict[int, list[Hypothesis]] = {}
    for hypothesis, number in zip(panel.alive, option.outcomes, strict=True):
        groups.setdefault(number, []).append(hypothesis)
    shown = {number: panel.facts(group[0], option) for number, group in groups.items()}
    common = set.intersection(*(set(facts) for facts in shown.values()))
    lines = []
    for number, group in list(groups.items())[:SHOWN_GROUPS]:
        causes = "; ".join(title(session, hypothesis) for hypothesis in group[:SHOWN_CAUSES])
        more = "; ..." if len(group) > SHOWN_CAUSES else ""
        lines.append(
            say("hint_outcome", session.language, facts=_told(shown[number], common, session.language), causes=causes + more)
        )
    return lines


def _told(facts: Facts, common: set[tuple[str, Fact]], language: str) -> str:
    special = [f"{key} = {value}" for key, value in facts if (key, value) not in common]
    return ", ".join(special[:SHOWN_FACTS]) or say("nothing_special", language)


def title(session: LabSession, hypothesis: Hypothesis) -> str:
    """A hypothesis in words."""
    return " + ".join(cause.title(session.language) for cause in hypothesis)


def _about_diagnosis(session: LabSession) -> list[str]:
    language, panel = session.language, session.panel
    left = "; ".join(title(session, hypothesis) for hypothesis in panel.alive)
    return [
        say("hint_diagnose_step", language),
        say("hint_diagnose_question", language, left=len(panel.alive)),
        say("hint_diagnose_surface", language),
        say("hint_diagnose_outcomes", language, causes=left),
    ]


def _about_repair(session: LabSession) -> list[str]:
    language = session.language
    steps = [step for cause in true_causes(session.story) for step in right_steps(session.story, cause)]
    if policy().roles.get(session.role) is not None:
        found = [team for cause in true_causes(session.story) for team in owners(session.story, cause)]
        team = say(f"team_{(found or ['second level'])[0].replace(' ', '_')}", language)
        texts = [say("hint_mend_step", language), say("hint_hand_over", language), say("hint_team", language, team=team)]
        return [*texts, texts[-1]]
    groups = {group for group, ids in policy().groups.items() if any(id in ids for id, _ in steps)}
    titles = " - ".join(f"{REPAIRS[id].title.in_(language)} ({site})" for id, site in steps) or say("nothing_to_do", language)
    where = ", ".join(say(f"group_{group}", language) for group in sorted(groups)) or say("nothing_to_do", language)
    return [
        say("hint_mend_step", language),
        say("hint_mend_question", language),
        say("hint_mend_surface", language, where=where),
        say("hint_mend_action", language, actions=titles),
    ]


def _about_success(session: LabSession) -> list[str]:
    language, generation = session.language, session.story.generation
    places = session.where_success_shows()
    titles = [f"{LOOKS[id].title(generation, language)} ({host})" for id, host in places[:SHOWN_CAUSES]]  # type: ignore[arg-type]
    shown = ", ".join(titles) or say("success_later", language)
    return [
        say("hint_verify_step", language),
        say("hint_verify_question", language),
        say("hint_verify_surface", language, looks=shown),
        say("hint_verify_surface", language, looks=shown),
    ]


def solution(session: LabSession) -> str:
    """The worked solution: looks in the best order, the cause, and the repair."""
    language, generation = session.language, session.story.generation
    way = best_way(session.variant)
    looks = "\n".join(
        say(
            "solution_look",
            language,
            title=LOOKS[step.id].title(generation, language),  # type: ignore[arg-type]
            host=step.host,
            minutes=step.minutes,
            left=step.left,
        )
        for step in way.steps
    )
    truth = true_causes(session.story)
    steps = [step for cause in truth for step in right_steps(session.story, cause)]
    actions = (
        "\n".join(f"- {REPAIRS[id].title.in_(language)} ({site})" for id, site in steps) or f"- {say('nothing_to_do', language)}"
    )
    return say("solution", language, looks=looks, cause=title(session, truth), actions=actions)
