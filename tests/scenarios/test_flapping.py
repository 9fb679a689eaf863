"""Alerts that come and go: one problem stays one incident, and its end is believed slowly."""

from __future__ import annotations

from bot.domain.classify import Severity
from bot.domain.incident import IncidentState
from tests.support.harness import Harness

TIMES = 6


def flap(h: Harness, times: int, *, fires: float, quiet: float) -> None:
    """It fires so often; both are in minutes."""
    for _ in range(times):
        h.alert()
        h.fast_forward(minutes=fires)
        h.resolve()
        h.fast_forward(minutes=quiet)


def test_six_times_in_twenty_minutes_are_one_incident(h: Harness) -> None:
    """It pages when it begins and when it first comes back, and no page stands at the end."""
    flap(h, TIMES, fires=1.6, quiet=1.6)
    assert [one.id for one in h.incidents.newest()] == [1]
    assert h.incident().flaps == TIMES - 1
    assert h.incident().state is IncidentState.TRIGGERED
    assert "came back 5 times" in h.message().text
    h.fast_forward(minutes=14)
    assert h.incident().state is IncidentState.RESOLVED
    assert h.pages() == ["resolved", "resolved"]
    assert len({page.dedup_key for page in h.pager.incidents()}) == 1
    assert h.queue.waiting() == []


def test_the_wait_for_quiet_doubles_with_every_flap(h: Harness) -> None:
    """What never came back is believed at once, then after 2, 4, 8 and at most 15 minutes."""
    for flaps, minutes in enumerate([0, 2, 4, 8, 15, 15]):
        h.alert()
        assert h.incident().flaps == flaps
        h.resolve()
        if minutes:
            # `resolve` has let a moment pass already.
            h.fast_forward(minutes=minutes - 0.1)
            assert h.incident().state is IncidentState.TRIGGERED, flaps
            h.fast_forward(minutes=0.1)
        assert h.incident().state is IncidentState.RESOLVED, flaps
        assert h.pages()[-1] == "resolved"


def test_what_fires_within_the_wait_pages_nobody_again(h: Harness) -> None:
    """Whoever was paged for it has it still."""
    flap(h, 2, fires=1, quiet=1)
    h.click("Acknowledge")
    told = h.told_pager()
    flap(h, 2, fires=1, quiet=1)
    assert h.incident().state is IncidentState.ACKNOWLEDGED
    assert h.told_pager() == told


def test_a_person_need_not_wait_for_quiet(h: Harness) -> None:
    """Ana knows that it is over; the timer that waits does nothing then."""
    flap(h, 2, fires=1, quiet=0.5)
    h.click("Resolve")
    resolved_at = h.incident().resolved_at
    h.fast_forward(minutes=30)
    assert h.incident().resolved_at == resolved_at
    assert h.queue.waiting() == []


def test_a_ticket_that_flaps_is_one_ticket(h: Harness) -> None:
    for _ in range(4):
        h.alert("Latency", severity="warning")
        h.resolve("Latency")
    tickets = [line for line in h.timeline() if "Ticket entered" in line]
    assert len(tickets) == 1
    assert h.incident().severity is Severity.P2
    assert h.told_pager() == []
