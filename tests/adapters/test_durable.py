"""Effects as jobs of DBOS: done if and only if they were committed, in their order."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Lock

import pytest
from dbos import DBOS
from sqlalchemy import Connection, Engine, text

from bot.adapters import database
from bot.adapters.durable import WORKERS, DurableQueue, DurableWorker
from bot.adapters.store import SqlStore
from bot.domain.classify import Severity
from bot.domain.effects import (
    AdvanceRun,
    Effect,
    Lane,
    SendAnswer,
    UpdateMessage,
    UpdatePage,
    order_key,
)
from bot.domain.message import Message, Subject, SubjectKind
from tests.support.databases import sqlite_database

PATIENCE = 20.0
PAGE = UpdatePage(1, Severity.P1)
MESSAGE = UpdateMessage(Subject(SubjectKind.INCIDENT, 1))


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


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE} s"
        time.sleep(0.02)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = database.create(sqlite_database(tmp_path))
    yield made
    made.dispose()


@pytest.fixture
def store(engine: Engine) -> SqlStore:
    return SqlStore(engine, DurableQueue(engine).enqueue)


@contextmanager
def at_work(engine: Engine, work: Work) -> Iterator[DurableWorker]:
    worker = DurableWorker(engine, "replica-1", work.perform, work.advance)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()
        # Else DBOS warns of the next test's workflows, which have the same names.
        DBOS.destroy(destroy_registry=True)


@pytest.fixture
def work(engine: Engine) -> Iterator[Work]:
    """What a worker on the same database does, which has begun to work."""
    work = Work()
    with at_work(engine, work):
        yield work


def commit(store: SqlStore, *effects: Effect, delay: float = 0.0) -> None:
    with store.transaction() as tx:
        for effect in effects:
            tx.enqueue(effect, delay)


def jobs(engine: Engine) -> int:
    return len(_states(engine))


def finished(engine: Engine) -> int:
    return _states(engine).count("SUCCESS")


def _states(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT status FROM workflow_status")).scalars())


class _Broken(Exception):
    pass


def test_what_is_committed_is_done_and_what_is_rolled_back_never_was(
    store: SqlStore, work: Work, engine: Engine
) -> None:
    queue = DurableQueue(engine)

    def enqueue_then_break(connection: Connection, effect: Effect, delay: float) -> None:
        queue.enqueue(connection, effect, delay)
        raise _Broken

    with pytest.raises(_Broken):
        commit(SqlStore(engine, enqueue_then_break), UpdatePage(13, Severity.P0))
    commit(store, PAGE, MESSAGE)
    eventually(lambda: len(work.performed()) == 2)
    assert set(work.performed()) == {PAGE, MESSAGE}
    assert jobs(engine) == 2


def test_what_was_committed_while_no_worker_ran_is_done_by_the_next_one(
    store: SqlStore, request: pytest.FixtureRequest
) -> None:
    answer = SendAnswer("https://hooks.example/1", Message("Done.", body="<!channel> 💥"))
    commit(store, answer)
    work: Work = request.getfixturevalue("work")
    eventually(lambda: work.performed() == [answer])


def test_a_delayed_effect_waits(store: SqlStore, work: Work) -> None:
    committed = time.monotonic()
    commit(store, PAGE, delay=1.0)
    commit(store, UpdatePage(2, Severity.P1))
    eventually(lambda: len(work.performed()) == 2)
    moments = dict(work.done)
    assert moments[PAGE] - committed >= 1.0
    assert work.performed()[-1] == PAGE


def test_what_concerns_one_incident_is_done_one_after_the_other(
    store: SqlStore, work: Work
) -> None:
    tries = [replace(PAGE, attempt=attempt) for attempt in range(1, 6)]
    first = work.gate(tries[0])
    for each in tries:
        commit(store, each)
    commit(store, UpdatePage(2, Severity.P3))
    # Another incident's page overtakes the one that hangs; the same incident's wait.
    eventually(lambda: work.performed() == [UpdatePage(2, Severity.P3)])
    assert work.began.count(tries[0]) == 1
    assert tries[1] not in work.began
    first.set()
    eventually(lambda: len(work.performed()) == 6)
    # Which of two that came within one millisecond is first, nobody knows.
    assert set(work.performed()[1:]) == set(tries)
    assert work.together == {order_key(PAGE): 1, order_key(UpdatePage(2, Severity.P3)): 1}


def test_of_one_incidents_waiting_pages_the_worse_goes_first(store: SqlStore, work: Work) -> None:
    hanging = work.gate(PAGE)
    commit(store, PAGE)
    eventually(lambda: PAGE in work.began)
    mild, bad = UpdatePage(1, Severity.P1, 2), UpdatePage(1, Severity.P0)
    commit(store, mild)
    commit(store, bad)
    hanging.set()
    eventually(lambda: len(work.performed()) == 3)
    assert work.performed() == [PAGE, bad, mild]


def test_chat_that_hangs_holds_up_no_page(store: SqlStore, work: Work) -> None:
    messages = [
        UpdateMessage(Subject(SubjectKind.INCIDENT, number))
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


def test_finished_jobs_are_forgotten_and_waiting_ones_are_not(
    store: SqlStore, engine: Engine
) -> None:
    with at_work(engine, Work()) as worker:
        commit(store, PAGE)
        commit(store, MESSAGE, delay=3600.0)
        eventually(lambda: finished(engine) == 1)
        worker.forget(datetime.now(UTC) - timedelta(hours=1))
        assert jobs(engine) == 2
        worker.forget(datetime.now(UTC) + timedelta(hours=1))
        assert (jobs(engine), finished(engine)) == (1, 0)
