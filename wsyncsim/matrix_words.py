"""The matrix of diagnosis in words: what somebody sees, where, and what it means."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from generators.catalogue import load
from scenarios.diagnosis import contradicts
from scenarios.evidence import Case, Sign, Spot
from scenarios.faults import FAULTS
from scenarios.looks import LOOKS
from scenarios.repairs import REPAIRS
from simulator.versions import VERSIONS
from wsyncsim.words import word

if TYPE_CHECKING:
    from scenarios.diagnosis import Node
    from scenarios.matrix import Pair, Region
    from scenarios.text import Language

_NONE: frozenset[Sign] = frozenset()


def clip(text: str, width: int) -> str:
    """The text, cut at ``width`` characters."""
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"


@dataclass(frozen=True)
class Words:
    """What is said of one generation, in one language."""

    region: Region
    language: Language

    def say(self, name: str, **values: object) -> str:
        return word("matrix", name, self.language, values or None)

    # --- names

    def place(self, place: str) -> str:
        """What a server is; what has no name stays as it is."""
        try:
            return word("places", place, self.language)
        except KeyError:
            return place

    def title(self, look: str) -> str:
        return LOOKS[look].title(self.region.generation, self.language)

    def look(self, spot: Spot) -> str:
        """``L45 Services (site server)``."""
        return f"{spot.look} {self.title(spot.look)} ({self.place(spot.place)})"

    def fault(self, id: str) -> str:
        return f"{id} {FAULTS[id].title.in_(self.language)}"

    def repair(self, id: str) -> str:
        """The right repair, step by step."""
        titles = []
        for step in FAULTS[id].repairs:
            repair, _, where = step.partition("@")
            title = REPAIRS[repair].title.in_(self.language)
            titles.append(f"{repair} {title}" + (f" (@{where})" if where else ""))
        return "; ".join(titles)

    # --- signs

    def sign(self, sign: Sign) -> str:
        """A sign as somebody says it."""
        text = self._fact(sign.text.split("~~", 1)[0])
        return text if sign.there else self.say("missing", text=text)

    def _fact(self, text: str) -> str:
        """A fact that no line shows, in words: how long a failed run took, and what a log's message says."""
        key, _, value = text.partition(" = ")
        if key == "failed_after":
            limit_s = re.search(r"\d+", value)
            return self.say("failed_within", limit_s=limit_s[0]) if limit_s else self.say("failed_late")
        if key == "template":
            return self._message(*value.split(" ", 1))
        return text

    def _message(self, id: str, said: str = "") -> str:
        """The text of a log's message, with as much of its parameters as ``said`` (``name=value name=value``) tells."""
        catalogue, _, name = id.partition(".")
        text = load(catalogue)[name].text(VERSIONS[self.region.generation]) or id
        known = dict(re.findall(r"(\w+)=(.*?)(?= \w+=|$)", said))
        return re.sub(r"\{\{ (\w+) \}\}", lambda found: known.get(found[1], "…"), text)

    @cached_property
    def _rarity(self) -> Counter[tuple[Spot, Sign]]:
        """In how many cases a line may show."""
        return Counter(
            (spot, sign)
            for cases in self.region.cases.values()
            for case in cases
            for spot, signs in case.lines_ever.get(self.language, {}).items()
            for sign in signs
        )

    def _order(self, spot: Spot, sign: Sign) -> tuple[bool, bool, int, int, str]:
        digits = sum(letter.isdigit() for letter in sign.text)
        return not sign.there, 5 * digits > len(sign.text), self._rarity[spot, sign], len(sign.text), sign.text

    def outcome(self, node: Node, number: int) -> str:
        """What the look of ``node`` shows on its branch ``number``, told so that no other branch could be meant."""
        mine = node.branches[number].cases
        others: list[Sequence[Case]] = [branch.cases for place, branch in enumerate(node.branches) if place != number]
        if all(not case.always.get(node.spot) for case in mine):
            texts, left = [self.say("nothing")], [other for other in others if not _all_show(other, node.spot)]
        else:
            texts, left = self._telling(mine, others, node.spot)
        for spot in reversed(node.paid):
            if left:
                more, left = self._telling(mine, left, spot)
                texts += [self.say("before", look=self.title(spot.look), text=text) for text in more]
        if left:
            each = [self._telling([case], others, node.spot) for case in mine]
            if all(found and not rest for found, rest in each):
                return " / ".join(dict.fromkeys(" + ".join(found) for found, _ in each))
        if texts:
            return " + ".join(texts)
        own = self.common(mine, node.spot)
        return self.say("only", text=own) if own is not None else self.say("otherwise")

    def outcomes(self, node: Node) -> list[str]:
        """What the look of ``node`` shows, branch by branch, without what long texts have in common."""
        return _shortened([self.outcome(node, number) for number in range(len(node.branches))])

    def _telling(
        self, mine: Sequence[Case], others: Sequence[Sequence[Case]], spot: Spot
    ) -> tuple[list[str], list[Sequence[Case]]]:
        """Signs that all of ``mine`` show and of ``others`` none, as few as do; and which others they do not tell apart."""
        in_lines = [case.lines_always.get(self.language, {}).get(spot, _NONE) for case in mine]
        in_facts = [case.always.get(spot, _NONE) for case in mine]
        lines = [sign for sign in self._common(in_lines, spot) if sign.there]
        facts = self._common(in_facts, spot)

        def by_line(sign: Sign, case: Case) -> bool:
            return sign not in case.lines_ever.get(self.language, {}).get(spot, _NONE)

        def by_fact(sign: Sign, case: Case) -> bool:
            return contradicts(sign, spot, case)

        texts, left = self._cover(lines, by_line, others)
        if left:
            more, left = self._cover(facts, by_fact, left)
            by_facts, still_left = self._cover(facts, by_fact, others)
            if len(still_left) < len(left) or (len(still_left) == len(left) and len(by_facts) < len(texts + more)):
                texts, left = by_facts, still_left
            else:
                texts += more
        return sorted(texts, key=len), left

    def _common(self, signs: Sequence[frozenset[Sign]], spot: Spot) -> list[Sign]:
        return sorted(frozenset.intersection(*signs), key=lambda sign: self._order(spot, sign))

    def _cover(
        self, signs: Sequence[Sign], tells: Callable[[Sign, Case], bool], others: Sequence[Sequence[Case]]
    ) -> tuple[list[str], list[Sequence[Case]]]:
        """As few of the signs as are needed to tell from the others; and the others that are left."""
        told = {sign: {number for number, other in enumerate(others) if all(tells(sign, case) for case in other)} for sign in signs}
        texts: list[str] = []
        left = list(range(len(others)))
        while left and signs:
            best = max(signs, key=lambda sign: (len(told[sign].intersection(left)), sign.there))
            if not told[best].intersection(left):
                break
            texts.append(self.sign(best))
            left = [number for number in left if number not in told[best]]
        return texts, [others[number] for number in left]

    def common(self, cases: Iterable[Case], spot: Spot) -> str | None:
        """The rarest line that all these cases show at a look."""
        shown = frozenset.intersection(*(case.lines_always.get(self.language, {}).get(spot, _NONE) for case in cases))
        lines = sorted((sign for sign in shown if sign.there), key=lambda sign: self._order(spot, sign))
        return self.sign(lines[0]) if lines else None

    def signs(self, case: Case, spots: int = 8, lines: int = 2) -> list[tuple[Spot, str]]:
        """What that case always shows, the rarest signs first; so many looks and so many lines of each."""
        found = []
        for spot, signs in case.lines_always.get(self.language, {}).items():
            shown = sorted(signs, key=lambda sign: self._order(spot, sign))[:lines]
            rarity = min(self._rarity[spot, sign] for sign in shown)
            found.append((rarity, LOOKS[spot.look].minutes, spot, shown))
        chosen = sorted(found, key=lambda row: row[:3])[:spots]
        return [(spot, self.sign(sign)) for _, _, spot, shown in chosen for sign in shown]

    def summary(self) -> str:
        """What the trees cost."""
        costs = self.region.costs.values()
        mean = sum(cost.expected for cost in costs) / max(len(costs), 1)
        return self.say("summary", mean=f"{mean:.1f}", worst=max((cost.worst for cost in costs), default=0))

    # --- honest words

    def reason(self, pair: Pair) -> str:
        """Why two faults cannot be told apart."""
        reasons = [
            self.say("shows_nothing", fault=id)
            for id in (pair.one, pair.other)
            if not any(signs for case in self.region.cases[id] for signs in case.always.values())
        ]
        if not reasons:
            reasons.append(self.say("shows_same", one=pair.one, other=pair.other))
        if not pair.same_complaint:
            reasons.append(self.say("by_complaint"))
        return "; ".join(reasons)


