"""What PagerDuty's REST API refuses, sorted into what may pass and what will not.

Errors: https://developer.pagerduty.com/docs/errors. Rate limits:
https://support.pagerduty.com/main/docs/rest-api-rate-limits.
"""

from __future__ import annotations

import re
from typing import Any

import httpx2
from pydantic import TypeAdapter, ValidationError

from bot.domain.errors import PermanentError, TemporaryError

_REPEATABLE = frozenset({408, 429})
"""The 4xx that say "later"; all 5xx do as well."""

_OBJECT = TypeAdapter(dict[str, Any])


class Forbidden(PermanentError):
    """The token is good, but not for this; `scope` is what it lacks."""

    def __init__(self, message: str, scope: str) -> None:
        super().__init__(message)
        self.scope = scope


class BadRequest(PermanentError):
    """PagerDuty understood and refused."""


def sorted_refusal(response: httpx2.Response, method: str, path: str) -> Exception:
    """The error for an answer that is no success."""
    status = response.status_code
    text = f"PagerDuty answered {status}: {_message(response)}"
    if response.is_server_error or status in _REPEATABLE:
        return TemporaryError(text, _retry_after(response))
    if status == 401:
        return PermanentError(
            "PagerDuty refuses PAGERDUTY_API_TOKEN: it is wrong or revoked, or of another"
            f" service region than PAGERDUTY_API_URL. {text}"
        )
    if status == 403:
        scope = _scope(method, path)
        return Forbidden(f"PAGERDUTY_API_TOKEN lacks the permission {scope}. {text}", scope)
    if status == 400 and method != "GET":
        return BadRequest(f"{text} (is PAGERDUTY_FROM_EMAIL a user there?)")
    return BadRequest(text) if status == 400 else PermanentError(f"{text} ({method} {path})")


def _scope(method: str, path: str) -> str:
    """The OAuth scope of a call, as PagerDuty documents it: also a name for what a key lacks."""
    return f"{path.split('/')[1]}.{'read' if method == 'GET' else 'write'}"


def _message(response: httpx2.Response) -> str:
    """PagerDuty's own words, or the beginning of whatever else answered in its place."""
    try:
        error = _OBJECT.validate_json(response.content).get("error")
    except ValidationError:
        return response.text[:200] or response.reason_phrase
    if not isinstance(error, dict):
        return str(error or response.reason_phrase)[:1000]
    details = error.get("errors")
    listed = "; ".join(map(str, details)) if isinstance(details, list) else str(details or "")
    return ": ".join(filter(None, [str(error.get("message") or ""), listed]))[:1000]


def _retry_after(response: httpx2.Response) -> float | None:
    """The seconds to wait, where a header holds a plausible number of them.

    The REST API says ``ratelimit-reset``; ``retry-after`` is for whoever stands before it.
    """
    for header in ("retry-after", "ratelimit-reset"):
        seconds = response.headers.get(header, "")
        if re.fullmatch("[0-9]{1,6}", seconds):
            return float(seconds)
    return None
