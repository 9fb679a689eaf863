"""What a ticket is about: an incident that does not page, or one of an incident's follow-ups.

Only what people read on the ticket is here: the level, the state, who has it, never the
number of alerts, which changes by the second in a storm.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.domain.classify import Severity
from bot.domain.follow_up import FollowUp
from bot.domain.incident import Incident
from bot.domain.ticket import TicketState

LONGEST_SUMMARY = 4_000
"""Characters; with the labels about half of the 32,767 that Jira's description takes, the
least of the trackers."""

FOLLOW_UP_LEVEL = Severity.P3
"""A follow-up wakes nobody, and none is due within hours."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done, and what the tracker was told of it.

    `marker` is the ticket's (see `Ticket`), `since` is when there first was something to
    enter, `over` whether nothing is left to do, `entered` whether it has a ticket at all.
    """

    incident_id: int
    follow_up: int
    """Its number in the incident; 0: it is about the incident."""
    marker: str
    title: str
    facts: tuple[str, ...]
    since: datetime
    severity: Severity
    over: bool
    told: TicketState | None
    entered: bool = True
    due_at: datetime | None = None
    """By when somebody must respond; None: there is no such time."""

    @property
    def digest(self) -> str:
        """What tells two versions of it apart: SHA-256 over what is put on the ticket."""
        says = (self.title, *self.facts)
        return hashlib.sha256(repr(says).encode("utf-8", "replace")).hexdigest()


def task_of(incident: Incident, follow_up: int = 0) -> Task:
    """What the ticket of the incident is about (0), or that of one of its follow-ups."""
    if follow_up:
        return _follow_up(incident, incident.follow_ups[follow_up - 1])
    return Task(
        incident_id=incident.id,
        follow_up=0,
        marker=incident.dedup_key,
        title=f"{incident.severity} {incident.title} ({incident.reference})",
        facts=tuple(_facts(incident)),
        since=incident.opened_at,
        severity=incident.severity,
        over=incident.state.over,
        told=incident.ticket,
        entered=incident.ticket_due_at is not None,
        due_at=incident.ticket_due_at,
    )


def open_tasks(incident: Incident) -> tuple[Task, ...]:
    """What is left to do of it, on whichever list the tickets are."""
    tasks = (task_of(incident, number) for number in range(len(incident.follow_ups) + 1))
    return tuple(task for task in tasks if task.entered and not task.over)


def in_order(tasks: Iterable[Task]) -> tuple[Task, ...]:
    """What is due first, then what has no time, the oldest first."""
    ordered = sorted(tasks, key=lambda task: task.due_at or task.since)
    return tuple(sorted(ordered, key=lambda task: task.due_at is None))


def task_line(task: Task, now: datetime) -> str:
    """A task in one line, for lists."""
    parts = [task.title]
    if task.due_at is not None:
        late = "OVERDUE since" if task.due_at < now else "due"
        parts.append(f"{late} {task.due_at:%d %b %H:%M} UTC")
    if task.told is not None:
        parts.append(task.told.standing)
    return "; ".join(parts)


def _follow_up(incident: Incident, one: FollowUp) -> Task:
    name = f"{incident.reference}, follow-up {one.number}"
    # Hashed: no marker may be a part of another, since some trackers search for words.
    seed = f"{incident.dedup_key}\nfollow-up {one.number}"
    return Task(
        incident_id=incident.id,
        follow_up=one.number,
        marker=f"tocsin-{hashlib.sha256(seed.encode()).hexdigest()[:32]}",
        title=f"{one.text} ({name})",
        facts=(
            one.text,
            "",
            f"Follow-up {one.number} of {incident.reference}: {incident.title}",
            f"State: {'done' if one.done else 'to be done'}",
            f"Asked for by {one.by}, {one.at:%Y-%m-%d %H:%M} UTC",
        ),
        since=one.at,
        severity=FOLLOW_UP_LEVEL,
        over=one.done,
        told=one.ticket,
    )


def _facts(incident: Incident) -> Iterator[str]:
    yield incident.summary[:LONGEST_SUMMARY]
    yield ""
    yield f"Level: {incident.severity} {incident.severity.meaning}"
    if incident.severity.pages:
        yield "It became worse: the on-call engineer is paged, and this ticket stays."
    yield f"State: {_state(incident)}"
    why = incident.classification
    yield f"Why: {why.reason} (rule {why.rule})"
    yield f"Opened: {incident.opened_at:%Y-%m-%d %H:%M:%S} UTC"
    if incident.ticket_due_at is not None:
        yield f"Response due by: {incident.ticket_due_at:%Y-%m-%d %H:%M} UTC"


def _state(incident: Incident) -> str:
    if incident.absorbed_by is not None:
        return f"{incident.state}, part of INC-{incident.absorbed_by}"
    if incident.acknowledged_by is not None and not incident.state.over:
        return f"{incident.state} by {incident.acknowledged_by.name}"
    return incident.state.value
