"""The routing policy that is shipped: its defaults, and the examples in its comments."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.policy import load_policy
from bot.adapters.routing import load_routing, parse_routing
from bot.domain.alert import AlertStatus
from bot.domain.classify import classify
from bot.domain.contact import notifier
from bot.domain.heartbeat import beat_of, missing_alert
from bot.domain.routing import RoutingPolicy, default_fallback

FOLDER = Path(__file__).resolve().parent.parent / "policy"
NOW = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)


def test_the_defaults_are_what_the_file_says() -> None:
    assert replace(load_routing(FOLDER / "routing.yaml"), digest="") == RoutingPolicy()


def test_the_examples_can_be_taken_up() -> None:
    text = (FOLDER / "routing.yaml").read_text(encoding="utf-8")
    found = parse_routing(_taken_up(text).encode(), "routing.yaml")
    assert [override.by[-1] for override in found.grouping.overrides] == [
        "database",
        "alertname",
        "alertname",
    ]
    assert [one.id for one in found.correlations] == ["node-down", "api-server-down"]
    assert [one.id for one in found.escalations] == ["payments", "critical", "high"]
    assert found.fallback == (notifier("on-call-sms"), *default_fallback())


def _taken_up(text: str) -> str:
    lines = []
    for line in text.splitlines():
        example = re.fullmatch(
            r"  # ((?:  )*(?:overrides:|steps:|- [a-z]+: |- \{|[a-z_]+: (?:\[|[0-9])).*)", line
        )
        lines.append(f"  {example[1]}" if example else line)
    return "\n".join(line for line in lines if line != "  overrides: []") + "\n"


@pytest.mark.parametrize("cluster", ["", "prod-eu-1", "staging", "info"])
def test_a_missing_heartbeat_pages_by_the_severity_policy_that_is_shipped(cluster: str) -> None:
    routing = load_routing(FOLDER / "routing.yaml")
    beat = beat_of(routing.heartbeats, {"alertname": "Watchdog", "cluster": cluster}, NOW)
    assert beat is not None
    alert = missing_alert(beat, NOW, AlertStatus.FIRING)
    policy = load_policy(FOLDER / "severity.yaml")
    assert classify(policy, alert.labels, alert.annotations).level.pages
