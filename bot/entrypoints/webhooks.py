"""Where webhooks come in: checked, committed to the inbox, answered. Nothing else.

These are bare ASGI applications: the path of an alert goes through no router, no
middleware and no thread but the inbox's writer. A sender hears 200 only after the
commit. What Alertmanager makes of the answers decides which ones exist: it repeats
after a 5xx or a broken connection and gives up on every 4xx, so 4xx is only for what
would be refused again, whatever can't be kept now is a 503, and 429 is never sent.
"""

from __future__ import annotations

import hmac
import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from enum import StrEnum
from typing import Any, Protocol

from bot.domain.alert import NotJson, WrongVersion
from bot.domain.errors import InvalidInput, TemporaryError
from bot.ports import Source

MAX_BODY = 32 * 1024 * 1024
"""Bytes of a webhook's body: tens of thousands of alerts of the usual size. Without `max_alerts`
Alertmanager sends all alerts of a group at once."""

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_Headers = dict[bytes, bytes]
_Header = tuple[bytes, bytes]


class Inbox(Protocol):
    """Where webhooks are kept until the worker reads them."""

    def add(self, source: Source, body: bytes) -> Awaitable[None]:
        """Keep `body`; the awaitable is done when it is on the disk.

        Either raises `TemporaryError` when it can't be kept now.
        """
        ...


class WebhookResult(StrEnum):
    """How a webhook was answered, as metrics name it."""

    ACCEPTED = "accepted"
    WRONG_METHOD = "wrong_method"
    UNAUTHORIZED = "unauthorized"
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    WRONG_VERSION = "wrong_version"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"


OnResult = Callable[[WebhookResult], None]

_STATUS = {
    WebhookResult.ACCEPTED: 200,
    WebhookResult.WRONG_METHOD: 405,
    WebhookResult.UNAUTHORIZED: 401,
    WebhookResult.TOO_LARGE: 413,
    WebhookResult.NOT_JSON: 400,
    WebhookResult.WRONG_VERSION: 400,
    WebhookResult.INVALID: 400,
    WebhookResult.UNAVAILABLE: 503,
}


_LOSES_ALERTS = (
    WebhookResult.TOO_LARGE,
    WebhookResult.NOT_JSON,
    WebhookResult.WRONG_VERSION,
    WebhookResult.INVALID,
)
"""Whoever sends such a thing was admitted, and gives up on it."""


class _Refused(Exception):
    """The webhook is answered with `result`, this one sentence and the extra headers."""

    def __init__(self, result: WebhookResult, sentence: str, *headers: _Header) -> None:
        super().__init__(sentence)
        self.result = result
        self.headers = headers


class _Disconnected(Exception):
    """The sender went away before its request was complete."""


