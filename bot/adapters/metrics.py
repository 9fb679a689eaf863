"""Tocsin's own metrics, in Prometheus' format.

The listener and the worker are processes of their own; `prometheus_client` adds them
up through files in a folder (``PROMETHEUS_MULTIPROC_DIR``, set by the supervisor).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

_COUNTERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "webhooks": ("Webhooks answered, by sender and result.", ("source", "result")),
    "alerts": ("Alerts received, by what was new about them.", ("news",)),
    "incidents": ("Incidents opened, by the level they were opened with.", ("severity",)),
    "pager_events": ("PagerDuty's webhook events, by what became of them.", ("reason",)),
    "effects": ("Effects tried, by kind and outcome.", ("kind", "outcome")),
    "audits": ("Looks at whether somebody is told of every open page, by result.", ("result",)),
    "audit_findings": ("Incidents that nobody may know of, by what is wrong.", ("reason",)),
    "heartbeats": ("Pings of TOCSIN_HEARTBEAT_URL, by result.", ("result",)),
    "page_tests": ("Tests of the way of a page at their time, by result.", ("result",)),
    "response_breaches": ("Incidents that nobody responded to in time, by level.", ("severity",)),
    "clock_steps": ("Times that the clock was found to be put back.", ()),
    "runbook_problems": ("What was wrong with runbooks at the start, by file.", ("source",)),
    "slack_requests": ("Requests from Slack, by result.", ("result",)),
}
"""Every counter that `Counters.count` may be asked for: what it counts, and its labels."""

_GAUGES: Mapping[str, str] = {
    "responses_overdue": "Open incidents that nobody responded to in time.",
    "pages_unconfirmed": "Open incidents whose page nothing has confirmed yet.",
}
"""Every gauge that `Gauges.gauge` may be asked for; all are by level."""


class PrometheusCounters:
    """`Counters` and `Gauges` in Prometheus' client library; an unknown name is a `KeyError`."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._counters = {
            name: Counter(f"tocsin_{name}", text, labels, registry=registry)
            for name, (text, labels) in _COUNTERS.items()
        }
        # Of several processes, and after a restart, the one that looked last is right.
        self._gauges = {
            name: Gauge(
                f"tocsin_{name}",
                text,
                ("severity",),
                registry=registry,
                multiprocess_mode="mostrecent",
            )
            for name, text in _GAUGES.items()
        }
        self._worker_last_seen = Gauge(
            "tocsin_worker_last_seen_seconds",
            "How long ago the listener saw a sign of life of this replica's worker.",
            registry=registry,
            multiprocess_mode="mostrecent",
        )
        self._effect_seconds = Histogram(
            "tocsin_effect_seconds", "How long an effect took.", ("kind",), registry=registry
        )

    def count(self, name: str, number: int = 1, **labels: str) -> None:
        """Add `number` to a counter of `_COUNTERS`."""
        self._counters[name].labels(**labels).inc(number)

    def child(self, name: str, **labels: str) -> Callable[[], None]:
        """What adds 1 to that counter, cheaper than `count` where it is called often."""
        return self._counters[name].labels(**labels).inc

    def gauge(self, name: str, value: float, severity: str) -> None:
        """Set a gauge of `_GAUGES` for that level."""
        self._gauges[name].labels(severity=severity).set(value)

    def worker_last_seen(self, seconds: float) -> None:
        """Note how long ago this replica's worker was seen to work."""
        self._worker_last_seen.set(seconds)

    def effect_took(self, kind: str, outcome: str, seconds: float) -> None:
        """Note that an effect was tried, what came of it, and how long it took."""
        self.count("effects", kind=kind, outcome=outcome)
        self._effect_seconds.labels(kind=kind).observe(seconds)


def exposition(folder: Path) -> bytes:
    """All processes' metrics, added up, as text."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
    return generate_latest(registry)
