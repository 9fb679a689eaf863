"""Planning a run: every step says what it would do; nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.domain.cluster import Marker
from bot.domain.errors import InvalidInput, PermanentError
from bot.domain.plan import Plan, StepPlan, make_plan
from bot.domain.runbook import Runbook, Step, substitute
from bot.ports import StepContext, StepKind

ContextFor = Callable[[Marker, Mapping[str, str], Callable[[str], None]], StepContext]
"""Makes a step's context from its marker, what its plan decided, and where progress goes."""


class Planner:
    """Asks the step kinds for their plans."""

    def __init__(self, kinds: Mapping[str, StepKind], context_for: ContextFor) -> None:
        self._kinds = kinds
        self._context_for = context_for

    def plan(
        self, runbook: Runbook, parameters: Mapping[str, str], run_id: int, now: datetime
    ) -> Plan:
        """The plan as the cluster is now. Raises `TemporaryError` when it can't be read."""
        steps = {
            step.id: self._plan_step(step, parameters, Marker(run_id, step.id, now))
            for step in (*runbook.steps, *runbook.verification)
        }
        return make_plan(runbook.digest, parameters, steps)

    def _plan_step(self, step: Step, parameters: Mapping[str, str], marker: Marker) -> StepPlan:
        kind = self._kinds[step.kind]
        context = self._context_for(marker, {}, lambda _text: None)
        try:
            arguments = kind.arguments.read(substitute(step.arguments, parameters))
            return kind.plan(arguments, context)
        except (InvalidInput, PermanentError) as error:
            return StepPlan(step.title, problems=(str(error),))
