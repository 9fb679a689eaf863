"""The time, and what Tocsin counts about itself."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The time; tests move theirs."""

    def now(self) -> datetime:
        """The present moment, in UTC with its zone."""
        ...

    def sleep(self, seconds: float) -> None: ...


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
