"""The stand-in's HTTP side: the Events API here, the REST API in `rest`.

PagerDuty serves them from two hosts; here both lie below one prefix.
"""

from __future__ import annotations

from starlette.applications import Starlette

from bot.sandbox.pagerduty.events import alert_problems, change_problems
from bot.sandbox.pagerduty.faults import Failure
from bot.sandbox.pagerduty.http import Answer, Api, Call
from bot.sandbox.pagerduty.rest import rest_routes
from bot.sandbox.pagerduty.state import SandboxPagerDuty


def pagerduty_app(pager: SandboxPagerDuty) -> Starlette:
    """The application, to be served by itself or mounted below any prefix."""
    events = Api(pager, _failed)
    return Starlette(
        routes=[
            events.route("POST", "/v2/enqueue", _enqueue),
            events.route("POST", "/v2/change/enqueue", _enqueue_change),
            *rest_routes(pager),
        ]
    )


_FAILURES = {
    429: ("throttle exceeded", "Requests for this service are arriving too quickly."),
    500: ("internal server error", "Internal Server Error"),
}


def _failed(failure: Failure) -> Answer:
    status, message = _FAILURES.get(failure.status, ("error", "Injected failure"))
    headers = {} if failure.retry_after is None else {"Retry-After": str(failure.retry_after)}
    return Answer(failure.status, {"status": status, "message": message}, headers)


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
