from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.classify import Severity
from bot.domain.contact import Contact, Mention, PagerRoute, notifier, pagerduty, slack
from bot.domain.incident import Calling, Incident, PageState
from bot.domain.incident_events import IncidentEvent, NoteAdded
from bot.domain.page_events import FallbackUsed, PageAction
from bot.domain.page_guard import (
    ALL_FAILED_AFTER,
    CLOCK_SKEW,
    CONFIRM_WITHIN,
    NEXT_CONTACT_AFTER,
    NEXT_ROUND_AFTER,
    GuardDecision,
    GuardReason,
    Tried,
    guard,
    told_since_called,
    tried_since_called,
)
from bot.domain.timeline import Recorded
from tests.support.examples import ANA, NOW, incident

SMS, SECOND, SLACK = notifier("sms"), pagerduty(PagerRoute.SECONDARY), slack(Mention.BY_LEVEL)
CHAIN = (SMS, SECOND, SLACK)
CALLED = incident(Severity.P0, calling=Calling(NOW))
TRIGGER = PageState(PageAction.TRIGGER, Severity.P0, at=NOW)
REFUSED = replace(CALLED, page=replace(TRIGGER, refused="Invalid routing key"))
DARK = replace(CALLED, calling=Calling(NOW, retry_at=NOW))


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def took(*contacts: Contact, start: float = 90) -> list[Tried]:
    """Each took it, half a minute after the one before."""
    return [Tried(one, at(start + 30 * number)) for number, one in enumerate(contacts)]


def due(
    tried: Sequence[Tried] = (), called: Incident = CALLED, chain: Sequence[Contact] = CHAIN
) -> tuple[Contact, float]:
    """Who is to be turned to next, and after how many seconds; never before."""
    waits = guard(called, chain, tried, NOW)
    assert waits.due_at is not None
    contact = guard(called, chain, tried, waits.due_at).contact
    assert contact is not None
    before = waits.due_at - timedelta(milliseconds=1)
    if before >= NOW and not (tried and before < tried[-1].at - CLOCK_SKEW):
        assert guard(called, chain, tried, before).contact is None
    return contact, (waits.due_at - NOW).total_seconds()


@pytest.mark.parametrize(
    ("tried", "next_one"),
    [
        ([], (SMS, 90)),
        (took(SMS), (SECOND, 120)),
        (took(SMS, SECOND), (SLACK, 150)),
        (took(SMS, SECOND, SLACK), (SMS, 150 + 300)),
        (took(SMS, SECOND, SLACK, SMS), (SECOND, 180 + 30)),
        # Who did not take it is not waited for.
        ([Tried(SMS, at(90), failed=True)], (SECOND, 90)),
        ([*took(SMS), Tried(SECOND, at(120), failed=True)], (SLACK, 120)),
        ([Tried(one, at(90), failed=True) for one in CHAIN], (SMS, 90 + 60)),
        # The order has changed meanwhile: still each one once.
        (took(SECOND), (SMS, 120)),
        (took(SECOND, SMS), (SLACK, 150)),
        # One that the policy no longer names.
        (took(notifier("gone")), (SMS, 120)),
        (took(notifier("gone"), SMS, SECOND, SLACK), (SMS, 180 + 300)),
    ],
)
def test_the_chain_is_gone_down_in_order_each_contact_once_a_round(
    tried: list[Tried], next_one: tuple[Contact, float]
) -> None:
    assert due(tried) == next_one


def test_a_refused_page_is_not_waited_for() -> None:
    assert due(called=REFUSED) == (SMS, 0)
    assert guard(REFUSED, CHAIN, (), NOW).reason is GuardReason.REFUSED
    assert due(took(SMS, start=0), REFUSED) == (SECOND, 30)


def test_what_was_refused_last_night_does_not_count() -> None:
    old = replace(REFUSED, calling=Calling(at(1)))
    assert told_since_called(old) is None
    assert guard(old, CHAIN, (), at(2)) == GuardDecision(GuardReason.TOO_EARLY, due_at=at(91))


