"""Keeps a pager under the number of events that it takes in a minute."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from bot.domain.errors import TemporaryError
from bot.domain.page import Page
from bot.domain.page_events import PageAction
from bot.domain.token_bucket import PagerBudget, take
from bot.ports import Pager


class LimitedPager:
    """A `Pager` that counts what it passes on to `pager`; one for each routing key.

    May be shared between threads. What would be too much is not sent: it raises
    `TemporaryError` at once, with the seconds after which there is room again, so nobody's
    thread is kept. `seconds` is a clock that never goes back. The count is this process's
    own; of several replicas each has its own, and PagerDuty's 429 is the last word.
    """

    def __init__(self, pager: Pager, seconds: Callable[[], float]) -> None:
        self._pager = pager
        self._seconds = seconds
        self._budget = PagerBudget()
        self._lock = Lock()

    def trigger(self, page: Page) -> None:
        self._take(PageAction.TRIGGER)
        self._pager.trigger(page)

    def acknowledge(self, dedup_key: str) -> None:
        self._take(PageAction.ACKNOWLEDGE)
        self._pager.acknowledge(dedup_key)

    def resolve(self, dedup_key: str) -> None:
        self._take(PageAction.RESOLVE)
        self._pager.resolve(dedup_key)

    def _take(self, action: PageAction) -> None:
        with self._lock:
            self._budget, wait = take(self._budget, self._seconds(), action)
        if wait:
            raise TemporaryError(
                f"PagerDuty takes no more in a minute; there is room in {wait:.1f} s", wait
            )
