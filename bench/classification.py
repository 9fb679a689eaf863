"""How long a classification takes, with the default policy and no facts, on one core."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from bench.servers import REPOSITORY
from bot.adapters.policy import load_policy
from bot.domain.classify import Policy, classify

GOAL = 50.0
"""Microseconds an alert, at most."""

Texts = tuple[dict[str, str], dict[str, str]]


def run(rounds: int, _folder: Path) -> dict[str, Any]:
    """Measure, print a line and return the figures."""
    policy = load_policy(REPOSITORY / "policy" / "severity.yaml")
    alerts = _alerts()
    _once(policy, alerts)
    per_alert = median(_once(policy, alerts) for _ in range(rounds)) / len(alerts)
    figures = {"alerts": len(alerts), "us": per_alert * 1e6, "alerts_s": 1 / per_alert}
    said = "met" if figures["us"] <= GOAL else "NOT MET"
    print(
        f"classification: {figures['us']:.1f} us an alert, {figures['alerts_s']:.0f} alerts/s"
        f" (goal: at most {GOAL:.0f} us; {said})"
    )
    return figures


def _once(policy: Policy, alerts: Sequence[Texts]) -> float:
    begun = time.perf_counter()
    for labels, texts in alerts:
        classify(policy, labels, texts)
    return time.perf_counter() - begun


def _alerts() -> list[Texts]:
    """The alerts of the policy's own tests, each many times over under another name.

    Every repeat has its own instance in its labels and text, so that nothing is remembered.
    """
    tests = yaml.safe_load((REPOSITORY / "policy" / "severity_test.yaml").read_text())["tests"]
    return [_named(test, number) for number in range(3_000 // len(tests)) for test in tests]


def _named(test: dict[str, Any], number: int) -> Texts:
    instance = f"10.0.{number // 250}.{number % 250}:9100"
    said = test.get("annotations", {}).items()
    texts = {name: f"{text} ({instance})" for name, text in said}
    return {**test.get("labels", {}), "instance": instance}, texts
