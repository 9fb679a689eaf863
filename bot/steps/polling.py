"""Looking again and again until something is so, and stays so.

A wait may outlive the process that began it, so its deadline counts from the moment
the step began. What can't be seen for a while (an API server that restarts) is
neither good nor bad: it ends nothing before the deadline, and proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.parameter import seconds
from bot.domain.plan import Limit
from bot.ports import StepContext

INTERVAL = 1.0
"""Seconds between two looks: one or two reads each, which an API server does not notice."""

QUICK = ((3.0, 0.05), (10.0, 0.125))
"""While less than so many seconds have passed, looks are this close: much is over by then, people
wait, and what is noticed late is noticed a small part of the whole wait late."""


class NotReached(PermanentError):
    """What was waited for did not come in time, or can't come any more."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look saw, and a line about it for people; `good` is None when it saw nothing."""

    good: bool | None
    says: str


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, and how long it then has to stay so; durations such as ``30s``."""

    timeout: str
    soak: str = "0s"

    @property
    def limit(self) -> Limit:
        """How long that may be in all: it may become good at the very last moment."""
        soak = timedelta(seconds=seconds(self.soak))
        return Limit(timedelta(seconds=seconds(self.timeout)) + soak, soak)


def watch(context: StepContext, look: Callable[[], Look], patience: Patience) -> Look:
    """Look until it is good and has stayed so; each new line is reported as progress.

    It has to become good before the timeout, counted from `context.marker.at`; the soak
    may end after it, since a soak interrupted by a crash begins anew. A run that is aborted
    ends it at once. Raises `NotReached`.
    """
    deadline = context.marker.at + timedelta(seconds=seconds(patience.timeout))
    soak = timedelta(seconds=seconds(patience.soak))
    begun = context.clock.now()
    good_since: datetime | None = None
    said = ""
    while True:
        seen = _attempt(look)
        if seen.says != said:
            context.progress(seen.says)
            said = seen.says
        now = context.clock.now()
        good_since = _good_since(seen, good_since, now)
        if seen.good and good_since is not None and now - good_since >= soak:
            return seen
        if context.stopped():
            raise NotReached(f"The run is being aborted; {seen.says}.")
        if now >= (deadline if good_since is None else max(deadline, good_since + soak)):
            raise NotReached(f"Not within {patience.timeout}: {seen.says}.")
        context.clock.sleep(_pause((now - begun).total_seconds()))


def _pause(waited: float) -> float:
    """Seconds until the next look, after that many."""
    return next((pause for until, pause in QUICK if waited < until), INTERVAL)


def _attempt(look: Callable[[], Look]) -> Look:
    try:
        return look()
    except TemporaryError as error:
        return Look(None, f"can't look now: {error}")


def _good_since(seen: Look, before: datetime | None, now: datetime) -> datetime | None:
    if seen.good is None:
        return before
    return (before or now) if seen.good else None
