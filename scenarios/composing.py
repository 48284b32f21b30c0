"""Estates made to measure: the smallest one at whose sites faults find what they need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, Literal, NamedTuple

from scenarios.fault import Fault, Need
from simulator.errors import EstateError
from simulator.estate import ESTATES, Estate, Proxy, Site

Place = Literal["top", "child"]
"""The top-level site, or the first one below it."""

CONTRADICTIONS: Final[tuple[tuple[Need, Need], ...]] = (
    ("top", "parent"),
    ("ssl", "plain"),
    ("ssl", "bare"),
    ("certificate", "bare"),
    ("proxy", "direct"),
)
"""What no site can have at once."""


class Placed(NamedTuple):
    """An estate, and the code of the site at which each of the faults finds what it needs."""

    estate: Estate
    sites: tuple[str, ...]


def compose(needs: Mapping[Place, Iterable[Need]]) -> Estate:
    """An estate that has what is needed at its top-level site and at the first one below; that one is there if named.

    All that is not needed is as in the built-in estates. Raises ``EstateError`` for what cannot be had together.
    """
    wanted = {place: frozenset(of_place) for place, of_place in needs.items()}
    top, child = wanted.get("top", frozenset()), wanted.get("child", frozenset())
    for place, of_place in (("top", top | {"top"}), ("child", child | ({"parent"} if "child" in wanted else set()))):
        for one, other in CONTRADICTIONS:
            if one in of_place and other in of_place:
                raise EstateError(
                    f"no site is {one!r} and {other!r} at once",
                    where="top-level site" if place == "top" else "child site",
                    hint="Needs are explained in scenarios.fault",
                )
    if "proxy" in top and "direct" in child:
        raise EstateError(
            "where only the proxy knows Internet names, no site has a direct way",
            where="child site",
            hint="Leave out proxy at the top-level site, or direct at its child",
        )
    sites = [_site(ESTATES["contoso"].top, top)]
    if "child" in wanted or "children" in top:
        central, primary = ESTATES["contoso-child"].sites
        sites = [_site(central, top), _site(primary, child)]
    if "children" in child:
        sites.append(next(site for site in ESTATES["contoso-hierarchy"].sites if site.kind == "secondary"))
    proxy = Proxy(account="svc-proxy") if "proxy" in top | child else None
    estate = Estate(name="composed", sites=tuple(sites), proxy=proxy, internet_names="proxy" not in top)
    estate.check()
    return estate


def _site(site: Site, needs: frozenset[Need]) -> Site:
    """The site with what is needed there."""
    return replace(
        site,
        further_sups=(f"{site.code}SUP2",) if "further" in needs else (),
        ssl="ssl" in needs,
        certificate="certificate" in needs,
        old_wsus=f"{site.code}OLD" if "old" in needs else "",
        connection_account="svc-wsus" if "account" in needs else "",
        proxy="proxy" in needs,
    )


def compose_for(faults: Iterable[Fault], generation: str, seed: int) -> Placed:
    """An estate in which all these faults can happen together, each at its default site.

    Raises ``EstateError`` when there is none: they contradict each other, one does not exist in that generation, or one is
    what another hides for that seed.
    """
    faults = tuple(faults)
    needs: dict[Place, set[Need]] = {}
    for fault in faults:
        needs.setdefault(fault.site, set()).update(fault.needs)
    estate = compose(needs)
    sites = tuple(_code(estate, fault.site) for fault in faults)
    for fault, code in zip(faults, sites, strict=True):
        site = estate.site(code)
        fault.check(estate, site, generation)
        hidden = fault.behind(estate, site, generation, seed) if fault.behind is not None else None
        if hidden is not None and hidden in faults:
            raise EstateError(f"{hidden.id} is what {fault.id} hides", hint="Choose another seed, or one of the two")
    return Placed(estate, sites)


def _code(estate: Estate, place: Place) -> str:
    top = estate.top.code
    return top if place == "top" else next(estate.children(top)).code
