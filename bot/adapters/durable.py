"""Durable work: effects are queue jobs of DBOS, enqueued in the caller's transaction.

A job that was enqueued is done at least once, whatever crashes: DBOS keeps it in the
database, and a worker that starts again takes up what it had begun. Each lane is a
queue; effects with the same order key are one partition of it, and run one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer
from sqlalchemy import BigInteger, Connection, Engine, String, column, table, update

from bot.adapters import codec
from bot.domain.effects import AdvanceRun, Effect, Lane, lane, order_key, priority

APPLICATION = "tocsin"
APPLICATION_VERSION = "1"
"""Pinned: by default DBOS hashes the source, and a new release would then leave the old
release's jobs where they are. Raise it only with a migration of waiting jobs."""

PERFORM, ADVANCE = "perform_effect", "advance_run"
"""The names of the two workflows, as they stand in the database."""

POLLING: Mapping[Lane, float] = {
    Lane.CRITICAL: 0.05,
    Lane.PAGING: 0.1,
    Lane.CHAT: 0.2,
    Lane.RUNS: 0.1,
    Lane.UPKEEP: 1.0,
    Lane.TICKETS: 1.0,
}
"""Seconds between two looks into a queue: a P0's page waits 25 ms on average, another one
twice as long. More often costs processor time while nothing happens."""

WORKERS: Mapping[Lane, int] = {
    Lane.CRITICAL: 16,
    Lane.PAGING: 32,
    Lane.CHAT: 4,
    Lane.RUNS: 16,
    Lane.UPKEEP: 4,
    Lane.TICKETS: 2,
}
"""Jobs at once. A page is one short request; while PagerDuty hangs, each waits for its
timeout, and those that follow must not wait behind it. Chat allows about one message a
second a channel. A run occupies its worker for as long as a rollout takes."""

RECOVERIES = 1_000_000
"""How often a job may be taken up again. DBOS gives up after 100 by default; a machine
that dies over and over is no reason to give up a page."""

FORGOTTEN_AT_ONCE = 200
"""Jobs deleted in one transaction, so that others need not wait long for the write lock."""


_SCHEMA = {"postgresql": "dbos"}
"""The schema in which DBOS keeps its tables; SQLite has none."""


class DurableQueue:
    """Puts effects into the queues. Needs no worker in this process."""

    def __init__(self, engine: Engine) -> None:
        self._client = DBOSClient(
            system_database_engine=engine,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            lazy=True,
        )

    def enqueue(self, connection: Connection, effect: Effect, delay: float) -> None:
        """Part of the connection's transaction: committed and rolled back with it."""
        options: dict[str, Any] = {
            "workflow_name": ADVANCE if isinstance(effect, AdvanceRun) else PERFORM,
            "queue_name": lane(effect).value,
            "queue_partition_key": order_key(effect),
            "priority": priority(effect),
        }
        if delay > 0:
            options["delay_seconds"] = delay
        argument = effect.run_id if isinstance(effect, AdvanceRun) else codec.dump_effect(effect)
        self._client.enqueue_in_transaction(connection, options, argument)  # type: ignore[arg-type]


class DurableWorker:
    """Runs the jobs: `perform` does an effect, `advance` one action of a run.

    `advance` returns whether there is more to do; it goes by the run's record, so a run
    that is taken up again does not start over.
    """

    def __init__(
        self,
        engine: Engine,
        replica: str,
        perform: Callable[[Effect], None],
        advance: Callable[[int], bool],
    ) -> None:
        self._engine = engine
        self._replica = replica
        self._perform = perform
        self._advance = advance

    def start(self) -> None:
        """Take up unfinished jobs and begin to work; the tables must be there."""
        DBOS(
            config={
                "name": APPLICATION,
                "application_version": APPLICATION_VERSION,
                "executor_id": self._replica,
                "system_database_engine": self._engine,
                "serializer": DBOSPortableJSONSerializer(),
                "run_migrations": False,
                "log_level": "WARNING",
            }
        )
        perform, advance = self._perform, self._advance

        @DBOS.workflow(name=PERFORM, max_recovery_attempts=RECOVERIES)
        def perform_effect(data: dict[str, Any]) -> None:
            perform(codec.load_effect(data))

        @DBOS.workflow(name=ADVANCE, max_recovery_attempts=RECOVERIES)
        def advance_run(run_id: int) -> None:
            # Not journalled here: the run's own record says where it stands.
            while advance(run_id):
                pass

        DBOS.launch()
        for queue in Lane:
            DBOS.register_queue(
                queue.value,
                worker_concurrency=WORKERS[queue],
                partition_concurrency=1,
                polling_interval_sec=POLLING[queue],
                on_conflict="always_update",
            )

    def take_over(self, replica: str) -> int:
        """Put back into their queues what another replica had begun; how many jobs.

        It may be repeated, by several workers at once: what one of them has begun since is
        not that replica's any more. If it still works after all, it and another do the same
        at once, so jobs go by the record. Raises DBOS' and the database's own errors.
        """
        # Nothing public does it for one executor and leaves the jobs in their queues.
        return len(DBOS._recover_pending_workflows([replica]))

    def bring_forward(self, by: timedelta) -> None:
        """Have all delayed jobs begin so much sooner: the clock that they go by was put back."""
        # What is public moves one job at a time, and there may be thousands.
        status = column("status", String)
        until = column("delay_until_epoch_ms", BigInteger)
        jobs = table(
            "workflow_status", status, until, schema=_SCHEMA.get(self._engine.dialect.name)
        )
        earlier = update(jobs).values({until: until - by // timedelta(milliseconds=1)})
        with self._engine.begin() as connection:
            connection.execute(earlier.where(status == "DELAYED"))

    def forget(self, before: datetime) -> None:
        """Delete the finished jobs from before that moment, some at a time."""
        while True:
            finished = DBOS.list_workflows(
                status=["SUCCESS", "ERROR"],
                completed_before=before.isoformat(),
                limit=FORGOTTEN_AT_ONCE,
                load_input=False,
                load_output=False,
            )
            if not finished:
                return
            DBOS.delete_workflows([job.workflow_id for job in finished])

    def stop(self) -> None:
        """Stop taking jobs; those under way are taken up by the next worker."""
        DBOS.destroy(workflow_completion_timeout_sec=0)
