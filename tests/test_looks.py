"""Looks: what somebody sees, from where, as whom; the same facts in every language; and looking changes nothing."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wsyncsim as package
from generators.catalogue import catalogues, load
from scenarios.faults import FAULTS
from scenarios.look import Fact, LookError, View
from scenarios.lookout import Lookout
from scenarios.looks import LOOKS
from scenarios.repairs import REPAIRS
from scenarios.run import play
from scenarios.story import Changes, Story, default_story, parse
from simulator.units import HOUR, MINUTE, SECOND
from wsyncsim._version import __version__
from wsyncsim.cli import main

if TYPE_CHECKING:
    from scenarios.story_file import Generation

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
GENERATIONS: tuple[Generation, ...] = ("2007", "2012", "cb")
LOOKED_AFTER_US = 170 * MINUTE
"""Ten minutes before nine: all components have been at work at least twice."""


def _story(estate: str = "contoso-child", generation: Generation = "cb", *, hours: int = 4, **changes: Any) -> Story:
    text = f'title.en = "t"\ntitle.de = "t"\nestate = "{estate}"\nhours = {hours}\ngeneration = "{generation}"\n'
    return parse(text, "test", Changes(**changes))


def _facts(views: Iterator[View]) -> dict[tuple[str, str], tuple[tuple[str, Fact], ...]]:
    return {(view.id, view.host): view.facts for view in views}


def _at(story: Story, offset: int = LOOKED_AFTER_US, seed: int | None = None, *, everything: bool = True) -> Lookout:
    lookout = Lookout(story, seed, everything=everything)
    lookout.go(story.start_at + offset)
    return lookout


# --- every look


@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_look_shows_something_in_both_languages(generation: Generation) -> None:
    seen: set[str] = set()
    for estate in ("contoso-child", "contoso-proxy", "contoso-ssl", "contoso-local", "contoso-old", "contoso-hierarchy"):
        lookout = _at(_story(estate, generation))
        for language in LANGUAGES:
            for view in lookout.views(language, traces=True):
                seen.add(view.id)
                assert view.lines, (view.id, view.host)
                assert all(line == line.rstrip("\r\n") for line in view.lines)
                assert view.title
                assert view.where
    assert seen == {id for id, look in LOOKS.items() if generation in look.generations}


@pytest.mark.parametrize("generation", GENERATIONS)
def test_facts_are_the_same_in_every_language(generation: Generation) -> None:
    lookout = _at(_story(generation=generation))
    english, german = (_facts(lookout.views(language)) for language in LANGUAGES)
    assert english == german


@pytest.mark.parametrize("estate", ["contoso-child", "contoso-old", "contoso-replica", "contoso-hierarchy"])
def test_facts_of_a_healthy_day_are_the_same_with_every_seed(estate: str) -> None:
    first, second, third = (_facts(_at(_story(estate), seed=seed).views()) for seed in (1, 2, 3))
    for place, facts in first.items():
        assert facts == second[place] == third[place], place


RENAMED = """
title.en = "t"
title.de = "t"
hours = 4
[estate]
name = "other"
domain = "ads.example.net"
[[estate.sites]]
code = "HQ0"
kind = "central"
server = "MADRID"
sup = "LISBON"
[[estate.sites]]
code = "B01"
server = "PORTO-1"
sup = "PORTO-2"
parent = "HQ0"
"""


def test_facts_of_estates_that_differ_in_names_are_the_same() -> None:
    """Order and number of servers apart from names are those of contoso-child."""
    ours, theirs = (list(_at(story).views()) for story in (_story(), parse(RENAMED, "test")))
    assert [view.id for view in ours] == [view.id for view in theirs]
    for our, their in zip(ours, theirs, strict=True):
        assert our.facts == their.facts, (our.id, our.host)


@pytest.mark.parametrize("estate", ["contoso-local", "contoso-proxy", "contoso-old", "contoso-hierarchy"])
def test_no_fact_names_a_server_or_a_site(estate: str) -> None:
    lookout = _at(_story(estate), everything=False)
    names = "|".join((*lookout.world.network.servers, *lookout.world.sites, "contoso"))
    for view in lookout.views(traces=True):
        for fact in view.facts:
            assert not re.search(rf"(?i)(?<![a-z0-9-])({names})(?![a-z0-9-])", str(fact)), (view.id, fact)


def test_facts_are_plain_values() -> None:
    for view in _at(_story("contoso-proxy")).views(traces=True):
        assert json.loads(json.dumps(view.as_json()))["facts"] == [list(fact) for fact in view.facts]


@pytest.mark.parametrize("os_language", LANGUAGES)
def test_facts_do_not_depend_on_what_the_servers_speak(os_language: Language) -> None:
    facts = [_facts(_at(default_story("S21", changes=Changes(os_language=each)), 3 * HOUR).views()) for each in ("en", os_language)]
    assert facts[0] == facts[1]


def test_every_look_has_its_texts_and_no_text_is_left_over() -> None:
    names = {f"{id}_{part}" for id in LOOKS for part in ("title", "where", "reveals")}
    assert set(load("look")) == names


def test_every_message_of_the_looks_is_used() -> None:
    root = Path(__file__).parents[1] / "scenarios"
    code = "".join(path.read_text(encoding="utf-8") for path in sorted(root.glob("look*/*.py")))
    for catalogue in catalogues():
        if catalogue.startswith("look_") and catalogue != "look_words":
            for name in load(catalogue):
                assert f'"{name}"' in code or name.startswith("state_"), name


def test_no_password_is_ever_shown() -> None:
    lookout = _at(_story("contoso-proxy"))
    view = lookout.look("L07")
    assert ("sup.proxy_account", "<domain>\\<proxy account>") in view.facts
    assert any("CONTOSO\\svc-proxy" in line for line in view.lines)
    assert not any(re.search(r"(?i)password|kennwort", line) for line in view.lines)


# --- looking changes nothing


@pytest.mark.parametrize("generation", GENERATIONS)
def test_looking_leaves_every_byte_as_it_would_have_been(generation: Generation) -> None:
    fault = default_story("S21", generation=generation)
    looked, undisturbed = Lookout(fault, everything=True), Lookout(fault, everything=True)
    for offset in (70 * MINUTE, 123 * MINUTE, 3 * HOUR, 5 * HOUR):
        looked.go(fault.start_at + offset)
        list(looked.views())
    looked.go(fault.start_at + 6 * HOUR)
    undisturbed.go(fault.start_at + 6 * HOUR)
    assert looked.texts == undisturbed.texts


@pytest.mark.parametrize("fault_id", ["S20", "M07", "M14", "S12"])
def test_looking_at_trouble_leaves_every_byte_too(fault_id: str) -> None:
    fault = default_story(fault_id)
    looked, undisturbed = Lookout(fault, everything=True), Lookout(fault, everything=True)
    for offset in (117 * MINUTE, 150 * MINUTE, 3 * HOUR):
        looked.go(fault.start_at + offset)
        list(looked.views())
    looked.go(fault.end_at)
    undisturbed.go(fault.end_at)
    assert looked.texts == undisturbed.texts


def test_looking_leaves_rolled_over_logs_as_they_would_have_been() -> None:
    text = 'title.en = "t"\ntitle.de = "t"\nhours = 30\n[estate]\nbase = "contoso"\nlog_max_bytes = 10000\n'
    story = parse(text, "test")
    looked, undisturbed = Lookout(story, everything=True), Lookout(story, everything=True)
    for hour in range(1, 30):
        looked.go(story.start_at + hour * HOUR)
        looked.look("L20")
    looked.go(story.end_at)
    undisturbed.go(story.end_at)
    assert any(path.endswith(".lo_") for path in looked.texts)
    assert looked.texts == undisturbed.texts


def test_what_is_old_may_be_forgotten() -> None:
    text = 'title.en = "t"\ntitle.de = "t"\nhours = 120\n[estate]\nbase = "contoso-child"\nlog_max_bytes = 100000\n'
    text += '[[timeline]]\nat = "80h"\nfault = "S21"\nuntil = "90h"\n'
    story = parse(text, "test")
    whole, recent = (_at(story, 110 * HOUR, everything=everything) for everything in (True, False))
    assert list(whole.views()) == list(recent.views())
    size = sum(map(len, whole.texts.values()))
    assert sum(map(len, recent.texts.values())) < size / 2


def test_looking_now_and_then_shows_what_looking_once_shows() -> None:
    story = default_story("S11")
    often = Lookout(story)
    for minutes in (10, 115, 116, 130):
        often.go(story.start_at + minutes * MINUTE)
        list(often.views())
    often.go(story.start_at + 3 * HOUR)
    assert _facts(often.views()) == _facts(_at(story, 3 * HOUR).views())


@settings(max_examples=20)
@given(
    fault_id=st.sampled_from(["S12", "S19", "S22", "M33"]),
    looks=st.lists(st.tuples(st.integers(0, 5 * HOUR), st.sampled_from(sorted(LOOKS))), max_size=12),
)
def test_looking_at_any_time_at_anything_disturbs_nothing(fault_id: str, looks: list[tuple[int, str]]) -> None:
    story = default_story(fault_id)
    lookout = Lookout(story, everything=True)
    for offset, id in sorted(looks):
        lookout.go(story.start_at + offset)
        if not LOOKS[id].leaves_trace:
            for place in lookout.places(id):
                lookout.look(id, host=place)
    lookout.go(story.start_at + 6 * HOUR)
    assert lookout.texts == _texts_without_looking(fault_id)


@cache
def _texts_without_looking(fault_id: str) -> dict[str, bytes]:
    return _at(default_story(fault_id), 6 * HOUR).texts


def _new_lines(looked: Lookout, undisturbed: Lookout) -> dict[str, list[str]]:
    """What is in the logs of the one and not of the other, by file."""
    before, after = undisturbed.texts, looked.texts
    found = {}
    for path, data in after.items():
        if path.startswith("logs/") and data != before.get(path):
            old = before.get(path, b"").decode().splitlines()
            lines = data.decode().splitlines()
            new = [line for line in lines if line not in old]
            assert [line for line in lines if line not in new] == old, "only added to"
            found[path.rsplit("/", 1)[-1]] = new
    return found


def _traces(look_id: str, story: Story, *, offset: int = LOOKED_AFTER_US, **options: str) -> tuple[View, dict[str, list[str]]]:
    looked, undisturbed = _at(story, offset), _at(story, offset)
    view = looked.look(look_id, **options)  # type: ignore[arg-type]
    for lookout in (looked, undisturbed):
        lookout.go(story.start_at + offset + SECOND)
    return view, _new_lines(looked, undisturbed)


def test_connecting_the_console_leaves_one_request_of_the_person_who_looks() -> None:
    view, traces = _traces("L50", _story("contoso"))
    assert view.facts == (("connect", "connected"),)
    (lines,) = traces.values()
    assert [line.split(" ", 2)[2].split(" - 8530 ")[0] for line in lines] == ["10.1.0.11 POST /ApiRemoting30/WebService.asmx"] * 3
    assert [re.findall(r" (\d{3} \d+) \d+ \d+$", line)[0] for line in lines] == ["401 2", "401 1", "200 0"]
    assert r"CONTOSO\Administrator 10.1.0.10" in lines[-1]


def test_connecting_as_an_account_that_may_not_is_refused() -> None:
    story = default_story("M29")
    view, _ = _traces("L50", story, offset=3 * HOUR, account="CONTOSO\\svc-wsus")
    assert view.facts == (("connect", "permission refused"),)


def test_a_browser_leaves_one_request_with_its_own_name() -> None:
    view, traces = _traces("L72", _story("contoso"), target="http://cs1sup.contoso.com:8530/SelfUpdate/wuident.cab")
    assert [value for _, value in view.facts] == ["opened"]
    (lines,) = traces.values()
    assert len(lines) == 1
    assert " GET /SelfUpdate/wuident.cab " in lines[0]
    assert "Trident" in lines[0]


def test_a_browser_before_a_stopped_pool_leaves_a_line_of_http_sys() -> None:
    view, traces = _traces("L72", default_story("M07"), offset=3 * HOUR, target="http://cs1sup.contoso.com:8530/Content")
    assert [value for _, value in view.facts] == ["HTTP 503"]
    assert list(traces) == ["httperr1.log"]
    assert " GET /Content" in traces["httperr1.log"][0]


def test_the_parents_dss_auth_asks_for_a_logon_when_anonymous_access_is_off() -> None:
    lookout = _at(default_story("S21"), 3 * HOUR)
    (dss,) = (value for key, value in lookout.look("L72", site="PS1").facts if "dssauth" in key)
    assert dss == "opened after logon"


# --- what looks tell of faults


@cache
def _differences(fault_id: str, generation: Any) -> dict[str, int]:
    """Look -> number of facts that differ between the fault's world and its healthy twin, while it is in force."""
    story = default_story(fault_id, generation=generation)
    offset = next(step.at for step in story.timeline if step.kind == "fault") + 100 * MINUTE
    faulty, healthy = (_facts(_at(each, offset).views(traces=True)) for each in (story, story.without_faults()))
    found: dict[str, int] = {}
    for place, facts in faulty.items():
        found[place[0]] = found.get(place[0], 0) + len(set(facts) ^ set(healthy.get(place, ())))
    return found


