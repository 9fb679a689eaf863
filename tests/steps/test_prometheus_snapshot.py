from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.errors import PermanentError, TemporaryError
from tests.support.step_bench import Bench

KIND = "prometheus.snapshot"
QUERY = "sum(rate(http_requests_total[5m]))"


def test_a_graph_of_the_last_hour_is_attached(bench: Bench) -> None:
    step = bench.step(KIND, query=QUERY, title="Requests", unit="requests/s")
    assert step.plan().summary == "Put a graph of Requests over the last 1h on record."
    assert step.plan().problems == ()
    assert bench.graphs.drawn == []

    outcome = step.execute()

    assert outcome.summary == "Graph of Requests over the last 1h: 1 line."
    (attachment,) = outcome.attachments
    assert (attachment.name, attachment.media_type) == ("it.png", "image/png")
    assert attachment.content == b"a picture"
    (graph,) = bench.graphs.drawn
    assert (graph.title, graph.unit, graph.expression) == ("Requests", "requests/s", QUERY)
    assert graph.span.end == bench.clock.now()
    assert graph.span.end - graph.span.start == timedelta(hours=1)
    assert graph.span.step == 15


@pytest.mark.parametrize(("window", "step"), [("1ms", 1), ("30s", 1), ("24h", 360)])
def test_the_picture_has_no_more_values_than_it_can_show(
    bench: Bench, window: str, step: float
) -> None:
    bench.step(KIND, query=QUERY, window=window).execute()
    assert bench.graphs.drawn[0].span.step == step
    assert bench.graphs.drawn[0].title == QUERY


def test_no_data_is_a_picture_too(bench: Bench) -> None:
    bench.graphs.lines = 0
    outcome = bench.step(KIND, query=QUERY).execute()
    assert outcome.summary == f"Graph of {QUERY} over the last 1h: no data."
    assert outcome.attachments


@pytest.mark.parametrize("error", [TemporaryError("it hangs"), PermanentError("parse error")])
def test_a_graph_that_can_not_be_drawn_fails_nothing(
    bench: Bench, error: TemporaryError | PermanentError
) -> None:
    bench.graphs.error = error
    outcome = bench.step(KIND, query=QUERY).execute()
    assert outcome.summary == f"No graph of {QUERY}: {error}"
    assert outcome.attachments == ()


@pytest.mark.parametrize(
    ("query", "has_metrics", "said"),
    [
        (QUERY, False, "No graph: PROMETHEUS_URL is not set, so there is nothing to draw"),
        ("", True, "No graph: no query was given."),
    ],
)
def test_where_nothing_can_be_drawn_the_run_goes_without(
    bench: Bench, query: str, has_metrics: bool, said: str
) -> None:
    bench.has_metrics = has_metrics
    step = bench.step(KIND, query=query)
    assert step.plan().summary.startswith(said)
    assert step.plan().problems == ()
    assert step.execute().summary == step.plan().summary
    assert bench.graphs.drawn == []
