"""`manual` and `approval`: steps that people do. The run waits for them; nothing is executed."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from bot.domain.access_policy import APPROVER
from bot.domain.errors import PermanentError
from bot.domain.parameter import seconds
from bot.domain.plan import Question, StepOutcome, StepPlan
from bot.ports import StepContext
from bot.steps.arguments import Arguments, Duration, Word
from bot.steps.base import ReadOnlyStep

Instruction = Annotated[Word, StringConstraints(min_length=1, max_length=2000)]


class ManualArguments(Arguments):
    """What somebody has to do, and how long it is waited for."""

    instruction: Instruction
    timeout: Duration = "4h"


class Manual(ReadOnlyStep[ManualArguments]):
    """Waits until somebody says that they have done something, or that it can't be done."""

    name = "manual"
    arguments = ManualArguments

    def intent(self, arguments: ManualArguments) -> str:
        return f"By hand: {arguments.instruction}"

    def prepare(self, arguments: ManualArguments, context: StepContext) -> StepPlan:
        patience = timedelta(seconds=seconds(arguments.timeout))
        asks = Question(arguments.instruction, {}, patience)
        return StepPlan(self.intent(arguments), asks=asks)

    def execute(self, arguments: ManualArguments, context: StepContext) -> StepOutcome:
        raise PermanentError("This step is people's; it can't be executed.")


class ApprovalArguments(Arguments):
    """What is to be approved, by how many of which kind (``policy/access.yaml``)."""

    question: Instruction
    needs: Annotated[
        dict[
            Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")],
            Annotated[int, Field(ge=1, le=10)],
        ],
        Field(min_length=1),
    ] = Field(default_factory=lambda: {APPROVER: 1})
    timeout: Duration = "4h"


class Approval(ReadOnlyStep[ApprovalArguments]):
    """Waits, within a run, for approvals by others than whoever asked for the run."""

    name = "approval"
    arguments = ApprovalArguments

    def intent(self, arguments: ApprovalArguments) -> str:
        return f"Wait for approval: {arguments.question}"

    def prepare(self, arguments: ApprovalArguments, context: StepContext) -> StepPlan:
        patience = timedelta(seconds=seconds(arguments.timeout))
        asks = Question(arguments.question, arguments.needs, patience)
        return StepPlan(self.intent(arguments), asks=asks)

    def execute(self, arguments: ApprovalArguments, context: StepContext) -> StepOutcome:
        raise PermanentError("This step is people's; it can't be executed.")
