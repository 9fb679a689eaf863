"""What comes in is hostile or broken, or can't be kept: one plain sentence, never a 500."""

from __future__ import annotations

import hmac
import json
import re
import resource
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from bot.entrypoints.webhooks import MAX_BODY
from bot.sandbox.slack.inbound import signature
from tests.support.installation import API_TOKEN, TIMEOUT, WEBHOOK_TOKEN, Tocsin
from tests.support.locks import locked
from tests.support.vendors import INCIDENTS, PAGERDUTY_SECRET, SIGNING_SECRET, Vendors
from tests.support.waiting import eventually
from tests.support.webhook import alert, webhook

ALERTMANAGER, PAGERDUTY, SLACK = "webhooks/alertmanager", "webhooks/pagerduty", "slack/events"


@pytest.fixture(scope="module", autouse=True)
def _started(tocsin: Tocsin) -> Iterator[None]:
    tocsin.start()
    yield
    tocsin.stop()


def post(tocsin: Tocsin, path: str, body: bytes, **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(f"{tocsin.url}/{path}", data=body, headers=named, timeout=TIMEOUT)


def check_refused(answer: requests.Response, status: int, words: str) -> None:
    """One plain sentence, as JSON."""
    assert answer.status_code == status, answer.text
    sentence = answer.json()["error"]
    assert words in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "Traceback" not in sentence


@contextmanager
def counted(tocsin: Tocsin, sample: str) -> Iterator[None]:
    """What is done meanwhile is counted in /metrics, once."""
    before = tocsin.metric(sample)
    yield
    assert tocsin.metric(sample) == before + 1


def webhooks_sample(source: str, result: str) -> str:
    return f'tocsin_webhooks_total{{result="{result}",source="{source}"}}'


# Alertmanager


@pytest.mark.parametrize("header", [None, "Bearer wrong", f"Basic {WEBHOOK_TOKEN}", "Bearer \xe9"])
def test_an_alert_without_the_token(tocsin: Tocsin, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    body = json.dumps(webhook(alert("Stranger"))).encode()
    with counted(tocsin, webhooks_sample("alertmanager", "unauthorized")):
        answer = post(tocsin, ALERTMANAGER, body, **headers)
    check_refused(answer, 401, "TOCSIN_WEBHOOK_TOKEN")


@pytest.mark.parametrize(
    ("body", "status", "result", "words"),
    [
        (b"not json", 400, "not_json", "The body is not JSON"),
        (b"\xff\xfe", 400, "not_json", "UTF-8"),
        (json.dumps(webhook(alert("Old"), version="3")).encode(), 400, "wrong_version", '"4"'),
        (json.dumps(webhook()).encode(), 400, "invalid", "alerts must be"),
        (b'{"version":"4","alerts":' + b"[" * 100_000, 400, "invalid", "nested too deeply"),
        (b" " * (MAX_BODY + 1), 413, "too_large", "bytes"),
    ],
    ids=["not JSON", "not UTF-8", "version 3", "no alerts", "deep", "large"],
)
def test_an_alert_that_is_none(
    tocsin: Tocsin, body: bytes, status: int, result: str, words: str
) -> None:
    with counted(tocsin, webhooks_sample("alertmanager", result)):
        answer = post(tocsin, ALERTMANAGER, body, Authorization=f"Bearer {WEBHOOK_TOKEN}")
    check_refused(answer, status, words)


def test_unknown_fields_and_severities_still_page(tocsin: Tocsin, served: Vendors) -> None:
    body = webhook(alert("Unheard", severity="purple"), novelty={"of": "a later version"})
    assert tocsin.post(body).status_code == 200
    (page,) = eventually(lambda: [it for it in served.pages() if "Unheard" in it["title"]])
    assert page["title"].startswith("P1 ")


# A database that can't be written


@contextmanager
def full_disk(tocsin: Tocsin) -> Iterator[None]:
    """The listener can't write to any file: each write fails, as on a full disk."""
    listener = tocsin.child("listener")
    assert listener is not None
    before = resource.prlimit(listener, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(listener, resource.RLIMIT_FSIZE, before)


def locked_inbox(tocsin: Tocsin) -> AbstractContextManager[None]:
    return locked(tocsin.folder / "tocsin.inbox.db")


@pytest.mark.parametrize("broken", [full_disk, locked_inbox])
def test_an_alert_that_can_not_be_kept_is_refused_for_now(
    tocsin: Tocsin, served: Vendors, broken: Any
) -> None:
    body = webhook(alert(f"During {broken.__name__}"))
    fault: AbstractContextManager[None] = broken(tocsin)
    with fault, counted(tocsin, webhooks_sample("alertmanager", "unavailable")):
        check_refused(tocsin.post(body), 503, "send it again")
    assert tocsin.post(body).status_code == 200
    eventually(lambda: [page for page in served.pages() if broken.__name__ in page["title"]])


# PagerDuty


@pytest.mark.parametrize("header", [None, "v1=0", "v1=" + "0" * 64, "nonsense"])
def test_a_pagerduty_webhook_with_a_bad_signature(tocsin: Tocsin, header: str | None) -> None:
    headers = {"X-PagerDuty-Signature": header} if header else {}
    with counted(tocsin, webhooks_sample("pagerduty", "unauthorized")):
        answer = post(tocsin, PAGERDUTY, b'{"event":{}}', **headers)
    check_refused(answer, 401, "ignature")


def test_a_pagerduty_webhook_that_says_nothing_harms_nobody(tocsin: Tocsin) -> None:
    body = b'{"event": "nonsense"}'
    digest = hmac.new(PAGERDUTY_SECRET.encode(), body, "sha256").hexdigest()
    unreadable = 'tocsin_pager_events_total{reason="unreadable"}'
    before = tocsin.metric(unreadable)
    answer = post(tocsin, PAGERDUTY, body, X_PagerDuty_Signature=f"v1={digest}")
    assert answer.status_code == 200
    eventually(lambda: tocsin.metric(unreadable), lambda now: now == before + 1)


# Slack


def slack_sample(result: str) -> str:
    return f'tocsin_slack_requests_total{{result="{result}"}}'


def post_to_slack(
    tocsin: Tocsin, body: bytes, secret: str = SIGNING_SECRET, **headers: str
) -> requests.Response:
    """Post with a good signature, or with another secret's, or with other headers."""
    signed = signature(secret, body, datetime.now(UTC))
    content_type = {"Content-Type": "application/x-www-form-urlencoded"}
    return post(tocsin, SLACK, body, **{**signed, **content_type, **headers})


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"command=/incident", {"X-Slack-Signature": "v0=" + "0" * 64}),
        (b"command=/incident", {"X-Slack-Signature": ""}),
        (b"command=/incident", {"X-Slack-Request-Timestamp": str(int(time.time()) - 3_600)}),
        (b"command=/incident", {"X-Slack-Request-Timestamp": "yesterday"}),
        (b"command=/incident", {"X-Slack-Request-Timestamp": "9" * 400}),
        (b"command=/incident", {"X-Slack-Request-Timestamp": "nan"}),
        (b"\xff\xfe\x00command", {}),
    ],
    ids=["wrong", "none", "stale", "no number", "huge number", "nan", "not UTF-8"],
)
def test_a_request_that_slack_did_not_sign(
    tocsin: Tocsin, body: bytes, headers: Mapping[str, str]
) -> None:
    with counted(tocsin, slack_sample("unauthorized")):
        answer = post_to_slack(tocsin, body, **headers)
    check_refused(answer, 401, "signature")


