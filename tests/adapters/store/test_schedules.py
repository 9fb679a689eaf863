"""When schedules are due comes back as it was saved, once for each."""

from __future__ import annotations

from dataclasses import replace

from bot.adapters.store import SqlStore
from bot.domain.schedule import DueTime
from tests.support.examples import NOW
from tests.support.stores import LATER

DUE = DueTime("nightly", "30 2 * * * UTC", NOW)


def test_due_times_change_and_are_forgotten(store: SqlStore) -> None:
    other = replace(DUE, schedule="weekly")
    with store.transaction() as tx:
        assert tx.due_times() == []
        tx.save_due_time(other)
        tx.save_due_time(DUE)
        tx.save_due_time(replace(DUE, at=LATER))
    with store.transaction() as tx:
        assert tx.due_times() == [replace(DUE, at=LATER), other]
        tx.forget_due_time("nightly")
        tx.forget_due_time("unknown")
    with store.read() as reader:
        assert reader.due_times() == [other]
