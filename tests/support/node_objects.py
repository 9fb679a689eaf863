"""Nodes, pods, budgets, Jobs and Events as the API server would answer them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.support.clock import START

Json = dict[str, Any]


def stamp(moment: datetime = START) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def node(name: str, **spec: object) -> Json:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": spec}


def pod(
    name: str,
    node_name: str = "node-1",
    owner: str | None = "ReplicaSet",
    labels: Mapping[str, str] | None = None,
    phase: str = "Running",
    created: datetime = START,
) -> Json:
    """A pod `namespace/name`; `owner` is the kind of its controller."""
    namespace, _, short = name.partition("/")
    owners = [{"kind": owner, "name": "owner", "controller": True}] if owner else []
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": short,
            "namespace": namespace,
            "labels": dict(labels or {"app": "shop"}),
            "ownerReferences": owners,
            "creationTimestamp": stamp(created),
        },
        "spec": {"nodeName": node_name, "containers": [{"name": "main"}]},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": "True"}]},
    }


def budget(name: str, allowed: int, expected: int = 3, **selector: str) -> Json:
    namespace, _, short = name.partition("/")
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": short, "namespace": namespace},
        "spec": {"selector": {"matchLabels": selector or {"app": "shop"}}},
        "status": {"disruptionsAllowed": allowed, "expectedPods": expected},
    }


def warning(about: str, reason: str, message: str, last: datetime, count: int = 1) -> Json:
    namespace, _, short = about.partition("/")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{short}.{reason.lower()}",
            "namespace": namespace,
            "creationTimestamp": stamp(last),
        },
        "involvedObject": {"name": short},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "count": count,
        "lastTimestamp": stamp(last),
    }
