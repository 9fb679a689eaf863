"""Maintenance windows: nobody is woken within one, and nothing is slept through after it."""

from __future__ import annotations

import pytest

from bot.domain.incident import IncidentState
from tests.support.harness import Harness

PAYMENTS = 'namespace="payments"'


def posts(h: Harness) -> int:
    return sum(call.method == "chat.postMessage" for call in h.vendors.slack.calls)


def tickets(h: Harness) -> int:
    return sum("Ticket entered" in line for line in h.timeline())


def test_a_window_that_begins_while_a_page_stands_ends_the_page(h: Harness) -> None:
    """In PagerDuty it is resolved; here the incident stays open, and says why it is quiet."""
    h.alert()
    h.plan_window(PAYMENTS, minutes=60)
    assert h.pages() == ["resolved"]
    assert h.incident().state is IncidentState.TRIGGERED
    assert "MW-1" in h.message().text
    assert any("Nobody is woken: maintenance window MW-1" in line for line in h.timeline())


@pytest.mark.parametrize("severity", ["critical", "warning"])
def test_what_begins_within_a_window_pages_nobody_and_is_not_announced(
    h: Harness, severity: str
) -> None:
    h.plan_window(PAYMENTS, minutes=60)
    h.alert("Latency", severity=severity)
    h.fast_forward(minutes=30)
    assert h.incident().state is IncidentState.TRIGGERED
    assert (h.pages(), posts(h), tickets(h)) == ([], 0, 0)
    assert [one.incident.id for one in h.maintenance.show(1)[1]] == [1]


@pytest.mark.parametrize(("severity", "pages", "entered"), [("critical", 1, 0), ("warning", 0, 1)])
def test_what_still_fires_when_the_window_ends_is_announced_paged_or_ticketed(
    h: Harness, severity: str, pages: int, entered: int
) -> None:
    h.plan_window(PAYMENTS, minutes=60)
    h.alert("Latency", severity=severity)
    h.fast_forward(minutes=61)
    assert h.pages() == ["triggered"] * pages
    assert (posts(h), tickets(h)) == (1, entered)
    assert "Latency" in h.message().text


def test_what_is_over_before_the_window_ends_is_never_heard_of(h: Harness) -> None:
    h.plan_window(PAYMENTS, minutes=60)
    h.alert()
    h.fast_forward(minutes=30)
    h.resolve()
    h.fast_forward(minutes=60)
    assert h.incident().state is IncidentState.RESOLVED
    assert (h.pages(), posts(h)) == ([], 0)
    assert h.queue.waiting() == []


def test_what_waits_for_quiet_when_the_window_ends_wakes_nobody(h: Harness) -> None:
    """It flaps, so it is still open; but nothing fires."""
    h.plan_window(PAYMENTS, minutes=1)
    for _ in range(2):
        h.alert()
        h.resolve()
    h.fast_forward(minutes=1.5)
    assert (h.incident().state, h.incident().flaps) == (IncidentState.TRIGGERED, 1)
    h.fast_forward(minutes=10)
    assert (h.incident().state, h.pages(), posts(h)) == (IncidentState.RESOLVED, [], 0)


def test_what_comes_back_after_the_window_pages(h: Harness) -> None:
    """It rejoins the incident that the window hid, and nothing hides it now."""
    h.plan_window(PAYMENTS, minutes=10)
    h.alert()
    h.resolve()
    h.fast_forward(minutes=11)
    h.alert()
    assert [one.id for one in h.incidents.newest()] == [1]
    assert (h.pages(), posts(h)) == (["triggered"], 1)


def test_a_window_that_is_ended_early_wakes_at_once(h: Harness) -> None:
    window = h.plan_window(PAYMENTS, minutes=60)
    h.alert()
    h.end_window(window)
    assert h.pages() == ["triggered"]
    h.fast_forward(minutes=90)
    assert h.pages() == ["triggered"]
    assert h.queue.waiting() == []


def test_a_window_that_is_called_off_before_it_begins_hides_nothing(h: Harness) -> None:
    window = h.plan_window(PAYMENTS, minutes=60, begins_in=30)
    h.end_window(window)
    h.fast_forward(minutes=40)
    h.alert()
    assert h.pages() == ["triggered"]


def test_a_planned_window_begins_by_itself(h: Harness) -> None:
    h.plan_window(PAYMENTS, minutes=60, begins_in=30)
    h.alert()
    assert h.pages() == ["triggered"]
    h.fast_forward(minutes=31)
    assert h.pages() == ["resolved"]
    h.fast_forward(minutes=60)
    assert h.pages() == ["resolved", "triggered"]


def test_of_two_windows_the_one_that_ends_last_counts(h: Harness) -> None:
    h.plan_window(PAYMENTS, minutes=30)
    h.plan_window('alertname="HighErrorRate"', minutes=60, begins_in=10)
    h.alert()
    h.fast_forward(minutes=45)
    assert (h.pages(), posts(h), h.incident().suppressed_by) == ([], 0, 2)
    h.fast_forward(minutes=30)
    assert h.pages() == ["triggered"]


def test_what_a_window_covers_in_part_only_is_not_hidden(h: Harness) -> None:
    """One of the two alerts is not about the maintenance: it must be heard."""
    h.plan_window('instance="a"', minutes=60)
    h.alert(instance="a")
    assert h.pages() == []
    h.alert(instance="b")
    assert h.pages() == ["triggered"]
    h.resolve()
    assert h.pages() == ["resolved"]


def test_who_has_it_keeps_it_through_the_window(h: Harness) -> None:
    """The page ends with the window's begin, and its end wakes nobody: ana has it."""
    h.alert()
    h.click("Acknowledge")
    h.plan_window(PAYMENTS, minutes=60)
    assert h.pages() == ["resolved"]
    h.fast_forward(minutes=61)
    assert h.incident().state is IncidentState.ACKNOWLEDGED
    assert h.incident().suppressed_by is None
    assert h.pages() == ["resolved"]
    h.resolve()
    assert h.incident().state is IncidentState.RESOLVED
