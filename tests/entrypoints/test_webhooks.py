"""The webhooks over real HTTP: what is kept, what is refused, and with which words."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.adapters.alertmanager import check_delivery
from bot.adapters.inbox import Inbox
from bot.adapters.pagerduty_webhook import verify_signature
from bot.entrypoints.webhooks import (
    MAX_BODY,
    AlertmanagerWebhook,
    PagerDutyWebhook,
    WebhookResult,
)
from bot.ports import Source
from tests.support.serve import serve
from tests.support.waiting import eventually

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "alertmanager"
FIRING = json.dumps(json.loads((SAMPLES / "firing.json").read_text())["body"]).encode()
TOKEN = "a token"
SECRET = "a secret"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class Listener:
    """A served webhook, its inbox, and how it said that it answered."""

    url: str
    inbox: Inbox
    results: Counter[WebhookResult] = field(default_factory=Counter)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)

    def post(self, body: bytes, headers: dict[str, str], method: str = "POST") -> Answer:
        connection = self.connect()
        connection.request(method, "/", body, headers)
        answer = answer_on(connection)
        connection.close()
        return answer

    def bodies(self) -> list[bytes]:
        """What was accepted."""
        rows = self.inbox.read(limit=100_000)
        return [row.body for row in rows if row.source is not Source.TOCSIN]

    def alarms(self) -> list[str]:
        """What somebody is told of."""
        rows = self.inbox.read(limit=100_000)
        return [row.body.decode() for row in rows if row.source is Source.TOCSIN]


def answer_on(connection: http.client.HTTPConnection) -> Answer:
    response = connection.getresponse()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, json.loads(response.read()))


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    opened = Inbox(f"sqlite:///{tmp_path}/tocsin.db")
    yield opened
    opened.close()


@pytest.fixture
def alertmanager(inbox: Inbox) -> Iterator[Listener]:
    results: Counter[WebhookResult] = Counter()
    app = AlertmanagerWebhook(
        inbox, TOKEN, check_delivery, lambda result: results.update([result]), str.encode
    )
    with serve(app) as url:
        yield Listener(url, inbox, results)


@pytest.fixture
def pagerduty(inbox: Inbox) -> Iterator[Listener]:
    results: Counter[WebhookResult] = Counter()
    app = PagerDutyWebhook(inbox, SECRET, verify_signature, lambda result: results.update([result]))
    with serve(app) as url:
        yield Listener(url, inbox, results)


def test_a_webhook_is_in_the_inbox_when_it_is_answered(alertmanager: Listener) -> None:
    answer = alertmanager.post(FIRING, AUTHORIZED)

    assert (answer.status, answer.body) == (200, {"ok": True})
    assert answer.headers["content-type"] == "application/json"
    (row,) = alertmanager.inbox.read(limit=2)
    assert (row.source, row.body) == (Source.ALERTMANAGER, FIRING)
    assert alertmanager.results == {WebhookResult.ACCEPTED: 1}


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_what_alertmanager_sends_is_accepted(alertmanager: Listener, path: Path) -> None:
    captured = json.loads(path.read_text())
    body = json.dumps(captured["body"]).encode()
    own = {"Host", "Content-Length", "Authorization"}
    headers = {name: value for name, value in captured["headers"].items() if name not in own}

    assert alertmanager.post(body, headers | AUTHORIZED).status == 200
    assert alertmanager.bodies() == [body]


def test_many_at_once_are_all_kept(alertmanager: Listener) -> None:
    bodies = [FIRING.replace(b"Single", b"Single%d" % number) for number in range(200)]

    with ThreadPoolExecutor(16) as senders:
        answers = list(senders.map(lambda body: alertmanager.post(body, AUTHORIZED), bodies))

    assert {answer.status for answer in answers} == {200}
    assert sorted(alertmanager.bodies()) == sorted(bodies)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer another token"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer \xff"},
    ],
)
def test_without_the_right_token_nothing_is_kept(
    alertmanager: Listener, headers: dict[str, str]
) -> None:
    answer = alertmanager.post(FIRING, headers)

    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "TOCSIN_WEBHOOK_TOKEN" in answer.body["error"]
    assert alertmanager.bodies() == []
    assert alertmanager.results == {WebhookResult.UNAUTHORIZED: 1}


def test_the_scheme_is_read_without_regard_to_case(alertmanager: Listener) -> None:
    assert alertmanager.post(FIRING, {"Authorization": f"bearer {TOKEN}"}).status == 200


def test_where_no_token_is_set_none_is_asked_for(inbox: Inbox) -> None:
    with serve(
        AlertmanagerWebhook(inbox, None, check_delivery, lambda result: None, str.encode)
    ) as url:
        assert Listener(url, inbox).post(FIRING, {}).status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post_is_allowed(alertmanager: Listener, method: str) -> None:
    answer = alertmanager.post(b"", AUTHORIZED, method)

    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert alertmanager.results == {WebhookResult.WRONG_METHOD: 1}


@pytest.mark.parametrize(
    ("body", "result", "says"),
    [
        (b"", WebhookResult.NOT_JSON, "The body is not JSON"),
        (b"\xff\xfe", WebhookResult.NOT_JSON, "The body is not UTF-8"),
        (b"{", WebhookResult.NOT_JSON, "The body is not JSON"),
        (b"[]", WebhookResult.INVALID, "The body must be a JSON object"),
        (b'{"version": "3"}', WebhookResult.WRONG_VERSION, 'version must be "4"'),
        (b'{"version": "4"}', WebhookResult.INVALID, "status is missing"),
        (FIRING.replace(b'"labels"', b'"lables"'), WebhookResult.INVALID, "alerts[0].labels is"),
        (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", WebhookResult.INVALID, "The body is"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(
    alertmanager: Listener, body: bytes, result: WebhookResult, says: str
) -> None:
    answer = alertmanager.post(body, AUTHORIZED)

    assert answer.status == 400
    assert list(answer.body) == ["error"]
    assert answer.body["error"].startswith(says)
    assert alertmanager.bodies() == []
    assert alertmanager.results == {result: 1}


def test_a_large_body_is_kept_up_to_the_limit(alertmanager: Listener) -> None:
    padding = b" " * (MAX_BODY - len(FIRING))

    assert alertmanager.post(FIRING + padding, AUTHORIZED).status == 200
    assert alertmanager.post(FIRING + padding + b" ", AUTHORIZED).status == 413
    assert alertmanager.results == {WebhookResult.ACCEPTED: 1, WebhookResult.TOO_LARGE: 1}


def test_alerts_that_are_lost_by_a_refusal_are_told_of(alertmanager: Listener) -> None:
    """Alertmanager gives up on them, so this is the last that is heard of them."""
    answer = alertmanager.post(FIRING[:-1], AUTHORIZED)
    assert eventually(alertmanager.alarms) == [answer.body["error"]]


def test_who_is_not_admitted_raises_no_alarm(alertmanager: Listener) -> None:
    assert alertmanager.post(FIRING, {}).status == 401
    assert alertmanager.post(b"", AUTHORIZED, "GET").status == 405
    assert alertmanager.alarms() == []


def test_a_body_that_says_it_is_too_large_is_not_read(alertmanager: Listener) -> None:
    connection = alertmanager.connect()
    connection.putrequest("POST", "/")
    connection.putheader("Authorization", f"Bearer {TOKEN}")
    connection.putheader("Content-Length", str(MAX_BODY + 1))
    connection.endheaders()
    answer = answer_on(connection)
    connection.close()

    assert answer.status == 413
    assert answer.body == {"error": "The body must have at most 33,554,432 bytes."}


def test_a_streamed_body_is_refused_once_it_is_too_large(alertmanager: Listener) -> None:
    connection = alertmanager.connect()
    chunks = (b" " * 65_536 for _ in range(MAX_BODY // 65_536 + 1))
    connection.request("POST", "/", chunks, AUTHORIZED, encode_chunked=True)
    assert answer_on(connection).status == 413

    connection.request("POST", "/", FIRING, AUTHORIZED)
    assert answer_on(connection).status == 200
    connection.close()


def test_a_streamed_body_is_put_together(alertmanager: Listener) -> None:
    connection = alertmanager.connect()
    chunks = (FIRING[at : at + 100] for at in range(0, len(FIRING), 100))
    connection.request("POST", "/", chunks, AUTHORIZED, encode_chunked=True)
    assert answer_on(connection).status == 200
    connection.close()

    assert alertmanager.bodies() == [FIRING]


def test_a_sender_that_goes_away_leaves_nothing(alertmanager: Listener) -> None:
    url = urlsplit(alertmanager.url)
    with socket.create_connection((url.hostname, url.port)) as sender:
        head = f"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
        sender.sendall(f"{head}Content-Length: {len(FIRING)}\r\n\r\n".encode() + FIRING[:50])

    assert alertmanager.post(FIRING, AUTHORIZED).status == 200
    assert alertmanager.bodies() == [FIRING]
    assert alertmanager.results == {WebhookResult.ACCEPTED: 1}


def test_while_nothing_can_be_kept_the_sender_is_told_to_repeat(
    alertmanager: Listener, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "tocsin.inbox.db")
    other.execute("BEGIN IMMEDIATE")
    answer = alertmanager.post(FIRING, AUTHORIZED)
    other.close()

    assert answer.status == 503
    assert answer.body["error"].startswith("The webhook was not kept; send it again")
    assert alertmanager.bodies() == []

    assert alertmanager.post(FIRING, AUTHORIZED).status == 200
    assert alertmanager.bodies() == [FIRING]
    assert alertmanager.results == {WebhookResult.UNAVAILABLE: 1, WebhookResult.ACCEPTED: 1}


def test_other_requests_are_answered_while_the_disk_is_waited_for(
    alertmanager: Listener, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "tocsin.inbox.db")
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as senders:
        waiting = senders.submit(alertmanager.post, FIRING, AUTHORIZED)
        began = time.monotonic()
        assert alertmanager.post(b"", AUTHORIZED).status == 400
        assert not waiting.done(), f"both were answered, after {time.monotonic() - began:.1f} s"
        other.close()
        assert waiting.result().status == 200


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200))
def test_any_bytes_are_answered_with_200_or_400(alertmanager: Listener, body: bytes) -> None:
    answer = alertmanager.post(body, AUTHORIZED)

    assert answer.status in (200, 400)
    assert (answer.status == 400) is ("error" in answer.body)


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-PagerDuty-Signature": f"v1={signature}"}


def test_a_signed_event_of_pagerduty_is_kept(pagerduty: Listener) -> None:
    body = b'{"event": {"id": "01ABC"}}'

    assert pagerduty.post(body, signed(body)).status == 200
    (row,) = pagerduty.inbox.read(limit=2)
    assert (row.source, row.body) == (Source.PAGERDUTY, body)
    assert pagerduty.results == {WebhookResult.ACCEPTED: 1}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-PagerDuty-Signature": ""},
        {"X-PagerDuty-Signature": "v1=\xff\xfe"},
        signed(b"{}", "another secret"),
        signed(b"another body"),
    ],
)
def test_an_event_without_a_right_signature_is_refused(
    pagerduty: Listener, headers: dict[str, str]
) -> None:
    answer = pagerduty.post(b"{}", headers)

    assert answer.status == 401
    assert "ignature" in answer.body["error"]
    assert pagerduty.bodies() == []
    assert pagerduty.results == {WebhookResult.UNAUTHORIZED: 1}


def test_an_event_that_is_too_large_is_refused(pagerduty: Listener) -> None:
    body = bytes(MAX_BODY + 1)

    assert pagerduty.post(body, signed(body)).status == 413
