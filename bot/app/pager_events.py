"""What people do in the pager (PagerDuty's webhooks), done to the incident as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

from bot.app.record import record_incident
from bot.domain.actor import TOCSIN, Actor, ActorKind
from bot.domain.errors import IllegalTransition, InvalidInput
from bot.domain.incident import Command, Incident, decide
from bot.domain.incident_events import PageConfirmed
from bot.domain.page import PagerEvent
from bot.domain.page_guard import CLOCK_SKEW
from bot.ports import Transaction

COMMANDS: Mapping[str, Command] = {
    "incident.acknowledged": Command.ACKNOWLEDGE,
    "incident.unacknowledged": Command.UNACKNOWLEDGE,
    "incident.resolved": Command.RESOLVE,
    "incident.reopened": Command.REOPEN,
}
"""PagerDuty's event types (webhooks v3) that say what a person decided."""


TRIGGERED = "incident.triggered"
"""PagerDuty has opened an incident for a page; who paged is told of it as well."""

BY_WEBHOOK = "by PagerDuty’s webhook"
"""How a page was confirmed that PagerDuty told of."""


class PagerEventReason(StrEnum):
    """What became of an event, for the counters."""

    APPLIED = "applied"
    REPEATED = "repeated"
    UNREADABLE = "unreadable"
    OTHER_TYPE = "other_type"
    NOT_OURS = "not_ours"
    ALREADY_SO = "already_so"
    ECHO = "echo"
    """What we told the pager ourselves; by now it may be true no longer."""


class PagerEvents:
    """Applies the pager's events; each event id once."""

    def __init__(self, parse: Callable[[bytes], PagerEvent | None]) -> None:
        self._parse = parse

    def apply(self, tx: Transaction, body: bytes, now: datetime) -> PagerEventReason:
        """Do to our incident what a person did in the pager."""
        try:
            event = self._parse(body)
        except InvalidInput:
            return PagerEventReason.UNREADABLE
        if event is None or event.event_type not in (*COMMANDS, TRIGGERED):
            return PagerEventReason.OTHER_TYPE
        if event.by_integration and event.event_type != TRIGGERED:
            return PagerEventReason.ECHO
        if not tx.first_time(f"pagerduty:{event.event_id}", now):
            return PagerEventReason.REPEATED
        incident = tx.incident_of_page(event.dedup_key)
        if incident is None:
            return PagerEventReason.NOT_OURS
        if event.event_type == TRIGGERED:
            return _confirm(tx, incident, event, now)
        try:
            events = decide(incident, COMMANDS[event.event_type])
        except IllegalTransition:
            return PagerEventReason.ALREADY_SO
        record_incident(tx, incident, events, _actor(event), now)
        return PagerEventReason.APPLIED


def _confirm(
    tx: Transaction, incident: Incident, event: PagerEvent, now: datetime
) -> PagerEventReason:
    """The pager has opened its incident: the page stands, if it is the one that is needed now."""
    calling = incident.calling
    if calling is None or calling.confirmed_by or event.occurred_at < calling.since - CLOCK_SKEW:
        return PagerEventReason.ALREADY_SO
    record_incident(tx, incident, (PageConfirmed(BY_WEBHOOK),), TOCSIN, now)
    return PagerEventReason.APPLIED


def _actor(event: PagerEvent) -> Actor:
    return Actor(
        ActorKind.PAGERDUTY, event.actor_id or "pagerduty", event.actor_name or "PagerDuty"
    )
