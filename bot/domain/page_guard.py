"""Whether a page has reached somebody, and what to do while that is not known.

The pager's "accepted" (PagerDuty's 202) is no page: it can lose what it accepted, and it
can be out of reach altogether. So from the moment on that somebody has to be woken, a
guard looks again and again until the pager says that the page stands (by its webhook or
when asked), or a person has it. After `CONFIRM_WITHIN` it goes down the fallback chain, a
contact at a time, and begins again at its top for as long as nobody answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.contact import Contact
from bot.domain.incident import Incident

CONFIRM_WITHIN = timedelta(seconds=90)
"""How long a page may be unconfirmed before the fallback chain is used: PagerDuty's own
webhooks and its REST API tell within seconds, and a response to a P0 is due in minutes."""

ASK_EVERY = timedelta(seconds=15)
"""Between two questions to the pager whether the page stands."""

NEXT_CONTACT_AFTER = timedelta(seconds=30)
"""How long a contact of the fallback chain has to answer before the next is turned to."""

NEXT_ROUND_AFTER = timedelta(minutes=5)
"""How long to wait at the end of the chain before it is gone down again."""


CLOCK_SKEW = timedelta(seconds=60)
"""How far the pager's clock and ours may lie apart. Without it a page that stands would count
as last night's."""


class GuardReason(StrEnum):
    """Why the guard does what it does."""

    NOBODY_TO_WAKE = "nobody has to be woken"
    CONFIRMED = "the page is known to stand"
    TOO_EARLY = "the page may yet be confirmed"
    UNCONFIRMED = "nothing says that anybody was reached"
    NO_FALLBACK = "there is no fallback chain"


@dataclass(frozen=True, slots=True)
class GuardDecision:
    """What to do now, and why: `contact` is the one of the fallback chain to turn to, if any."""

    reason: GuardReason
    contact: Contact | None = None

    @property
    def asks(self) -> bool:
        """Whether the pager is to be asked if the page stands."""
        return self.reason in (GuardReason.TOO_EARLY, GuardReason.UNCONFIRMED)


def guard(incident: Incident, chain: Sequence[Contact], now: datetime) -> GuardDecision:
    """What to do about the incident at that time; the fallback `chain` is in order."""
    calling = incident.calling
    if calling is None:
        return GuardDecision(GuardReason.NOBODY_TO_WAKE)
    if calling.confirmed_by:
        return GuardDecision(GuardReason.CONFIRMED)
    if now < _due(calling.since, calling.contacts_used, len(chain)):
        used = calling.contacts_used > 0
        return GuardDecision(GuardReason.UNCONFIRMED if used else GuardReason.TOO_EARLY)
    if not chain:
        return GuardDecision(GuardReason.NO_FALLBACK)
    contact = chain[calling.contacts_used % len(chain)]
    return GuardDecision(GuardReason.UNCONFIRMED, contact)


def _due(since: datetime, used: int, contacts: int) -> datetime:
    """When the next contact is to be turned to."""
    rounds = used // contacts if contacts else 0
    pause = NEXT_ROUND_AFTER - NEXT_CONTACT_AFTER
    return since + CONFIRM_WITHIN + used * NEXT_CONTACT_AFTER + rounds * pause
