"""What the pages of runs and runbooks show, put together from the use cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.app.runs import Runs
from bot.domain.errors import NotFound
from bot.domain.plan import StepPlan
from bot.domain.plan_text import Givers, estimated, givers_in_words, outline, step_notes
from bot.domain.run import Run, StepRecord, StepState
from bot.domain.run_events import (
    RunState,
    StepAnswered,
    StepFailed,
    StepFinished,
    UndoFailed,
    UndoFinished,
)
from bot.domain.run_message import RUN_ACTION, givers_of, run_buttons
from bot.domain.run_unclear import what_is_known
from bot.domain.runbook import Runbook, Step
from bot.domain.timeline import Entry, Recorded, entries

SHOWN_RUNS = 100
"""Runs on one page, the newest."""

_NEEDS_PEOPLE = (RunState.AWAITING_APPROVAL, RunState.WAITING, RunState.UNCERTAIN)

GROUPS: Mapping[str, tuple[RunState, ...]] = {
    "needs people": _NEEDS_PEOPLE,
    "under way": tuple(one for one in RunState if not one.final and one not in _NEEDS_PEOPLE),
    "ended": tuple(one for one in RunState if one.final),
}
"""The states that are looked for together."""


@dataclass(frozen=True, slots=True)
class RunsView:
    """The newest runs in a state, or in a group of them; `chosen` is empty for all."""

    chosen: str
    runs: Sequence[Run]
    groups: Sequence[str] = tuple(GROUPS)
    states: Sequence[RunState] = tuple(RunState)


@dataclass(frozen=True, slots=True)
class StepView:
    """A step: what was planned of it, and what became of it."""

    step: Step
    record: StepRecord
    plan: StepPlan | None
    ended_at: datetime | None
    undone_at: datetime | None
    checks: bool
    """Whether it belongs to the verification."""
    givers: Givers
    """Who can give the approvals that it may ask for."""

    @property
    def notes(self) -> Sequence[str]:
        """Whom its change touches, whether it can be put back, whose answer it waits for."""
        return step_notes(self.plan, self.givers) if self.plan else ()

    @property
    def said(self) -> str:
        """What came of it, or how far it is."""
        record = self.record
        if record.reason:
            return record.reason
        return record.outcome.summary if record.outcome else record.progress


@dataclass(frozen=True, slots=True)
class RunView:
    """A run with everything that a person who is to approve it, or reviews it, can ask."""

    run: Run
    steps: Sequence[StepView]
    story: Sequence[Entry]

    @property
    def begun(self) -> bool:
        """Whether any step was."""
        return any(one.record.state is not StepState.PENDING for one in self.steps)

    @property
    def outline(self) -> str:
        """Which of the planned steps change something; empty while there is no plan."""
        return outline(self.run.plan) if self.run.plan else ""

    @property
    def estimated(self) -> str:
        """How long it will take, or would have; empty while there is no plan."""
        return estimated(self.run.plan.estimate) if self.run.plan else ""

    @property
    def known(self) -> str:
        """What is known of a run that ended uncertain, and how to find out the rest."""
        return what_is_known(self.run) if self.run.state is RunState.UNCERTAIN else ""

    @property
    def givers(self) -> str:
        """Who can give the approvals that are lacking."""
        return givers_in_words(givers_of(self.run), self.run.missing)

    @property
    def question(self) -> str:
        """What the step that waits asks of people; empty when none does."""
        asked = self.run.asked
        return self.run.question(asked.id).text if asked else ""

    @property
    def commands(self) -> Mapping[str, str]:
        """What can be done to it now: the slash command, and what it does."""
        return {
            f"/runbook {one.action.removeprefix(RUN_ACTION)} {self.run.id}": one.label
            for one in run_buttons(self.run)
        }


@dataclass(frozen=True, slots=True)
class RunbookView:
    """A version of a runbook, and the versions that there are, the newest first."""

    runbook: Runbook
    versions: Sequence[str]


def runs_view(runs: Runs, chosen: str) -> RunsView:
    """Raises `NotFound` for a state that there isn't."""
    states = {**GROUPS, **{one.value: (one,) for one in RunState}}
    if chosen and chosen not in states:
        raise NotFound("No run can be in such a state.")
    return RunsView(chosen, runs.newest(SHOWN_RUNS, states.get(chosen)))


def run_view(runs: Runs, run_id: int) -> RunView:
    """Raises `NotFound`."""
    run, recorded = runs.recorded(run_id)
    ended, undone = _ended(recorded), _undone(recorded)
    checks = {step.id for step in run.runbook.verification}
    steps = [
        StepView(
            run.runbook.step(record.id),
            record,
            run.plan.steps.get(record.id) if run.plan else None,
            ended.get(record.id),
            undone.get(record.id),
            record.id in checks,
            givers_of(run),
        )
        for record in run.steps
    ]
    return RunView(run, steps, entries(recorded))


def runbook_views(runs: Runs) -> Sequence[RunbookView]:
    """The version of each runbook that is used where none is named."""
    return [RunbookView(*runs.runbook(one.name)) for one in runs.runbooks()]


def _ended(recorded: Sequence[Recorded]) -> Mapping[str, datetime]:
    """When each step was done or failed."""
    return {
        one.event.step: one.at
        for one in recorded
        if isinstance(one.event, StepFinished | StepFailed | StepAnswered)
    }


def _undone(recorded: Sequence[Recorded]) -> Mapping[str, datetime]:
    """When each step was put back, or that was given up."""
    return {
        one.event.step: one.at
        for one in recorded
        if isinstance(one.event, UndoFinished | UndoFailed)
    }
