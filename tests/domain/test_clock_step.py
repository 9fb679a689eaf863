"""A clock that is put back: what waits is decided as if nobody had touched it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.actor import TOCSIN
from bot.domain.attendance import escalation_state, overdue, page_record
from bot.domain.auditing import audit
from bot.domain.classify import Severity
from bot.domain.clock_step import (
    UNNOTICED,
    latest_moment,
    moved_beat,
    moved_incident,
    moved_test,
    put_back_by,
)
from bot.domain.contact import PagerRoute, notifier, pagerduty
from bot.domain.escalation import StepsDone, due
from bot.domain.escalation_policy import Escalation, EscalationPlan, EscalationStep
from bot.domain.heartbeat import Beat, review
from bot.domain.incident import Calling, Incident, IncidentState, PageState, Response, settle
from bot.domain.incident_events import ClockPutBack
from bot.domain.page_events import FallbackUsed, PageAction
from bot.domain.page_guard import guard, tried_since_called
from bot.domain.page_test import PageTest, PageTestState
from bot.domain.response_clock import next_call, respond_by
from bot.domain.timeline import Recorded
from tests.support.examples import NOW, incident

SMS, SECOND = notifier("sms"), pagerduty(PagerRoute.SECONDARY)
MINUTE = timedelta(minutes=1)
STEPS = (EscalationStep(5 * MINUTE, SECOND), EscalationStep(12 * MINUTE, SMS))
PLAN = EscalationPlan({level: Escalation("any", STEPS, 1, 30 * MINUTE) for level in Severity})

steps = st.timedeltas(timedelta(seconds=3), timedelta(hours=2))
moments = st.timedeltas(timedelta(hours=-2), timedelta(0)).map(lambda ago: NOW + ago)
looks = st.timedeltas(timedelta(0), timedelta(hours=3)).map(lambda later: NOW + later)
perhaps = st.none() | moments
levels = st.sampled_from(Severity)
pages = st.builds(
    PageState,
    st.sampled_from(PageAction),
    levels,
    st.sampled_from(["", "Invalid routing key"]),
    moments,
)
callings = st.builds(
    Calling, moments, st.sampled_from(["", "by webhook"]), perhaps, st.integers(0, 3), perhaps
)
responses = st.builds(
    Response,
    plan=st.just(PLAN),
    done=st.none() | st.builds(StepsDone, levels, st.integers(1, 4), moments),
    heard_at=perhaps,
    asked_at=perhaps,
    first_at=perhaps,
)
incidents = st.builds(
    replace,
    levels.map(incident),
    opened_at=moments,
    state=st.sampled_from(IncidentState),
    acknowledged_at=perhaps,
    quiet_until=st.none() | looks,
    page=st.none() | pages,
    calling=st.none() | callings,
    response=responses,
)


def used(*moments_used: datetime) -> list[Recorded]:
    """That the contacts of the chain were turned to then, by turns."""
    return [
        Recorded(number, at, TOCSIN, FallbackUsed((SMS, SECOND)[number % 2], 90.0), 7, None)
        for number, at in enumerate(moments_used)
    ]


@given(incidents, looks, steps)
def test_what_is_due_stays_due_and_what_is_not_is_as_far_away(
    before: Incident, now: datetime, by: timedelta
) -> None:
    after, then = moved_incident(before, by), now - by
    was = due(PLAN, escalation_state(before), now)
    again = was.look_again_at and was.look_again_at - by
    assert due(PLAN, escalation_state(after), then) == replace(was, look_again_at=again)
    assert overdue(after, then) == overdue(before, now)
    assert settle(after, then) == settle(before, now)
    until = respond_by(before)
    assert respond_by(after) == (until and until - by)
    call = next_call(before)
    assert next_call(after) == (call and replace(call, at=call.at - by))


@given(incidents, st.lists(moments, max_size=3).map(sorted), looks, steps)
def test_so_it_is_with_the_fallback_chain(
    before: Incident, when: list[datetime], now: datetime, by: timedelta
) -> None:
    if before.calling is not None:
        before = replace(before, calling=replace(before.calling, contacts_used=len(when)))
    after, told = moved_incident(before, by), used(*when)
    put_back = Recorded(9, now - by, TOCSIN, ClockPutBack(by), 7, None)
    was = guard(before, (SMS, SECOND), tried_since_called(before, told), now)
    tried = tried_since_called(after, [*told, put_back])
    assert guard(after, (SMS, SECOND), tried, now - by) == replace(
        was, due_at=was.due_at and was.due_at - by
    )


@given(incidents, looks, steps)
def test_the_audit_finds_the_same(before: Incident, now: datetime, by: timedelta) -> None:
    def found(one: Incident, at: datetime) -> list[tuple[str, timedelta]]:
        record = page_record(one)
        findings = audit([(one, record)] if record else [], at)
        return [(each.reason, each.stood_for(at)) for each in findings]

    assert found(moved_incident(before, by), now - by) == found(before, now)


@given(incidents)
def test_nothing_that_is_past_is_later_than_the_latest_moment(one: Incident) -> None:
    latest = latest_moment(one)
    assert latest <= NOW
    past = (one.opened_at, one.response.heard_at, one.calling and one.calling.since)
    assert all(moment <= latest for moment in past if moment)


@pytest.mark.parametrize(
    ("seconds", "back"),
    [(0, 0), (600, 0), (-1, 0), (-2, 0), (-2.5, 2.5), (-600, 600), (-3600, 3600)],
)
def test_by_how_much_a_clock_was_put_back(seconds: float, back: float) -> None:
    assert put_back_by(NOW, NOW + timedelta(seconds=seconds)) == timedelta(seconds=back)
    assert timedelta(seconds=2) == UNNOTICED


@given(moments, looks, steps)
def test_a_heartbeat_is_missed_as_soon_as_ever(
    last: datetime, now: datetime, by: timedelta
) -> None:
    beat = Beat("watchdog", "watchdog", last, 10 * MINUTE, {})
    up_since = NOW - timedelta(hours=5)
    moved = review([moved_beat(beat, by)], now - by, up_since - by)
    assert bool(moved) is bool(review([beat], now, up_since))


def test_a_page_test_that_runs_is_late_as_soon_as_ever_and_one_that_waits_keeps_its_time() -> None:
    waits = PageTest(1, "0 3 * * * UTC", NOW)
    runs = replace(waits, state=PageTestState.RUNNING, confirm_by=NOW + 5 * MINUTE)
    assert moved_test(waits, 10 * MINUTE) == waits
    assert moved_test(runs, 10 * MINUTE) == replace(runs, confirm_by=NOW - 5 * MINUTE)
