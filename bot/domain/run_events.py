"""What can happen to a run; a run's record is a list of these, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.domain.approval import Requirement
from bot.domain.plan import Plan, StepOutcome


class RunState(StrEnum):
    """Where a run stands (design.md, "Runbooks")."""

    PLANNING = "planning"
    AWAITING_APPROVAL = "awaiting_approval"
    READY = "ready"
    RUNNING = "running"
    WAITING = "waiting"
    VERIFYING = "verifying"
    CANCELLING = "cancelling"
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
    requirement: Requirement | None = None
    """The approvals that it needs; None for what was planned before there were any."""


@dataclass(frozen=True, slots=True)
class RunDelayed:
    """It can't be planned or started yet; this is tried again for a while."""

    reason: str


@dataclass(frozen=True, slots=True)
class RunRefused:
    """The run won't start, for these reasons; nothing was changed."""

    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunApproved:
    """Somebody approved the plan with this digest, or started it where that is enough."""

    plan_digest: str
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunOverridden:
    """Somebody broke the glass: it runs without the approvals that it lacks."""

    reason: str
    lacking: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RunExpired:
    """Nobody let it run in time; the plan holds no longer."""


@dataclass(frozen=True, slots=True)
class RunCancelled:
    """Somebody called it off before it began."""


@dataclass(frozen=True, slots=True)
class RunPaused:
    """Nothing new is begun until somebody says so; the step under way is finished."""


@dataclass(frozen=True, slots=True)
class RunResumed:
    """It goes on after a pause."""


@dataclass(frozen=True, slots=True)
class RunAborted:
    """Somebody stopped it under way; `undo` says whether what it changed is put back."""

    reason: str
    undo: bool


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The live objects are still as planned; the steps begin."""


@dataclass(frozen=True, slots=True)
class StepStarted:
    """Intent: written before the step touches anything."""

    step: str


@dataclass(frozen=True, slots=True)
class StepAsked:
    """The step is a person's: it waits until somebody says that it is done, or approves.

    `needs` are the approvals by kind, empty where one word is enough; it waits `patience`.
    """

    step: str
    question: str
    needs: Mapping[str, int]
    patience: timedelta


@dataclass(frozen=True, slots=True)
class StepApproved:
    """Somebody approved the step that waits; it may need others too."""

    step: str
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepAnswered:
    """Somebody did the step that waits, or could not (`done`), and what they said of it."""

    step: str
    done: bool
    words: str = ""


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


@dataclass(frozen=True, slots=True)
class RunSettled:
    """Somebody found out how a run ended that was uncertain: as it should, or not."""

    done: bool
    words: str


RunEvent = (
    RunRequested
    | RunPlanned
    | RunDelayed
    | RunRefused
    | RunApproved
    | RunOverridden
    | RunExpired
    | RunCancelled
    | RunPaused
    | RunResumed
    | RunAborted
    | RunStarted
    | StepStarted
    | StepAsked
    | StepApproved
    | StepAnswered
    | StepProgressed
    | StepFinished
    | StepFailed
    | UndoStarted
    | UndoFinished
    | UndoFailed
    | VerificationStarted
    | CompensationStarted
    | RunFinished
    | RunSettled
)
