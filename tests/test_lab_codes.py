"""What numbers in logs mean: every spelling of a code, both languages, every code that the world prints."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.catalogue import load
from simulator.errors import WsyncsimError
from wsyncsim import lab
from wsyncsim.lab import codes
from wsyncsim.lab.codes import all_codes, codes_in, look_up


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("0x80072EE7", "ERROR_INTERNET_NAME_NOT_RESOLVED"),
        ("80072ee7", "ERROR_INTERNET_NAME_NOT_RESOLVED"),
        ("12007", "ERROR_INTERNET_NAME_NOT_RESOLVED"),
        ("-2147012889", "ERROR_INTERNET_NAME_NOT_RESOLVED"),
        ("-2147467259", "E_FAIL"),
        ("2147500037", "E_FAIL"),
        ("80004005", "E_FAIL"),
        ("0X80004005L", "E_FAIL"),
        ("error 53", "ERROR_BAD_NETPATH"),
        ("0x80070005", "ERROR_ACCESS_DENIED"),
        ("0xc000006d", "STATUS_LOGON_FAILURE"),
        ("STATMSG: ID=6703", "SMS_WSUS_SYNC_MANAGER"),
        ("Ereignis 7036", "Service Control Manager"),
    ],
)
def test_a_code_is_known_however_it_is_written(typed: str, name: str) -> None:
    assert name in [each.name for each in look_up(typed, "en")]


def test_the_substatus_of_iis_is_told_apart() -> None:
    assert [each.text for each in look_up("401.1", "en")] == ["Logon failed."]
    assert look_up("401.3", "de")[0].text.startswith("Nicht autorisiert aufgrund der Zugriffssteuerungsliste")


def test_a_number_that_means_several_things_tells_all_of_them() -> None:
    assert [each.kind for each in look_up("502", "en")] == ["http", "status message", "event"]
    assert [each.kind for each in look_up("event 502", "en")] == ["event"]


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_code_of_the_table_is_found_and_says_something(language: str) -> None:
    for kind, key in all_codes():
        found = look_up(f"0x{key}" if kind in ("hresult", "ntstatus") else key, language)
        assert any(each.kind == kind and each.text and each.source for each in found), key


def test_all_errors_that_the_catalogues_name_are_known() -> None:
    for name in load("status"):
        number = name.removeprefix("os_error_")
        if number.isdecimal():
            assert look_up(number, "en"), number
        if re.fullmatch(r"m\d+", name):
            assert look_up(name[1:], "de")[-1].text


@pytest.mark.parametrize("typed", ["", "  ", "x", "DROP TABLE", "9" * 61, "0x", "401.1.1", "\x00"])
def test_what_is_no_code_is_refused(typed: str) -> None:
    with pytest.raises(WsyncsimError):
        look_up(typed, "en")


@given(st.integers(0, (1 << 32) - 1))
def test_hexadecimal_signed_and_unsigned_mean_the_same(value: int) -> None:
    signed = value - (1 << 32) if value >> 31 else value
    if value >> 31:
        assert look_up(f"0x{value:08X}", "en") == look_up(f"error {signed}", "en")
    assert set(look_up(f"error 0x{value:08X}", "en")) <= set(look_up(f"error {value}", "en"))


@given(st.text(max_size=80))
def test_any_text_gives_codes_or_a_refusal(text: str) -> None:
    codes_in(text, "de")
    with suppress(WsyncsimError):
        look_up(text, "de")


def test_codes_are_found_in_lines_of_each_kind() -> None:
    iis = "2007-10-01 09:12:01 W3SVC1 10.0.0.2 POST /ApiRemoting30/WebService.asmx - 8530 - 10.0.0.1 - 401 2 2148074254"
    assert [each.name or each.spelled for each in codes_in(iis, "en")] == ["401.2", "SEC_E_NO_CREDENTIALS"]
    line = 'STATMSG: ID=6703 SEV=E LEV=M SOURCE="SMS Server" error 2147500037'
    assert {each.kind for each in codes_in(line, "en")} == {"status message", "hresult"}
    viewed = "Error  5/4/2026 8:05:01 AM  CM1  SMS_WSUS_SYNC_MANAGER  6703  The operating system reported error 53: ..."
    assert [each.name for each in codes_in(viewed, "en")] == ["SMS_WSUS_SYNC_MANAGER", "ERROR_BAD_NETPATH"]
    assert codes_in("Thread 4004 (0xFA4), 10.0.0.21", "en") == []


def test_reading_the_book_is_no_action_of_a_session() -> None:
    session = lab.open_ticket("1058", seed=7)
    before = session.now
    for line in session.look("L20").lines:
        codes_in(line, "en")
    codes.look_up("0x80004005", "en")
    assert session.now - before == session.sights[0].charged_min * 60_000_000
    assert [action["do"] for action in session.actions_done] == ["look"]
