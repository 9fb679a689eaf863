from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from bot.domain.classify import Classification, Severity
from bot.domain.escalation_policy import EscalationPolicy
from bot.domain.incident import (
    OVERRIDE_RULE,
    TRANSITIONS,
    Calling,
    Command,
    Incident,
    IncidentState,
    PageState,
    Response,
)
from bot.domain.incident_message import INCIDENT_ACTION, incident_line, incident_message
from bot.domain.maintenance import Window
from bot.domain.message import Subject, SubjectKind
from bot.domain.page_events import PageAction
from bot.domain.ticket import TicketState
from tests.support.examples import ANA, NOW, TICKET, incident


def fields(shown: Incident, window: Window | None = None) -> dict[str, str]:
    return {field.name: field.value for field in incident_message(shown, window).fields}


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
        "Response": "due by 01 Mar 04:00 UTC",
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


@pytest.mark.parametrize(
    ("shown", "page"),
    [
        (incident(suppressed_by=3), "held back by MW-3"),
        (
            incident(suppressed_by=3, page=PageState(PageAction.TRIGGER, Severity.P1)),
            "ended by MW-3",
        ),
        (incident(Severity.P2, suppressed_by=3), "none, and no ticket during maintenance"),
        (
            incident(
                Severity.P2, page=PageState(PageAction.RESOLVE, Severity.P1), ticket_due_at=NOW
            ),
            "ended; ticket, due 01 Mar 03:00 UTC",
        ),
        (
            incident(
                suppressed_by=3,
                state=IncidentState.RESOLVED,
                page=PageState(PageAction.RESOLVE, Severity.P1),
            ),
            "resolved",
        ),
    ],
)
def test_what_is_said_of_a_page_that_is_held_back_or_ended(shown: Incident, page: str) -> None:
    assert fields(shown)["Page"] == page


def test_which_window_suppresses_it_and_until_when() -> None:
    window = Window(3, (), NOW, NOW + timedelta(hours=2), "Upgrade.", ANA, NOW)
    suppressed = incident(suppressed_by=3)
    assert fields(suppressed, window)["Maintenance"] == (
        "MW-3 covers it until 01 Mar 05:00 UTC: Upgrade."
    )
    assert fields(suppressed)["Maintenance"] == "MW-3 covers it"
    assert "Maintenance" not in fields(replace(suppressed, state=IncidentState.RESOLVED), window)


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (incident(flaps=1), "1, came back once"),
        (incident(flaps=3, unseen=2), "1 (and 2 left out), came back 3 times"),
        (
            incident(firing=0, flaps=3, quiet_until=NOW + timedelta(minutes=10)),
            "0, came back 3 times, resolved if quiet until 03:10 UTC",
        ),
    ],
)
def test_how_often_it_came_back_and_what_it_waits_for(shown: Incident, said: str) -> None:
    assert fields(shown)["Alerts firing"] == said


def test_that_a_person_set_its_level() -> None:
    why = Classification(Severity.P2, OVERRIDE_RULE, "Only staging.", "digest")
    shown = incident(classification=why, overridden_by=ANA)
    assert fields(shown)["Why"] == "Only staging. (set by ana)"


def test_of_which_incident_it_is_a_part() -> None:
    absorbed = incident(state=IncidentState.RESOLVED, absorbed_by=3)
    assert fields(absorbed)["State"] == "resolved, part of INC-3"


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


def test_until_when_somebody_must_respond_and_who_is_next() -> None:
    planned = Response(plan=EscalationPolicy().plan({}))
    paged = PageState(PageAction.TRIGGER, Severity.P0, at=NOW)
    called = incident(Severity.P0, page=paged, calling=Calling(NOW), response=planned)
    said = fields(called)
    assert said["Page"] == "on-call paged, not confirmed yet"
    assert said["Response"] == "due by 01 Mar 03:15 UTC"
    assert said["Next"] == "PagerDuty’s second key, 01 Mar 03:05 UTC"

    late = replace(
        called,
        calling=Calling(NOW, "by PagerDuty’s webhook", contacts_used=1, fallback_at=NOW),
        response=replace(planned, overdue=True),
    )
    said = fields(late)
    assert said["Page"] == (
        "on-call paged, confirmed by PagerDuty’s webhook, fallback: 1 contact tried"
    )
    assert said["Response"] == "OVERDUE since 01 Mar 03:15 UTC"


def test_no_clock_is_shown_once_somebody_has_it() -> None:
    planned = Response(plan=EscalationPolicy().plan({}))
    taken = incident(Severity.P0, state=IncidentState.ACKNOWLEDGED, response=planned)
    assert not {"Response", "Next"} & set(fields(taken))


def test_where_the_ticket_is_and_what_is_wrong_with_it_is_said() -> None:
    assert "Ticket" not in fields(incident(Severity.P2, ticket_due_at=NOW))
    known = TicketState("digest", TICKET)
    assert fields(incident(ticket=known))["Ticket"] == "https://memory.example/1"
    nowhere = replace(known, ref=replace(TICKET, url=""))
    assert fields(incident(ticket=nowhere))["Ticket"] == "memory#1"
    refused = replace(known, refused="Set another token.")
    said = fields(incident(ticket=refused))["Ticket"]
    assert said == "REFUSED: Set another token. https://memory.example/1"
    assert fields(incident(ticket=replace(refused, ref=None)))["Ticket"].endswith("token.")


def test_a_tickets_time_is_said_once_until_it_is_over() -> None:
    ticket = incident(Severity.P2, ticket_due_at=NOW + timedelta(hours=4))
    assert "Response" not in fields(ticket)
    late = replace(ticket, response=Response(overdue=True))
    assert fields(late)["Response"] == "OVERDUE since 01 Mar 07:00 UTC"
