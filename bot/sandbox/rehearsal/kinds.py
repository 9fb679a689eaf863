"""A step kind that tells when it is executed, so that faults can happen at that moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.domain.plan import StepOutcome, StepPlan
from bot.ports import StepContext, StepKind


class Rehearsed:
    """Implements `StepKind` by another one; `begins` is told each step's id as it begins."""

    def __init__(self, kind: StepKind, begins: Callable[[str], None]) -> None:
        self.name = kind.name
        self.arguments = kind.arguments
        self.mutates = kind.mutates
        self.decides = kind.decides
        self._kind = kind
        self._begins = begins

    def plan(self, arguments: Any, context: StepContext) -> StepPlan:
        return self._kind.plan(arguments, context)

    def execute(self, arguments: Any, context: StepContext) -> StepOutcome:
        self._begins(context.marker.step)
        return self._kind.execute(arguments, context)

    def observe(self, arguments: Any, context: StepContext) -> StepOutcome | None:
        return self._kind.observe(arguments, context)

    def stop(self, arguments: Any, context: StepContext) -> str:
        return self._kind.stop(arguments, context)

    def undo(self, arguments: Any, outcome: StepOutcome, context: StepContext) -> StepOutcome:
        self._begins(context.marker.step)
        return self._kind.undo(arguments, outcome, context)
