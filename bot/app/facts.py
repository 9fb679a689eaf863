"""Asks Prometheus for the facts that classification wants, and never waits long for them.

A page must not hang on its explanation: all questions are asked at once, each with its own
timeout and all within one budget. After Prometheus did not answer, it is left alone for a
while, so that a dead one delays one batch of alerts and not every one. What can't be had
is unknown or has its fallback, with a note that says why.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from bot.domain.errors import TemporaryError
from bot.domain.facts import Fact, FactValue
from bot.ports import Clock, Metrics

BUDGET = 2.0
"""Seconds that one reading may take: what a page may be delayed by a dead Prometheus."""

QUESTIONS_AT_ONCE = 8
"""Below the ten connections that the HTTP client keeps open."""

PAUSE = timedelta(seconds=30)
"""How long nothing is asked after Prometheus did not answer."""

MOST_CACHED = 2000
"""Answers that are remembered; the oldest are forgotten first."""

PUT_OFF = "there was no time to ask for it"
"""The note of what is not known because it was not asked for."""

LONGEST_NOTE = 160
"""Characters of an error that a note holds."""

Wanted = tuple[Sequence[Fact], Mapping[str, str]]
"""The facts that are wanted about an alert, and the alert's labels."""

Key = TypeVar("Key")
"""What tells the alerts of one reading apart, such as their fingerprints."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came back for a query at a time: a value, or a note why there is none."""

    value: float | None
    note: str
    at: datetime


class FactReader:
    """Reads facts; may be used by several threads at once."""

    def __init__(self, metrics: Metrics | None, clock: Clock, budget: float = BUDGET) -> None:
        """`metrics` None: no Prometheus is configured; `budget` is in real seconds."""
        self._metrics = metrics
        self._clock = clock
        self._budget = budget
        self._threads = ThreadPoolExecutor(QUESTIONS_AT_ONCE, thread_name_prefix="facts")
        self._lock = threading.Lock()
        self._cache: dict[str, _Answer] = {}
        self._silent_since: datetime | None = None

    @property
    def available(self) -> bool:
        """Whether there is anybody to ask."""
        return self._metrics is not None

    def read(
        self, alerts: Mapping[Key, Wanted], ask: bool = True
    ) -> dict[Key, dict[str, FactValue]]:
        """The wanted facts of each alert by their ids, under the same keys.

        Without `ask` nobody is asked: what is remembered is known.
        """
        questions = {
            fact.filled(labels): fact
            for facts, labels in alerts.values()
            for fact in facts
            if not fact.lacks(labels)
        }
        now = self._clock.now()
        answers = self._remembered(questions, now)
        missing = {query: fact for query, fact in questions.items() if query not in answers}
        answers |= self._asked(missing, now) if ask else _unanswered(missing, PUT_OFF, now)
        return {
            key: {fact.id: _value(fact, labels, answers, now) for fact in facts}
            for key, (facts, labels) in alerts.items()
        }

    def _remembered(self, questions: Mapping[str, Fact], now: datetime) -> dict[str, _Answer]:
        with self._lock:
            return {
                query: self._cache[query]
                for query, fact in questions.items()
                if query in self._cache
                and abs(now - self._cache[query].at) < timedelta(seconds=fact.cache)
            }

    def _asked(self, questions: Mapping[str, Fact], now: datetime) -> dict[str, _Answer]:
        if self._metrics is None:
            return _unanswered(questions, "no Prometheus is configured", now)
        if note := self._pausing(now):
            return _unanswered(questions, note, now)
        running = {
            self._threads.submit(self._ask, self._metrics, query, fact.timeout): query
            for query, fact in questions.items()
        }
        done, late = wait(running, timeout=self._budget)
        answers = {running[one]: one.result() for one in done}
        if late:
            answers |= self._late(late, running, now)
        return answers

    def _late(
        self,
        late: Iterable[Future[_Answer]],
        running: Mapping[Future[_Answer], str],
        now: datetime,
    ) -> dict[str, _Answer]:
        for one in late:
            one.cancel()
        self._fell_silent()
        note = f"Prometheus did not answer within {self._budget:g} s"
        return _unanswered((running[one] for one in late), note, now)

    def _ask(self, metrics: Metrics, query: str, timeout: float) -> _Answer:
        now = self._clock.now()
        if note := self._pausing(now):  # It fell silent while this question waited its turn.
            return _Answer(None, note, now)
        try:
            samples = metrics.query(query, min(timeout, self._budget))
        except TemporaryError as error:
            self._fell_silent()
            # What comes after the colon is for programmers: addresses, classes, the query.
            return _Answer(None, str(error).partition(": ")[0][:LONGEST_NOTE], now)
        except Exception as error:  # Whatever it is, the alert must be classified.
            answer = _Answer(None, str(error)[:LONGEST_NOTE], now)
        else:
            answer = _answer([value for _, value in samples], now)
        self._remember(query, answer)
        return answer

    def _pausing(self, now: datetime) -> str:
        """Why nothing is asked now, or nothing."""
        with self._lock:
            since = self._silent_since
        if since is None or abs(now - since) >= PAUSE:
            return ""
        return f"Prometheus did not answer {_ago(since, now)} and is asked again later"

    def _fell_silent(self) -> None:
        with self._lock:
            self._silent_since = self._clock.now()

    def _remember(self, query: str, answer: _Answer) -> None:
        with self._lock:
            self._cache.pop(query, None)
            self._cache[query] = answer
            if len(self._cache) > MOST_CACHED:
                del self._cache[next(iter(self._cache))]


def _unanswered(queries: Iterable[str], note: str, now: datetime) -> dict[str, _Answer]:
    return {query: _Answer(None, note, now) for query in queries}


def _answer(values: Sequence[float], now: datetime) -> _Answer:
    """A fact is one number; where there are several, none of them is it."""
    if not values:
        return _Answer(None, "Prometheus has no such series", now)
    if len(values) > 1:
        return _Answer(None, f"the query yields {len(values)} values rather than one", now)
    if not math.isfinite(values[0]):
        return _Answer(None, f"the query yields {values[0]}, which compares with nothing", now)
    return _Answer(values[0], "measured", now)


def _value(
    fact: Fact, labels: Mapping[str, str], answers: Mapping[str, _Answer], now: datetime
) -> FactValue:
    lacking = fact.lacks(labels)
    answer = _Answer(None, lacking, now) if lacking else answers[fact.filled(labels)]
    if answer.value is not None:
        note = answer.note if answer.at >= now else f"cached {_ago(answer.at, now)}"
        return FactValue(fact.id, answer.value, answer.at, note)
    fallback = "" if fact.fallback is None else f"; fallback {fact.fallback:g}"
    return FactValue(fact.id, fact.fallback, answer.at, answer.note + fallback, measured=False)


def _ago(then: datetime, now: datetime) -> str:
    return f"{max((now - then).total_seconds(), 0):.0f} s ago"
