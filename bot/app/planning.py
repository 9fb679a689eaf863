"""Planning a run: every step says what it would do; nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.cluster import Marker, ObjectRef
from bot.domain.errors import InvalidInput, PermanentError
from bot.domain.estimate import estimate
from bot.domain.placeholders import Undecided
from bot.domain.plan import Plan, StepPlan, make_plan, seen_before
from bot.domain.runbook import Runbook, Step
from bot.ports import StepContext, StepKind, StepOccasion

ContextFor = Callable[[StepOccasion], StepContext]
"""Makes what a step works with."""

Lengths = Callable[[Runbook], Sequence[timedelta]]
"""How long earlier runs of that version of a runbook took, besides their soak."""


@dataclass(frozen=True, slots=True)
class PlanFor:
    """What is planned: a runbook with its parameters, for a run or for nobody."""

    runbook: Runbook
    parameters: Mapping[str, str]
    run_id: int = 0
    incident_id: int | None = None


def _of_none(_runbook: Runbook) -> Sequence[timedelta]:
    return ()


class Planner:
    """Asks the step kinds for their plans; `own` is the workload that Tocsin itself runs in.

    `lengths` knows earlier runs; without it none are known.
    """

    def __init__(
        self,
        kinds: Mapping[str, StepKind],
        context_for: ContextFor,
        own: ObjectRef | None = None,
        lengths: Lengths = _of_none,
    ) -> None:
        self._kinds = kinds
        self._context_for = context_for
        self._own = own
        self._lengths = lengths

    def plan(self, wanted: PlanFor, now: datetime) -> Plan:
        """The plan as the cluster is now. Raises `TemporaryError` when it can't be read."""
        runbook, steps = wanted.runbook, dict[str, StepPlan]()
        for step in (*runbook.steps, *runbook.verification):
            planned = self._planned(step, wanted, steps, now)
            safe = self._without_self_harm(planned, runbook)
            steps[step.id] = replace(seen_before(safe, steps), title=step.title)
        plan = make_plan(runbook.digest, wanted.parameters, steps)
        return replace(plan, estimate=estimate(steps.values(), self._lengths(runbook)))

    def _planned(
        self, step: Step, wanted: PlanFor, before: Mapping[str, StepPlan], now: datetime
    ) -> StepPlan:
        decided = {step_id: plan.decided for step_id, plan in before.items()}
        try:
            values = wanted.runbook.arguments(step, wanted.parameters, decided)
        except Undecided as error:
            # Where an earlier step can't be planned, that is the reason, and said already.
            refused = any(plan.problems for plan in before.values())
            return StepPlan(step.title, problems=() if refused else (str(error),))
        marker = Marker(wanted.run_id, step.id, now)
        occasion = StepOccasion(marker, cluster=step.cluster, incident_id=wanted.incident_id)
        return _in_cluster(self._plan_step(step, values, occasion), step.cluster)

    def _plan_step(self, step: Step, values: Mapping[str, Any], occasion: StepOccasion) -> StepPlan:
        kind = self._kinds[step.kind]
        try:
            return kind.plan(kind.arguments.read(values), self._context_for(occasion))
        except (InvalidInput, PermanentError) as error:
            return StepPlan(step.title, problems=(str(error),))

    def _without_self_harm(self, plan: StepPlan, runbook: Runbook) -> StepPlan:
        if runbook.changes_tocsin or all(target.ref != self._own for target in plan.targets):
            return plan
        problem = (
            f"{self._own} is where Tocsin itself runs: only a runbook that says"
            " “changes_tocsin: true” may change that."
        )
        return replace(plan, problems=(*plan.problems, problem))


def _in_cluster(plan: StepPlan, cluster: str) -> StepPlan:
    """The plan of a step that works on another cluster, and says so."""
    if not cluster:
        return plan
    targets = (replace(one, ref=replace(one.ref, cluster=cluster)) for one in plan.targets)
    return replace(plan, summary=f"In {cluster}: {plan.summary}", targets=tuple(targets))
