"""Requests and answers as the stand-in's handlers see them, and how a fault looks on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.sandbox.pagerduty.faults import Failure
from bot.sandbox.pagerduty.ledger import Received
from bot.sandbox.pagerduty.records import Document
from bot.sandbox.pagerduty.state import SandboxPagerDuty

EVENT_LIMIT = 512 * 1024
"""Bytes (https://developer.pagerduty.com/docs/events-api-v2-overview, "Size Limits")."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a JSON body and headers."""

    status: int
    body: Document
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """A request as the handlers see it."""

    pager: SandboxPagerDuty
    request: Request
    body: object


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Api:
    """One of PagerDuty's APIs: its routes, and its words for a failure."""

    pager: SandboxPagerDuty
    failed: Callable[[Failure], Answer]

    def route(self, method: str, path: str, handler: Handler) -> Route:
        return Route(path, self._endpoint(handler), methods=[method])

    def _endpoint(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            body = _parsed(await request.body())
            received = self.pager.receive(request.method, request.url.path, body)
            fault = self.pager.faults.take()
            await asyncio.sleep(fault.delay)
            call = Call(self.pager, request, body)
            answer = self.failed(fault.failure) if fault.failure else handler(call)
            return _LostAnswer() if fault.loses_answer else _given(received, answer)

        return endpoint


def _parsed(raw: bytes) -> object:
    """The JSON value, or None for what is none or is longer than PagerDuty takes."""
    try:
        return from_json(raw) if len(raw) <= EVENT_LIMIT else None
    except ValueError:
        return None


def _given(received: Received, answer: Answer) -> Response:
    received.status, received.answer = answer.status, answer.body
    return JSONResponse(answer.body, answer.status, answer.headers)


class _LostAnswer(Response):
    """The beginning of an answer and no more: the server then closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 202, "headers": headers})
