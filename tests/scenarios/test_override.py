"""A person sets the level: it holds against rules, until the incident is closed."""

from __future__ import annotations

from bot.domain.classify import Severity
from bot.domain.incident import IncidentState
from tests.support.harness import Harness


def test_lowering_a_page_to_a_ticket_ends_it_and_enters_the_ticket(h: Harness) -> None:
    h.alert()
    h.set_level(Severity.P2, "Only one customer.")
    assert h.pages() == ["resolved"]
    assert h.incident().state is IncidentState.TRIGGERED
    assert h.incident().ticket_due_at is not None
    assert "Only one customer. (set by ana)" in h.message().text
    assert any("Set from P1 to P2 by hand. Only one customer." in line for line in h.timeline())


def test_rules_do_not_raise_it_again(h: Harness) -> None:
    """Not by what else fires, not by an emergency, not when it comes back."""
    h.alert()
    h.set_level(Severity.P2)
    h.alert(severity="emergency", instance="b")
    h.resolve()
    h.fast_forward(minutes=5)
    h.alert()
    assert h.incident().severity is Severity.P2
    assert h.pages() == ["resolved"]


def test_raising_a_ticket_pages(h: Harness) -> None:
    h.alert("Latency", severity="warning")
    h.click("Acknowledge", who="ben")
    h.set_level(Severity.P0, "The shop is closed.")
    assert h.pages() == ["triggered"]
    assert h.incident().state is IncidentState.TRIGGERED


def test_it_ends_with_the_incident(h: Harness) -> None:
    """What fires after its review is judged by the rules again."""
    h.alert()
    h.set_level(Severity.P2)
    h.resolve()
    h.command("ana", "/incident close 1")
    h.alert()
    assert h.incident(2).severity is Severity.P1
    assert h.pages() == ["resolved", "triggered"]
