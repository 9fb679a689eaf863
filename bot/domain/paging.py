"""What the pager has to be told next, from what the incident is and what it was told.

The decision looks at the present, not at the event that asked for it: so a trigger
that comes late, after a person resolved the incident, is not sent; and nothing is
acknowledged or resolved that was never to be paged. What was refused is not tried
again, but whatever is to be told next is: a page that stands has to be resolved.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.incident import Incident, IncidentState, PageState
from bot.domain.incident_events import PageAction


class PageReason(StrEnum):
    """Why the pager is told something, or is not."""

    FIRST_PAGE = "nobody has been paged yet"
    SEVERITY_RAISED = "the incident has become worse than what was paged"
    REOPENED = "the incident is open again"
    ACKNOWLEDGED_HERE = "a responder acknowledged it"
    RESOLVED_HERE = "the incident is over"
    LEVEL_DOES_NOT_PAGE = "this level opens a ticket and pages nobody"
    NOT_PAGED_AND_TAKEN = "somebody took it before the page went out"
    NOT_PAGED_AND_OVER = "it was over before the page went out"
    UP_TO_DATE = "the pager already knows"
    REFUSED = "the pager refused just this, and would refuse it again"


@dataclass(frozen=True, slots=True)
class PageDecision:
    """What to tell the pager (None: nothing), and why."""

    action: PageAction | None
    reason: PageReason


def next_page(incident: Incident) -> PageDecision:
    """The one thing to tell the pager now."""
    page = incident.page
    if page is None:
        return _first(incident)
    if incident.state.over:
        return _unless(page, PageAction.RESOLVE, PageReason.RESOLVED_HERE)
    if incident.state is IncidentState.TRIGGERED:
        if page.severity is not incident.severity and incident.severity.pages:
            return PageDecision(PageAction.TRIGGER, PageReason.SEVERITY_RAISED)
        return _unless(page, PageAction.TRIGGER, PageReason.REOPENED)
    return _unless(page, PageAction.ACKNOWLEDGE, PageReason.ACKNOWLEDGED_HERE)


def _first(incident: Incident) -> PageDecision:
    if not incident.severity.pages:
        return PageDecision(None, PageReason.LEVEL_DOES_NOT_PAGE)
    if incident.state.over:
        return PageDecision(None, PageReason.NOT_PAGED_AND_OVER)
    if incident.state is not IncidentState.TRIGGERED:
        return PageDecision(None, PageReason.NOT_PAGED_AND_TAKEN)
    return PageDecision(PageAction.TRIGGER, PageReason.FIRST_PAGE)


def _unless(page: PageState, action: PageAction, reason: PageReason) -> PageDecision:
    if page.action is not action:
        return PageDecision(action, reason)
    return PageDecision(None, PageReason.REFUSED if page.refused else PageReason.UP_TO_DATE)
