"""A run: one execution of a runbook on one target, from plan to final state.

The record keeps intent before effect: a step that was started and has no outcome was
interrupted, and is observed before it is done again. What may happen to a run, and where
that leads, stands in `run_evolution.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.actor import Actor
from bot.domain.approval import Approval, Requirement, missing
from bot.domain.errors import IllegalTransition
from bot.domain.plan import Attachment, Plan, Question, StepOutcome
from bot.domain.run_events import RunAborted, RunState
from bot.domain.runbook import Runbook

NEEDS_UNKNOWN = "It was planned before it was recorded whose approval it needs: ask for it anew."
"""Why a run with a plan and without a `Requirement` is never let go."""


class RunCommand(StrEnum):
    """What people tell a run."""

    APPROVE = "approve"
    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    ABORT = "abort"
    STOP = "stop"
    DONE = "done"
    FAILED = "failed"
    OVERRIDE = "override"


class StepState(StrEnum):
    """Where one step of a run stands."""

    PENDING = "pending"
    STARTED = "started"
    ASKED = "asked"
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
    approvals: tuple[Approval, ...] = ()
    """Of a step that asks for them."""


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
    planned_at: datetime | None = None
    requirement: Requirement | None = None
    approvals: tuple[Approval, ...] = ()
    approved_by: Actor | None = None
    """Who let it run in the end."""
    approved_at: datetime | None = None
    overridden: str = ""
    """The reason of whoever let it run without the approvals that it needs."""
    paused_in: RunState | None = None
    """While it waits: where it goes on."""
    aborted: RunAborted | None = None
    steps: tuple[StepRecord, ...] = ()
    delay: str = ""
    """Why its plan or its start takes longer than it should, while it does."""
    result: str = ""
    finished_at: datetime | None = None

    @property
    def title(self) -> str:
        """Name, version and the first parameter: ``restart@1.0.0 payments/checkout``."""
        first = next(iter(self.parameters.values()), "")
        return f"{self.runbook.reference} {first}".strip()

    @property
    def missing(self) -> Mapping[str, int]:
        """The approvals that it still lacks, by kind."""
        return missing(self.requirement.needs, self.approvals) if self.requirement else {}

    @property
    def asked(self) -> StepRecord | None:
        """The step that waits for people, if one does."""
        if self.state is not RunState.WAITING:
            return None
        return next((one for one in self.steps if one.state is StepState.ASKED), None)

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """What its steps made and is kept, in their order."""
        done = (record.outcome for record in self.steps if record.outcome)
        return tuple(one for outcome in done for one in outcome.attachments)

    @property
    def has_pictures(self) -> bool:
        """Whether its steps drew anything that people can look at."""
        return any(one.is_picture and one.shown for one in self.attachments)

    @property
    def deadline(self) -> datetime | None:
        """When what it waits for is too late: an approval, a start, an answer."""
        if self.state is RunState.AWAITING_APPROVAL and self.requirement and self.planned_at:
            return self.planned_at + self.requirement.valid_for
        if self.asked is None or self.asked.started_at is None:
            return None
        return self.asked.started_at + self.question(self.asked.id).patience

    def question(self, step_id: str) -> Question:
        """What a step asks of people; only for steps that do."""
        asks = self.plan.steps[step_id].asks if self.plan else None
        if asks is None:
            raise IllegalTransition(f"Step {step_id} of run {self.id} asks nobody.")
        return asks

    def record(self, step_id: str) -> StepRecord:
        """The record of one step."""
        return next(record for record in self.steps if record.id == step_id)


def blank_records(runbook: Runbook) -> tuple[StepRecord, ...]:
    """The records with which a run begins: every step pending, in order."""
    return tuple(StepRecord(step.id) for step in (*runbook.steps, *runbook.verification))
