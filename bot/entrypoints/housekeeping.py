"""Housekeeping: forgets what only served to do things once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from bot.ports import Clock

KEPT = timedelta(days=7)
"""How long finished jobs and the keys of what was worked in are kept: far longer than
Alertmanager, PagerDuty or a stopped replica can come back with the same thing, and long
enough to look into last weekend."""

EVERY = 3600.0
"""Seconds between two rounds."""

_log = structlog.get_logger(__name__)


class Housekeeping:
    """Calls every `forget` with the moment before which things may be forgotten."""

    def __init__(self, forget: Sequence[Callable[[datetime], None]], clock: Clock) -> None:
        self._forget = forget
        self._clock = clock

    def round(self) -> None:
        """Forget what is old; one that fails does not keep the others from it."""
        before = self._clock.now() - KEPT
        for forget in self._forget:
            try:
                forget(before)
            except Exception:
                _log.exception("housekeeping failed")
