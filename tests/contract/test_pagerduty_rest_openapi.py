"""What the records ask, and what the stand-in answers, against PagerDuty's OpenAPI file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from jsonschema.exceptions import ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.adapters.pagerduty import PagerDutyPager
from bot.adapters.pagerduty_rest import PagerDutyRecords
from bot.domain.classify import Severity
from bot.domain.page import Page
from bot.sandbox.pagerduty import SandboxPagerDuty, pagerduty_app
from tests.support.openapi import Contract, without_nulls
from tests.support.serve import serve

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
ROUTING_KEY = "0123456789abcdef0123456789abcdef"
JSON_BODY = ("content", "application/json", "schema")
UNDESCRIBED_ENTRIES = {"acknowledge_log_entry", "priority_change_log_entry"}
"""What PagerDuty answers and no kind of its description fits: of the first it demands another
name, of the second it knows nothing."""


@dataclass
class Exchange:
    """A request and its answer."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    status: int = 0
    answer: bytes = b""


class Recorder:
    """Serves an application and keeps what passes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.exchanges: list[Exchange] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = Exchange(
            scope["method"],
            scope["path"],
            parse_qs(scope["query_string"].decode(), keep_blank_values=True),
            {name.decode(): value.decode() for name, value in scope["headers"]},
            b"",
        )
        self.exchanges.append(exchange)

        async def hear() -> Message:
            message = await receive()
            exchange.body += message.get("body", b"")
            return message

        async def tell(message: Message) -> None:
            exchange.status = message.get("status", exchange.status)
            exchange.answer += message.get("body", b"")
            await send(message)

        await self.app(scope, hear, tell)


@pytest.fixture(scope="module")
def rest(shared: Path) -> Contract:
    file = shared / "contracts" / "pagerduty" / "rest.openapi.json"
    if not file.is_file():
        pytest.skip(f"PagerDuty's OpenAPI file is missing: {file}")
    return Contract(file)


@pytest.fixture(params=[True, False], ids=["incidents only", "alerts too"])
def exchanges(request: pytest.FixtureRequest) -> Iterator[list[Exchange]]:
    """All that passes when everything that can be asked is asked."""
    sandbox = SandboxPagerDuty(
        now=lambda: NOW, routing_keys={ROUTING_KEY}, incident_keys=request.param
    )
    recorder = Recorder(pagerduty_app(sandbox))
    with serve(recorder) as url:
        PagerDutyPager(ROUTING_KEY, url).trigger(
            Page("incident-7", "Checkout is down", Severity.P0, "checkout", NOW)
        )
        _live_through(sandbox)
        recorder.exchanges.clear()
        _ask_everything(PagerDutyRecords("token", url, "tocsin@example.test"))
        yield recorder.exchanges


def _live_through(sandbox: SandboxPagerDuty) -> None:
    sandbox.acknowledge("Q000001")
    sandbox.unacknowledge("Q000001")
    sandbox.reassign("Q000001", "Chen Wei")
    sandbox.escalate("Q000001")
    sandbox.delegate("Q000001")
    sandbox.prioritize("Q000001", "P1")
    sandbox.resolve("Q000001")
    sandbox.reopen("Q000001")
    sandbox.acknowledge("Q000001")


def _ask_everything(records: PagerDutyRecords) -> None:
    assert records.incident_of("incident-7") is not None
    assert records.keys_of("Q000001") == ("incident-7",)
    records.add_note("Q000001", "Looking at it")
    records.set_urgency("Q000001", False)
    assert len(records.log_entries("Q000001", NOW - timedelta(days=1))) == 10
    assert records.on_call_of_service("PSANDBX")
    assert records.services()
    assert records.escalation_policies()
    assert records.verify().missing == ()


def test_every_request_is_described(exchanges: list[Exchange], rest: Contract) -> None:
    assert len(exchanges) > 15
    for exchange in exchanges:
        path, operation = _operation(exchange, rest)
        parameters = [
            *operation.get("parameters", []),
            *rest.part("paths", path).get("parameters", []),
        ]
        known = [_resolved(parameter, rest) for parameter in parameters]
        _check_query(exchange, [one for one in known if one["in"] == "query"], rest)
        for header in (one for one in known if one["in"] == "header"):
            there = header["name"].lower() in exchange.headers
            only_with_body = header["name"] == "Content-Type" and not exchange.body
            assert there or only_with_body or not header["required"], header["name"]
        if "requestBody" in operation:
            method = exchange.method.lower()
            body = json.loads(exchange.body)
            rest.check(body, "paths", path, method, "requestBody", *JSON_BODY)
        else:
            assert exchange.body == b""


def test_every_answer_is_described(exchanges: list[Exchange], rest: Contract) -> None:
    for exchange in exchanges:
        path, _ = _operation(exchange, rest)
        assert exchange.status == 200
        answer = without_nulls(json.loads(exchange.answer))
        _check_apart(answer, rest)
        rest.check(answer, "paths", path, exchange.method.lower(), "responses", "200", *JSON_BODY)


def _check_apart(answer: Any, rest: Contract) -> None:
    """Take out of the answer, and check by itself, what the description has in another place."""
    for service in [*answer.get("services", []), answer.get("service", {})]:
        # "If `integrations` is passed as an argument, these are full objects"
        for integration in service.get("integrations", []):
            if not integration["type"].endswith("_reference"):
                service["integrations"] = []
                rest.check(integration, "components", "schemas", "Integration")
    for on_call in answer.get("oncalls", []):
        if on_call["user"]["type"] == "user":  # asked for by `include[]`
            rest.check(on_call["user"], "components", "schemas", "User")
            on_call["user"]["type"] = "user_reference"
    entries = answer.get("log_entries", [])
    for entry in entries:
        # Of its `oneOf` even PagerDuty's own example, {"type": "api"}, fits several.
        assert entry.pop("channel")["type"] in {"api", "timeout", "website", "note"}
    entries[:] = [entry for entry in entries if entry["type"] not in UNDESCRIBED_ENTRIES]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"incident": {"urgency": "high"}}, "/incidents/{id}"),
        ({"incident": {"type": "incident_reference", "urgency": "higher"}}, "/incidents/{id}"),
        ({"note": {"text": "hello"}}, "/incidents/{id}/notes"),
    ],
)
def test_the_contract_would_notice_a_wrong_body(
    rest: Contract, wrong: dict[str, Any], path: str
) -> None:
    method = "put" if path == "/incidents/{id}" else "post"
    with pytest.raises(ValidationError):
        rest.check(wrong, "paths", path, method, "requestBody", *JSON_BODY)


def _operation(exchange: Exchange, rest: Contract) -> tuple[str, Any]:
    """The described path and operation; a path without a variable comes first."""
    paths = sorted(rest.part("paths"), key=lambda path: path.count("{"))
    for path in paths:
        if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", path), exchange.path):
            return path, rest.part("paths", path, exchange.method.lower())
    raise AssertionError(f"{exchange.path} is not described")


def _resolved(part: Any, rest: Contract) -> Any:
    while "$ref" in part:
        names = part["$ref"].removeprefix("#/").split("/")
        part = rest.part(*(name.replace("~1", "/").replace("~0", "~") for name in names))
    return part


def _check_query(exchange: Exchange, known: list[Any], rest: Contract) -> None:
    schemas = {one["name"]: one["schema"] for one in known}
    for name, values in exchange.query.items():
        schema = schemas[name]
        many = schema.get("type") == "array"
        for value in [values] if many else values:
            number = schema.get("type") == "integer" and isinstance(value, str)
            rest.check_schema(int(str(value)) if number else value, schema)