@pytest.mark.parametrize("fault_id", sorted(FAULTS))
def test_each_of_a_faults_looks_that_exists_tells_of_it(fault_id: str) -> None:
    for generation in FAULTS[fault_id].generations:
        found = _differences(fault_id, generation)
        telling = [id for id in FAULTS[fault_id].looks if found.get(id)]
        assert telling, (generation, found)


def test_one_look_tells_a_refused_connection_from_a_dropped_one() -> None:
    results = {}
    for fault_id in ("S04", "S20"):
        facts = dict(_at(default_story(fault_id), 3 * HOUR).look("L71").facts)
        results[fault_id] = next(value for key, value in facts.items() if "<sup>" in key)
    assert results == {"S04": "refused", "S20": "no answer"}


def test_the_host_makes_the_difference() -> None:
    """Refused on the parent's server: the child's own log shows nothing."""
    lookout = _at(default_story("S21"), 3 * HOUR)
    refused = "/DssAuthWebService/DssAuthWebService.asmx 401"
    assert any(refused in str(value) for _, value in lookout.look("L37", site="PS1", host="psup").facts)
    assert not any(refused in str(value) for _, value in lookout.look("L37", site="PS1").facts)


def test_the_console_of_wsus_keeps_the_history_of_its_synchronizations() -> None:
    story = default_story("S15")
    lookout = _at(story, 3 * HOUR)
    sync = [value for key, value in lookout.look("L52").facts if key == "sync"]
    assert sync == ["manual failed UssCommunicationError name not resolved", "manual succeeded"]
    text = "\n".join(lookout.look("L52").lines)
    assert "System.Net.WebException: The remote name could not be resolved: 'sws.update.microsoft.com'" in text


