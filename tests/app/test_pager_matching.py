"""The pager is asked which page an event is about, until it answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapters import database
from bot.adapters.pagerduty_rest import PagerDutyRecords
from bot.app.pager_matching import PagerMatching
from bot.domain.effects import MatchPagerEvent
from bot.domain.errors import PermanentError
from bot.domain.incident import IncidentState
from bot.domain.ticket import ticket_key
from bot.ports import PagerRecords
from bot.sandbox.pagerduty import SandboxPagerDuty, pagerduty_app
from tests.support.core import Core, firing
from tests.support.databases import sqlite_database
from tests.support.examples import PAGER_EVENT
from tests.support.serve import serve


class World:
    """An open incident, and a PagerDuty at `url` that creates alerts and holds its page."""

    def __init__(self, core: Core, pager: SandboxPagerDuty, url: str) -> None:
        self.core = core
        self.pager = pager
        self.records = PagerDutyRecords("token", url)
        core.deliver(firing("HighErrorRate"))
        self.page_id = self.page(core.incident().dedup_key)

    def page(self, dedup_key: str) -> str:
        """Somebody pages; the id of PagerDuty's incident."""
        payload = {"summary": "Disk", "severity": "critical", "source": "db"}
        event = {"routing_key": "5" * 32, "event_action": "trigger", "dedup_key": dedup_key}
        self.pager.apply({**event, "payload": payload})
        return self.pager.incidents()[-1].id

    def match(self, page_id: str, records: PagerRecords | None) -> None:
        """Somebody has acknowledged it, and the webhook did not name our page."""
        core = self.core
        matching = PagerMatching(core.store, records, core.clock, core.counts, lambda: 1.0)
        event = replace(PAGER_EVENT, dedup_key="", incident_id=page_id)
        matching.match(MatchPagerEvent(event))

    def counted(self) -> dict[str, int]:
        """What became of the pager's events."""
        counted = self.core.counts.counted
        return {name: n for name, n in counted.items() if name.startswith("pager_events")}

    def waiting(self) -> list[MatchPagerEvent]:
        found = self.core.queue.waiting()
        return [one for one in found if isinstance(one, MatchPagerEvent)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    core = Core(database.create(sqlite_database(tmp_path)))
    pager = SandboxPagerDuty(now=core.clock.now, incident_keys=False)
    with serve(pagerduty_app(pager)) as url:
        yield World(core, pager, url)


def test_it_is_applied_to_the_incident_whose_page_it_is(world: World) -> None:
    world.match(world.page_id, world.records)
    assert world.core.incident().state is IncidentState.ACKNOWLEDGED
    assert world.counted() == {"pager_events applied": 1}
    with world.core.store.read() as reader:
        assert [one.id for one in reader.incidents_at_pager(world.page_id)] == [1]


def test_what_is_anothers_page_is_not_ours(world: World) -> None:
    world.match(world.page("another-tool"), world.records)
    assert world.core.incident().state is IncidentState.TRIGGERED
    assert world.counted() == {"pager_events not_ours": 1}


def test_what_is_a_ticket_is_no_page(world: World) -> None:
    """Not even that of the incident whose ticket it is."""
    world.match(world.page(ticket_key(world.core.incident().dedup_key)), world.records)
    assert world.core.incident().state is IncidentState.TRIGGERED
    assert world.counted() == {"pager_events ticket": 1}


def test_it_is_asked_again_when_pagerduty_is_away(world: World) -> None:
    """As late as PagerDuty says, when it does; nothing is counted before it has answered."""
    world.pager.fail_next(429, retry_after=30)
    world.match(world.page_id, world.records)
    assert [one.attempt for one in world.waiting()] == [2]
    world.core.fast_forward(seconds=29)
    assert len(world.waiting()) == 1
    world.core.fast_forward(seconds=1)
    assert world.waiting() == []
    assert world.counted() == {}
    assert world.core.incident().state is IncidentState.TRIGGERED


def test_a_token_that_may_not_look_is_said(world: World) -> None:
    world.pager.scopes = {"oncalls.read"}
    with pytest.raises(PermanentError, match=r"lacks the permission incidents\.read"):
        world.match(world.page_id, world.records)
    assert world.counted() == {"pager_events refused": 1}
    assert world.waiting() == []


def test_without_a_token_by_now_nobody_can_be_asked(world: World) -> None:
    world.match(world.page_id, None)
    assert world.counted() == {"pager_events no_key": 1}
    assert world.core.incident().state is IncidentState.TRIGGERED
