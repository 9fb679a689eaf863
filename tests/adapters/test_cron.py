"""Cron expressions name moments on a wall clock, in summer and in winter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.cron import next_after
from bot.domain.errors import InvalidInput

BERLIN = "Europe/Berlin"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def following(expression: str, zone: str, since: str, count: int) -> list[str]:
    found = [moment(since)]
    for _ in range(count):
        found.append(next_after(expression, zone, found[-1]))
    return [f"{one:%m-%d %H:%M}" for one in found[1:]]


@pytest.mark.parametrize(
    ("expression", "zone", "since", "expected"),
    [
        ("0 10 * * 1", "UTC", "2026-03-01 10:00", "03-02 10:00"),
        ("0 10 * * 1", "UTC", "2026-03-02 10:00", "03-09 10:00"),
        ("0 10 * * mon", BERLIN, "2026-03-01 10:00", "03-02 09:00"),
        ("0 10 * JUN *", BERLIN, "2026-03-01 10:00", "06-01 08:00"),
        ("*/15 8-17 * * 1-5", "UTC", "2026-03-02 17:45", "03-03 08:00"),
        ("0 0 1,15 * *", "UTC", "2026-03-02 00:00", "03-15 00:00"),
        ("0 0 29 2 *", "UTC", "2026-03-02 00:00", "02-29 00:00"),
    ],
)
def test_the_next_time(expression: str, zone: str, since: str, expected: str) -> None:
    assert following(expression, zone, since, 1) == [expected]


def test_an_hour_that_is_left_out_comes_later() -> None:
    expected = ["03-28 01:30", "03-29 01:30", "03-30 00:30"]
    assert following("30 2 * * *", BERLIN, "2026-03-28 00:00", 3) == expected


def test_an_hour_that_comes_twice_counts_once() -> None:
    expected = ["10-25 00:30", "10-26 01:30", "10-27 01:30"]
    assert following("30 2 * * *", BERLIN, "2026-10-24 12:00", 3) == expected
    assert following("30 2 * * *", BERLIN, "2026-10-25 00:45", 1) == ["10-26 01:30"]
    assert following("30 2 * * *", BERLIN, "2026-10-25 01:10", 1) == ["10-26 01:30"]


@given(st.integers(0, 365 * 24 * 3600))
def test_time_goes_on(seconds: int) -> None:
    found = [moment("2026-01-01 00:00") + timedelta(seconds=seconds)]
    for _ in range(5):
        found.append(next_after("*/20 * * * *", BERLIN, found[-1]))
    assert all(timedelta(0) < later - at <= timedelta(hours=2) for at, later in pairwise(found))


@pytest.mark.parametrize(
    ("expression", "zone", "said"),
    [
        ("0 10 * * 1", "Mars/Olympus", "There is no timezone “Mars/Olympus”"),
        ("0 10 * * 1", "", "There is no timezone “”"),
        ("0 10 * * 1", "../../etc/passwd", "There is no timezone"),
        ("0 10 * * 1", "Europe", "There is no timezone"),
        ("0 10 * *", "UTC", "it has 4 fields and not the five"),
        ("@weekly", "UTC", "it has 1 fields"),
        ("0 0 10 * * 1", "UTC", "it has 6 fields"),
        ("R R * * *", "UTC", "its minute is “R”"),
        ("0 10 l * *", "UTC", "its day of the month is “l”"),
        ("61 * * * *", "UTC", "names no time"),
        ("0 10 * * xyz", "UTC", "names no time"),
        ("*/0 * * * *", "UTC", "names no time"),
        ("0 0 30 2 *", "UTC", "names no time"),
    ],
)
def test_what_is_no_schedule_is_said(expression: str, zone: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        next_after(expression, zone, moment("2026-03-01 10:00"))
