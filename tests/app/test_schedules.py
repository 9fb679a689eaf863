"""Scheduled runs are asked for at their time, once, whatever was down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters import database
from bot.adapters.cron import next_after
from bot.adapters.runbooks import RunbookFolder
from bot.app.runs import Runs
from bot.app.schedules import Schedules
from bot.domain.actor import ActorKind
from bot.domain.alert import AlertStatus, Delivery
from bot.domain.run import Run
from bot.domain.schedule import FAILED_ALERT, DueTime, Schedule
from bot.ports import Source
from bot.steps.registry import step_kinds
from tests.support.access import NOBODY, access
from tests.support.core import Core, firing
from tests.support.databases import sqlite_database
from tests.support.examples import NOW

LIBRARY = RunbookFolder(Path(__file__).resolve().parent.parent.parent / "runbooks", step_kinds())
NIGHTLY = Schedule("nightly", "restart", "0 10 * * *", parameters={"workload": "shop/checkout"})
HOURS_TO_TEN = 7 * 3600.0
"""From 3 o'clock, where a test's clock begins."""


class World:
    """A core whose policy plans a restart each day; nobody there has any role."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.planned: tuple[Schedule, ...] = (NIGHTLY,)
        self.put: list[Delivery] = []
        self.schedules = self.replica()

    def replica(self) -> Schedules:
        """Another worker on the same database, or the same one after a start."""
        core = self.core
        runs = Runs(core.store, LIBRARY, access(core.clock, NOBODY), core.clock)
        return Schedules(core.store, runs, lambda: self.planned, next_after, self._put, core.clock)

    def _put(self, delivery: Delivery) -> None:
        self.put.append(delivery)
        self.core.post(*delivery.alerts, source=Source.TOCSIN)

    def pass_time(self, seconds: float) -> None:
        self.core.clock.advance(seconds)
        self.schedules.look()
        self.core.drain()

    def runs(self) -> list[Run]:
        with self.core.store.read() as reader:
            return list(reversed(reader.runs()))

    def due(self) -> list[DueTime]:
        with self.core.store.read() as reader:
            return list(reader.due_times())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    engine = database.create(sqlite_database(tmp_path))
    made = World(Core(engine))
    made.pass_time(0)
    yield made
    engine.dispose()


def test_it_waits_for_its_time(world: World) -> None:
    at_ten = NOW.replace(hour=10, minute=0, second=0, microsecond=0)
    assert world.due() == [DueTime("nightly", "0 10 * * * UTC", at_ten)]
    world.pass_time(HOURS_TO_TEN - 60)
    assert world.runs() == []


def test_at_its_time_the_schedule_itself_asks_for_one_run(world: World) -> None:
    world.pass_time(HOURS_TO_TEN)
    world.pass_time(5)
    (run,) = world.runs()
    assert (run.runbook.name, run.parameters["workload"]) == ("restart", "shop/checkout")
    assert run.requested_by.kind is ActorKind.POLICY
    assert (run.requested_by.id, run.requested_by.name) == ("schedule:nightly", "Schedule nightly")
    world.pass_time(24 * 3600)
    assert len(world.runs()) == 2


def test_it_starts_by_itself_only_if_the_policy_says_so(world: World) -> None:
    """The risk of a restart is low, not none."""
    world.planned = (NIGHTLY, replace(NIGHTLY, id="bold", auto=True))
    world.pass_time(0)
    world.pass_time(HOURS_TO_TEN)
    assert {run.requested_by.id: run.start_when_planned for run in world.runs()} == {
        "schedule:nightly": False,
        "schedule:bold": True,
    }


def test_it_is_no_part_of_whatever_incident_is_open(world: World) -> None:
    world.core.deliver(firing("HighErrorRate", namespace="shop"))
    world.pass_time(HOURS_TO_TEN)
    (run,) = world.runs()
    assert run.incident_id is None


def test_after_days_of_downtime_one_late_run_is_asked_for(world: World) -> None:
    world.schedules = world.replica()
    world.pass_time(4 * 24 * 3600 + HOURS_TO_TEN)
    for _ in range(3):
        world.pass_time(5)
    assert len(world.runs()) == 1
    assert world.due()[0].at > world.core.clock.now()


def test_two_replicas_ask_for_one_run(world: World) -> None:
    other = world.replica()
    for seconds in (HOURS_TO_TEN, 1.0, 1.0):
        world.core.clock.advance(seconds)
        world.schedules.look()
        other.look()
    assert len(world.runs()) == 1


def test_what_is_due_while_it_is_not_planned_is_not_made_up_for(world: World) -> None:
    world.planned = ()
    world.pass_time(5)
    assert world.due() == []
    world.pass_time(HOURS_TO_TEN)
    world.planned = (NIGHTLY,)
    world.pass_time(5)
    world.pass_time(5)
    assert world.runs() == []
    assert world.due()[0].at > world.core.clock.now()


def test_another_time_counts_at_once(world: World) -> None:
    world.planned = (replace(NIGHTLY, cron="30 3 * * *"),)
    world.pass_time(5)
    (due,) = world.due()
    assert (due.at - NOW) < timedelta(minutes=30)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"runbook": "restrat"}, "did you mean restart?"),
        ({"runbook": "restart@9.0.0"}, "has no version"),
        ({"parameters": {}}, "workload is missing"),
        ({"parameters": {"workload": "../etc"}}, "workload must be"),
        ({"parameters": {"workload": "shop/checkout", "force": "1"}}, "no parameter “force”"),
    ],
)
def test_one_that_does_not_fit_says_so_when_it_is_due_until_it_does(
    world: World, changes: dict[str, object], said: str
) -> None:
    world.planned = (replace(NIGHTLY, **changes),)  # type: ignore[arg-type]
    world.pass_time(HOURS_TO_TEN)
    assert world.runs() == []
    incident = world.core.incident()
    assert incident.title.startswith(FAILED_ALERT)
    assert said in incident.summary
    world.pass_time(5)
    assert len(world.put) == 1
    world.planned = (NIGHTLY,)
    world.pass_time(24 * 3600)
    assert len(world.runs()) == 1
    assert world.put[-1].alerts[0].status is AlertStatus.RESOLVED
    assert world.core.incident().state.over


def test_the_alert_ends_with_its_schedule(world: World) -> None:
    world.planned = (replace(NIGHTLY, runbook="restrat"),)
    world.pass_time(HOURS_TO_TEN)
    world.planned = ()
    world.pass_time(5)
    assert world.core.incident().state.over
