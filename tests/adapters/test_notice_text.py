from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.notice_text import LONGEST_BODY, LONGEST_TITLE, body_of, title_of
from bot.domain.classify import Severity
from bot.domain.notice import Notice

MENTION = re.compile(r"@\S|<[!@#/\w]|![A-Za-z]")
"""What chat services take for a mention, a channel or a tag."""


def notice(title: str = "t", body: str = "b", link: str = "") -> Notice:
    return Notice(title, body, Severity.P1, link)


def test_the_level_comes_first_and_the_link_last() -> None:
    told = notice("HighErrorRate: checkout", "Errors > 5 % & rising.\nINC-7", "https://r.example/7")
    assert title_of(told) == "P1: HighErrorRate: checkout"
    assert body_of(told) == "Errors > 5 % & rising.\nINC-7\nhttps://r.example/7"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<!channel> down", "< ! channel> down"),
        ("@<@@b", "@ < @ @ b"),
        ("@everyone", "@ everyone"),
        ("mail ops@example.com", "mail ops@ example.com"),
        ("<@U1> <#C1> <at>x</at>", "< @ U1> < #C1> < at>x< /at>"),
        ("!here>", "! here>"),
        ("a <= b != c", "a <= b != c"),
        ("null\x00 bell\x07 \u202eback\u2066", "null bell back"),
        ("half \ud83d", "half"),
    ],
)
def test_no_text_mentions_anybody_or_holds_what_does_not_print(text: str, shown: str) -> None:
    assert title_of(notice(title=text)) == f"P1: {shown}"
    assert body_of(notice(body=text)) == shown


@given(st.text(st.sampled_from("@!<># \n\r\tab/&|\u2028\x00"), max_size=60))
def test_whatever_comes_stays_text(text: str) -> None:
    told = notice(title=text, body=text)
    assert "\n" not in title_of(told)
    for shown in (title_of(told), body_of(told)):
        assert MENTION.search(shown) is None
        assert all(line.isprintable() for line in shown.split("\n"))


def test_what_is_too_long_is_cut_and_the_link_is_kept() -> None:
    told = notice("t" * 500, "b" * 5_000, "https://r.example/7")
    assert len(title_of(told)) == LONGEST_TITLE
    text, link = body_of(told).split("\n")
    assert (len(text), text[-1], link) == (LONGEST_BODY, "…", "https://r.example/7")


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "https://good.example@evil.example/",
        "https://a.example/ @here",
        "https://a.example/\n@here",
        "file:///etc/passwd",
        "//a.example",
        "https://a.example/" + "x" * 2_000,
        "https://a.example/<!channel>",
    ],
)
def test_a_link_that_may_be_another_thing_is_left_out(link: str) -> None:
    assert body_of(notice(link=link)) == "b"


def test_a_body_is_never_empty() -> None:
    assert body_of(notice(body=" \n ")) == "P1: t"
