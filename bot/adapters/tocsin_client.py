"""A running Tocsin's API, as the command line asks it."""

from __future__ import annotations

import msgspec
import requests

from bot.domain.errors import PermanentError, TemporaryError

TIMEOUT = 10.0
"""Seconds for connecting and for each wait for the answer."""


def post_alerts(url: str, token: str | None, body: bytes) -> None:
    """POST the list to the Tocsin at `url`; returns when it has kept it.

    Raises `TemporaryError` when it does not answer or can't keep it now, `PermanentError`
    when it refuses.
    """
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        answer = requests.post(
            f"{url.rstrip('/')}/api/v1/alerts",
            data=body,
            headers=headers,
            timeout=TIMEOUT,
            allow_redirects=False,
        )
    except (ValueError, LookupError) as error:  # the library's words for a wrong address
        raise PermanentError(f"{url} can’t be asked: {error}") from error
    except requests.RequestException as error:
        raise TemporaryError(f"{url} does not answer: {error}") from error
    if answer.status_code != 200:
        kind = TemporaryError if answer.status_code >= 500 else PermanentError
        raise kind(f"{url} answered {answer.status_code}: {_error(answer)}")


class _Refusal(msgspec.Struct):
    error: str


def _error(answer: requests.Response) -> str:
    try:
        return msgspec.json.decode(answer.content, type=_Refusal).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return answer.reason
