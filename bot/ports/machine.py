"""The time, and what Tocsin counts about itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The time; tests move theirs."""

    def now(self) -> datetime:
        """The present moment, in UTC with its zone."""
        ...

    def sleep(self, seconds: float) -> None: ...


class SteppedClock(Clock, Protocol):
    """A clock that goes on when the machine's is put back, until it is told to follow."""

    def held(self) -> timedelta:
        """How far it is ahead of the machine's clock; zero unless that was put back."""
        ...

    def went_on(self, seen: datetime) -> None:
        """Go on from there, if the machine's clock is before it."""
        ...

    def follow(self, by: timedelta) -> None:
        """Be put back by so much of what is held."""
        ...


class Gauges(Protocol):
    """What Tocsin measures about itself, as it is now."""

    def gauge(self, name: str, value: float, severity: str) -> None:
        """Set the gauge of that name for that level."""
        ...


class Counters(Protocol):
    """What Tocsin counts about itself."""

    def count(self, name: str, number: int = 1, **labels: str) -> None:
        """Add `number` to the counter of that name with these labels."""
        ...
