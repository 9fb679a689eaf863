"""Whether a page has reached somebody, and what to do while that is not known.

The pager's "accepted" (PagerDuty's 202) is no page: it can lose what it accepted, and it
can be out of reach altogether. So from the moment on that somebody has to be woken, a
guard looks again and again until the pager says that the page stands (by its webhook or
when asked), or a person has it. After `CONFIRM_WITHIN` it goes down the fallback chain, a
route at a time, and begins again at its top for as long as nobody answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.incident import Incident, IncidentState

CONFIRM_WITHIN = timedelta(seconds=90)
"""How long a page may be unconfirmed before the fallback chain is used: PagerDuty's own
webhooks and its REST API tell within seconds, and a response to a P0 is due in minutes."""

ASK_EVERY = timedelta(seconds=15)
"""Between two questions to the pager whether the page stands."""

NEXT_ROUTE_AFTER = timedelta(seconds=30)
"""How long a route of the fallback chain has for somebody to answer before the next is used."""

NEXT_ROUND_AFTER = timedelta(minutes=5)
"""How long to wait at the end of the chain before it is gone down again."""


class GuardReason(StrEnum):
    """Why the guard does what it does."""

    NOBODY_TO_WAKE = "nobody has to be woken"
    CONFIRMED = "the page is known to stand"
    TOO_EARLY = "the page may yet be confirmed"
    UNCONFIRMED = "nothing says that anybody was reached"
    NO_FALLBACK = "there is no fallback chain"


@dataclass(frozen=True, slots=True)
class GuardDecision:
    """What to do now: `route` is the fallback route to use, if any; when to look again."""

    reason: GuardReason
    route: str | None = None
    again_in: timedelta | None = None

    @property
    def asks(self) -> bool:
        """Whether the pager is to be asked if the page stands."""
        return self.reason in (GuardReason.TOO_EARLY, GuardReason.UNCONFIRMED)


def wakes(incident: Incident) -> bool:
    """Whether somebody has to be woken for it now."""
    return (
        incident.state is IncidentState.TRIGGERED
        and incident.severity.pages
        and incident.suppressed_by is None
    )


def guard(incident: Incident, chain: Sequence[str], now: datetime) -> GuardDecision:
    """What the guard does about the incident at that time; `chain` names the routes in order."""
    calling = incident.calling
    if calling is None or not wakes(incident):
        return GuardDecision(GuardReason.NOBODY_TO_WAKE)
    if calling.confirmed_by:
        return GuardDecision(GuardReason.CONFIRMED)
    due = _due(calling.since, calling.routes_used, len(chain))
    if now < due:
        early = GuardReason.UNCONFIRMED if calling.routes_used else GuardReason.TOO_EARLY
        return GuardDecision(early, again_in=min(ASK_EVERY, due - now))
    if not chain:
        return GuardDecision(GuardReason.NO_FALLBACK, again_in=ASK_EVERY)
    route = chain[calling.routes_used % len(chain)]
    return GuardDecision(GuardReason.UNCONFIRMED, route, ASK_EVERY)


def _due(since: datetime, used: int, routes: int) -> datetime:
    """When the next route is to be used."""
    rounds = used // routes if routes else 0
    pause = NEXT_ROUND_AFTER - NEXT_ROUTE_AFTER
    return since + CONFIRM_WITHIN + used * NEXT_ROUTE_AFTER + rounds * pause
