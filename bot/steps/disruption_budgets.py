"""PodDisruptionBudgets: which pods they guard, and how many of those may go now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.cluster import DisruptionBudget
from bot.domain.errors import NotFound
from bot.domain.resource import Resource
from bot.domain.selectors import selects
from bot.ports import Objects

_KINDS = ("poddisruptionbudget.v1.policy", "poddisruptionbudget.v1beta1.policy")
"""Kubernetes 1.21 has the first, what is older the second only."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A budget as it is now: `allowed` of the `expected` pods that it guards may go."""

    namespace: str
    name: str
    selector: Mapping[str, Any] | None
    allowed: int
    expected: int

    def guards(self, pod: Resource) -> bool:
        labels = pod.body["metadata"].get("labels") or {}
        return pod.ref.namespace == self.namespace and selects(self.selector, labels)

    @property
    def value(self) -> DisruptionBudget:
        return DisruptionBudget(self.name, self.allowed)

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}"
        return f"{where} ({self.allowed} of {self.expected} may be disrupted)"


def budgets_over(pods: Iterable[Resource], objects: Objects) -> Sequence[Budget]:
    """The budgets that guard any of the pods, by namespace and name."""
    guarded = list(pods)
    found = [
        _budget(one)
        for namespace in sorted({pod.ref.namespace for pod in guarded})
        for one in _all_of(namespace, objects)
    ]
    return [budget for budget in found if any(map(budget.guards, guarded))]


def _all_of(namespace: str, objects: Objects) -> Sequence[Resource]:
    newest, older = _KINDS
    try:
        return objects.find(newest, namespace, {})
    except NotFound:
        return objects.find(older, namespace, {})


def _budget(resource: Resource) -> Budget:
    status = resource.body.get("status") or {}
    return Budget(
        resource.ref.namespace,
        resource.ref.name,
        resource.body["spec"].get("selector"),
        status.get("disruptionsAllowed", 0),
        status.get("expectedPods", 0),
    )