def test_a_request_signed_an_hour_ago(tocsin: Tocsin) -> None:
    body = b"command=/incident&text=list"
    old = signature(SIGNING_SECRET, body, datetime.fromtimestamp(time.time() - 3_600, UTC))
    check_refused(post(tocsin, SLACK, body, **old), 401, "signature")


def test_a_request_of_another_app(tocsin: Tocsin) -> None:
    answer = post_to_slack(tocsin, b"command=/incident", secret="another app's")
    check_refused(answer, 401, "signature")


def test_a_huge_request(tocsin: Tocsin) -> None:
    with counted(tocsin, slack_sample("too_large")):
        answer = post_to_slack(tocsin, b"text=" + b"x" * (1024 * 1024))
    check_refused(answer, 413, "larger")


@pytest.mark.parametrize(
    "payload", ["not json", "[]", "null", '"text"', "{", "[" * 100_000], ids=lambda text: text[:8]
)
def test_an_interaction_that_is_no_json_object(tocsin: Tocsin, payload: str) -> None:
    with counted(tocsin, slack_sample("not_json")):
        answer = post_to_slack(tocsin, urlencode({"payload": payload}).encode())
    check_refused(answer, 400, "JSON")


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":"event_callback","event":7}',
        urlencode({"payload": '{"type":"block_actions","user":7,"actions":[7]}'}).encode(),
    ],
)
def test_a_signed_payload_of_no_known_shape(tocsin: Tocsin, body: bytes) -> None:
    with counted(tocsin, slack_sample("not_understood")):
        answer = post_to_slack(tocsin, body)
    check_refused(answer, 400, "Slack")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"command=",
        b"command=/incident",
        urlencode({"payload": "{}"}).encode(),
        urlencode({"payload": '{"type":"block_actions"}'}).encode(),
        b'{"type":"url_verification"}',
    ],
)
def test_a_signed_request_without_sense_is_no_server_error(tocsin: Tocsin, body: bytes) -> None:
    assert post_to_slack(tocsin, body).status_code < 500


# Commands


