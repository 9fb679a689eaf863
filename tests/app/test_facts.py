"""Facts from a Prometheus that answers, refuses, is dead, or never says a word."""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest

from bot.adapters.prometheus import PrometheusMetrics
from bot.app.facts import MOST_CACHED, PAUSE, PUT_OFF, QUESTIONS_AT_ONCE, FactReader
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.facts import Fact, FactValue
from tests.support.clock import START, FakeClock
from tests.support.waiting import PATIENCE, eventually

READY = Fact("ready", "Share.", 'ready{pod="${pod}"}', timeout=0.5, cache=15)
BURN = Fact("burn", "Budget.", "burn", timeout=0.5, cache=60, fallback=0.0)
POD = {"pod": "a"}
SLACK = 0.5
"""Seconds that a busy machine may add to a wait."""

Samples = Sequence[tuple[Mapping[str, str], float]]


class Scripted:
    """`Metrics` with an answer for each query: a value, samples or an error."""

    def __init__(self, **answers: float | Samples | Exception) -> None:
        self.answers: dict[str, float | Samples | Exception] = {**answers}
        self.asked: list[tuple[str, float]] = []
        self.gate: threading.Event | None = None
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()

    def query(self, expression: str, timeout: float) -> Samples:
        with self._lock:
            self.asked.append((expression, timeout))
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        if self.gate is not None:
            assert self.gate.wait(PATIENCE)
        with self._lock:
            self._at_once -= 1
        answer = self.answers[expression.partition("{")[0]]
        if isinstance(answer, Exception):
            raise answer
        return [({}, answer)] if isinstance(answer, float) else answer


def read(reader: FactReader, *facts: Fact, **labels: str) -> list[FactValue]:
    """The facts of one alert, in their order."""
    found = reader.read({"alert": (facts, labels or POD)})["alert"]
    assert list(found) == [fact.id for fact in facts]
    return list(found.values())


def test_facts_are_measured_under_their_alerts_keys() -> None:
    metrics = Scripted(ready=0.25, burn=2.0)
    reader = FactReader(metrics, FakeClock())
    found = reader.read({"a": ((READY, BURN), POD), "b": ((BURN,), {}), "c": ((), {})})
    burn = FactValue("burn", 2.0, START, "measured")
    assert found == {
        "a": {"ready": FactValue("ready", 0.25, START, "measured"), "burn": burn},
        "b": {"burn": burn},
        "c": {},
    }
    assert sorted(metrics.asked) == [("burn", 0.5), ('ready{pod="a"}', 0.5)]


def test_an_answer_serves_for_its_time() -> None:
    metrics, clock = Scripted(ready=0.25), FakeClock()
    reader = FactReader(metrics, clock)
    read(reader, READY)
    clock.advance(12)
    metrics.answers["ready"] = 0.5
    assert read(reader, READY) == [FactValue("ready", 0.25, START, "cached 12 s ago")]
    clock.advance(3)
    assert read(reader, READY) == [FactValue("ready", 0.5, clock.now(), "measured")]
    assert len(metrics.asked) == 2


def test_the_cache_is_bounded_and_forgets_the_oldest() -> None:
    metrics = Scripted(ready=0.25)
    reader = FactReader(metrics, FakeClock(), budget=60)
    reader.read({n: ((READY,), {"pod": str(n)}) for n in range(MOST_CACHED + 20)})
    metrics.asked.clear()
    reader.read({0: ((READY,), {"pod": str(MOST_CACHED + 19)})})
    assert metrics.asked == []
    reader.read({n: ((READY,), {"pod": str(n)}) for n in range(10)})
    assert len(metrics.asked) == 10


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        ([], "Prometheus has no such series"),
        ([({"a": "1"}, 1.0), ({"a": "2"}, 2.0)], "the query yields 2 values rather than one"),
        (math.nan, "the query yields nan, which compares with nothing"),
        (math.inf, "the query yields inf, which compares with nothing"),
        (PermanentError("Prometheus answered 400: bad"), "Prometheus answered 400: bad"),
        (TemporaryError("Prometheus answered 503: busy"), "Prometheus answered 503"),
        (AssertionError("a mistake in the adapter"), "a mistake in the adapter"),
    ],
)
def test_whatever_goes_wrong_gives_the_fallback_and_says_why(
    answer: Samples | Exception | float, note: str
) -> None:
    metrics = Scripted(ready=answer, burn=answer)
    for fact, said in ((READY, note), (BURN, f"{note}; fallback 0")):
        (value,) = read(FactReader(metrics, FakeClock()), fact)
        assert value == FactValue(fact.id, fact.fallback, START, said, measured=False)


def test_a_label_that_lacks_is_named_and_nothing_asked() -> None:
    metrics = Scripted()
    (value,) = read(FactReader(metrics, FakeClock()), READY, job="x")
    assert value.note == "the alert has no label pod"
    assert value.value is None
    assert metrics.asked == []


