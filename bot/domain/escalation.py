"""Who is called when nobody answers, and when.

An unacknowledged incident climbs its steps one after the other, round after round, until
somebody takes it. What is due is decided from the present (how long nobody has taken it,
how many steps were done), never from which timer fired. So timers may be late, lost or
doubled: looking more often changes nothing, and looking late skips nothing.

A step is due a fixed time after the one before it was done, not after the opening. So
after an hour's downtime the steps don't come all at once: each gives those it called the
time to answer before it calls more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.classify import Severity
from bot.domain.escalation_policy import Escalation, EscalationPlan, EscalationStep


class Attention(StrEnum):
    """Whether an incident has somebody's attention, and needs it."""

    NOBODY = "nobody"
    TAKEN = "taken"
    """Acknowledged or mitigated."""
    SUPPRESSED = "suppressed"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class StepsDone:
    """How many steps were done at this level since the clock started, and when the last was.

    They count on over the rounds: with two steps, 3 means the first one of the second round.
    """

    level: Severity
    number: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class EscalationState:
    """What is known of an incident's escalation.

    `since` is when the clock started: when the incident opened, or later when it was
    un-acknowledged, reopened, lowered by a person, or no longer suppressed. Raising the
    level leaves it as it is, so that a P1 which turns critical is not given more time.
    `done` is None where no step was done yet; what was done before the clock started, or
    at another level, does not count. `heard_at` is when a person who has taken the incident
    was last heard of on it, `asked_at` when they were last asked whether they are still on it.
    """

    level: Severity
    attention: Attention
    since: datetime
    done: StepsDone | None = None
    heard_at: datetime | None = None
    asked_at: datetime | None = None


class EscalationAction(StrEnum):
    """What to do now."""

    CALL = "call"
    """Do the step."""
    ASK = "ask"
    """Ask those who have taken it whether they are still on it."""
    RESUME = "resume"
    """Take it from those who don't answer, and begin anew."""


class EscalationReason(StrEnum):
    """Why something is due, or nothing is."""

    NOBODY_TOOK_IT = "nobody has taken it in time"
    SILENT = "whoever took it has not been heard of for long"
    NO_ANSWER = "whoever took it did not say that they are still on it"
    NOT_YET = "somebody still has time to take it"
    ASKED = "whoever took it still has time to answer"
    AT_WORK = "somebody is on it"
    ALL_DONE = "all steps were done, in all rounds"
    NO_STEPS = "the policy has no steps for this level and these labels"
    SUPPRESSED = "a maintenance window covers all that fires"
    OVER = "the incident is over"


@dataclass(frozen=True, slots=True)
class EscalationDecision:
    """What is due, and why.

    `step` is set with `CALL`; `number` then counts it from 1 over all rounds, as `StepsDone`
    does. `look_again_at` is when something may become due if nothing happens before; None
    where only an event can change that, and where there is something to do at once.
    """

    reason: EscalationReason
    action: EscalationAction | None = None
    step: EscalationStep | None = None
    number: int = 0
    look_again_at: datetime | None = None


def due(plan: EscalationPlan, state: EscalationState, now: datetime) -> EscalationDecision:
    """What is due now; do it, write it down, and look again."""
    escalation = plan.by_level.get(state.level)
    if state.attention is Attention.OVER:
        return EscalationDecision(EscalationReason.OVER)
    if state.attention is Attention.SUPPRESSED:
        return EscalationDecision(EscalationReason.SUPPRESSED)
    if escalation is None:
        return EscalationDecision(EscalationReason.NO_STEPS)
    if state.attention is Attention.TAKEN:
        return _still_on_it(escalation, state, now)
    return _next_step(escalation, state, now)


def _next_step(escalation: Escalation, state: EscalationState, now: datetime) -> EscalationDecision:
    done, before = _done(state)
    rounds, index = divmod(done, len(escalation.steps))
    if rounds > escalation.repeat:
        return EscalationDecision(EscalationReason.ALL_DONE)
    at = before + _pause(escalation, index)
    if now < at:
        return EscalationDecision(EscalationReason.NOT_YET, look_again_at=at)
    return EscalationDecision(
        EscalationReason.NOBODY_TOOK_IT,
        EscalationAction.CALL,
        escalation.steps[index],
        done + 1,
    )


def _done(state: EscalationState) -> tuple[int, datetime]:
    """How many steps count as done, and when the last of them was, or the clock started."""
    done = state.done
    if done is None or done.level is not state.level or done.last_at < state.since:
        return 0, state.since
    return done.number, done.last_at


def _pause(escalation: Escalation, index: int) -> timedelta:
    """The time between the step at `index` and the one before it, or the start of its round."""
    before = escalation.steps[index - 1].after if index else timedelta(0)
    return escalation.steps[index].after - before


def _still_on_it(
    escalation: Escalation, state: EscalationState, now: datetime
) -> EscalationDecision:
    heard = state.heard_at or state.since
    if state.asked_at is not None and state.asked_at >= heard:
        answer_by = state.asked_at + escalation.answer_within
        if now < answer_by:
            return EscalationDecision(EscalationReason.ASKED, look_again_at=answer_by)
        return EscalationDecision(EscalationReason.NO_ANSWER, EscalationAction.RESUME)
    ask_at = heard + escalation.still_on_it
    if now < ask_at:
        return EscalationDecision(EscalationReason.AT_WORK, look_again_at=ask_at)
    return EscalationDecision(EscalationReason.SILENT, EscalationAction.ASK)


def response_overdue(
    since: datetime, within: timedelta, acknowledged_at: datetime | None, now: datetime
) -> bool:
    """Whether nobody responded within the response time, or only after it.

    `acknowledged_at` is when somebody first took the incident, None if nobody has.
    """
    return (acknowledged_at or now) - since > within
