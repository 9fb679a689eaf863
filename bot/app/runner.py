"""The runner: takes a run as far as it goes without a person.

It asks `next_action`, does that one thing, writes it down, and asks again, until people
have to decide or the run is over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from bot.app.planning import PlanFor, Planner
from bot.app.record import record_run
from bot.app.run_log import RunLog, retried
from bot.app.step_work import StepWork
from bot.domain.actor import TOCSIN
from bot.domain.approval import Requirement
from bot.domain.cluster import ObjectRef
from bot.domain.errors import IllegalTransition, InvalidInput, TocsinError
from bot.domain.plan import Plan, Target
from bot.domain.resource import Resource
from bot.domain.run import NEEDS_UNKNOWN, Run
from bot.domain.run_actions import (
    Action,
    Begin,
    MakePlan,
    Note,
    Perform,
    Settle,
    Undo,
    next_action,
)
from bot.domain.run_events import (
    RunDelayed,
    RunEvent,
    RunExpired,
    RunFinished,
    RunPlanned,
    RunRefused,
    RunStarted,
    RunState,
)
from bot.ports import Clock, Store

BUSY = (
    RunState.RUNNING,
    RunState.WAITING,
    RunState.VERIFYING,
    RunState.CANCELLING,
    RunState.COMPENSATING,
)
"""The states in which a run has its targets to itself."""

MANY = 1000
"""More runs than can be under way at once."""


class Reads(Protocol):
    """Reads objects of any cluster, by the cluster's name in their reference."""

    def read(self, ref: ObjectRef) -> Resource: ...


T = TypeVar("T")

RequirementOf = Callable[[Run, Plan], Requirement]
"""The approvals that a run with this plan needs; `InvalidInput` says why it can't have them."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Does what a run needs next. Safe to call again at any point, by any process."""

    store: Store
    objects: Reads
    planner: Planner
    work: StepWork
    requirement_of: RequirementOf
    clock: Clock

    def advance(self, run_id: int) -> bool:
        """Do the next one thing; returns whether there is more to do."""
        run = self._log.read(run_id)
        action = next_action(run)
        if action is None:
            return False
        try:
            self._do(run, action)
        except IllegalTransition:
            # People or another runner were quicker: whatever is next now is seen next time.
            if self._log.read(run_id) == run:
                raise
        return True

    def abandon(self, run_id: int, problem: str) -> None:
        """End a run whose runner met an error that nobody foresaw; a person decides."""
        if not self._log.read(run_id).state.final:
            self._log.record(
                run_id, RunFinished(RunState.UNCERTAIN, f"The runner failed: {problem}")
            )

    @property
    def _log(self) -> RunLog:
        return RunLog(self.store, self.clock)

    def _do(self, run: Run, action: Action) -> None:
        match action:
            case MakePlan():
                self._log.record(run.id, self._planned(run))
            case Begin():
                self._begin(run)
            case Perform(step, interrupted):
                self.work.perform(run, step, interrupted)
            case Settle(step):
                self.work.settle(run, step)
            case Undo(step):
                self.work.undo(run, step)
            case Note(event):
                self._log.record(run.id, event)

    def _planned(self, run: Run) -> RunEvent:
        wanted = PlanFor(run.runbook, run.parameters, run.id, run.incident_id)
        try:
            plan = self._waiting_out(run, lambda: self.planner.plan(wanted, self.clock.now()))
        except TocsinError as error:
            return RunRefused((f"It could not be planned: {error}",))
        if plan.problems:
            return RunRefused(plan.problems)
        try:
            return RunPlanned(plan, self.requirement_of(run, plan))
        except InvalidInput as error:
            return RunRefused((str(error),))

    def _begin(self, run: Run) -> None:
        """Start, unless it took too long, the targets changed, or another run has one of them."""
        if run.requirement is None:
            self._log.record(run.id, RunRefused((NEEDS_UNKNOWN,)))
            return
        if _too_late(run, self.clock):
            self._log.record(run.id, RunExpired())
            return
        targets = run.plan.targets if run.plan else frozenset()
        drifted = tuple(filter(None, (self._drift(run, one) for one in sorted(targets, key=_name))))
        with self.store.transaction() as tx:
            reasons = (*drifted, *_occupied(tx.runs(BUSY, MANY), run))
            event = RunRefused(reasons) if reasons else RunStarted()
            record_run(tx, tx.run(run.id), (event,), TOCSIN, self.clock.now())

    def _drift(self, run: Run, target: Target) -> str | None:
        try:
            now = self._waiting_out(run, lambda: self.objects.read(target.ref))
        except TocsinError as error:
            return f"{target.ref} can’t be read any more: {error}"
        if now.uid != target.uid:
            return f"{target.ref} was deleted and made anew since it was planned."
        if now.spec_digest != target.spec_digest:
            return f"{target.ref} was changed by somebody since it was planned."
        return None

    def _waiting_out(self, run: Run, call: Callable[[], T]) -> T:
        """As `retried`; why it takes so long is written down."""

        def tell(reason: str) -> None:
            self._log.record(run.id, RunDelayed(reason))

        return retried(self.clock, call, tell)


def _too_late(run: Run, clock: Clock) -> bool:
    """Whether the oldest approval, or the word that let it run, holds no longer."""
    given = min((one.at for one in run.approvals), default=run.approved_at)
    if run.requirement is None or given is None:
        return False
    return clock.now() > given + run.requirement.valid_for


def _name(target: Target) -> str:
    return str(target.ref)


def _occupied(others: Sequence[Run], run: Run) -> tuple[str, ...]:
    """Why the run can't have its targets, naming the run that has them."""
    wanted = {target.ref for target in (run.plan.targets if run.plan else ())}
    return tuple(
        f"Run {other.id} ({other.title}) is working on {target.ref} already."
        for other in others
        for target in (other.plan.targets if other.plan else ())
        if other.id != run.id and target.ref in wanted
    )
