"""What the stand-in's API server does to an object before it is stored: defaults and checks.

Sources: kubernetes/pkg/apis/apps/v1/defaults.go, pkg/registry/apps/deployment/strategy.go,
pkg/apis/apps/validation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bot.sandbox.kubernetes.refusals import Refusal, conflict, invalid
from bot.sandbox.kubernetes.store import (
    AUTOSCALERS,
    BUDGETS,
    DEPLOYMENTS,
    STATEFUL_SETS,
    Json,
    Resource,
    has_labels,
)

DEPLOYMENT_DEFAULTS: Json = {
    "replicas": 1,
    "revisionHistoryLimit": 10,
    "progressDeadlineSeconds": 600,
}
DEFAULTS: Mapping[Resource, Json] = {
    DEPLOYMENTS: DEPLOYMENT_DEFAULTS,
    STATEFUL_SETS: {"replicas": 1, "podManagementPolicy": "OrderedReady"},
}
FIRST_STATUS: Mapping[Resource, Json] = {
    AUTOSCALERS: {"currentReplicas": 0, "desiredReplicas": 0},
    STATEFUL_SETS: {"replicas": 0},
    BUDGETS: {
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "disruptionsAllowed": 0,
        "expectedPods": 0,
    },
}
"""What is in a new object's status before a controller has seen it, where fields are required."""


def given_name(resource: Resource, body: Any) -> str:
    """Return the name that the body of a new object gives.

    Raises:
        Refusal: there is none.
    """
    match body:
        case {"metadata": {"name": str(name)}} if name:
            return name
    raise invalid(resource, "", "metadata.name", "Required value: name is required")


def admit_new(resource: Resource, body: Json) -> Json:
    """Return the object to store, with defaults and without a status.

    Raises:
        Refusal: the object is not valid.
    """
    defaults = DEFAULTS.get(resource, {})
    with _decoding(resource):
        admitted = {
            **body,
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {**body["metadata"]},
        }
        if resource.has_spec:
            admitted["spec"] = {**defaults, **body.get("spec", {})}
        if not resource.custom and resource.has_spec:
            admitted["status"] = FIRST_STATUS.get(resource, {})
        _check(resource, admitted)
        return admitted


def admit_change(resource: Resource, old: Json, patched: Json) -> Json:
    """Return the changed object to store: the server keeps its own fields and the status.

    A Deployment's generation counts changes of its annotations, too.

    Raises:
        Refusal: the change is based on an older version, or is not valid.
    """
    with _decoding(resource):
        _check_identity(resource, old, patched)
        _check(resource, patched)
        generation = old["metadata"]["generation"]
        if _is_new_generation(resource, old, patched):
            generation += 1
        changed = {**patched, "metadata": {**patched["metadata"], "generation": generation}}
        if "status" in old and not resource.custom:
            changed["status"] = old["status"]
        return changed


@contextmanager
def _decoding(resource: Resource) -> Iterator[None]:
    """Refuse an object that lacks a field, or has another type in its place."""
    try:
        yield
    except (KeyError, TypeError, AttributeError) as error:
        kind = resource.kind
        message = f'{kind} in version "v1" cannot be handled as a {kind}: {error!r}'
        raise Refusal(400, message) from None


def _is_new_generation(resource: Resource, old: Json, patched: Json) -> bool:
    if resource is not DEPLOYMENTS:
        counts = resource.custom or resource is STATEFUL_SETS
        return counts and bool(old["spec"] != patched["spec"])
    before, after = old["metadata"].get("annotations"), patched["metadata"].get("annotations")
    return bool(old["spec"] != patched["spec"] or (before or {}) != (after or {}))


def _check_identity(resource: Resource, old: Json, patched: Json) -> None:
    before, after = old["metadata"], patched["metadata"]
    if after.get("resourceVersion") != before["resourceVersion"]:
        raise conflict(resource, before["name"])
    for field in ("name", "namespace", "uid", "creationTimestamp"):
        if after.get(field) != before.get(field):
            raise invalid(resource, before["name"], f"metadata.{field}", "field is immutable")
    workload = resource in (DEPLOYMENTS, STATEFUL_SETS)
    if workload and old["spec"]["selector"] != patched["spec"]["selector"]:
        raise invalid(resource, before["name"], "spec.selector", "field is immutable")


def _check(resource: Resource, item: Json) -> None:
    if resource in (DEPLOYMENTS, STATEFUL_SETS):
        _check_workload(resource, item)
    if resource is BUDGETS:
        _check_budget(item)


def _check_budget(item: Json) -> None:
    if "matchLabels" not in item["spec"]["selector"]:
        name = item["metadata"]["name"]
        raise invalid(BUDGETS, name, "spec.selector", "the sandbox knows only matchLabels")


def _check_workload(resource: Resource, item: Json) -> None:
    name, spec = item["metadata"]["name"], item["spec"]
    template = spec["template"]
    if spec["replicas"] < 0:
        raise invalid(resource, name, "spec.replicas", "must be greater than or equal to 0")
    if not has_labels(template, spec["selector"]["matchLabels"]):
        problem = "Invalid value: `selector` does not match template `labels`"
        raise invalid(resource, name, "spec.template.metadata.labels", problem)
    for index, container in enumerate(template["spec"]["containers"]):
        if not container.get("image"):
            field = f"spec.template.spec.containers[{index}].image"
            raise invalid(resource, name, field, "Required value")
