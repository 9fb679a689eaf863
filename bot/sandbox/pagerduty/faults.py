"""Faults that a test or a curious person asks for."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that is given in place of the work. `retry_after` is in seconds."""

    status: int
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one request."""

    delay: float
    """Seconds before anything else happens."""
    failure: Failure | None
    loses_answer: bool
    """The work is done, and the connection breaks instead of the answer."""


class Faults:
    """The faults that are still to come, each for the next request that it fits."""

    def __init__(self) -> None:
        self._delays: deque[float] = deque()
        self._failures: deque[Failure] = deque()
        self._losses = 0

    def fail(self, failure: Failure, times: int) -> None:
        self._failures.extend([failure] * times)

    def lose_answers(self, count: int) -> None:
        self._losses += count

    def delay(self, seconds: float) -> None:
        self._delays.append(seconds)

    def take(self) -> Fault:
        """The fault of the request that has just arrived."""
        failure = self._failures.popleft() if self._failures else None
        loses_answer = failure is None and self._losses > 0
        self._losses -= loses_answer
        return Fault(self._delays.popleft() if self._delays else 0.0, failure, loses_answer)
