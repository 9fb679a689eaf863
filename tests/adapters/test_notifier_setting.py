from __future__ import annotations

import pytest

from bot.adapters.notifier_setting import read_setting

MAIL = "mailtos://bot:pass@example.com?to=ana@example.com,ben@example.com&name=Tocsin"
SMS = "twilio://ACsid:token@+15550001/+15550002,+15550003"


@pytest.mark.parametrize(
    "text",
    [
        f"mail={MAIL},sms={SMS}",
        f"mail={MAIL} , sms = {SMS}",
        f"mail={MAIL}\nsms={SMS}\n",
        f"\n  mail={MAIL}\r\n\n  sms={SMS}  ",
    ],
)
def test_entries_stand_on_lines_or_between_commas_and_addresses_hold_commas(text: str) -> None:
    read = read_setting(text)
    assert read.addresses == {"mail": MAIL, "sms": SMS}
    assert read.problems == ()


@pytest.mark.parametrize("text", ["", "  \n ", "\n\n"])
def test_nothing_is_no_entry(text: str) -> None:
    assert read_setting(text).addresses == {}
    assert read_setting(text).problems == ()


def test_all_that_is_wrong_is_said_and_nothing_of_an_address() -> None:
    read = read_setting(
        "ok=json://a.example/s3cret\nno address s3cret\n"
        "Bad Name=json://s3cret,spaced=json://s3 cret\nok=json://s3cret\n=json://s3cret"
    )
    assert read.addresses.keys() == {"ok"}
    form = "is not of the form name=address"
    starts = [
        f"TOCSIN_NOTIFIERS: entry 2 {form}",
        f"TOCSIN_NOTIFIERS: entry 3 {form}",
        f"TOCSIN_NOTIFIERS: entry 4 {form}",
        f"TOCSIN_NOTIFIERS: entry 6 {form}",
        "TOCSIN_NOTIFIERS: “ok” is given twice.",
    ]
    assert len(read.problems) == len(starts)
    for problem, start in zip(read.problems, starts, strict=True):
        assert problem.startswith(start)
        assert "cret" not in problem
