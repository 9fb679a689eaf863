"""What tickets are about, and the list of what is left to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.classify import Severity
from bot.domain.follow_up import FollowUp
from bot.domain.incident import Incident, IncidentState
from bot.domain.incident_events import ClockPutBack, IncidentEvent
from bot.domain.incident_evolution import evolve
from bot.domain.ticket import TicketAction, TicketState
from bot.domain.ticket_events import (
    FollowUpAdded,
    FollowUpDone,
    FollowUpReopened,
    TicketRefused,
    TicketTold,
)
from bot.domain.ticket_task import in_order, open_tasks, task_line, task_of
from bot.domain.ticketing import TicketReason, next_ticket, ticket_of
from tests.support.examples import ANA, NOW, TICKET, incident

ADDED = FollowUpAdded(1, "Add an index.")


def after(*events: IncidentEvent, start: Incident | None = None) -> Incident:
    """The incident, by default one that pages, after the events."""
    about = start or incident()
    for event in events:
        about = evolve(about, event, ANA, NOW)
    return about


def test_a_follow_up_is_what_was_asked_by_whom_and_when() -> None:
    assert after(ADDED).follow_ups == (FollowUp(1, "Add an index.", "ana", NOW),)


def test_a_follow_up_is_done_and_to_be_done_again() -> None:
    done = after(ADDED, FollowUpAdded(2, "Alert earlier."), FollowUpDone(2))
    assert [one.done for one in done.follow_ups] == [False, True]
    assert not any(one.done for one in after(FollowUpReopened(2), start=done).follow_ups)


def test_each_ticket_knows_what_its_own_tracker_was_told() -> None:
    told = after(
        ADDED,
        FollowUpAdded(2, "Alert earlier."),
        TicketTold(TicketAction.CREATE, TICKET, "says", follow_up=2),
        TicketRefused(TicketAction.CREATE, "No.", "said", follow_up=1),
    )
    assert told.ticket is None
    assert [one.ticket for one in told.follow_ups] == [
        TicketState("said", refused="No."),
        TicketState("says", TICKET),
    ]


@pytest.mark.parametrize("state", IncidentState)
@pytest.mark.parametrize("level", Severity)
def test_a_follow_up_has_a_ticket_whatever_becomes_of_the_incident(
    level: Severity, state: IncidentState
) -> None:
    about = after(ADDED, start=incident(level, state=state))
    assert next_ticket(task_of(about, 1), TICKET.place).action is TicketAction.CREATE
    done = after(FollowUpDone(1), start=about)
    assert next_ticket(task_of(done, 1), TICKET.place).reason is TicketReason.NEVER_NEEDED


def test_what_its_ticket_says() -> None:
    ticket = ticket_of(task_of(after(ADDED), 1), {}, "https://tocsin/incidents/7")
    assert ticket.title == "Add an index. (INC-7, follow-up 1)"
    assert ticket.text.splitlines() == [
        "Add an index.",
        "",
        "Follow-up 1 of INC-7: HighErrorRate: checkout in payments (c1)",
        "State: to be done",
        "Asked for by ana, 2026-03-01 03:00 UTC",
    ]
    assert (ticket.severity, ticket.since) == (Severity.P3, NOW)


def test_no_ticket_is_found_by_the_marker_of_another() -> None:
    about = after(*(FollowUpAdded(number, "Do it.") for number in range(1, 13)))
    markers = [task_of(about, number).marker for number in range(13)]
    assert not any(one in other for one in markers for other in markers if one is not other)


def test_done_is_said_on_its_ticket() -> None:
    open_one, done = after(ADDED), after(ADDED, FollowUpDone(1))
    assert "State: done" in task_of(done, 1).facts
    assert task_of(open_one, 1).digest != task_of(done, 1).digest


def test_a_clock_that_is_put_back_moves_when_it_was_asked_for() -> None:
    by = timedelta(hours=2)
    assert after(ADDED, ClockPutBack(by)).follow_ups[0].at == NOW - by


def test_what_is_left_to_do_is_the_open_ticket_and_the_open_follow_ups() -> None:
    about = after(ADDED, FollowUpAdded(2, "Alert earlier."), FollowUpDone(1))
    assert [one.follow_up for one in open_tasks(about)] == [2]
    ticket = replace(about, ticket_due_at=NOW)
    assert [one.follow_up for one in open_tasks(ticket)] == [0, 2]
    over = replace(ticket, state=IncidentState.CLOSED)
    assert [one.follow_up for one in open_tasks(over)] == [2]


def test_what_is_due_comes_first() -> None:
    later = replace(incident(id=8), ticket_due_at=NOW + timedelta(hours=9))
    sooner = replace(incident(id=9), ticket_due_at=NOW)
    listed = in_order([task_of(after(ADDED), 1), task_of(later), task_of(sooner)])
    assert [one.incident_id for one in listed] == [9, 8, 7]


def test_a_line_says_when_it_is_due_and_where_it_stands() -> None:
    task = task_of(incident(Severity.P2, ticket_due_at=NOW, ticket=TicketState("", TICKET)))
    assert task_line(task, NOW) == (
        "P2 HighErrorRate: checkout in payments (c1) (INC-7); due 01 Mar 03:00 UTC; "
        "https://memory.example/1"
    )
    assert "OVERDUE since 01 Mar 03:00 UTC" in task_line(task, NOW + timedelta(seconds=1))
    assert task_line(task_of(after(ADDED), 1), NOW) == "Add an index. (INC-7, follow-up 1)"