def test_the_change_calendar_knows_what_people_did_and_not_what_broke() -> None:
    story = default_story("S19")
    lookout = _at(story, 0)
    assert not lookout.look("L98").facts
    lookout.go(story.end_at)
    actions = [value for _, value in lookout.look("L98").facts]
    assert actions == ["R10 <site>", "R02 <site>", "R08 <site>"]
    assert "S19" not in " ".join(lookout.look("L98").lines)


def _shown(fault_id: str, id: str, offset: int = 3 * HOUR, **options: str) -> list[tuple[str, Fact]]:
    """Facts of one look while a fault is in force."""
    return list(_at(default_story(fault_id), offset).look(id, **options).facts)  # type: ignore[arg-type]


def test_the_console_tells_whether_run_synchronization_is_there_and_not_why() -> None:
    assert dict(_at(_story("contoso")).look("L10").facts)["run_synchronization"] == "available"
    assert dict(_shown("S27", "L10"))["run_synchronization"] == "greyed"
    on_child = dict(_shown("S26", "L10"))
    assert (on_child["run_synchronization"], on_child["site.code"]) == ("absent", "<child>")


def test_a_site_without_an_active_sup_is_shown_as_one() -> None:
    assert ("sup.active", None) in _shown("S27", "L04")


@pytest.mark.parametrize("fault_id", ["S24", "S25"])
def test_the_lists_show_products_that_nobody_asked_for(fault_id: str) -> None:
    lookout = _at(default_story(fault_id), 3 * HOUR)
    wanted = {value for key, value in lookout.look("L08").facts if key == "sup.product"}
    for id in ("L11", "L54"):
        found = {value for key, value in lookout.look(id).facts if key == "updates.product"}
        assert len(found - wanted) == 1, id
        assert wanted < found
    arrived = {value for key, value in lookout.look("L54").facts if key == "updates.arrived_today"}
    assert bool(arrived) == (fault_id == "S25"), "long ago, or by somebody's hand today"


