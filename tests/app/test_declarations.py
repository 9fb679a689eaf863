"""A declaration opens one incident, however often it is repeated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters import database
from bot.adapters.routing import parse_routing
from bot.app.declarations import ROUTING, Declarations
from bot.domain.classify import Severity
from bot.domain.declaration import Declaration
from bot.domain.effects import UpdatePage
from bot.domain.incident import IncidentState
from bot.domain.incident_events import IncidentOpened
from bot.domain.page_events import EscalationPlanned
from bot.domain.routing import RoutingPolicy
from tests.support.core import Core
from tests.support.databases import sqlite_database
from tests.support.examples import ANA, NOW

DOWN = Declaration(Severity.P1, "Checkout is down", "checkout")
OWN_STEPS = """
escalations:
  - id: checkout
    match: ['service="checkout"']
    levels: [P1]
    steps: [{after: 3m, slack: channel}]
response_times: {P1: 20m}
"""


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    engine = database.create(sqlite_database(tmp_path))
    yield Core(engine)
    engine.dispose()


@pytest.fixture
def declarations(core: Core) -> Declarations:
    return Declarations(core.store, routing_of, core.clock, core.counts)


def routing_of(text: str) -> RoutingPolicy:
    return parse_routing(text.encode(), ROUTING)


def keep(core: Core, text: str) -> None:
    with core.store.transaction() as tx:
        tx.keep_policy("digest", ROUTING, text, NOW)


def plan(core: Core) -> EscalationPlanned:
    (planned,) = (one for one in core.events() if isinstance(one, EscalationPlanned))
    return planned


def test_it_is_open_and_asks_for_its_page(core: Core, declarations: Declarations) -> None:
    made = declarations.declare(DOWN, "one", ANA)
    assert (made.reference, made.state, made.firing) == ("INC-1", IncidentState.TRIGGERED, 0)
    assert made.calling is not None
    assert UpdatePage(1, Severity.P1) in core.queue.waiting()
    assert isinstance(core.events()[0], IncidentOpened)
    assert core.counts.counted["incidents P1"] == 1


def test_a_repeated_request_opens_no_other(core: Core, declarations: Declarations) -> None:
    first = declarations.declare(DOWN, "one", ANA)
    waiting = core.queue.waiting()
    assert declarations.declare(DOWN, "one", ANA) == first
    assert (len(core.incidents()), core.queue.waiting()) == (1, waiting)
    assert core.counts.counted["incidents P1"] == 1


@pytest.mark.parametrize("token", ["two", ""])
def test_who_asks_twice_means_two(core: Core, declarations: Declarations, token: str) -> None:
    declarations.declare(DOWN, "one", ANA)
    declarations.declare(DOWN, token, ANA)
    core.clock.advance(1)
    declarations.declare(DOWN, token and "three", ANA)
    assert len({one.dedup_key for one in core.incidents()}) == 3


def test_it_escalates_by_the_policy_in_force(core: Core, declarations: Declarations) -> None:
    keep(core, OWN_STEPS)
    declarations.declare(DOWN, "one", ANA)
    assert plan(core).plan.by_level[Severity.P1].rule == "checkout"
    assert plan(core).response_times[Severity.P1].total_seconds() == 20 * 60


@pytest.mark.parametrize("kept", [None, "escalations: nonsense"])
def test_without_a_policy_it_escalates_by_the_shipped_one(
    core: Core, declarations: Declarations, kept: str | None
) -> None:
    if kept is not None:
        keep(core, kept)
    declarations.declare(DOWN, "one", ANA)
    assert plan(core).plan.by_level[Severity.P1].rule == "high"


def test_a_level_that_pages_nobody_is_a_ticket(core: Core, declarations: Declarations) -> None:
    made = declarations.declare(Declaration(Severity.P3, "A typo"), "one", ANA)
    assert made.ticket_due_at is not None
    assert not any(isinstance(one, UpdatePage) for one in core.queue.waiting())
