"""What the pager has to be told next, from what the incident is and what it was told.

The decision looks at the present, not at the event that asked for it: so a trigger
that comes late, after a person resolved the incident, is not sent; and nothing is
acknowledged or resolved that was never to be paged. What was refused is not tried
again, but whatever is to be told next is: a page that stands has to be resolved. And what
failed may have arrived: whoever took or ended the incident meanwhile ends its ringing, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.incident import Incident, IncidentState, PageState
from bot.domain.page_events import PageAction


class PageReason(StrEnum):
    """Why the pager is told something, or is not."""

    FIRST_PAGE = "nobody has been paged yet"
    SEVERITY_CHANGED = "the incident has another level than what was paged"
    REOPENED = "the incident is open again"
    ACKNOWLEDGED_HERE = "a responder acknowledged it"
    RESOLVED_HERE = "the incident is over"
    SUPPRESSED = "a maintenance window covers all that fires"
    LOWERED = "a person lowered it to a level that pages nobody"
    LEVEL_DOES_NOT_PAGE = "this level opens a ticket and pages nobody"
    NOT_PAGED_AND_TAKEN = "somebody took it before the page went out"
    NOT_PAGED_AND_OVER = "it was over before the page went out"
    UP_TO_DATE = "the pager already knows"
    REFUSED = "the pager refused just this, and would refuse it again"
    MAY_STAND = "a try failed that may have arrived, and nobody needs the page any more"


@dataclass(frozen=True, slots=True)
class PageDecision:
    """What to tell the pager (None: nothing), and why."""

    action: PageAction | None
    reason: PageReason


def next_page(incident: Incident, *, tried: bool = False) -> PageDecision:
    """The one thing to tell the pager now; `tried`: after a try that failed.

    Its answer may be all that was lost. Then a page stands of which nothing is written down;
    to end one that does not stand is dropped by the pager, and does no harm.
    """
    decision = _from_what_is_known(incident)
    known = decision.action is not None or decision.reason is PageReason.REFUSED
    if tried and not known and not incident.wakes:
        return PageDecision(_ending(incident), PageReason.MAY_STAND)
    return decision


def _ending(incident: Incident) -> PageAction:
    """What keeps a page about the incident from ringing."""
    over = any(holds for holds, _ in _quieting(incident))
    return PageAction.RESOLVE if over else PageAction.ACKNOWLEDGE


def _from_what_is_known(incident: Incident) -> PageDecision:
    page = incident.page
    if page is None:
        return _first(incident)
    for holds, reason in _quieting(incident):
        if holds:
            return _unless(page, PageAction.RESOLVE, reason)
    if incident.state is not IncidentState.TRIGGERED:
        return _unless(page, PageAction.ACKNOWLEDGE, PageReason.ACKNOWLEDGED_HERE)
    if page.severity is not incident.severity:
        return PageDecision(PageAction.TRIGGER, PageReason.SEVERITY_CHANGED)
    return _unless(page, PageAction.TRIGGER, PageReason.REOPENED)


def _quieting(incident: Incident) -> tuple[tuple[bool, PageReason], ...]:
    """What ends a page that stands."""
    return (
        (incident.state.over, PageReason.RESOLVED_HERE),
        (incident.suppressed_by is not None, PageReason.SUPPRESSED),
        (not incident.severity.pages, PageReason.LOWERED),
    )


def _first(incident: Incident) -> PageDecision:
    silent = (
        (not incident.severity.pages, PageReason.LEVEL_DOES_NOT_PAGE),
        (incident.state.over, PageReason.NOT_PAGED_AND_OVER),
        (incident.state is not IncidentState.TRIGGERED, PageReason.NOT_PAGED_AND_TAKEN),
        (incident.suppressed_by is not None, PageReason.SUPPRESSED),
    )
    reason = next((reason for holds, reason in silent if holds), None)
    if reason is not None:
        return PageDecision(None, reason)
    return PageDecision(PageAction.TRIGGER, PageReason.FIRST_PAGE)


def _unless(page: PageState, action: PageAction, reason: PageReason) -> PageDecision:
    if page.action is not action:
        return PageDecision(action, reason)
    return PageDecision(None, PageReason.REFUSED if page.refused else PageReason.UP_TO_DATE)
