"""PodDisruptionBudgets in the stand-in: how many of their pods may be missing now."""

from __future__ import annotations

from math import ceil

from bot.sandbox.kubernetes.pods import is_ready
from bot.sandbox.kubernetes.store import DEPLOYMENTS, PODS, Json, ObjectStore, has_labels


def budget_status(store: ObjectStore, budget: Json) -> Json:
    """Return the status, by the rules of kubernetes/pkg/controller/disruption."""
    namespace = budget["metadata"]["namespace"]
    labels = budget["spec"]["selector"]["matchLabels"]
    pods = [pod for pod in store.find(PODS, namespace) if has_labels(pod, labels)]
    expected = sum(
        deployment["spec"]["replicas"]
        for deployment in store.find(DEPLOYMENTS, namespace)
        if has_labels(deployment["spec"]["template"], labels)
    )
    healthy, wanted = sum(map(is_ready, pods)), _wanted(budget["spec"], expected)
    return {
        "observedGeneration": budget["metadata"]["generation"],
        "expectedPods": expected,
        "currentHealthy": healthy,
        "desiredHealthy": wanted,
        "disruptionsAllowed": max(0, healthy - wanted),
    }


def _wanted(spec: Json, expected: int) -> int:
    if "minAvailable" in spec:
        return _share(spec["minAvailable"], expected)
    return expected - _share(spec["maxUnavailable"], expected)


def _share(value: int | str, expected: int) -> int:
    """Read a number of pods or a percentage of them, which is rounded up."""
    if isinstance(value, int):
        return value
    return ceil(expected * int(value.removesuffix("%")) / 100)
