"""What the pager is told next: every state, level and window against all it was told before."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from bot.domain.classify import Severity
from bot.domain.incident import Incident, IncidentState, PageState, override
from bot.domain.incident_evolution import evolve
from bot.domain.page_events import PageAction
from bot.domain.paging import PageDecision, PageReason, next_page
from tests.support.examples import ANA, NOW, incident

WINDOW = 3
"""The id of a maintenance window that covers the incident."""

SITUATIONS = list(product(IncidentState, Severity, (None, WINDOW)))
PAGES = [
    PageState(action, level, refused)
    for action, level, refused in product(PageAction, Severity, ("", "Invalid routing key"))
]
"""All that the pager can have been told last."""

FOLLOWS = {
    IncidentState.TRIGGERED: PageAction.TRIGGER,
    IncidentState.ACKNOWLEDGED: PageAction.ACKNOWLEDGE,
    IncidentState.MITIGATED: PageAction.ACKNOWLEDGE,
    IncidentState.RESOLVED: PageAction.RESOLVE,
    IncidentState.CLOSED: PageAction.RESOLVE,
}
"""What the pager has to know of each state of an incident that has to page."""


def wanted(state: IncidentState, level: Severity, window: int | None) -> PageAction:
    """What the pager has to know, once there is a page."""
    return FOLLOWS[state] if level.pages and window is None else PageAction.RESOLVE


def told(start: Incident, action: PageAction) -> Incident:
    """The incident once the pager has taken that."""
    return replace(start, page=PageState(action, start.severity))


# Before the first page


@pytest.mark.parametrize(("state", "level", "window"), SITUATIONS)
def test_the_first_page_is_for_what_pages_and_nobody_has(
    state: IncidentState, level: Severity, window: int | None
) -> None:
    decision = next_page(incident(level, state=state, suppressed_by=window))
    if level.pages and state is IncidentState.TRIGGERED and window is None:
        assert decision == PageDecision(PageAction.TRIGGER, PageReason.FIRST_PAGE)
    else:
        assert decision.action is None


@pytest.mark.parametrize(
    ("state", "level", "window", "reason"),
    [
        (IncidentState.TRIGGERED, Severity.P2, None, PageReason.LEVEL_DOES_NOT_PAGE),
        (IncidentState.TRIGGERED, Severity.P2, WINDOW, PageReason.LEVEL_DOES_NOT_PAGE),
        (IncidentState.RESOLVED, Severity.P3, None, PageReason.LEVEL_DOES_NOT_PAGE),
        (IncidentState.ACKNOWLEDGED, Severity.P0, None, PageReason.NOT_PAGED_AND_TAKEN),
        (IncidentState.MITIGATED, Severity.P1, WINDOW, PageReason.NOT_PAGED_AND_TAKEN),
        (IncidentState.RESOLVED, Severity.P0, WINDOW, PageReason.NOT_PAGED_AND_OVER),
        (IncidentState.CLOSED, Severity.P1, None, PageReason.NOT_PAGED_AND_OVER),
        (IncidentState.TRIGGERED, Severity.P0, WINDOW, PageReason.SUPPRESSED),
    ],
)
def test_why_nobody_is_paged(
    state: IncidentState, level: Severity, window: int | None, reason: PageReason
) -> None:
    start = incident(level, state=state, suppressed_by=window)
    assert next_page(start) == PageDecision(None, reason)


# Once there is a page


@pytest.mark.parametrize(("state", "level", "window"), SITUATIONS)
def test_a_page_follows_its_incident(
    state: IncidentState, level: Severity, window: int | None
) -> None:
    action = wanted(state, level, window)
    for page in PAGES:
        decision = next_page(incident(level, state=state, suppressed_by=window, page=page))
        another_level = action is PageAction.TRIGGER and page.severity is not level
        if page.action is not action or another_level:
            assert decision.action is action, page
        else:
            reason = PageReason.REFUSED if page.refused else PageReason.UP_TO_DATE
            assert decision == PageDecision(None, reason), page


@pytest.mark.parametrize(("state", "level", "window"), SITUATIONS)
def test_once_told_there_is_nothing_more_to_tell(
    state: IncidentState, level: Severity, window: int | None
) -> None:
    action = wanted(state, level, window)
    for page in PAGES:
        start = incident(level, state=state, suppressed_by=window, page=page)
        after = next_page(told(start, action))
        assert after == PageDecision(None, PageReason.UP_TO_DATE), page


TRIGGERED = PageState(PageAction.TRIGGER, Severity.P1)


@pytest.mark.parametrize(
    ("changes", "decision"),
    [
        (
            {"state": IncidentState.RESOLVED, "suppressed_by": WINDOW},
            PageDecision(PageAction.RESOLVE, PageReason.RESOLVED_HERE),
        ),
        (
            {"state": IncidentState.ACKNOWLEDGED, "suppressed_by": WINDOW},
            PageDecision(PageAction.RESOLVE, PageReason.SUPPRESSED),
        ),
        ({"suppressed_by": WINDOW}, PageDecision(PageAction.RESOLVE, PageReason.SUPPRESSED)),
        (
            {"state": IncidentState.MITIGATED},
            PageDecision(PageAction.ACKNOWLEDGE, PageReason.ACKNOWLEDGED_HERE),
        ),
        (
            {"page": PageState(PageAction.RESOLVE, Severity.P1)},
            PageDecision(PageAction.TRIGGER, PageReason.REOPENED),
        ),
        (
            {"page": PageState(PageAction.TRIGGER, Severity.P0)},
            PageDecision(PageAction.TRIGGER, PageReason.SEVERITY_CHANGED),
        ),
    ],
)
def test_why_the_pager_is_told_more(changes: dict[str, object], decision: PageDecision) -> None:
    assert next_page(incident(Severity.P1, **{"page": TRIGGERED, **changes})) == decision


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({"state": IncidentState.RESOLVED}, PageAction.RESOLVE),
        ({"suppressed_by": WINDOW}, PageAction.RESOLVE),
        ({"state": IncidentState.ACKNOWLEDGED}, PageAction.ACKNOWLEDGE),
    ],
)
def test_a_page_that_may_have_arrived_is_ended(
    changes: dict[str, object], action: PageAction
) -> None:
    needed_no_more = incident(Severity.P1, **changes)
    assert next_page(needed_no_more).action is None
    assert next_page(needed_no_more, tried=True) == PageDecision(action, PageReason.MAY_STAND)


def test_a_page_that_is_needed_is_tried_again_and_then_left_alone() -> None:
    needed = incident(Severity.P1)
    assert next_page(needed, tried=True) == next_page(needed)
    stands = incident(Severity.P1, page=TRIGGERED)
    assert next_page(stands, tried=True) == PageDecision(None, PageReason.UP_TO_DATE)


# A person sets the level


def set_by_hand(start: Incident, level: Severity) -> Incident:
    for event in override(start, level, "Because."):
        start = evolve(start, event, ANA, NOW)
    return start


def test_what_a_person_lowers_to_a_ticket_ends_its_page_and_raising_it_pages_anew() -> None:
    lowered = set_by_hand(incident(Severity.P1, page=TRIGGERED), Severity.P2)
    assert next_page(lowered) == PageDecision(PageAction.RESOLVE, PageReason.LOWERED)
    raised = set_by_hand(told(lowered, PageAction.RESOLVE), Severity.P1)
    assert next_page(raised) == PageDecision(PageAction.TRIGGER, PageReason.SEVERITY_CHANGED)


def test_a_level_that_a_person_lowers_without_ending_the_page_changes_its_urgency() -> None:
    lowered = set_by_hand(
        incident(Severity.P0, page=PageState(PageAction.TRIGGER, Severity.P0)), Severity.P1
    )
    assert next_page(lowered) == PageDecision(PageAction.TRIGGER, PageReason.SEVERITY_CHANGED)
