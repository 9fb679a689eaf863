"""A run: one execution of a runbook on one target, from plan to final state.

All states and transitions stand in `_TRANSITIONS`. The record keeps intent before
effect: a step that was started and has no outcome was interrupted, and is observed
before it is done again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.domain.actor import Actor
from bot.domain.errors import IllegalTransition
from bot.domain.plan import Plan, StepOutcome
from bot.domain.run_events import (
    CompensationStarted,
    RunApproved,
    RunCancelled,
    RunEvent,
    RunFinished,
    RunPlanned,
    RunRefused,
    RunStarted,
    RunState,
    StepFailed,
    StepFinished,
    StepProgressed,
    StepStarted,
    UndoFailed,
    UndoFinished,
    UndoStarted,
    VerificationStarted,
)
from bot.domain.runbook import Runbook


class StepState(StrEnum):
    """Where one step of a run stands."""

    PENDING = "pending"
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"
    UNDO_FAILED = "undo_failed"


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What is written down about one step of a run."""

    id: str
    state: StepState = StepState.PENDING
    started_at: datetime | None = None
    outcome: StepOutcome | None = None
    progress: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A run as its record has it: `runbook` is the very version it runs."""

    id: int
    runbook: Runbook
    parameters: Mapping[str, str]
    requested_by: Actor
    requested_at: datetime
    incident_id: int | None = None
    start_when_planned: bool = False
    state: RunState = RunState.PLANNING
    plan: Plan | None = None
    approved_by: Actor | None = None
    steps: tuple[StepRecord, ...] = ()
    result: str = ""
    finished_at: datetime | None = None

    @property
    def title(self) -> str:
        """Name, version and the first parameter: ``restart@1.0.0 payments/checkout``."""
        first = next(iter(self.parameters.values()), "")
        return f"{self.runbook.reference} {first}".strip()

    def record(self, step_id: str) -> StepRecord:
        """The record of one step."""
        return next(record for record in self.steps if record.id == step_id)


_S = RunState
_TRANSITIONS: Mapping[type[RunEvent], frozenset[RunState]] = {
    RunPlanned: frozenset({_S.PLANNING}),
    RunRefused: frozenset({_S.PLANNING, _S.READY}),
    RunApproved: frozenset({_S.AWAITING_APPROVAL}),
    RunCancelled: frozenset({_S.PLANNING, _S.AWAITING_APPROVAL}),
    RunStarted: frozenset({_S.READY}),
    StepStarted: frozenset({_S.RUNNING, _S.VERIFYING}),
    StepProgressed: frozenset({_S.RUNNING, _S.VERIFYING, _S.COMPENSATING}),
    StepFinished: frozenset({_S.RUNNING, _S.VERIFYING}),
    StepFailed: frozenset({_S.RUNNING, _S.VERIFYING}),
    VerificationStarted: frozenset({_S.RUNNING}),
    CompensationStarted: frozenset({_S.RUNNING, _S.VERIFYING}),
    UndoStarted: frozenset({_S.COMPENSATING}),
    UndoFinished: frozenset({_S.COMPENSATING}),
    UndoFailed: frozenset({_S.COMPENSATING}),
    RunFinished: frozenset({_S.PLANNING, _S.READY, _S.RUNNING, _S.VERIFYING, _S.COMPENSATING}),
}
"""The states in which each event may happen; where it leads stands in `evolve`."""


def evolve(run: Run, event: RunEvent, actor: Actor, at: datetime) -> Run:
    """The run after the event. Raises `IllegalTransition`, and then nothing has changed."""
    if run.state not in _TRANSITIONS.get(type(event), frozenset()):
        raise IllegalTransition(
            f"Run {run.id} is {run.state.value}: {_name(event)} can't happen now."
        )
    match event:
        case RunPlanned(plan):
            state = _S.READY if run.start_when_planned else _S.AWAITING_APPROVAL
            approver = run.requested_by if run.start_when_planned else None
            return replace(run, state=state, plan=plan, approved_by=approver)
        case RunRefused(reasons):
            return replace(run, state=_S.REFUSED, result=" ".join(reasons), finished_at=at)
        case RunApproved():
            return replace(run, state=_S.READY, approved_by=actor)
        case RunCancelled():
            return replace(
                run, state=_S.CANCELLED, result=f"Called off by {actor.name}.", finished_at=at
            )
        case RunStarted():
            return replace(run, state=_S.RUNNING)
        case VerificationStarted():
            return replace(run, state=_S.VERIFYING)
        case CompensationStarted(reason):
            return replace(run, state=_S.COMPENSATING, result=reason)
        case RunFinished(state, result):
            return replace(run, state=state, result=result, finished_at=at)
        case _:
            return _evolve_step(run, event, at)


def _evolve_step(run: Run, event: RunEvent, at: datetime) -> Run:
    match event:
        case StepStarted(step):
            return _with(run, step, state=StepState.STARTED, started_at=at)
        case StepProgressed(step, text):
            return _with(run, step, progress=text)
        case StepFinished(step, outcome):
            return _with(run, step, state=StepState.DONE, outcome=outcome)
        case StepFailed(step, reason):
            return _with(run, step, state=StepState.FAILED, reason=reason)
        case UndoStarted(step):
            return _with(run, step, state=StepState.UNDOING, started_at=at)
        case UndoFinished(step):
            return _with(run, step, state=StepState.UNDONE)
        case UndoFailed(step, reason):
            return _with(run, step, state=StepState.UNDO_FAILED, reason=reason)
        case _:
            raise AssertionError(f"{_name(event)} is not a step's event")


def _with(run: Run, step: str, **changes: Any) -> Run:
    steps = (replace(record, **changes) if record.id == step else record for record in run.steps)
    return replace(run, steps=tuple(steps))


def _name(event: RunEvent) -> str:
    return type(event).__name__


def blank_records(runbook: Runbook) -> tuple[StepRecord, ...]:
    """The records with which a run begins: every step pending, in order."""
    return tuple(StepRecord(step.id) for step in (*runbook.steps, *runbook.verification))
