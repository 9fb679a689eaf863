"""Incidents in PagerDuty's REST API, of which only what is used is looked at.

Their fields: https://developer.pagerduty.com/api-reference.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import AwareDatetime, BaseModel

from bot.domain.oncall import (
    Acknowledgement,
    PagerAction,
    PagerActionKind,
    PagerIncident,
    PagerStatus,
    Person,
    Urgency,
)


class ReferenceDocument(BaseModel):
    """A reference to an object, or (where ``include[]`` asked for it) the object itself."""

    id: str = ""
    type: str = ""
    summary: str | None = None
    name: str | None = None
    email: str | None = None
    html_url: str | None = None
    role: str | None = None
    """Of a user."""

    @property
    def title(self) -> str:
        return self.name or self.summary or ""

    def person(self) -> Person | None:
        """The user that it is, if it is one."""
        if self.type not in ("user", "user_reference"):
            return None
        return Person(self.id, self.title, self.email or "", self.html_url or "")


def people(references: Iterable[ReferenceDocument]) -> tuple[Person, ...]:
    """Those that are users."""
    return tuple(person for one in references if (person := one.person()))


class _AssignmentDocument(BaseModel):
    assignee: ReferenceDocument


class _AcknowledgementDocument(BaseModel):
    at: AwareDatetime
    acknowledger: ReferenceDocument


class IncidentDocument(BaseModel):
    """An incident. `incident_key` is there only where the service creates no alerts."""

    id: str
    status: PagerStatus
    urgency: Urgency
    created_at: AwareDatetime
    last_status_change_at: AwareDatetime
    incident_key: str | None = None
    html_url: str | None = None
    service: ReferenceDocument = ReferenceDocument()
    escalation_policy: ReferenceDocument = ReferenceDocument()
    assignments: list[_AssignmentDocument] = []
    acknowledgements: list[_AcknowledgementDocument] = []

    def value(self) -> PagerIncident:
        return PagerIncident(
            id=self.id,
            status=self.status,
            html_url=self.html_url or "",
            urgency=self.urgency,
            service_id=self.service.id,
            escalation_policy_id=self.escalation_policy.id,
            created_at=self.created_at,
            last_status_change_at=self.last_status_change_at,
            assignees=people(one.assignee for one in self.assignments),
            acknowledgements=tuple(
                Acknowledgement(one.acknowledger.person(), one.at) for one in self.acknowledgements
            ),
        )


class AlertDocument(BaseModel):
    """An alert; its key is the events' ``dedup_key``."""

    alert_key: str | None = None


class NoteDocument(BaseModel):
    """A note on an incident."""

    id: str
    content: str = ""
    created_at: AwareDatetime
    user: ReferenceDocument | None = None

    def value(self, incident_id: str) -> PagerAction | None:
        """As what a person did; None for a note by a service or a rule."""
        person = self.user and self.user.person()
        if not person:
            return None
        kind = PagerActionKind.NOTE
        return PagerAction(self.id, incident_id, kind, self.created_at, person, self.content)


_KINDS = {
    "acknowledge_log_entry": PagerActionKind.ACKNOWLEDGED,
    "acknowledgement_log_entry": PagerActionKind.ACKNOWLEDGED,
    "unacknowledge_log_entry": PagerActionKind.UNACKNOWLEDGED,
    "assign_log_entry": PagerActionKind.REASSIGNED,
    "escalate_log_entry": PagerActionKind.ESCALATED,
    "delegate_log_entry": PagerActionKind.DELEGATED,
    "priority_change_log_entry": PagerActionKind.PRIORITY,
    "resolve_log_entry": PagerActionKind.RESOLVED,
    "trigger_log_entry": PagerActionKind.REOPENED,
}
"""Ours are triggered by an integration: what a person triggers again is reopened. PagerDuty's
description has two names for an acknowledgement, and none for the change of a priority,
which is in its answers."""


class _ChannelDocument(BaseModel):
    type: str = ""


class LogEntryDocument(BaseModel):
    """A line of an incident's log. `agent` did it; `channel` is the way that it came."""

    id: str
    type: str
    created_at: AwareDatetime
    summary: str | None = None
    agent: ReferenceDocument | None = None
    channel: _ChannelDocument | None = None
    assignees: list[ReferenceDocument] | None = None

    def value(self, incident_id: str) -> PagerAction | None:
        """As what was done; None when no person did it and no time ran out."""
        kind = _KINDS.get(self.type.removesuffix("_reference"))
        person = self.agent.person() if self.agent else None
        timed_out = self.channel is not None and self.channel.type == "timeout"
        if kind is None or not (person or timed_out):
            return None
        return PagerAction(
            id=self.id,
            incident_id=incident_id,
            kind=kind,
            at=self.created_at,
            by=person,
            text=self.summary or "",
            assignees=people(self.assignees or ()),
        )
