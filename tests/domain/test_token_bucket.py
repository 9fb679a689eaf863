from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.page_events import PageAction
from bot.domain.token_bucket import OTHERS, TRIGGERS, PagerBudget, take

TRIGGER, RESOLVE = PageAction.TRIGGER, PageAction.RESOLVE
LIMIT = 120
"""Events that PagerDuty takes in a minute for one routing key."""

Events = list[tuple[float, PageAction]]


def passed(events: Events) -> Events:
    """Those that need not wait."""
    budget, found = PagerBudget(), Events()
    for now, action in events:
        budget, wait = take(budget, now, action)
        if wait == 0:
            found.append((now, action))
    return found


def timed(pauses: list[tuple[float, PageAction]]) -> Events:
    now, found = 0.0, Events()
    for pause, action in pauses:
        now += pause
        found.append((now, action))
    return found


streams = st.lists(
    st.tuples(st.sampled_from([0.0, 0.01, 0.5, 1.0, 7.0, 90.0]), st.sampled_from(PageAction)),
    max_size=400,
).map(timed)


def test_the_numbers_together_are_the_limit() -> None:
    rates = (TRIGGERS, OTHERS)
    assert sum(rate.capacity + rate.per_minute for rate in rates) == LIMIT


@given(streams)
def test_no_minute_has_more_than_the_limit(events: Events) -> None:
    sent = [now for now, _ in passed(events)]
    for begin in sent:
        assert sum(begin <= now < begin + 60 for now in sent) <= LIMIT


def test_under_the_greatest_pressure_every_minute_stays_under_the_limit() -> None:
    pressed = [(n * 0.02, action) for n in range(12_000) for action in (TRIGGER, RESOLVE)]
    sent = [now for now, _ in passed(pressed)]
    counts = [sum(begin <= now < begin + 60 for now in sent) for begin in sent]
    assert LIMIT - 2 <= max(counts) <= LIMIT


@given(streams)
def test_a_trigger_waits_for_earlier_triggers_only(events: Events) -> None:
    triggers = [event for event in events if event[1] is TRIGGER]
    assert [event for event in passed(events) if event[1] is TRIGGER] == passed(triggers)


def test_the_pages_of_a_storm_go_out_at_once_whatever_is_resolved() -> None:
    storm = [(0.0, RESOLVE)] * 1_000 + [(0.0, TRIGGER)] * TRIGGERS.capacity
    sent = passed(storm)
    assert [action for _, action in sent].count(TRIGGER) == TRIGGERS.capacity
    assert [action for _, action in sent].count(RESOLVE) == OTHERS.capacity


@pytest.mark.parametrize("action", PageAction)
@given(start=st.floats(0, 1e9), spent=st.integers(0, 100))
def test_who_waits_as_long_as_told_waits_once(action: PageAction, start: float, spent: int) -> None:
    budget = PagerBudget()
    for _ in range(spent):
        budget, _wait = take(budget, start, action)
    budget, wait = take(budget, start, action)
    _budget, again = take(budget, start + wait, action)
    assert wait < 60 / OTHERS.per_minute + 1
    assert again == 0 or wait == 0


def test_what_had_to_wait_took_nothing() -> None:
    budget = PagerBudget()
    for _ in range(TRIGGERS.capacity + 1):
        budget, wait = take(budget, 5.0, TRIGGER)
    assert wait > 0
    assert take(budget, 5.0, TRIGGER) == (budget, wait)
