"""`kubernetes.ready_pods`: a verification that enough pods are ready, and stay so."""

from __future__ import annotations

from typing import Annotated

from bot.domain.errors import PermanentError
from bot.domain.excerpt import counted
from bot.domain.parameter import Form, seconds
from bot.domain.plan import Limit, StepOutcome, StepPlan
from bot.ports import StepContext
from bot.steps.arguments import Duration, Formed
from bot.steps.base import ReadOnlyStep
from bot.steps.polling import Look, Patience, watch
from bot.steps.selection import SelectionArguments, select
from bot.steps.words import ready_count, unready

ALL = "all"
_MINIMUM = Form(f"{ALL}|[1-9][0-9]{{0,3}}", "all, or a number from 1 to 9999", "2")


class ReadyPodsArguments(SelectionArguments):
    """Whose pods, how many (``all`` or a number), and how long they have to stay ready."""

    minimum: Annotated[str, Formed(_MINIMUM)] = ALL
    soak: Duration = "30s"
    timeout: Duration = "120s"


class ReadyPods(ReadOnlyStep[ReadyPodsArguments]):
    """Waits until enough pods are ready, then watches that they stay ready."""

    name = "kubernetes.ready_pods"
    arguments = ReadyPodsArguments

    def intent(self, arguments: ReadyPodsArguments) -> str:
        number = "all" if arguments.minimum == ALL else f"at least {arguments.minimum}"
        soak = f" and stay so for {arguments.soak}" if seconds(arguments.soak) else ""
        return (
            f"Check that {number} of the pods of {arguments.subject} are ready "
            f"within {arguments.timeout}{soak}."
        )

    def limit(self, arguments: ReadyPodsArguments) -> Limit:
        return Patience(arguments.timeout, arguments.soak).limit

    def prepare(self, arguments: ReadyPodsArguments, context: StepContext) -> StepPlan:
        desired = select(arguments, context.cluster).desired
        wanted = 1 if arguments.minimum == ALL else int(arguments.minimum)
        if desired is not None and desired < wanted:
            raise PermanentError(
                f"{arguments.subject} is scaled to {counted(desired, 'pod')}, "
                f"so there can't be {wanted} ready."
            )
        return StepPlan(self.intent(arguments))

    def execute(self, arguments: ReadyPodsArguments, context: StepContext) -> StepOutcome:
        patience = Patience(arguments.timeout, arguments.soak)
        seen = watch(context, lambda: self._look(arguments, context), patience)
        return StepOutcome(f"{arguments.subject}: {seen.says}, for {arguments.soak}.")

    def _look(self, arguments: ReadyPodsArguments, context: StepContext) -> Look:
        selection = select(arguments, context.cluster)
        pods = context.cluster.pods(selection.namespace, selection.selector)
        expected = len(pods) if selection.desired is None else selection.desired
        wanted = max(expected, 1) if arguments.minimum == ALL else int(arguments.minimum)
        ready = ready_count(pods)
        if ready >= wanted:
            return Look(True, f"{counted(ready, 'pod')} ready")
        line = f"{ready} of at least {counted(wanted, 'pod')} ready. {unready(pods)}"
        return Look(False, line.rstrip(". "))
