"""The system's clock, and one that is not put back without notice."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock

from bot.domain.clock_step import put_back_by


class SystemClock:
    """`Clock` of the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class HeldClock(SystemClock):
    """`Clock` that goes on when the machine's clock is put back, until it is told to follow.

    So what is written down before is all of the old time, and what comes after of the new
    one, and whoever moves the former can do so at one moment. It follows forward at once.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] | None = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """`wall` is the clock that may be put back; `steady` counts seconds and never is."""
        self._wall = wall or super().now
        self._steady = steady
        self._lock = Lock()
        self._shown, self._shown_at = self._wall(), steady()

    def now(self) -> datetime:
        with self._lock:
            self._look()
            return self._shown

    def held(self) -> timedelta:
        """How far it is ahead of the machine's clock, because that was put back."""
        with self._lock:
            return self._look()

    def went_on(self, seen: datetime) -> None:
        """An earlier process saw this time: a clock that is before it was put back meanwhile."""
        with self._lock:
            self._look()
            self._shown = max(self._shown, seen)

    def follow(self, by: timedelta) -> None:
        """Be put back by so much: what was written down has been moved."""
        with self._lock:
            self._shown -= by

    def _look(self) -> timedelta:
        """Show the machine's time, or what is held ahead of it; by how much."""
        wall, steady = self._wall(), self._steady()
        held = put_back_by(self._shown + timedelta(seconds=steady - self._shown_at), wall)
        self._shown, self._shown_at = wall + held, steady
        return held
