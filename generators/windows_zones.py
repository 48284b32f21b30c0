"""Names that Windows gives to time zones, as log lines of the 2007 generation end with them.

English names are Windows's own [L]; German ones are those of Windows XP and Server 2003, ``<region> Normalzeit`` and
``<region> Sommerzeit`` [P for Western Europe, C for most others].
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from generators.catalogue import Language
from simulator.errors import EstateError


class WindowsZone(NamedTuple):
    """Standard and daylight name: letters, blanks and dots only, so that log viewers can read them."""

    standard: str
    daylight: str


_REGIONS: Final[dict[str, str]] = {
    "Alaskan": "Alaska",
    "Arab": "Arabische",
    "Arabian": "Arabische Halbinsel",
    "Argentina": "Argentinien",
    "Atlantic": "Atlantik",
    "AUS Central": "AUS Zentral",
    "AUS Eastern": "AUS Ost",
    "Bangladesh": "Bangladesch",
    "Cen. Australia": "Mittelaustralische",
    "Central": "Central",
    "Central Asia": "Zentralasiatische",
    "Central Europe": "Zentraleuropäische",
    "Central European": "Mitteleuropäische",
    "China": "China",
    "E. Africa": "Ostafrikanische",
    "E. Australia": "Ostaustralische",
    "E. South America": "Östliche Südamerikanische",
    "Eastern": "Eastern",
    "Egypt": "Ägyptische",
    "FLE": "FLE",
    "GMT": "GMT",
    "Greenwich": "Greenwich",
    "GTB": "GTB",
    "Hawaiian": "Hawaii",
    "India": "Indien",
    "Iran": "Iran",
    "Korea": "Korea",
    "Morocco": "Marokko",
    "Mountain": "Mountain",
    "Nepal": "Nepal",
    "New Zealand": "Neuseeland",
    "Newfoundland": "Neufundland",
    "Pacific": "Pacific",
    "Pacific SA": "Pazifik SA",
    "Pakistan": "Pakistan",
    "Romance": "Romanische",
    "Russian": "Russische",
    "SA Pacific": "SA Pazifik",
    "SE Asia": "Südostasiatische",
    "Malay Peninsula": "Malaiische Halbinsel",
    "South Africa": "Südafrika",
    "Taipei": "Taipeh",
    "Tasmania": "Tasmanien",
    "Tokyo": "Tokio",
    "Turkey": "Türkei",
    "US Mountain": "US Mountain",
    "Venezuela": "Venezuela",
    "W. Australia": "Westaustralische",
    "W. Central Africa": "Westliche Zentralafrikanische",
    "W. Europe": "Westeuropäische",
}
"""English region of a zone's name -> German."""

