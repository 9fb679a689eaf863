"""Invites those who are on call to where an incident is worked: what they can't see, they miss.

The page does not wait for it, and a chat that refuses is said once, not at every incident.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.app.record import record_incident
from bot.app.retry import ask_again
from bot.app.rosters import InChat
from bot.domain.actor import TOCSIN
from bot.domain.chat_events import InvitationRefused, OnCallInvited
from bot.domain.effects import InviteOnCall
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.incident_events import IncidentEvent
from bot.domain.message import Subject, SubjectKind
from bot.ports import Chat, Clock, Store, Transaction

THERE = timedelta(minutes=10)
"""How long who was there is not invited again: a storm opens many incidents, and Slack takes
some fifty such calls a minute."""


class Invitations:
    """Invites to the channel where an incident's message stands."""

    def __init__(
        self,
        store: Store,
        chat: Chat,
        on_call: Callable[[], Sequence[InChat]],
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        """`on_call` gives those who are on call now; it asks nobody and never raises."""
        self._store = store
        self._chat = chat
        self._on_call = on_call
        self._clock = clock
        self._jitter = jitter
        self._there: dict[tuple[str, str], datetime] = {}

    def invite(self, effect: InviteOnCall) -> None:
        """Invite all who are on call and not there, while the incident needs somebody."""
        channel = self._channel(effect.incident_id)
        if channel is None:
            return
        invited: list[str] = []
        for person in self._missing(channel):
            try:
                if self._chat.invite(channel, person.id):
                    invited.append(person.name)
            except TemporaryError as error:
                self._again(effect, error)
                break
            except PermanentError as error:
                self._say_refused(effect.incident_id, channel, person, str(error))
            else:
                self._there[channel, person.id] = self._clock.now()
        if invited:
            with self._store.transaction() as tx:
                self._record(tx, effect.incident_id, OnCallInvited(tuple(invited)))

    def _channel(self, incident_id: int) -> str | None:
        """Where the message stands; None without one, and when nobody has to be woken."""
        with self._store.read() as reader:
            posted = reader.message(Subject(SubjectKind.INCIDENT, incident_id))
            wakes = reader.incident(incident_id).wakes
        return posted.ref.channel if wakes and posted is not None and posted.ref else None

    def _missing(self, channel: str) -> Sequence[InChat]:
        """Those on call who are not known to be there."""
        since = self._clock.now() - THERE
        self._there = {key: at for key, at in self._there.items() if at > since}
        return [one for one in self._on_call() if (channel, one.id) not in self._there]

    def _again(self, effect: InviteOnCall, error: TemporaryError) -> None:
        with self._store.transaction() as tx:
            ask_again(tx, effect, error.retry_after, self._jitter())

    def _say_refused(self, incident_id: int, channel: str, person: InChat, reason: str) -> None:
        """Once for each reason, for as long as such keys are kept."""
        with self._store.transaction() as tx:
            if tx.first_time(f"invitation-refused:{channel}:{reason}", self._clock.now()):
                self._record(tx, incident_id, InvitationRefused(person.name, reason))

    def _record(self, tx: Transaction, incident_id: int, event: IncidentEvent) -> None:
        record_incident(tx, tx.incident(incident_id), (event,), TOCSIN, self._clock.now())
