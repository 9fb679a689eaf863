"""The runner: takes a run as far as it goes without a person.

It asks `next_action`, does that one thing, writes it down, and asks again. Intent is
written before effect: where it finds an intent without an outcome (the runner before
it died there) it observes first, and does again only what did not happen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from bot.app.planning import ContextFor, Planner
from bot.app.record import record_run
from bot.domain.actor import TOCSIN
from bot.domain.cluster import Marker, ObjectKind
from bot.domain.errors import InvalidInput, PermanentError, TemporaryError, TocsinError
from bot.domain.plan import StepOutcome, Target
from bot.domain.run import Run
from bot.domain.run_actions import Action, Begin, MakePlan, Note, Perform, Undo, next_action
from bot.domain.run_events import (
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
)
from bot.domain.runbook import substitute
from bot.ports import Clock, Cluster, StepContext, StepKind, Store

RETRY_DELAYS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Seconds between the tries of a step whose error is temporary: two minutes in all,
which an API server's restart or a leader election does not exceed."""

T = TypeVar("T")

BUSY = (RunState.RUNNING, RunState.VERIFYING, RunState.COMPENSATING)


class Runner:
    """Does what a run needs next. Safe to call again at any point, by any process."""

    def __init__(
        self,
        store: Store,
        cluster: Cluster,
        kinds: Mapping[str, StepKind],
        context_for: ContextFor,
        clock: Clock,
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._kinds = kinds
        self._context_for = context_for
        self._clock = clock
        self._planner = Planner(kinds, context_for)

    def advance(self, run_id: int) -> bool:
        """Do the next one thing; returns whether there is more to do."""
        with self._store.read() as reader:
            run = reader.run(run_id)
        action = next_action(run)
        if action is None:
            return False
        self._do(run, action)
        return True

    def abandon(self, run_id: int, problem: str) -> None:
        """End a run whose runner met an error that nobody foresaw; a person decides."""
        with self._store.transaction() as tx:
            run = tx.run(run_id)
            if not run.state.final:
                event = RunFinished(RunState.UNCERTAIN, f"The runner failed: {problem}")
                record_run(tx, run, (event,), TOCSIN, self._clock.now())

    def _do(self, run: Run, action: Action) -> None:
        match action:
            case MakePlan():
                self._record(run, self._planned(run))
            case Begin():
                self._begin(run)
            case Perform(step, interrupted):
                self._perform(run, step, interrupted)
            case Undo(step):
                self._undo(run, step)
            case Note(event):
                self._record(run, event)

    def _planned(self, run: Run) -> RunEvent:
        try:
            plan = self._retried(
                lambda: self._planner.plan(run.runbook, run.parameters, run.id, self._clock.now())
            )
        except TocsinError as error:
            return RunRefused((f"It could not be planned: {error}",))
        return RunRefused(plan.problems) if plan.problems else RunPlanned(plan)

    def _begin(self, run: Run) -> None:
        """Start, unless the targets have changed or another run works on one of them."""
        targets = run.plan.targets if run.plan else frozenset()
        drifted = tuple(
            filter(None, (self._drift(target) for target in sorted(targets, key=_name)))
        )
        with self._store.transaction() as tx:
            busy = _occupied(tx.runs(BUSY), run)
            reasons = (*drifted, *busy)
            event = RunRefused(reasons) if reasons else RunStarted()
            record_run(tx, tx.run(run.id), (event,), TOCSIN, self._clock.now())

    def _drift(self, target: Target) -> str | None:
        read = (
            self._cluster.service
            if target.ref.kind is ObjectKind.SERVICE
            else self._cluster.deployment
        )
        try:
            now = self._retried(lambda: read(target.ref))
        except TocsinError as error:
            return f"{target.ref} can’t be read any more: {error}"
        if now.uid != target.uid:
            return f"{target.ref} was deleted and made anew since it was planned."
        if now.spec_digest != target.spec_digest:
            return f"{target.ref} was changed by somebody since it was planned."
        return None

    def _perform(self, run: Run, step_id: str, interrupted: bool) -> None:
        if not interrupted:
            run = self._record(run, StepStarted(step_id))
        began = run.record(step_id).started_at or self._clock.now()
        marker = Marker(run.id, step_id, began)
        kind, arguments = self._code(run, step_id)
        context = self._context(run, marker)
        if interrupted and kind.mutates:
            outcome = self._retried(lambda: kind.observe(arguments, context))
            if outcome is not None:
                self._record(run, StepFinished(step_id, outcome, observed=True))
                return
        self._record(run, self._outcome(step_id, kind, arguments, context))

    def _outcome(
        self, step_id: str, kind: StepKind, arguments: object, context: StepContext
    ) -> RunEvent:
        try:
            outcome = self._retried(lambda: kind.execute(arguments, context))
            return StepFinished(step_id, outcome)
        except TemporaryError as error:
            if kind.mutates:
                return RunFinished(
                    RunState.UNCERTAIN, f"Step {step_id} may have taken effect: {error}"
                )
            return StepFailed(step_id, str(error))
        except (PermanentError, InvalidInput) as error:
            return StepFailed(step_id, str(error))

    def _undo(self, run: Run, step_id: str) -> None:
        run = self._record(run, UndoStarted(step_id))
        record = run.record(step_id)
        marker = Marker(run.id, f"{step_id}.undo", record.started_at or self._clock.now())
        kind, arguments = self._code(run, step_id)
        outcome = record.outcome or StepOutcome("")
        context = self._context(run, marker)
        try:
            undone = self._retried(lambda: kind.undo(arguments, outcome, context))
        except TocsinError as error:
            self._record(run, UndoFailed(step_id, str(error)))
            return
        self._record(run, UndoFinished(step_id, undone))

    def _code(self, run: Run, step_id: str) -> tuple[StepKind, Any]:
        """What does the step: its kind, and its arguments with this run's parameters."""
        step = run.runbook.step(step_id)
        kind = self._kinds[step.kind]
        return kind, kind.arguments.read(substitute(step.arguments, run.parameters))

    def _context(self, run: Run, marker: Marker) -> StepContext:
        step_id = marker.step.removesuffix(".undo")
        decided = run.plan.steps[step_id].decided if run.plan else {}
        return self._context_for(
            marker, decided, lambda text: self._progress(run.id, step_id, text)
        )

    def _progress(self, run_id: int, step_id: str, text: str) -> None:
        with self._store.transaction() as tx:
            event = StepProgressed(step_id, text)
            record_run(tx, tx.run(run_id), (event,), TOCSIN, self._clock.now())

    def _record(self, run: Run, event: RunEvent) -> Run:
        with self._store.transaction() as tx:
            return record_run(tx, tx.run(run.id), (event,), TOCSIN, self._clock.now())

    def _retried(self, call: Callable[[], T]) -> T:
        """The call's result; temporary errors are waited out, the last one is raised."""
        for delay in RETRY_DELAYS:
            try:
                return call()
            except TemporaryError as error:
                self._clock.sleep(max(delay, error.retry_after or 0.0))
        return call()


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
