"""What can happen to the page of an incident, and to those whom it calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.domain.classify import Severity
from bot.domain.contact import Contact
from bot.domain.escalation_policy import EscalationPlan
from bot.domain.oncall import PagerActionKind


class PageAction(StrEnum):
    """What the pager is told; the verbs of PagerDuty's Events API v2."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class DoneAtPager:
    """Somebody did something at the pager that changes nothing of ours.

    `text` is a note's, the name of a priority, or the names of those whose it is now.
    """

    kind: PagerActionKind
    text: str


@dataclass(frozen=True, slots=True)
class PageSent:
    """The pager accepted this; `severity` is the urgency that it was told."""

    action: PageAction
    severity: Severity


@dataclass(frozen=True, slots=True)
class PageConfirmed:
    """It is known that the page stands at the pager, and from where."""

    by: str


@dataclass(frozen=True, slots=True)
class FallbackUsed:
    """Nobody was known to be reached in time, so this contact was turned to as well.

    `waited` is in seconds, since somebody had to be woken; `failed` says why the contact
    did not take it, empty when it did.
    """

    contact: Contact
    waited: float
    failed: str = ""


@dataclass(frozen=True, slots=True)
class EscalationPlanned:
    """Whom to call when nobody answers, as the policy was when the incident opened."""

    plan: EscalationPlan
    response_times: Mapping[Severity, timedelta]


@dataclass(frozen=True, slots=True)
class Escalated:
    """Nobody had taken it in time, so the next step was done: number `number` at this level.

    `failed` says why the contact did not take it, empty when it did.
    """

    contact: Contact
    level: Severity
    number: int
    failed: str = ""


@dataclass(frozen=True, slots=True)
class StillOnItAsked:
    """Whoever took it had not been heard of for long, and was asked about it."""


@dataclass(frozen=True, slots=True)
class ResponseOverdue:
    """Nobody responded within the response time of its level."""

    level: Severity
    within: timedelta


@dataclass(frozen=True, slots=True)
class SecondPageClosed:
    """The page at the second pager was resolved: somebody has it, or it is over."""


@dataclass(frozen=True, slots=True)
class PageDelayed:
    """The pager could not be reached; the next try is in `retry_in` seconds."""

    action: PageAction
    reason: str
    attempt: int
    retry_in: float


@dataclass(frozen=True, slots=True)
class PageShrunk:
    """The pager could not use the page as it was, and is told its smallest form."""

    reason: str


@dataclass(frozen=True, slots=True)
class PageRefused:
    """The pager will not take this; a person has to look at the configuration."""

    action: PageAction
    reason: str


PageEvent = (
    DoneAtPager
    | PageSent
    | PageConfirmed
    | FallbackUsed
    | EscalationPlanned
    | Escalated
    | StillOnItAsked
    | ResponseOverdue
    | SecondPageClosed
    | PageDelayed
    | PageShrunk
    | PageRefused
)
