"""Answers `/runbook plan`: what a runbook would do to the cluster as it is now."""

from __future__ import annotations

from bot.app.access import Access
from bot.app.planning import PlanFor, Planner
from bot.domain.effects import AnswerPlan, SendAnswer
from bot.domain.errors import InvalidInput, TemporaryError
from bot.domain.message import Message
from bot.domain.run_message import plan_message
from bot.domain.run_words import apart
from bot.domain.runbook import bind
from bot.ports import Clock, RunbookLibrary, Store


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
            runbook = self._library.get(reference)
            others, incident_id = apart(words)
            parameters = bind(runbook, others)
            wanted = PlanFor(runbook, parameters, incident_id=incident_id)
            plan = self._planner.plan(wanted, self._clock.now())
        except InvalidInput as error:
            return Message(headline="That can’t be planned", body=str(error))
        except TemporaryError as error:
            return Message(headline="The cluster can’t be reached", body=str(error))
        return plan_message(runbook, plan, self._access.requirement(runbook, parameters, plan))
