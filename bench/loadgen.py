"""A small load generator for Alertmanager webhooks: HTTP/1.1 on kept-alive connections.

A closed loop: each connection sends its next webhook when the last one was answered, so
the load is bounded by the number of connections and the time. Every alert of every
webhook is one that was never sent before. Only loopback addresses are connected to.
"""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import itertools
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast
from urllib.parse import urlsplit

import uvloop

MAX_SECONDS = 60.0
MAX_CONNECTIONS = 256
GRACE = 30.0
"""Seconds that the last answers may take."""

PLACEHOLDER = b"@@@@@@@@@@@@"
"""Stands in a body for what makes it unlike any other, which is as long."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send webhooks, and with which headers."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Load:
    """How much: alerts in each webhook, connections, and for how many seconds."""

    alerts: int
    connections: int
    seconds: float

    def __post_init__(self) -> None:
        """Refuse what is more than a benchmark needs."""
        if not (0 < self.seconds <= MAX_SECONDS and 0 < self.connections <= MAX_CONNECTIONS):
            raise ValueError(f"{self} is out of bounds")


@dataclass(frozen=True, slots=True)
class Measurement:
    """What came of it. The times are those of the webhooks answered with 200."""

    per_second: float
    p50_ms: float
    p99_ms: float
    accepted: int
    refused: int
    """Other answers, and connections that broke."""


def measure(target: Target, load: Load) -> Measurement:
    """Put the load on the target."""
    address = urlsplit(target.url)
    if not ipaddress.ip_address(address.hostname or "").is_loopback:
        raise ValueError(f"{target.url} is not on this machine")
    gc.collect()
    return uvloop.run(_Run(target, load).run())


class _Run:
    def __init__(self, target: Target, load: Load) -> None:
        self._load = load
        self._address = urlsplit(target.url)
        self._head = _head(target)
        self._bodies = bodies(load.alerts)
        self._ends_at = 0.0
        self._open = 0
        self._finished = asyncio.Event()
        self.times: list[float] = []
        self.refused = 0

    async def run(self) -> Measurement:
        senders = [await self._connect() for _ in range(self._load.connections)]
        self._open = len(senders)
        began = time.perf_counter()
        self._ends_at = began + self._load.seconds
        for sender in senders:
            sender.send()
        await asyncio.wait_for(self._finished.wait(), self._load.seconds + GRACE)
        return self._measurement(time.perf_counter() - began)

    async def _connect(self) -> _Sender:
        host, port = str(self._address.hostname), self._address.port or 80
        loop = asyncio.get_running_loop()
        _, sender = await loop.create_connection(lambda: _Sender(self), host, port)
        return sender

    def next_request(self) -> bytes | None:
        """The next webhook, or None when the time is up."""
        if time.perf_counter() >= self._ends_at:
            return None
        body = next(self._bodies)
        return b"%bcontent-length: %d\r\n\r\n%b" % (self._head, len(body), body)

    def ended(self) -> None:
        """One sender has sent its last."""
        self._open -= 1
        if self._open == 0:
            self._finished.set()

    def _measurement(self, seconds: float) -> Measurement:
        times = sorted(self.times)
        return Measurement(
            per_second=round(len(times) / seconds, 1),
            p50_ms=percentile(times, 0.50),
            p99_ms=percentile(times, 0.99),
            accepted=len(times),
            refused=self.refused,
        )


class _Sender(asyncio.Protocol):
    """One connection."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._answer = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def send(self) -> None:
        request = self._run.next_request()
        if request is None:
            self._transport.close()
            return
        self._answer = b""
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not _is_complete(self._answer):
            return
        if self._answer.startswith(b"HTTP/1.1 200 "):
            self._run.times.append(time.perf_counter() - self._sent_at)
        else:
            self._run.refused += 1
        self._sent_at = 0.0
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._sent_at:
            self._run.refused += 1
        self._run.ended()


_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def _is_complete(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return bool(end and length and len(body) >= int(length[1]))


def _head(target: Target) -> bytes:
    address = urlsplit(target.url)
    headers = {
        "host": address.netloc,
        "user-agent": "Alertmanager/0.27.0",
        "content-type": "application/json",
        **target.headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {address.path or '/'} HTTP/1.1\r\n{lines}".encode()


def percentile(ascending: list[float], share: float) -> float:
    """The value, from seconds into milliseconds, below which `share` of the values lie."""
    if not ascending:
        return float("nan")
    return round(ascending[min(len(ascending) - 1, int(share * len(ascending)))] * 1e3, 3)


def bodies(alerts: int) -> Iterator[bytes]:
    """Bodies without end, no two with an alert or a group in common."""
    template = json.dumps(_webhook(alerts), separators=(",", ":")).encode()
    run = os.urandom(3).hex()
    for number in itertools.count():
        yield template.replace(PLACEHOLDER, b"%b%06x" % (run.encode(), number))


def _webhook(alerts: int) -> dict[str, object]:
    mark = PLACEHOLDER.decode()
    group = {"alertname": "HighErrorRate", "group": mark}
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="HighErrorRate", group="{mark}"}}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "tocsin",
        "groupLabels": group,
        "commonLabels": group | {"severity": "warning", "cluster": "prod-eu-1"},
        "commonAnnotations": {"runbook_url": "https://runbooks.example.test/high-error-rate"},
        "externalURL": "http://alertmanager.example.test:9093",
        "alerts": [_alert(f"{mark}{number:04x}") for number in range(alerts)],
    }


def _alert(identity: str) -> dict[str, object]:
    host = f"host-{identity}"
    return {
        "status": "firing",
        "labels": {
            "alertname": "HighErrorRate",
            "severity": "warning",
            "instance": f"{host}:9100",
            "job": "node-exporter",
            "namespace": "payments",
            "cluster": "prod-eu-1",
            "service": "checkout-api",
            "team": "platform",
            "env": "Production",
            "pod": f"checkout-api-{identity}",
        },
        "annotations": {
            "summary": f"High error rate on {host}",
            "description": f"The ratio of 5xx has been 7.3 % for 5 minutes on {host}",
            "runbook_url": "https://runbooks.example.test/checkout/high-error-rate",
            "dashboard": "https://grafana.example.test/d/checkout",
        },
        "startsAt": datetime.now(UTC).isoformat(),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.test/graph?g0.expr=up&g0.tab=1",
        "fingerprint": identity,
    }
