"""`kubernetes.wait_condition`: wait until an object says that it is as it shall be."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from bot.domain.errors import NotFound, PermanentError
from bot.domain.field_path import PATH, look_up, value_text
from bot.domain.parameter import Form
from bot.domain.plan import Limit, StepOutcome, StepPlan
from bot.domain.resource import Manifest
from bot.ports import StepContext
from bot.steps.arguments import SENTENCE, Duration, Formed
from bot.steps.base import ReadOnlyStep
from bot.steps.object_arguments import ObjectArguments
from bot.steps.polling import Look, Patience, watch

_PATH = Form(PATH.pattern, "a field such as status.phase", "status.phase")


class WaitConditionArguments(ObjectArguments):
    """Which object, and what to wait for: a condition with a status, or a field with a value.

    With `required` on it has to be so when the run is planned already, or the run is refused.
    """

    condition: Annotated[str, Field(min_length=1, max_length=316)] | None = None
    status: Annotated[str, Field(pattern="^(True|False|Unknown)$")] = "True"
    path: Annotated[str, Formed(_PATH)] | None = None
    value: str | int | bool | None = None
    timeout: Duration = "300s"
    soak: Duration = "0s"
    required: bool = False

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.condition is None) == (self.path is None):
            raise PydanticCustomError(SENTENCE, "Give either condition or path.")
        if (self.path is None) != (self.value is None):
            raise PydanticCustomError(SENTENCE, "Give value together with path.")
        return self

    @property
    def wanted(self) -> str:
        """What is waited for, in words."""
        if self.condition is not None:
            return f"condition {self.condition} is {self.status}"
        return f"{self.path} is {_text(self.value)}"


class WaitCondition(ReadOnlyStep[WaitConditionArguments]):
    """Looks at the object every second; one that is deleted meanwhile ends the wait."""

    name = "kubernetes.wait_condition"
    arguments = WaitConditionArguments

    def intent(self, arguments: WaitConditionArguments) -> str:
        return f"Wait up to {arguments.timeout} until {arguments.wanted} in {arguments.subject}."

    def limit(self, arguments: WaitConditionArguments) -> Limit:
        return Patience(arguments.timeout, arguments.soak).limit

    def prepare(self, arguments: WaitConditionArguments, context: StepContext) -> StepPlan:
        seen = _look(arguments, context.objects.read(arguments.ref).body)
        if arguments.required and not seen.good:
            raise PermanentError(
                f"{arguments.subject} is not as it must be: {seen.says}, "
                f"but it must be so that {arguments.wanted}."
            )
        return StepPlan(f"{self.intent(arguments)} Now: {seen.says}.")

    def execute(self, arguments: WaitConditionArguments, context: StepContext) -> StepOutcome:
        def look() -> Look:
            try:
                return _look(arguments, context.objects.read(arguments.ref).body)
            except NotFound as error:
                raise PermanentError(f"{arguments.subject} is gone: {error}") from error

        patience = Patience(arguments.timeout, arguments.soak)
        return StepOutcome(f"{arguments.subject}: {watch(context, look, patience).says}.")


def _look(arguments: WaitConditionArguments, body: Manifest) -> Look:
    if arguments.condition is None:
        assert arguments.path is not None, "the model has checked that one of them is there"
        found = look_up(body, arguments.path)
        return Look(_text(found) == _text(arguments.value), f"{arguments.path} is {_text(found)}")
    if not _is_observed(body):
        return Look(False, "its last change is not yet seen by its controller")
    condition = look_up(body, f"status.conditions[{arguments.condition}]") or {}
    status = str(condition.get("status", "not there"))
    reason = f" ({condition['reason']})" if condition.get("reason") else ""
    return Look(status == arguments.status, f"condition {arguments.condition} is {status}{reason}")


def _is_observed(body: Manifest) -> bool:
    """Whether the status speaks of the newest generation, where it says of which it speaks."""
    generation = look_up(body, "metadata.generation")
    observed = look_up(body, "status.observedGeneration")
    return not isinstance(observed, int) or observed >= (generation or 0)


def _text(value: Any) -> str:
    """Values as texts: an argument that was a placeholder is one, whatever the field has."""
    if value is None:
        return "not there"
    return value if isinstance(value, str) else value_text(value)
