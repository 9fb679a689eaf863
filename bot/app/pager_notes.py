"""Notes that go between the timeline and the pager, and never in circles.

A note has one id in the pager's webhooks, in its records and where it is written. One of
ours may be told by a webhook before its id is known here; it is known by its text then.
"""

from __future__ import annotations

from datetime import datetime

from bot.domain.actor import Actor, ActorKind
from bot.domain.incident import Incident
from bot.domain.incident_events import NoteAdded
from bot.ports import Reader, Transaction


def note_text(incident: Incident, text: str, actor: Actor) -> str:
    """How a note of ours stands at the pager, where it is written in one user's name."""
    return f"{actor.name} ({incident.reference} in Tocsin): {text}".strip()


def reaches_pager(incident: Incident) -> bool:
    """Whether a note can stand at the pager: only where there is a page, or will be one."""
    return incident.severity.pages or incident.page is not None


def is_ours(reader: Reader, incident: Incident, text: str) -> bool:
    """Whether the pager's note is one that was written from here."""
    return any(
        note_text(incident, one.event.text, one.actor) == text.strip()
        for one in reader.recorded(incident_id=incident.id)
        if isinstance(one.event, NoteAdded) and one.actor.kind is not ActorKind.PAGERDUTY
    )


def remember_note(tx: Transaction, incident: Incident, note_id: str, now: datetime) -> bool:
    """Whether the pager's note is new on the incident's timeline; from now on it isn't."""
    return tx.first_time(f"pagerduty-note:{incident.id}:{note_id}", now)
