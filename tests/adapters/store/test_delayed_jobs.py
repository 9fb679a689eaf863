"""Delayed jobs in DBOS' own table, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, text

from bot.adapters.durable import DurableQueue, DurableWorker
from bot.adapters.store import SqlStore
from bot.domain.classify import Severity
from bot.domain.effects import UpdatePage

DUE = "SELECT delay_until_epoch_ms FROM {} WHERE status = '{}' ORDER BY 1"


def due(engine: Engine, status: str) -> list[int | None]:
    """When the jobs of that status are due, in milliseconds since 1970."""
    table = "dbos.workflow_status" if engine.dialect.name == "postgresql" else "workflow_status"
    with engine.connect() as connection:
        return list(connection.execute(text(DUE.format(table, status))).scalars())


def test_delayed_jobs_are_brought_forward_and_others_left(engine: Engine) -> None:
    store = SqlStore(engine, DurableQueue(engine).enqueue)
    worker = DurableWorker(engine, "replica-1", lambda _: None, lambda _: False)
    with store.transaction() as tx:
        for number, delay in enumerate((0.0, 60.0, 7_200.0)):
            tx.enqueue(UpdatePage(number, Severity.P1), delay)
    delayed, waiting = due(engine, "DELAYED"), due(engine, "ENQUEUED")
    assert (len(delayed), waiting) == (2, [None])
    worker.bring_forward(timedelta(minutes=10))
    assert due(engine, "DELAYED") == [one and one - 600_000 for one in delayed]
    assert due(engine, "ENQUEUED") == waiting
