from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.durations import length, moment, span
from bot.domain.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2h", timedelta(hours=2)),
        ("90m", timedelta(minutes=90)),
        ("1d", timedelta(days=1)),
        ("2W", timedelta(weeks=2)),
        ("1d12h", timedelta(hours=36)),
        ("1h30m15s", timedelta(seconds=5415)),
        ("0m", timedelta()),
    ],
)
def test_a_length_is_read(text: str, expected: timedelta) -> None:
    assert length(text) == expected


@pytest.mark.parametrize("text", ["2", "h", "-2h", "2 h", "2h2h", "30m2h", "1.5h", "٢h", "9" * 99])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"is no length of time; write it like 90m, 2h or 1d\."):
        length(text)


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-12-01T22:00Z", 22),
        ("2026-12-01t22:00z", 22),
        ("2026-12-01T22:00", 22),
        ("2026-12-01T22:00:00Z", 22),
        ("2026-12-01T23:00+01:00", 22),
        ("2026-12-01T19:00-02:00", 21),
    ],
)
def test_a_moment_is_read_in_utc(text: str, hour: int) -> None:
    assert moment(text) == datetime(2026, 12, 1, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "22:00", "2026-12-01", "2026-13-01T22:00Z", "1999-01-01T00:00Z", "tomorrow", "x" * 99],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no time; write it like 2026-12-01T22:00Z"):
        moment(text)


@given(st.text())
def test_any_text_is_read_or_refused_in_a_few_words(text: str) -> None:
    assert all(len(refusal_of(read, text)) < 200 for read in (length, moment))


def refusal_of(read: Callable[[str], object], text: str) -> str:
    """Why it is refused, or nothing."""
    try:
        read(text)
    except InvalidInput as refusal:
        return str(refusal)
    return ""


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(), "1 s"),
        (timedelta(milliseconds=200), "1 s"),
        (timedelta(seconds=59.2), "1 min"),
        (timedelta(seconds=750), "12 min 30 s"),
        (timedelta(minutes=60), "1 h"),
        (timedelta(hours=1, minutes=29, seconds=1), "1 h 30 min"),
        (timedelta(seconds=86_399), "24 h"),
        (timedelta(days=14), "14 d"),
        (timedelta(days=7, hours=3), "7 d 3 h"),
    ],
)
def test_a_span_is_said_in_two_units_and_never_too_short(length: timedelta, said: str) -> None:
    assert span(length) == said
