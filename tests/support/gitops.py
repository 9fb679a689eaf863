"""Objects of Argo Rollouts, Argo CD and Flux, as their controllers leave them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.resource import Manifest

Json = dict[str, Any]

SELECTOR = {"app": "shop"}
STABLE, NEWEST = "5b8f", "7d4c"
"""The pod template hashes of the two revisions of every Rollout here."""


def template(tag: str, **labels: str) -> Json:
    """A pod template whose image has that tag."""
    return {
        "metadata": {"labels": {**SELECTOR, **labels}},
        "spec": {"containers": [{"name": "shop", "image": f"registry.example/shop:{tag}"}]},
    }


def rollout(
    strategy: Json, status: Mapping[str, Any], namespace: str = "shop", **spec: Any
) -> Manifest:
    """A Rollout that goes from the stable version, 1.0, to 2.0."""
    given = {"template": template("2.0"), **spec}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"namespace": namespace, "name": "shop"},
        "spec": {"selector": {"matchLabels": SELECTOR}, "strategy": strategy, **given},
        "status": {"stableRS": STABLE, "currentPodHash": NEWEST, **status},
    }


def canary(steps: int = 4) -> Json:
    """A canary strategy with so many steps."""
    return {"canary": {"steps": [{"pause": {}} for _ in range(steps)]}}


BLUE_GREEN: Json = {"blueGreen": {"activeService": "shop", "previewService": "shop-preview"}}


def paused(reason: str, **status: Any) -> Json:
    """The status of a Rollout that its controller has paused."""
    return {
        "phase": "Paused",
        "message": reason,
        "controllerPause": True,
        "pauseConditions": [{"reason": reason, "startTime": "2026-03-01T12:00:00Z"}],
        **status,
    }


def replica_set(
    hash_: str, revision: int, tag: str, owner: str, namespace: str = "shop"
) -> Manifest:
    """A revision of a Rollout, as Argo keeps it."""
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "namespace": namespace,
            "name": f"shop-{hash_}",
            "labels": SELECTOR,
            "annotations": {"rollout.argoproj.io/revision": str(revision)},
            "ownerReferences": [
                {
                    "apiVersion": "argoproj.io/v1alpha1",
                    "kind": "Rollout",
                    "name": "shop",
                    "uid": owner,
                    "controller": True,
                }
            ],
        },
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {**SELECTOR, "rollouts-pod-template-hash": hash_}},
            "template": template(tag, **{"rollouts-pod-template-hash": hash_}),
        },
    }


SOURCE: Json = {
    "repoURL": "https://git.example/shop.git",
    "path": "deploy",
    "targetRevision": "HEAD",
}


def application(namespace: str = "argocd", **spec: Any) -> Manifest:
    """An Application that was deployed three times, and is synced by hand."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"namespace": namespace, "name": "shop"},
        "spec": {"project": "default", "source": SOURCE, "destination": {}, **spec},
        "status": {
            "history": [
                {
                    "id": number,
                    "revision": revision,
                    "deployedAt": f"2026-03-0{number + 1}T12:00:00Z",
                    "source": SOURCE,
                }
                for number, revision in enumerate(("aaa", "bbb", "ccc"))
            ],
            "health": {"status": "Degraded"},
        },
    }


def kustomization(namespace: str = "shop", **spec: Any) -> Manifest:
    """A Kustomization of Flux."""
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"namespace": namespace, "name": "shop", "generation": 1},
        "spec": {"interval": "10m", "path": "./deploy", "prune": True, **spec},
        "status": {"observedGeneration": 1},
    }
