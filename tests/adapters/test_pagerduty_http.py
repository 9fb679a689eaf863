"""PagerDuty's REST API answering wrongly, late, or not at all."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters import pagerduty_transport
from bot.adapters.pagerduty_rest import PagerDutyRecords
from bot.domain.errors import PermanentError, TemporaryError, TocsinError

TOKEN = "sesame-open-123"
SINCE = datetime(2026, 3, 1, tzinfo=UTC)

Reply = tuple[int, bytes, Mapping[str, str]]


class Server:
    """Answers every request as told, and counts them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.reply: Callable[[str], Reply] = lambda _: (200, b"{}", {})
        self.requests: list[tuple[str, Mapping[str, str]]] = []
        self.records = PagerDutyRecords(TOKEN, url)

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.reply = lambda _: (status, body, headers or {})


@contextmanager
def _served() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            site.requests.append((f"{self.command} {self.path}", dict(self.headers)))
            status, body, headers = site.reply(self.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self._write(body)

        def _write(self, body: bytes) -> None:
            try:
                self.wfile.write(body)
            except OSError:  # the client has seen enough
                self.close_connection = True

        do_GET = do_POST = do_PUT = _answer  # noqa: N815  (the library's names)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Server(f"http://127.0.0.1:{listener.server_port}")
    thread = threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    with _served() as server:
        yield server


@pytest.fixture
def server(served: Server) -> Server:
    served.requests.clear()
    return served


CALLS: Mapping[str, Callable[[PagerDutyRecords], object]] = {
    "incident_of": lambda records: records.incident_of("key"),
    "keys_of": lambda records: records.keys_of("Q1"),
    "log_entries": lambda records: records.log_entries("Q1", SINCE),
    "on_call": lambda records: records.on_call("P1"),
    "on_call_of_service": lambda records: records.on_call_of_service("P1"),
    "services": lambda records: records.services(),
    "escalation_policies": lambda records: records.escalation_policies(),
    "add_note": lambda records: records.add_note("Q1", "text"),
    "set_urgency": lambda records: records.set_urgency("Q1", True),
    "verify": lambda records: records.verify(),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@every_call
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_temporary_and_not_repeated(
    server: Server, call: Callable[[PagerDutyRecords], object], status: int
) -> None:
    server.answer(status, b'{"error": {"message": "Later", "code": 2000}}')
    with pytest.raises(TemporaryError, match=f"{status}: Later") as caught:
        call(server.records)
    assert caught.value.retry_after is None
    assert len(server.requests) == 1


@every_call
@pytest.mark.parametrize("status", [302, 400, 401, 402, 404, 409, 413])
def test_what_will_not_pass_is_permanent(
    server: Server, call: Callable[[PagerDutyRecords], object], status: int
) -> None:
    server.answer(status, b"{}", {"Location": "/elsewhere"})
    with pytest.raises(PermanentError, match=str(status)) as caught:
        call(server.records)
    assert TOKEN[-4:] not in str(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"ratelimit-reset": "17"}, 17.0),
        ({"Retry-After": "3", "ratelimit-reset": "17"}, 3.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"ratelimit-reset": "-1"}, None),
    ],
)
def test_the_time_to_wait_is_passed_on(
    server: Server, headers: Mapping[str, str], seconds: float | None
) -> None:
    server.answer(429, b"{}", headers)
    with pytest.raises(TemporaryError) as caught:
        server.records.services()
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"error": {"message": "No", "errors": ["a", "b"]}}', "No: a; b"),
        (b'{"error": {"message": "No", "errors": {"field": ["bad"]}}}', "No: .*field"),
        (b'{"error": "Plain words"}', "Plain words"),
        (b'{"error": null}', "400: Bad Request"),
        (b"<h1>Proxy</h1>", "<h1>Proxy</h1>"),
        (b"", "400: Bad Request"),
    ],
)
def test_a_refusal_is_told_in_pagerdutys_words(server: Server, body: bytes, says: str) -> None:
    server.answer(400, body)
    with pytest.raises(PermanentError, match=says):
        server.records.services()


@every_call
@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b"\xff", b'{"x":' * 50_000, b'{"incidents": {}}', b"{}"],
    ids=["empty", "html", "list", "null", "bytes", "deep", "no list", "nothing in it"],
)
def test_what_cannot_be_read_is_temporary(
    server: Server, call: Callable[[PagerDutyRecords], object], body: bytes
) -> None:
    server.answer(200, body)
    if call is CALLS["set_urgency"] and body in (b"{}", b'{"incidents": {}}'):
        call(server.records)  # it needs nothing of the answer but its status
        return
    with pytest.raises(TemporaryError, match="no answer that can be read"):
        call(server.records)


def test_an_answer_without_end_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagerduty_transport, "MAX_ANSWER", 100_000)
    server.answer(200, b'{"services": []' + b" " * 2_000_000 + b"}")
    with pytest.raises(PermanentError, match="more than 100,000 bytes"):
        server.records.services()


