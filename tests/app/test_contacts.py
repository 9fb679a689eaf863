"""Contacts are reached by their ways, and by no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import cast

import pytest

from bot.adapters import database
from bot.app.contacts import Contacts, Ways
from bot.app.record import record_incident
from bot.domain.actor import TOCSIN
from bot.domain.classify import Severity
from bot.domain.contact import Contact, Mention, PagerRoute, notifier, pagerduty, slack
from bot.domain.errors import PermanentError, TemporaryError, TocsinError
from bot.domain.incident import Incident
from bot.domain.message import Message, MessageRef, Subject
from bot.domain.page_events import FallbackUsed
from bot.ports import Chat
from tests.support.core import Core, firing
from tests.support.databases import sqlite_database
from tests.support.ways import ListNotifier, ListPager

WHY = "Nobody has taken it yet"
PRIMARY, SECOND = pagerduty(PagerRoute.PRIMARY), pagerduty(PagerRoute.SECONDARY)


@dataclass
class ListChat:
    """Implements as much of the `Chat` port as contacts need."""

    posted: list[tuple[str, Message]] = field(default_factory=list)
    sought: list[Subject] = field(default_factory=list)
    failure: TocsinError | None = None

    def post(self, channel: str, message: Message) -> MessageRef:
        self.posted.append((channel, message))
        return MessageRef(channel, str(len(self.posted)))

    def find(self, channel: str, subject: Subject, since: datetime) -> MessageRef | None:
        self.sought.append(subject)
        if self.failure is not None:
            raise self.failure
        found = (one for place, one in self.posted if (place, one.subject) == (channel, subject))
        return MessageRef(channel, "1") if next(found, None) else None


class World:
    """Two incidents, a P0 and a P1, and all ways; `second` says whether that key is set."""

    def __init__(self, core: Core, *, second: bool = True, url: str = "") -> None:
        self.core, self.chat = core, ListChat()
        self.first, self.second, self.notifier = ListPager(), ListPager(), ListNotifier()
        ways = Ways(
            self.first,
            self.second if second else None,
            self.notifier,
            ("sms",),
            cast(Chat, self.chat),
            "#incidents",
        )
        self.contacts = Contacts(core.store, ways, url)

    def call(self, contact: Contact, incident_id: int = 1) -> None:
        self.contacts.call(contact, self.core.incident(incident_id), WHY)

    def keys(self, pager: ListPager) -> Sequence[tuple[str, str]]:
        """What that pager was told of the first incident."""
        key = self.core.incident().dedup_key
        return [(action, "it" if told == key else told) for action, told in pager.told]


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    engine = database.create(sqlite_database(tmp_path))
    made = Core(engine)
    made.deliver(firing("Outage", "P0"))
    made.deliver(firing("HighErrorRate", "P1"))
    yield made
    engine.dispose()


def test_what_is_configured_is_known(core: Core) -> None:
    everything, little = World(core).contacts, World(core, second=False).contacts
    for contact in (PRIMARY, SECOND, notifier("sms"), *map(slack, Mention)):
        assert everything.has(contact)
    assert not everything.has(notifier("mail"))
    assert not little.has(SECOND)
    assert little.has(PRIMARY)


def test_each_routing_key_is_told_by_its_own_pager(core: Core) -> None:
    world = World(core)
    world.call(SECOND)
    assert (world.keys(world.first), world.keys(world.second)) == ([], [("trigger", "it")])
    world.call(PRIMARY)
    assert world.keys(world.first) == [("trigger", "it")]


def test_a_page_is_closed_where_it_was_made(core: Core) -> None:
    world = World(core)
    world.contacts.close(SECOND, core.incident())
    assert world.keys(world.second) == [("resolve", "it")]
    assert world.keys(world.first) == []
    World(core, second=False).contacts.close(SECOND, core.incident())


def test_a_key_that_is_not_set_is_named(core: Core) -> None:
    with pytest.raises(PermanentError, match="PAGERDUTY_FALLBACK_ROUTING_KEY"):
        World(core, second=False).call(SECOND)


def test_a_pager_that_is_dark_is_an_error(core: Core) -> None:
    world = World(core)
    world.second.dark = True
    with pytest.raises(TemporaryError):
        world.call(SECOND)


@pytest.mark.parametrize(
    ("url", "link"),
    [("", ""), ("https://tocsin.example/", "https://tocsin.example/incidents/1")],
)
def test_a_notifier_is_told_what_it_is_about_and_why(core: Core, url: str, link: str) -> None:
    world = World(core, url=url)
    world.call(notifier("sms"))
    ((name, notice),) = world.notifier.sent
    assert (name, notice.level, notice.link) == ("sms", Severity.P0, link)
    assert notice.title == core.incident().title
    for part in ("Outage on checkout", WHY, "INC-1"):
        assert part in notice.body


@pytest.mark.parametrize(
    ("mention", "incident_id", "called"),
    [
        (Mention.BY_LEVEL, 1, Mention.CHANNEL),
        (Mention.BY_LEVEL, 2, Mention.ON_CALL),
        (Mention.CHANNEL, 2, Mention.CHANNEL),
        (Mention.ON_CALL, 1, Mention.ON_CALL),
    ],
)
def test_slack_mentions_whom_it_should(
    core: Core, mention: Mention, incident_id: int, called: Mention
) -> None:
    world = World(core)
    world.call(slack(mention), incident_id)
    ((channel, message),) = world.chat.posted
    assert (channel, message.mention) == ("#incidents", called)
    assert message.body.startswith(f"{WHY}: ")
    assert f"/incident ack {incident_id} takes it" in str(message.footer)


CHANNEL = slack(Mention.CHANNEL)


def record(world: World, failed: str = "") -> Incident:
    """What became of the call is written down."""
    core = world.core
    with core.store.transaction() as tx:
        used = FallbackUsed(CHANNEL, 90.0, failed)
        return record_incident(tx, tx.incident(1), (used,), TOCSIN, core.clock.now())


def test_a_call_that_was_broken_off_after_it_arrived_is_not_repeated(core: Core) -> None:
    """The worker died before it wrote down that the chat had taken it."""
    world = World(core)
    world.call(CHANNEL)
    assert world.chat.sought == []
    world.call(CHANNEL)
    assert len(world.chat.posted) == 1


def test_one_that_did_not_arrive_is(core: Core) -> None:
    world = World(core)
    world.call(CHANNEL)
    world.chat.posted.clear()
    world.call(CHANNEL)
    assert len(world.chat.posted) == len(world.chat.sought) == 1


def test_a_chat_that_can_not_be_searched_is_written_to_again(core: Core) -> None:
    world = World(core)
    world.call(CHANNEL)
    world.chat.failure = TemporaryError("Slack does not answer.")
    world.call(CHANNEL)
    assert len(world.chat.posted) == 2


@pytest.mark.parametrize("failed", ["", "It timed out."])
def test_the_next_call_is_another(core: Core, failed: str) -> None:
    world = World(core)
    world.call(CHANNEL)
    record(world, failed)
    world.call(CHANNEL)
    world.call(CHANNEL, incident_id=2)
    subjects = [message.subject for _, message in world.chat.posted]
    assert len(set(subjects)) == len(subjects) == 3
    assert world.chat.sought == []
