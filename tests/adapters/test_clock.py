"""A clock that is not put back without notice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.clock import HeldClock, SystemClock
from tests.support.clock import START, FakeClock

ZERO = timedelta(0)
TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
def wall() -> FakeClock:
    return FakeClock()


@pytest.fixture
def held(wall: FakeClock) -> HeldClock:
    return HeldClock(wall.now, wall.steady)


def test_as_long_as_nobody_touches_it_it_is_the_machines(wall: FakeClock, held: HeldClock) -> None:
    wall.advance(3_600)
    assert held.now() == wall.now()
    assert held.held() == ZERO


def test_it_goes_on_when_it_is_put_back_until_it_is_to_follow(
    wall: FakeClock, held: HeldClock
) -> None:
    wall.advance(60)
    wall.put(-600)
    wall.advance(5)
    assert held.now() == START + timedelta(seconds=65)
    assert held.held() == TEN_MINUTES
    held.follow(TEN_MINUTES)
    assert held.now() == wall.now()
    assert held.held() == ZERO


def test_a_second_step_is_held_as_well(wall: FakeClock, held: HeldClock) -> None:
    wall.put(-600)
    by = held.held()
    wall.put(-300)
    held.follow(by)
    assert held.held() == timedelta(minutes=5)


def test_what_could_not_be_moved_is_held_on(wall: FakeClock, held: HeldClock) -> None:
    wall.put(-600)
    held.follow(TEN_MINUTES)
    held.follow(-TEN_MINUTES)
    wall.advance(1)
    assert held.held() == TEN_MINUTES


def test_it_follows_forward_at_once_and_a_step_that_is_taken_back_is_none(
    wall: FakeClock, held: HeldClock
) -> None:
    wall.put(600)
    assert held.now() == START + TEN_MINUTES
    wall.put(-600)
    assert held.held() == TEN_MINUTES
    wall.put(600)
    assert held.held() == ZERO


def test_it_goes_on_from_what_was_seen_before_the_start(wall: FakeClock, held: HeldClock) -> None:
    held.went_on(START + TEN_MINUTES)
    held.went_on(START)
    wall.advance(7)
    assert held.now() == START + timedelta(seconds=607)
    assert held.held() == TEN_MINUTES


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(-4_000, 4_000)), max_size=20))
def test_it_never_goes_back_by_more_than_nobody_notices(
    happened: list[tuple[int, int]],
) -> None:
    wall = FakeClock()
    held = HeldClock(wall.now, wall.steady)
    shown = held.now()
    for passed, put in happened:
        wall.advance(passed)
        wall.put(put)
        now = held.now()
        assert now >= shown - timedelta(seconds=2)
        assert now - wall.now() == held.held()
        shown = now


def test_by_itself_it_goes_by_the_machines() -> None:
    held = HeldClock()
    assert abs(held.now() - datetime.now(UTC)) < timedelta(minutes=1)
    assert abs(held.now() - SystemClock().now()) < timedelta(minutes=1)
