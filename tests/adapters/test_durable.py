"""Effects as jobs of DBOS: done if and only if they were committed, in their order."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, Lock

import pytest
from sqlalchemy import Connection, Engine, text

from bot.adapters import database
from bot.adapters.durable import APPLICATION_VERSION, WORKERS, DurableQueue, DurableWorker
from bot.adapters.store import SqlStore
from bot.domain.classify import Severity
from bot.domain.effects import (
    AdvanceRun,
    Effect,
    Lane,
    SendAnswer,
    UpdatePage,
    order_key,
)
from bot.domain.message import Message
from tests.support.databases import sqlite_database
from tests.support.waiting import PATIENCE, eventually

PAGE = UpdatePage(1, Severity.P1)
EARLY = SendAnswer("https://hooks.example/1", Message("Done.", body="<!channel> 💥"))
ANSWER = SendAnswer("https://hooks.example/2", Message("Done."))


class Work:
    """What the worker does: writes down each effect; some effects wait for a gate."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._gates: dict[Effect, Event] = {}
        self._under_way: Counter[str] = Counter()
        self.together: Counter[str] = Counter()
        """How many effects of one order key were ever under way at once."""
        self.began: list[Effect] = []
        self.done: list[tuple[Effect, float]] = []
        self.advanced: list[int] = []
        self.steps_of_a_run = 3

    def gate(self, effect: Effect) -> Event:
        """Let that effect last until the gate is opened."""
        return self._gates.setdefault(effect, Event())

    def perform(self, effect: Effect) -> None:
        key = order_key(effect)
        with self._lock:
            self.began.append(effect)
            self._under_way[key] += 1
            self.together[key] = max(self.together[key], self._under_way[key])
            gate = self._gates.get(effect)
        if gate is not None:
            gate.wait(PATIENCE)
        with self._lock:
            self._under_way[key] -= 1
            self.done.append((effect, time.monotonic()))

    def advance(self, run_id: int) -> bool:
        self.advanced.append(run_id)
        return self.advanced.count(run_id) < self.steps_of_a_run

    def performed(self) -> list[Effect]:
        with self._lock:
            return [effect for effect, _ in self.done]


class Installation:
    """A database, and a worker that does what was put into its queues, in `work`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.store = SqlStore(engine, DurableQueue(engine).enqueue)
        self.work = Work()
        self.worker = DurableWorker(engine, "replica-1", self._perform, self._advance)

    def _perform(self, effect: Effect) -> None:
        self.work.perform(effect)

    def _advance(self, run_id: int) -> bool:
        return self.work.advance(run_id)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One for all tests, because a worker takes a second to begin; `EARLY` was there before."""
    engine = database.create(sqlite_database(tmp_path_factory.mktemp("durable")))
    made = Installation(engine)
    commit(made.store, EARLY)
    made.worker.start()
    try:
        yield made
    finally:
        made.worker.stop()
        engine.dispose()


@pytest.fixture
def engine(installation: Installation) -> Engine:
    return installation.engine


@pytest.fixture
def store(installation: Installation) -> SqlStore:
    return installation.store


@pytest.fixture
def work(installation: Installation) -> Work:
    """What the worker does from here on."""
    eventually(lambda: jobs(installation.engine, "ENQUEUED", "PENDING") == 0)
    installation.work = Work()
    return installation.work


def commit(store: SqlStore, *effects: Effect, delay: float = 0.0) -> None:
    with store.transaction() as tx:
        for effect in effects:
            tx.enqueue(effect, delay)


def jobs(engine: Engine, *states: str) -> int:
    """How many jobs there are, of these states or of all."""
    with engine.connect() as connection:
        found = connection.execute(text("SELECT status FROM workflow_status")).scalars()
        return sum(not states or state in states for state in found)


class _Broken(Exception):
    pass


def test_what_was_committed_while_no_worker_ran_is_done_by_the_next_one(
    installation: Installation,
) -> None:
    eventually(lambda: installation.work.performed() == [EARLY])


def test_what_is_committed_is_done_and_what_is_rolled_back_never_was(
    store: SqlStore, work: Work, engine: Engine
) -> None:
    queue = DurableQueue(engine)

    def enqueue_then_break(connection: Connection, effect: Effect, delay: float) -> None:
        queue.enqueue(connection, effect, delay)
        raise _Broken

    before = jobs(engine)
    with pytest.raises(_Broken):
        commit(SqlStore(engine, enqueue_then_break), UpdatePage(13, Severity.P0))
    commit(store, PAGE, ANSWER)
    eventually(lambda: len(work.performed()) == 2)
    assert set(work.performed()) == {PAGE, ANSWER}
    assert jobs(engine) == before + 2


def test_a_delayed_effect_waits(store: SqlStore, work: Work) -> None:
    committed = time.monotonic()
    commit(store, PAGE, delay=1.0)
    commit(store, UpdatePage(2, Severity.P1))
    eventually(lambda: len(work.performed()) == 2)
    moments = dict(work.done)
    assert moments[PAGE] - committed >= 1.0
    assert work.performed()[-1] == PAGE


def test_a_delayed_effect_is_brought_forward_with_a_clock_that_was_put_back(
    installation: Installation, work: Work
) -> None:
    """As a clock that was put back by an hour leaves it: due an hour too late."""
    commit(installation.store, PAGE, delay=3_600.5)
    commit(installation.store, ANSWER, delay=7_200.0)
    installation.worker.bring_forward(timedelta(hours=1))
    eventually(lambda: work.performed() == [PAGE])
    assert jobs(installation.engine, "DELAYED") == 1
    installation.worker.bring_forward(timedelta(hours=1))
    eventually(lambda: work.performed() == [PAGE, ANSWER])


