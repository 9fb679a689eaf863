"""Graphs of what a Prometheus answers over HTTP, drawn for real."""

from __future__ import annotations

import math
import struct
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.adapters.graphs import SHOWN, PrometheusGraphs, png
from bot.adapters.prometheus import PrometheusMetrics
from bot.domain.errors import PermanentError
from bot.domain.graph import Graph, Series, Span
from bot.sandbox.prometheus import SandboxPrometheus, prometheus_app
from tests.support.serve import serve

END = datetime(2026, 3, 1, 12, tzinfo=UTC)
SPAN = Span(END - timedelta(hours=1), END, 15.0)
GRAPH = Graph("Requests", "requests/s", "rate(x[5m])", SPAN)


def line(*values: float, **labels: str) -> Series:
    times = (SPAN.start + timedelta(minutes=number) for number in range(len(values)))
    return Series(labels, tuple(zip(times, values, strict=True)))


def size(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (line(1.0),),
        (line(1, 2, 3), line(3, 2, 1, pod="a")),
        (line(math.nan, math.inf, -math.inf, 1e300, -1e300),),
        (line(math.nan, math.nan),),
        (line(),),
        tuple(line(n, n + 1, pod=f"checkout-{n}") for n in range(SHOWN + 20)),
        (line(1, 2, label="$x^{2", path=r"\frac{", other="_" * 500, odd="\x00\u202e\n日本"),),
    ],
)
def test_whatever_was_recorded_becomes_a_picture_of_one_size(lines: Sequence[Series]) -> None:
    picture = png(GRAPH, lines)
    assert size(picture) == (960, 600)
    assert len(picture) < 200_000


@pytest.mark.parametrize("title", ["", "$", r"\undefined{", "x" * 2_000, "a\nb\x00", "日本 💥"])
def test_any_title_and_unit_can_be_drawn(title: str) -> None:
    assert size(png(Graph(title, title, "up", SPAN), (line(1, 2),))) == (960, 600)


def test_different_lines_make_different_pictures() -> None:
    assert png(GRAPH, (line(1, 2),)) != png(GRAPH, (line(2, 1),))


def test_prometheus_is_asked_for_the_span() -> None:
    asked: list[dict[str, str]] = []

    async def query_range(request: Request) -> Response:
        asked.append(dict(request.query_params))
        values = [[END.timestamp() - 60, "1"], [END.timestamp(), "NaN"]]
        result = [{"metric": {"pod": "a"}, "values": values}]
        return JSONResponse(
            {"status": "success", "data": {"resultType": "matrix", "result": result}}
        )

    with serve(Starlette(routes=[Route("/api/v1/query_range", query_range)])) as url:
        picture = PrometheusGraphs(PrometheusMetrics(url)).draw(GRAPH, 5.0)
    assert picture.lines == 1
    assert size(picture.png) == (960, 600)
    assert asked == [
        {
            "query": "rate(x[5m])",
            "start": str(int(SPAN.start.timestamp())),
            "end": str(int(END.timestamp())),
            "step": "15",
            "timeout": "5.0",
        }
    ]


@pytest.mark.parametrize("result", [None, {}, [{"metric": {}, "value": [1, "1"]}], "<html>"])
def test_what_is_no_range_is_permanent(result: object) -> None:
    async def query_range(_request: Request) -> Response:
        return JSONResponse({"status": "success", "data": {"result": result}})

    with (
        serve(Starlette(routes=[Route("/api/v1/query_range", query_range)])) as url,
        pytest.raises(PermanentError),
    ):
        PrometheusMetrics(url).history("up", SPAN, 5.0)


def test_matplotlib_is_loaded_only_to_draw() -> None:
    code = "import bot.adapters.graphs, sys; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_stand_in_for_prometheus_can_be_drawn() -> None:
    sandbox = SandboxPrometheus()
    sandbox.set("rate(x[5m])", [({"pod": "a"}, 1.0), ({"pod": "b"}, math.nan)])
    with serve(prometheus_app(sandbox)) as url:
        metrics = PrometheusMetrics(url)
        series = metrics.history("rate(x[5m])", SPAN, 5.0)
        assert [one.labels for one in series] == [{"pod": "a"}, {"pod": "b"}]
        assert len(series[0].points) == 241
        assert series[0].points[0] == (SPAN.start, 1.0)
        assert metrics.history("nothing", SPAN, 5.0) == []
        with pytest.raises(PermanentError, match="400"):
            metrics.history("up", Span(SPAN.start, SPAN.end, 0.01), 5.0)
