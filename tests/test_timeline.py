"""The timeline: one HTML file that needs nothing else, shows everything that the answer key knows, and believes no log line."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import wsyncsim
from simulator.errors import WsyncsimError
from wsyncsim.timeline_reading import HEALTHY, LANES, MARKS, PIXELS
from wsyncsim.words import word

HOSTILE = '</title><script>alert(1)</script>"><img src=http://evil.example/x onerror=alert(2)>'


class Page(HTMLParser):
    """What a browser would make of a page: elements with their attributes, texts, ids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self._within: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._within and self._within.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self._within):
            self.texts.append(data)

    def of_class(self, *classes: str) -> list[dict[str, str]]:
        return [attributes for _, attributes in self.elements if set(classes) <= set(attributes.get("class", "").split())]

    @property
    def text(self) -> str:
        return " ".join(self.texts)

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few finished runs, one of them without truth."""
    folder = tmp_path_factory.mktemp("runs")
    for name in ("S16", "S21", "hidden-behind", "daylight-saving"):
        wsyncsim.play(name, folder / name)
    wsyncsim.play("healthy", folder / "blind", hours=1, truth=False)
    return folder


def _draw(run: Path, out: Path, **options: Any) -> str:
    path = wsyncsim.timeline(run, out / "page.html", **{"language": "en", **options})
    assert path == (out / "page.html").resolve()
    return path.read_bytes().decode("utf-8")


def _answer(run: Path) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((run / "truth" / "answer.json").read_bytes())
    return answer


# --- what it shows


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("name", ["S16", "S21", "hidden-behind", "daylight-saving"])
def test_every_fault_action_and_run_of_the_answer_key_appears(runs: Path, tmp_path: Path, name: str, language: str) -> None:
    page = Page(_draw(runs / name, tmp_path, language=language))
    answer = _answer(runs / name)
    assert len(page.of_class("fault")) - len(page.of_class("kind", "fault")) - 1 == len(answer["root_causes"])
    rows = [id for id in page.ids if re.fullmatch(r"f\d+", id)]
    assert len(rows) == len(answer["root_causes"])
    for cause in answer["root_causes"]:
        assert f"{cause['fault']} " in page.text
        assert cause["entity"] in page.text
    assert len([id for id in page.ids if re.fullmatch(r"a\d+", id)]) == len(answer["actions"])
    for action in answer["actions"]:
        assert f"{action['action']} " in page.text
    for line in (runs / name / "truth" / "runs.jsonl").read_text(encoding="utf-8").splitlines():
        run = json.loads(line)
        assert re.search(rf"{run['run']} \(", page.text)
        if run["source"]:
            assert run["source"] in page.text


def test_every_abnormal_entry_is_told_or_counted(runs: Path, tmp_path: Path) -> None:
    text = _draw(runs / "S16", tmp_path)
    told = html.unescape(text)
    for line in (runs / "S16" / "truth" / "entries.jsonl").read_text(encoding="utf-8").splitlines():
        event = json.loads(line)["event"]
        if event["kind"] == "ApiConnectionFailed":
            assert "could not open the WSUS API at CS1SUP.CONTOSO.COM:8530: HTTP status 401" in told
        if event["kind"] == "RequestsServed":
            assert "/ApiRemoting30/WebService.asmx 401.3" in told


def test_marks_lead_along_their_causes_to_the_fault(runs: Path, tmp_path: Path) -> None:
    text = _draw(runs / "S21", tmp_path)
    fault = re.search(r'<a class="fault repaired".*?<rect x="([\d.]+)" y="([\d.]+)"', text, re.DOTALL)
    assert fault is not None
    end = f"{float(fault[1]):g} {float(fault[2]) + 18:g}"
    chains = re.findall(r'<a class="mark failed" .*?<path class="chain" d="([^"]+)"', text, re.DOTALL)
    assert chains
    assert all(chain.endswith(f"L{end}") for chain in chains)
    assert max(chain.count("L") for chain in chains) >= 3


def test_log_lines_stand_beside_what_wrote_them(runs: Path, tmp_path: Path) -> None:
    told = html.unescape(_draw(runs / "S16", tmp_path))
    log = next((runs / "S16" / "logs" / "CS1SITE").rglob("wsyncmgr.log")).read_text(encoding="utf-8")
    number, line = next((n, line) for n, line in enumerate(log.splitlines(), 1) if line.startswith("Sync failed. Will retry"))
    assert f"<b>wsyncmgr.log:{number}</b> {' '.join(line.split())}"[:150] in told


def test_the_gate_is_shut_from_wcm_s_failure_to_its_success(runs: Path, tmp_path: Path) -> None:
    text = _draw(runs / "S16", tmp_path)
    assert '<td class="when">08:51:25 – 10:35:07</td><td class="where">CS1SITE</td>' in text
    assert "gate shut" in text


def test_lanes_go_from_the_child_s_site_server_up_to_its_parent_s_wsus(runs: Path, tmp_path: Path) -> None:
    text = _draw(runs / "S21", tmp_path)
    assert re.findall(r'class="hostname"[^>]*>(\w+)<', text) == ["Story", "PS1SITE", "PS1SUP", "CS1SITE", "CS1SUP"]


def test_one_site_shows_its_further_sups_and_its_retired_server(tmp_path: Path) -> None:
    story = tmp_path / "story.toml"
    story.write_text(
        """title.en = "All kinds of servers"
