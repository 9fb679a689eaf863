"""Prometheus' HTTP API as the `Metrics`.

The client library has no timeout and three retries of its own, and its errors hold the
status only as text; so it gets a session that sorts each answer before the library sees it.
Answers: https://prometheus.io/docs/prometheus/latest/querying/api/ ("Format overview").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import requests
from prometheus_api_client.prometheus_connect import PrometheusConnect
from pydantic import BaseModel, TypeAdapter, ValidationError
from urllib3.util.retry import Retry

from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.graph import Series, Span

_REPEATABLE = frozenset({408, 429})
"""The 4xx that say "later"; all 5xx do as well (503 is a query that took too long)."""


class PrometheusMetrics:
    """Queries to the Prometheus at `url`, which may have a path prefix."""

    def __init__(self, url: str) -> None:
        self._connection = PrometheusConnect(
            url.rstrip("/"), disable_ssl=False, retry=Retry(0, read=False), session=_session()
        )

    def query(self, expression: str, timeout: float) -> Sequence[tuple[Mapping[str, str], float]]:
        """The samples of the vector that `expression` yields now; `timeout` is in seconds.

        Raises `PermanentError` also when it yields something else than an instant vector.
        """
        result = self._result(expression, timeout)
        try:
            samples = _VECTOR.validate_python(result)
        except ValidationError:
            raise PermanentError(f"{expression!r} does not yield an instant vector.") from None
        return [(sample.metric, sample.value[1]) for sample in samples]

    def history(self, expression: str, span: Span, timeout: float) -> Sequence[Series]:
        """The series that `expression` yields over the span; else as `query`."""
        result = self._answer(
            lambda: self._connection.custom_query_range(
                expression,
                span.start,
                span.end,
                f"{span.step:g}",
                params={"timeout": str(timeout)},
                timeout=timeout,  # type: ignore[arg-type]
            )
        )
        try:
            found = _MATRIX.validate_python(result)
        except ValidationError:
            raise PermanentError(f"{expression!r} does not yield a range of values.") from None
        return [Series(one.metric, tuple(map(_point, one.values))) for one in found]

    def _result(self, expression: str, timeout: float) -> Any:
        # The parameter makes the server give up too, the argument is for a server that hangs.
        # The library declares whole seconds, the HTTP client below takes fractions.
        return self._answer(
            lambda: self._connection.custom_query(
                expression,
                params={"timeout": str(timeout)},
                timeout=timeout,  # type: ignore[arg-type]
            )
        )

    def _answer(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except (LookupError, TypeError, ValueError, RecursionError) as error:
            # The requests library's malformed addresses and bodies are ValueErrors too.
            raise PermanentError(
                f"Prometheus can't be asked, or it isn't what answers: {error!r}"
            ) from error
        except requests.RequestException as error:
            raise TemporaryError(f"Prometheus did not answer: {error}") from error


class _Sample(BaseModel):
    metric: dict[str, str]
    value: tuple[float, float]


class _Range(BaseModel):
    metric: dict[str, str]
    values: list[tuple[float, float]]


_VECTOR = TypeAdapter(list[_Sample])
_MATRIX = TypeAdapter(list[_Range])


def _point(value: tuple[float, float]) -> tuple[datetime, float]:
    return datetime.fromtimestamp(value[0], UTC), value[1]


class _Refusal(BaseModel):
    """Prometheus' body of an error."""

    error: str


def _session() -> requests.Session:
    session = requests.Session()
    session.hooks["response"].append(_sort)
    return session


def _sort(response: requests.Response, **_: object) -> None:
    if response.status_code < 400:
        return
    text = f"Prometheus answered {response.status_code}: {_message(response)}"
    if response.status_code >= 500 or response.status_code in _REPEATABLE:
        raise TemporaryError(text)
    raise PermanentError(text)


def _message(response: requests.Response) -> str:
    try:
        return _Refusal.model_validate_json(response.content).error[:1000]
    except ValidationError:
        return str(response.text[:200] or response.reason)
