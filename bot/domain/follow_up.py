"""Follow-ups: what is to be done after an incident, so that it does not come back.

They outlive it: an incident can be closed while its follow-ups are open, and they can be
added to one that is over. They are numbered from 1 within their incident.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.domain.errors import InvalidInput, NotFound
from bot.domain.excerpt import one_line
from bot.domain.ticket import TicketState
from bot.domain.ticket_events import FollowUpAdded, FollowUpDone, FollowUpReopened

LONGEST = 1_000
"""Characters of one; a tracker's title takes a quarter of it, its text all."""

MOST = 50
"""Follow-ups of one incident: what would be more is a project, and its own ticket's text."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """One of them; `by` is who asked for it."""

    number: int
    text: str
    by: str
    at: datetime
    done: bool = False
    ticket: TicketState | None = None
    """What a tracker was told; None while it is only on Tocsin's own list."""


def add(known: Sequence[FollowUp], text: str) -> FollowUpAdded:
    """Raises `InvalidInput` for one that is empty, too long or one too many."""
    said = " ".join(text.split())
    if not said:
        raise InvalidInput("The follow-up is empty: say what is to be done.")
    if len(said) > LONGEST:
        raise InvalidInput(f"The follow-up is longer than {LONGEST} characters; split it.")
    if len(known) >= MOST:
        raise InvalidInput(f"It has {MOST} follow-ups, and can’t have more.")
    return FollowUpAdded(len(known) + 1, said)


def finish(known: Sequence[FollowUp], number: int) -> tuple[FollowUpDone, ...]:
    """Nothing for one that is done. Raises `NotFound`."""
    return () if _numbered(known, number).done else (FollowUpDone(number),)


def reopen(known: Sequence[FollowUp], number: int) -> tuple[FollowUpReopened, ...]:
    """Nothing for one that is open. Raises `NotFound`."""
    return (FollowUpReopened(number),) if _numbered(known, number).done else ()


def changed(known: Sequence[FollowUp], number: int, **values: Any) -> tuple[FollowUp, ...]:
    """All of them, after one of them got these values."""
    return tuple(replace(one, **values) if one.number == number else one for one in known)


SHOWN_LENGTH = 80
SHOWN = 5
"""Characters of a follow-up, and follow-ups, where they stand beside much else."""


def follow_ups_left(known: Sequence[FollowUp]) -> str:
    """Those that are to be done, in a few words each; and how many are done."""
    left = [one for one in known if not one.done]
    parts = [_shown(one) for one in left[:SHOWN]]
    if len(left) > SHOWN:
        parts.append(f"and {len(left) - SHOWN} more")
    if len(left) < len(known):
        parts.append(f"{len(known) - len(left)} done")
    return "; ".join(parts)


def _shown(one: FollowUp) -> str:
    said = f"{one.number}: {one_line(one.text, SHOWN_LENGTH)}"
    return f"{said} {one.ticket.standing}" if one.ticket else said


def _numbered(known: Sequence[FollowUp], number: int) -> FollowUp:
    if not 1 <= number <= len(known):
        has = f"its follow-ups are 1 to {len(known)}" if known else "it has none"
        raise NotFound(f"There is no follow-up {number}: {has}.")
    return known[number - 1]
