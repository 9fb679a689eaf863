"""Those on call are invited once, while somebody is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from bot.adapters import database
from bot.app.incidents import Incidents
from bot.app.invitations import THERE, Invitations
from bot.app.rosters import InChat
from bot.domain.chat_events import InvitationRefused, OnCallInvited
from bot.domain.effects import InviteOnCall
from bot.domain.errors import PermanentError, TemporaryError, TocsinError
from bot.domain.incident import Command
from bot.domain.message import MessageRef, Subject, SubjectKind
from bot.ports import Chat, PostedMessage
from tests.support.core import Core, firing
from tests.support.databases import sqlite_database
from tests.support.examples import ANA

ON_CALL = (InChat("U0ANA", "Ana Lopez"), InChat("U0BEN", "Ben Okafor"))


@dataclass
class Room:
    """Implements as much of the `Chat` port as invitations need: who is in the one channel."""

    members: set[str] = field(default_factory=set)
    failures: dict[str, TocsinError] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def invite(self, channel: str, user: str) -> bool:
        self.asked.append((channel, user))
        if user in self.failures:
            raise self.failures[user]
        missing = user not in self.members
        self.members.add(user)
        return missing


class World:
    """One P1 whose message stands in C1, and one whose message does not stand yet."""

    def __init__(self, core: Core) -> None:
        self.core, self.room = core, Room()
        self.on_call: Sequence[InChat] = ON_CALL
        self.invitations = Invitations(
            core.store, cast(Chat, self.room), lambda: self.on_call, core.clock, lambda: 1.0
        )
        core.deliver(firing("HighErrorRate"))
        core.deliver(firing("Other"))
        with core.store.transaction() as tx:
            posted = PostedMessage(MessageRef("C1", "1.2"), "digest")
            tx.save_message(Subject(SubjectKind.INCIDENT, 1), posted)

    def invite(self, incident_id: int = 1) -> None:
        self.invitations.invite(InviteOnCall(incident_id))

    def said(self) -> list[object]:
        kinds = (OnCallInvited, InvitationRefused)
        return [one for one in self.core.events() if isinstance(one, kinds)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    engine = database.create(sqlite_database(tmp_path))
    yield World(Core(engine))
    engine.dispose()


def test_who_is_missing_is_invited_and_named(world: World) -> None:
    world.room.members.add("U0ANA")
    world.invite()
    assert world.room.asked == [("C1", "U0ANA"), ("C1", "U0BEN")]
    assert world.said() == [OnCallInvited(("Ben Okafor",))]


def test_who_is_there_is_not_asked_about_for_a_while(world: World) -> None:
    world.invite()
    world.invite()
    assert len(world.room.asked) == 2
    world.core.clock.advance((THERE + timedelta(seconds=1)).total_seconds())
    world.invite()
    assert len(world.room.asked) == 4
    assert len(world.said()) == 1


def test_without_a_message_there_is_nowhere_to_go(world: World) -> None:
    world.invite(2)
    assert world.room.asked == []


def test_nobody_is_invited_to_what_somebody_has(world: World) -> None:
    Incidents(world.core.store, world.core.clock).command(1, Command.ACKNOWLEDGE, ANA)
    world.invite()
    assert world.room.asked == []


def test_a_refusal_is_said_once_and_the_others_are_invited(world: World) -> None:
    world.room.failures["U0ANA"] = PermanentError("The scope is missing.")
    world.invite()
    world.invite()
    assert world.said() == [
        InvitationRefused("Ana Lopez", "The scope is missing."),
        OnCallInvited(("Ben Okafor",)),
    ]


def test_a_chat_that_is_busy_is_asked_again(world: World) -> None:
    world.room.failures["U0BEN"] = TemporaryError("Too fast.", retry_after=30.0)
    world.invite()
    assert world.said() == [OnCallInvited(("Ana Lopez",))]
    assert InviteOnCall(1, attempt=2) in world.core.queue.waiting()
    world.room.failures.clear()
    world.invite()
    assert world.said()[1:] == [OnCallInvited(("Ben Okafor",))]