def test_the_list_is_bounded_however_much_there_is() -> None:
    assert len(_at(_story("contoso")).look("L11").lines) < 30


def test_a_canceled_synchronization_has_no_exception() -> None:
    lines = _at(default_story("S31"), 3 * HOUR).look("L52").lines
    assert "UserCanceled: The synchronization was canceled." in lines
    assert not any("Exception" in line for line in lines)


def test_a_new_susdb_knows_of_no_synchronization_from_before() -> None:
    """It keeps the list; the first synchronization is the first on it."""
    lookout = _at(default_story("S32"), 150 * MINUTE)
    assert [value for key, value in lookout.look("L52").facts if key == "sync"] == ["manual running"]
    assert dict(lookout.look("L55").facts)["home.last_sync"] == "none"


def test_a_running_synchronization_names_who_started_it() -> None:
    facts = dict(_shown("S31", "L52", 130 * MINUTE))
    assert facts["sync.running"] is True
    assert facts["sync.started_by"] == "<domain>\\Administrator"
    assert "CONTOSO\\Administrator" in _at(default_story("S31"), 130 * MINUTE).look("L52").lines[0]


def test_a_request_file_that_is_stuck_lies_in_the_parents_outbox() -> None:
    assert ("outbox.<child>", "<site>.SYN") in _shown("M43", "L23", 4 * HOUR)
    assert _shown("M43", "L23", HOUR) == [("outbox", None)]