title.de = "Server aller Art"
[estate]
base = "contoso"
[[estate.sites]]
code = "CS1"
further_sups = ["CS1SUP2"]
old_wsus = "CS1OLD"
[[timeline]]
at = "1h"
fault = "M53"
[[timeline]]
at = "4h"
fault = "S07"
""",
        encoding="utf-8",
    )
    wsyncsim.play(story, tmp_path / "run")
    for site in (None, "CS1"):
        page = _draw(tmp_path / "run", tmp_path, site=site)
        hosts = re.findall(r'class="hostname"[^>]*>(\w+)<', page)
        assert hosts == ["Story", "CS1SITE", "CS1SUP", "CS1SUP2", "CS1OLD"]
        assert "further software update point of CS1" in page
        assert "retired WSUS server of CS1" in page


def test_only_lanes_in_which_something_happens_are_drawn(runs: Path, tmp_path: Path) -> None:
    names = _draw(runs / "S16", tmp_path).split('<svg class="names"', 1)[1].split("</svg>", 1)[0]
    assert "IIS errors" in names
    assert "File replication" not in names


def test_the_offset_is_told_where_the_clocks_change(runs: Path, tmp_path: Path) -> None:
    text = _draw(runs / "daylight-saving", tmp_path)
    assert "+0200 → +0100" in text
    assert text.index(">2026-10-25 +0200<") < text.index(">2026-10-25 +0100<")
    assert "02:00:07 +0200" in text
    assert "+0100" not in _draw(runs / "S16", tmp_path).split("<table", 1)[1]


def test_one_site_alone_keeps_the_fault_that_it_suffers_from(runs: Path, tmp_path: Path) -> None:
    page = Page(_draw(runs / "S21", tmp_path, site="PS1"))
    assert "PS1-0001 (" in page.text
    assert "CS1-0001 (" not in page.text
    assert "S21 " in page.text
    assert "R23 " in page.text


def test_a_part_of_the_time_shows_what_happened_in_it(runs: Path, tmp_path: Path) -> None:
    text = Page(_draw(runs / "S16", tmp_path, begin="09:00", end="2026-03-02T10:32")).text
    assert "CS1-0002 (" in text
    assert "CS1-0001 (" not in text
    assert "R22 " in text
    assert "R08 " not in text


def test_all_of_one_day_s_page_is_reachable_and_ids_are_unique(runs: Path, tmp_path: Path) -> None:
    page = Page(_draw(runs / "hidden-behind", tmp_path))
    assert len(page.ids) == len(set(page.ids))
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    assert links
    assert {link[1:] for link in links} <= set(page.ids)


# --- one file that needs nothing and does nothing


@pytest.mark.parametrize("language", ["en", "de"])
def test_nothing_is_fetched(runs: Path, tmp_path: Path, language: str) -> None:
    text = _draw(runs / "S21", tmp_path, language=language)
    page = Page(text)
    for tag, attributes in page.elements:
        assert tag not in {"img", "link", "iframe", "object", "embed", "base", "form", "foreignobject", "image", "use"}
        assert not {name for name in attributes if name.startswith("on") or name in {"src", "style", "srcset", "action"}}
        assert attributes.get("href", "#").startswith("#")
        assert all(value == "http://www.w3.org/2000/svg" for name, value in attributes.items() if name == "xmlns")
    assert "@import" not in text
    assert set(re.findall(r"url\(([^)]*)\)", text)) <= {"#hatch", "#stripes", "#gone"}


def test_the_policy_allows_our_own_style_and_script_only(runs: Path, tmp_path: Path) -> None:
    text = _draw(runs / "S16", tmp_path)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none';")
    for kind in ("style", "script"):
        (content,) = re.findall(rf"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy[1]
    assert "unsafe" not in policy[1]


def test_hostile_texts_stay_texts(runs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(runs / "S16", run)
    answer = _answer(run)
    answer["story"]["title"] = {"en": HOSTILE, "de": HOSTILE}
    answer["story"]["estate"]["name"] = HOSTILE
    answer["root_causes"][0]["entity"] = HOSTILE
    answer["actions"][0]["detail"] = HOSTILE
    (run / "truth" / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
    entries = run / "truth" / "entries.jsonl"
    hostile = json.dumps(HOSTILE)[1:-1]
    entries.write_text(entries.read_text(encoding="utf-8").replace("CS1SUP.CONTOSO.COM", hostile), encoding="utf-8")
    log = next((run / "logs" / "CS1SITE").rglob("wsyncmgr.log"))
    records = next((run / "truth" / "records" / "CS1SITE").rglob("wsyncmgr.log.jsonl"))
    for record in map(json.loads, records.read_bytes().splitlines()):
        if record["event"] == "SyncFailed":
            raw = bytearray(log.read_bytes())
            raw[record["byte_start"] : record["byte_start"] + len(HOSTILE)] = HOSTILE.encode()
            log.write_bytes(raw)
    text = _draw(run, tmp_path)
    page = Page(text)
    assert [tag for tag, _ in page.elements].count("script") == 1
    assert "img" not in {tag for tag, _ in page.elements}
    assert html.unescape(text).count("alert(1)") >= 6


def test_a_record_cannot_name_a_file_outside_of_the_run(runs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(runs / "S16", run)
    (tmp_path / "secret").write_text("secret words", encoding="utf-8")
    records = next((run / "truth" / "records" / "CS1SITE").rglob("wsyncmgr.log.jsonl"))
    text = re.sub(r'"file":"[^"]+"', '"file":"../secret/wsyncmgr.log"', records.read_text(encoding="utf-8"))
    records.write_text(text.replace("../secret/wsyncmgr.log", "../secret"), encoding="utf-8")
    status = next((run / "truth" / "records" / "CS1SITE").rglob("StatusMessages_en.txt.jsonl"))
    status.write_text(re.sub(r'"file":"[^"]+"', '"file":"../secret"', status.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(WsyncsimError, match="not in the manifest"):
        wsyncsim.timeline(run, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


# --- the same, and not too much


def test_the_same_run_gives_the_same_bytes(runs: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    assert _draw(runs / "S21", one) == _draw(runs / "S21", two)
    again = wsyncsim.play("S21", tmp_path / "again").out
    assert _draw(again, one) == _draw(runs / "S21", two)


def _long_story(folder: Path, hours: int) -> Path:
    """A fault that nobody repairs."""
    path = folder / "long.toml"
    path.write_text(
        f'title.en = "long"\ntitle.de = "lang"\nestate = "contoso"\nhours = {hours}\nstart = 2026-03-02T06:00:00\n'
        '[[timeline]]\nat = "2h"\nfault = "S16"\nsite = "CS1"\n',
        encoding="utf-8",
    )
    return path


def test_a_long_run_s_page_stays_small(tmp_path: Path) -> None:
    sizes = []
    for days in (10, 40):
        run = wsyncsim.play(_long_story(tmp_path, 24 * days), tmp_path / f"run-{days}").out
        text = _draw(run, tmp_path)
        sizes.append(len(text))
        assert str(_answer(run)["runs"]["failed"]) in text
    assert max(sizes) < 1_500_000
    assert sizes[1] < 1.5 * sizes[0]


def test_a_long_healthy_run_shows_densities(tmp_path: Path) -> None:
    run = wsyncsim.play("healthy", tmp_path / "run", hours=24 * 5).out
    text = _draw(run, tmp_path)
    assert 'class="density fine"' in text
    assert len(text) < 300_000


def test_marks_and_labels_stay_in_the_picture(runs: Path, tmp_path: Path) -> None:
    text = _draw(runs / "hidden-behind", tmp_path)
    for x in re.findall(r"translate\(([\d.]+) ", text):
        assert 0 <= float(x) <= PIXELS


# --- where it is written


def test_without_out_it_is_named_after_the_run(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert wsyncsim.timeline(runs / "S16") == (tmp_path / "S16-timeline.html").resolve()
    assert [path.name for path in tmp_path.iterdir()] == ["S16-timeline.html"]


def test_the_run_s_folder_is_left_alone(runs: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in (runs / "S16").rglob("*") if path.is_file()}
    _draw(runs / "S16", tmp_path)
    for out in (runs / "S16", runs / "S16" / "timeline.html", runs / "S16" / "truth" / "deep" / "timeline.html"):
        with pytest.raises(WsyncsimError):
            wsyncsim.timeline(runs / "S16", out)
    assert {path: path.read_bytes() for path in (runs / "S16").rglob("*") if path.is_file()} == before


def test_an_earlier_timeline_is_replaced_and_nothing_else(runs: Path, tmp_path: Path) -> None:
    first = _draw(runs / "S16", tmp_path)
    assert _draw(runs / "S16", tmp_path, language="de") != first
    thesis = tmp_path / "thesis.html"
    thesis.write_text("<p>mine</p>", encoding="utf-8")
    with pytest.raises(WsyncsimError, match="no timeline"):
        wsyncsim.timeline(runs / "S16", thesis)
    assert thesis.read_text(encoding="utf-8") == "<p>mine</p>"


def test_an_interrupted_timeline_leaves_nothing(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        wsyncsim.timeline(runs / "S16", tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("run", "options", "says"),
    [
        ("missing", {}, "not the folder of a run"),
        ("blind", {}, "no answer key"),
        ("S21", {"site": "XYZ"}, "no site 'XYZ'"),
        ("S21", {"begin": "noon"}, "is not a time"),
        ("S21", {"end": "2026-13-01T00:00"}, "is not a time"),
        ("S21", {"begin": "10:00", "end": "09:00"}, "nothing of this run"),
        ("S21", {"begin": "2027-01-01"}, "nothing of this run"),
    ],
)
def test_mistakes_are_told_and_nothing_is_written(runs: Path, tmp_path: Path, run: str, options: dict[str, str], says: str) -> None:
    with pytest.raises(WsyncsimError, match=says):
        wsyncsim.timeline(runs / run, tmp_path / "page.html", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["{", '{"a": 1}', "\ufffd"])
@pytest.mark.parametrize("name", ["answer.json", "runs.jsonl", "entries.jsonl"])
def test_a_damaged_run_is_told(runs: Path, tmp_path: Path, name: str, damage: str) -> None:
    run = tmp_path / "run"
    shutil.copytree(runs / "S16", run)
    (run / "truth" / name).write_text(damage, encoding="utf-8")
    with pytest.raises(WsyncsimError, match="damaged"):
        wsyncsim.timeline(run, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


# --- the command


def test_the_command_prints_where_the_page_is(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from wsyncsim import cli

    monkeypatch.chdir(tmp_path)
    assert cli._run(["timeline", str(runs / "S16"), "--language", "de", "--from", "07:50", "--to", "09:00"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "S16-timeline.html\n"
    assert '<html lang="de">' in (tmp_path / "S16-timeline.html").read_text(encoding="utf-8")
    assert cli._run(["timeline", str(runs / "blind")]) == 2
    assert "no answer key" in capsys.readouterr().err


# --- words


@pytest.mark.parametrize("language", ["en", "de"])
def test_there_are_words_for_every_lane_mark_and_healthy_event(language: str) -> None:
    for lane in LANES:
        assert word("timeline", f"lane_{lane}", language)
    for mark in MARKS:
        assert word("timeline", f"mark_{mark}", language)
        assert word("timeline", f"legend_{mark}", language)
    for kind in HEALTHY:
        assert word("timeline", f"fine_{kind}", language)
