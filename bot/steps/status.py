"""`kubernetes.status`: how the pods are, reported and not judged."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.cluster import Pod
from bot.domain.excerpt import counted
from bot.domain.plan import StepOutcome, StepPlan
from bot.ports import StepContext
from bot.steps.base import ReadOnlyStep
from bot.steps.selection import Selection, SelectionArguments, select
from bot.steps.words import ready_count, unready


class StatusArguments(SelectionArguments):
    """Whose pods to report."""


class Status(ReadOnlyStep[StatusArguments]):
    """Reports the pods: how many are ready, how often they restarted, what keeps them.

    Its plan takes the name that it was given apart, for steps that need a part of it.
    """

    name = "kubernetes.status"
    arguments = StatusArguments
    decides = frozenset({"namespace", "name"})

    def intent(self, arguments: StatusArguments) -> str:
        return f"Look at the pods of {arguments.subject}."

    def prepare(self, arguments: StatusArguments, context: StepContext) -> StepPlan:
        report = self._report(arguments, context)
        namespace, _, name = (arguments.workload or arguments.service or "").partition("/")
        return StepPlan(
            f"{self.intent(arguments)} Now: {report}",
            decided={"namespace": namespace, "name": name},
        )

    def execute(self, arguments: StatusArguments, context: StepContext) -> StepOutcome:
        return StepOutcome(f"{arguments.subject}: {self._report(arguments, context)}")

    def _report(self, arguments: StatusArguments, context: StepContext) -> str:
        selection = select(arguments, context.cluster)
        return describe(selection, context.cluster.pods(selection.namespace, selection.selector))


def describe(selection: Selection, pods: Sequence[Pod]) -> str:
    """``2 of 3 pods ready, 4 restarts. Not ready: …``."""
    expected = max(len(pods), selection.desired or 0)
    restarts = sum(pod.restarts for pod in pods)
    count = f"{ready_count(pods)} of {counted(expected, 'pod')} ready"
    sentence = f"{count}, {counted(restarts, 'restart')}." if restarts else f"{count}."
    return f"{sentence} {unready(pods)}".rstrip()
