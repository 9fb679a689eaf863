from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.classify import Severity
from bot.domain.effects import (
    ANSWER_TRIES,
    FIRST_RETRY,
    LONGEST_RETRY,
    SOON,
    AdvanceRun,
    Announce,
    AnswerOnCall,
    AnswerPlan,
    Attend,
    Effect,
    ExpireRun,
    InviteOnCall,
    Lane,
    MatchPagerEvent,
    ReviewSeverity,
    ReviewWindow,
    RunSuggested,
    SendAnswer,
    SettleIncident,
    SetUrgency,
    SharePictures,
    UpdateMessage,
    UpdatePage,
    UpdateSilence,
    UpdateTicket,
    WriteNote,
    first_delay,
    lane,
    next_try,
    order_key,
    priority,
    retry_delay,
    waiting_place,
)
from bot.domain.message import Message, Subject, SubjectKind
from tests.support.examples import PAGER_EVENT

URL = "https://hooks.slack.example/1"
PAGE = UpdatePage(7, Severity.P1)
MESSAGE = UpdateMessage(Subject(SubjectKind.INCIDENT, 7))
ANSWER = SendAnswer(URL, Message("Done."))
ON_CALL = AnswerOnCall(URL, "checkout")
PLAN = AnswerPlan(URL, "restart@1.0.0", ("payments/checkout",))
INVITE = InviteOnCall(7)
PICTURES = SharePictures(7)
SAYING = Announce(Subject(SubjectKind.RUN, 7, "tell"))
RUN = AdvanceRun(7)
EXPIRY = ExpireRun(7)
SUGGESTED = RunSuggested(7, "key")
SETTLE = SettleIncident(7)
SEVERITY = ReviewSeverity(7)
WINDOW = ReviewWindow(7)
SILENCE = UpdateSilence(7)
ATTEND = Attend(7, Severity.P1)
MATCH = MatchPagerEvent(PAGER_EVENT)
URGENCY = SetUrgency(7)
NOTE = WriteNote(7, "ana: Looking at the database.")
TICKET = UpdateTicket(7)
LATER = (SETTLE, SEVERITY, WINDOW, SILENCE, MATCH, URGENCY, NOTE)
EFFECTS: tuple[Effect, ...] = (
    PAGE,
    ATTEND,
    MESSAGE,
    ANSWER,
    PLAN,
    ON_CALL,
    INVITE,
    SAYING,
    PICTURES,
    RUN,
    EXPIRY,
    SUGGESTED,
    *LATER,
    TICKET,
)
SHARED = (MESSAGE, SEVERITY, ATTEND)
"""Of which one waits for all that ask for the same."""

PATIENT = (PAGE, ATTEND, MESSAGE, INVITE, SAYING, RUN, EXPIRY, SUGGESTED, *LATER, TICKET)
attempts = st.integers(1, 10_000)
jitters = st.floats(0.0, 1.0)


def test_every_type_of_effect_is_tested() -> None:
    assert tuple(map(type, EFFECTS)) == get_args(Effect)


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (PAGE, Lane.PAGING),
        (ATTEND, Lane.PAGING),
        (replace(PAGE, severity=Severity.P0), Lane.CRITICAL),
        (replace(ATTEND, severity=Severity.P0), Lane.CRITICAL),
        (MESSAGE, Lane.CHAT),
        (ANSWER, Lane.CHAT),
        (ON_CALL, Lane.CHAT),
        (INVITE, Lane.CHAT),
        (PICTURES, Lane.CHAT),
        (PLAN, Lane.RUNS),
        (RUN, Lane.RUNS),
        (SUGGESTED, Lane.RUNS),
        (EXPIRY, Lane.UPKEEP),
        *((one, Lane.UPKEEP) for one in LATER),
        (TICKET, Lane.TICKETS),
    ],
)
def test_each_effect_waits_in_its_lane(effect: Effect, expected: Lane) -> None:
    assert lane(effect) is expected


def test_what_concerns_one_thing_is_done_in_order() -> None:
    assert order_key(PAGE) == order_key(replace(PAGE, severity=Severity.P0, attempt=9))
    assert order_key(MESSAGE) == order_key(replace(MESSAGE, attempt=9))
    assert order_key(ANSWER) == order_key(PLAN) == order_key(ON_CALL)
    assert order_key(PAGE) == order_key(SETTLE) == order_key(SEVERITY)
    assert order_key(WINDOW) == order_key(SILENCE)
    assert order_key(NOTE) == order_key(URGENCY)
    assert order_key(MATCH) == order_key(MatchPagerEvent(replace(PAGER_EVENT, event_id="E2")))