def test_of_several_software_update_points_each_has_its_own_state() -> None:
    facts = dict(_shown("M53", "L03"))
    assert facts["sync_status.<sup>.last_state"] == 6702
    assert facts["sync_status.<sup2>.last_state"] == 6707
    assert facts["sync_status.<sup2>.error"] != facts["sync_status.<sup>.error"] == "0x00000000"


def test_a_broken_link_between_databases_shows_in_both_consoles() -> None:
    lookout = _at(_story())
    (link,) = lookout.world.database_replication.links.values()
    link.state.change(None, up=False)
    assert ("link.<site> -> <child>", "failed") in lookout.look("L12").facts
    assert ("link.<parent> -> <site>", "failed") in lookout.look("L12", site="PS1").facts
    assert ("sync_status.<sup>.link_state", 2) in lookout.look("L03", site="PS1").facts


def test_the_name_of_another_server_shows_where_the_answer_leads() -> None:
    assert ("dns.<sup>.<domain>", "<old>") in _shown("S07", "L70", host="adm")


@pytest.mark.parametrize(
    ("action", "id", "fact"),
    [
        ("X03", "L75", ("firewall.enabled", False)),
        ("X04", "L62", ("require_ssl.Content", True)),
        ("X05", "L63", ("permissions.Content.allow", "Everyone")),
        ("X06", "L60", ("binding.wsus", "http *:8530")),
        ("X07", "L53", ("wsus.product", "Windows Server 2012 R2")),
        ("X09", "L88", ("lsa.DisableLoopbackCheck", 1)),
        ("X19", "L96", ("administrators.member", "<domain>\\<ss>$")),
        ("X22", "L53", ("wsus.automatic", True)),
        ("X24", "L76", ("winhttp.proxy", "<prx>.<domain>:8080")),
        ("X32", "L70", ("hosts.sws.update.microsoft.com", "internet")),
    ],
)
def test_what_a_trap_changes_can_be_seen(action: str, id: str, fact: tuple[str, Fact]) -> None:
    lookout = _at(_story("contoso-proxy"))
    REPAIRS[action].apply(lookout.world, "CS1")
    assert fact in lookout.look(id, host="sup" if id == "L70" else None).facts


