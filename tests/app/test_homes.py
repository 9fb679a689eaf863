"""Which incident an alert that fires belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.adapters import database
from bot.domain.alert import Alert
from bot.domain.classify import Severity
from bot.domain.incident import IncidentState
from bot.domain.routing import RoutingPolicy
from bot.domain.storm import STORM_KEY, StormLimits
from tests.support.core import Core, ended, firing
from tests.support.databases import sqlite_database

NODE = firing("NodeDown", "P1", service="node", node="n1")


def pod(name: str, level: str = "P2", *, node: str = "n1", service: str = "shop") -> Alert:
    return firing(name, level, node=node, pod=f"{service}-1", service=service)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = database.create(sqlite_database(tmp_path))
    yield made
    made.dispose()


@pytest.fixture
def core(engine: Engine) -> Core:
    return Core(engine)


@pytest.fixture
def stormy(engine: Engine) -> Core:
    """Two incidents and one P0 more, then it is a storm."""
    limits = StormLimits(incidents=2, critical=1, within=timedelta(minutes=5))
    return Core(engine, routing=RoutingPolicy(storm=limits))


def where(core: Core) -> list[tuple[str, int]]:
    """What fires in each incident that is open."""
    return [
        (one.group_key.rpartition("=")[2], one.firing)
        for one in core.incidents()
        if not one.state.over
    ]


# Groups


def test_a_group_has_one_home_whatever_its_alerts_levels_are(core: Core) -> None:
    core.deliver(firing("Latency", "P3", pod="a"))
    core.deliver(firing("Latency", "P0", pod="b"), firing("Errors", "P2"))
    assert where(core) == [("Latency", 2), ("Errors", 1)]
    assert core.incident().severity is Severity.P0


def test_a_group_that_was_resolved_lately_is_at_home_again(core: Core) -> None:
    core.deliver(firing("Latency"))
    core.deliver(ended(firing("Latency"), core.clock.now()))
    core.clock.advance(600)
    core.deliver(firing("Latency", at=core.clock.now()))
    assert len(core.incidents()) == 1
    core.deliver(ended(firing("Latency"), core.clock.now()))
    core.fast_forward(minutes=30)
    core.deliver(firing("Latency", at=core.clock.now()))
    assert [one.state for one in core.incidents()] == [
        IncidentState.RESOLVED,
        IncidentState.TRIGGERED,
    ]


# Storms


def test_what_is_one_too_many_is_gathered(stormy: Core) -> None:
    for number in range(5):
        stormy.deliver(firing(f"Alert{number}", "P2"))
    assert where(stormy) == [("Alert0", 1), ("Alert1", 1), (STORM_KEY, 3)]
    stormy.deliver(firing("Outage", "P0"))
    stormy.deliver(firing("Fire", "P0"))
    assert where(stormy) == [("Alert0", 1), ("Alert1", 1), (STORM_KEY, 4), ("Outage", 1)]
    assert stormy.incident(3).severity is Severity.P0


def test_a_group_with_a_home_is_at_home_in_a_storm_too(stormy: Core) -> None:
    for number in range(4):
        stormy.deliver(firing(f"Alert{number}", "P2"))
    stormy.deliver(firing("Alert0", "P2", pod="b"))
    assert where(stormy)[0] == ("Alert0", 2)


def test_after_the_storm_what_is_new_has_its_own_home(stormy: Core) -> None:
    for number in range(4):
        stormy.deliver(firing(f"Alert{number}", "P2"))
    stormy.clock.advance(301)
    stormy.deliver(firing("Late", "P2"))
    assert where(stormy)[-1] == ("Late", 1)


def test_in_one_delivery_the_worst_have_homes_of_their_own(stormy: Core) -> None:
    alerts = [firing(f"Alert{number}", f"P{3 - number % 4}") for number in range(8)]
    stormy.deliver(*alerts)
    assert [one.severity.value for one in stormy.incidents()] == ["P0", "P0", "P1"]
    assert stormy.incident(3).group_key == STORM_KEY


# Parents


@pytest.mark.parametrize("level", ["P0", "P1", "P3"])
def test_a_parent_and_its_children_in_one_delivery_are_one_incident(core: Core, level: str) -> None:
    """Whether the parent is looked at before its children or after them."""
    node = firing("NodeDown", level, service="node", node="n1")
    core.deliver(pod("Latency"), node, pod("Errors", "P1", service="cart"))
    assert where(core) == [("NodeDown", 3)]
    core.fast_forward()
    assert len(core.pager.open) == 1


def test_what_is_resolved_with_the_parents_coming_is_not_counted(core: Core) -> None:
    latency = pod("Latency")
    core.deliver(latency)
    core.deliver(NODE, ended(latency, core.clock.now()))
    assert where(core) == [("NodeDown", 1)]


def test_a_child_on_another_node_does_not_follow_its_group_to_the_parent(core: Core) -> None:
    core.deliver(pod("Latency", "P1"))
    core.deliver(NODE)
    core.deliver(pod("Latency", "P1", node="n2"))
    assert where(core) == [("NodeDown", 2), ("Latency", 1)]


def test_children_of_a_parent_that_is_over_are_themselves_again(core: Core) -> None:
    core.deliver(pod("Latency"))
    core.deliver(NODE)
    over = core.clock.now()
    core.deliver(ended(NODE, over), ended(pod("Latency"), over))
    core.clock.advance(60)
    again = firing("Latency", "P2", at=core.clock.now(), node="n1", pod="shop-1", service="shop")
    core.deliver(again)
    assert where(core) == [("Latency", 1)]
    assert len(core.incidents()) == 3


def test_two_incidents_of_one_group_may_be_opened_in_one_moment(core: Core) -> None:
    """All of a batch is worked in at one time: the first is absorbed, and there is a second."""
    core.post(pod("Latency", "P1"))
    core.post(NODE)
    core.post(pod("Latency", "P1", node="n2"))
    assert core.intake.drain() == 3
    assert where(core) == [("NodeDown", 2), ("Latency", 1)]
    assert len({one.dedup_key for one in core.incidents()}) == 3
