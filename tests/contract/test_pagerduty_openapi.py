"""Recorded traffic against PagerDuty's own OpenAPI files.

The adapter talks to the stand-in; what it sent and what it was answered must both be
what PagerDuty documents. So the adapter is right for PagerDuty, and the stand-in a
fair replacement of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import Queue

import httpx2
import pytest
from jsonschema.exceptions import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.adapters.pagerduty import PagerDutyPager
from bot.adapters.pagerduty_webhook import parse_webhook, verify_signature
from bot.app.pager_tickets import PagerTickets
from bot.domain.classify import Severity
from bot.domain.errors import TocsinError
from bot.domain.page import Page
from bot.sandbox.pagerduty import SandboxPagerDuty, pagerduty_app
from tests.support.openapi import Contract, without_nulls
from tests.support.serve import serve
from tests.support.tickets import a_ticket

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
SECRET = "hush"
NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
PAGE = Page(
    "incident-7",
    "Checkout is down",
    Severity.P0,
    "prod/checkout",
    NOW,
    {"service": "checkout", "cluster": "prod", "alertname": "CheckoutDown"},
    "https://tocsin.example/incidents/7",
)


@pytest.fixture(scope="module")
def contracts(shared: Path) -> Path:
    folder = shared / "contracts" / "pagerduty"
    if not folder.is_dir():
        pytest.skip(f"PagerDuty's OpenAPI files are missing: {folder}")
    return folder


@pytest.fixture(scope="module")
def events(contracts: Path) -> Contract:
    return Contract(contracts / "events-v2.openapi.json")


@pytest.fixture(scope="module")
def rest(contracts: Path) -> Contract:
    return Contract(contracts / "rest.openapi.json")


@dataclass(frozen=True)
class Setup:
    """The adapter and the stand-in that it talks to."""

    pager: PagerDutyPager
    sandbox: SandboxPagerDuty
    url: str


@contextmanager
def running(sandbox: SandboxPagerDuty) -> Iterator[Setup]:
    with serve(pagerduty_app(sandbox)) as url:
        yield Setup(PagerDutyPager(ROUTING_KEY, url), sandbox, url)
    sandbox.close()


@pytest.fixture(scope="module")
def shared_setup() -> Iterator[Setup]:
    with running(SandboxPagerDuty(now=lambda: NOW)) as setup:
        yield setup


@pytest.fixture
def setup(shared_setup: Setup) -> Setup:
    shared_setup.sandbox.load({"incidents": []})
    shared_setup.sandbox.ledger.clear()
    shared_setup.sandbox.incident_keys = True
    return shared_setup


ENQUEUE = ("paths", "/enqueue", "post")
JSON_BODY = ("content", "application/json", "schema")


def test_what_the_adapter_sends_is_documented(setup: Setup, events: Contract) -> None:
    setup.pager.trigger(PAGE)
    setup.pager.acknowledge(PAGE.dedup_key)
    setup.pager.resolve(PAGE.dedup_key)
    setup.pager.trigger(PAGE.smallest())

    bodies = [request.body for request in setup.sandbox.ledger]

    actions = [body["event_action"] for body in bodies]
    assert actions == ["trigger", "acknowledge", "resolve", "trigger"]
    known = events.part(*ENQUEUE, "requestBody", *JSON_BODY, "properties")
    for body in bodies:
        events.check(body, *ENQUEUE, "requestBody", *JSON_BODY)
        assert body.keys() <= known.keys()
    payload = bodies[0]["payload"]
    assert payload.keys() <= events.part("components", "schemas", "Payload", "properties").keys()
    assert datetime.fromisoformat(payload["timestamp"]) == NOW


def test_what_tickets_send_is_documented(setup: Setup, events: Contract) -> None:
    tickets = PagerTickets(setup.pager, ROUTING_KEY)
    ref = tickets.create(a_ticket())
    tickets.update(ref, a_ticket(title="P1 It became worse", severity=Severity.P1))
    tickets.close(ref, a_ticket(over=True))
    tickets.reopen(ref, a_ticket(severity=Severity.P3, link=""))
    tickets.verify()

    bodies = [request.body for request in setup.sandbox.ledger]

    actions = [body["event_action"] for body in bodies]
    assert actions == ["trigger", "trigger", "resolve", "trigger", "resolve"]
    known = events.part(*ENQUEUE, "requestBody", *JSON_BODY, "properties")
    for body in bodies:
        events.check(body, *ENQUEUE, "requestBody", *JSON_BODY)
        assert body.keys() <= known.keys()


def test_the_contract_would_notice_a_wrong_event(setup: Setup, events: Contract) -> None:
    setup.pager.trigger(PAGE)
    body = setup.sandbox.ledger[0].body
    for wrong in (
        {name: value for name, value in body.items() if name != "routing_key"},
        body | {"event_action": "page"},
        body | {"payload": body["payload"] | {"severity": "P0"}},
        body | {"links": [{"text": "no address"}]},
    ):
        with pytest.raises(ValidationError):
            events.check(wrong, *ENQUEUE, "requestBody", *JSON_BODY)


def test_the_contract_would_notice_a_wrong_incident(setup: Setup, rest: Contract) -> None:
    setup.pager.trigger(PAGE)
    path = f"{setup.url}/incidents/Q000001"
    incident = httpx2.get(path, headers={"Authorization": "Token token=any"}).json()["incident"]
    rest.check(incident, "components", "schemas", "Incident")
    for wrong in (
        incident | {"status": "open"},
        incident | {"service": {"id": "PSANDBX", "type": "user_reference"}},
        incident | {"acknowledgements": [{"at": "now"}]},
    ):
        with pytest.raises(ValidationError):
            rest.check(wrong, "components", "schemas", "Incident")


def test_what_the_stand_in_accepts_is_answered_as_documented(
    setup: Setup, events: Contract
) -> None:
    setup.pager.trigger(PAGE)
    setup.pager.acknowledge(PAGE.dedup_key)
    setup.pager.resolve(PAGE.dedup_key)
    known = events.part("components", "responses", "Success", *JSON_BODY, "properties")
    for request in setup.sandbox.ledger:
        assert request.status == 202
        events.check(request.answer, "components", "responses", "Success", *JSON_BODY)
        assert request.answer is not None
        assert request.answer.keys() == known.keys()


def test_what_the_stand_in_refuses_is_answered_as_documented(
    setup: Setup, events: Contract
) -> None:
    setup.sandbox.fail_next(429)
    setup.sandbox.fail_next(500)
    for pager in (setup.pager, setup.pager, PagerDutyPager("short", setup.url)):
        with suppress(TocsinError):
            pager.trigger(PAGE)
    httpx2.post(f"{setup.url}/v2/enqueue", content=b"nonsense")
    answers = [(request.status, request.answer) for request in setup.sandbox.ledger]
    assert [status for status, _ in answers] == [429, 500, 400, 400]
    for _, answer in answers:
        events.check(answer, "components", "responses", "Error", *JSON_BODY)


@pytest.mark.parametrize(
    ("path", "documented"),
    [
        ("/incidents", "/incidents"),
        ("/incidents/Q000001", "/incidents/{id}"),
        ("/incidents/Q000001/alerts", "/incidents/{id}/alerts"),
        ("/incidents/Q000001/notes", "/incidents/{id}/notes"),
        ("/services", "/services"),
        ("/services/PSANDBX", "/services/{id}"),
        ("/escalation_policies", "/escalation_policies"),
        ("/users", "/users"),
        ("/oncalls", "/oncalls"),
        ("/users/me", "/users/me"),
        ("/abilities", "/abilities"),
    ],
)
@pytest.mark.parametrize("incident_keys", [True, False])
def test_what_can_be_read_is_as_documented(
    setup: Setup, rest: Contract, path: str, documented: str, incident_keys: bool
) -> None:
    setup.sandbox.incident_keys = incident_keys
    setup.pager.trigger(PAGE)
    setup.sandbox.acknowledge("Q000001", "Ada")
    setup.sandbox.annotate("Q000001", "Looking at it", "Ada")
    answer = httpx2.get(setup.url + path, headers={"Authorization": "Token token=any"})
    rest.check(
        without_nulls(answer.json()), "paths", documented, "get", "responses", "200", *JSON_BODY
    )


@pytest.mark.parametrize(
    ("path", "token", "response"),
    [
        ("/incidents", "", "Unauthorized"),
        ("/incidents/Q9", "Token token=any", "NotFound"),
        ("/incidents?limit=x", "Token token=any", "ArgumentError"),
    ],
)
def test_what_cannot_be_read_is_refused_as_documented(
    setup: Setup, rest: Contract, path: str, token: str, response: str
) -> None:
    body = httpx2.get(setup.url + path, headers={"Authorization": token}).json()
    rest.check(body, "components", "responses", response, *JSON_BODY)
    assert body["error"].keys() == {"code", "message"}


# https://developer.pagerduty.com/docs/webhooks-overview, the examples of `event` and `incident`
EVENT_FIELDS = {
    "agent",
    "client",
    "data",
    "event_type",
    "id",
    "occurred_at",
    "resource_type",
}
INCIDENT_FIELDS = {
    "assignees",
    "conference_bridge",
    "created_at",
    "escalation_policy",
    "html_url",
    "id",
    "incident_key",
    "number",
    "priority",
    "resolve_reason",
    "self",
    "service",
    "status",
    "teams",
    "title",
    "type",
    "urgency",
}


@pytest.fixture
def webhooks() -> Iterator[list[tuple[str, bytes]]]:
    """The signature and body of each webhook that one incident's life brings."""
    received: Queue[tuple[str, bytes]] = Queue()

    async def receive(request: Request) -> Response:
        received.put((request.headers["x-pagerduty-signature"], await request.body()))
        return Response()

    with serve(Starlette(routes=[Route("/hook", receive, methods=["POST"])])) as url:
        sandbox = SandboxPagerDuty(
            now=lambda: NOW, webhook_url=f"{url}/hook", webhook_secret=SECRET
        )
        with running(sandbox) as setup:
            setup.pager.trigger(PAGE)
            sandbox.acknowledge("Q000001", "Ada")
            setup.pager.resolve(PAGE.dedup_key)
            yield [received.get(timeout=10) for _ in range(3)]


def test_webhooks_have_the_documented_fields_and_are_understood(
    webhooks: list[tuple[str, bytes]], rest: Contract
) -> None:
    kinds = ("triggered", "acknowledged", "resolved")
    for kind, (signature, body) in zip(kinds, webhooks, strict=True):
        event = json.loads(body)["event"]
        assert event.keys() == EVENT_FIELDS
        assert event["data"].keys() == INCIDENT_FIELDS
        rest.check(event["agent"], "components", "schemas", "Reference")
        rest.check(event["data"]["service"], "components", "schemas", "ServiceReference")

        assert verify_signature(body, signature, SECRET)
        understood = parse_webhook(body)
        assert understood.event_type == f"incident.{kind}"
        assert understood.dedup_key == PAGE.dedup_key
        assert understood.occurred_at == NOW
