"""What an incident needs so that somebody answers, from what is written down about it."""

from __future__ import annotations

from datetime import datetime

from bot.domain.auditing import PageRecord
from bot.domain.escalation import Attention, EscalationState, response_overdue
from bot.domain.incident import Incident, IncidentState
from bot.domain.incident_events import PageAction, ResponseOverdue

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
    """That nobody has responded in time, if that is so and was not said before."""
    response = incident.response
    quiet = incident.state.over or incident.suppressed_by is not None
    within = response.times[incident.severity]
    if quiet or response.overdue or response.first_at is not None:
        return ()
    if not response_overdue(incident.opened_at, within, None, now):
        return ()
    return (ResponseOverdue(incident.severity, within),)


def page_record(incident: Incident) -> PageRecord | None:
    """What is written down about the incident's page; None while nobody has to be woken."""
    calling, page = incident.calling, incident.page
    if calling is None:
        return None
    sent = page is not None and page.action is PageAction.TRIGGER and not page.refused
    sent_at = page.at if page is not None and sent else None
    return PageRecord(
        needed_since=calling.since,
        sent_at=sent_at if sent_at and sent_at >= calling.since else None,
        confirmed_at=calling.since if calling.confirmed_by else None,
        fallback_at=calling.fallback_at,
        due_at=calling.retry_at,
        refused=page.refused if page is not None else "",
    )
