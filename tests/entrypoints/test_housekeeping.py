"""Housekeeping forgets what is old, and one failure does not stop the rest."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.entrypoints.housekeeping import KEPT, Housekeeping
from tests.support.clock import FakeClock

NOW = datetime(2026, 1, 31, 3, 0, tzinfo=UTC)


def test_a_round_forgets_what_is_older_than_what_is_kept() -> None:
    asked: list[datetime] = []
    Housekeeping([asked.append], FakeClock(NOW)).round()
    assert asked == [NOW - KEPT]


def test_one_that_fails_does_not_keep_the_others_from_it() -> None:
    asked: list[datetime] = []

    def fail(_before: datetime) -> None:
        raise OSError("no disk")

    Housekeeping([fail, asked.append], FakeClock(NOW)).round()
    assert asked == [NOW - KEPT]
