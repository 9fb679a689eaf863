"""What a run's steps have to say is said once, in the stand-in for Slack, whatever goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapters import database
from bot.adapters.slack import SlackChat
from bot.app.announcements import Announcements
from bot.app.record import record_run
from bot.domain.actor import TOCSIN
from bot.domain.classify import Severity
from bot.domain.effects import Announce, Effect, WriteNote
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.incident_events import NoteAdded
from bot.domain.message import Message, MessageRef, Subject, SubjectKind
from bot.domain.plan import Announcement, Audience, StepOutcome
from bot.domain.run_events import RunState, StepFinished, StepStarted
from bot.sandbox.slack import SandboxSlack, slack_app
from tests.support.channel import Channel
from tests.support.core import Core, firing
from tests.support.databases import sqlite_database
from tests.support.examples import run
from tests.support.serve import serve

TOKEN = "xoxb-announcements"
SUBJECT = Subject(SubjectKind.RUN, 1, "change")
HOSTILE = "<!channel> it is down & out"


class Flaky(SlackChat):
    """The real chat, of which the answer to a post is lost, or which refuses it."""

    failure: Exception | None = None
    loses_answer = False

    def post(self, channel: str, message: Message) -> MessageRef:
        if self.failure is not None:
            raise self.failure
        ref = super().post(channel, message)
        if self.loses_answer:
            self.loses_answer = False
            raise TemporaryError("the answer was lost")
        return ref


class World:
    """A run of an incident whose step has just said something."""

    def __init__(self, core: Core, workspace: SandboxSlack, url: str) -> None:
        self.core = core
        self.channel = Channel(workspace)
        self.chat = Flaky(TOKEN, f"{url}/api/")

    def says(self, *announcements: Announcement, incident: bool = True) -> None:
        with self.core.store.transaction() as tx:
            draft = run(RunState.RUNNING, incident_id=1 if incident else None)
            found = tx.new_run(draft)
            outcome = StepOutcome("To be said.", announcements=announcements)
            now = self.core.clock.now()
            events = (StepStarted("change"), StepFinished("change", outcome))
            record_run(tx, found, events, TOCSIN, now)

    def announce(self) -> None:
        store, clock = self.core.store, self.core.clock
        uses = Announcements(store, self.chat, "#incidents", clock, lambda: 1.0)
        uses.announce(Announce(SUBJECT))

    def waiting(self, kind: type[Effect]) -> list[Effect]:
        return [one for one in self.core.queue.waiting() if isinstance(one, kind)]

    def said(self) -> list[str]:
        return [one.text for one in self.channel.messages() if one.subject == str(SUBJECT)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    core = Core(database.create(sqlite_database(tmp_path)))
    core.deliver(firing("HighErrorRate"))
    workspace = SandboxSlack(
        events_url="", base_url="", signing_secret="s", bot_token=TOKEN, now=core.clock.now
    )
    with serve(slack_app(workspace)) as url:
        yield World(core, workspace, url)


def test_a_step_that_has_something_to_say_asks_for_it_once(world: World) -> None:
    world.says(Announcement(Audience.CHAT, HOSTILE), Announcement(Audience.PAGER, "Noted."))
    assert world.waiting(Announce) == [Announce(SUBJECT)]


def test_a_step_that_has_nothing_to_say_asks_for_nothing(world: World) -> None:
    world.says()
    assert world.waiting(Announce) == []


def test_it_is_said_once_and_stays_text(world: World) -> None:
    world.says(Announcement(Audience.CHAT, HOSTILE))
    world.announce()
    world.announce()
    (text,) = world.said()
    assert HOSTILE in text
    assert "Run 1: restart@1.0.0 payments/checkout" in text
    (message,) = (one for one in world.channel.messages() if one.subject == str(SUBJECT))
    assert "&lt;!channel&gt;" in str(message.blocks)


def test_a_post_whose_answer_was_lost_is_not_repeated(world: World) -> None:
    world.says(Announcement(Audience.CHAT, HOSTILE))
    world.chat.loses_answer = True
    world.announce()
    assert world.waiting(Announce)[-1] == Announce(SUBJECT, attempt=2)
    world.announce()
    assert len(world.said()) == 1


def test_another_channel_can_be_named(world: World) -> None:
    world.says(Announcement(Audience.CHAT, HOSTILE, "#general"))
    world.announce()
    assert world.said() == []
    with world.core.store.read() as reader:
        posted = reader.message(SUBJECT)
    assert posted is not None
    assert posted.ref is not None
    assert posted.ref.channel == "C00GENERAL"


def test_a_refusal_is_told_to_the_worker(world: World) -> None:
    world.says(Announcement(Audience.CHAT, HOSTILE, "#nowhere"))
    with pytest.raises(PermanentError, match="nowhere"):
        world.announce()


def test_a_note_is_asked_for_once(world: World) -> None:
    world.says(Announcement(Audience.PAGER, "Failed over."))
    world.announce()
    world.announce()
    text = "Tocsin (INC-1 in Tocsin): Failed over. (run 1)"
    assert world.waiting(WriteNote) == [WriteNote(1, text)]


def test_a_chat_that_is_away_does_not_keep_the_note_back(world: World) -> None:
    world.says(Announcement(Audience.CHAT, HOSTILE), Announcement(Audience.PAGER, "Noted."))
    world.chat.failure = TemporaryError("it is away")
    world.announce()
    world.announce()
    assert len(world.waiting(WriteNote)) == 1


def test_a_run_without_an_incident_notes_nothing(world: World) -> None:
    world.says(Announcement(Audience.PAGER, "Noted."), incident=False)
    world.announce()
    assert world.waiting(WriteNote) == []


def test_what_has_no_page_to_be_noted_on_stands_on_the_timeline_once(world: World) -> None:
    world.says(Announcement(Audience.PAGER, "Failed over."))
    with world.core.store.transaction() as tx:
        incident = tx.incident(1)
        minor = replace(incident.classification, level=Severity.P3)
        tx.save_incident(replace(incident, page=None, classification=minor))
    world.announce()
    world.announce()
    assert world.waiting(WriteNote) == []
    noted = [event.text for event in world.core.events() if isinstance(event, NoteAdded)]
    assert noted == [
        "Not noted at the pager, because nobody was paged: Failed over. (run 1)",
    ]
