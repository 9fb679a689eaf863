"""The stand-in's HTTP side: what each address answers, and how a fault looks on the wire.

PagerDuty serves the Events API and the REST API from two hosts; here both lie below
one prefix.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from pydantic_core import from_json
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.domain.errors import NotFound
from bot.sandbox.pagerduty.documents import (
    Document,
    Incident,
    alert_document,
    incident_document,
    on_call_document,
    page_document,
    user_document,
)
from bot.sandbox.pagerduty.events import alert_problems, change_problems
from bot.sandbox.pagerduty.faults import Failure
from bot.sandbox.pagerduty.state import Received, SandboxPagerDuty

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


def pagerduty_app(pager: SandboxPagerDuty) -> Starlette:
    """The application, to be served by itself or mounted below any prefix."""

    def route(method: str, path: str, handler: Handler) -> Route:
        return Route(path, _endpoint(pager, handler), methods=[method])

    return Starlette(
        routes=[
            route("POST", "/v2/enqueue", _enqueue),
            route("POST", "/v2/change/enqueue", _enqueue_change),
            route("GET", "/incidents", _with_token(_list_incidents)),
            route("GET", "/incidents/{id}", _with_token(_show_incident)),
            route("GET", "/incidents/{id}/alerts", _with_token(_list_alerts)),
            route("GET", "/oncalls", _with_token(_list_on_calls)),
            route("GET", "/users/me", _with_token(_show_me)),
            route("GET", "/abilities", _with_token(_list_abilities)),
        ]
    )


def _endpoint(
    pager: SandboxPagerDuty, handler: Handler
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        body = _parsed(await request.body())
        received = pager.receive(request.method, request.url.path, body)
        fault = pager.faults.take()
        await asyncio.sleep(fault.delay)
        call = Call(pager, request, body)
        answer = _failed(fault.failure) if fault.failure else handler(call)
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


_FAILURES = {
    429: ("throttle exceeded", "Requests for this service are arriving too quickly."),
    500: ("internal server error", "Internal Server Error"),
}


def _failed(failure: Failure) -> Answer:
    status, message = _FAILURES.get(failure.status, ("error", "Injected failure"))
    headers = {} if failure.retry_after is None else {"Retry-After": str(failure.retry_after)}
    return Answer(failure.status, {"status": status, "message": message}, headers)


# Events API v2


def _enqueue(call: Call) -> Answer:
    event = call.body
    if not isinstance(event, dict):
        return _UNRECOGNIZED
    if problems := alert_problems(event, call.pager.routing_keys):
        return _invalid(problems)
    dedup_key = call.pager.apply(event)
    body = {"status": "success", "message": "Event processed", "dedup_key": dedup_key}
    return Answer(202, body)


def _enqueue_change(call: Call) -> Answer:
    if not isinstance(call.body, dict):
        return _UNRECOGNIZED
    if problems := change_problems(call.body, call.pager.routing_keys):
        return _invalid(problems)
    return Answer(202, {"status": "success", "message": "Change event processed"})


_UNRECOGNIZED = Answer(
    400,
    {
        "status": "Unrecognized object",
        "message": "Event object format is unrecognized",
        "errors": ["JSON parse error"],
    },
)


def _invalid(problems: list[str]) -> Answer:
    message = "Event object is invalid"
    return Answer(400, {"status": "invalid event", "message": message, "errors": problems})


# REST API


def _with_token(handler: Handler) -> Handler:
    """As `handler`, for those who send an API token; any token will do."""

    def checked(call: Call) -> Answer:
        scheme, _, token = call.request.headers.get("authorization", "").partition("token=")
        if scheme.strip().lower() != "token" or not token.strip():
            return _error(401, 2006, "Authentication failed")
        try:
            return handler(call)
        except NotFound:
            return _error(404, 2100, "Not Found")
        except ValueError:
            return _error(400, 2001, "Invalid Input Provided")

    return checked


def _error(status: int, code: int, message: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}})


def _list_incidents(call: Call) -> Answer:
    incidents = [
        incident_document(incident, call.pager.incident_keys)
        for incident in call.pager.incidents()
        if _asked_for(incident, call.request)
    ]
    return _page(call, "incidents", incidents)


def _asked_for(incident: Incident, request: Request) -> bool:
    statuses = request.query_params.getlist("statuses[]")
    key = request.query_params.get("incident_key")
    return (not statuses or incident.status in statuses) and key in (None, incident.dedup_key)


def _show_incident(call: Call) -> Answer:
    incident = call.pager.incident(call.request.path_params["id"])
    return Answer(200, {"incident": incident_document(incident, call.pager.incident_keys)})


def _list_alerts(call: Call) -> Answer:
    incident = call.pager.incident(call.request.path_params["id"])
    return _page(call, "alerts", [alert_document(incident)])


def _list_on_calls(call: Call) -> Answer:
    return _page(call, "oncalls", [on_call_document(call.pager.now())])


def _page(call: Call, name: str, items: list[Document]) -> Answer:
    limit = int(call.request.query_params.get("limit", "25"))
    offset = int(call.request.query_params.get("offset", "0"))
    if not (1 <= limit <= 100 and offset >= 0):
        return _error(400, 2001, "Invalid Input Provided")
    return Answer(200, page_document(name, items, limit, offset))


def _show_me(_call: Call) -> Answer:
    return Answer(200, {"user": user_document()})


def _list_abilities(_call: Call) -> Answer:
    return Answer(200, {"abilities": ["urgencies", "service_support_hours"]})
