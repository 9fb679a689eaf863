"""Contacts: how those are reached whom an escalation step or the fallback chain names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from bot.app.page_delivery import page_of
from bot.domain.contact import Contact, ContactKind, Mention, PagerRoute
from bot.domain.errors import PermanentError
from bot.domain.incident import Incident
from bot.domain.message import Message
from bot.domain.notice import Notice
from bot.ports import Chat, Notifier, Pager, Store


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
                message = _message(incident, why, mention, people)
                self._ways.chat.post(self._ways.channel, message)

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
        pager.trigger(page)

    def _notice(self, incident: Incident, why: str) -> Notice:
        body = f"{incident.summary}\n{why} ({incident.reference}). Acknowledge it in Slack."
        link = f"{self._public_url}/incidents/{incident.id}" if self._public_url else ""
        return Notice(incident.title, body, incident.severity, link)


def _message(incident: Incident, why: str, mention: Mention, people: tuple[str, ...]) -> Message:
    return Message(
        headline=f"{incident.severity} {incident.title}",
        body=f"{why}: {incident.summary}",
        footer=f"{incident.reference} · /incident ack {incident.id} takes it",
        mention=mention,
        mentioned=people,
    )
