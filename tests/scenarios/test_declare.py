"""Incidents that people declare: paged as any other, and ended by people only."""

from __future__ import annotations

import pytest

from bot.domain.incident import IncidentState
from tests.support.harness import Harness


def test_from_a_phone_to_the_page_and_back(h: Harness) -> None:
    """Ana notices before any alert does."""
    answer = h.command("ana", "/incident declare P1 Checkout is down")
    assert "INC-1 declared as P1: Checkout is down" in answer
    assert "Whoever is on call is paged." in answer
    (page,) = h.pager.incidents()
    assert (page.title, page.status) == ("P1 Checkout is down: ana declared it.", "triggered")
    assert h.timeline()[0] == "ana: Declared as P1: Checkout is down."
    assert "ana declared it." in h.message().text
    h.click("Acknowledge", who="ben")
    assert h.pages() == ["acknowledged"]
    h.command("ben", "/incident resolve 1")
    assert h.pages() == ["resolved"]


def test_it_is_resolved_by_people_only(h: Harness) -> None:
    """Neither quiet nor another incident's end nor a maintenance window ends it."""
    h.command("ana", "/incident declare P1 Checkout is down service=checkout")
    h.plan_window("service=checkout", minutes=5)
    h.alert("HighErrorRate", service="checkout")
    h.resolve("HighErrorRate")
    h.watch(minutes=90)
    assert h.incident().state is IncidentState.TRIGGERED
    assert h.incident().suppressed_by is None
    assert h.pages()[0] == "triggered"


def test_two_declarations_are_two_incidents(h: Harness) -> None:
    """Even in the same words; and no alert joins either."""
    for _ in range(2):
        h.command("ana", "/incident declare P0 All is down")
    h.alert("HighErrorRate")
    assert h.incident(3).group_key.startswith("cluster=")
    assert len(h.pager.incidents()) == 3


def test_nobody_takes_it_and_it_escalates(h: Harness) -> None:
    h.command("ana", "/incident declare P0 All is down")
    h.attend(320)
    assert any("Nobody has taken this P0; step 1" in line for line in h.timeline())


@pytest.mark.parametrize("command", ["why", "show", "timeline"])
def test_it_can_be_asked_about(h: Harness, command: str) -> None:
    h.command("ana", "/incident declare P2 The logo is <!channel> ugly service=shop")
    answer = h.command("ben", f"/incident {command} 1")
    assert "logo" in answer or "ana declared it" in answer
    if command == "why":
        assert "A person opened it and chose its level; it has no alerts." in answer
        assert "none: a person declared it" in answer
    assert h.pager.incidents() == []
    assert "<!channel>" not in str(h.message().blocks)


def test_mistakes_are_answered_with_the_usage(h: Harness) -> None:
    answer = h.command("ana", "/incident declare Checkout is down")
    assert "“Checkout” is no level; write P0, P1, P2 or P3." in answer
    assert "/incident declare LEVEL TITLE" in answer
    assert h.incidents.newest() == []
