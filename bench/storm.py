"""A storm: 10,000 alerts in 100 webhooks, and one that says that a service is down.

All of Tocsin runs, with receivers on loopback for PagerDuty. Eight connections post as fast
as they can; the webhook with the P0 goes last. Measured are: until all is stored (the last
200), until all is worked in (its own metrics say so), until the P0's page request after its
webhook's 200, the incidents and pages that came of it, and the processes' memory. The
yardstick is the dedup floor, which takes the same webhooks in the same run.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.floor import Mode
from bench.paging import Receiver, post, receiving
from bench.servers import Running, Server, floor, running, tocsin

CONNECTIONS = 8
ALERTS = 100
"""Alerts in one webhook."""

P0 = "StormServiceDown"
FIRED = re.compile(r'^tocsin_alerts_total\{news="fired"\} ([0-9.]+)', re.MULTILINE)
PATIENCE = 180.0
"""Seconds for all to be worked in."""

GOALS = (
    ("stored", 10.0, "s"),
    ("worked_in", 60.0, "s"),
    ("p0_page", 2.0, "s"),
    ("incidents", 20, ""),
    ("memory", 512, "MiB"),
)
"""The most that is allowed of each figure."""

FLOOR_GOAL = 0.15
"""Of the alerts a second that the dedup floor stores, worked in to classified incidents."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where Tocsin counts."""

    url: str

    def fired(self) -> int:
        """Alerts that have been worked in as fired."""
        with urllib.request.urlopen(self.url, timeout=10) as answer:
            found = FIRED.search(answer.read().decode())
        return int(float(found[1])) if found else 0


def run(webhooks: int, folder: Path) -> dict[str, Any]:
    """Measure, print the table and return the figures."""
    bodies = [storm_webhook(number) for number in range(webhooks)]
    with receiving() as receiver:
        server = tocsin(
            folder,
            PAGERDUTY_EVENTS_URL=f"http://127.0.0.1:{receiver.server_port}",
            PAGERDUTY_ROUTING_KEY="0123456789abcdef0123456789abcdef",
        )
        with running(server) as started:
            figures = _tocsin(server, started, receiver, bodies)
    with running(floor(Mode.DEDUP, folder)) as yardstick:
        begun = time.perf_counter()
        _post_all(yardstick.server, bodies)
        figures["floor_alerts_s"] = webhooks * ALERTS / (time.perf_counter() - begun)
    figures["alerts_s"] = webhooks * ALERTS / figures["worked_in"]
    figures["x_floor"] = figures["alerts_s"] / figures["floor_alerts_s"]
    print("\n".join(_told(figures)))
    return figures


def _tocsin(
    server: Server, started: Running, receiver: Receiver, bodies: Sequence[bytes]
) -> dict[str, Any]:
    metrics = Metrics(f"http://127.0.0.1:{server.environment['TOCSIN_METRICS_PORT']}/metrics")
    post(server, _webhook("WarmUp", [_alert("WarmUp", "warm-up", "critical")]))
    receiver.wait_for(b"WarmUp")
    with _watched_memory(started) as memory:
        begun = time.perf_counter()
        _post_all(server, bodies)
        stored = time.perf_counter() - begun
        post(server, _webhook(P0, [_alert(P0, "storm", "critical")]))
        answered = time.perf_counter()
        paged = receiver.wait_for(P0.encode()) - answered
        worked_in = _until(metrics, len(bodies) * ALERTS + 2) - begun
    return {
        "alerts": len(bodies) * ALERTS,
        "stored": stored,
        "worked_in": worked_in,
        "p0_page": paged,
        "incidents": _incidents(server),
        "pages": len({json.loads(body).get("dedup_key") for _, body in receiver.arrivals}),
        "memory": max(memory),
    }


def _post_all(server: Server, bodies: Sequence[bytes]) -> None:
    with ThreadPoolExecutor(CONNECTIONS) as posters:
        list(posters.map(lambda body: post(server, body), bodies))


def _until(metrics: Metrics, alerts: int) -> float:
    """When so many alerts have been worked in."""
    deadline = time.perf_counter() + PATIENCE
    while metrics.fired() < alerts:
        if time.perf_counter() > deadline:
            raise RuntimeError(f"only {metrics.fired()} of {alerts} alerts were worked in")
        time.sleep(0.25)
    return time.perf_counter()


def _incidents(server: Server) -> int:
    url = server.url.replace("/webhooks/alertmanager", "/api/v1/incidents?limit=500")
    with urllib.request.urlopen(url, timeout=10) as answer:
        return len(json.load(answer))


@contextmanager
def _watched_memory(started: Running) -> Iterator[list[float]]:
    """MiB that all of the server's processes hold together, looked at twice a second."""
    seen = [started.memory()]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            seen.append(started.memory())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def storm_webhook(number: int) -> bytes:
    """One of the storm's webhooks: a hundred alerts of one group; there are fifty groups."""
    name = f"StormPodCrashLooping{number % 50}"
    alerts = [_alert(name, f"{number}-{index}", "warning") for index in range(ALERTS)]
    return _webhook(name, alerts)


def _webhook(name: str, alerts: Sequence[dict[str, Any]]) -> bytes:
    webhook = {
        "version": "4",
        "status": "firing",
        "receiver": "tocsin",
        "groupKey": f'{{}}:{{alertname="{name}"}}',
        "groupLabels": {"alertname": name},
        "externalURL": "http://alertmanager.example:9093",
        "truncatedAlerts": 0,
        "alerts": list(alerts),
    }
    return json.dumps(webhook).encode()


def _alert(name: str, pod: str, severity: str) -> dict[str, Any]:
    """An alert as large as Kubernetes' usual ones."""
    text = f"Pod shop/{pod} restarts again and again" if severity == "warning" else "It is down"
    return {
        "status": "firing",
        "labels": {
            "alertname": name,
            "cluster": "prod-eu-1",
            "namespace": "shop",
            "service": name.lower(),
            "pod": pod,
            "container": "server",
            "severity": severity,
        },
        "annotations": {
            "summary": text,
            "description": f"{text}; see its log and its last state.",
            "runbook_url": f"https://runbooks.example/{name.lower()}",
        },
        "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=increase"
        "%28kube_pod_container_status_restarts_total%5B10m%5D%29+%3E+5&g0.tab=1",
        "fingerprint": hashlib.sha256(f"{name}-{pod}".encode()).hexdigest()[:16],
    }


def _told(figures: dict[str, Any]) -> Iterator[str]:
    yield f"a storm of {figures['alerts']} alerts, {ALERTS} a webhook, {CONNECTIONS} connections:"
    for name, goal, unit in GOALS:
        value = figures[name]
        yield f"  {name:12}{value:9.2f} {unit:4} (goal: at most {goal:g}; {_said(value <= goal)})"
    yield f"  pages       {figures['pages']:9}"
    yield (
        f"  {figures['alerts_s']:.0f} alerts/s worked in, {figures['x_floor']:.2f} x the dedup"
        f" floor's {figures['floor_alerts_s']:.0f} (goal: {FLOOR_GOAL};"
        f" {_said(figures['x_floor'] >= FLOOR_GOAL)})"
    )


def _said(met: bool) -> str:
    return "met" if met else "NOT MET"
