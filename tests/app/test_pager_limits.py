from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from bot.app.pager_limits import LimitedPager
from bot.domain.classify import Severity
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.page import Page
from bot.domain.token_bucket import OTHERS, TRIGGERS

NOW = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
PAGE = Page("key", "summary", Severity.P0, "source", NOW)


class Ledger:
    """Implements the `Pager` port and keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def trigger(self, page: Page) -> None:
        self.told.append(f"trigger {page.dedup_key}")

    def acknowledge(self, dedup_key: str) -> None:
        self.told.append(f"acknowledge {dedup_key}")

    def resolve(self, dedup_key: str) -> None:
        if dedup_key == "refused":
            raise PermanentError("no such key")
        self.told.append(f"resolve {dedup_key}")


class Seconds:
    """A clock that never goes back."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_what_is_under_the_limit_is_passed_on() -> None:
    ledger = Ledger()
    pager = LimitedPager(ledger, Seconds())
    pager.trigger(PAGE)
    pager.acknowledge("key")
    pager.resolve("key")
    assert ledger.told == ["trigger key", "acknowledge key", "resolve key"]


def test_what_would_be_too_much_is_not_sent_and_says_when_there_is_room() -> None:
    ledger, seconds = Ledger(), Seconds()
    pager = LimitedPager(ledger, seconds)
    for _ in range(OTHERS.capacity):
        pager.resolve("key")
    with pytest.raises(TemporaryError, match="there is room in") as caught:
        pager.acknowledge("key")
    assert len(ledger.told) == OTHERS.capacity
    assert caught.value.retry_after is not None
    seconds.now += caught.value.retry_after
    pager.acknowledge("key")
    assert ledger.told[-1] == "acknowledge key"


def test_a_trigger_goes_out_when_no_resolve_does() -> None:
    pager = LimitedPager(Ledger(), Seconds())
    for _ in range(OTHERS.capacity):
        pager.resolve("key")
    with pytest.raises(TemporaryError):
        pager.resolve("key")
    pager.trigger(PAGE)


def test_what_the_pager_refuses_is_refused() -> None:
    with pytest.raises(PermanentError, match="no such key"):
        LimitedPager(Ledger(), Seconds()).resolve("refused")


def test_many_threads_together_stay_under_the_limit() -> None:
    ledger = Ledger()
    pager = LimitedPager(ledger, Seconds())

    def trigger(_number: int) -> bool:
        try:
            pager.trigger(PAGE)
        except TemporaryError:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        sent = sum(threads.map(trigger, range(400)))
    assert sent == TRIGGERS.capacity == len(ledger.told)
