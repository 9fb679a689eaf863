"""What the tracker is told next: every state and level against all it was told before."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.actor import TOCSIN
from bot.domain.classify import Severity
from bot.domain.incident import Incident, IncidentState
from bot.domain.incident_events import SeverityRaised
from bot.domain.incident_evolution import evolve
from bot.domain.ticket import TicketAction, TicketRef, TicketState
from bot.domain.ticket_events import TicketRefused, TicketTold
from bot.domain.ticket_task import LONGEST_SUMMARY, task_of
from bot.domain.ticketing import (
    LONGEST_VALUE,
    MOST_LABELS,
    TicketDecision,
    TicketReason,
    next_ticket,
    ticket_of,
)
from tests.support.examples import ANA, NOW, TICKET, classification, incident

PLACE = TICKET.place
KNOWN = TicketState("something else", TICKET)
SITUATIONS = list(product(IncidentState, Severity))
states, levels = st.sampled_from(IncidentState), st.sampled_from(Severity)


def entered(level: Severity = Severity.P2, **changes: Any) -> Incident:
    """An incident that is a ticket."""
    return incident(level, ticket_due_at=NOW, **changes)


def told(about: Incident) -> Incident:
    """It, once the tracker has taken what it has to be told."""
    action = next_ticket(task_of(about), PLACE).action
    assert action is not None
    return evolve(about, TicketTold(action, TICKET, task_of(about).digest), TOCSIN, NOW)


@pytest.mark.parametrize("state", IncidentState)
@pytest.mark.parametrize("level", [Severity.P0, Severity.P1])
def test_what_pages_from_the_beginning_gets_no_ticket(
    level: Severity, state: IncidentState
) -> None:
    decision = next_ticket(task_of(incident(level, state=state)), PLACE)
    assert decision == TicketDecision(None, TicketReason.NOT_ENTERED)


@pytest.mark.parametrize(("state", "level"), SITUATIONS)
def test_a_ticket_is_created_while_the_incident_is_open(
    state: IncidentState, level: Severity
) -> None:
    over = TicketDecision(None, TicketReason.NEVER_NEEDED)
    create = TicketDecision(TicketAction.CREATE, TicketReason.NOT_CREATED)
    assert next_ticket(task_of(entered(level, state=state)), PLACE) == (
        over if state.over else create
    )


@pytest.mark.parametrize(("state", "level"), SITUATIONS)
def test_what_a_failed_try_may_have_created_is_closed(
    state: IncidentState, level: Severity
) -> None:
    close = TicketDecision(TicketAction.CLOSE, TicketReason.MAY_STAND)
    create = TicketDecision(TicketAction.CREATE, TicketReason.NOT_CREATED)
    decision = next_ticket(task_of(entered(level, state=state)), PLACE, tried=True)
    assert decision == (close if state.over else create)


def test_a_failed_try_says_nothing_about_a_ticket_that_is_known() -> None:
    about = told(entered(state=IncidentState.RESOLVED, ticket=KNOWN))
    assert next_ticket(task_of(about), PLACE, tried=True) == next_ticket(task_of(about), PLACE)


@pytest.mark.parametrize(("state", "level"), SITUATIONS)
@pytest.mark.parametrize("is_open", [True, False])
def test_what_stands_follows_its_incident(
    state: IncidentState, level: Severity, is_open: bool
) -> None:
    """A ticket is moved when ours says so, and else only its words are changed."""
    decision = next_ticket(
        task_of(entered(level, state=state, ticket=replace(KNOWN, open=is_open))), PLACE
    )
    expected = {
        (True, False): (TicketAction.UPDATE, TicketReason.CHANGED),
        (True, True): (TicketAction.CLOSE, TicketReason.OVER),
        (False, False): (TicketAction.REOPEN, TicketReason.OPEN_AGAIN),
        (False, True): (TicketAction.UPDATE, TicketReason.CHANGED),
    }
    assert decision == TicketDecision(*expected[is_open, state.over])


@given(states, levels)
def test_what_was_told_is_not_told_again(state: IncidentState, level: Severity) -> None:
    about = told(entered(level, state=state, ticket=KNOWN))
    assert next_ticket(task_of(about), PLACE) == TicketDecision(None, TicketReason.UP_TO_DATE)


@given(st.lists(st.tuples(states, levels), min_size=1, max_size=8))
def test_whatever_happens_the_ticket_is_open_while_its_incident_is(
    ways: list[tuple[IncidentState, Severity]],
) -> None:
    """And each change takes one call at most."""
    about = entered()
    for state, level in ways:
        about = replace(about, state=state, classification=classification(level))
        if next_ticket(task_of(about), PLACE).action is not None:
            about = told(about)
        assert next_ticket(task_of(about), PLACE).action is None
        known = about.ticket
        assert known is None or known.open is not about.state.over


def test_what_was_refused_is_tried_again_when_there_is_something_else_to_tell() -> None:
    about = entered()
    refused = TicketRefused(TicketAction.CREATE, "Bad credentials", task_of(about).digest)
    about = evolve(about, refused, TOCSIN, NOW)
    assert next_ticket(task_of(about), PLACE) == TicketDecision(None, TicketReason.REFUSED)
    taken = replace(about, state=IncidentState.ACKNOWLEDGED, acknowledged_by=ANA)
    assert next_ticket(task_of(taken), PLACE).action is TicketAction.CREATE
    assert told(taken).ticket == TicketState(task_of(taken).digest, TICKET)


def test_a_refused_closing_leaves_a_ticket_that_is_open() -> None:
    about = entered(state=IncidentState.RESOLVED, ticket=KNOWN)
    refused = TicketRefused(TicketAction.CLOSE, "No transition", task_of(about).digest)
    about = evolve(about, refused, TOCSIN, NOW)
    assert next_ticket(task_of(about), PLACE).reason is TicketReason.REFUSED
    again = replace(about, state=IncidentState.TRIGGERED)
    assert next_ticket(task_of(again), PLACE).action is TicketAction.UPDATE


def test_a_ticket_of_another_place_is_left_alone() -> None:
    """Number 12 of one repository is another problem in the next one."""
    elsewhere = replace(KNOWN, ref=TicketRef("elsewhere", "12", "elsewhere#12", "https://e"))
    decision = next_ticket(task_of(entered(ticket=elsewhere)), PLACE)
    assert decision == TicketDecision(None, TicketReason.ELSEWHERE)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": IncidentState.MITIGATED},
        {"acknowledged_by": ANA, "state": IncidentState.ACKNOWLEDGED},
        {"classification": classification(Severity.P3)},
        {"absorbed_by": 3},
        {"title": "Another"},
    ],
)
def test_what_people_read_makes_another_version(changes: dict[str, Any]) -> None:
    assert task_of(replace(entered(), **changes)).digest != task_of(entered()).digest


def test_a_storm_of_alerts_does_not() -> None:
    assert (
        task_of(replace(entered(), firing=900, unseen=7, flaps=3)).digest
        == task_of(entered()).digest
    )


def test_what_a_ticket_says() -> None:
    ticket = ticket_of(
        task_of(entered()), {"service": "db", "host": "n1\nn2"}, "https://tocsin/incidents/7"
    )
    assert ticket.marker == "tocsin-0123456789abcdef"
    assert ticket.title == "P2 HighErrorRate: checkout in payments (c1) (INC-7)"
    assert ticket.text.splitlines() == [
        "Errors above 5 %",
        "",
        "Level: P2 Medium",
        "State: triggered",
        "Why: It is P2. (rule rule-P2)",
        "Opened: 2026-03-01 03:00:00 UTC",
        "Response due by: 2026-03-01 03:00 UTC",
        "",
        "host=n1 n2",
        "service=db",
    ]


@pytest.mark.parametrize("state", IncidentState)
def test_a_ticket_says_how_bad_it_is_and_whether_it_is_over(state: IncidentState) -> None:
    ticket = ticket_of(task_of(entered(Severity.P3, state=state)), {}, "")
    assert (ticket.severity, ticket.over) == (Severity.P3, state.over)


def test_a_raised_ticket_says_that_it_pages() -> None:
    raised = SeverityRaised(Severity.P2, classification(Severity.P1))
    text = ticket_of(task_of(evolve(entered(), raised, TOCSIN, NOW)), {}, "").text
    assert "Level: P1 High\nIt became worse: the on-call engineer is paged" in text


def test_who_has_it_and_what_it_is_a_part_of_are_said() -> None:
    taken = entered(state=IncidentState.ACKNOWLEDGED, acknowledged_by=ANA)
    assert "State: acknowledged by ana" in ticket_of(task_of(taken), {}, "").text
    part = entered(state=IncidentState.RESOLVED, absorbed_by=3)
    assert "State: resolved, part of INC-3" in ticket_of(task_of(part), {}, "").text


def test_a_ticket_has_bounds() -> None:
    labels = {f"l{number:04}": "v" * 5_000 for number in range(1_000)}
    text = ticket_of(task_of(entered(summary="s" * 50_000)), labels, "").text
    assert len(text) < LONGEST_SUMMARY + MOST_LABELS * (LONGEST_VALUE + 10) + 1_000


@given(st.text())
def test_any_title_has_a_digest(title: str) -> None:
    assert len(task_of(entered(title=title + "\ud800")).digest) == 64
