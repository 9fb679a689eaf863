"""Pages during a storm: from the 200 of a P0's webhook to its page, while 10,000 alerts come.

The storm is that of `bench.storm`. Meanwhile P0s are posted at a fixed pace, until all of
the storm is worked in. How many P0s get incidents of their own is not limited here,
nor are there more of them than PagerDuty takes in a minute.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.loadgen import percentile
from bench.paging import Receiver, page_webhook, paging_to, post, receiving
from bench.servers import Server, running
from bench.storm import ALERTS, CONNECTIONS, Metrics, storm_webhook

GOAL = 2_000.0
"""Milliseconds of the 99th percentile, at most (issue 4, "Speed")."""

LIMITS = {"storm": {"incidents": 14, "critical": 1_000, "within": "5m"}}
EVERY = 0.15
"""Seconds between two P0s."""
MOST = 35
"""P0s at most, so that none waits for the pager's rate (40 triggers at once) instead."""
PATIENCE = 180.0
"""Seconds for the whole storm."""


def run(webhooks: int, folder: Path) -> dict[str, Any]:
    """Measure, print a line and return the figures."""
    with receiving() as receiver:
        server = paging_to(receiver, folder, LIMITS)
        with running(server):
            _page(server, receiver, "warm-up")
            storm = threading.Thread(target=_post_storm, args=(server, webhooks), daemon=True)
            storm.start()
            times = sorted(_pages(server, receiver, webhooks * ALERTS))
            storm.join(PATIENCE)
    figures = {
        "alerts": webhooks * ALERTS,
        "pages": len(times),
        "p50_ms": percentile(times, 0.50),
        "p99_ms": percentile(times, 0.99),
    }
    said = "met" if figures["p99_ms"] <= GOAL else "NOT MET"
    print(
        f"P0s during a storm of {figures['alerts']} alerts, from the webhook's 200 to the page:"
        f" p50 {figures['p50_ms']:.0f} ms, p99 {figures['p99_ms']:.0f} ms ({len(times)} pages;"
        f" goal: p99 at most {GOAL:g} ms; {said})"
    )
    return figures


def _post_storm(server: Server, webhooks: int) -> None:
    bodies = [storm_webhook(number) for number in range(webhooks)]
    with ThreadPoolExecutor(CONNECTIONS) as posters:
        list(posters.map(lambda body: post(server, body), bodies))


def _pages(server: Server, receiver: Receiver, alerts: int) -> Sequence[float]:
    """The seconds that each P0's page took, until so many alerts have been worked in."""
    metrics = Metrics(f"http://127.0.0.1:{server.environment['TOCSIN_METRICS_PORT']}/metrics")
    pages: list[Future[float]] = []
    deadline = time.perf_counter() + PATIENCE
    with ThreadPoolExecutor(MOST) as posters:
        while len(pages) < MOST and metrics.fired() < alerts and time.perf_counter() < deadline:
            name = f"p0-{len(pages)}-"
            pages.append(posters.submit(_page, server, receiver, name))
            time.sleep(EVERY)
    return [page.result() for page in pages]


def _page(server: Server, receiver: Receiver, name: str) -> float:
    """Seconds from the 200 of a P0's webhook to its page."""
    mark = f"Bench-{name}"
    post(server, page_webhook(mark, severity="emergency"))
    answered = time.perf_counter()
    return receiver.wait_for(mark.encode()) - answered
