"""The pager's records: whether a page stands, and what people did there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from bot.adapters import database
from bot.app.pager_news import ASK_AGAIN, ASK_EVERY, PagerNews, confirms, done_by_people
from bot.app.record import record_incident
from bot.domain.actor import ActorKind
from bot.domain.errors import TemporaryError
from bot.domain.incident import Calling, Command, Incident, IncidentState, PageState
from bot.domain.incident_events import Acknowledged
from bot.domain.oncall import (
    Acknowledgement,
    PagerAction,
    PagerActionKind,
    PagerIncident,
    PagerStatus,
    Person,
    Urgency,
)
from bot.domain.page_events import PageAction
from bot.domain.page_guard import CLOCK_SKEW
from bot.ports import PagerRecords
from tests.support.core import Core, firing
from tests.support.databases import sqlite_database
from tests.support.examples import ANA, NOW, incident

DANA = Person("PDANA", "Dana Doe")
SECOND = timedelta(seconds=1)
STANDS = PagerIncident(
    id="Q1",
    status=PagerStatus.TRIGGERED,
    html_url="https://pagerduty.example/incidents/Q1",
    urgency=Urgency.HIGH,
    service_id="S1",
    escalation_policy_id="E1",
    created_at=NOW,
    last_status_change_at=NOW,
)
CALLED = incident(calling=Calling(NOW))


class Records:
    """Implements as much of `PagerRecords` as is asked for."""

    def __init__(self) -> None:
        self.found: PagerIncident | None = STANDS
        self.log: list[PagerAction] = []
        self.dark = False
        self.asked = 0

    def incident_of(self, dedup_key: str) -> PagerIncident | None:
        self.asked += 1
        if self.dark:
            raise TemporaryError("It does not answer.")
        return self.found

    def log_entries(self, incident_id: str, since: datetime) -> Sequence[PagerAction]:
        return [one for one in self.log if one.incident_id == incident_id and one.at >= since]

    @property
    def port(self) -> PagerRecords:
        return cast(PagerRecords, self)


def acknowledged(at: datetime, by: Person | None = DANA) -> PagerIncident:
    status, acknowledgements = PagerStatus.ACKNOWLEDGED, (Acknowledgement(by, at),)
    return replace(STANDS, status=status, acknowledgements=acknowledgements)


def resolution(at: datetime, by: Person | None = DANA) -> PagerAction:
    return PagerAction("L1", "Q1", PagerActionKind.RESOLVED, at, by)


@pytest.mark.parametrize(
    ("found", "stands"),
    [
        (STANDS, True),
        (None, False),
        (replace(STANDS, status=PagerStatus.RESOLVED), False),
        # Whoever acknowledged it, it wakes nobody now.
        (acknowledged(NOW), False),
        (acknowledged(NOW, None), False),
        # Clocks lie a little apart, but last night's page is another one.
        (
            replace(STANDS, created_at=NOW - CLOCK_SKEW, last_status_change_at=NOW - CLOCK_SKEW),
            True,
        ),
        (
            replace(
                STANDS,
                created_at=NOW - CLOCK_SKEW - SECOND,
                last_status_change_at=NOW - CLOCK_SKEW - SECOND,
            ),
            False,
        ),
        (replace(STANDS, created_at=NOW - timedelta(hours=8)), True),
    ],
)
def test_what_confirms_a_page(found: PagerIncident | None, stands: bool) -> None:
    assert confirms(found, NOW) is stands


TAKEN = incident(
    state=IncidentState.ACKNOWLEDGED, acknowledged_at=NOW, opened_at=NOW - timedelta(hours=1)
)
RESOLVED = replace(STANDS, status=PagerStatus.RESOLVED)


@pytest.mark.parametrize(
    ("ours", "found", "log", "done"),
    [
        (CALLED, None, [], []),
        (CALLED, STANDS, [], []),
        (CALLED, acknowledged(NOW), [], [Command.ACKNOWLEDGE]),
        (CALLED, acknowledged(NOW - SECOND), [], []),
        (CALLED, acknowledged(NOW, None), [], []),
        (TAKEN, acknowledged(NOW), [], []),
        (CALLED, RESOLVED, [resolution(NOW)], [Command.RESOLVE]),
        (CALLED, RESOLVED, [resolution(NOW, None)], []),
        (CALLED, RESOLVED, [resolution(NOW - SECOND)], []),
        (TAKEN, RESOLVED, [resolution(NOW)], [Command.RESOLVE]),
        # It was resolved there before it was reopened and taken here.
        (TAKEN, RESOLVED, [resolution(NOW - SECOND)], []),
        (incident(state=IncidentState.RESOLVED), RESOLVED, [resolution(NOW)], []),
    ],
)
def test_what_people_did_there(
    ours: Incident, found: PagerIncident | None, log: list[PagerAction], done: list[Command]
) -> None:
    records = Records()
    records.log = log
    told = done_by_people(records.port, found, ours)
    assert [one.command for one in told] == done
    assert all((one.actor.kind, one.actor.id) == (ActorKind.PAGERDUTY, "PDANA") for one in told)


class World:
    """One incident that pages."""

    def __init__(self, core: Core) -> None:
        self.core, self.records = core, Records()
        self.news = PagerNews(core.store, self.records.port, core.clock)
        core.deliver(firing("HighErrorRate"))
        core.fast_forward(seconds=1)

    def take(self) -> Incident:
        self.news.take(self.core.incident())
        return self.core.incident()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    engine = database.create(sqlite_database(tmp_path))
    yield World(Core(engine))
    engine.dispose()


def test_a_page_that_stands_is_confirmed_once(world: World) -> None:
    for _ in range(2):
        calling = world.take().calling
        assert calling is not None
        assert calling.confirmed_by == "by PagerDuty, when asked"
    assert [type(one).__name__ for one in world.core.events()].count("PageConfirmed") == 1


def test_what_a_person_did_there_is_done_here_in_their_name(world: World) -> None:
    world.records.found = acknowledged(world.core.clock.now())
    taken = world.take()
    assert taken.state is IncidentState.ACKNOWLEDGED
    assert taken.acknowledged_by is not None
    assert taken.acknowledged_by.name == "Dana Doe"
    assert taken.page == PageState(PageAction.ACKNOWLEDGE, taken.severity)


def test_what_was_done_here_meanwhile_stands(world: World) -> None:
    """The incident was looked at before ana took it, and the pager answers after that."""
    before = world.core.incident()
    with world.core.store.transaction() as tx:
        record_incident(tx, before, (Acknowledged(),), ANA, world.core.clock.now())
    world.news.take(before)
    after = world.core.incident()
    assert (after.calling, after.acknowledged_by) == (None, ANA)
    assert "PageConfirmed" not in [type(one).__name__ for one in world.core.events()]


def test_a_pager_that_cannot_be_asked_changes_nothing(world: World) -> None:
    world.records.dark = True
    before = world.core.incident()
    assert world.take() == before


def test_it_is_asked_more_often_while_a_page_is_not_confirmed(world: World) -> None:
    core = world.core

    def due() -> bool:
        return world.news.due(core.incident(), core.clock.now())

    assert due()
    world.records.found = None
    for found, pause in ((None, ASK_EVERY), (STANDS, ASK_AGAIN)):
        world.records.found = found
        world.take()
        core.clock.advance((pause - SECOND).total_seconds())
        assert not due()
        core.clock.advance(1)
        assert due()


@pytest.mark.parametrize("minutes", [10, -10])
def test_a_clock_that_jumps_does_not_keep_it_from_asking(world: World, minutes: int) -> None:
    world.take()
    world.core.clock.advance(minutes * 60)
    assert world.news.due(world.core.incident(), world.core.clock.now())


def test_what_was_never_paged_is_not_asked_for(world: World) -> None:
    assert not world.news.due(incident(), NOW)
