"""The check of what arrived finds every kind of damage, and nothing where there is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.live import files, live, notes, story
from tests.test_cli import Command, command  # noqa: F401  # a fixture
from wsyncsim.live_check import Record, Report, Tally, _moved, check, read_collected, read_truth

WCM = "logs/CS1SITE/Program Files/Microsoft Configuration Manager/Logs/WCM.log"


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten hours of a broken site, with all its logs."""
    world = live(tmp_path_factory.mktemp("live") / "site")
    world.run()
    return world.truth_path


@pytest.fixture(scope="module")
def wcm(truth: Path) -> list[str]:
    """The lines of WCM.log."""
    return [note["text"] for note in notes(truth, "record") if note["file"] == WCM]


def checked(truth: Path, lines: list[str]) -> Report:
    return check(*read_truth(truth, ("WCM.log",)), lines)


def damage(report: Report) -> dict[str, int]:
    """What is not 0, without what was written and delivered."""
    kinds = {name: getattr(report.total, name) for name in Tally.__slots__ if name not in ("written", "delivered")}
    kinds |= {"foreign": report.foreign_lines, "damaged": report.damaged_lines}
    return {name: count for name, count in kinds.items() if count}


def test_nothing_is_wrong_with_what_is_whole(truth: Path, wcm: list[str]) -> None:
    report = checked(truth, wcm)
    assert not damage(report)
    assert report.total.written == report.total.delivered == len(wcm) > 100


def test_all_files_of_a_run_are_whole(truth: Path) -> None:
    report = check(*read_truth(truth), read_collected(truth.parent / "site" / "logs"))
    assert not damage(report)
    assert len(report.files) > 10


def test_lost(truth: Path, wcm: list[str]) -> None:
    assert damage(checked(truth, wcm[:10] + wcm[15:])) == {"lost": 5}
    assert damage(checked(truth, [])) == {"lost": len(wcm)}


def test_duplicated(truth: Path, wcm: list[str]) -> None:
    assert damage(checked(truth, wcm[:20] + wcm[18:])) == {"duplicated": 2}
    assert damage(checked(truth, wcm * 3)) == {"duplicated": 2 * len(wcm)}


def test_torn(truth: Path, wcm: list[str]) -> None:
    torn = wcm[7]
    assert damage(checked(truth, [*wcm[:7], torn[:40], torn[40:], *wcm[8:]])) == {"broken": 1, "damaged": 2}


def test_torn_and_the_rest_lost(truth: Path, wcm: list[str]) -> None:
    assert damage(checked(truth, [*wcm[:7], wcm[7][:40], *wcm[8:]])) == {"broken": 1, "damaged": 1}
    assert damage(checked(truth, [*wcm[:7], wcm[7][40:], *wcm[8:]])) == {"broken": 1, "damaged": 1}


def test_a_torn_piece_beside_the_whole_record(truth: Path, wcm: list[str]) -> None:
    report = checked(truth, [*wcm[:7], wcm[7][:60], *wcm[7:]])
    assert damage(report) == {"broken": 1, "damaged": 1}
    assert report.total.delivered == len(wcm)


def test_merged(truth: Path, wcm: list[str]) -> None:
    assert damage(checked(truth, [*wcm[:7], wcm[7] + wcm[8], *wcm[9:]])) == {"broken": 2, "damaged": 1}
    assert damage(checked(truth, [*wcm[:7], wcm[7] + wcm[8] + wcm[9], *wcm[10:]])) == {"broken": 3, "damaged": 1}


def test_halves_of_two_records_merged(truth: Path, wcm: list[str]) -> None:
    assert damage(checked(truth, [*wcm[:7], wcm[7][:50] + wcm[30][20:], *wcm[8:30], *wcm[31:]])) == {"broken": 2, "damaged": 1}


def test_garbled(truth: Path, wcm: list[str]) -> None:
    assert damage(checked(truth, [*wcm[:7], "\0\0" + wcm[7].replace(" ", "\t"), *wcm[8:]])) == {"broken": 1, "damaged": 1}


