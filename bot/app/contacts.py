"""Contacts: how those are reached whom an escalation step or the fallback chain names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from bot.app.page_delivery import page_of
from bot.app.triggering import trigger
from bot.domain.contact import Contact, ContactKind, Mention, PagerRoute
from bot.domain.errors import PermanentError, TocsinError
from bot.domain.incident import Incident
from bot.domain.message import Message, Subject, SubjectKind
from bot.domain.notice import Notice
from bot.ports import Chat, Notifier, Pager, PostedMessage, Store


@dataclass(frozen=True, slots=True)
class Ways:
    """All ways to reach people that are configured; `second` is the second routing key."""

    first: Pager
    second: Pager | None
    notifier: Notifier
    notifiers: Collection[str]
    chat: Chat
    channel: str


class Contacts:
    """Reaches contacts about incidents. One call is one try."""

    def __init__(
        self,
        store: Store,
        ways: Ways,
        public_url: str = "",
        on_call: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """`on_call` gives the chat's ids of those on call; it asks nobody and never raises."""
        self._store = store
        self._on_call = on_call
        self._ways = ways
        self._public_url = public_url.rstrip("/")

    def has(self, contact: Contact) -> bool:
        """Whether the contact is configured; the policy may name what is not."""
        match contact.kind:
            case ContactKind.PAGERDUTY:
                return self._pager(contact) is not None
            case ContactKind.NOTIFIER:
                return contact.name in self._ways.notifiers
            case ContactKind.SLACK:
                return True

    def call(self, contact: Contact, incident: Incident, why: str) -> None:
        """Tell the contact of the incident. Raises `TemporaryError` or `PermanentError`."""
        match contact.kind:
            case ContactKind.PAGERDUTY:
                self._page(contact, incident)
            case ContactKind.NOTIFIER:
                self._ways.notifier.notify(contact.name, self._notice(incident, why))
            case ContactKind.SLACK:
                mention = Mention(contact.name).at(incident.severity)
                people = tuple(self._on_call())
                self._post_once(incident, _message(incident, why, mention, people))

    def close(self, contact: Contact, incident: Incident) -> None:
        """End what `call` began, where a contact has to be told that."""
        pager = self._pager(contact)
        if pager is not None:
            pager.resolve(incident.dedup_key)

    def _pager(self, contact: Contact) -> Pager | None:
        first = contact.name == PagerRoute.PRIMARY
        return self._ways.first if first else self._ways.second

    def _page(self, contact: Contact, incident: Incident) -> None:
        pager = self._pager(contact)
        if pager is None:
            raise PermanentError("PAGERDUTY_FALLBACK_ROUTING_KEY is not set.")
        with self._store.read() as reader:
            page = page_of(reader, incident, self._public_url)
        trigger(pager, page)

    def _post_once(self, incident: Incident, message: Message) -> None:
        """Post it, unless a try that was broken off has.

        The intent is written down before: only who finds one looks into the channel.
        """
        subject = _call(incident, message)
        with self._store.transaction() as tx:
            begun = tx.message(subject) is not None
            if not begun:
                tx.save_message(subject, PostedMessage(None, ""))
        if not (begun and self._stands(subject, incident)):
            self._ways.chat.post(self._ways.channel, replace(message, subject=subject))

    def _stands(self, subject: Subject, incident: Incident) -> bool:
        since = incident.calling.since if incident.calling else incident.opened_at
        try:
            return self._ways.chat.find(self._ways.channel, subject, since) is not None
        except TocsinError:
            return False  # called twice is better than not called

    def _notice(self, incident: Incident, why: str) -> Notice:
        body = f"{incident.summary}\n{why} ({incident.reference}). Acknowledge it in Slack."
        link = f"{self._public_url}/incidents/{incident.id}" if self._public_url else ""
        return Notice(incident.title, body, incident.severity, link)


def _call(incident: Incident, message: Message) -> Subject:
    """This one call: what becomes of it is written down, and the next is then another."""
    response = incident.response
    since = incident.calling.since if incident.calling else incident.acknowledged_at
    used = incident.calling.contacts_used if incident.calling else 0
    done = (message.body, since, used, response.done, response.asked_at)
    digest = hashlib.sha256(repr(done).encode()).hexdigest()[:16]
    return Subject(SubjectKind.CALL, incident.id, digest)


def _message(incident: Incident, why: str, mention: Mention, people: tuple[str, ...]) -> Message:
    return Message(
        headline=f"{incident.severity} {incident.title}",
        body=f"{why}: {incident.summary}",
        footer=f"{incident.reference} · /incident ack {incident.id} takes it",
        mention=mention,
        mentioned=people,
    )
