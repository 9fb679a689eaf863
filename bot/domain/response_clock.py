"""The clocks that run until somebody responds: by when, whether too late, and who is next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.attendance import escalation_state
from bot.domain.contact import Contact, ContactKind, Mention, PagerRoute
from bot.domain.escalation import EscalationAction, due
from bot.domain.incident import Incident, IncidentState
from bot.domain.page_events import PageAction

UNCONFIRMED = "not confirmed yet"
"""What is said of a page that the pager took and nothing has confirmed."""

_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class NextCall:
    """Who is called next when nobody takes the incident, and when at the earliest."""

    at: datetime
    contact: Contact


def respond_by(incident: Incident) -> datetime | None:
    """Until when somebody must respond; None when nobody has to, or somebody has."""
    if incident.suppressed_by is not None:
        return None
    if incident.state is not IncidentState.TRIGGERED or incident.response.first_at is not None:
        return None
    return incident.opened_at + incident.response.times[incident.severity]


def next_call(incident: Incident) -> NextCall | None:
    """The next step of the escalation; None when none is ahead, or somebody has it."""
    plan, state = incident.response.plan, escalation_state(incident)
    at = due(plan, state, _BEFORE_ALL).look_again_at
    if at is None:
        return None
    decision = due(plan, state, at)
    if decision.action is not EscalationAction.CALL or decision.step is None:
        return None
    return NextCall(at, decision.step.contact)


def confirmation(incident: Incident) -> str:
    """Whether it is known that the page stands at the pager; empty while there is none."""
    page, calling = incident.page, incident.calling
    if page is None or calling is None or page.refused or page.action is not PageAction.TRIGGER:
        return ""
    if calling.confirmed_by:
        return f"confirmed {calling.confirmed_by}"
    return UNCONFIRMED


def fallback_used(incident: Incident) -> str:
    """How far the fallback chain was used since somebody has to be woken; empty if it wasn't."""
    calling = incident.calling
    if calling is None or not calling.contacts_used:
        return ""
    turned_to = f"{calling.contacts_used} contact{'s' if calling.contacts_used > 1 else ''} tried"
    return f"fallback: {turned_to}" + ("" if calling.fallback_at else ", none was reached")


_NAMES = {
    PagerRoute.PRIMARY: "PagerDuty",
    PagerRoute.SECONDARY: "PagerDuty’s second key",
    Mention.ON_CALL: "who is on call, in Slack",
    Mention.CHANNEL: "the whole channel in Slack",
    Mention.BY_LEVEL: "who is on call, in Slack (for a P0 the whole channel)",
}


def named(contact: Contact) -> str:
    """The contact as people call it."""
    if contact.kind is ContactKind.NOTIFIER:
        return f"the notifier {contact.name}"
    return next((text for name, text in _NAMES.items() if name == contact.name), str(contact))