def test_while_the_pager_is_dark_its_second_key_comes_last() -> None:
    chain = (SECOND, SMS, SLACK)
    assert due(called=DARK, chain=chain)[0] == SMS
    assert due(took(SMS), DARK, chain)[0] == SLACK
    assert due(took(SMS, SLACK), DARK, chain)[0] == SECOND
    assert due(called=CALLED, chain=chain)[0] == SECOND


@pytest.mark.parametrize(
    ("called", "chain", "reason"),
    [
        (incident(Severity.P0), CHAIN, GuardReason.NOBODY_TO_WAKE),
        (incident(calling=Calling(NOW, "by webhook")), CHAIN, GuardReason.CONFIRMED),
        (CALLED, (), GuardReason.NO_FALLBACK),
    ],
)
def test_otherwise_nobody_is_ever_turned_to(
    called: Incident, chain: Sequence[Contact], reason: GuardReason
) -> None:
    for seconds in (0, 91, 100_000):
        assert guard(called, chain, (), at(seconds)) == GuardDecision(reason)


def test_it_says_whether_it_is_early_or_unconfirmed() -> None:
    assert guard(CALLED, CHAIN, (), at(89)).reason is GuardReason.TOO_EARLY
    assert guard(CALLED, CHAIN, (), at(90)).reason is GuardReason.UNCONFIRMED
    assert guard(CALLED, CHAIN, took(SMS), at(100)).reason is GuardReason.UNCONFIRMED


def test_a_clock_that_was_put_back_keeps_nobody_asleep() -> None:
    """But two replicas' clocks may lie a little apart."""
    assert guard(CALLED, CHAIN, (), NOW - CLOCK_SKEW).contact is None
    assert guard(CALLED, CHAIN, (), NOW - timedelta(minutes=10)).contact == SMS


def test_only_what_was_tried_since_somebody_has_to_be_woken_counts() -> None:
    events: list[IncidentEvent] = [
        FallbackUsed(SMS, 90),
        NoteAdded("Given back."),
        FallbackUsed(SMS, 90, "It is dark."),
        NoteAdded("Looking."),
        FallbackUsed(SLACK, 91),
    ]
    recorded = [
        Recorded(number, at(number), ANA, event, incident_id=7)
        for number, event in enumerate(events)
    ]
    used = {count: replace(CALLED, calling=Calling(NOW, contacts_used=count)) for count in range(3)}
    assert tried_since_called(used[0], recorded) == ()
    assert tried_since_called(used[1], recorded) == (Tried(SLACK, at(4)),)
    assert tried_since_called(used[2], recorded) == (
        Tried(SMS, at(2), failed=True),
        Tried(SLACK, at(4)),
    )
    assert tried_since_called(incident(), recorded) == ()


chains = st.lists(st.sampled_from([*CHAIN, notifier("mail")]), min_size=1, unique=True)
looks = st.lists(
    st.tuples(st.floats(0.1, 3_000), st.booleans(), st.booleans()), min_size=1, max_size=60
)


@given(chain=chains, looks=looks)
def test_however_it_is_looked_at_nobody_is_called_too_often_and_nobody_left_out(
    chain: list[Contact], looks: list[tuple[float, bool, bool]]
) -> None:
    """Each look comes so much later, what it turns to fails or not, the pager is dark or not."""
    tried: list[Tried] = []
    now = NOW
    for pause, fails, dark in looks:
        now += timedelta(seconds=pause)
        called = DARK if dark else CALLED
        decision = guard(called, chain, tried, now)
        if decision.contact is None:
            continue
        assert now >= NOW + CONFIRM_WITHIN
        tried.append(Tried(decision.contact, now, fails))
        again = guard(called, chain, tried, now)
        assert fails or again.contact is None, "who has just been called has to have time"
        assert again.due_at is not None
        assert again.due_at - now <= NEXT_ROUND_AFTER
    rounds = [tried[start : start + len(chain)] for start in range(0, len(tried), len(chain))]
    for one in rounds:
        assert len({each.contact for each in one}) == len(one), "once a round"
    for before, after in pairwise(tried):
        assert before.failed or after.at - before.at >= NEXT_CONTACT_AFTER
    for last, first in ((one[-1], two[0]) for one, two in pairwise(rounds)):
        assert first.at - last.at >= ALL_FAILED_AFTER
