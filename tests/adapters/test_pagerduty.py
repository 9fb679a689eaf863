"""The pager against the stand-in, over real HTTP below a path prefix."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route

from bot.adapters.pagerduty import PagerDutyPager
from bot.adapters.pagerduty_event import EVENT_LIMIT, trigger_properties
from bot.domain.classify import Severity
from bot.domain.errors import Malformed, PermanentError, TemporaryError
from bot.domain.page import Page
from bot.sandbox.pagerduty import SandboxPagerDuty, pagerduty_app
from tests.support.serve import serve

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
AT = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
PAGE = Page("incident-7", "Checkout is down", Severity.P0, "prod/checkout", AT)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[SandboxPagerDuty, str]]:
    pagerduty = SandboxPagerDuty(now=lambda: AT)
    prefix = "/sandbox/pagerduty"
    with serve(Starlette(routes=[Mount(prefix, pagerduty_app(pagerduty))])) as url:
        yield pagerduty, url + prefix


@pytest.fixture
def pagerduty(server: tuple[SandboxPagerDuty, str]) -> SandboxPagerDuty:
    pagerduty, _ = server
    pagerduty.load({"incidents": []})
    pagerduty.ledger.clear()
    return pagerduty


@pytest.fixture
def pager(server: tuple[SandboxPagerDuty, str]) -> PagerDutyPager:
    return PagerDutyPager(ROUTING_KEY, server[1])


def test_a_trigger_says_all_that_the_page_says(
    pagerduty: SandboxPagerDuty, pager: PagerDutyPager
) -> None:
    details = {
        "alertname": "CheckoutDown",
        "service": "checkout",
        "cluster": "prod-eu",
        "rule": "outage",
    }
    link = "https://tocsin.example/incidents/7"
    page = Page("incident-7", "Checkout is down", Severity.P1, "checkout", AT, details, link)

    pager.trigger(page)

    (request,) = pagerduty.ledger
    assert request.path == "/sandbox/pagerduty/v2/enqueue"
    assert request.body == {
        "routing_key": ROUTING_KEY,
        "event_action": "trigger",
        "dedup_key": "incident-7",
        "payload": {
            "summary": "Checkout is down",
            "source": "checkout",
            "severity": "error",
            "timestamp": "2026-03-01T03:00:00.000+00:00",
            "component": "checkout",
            "group": "prod-eu",
            "class": "CheckoutDown",
            "custom_details": details,
        },
        "client": "Tocsin",
        "client_url": link,
        "links": [{"href": link, "text": "Open in Tocsin"}],
    }


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        (Severity.P0, "critical"),
        (Severity.P1, "error"),
        (Severity.P2, "warning"),
        (Severity.P3, "info"),
    ],
)
def test_every_level_has_its_severity(level: Severity, severity: str) -> None:
    event = trigger_properties(Page("key", "summary", level, "source", AT))
    assert event["payload"]["severity"] == severity


def test_acknowledge_and_resolve_name_the_page(
    pagerduty: SandboxPagerDuty, pager: PagerDutyPager
) -> None:
    pager.trigger(PAGE)
    pager.acknowledge(PAGE.dedup_key)
    (incident,) = pagerduty.incidents()
    assert incident.status == "acknowledged"
    pager.resolve(PAGE.dedup_key)
    assert incident.status == "resolved"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_temporary_and_not_repeated(
    pagerduty: SandboxPagerDuty, pager: PagerDutyPager, status: int
) -> None:
    pagerduty.fail_next(status)
    with pytest.raises(TemporaryError, match=str(status)) as caught:
        pager.trigger(PAGE)
    assert caught.value.retry_after is None
    assert len(pagerduty.ledger) == 1


def test_a_bare_page_says_what_must_be_and_no_more(
    pagerduty: SandboxPagerDuty, pager: PagerDutyPager
) -> None:
    full = Page("7", "Down", Severity.P1, "api", AT, {"service": "api"}, "https://tocsin.example")

    pager.trigger(full.smallest())

    (request,) = pagerduty.ledger
    assert request.status == 202
    assert request.body == {
        "routing_key": ROUTING_KEY,
        "event_action": "trigger",
        "dedup_key": "7",
        "payload": {"summary": "Down", "source": "api", "severity": "error"},
    }


@pytest.mark.parametrize(
    ("status", "malformed"), [(400, True), (413, True), (401, False), (403, False), (404, False)]
)
def test_it_is_told_apart_whether_the_event_is_what_is_wrong(
    pagerduty: SandboxPagerDuty, pager: PagerDutyPager, status: int, malformed: bool
) -> None:
    pagerduty.fail_next(status)
    with pytest.raises(PermanentError) as refused:
        pager.trigger(PAGE)
    assert isinstance(refused.value, Malformed) is malformed


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 413])
def test_what_will_not_pass_is_permanent_and_not_repeated(
    pagerduty: SandboxPagerDuty, pager: PagerDutyPager, status: int
) -> None:
    pagerduty.fail_next(status)
    with pytest.raises(PermanentError, match=str(status)):
        pager.trigger(PAGE)
    assert len(pagerduty.ledger) == 1


def test_the_time_to_wait_is_passed_on(pagerduty: SandboxPagerDuty, pager: PagerDutyPager) -> None:
    pagerduty.fail_next(429, retry_after=7)
    with pytest.raises(TemporaryError, match="too quickly") as caught:
        pager.resolve(PAGE.dedup_key)
    assert caught.value.retry_after == 7.0


def test_a_refusal_is_told_in_pagerdutys_words(server: tuple[SandboxPagerDuty, str]) -> None:
    with pytest.raises(PermanentError, match="Length of 'routing_key' is incorrect") as caught:
        PagerDutyPager("secret-but-short", server[1]).trigger(PAGE)
    assert "secret" not in str(caught.value)


def test_a_slow_answer_is_temporary(server: tuple[SandboxPagerDuty, str]) -> None:
    pagerduty, url = server
    pagerduty.delay_next(0.5)
    with pytest.raises(TemporaryError, match="Timeout"):
        PagerDutyPager(ROUTING_KEY, url, timeout=0.1).trigger(PAGE)


def test_an_address_where_nobody_listens_is_temporary() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(TemporaryError, match="ConnectError"):
        PagerDutyPager(ROUTING_KEY, f"http://127.0.0.1:{port}").trigger(PAGE)


def test_a_lost_answer_is_temporary_and_the_repeat_pages_nobody_twice(
    pagerduty: SandboxPagerDuty, pager: PagerDutyPager
) -> None:
    pagerduty.lose_response_next()
    with pytest.raises(TemporaryError):
        pager.trigger(PAGE)
    pager.trigger(PAGE)
    assert len(pagerduty.ledger) == 2
    assert len(pagerduty.incidents()) == 1


@pytest.mark.parametrize(
    ("status", "error"), [(200, TemporaryError), (400, PermanentError), (503, TemporaryError)]
)
def test_somebody_elses_answer_is_sorted_too(status: int, error: type[Exception]) -> None:
    async def portal(_request: Request) -> HTMLResponse:
        return HTMLResponse("<h1>Please log in</h1>", status)

    with (
        serve(Starlette(routes=[Route("/v2/enqueue", portal, methods=["POST"])])) as url,
        pytest.raises(error, match="Please log in"),
    ):
        PagerDutyPager(ROUTING_KEY, url).trigger(PAGE)


def test_without_an_address_pagerduty_itself_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as proxy:
        proxy.bind(("127.0.0.1", 0))
        proxy.listen()
        asked: list[bytes] = []

        def refuse() -> None:
            connection, _ = proxy.accept()
            with connection:
                asked.append(connection.recv(1000))
                connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        thread = Thread(target=refuse)
        thread.start()
        with pytest.raises(TemporaryError):
            PagerDutyPager(ROUTING_KEY).trigger(PAGE)
        thread.join()
    assert asked[0].startswith(b"CONNECT events.pagerduty.com:443 ")


@pytest.mark.parametrize("length", [0, 256])
def test_a_dedup_key_that_pagerduty_refuses_is_not_sent(
    pagerduty: SandboxPagerDuty, pager: PagerDutyPager, length: int
) -> None:
    with pytest.raises(PermanentError, match="dedup_key must have 1 to 255 characters"):
        pager.acknowledge("k" * length)
    assert not pagerduty.ledger


def test_the_longest_dedup_key_is_accepted(
    pagerduty: SandboxPagerDuty, pager: PagerDutyPager
) -> None:
    pager.trigger(Page("k" * 255, "summary", Severity.P0, "source", AT))
    assert pagerduty.incidents()[0].dedup_key == "k" * 255


def test_a_long_detail_is_cut_and_the_others_stay() -> None:
    details = {"description": "x" * 600_000, "team": "payments"}
    sent = _custom_details(details)
    assert sent["team"] == "payments"
    assert sent["description"].startswith("xxx")
    assert sent["description"].endswith("…")


def test_of_too_many_details_the_long_ones_go_and_it_is_said() -> None:
    details = {f"long{number}": "x" * 9_000 for number in range(99)} | {"team": "payments"}
    sent = _custom_details(details)
    assert sent["team"] == "payments"
    shown = len(sent) - 1
    assert 50 < shown < 60
    assert sent["left out"] == f"{100 - shown} of 100 details, for want of room"


def _custom_details(details: dict[str, str]) -> dict[str, str]:
    page = Page("key", "summary", Severity.P0, "source", AT, details)
    sent: dict[str, str] = trigger_properties(page)["payload"]["custom_details"]
    return sent


ANY_TEXT = st.text() | st.just("\ud800")  # and half a surrogate pair, which JSON can bring
LONG_TEXT = st.builds(lambda text, times: text * times, ANY_TEXT, st.integers(1, 20_000))
PAGES = st.builds(
    Page,
    dedup_key=st.text(min_size=1, max_size=255),
    summary=ANY_TEXT | LONG_TEXT,
    severity=st.sampled_from(Severity),
    source=ANY_TEXT | LONG_TEXT,
    at=st.datetimes(timezones=st.just(UTC) | st.just(timezone(timedelta(hours=5.5)))),
    details=st.dictionaries(
        ANY_TEXT | st.sampled_from(["service", "cluster", "alertname"]), ANY_TEXT | LONG_TEXT
    ),
)


@given(PAGES)
def test_any_page_fits_pagerdutys_limits(page: Page) -> None:
    event: dict[str, Any] = trigger_properties(page)
    payload = event["payload"]
    assert 1 <= len(payload["summary"]) <= 1024
    assert payload["source"].strip()
    assert datetime.fromisoformat(payload["timestamp"]).utcoffset() is not None
    keys = {"routing_key": ROUTING_KEY, "event_action": "trigger", "dedup_key": "\U0010ffff" * 255}
    assert len(json.dumps(event | keys, ensure_ascii=False).encode()) <= EVENT_LIMIT


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PAGES)
def test_any_page_is_accepted(
    pagerduty: SandboxPagerDuty, pager: PagerDutyPager, page: Page
) -> None:
    pager.trigger(page)
    assert pagerduty.ledger[-1].status == 202
