"""What every part of the runner shares: writing a run's events down, and waiting out troubles."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bot.app.record import record_run
from bot.domain.actor import TOCSIN
from bot.domain.errors import TemporaryError
from bot.domain.run import Run
from bot.domain.run_events import RunEvent
from bot.ports import Clock, Store

RETRY_DELAYS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Seconds between the tries of a call whose error is temporary: two minutes in all,
which an API server's restart or a leader election does not exceed."""

T = TypeVar("T")


class RunLog:
    """Writes down what a runner does, on the run as it is then."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def read(self, run_id: int) -> Run:
        with self._store.read() as reader:
            return reader.run(run_id)

    def record(self, run_id: int, event: RunEvent) -> Run:
        """Raises `IllegalTransition` when the run has moved on meanwhile."""
        with self._store.transaction() as tx:
            return record_run(tx, tx.run(run_id), (event,), TOCSIN, self._clock.now())


def retried(clock: Clock, call: Callable[[], T], tell: Callable[[str], None]) -> T:
    """The call's result; temporary errors are waited out, the last one is raised.

    Why it waits is told once for each reason.
    """
    told = ""
    for delay in RETRY_DELAYS:
        try:
            return call()
        except TemporaryError as error:
            if str(error) != told:
                told = str(error)
                tell(told)
            clock.sleep(max(delay, error.retry_after or 0.0))
    return call()
