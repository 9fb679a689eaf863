"""A clock that moves only when it is told to, or when somebody sleeps on it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

START = datetime(2025, 3, 1, 3, 0, tzinfo=UTC)


class FakeClock:
    """Implements the `Clock` port. What is scheduled runs when its moment is passed."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self._put = 0.0
        self._start = now
        self._scheduled: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = count()

    def now(self) -> datetime:
        return self._now

    def steady(self) -> float:
        """The seconds that have passed, wherever the clock was put."""
        return (self._now - self._start).total_seconds() - self._put

    def put(self, seconds: float) -> None:
        """Put it forward, or back where that is less than 0; no time passes."""
        by = timedelta(seconds=seconds)
        self._put += seconds
        self._now += by
        self._scheduled = [(moment + by, number, call) for moment, number, call in self._scheduled]

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Call it when that many seconds have passed; at its own moment, not later."""
        moment = self._now + timedelta(seconds=seconds)
        heapq.heappush(self._scheduled, (moment, next(self._order), call))

    def advance(self, seconds: float) -> None:
        until = self._now + timedelta(seconds=seconds)
        while self._scheduled and self._scheduled[0][0] <= until:
            self._now, _, call = heapq.heappop(self._scheduled)
            call()
        self._now = until
