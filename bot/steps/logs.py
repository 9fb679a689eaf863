"""`kubernetes.logs`: the end of the logs of a workload's pods, those in trouble first."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.domain.errors import NotFound, PermanentError
from bot.domain.excerpt import counted
from bot.domain.plan import Attachment, StepOutcome, StepPlan
from bot.domain.resource import Resource
from bot.ports import StepContext
from bot.steps.arguments import ObjectName
from bot.steps.base import ReadOnlyStep
from bot.steps.pod_bodies import POD, is_ready
from bot.steps.selection import SelectionArguments, select
from bot.steps.text import LOG_LINES, log_end


class LogsArguments(SelectionArguments):
    """Whose pods (at most `pods` of them), which container, how many lines of each.

    With `previous` it is the log of the container before its last restart.
    """

    container: ObjectName | None = None
    previous: bool = False
    lines: Annotated[int, Field(ge=1, le=500)] = LOG_LINES
    pods: Annotated[int, Field(ge=1, le=20)] = 5


_QUOTED_LINES, _QUOTED_CHARACTERS = 8, 800
"""How much of the log of a pod in trouble is told besides: what a telephone shows at once."""


class Logs(ReadOnlyStep[LogsArguments]):
    """Reads the logs and attaches them; one that can't be read is said in its place.

    The end of the log of a pod that is not ready is told as well.
    """

    name = "kubernetes.logs"
    arguments = LogsArguments

    def intent(self, arguments: LogsArguments) -> str:
        which = "before its last restart " if arguments.previous else ""
        return (
            f"Read the last {counted(arguments.lines, 'line')} {which}"
            f"of each pod of {arguments.subject}."
        )

    def prepare(self, arguments: LogsArguments, context: StepContext) -> StepPlan:
        select(arguments, context.cluster)
        return StepPlan(self.intent(arguments))

    def execute(self, arguments: LogsArguments, context: StepContext) -> StepOutcome:
        selection = select(arguments, context.cluster)
        pods = context.objects.find(POD, selection.namespace, selection.selector)
        chosen = sorted(pods, key=lambda pod: (is_ready(pod.body), pod.ref))[: arguments.pods]
        logs = [_log(pod, arguments, context) for pod in chosen]
        titled = (f"--- {pod.ref.name}\n{log}" for pod, log in zip(chosen, logs, strict=True))
        more = f" of {counted(len(pods), 'pod')}" if len(pods) > len(chosen) else ""
        file = Attachment("logs.txt", "text/plain", "\n\n".join(titled).encode())
        said = f"Read the logs of {counted(len(chosen), 'pod')}{more} of {arguments.subject}."
        if chosen and not is_ready(chosen[0].body):
            end = log_end(logs[0], _QUOTED_LINES, _QUOTED_CHARACTERS)
            said += f" Pod {chosen[0].ref.name} is not ready; the end of its log:\n{end}"
        return StepOutcome(said, attachments=(file,) if logs else ())


def _log(pod: Resource, arguments: LogsArguments, context: StepContext) -> str:
    try:
        text = context.objects.log(
            pod.ref, arguments.container or "", arguments.lines, previous=arguments.previous
        )
    except (PermanentError, NotFound) as error:
        return f"(it can't be read: {error})"
    return log_end(text, arguments.lines) or "(it is empty)"
