"""What an incident needs later: quiet is believed, and facts that got worse raise it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.adapters import database
from bot.app.deliveries import REVIEW_EVERY
from bot.domain.classify import Severity
from bot.domain.effects import ReviewSeverity, SettleIncident
from bot.domain.incident import IncidentState
from bot.domain.incident_events import SeverityRaised
from tests.app.test_judging import HALF_DOWN, Measured, with_rules
from tests.support.core import Core, ended, firing
from tests.support.databases import sqlite_database

LATENCY = firing("Latency", "P2", service="shop")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = database.create(sqlite_database(tmp_path))
    yield made
    made.dispose()


@pytest.fixture
def core(engine: Engine) -> Core:
    return Core(engine)


@pytest.fixture
def metrics() -> Measured:
    return Measured(0.1)


@pytest.fixture
def measuring(engine: Engine, metrics: Measured) -> Core:
    return Core(engine, policy=with_rules(HALF_DOWN), metrics=metrics)


# Quiet


def flap(core: Core, times: int) -> None:
    for _ in range(times):
        fired = firing("Latency", "P1", at=core.clock.now())
        core.deliver(fired)
        core.clock.advance(1)
        core.deliver(ended(fired, core.clock.now()))
        core.clock.advance(1)


def test_it_is_resolved_when_it_stayed_quiet(core: Core) -> None:
    flap(core, 2)
    until = core.incident().quiet_until
    assert until is not None
    core.fast_forward(seconds=(until - core.clock.now()).total_seconds() - 1)
    assert core.incident().state is IncidentState.TRIGGERED
    core.fast_forward(seconds=2)
    assert core.incident().resolved_at == until


def test_a_timer_that_comes_too_early_is_asked_for_again(core: Core) -> None:
    flap(core, 2)
    before = core.queue.waiting().count(SettleIncident(1))
    core.upkeep.settle(SettleIncident(1))
    assert core.queue.waiting().count(SettleIncident(1)) == before + 1
    core.fast_forward(minutes=3)
    assert core.incident().state is IncidentState.RESOLVED


@pytest.mark.parametrize("fires", [True, False])
def test_a_timer_of_what_fires_or_is_over_does_nothing(core: Core, fires: bool) -> None:
    flap(core, 2)
    if fires:
        core.deliver(firing("Latency", "P1", at=core.clock.now()))
    core.fast_forward(minutes=30)
    events = core.events()
    core.upkeep.settle(SettleIncident(1))
    assert core.events() == events
    assert SettleIncident(1) not in core.queue.waiting()


# Facts


def test_what_gets_worse_while_nobody_says_anything_is_raised(
    measuring: Core, metrics: Measured
) -> None:
    measuring.deliver(LATENCY)
    assert measuring.incident().severity is Severity.P2
    measuring.fast_forward(seconds=REVIEW_EVERY + 1)
    assert measuring.incident().severity is Severity.P2
    metrics.value = 0.7
    measuring.fast_forward(seconds=REVIEW_EVERY + 1)
    assert measuring.incident().severity is Severity.P0
    assert measuring.incident().classification.rule == "half-down"
    assert len(measuring.pager.open) == 1


def test_what_gets_better_is_not_lowered(measuring: Core, metrics: Measured) -> None:
    metrics.value = 0.7
    measuring.deliver(LATENCY)
    metrics.value = 0.0
    measuring.fast_forward(minutes=10)
    assert measuring.incident().severity is Severity.P0
    assert not any(isinstance(one, SeverityRaised) for one in measuring.events())


def test_one_look_waits_at_a_time_and_none_once_it_is_over(measuring: Core) -> None:
    for pod in "abc":
        measuring.deliver(firing("Latency", "P2", service="shop", pod=pod))
    assert measuring.queue.waiting().count(ReviewSeverity(1)) == 1
    measuring.fast_forward(minutes=10)
    assert measuring.queue.waiting().count(ReviewSeverity(1)) == 1
    over = measuring.clock.now() + timedelta(seconds=1)
    measuring.deliver(
        *[ended(firing("Latency", "P2", service="shop", pod=pod), over) for pod in "abc"]
    )
    measuring.fast_forward(minutes=10)
    assert measuring.incident().state is IncidentState.RESOLVED
    assert ReviewSeverity(1) not in measuring.queue.waiting()


def test_a_level_that_a_person_set_is_left_alone(measuring: Core, metrics: Measured) -> None:
    measuring.deliver(LATENCY)
    measuring.override(Severity.P3)
    metrics.value = 0.7
    measuring.fast_forward(minutes=5)
    assert measuring.incident().severity is Severity.P3


def test_a_review_leaves_the_facts_of_what_is_being_worked_in_alone(measuring: Core) -> None:
    """Reviews run in threads of their own, beside intake."""
    measuring.deliver(firing("Errors", "P2", service="cart"))
    measuring.deliveries.judge.prepare([LATENCY])
    measuring.upkeep.review_severity(ReviewSeverity(1))
    assert measuring.deliveries.judge.depends_on_facts([LATENCY])
