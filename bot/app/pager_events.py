"""What people do in the pager (PagerDuty's webhooks), done to the incident as well.

Events come at least once and in any order. Each is worked in once, and of two decisions
the one that was taken later stands, in whichever order they are told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from bot.app.incidents import LONGEST_NOTE
from bot.app.pager_notes import is_ours, remember_note
from bot.app.record import record_incident
from bot.domain.actor import TOCSIN, Actor, ActorKind
from bot.domain.effects import MatchPagerEvent
from bot.domain.errors import IllegalTransition, InvalidInput
from bot.domain.incident import Command, Incident, decide
from bot.domain.oncall import PagerActionKind
from bot.domain.page import PagerEvent, UnknownPagerEvent
from bot.domain.page_events import DoneAtPager, PageConfirmed
from bot.domain.page_guard import CLOCK_SKEW
from bot.domain.ticket import is_ticket_key
from bot.ports import Transaction

COMMANDS: Mapping[str, Command] = {
    "incident.acknowledged": Command.ACKNOWLEDGE,
    "incident.unacknowledged": Command.UNACKNOWLEDGE,
    "incident.resolved": Command.RESOLVE,
    "incident.reopened": Command.REOPEN,
}
"""PagerDuty's event types (webhooks v3) that say what a person decided."""

TOLD: Mapping[str, PagerActionKind] = {
    "incident.reassigned": PagerActionKind.REASSIGNED,
    "incident.escalated": PagerActionKind.ESCALATED,
    "incident.delegated": PagerActionKind.DELEGATED,
    "incident.priority_updated": PagerActionKind.PRIORITY,
    "incident.annotated": PagerActionKind.NOTE,
}
"""Those that change nothing of ours, and are a part of the story."""

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
    """Nobody here knows what to do with it; it is kept for a while."""
    NOT_OURS = "not_ours"
    TICKET = "ticket"
    """It is about a ticket that is kept at the pager; what people do to it is theirs."""
    NO_KEY = "no_key"
    """It names no page of ours, and the pager can't be asked."""
    ASKING = "asking"
    """It names no page of ours, and the pager is asked about it."""
    REFUSED = "refused"
    """The pager would not say which page it is about."""
    ALREADY_SO = "already_so"
    STALE = "stale"
    """It was overtaken by what was decided after it."""
    ECHO = "echo"
    """What we told the pager ourselves; by now it may be true no longer."""


class PagerEvents:
    """Takes in the pager's events; each event id once."""

    def __init__(self, parse: Callable[[bytes], PagerEvent], *, can_ask: bool) -> None:
        """`can_ask`: the pager's records can be read, to learn what an event is about."""
        self._parse = parse
        self._can_ask = can_ask

    def apply(self, tx: Transaction, body: bytes, now: datetime) -> PagerEventReason:
        """Do to our incident what a person did in the pager; no vendor is called for it."""
        try:
            event = self._parse(body)
        except InvalidInput:
            return PagerEventReason.UNREADABLE
        if not event.incident_id or event.event_type not in (*COMMANDS, *TOLD, TRIGGERED):
            tx.keep_pager_event(_unknown(event, body, now))
            return PagerEventReason.OTHER_TYPE
        if event.by_integration and event.event_type != TRIGGERED:
            _remember_echo(tx, event)
            return PagerEventReason.ECHO
        if not tx.first_time(f"pagerduty:{event.event_id}", now):
            return PagerEventReason.REPEATED
        incidents = _known(tx, event)
        return apply_event(tx, event, incidents, now) if incidents else self._ask(tx, event)

    def _ask(self, tx: Transaction, event: PagerEvent) -> PagerEventReason:
        """A key that is not ours proves nothing: the pager may have grouped several pages."""
        if self._can_ask:
            tx.enqueue(MatchPagerEvent(event))
            return PagerEventReason.ASKING
        return no_page([event.dedup_key]) if event.dedup_key else PagerEventReason.NO_KEY


def no_page(keys: Sequence[str]) -> PagerEventReason:
    """What becomes of an event about these keys at the pager, of which none is a page of ours."""
    about_ticket = any(map(is_ticket_key, keys))
    return PagerEventReason.TICKET if about_ticket else PagerEventReason.NOT_OURS


