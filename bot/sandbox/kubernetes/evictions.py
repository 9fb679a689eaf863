"""Evictions in the stand-in: what its budgets allow, as the API server decides it.

Source: kubernetes/pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from bot.sandbox.kubernetes.pods import is_ready
from bot.sandbox.kubernetes.refusals import budget_refuses, two_budgets
from bot.sandbox.kubernetes.store import BUDGETS, Json, ObjectStore, has_labels


def require_eviction(store: ObjectStore, pod: Json) -> None:
    """Let the pod go, or not.

    Raises:
        Refusal: its budget has nothing to give now, or it has two.
    """
    budgets = [
        budget
        for budget in store.find(BUDGETS, pod["metadata"]["namespace"])
        if has_labels(pod, budget["spec"]["selector"]["matchLabels"])
    ]
    if len(budgets) > 1:
        raise two_budgets()
    spent = any(budget["status"]["disruptionsAllowed"] < 1 for budget in budgets)
    if spent and is_ready(pod):
        raise budget_refuses(budgets[0])
