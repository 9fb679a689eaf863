from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.classify import Severity
from bot.domain.contact import Mention, PagerRoute, notifier, pagerduty, slack
from bot.domain.escalation import (
    Attention,
    EscalationAction,
    EscalationDecision,
    EscalationReason,
    EscalationState,
    StepsDone,
    due,
    response_overdue,
)
from bot.domain.escalation_policy import Escalation, EscalationPlan, EscalationStep

NOW = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
P0, P1, P3 = Severity.P0, Severity.P1, Severity.P3
FIRST = EscalationStep(5 * MINUTE, pagerduty(PagerRoute.SECONDARY))
SECOND_STEP = EscalationStep(5 * MINUTE, slack(Mention.ON_CALL))
THIRD = EscalationStep(12 * MINUTE, notifier("mail"))
STEPS = (FIRST, SECOND_STEP, THIRD)
CRITICAL = Escalation("critical", STEPS, repeat=1, still_on_it=30 * MINUTE)
HIGH = Escalation("high", (EscalationStep(15 * MINUTE, notifier("p1")),), 0, 60 * MINUTE)
PLAN = EscalationPlan({P0: CRITICAL, P1: HIGH})
OPENED = EscalationState(P0, Attention.NOBODY, since=NOW)
TAKEN = EscalationState(P0, Attention.TAKEN, since=NOW, heard_at=NOW)


def at(minutes: float) -> datetime:
    return NOW + minutes * MINUTE


def after(number: int, minutes: float, level: Severity = P0) -> EscalationState:
    """Nobody has taken it, and so many steps were done, the last one then."""
    return replace(OPENED, done=StepsDone(level, number, at(minutes)))


def call(step: EscalationStep, number: int) -> EscalationDecision:
    return EscalationDecision(EscalationReason.NOBODY_TOOK_IT, EscalationAction.CALL, step, number)


def wait(minutes: float, why: EscalationReason = EscalationReason.NOT_YET) -> EscalationDecision:
    return EscalationDecision(why, look_again_at=at(minutes))


@pytest.mark.parametrize(
    ("state", "minutes", "expected"),
    [
        (OPENED, 0, wait(5)),
        (OPENED, 4.99, wait(5)),
        (OPENED, 5, call(FIRST, 1)),
        (OPENED, 500, call(FIRST, 1)),
        # Two steps at the same time are done at once, one after the other.
        (after(1, 5), 5, call(SECOND_STEP, 2)),
        (after(2, 5), 5, wait(12)),
        (after(2, 5), 12, call(THIRD, 3)),
        # The next round takes as long as the first.
        (after(3, 12), 12, wait(17)),
        (after(3, 12), 17, call(FIRST, 4)),
        (after(4, 17), 17, call(SECOND_STEP, 5)),
        (after(5, 17), 24, call(THIRD, 6)),
        (after(6, 24), 10_000, EscalationDecision(EscalationReason.ALL_DONE)),
        # What came late gives those it called their time nevertheless.
        (after(2, 60), 60, wait(67)),
    ],
)
def test_steps_are_done_in_order_each_at_its_time(
    state: EscalationState, minutes: float, expected: EscalationDecision
) -> None:
    assert due(PLAN, state, at(minutes)) == expected


def test_what_was_done_before_the_clock_started_anew_does_not_count() -> None:
    again = replace(after(2, 5), since=at(20))
    assert due(PLAN, again, at(20)) == wait(25)
    assert due(PLAN, again, at(25)) == call(FIRST, 1)


def test_a_raised_level_is_given_no_more_time() -> None:
    was_high = EscalationState(P1, Attention.NOBODY, NOW)
    assert due(PLAN, was_high, at(14)) == wait(15)
    assert due(PLAN, replace(was_high, level=P0), at(14)) == call(FIRST, 1)


def test_steps_of_another_level_do_not_count() -> None:
    assert due(PLAN, after(1, 15, level=P1), at(15)) == call(FIRST, 1)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (replace(OPENED, attention=Attention.OVER), EscalationReason.OVER),
        (replace(OPENED, attention=Attention.SUPPRESSED), EscalationReason.SUPPRESSED),
        (replace(OPENED, level=P3), EscalationReason.NO_STEPS),
        (replace(TAKEN, level=P3), EscalationReason.NO_STEPS),
    ],
)
def test_where_nothing_can_become_due_nothing_is_looked_at_again(
    state: EscalationState, reason: EscalationReason
) -> None:
    assert due(PLAN, state, at(10_000)) == EscalationDecision(reason)


