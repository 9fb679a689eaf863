"""The one place where an event changes a run.

All states and transitions stand in `_TRANSITIONS` and `_STEP_TRANSITIONS`; an event that
they don't allow raises and changes nothing, so of two runners that take the same step
only one writes it down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.domain.actor import Actor
from bot.domain.approval import Approval, missing
from bot.domain.errors import IllegalTransition
from bot.domain.plan import StepOutcome
from bot.domain.run import Run, StepState
from bot.domain.run_events import (
    CompensationStarted,
    RunAborted,
    RunApproved,
    RunCancelled,
    RunDelayed,
    RunEvent,
    RunExpired,
    RunFinished,
    RunOverridden,
    RunPaused,
    RunPlanned,
    RunRefused,
    RunResumed,
    RunSettled,
    RunStarted,
    RunState,
    StepAnswered,
    StepApproved,
    StepAsked,
    StepFailed,
    StepFinished,
    StepProgressed,
    StepStarted,
    UndoFailed,
    UndoFinished,
    UndoStarted,
    VerificationStarted,
)

_S = RunState
_UNDER_WAY = frozenset({_S.RUNNING, _S.VERIFYING})
_STANDING = _UNDER_WAY | {_S.WAITING, _S.CANCELLING}
"""Where a step that is under way may end: a pause or an abort lets it."""

_TRANSITIONS: Mapping[type[RunEvent], frozenset[RunState]] = {
    RunPlanned: frozenset({_S.PLANNING}),
    RunDelayed: frozenset({_S.PLANNING, _S.READY}),
    RunRefused: frozenset({_S.PLANNING, _S.READY}),
    RunApproved: frozenset({_S.AWAITING_APPROVAL}),
    RunOverridden: frozenset({_S.AWAITING_APPROVAL}),
    RunExpired: frozenset({_S.AWAITING_APPROVAL, _S.READY}),
    RunCancelled: frozenset({_S.PLANNING, _S.AWAITING_APPROVAL, _S.READY}),
    RunStarted: frozenset({_S.READY}),
    RunPaused: _UNDER_WAY,
    RunResumed: frozenset({_S.WAITING}),
    RunAborted: _UNDER_WAY | {_S.WAITING},
    StepStarted: _UNDER_WAY,
    StepAsked: _UNDER_WAY,
    StepApproved: frozenset({_S.WAITING}),
    StepAnswered: frozenset({_S.WAITING}),
    StepProgressed: _STANDING | {_S.COMPENSATING},
    StepFinished: _STANDING,
    StepFailed: _STANDING,
    VerificationStarted: frozenset({_S.RUNNING}),
    CompensationStarted: _UNDER_WAY | {_S.CANCELLING},
    UndoStarted: frozenset({_S.COMPENSATING}),
    UndoFinished: frozenset({_S.COMPENSATING}),
    UndoFailed: frozenset({_S.COMPENSATING}),
    RunSettled: frozenset({_S.UNCERTAIN}),
    RunFinished: _STANDING | {_S.PLANNING, _S.READY, _S.COMPENSATING},
}
"""The states in which each event may happen; where it leads stands in `evolve`."""

_T = StepState
_STEP_TRANSITIONS: Mapping[type[RunEvent], frozenset[StepState]] = {
    StepStarted: frozenset({_T.PENDING}),
    StepAsked: frozenset({_T.PENDING}),
    StepApproved: frozenset({_T.ASKED}),
    StepAnswered: frozenset({_T.ASKED}),
    StepProgressed: frozenset({_T.STARTED, _T.UNDOING}),
    StepFinished: frozenset({_T.STARTED}),
    StepFailed: frozenset({_T.STARTED}),
    UndoStarted: frozenset({_T.DONE, _T.UNDOING}),
    UndoFinished: frozenset({_T.UNDOING}),
    UndoFailed: frozenset({_T.UNDOING}),
}
"""The states of its step in which each event of a step may happen."""


def evolve(run: Run, event: RunEvent, actor: Actor, at: datetime) -> Run:
    """The run after the event. Raises `IllegalTransition`, and then nothing has changed."""
    if run.state not in _TRANSITIONS.get(type(event), frozenset()):
        raise IllegalTransition(
            f"Run {run.id} is {run.state.value.replace('_', ' ')}: {_name(event)} can't happen now."
        )
    match event:
        case RunPlanned() | RunApproved() | RunOverridden():
            return _evolve_permission(run, event, actor, at)
        case RunDelayed(reason):
            return replace(run, delay=reason)
        case RunStarted():
            return replace(run, state=_S.RUNNING, delay="")
        case RunPaused():
            return replace(run, state=_S.WAITING, paused_in=run.state)
        case RunResumed():
            return _resumed(run)
        case RunAborted():
            return replace(run, state=_S.CANCELLING, paused_in=None, aborted=event)
        case VerificationStarted():
            return replace(run, state=_S.VERIFYING)
        case CompensationStarted(reason):
            return replace(run, state=_S.COMPENSATING, result=reason)
        case RunRefused() | RunExpired() | RunCancelled() | RunFinished() | RunSettled():
            return _evolve_end(run, event, actor, at)
        case StepAsked() | StepApproved() | StepAnswered():
            return _evolve_question(run, event, actor, at)
        case _:
            return _evolve_step(run, event, at)


def _evolve_permission(
    run: Run, event: RunPlanned | RunApproved | RunOverridden, actor: Actor, at: datetime
) -> Run:
    match event:
        case RunPlanned(plan, needs):
            planned = replace(
                run,
                state=_S.AWAITING_APPROVAL,
                plan=plan,
                planned_at=at,
                requirement=needs,
                delay="",
            )
            wanted = run.start_when_planned and not planned.missing
            return _permitted(planned, run.requested_by, at) if wanted else planned
        case RunApproved(_, kinds):
            approval = Approval(actor, kinds, at)
            approved = replace(run, approvals=(*run.approvals, approval))
            return approved if approved.missing else _permitted(approved, actor, at)
        case RunOverridden(reason):
            return _permitted(replace(run, overridden=reason), actor, at)


def _permitted(run: Run, by: Actor, at: datetime) -> Run:
    return replace(run, state=_S.READY, approved_by=by, approved_at=at)


def _evolve_end(
    run: Run,
    event: RunRefused | RunExpired | RunCancelled | RunFinished | RunSettled,
    actor: Actor,
    at: datetime,
) -> Run:
    match event:
        case RunRefused(reasons):
            state, result = _S.REFUSED, " ".join(reasons)
        case RunExpired():
            state, result = _S.CANCELLED, "Nobody let it run in time."
        case RunCancelled():
            state, result = _S.CANCELLED, f"Called off by {actor.name}."
        case RunSettled(done, words):
            state = _S.SUCCEEDED if done else _S.FAILED
            result = f"{run.result} {actor.name} found out: {words}"
        case RunFinished(state, result):
            pass
    return replace(run, state=state, result=result, finished_at=at, delay="")


def _resumed(run: Run) -> Run:
    if run.asked is not None:
        raise IllegalTransition(f"Run {run.id} waits for an answer to its step {run.asked.id}.")
    return replace(run, state=run.paused_in or _S.RUNNING, paused_in=None)


def _evolve_step(run: Run, event: RunEvent, at: datetime) -> Run:
    match event:
        case StepStarted(step):
            return _with(run, step, event, state=StepState.STARTED, started_at=at)
        case StepProgressed(step, text):
            return _with(run, step, event, progress=text)
        case StepFinished(step, outcome):
            return _with(run, step, event, state=StepState.DONE, outcome=outcome)
        case StepFailed(step, reason):
            return _with(run, step, event, state=StepState.FAILED, reason=reason)
        case UndoStarted(step):
            return _with(run, step, event, state=StepState.UNDOING, started_at=at)
        case UndoFinished(step):
            return _with(run, step, event, state=StepState.UNDONE)
        case UndoFailed(step, reason):
            return _with(run, step, event, state=StepState.UNDO_FAILED, reason=reason)
        case _:
            raise AssertionError(f"{_name(event)} is not a step's event")


def _evolve_question(
    run: Run, event: StepAsked | StepApproved | StepAnswered, actor: Actor, at: datetime
) -> Run:
    match event:
        case StepAsked(step):
            asked = _with(run, step, event, state=StepState.ASKED, started_at=at)
            return replace(asked, state=_S.WAITING, paused_in=run.state)
        case StepApproved(step, kinds):
            given = (*run.record(step).approvals, Approval(actor, kinds, at))
            approved = _with(run, step, event, approvals=given)
            if missing(run.question(step).needs, given):
                return approved
            names = " and ".join(approval.by.name for approval in given)
            done = StepOutcome(f"Approved by {names}.")
            return _answered(approved, event, state=StepState.DONE, outcome=done)
        case StepAnswered(step, True, words):
            if run.question(step).needs:
                raise IllegalTransition(f"Step {step} of run {run.id} needs approvals.")
            said = f"{actor.name}: {words}" if words else f"{actor.name} says that it is done."
            return _answered(run, event, state=StepState.DONE, outcome=StepOutcome(said))
        case StepAnswered(step, False, words):
            reason = f"{actor.name} could not: {words}".removesuffix(": ")
            return _answered(run, event, state=StepState.FAILED, reason=reason)
        case _:
            raise AssertionError(f"{_name(event)} is no question and no answer")


def _answered(run: Run, event: StepApproved | StepAnswered, **changes: Any) -> Run:
    """The run where it goes on, its question answered."""
    answered = _with(run, event.step, event, **changes)
    return replace(answered, state=run.paused_in or _S.RUNNING, paused_in=None)


def _with(run: Run, step: str, event: RunEvent, **changes: Any) -> Run:
    before = run.record(step).state
    if before not in _STEP_TRANSITIONS[type(event)]:
        raise IllegalTransition(
            f"Step {step} of run {run.id} is {before.value}: {_name(event)} can't happen now."
        )
    steps = (replace(record, **changes) if record.id == step else record for record in run.steps)
    return replace(run, steps=tuple(steps))


def _name(event: RunEvent) -> str:
    return type(event).__name__
