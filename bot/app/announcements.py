"""Says in chat and at the pager what steps of runs have to say there.

Each is said at least once. The intent to post is written before the post; where it stands
without a place (the job before this one died there) the channel is looked through first.
What was said is not changed any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.app.chat_delivery import INTENT
from bot.app.pager_notes import note_text, reaches_pager
from bot.app.record import record_incident
from bot.app.retry import ask_again
from bot.domain.actor import TOCSIN
from bot.domain.effects import Announce, WriteNote
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.incident_events import NoteAdded
from bot.domain.message import Message, MessageRef, Subject
from bot.domain.plan import Announcement, Audience
from bot.domain.run import Run
from bot.ports import Chat, Clock, PostedMessage, Store, Transaction

NO_PAGE = "Not noted at the pager, because nobody was paged:"
"""What stands on the timeline before a note that had no page to stand on."""


class Announcements:
    """Does `Announce` effects; `channel` is the chat's for those that name none."""

    def __init__(
        self, store: Store, chat: Chat, channel: str, clock: Clock, jitter: Callable[[], float]
    ) -> None:
        self._store = store
        self._chat = chat
        self._channel = channel
        self._clock = clock
        self._jitter = jitter

    def announce(self, effect: Announce) -> None:
        """Say what the step has to say. Raises `PermanentError` for a refusal of the chat."""
        with self._store.transaction() as tx:
            run = tx.run(effect.subject.id)
            said = _announcements(run, effect.subject.part)
            self._note(tx, run, effect.subject, said)
        try:
            for one in said:
                if one.audience is Audience.CHAT:
                    self._post(run, effect.subject, one)
        except TemporaryError as error:
            with self._store.transaction() as tx:
                ask_again(tx, effect, error.retry_after, self._jitter())

    def _note(
        self, tx: Transaction, run: Run, subject: Subject, said: Sequence[Announcement]
    ) -> None:
        """Ask for the notes at the pager, once; those that can't stand there, on the timeline."""
        notes = [one for one in said if one.audience is Audience.PAGER]
        if run.incident_id is None or not notes:
            return
        incident = tx.incident(run.incident_id)
        if not tx.first_time(f"announced:{subject}", self._clock.now()):
            return
        texts = [f"{one.text} (run {run.id})" for one in notes]
        if reaches_pager(incident):
            for text in texts:
                tx.enqueue(WriteNote(incident.id, note_text(incident, text, TOCSIN)))
        else:
            kept = tuple(NoteAdded(f"{NO_PAGE} {text}") for text in texts)
            record_incident(tx, incident, kept, TOCSIN, self._clock.now())

    def _post(self, run: Run, subject: Subject, announcement: Announcement) -> None:
        with self._store.transaction() as tx:
            posted = tx.message(subject)
            if posted is None:
                tx.save_message(subject, INTENT)
        if posted is not None and posted.ref is not None:
            return
        channel = announcement.channel or self._channel
        ref = self._found(channel, subject, run.requested_at) if posted is not None else None
        if ref is None:
            ref = self._chat.post(channel, _message(run, subject, announcement))
        with self._store.transaction() as tx:
            tx.save_message(subject, PostedMessage(ref, ""))

    def _found(self, channel: str, subject: Subject, since: datetime) -> MessageRef | None:
        try:
            return self._chat.find(channel, subject, since)
        except PermanentError:
            return None  # said twice is better than not said


def _announcements(run: Run, step: str) -> Sequence[Announcement]:
    outcome = run.record(step).outcome
    return outcome.announcements if outcome else ()


def _message(run: Run, subject: Subject, announcement: Announcement) -> Message:
    return Message(
        headline=run.runbook.step(subject.part).title,
        body=announcement.text,
        footer=f"Run {run.id}: {run.title}",
        subject=subject,
    )
