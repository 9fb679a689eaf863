"""What the stand-in remembers of an incident; all of it can be dumped as JSON."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

Document = dict[str, Any]

SEVERITIES = ("info", "warning", "error", "critical")
"""From the mildest."""


class Status(StrEnum):
    """What state an incident is in."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class LogLine(BaseModel):
    """One line of an incident's log, as a person reads it."""

    at: datetime
    text: str


class LogEntry(BaseModel):
    """One entry of an incident's log, as the REST API gives it."""

    id: str
    type: str
    at: datetime
    summary: str
    agent: Document
    channel: Document
    assignees: list[str] = []


class Note(BaseModel):
    """What somebody wrote on an incident."""

    id: str
    at: datetime
    by: str
    text: str


class Acknowledgement(BaseModel):
    """That someone works on an incident; `by` is None when an event said so."""

    at: datetime
    by: str | None


class Incident(BaseModel):
    """An incident with its one alert. Its title stays; a repeated trigger changes the alert."""

    id: str
    number: int
    routing_key: str
    dedup_key: str
    title: str
    alert_summary: str
    severity: str
    client: str | None
    client_url: str | None
    details: Document
    triggered_at: datetime
    changed_at: datetime
    urgency: str
    assignee: str
    policy: str
    """The escalation policy's id."""
    priority: str | None = None
    status: Status = Status.TRIGGERED
    acknowledgements: list[Acknowledgement] = []
    log: list[LogLine] = []
    entries: list[LogEntry] = []
    notes: list[Note] = []

    def repeat(self, summary: str, severity: str) -> None:
        """Take over what a repeated trigger says.

        Severity and urgency only rise
        (https://support.pagerduty.com/main/docs/dynamic-notifications).
        """
        self.alert_summary = summary
        self.severity = max(self.severity, severity, key=SEVERITIES.index)
        if urgency_of(self.severity) == "high":
            self.urgency = "high"


def urgency_of(severity: str) -> str:
    """As PagerDuty's dynamic notifications have it."""
    return "high" if severity in ("critical", "error") else "low"