KEPT_BYTES = 16 * 1024
"""Of an event that nobody knows: more than PagerDuty's documented ones have."""


def _unknown(event: PagerEvent, body: bytes, now: datetime) -> UnknownPagerEvent:
    text = body[:KEPT_BYTES].decode(errors="replace")
    return UnknownPagerEvent(event.event_id, event.event_type, text, now)


def _known(tx: Transaction, event: PagerEvent) -> Sequence[Incident]:
    """The incidents that the event is about, as far as can be told without asking."""
    matched = tx.incidents_at_pager(event.incident_id)
    by_key = tx.incident_of_page(event.dedup_key) if event.dedup_key else None
    return matched if by_key is None or by_key in matched else [*matched, by_key]


def _remember_echo(tx: Transaction, event: PagerEvent) -> None:
    """What we told the pager overrides what was decided there before it."""
    if event.event_type in COMMANDS:
        for incident in _known(tx, event):
            tx.match_pager(event.incident_id, incident.id, event.occurred_at)


def apply_event(
    tx: Transaction, event: PagerEvent, incidents: Sequence[Incident], now: datetime
) -> PagerEventReason:
    """Apply the event to the incidents (at least one) whose pages the pager's incident holds."""
    for incident in incidents:
        tx.match_pager(event.incident_id, incident.id)
    reasons = [_apply_to(tx, incident, event, now) for incident in incidents]
    applied = PagerEventReason.APPLIED in reasons
    return PagerEventReason.APPLIED if applied else reasons[0]


def _apply_to(
    tx: Transaction, incident: Incident, event: PagerEvent, now: datetime
) -> PagerEventReason:
    if event.event_type == TRIGGERED:
        return _confirm(tx, incident, event, now)
    if event.event_type in TOLD:
        return _tell(tx, incident, event, now)
    return _decide(tx, incident, event, now)


def _confirm(
    tx: Transaction, incident: Incident, event: PagerEvent, now: datetime
) -> PagerEventReason:
    """The pager has opened its incident: the page stands, if it is the one that is needed now."""
    calling = incident.calling
    if calling is None or calling.confirmed_by or _from_before(incident, event):
        return PagerEventReason.ALREADY_SO
    record_incident(tx, incident, (PageConfirmed(BY_WEBHOOK),), TOCSIN, now)
    return PagerEventReason.APPLIED


def _decide(
    tx: Transaction, incident: Incident, event: PagerEvent, now: datetime
) -> PagerEventReason:
    newest = tx.decided_at_pager(incident.id)
    if (newest and event.occurred_at < newest) or _from_before(incident, event):
        return PagerEventReason.STALE
    tx.match_pager(event.incident_id, incident.id, event.occurred_at)
    try:
        events = decide(incident, COMMANDS[event.event_type])
    except IllegalTransition:
        return PagerEventReason.ALREADY_SO
    record_incident(tx, incident, events, _actor(event), now)
    return PagerEventReason.APPLIED


def _tell(
    tx: Transaction, incident: Incident, event: PagerEvent, now: datetime
) -> PagerEventReason:
    kind = TOLD[event.event_type]
    text = event.text
    if kind is PagerActionKind.NOTE:
        if is_ours(tx, incident, text):
            return PagerEventReason.ECHO
        if not remember_note(tx, incident, event.note_id, now):
            return PagerEventReason.REPEATED
    elif kind is not PagerActionKind.PRIORITY:
        text = ", ".join(event.assignees)
    told = DoneAtPager(kind, text[:LONGEST_NOTE])
    record_incident(tx, incident, (told,), _actor(event), now)
    return PagerEventReason.APPLIED


def _from_before(incident: Incident, event: PagerEvent) -> bool:
    """Whether it was about an earlier page: it can't say that this one reached anybody."""
    calling = incident.calling
    return calling is not None and event.occurred_at < calling.since - CLOCK_SKEW


def _actor(event: PagerEvent) -> Actor:
    return Actor(
        ActorKind.PAGERDUTY, event.actor_id or "pagerduty", event.actor_name or "PagerDuty"
    )
