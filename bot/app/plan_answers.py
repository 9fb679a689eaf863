"""Answers `/runbook plan`: what a runbook would do to the cluster as it is now."""

from __future__ import annotations

from dataclasses import dataclass

from bot.app.access import Access
from bot.app.planning import PlanFor, Planner
from bot.domain.approval import Requirement
from bot.domain.effects import AnswerPlan, SendAnswer
from bot.domain.errors import InvalidInput, TemporaryError
from bot.domain.message import Message
from bot.domain.plan import Plan
from bot.domain.run_message import plan_message
from bot.domain.run_words import apart
from bot.domain.runbook import Runbook, bind
from bot.ports import Clock, RunbookLibrary, Store


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan that nobody has asked to run."""

    runbook: Runbook
    plan: Plan
    needs: Requirement

    @property
    def message(self) -> Message:
        """What people are shown of it."""
        return plan_message(self.runbook, self.plan, self.needs)


class PlanAnswers:
    """Plans without a run."""

    def __init__(
        self,
        store: Store,
        library: RunbookLibrary,
        planner: Planner,
        access: Access,
        clock: Clock,
    ) -> None:
        self._store = store
        self._library = library
        self._planner = planner
        self._access = access
        self._clock = clock

    def answer(self, effect: AnswerPlan) -> None:
        """Plan, and have the plan sent to the one who asked."""
        message = self.message(effect.runbook, effect.words)
        with self._store.transaction() as tx:
            tx.enqueue(SendAnswer(effect.response_url, message))

    def message(self, reference: str, words: tuple[str, ...]) -> Message:
        """The plan as a message; a cluster that can't be reached is said, not raised."""
        try:
            return self.planned(reference, words).message
        except InvalidInput as error:
            return Message(headline="That can’t be planned", body=str(error))
        except TemporaryError as error:
            return Message(headline="The cluster can’t be reached", body=str(error))

    def planned(self, reference: str, words: tuple[str, ...]) -> Planned:
        """The plan, and what a run of it would need; raises what planning raises."""
        runbook = self._library.get(reference)
        others, incident_id = apart(words)
        parameters = bind(runbook, others)
        wanted = PlanFor(runbook, parameters, incident_id=incident_id)
        plan = self._planner.plan(wanted, self._clock.now())
        return Planned(runbook, plan, self._access.requirement(runbook, parameters, plan))