def test_reordered(truth: Path, wcm: list[str]) -> None:
    assert damage(checked(truth, [*wcm[:7], wcm[9], wcm[7], wcm[8], *wcm[10:]])) == {"reordered": 1}
    assert damage(checked(truth, wcm[50:] + wcm[:50])) == {"reordered": 50}


def test_foreign_lines_are_no_damage(truth: Path, wcm: list[str]) -> None:
    assert damage(checked(truth, ["rsyslogd was HUPed", *wcm])) == {"foreign": 1}
    shifted = [line.replace("2026", "2031") for line in wcm[:5]]
    assert damage(checked(truth, [*shifted, *wcm[5:]])) == {"lost": 5, "foreign": 5}


def test_other_logs_are_not_asked_for(truth: Path, wcm: list[str]) -> None:
    others = [note["text"] for note in notes(truth, "record") if note["file"] != WCM]
    assert not damage(checked(truth, [*wcm, *others[:100]]))


def test_logs_may_come_interleaved(truth: Path) -> None:
    lines = [note["text"] for note in notes(truth, "record")]
    assert not damage(check(*read_truth(truth), [line for text in lines for line in text.split("\r\n") if line]))


def test_records_of_several_lines(tmp_path: Path) -> None:
    world = live(tmp_path / "site", story("S21", hours=24))
    world.run()
    name = "SoftwareDistribution.log"
    texts = [note["text"] for note in notes(world.truth_path, "record") if note["file"].endswith(name)]
    number = next(number for number, text in enumerate(texts) if "\r\n   at " in text)

    def arrived(kept: list[str]) -> dict[str, int]:
        lines = [line for text in kept for line in text.split("\r\n") if line]
        return damage(check(*read_truth(world.truth_path, (name,)), lines))

    first, *rest = texts[number].split("\r\n")
    assert arrived(texts) == {}
    assert arrived(texts[:number] + texts[number + 1 :]) == {"lost": 1}
    assert arrived([*texts[:number], first, *texts[number + 1 :]]) == {"broken": 1}
    assert arrived([*texts[: number + 1], texts[number], *texts[number + 1 :]]) == {"duplicated": 1}
    assert arrived([*texts[:number], *rest, *texts[number + 1 :]]) == {"broken": 1, "damaged": len(rest)}


def test_carriage_returns_marks_and_blank_lines_do_not_count(truth: Path, wcm: list[str], tmp_path: Path) -> None:
    (tmp_path / "collected").write_bytes(
        b"\r\n".join([b"\xef\xbb\xbf" + wcm[0].encode(), b"", *(line.encode() for line in wcm[1:])])
    )
    assert not damage(checked(truth, list(read_collected(tmp_path / "collected"))))


def test_a_folder_is_read_in_order_of_names(truth: Path, wcm: list[str], tmp_path: Path) -> None:
    for name, part in (("b/2", wcm[50:]), ("b/1", wcm[20:50]), ("a", wcm[:20])):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text("\n".join(part) + "\n", encoding="utf-8")
    assert not damage(checked(truth, list(read_collected(tmp_path / "in"))))


def test_json_lines(truth: Path, wcm: list[str], tmp_path: Path) -> None:
    flat = [json.dumps({"message": line + "\r", "log": {"original": line}}) for line in wcm]
    (tmp_path / "collected").write_text("\n".join(flat) + "\n", encoding="utf-8")
    for field in ("message", "log.original"):
        assert not damage(checked(truth, list(read_collected(tmp_path / "collected", field))))


def test_records_of_2007_in_code_page_1252(tmp_path: Path) -> None:
    world = live(tmp_path / "site", story("S21", hours=10, generation="2007"))
    world.run()
    report = check(*read_truth(world.truth_path), read_collected(world.logs))
    assert not damage(report)


def records(count: int) -> list[Record]:
    return [Record("a.log", n, (f"record number {n} of some length  $$<X><{n:05}>",)) for n in range(1, count + 1)]


