"""Answers `/oncall`: at once that it is being asked, and later what the pager said."""

from __future__ import annotations

from bot.app.rosters import Rosters
from bot.domain.effects import AnswerOnCall, SendAnswer
from bot.domain.errors import InvalidInput, PermanentError, TemporaryError
from bot.domain.message import Message
from bot.domain.oncall_message import oncall_message
from bot.domain.requests import ShowOnCall
from bot.ports import Clock, Store


class OnCallRequests:
    """Takes the question; it calls no vendor."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def to(self, request: ShowOnCall, response_url: str) -> Message:
        """What is said at once; the answer follows at `response_url`."""
        with self._store.transaction() as tx:
            tx.enqueue(AnswerOnCall(response_url, request.service))
        return Message(headline="Asking PagerDuty who is on call; the answer follows here.")


class OnCallAnswers:
    """Answers it."""

    def __init__(self, store: Store, rosters: Rosters, clock: Clock) -> None:
        self._store = store
        self._rosters = rosters
        self._clock = clock

    def answer(self, effect: AnswerOnCall) -> None:
        """Ask the pager, and have the answer sent to the one who asked."""
        message = self.message(effect.service)
        with self._store.transaction() as tx:
            tx.enqueue(SendAnswer(effect.response_url, message))

    def message(self, service: str) -> Message:
        """Who is on call; a pager that can't be asked is said, not raised."""
        try:
            roster = self._rosters.of(service)
        except InvalidInput as error:
            return Message(headline="Who is on call can’t be told", body=str(error))
        except TemporaryError as error:
            return Message(headline="PagerDuty can’t be reached", body=str(error))
        except PermanentError as error:
            return Message(headline="PagerDuty does not say who is on call", body=str(error))
        return oncall_message(roster, self._clock.now())
