"""How often a pager may be told something, so that it never refuses for being told too much.

PagerDuty takes about 120 events a minute for a routing key and answers 429 beyond that
(design.md, "Facts about the neighbours"). A bucket holds up to `capacity` tokens and gets
`per_minute` new ones; an event takes one. So no 60 seconds see more than their sum.

Triggers and the others have a bucket each, which share nothing: whatever is resolved at
the end of a storm, a trigger waits for earlier triggers only. 40 triggers at once are more
than the 20 incidents that a storm may open (`domain/storm.py`), each raised once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot.domain.page_events import PageAction


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `capacity` at once, and `per_minute` for as long as it goes on."""

    capacity: int
    per_minute: int


TRIGGERS = Rate(capacity=40, per_minute=45)
OTHERS = Rate(capacity=15, per_minute=20)
"""Acknowledgements and resolutions. All four numbers together are the 120 of a minute."""


_ROUNDING = 1e-6
"""Part of a token: who waited for as long as they were told must not be told to wait again."""


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """`tokens` were in it `at` that moment: seconds of a clock that never goes back."""

    rate: Rate
    tokens: float
    at: float

    def filled(self, now: float) -> TokenBucket:
        """The bucket with what has come in until now."""
        fresh = (now - self.at) * self.rate.per_minute / 60
        return replace(self, tokens=min(self.rate.capacity, self.tokens + fresh), at=now)


@dataclass(frozen=True, slots=True)
class PagerBudget:
    """What a routing key may still be told."""

    triggers: TokenBucket = field(default=TokenBucket(TRIGGERS, TRIGGERS.capacity, 0.0))
    others: TokenBucket = field(default=TokenBucket(OTHERS, OTHERS.capacity, 0.0))


def take(budget: PagerBudget, now: float, action: PageAction) -> tuple[PagerBudget, float]:
    """The budget after the event, and the seconds to wait; with 0 it may be sent now.

    With more, nothing was taken: ask again when they have passed. `now` is in seconds, of a
    clock that never goes back.
    """
    if action is PageAction.TRIGGER:
        bucket, wait = _take(budget.triggers, now)
        return replace(budget, triggers=bucket), wait
    bucket, wait = _take(budget.others, now)
    return replace(budget, others=bucket), wait


def _take(bucket: TokenBucket, now: float) -> tuple[TokenBucket, float]:
    filled = bucket.filled(now)
    if filled.tokens >= 1 - _ROUNDING:
        return replace(filled, tokens=filled.tokens - 1), 0.0
    return filled, (1 - filled.tokens) * 60 / bucket.rate.per_minute
