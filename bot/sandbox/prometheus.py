"""A stand-in for Prometheus' HTTP API: queries with answers that are set.

It does not evaluate PromQL: an expression has the value that was set for exactly its
text, and none otherwise. Shapes and texts:
https://prometheus.io/docs/prometheus/latest/querying/api/.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

Sample = tuple[Mapping[str, str], float]

VERSION = "2.42.0"
"""The version it says it is: the one that the contract suite compares it with."""


MOST_POINTS = 11_000
"""Values that a range query may ask for a series; Prometheus' own limit."""


class SandboxPrometheus:
    """The answers to queries; may be set while it is being asked."""

    def __init__(self) -> None:
        self._vectors: dict[str, Sequence[Sample]] = {}
        self._delays: list[float] = []

    def set(self, expression: str, samples: Sequence[Sample]) -> None:
        """Let `expression` yield these samples: labels and value of each."""
        self._vectors[expression.strip()] = list(samples)

    def vector(self, expression: str) -> Sequence[Sample]:
        """What `expression` yields; nothing when nobody has set it."""
        return self._vectors.get(expression.strip(), ())

    def delay_next(self, seconds: float) -> None:
        """Let the next query wait."""
        self._delays.append(seconds)

    def take_delay(self) -> float:
        """The seconds that the query which has just arrived must wait."""
        return self._delays.pop(0) if self._delays else 0.0


def prometheus_app(metrics: SandboxPrometheus) -> Starlette:
    """The application, to be served by itself or mounted below any prefix."""

    async def query(request: Request) -> Response:
        expression = await _parameter(request, "query")
        await asyncio.sleep(metrics.take_delay())
        if problem := syntax_problem(expression):
            return _bad_data(f'invalid parameter "query": {problem}')
        return _success(
            {
                "resultType": "vector",
                "result": [_sample(sample) for sample in metrics.vector(expression)],
            }
        )

    async def query_range(request: Request) -> Response:
        expression = await _parameter(request, "query")
        await asyncio.sleep(metrics.take_delay())
        if problem := syntax_problem(expression):
            return _bad_data(f'invalid parameter "query": {problem}')
        try:
            times = await _times(request)
        except ValueError as error:
            return _bad_data(f"invalid parameter: {error}")
        series = [_series(sample, times) for sample in metrics.vector(expression)]
        return _success({"resultType": "matrix", "result": series})

    return Starlette(
        routes=[
            Route("/api/v1/query", query, methods=["GET", "POST"]),
            Route("/api/v1/query_range", query_range, methods=["GET", "POST"]),
            Route("/api/v1/status/buildinfo", _build_info),
            Route("/-/ready", _ready),
        ]
    )


async def _parameter(request: Request, name: str) -> str:
    """A parameter of the address or of a form, as Prometheus reads both."""
    form = await request.form() if request.method == "POST" else {}
    return str(form.get(name) or request.query_params.get(name, ""))


async def _build_info(_request: Request) -> Response:
    return _success({"version": VERSION})


async def _ready(_request: Request) -> Response:
    return PlainTextResponse("Prometheus Server is Ready.\n")


def _success(data: Mapping[str, Any]) -> Response:
    return JSONResponse({"status": "success", "data": data})


def _bad_data(error: str) -> Response:
    return JSONResponse({"status": "error", "errorType": "bad_data", "error": error}, 400)


def _sample(sample: Sample) -> dict[str, Any]:
    labels, value = sample
    return {"metric": dict(labels), "value": [time.time(), _number(value)]}


def _series(sample: Sample, times: Sequence[float]) -> dict[str, Any]:
    """A sample that was so all the time."""
    labels, value = sample
    return {"metric": dict(labels), "values": [[at, _number(value)] for at in times]}


async def _times(request: Request) -> Sequence[float]:
    """The moments of a range query. Raises `ValueError` for too many, as Prometheus does."""
    start, end, step = [float(await _parameter(request, name)) for name in ("start", "end", "step")]
    if step <= 0 or end < start or (end - start) / step > MOST_POINTS:
        raise ValueError("end must not be before start, and there may be 11,000 steps at most")
    return [start + number * step for number in range(int((end - start) / step) + 1)]


def _number(value: float) -> str:
    """A value as Prometheus writes it."""
    return {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}.get(
        str(value), str(value).removesuffix(".0")
    )


_STRING = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)""")
_OPENING = {")": "(", "]": "[", "}": "{"}
_UNCLOSED = {
    "(": "unclosed left parenthesis",
    "[": "unexpected end of input in subquery or range",
    "{": "unexpected end of input inside braces",
}


def syntax_problem(expression: str) -> str:
    """The parse error that Prometheus would report for missing or unbalanced brackets, or ''."""
    if not expression.strip():
        return "1:1: parse error: no expression found in input"
    position = f"1:{len(expression) + 1}: parse error:"
    unclosed: list[str] = []
    for character in _STRING.sub("", expression):
        if character in _UNCLOSED:
            unclosed.append(character)
        elif character in _OPENING and (not unclosed or unclosed.pop() != _OPENING[character]):
            return f"{position} unexpected {character!r}"
    return f"{position} {_UNCLOSED[unclosed[-1]]}" if unclosed else ""
