"""Alertmanager, where it is asked rather than heard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.matcher import Matcher
from bot.domain.observation import Observation


class AlertSource(Protocol):
    """The Alertmanagers that deliver here: a pair's members, or several that are no pair."""

    def alerts(self) -> Observation:
        """All that any member holds, and which members answered; raises if none did."""
        ...

    def silence(
        self,
        matchers: Sequence[Matcher],
        starts_at: datetime,
        ends_at: datetime,
        created_by: str,
        comment: str,
    ) -> str:
        """Silence what all matchers match, on every member; returns the silence's id.

        Safe to repeat: a silence that is there already is not made again.
        """
        ...

    def expire_silence(self, silence_id: str) -> None:
        """End a silence; one that has ended or is gone is no error."""
        ...