@pytest.mark.parametrize(
    ("state", "minutes", "expected"),
    [
        (TAKEN, 29, wait(30, EscalationReason.AT_WORK)),
        (TAKEN, 30, EscalationDecision(EscalationReason.SILENT, EscalationAction.ASK)),
        (replace(TAKEN, heard_at=at(10)), 39, wait(40, EscalationReason.AT_WORK)),
        # Nobody was ever heard of: it counts from the clock's start.
        (replace(TAKEN, heard_at=None), 29, wait(30, EscalationReason.AT_WORK)),
        (replace(TAKEN, asked_at=at(30)), 34, wait(35, EscalationReason.ASKED)),
        (
            replace(TAKEN, asked_at=at(30)),
            35,
            EscalationDecision(EscalationReason.NO_ANSWER, EscalationAction.RESUME),
        ),
        # An answer is being heard of after the question.
        (replace(TAKEN, asked_at=at(30), heard_at=at(31)), 60, wait(61, EscalationReason.AT_WORK)),
        (
            replace(TAKEN, asked_at=at(30), heard_at=at(31)),
            61,
            EscalationDecision(EscalationReason.SILENT, EscalationAction.ASK),
        ),
    ],
)
def test_whoever_took_it_is_asked_when_silent_and_loses_it_without_an_answer(
    state: EscalationState, minutes: float, expected: EscalationDecision
) -> None:
    assert due(PLAN, state, at(minutes)) == expected


@pytest.mark.parametrize(
    ("acknowledged", "now", "overdue"),
    [
        (None, 15, False),
        (None, 15.1, True),
        (15, 500, False),
        (16, 500, True),
    ],
)
def test_a_response_is_overdue_while_missing_and_when_it_came_late(
    acknowledged: float | None, now: float, overdue: bool
) -> None:
    when = None if acknowledged is None else at(acknowledged)
    assert response_overdue(NOW, 15 * MINUTE, when, at(now)) is overdue


minutes_lists = st.lists(st.integers(1, 30), min_size=1, max_size=5).map(sorted)
escalations = st.builds(
    lambda times, repeat: Escalation(
        "any",
        tuple(EscalationStep(n * MINUTE, notifier(f"step-{i}")) for i, n in enumerate(times)),
        repeat,
        20 * MINUTE,
    ),
    minutes_lists,
    st.integers(0, 3),
)
pauses = st.lists(st.integers(0, 600), max_size=60)
Log = list[tuple[datetime, EscalationStep]]


def climb(escalation: Escalation, looks: list[datetime]) -> Log:
    """Look at these moments, each time until nothing is due; what was called."""
    plan, state, log = EscalationPlan({P0: escalation}), OPENED, Log()
    for now in looks:
        while (decision := due(plan, state, now)).action is EscalationAction.CALL:
            assert decision.step is not None
            log.append((now, decision.step))
            state = replace(state, done=StepsDone(P0, decision.number, now))
    return log


def moments(seconds: list[int]) -> list[datetime]:
    now, found = NOW, []
    for pause in seconds:
        now += pause * SECOND
        found.append(now)
    return found


@given(escalations, pauses)
def test_whenever_one_looks_steps_are_done_in_order_once_a_round_and_never_early(
    escalation: Escalation, seconds: list[int]
) -> None:
    log = climb(escalation, moments(seconds))
    rounds = escalation.steps * (escalation.repeat + 1)
    assert tuple(step for _, step in log) == rounds[: len(log)]
    length = escalation.steps[-1].after
    for index, (moment, step) in enumerate(log):
        assert moment >= NOW + index // len(escalation.steps) * length + step.after


@given(escalations, pauses)
def test_looking_more_often_changes_nothing(escalation: Escalation, seconds: list[int]) -> None:
    looks = moments(seconds)
    assert climb(escalation, [look for look in looks for _ in range(3)]) == climb(escalation, looks)


@given(escalations)
def test_who_looks_when_told_to_calls_all_on_time(escalation: Escalation) -> None:
    plan, state, now, calls = EscalationPlan({P0: escalation}), OPENED, NOW, Log()
    while (decision := due(plan, state, now)).reason is not EscalationReason.ALL_DONE:
        if decision.step is not None:
            calls.append((now, decision.step))
            state = replace(state, done=StepsDone(P0, decision.number, now))
        else:
            assert decision.look_again_at is not None
            assert decision.look_again_at > now
            now = decision.look_again_at
    length = escalation.steps[-1].after
    assert calls == [
        (NOW + number * length + step.after, step)
        for number in range(escalation.repeat + 1)
        for step in escalation.steps
    ]


instants = st.integers(-2_000, 2_000).map(at)
states = st.builds(
    EscalationState,
    st.sampled_from(Severity),
    st.sampled_from(Attention),
    instants,
    st.none() | st.builds(StepsDone, st.sampled_from(Severity), st.integers(0, 9), instants),
    st.none() | instants,
    st.none() | instants,
)


@given(states, instants)
def test_nobody_is_called_about_what_is_taken_suppressed_or_over(
    state: EscalationState, now: datetime
) -> None:
    decision = due(PLAN, state, now)
    if decision.action is EscalationAction.CALL:
        assert state.attention is Attention.NOBODY
    if decision.action in (EscalationAction.ASK, EscalationAction.RESUME):
        assert state.attention is Attention.TAKEN
    if decision.look_again_at is not None:
        assert decision.action is None
        assert decision.look_again_at > now