class _Webhook(ABC):
    """What both webhooks do; a subclass says whom it believes and what it takes.

    `on_result` is called once for every request that is answered.
    """

    source: Source

    def __init__(self, inbox: Inbox, on_result: OnResult) -> None:
        self._inbox = inbox
        self._on_result = on_result

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answer one HTTP request (ASGI 3)."""
        try:
            await self._take(scope, receive)
        except _Disconnected:
            return
        except _Refused as refused:
            self._on_result(refused.result)
            body = json.dumps({"error": str(refused)}).encode()
            await _answer(send, refused.result, body, *refused.headers)
            # Afterwards: a refusal waits for no disk.
            await self._lost(refused)
        else:
            self._on_result(WebhookResult.ACCEPTED)
            await _answer(send, WebhookResult.ACCEPTED, b'{"ok":true}')

    async def _take(self, scope: _Message, receive: _Receive) -> None:
        if scope["method"] != "POST":
            raise _Refused(
                WebhookResult.WRONG_METHOD, "Send webhooks with POST.", (b"allow", b"POST")
            )
        headers = dict(scope["headers"])
        self._admit(headers)
        body = await _read(headers, receive)
        self._check(headers, body)
        try:
            await self._inbox.add(self.source, body)
        except TemporaryError as error:
            raise _Refused(
                WebhookResult.UNAVAILABLE, f"The webhook was not kept; send it again: {error}"
            ) from error

    @abstractmethod
    async def _lost(self, refused: _Refused) -> None:
        """Do what is due when what was refused is not sent again."""

    @abstractmethod
    def _admit(self, headers: _Headers) -> None:
        """Refuse by the headers alone, before the body is read."""

    @abstractmethod
    def _check(self, headers: _Headers, body: bytes) -> None:
        """Refuse what will never be good, before it is kept."""


class AlertmanagerWebhook(_Webhook):
    """POST /webhooks/alertmanager.

    With `token`, it must come as a bearer token. `check` raises `InvalidInput` for a
    body that could never be worked in. `alarm` makes of the reason for a refusal what is kept
    in the place of what was refused: somebody must hear of alerts that are lost.
    """

    source = Source.ALERTMANAGER

    def __init__(
        self,
        inbox: Inbox,
        token: str | None,
        check: Callable[[bytes], None],
        on_result: OnResult,
        alarm: Callable[[str], bytes],
    ) -> None:
        super().__init__(inbox, on_result)
        self._token = token.encode() if token else None
        self._check_body = check
        self._alarm = alarm

    async def _lost(self, refused: _Refused) -> None:
        if refused.result in _LOSES_ALERTS:
            with suppress(TemporaryError):  # the answer and the metrics tell of it as well
                await self._inbox.add(Source.TOCSIN, self._alarm(str(refused)))

    def _admit(self, headers: _Headers) -> None:
        if self._token is None:
            return
        scheme, _, credentials = headers.get(b"authorization", b"").partition(b" ")
        right = hmac.compare_digest(credentials.strip(), self._token)
        if scheme.lower() != b"bearer" or not right:
            raise _Refused(
                WebhookResult.UNAUTHORIZED,
                "Send the header 'Authorization: Bearer TOKEN' with the token of "
                "TOCSIN_WEBHOOK_TOKEN.",
                (b"www-authenticate", b'Bearer realm="tocsin"'),
            )

    def _check(self, headers: _Headers, body: bytes) -> None:
        try:
            self._check_body(body)
        except NotJson as error:
            raise _Refused(WebhookResult.NOT_JSON, str(error)) from error
        except WrongVersion as error:
            raise _Refused(WebhookResult.WRONG_VERSION, str(error)) from error
        except InvalidInput as error:
            raise _Refused(WebhookResult.INVALID, str(error)) from error


class PagerDutyWebhook(_Webhook):
    """POST /webhooks/pagerduty, signed with the webhook subscription's `secret`.

    `verify` says whether a body's signature was made with that secret:
    ``verify(body, signature, secret)``.
    """

    source = Source.PAGERDUTY

    def __init__(
        self,
        inbox: Inbox,
        secret: str,
        verify: Callable[[bytes, str, str], bool],
        on_result: OnResult,
    ) -> None:
        super().__init__(inbox, on_result)
        self._secret = secret
        self._verify = verify

    def _admit(self, headers: _Headers) -> None:
        if b"x-pagerduty-signature" not in headers:
            raise _Refused(
                WebhookResult.UNAUTHORIZED,
                "Send PagerDuty's webhook with its header X-PagerDuty-Signature.",
            )

    async def _lost(self, refused: _Refused) -> None:
        """Nothing: what PagerDuty could not tell, it is asked for."""

    def _check(self, headers: _Headers, body: bytes) -> None:
        signature = headers[b"x-pagerduty-signature"].decode("latin-1")
        if not self._verify(body, signature, self._secret):
            raise _Refused(
                WebhookResult.UNAUTHORIZED,
                "The signature is wrong: set PAGERDUTY_WEBHOOK_SECRET to the secret of this "
                "webhook subscription.",
            )


async def _read(headers: _Headers, receive: _Receive) -> bytes:
    """The request's body, refused as soon as it is known to be too large."""
    _limit(int(headers.get(b"content-length", b"0")))
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Disconnected
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        _limit(size)
        more = message.get("more_body", False)
    return b"".join(chunks)


def _limit(size: int) -> None:
    if size > MAX_BODY:
        raise _Refused(WebhookResult.TOO_LARGE, f"The body must have at most {MAX_BODY:,} bytes.")


async def _answer(send: _Send, result: WebhookResult, body: bytes, *headers: _Header) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": _STATUS[result],
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", b"%d" % len(body)),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
