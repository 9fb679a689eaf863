"""Faults that a test orders from the sandbox's Slack, and what they look like on the wire."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What goes back over HTTP: an object as JSON, a text as it is."""

    body: dict[str, Any] | str
    status: int = HTTPStatus.OK
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """One call that fails: `answer` is sent; with `applied` the call takes effect all the same."""

    answer: HttpAnswer
    applied: bool


def failed(status_or_error: int | str, retry_after: int | None) -> HttpAnswer:
    """How Slack fails: a status (5xx comes as a page, not as JSON) or an error code."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    if isinstance(status_or_error, str):
        return HttpAnswer({"ok": False, "error": status_or_error}, headers=headers)
    if status_or_error == HTTPStatus.TOO_MANY_REQUESTS:
        return HttpAnswer({"ok": False, "error": "ratelimited"}, status_or_error, headers)
    return HttpAnswer("<html><body>Server Error</body></html>", status_or_error, headers)


class Faults:
    """The faults still to come, by method, in the order in which they were ordered."""

    def __init__(self) -> None:
        self._coming: defaultdict[str, deque[Fault]] = defaultdict(deque)

    def order(self, method: str, fault: Fault, times: int) -> None:
        """Let the next `times` calls of `method` fail."""
        self._coming[method].extend([fault] * times)

    def next(self, method: str) -> Fault | None:
        """The fault that this call of `method` meets."""
        coming = self._coming[method]
        return coming.popleft() if coming else None
