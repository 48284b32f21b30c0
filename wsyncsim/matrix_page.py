"""The matrix of diagnosis as a Markdown page, as JSON, and as text on a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from scenarios.complaint import COMPLAINTS
from scenarios.diagnosis import Leaf, first_look, minutes_of
from scenarios.fault import SYNC_FAILS
from scenarios.matrix import possible_causes
from wsyncsim.matrix_words import Words, by_look, clip, spans

if TYPE_CHECKING:
    from rich.console import Console
    from rich.tree import Tree

    from scenarios.diagnosis import Node
    from scenarios.evidence import Spot
    from scenarios.matrix import Group, Matrix, Region
    from scenarios.text import Language

SHOWN = 150
"""How much is shown of a long line."""


# --- what all forms say


def _ending(words: Words, leaf: Leaf, paid: tuple[Spot, ...]) -> str:
    minutes = words.say("total", minutes=sum(map(minutes_of, paid))) if paid else words.say("free")
    if len(leaf.faults) > 1:
        return f"{words.say('several', faults=', '.join(leaf.faults))} ({minutes})"
    return f"{words.fault(leaf.faults[0])} ({minutes})"


def _alike_text(words: Words, region: Region, group: Group) -> str:
    candidates = region.candidates[SYNC_FAILS]
    first = first_look(candidates, candidates.all)
    text = words.common(group.cases, first) if first is not None else None
    return clip(text, SHOWN) if text is not None else words.say("nothing")


def _parts(parts: tuple[tuple[str, ...], ...]) -> str:
    return " | ".join(" ".join(part) for part in parts)


def _hidden(matrix: Matrix, words: Words) -> Iterator[str]:
    for fault, generation in dict.fromkeys((each.fault, each.generation) for each in matrix.hidden):
        yield words.say("hidden_text", fault=words.fault(fault), causes=", ".join(possible_causes(fault, generation)))
        for each in matrix.hidden:
            if (each.fault, each.generation) == (fault, generation):
                found = ", ".join(each.found) if each.found is not None else words.say("nowhere")
                values = {"seed": each.seed, "generation": generation, "cause": each.cause, "found": found}
                yield f"- {words.say('hidden_row', **values)}"


def _inseparable(matrix: Matrix, language: Language) -> Iterator[str]:
    for pair in matrix.inseparable:
        yield f"{pair.one}, {pair.other}: {Words(matrix.regions[pair.generation], language).reason(pair)}"


# --- Markdown


def _code(text: str) -> str:
    """Text as it stands, in a table or a list."""
    return f"`{clip(text, SHOWN).replace('`', chr(39)).replace('|', '¦')}`"


def _row(*cells: object) -> str:
    return f"| {' | '.join(str(cell).replace('|', '¦') for cell in cells)} |"


def _markdown_tree(words: Words, tree: Node | Leaf, depth: int, paid: tuple[Spot, ...]) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(tree, Leaf):
        yield f"{indent}- **{_ending(words, tree, paid)}**"
        return
    yield f"{indent}- {words.look(tree.spot)}, {words.say('minutes', minutes=tree.minutes)}"
    looks = (*paid, tree.spot)
    for text, branch in zip(words.outcomes(tree), tree.branches, strict=True):
        if isinstance(branch.then, Leaf):
            yield f"{indent}  - {_code(text)}: **{_ending(words, branch.then, looks)}**"
        else:
            yield f"{indent}  - {_code(text)}"
            yield from _markdown_tree(words, branch.then, depth + 2, looks)


def markdown(matrix: Matrix, language: Language, command: str) -> str:
    """The whole page."""
    return "\n".join(_markdown(matrix, language, command)) + "\n"


def _markdown(matrix: Matrix, language: Language, command: str) -> Iterator[str]:
    home = Words(matrix.home, language)
    yield from (f"# {home.say('title')}", "", home.say("page_made", command=command), "", home.say("how"), "")
    for region in matrix.regions.values():
        words = Words(region, language)
        yield from (f"## {words.say('tree', generation=region.generation)}", "")
        basis = words.say("basis", count=len(region.cases), generation=region.generation, seeds=spans(matrix.seeds))
        yield from (f"{basis}. {words.summary()}", "")
        for name, tree in region.trees.items():
            yield from (f"**{words.say('complaint')}: {COMPLAINTS[name].title.in_(language)}**", "")
            yield from (*_markdown_tree(words, tree, 0, ()), "")
        if region is matrix.home:
            yield from _markdown_costs(words)
            yield from _markdown_alike(words)
    yield from _markdown_pairs(matrix, home)
    yield from (f"## {home.say('signs')}", "", home.say("signs_text"), "")
    for id in home.region.cases:
        yield from _markdown_signs(home, id)


def _markdown_costs(words: Words) -> Iterator[str]:
    yield from (f"## {words.say('costs')}", "")
    yield _row(words.say("fault"), words.say("title_column"), words.say("expected"), words.say("worst"), words.say("repair"))
    yield "|---|---|---|---|---|"
    for id, cost in words.region.costs.items():
        title = words.fault(id).split(" ", 1)[1]
        yield _row(id, title, f"{cost.expected:g}", cost.worst, words.repair(id))
    yield ""


def _markdown_alike(words: Words) -> Iterator[str]:
    yield from (f"## {words.say('alike')}", "")
    for group in words.region.alike():
        faults = " ".join(dict.fromkeys(case.fault for case in group.cases))
        yield from (f"**{faults}** {words.say('alike_text', text=_code(_alike_text(words, words.region, group)))}", "")
        for spot, parts in group.splits[:3]:
            yield f"- {words.look(spot)} {words.say('split_into')} {_parts(parts)}"
        yield ""


def _markdown_pairs(matrix: Matrix, words: Words) -> Iterator[str]:
    yield from (f"## {words.say('told')}", "", words.say("told_text"), "")
    yield _row(words.say("fault"), words.say("looks"))
    yield "|---|---|"
    for fault in matrix.faults:
        told = "; ".join(f"**{_spots(spots)}** {' '.join(others)}" for spots, others in by_look(matrix.pairs, fault).items())
        if told:
            yield _row(fault, told)
    yield from ("", f"## {words.say('inseparable')}", "")
    exceptions = [f"- {text}" for text in _inseparable(matrix, words.language)]
    yield from (*(exceptions or [words.say("none_inseparable")]), "")
    if matrix.hidden:
        yield from (f"## {words.say('hidden')}", "")
        for line in _hidden(matrix, words):
            yield from ((line,) if line.startswith("- ") else (line, ""))
        yield ""


def _spots(spots: tuple[Spot, ...]) -> str:
    return " + ".join(f"{spot.look}@{spot.place}" for spot in spots)


def _markdown_signs(words: Words, id: str) -> Iterator[str]:
    yield from (f"### {words.fault(id)}", "")
    for case in words.region.cases[id]:
        yield from (f"*{words.say(case.face)}*", "")
        yield _row(words.say("look"), words.say("sign"))
        yield "|---|---|"
        for spot, text in words.signs(case):
            yield _row(words.look(spot), _code(text))
        yield ""


# --- JSON


def as_json(matrix: Matrix, language: Language) -> dict[str, Any]:
    """Everything as JSON values."""
    return {
        "faults": list(matrix.faults),
        "seeds": list(matrix.seeds),
        "language": language,
        "generations": {generation: _region_json(Words(region, language)) for generation, region in matrix.regions.items()},
        "pairs": [
            {
                "faults": [pair.one, pair.other],
                "generation": pair.generation,
                "looks": [_spot_json(spot) for spot in pair.spots],
                "minutes": pair.minutes,
                "separable": pair.separable,
                "same_complaint": pair.same_complaint,
                "reason": None if pair.separable else Words(matrix.regions[pair.generation], language).reason(pair),
            }
            for pair in matrix.pairs
        ],
        "hidden": [each._asdict() for each in matrix.hidden],
    }


def _spot_json(spot: Spot) -> dict[str, Any]:
    return {"look": spot.look, "place": spot.place, "minutes": minutes_of(spot)}


def _region_json(words: Words) -> dict[str, Any]:
    region = words.region
    evidence = [
        {
            "fault": case.fault,
            "face": case.face,
            "signs": [
                {**_spot_json(spot), "there": sign.there, "fact": sign.text}
                for spot in sorted(case.always)
                for sign in sorted(case.always[spot])
            ],
        }
        for cases in region.cases.values()
        for case in cases
    ]
    return {
        "evidence": evidence,
        "trees": {name: _tree_json(words, tree) for name, tree in region.trees.items()},
        "costs": {id: cost._asdict() for id, cost in region.costs.items()},
        "alike": [
            {
                "cases": [{"fault": case.fault, "face": case.face} for case in group.cases],
                "splits": [{**_spot_json(spot), "into": [list(part) for part in parts]} for spot, parts in group.splits],
            }
            for group in region.alike()
        ],
    }


def _tree_json(words: Words, tree: Node | Leaf) -> dict[str, Any]:
    if isinstance(tree, Leaf):
        return {
            "faults": list(tree.faults),
            "faces": {case.fault: case.face for case in tree.cases},
            "repairs": {id: words.repair(id) for id in tree.faults},
        }
    branches = [
        {"sees": text, "then": _tree_json(words, branch.then)}
        for text, branch in zip(words.outcomes(tree), tree.branches, strict=True)
    ]
    return {**_spot_json(tree.spot), "gain_bits": tree.gain_bits, "branches": branches}


# --- terminal


def show(matrix: Matrix, language: Language, out: Console) -> None:
    """Print everything."""
    from rich import box
    from rich.table import Table

    def table(*columns: str) -> Table:
        made = Table(box=box.SIMPLE_HEAD)
        for column in columns:
            made.add_column(column)
        return made

    home = Words(matrix.home, language)
    for region in matrix.regions.values():
        words = Words(region, language)
        out.print(words.say("tree", generation=region.generation), style="bold")
        out.print(words.say("basis", count=len(region.cases), generation=region.generation, seeds=spans(matrix.seeds)))
        for name, tree in region.trees.items():
            out.print(_rich_tree(words, COMPLAINTS[name].title.in_(language), tree))
        out.print("")
    costs = table(*(home.say(name) for name in ("fault", "title_column", "expected", "worst", "repair")))
    for id, cost in home.region.costs.items():
        costs.add_row(id, home.fault(id).split(" ", 1)[1], f"{cost.expected:g}", str(cost.worst), home.repair(id))
    out.print(home.say("costs"), style="bold")
    out.print(home.summary())
    out.print(costs)
    _show_alike(home, out)
    told = table(home.say("fault"), home.say("told"), home.say("from"))
    for fault in matrix.faults:
        for number, (spots, others) in enumerate(by_look(matrix.pairs, fault).items()):
            told.add_row("" if number else fault, _spots(spots), " ".join(others))
    if told.row_count:
        out.print(home.say("told"), style="bold")
        out.print(told)
    out.print(home.say("inseparable"), style="bold")
    for text in list(_inseparable(matrix, language)) or [home.say("none_inseparable")]:
        out.print(f"  {text}")
    if matrix.hidden:
        out.print("")
        out.print(home.say("hidden"), style="bold")
        for text in _hidden(matrix, home):
            out.print(f"  {text}")


def _show_alike(words: Words, out: Console) -> None:
    groups = list(words.region.alike())
    if groups:
        out.print(words.say("alike"), style="bold")
    for group in groups:
        out.print(f"  {' '.join(dict.fromkeys(case.fault for case in group.cases))}", style="cyan")
        out.print(f"    {words.say('alike_text', text=_alike_text(words, words.region, group))}")
        for spot, parts in group.splits[:3]:
            out.print(f"    {words.look(spot)} {words.say('split_into')} {_parts(parts)}")
    if groups:
        out.print("")


def _rich_tree(words: Words, title: str, tree: Node | Leaf) -> Tree:
    from rich.text import Text
    from rich.tree import Tree

    def line(text: str, style: str) -> Text:
        return Text(clip(text, SHOWN), style=style)

    def add(to: Tree, part: Node | Leaf, paid: tuple[Spot, ...]) -> None:
        if isinstance(part, Leaf):
            to.add(line(_ending(words, part, paid), "green" if len(part.faults) == 1 else "red"))
            return
        node = to.add(line(f"{words.look(part.spot)}, {words.say('minutes', minutes=part.minutes)}", "cyan"))
        for text, branch in zip(words.outcomes(part), part.branches, strict=True):
            add(node.add(line(re.sub(r"\s+", " ", text), "")), branch.then, (*paid, part.spot))

    root = Tree(line(title, "bold yellow"))
    add(root, tree, ())
    return root
