"""What is written into the pager's records waits for the page, and not for ever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapters import database
from bot.adapters.pagerduty_rest import PagerDutyRecords
from bot.app.pager_amendments import PagerAmendments
from bot.domain.effects import Effect, SetUrgency, WriteNote
from bot.domain.incident import IncidentState
from bot.ports import PagerRecords
from bot.sandbox.pagerduty import SandboxPagerDuty, pagerduty_app
from tests.support.core import Core, firing
from tests.support.databases import sqlite_database
from tests.support.serve import serve

NOTE = WriteNote(1, "ana: It is DNS.")
URGENCY = SetUrgency(1)


class World:
    """An open incident of which PagerDuty, at `url`, does not know yet."""

    def __init__(self, core: Core, pager: SandboxPagerDuty, url: str) -> None:
        self.core = core
        self.pager = pager
        self.records = PagerDutyRecords("token", url)
        core.deliver(firing("HighErrorRate"))

    def page(self) -> str:
        """PagerDuty has it now, as a warning, which is not urgent there."""
        payload = {"summary": "Disk", "severity": "warning", "source": "db"}
        event = {"routing_key": "5" * 32, "event_action": "trigger", "payload": payload}
        self.pager.apply({**event, "dedup_key": self.core.incident().dedup_key})
        return self.pager.incidents()[-1].id

    def resolve(self) -> None:
        with self.core.store.transaction() as tx:
            tx.save_incident(replace(tx.incident(1), state=IncidentState.RESOLVED))

    def write(self, effect: Effect, *, records: PagerRecords | None = None) -> None:
        core = self.core
        amendments = PagerAmendments(core.store, records, core.clock, lambda: 1.0)
        if isinstance(effect, WriteNote):
            amendments.write_note(effect)
        elif isinstance(effect, SetUrgency):
            amendments.set_urgency(effect)

    def waiting(self) -> list[Effect]:
        found = self.core.queue.waiting()
        return [one for one in found if isinstance(one, WriteNote | SetUrgency)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    core = Core(database.create(sqlite_database(tmp_path)))
    pager = SandboxPagerDuty(now=core.clock.now)
    with serve(pagerduty_app(pager)) as url:
        yield World(core, pager, url)


@pytest.mark.parametrize("effect", [NOTE, URGENCY])
def test_it_waits_for_the_page(world: World, effect: WriteNote | SetUrgency) -> None:
    world.write(effect, records=world.records)
    assert world.waiting() == [replace(effect, attempt=2)]


@pytest.mark.parametrize("effect", [NOTE, URGENCY])
def test_what_is_over_and_was_never_paged_is_waited_for_no_longer(
    world: World, effect: Effect
) -> None:
    world.resolve()
    world.write(effect, records=world.records)
    assert world.waiting() == []


@pytest.mark.parametrize("effect", [NOTE, URGENCY])
def test_without_a_token_nothing_is_written(world: World, effect: Effect) -> None:
    world.page()
    world.write(effect, records=None)
    (page,) = world.pager.incidents()
    assert (page.notes, page.urgency, world.waiting()) == ([], "low", [])


def test_a_note_is_written_once_and_known_by_its_id(world: World) -> None:
    """A job is done at least once; what it wrote is remembered."""
    page_id = world.page()
    for _ in range(2):
        world.write(NOTE, records=world.records)
    (page,) = world.pager.incidents()
    (note,) = page.notes
    assert note.text == NOTE.text
    with world.core.store.transaction() as tx:
        assert [one.id for one in tx.incidents_at_pager(page_id)] == [1]
        assert not tx.first_time(f"pagerduty-note:1:{note.id}", world.core.clock.now())


def test_what_pages_is_urgent(world: World) -> None:
    world.page()
    world.write(URGENCY, records=world.records)
    assert world.pager.incidents()[0].urgency == "high"


def test_what_is_over_at_the_pager_is_left_alone(world: World) -> None:
    world.pager.resolve(world.page())
    world.write(URGENCY, records=world.records)
    assert world.pager.incidents()[0].urgency == "low"
