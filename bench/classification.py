"""How much processor time a classification takes, with the default policy and no facts.

Twice: of alerts whose words were never seen, and of alerts that say what others of their
rule have said before, in which only names and labels differ. The latter are the rule.
"""

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
    """Measure, print the lines and return the figures."""
    figures: dict[str, Any] = {}
    for name, alerts in (("new_words", _alerts(True)), ("known_words", _alerts(False))):
        # Each round has a policy of its own, which remembers nothing yet.
        times = [_once(_policy(), alerts) for _ in range(rounds)]
        us = median(times) / len(alerts) * 1e6
        figures[name] = {"alerts": len(alerts), "us": us, "alerts_s": 1e6 / us}
        said = "met" if us <= GOAL else "NOT MET"
        print(
            f"classification, {name.replace('_', ' ')}: {us:.1f} us an alert,"
            f" {1e6 / us:.0f} alerts/s (goal: at most {GOAL:.0f} us; {said})"
        )
    return figures


def _policy() -> Policy:
    return load_policy(REPOSITORY / "policy" / "severity.yaml")


def _once(policy: Policy, alerts: Sequence[Texts]) -> float:
    begun = time.process_time()
    for labels, texts in alerts:
        classify(policy, labels, texts)
    return time.process_time() - begun


def _alerts(new_words: bool) -> list[Texts]:
    """The alerts of the policy's own tests, each many times over, of another instance each.

    With `new_words` each also says a word that no other does.
    """
    tests = yaml.safe_load((REPOSITORY / "policy" / "severity_test.yaml").read_text())["tests"]
    return [
        _named(test, number, f"case{number}" if new_words else "")
        for number in range(3_000 // len(tests))
        for test in tests
    ]


def _named(test: dict[str, Any], number: int, word: str) -> Texts:
    instance = f"10.0.{number // 250}.{number % 250}:9100"
    said = test.get("annotations", {}).items()
    texts = {name: f"{text} ({instance}) {word}" for name, text in said}
    return {**test.get("labels", {}), "instance": instance}, texts
