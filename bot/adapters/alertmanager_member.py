"""One Alertmanager's HTTP API, version 2: requests in, checked values out.

Its answers: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec
import requests

from bot.domain.errors import PermanentError, TemporaryError

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer: 30,000 alerts of the usual 2 KB."""

_PIECE = 64 * 1024
_REPEATABLE = frozenset({408, 429})
"""The 4xx that say "later"; all 5xx do as well."""

T = TypeVar("T")


class NotThere(PermanentError):
    """Alertmanager answered 404."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer's body, and its header `Date` in epoch seconds (None without one)."""

    body: bytes
    date: float | None

    def read(self, kind: type[T]) -> T:
        """The body as that type; raises `PermanentError` if it is something else."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise PermanentError(
                f"What answers is not Alertmanager's API, version 2: {error}"
            ) from error


class AlertmanagerMember:
    """The Alertmanager at `url`, which may have a path prefix and a user with a password.

    `timeout` is in seconds, for connecting and for each wait for the answer. It and all methods
    raise `TemporaryError` or `PermanentError`; redirects are not followed, because a
    followed POST becomes a GET.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self.url, credentials = _without_credentials(url)
        self._timeout = timeout
        self._session = requests.Session()
        self._session.auth = credentials

    def get(self, path: str) -> Answer:
        """GET below ``/api/v2/``. Raises `NotThere` for a 404."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: Mapping[str, object]) -> Answer:
        """POST JSON."""
        return self._ask("POST", path, body)

    def delete(self, path: str) -> None:
        """DELETE. Raises `NotThere` for a 404."""
        self._ask("DELETE", path, None)

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None) -> Answer:
        try:
            with self._session.request(
                method,
                f"{self.url}/api/v2/{path}",
                data=None if body is None else msgspec.json.encode(body),
                headers={"Content-Type": "application/json"},
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                content = _content(response)
                _sort(response, content)
                return Answer(content, _date(response.headers.get("Date", "")))
        except (ValueError, LookupError) as error:  # the library's words for a wrong address
            raise PermanentError(f"{self.url} can’t be asked: {error}") from error
        except requests.RequestException as error:
            raise TemporaryError(f"{self.url} does not answer: {error}") from error


def _without_credentials(url: str) -> tuple[str, tuple[str, str] | None]:
    """The address to show and to ask, and the user and password that it held."""
    try:
        parts = urlsplit(url.strip().rstrip("/"))
    except ValueError as error:
        raise PermanentError(f"ALERTMANAGER_URL holds what is no address: {error}.") from error
    address = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    if not parts.username:
        return address, None
    return address, (unquote(parts.username), unquote(parts.password or ""))


def _content(response: requests.Response) -> bytes:
    pieces = bytearray()
    for piece in response.iter_content(_PIECE):
        pieces += piece
        if len(pieces) > MAX_ANSWER:
            raise PermanentError(f"Alertmanager's answer has more than {MAX_ANSWER:,} bytes.")
    return bytes(pieces)


def _sort(response: requests.Response, content: bytes) -> None:
    status = response.status_code
    if 200 <= status < 300:
        return
    text = f"Alertmanager answered {status}: {_message(content) or response.reason}"
    if status >= 500 or status in _REPEATABLE:
        raise TemporaryError(text)
    raise NotThere(text) if status == 404 else PermanentError(text)


def _message(content: bytes) -> str:
    """The error's text; Alertmanager wraps some in an object and others not."""
    try:
        said: Any = msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        said = content[:200].decode(errors="replace")
    return str(said.get("message", "") if isinstance(said, dict) else said)[:1000]


def _date(header: str) -> float | None:
    try:
        return parsedate_to_datetime(header).timestamp()
    except (ValueError, OverflowError):
        return None
