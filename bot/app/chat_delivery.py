"""Keeps the one chat message about each subject up to date, and sends late answers.

The intent to post is written before the post: a job that finds an intent without a
place (the one before it died there) looks in the channel before it posts again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.app.incidents import suppressing_window
from bot.app.record import record_incident
from bot.app.retry import ask_again
from bot.domain.actor import TOCSIN
from bot.domain.chat_events import MessagePosted, MessageRefused
from bot.domain.effects import SendAnswer, UpdateMessage
from bot.domain.errors import NotFound, PermanentError, TemporaryError
from bot.domain.incident_events import IncidentEvent
from bot.domain.incident_message import incident_message
from bot.domain.message import Message, MessageRef, Subject, SubjectKind, digest
from bot.domain.run_message import run_message
from bot.ports import Chat, Clock, PostedMessage, Reader, Store, Transaction

INTENT = PostedMessage(None, "")
"""What is written down before the first post."""


class ChatDelivery:
    """Does the chat's effects."""

    def __init__(
        self,
        store: Store,
        chat: Chat,
        channel: str,
        clock: Clock,
        jitter: Callable[[], float],
        public_url: str = "",
    ) -> None:
        """`public_url` is where people reach Tocsin; empty: messages link to no page."""
        self._store = store
        self._chat = chat
        self._channel = channel
        self._clock = clock
        self._jitter = jitter
        self._public_url = public_url

    def update(self, effect: UpdateMessage) -> None:
        """Post the subject's message, or update it in place when it says something new."""
        subject = effect.subject
        with self._store.transaction() as tx:
            tx.begin(effect)
            posted = tx.message(subject)
            if posted is None and _not_worth_announcing(tx, subject):
                return
            message = self._render(tx, subject)
            if posted is None:
                tx.save_message(subject, INTENT)
        says = digest(message)
        if posted is not None and posted.digest == says:
            return
        try:
            ref = self._show(subject, message, posted)
        except TemporaryError as error:
            self._again(effect, error)
        except PermanentError as error:
            with self._store.transaction() as tx:
                self._record(tx, subject, MessageRefused(str(error)))
        else:
            self._remember(subject, posted, PostedMessage(ref, says))

    def answer(self, effect: SendAnswer) -> None:
        """Send a late answer to a slash command."""
        try:
            self._chat.answer(effect.response_url, effect.message)
        except TemporaryError as error:
            self._again(effect, error)

    def _show(self, subject: Subject, message: Message, posted: PostedMessage | None) -> MessageRef:
        if posted is not None and posted.ref is not None:
            try:
                self._chat.update(posted.ref, message)
                return posted.ref
            except NotFound:
                posted = None  # somebody deleted it
        if posted is None:
            return self._chat.post(self._channel, message)
        return self._post_once(subject, message)

    def _post_once(self, subject: Subject, message: Message) -> MessageRef:
        with self._store.read() as reader:
            since = _begin(reader, subject)
        try:
            found = self._chat.find(self._channel, subject, since)
        except PermanentError:
            found = None  # said twice is better than not said
        if found is None:
            return self._chat.post(self._channel, message)
        self._chat.update(found, message)
        return found

    def _render(self, reader: Reader, subject: Subject) -> Message:
        if subject.kind is SubjectKind.RUN:
            return run_message(reader.run(subject.id), self._public_url)
        incident = reader.incident(subject.id)
        return incident_message(incident, suppressing_window(reader, incident))

    def _remember(self, subject: Subject, before: PostedMessage | None, now: PostedMessage) -> None:
        first = before is None or before.ref is None
        with self._store.transaction() as tx:
            tx.save_message(subject, now)
            if first and subject.kind is SubjectKind.INCIDENT:
                self._record(tx, subject, MessagePosted(self._channel))

    def _record(self, tx: Transaction, subject: Subject, event: IncidentEvent) -> None:
        incident_id = _incident_of(tx, subject)
        if incident_id is not None:
            incident = tx.incident(incident_id)
            record_incident(tx, incident, (event,), TOCSIN, self._clock.now())

    def _again(self, effect: UpdateMessage | SendAnswer, error: TemporaryError) -> None:
        with self._store.transaction() as tx:
            ask_again(tx, effect, error.retry_after, self._jitter())


def _not_worth_announcing(reader: Reader, subject: Subject) -> bool:
    """Whether nobody is to be told of an incident that nobody was told of yet.

    A maintenance window hides it, or it was found to be a part of another at once.
    """
    if subject.kind is not SubjectKind.INCIDENT:
        return False
    incident = reader.incident(subject.id)
    return incident.suppressed_by is not None or incident.absorbed_by is not None


def _begin(reader: Reader, subject: Subject) -> datetime:
    if subject.kind is SubjectKind.RUN:
        return reader.run(subject.id).requested_at
    return reader.incident(subject.id).opened_at


def _incident_of(reader: Reader, subject: Subject) -> int | None:
    if subject.kind is SubjectKind.RUN:
        return reader.run(subject.id).incident_id
    return subject.id
