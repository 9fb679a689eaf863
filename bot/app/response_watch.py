"""What is measured of how people answer: for those who watch Tocsin from outside."""

from __future__ import annotations

from collections import Counter

from bot.app.incidents import OPEN
from bot.domain.classify import Severity
from bot.domain.response_clock import UNCONFIRMED, confirmation, respond_by
from bot.ports import Gauges, Store

LOOKED_AT = 5_000
"""Open incidents that are looked at, the newest."""


class ResponseWatch:
    """Keeps the gauges of late responses and unconfirmed pages; it changes nothing else."""

    def __init__(self, store: Store, gauges: Gauges) -> None:
        self._store = store
        self._gauges = gauges

    def look(self) -> None:
        """Set all gauges anew, to 0 where there is nothing of that level."""
        with self._store.read() as reader:
            found = reader.incidents(OPEN, LOOKED_AT)
        overdue = Counter(
            one.severity for one in found if one.response.overdue and respond_by(one) is not None
        )
        unconfirmed = Counter(one.severity for one in found if confirmation(one) == UNCONFIRMED)
        for level in Severity:
            self._gauges.gauge("responses_overdue", overdue[level], level.value)
            self._gauges.gauge("pages_unconfirmed", unconfirmed[level], level.value)