_IANA: Final[dict[str, str]] = {
    "America/Anchorage": "Alaskan",
    "America/Argentina/Buenos_Aires": "Argentina",
    "America/Bogota": "SA Pacific",
    "America/Caracas": "Venezuela",
    "America/Chicago": "Central",
    "America/Denver": "Mountain",
    "America/Detroit": "Eastern",
    "America/Edmonton": "Mountain",
    "America/Halifax": "Atlantic",
    "America/Lima": "SA Pacific",
    "America/Los_Angeles": "Pacific",
    "America/Montreal": "Eastern",
    "America/New_York": "Eastern",
    "America/Phoenix": "US Mountain",
    "America/Santiago": "Pacific SA",
    "America/Sao_Paulo": "E. South America",
    "America/St_Johns": "Newfoundland",
    "America/Toronto": "Eastern",
    "America/Vancouver": "Pacific",
    "America/Winnipeg": "Central",
    "Africa/Cairo": "Egypt",
    "Africa/Casablanca": "Morocco",
    "Africa/Johannesburg": "South Africa",
    "Africa/Lagos": "W. Central Africa",
    "Africa/Nairobi": "E. Africa",
    "Asia/Almaty": "Central Asia",
    "Asia/Bangkok": "SE Asia",
    "Asia/Calcutta": "India",
    "Asia/Dhaka": "Bangladesh",
    "Asia/Dubai": "Arabian",
    "Asia/Ho_Chi_Minh": "SE Asia",
    "Asia/Hong_Kong": "China",
    "Asia/Istanbul": "Turkey",
    "Asia/Jakarta": "SE Asia",
    "Asia/Karachi": "Pakistan",
    "Asia/Kathmandu": "Nepal",
    "Asia/Kolkata": "India",
    "Asia/Kuala_Lumpur": "Malay Peninsula",
    "Asia/Riyadh": "Arab",
    "Asia/Seoul": "Korea",
    "Asia/Shanghai": "China",
    "Asia/Singapore": "Malay Peninsula",
    "Asia/Taipei": "Taipei",
    "Asia/Tehran": "Iran",
    "Asia/Tokyo": "Tokyo",
    "Atlantic/Reykjavik": "Greenwich",
    "Australia/Adelaide": "Cen. Australia",
    "Australia/Brisbane": "E. Australia",
    "Australia/Darwin": "AUS Central",
    "Australia/Hobart": "Tasmania",
    "Australia/Melbourne": "AUS Eastern",
    "Australia/Perth": "W. Australia",
    "Australia/Sydney": "AUS Eastern",
    "Europe/Amsterdam": "W. Europe",
    "Europe/Athens": "GTB",
    "Europe/Belgrade": "Central Europe",
    "Europe/Berlin": "W. Europe",
    "Europe/Bratislava": "Central Europe",
    "Europe/Brussels": "Romance",
    "Europe/Bucharest": "GTB",
    "Europe/Budapest": "Central Europe",
    "Europe/Copenhagen": "Romance",
    "Europe/Dublin": "GMT",
    "Europe/Helsinki": "FLE",
    "Europe/Istanbul": "Turkey",
    "Europe/Kiev": "FLE",
    "Europe/Kyiv": "FLE",
    "Europe/Lisbon": "GMT",
    "Europe/Ljubljana": "Central Europe",
    "Europe/London": "GMT",
    "Europe/Luxembourg": "W. Europe",
    "Europe/Madrid": "Romance",
    "Europe/Moscow": "Russian",
    "Europe/Oslo": "W. Europe",
    "Europe/Paris": "Romance",
    "Europe/Prague": "Central Europe",
    "Europe/Riga": "FLE",
    "Europe/Rome": "W. Europe",
    "Europe/Sarajevo": "Central European",
    "Europe/Skopje": "Central European",
    "Europe/Sofia": "FLE",
    "Europe/Stockholm": "W. Europe",
    "Europe/Tallinn": "FLE",
    "Europe/Vaduz": "W. Europe",
    "Europe/Vienna": "W. Europe",
    "Europe/Vilnius": "FLE",
    "Europe/Warsaw": "Central European",
    "Europe/Zagreb": "Central European",
    "Europe/Zurich": "W. Europe",
    "Pacific/Auckland": "New Zealand",
    "Pacific/Honolulu": "Hawaiian",
}
"""IANA name -> region of the Windows zone."""

_UTC_NAMES: Final = frozenset({"UTC", "Etc/UTC", "Etc/GMT"})
_UTC: Final[dict[Language, WindowsZone]] = {
    "en": WindowsZone("Coordinated Universal Time", "Coordinated Universal Time"),
    "de": WindowsZone("Koordinierte Weltzeit", "Koordinierte Weltzeit"),
}


def windows_zone(name: str, language: Language) -> WindowsZone:
    """Windows's names for an IANA zone, in the language of the server's Windows.

    Raises ``EstateError`` for a zone whose Windows name is not known.
    """
    if name in _UTC_NAMES:
        return _UTC[language]
    try:
        region = _IANA[name]
    except KeyError:
        raise EstateError(
            f"the Windows name of time zone {name!r} is not known",
            where="timezone",
            hint="Logs of the 2007 generation print it: choose a larger city of that zone, or a later generation",
        ) from None
    if language == "de":
        return WindowsZone(f"{_REGIONS[region]} Normalzeit", f"{_REGIONS[region]} Sommerzeit")
    return WindowsZone(f"{region} Standard Time", f"{region} Daylight Time")


@cache
def _by_name() -> dict[str, tuple[str, bool]]:
    found: dict[str, tuple[str, bool]] = {name: ("UTC", False) for zone in _UTC.values() for name in zone}
    for iana, region in _IANA.items():
        german = _REGIONS[region]
        for standard, daylight in (
            (f"{region} Standard Time", f"{region} Daylight Time"),
            (f"{german} Normalzeit", f"{german} Sommerzeit"),
        ):
            found.setdefault(standard, (iana, False))
            found.setdefault(daylight, (iana, True))
    return found


def zone_named(text: str) -> tuple[str, bool] | None:
    """An IANA zone that Windows calls ``text``, and whether that is its daylight saving time; ``None`` for unknown names."""
    return _by_name().get(text)
