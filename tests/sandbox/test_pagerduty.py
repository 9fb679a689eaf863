"""The PagerDuty stand-in: its incidents, its refusals, its webhooks and its faults."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import Queue
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.domain.errors import InvalidInput, NotFound
from bot.sandbox.pagerduty import SandboxPagerDuty, pagerduty_app
from bot.sandbox.slack.state import seeded
from tests.support.serve import serve

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
OTHER_KEY = "fedcba9876543210fedcba9876543210"
SECRET = "hush"
NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
SECONDS = 10.0


@dataclass
class Service:
    """A client of a stand-in that is being served."""

    pager: SandboxPagerDuty
    url: str

    def enqueue(self, **event: Any) -> httpx2.Response:
        return self.post("/v2/enqueue", json={"routing_key": ROUTING_KEY} | event)

    def trigger(self, dedup_key: str = "key", **changes: Any) -> httpx2.Response:
        payload = {"summary": "It is down", "source": "checkout", "severity": "critical"}
        event = {"event_action": "trigger", "dedup_key": dedup_key, "payload": payload}
        return self.enqueue(**(event | changes))

    def post(self, path: str, **arguments: Any) -> httpx2.Response:
        return httpx2.post(self.url + path, timeout=SECONDS, **arguments)

    def get(self, path: str, token: str = "Token token=any") -> httpx2.Response:
        headers = {"Authorization": token}
        return httpx2.get(self.url + path, timeout=SECONDS, headers=headers)

    def statuses(self) -> list[str]:
        return [incident.status.value for incident in self.pager.incidents()]


@pytest.fixture(scope="module")
def served() -> Iterator[Service]:
    pager = SandboxPagerDuty(now=lambda: NOW)
    with serve(pagerduty_app(pager)) as url:
        yield Service(pager, url)


@pytest.fixture
def service(served: Service) -> Service:
    served.pager.load({"incidents": []})
    served.pager.ledger.clear()
    return served


# Events


def test_a_trigger_opens_an_incident(service: Service) -> None:
    answer = service.trigger("key")
    assert answer.status_code == 202
    assert answer.json() == {"status": "success", "message": "Event processed", "dedup_key": "key"}
    (incident,) = service.pager.incidents()
    assert (incident.status, incident.title, incident.severity) == (
        "triggered",
        "It is down",
        "critical",
    )


def test_a_repeated_trigger_changes_the_alert_of_the_same_incident(service: Service) -> None:
    service.trigger()
    service.trigger(payload={"summary": "Worse", "source": "x", "severity": "error"})
    (incident,) = service.pager.incidents()
    assert (incident.title, incident.alert_summary) == ("It is down", "Worse")


def test_repeated_triggers_raise_severity_and_urgency_and_never_lower_them(
    service: Service,
) -> None:
    seen = []
    for severity in ("info", "critical", "warning"):
        service.trigger(payload={"summary": "It is down", "source": "x", "severity": severity})
        (incident,) = service.pager.incidents()
        seen.append((incident.severity, incident.urgency))
    assert seen == [("info", "low"), ("critical", "high"), ("critical", "high")]


def test_a_trigger_after_the_resolve_opens_a_new_incident(service: Service) -> None:
    service.trigger()
    service.enqueue(event_action="resolve", dedup_key="key")
    service.trigger()
    assert service.statuses() == ["resolved", "triggered"]


def test_a_trigger_without_a_key_is_given_one(service: Service) -> None:
    keys = {service.trigger("").json()["dedup_key"], service.trigger("").json()["dedup_key"]}
    assert len(keys) == 2
    assert {incident.dedup_key for incident in service.pager.incidents()} == keys


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_an_action_without_an_open_alert_is_dropped(service: Service, action: str) -> None:
    assert service.enqueue(event_action=action, dedup_key="key").status_code == 202
    assert service.statuses() == []
    service.trigger()
    service.enqueue(event_action="resolve", dedup_key="key")
    assert service.enqueue(event_action=action, dedup_key="key").status_code == 202
    assert service.statuses() == ["resolved"]


@pytest.mark.parametrize(
    ("action", "status"), [("acknowledge", "acknowledged"), ("resolve", "resolved")]
)
def test_an_action_needs_the_routing_key_of_the_trigger(
    service: Service, action: str, status: str
) -> None:
    service.trigger()
    service.enqueue(event_action=action, dedup_key="key", routing_key=OTHER_KEY)
    assert service.statuses() == ["triggered"]
    service.enqueue(event_action=action, dedup_key="key")
    assert service.statuses() == [status]


@pytest.mark.parametrize(
    ("event", "errors"),
    [
        (
            {"routing_key": "short!"},
            [
                "Length of 'routing_key' is incorrect (should be 32 characters)",
                "'routing_key' cannot contain non-alphanumeric characters.",
            ],
        ),
        (
            {"routing_key": None},
            ["Length of 'routing_key' is incorrect (should be 32 characters)"],
        ),
        (
            {"event_action": "page"},
            [
                "'event_action' is invalid"
                " (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"
            ],
        ),
        ({"event_action": "resolve", "dedup_key": ""}, ["'dedup_key' is missing or blank"]),
        ({"dedup_key": "k" * 256}, ["'dedup_key' is too long (maximum is 255 characters)"]),
        ({"dedup_key": 7}, ["'dedup_key' must be a string"]),
        (
            {"payload": None},
            [
                "'payload.summary' is missing or blank",
                "'payload.source' is missing or blank",
                "'payload.severity' is missing or blank",
            ],
        ),
        (
            {"payload": {"summary": "s" * 1025, "source": "x", "severity": "P0"}},
            [
                "'summary' is too long (maximum is 1024 characters)",
                "'payload.severity' is invalid (must be one of the following:"
                " 'critical', 'warning', 'error' or 'info')",
            ],
        ),
    ],
)
def test_an_invalid_event_is_refused_with_all_its_errors(
    service: Service, event: dict[str, Any], errors: list[str]
) -> None:
    answer = service.trigger(**event)
    assert answer.status_code == 400
    assert answer.json() == {
        "status": "invalid event",
        "message": "Event object is invalid",
        "errors": errors,
    }
    assert service.statuses() == []


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"[" * 100_000, b'"' + b"x" * 600_000])
def test_what_is_no_event_is_refused(service: Service, body: bytes) -> None:
    answer = service.post("/v2/enqueue", content=body)
    assert answer.status_code == 400
    assert answer.json()["message"] == "Event object format is unrecognized"


def test_only_issued_routing_keys_are_accepted() -> None:
    pager = SandboxPagerDuty(now=lambda: NOW, routing_keys={ROUTING_KEY})
    with serve(pagerduty_app(pager)) as url:
        service = Service(pager, url)
        assert service.trigger().status_code == 202
        answer = service.trigger(routing_key=OTHER_KEY)
    assert (answer.status_code, answer.json()["errors"]) == (400, ["Invalid routing key"])


def test_a_change_event_opens_nothing(service: Service) -> None:
    change = {"routing_key": ROUTING_KEY, "payload": {"summary": "Deployed"}}
    assert service.post("/v2/change/enqueue", json=change).status_code == 202
    assert service.post("/v2/change/enqueue", json=change | {"payload": {}}).status_code == 400
    assert service.statuses() == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
PARTS = ["routing_key", "event_action", "dedup_key", "payload", "client", "client_url", "links"]
PAYLOAD = ["summary", "source", "severity", "custom_details"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(PARTS), JSON), st.dictionaries(st.sampled_from(PAYLOAD), JSON)
)
def test_any_event_is_accepted_or_refused(
    service: Service, event: dict[str, Any], payload: dict[str, Any]
) -> None:
    good = {"summary": "s", "source": "x", "severity": "info"}
    answer = service.trigger(**({"payload": good | payload} | event))
    assert answer.status_code in (202, 400)


# The ledger and the faults


def test_every_request_is_in_the_ledger_with_its_time(service: Service) -> None:
    before = time.time(), time.monotonic()
    service.trigger()
    service.post("/v2/enqueue", content=b"nonsense")
    service.get("/oncalls")
    after = time.time(), time.monotonic()
    ledger = list(service.pager.ledger)
    assert [(entry.method, entry.path, entry.status) for entry in ledger] == [
        ("POST", "/v2/enqueue", 202),
        ("POST", "/v2/enqueue", 400),
        ("GET", "/oncalls", 200),
    ]
    assert ledger[0].body["dedup_key"] == "key"
    times = [(entry.at, entry.monotonic) for entry in ledger]
    assert [before, *times, after] == sorted([before, *times, after])


def test_asked_for_failures_come_in_order_and_do_nothing(service: Service) -> None:
    service.pager.fail_next(429, retry_after=30)
    service.pager.fail_next(500, times=2)
    answers = [service.trigger() for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 500, 500, 202]
    assert answers[0].headers["retry-after"] == "30"
    assert answers[0].json()["status"] == "throttle exceeded"
    assert "retry-after" not in answers[1].headers
    assert len(service.pager.incidents()) == 1


def test_a_lost_response_breaks_the_connection_after_the_work(service: Service) -> None:
    service.pager.lose_response_next()
    with pytest.raises(httpx2.RemoteProtocolError):
        service.trigger()
    assert service.statuses() == ["triggered"]
    assert service.pager.ledger[0].status is None
    assert service.trigger().status_code == 202


def test_a_delayed_request_waits_before_the_work(service: Service) -> None:
    service.pager.delay_next(0.3)
    start = time.monotonic()
    assert service.trigger().status_code == 202
    assert time.monotonic() - start >= 0.3


# What people do, and the webhooks that tell of it


@dataclass
class Receiver:
    """Takes webhooks and answers with `statuses` in turn, then with 200."""

    statuses: list[int] = field(default_factory=list)
    received: Queue[tuple[dict[str, str], bytes]] = field(default_factory=Queue)

    async def receive(self, request: Request) -> Response:
        self.received.put((dict(request.headers), await request.body()))
        return Response(status_code=self.statuses.pop(0) if self.statuses else 200)

    def next_event(self) -> dict[str, Any]:
        headers, body = self.received.get(timeout=SECONDS)
        digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers["x-pagerduty-signature"] == f"v1={digest}"
        event: dict[str, Any] = json.loads(body)["event"]
        assert headers["x-webhook-id"] == event["id"]
        return event


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def hooked(receiver: Receiver) -> Iterator[Service]:
    route = Route("/webhooks/pagerduty", receiver.receive, methods=["POST"])
    with serve(Starlette(routes=[route])) as listener:
        target = f"{listener}/webhooks/pagerduty"
        pager = SandboxPagerDuty(now=lambda: NOW, webhook_url=target, webhook_secret=SECRET)
        with serve(pagerduty_app(pager)) as url:
            yield Service(pager, url)
        pager.close()


def test_people_change_the_incident_and_webhooks_tell_it_in_order(
    hooked: Service, receiver: Receiver
) -> None:
    hooked.trigger(client="Tocsin", client_url="https://tocsin.example/incidents/7")
    (incident,) = hooked.pager.incidents()
    hooked.pager.acknowledge(incident.id, "Ada")
    hooked.pager.resolve(incident.id, "Bert")

    triggered, acknowledged, resolved = (receiver.next_event() for _ in range(3))

    assert triggered["event_type"] == "incident.triggered"
    assert triggered["agent"]["type"] == "events_api_v2_inbound_integration_reference"
    assert triggered["client"] == {
        "name": "Tocsin",
        "url": "https://tocsin.example/incidents/7",
    }
    assert acknowledged["event_type"] == "incident.acknowledged"
    assert acknowledged["agent"]["type"] == "user_reference"
    assert acknowledged["agent"]["summary"] == "Ada"
    assert acknowledged["occurred_at"] == "2026-03-01T03:00:00.000Z"
    assert acknowledged["data"]["incident_key"] == "key"
    assert acknowledged["data"]["status"] == "acknowledged"
    assert resolved["event_type"] == "incident.resolved"
    assert resolved["agent"]["summary"] == "Bert"
    assert len({event["id"] for event in (triggered, acknowledged, resolved)}) == 3
    assert len({acknowledged["agent"]["id"], resolved["agent"]["id"]}) == 2


def test_events_change_the_incident_and_webhooks_tell_it(
    hooked: Service, receiver: Receiver
) -> None:
    hooked.trigger()
    for action in ("acknowledge", "acknowledge", "resolve"):
        hooked.enqueue(event_action=action, dedup_key="key")
    types = [receiver.next_event()["event_type"] for _ in range(3)]
    assert types == ["incident.triggered", "incident.acknowledged", "incident.resolved"]


def test_a_service_that_creates_alerts_leaves_the_key_out(
    hooked: Service, receiver: Receiver
) -> None:
    hooked.pager.incident_keys = False
    hooked.trigger()
    data = receiver.next_event()["data"]
    assert data["incident_key"] is None
    assert "incident_key" not in hooked.get(f"/incidents/{data['id']}").json()["incident"]
    alerts = hooked.get(f"/incidents/{data['id']}/alerts").json()["alerts"]
    assert [alert["alert_key"] for alert in alerts] == ["key"]


@pytest.mark.parametrize(
    ("statuses", "tries", "outcome"),
    [
        ([500, 429], 3, "200"),
        ([503, 503, 503], 3, "503"),
        ([401], 1, "401"),
    ],
)
def test_a_webhook_is_tried_three_times_and_its_outcome_is_logged(
    hooked: Service, receiver: Receiver, statuses: list[int], tries: int, outcome: str
) -> None:
    receiver.statuses = statuses
    hooked.trigger()
    ids = {receiver.next_event()["id"] for _ in range(tries)}
    assert len(ids) == 1
    hooked.pager.close()
    assert receiver.received.empty()
    (incident,) = hooked.pager.incidents()
    assert incident.log[-1].text == f"webhook incident.triggered answered with {outcome}"


def test_a_webhook_tells_of_each_thing_that_people_do(hooked: Service, receiver: Receiver) -> None:
    hooked.trigger()
    pager, id = hooked.pager, "Q000001"
    pager.acknowledge(id)
    pager.unacknowledge(id)
    pager.reassign(id, "Chen Wei")
    pager.escalate(id)
    pager.delegate(id, "Ada")
    pager.prioritize(id, "P1")
    pager.annotate(id, "Looking at the database")
    pager.resolve(id)
    pager.reopen(id)

    events = [receiver.next_event() for _ in range(10)]

    assert [event["event_type"].removeprefix("incident.") for event in events] == [
        "triggered",
        "acknowledged",
        "unacknowledged",
        "reassigned",
        "escalated",
        "delegated",
        "priority_updated",
        "annotated",
        "resolved",
        "reopened",
    ]
    reassigned, escalated, delegated, prioritized, annotated = events[3:8]
    assert [one["summary"] for one in reassigned["data"]["assignees"]] == ["Chen Wei"]
    assert escalated["agent"]["type"] == "service_reference"
    assert [one["summary"] for one in escalated["data"]["assignees"]] == ["Ben Okafor"]
    assert delegated["data"]["escalation_policy"]["id"] == "PBACKUP"
    assert prioritized["data"]["priority"]["summary"] == "P1"
    assert annotated["data"]["content"] == "Looking at the database"
    assert annotated["data"]["incident"]["id"] == id
    assert events[-1]["data"]["status"] == "triggered"


def test_people_cannot_touch_what_is_not_there_or_over(service: Service) -> None:
    with pytest.raises(NotFound, match="no incident Q000001"):
        service.pager.acknowledge("Q000001")
    service.trigger()
    service.pager.resolve("Q000001")
    with pytest.raises(InvalidInput, match="Q000001 is already resolved"):
        service.pager.acknowledge("Q000001")
    service.pager.reopen("Q000001")
    with pytest.raises(InvalidInput, match="Q000001 is not resolved"):
        service.pager.reopen("Q000001")


# What can be seen


def test_the_overview_tells_the_story_of_each_incident(service: Service) -> None:
    service.trigger("first")
    service.pager.acknowledge("Q000001", "Ada")
    service.trigger("second")
    overview = service.pager.overview()
    assert overview["sandbox"] is True
    assert [incident["dedup_key"] for incident in overview["incidents"]] == ["second", "first"]
    first = overview["incidents"][1]
    assert (first["status"], first["acknowledged_by"]) == ("acknowledged", ["Ada"])
    assert [entry["text"] for entry in first["log"]] == [
        "triggered by Events API V2",
        "acknowledged by Ada",
    ]


def test_what_was_dumped_can_be_loaded(service: Service) -> None:
    service.trigger()
    service.pager.acknowledge("Q000001", "Ada")
    state = json.loads(json.dumps(service.pager.dump()))
    successor = SandboxPagerDuty(now=lambda: NOW)
    successor.load(state)
    assert successor.overview() == service.pager.overview()


@pytest.mark.parametrize(
    "path",
    [
        "/incidents",
        "/incidents/Q000001",
        "/incidents/Q000001/log_entries",
        "/incidents/Q000001/notes",
        "/oncalls",
        "/services",
        "/escalation_policies",
        "/users",
        "/users/me",
        "/abilities",
    ],
)
def test_the_rest_api_asks_for_a_token(service: Service, path: str) -> None:
    service.trigger()
    assert service.get(path).status_code == 200
    assert service.get(path, token="Bearer any").status_code == 401
    assert service.get(path, token="Token token=").status_code == 401


def test_an_unknown_incident_is_not_found(service: Service) -> None:
    answer = service.get("/incidents/Q000001")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, 2100)


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", ["a", "b", "c"]),
        ("?statuses[]=triggered", ["b", "c"]),
        ("?statuses[]=triggered&statuses[]=acknowledged", ["a", "b", "c"]),
        ("?incident_key=b", ["b"]),
        ("?limit=1&offset=1", ["b"]),
    ],
)
def test_incidents_are_listed_as_asked(service: Service, query: str, keys: list[str]) -> None:
    for key in ("a", "b", "c"):
        service.trigger(key)
    service.pager.acknowledge("Q000001")
    page = service.get(f"/incidents{query}").json()
    assert [incident["incident_key"] for incident in page["incidents"]] == keys
    assert page["more"] is ("limit" in query)


@pytest.mark.parametrize("query", ["limit=x", "limit=0", "limit=101", "offset=-1"])
def test_a_page_that_makes_no_sense_is_refused(service: Service, query: str) -> None:
    assert service.get(f"/incidents?{query}").status_code == 400


def test_a_failure_of_the_rest_api_is_told_in_its_own_words(service: Service) -> None:
    service.pager.fail_next(429, retry_after=7)
    answer = service.get("/incidents")
    assert answer.json() == {"error": {"code": 2020, "message": "Rate Limit Exceeded"}}
    assert answer.headers["ratelimit-reset"] == "7"


def test_the_people_on_call_are_people_of_the_sandboxs_slack(service: Service) -> None:
    on_calls = service.get("/oncalls?include[]=users").json()["oncalls"]
    slack = {user.email: user.real_name for user in seeded().users.values()}
    for on_call in on_calls:
        assert slack[on_call["user"]["email"]] == on_call["user"]["name"]
    assert {on_call["escalation_level"] for on_call in on_calls} == {1, 2}
