"""The tables. Events are the record; the others are projections of them, or links.

A projection's `document` is the whole domain value as JSON (`codec.py`); the columns
beside it are what it is searched by. The schema is made by the migrations in
``migrations/``, which a test holds equal to these classes.
"""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class IncidentRow(SQLModel, table=True):
    """The newest state of an incident."""

    __tablename__ = "incident"
    id: int | None = Field(default=None, primary_key=True)
    group_key: str = Field(index=True)
    dedup_key: str = Field(unique=True)
    state: str = Field(index=True)
    document: str


class EventRow(SQLModel, table=True):
    """One thing that happened; never changed, never removed."""

    __tablename__ = "event"
    id: int | None = Field(default=None, primary_key=True)
    at: str
    incident_id: int | None = Field(default=None, index=True)
    run_id: int | None = Field(default=None, index=True)
    kind: str
    actor: str
    document: str


class AlertRow(SQLModel, table=True):
    """The last that is known of an alert, by its key (`store/alerts.py`)."""

    __tablename__ = "alert"
    # Answers how many of an incident fire, and which fire at all, without reading the rows.
    __table_args__ = (Index("ix_alert_status_incident_id", "status", "incident_id"),)
    key: str = Field(primary_key=True)
    incident_id: int | None = Field(default=None, index=True)
    status: str
    starts_at: str = Field(index=True)
    document: str


class RunRow(SQLModel, table=True):
    """The newest state of a run, with the text of the runbook that it runs."""

    __tablename__ = "run"
    id: int | None = Field(default=None, primary_key=True)
    incident_id: int | None = Field(default=None, index=True)
    state: str = Field(index=True)
    document: str


class PagerIncidentRow(SQLModel, table=True):
    """That the pager's incident holds the page of ours; the newest decision taken there."""

    __tablename__ = "pager_incident"
    pager_id: str = Field(primary_key=True)
    incident_id: int = Field(primary_key=True, index=True)
    decided_at: str = ""


class UnknownPagerEventRow(SQLModel, table=True):
    """An event of the pager of a type that nobody here knows, as it came."""

    __tablename__ = "unknown_pager_event"
    event_id: str = Field(primary_key=True)
    event_type: str
    body: str
    at: str = Field(index=True)


class PageTestRow(SQLModel, table=True):
    """A test of the way of a page."""

    __tablename__ = "page_test"
    id: int | None = Field(default=None, primary_key=True)
    document: str


class TicketRow(SQLModel, table=True):
    """An incident with tickets, its own or its follow-ups', and whether all of them are done.

    `due_at` is by when somebody must respond; empty: it pages, and has only follow-ups.
    """

    __tablename__ = "ticket"
    incident_id: int = Field(primary_key=True)
    title: str
    severity: str
    due_at: str
    done: bool = False


class MessageRow(SQLModel, table=True):
    """Where the chat message about a subject stands (empty until the chat has said so)."""

    __tablename__ = "message"
    subject: str = Field(primary_key=True)
    channel: str
    timestamp: str
    digest: str


class WaitingRow(SQLModel, table=True):
    """A place in which an effect waits (`domain/effects.py`), and since when (epoch seconds)."""

    __tablename__ = "waiting"
    place: str = Field(primary_key=True)
    since: float


class SeenRow(SQLModel, table=True):
    """What was worked in already: inbox rows and the pager's event ids."""

    __tablename__ = "seen"
    key: str = Field(primary_key=True)
    at: str


class OccurrenceRow(SQLModel, table=True):
    """An alert that fired, as it was then; what a severity policy is back-tested on."""

    __tablename__ = "occurrence"
    id: int | None = Field(default=None, primary_key=True)
    at: str
    document: str


class AlertGroupRow(SQLModel, table=True):
    """The last that an Alertmanager said of one of its groups."""

    __tablename__ = "alert_group"
    key: str = Field(primary_key=True)
    receiver: str = Field(index=True)
    document: str


class RelationRow(SQLModel, table=True):
    """An incident that may absorb others or be absorbed, by the labels that it shares."""

    __tablename__ = "relation"
    place: str = Field(primary_key=True)
    key: str = Field(index=True)
    role: str
    incident_id: int
    at: str


class WindowRow(SQLModel, table=True):
    """A maintenance window."""

    __tablename__ = "maintenance_window"
    id: int | None = Field(default=None, primary_key=True)
    starts_at: str
    ends_at: str = Field(index=True)
    document: str


class HiddenRow(SQLModel, table=True):
    """That a maintenance window covered an incident at some time."""

    __tablename__ = "hidden"
    window_id: int = Field(primary_key=True)
    incident_id: int = Field(primary_key=True)


class BeatRow(SQLModel, table=True):
    """The last beat of a dead man's switch."""

    __tablename__ = "beat"
    key: str = Field(primary_key=True)
    document: str


class PolicyRow(SQLModel, table=True):
    """A policy file that was in use, by the SHA-256 of its bytes; `at` is when last taken in."""

    __tablename__ = "policy"
    digest: str = Field(primary_key=True)
    name: str
    text: str
    at: str


class ChatGroupMemberRow(SQLModel, table=True):
    """That somebody is in one of the chat's user groups."""

    __tablename__ = "chat_group_member"
    handle: str = Field(primary_key=True)
    user_id: str = Field(primary_key=True, index=True)


class AttachmentRow(SQLModel, table=True):
    """A file that a step of a run made."""

    __tablename__ = "attachment"
    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(index=True)
    name: str
    media_type: str
    at: str
    content: bytes


class ReplicaRow(SQLModel, table=True):
    """A replica that works on this database, or did; `domain/replicas.py`."""

    __tablename__ = "replica"
    name: str = Field(primary_key=True)
    beat: int
    at: str
    taken_by: str = ""


class AskedOriginRow(SQLModel, table=True):
    """What an Alertmanager calls itself, and the addresses among which it was found."""

    __tablename__ = "asked_origin"
    origin: str = Field(primary_key=True)
    members: str


class DueTimeRow(SQLModel, table=True):
    """When a schedule is due next."""

    __tablename__ = "due_time"
    schedule: str = Field(primary_key=True)
    document: str