def test_without_prometheus_all_facts_are_unknown_or_fall_back() -> None:
    reader = FactReader(None, FakeClock())
    assert not reader.available
    ready, burn = read(reader, READY, BURN)
    assert (ready.value, ready.note) == (None, "no Prometheus is configured")
    assert (burn.value, burn.note) == (0.0, "no Prometheus is configured; fallback 0")


def test_a_bad_query_is_not_asked_again_at_once_and_stops_no_other() -> None:
    metrics = Scripted(ready=PermanentError("Prometheus answered 400"), burn=1.0)
    reader = FactReader(metrics, FakeClock())
    assert [one.value for one in read(reader, READY, BURN)] == [None, 1.0]
    read(reader, READY, BURN)
    assert len(metrics.asked) == 2


def test_after_silence_nothing_is_asked_for_a_while() -> None:
    metrics, clock = Scripted(ready=TemporaryError("Prometheus did not answer: x")), FakeClock()
    reader = FactReader(metrics, clock)
    read(reader, READY)
    clock.advance(PAUSE.total_seconds() - 1)
    (value,) = read(reader, READY)
    assert value.note == "Prometheus did not answer 29 s ago and is asked again later"
    assert len(metrics.asked) == 1
    clock.advance(1)
    metrics.answers["ready"] = 0.25
    assert read(reader, READY)[0].value == 0.25


def test_what_is_cached_still_serves_in_silence() -> None:
    metrics, clock = Scripted(ready=TemporaryError("x"), burn=1.0), FakeClock()
    reader = FactReader(metrics, clock)
    read(reader, BURN)
    assert [one.value for one in read(reader, READY, BURN)] == [None, 1.0]


def test_many_questions_are_asked_at_once_but_not_too_many() -> None:
    metrics = Scripted(ready=0.25)
    metrics.gate = threading.Event()
    reader = FactReader(metrics, FakeClock(), budget=PATIENCE)
    alerts = {n: ((READY,), {"pod": str(n)}) for n in range(3 * QUESTIONS_AT_ONCE)}
    reading = threading.Thread(target=reader.read, args=[alerts])
    reading.start()
    eventually(lambda: len(metrics.asked) == QUESTIONS_AT_ONCE)
    metrics.gate.set()
    reading.join()
    assert metrics.most_at_once == QUESTIONS_AT_ONCE
    assert len(metrics.asked) == 3 * QUESTIONS_AT_ONCE


def test_several_threads_may_read() -> None:
    reader = FactReader(Scripted(ready=0.25), FakeClock())
    found: list[float | None] = []

    def work() -> None:
        for n in range(50):
            found.append(read(reader, READY, pod=str(n % 7))[0].value)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [0.25] * 200


# --- a Prometheus that is dead --------------------------------------------------------


@contextmanager
def closed_port() -> Iterator[str]:
    """An address that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def mute() -> Iterator[str]:
    """A server that accepts every connection and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def trickling() -> Iterator[str]:
    """A server that sends a byte now and then, so that no read of it ever times out."""
    over = threading.Event()

    def talk(connection: socket.socket) -> None:
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not over.wait(0.05):
                connection.sendall(b" ")

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=[connection], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)
            accepting.join()


DEAD = {
    "closed port": (closed_port, "Prometheus did not answer"),
    "mute": (mute, "Prometheus did not answer"),
    "trickling": (trickling, "Prometheus did not answer within 2 s"),
}


@pytest.mark.parametrize("kind", DEAD)
def test_a_dead_prometheus_costs_one_delay_of_two_seconds_at_most(kind: str) -> None:
    server, note = DEAD[kind]
    alerts = {n: ((READY, BURN), {"pod": str(n)}) for n in range(100)}
    with server() as url:
        reader = FactReader(PrometheusMetrics(url), FakeClock())
        began = time.monotonic()
        found = reader.read(alerts)
        assert time.monotonic() - began < 2 + SLACK
        began = time.monotonic()
        again = reader.read(alerts)
        assert time.monotonic() - began < SLACK
    for facts in [*found.values(), *again.values()]:
        assert (facts["ready"].value, facts["burn"].value) == (None, 0.0)
        assert not facts["ready"].measured
        assert facts["ready"].note.startswith(note.partition(" within")[0])
    assert any(facts["ready"].note == note for facts in found.values())


def test_a_fact_has_its_own_timeout() -> None:
    with mute() as url:
        reader = FactReader(PrometheusMetrics(url), FakeClock())
        began = time.monotonic()
        read(reader, READY)
        assert time.monotonic() - began < READY.timeout + SLACK


def test_who_is_not_to_ask_knows_what_is_remembered_and_the_fallbacks() -> None:
    metrics = Scripted(ready=0.25, burn=2.0)
    reader = FactReader(metrics, FakeClock())
    read(reader, READY)
    found = reader.read({"a": ((READY, BURN), POD), "b": ((READY,), {"pod": "b"})}, ask=False)
    assert found["a"]["ready"].value == 0.25
    assert found["a"]["burn"] == FactValue("burn", 0.0, START, f"{PUT_OFF}; fallback 0", False)
    assert found["b"]["ready"] == FactValue("ready", None, START, PUT_OFF, measured=False)
    assert len(metrics.asked) == 1
