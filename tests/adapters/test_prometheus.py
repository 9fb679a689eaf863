"""Prometheus' answers, good and bad, sorted; over real HTTP."""

from __future__ import annotations

import json
import math
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from bot.adapters.prometheus import PrometheusMetrics
from bot.domain.errors import PermanentError, TemporaryError
from bot.sandbox.prometheus import SandboxPrometheus, prometheus_app
from tests.support.serve import serve

SECONDS = 5.0


@contextmanager
def answering(status: int, body: object) -> Iterator[tuple[PrometheusMetrics, list[Request]]]:
    """A server that answers every query alike, and the requests it got."""
    requests: list[Request] = []

    async def query(request: Request) -> Response:
        requests.append(request)
        text = body if isinstance(body, str) else json.dumps(body)
        return Response(text, status)

    with serve(Starlette(routes=[Route("/api/v1/query", query)])) as url:
        yield PrometheusMetrics(url), requests


def vector(*result: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": "vector", "result": list(result)}}


@pytest.mark.parametrize("slash", ["", "/"])
def test_samples_have_labels_and_values(slash: str) -> None:
    sandbox = SandboxPrometheus()
    sandbox.set('up{job="api"}', [({"job": "api", "pod": "a"}, 1.0), ({"job": "api"}, 0.5)])
    with serve(Starlette(routes=[Mount("/prometheus", prometheus_app(sandbox))])) as url:
        metrics = PrometheusMetrics(f"{url}/prometheus{slash}")
        assert metrics.query('up{job="api"}', SECONDS) == [
            ({"job": "api", "pod": "a"}, 1.0),
            ({"job": "api"}, 0.5),
        ]
        assert metrics.query("nothing_of_the_kind", SECONDS) == []


@pytest.mark.parametrize(
    ("text", "value"), [("+Inf", math.inf), ("-Inf", -math.inf), ("1e+22", 1e22), ("-0.25", -0.25)]
)
def test_values_are_numbers_as_prometheus_writes_them(text: str, value: float) -> None:
    with answering(200, vector({"metric": {}, "value": [1.5, text]})) as (metrics, _):
        assert metrics.query("x", SECONDS) == [({}, value)]


def test_nan_is_a_value_too() -> None:
    with answering(200, vector({"metric": {}, "value": [1.5, "NaN"]})) as (metrics, _):
        ((_, value),) = metrics.query("x", SECONDS)
        assert math.isnan(value)


def test_the_server_is_told_the_timeout() -> None:
    with answering(200, vector()) as (metrics, requests):
        metrics.query("up", 2.5)
        assert requests[0].query_params["timeout"] == "2.5"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_what_may_pass_is_temporary_and_not_repeated(status: int) -> None:
    body = {"status": "error", "errorType": "timeout", "error": "query timed out"}
    with answering(status, body) as (metrics, requests):
        with pytest.raises(TemporaryError, match=f"{status}: query timed out"):
            metrics.query("up", SECONDS)
        assert len(requests) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_what_will_not_pass_is_permanent_and_not_repeated(status: int) -> None:
    body = {"status": "error", "errorType": "execution", "error": "many-to-many matching"}
    with answering(status, body) as (metrics, requests):
        with pytest.raises(PermanentError, match=f"{status}: many-to-many matching"):
            metrics.query("up", SECONDS)
        assert len(requests) == 1


@pytest.mark.parametrize("status", [400, 503])
def test_somebody_elses_error_is_quoted(status: int) -> None:
    error = TemporaryError if status == 503 else PermanentError
    with (
        answering(status, "<h1>Bad gateway</h1>") as (metrics, _),
        pytest.raises(error, match="<h1>Bad gateway</h1>"),
    ):
        metrics.query("up", SECONDS)


@pytest.mark.parametrize(
    "body",
    [
        "<h1>Please log in</h1>",
        "[" * 100_000,
        [],
        {},
        {"status": "success", "data": None},
        {"status": "success", "data": {"resultType": "scalar", "result": [1.5, "2"]}},
        {"status": "success", "data": {"resultType": "string", "result": [1.5, "text"]}},
        vector({"metric": {}, "values": [[1.5, "1"]]}),
        vector({"metric": {}, "histogram": [1.5, {}]}),
        vector({"metric": {}, "value": [1.5, "one"]}),
        vector({"metric": {"job": 7}, "value": [1.5, "1"]}),
        {"data": {"result": "none"}},
    ],
)
def test_what_is_no_vector_is_permanent(body: object) -> None:
    with answering(200, body) as (metrics, _), pytest.raises(PermanentError):
        metrics.query("up", SECONDS)


def test_a_redirect_is_followed() -> None:
    sandbox = SandboxPrometheus()
    sandbox.set("up", [({}, 1.0)])

    async def moved(request: Request) -> Response:
        return RedirectResponse(f"/new{request.url.path}?{request.url.query}")

    routes = [Mount("/new", prometheus_app(sandbox)), Route("/api/v1/query", moved)]
    with serve(Starlette(routes=routes)) as url:
        assert PrometheusMetrics(url).query("up", SECONDS) == [({}, 1.0)]


def test_a_slow_answer_is_temporary() -> None:
    sandbox = SandboxPrometheus()
    sandbox.delay_next(0.5)
    with serve(prometheus_app(sandbox)) as url, pytest.raises(TemporaryError, match="timed out"):
        PrometheusMetrics(url).query("up", 0.1)


def test_an_address_where_nobody_listens_is_temporary() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(TemporaryError, match="refused"):
        PrometheusMetrics(f"http://127.0.0.1:{port}").query("up", SECONDS)


@pytest.mark.parametrize("url", ["", "prometheus:9090", "ftp://prometheus", "http://"])
def test_an_address_that_is_none_is_permanent(url: str) -> None:
    with pytest.raises(PermanentError):
        PrometheusMetrics(url).query("up", SECONDS)


def test_an_expression_that_cannot_be_sent_is_permanent() -> None:
    with serve(prometheus_app(SandboxPrometheus())) as url, pytest.raises(PermanentError):
        PrometheusMetrics(url).query("up\ud800", SECONDS)
