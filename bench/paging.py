"""From the webhook's 200 to the page's arrival at PagerDuty.

Tocsin runs whole, with a receiver on loopback for PagerDuty's Events API. Alerts that
page, each the first of its incident, are posted one at a time.
"""

from __future__ import annotations

import http.client
import json
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from bench.loadgen import percentile
from bench.servers import REPOSITORY, Server, running, tocsin

PATIENCE = 60.0
"""Seconds that a page may take."""

NO_STORM = {"incidents": 1_000, "critical": 5, "within": "5m"}
"""An incident for each alert, however many there are."""


class Receiver(ThreadingHTTPServer):
    """Stands in for the Events API: takes everything, and notes when."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.arrivals: list[tuple[float, bytes]] = []
        self.changed = threading.Condition()

    def wait_for(self, mark: bytes, patience: float = PATIENCE) -> float:
        """When the first request that holds `mark` arrived."""
        with self.changed:
            found = self.changed.wait_for(lambda: self._first(mark), patience)
        if not found:
            raise RuntimeError(f"no page came within {patience:.0f} s")
        return found

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: whoever asked was killed."""

    def _first(self, mark: bytes) -> float | None:
        return next((at for at, body in self.arrivals if mark in body), None)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        at = time.perf_counter()
        with self.server.changed:
            self.server.arrivals.append((at, body))
            self.server.changed.notify_all()
        key = json.loads(body).get("dedup_key", "")
        answer = {"status": "success", "message": "Event processed", "dedup_key": key}
        self._answer(json.dumps(answer).encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(202)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens."""
    with Receiver() as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        try:
            yield receiver
        finally:
            receiver.shutdown()


def run(pages: int, folder: Path) -> dict[str, Any]:
    """Measure, print a line and return the figures."""
    with receiving() as receiver:
        server = paging_to(receiver, folder, {"storm": NO_STORM})
        with running(server):
            _time_of_one(server, receiver, "warm-up")
            times = sorted(_time_of_one(server, receiver, f"n{n}-") for n in range(pages))
    figures = {
        "pages": pages,
        "p50_ms": percentile(times, 0.50),
        "p99_ms": percentile(times, 0.99),
    }
    print(
        f"from the webhook's 200 to the page: p50 {figures['p50_ms']:.0f} ms,"
        f" p99 {figures['p99_ms']:.0f} ms ({pages} pages)"
    )
    return figures


def paging_to(
    pagerduty: HTTPServer, folder: Path, routing: Mapping[str, Any], **environment: str
) -> Server:
    """All of Tocsin, which pages to `pagerduty`, with these parts of the routing policy."""
    return tocsin(
        folder,
        PAGERDUTY_EVENTS_URL=f"http://127.0.0.1:{pagerduty.server_port}",
        PAGERDUTY_ROUTING_KEY="0123456789abcdef0123456789abcdef",
        TOCSIN_POLICY=str(_policy(folder, routing)),
        **environment,
    )


def _policy(folder: Path, changes: Mapping[str, Any]) -> Path:
    """The shipped policies, with other parts of the routing."""
    policy = folder / "policy"
    shutil.copytree(REPOSITORY / "policy", policy)
    routing = policy / "routing.yaml"
    routing.write_text(yaml.safe_dump({**yaml.safe_load(routing.read_text()), **changes}))
    return policy


def _time_of_one(server: Server, receiver: Receiver, name: str) -> float:
    """Seconds from the answer to the alert until its page came."""
    mark = f"Bench-{name}"
    post(server, page_webhook(mark))
    answered = time.perf_counter()
    return receiver.wait_for(mark.encode()) - answered


def post(server: Server, body: bytes) -> None:
    """A webhook; raises `RuntimeError` unless it is accepted."""
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(address.netloc, timeout=PATIENCE)
    connection.request("POST", address.path, body, dict(server.headers))
    response = connection.getresponse()
    if response.status != 200:
        raise RuntimeError(f"{server.name} answered {response.status}: {response.read()!r}")
    connection.close()


def page_webhook(name: str, severity: str = "critical") -> bytes:
    """One alert that pages and that no open incident has."""
    alert = {
        "status": "firing",
        "labels": {"alertname": name, "service": name, "severity": severity},
        "annotations": {"summary": f"{name} is down"},
        "startsAt": "2026-01-01T00:00:00Z",
        "fingerprint": name,
    }
    webhook = {"version": "4", "status": "firing", "groupKey": name, "alerts": [alert]}
    return json.dumps(webhook).encode()
