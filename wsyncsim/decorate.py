"""Invented names for an estate, by Faker (extra ``names``). Decoration only: nothing depends on a name's meaning."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import Any

from scenarios.story import Story
from simulator.errors import WsyncsimError


class FakerMissingError(WsyncsimError):
    """The extra is not installed."""


def decorate(story: Story, seed: int) -> tuple[Story, dict[str, Any]]:
    """The story in an organization with an invented domain and invented accounts, and what the manifest notes of it.

    The same seed and Faker version give the same names. Raises ``FakerMissingError`` without Faker.
    """
    try:
        import faker
    except ImportError:
        raise FakerMissingError("invented names need Faker, which is not installed", hint="Install it: pip install faker") from None
    names = faker.Faker("de_DE" if story.os_language == "de" else "en_US")
    names.seed_instance(seed)
    company = _plain(names.company())[:15].strip("-") or "example"
    account = f"svc-{_plain(names.last_name())}"[:20]
    estate = story.estate
    sites = tuple(replace(site, connection_account=account) if site.connection_account else site for site in estate.sites)
    proxy = replace(estate.proxy, account=f"{account}-proxy"[:20]) if estate.proxy and estate.proxy.account else estate.proxy
    decorated = replace(story, estate=replace(estate, domain=f"{company}.example", sites=sites, proxy=proxy))
    decorated.estate.check()
    return decorated, {"estate_seed": seed, "faker": faker.VERSION, "domain": decorated.estate.domain}


def _plain(name: str) -> str:
    """Lower-case letters and hyphens."""
    ascii_name = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]+", "-", ascii_name.lower()).strip("-")
