"""Fixtures for pytest: played runs, live runs, and the cases of the conformance suite. See ``docs/pytest.md``.

pytest finds this module by itself (entry point ``pytest11``). Nothing of the simulation is imported until a fixture is used.
"""

from __future__ import annotations

import importlib
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from os import PathLike

    from wsyncsim.live_site import LiveSite
    from wsyncsim.played import Played

GENERATIONS = ("2007", "2012", "cb")
_suite_key = pytest.StashKey[list["SuiteCase"] | str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Our options, on the command line and in the configuration file."""
    group = parser.getgroup("wsyncsim", "simulated WSUS/ConfigMgr logs (wsyncsim)")
    group.addoption(
        "--wsyncsim-generation",
        choices=GENERATIONS,
        default=None,
        help="Product generation where a test names none (default: the story's).",
    )
    group.addoption(
        "--wsyncsim-seed", type=int, default=None, metavar="N", help="Seed where a test names none (default: the story's)."
    )
    group.addoption(
        "--wsyncsim-suite",
        default=None,
        metavar="DIR",
        help="Folder of the conformance suite (default: the packaged one is written).",
    )
    parser.addini(
        "wsyncsim_generation", "Product generation of played stories where a test names none: 2007, 2012 or cb.", default=""
    )
    parser.addini("wsyncsim_seed", "Seed of played stories where a test names none.", default="")
    parser.addini(
        "wsyncsim_suite", "Folder of the conformance suite, relative to this file; without it the packaged one.", default=""
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and refuse settings that mean nothing."""
    config.addinivalue_line(
        "markers", "wsyncsim_suite(group=..., format=...): which cases of the conformance suite 'suite_case' goes through."
    )
    generation = config.getini("wsyncsim_generation")
    if generation and generation not in GENERATIONS:
        raise pytest.UsageError(f"wsyncsim_generation: expected one of {', '.join(GENERATIONS)}, found {generation!r}")
    seed = config.getini("wsyncsim_seed")
    if seed and not seed.isdecimal():
        raise pytest.UsageError(f"wsyncsim_seed: expected a whole number, found {seed!r}")


def _defaults(config: pytest.Config) -> dict[str, Any]:
    """What is played where a test does not say it."""
    seed: int | None = config.getoption("--wsyncsim-seed")
    if seed is None and config.getini("wsyncsim_seed"):
        seed = int(config.getini("wsyncsim_seed"))
    return {"generation": config.getoption("--wsyncsim-generation") or config.getini("wsyncsim_generation") or None, "seed": seed}


# --- played runs


class Play(Protocol):
    """Plays a story, once per session and set of arguments."""

    def __call__(
        self,
        story: str | PathLike[str],
        *,
        seed: int | None = None,
        generation: str | None = None,
        os_language: str | None = None,
        timezone: str | None = None,
        start: str | None = None,
        hours: int | None = None,
    ) -> Played: ...


@pytest.fixture(scope="session")
def play(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Play a story and look at its logs and its answer key.

    ``play("S19", seed=3, generation="2012", os_language="de")`` takes what ``wsyncsim.play`` takes but for the folder, and
    returns a ``wsyncsim.played.Played``: ``.logs``, ``.log("wsyncmgr.log")``, ``.records("wsyncmgr.log")``, ``.answer``,
    ``.runs``, ``.truth``. The same arguments are played once per session, so leave the files as they are.
    """
    played: dict[tuple[Any, ...], Played] = {}
    defaults = _defaults(request.config)

    def play_(story: str | PathLike[str], **changes: Any) -> Played:
        import wsyncsim

        wsyncsim._refuse_foreign_layers()
        from wsyncsim.played import Played

        given = {name: value for name, value in changes.items() if value is not None}
        arguments = {**{name: value for name, value in defaults.items() if value is not None}, **given}
        key = (str(story), *sorted(arguments.items()))
        if key not in played:
            folder = tmp_path_factory.mktemp("wsyncsim", numbered=True)
            played[key] = Played(wsyncsim.play(story, folder / "run", **arguments).out)
        return played[key]

    return play_


# --- live runs


@pytest.fixture
def live_site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., LiveSite]]:
    """Start a live run beside the test; it is stopped when the test is over.

    ``live_site("S16", speed=3600, rotation="rename", max_bytes=10_000, hours=12)`` returns a ``wsyncsim.live_site.LiveSite``:
    ``.logs`` to point a reader at, ``.wait(records=...)``, ``.stop()``, ``.check(collected)``. Options are those of
    ``scenarios.live.LiveOptions`` (``speed=None`` is as fast as it goes; the default here is an hour a second) and the changes
    that ``play`` takes. The simulated clock begins when the story says, so bytes are the same every time.
    """
    sites: list[LiveSite] = []
    defaults = _defaults(request.config)

    def start(story: str | PathLike[str], **how: Any) -> LiveSite:
        import os
        from dataclasses import fields

        from wsyncsim import _refuse_foreign_layers

        _refuse_foreign_layers()
        from scenarios.catalogue import find
        from scenarios.live import Live, LiveOptions
        from scenarios.story import Changes
        from wsyncsim import __version__
        from wsyncsim.live_site import LiveSite

        names = {field.name for field in fields(LiveOptions)}
        options = LiveOptions(**{"speed": 3600.0, **{name: value for name, value in how.items() if name in names}})
        given = {name: value for name, value in how.items() if name not in names and value is not None}
        changes = Changes(**{**defaults, **given})
        folder = tmp_path_factory.mktemp("wsyncsim-live", numbered=True)
        live = Live(find(os.fspath(story), changes), folder / "site", tool_version=__version__, options=options)
        sites.append(LiveSite(live))
        return sites[-1]

    yield start
    for site in sites:
        site.live.stop()
    for site in sites:
        site.stop()


# --- the conformance suite


@dataclass(frozen=True)
class SuiteCase:
    """One case of the conformance suite."""

    id: str
    group: str
    """``y``: must be read so; ``n``: must be rejected; ``i``: implementation-defined, with alternatives."""
    format: str
    path: Path
    """The log file."""
    expected_path: Path
    facts: dict[str, Any]
    """The whole entry of ``suite.json``."""

    @property
    def data(self) -> bytes:
        """The log's bytes."""
        return self.path.read_bytes()

    @cached_property
    def expected(self) -> Any:
        """What a parser should make of it: the content of ``<id>.expected.json``."""
        return json.loads(self.expected_path.read_bytes())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per case of the suite, for tests that ask for ``suite_case``."""
    if "suite_case" not in metafunc.fixturenames:
        return
    cases = _cases(metafunc.config)
    if isinstance(cases, str):
        metafunc.parametrize("suite_case", [pytest.param(None, marks=pytest.mark.skip(reason=cases), id="no suite")])
        return
    wanted: dict[str, str] = {}
    for marker in metafunc.definition.iter_markers("wsyncsim_suite"):
        wanted = {**marker.kwargs, **wanted}
    chosen = [case for case in cases if all(case.facts.get(name) == value for name, value in wanted.items())]
    if not chosen:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: the suite has no case with {wanted}")
    metafunc.parametrize("suite_case", [pytest.param(case, id=case.id) for case in chosen])


def _cases(config: pytest.Config) -> list[SuiteCase] | str:
    """All cases, or why there are none; read once per session."""
    if _suite_key not in config.stash:
        config.stash[_suite_key] = _load(config)
    return config.stash[_suite_key]


def _load(config: pytest.Config) -> list[SuiteCase] | str:
    option: str | None = config.getoption("--wsyncsim-suite")
    setting: str = config.getini("wsyncsim_suite")
    if option:
        folder = Path(config.invocation_params.dir, option)
    elif setting:
        folder = Path(config.inipath.parent if config.inipath else config.rootpath, setting)
    else:
        try:
            suite = importlib.import_module("wsyncsim.suite.write")
        except ModuleNotFoundError:
            return "this wsyncsim has no conformance suite; name its folder with --wsyncsim-suite"
        holder = tempfile.TemporaryDirectory(prefix="wsyncsim-suite-")
        config.add_cleanup(holder.cleanup)
        folder = Path(holder.name) / "suite"
        suite.write_folder(folder)
    try:
        entries = json.loads((folder / "suite.json").read_bytes())["cases"]
        return [
            SuiteCase(entry["id"], entry["group"], entry["format"], folder / entry["file"], folder / entry["expected"], entry)
            for entry in entries
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise pytest.UsageError(f"{folder} holds no conformance suite: {error!r}") from None
