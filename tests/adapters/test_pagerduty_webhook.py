"""Webhooks from PagerDuty: genuine ones, forged ones, and anything else."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.pagerduty_webhook import parse_webhook, verify_signature
from bot.domain.errors import InvalidInput
from bot.domain.page import PagerEvent

BODY = '{"event": {"id": "01ABC", "note": "Zażółć"}}'.encode()
SECRET = "correct horse battery staple"
ANY_TEXT = st.text() | st.just("\ud800")  # and half a surrogate pair


def sign(body: bytes, secret: str) -> str:
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_the_signature_of_the_body_is_right() -> None:
    assert verify_signature(BODY, sign(BODY, SECRET), SECRET)


@pytest.mark.parametrize(
    "header",
    [
        f"{sign(BODY, 'the old secret')},{sign(BODY, SECRET)}",
        f"{sign(BODY, SECRET)}, {sign(BODY, 'the next secret')}",
        f"v2=0123,{sign(BODY, SECRET)}",
    ],
)
def test_one_right_signature_of_several_is_enough(header: str) -> None:
    assert verify_signature(BODY, header, SECRET)


@pytest.mark.parametrize(
    "header",
    [
        "",
        ",",
        "v1=",
        sign(BODY, "another secret"),
        sign(BODY + b" ", SECRET),
        sign(BODY, SECRET).removeprefix("v1="),
        sign(BODY, SECRET).replace("v1=", "v0="),
        sign(BODY, SECRET)[:-1],
        sign(BODY, SECRET) + ";",
        "v1=\N{SNOWMAN}",
    ],
)
def test_a_wrong_signature_is_refused(header: str) -> None:
    assert not verify_signature(BODY, header, SECRET)


def test_an_empty_secret_verifies_nothing() -> None:
    assert not verify_signature(BODY, sign(BODY, ""), "")


@given(st.binary(), ANY_TEXT, ANY_TEXT)
def test_nothing_forged_passes_and_nothing_raises(body: bytes, header: str, secret: str) -> None:
    assert not verify_signature(body, header, secret)


@given(st.binary(), st.text(min_size=1))
def test_every_body_and_secret_can_be_verified(body: bytes, secret: str) -> None:
    assert verify_signature(body, sign(body, secret), secret)


def webhook(**changes: Any) -> dict[str, Any]:
    """The documented example, with changes to its event."""
    event = {
        "id": "5ac64822-4adc-4fda-ade0-410becf0de4f",
        "event_type": "incident.acknowledged",
        "resource_type": "incident",
        "occurred_at": "2020-10-02T18:45:22.169Z",
        "agent": {"id": "PLH1HKV", "summary": "Tenex Engineer", "type": "user_reference"},
        "client": {"name": "PagerDuty"},
        "data": {
            "id": "PGR0VU2",
            "type": "incident",
            "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2",
            "status": "acknowledged",
            "incident_key": "incident-7",
            "title": "A little bump in the road",
        },
    }
    return {"event": event | changes}


def parse(document: Any) -> PagerEvent:
    return parse_webhook(json.dumps(document).encode())


def test_an_acknowledgement_is_understood() -> None:
    assert parse(webhook()) == PagerEvent(
        event_id="5ac64822-4adc-4fda-ade0-410becf0de4f",
        event_type="incident.acknowledged",
        occurred_at=datetime(2020, 10, 2, 18, 45, 22, 169_000, tzinfo=UTC),
        dedup_key="incident-7",
        actor_name="Tenex Engineer",
        actor_id="PLH1HKV",
        incident_id="PGR0VU2",
    )


def test_what_pagerduty_leaves_out_is_empty() -> None:
    data = {"id": "PGR0VU2", "type": "incident", "incident_key": None}
    event = parse(webhook(agent=None, client=None, data=data))
    assert (event.actor_name, event.actor_id, event.dedup_key) == ("", "", "")


@pytest.mark.parametrize(
    ("event_type", "data"),
    [
        ("pagey.ping", {"message": "Hello from your friend Pagey!", "type": "ping"}),
        ("incident.annotated", {"id": "P2LA89X", "type": "incident_note", "content": "hm"}),
        ("incident.acknowledged", {"type": "incident"}),
        ("incident.responder.added", {"id": "P2LA89X", "type": "incident_responder"}),
        ("service.updated", {"id": "PF9KMXH", "type": "service"}),
        ("something.new", {}),
    ],
)
def test_what_is_not_about_an_incident_itself_names_none(event_type: str, data: object) -> None:
    event = parse(webhook(event_type=event_type, data=data))
    assert (event.event_type, event.incident_id) == (event_type, "")


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ([], "body"),
        ({}, "event"),
        ({"event": None}, "event"),
        (webhook(id=""), "event.id"),
        (webhook(id=7), "event.id"),
        (webhook(id="a\0b"), "event.id"),
        (webhook(id="x" * 256), "event.id"),
        (webhook(data={"id": "Q1\0", "type": "incident"}), "event.data.id"),
        (webhook(data={"id": "Q1", "incident_key": "\0"}), "event.data.incident_key"),
        (webhook(data={"id": "N1", "incident": {"id": "\0"}}), "event.data.incident.id"),
        (webhook(event_type=None), "event.event_type"),
        (webhook(occurred_at="yesterday"), "event.occurred_at"),
        (webhook(occurred_at="2020-10-02T18:45:22"), "event.occurred_at"),
        (webhook(data="incident"), "event.data"),
        (webhook(agent="nobody"), "event.agent"),
    ],
)
def test_what_is_malformed_is_named(document: object, field: str) -> None:
    with pytest.raises(InvalidInput, match=rf"field {field}: "):
        parse(document)


@pytest.mark.parametrize("body", [b"", b"\xff", b"not JSON", b"[" * 100_000, b'{"event": '])
def test_what_is_not_json_is_named(body: bytes) -> None:
    with pytest.raises(InvalidInput, match="field body: Invalid JSON"):
        parse_webhook(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ["id", "event_type", "resource_type", "occurred_at", "agent", "client", "data"]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_every_body_is_understood_or_refused_in_one_sentence(changes: dict[str, Any]) -> None:
    sentence = ""
    try:
        event = parse(webhook(**changes))
        assert event.event_id
    except InvalidInput as refusal:
        sentence = str(refusal)
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("agent_type", "by_integration"),
    [("user_reference", False), ("events_api_v2_inbound_integration_reference", True), ("", False)],
)
def test_it_says_whether_an_integration_did_it(agent_type: str, by_integration: bool) -> None:
    body = {
        "event": {
            "id": "01",
            "event_type": "incident.resolved",
            "occurred_at": "2026-01-01T00:00:00Z",
            "agent": {"id": "P1", "type": agent_type, "summary": "Somebody"},
            "data": {"type": "incident", "id": "Q1", "incident_key": "key"},
        }
    }
    event = parse_webhook(json.dumps(body).encode())
    assert event.by_integration is by_integration


def test_the_documented_note_is_understood() -> None:
    data = {
        "incident": {"id": "PGR0VU2", "type": "incident_reference"},
        "id": "P2LA89X",
        "content": "I sure am glad we are using PagerDuty!",
        "trimmed": False,
        "type": "incident_note",
    }
    assert parse(webhook(event_type="incident.annotated", data=data)) == PagerEvent(
        event_id="5ac64822-4adc-4fda-ade0-410becf0de4f",
        event_type="incident.annotated",
        occurred_at=datetime(2020, 10, 2, 18, 45, 22, 169_000, tzinfo=UTC),
        dedup_key="",
        actor_name="Tenex Engineer",
        actor_id="PLH1HKV",
        incident_id="PGR0VU2",
        text="I sure am glad we are using PagerDuty!",
        note_id="P2LA89X",
    )


def test_it_says_whose_it_is_now_and_how_important() -> None:
    user = {"id": "PTUXL6G", "summary": "User 123", "type": "user_reference"}
    team = {"id": "PTEAM", "summary": "A team", "type": "team_reference"}
    priority = {"id": "PSO75BM", "summary": "P1", "type": "priority_reference"}
    data = {"id": "Q1", "type": "incident", "assignees": [user, team], "priority": priority}
    changed = parse(webhook(event_type="incident.priority_updated", data=data))
    assert (changed.text, changed.assignees) == ("P1", ("User 123",))


def test_a_time_that_ran_out_is_nobodys_doing() -> None:
    agent = {"id": "P1", "type": "service_reference", "summary": "API"}
    lapsed = parse(webhook(event_type="incident.unacknowledged", agent=agent))
    assert (lapsed.actor_id, lapsed.actor_name, lapsed.by_integration) == ("", "", False)