def _all_show(cases: Sequence[Case], spot: Spot) -> bool:
    return all(case.always.get(spot) for case in cases)


_SHARED = 60
"""So many characters in common are too many."""


def _shortened(texts: list[str]) -> list[str]:
    """Long texts that begin alike lose most of what they have in common."""
    made = []
    for number, text in enumerate(texts):
        words = text.split()
        shared = max((_same_words(words, other.split()) for place, other in enumerate(texts) if place != number), default=0)
        too_long = " + " not in text and len(" ".join(words[:shared])) > _SHARED and shared < len(words)
        made.append(" ".join((words[0], "…", *words[shared - 1 :])) if too_long else text)
    return made


def _same_words(one: list[str], other: list[str]) -> int:
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def spans(numbers: Sequence[int]) -> str:
    """``1-3``, or ``1, 5``."""
    if len(numbers) > 1 and list(numbers) == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]}-{numbers[-1]}"
    return ", ".join(map(str, numbers))


def by_look(pairs: Iterable[Pair], fault: str) -> Mapping[tuple[Spot, ...], list[str]]:
    """What tells one fault from which others."""
    found: dict[tuple[Spot, ...], list[str]] = {}
    for pair in pairs:
        if pair.separable and fault in (pair.one, pair.other):
            found.setdefault(pair.spots, []).append(pair.other if pair.one == fault else pair.one)
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))
