"""How long each kind waits at most, as its plan says it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.plan import Limit
from bot.steps.base import BaseStep
from bot.steps.people import Approval, Manual
from bot.steps.registry import step_kinds

KINDS = step_kinds()
PEOPLE = (Manual.name, Approval.name)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_kind_with_a_timeout_states_it(name: str) -> None:
    """What people are waited for stands in the question."""
    kind = KINDS[name]
    assert isinstance(kind, BaseStep)
    waits = "timeout" in kind.arguments.model_fields and name not in PEOPLE
    states = type(kind).limit is not BaseStep.limit
    assert states == (waits or name == "wait")


@pytest.mark.parametrize(
    ("name", "arguments", "seconds", "soak"),
    [
        ("wait", {"duration": "30s"}, 30, 30),
        ("kubernetes.wait_rollout", {"workload": "a/b", "timeout": "10m"}, 600, 0),
        ("kubernetes.ready_pods", {"workload": "a/b", "timeout": "2m", "soak": "1m"}, 180, 60),
        ("kubernetes.job", {"namespace": "a", "image": "b:1", "timeout": "1h"}, 3630, 0),
        ("http.check", {"url": "http://a.example/", "timeout": "60s"}, 60, 0),
        ("http.check", {"url": ""}, 0, 0),
        ("http.check", {"url": "http://a.example/", "must_pass": False}, 0, 0),
        ("prometheus.check", {"query": "up == 1", "timeout": "2m", "soak": "1m"}, 180, 60),
        ("prometheus.check", {"query": ""}, 0, 0),
        ("kubernetes.status", {"workload": "a/b"}, 0, 0),
    ],
)
def test_a_limit_is_made_of_what_the_runbook_gives(
    name: str, arguments: dict[str, Any], seconds: int, soak: int
) -> None:
    kind = KINDS[name]
    assert isinstance(kind, BaseStep)
    stated = kind.limit(kind.arguments.read(arguments))
    assert stated == Limit(timedelta(seconds=seconds), timedelta(seconds=soak))
