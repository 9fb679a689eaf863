"""What can't be seen leaves a mark, and what can stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.printable import MARK, printable


@pytest.mark.parametrize(
    "character", ["\0", "\x1b", "\x07", "\x7f", "\x9b", "\u200f", "\u202e", "\u2066", "\ud800"]
)
def test_what_hides_or_reorders_leaves_a_mark(character: str) -> None:
    assert printable(f"a{character}b") == f"a{MARK}b"


@pytest.mark.parametrize(
    "text", ["", "two\r\nlines\tand a tab", "Größe 日本 💥", "\N{ZERO WIDTH SPACE}"]
)
def test_what_people_write_stays(text: str) -> None:
    assert printable(text) == text


@given(st.text(st.characters()))
def test_any_text_can_be_encoded_afterwards_and_stays_as_long(text: str) -> None:
    shown = printable(text)
    assert len(shown.encode().decode()) == len(text)
    assert printable(shown) == shown
