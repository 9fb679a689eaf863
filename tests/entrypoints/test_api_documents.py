"""What the API shows of incidents and runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.approval import Requirement
from bot.domain.follow_up import FollowUp
from bot.domain.plan import Estimate
from bot.domain.run_events import RunState
from bot.domain.ticket import TicketState
from bot.entrypoints.api_documents import IncidentOut, RunOut
from tests.support.examples import NOW, TICKET, incident, run


def test_follow_ups_are_shown_with_their_tickets() -> None:
    follow_ups = (
        FollowUp(1, "Add an index.", "ana", NOW, True),
        FollowUp(2, "Alert earlier.", "ben", NOW, ticket=TicketState("", TICKET)),
    )
    first, second = IncidentOut.of(incident(follow_ups=follow_ups)).follow_ups
    assert (first.number, first.text, first.by, first.done) == (1, "Add an index.", "ana", True)
    assert first.ticket is None
    assert second.ticket is not None
    assert (second.done, second.ticket.name) == (False, "memory#1")


def test_a_run_that_is_not_planned_has_no_estimate_and_needs_nobody() -> None:
    shown = RunOut.of(run(RunState.PLANNING))
    assert (shown.estimate, shown.approvers, shown.needs) == (None, {}, {})


@pytest.mark.parametrize("usual", [None, timedelta(seconds=40)])
def test_a_plan_says_how_long_it_takes_and_who_could_approve(usual: timedelta | None) -> None:
    planned = run(RunState.AWAITING_APPROVAL)
    assert planned.plan is not None
    minute = timedelta(minutes=1)
    estimate = Estimate(10 * minute, minute, timedelta(0), usual, 3 if usual else 0)
    givers = {"approver": ("ana", "@leads")}
    requirement = Requirement("production", {"approver": 1}, minute, givers)
    plan = replace(planned.plan, estimate=estimate)
    shown = RunOut.of(replace(planned, plan=plan, requirement=requirement))
    assert shown.approvers == {"approver": ["ana", "@leads"]}
    assert shown.estimate is not None
    assert shown.estimate.model_dump() == {
        "usual": 40.0 if usual else None,
        "earlier": 3 if usual else 0,
        "longest": 600.0,
        "soak": 60.0,
        "people": 0.0,
    }