def test_the_error_log_of_the_site_database_tells_of_its_bad_state() -> None:
    story = default_story("S30", generation="2007")
    assert ("site_database.errors", "invalid schema") in _at(story, 3 * HOUR).look("L90", host="db").facts


def test_effective_permissions_follow_from_who_is_in_guests() -> None:
    story = default_story("S23", generation="2007")
    facts = _at(story, 3 * HOUR).look("L63", site="PS1", host="psup").facts
    assert ("effective.DssAuthWebService.IUSR_<sup>", "nothing") in facts
    assert ("guests.member", "IUSR_<sup>") in facts


# --- where and when


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"id": "L450"}, "there is no look"),
        ({"id": "L45", "host": "NOBODY"}, "there is no server"),
        ({"id": "L64", "host": "CS1SITE"}, "L64 shows nothing on CS1SITE"),
        ({"id": "L74"}, "site CS1 has no prx"),
        ({"id": "L37", "host": "psup"}, "site CS1 has no psup"),
        ({"id": "L45", "site": "XXX"}, "there is no site"),
        ({"id": "L50", "account": "nobody"}, "there is no account"),
        ({"id": "L71", "target": "host:port"}, "is not host:port"),
        ({"id": "L71", "target": "host:" + "9" * 5_000}, "is not host:port"),
        ({"id": "L20", "target": "cs1sup"}, "takes no target"),
        ({"id": "L72", "target": "http://cs1sup.contoso.com:8530/other"}, "none of WSUS's addresses"),
    ],
)
def test_a_look_that_makes_no_sense_is_refused_with_a_hint(options: dict[str, str], what: str) -> None:
    with pytest.raises(LookError) as mistake:
        _at(_story("contoso"), 0).look(**options)  # type: ignore[arg-type]
    assert what in mistake.value.what
    assert mistake.value.hint


def test_hosts_are_named_or_seen_from_a_site() -> None:
    lookout = _at(_story(), 0)
    assert lookout.look("L45").host == "CS1SUP"
    assert lookout.look("L45", host="ss", site="ps1").host == "PS1SITE"
    assert lookout.look("L45", host="psup", site="PS1").host == "CS1SUP"
    assert lookout.look("L45", host="csup").host == "PS1SUP"
    assert lookout.look("L45", host="ps1sup.contoso.com").site == "PS1"
    assert lookout.look("L05", host="PS1SUP").host == "PS1SITE"
    assert lookout.look("L71", host="adm").host == "ADMIN1"
    hierarchy = _at(_story("contoso-hierarchy"), 0)
    assert hierarchy.look("L45", host="PS1SUP2").site == "PS1"
    assert hierarchy.places("L51").count("PS1SUP2") == 1
    old = _at(_story("contoso-old"), 0)
    assert old.look("L51", host="old").host == "CS1OLD"
    assert old.places("L30") == ["CS1SUP"]


def test_time_only_moves_forward_and_ends_with_the_story() -> None:
    lookout = _at(_story("contoso"), HOUR)
    for at in (lookout.now - 1, lookout.world.end + 1):
        with pytest.raises(LookError):
            lookout.go(at)


# --- the command