def test_what_concerns_two_things_is_not() -> None:
    other_run = UpdateMessage(Subject(SubjectKind.RUN, 7))
    keys = [
        order_key(one) for one in (MESSAGE, other_run, ANSWER, replace(ANSWER, response_url=""))
    ]
    assert len(set(keys)) == len(keys)
    assert order_key(PAGE) != order_key(UpdatePage(8, Severity.P1))
    assert order_key(RUN) != order_key(AdvanceRun(8))
    other_events = (order_key(one) for one in (PAGE, RUN, WINDOW, MATCH, NOTE, TICKET))
    assert len(set(other_events)) == 6


def test_a_message_that_may_wait_waits_a_second_and_nothing_else_does() -> None:
    soon = replace(MESSAGE, soon=True)
    assert {first_delay(one) for one in EFFECTS} == {0.0}
    assert first_delay(soon) == SOON


def test_updates_of_one_message_share_a_place_for_each_haste() -> None:
    soon, retry = replace(MESSAGE, soon=True), replace(MESSAGE, attempt=2)
    places = [waiting_place(one) for one in (MESSAGE, soon, retry)]
    assert len(set(places)) == 3
    assert waiting_place(replace(soon, attempt=3)) == places[2]
    other = UpdateMessage(Subject(SubjectKind.RUN, 7))
    assert waiting_place(other) not in places


def test_one_look_at_an_incidents_facts_waits_at_a_time() -> None:
    assert waiting_place(SEVERITY) == waiting_place(replace(SEVERITY, attempt=2))
    assert waiting_place(SEVERITY) not in (None, waiting_place(ReviewSeverity(8)))


def test_one_retry_for_a_ticket_waits_at_a_time() -> None:
    """While a tracker is down for days, each change would else begin tries of its own."""
    assert waiting_place(TICKET) is None
    retry = waiting_place(replace(TICKET, attempt=2))
    assert retry == waiting_place(replace(TICKET, attempt=9))
    others = (UpdateTicket(8, attempt=2), UpdateTicket(7, attempt=2, follow_up=1))
    assert retry not in (None, *map(waiting_place, others))


def test_tickets_of_one_incident_do_not_wait_for_each_other() -> None:
    assert order_key(TICKET) != order_key(replace(TICKET, follow_up=1))


@pytest.mark.parametrize("effect", [one for one in EFFECTS if one not in SHARED])
def test_nothing_else_is_dropped_for_one_that_waits(effect: Effect) -> None:
    assert waiting_place(effect) is None


def test_a_worse_page_goes_first() -> None:
    priorities = [priority(UpdatePage(7, level)) for level in Severity]
    assert priorities == sorted(set(priorities))


def test_pages_go_before_whatever_else_concerns_their_incident() -> None:
    pages = [priority(UpdatePage(7, level)) for level in Severity]
    assert max(pages) < min(priority(one) for one in EFFECTS if one not in (PAGE, ATTEND))


@pytest.mark.parametrize("effect", PATIENT)
def test_what_matters_is_tried_for_as_long_as_it_takes(effect: Effect) -> None:
    assert next_try(replace(effect, attempt=1_000)) == replace(effect, attempt=1_001)


@pytest.mark.parametrize("effect", [ANSWER, PLAN, ON_CALL])
def test_an_answer_that_nobody_waits_for_is_given_up(effect: Effect) -> None:
    last = replace(effect, attempt=ANSWER_TRIES)
    assert next_try(replace(effect, attempt=ANSWER_TRIES - 1)) == last
    assert next_try(last) is None


@given(attempts, jitters)
def test_retries_stay_between_the_first_and_the_longest(attempt: int, jitter: float) -> None:
    assert FIRST_RETRY / 2 <= retry_delay(attempt, None, jitter) <= LONGEST_RETRY


@given(attempts, jitters)
def test_retries_get_no_more_frequent(attempt: int, jitter: float) -> None:
    assert retry_delay(attempt, None, jitter) <= retry_delay(attempt + 1, None, jitter)


@given(attempts, jitters, st.floats(0, 7200))
def test_a_retry_waits_as_long_as_it_was_asked_to(
    attempt: int, jitter: float, asked: float
) -> None:
    assert retry_delay(attempt, asked, jitter) == max(asked, retry_delay(attempt, None, jitter))


def test_jitter_spreads_the_retries_over_half_their_delay() -> None:
    assert [retry_delay(4, None, jitter) for jitter in (0.0, 0.5, 1.0)] == [4.0, 6.0, 8.0]
    assert [retry_delay(attempt, None, 1.0) for attempt in range(1, 8)] == [1, 2, 4, 8, 16, 32, 60]
