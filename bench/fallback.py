"""PagerDuty is dark: how long from the webhook's 200 until somebody else is told.

PagerDuty takes each request and never answers. The fallback chain has one notifier, that
posts JSON to a receiver on loopback. It takes the 90 seconds in which a page may yet be
confirmed, so it is run only when named: ``python -m bench fallback``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bench.paging import page_webhook, paging_to, post, receiving
from bench.servers import running

GOAL = 95.0
"""Seconds from the 200 to the fallback, at most (issue 4, "Speed")."""

CHAIN = {"fallback": [{"notifier": "bench"}]}
PATIENCE = 150.0
MARK = "Bench-dark"


class _BlackHole(ThreadingHTTPServer):
    """Takes requests and answers none until it is over."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Silence)
        self.over = threading.Event()
        self.arrivals = 0


class _Silence(BaseHTTPRequestHandler):
    server: _BlackHole

    def do_POST(self) -> None:
        self.server.arrivals += 1
        self.server.over.wait()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def _dark() -> Iterator[_BlackHole]:
    with _BlackHole() as hole:
        threading.Thread(target=hole.serve_forever, daemon=True).start()
        try:
            yield hole
        finally:
            hole.over.set()
            hole.shutdown()


def run(folder: Path) -> dict[str, Any]:
    """Measure, print a line and return the figures."""
    with _dark() as pagerduty, receiving() as notified:
        notifier = f"bench=json://127.0.0.1:{notified.server_port}/"
        server = paging_to(pagerduty, folder, CHAIN, TOCSIN_NOTIFIERS=notifier)
        with running(server):
            post(server, page_webhook(MARK))
            answered = time.perf_counter()
            waited = notified.wait_for(MARK.encode(), PATIENCE) - answered
    figures = {"fallback_s": waited, "page_requests": pagerduty.arrivals}
    said = "met" if waited <= GOAL else "NOT MET"
    print(
        f"PagerDuty dark: the fallback was sent {waited:.1f} s after the webhook's 200"
        f" (goal: at most {GOAL:g} s; {said}), after {pagerduty.arrivals} tries to page"
    )
    return figures