@given(st.lists(st.integers(1, 12), max_size=30))
def test_counts_add_up_whatever_arrives(arrivals: list[int]) -> None:
    expected = records(12)
    report = check(expected, [], set(), [expected[number - 1].lines[0] for number in arrivals])
    seen = set(arrivals)
    assert report.total.delivered == len(seen)
    assert report.total.lost == 12 - len(seen)
    assert report.total.duplicated == len(arrivals) - len(seen)
    assert report.total.broken == report.foreign_lines == 0


@given(st.permutations(range(8)))
@settings(max_examples=60)
def test_what_moved_is_least_and_the_rest_ascends(numbers: list[int]) -> None:
    moved = _moved(numbers)
    rest = [number for number in numbers if number not in moved]
    assert rest == sorted(rest)
    best = max(len(chain) for chain in _ascending(numbers))
    assert len(rest) == best


def _ascending(numbers: list[int]) -> list[list[int]]:
    chains: list[list[int]] = [[]]
    for number in numbers:
        chains += [[*chain, number] for chain in chains if not chain or chain[-1] < number]
    return chains


# --- the command


@pytest.fixture
def collected(wcm: list[str], tmp_path: Path) -> Path:
    path = tmp_path / "collected.log"
    path.write_text("\n".join(wcm[:-3]) + "\n", encoding="utf-8")
    return path


def test_command_finds_damage(command: Command, truth: Path, collected: Path, tmp_path: Path) -> None:  # noqa: F811
    result = command("live", "check", truth, collected, "--only", "WCM.log", "--json", tmp_path / "report.json")
    assert result.code == 1
    assert "damage: lost" in result.out
    report: dict[str, Any] = json.loads((tmp_path / "report.json").read_bytes())
    assert report["total"]["lost"] == 3
    assert report["over_limit"] == ["lost"]
    assert len(report["examples"]["lost"]) == 3


def test_command_allows_what_is_allowed(command: Command, truth: Path, collected: Path) -> None:  # noqa: F811
    result = command.fine("live", "check", truth, collected, "--only", "WCM.log", "--max-lost", "3", "--language", "de")
    assert "alles kam an" in result.out
    assert command("live", "check", truth, collected, "--only", "WCM.log", "--max-lost", "3", "--min-records", "9999").code == 1


def test_command_prints_json(command: Command, truth: Path, collected: Path) -> None:  # noqa: F811
    result = command("live", "check", truth, collected, "--only", "WCM.log", "--json", "-")
    assert json.loads(result.out)["schema"] == "wsyncsim-live-check/1"


def test_command_tells_mistakes(command: Command, truth: Path, collected: Path, tmp_path: Path) -> None:  # noqa: F811
    assert "no such file" in command.mistake("live", "check", truth, tmp_path / "nothing").lower()
    assert "cannot be read" in command.mistake("live", "check", tmp_path / "nothing", collected)
    (tmp_path / "empty").touch()
    assert "not the truth" in command.mistake("live", "check", tmp_path / "empty", collected)
    assert "not of a live" in command.mistake("live", "check", collected, collected)
    assert "no record" in command.mistake("live", "check", truth, collected, "--only", "nothing.log")
    assert "no JSON object" in command.mistake("live", "check", truth, collected, "--field", "message")
    assert "no encoding" in command.mistake("live", "check", truth, collected, "--encoding", "utf-9")


def test_a_truth_that_is_still_being_written_can_be_checked(truth: Path, tmp_path: Path) -> None:
    part = tmp_path / "part.jsonl"
    part.write_bytes(truth.read_bytes()[:-40])
    expected, others, _ = read_truth(part)
    assert len(expected) > 500
    assert not others


def test_rotation_does_not_matter(tmp_path: Path) -> None:
    from dataclasses import replace

    from tests.live import BRISK

    world = live(tmp_path / "site", options=replace(BRISK, max_bytes=10_000, rotation="history"))
    world.run()
    texts = files(world.logs)
    assert any("WCM-20" in path for path in texts)
    assert not damage(check(*read_truth(world.truth_path), read_collected(world.logs)))
