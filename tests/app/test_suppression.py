"""An incident is quiet while windows cover all that fires in it, and no longer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters import database
from bot.app import suppression
from bot.app.suppression import suppressing
from bot.domain.alert import Alert
from bot.domain.incident_events import Suppressed, Unsuppressed
from bot.domain.maintenance import Window
from bot.domain.matcher_text import parse_matcher
from tests.support.core import Core, ended, firing
from tests.support.databases import sqlite_database
from tests.support.examples import ANA, NOW

HOUR = timedelta(hours=1)
CHECKOUT, CART = firing("Latency"), firing("Latency", service="cart")


def window(number: int, *matchers: str, starts_in: timedelta = -HOUR) -> Window:
    """Two hours long; it covers the named."""
    begins = NOW + starts_in
    texts = tuple(map(parse_matcher, matchers or ('service="checkout"',)))
    return Window(number, texts, begins, begins + 2 * HOUR, f"Window {number}.", ANA, NOW)


OURS, ALL = window(1), window(2, 'alertname="Latency"')
COMING, GONE = window(3, starts_in=HOUR), window(4, starts_in=-3 * HOUR)


@pytest.mark.parametrize(
    ("before", "firing_now", "windows", "events"),
    [
        pytest.param(None, [CHECKOUT], [OURS], (Suppressed(1, "Window 1."),), id="covered"),
        pytest.param(1, [CHECKOUT], [OURS], (), id="still covered"),
        pytest.param(1, [CHECKOUT], [ALL], (Suppressed(2, "Window 2."),), id="by another"),
        pytest.param(None, [CHECKOUT, CART], [OURS], (), id="in part"),
        pytest.param(None, [CHECKOUT, CART], [ALL], (Suppressed(2, "Window 2."),), id="by one"),
        pytest.param(None, [CHECKOUT], [COMING, GONE], (), id="not now"),
        pytest.param(None, [CHECKOUT], [], (), id="no window"),
    ],
)
def test_what_changes(
    before: int | None,
    firing_now: list[Alert],
    windows: list[Window],
    events: tuple[Suppressed, ...],
) -> None:
    assert suppressing(before, firing_now, windows, NOW) == events


@pytest.mark.parametrize("windows", [[], [GONE], [COMING]])
def test_what_no_window_covers_any_more_is_heard(windows: list[Window]) -> None:
    (event,) = suppressing(4, [CHECKOUT], windows, NOW)
    assert isinstance(event, Unsuppressed)


# On an incident


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    engine = database.create(sqlite_database(tmp_path))
    yield Core(engine)
    engine.dispose()


def review(core: Core) -> None:
    with core.store.transaction() as tx:
        now = core.clock.now()
        suppression.review(tx, tx.incident(1), tx.windows(ending_after=now), now)


def plan(core: Core, planned: Window) -> None:
    with core.store.transaction() as tx:
        tx.new_window(planned)


def test_a_look_changes_once_what_it_has_to(core: Core) -> None:
    core.deliver(CHECKOUT)
    plan(core, OURS)
    for _ in range(2):
        review(core)
    assert core.incident().suppressed_by == 1
    assert core.events()[-1] == Suppressed(1, "Window 1.")
    assert core.events().count(Suppressed(1, "Window 1.")) == 1
    core.clock.advance(7200)
    for _ in range(2):
        review(core)
    assert core.incident().suppressed_by is None
    assert sum(isinstance(one, Unsuppressed) for one in core.events()) == 1


def test_what_is_over_or_does_not_fire_is_left_as_it_is(core: Core) -> None:
    core.deliver(CHECKOUT)
    core.deliver(ended(CHECKOUT, core.clock.now()))
    plan(core, OURS)
    events = core.events()
    review(core)
    assert core.events() == events


def test_a_new_alert_that_no_window_covers_is_heard_in_the_same_transaction(core: Core) -> None:
    plan(core, window(1, 'pod="a"'))
    core.deliver(firing("Latency", pod="a"))
    assert core.incident().suppressed_by == 1
    core.deliver(firing("Latency", pod="b"))
    assert core.incident().suppressed_by is None
    core.fast_forward()
    assert len(core.pager.open) == 1
