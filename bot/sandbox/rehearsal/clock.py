"""A clock that moves only when somebody sleeps on it, so that ten minutes pass at once."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

CURTAIN = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
"""When every rehearsal begins: the same each time, so that it goes the same way."""


class VirtualClock:
    """Implements the `Clock` port; what is to happen later happens at its own moment."""

    def __init__(self, now: datetime = CURTAIN) -> None:
        self._now = now
        self._later: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = count()

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        until = self._now + timedelta(seconds=seconds)
        while self._later and self._later[0][0] <= until:
            self._now, _, call = heapq.heappop(self._later)
            call()
        self._now = until

    def after(self, span: timedelta, call: Callable[[], None]) -> None:
        """Have it happen when that much time has passed; at once, if that is none."""
        if not span:
            call()
            return
        heapq.heappush(self._later, (self._now + span, next(self._order), call))
