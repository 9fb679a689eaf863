"""What can be done to an incident, by whom, and how PagerDuty then tells it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox.pagerduty.account import (
    BACKUP_POLICY,
    ON_CALL,
    SECOND_LEVEL,
    integration_reference,
    service_reference,
    user_reference,
)
from bot.sandbox.pagerduty.records import Acknowledgement, Document, Incident, Status


@dataclass(frozen=True, slots=True)
class Agent:
    """Who did something: in a webhook, in the log, and by which way it came."""

    in_webhook: Document
    in_log: Document
    channel: Document

    @property
    def name(self) -> str:
        name: str = self.in_webhook["summary"]
        return name


def person(name: str, channel: str = "website") -> Agent:
    """Somebody in PagerDuty's app."""
    return Agent(user_reference(name), user_reference(name), {"type": channel})


def integration() -> Agent:
    """An event; the log names the service."""
    return Agent(integration_reference(), service_reference(), {"type": "api"})


def timer() -> Agent:
    """PagerDuty itself, because a time ran out."""
    return Agent(service_reference(), service_reference(), {"type": "timeout"})


def person_or_timer(name: str | None) -> Agent:
    """Somebody, or a time that ran out when nobody is named."""
    return timer() if name is None else person(name)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that is done to an incident.

    `verb` names it in the log and (behind ``incident.``) in its webhook, if it has one.
    """

    verb: str
    entry: str
    agent: Agent
    change: Callable[[Incident, datetime], None]
    webhook: bool = True
    reassigns: bool = False
    for_resolved: bool = False
    """Whether it is done to resolved incidents, and to no others."""


def triggered() -> Act:
    """An event opened it."""
    return Act("triggered", "trigger_log_entry", integration(), lambda *_: None)


def acknowledged(agent: Agent, by: str | None) -> Act:
    """Work on it begins; `by` is the person's name, None for an event."""

    def change(incident: Incident, now: datetime) -> None:
        _enter(incident, Status.ACKNOWLEDGED, now)
        incident.acknowledgements.append(Acknowledgement(at=now, by=by))

    return Act("acknowledged", "acknowledge_log_entry", agent, change)


def unacknowledged(agent: Agent) -> Act:
    """Nobody works on it any more."""

    def change(incident: Incident, now: datetime) -> None:
        _enter(incident, Status.TRIGGERED, now)

    return Act("unacknowledged", "unacknowledge_log_entry", agent, change)


def resolved(agent: Agent) -> Act:
    """It is over."""

    def change(incident: Incident, now: datetime) -> None:
        _enter(incident, Status.RESOLVED, now)

    return Act("resolved", "resolve_log_entry", agent, change)


def reopened(agent: Agent) -> Act:
    """It is not over after all, and goes to the first level again."""

    def change(incident: Incident, now: datetime) -> None:
        _enter(incident, Status.TRIGGERED, now)
        incident.assignee = ON_CALL

    return Act("reopened", "trigger_log_entry", agent, change, for_resolved=True)


def reassigned(agent: Agent, to: str) -> Act:
    """It is somebody else's now."""

    def change(incident: Incident, now: datetime) -> None:
        incident.assignee = to

    return Act("reassigned", "assign_log_entry", agent, change, reassigns=True)


def escalated(agent: Agent) -> Act:
    """It is the second level's now."""

    def change(incident: Incident, now: datetime) -> None:
        incident.assignee = SECOND_LEVEL

    return Act("escalated", "escalate_log_entry", agent, change, reassigns=True)


def delegated(agent: Agent) -> Act:
    """It goes by the other escalation policy now."""

    def change(incident: Incident, now: datetime) -> None:
        incident.policy, incident.assignee = BACKUP_POLICY, SECOND_LEVEL

    return Act("delegated", "delegate_log_entry", agent, change, reassigns=True)


def prioritized(agent: Agent, priority: str) -> Act:
    """It has another priority."""

    def change(incident: Incident, now: datetime) -> None:
        incident.priority = priority

    return Act("priority_updated", "priority_change_log_entry", agent, change)


def made_urgent(agent: Agent, urgency: str) -> Act:
    """It has another urgency, of which no webhook tells."""

    def change(incident: Incident, now: datetime) -> None:
        incident.urgency = urgency

    return Act("urgency changed", "urgency_change_log_entry", agent, change, webhook=False)


def _enter(incident: Incident, status: Status, now: datetime) -> None:
    incident.status = status
    incident.changed_at = now
    if status is not Status.ACKNOWLEDGED:
        incident.acknowledgements = []
