"""The way out: signed webhooks, delivered in order and behind the caller's back.

As PagerDuty does (https://developer.pagerduty.com/docs/webhook-behavior): an answer
within 5 seconds; no answer, 429 and 5xx are tried again, every other status drops the
webhook. PagerDuty makes 5 tries in 20 minutes, the sandbox 3 in a second.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2

from bot.sandbox.pagerduty.records import Document

TRIES = 3
PAUSE_SECONDS = 0.5
TIMEOUT_SECONDS = 5.0


class WebhookSender:
    """Sends to one URL, one webhook after the other, in a thread of its own."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._secret = secret.encode()
        self._closed = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sandbox-pagerduty-webhooks")

    def send(self, document: Document, tell: Callable[[str], None]) -> None:
        """Deliver soon; `tell` is then called with the outcome in words."""
        self._thread.submit(lambda: tell(self._outcome(document)))

    def close(self) -> None:
        """Drop what is still to be sent."""
        self._closed.set()
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _outcome(self, document: Document) -> str:
        body = json.dumps(document).encode()
        answer = "nothing"
        for attempt in range(TRIES):
            if attempt and self._closed.wait(PAUSE_SECONDS):
                break
            answer, final = self._post(body, document["event"]["id"])
            if final:
                break
        return f"webhook {document['event']['event_type']} answered with {answer}"

    def _post(self, body: bytes, webhook_id: str) -> tuple[str, bool]:
        """The answer in words, and whether it is the last one."""
        digest = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "PagerDuty-Webhook/V3.0",
            "X-PagerDuty-Signature": f"v1={digest}",
            "X-Webhook-Id": webhook_id,
        }
        try:
            response = httpx2.post(
                self._url, content=body, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False
            )
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return f"{type(error).__name__}: {error}", False
        again = response.is_server_error or response.status_code == 429
        return str(response.status_code), not again
