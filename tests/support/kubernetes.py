"""A namespace in a cluster, in which a test can make what it needs, over the cluster's API."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

from kubernetes.client import (
    ApiClient,
    AppsV1Api,
    AutoscalingV1Api,
    CoreV1Api,
    PolicyV1Api,
)
from kubernetes.client.exceptions import NotFoundException

from bot.adapters.kubernetes import KubernetesCluster
from bot.domain.cluster import DEPLOYMENT, SERVICE, Deployment, Marker, ObjectRef

SECONDS = 10.0
"""The timeout of each request."""
PATIENCE = 30.0
"""Seconds in which whatever a test waits for must have happened."""

T = TypeVar("T")


def marker(step: str = "step", run: int = 1) -> Marker:
    """Return a marker whose time is now."""
    return Marker(run, step, datetime.now(UTC))


def eventually(read: Callable[[], T], wanted: Callable[[T], bool]) -> T:
    """Read until `wanted` holds of what was read, and return that."""
    deadline = time.monotonic() + PATIENCE
    while not wanted(value := read()):
        assert time.monotonic() < deadline, f"not within {PATIENCE} s; the last was {value}"
        time.sleep(0.02)
    return value


@dataclass(frozen=True)
class Namespace:
    """A namespace of one's own, and the adapter under test."""

    client: ApiClient
    name: str

    @classmethod
    def create(cls, client: ApiClient) -> Namespace:
        name = f"test-{uuid4().hex[:8]}"
        _create(CoreV1Api(client).create_namespace, {"metadata": {"name": name}})
        return cls(client, name)

    def delete(self) -> None:
        """Delete the namespace and, in time, all that is in it."""
        CoreV1Api(self.client).delete_namespace(self.name)

    @property
    def cluster(self) -> KubernetesCluster:
        return KubernetesCluster(self.client, SECONDS)

    def deployment(self, name: str) -> ObjectRef:
        return ObjectRef(DEPLOYMENT, self.name, name)

    def service(self, name: str) -> ObjectRef:
        return ObjectRef(SERVICE, self.name, name)

    def create_deployment(
        self, name: str = "shop", tag: str = "1.0", replicas: int = 2, **spec: object
    ) -> ObjectRef:
        """Create a Deployment whose pods are labelled `app=name`, and don't wait for it."""
        labels = {"app": name}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [_container(name, tag)]}}
        body = {
            "metadata": {"name": name},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": template,
                **spec,
            },
        }
        _create(AppsV1Api(self.client).create_namespaced_deployment, body, namespace=self.name)
        return self.deployment(name)

    def release(self, ref: ObjectRef, *tags: str) -> Deployment:
        """Wait until the Deployment is rolled out; then roll out each tag, one after another."""
        rolled_out = self.rolled_out(ref)
        for tag in tags:
            self.set_tag(ref, tag)
            rolled_out = self.rolled_out(ref)
        return rolled_out

    def rolled_out(self, ref: ObjectRef) -> Deployment:
        """Wait until the Deployment's newest template runs everywhere."""
        return eventually(lambda: self.cluster.deployment(ref), lambda it: it.rolled_out)

    def set_tag(self, ref: ObjectRef, tag: str) -> None:
        template = {"spec": {"containers": [_container(ref.name, tag)]}}
        self.patch_deployment(ref, {"spec": {"template": template}})

    def patch_deployment(self, ref: ObjectRef, patch: Mapping[str, Any]) -> None:
        AppsV1Api(self.client).patch_namespaced_deployment(ref.name, ref.namespace, dict(patch))

    def create_service(self, name: str, selector: Mapping[str, str]) -> ObjectRef:
        spec = {"selector": dict(selector), "ports": [{"port": 80}]}
        body = {"metadata": {"name": name}, "spec": spec}
        _create(CoreV1Api(self.client).create_namespaced_service, body, namespace=self.name)
        return self.service(name)

    def create_budget(self, name: str, selector: Mapping[str, str]) -> bool:
        """Create a PodDisruptionBudget (one pod may be missing); False if there is no such API."""
        spec = {"maxUnavailable": 1, "selector": {"matchLabels": dict(selector)}}
        body = {"metadata": {"name": name}, "spec": spec}
        create = PolicyV1Api(self.client).create_namespaced_pod_disruption_budget
        try:
            _create(create, body, namespace=self.name)
        except NotFoundException:
            return False
        return True

    def create_autoscaler(self, name: str, target: str) -> None:
        reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
        spec = {"scaleTargetRef": reference, "minReplicas": 2, "maxReplicas": 5}
        body = {"metadata": {"name": name}, "spec": spec}
        create = AutoscalingV1Api(self.client).create_namespaced_horizontal_pod_autoscaler
        _create(create, body, namespace=self.name)


def _create(call: Callable[..., Any], body: Mapping[str, Any], **place: str) -> None:
    """Send plain JSON, as kubectl does; the client's types ask for its models."""
    call(body=body, **place)


def _container(name: str, tag: str) -> dict[str, str]:
    return {"name": name, "image": f"registry.example/{name}:{tag}"}