def typed(served: Vendors, text: str) -> str:
    """What the one who typed is answered, and nobody else."""
    command, _, rest = text.partition(" ")
    reply = served.slack.command("ana", INCIDENTS, command, rest)
    assert reply["ok"], reply
    assert reply["answer"]["response_type"] == "ephemeral"
    return json.dumps(reply["answer"]["blocks"], ensure_ascii=False)


@pytest.fixture(scope="module")
def incident_id(tocsin: Tocsin, _started: None) -> int:
    assert tocsin.post(webhook(alert("Known"))).status_code == 200
    incidents = eventually(
        lambda: [one for one in tocsin.api("incidents") if one["title"].startswith("Known")]
    )
    return int(incidents[0]["id"])


def test_a_note_may_hold_the_word_payload(
    tocsin: Tocsin, served: Vendors, incident_id: int
) -> None:
    said = typed(
        served, f"/incident note {incident_id} the payload={{}}&payload= is <!here> broken"
    )
    assert f"Noted on INC-{incident_id}" in said
    texts = [entry["text"] for entry in tocsin.api(f"incidents/{incident_id}/timeline")]
    assert "Note: the payload={}&payload= is <!here> broken" in texts


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        ("/incident shwo 1", ["Did you mean “show”", "/incident timeline ID"]),
        ("/incident show 999999", ["999999"]),
        ("/incident show abc", ["is not a number", "Usage: /incident show ID"]),
        ("/incident ack", ["The number is missing", "Usage: /incident ack ID"]),
        ("/incident frobnicate", ["There is no “frobnicate”", "/incident list"]),
        ("/runbok list", ["Did you mean “/runbook”"]),
        ("/runbook run restrat payments/checkout", ["restart"]),
        ("/runbook show restart@9.9.9", ["1.0.0"]),
        ("/runbook run", ["Which runbook?", "/runbook run NAME"]),
        ("/restart", ["workload"]),
        ("/restart payments/checkout sok=1s", ["soak"]),
        ("/restart payments/checkout soak=soon", ["soak"]),
        ('/runbook run restart "payments/checkout', ["quotation mark"]),
        (f"/incident note 1 {'x' * 4_000}", ["3000"]),
        ("/rollback " + "a" * 5_000, ["workload"]),
    ],
)
def test_a_command_that_can_not_be_done(
    served: Vendors, incident_id: int, command: str, parts: list[str]
) -> None:
    said = typed(served, command)
    for part in parts:
        assert part in said


def test_a_command_while_the_database_can_not_be_written(
    tocsin: Tocsin, served: Vendors, incident_id: int
) -> None:
    with locked(tocsin.folder / "tocsin.db"):
        assert "nothing was done" in typed(served, f"/incident ack {incident_id}")
    assert "acknowledged" in typed(served, f"/incident ack {incident_id}")


# The API


def get(tocsin: Tocsin, path: str, token: str | None = API_TOKEN) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.get(f"{tocsin.url}{path}", headers=headers, timeout=TIMEOUT)


@pytest.mark.parametrize("token", [None, "wrong", WEBHOOK_TOKEN])
@pytest.mark.parametrize("path", ["incidents", "incidents/1", "alerts", "runs", "runs/1"])
def test_the_api_without_its_token(tocsin: Tocsin, path: str, token: str | None) -> None:
    check_refused(get(tocsin, f"/api/v1/{path}", token), 401, "TOCSIN_API_TOKEN")


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/v1/incidents/999999", 404, "999999"),
        ("/api/v1/incidents/999999/timeline", 404, "999999"),
        ("/api/v1/runs/999999", 404, "999999"),
        ("/api/v1/incidents?limit=0", 400, "limit"),
        ("/api/v1/incidents?limit=501", 400, "limit"),
        ("/api/v1/alerts?incident_id=x", 400, "incident_id"),
        ("/api/v1/incidents/x", 400, "incident_id"),
        (f"/api/v1/incidents/{10**30}", 400, "incident_id"),
        (f"/api/v1/alerts?incident_id={10**30}", 400, "incident_id"),
        ("/api/v1/nothing", 404, ""),
        ("/nothing", 404, ""),
    ],
)
def test_a_wrong_question_to_the_api(tocsin: Tocsin, path: str, status: int, words: str) -> None:
    answer = get(tocsin, path)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["error"]


def test_the_api_describes_itself(tocsin: Tocsin) -> None:
    described = get(tocsin, "/api/openapi.json", token=None).json()
    assert described["openapi"].startswith("3.")
    assert set(described["paths"]) == {
        "/api/v1/incidents",
        "/api/v1/incidents/{incident_id}",
        "/api/v1/incidents/{incident_id}/timeline",
        "/api/v1/alerts",
        "/api/v1/attachments/{attachment_id}",
        "/api/v1/runs",
        "/api/v1/runs/{run_id}",
    }
    assert "HTTPBearer" in described["components"]["securitySchemes"]
    schemas = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    referred_to = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(described)))
    assert "#/components/schemas/IncidentOut" in referred_to
    assert referred_to <= schemas
