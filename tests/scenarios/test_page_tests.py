"""Test pages at their times, from the schedule to PagerDuty and back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.incident import IncidentState
from bot.domain.page_test import PageTest, PageTestPlan, PageTestState
from tests.support.harness import Harness


@pytest.fixture(autouse=True)
def _every_hour(h: Harness) -> None:
    plan = PageTestPlan("0 * * * *", "Europe/Berlin", timedelta(minutes=3))
    h.routing = replace(h.routing, page_test=plan, fallback=(), escalations=())
    h.go_rounds()


def newest(h: Harness) -> PageTest:
    with h.store.read() as reader:
        return reader.page_tests(limit=1)[0]


def until_due(h: Harness) -> None:
    waits = newest(h).due_at - h.clock.now()
    h.fast_forward(waits.total_seconds() + 1)
    h.go_rounds()
    h.settle()


def test_a_test_page_arrives_and_ends_by_itself(h: Harness) -> None:
    until_due(h)
    (page,) = h.pager.incidents()
    assert "TocsinPageTest" in page.title
    h.go_rounds()
    h.settle()
    assert (newest(h).state, newest(h).incident_id) == (PageTestState.ARRIVED, 1)
    assert h.incident().state is IncidentState.RESOLVED
    assert h.pages() == ["resolved"]


def test_a_pager_that_loses_it_is_found_out(h: Harness) -> None:
    """It answers 202, and no page ever comes of it."""
    h.pager.apply = lambda event: str(event["dedup_key"])  # type: ignore[method-assign]
    until_due(h)
    h.watch(minutes=5)
    assert h.incident(1).state is IncidentState.RESOLVED
    failed = h.incident(2)
    assert failed.title.startswith("TocsinPageTestFailed")
    assert (failed.severity.value, failed.state) == ("P1", IncidentState.TRIGGERED)
    assert "nothing says that it stands" in failed.summary


def test_a_night_without_tocsin_is_made_up_for_once(h: Harness) -> None:
    h.down(minutes=8 * 60)
    h.watch(minutes=3)
    assert len(h.incidents.newest()) == 1
    assert h.incident().state is IncidentState.RESOLVED
