"""What an incident needs so that somebody answers, from what is written down about it."""

from __future__ import annotations

from datetime import datetime

from bot.domain.auditing import PageRecord
from bot.domain.escalation import Attention, EscalationState, response_overdue
from bot.domain.incident import Incident, IncidentState
from bot.domain.page_events import ResponseOverdue
from bot.domain.page_guard import told_since_called

_TAKEN = (IncidentState.ACKNOWLEDGED, IncidentState.MITIGATED)


def escalation_state(incident: Incident) -> EscalationState:
    """The incident as its escalation sees it."""
    taken_at = incident.acknowledged_at or incident.response.heard_at
    called_at = incident.calling.since if incident.calling else None
    return EscalationState(
        level=incident.severity,
        attention=_attention(incident),
        since=called_at or taken_at or incident.opened_at,
        done=incident.response.done,
        heard_at=incident.response.heard_at,
        asked_at=incident.response.asked_at,
    )


def _attention(incident: Incident) -> Attention:
    if incident.state.over:
        return Attention.OVER
    if incident.suppressed_by is not None:
        return Attention.SUPPRESSED
    return Attention.TAKEN if incident.state in _TAKEN else Attention.NOBODY


def overdue(incident: Incident, now: datetime) -> tuple[ResponseOverdue, ...]:
    """That nobody has responded in time, if that is so and was not said before.

    The time begins when somebody has to be woken: what a maintenance window hid for hours,
    or was a ticket until now, is not late at once.
    """
    response = incident.response
    quiet = incident.state.over or incident.suppressed_by is not None
    if quiet or response.overdue or response.first_at is not None:
        return ()
    within = response.times[incident.severity]
    since = incident.calling.since if incident.calling else incident.opened_at
    late = response_overdue(since, within, None, now)
    return (ResponseOverdue(incident.severity, within),) if late else ()


def taken_by_pager(incident: Incident) -> bool:
    """Whether the pager has accepted the page that is needed now, and no more is known."""
    page, calling = told_since_called(incident), incident.calling
    unconfirmed = calling is not None and not calling.confirmed_by
    return unconfirmed and page is not None and not page.refused


def leaves_second_page(incident: Incident) -> bool:
    """Whether a page stands at the second pager that nobody needs any more."""
    return incident.second_page and not incident.wakes


def page_record(incident: Incident, fallback_due_at: datetime | None = None) -> PageRecord | None:
    """What is written down about the incident's page; None while nobody has to be woken.

    `fallback_due_at` is when the next contact of the fallback chain is to be turned to.
    """
    calling, page = incident.calling, told_since_called(incident)
    if calling is None:
        return None
    return PageRecord(
        needed_since=calling.since,
        sent_at=page.at if page is not None and not page.refused else None,
        confirmed_at=calling.since if calling.confirmed_by else None,
        fallback_at=calling.fallback_at,
        due_at=fallback_due_at or calling.retry_at,
        refused=page.refused if page is not None else "",
    )