def test_what_concerns_one_incident_is_done_one_after_the_other(
    store: SqlStore, work: Work
) -> None:
    tries = [replace(PAGE, attempt=attempt) for attempt in range(2, 6)]
    first = work.gate(PAGE)
    commit(store, PAGE)
    eventually(lambda: work.began == [PAGE])
    for each in tries:
        commit(store, each)
    commit(store, UpdatePage(2, Severity.P3))
    # Another incident's page overtakes the one that hangs; the same incident's wait.
    eventually(lambda: work.performed() == [UpdatePage(2, Severity.P3)])
    assert work.began == [PAGE, UpdatePage(2, Severity.P3)]
    first.set()
    eventually(lambda: len(work.performed()) == 6)
    # Which of two that came within one millisecond is first, nobody knows.
    assert work.performed()[1] == PAGE
    assert set(work.performed()[2:]) == set(tries)
    assert work.together == {order_key(PAGE): 1, order_key(UpdatePage(2, Severity.P3)): 1}


def test_of_one_incidents_waiting_pages_the_worse_goes_first(store: SqlStore, work: Work) -> None:
    hanging = work.gate(PAGE)
    commit(store, PAGE)
    eventually(lambda: PAGE in work.began)
    mild, bad = UpdatePage(1, Severity.P2, 2), UpdatePage(1, Severity.P1, 2)
    commit(store, mild)
    commit(store, bad)
    hanging.set()
    eventually(lambda: len(work.performed()) == 3)
    assert work.performed() == [PAGE, bad, mild]


def test_pages_that_hang_hold_up_no_p0(store: SqlStore, work: Work) -> None:
    pages = [UpdatePage(number, Severity.P1) for number in range(WORKERS[Lane.PAGING])]
    gates = [work.gate(page) for page in pages]
    commit(store, *pages)
    eventually(lambda: len(work.began) == len(pages))
    worst = UpdatePage(1_000, Severity.P0)
    commit(store, worst)
    eventually(lambda: work.performed() == [worst])
    for gate in gates:
        gate.set()
    eventually(lambda: len(work.performed()) == len(pages) + 1)


def test_chat_that_hangs_holds_up_no_page(store: SqlStore, work: Work) -> None:
    messages = [
        SendAnswer(f"https://hooks.example/{number}", Message("Done."))
        for number in range(2 * WORKERS[Lane.CHAT])
    ]
    gates = [work.gate(message) for message in messages]
    commit(store, *messages)
    eventually(lambda: len(work.began) == WORKERS[Lane.CHAT])
    commit(store, PAGE)
    eventually(lambda: work.performed() == [PAGE])
    for gate in gates:
        gate.set()
    eventually(lambda: len(work.performed()) == len(messages) + 1)


def test_a_run_is_advanced_for_as_long_as_there_is_more_to_do(store: SqlStore, work: Work) -> None:
    commit(store, AdvanceRun(5))
    commit(store, AdvanceRun(6))
    eventually(lambda: len(work.advanced) == 6)
    assert sorted(work.advanced) == [5, 5, 5, 6, 6, 6]
    assert work.performed() == []


def test_what_a_gone_replica_had_begun_is_taken_over_once_and_in_its_queue(
    installation: Installation, work: Work
) -> None:
    """`take_over` uses an internal function of DBOS: this shows when an upgrade changes it."""
    later = replace(PAGE, attempt=2)
    commit(installation.store, PAGE, delay=3600.0)
    begun_by(installation.engine, "replica-2")
    commit(installation.store, later)
    commit(installation.store, UpdatePage(2, Severity.P1))
    eventually(lambda: work.performed() == [UpdatePage(2, Severity.P1)])
    gates = work.gate(PAGE), work.gate(later)
    assert installation.worker.take_over("replica-3") == 0
    assert installation.worker.take_over("replica-2") == 1
    eventually(lambda: len(work.began) == 2)
    assert installation.worker.take_over("replica-2") == 0
    for gate in gates:
        gate.set()
    # Which of the two is first is left open: SQLite's time has whole seconds here.
    eventually(work.performed, lambda done: set(done[1:]) == {PAGE, later})
    assert work.together[order_key(PAGE)] == 1
    assert len(work.began) == 3


def begun_by(engine: Engine, replica: str) -> None:
    """As if that replica had taken the delayed job and died."""
    begin = "UPDATE workflow_status SET status = 'PENDING', executor_id = :replica,"
    begin += " application_version = :version WHERE status = 'DELAYED'"
    with engine.begin() as connection:
        values = {"replica": replica, "version": APPLICATION_VERSION}
        assert connection.execute(text(begin), values).rowcount == 1


def test_finished_jobs_are_forgotten_and_waiting_ones_are_not(
    installation: Installation, work: Work
) -> None:
    commit(installation.store, ANSWER, delay=3600.0)
    commit(installation.store, PAGE)
    eventually(lambda: work.performed() == [PAGE])
    eventually(lambda: jobs(installation.engine, "PENDING") == 0)
    done = jobs(installation.engine, "SUCCESS")
    installation.worker.forget(datetime.now(UTC) - timedelta(hours=1))
    assert jobs(installation.engine, "SUCCESS") == done > 0
    installation.worker.forget(datetime.now(UTC) + timedelta(hours=1))
    assert jobs(installation.engine, "SUCCESS") == 0
    assert jobs(installation.engine) == 1
