"""Whether a page has reached somebody, and what to do while that is not known.

The pager's "accepted" (PagerDuty's 202) is no page: it can lose what it accepted, and it
can be out of reach altogether. So from the moment on that somebody has to be woken, a
guard looks again and again until the pager says that the page stands (by its webhook or
when asked), or a person has it. After `CONFIRM_WITHIN`, or at once when the pager refuses,
it goes down the fallback chain, each contact once, and begins again at its top for as long
as nobody answers. Times count from what was done last, so that after an hour's downtime
not all contacts are called in one minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.contact import Contact, PagerRoute, pagerduty
from bot.domain.incident import Calling, Incident, PageState
from bot.domain.incident_events import ClockPutBack
from bot.domain.page_events import FallbackUsed, PageAction
from bot.domain.timeline import Recorded

CONFIRM_WITHIN = timedelta(seconds=90)
"""How long a page may be unconfirmed before the fallback chain is used: PagerDuty's own
webhooks and its REST API tell within seconds, and a response to a P0 is due in minutes."""

NEXT_CONTACT_AFTER = timedelta(seconds=30)
"""How long a contact of the fallback chain has to answer before the next is turned to. One
that did not even take it is not waited for."""

NEXT_ROUND_AFTER = timedelta(minutes=5)
"""How long to wait at the end of the chain before it is gone down again."""

ALL_FAILED_AFTER = timedelta(minutes=1)
"""The same, where no contact has taken it: nobody would be called too often."""

CLOCK_SKEW = timedelta(seconds=60)
"""How far the pager's clock and ours, or those of two replicas, may lie apart. Without it a
page that stands would count as last night's. What lies further ahead of now comes from a clock
that was put back, and is not waited for."""


class GuardReason(StrEnum):
    """Why the guard does what it does."""

    NOBODY_TO_WAKE = "nobody has to be woken"
    CONFIRMED = "the page is known to stand"
    TOO_EARLY = "the page may yet be confirmed"
    UNCONFIRMED = "nothing says that anybody was reached"
    REFUSED = "the pager refused the page"
    NO_FALLBACK = "there is no fallback chain"


@dataclass(frozen=True, slots=True)
class Tried:
    """That a contact of the chain was turned to, when, and whether it did not take it."""

    contact: Contact
    at: datetime
    failed: bool = False


@dataclass(frozen=True, slots=True)
class GuardDecision:
    """What to do now, and why: `contact` is the one of the fallback chain to turn to, if any.

    `due_at` is when the next contact is to be turned to, None where none ever is.
    """

    reason: GuardReason
    contact: Contact | None = None
    due_at: datetime | None = None


def guard(
    incident: Incident, chain: Sequence[Contact], tried: Sequence[Tried], now: datetime
) -> GuardDecision:
    """What to do about the incident at that time.

    The fallback `chain` is in order; `tried` is what was done since somebody has to be woken.
    """
    calling = incident.calling
    if calling is None:
        return GuardDecision(GuardReason.NOBODY_TO_WAKE)
    if calling.confirmed_by:
        return GuardDecision(GuardReason.CONFIRMED)
    if not chain:
        return GuardDecision(GuardReason.NO_FALLBACK)
    contact, since, pause = _next(incident, calling, _reachable_first(calling, chain), tried)
    reason = _reason(incident, calling, tried)
    if since - CLOCK_SKEW <= now < since + pause:
        return GuardDecision(reason, due_at=since + pause)
    late = GuardReason.UNCONFIRMED if reason is GuardReason.TOO_EARLY else reason
    return GuardDecision(late, contact, since + pause)


def tried_since_called(incident: Incident, recorded: Sequence[Recorded]) -> tuple[Tried, ...]:
    """What of the chain was used since somebody has to be woken, from the incident's events."""
    used = incident.calling.contacts_used if incident.calling else 0
    told: list[Tried] = []
    for one in recorded:
        if isinstance(one.event, FallbackUsed):
            told.append(Tried(one.event.contact, one.at, bool(one.event.failed)))
        elif isinstance(one.event, ClockPutBack):
            told = [replace(each, at=each.at - one.event.by) for each in told]
    return tuple(told[len(told) - used :])


def told_since_called(incident: Incident) -> PageState | None:
    """What became of the page since somebody has to be woken: the pager took or refused it."""
    page, calling = incident.page, incident.calling
    if page is None or calling is None or page.action is not PageAction.TRIGGER:
        return None
    return page if page.at is not None and page.at >= calling.since else None


def _reason(incident: Incident, calling: Calling, tried: Sequence[Tried]) -> GuardReason:
    if _refused_at(incident):
        return GuardReason.REFUSED
    return GuardReason.UNCONFIRMED if tried else GuardReason.TOO_EARLY


def _next(
    incident: Incident, calling: Calling, chain: Sequence[Contact], tried: Sequence[Tried]
) -> tuple[Contact, datetime, timedelta]:
    """The next contact, and how long after which moment it is to be turned to."""
    if not tried:
        refused_at = _refused_at(incident)
        wait = timedelta(0) if refused_at else CONFIRM_WITHIN
        return chain[0], refused_at or calling.since, wait
    last, used = tried[-1], _round(chain, tried)
    left = [one for one in chain if one not in {each.contact for each in used}]
    if left:
        return left[0], last.at, timedelta(0) if last.failed else NEXT_CONTACT_AFTER
    nobody = all(each.failed for each in used)
    return chain[0], last.at, ALL_FAILED_AFTER if nobody else NEXT_ROUND_AFTER


def _round(chain: Sequence[Contact], tried: Sequence[Tried]) -> Sequence[Tried]:
    """What was tried in the round that is under way, or has just ended."""
    used: list[Tried] = []
    for one in tried:
        if {each.contact for each in used}.issuperset(chain):
            used = []
        used.append(one)
    return used


def _refused_at(incident: Incident) -> datetime | None:
    page = told_since_called(incident)
    return page.at if page is not None and page.refused else None


def _reachable_first(calling: Calling, chain: Sequence[Contact]) -> Sequence[Contact]:
    """While the pager is out of reach its second key is too, most likely: it comes last."""
    if calling.retry_at is None:
        return chain
    second = pagerduty(PagerRoute.SECONDARY)
    return sorted(chain, key=lambda one: one == second)
