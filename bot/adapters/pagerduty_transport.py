"""The client library for PagerDuty's REST API, held to one bounded request a call.

By itself it repeats network errors and (without end) 429, asleep in the caller's thread;
retrying is decided elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx2
from pagerduty import RestApiV2Client, UrlError

from bot.adapters.http_header import check_header
from bot.domain.errors import PermanentError, TemporaryError

MAX_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer: a hundred of the largest incidents have a tenth of it."""


class Refused(Exception):
    """Anything but a 2xx; it gets past the library's own retries."""

    def __init__(self, response: httpx2.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class OneRequestClient(RestApiV2Client):
    """The library's client with its own retries off."""

    max_network_attempts = 0

    def postprocess(self, response: httpx2.Response, suffix: str | None = None) -> None:
        if not response.is_success:
            raise Refused(response)


class PlainHttp(httpx2.HTTPTransport):
    """Sends what the library, which insists on https, addresses to `base` over plain http."""

    def __init__(self, base: httpx2.URL) -> None:
        super().__init__()
        self._base = base

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.url = request.url.copy_with(scheme="http", port=self._base.port)
        return super().handle_request(request)


class _Bounded(httpx2.SyncByteStream):
    """A body that is given up when it is too long, or too long under way."""

    def __init__(self, stream: httpx2.SyncByteStream, seconds: float) -> None:
        self._stream = stream
        self._seconds = seconds

    def __iter__(self) -> Iterator[bytes]:
        room, deadline = MAX_ANSWER, time.monotonic() + self._seconds
        for piece in self._stream:
            room -= len(piece)
            if room < 0:
                raise PermanentError(f"PagerDuty's answer has more than {MAX_ANSWER:,} bytes.")
            if time.monotonic() > deadline:
                raise TemporaryError(f"PagerDuty's answer took more than {self._seconds} s.")
            yield piece

    def close(self) -> None:
        self._stream.close()


def rest_client(token: str, url: str | None, timeout: float) -> OneRequestClient:
    """A client for the API at `url`, plain http included; `timeout` is in seconds.

    Raises `PermanentError` for an address or a token that can be none.
    """
    check_header("PAGERDUTY_API_TOKEN", token)

    def bound(response: httpx2.Response) -> None:
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _Bounded(response.stream, timeout)

    options: dict[str, Any] = {
        "event_hooks": {"response": [bound]},
        # Bytes are counted as they arrive: none may unfold into a thousand.
        "headers": {"Accept-Encoding": "identity"},
    }
    try:
        if url is not None and url.startswith("http://"):
            base = httpx2.URL(url)
            options["transport"] = PlainHttp(base)
            url = str(base.copy_with(scheme="https"))
        client = OneRequestClient(token, base_url=url, **options)
    except (UrlError, httpx2.InvalidURL) as error:
        raise PermanentError(f"PAGERDUTY_API_URL holds what is no address: {error}") from error
    # The library declares whole seconds, the HTTP client below takes fractions.
    client.timeout = timeout  # type: ignore[assignment]
    return client
