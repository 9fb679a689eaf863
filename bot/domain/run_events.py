"""What can happen to a run; a run's record is a list of these, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.plan import Plan, StepOutcome


class RunState(StrEnum):
    """Where a run stands (design.md, "Runbooks")."""

    PLANNING = "planning"
    AWAITING_APPROVAL = "awaiting_approval"
    READY = "ready"
    RUNNING = "running"
    VERIFYING = "verifying"
    COMPENSATING = "compensating"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    COMPENSATED = "compensated"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self in _FINAL


_FINAL = frozenset(
    {
        RunState.SUCCEEDED,
        RunState.FAILED,
        RunState.COMPENSATED,
        RunState.CANCELLED,
        RunState.REFUSED,
        RunState.UNCERTAIN,
    }
)


@dataclass(frozen=True, slots=True)
class RunRequested:
    """Somebody asked for a run."""

    runbook: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RunPlanned:
    """The plan stands: what would change, and nothing speaks against it."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class RunRefused:
    """The run won't start, for these reasons; nothing was changed."""

    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunApproved:
    """Somebody approved the plan with this digest."""

    plan_digest: str


@dataclass(frozen=True, slots=True)
class RunCancelled:
    """Somebody called it off before it began."""


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The live objects are still as planned; the steps begin."""


@dataclass(frozen=True, slots=True)
class StepStarted:
    """Intent: written before the step touches anything."""

    step: str


@dataclass(frozen=True, slots=True)
class StepProgressed:
    """What the step sees while it waits."""

    step: str
    text: str


@dataclass(frozen=True, slots=True)
class StepFinished:
    """The step did what it should; `observed` when this was found out after a crash."""

    step: str
    outcome: StepOutcome
    observed: bool = False


@dataclass(frozen=True, slots=True)
class StepFailed:
    """The step failed, and why."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class UndoStarted:
    """Intent: the step's change is about to be put back."""

    step: str


@dataclass(frozen=True, slots=True)
class UndoFinished:
    """The step's change was put back."""

    step: str
    outcome: StepOutcome


@dataclass(frozen=True, slots=True)
class UndoFailed:
    """The step's change could not be put back; a person has to look."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class VerificationStarted:
    """All steps are done; now it is checked whether they helped."""


@dataclass(frozen=True, slots=True)
class CompensationStarted:
    """A step or the verification failed after something was changed; that is put back."""

    reason: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run's end, in one of the final states, with one sentence that says why."""

    state: RunState
    result: str


RunEvent = (
    RunRequested
    | RunPlanned
    | RunRefused
    | RunApproved
    | RunCancelled
    | RunStarted
    | StepStarted
    | StepProgressed
    | StepFinished
    | StepFailed
    | UndoStarted
    | UndoFinished
    | UndoFailed
    | VerificationStarted
    | CompensationStarted
    | RunFinished
)
