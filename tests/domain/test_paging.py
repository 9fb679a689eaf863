from __future__ import annotations

from itertools import product

import pytest

from bot.domain.classify import Severity
from bot.domain.incident import Incident, IncidentState, PageState
from bot.domain.incident_events import PageAction
from bot.domain.paging import PageDecision, PageReason, next_page
from tests.support.examples import incident

ACTIONS = {
    IncidentState.TRIGGERED: PageAction.TRIGGER,
    IncidentState.ACKNOWLEDGED: PageAction.ACKNOWLEDGE,
    IncidentState.MITIGATED: PageAction.ACKNOWLEDGE,
    IncidentState.RESOLVED: PageAction.RESOLVE,
    IncidentState.CLOSED: PageAction.RESOLVE,
}
"""What the pager has to know of each state once there is a page."""

STATES = list(product(IncidentState, Severity))
PAGED = [
    (state, level, PageState(action, told_level, refused))
    for state, level in STATES
    for action, told_level, refused in product(PageAction, Severity, ("", "Invalid routing key"))
]


def told(start: Incident, action: PageAction) -> Incident:
    """The incident once the pager has taken that."""
    page = PageState(action, start.severity)
    return incident(start.severity, state=start.state, page=page)


@pytest.mark.parametrize(("state", "level"), STATES)
def test_the_first_page_is_for_what_pages_and_nobody_has(
    state: IncidentState, level: Severity
) -> None:
    decision = next_page(incident(level, state=state))
    if level.pages and state is IncidentState.TRIGGERED:
        assert decision == PageDecision(PageAction.TRIGGER, PageReason.FIRST_PAGE)
    else:
        assert decision.action is None


@pytest.mark.parametrize(
    ("state", "level", "reason"),
    [
        (IncidentState.TRIGGERED, Severity.P2, PageReason.LEVEL_DOES_NOT_PAGE),
        (IncidentState.RESOLVED, Severity.P3, PageReason.LEVEL_DOES_NOT_PAGE),
        (IncidentState.ACKNOWLEDGED, Severity.P0, PageReason.NOT_PAGED_AND_TAKEN),
        (IncidentState.MITIGATED, Severity.P1, PageReason.NOT_PAGED_AND_TAKEN),
        (IncidentState.RESOLVED, Severity.P0, PageReason.NOT_PAGED_AND_OVER),
        (IncidentState.CLOSED, Severity.P1, PageReason.NOT_PAGED_AND_OVER),
    ],
)
def test_why_nobody_is_paged(state: IncidentState, level: Severity, reason: PageReason) -> None:
    assert next_page(incident(level, state=state)) == PageDecision(None, reason)


@pytest.mark.parametrize(("state", "level", "page"), PAGED)
def test_a_page_follows_its_incident(
    state: IncidentState, level: Severity, page: PageState
) -> None:
    decision = next_page(incident(level, state=state, page=page))
    raised = state is IncidentState.TRIGGERED and level.pages and page.severity is not level
    if page.action is not ACTIONS[state] or raised:
        assert decision.action is ACTIONS[state]
    else:
        assert decision.action is None
        assert decision.reason is (PageReason.REFUSED if page.refused else PageReason.UP_TO_DATE)


@pytest.mark.parametrize(("state", "level", "page"), PAGED)
def test_once_told_there_is_nothing_more_to_tell(
    state: IncidentState, level: Severity, page: PageState
) -> None:
    start = incident(level, state=state, page=page)
    action = next_page(start).action
    if action is not None:
        assert next_page(told(start, action)) == PageDecision(None, PageReason.UP_TO_DATE)


def test_a_level_that_became_worse_is_told_under_its_own_reason() -> None:
    page = PageState(PageAction.TRIGGER, Severity.P1)
    decision = next_page(incident(Severity.P0, page=page))
    assert decision == PageDecision(PageAction.TRIGGER, PageReason.SEVERITY_CHANGED)