def _command(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    import contextlib
    import io

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as exit_:
        main(list(arguments))
    return int(exit_.value.code or 0), out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "S19-1"
    play(default_story("S19"), folder, tool_version=__version__)
    return folder


def test_a_runs_folder_is_looked_at(run_folder: Path) -> None:
    code, out, err = _command("look", str(run_folder), "L45", "--at", "3h", "--json")
    assert (code, err) == (0, "")
    assert ["service.W3SVC.state", "stopped"] in json.loads(out)["facts"]
    code, out, _ = _command("look", str(run_folder), "L45", "--at", "3h", "--language", "de")
    assert code == 0
    assert "WWW-Publishingdienst (W3SVC): Beendet" in out


def test_the_end_of_a_log_is_that_of_the_runs_file(run_folder: Path) -> None:
    lines = package.look(run_folder, "L21").lines
    (log,) = (run_folder / "logs" / "CS1SITE").rglob("WCM.log")
    assert list(lines[1:]) == log.read_text(encoding="utf-8-sig").splitlines()[-len(lines) + 1 :]


def test_the_list_names_every_look_once(run_folder: Path) -> None:
    code, out, _ = _command("look", str(run_folder), "--json")
    assert code == 0
    assert [json.loads(line)["id"] for line in out.splitlines()] == sorted(LOOKS)
    code, out, _ = _command("look", "S19")
    assert code == 0
    assert "L45" in out
    assert "L74" not in out, "there is no proxy in this estate"


@pytest.mark.parametrize(
    "arguments",
    [
        ("S99", "L45"),
        ("S19", "L450"),
        ("S19", "L45", "--at", "yesterday"),
        ("S19", "L45", "--at", "900h"),
        ("S19", "L45", "--host", "nobody"),
        ("S19", "L45", "--site", "nowhere"),
        ("S19", "L50", "--account", "nobody"),
        (".", "L45"),
    ],
)
def test_mistakes_are_told_and_end_with_2(arguments: tuple[str, ...]) -> None:
    code, out, err = _command("look", *arguments)
    assert code == 2
    assert not out
    assert err.startswith("wsyncsim: ")
    assert "Traceback" not in err


@pytest.mark.parametrize("key", ["wsyncsim", "story_sha256"])
def test_a_run_that_cannot_be_played_again_is_refused(run_folder: Path, tmp_path: Path, key: str) -> None:
    (tmp_path / "truth").mkdir()
    manifest = json.loads((run_folder / "manifest.json").read_bytes())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, key: "other"}), encoding="utf-8")
    (tmp_path / "truth" / "story.toml").write_bytes((run_folder / "truth" / "story.toml").read_bytes())
    code, out, err = _command("look", str(tmp_path), "L45")
    assert (code, out) == (2, "")
    assert "Make the run anew" in err


# --- the page


def _page() -> str:
    return (Path(__file__).parents[1] / "docs" / "looks.md").read_text(encoding="utf-8")


def _rows() -> dict[str, list[str]]:
    rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in _page().splitlines() if line.startswith("| L"))
    return {row[0]: row for row in rows}


def test_the_page_lists_every_look_as_it_is() -> None:
    rows = _rows()
    assert list(rows) == sorted(LOOKS)
    for id, look in LOOKS.items():
        hosts = " ".join(look.hosts) + (" (site)" if look.site_wide else "")
        told = [id, look.title("cb", "en"), look.title("cb", "de"), hosts, str(look.minutes)]
        assert rows[id][:5] == told
        assert rows[id][6] == look.reveals("cb", "en")


@pytest.mark.parametrize("fault_id", ["S11", "S16", "S20", "S21", "M07", "M14", "M01"])
def test_the_page_names_the_key_of_every_fact(fault_id: str) -> None:
    known = {id: row[5].replace("`", "").split() for id, row in _rows().items()}
    for view in _at(default_story(fault_id), 3 * HOUR).views(traces=True):
        for key, _ in view.facts:
            assert any(fnmatch.fnmatchcase(key, pattern) for pattern in known[view.id]), (view.id, key)


def test_the_example_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"^```python\n(from.*?)^```$", _page(), re.MULTILINE | re.DOTALL)
    exec(compile(example, "docs/looks.md", "exec"), {})
    assert "DssAuthWebService.asmx 401 2" in capsys.readouterr().out


def test_the_look_that_the_page_quotes_is_the_code() -> None:
    (quoted,) = re.findall(r"^```python\n(@look.*?)^```$", _page(), re.MULTILINE | re.DOTALL)
    code = (Path(__file__).parents[1] / "scenarios" / "looks" / "iis_manager.py").read_text(encoding="utf-8")
    assert quoted in code
