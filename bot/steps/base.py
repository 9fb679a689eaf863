"""What kinds of step have in common, so that each kind's file holds only its own matter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Generic, TypeVar

from bot.domain.cluster import Deployment, Service
from bot.domain.errors import InvalidInput, PermanentError
from bot.domain.plan import Limit, StepOutcome, StepPlan, Target
from bot.domain.resource import Resource
from bot.ports import StepContext
from bot.steps.arguments import Arguments

A = TypeVar("A", bound=Arguments)

NO_EFFECT = "the run was aborted before it took effect."
"""Why an interrupted step failed that an abort kept from being done again."""


class BaseStep(ABC, Generic[A]):
    """A kind of step whose plan turns what is missing or refused into problems."""

    name: str
    arguments: type[A]
    mutates: bool
    decides: frozenset[str] = frozenset()

    def plan(self, arguments: A, context: StepContext) -> StepPlan:
        """The plan; what stands against it is said in its problems, not raised."""
        try:
            planned = self.prepare(arguments, context)
        except (PermanentError, InvalidInput) as error:
            return StepPlan(self.intent(arguments), problems=(str(error),))
        return replace(planned, limit=self.limit(arguments))

    def limit(self, arguments: A) -> Limit:
        """How long it waits at most; for the kinds that wait for anything but people."""
        return Limit()

    @abstractmethod
    def intent(self, arguments: A) -> str:
        """What the step is for, in a sentence that needs no look at the cluster."""

    @abstractmethod
    def prepare(self, arguments: A, context: StepContext) -> StepPlan:
        """The plan, found out by reading; errors that it raises become its problems."""

    def stop(self, arguments: A, context: StepContext) -> str:
        """For the kinds that leave something under way, which would go on by itself."""
        return NO_EFFECT

    @abstractmethod
    def execute(self, arguments: A, context: StepContext) -> StepOutcome: ...


class ReadOnlyStep(BaseStep[A]):
    """A step that changes nothing: it has nothing to observe and nothing to undo."""

    mutates = False

    def observe(self, arguments: A, context: StepContext) -> StepOutcome | None:
        return None

    def undo(self, arguments: A, outcome: StepOutcome, context: StepContext) -> StepOutcome:
        return StepOutcome("Nothing was changed, so there is nothing to put back.")


class MutatingStep(BaseStep[A]):
    """A step that changes an object; the object's marker tells whether it has done so."""

    mutates = True

    def execute(self, arguments: A, context: StepContext) -> StepOutcome:
        """Change the object, unless this very step already has."""
        return self.observe(arguments, context) or self.apply(arguments, context)

    @abstractmethod
    def observe(self, arguments: A, context: StepContext) -> StepOutcome | None: ...

    @abstractmethod
    def apply(self, arguments: A, context: StepContext) -> StepOutcome:
        """Change the object."""

    @abstractmethod
    def undo(self, arguments: A, outcome: StepOutcome, context: StepContext) -> StepOutcome: ...


def target_of(seen: Deployment | Service | Resource) -> Target:
    """What a plan remembers of an object in order to notice that it changed."""
    return Target(seen.ref, seen.uid, seen.spec_digest)
