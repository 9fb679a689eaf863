"""What a run needs next, decided from its record alone.

So a run whose runner died goes on from what is written down: the next runner asks
`next_action` and does that, again and again, until the run is final.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.run import Run, StepRecord, StepState
from bot.domain.run_events import (
    CompensationStarted,
    RunFinished,
    RunState,
    StepAsked,
    VerificationStarted,
)
from bot.domain.runbook import Step


@dataclass(frozen=True, slots=True)
class MakePlan:
    """Read the cluster and plan."""


@dataclass(frozen=True, slots=True)
class Begin:
    """Check that the live objects are still as planned, then start."""


@dataclass(frozen=True, slots=True)
class Perform:
    """Do a step; `interrupted` says that its intent stands without an outcome."""

    step: str
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Settle:
    """Find out whether an interrupted step took effect; it is not done (again)."""

    step: str


@dataclass(frozen=True, slots=True)
class Undo:
    """Put a step's change back."""

    step: str


@dataclass(frozen=True, slots=True)
class Note:
    """Nothing to do outside: only write this event down."""

    event: StepAsked | VerificationStarted | CompensationStarted | RunFinished


Action = MakePlan | Begin | Perform | Settle | Undo | Note


def next_action(run: Run) -> Action | None:
    """What the runner has to do now, from the record alone; None while people decide."""
    match run.state:
        case RunState.PLANNING:
            return MakePlan()
        case RunState.READY:
            return Begin()
        case RunState.RUNNING:
            return _next_step(run, run.runbook.steps) or Note(VerificationStarted())
        case RunState.VERIFYING:
            done = Note(RunFinished(RunState.SUCCEEDED, "Done and verified."))
            return _next_step(run, run.runbook.verification) or done
        case RunState.CANCELLING:
            return _after_abort(run)
        case RunState.COMPENSATING:
            return _next_undo(run)
        case _:
            return None


def _next_step(run: Run, steps: tuple[Step, ...]) -> Perform | Note | None:
    for step in steps:
        record = run.record(step.id)
        if record.state is StepState.FAILED:
            return _after_failure(run, f"{step.title} failed: {record.reason}")
        if record.state is not StepState.DONE:
            return _ask(run, step) or Perform(step.id, record.state is StepState.STARTED)
    return None


def _ask(run: Run, step: Step) -> Note | None:
    asks = run.plan.steps[step.id].asks if run.plan else None
    return Note(StepAsked(step.id, asks.text, asks.needs, asks.patience)) if asks else None


def _after_abort(run: Run) -> Settle | Note:
    """Stop where it is safe: what was begun is found out first, then undone or left."""
    abort = run.aborted
    assert abort is not None, "only an abort leads here"
    for record in run.steps:
        if record.state is StepState.STARTED:
            return Settle(record.id)
    reason = f"Aborted {abort.reason}."
    if abort.undo and _to_undo(run):
        return Note(CompensationStarted(reason))
    return Note(RunFinished(RunState.CANCELLED, f"{reason} {_left(run)}"))


def _left(run: Run) -> str:
    """What an aborted run leaves behind; a step may have been stopped halfway."""
    changed = [record.id for record in _changed(run)]
    said = [f"What these steps changed stays: {', '.join(changed)}."] if changed else []
    said += [
        f"{run.runbook.step(record.id).title} failed: {record.reason}"
        for record in run.steps
        if record.state is StepState.FAILED and run.plan and run.plan.steps[record.id].changes
    ]
    return " ".join(said) or "Nothing was changed."


def _after_failure(run: Run, reason: str) -> Note:
    if _to_undo(run):
        return Note(CompensationStarted(reason))
    return Note(RunFinished(RunState.FAILED, reason))


def _to_undo(run: Run) -> tuple[StepRecord, ...]:
    """The steps whose change still stands and can be put back, last done first."""
    standing = (StepState.DONE, StepState.UNDOING)
    plans = run.plan.steps if run.plan else {}
    return tuple(
        record
        for record in reversed(run.steps)
        if record.state in standing and record.id in plans and plans[record.id].reversible
    )


def _changed(run: Run) -> tuple[StepRecord, ...]:
    """The steps that are done and had something to change."""
    plans = run.plan.steps if run.plan else {}
    return tuple(
        record
        for record in run.steps
        if record.state is StepState.DONE and record.id in plans and plans[record.id].targets
    )


def _next_undo(run: Run) -> Undo | Note:
    for record in run.steps:
        if record.state is StepState.UNDO_FAILED:
            reason = f"{run.result} Putting it back failed too: {record.reason}"
            return Note(RunFinished(RunState.UNCERTAIN, reason))
    remaining = _to_undo(run)
    if remaining:
        return Undo(remaining[0].id)
    return Note(
        RunFinished(RunState.COMPENSATED, f"{run.result} What was changed has been put back.")
    )