def test_an_answer_is_never_asked_for_in_packed_form(server: Server) -> None:
    server.answer(200, b'{"services": []}')
    server.records.services()
    (_, headers) = server.requests[0]
    assert headers["Accept-Encoding"] == "identity"
    assert headers["Accept"] == "application/vnd.pagerduty+json;version=2"


def test_a_promise_of_more_that_is_not_kept_ends(server: Server) -> None:
    server.answer(200, b'{"services": [], "more": true}')
    with pytest.raises(TemporaryError, match="promises more of /services"):
        server.records.services()
    assert len(server.requests) == 1


def test_a_list_that_is_too_long_is_not_cut_in_silence(server: Server) -> None:
    page = {"services": [{"id": "P1"}] * 100, "more": True}
    server.answer(200, json.dumps(page).encode())
    with pytest.raises(PermanentError, match="more of /services than 10,000"):
        server.records.services()
    assert len(server.requests) == 100


def test_a_silent_server_is_not_waited_for(server: Server) -> None:
    release = threading.Event()

    def hang(_: str) -> Reply:
        release.wait(20)
        return 200, b"{}", {}

    server.reply = hang
    begin = time.monotonic()
    with pytest.raises(TemporaryError, match="Timeout"):
        PagerDutyRecords(TOKEN, server.url, timeout=0.2).services()
    assert time.monotonic() - begin < 10
    release.set()


def test_an_answer_that_trickles_in_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def trickle() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
                while not stop.wait(0.05):
                    try:
                        connection.sendall(b" ")
                    except OSError:
                        return

        thread = threading.Thread(target=trickle)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(TemporaryError, match="took more than"):
            PagerDutyRecords(TOKEN, url, timeout=0.3).services()
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    "beginning",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"],
    ids=["nothing", "no HTTP", "half an answer"],
)
def test_a_connection_that_is_closed_is_temporary(beginning: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def cut_off() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(beginning)

        thread = threading.Thread(target=cut_off)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(TemporaryError, match="Protocol"):
            PagerDutyRecords(TOKEN, url).services()
        thread.join()


def test_an_address_where_nobody_listens_is_temporary() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(TemporaryError, match="ConnectError"):
        PagerDutyRecords(TOKEN, f"http://127.0.0.1:{port}").services()


@pytest.mark.parametrize("url", ["", "api.pagerduty.com", "ftp://x", "http://[::1", "http://a:b"])
def test_what_is_no_address_says_so(url: str) -> None:
    with pytest.raises(PermanentError, match="PAGERDUTY_API_URL"):
        PagerDutyRecords(TOKEN, url).services()


@pytest.mark.parametrize("value", ["", "schlüssel", "secret one", "secret\nX-Admin: 1"])
def test_what_can_be_no_header_is_named_and_not_shown(value: str) -> None:
    with pytest.raises(PermanentError, match="PAGERDUTY_API_TOKEN") as caught:
        PagerDutyRecords(value)
    assert "secret" not in str(caught.value)
    assert "schl" not in str(caught.value)
    if value:
        with pytest.raises(PermanentError, match="PAGERDUTY_FROM_EMAIL"):
            PagerDutyRecords(TOKEN, sender=value)


def test_without_an_address_pagerduty_itself_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        asked: list[bytes] = []

        def refuse() -> None:
            connection, _ = proxy.accept()
            with connection:
                asked.append(connection.recv(1000))
                connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(TemporaryError):
            PagerDutyRecords(TOKEN).services()
        thread.join()
    assert asked[0].startswith(b"CONNECT api.pagerduty.com:443 ")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
FIELDS = ["id", "type", "status", "urgency", "agent", "created_at", "service", "user", "content"]
ITEMS = st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON), max_size=2) | JSON
NAMES = ["incidents", "incident", "alerts", "log_entries", "notes", "note", "oncalls", "users"]
BODIES = st.dictionaries(st.sampled_from([*NAMES, "error", "user", "services"]), ITEMS)


@settings(max_examples=60)
@given(BODIES, st.sampled_from([*CALLS.values()]), st.sampled_from([200, 400, 403, 429]))
def test_any_json_is_understood_or_sorted(
    served: Server, body: Any, call: Callable[[PagerDutyRecords], object], status: int
) -> None:
    served.answer(status, json.dumps(body).encode())
    failure = None
    try:
        call(served.records)
    except TocsinError as error:
        failure = error
    assert failure is None or (isinstance(failure, TemporaryError | PermanentError))
    assert len(str(failure)) < 2_000


def test_a_text_with_a_nul_comes_without_it(server: Server) -> None:
    service = {"id": "P1", "name": "pay\x00ments"}
    server.answer(200, json.dumps({"services": [service]}).encode())
    (found,) = server.records.services()
    assert found.name == "pay\ufffdments"
