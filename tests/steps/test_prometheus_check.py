"""`prometheus.check` on a fake Prometheus and a fake clock."""

from __future__ import annotations

import pytest

from bot.domain.errors import PermanentError, TemporaryError
from tests.support.step_bench import Bench

KIND = "prometheus.check"
QUERY = "sum(up) > 2"


def test_without_a_query_it_is_skipped_and_says_so(bench: Bench) -> None:
    step = bench.step(KIND, query="")
    assert step.plan().summary == "No query was given, so no metric is checked."
    assert step.execute().summary == "Skipped: no query was given."
    assert bench.metrics.asked == []


def test_it_holds_while_the_query_returns_a_sample(bench: Bench) -> None:
    bench.metrics.answers[QUERY] = [({}, 3.0)]
    assert bench.step(KIND, query=QUERY).execute().summary == f"{QUERY} holds (3)."


def test_an_empty_vector_fails_when_the_time_is_over(bench: Bench) -> None:
    bench.metrics.answers[QUERY] = []
    with pytest.raises(PermanentError, match=r"Not within 10s: .* does not hold"):
        bench.step(KIND, query=QUERY, timeout="10s").execute()


def test_a_prometheus_that_restarts_is_waited_for(bench: Bench) -> None:
    bench.metrics.answers[QUERY] = TemporaryError("connection refused")
    bench.later(5, lambda: bench.metrics.answers.update({QUERY: [({}, 3.0)]}))
    assert bench.step(KIND, query=QUERY, timeout="10s").execute().summary.endswith("holds (3).")


def test_a_wrong_query_fails_at_once(bench: Bench) -> None:
    bench.metrics.answers[QUERY] = PermanentError("parse error")
    with pytest.raises(PermanentError, match="parse error"):
        bench.step(KIND, query=QUERY).execute()
    assert bench.metrics.asked == [QUERY]


def test_the_plan_refuses_a_query_without_a_prometheus(bench: Bench) -> None:
    bench.has_metrics = False
    assert bench.step(KIND, query=QUERY).plan().problems[0].startswith("a query was given")
    assert bench.step(KIND, query="").plan().problems == ()
