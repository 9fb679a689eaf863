from __future__ import annotations

from itertools import product

import pytest

from bot.domain.classify import Severity
from bot.domain.incident import TRANSITIONS, Command, Incident, IncidentState, PageState
from bot.domain.incident_events import PageAction
from bot.domain.incident_message import INCIDENT_ACTION, incident_line, incident_message
from bot.domain.message import Subject, SubjectKind
from tests.support.examples import ANA, NOW, incident


def fields(shown: Incident) -> dict[str, str]:
    return {field.name: field.value for field in incident_message(shown).fields}


def test_what_is_said_of_an_incident() -> None:
    message = incident_message(incident())
    assert message.subject == Subject(SubjectKind.INCIDENT, 7)
    assert message.headline == "🔴 P1 HighErrorRate: checkout in payments (c1)"
    assert message.body == "Errors above 5 %"
    assert message.footer == (
        "Opened 2026-03-01 03:00:00 UTC · /incident timeline 7 tells the story"
    )
    assert fields(incident()) == {
        "Incident": "INC-7",
        "Severity": "P1 High",
        "State": "triggered",
        "Alerts firing": "1",
        "Why": "It is P1. (rule rule-P1)",
        "Page": "on its way",
    }


def test_who_has_it_is_said_until_it_is_over() -> None:
    taken = incident(state=IncidentState.ACKNOWLEDGED, acknowledged_by=ANA)
    over = incident(state=IncidentState.RESOLVED, acknowledged_by=ANA)
    assert fields(taken)["State"] == "acknowledged by ana"
    assert fields(over)["State"] == "resolved"


def test_alerts_that_alertmanager_left_out_are_counted() -> None:
    assert fields(incident(firing=2, unseen=40))["Alerts firing"] == "2 (and 40 left out)"


@pytest.mark.parametrize(
    ("shown", "page"),
    [
        (incident(page=PageState(PageAction.TRIGGER, Severity.P1)), "on-call paged"),
        (incident(page=PageState(PageAction.ACKNOWLEDGE, Severity.P1)), "acknowledged"),
        (incident(page=PageState(PageAction.RESOLVE, Severity.P1)), "resolved"),
        (
            incident(page=PageState(PageAction.TRIGGER, Severity.P1, "Invalid routing key")),
            "REFUSED: Invalid routing key",
        ),
        (incident(Severity.P2, ticket_due_at=NOW), "none; ticket, due 01 Mar 03:00 UTC"),
        (incident(Severity.P0, ticket_due_at=NOW), "on its way"),
        (
            incident(state=IncidentState.ACKNOWLEDGED),
            "none: it was taken before the page went out",
        ),
    ],
)
def test_what_is_said_of_the_page(shown: Incident, page: str) -> None:
    assert fields(shown)["Page"] == page


@pytest.mark.parametrize("state", IncidentState)
def test_every_button_can_be_pressed(state: IncidentState) -> None:
    for button in incident_message(incident(state=state)).buttons:
        command = Command(button.action.removeprefix(INCIDENT_ACTION))
        assert (state, command) in TRANSITIONS
        assert button.value == "7"


def test_what_is_open_can_be_resolved_by_a_button() -> None:
    for state in IncidentState:
        labels = [button.label for button in incident_message(incident(state=state)).buttons]
        assert ("Resolve" in labels) is not state.over


@pytest.mark.parametrize(("state", "level"), list(product(IncidentState, Severity)))
def test_the_line_says_reference_level_state_and_title(
    state: IncidentState, level: Severity
) -> None:
    line = incident_line(incident(level, state=state))
    assert line.endswith(f" INC-7 {level} {state}: HighErrorRate: checkout in payments (c1)")
