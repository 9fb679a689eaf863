"""PagerDuty's Events API v2 as the `Pager`.

The client library repeats network errors, 5xx and (without end) 429 by itself, asleep
in the caller's thread. Here one call is one request: `_OneRequestClient` sorts each
answer before the library may retry it, because retrying is decided elsewhere.
What to retry: https://developer.pagerduty.com/docs/events-api-v2-overview
("Response Codes & Retry Logic").
"""

from __future__ import annotations

import re
from typing import Any

import httpx2
from pagerduty import Error, EventsApiV2Client
from pydantic import BaseModel, ValidationError

from bot.adapters.pagerduty_event import DEDUP_KEY_LIMIT, trigger_properties
from bot.adapters.pagerduty_transport import PlainHttp
from bot.domain.errors import Malformed, PermanentError, TemporaryError
from bot.domain.page import Page

_REPEATABLE = frozenset({408, 429})
"""The 4xx that say "later"; all 5xx do as well."""

_MALFORMED = frozenset({400, 413})
"""Those that are about the event itself: what is in it, and its size."""


class PagerDutyPager:
    """Pages through one Events API v2 integration; may be shared between threads.

    `url` is the API's address where it is not PagerDuty's own: another service region,
    or a local server standing in (plain http and a path prefix included). `timeout` is
    in seconds, for connecting and for each wait for the answer.
    """

    def __init__(self, routing_key: str, url: str | None = None, timeout: float = 10.0) -> None:
        self._client = _client(routing_key, url)
        # The library declares whole seconds, the HTTP client below takes fractions.
        self._client.timeout = timeout  # type: ignore[assignment]

    def trigger(self, page: Page) -> None:
        self._send("trigger", page.dedup_key, trigger_properties(page))

    def acknowledge(self, dedup_key: str) -> None:
        self._send("acknowledge", dedup_key, {})

    def resolve(self, dedup_key: str) -> None:
        self._send("resolve", dedup_key, {})

    def _send(self, action: str, dedup_key: str, properties: dict[str, Any]) -> None:
        if not 1 <= len(dedup_key) <= DEDUP_KEY_LIMIT:
            raise PermanentError(
                f"PagerDuty's dedup_key must have 1 to {DEDUP_KEY_LIMIT} characters,"
                f" this one has {len(dedup_key)}."
            )
        try:
            self._client.send_event(action, dedup_key, **properties)
        except (Error, httpx2.HTTPError) as error:
            cause = error.__cause__ or error
            raise TemporaryError(
                f"PagerDuty gave no answer that can be read: {type(cause).__name__}: {cause}"
            ) from error


class _OneRequestClient(EventsApiV2Client):
    """The library's client with its own retries off and its answers sorted."""

    max_network_attempts = 0

    def postprocess(self, response: httpx2.Response) -> None:
        if response.is_success:
            return
        text = f"PagerDuty answered {response.status_code}: {_message(response)}"
        if response.is_server_error or response.status_code in _REPEATABLE:
            raise TemporaryError(text, _retry_after(response))
        kind = Malformed if response.status_code in _MALFORMED else PermanentError
        raise kind(text)


def _client(routing_key: str, url: str | None) -> _OneRequestClient:
    if url is None or not url.startswith("http://"):
        return _OneRequestClient(routing_key, base_url=url)
    base = httpx2.URL(url)
    return _OneRequestClient(
        routing_key,
        base_url=str(base.copy_with(scheme="https")),
        transport=PlainHttp(base),
    )


class _Refusal(BaseModel):
    """PagerDuty's body of an error."""

    message: str
    errors: list[str] = []


def _message(response: httpx2.Response) -> str:
    """PagerDuty's own words, or the beginning of whatever else answered in its place."""
    try:
        refusal = _Refusal.model_validate_json(response.content)
    except ValidationError:
        return response.text[:200] or response.reason_phrase
    return ": ".join([refusal.message, *filter(None, ["; ".join(refusal.errors)])])[:1000]


def _retry_after(response: httpx2.Response) -> float | None:
    """The seconds of the `Retry-After` header, where it holds a plausible number of them."""
    seconds = response.headers.get("retry-after", "")
    return float(seconds) if re.fullmatch("[0-9]{1,6}", seconds) else None
