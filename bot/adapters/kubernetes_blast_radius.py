"""What a change to some pods touches besides them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bot.adapters import kubernetes_values as values
from bot.adapters.kubernetes_api import KubernetesApi
from bot.adapters.kubernetes_values import Json
from bot.domain.cluster import BlastRadius
from bot.domain.errors import PermanentError
from bot.domain.selectors import Labels, includes, selects


def active_pods(api: KubernetesApi, namespace: str, selector: Labels) -> list[Json]:
    """Return the pods that count and that `selector` matches, by name.

    An empty selector matches none, as in a Service; to a list it would mean every pod.
    """
    found = api.find("pods", namespace, selector) if selector else []
    return sorted(filter(values.is_active, found), key=values.name_of)


def blast_radius(api: KubernetesApi, namespace: str, selector: Labels) -> BlastRadius:
    """Look at everything around these pods; what can't be read goes into `unknown`."""
    unknown: list[str] = []

    def known(read: Callable[[], list[Json]]) -> list[Json]:
        try:
            return read()
        except PermanentError as error:
            unknown.append(str(error))
            return []

    def all_of(resource: str) -> list[Json]:
        return known(lambda: api.find(resource, namespace, {}))

    pods = known(lambda: active_pods(api, namespace, selector))
    groups = [values.labels_of(pod) for pod in pods] or [selector]
    services = _touching(all_of("services"), groups, includes)
    budgets = _touching(all_of("poddisruptionbudgets"), groups, selects)
    deployments = _touching(all_of("deployments"), groups, selects)
    autoscalers = _targeting(all_of("horizontalpodautoscalers"), map(values.name_of, deployments))
    return BlastRadius(
        pods=len(pods),
        ready=sum(values.pod(pod).ready for pod in pods),
        services=tuple(map(values.name_of, services)),
        budgets=tuple(map(values.budget, budgets)),
        autoscalers=tuple(map(values.autoscaler, autoscalers)),
        unknown=tuple(unknown),
    )


def _touching(
    found: list[Json], groups: list[Labels], matches: Callable[[Labels | None, Labels], bool]
) -> list[Json]:
    """Keep the objects whose selector matches any of the label groups."""
    return [
        raw
        for raw in found
        if any(matches(raw["spec"].get("selector"), labels) for labels in groups)
    ]


def _targeting(autoscalers: list[Json], deployments: Iterable[str]) -> list[Json]:
    targets = {("Deployment", name) for name in deployments}
    references = ((raw, raw["spec"]["scaleTargetRef"]) for raw in autoscalers)
    return [raw for raw, target in references if (target["kind"], target["name"]) in targets]
