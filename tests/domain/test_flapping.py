from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.flapping import Flapping

NOW = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
waits = st.timedeltas(timedelta(0), timedelta(hours=3))
flappings = st.tuples(waits, waits).map(lambda pair: Flapping(MINUTE, min(pair), max(pair)))
flap_counts = st.integers(0, 60)


@pytest.mark.parametrize(
    ("flaps", "minutes"), [(0, 0), (1, 2), (2, 4), (3, 8), (4, 15), (5, 15), (10_000, 15)]
)
def test_the_wait_doubles_with_every_flap_up_to_the_longest(flaps: int, minutes: int) -> None:
    assert Flapping().quiet(flaps) == minutes * MINUTE


@given(flappings, flap_counts, flap_counts)
def test_more_flaps_never_wait_less(flapping: Flapping, one: int, other: int) -> None:
    fewer, more = sorted((one, other))
    assert flapping.quiet(fewer) <= flapping.quiet(more) <= flapping.longest_wait


@pytest.mark.parametrize("flaps", [1, 2, 50])
def test_no_wait_at_all_can_be_asked_for(flaps: int) -> None:
    assert Flapping(first_wait=timedelta(0)).quiet(flaps) == timedelta(0)


@pytest.mark.parametrize(
    ("since", "rejoins"),
    [
        (timedelta(0), True),
        (15 * MINUTE, True),
        (15 * MINUTE + timedelta(microseconds=1), False),
    ],
)
def test_it_rejoins_until_the_window_is_over(since: timedelta, rejoins: bool) -> None:
    assert Flapping().rejoins(NOW - since, NOW) is rejoins
