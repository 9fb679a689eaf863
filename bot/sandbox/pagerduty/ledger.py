"""The ledger: every request that arrived, for the tests that count pages."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from bot.sandbox.pagerduty.records import Document

LEDGER_LENGTH = 100_000
"""Requests that are remembered: enough for a load test, and bounded."""


@dataclass(slots=True)
class Received:
    """One request. `at` is seconds since 1970, `monotonic` the machine's steady clock.

    `status` and `answer` stay None while it is being answered, and for good when the
    answer was lost.
    """

    at: float
    monotonic: float
    method: str
    path: str
    body: Any
    status: int | None = None
    answer: Document | None = None

    @classmethod
    def now(cls, method: str, path: str, body: Any) -> Received:
        """A request that has just arrived."""
        return cls(time.time(), time.monotonic(), method, path, body)
