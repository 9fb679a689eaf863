"""One step of a run: done, found out about, or put back.

Intent is written before effect. Where an intent stands without an outcome (the runner
before died there), what happened is observed first, and only what did not is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.app.planning import ContextFor
from bot.app.run_log import RunLog, retried
from bot.domain.cluster import Marker
from bot.domain.errors import (
    IllegalTransition,
    InvalidInput,
    NotFound,
    PermanentError,
    TemporaryError,
    TocsinError,
)
from bot.domain.plan import StepOutcome
from bot.domain.run import Run, StepState
from bot.domain.run_events import (
    RunEvent,
    RunFinished,
    RunState,
    StepFailed,
    StepFinished,
    StepProgressed,
    StepStarted,
    UndoFailed,
    UndoFinished,
    UndoStarted,
)
from bot.ports import Clock, StepContext, StepKind, StepOccasion

UNDO = ".undo"
"""What follows the step in the marker of its undo."""


class StepWork:
    """Does steps, and writes down what becomes of them."""

    def __init__(
        self, log: RunLog, kinds: Mapping[str, StepKind], context_for: ContextFor, clock: Clock
    ) -> None:
        self._log = log
        self._kinds = kinds
        self._context_for = context_for
        self._clock = clock

    def perform(self, run: Run, step_id: str, interrupted: bool) -> None:
        """Do the step, unless an interrupted try of it has taken effect already."""
        if not interrupted:
            run = self._log.record(run.id, StepStarted(step_id))
        begun = self._begun(run, step_id)
        found = self._found(step_id, *begun) if interrupted else None
        self._log.record(run.id, found or self._outcome(step_id, *begun))

    def settle(self, run: Run, step_id: str) -> None:
        """Find out whether an interrupted step took effect; else what it left is stopped."""
        begun = self._begun(run, step_id)
        found = self._found(step_id, *begun)
        self._log.record(run.id, found or self._stopped(step_id, *begun))

    def undo(self, run: Run, step_id: str) -> None:
        """Put the step's change back."""
        run = self._log.record(run.id, UndoStarted(step_id))
        record = run.record(step_id)
        marker = Marker(run.id, f"{step_id}{UNDO}", record.started_at or self._clock.now())
        kind, arguments = self._code(run, step_id)
        outcome = record.outcome or StepOutcome("")
        context = self._context(run, marker)
        try:
            undone = self._tried(context, lambda: kind.undo(arguments, outcome, context))
        except TocsinError as error:
            self._log.record(run.id, UndoFailed(step_id, str(error)))
            return
        self._log.record(run.id, UndoFinished(step_id, undone))

    def _begun(self, run: Run, step_id: str) -> tuple[StepKind, Any, StepContext]:
        """What does a step that has begun, marked with the moment it first did."""
        began = run.record(step_id).started_at or self._clock.now()
        return *self._code(run, step_id), self._context(run, Marker(run.id, step_id, began))

    def _found(
        self, step_id: str, kind: StepKind, arguments: Any, context: StepContext
    ) -> RunEvent | None:
        """What is known of an interrupted step; None where it took no effect."""
        if not kind.mutates:
            return None
        try:
            done = retried(self._clock, lambda: kind.observe(arguments, context), _later(context))
        except TocsinError as error:
            return _unknown(step_id, error)
        return StepFinished(step_id, done, observed=True) if done else None

    def _stopped(
        self, step_id: str, kind: StepKind, arguments: Any, context: StepContext
    ) -> RunEvent:
        try:
            why = retried(self._clock, lambda: kind.stop(arguments, context), _later(context))
        except TocsinError as error:
            return _unknown(step_id, error)
        return StepFailed(step_id, why)

    def _outcome(
        self, step_id: str, kind: StepKind, arguments: Any, context: StepContext
    ) -> RunEvent:
        try:
            outcome = self._tried(context, lambda: kind.execute(arguments, context))
            return StepFinished(step_id, outcome)
        except TemporaryError as error:
            if kind.mutates:
                return _unknown(step_id, error)
            return StepFailed(step_id, str(error))
        except (PermanentError, InvalidInput) as error:
            return StepFailed(step_id, str(error))

    def _tried(self, context: StepContext, call: Callable[[], StepOutcome]) -> StepOutcome:
        """As `retried`, unless somebody else has ended the step, or replaced what it changes.

        This process may have slept since it began the step.
        """

        def tried() -> StepOutcome:
            run = self._log.read(context.marker.run)
            if _is_over(run, context.marker):
                raise IllegalTransition("Another runner has ended this step meanwhile.")
            _require_same(run, context)
            return call()

        return retried(self._clock, tried, _later(context))

    def _is_stopped(self, marker: Marker) -> bool:
        """Whether whoever waits has to stop: for an abort, or since somebody else went on."""
        run = self._log.read(marker.run)
        return run.state is RunState.CANCELLING or _is_over(run, marker)

    def _code(self, run: Run, step_id: str) -> tuple[StepKind, Any]:
        """What does the step: its kind, and its arguments with this run's parameters."""
        step = run.runbook.step(step_id)
        kind = self._kinds[step.kind]
        plans = run.plan.steps if run.plan else {}
        decided = {name: plan.decided for name, plan in plans.items()}
        return kind, kind.arguments.read(run.runbook.arguments(step, run.parameters, decided))

    def _context(self, run: Run, marker: Marker) -> StepContext:
        step_id = _step_of(marker)
        decided = run.plan.steps[step_id].decided if run.plan else {}
        return self._context_for(
            StepOccasion(
                marker,
                decided,
                run.runbook.step(step_id).cluster,
                run.incident_id,
                progress=lambda text: self._progress(run.id, step_id, text),
                stopped=lambda: self._is_stopped(marker),
            )
        )

    def _progress(self, run_id: int, step_id: str, text: str) -> None:
        self._log.record(run_id, StepProgressed(step_id, text))


def _later(context: StepContext) -> Callable[[str], None]:
    """Tells on the step what it waits out."""
    return lambda reason: context.progress(f"not possible yet, tried again: {reason}")


def _unknown(step_id: str, error: TocsinError) -> RunFinished:
    return RunFinished(RunState.UNCERTAIN, f"Step {step_id} may have taken effect: {error}")


def _is_over(run: Run, marker: Marker) -> bool:
    """Whether the step (or its undo) that writes this marker is under way no more."""
    step_id = _step_of(marker)
    under_way = StepState.STARTED if step_id == marker.step else StepState.UNDOING
    return run.record(step_id).state is not under_way


def _step_of(marker: Marker) -> str:
    return marker.step.removesuffix(UNDO)


def _require_same(run: Run, context: StepContext) -> None:
    """Refuse what was made anew since the plan: it is another object, which nobody approved."""
    step_id = _step_of(context.marker)
    for target in run.plan.steps[step_id].targets if run.plan else ():
        try:
            uid = context.objects.read(target.ref).uid
        except NotFound:
            continue  # What the step makes of it is its own matter.
        if uid != target.uid:
            raise PermanentError(f"{target.ref} was deleted and made anew since it was planned.")
