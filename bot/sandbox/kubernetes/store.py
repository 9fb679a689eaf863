"""What the stand-in cluster holds: API objects as JSON, each with its resourceVersion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object that the stand-in serves; `group` is empty for the core API.

    The objects of one that is not `writable` are the controllers' alone. Those of a `custom`
    one are kept as they come, with the status that is given: no controller knows them.
    """

    group: str
    name: str
    kind: str
    namespaced: bool = True
    writable: bool = True
    version: str = "v1"
    has_spec: bool = True
    custom: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified_name(self) -> str:
        """The name as the API server's messages give it, such as ``deployments.apps``."""
        return f"{self.name}.{self.group}" if self.group else self.name


NAMESPACES = Resource("", "namespaces", "Namespace", namespaced=False)
PODS = Resource("", "pods", "Pod")
NODES = Resource("", "nodes", "Node", namespaced=False)
EVENTS = Resource("", "events", "Event", writable=False, has_spec=False)
JOBS = Resource("batch", "jobs", "Job")
DAEMON_SETS = Resource("apps", "daemonsets", "DaemonSet", writable=False)
SERVICES = Resource("", "services", "Service")
DEPLOYMENTS = Resource("apps", "deployments", "Deployment")
REPLICA_SETS = Resource("apps", "replicasets", "ReplicaSet", writable=False)
BUDGETS = Resource("policy", "poddisruptionbudgets", "PodDisruptionBudget")
AUTOSCALERS = Resource("autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
CONFIG_MAPS = Resource("", "configmaps", "ConfigMap", has_spec=False)
SECRETS = Resource("", "secrets", "Secret", has_spec=False)
SERVICE_ACCOUNTS = Resource("", "serviceaccounts", "ServiceAccount", has_spec=False)
STATEFUL_SETS = Resource("apps", "statefulsets", "StatefulSet")


def _custom(group: str, version: str, name: str, kind: str) -> Resource:
    return Resource(group, name, kind, version=version, custom=True)


CUSTOM_RESOURCES = (
    _custom("postgresql.cnpg.io", "v1", "clusters", "Cluster"),
    _custom("acid.zalan.do", "v1", "postgresqls", "postgresql"),
    _custom("monitoring.coreos.com", "v1", "servicemonitors", "ServiceMonitor"),
    _custom("argoproj.io", "v1alpha1", "rollouts", "Rollout"),
    _custom("argoproj.io", "v1alpha1", "applications", "Application"),
    _custom("argoproj.io", "v1alpha1", "analysisruns", "AnalysisRun"),
    _custom("kustomize.toolkit.fluxcd.io", "v1", "kustomizations", "Kustomization"),
    _custom("helm.toolkit.fluxcd.io", "v2", "helmreleases", "HelmRelease"),
)
"""Kinds of operators whose objects runbooks work on; a real cluster has them by definitions."""

RESOURCES = (
    NAMESPACES,
    NODES,
    PODS,
    EVENTS,
    JOBS,
    DAEMON_SETS,
    SERVICES,
    CONFIG_MAPS,
    SECRETS,
    SERVICE_ACCOUNTS,
    DEPLOYMENTS,
    REPLICA_SETS,
    STATEFUL_SETS,
    BUDGETS,
    AUTOSCALERS,
    *CUSTOM_RESOURCES,
)


class ObjectStore:
    """Objects by kind, namespace and name. What is handed out are copies."""

    def __init__(self, state: Json | None = None) -> None:
        self.state: Json = state or {"resourceVersion": 0, "objects": {}}

    def copy(self) -> ObjectStore:
        """Return a store of its own, in which a dry run can do what it likes."""
        return ObjectStore(deepcopy(self.state))

    @property
    def version(self) -> str:
        """The resourceVersion of the latest change."""
        return str(self.state["resourceVersion"])

    def get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        return deepcopy(self._objects(resource).get(f"{namespace}/{name}"))

    def find(
        self,
        resource: Resource,
        namespace: str = "",
        matches: Callable[[Json], bool] = lambda item: True,
    ) -> list[Json]:
        """Return the objects of one namespace, or of all when it is empty, by name.

        Only those that match are copied, which is what takes the time.
        """
        return [
            deepcopy(item)
            for _, item in sorted(self._objects(resource).items())
            if (not namespace or item["metadata"].get("namespace") == namespace) and matches(item)
        ]

    def add(self, resource: Resource, namespace: str, body: Json, now: datetime) -> Json:
        """Store a new object, with the metadata that the server gives it."""
        given = {"namespace": namespace} if namespace else {}
        metadata = {
            **body["metadata"],
            **given,
            "uid": str(uuid4()),
            "generation": 1,
            "creationTimestamp": timestamp(now),
        }
        created = {**body, "metadata": metadata}
        return self.save(resource, created)

    def save(self, resource: Resource, changed: Json) -> Json:
        """Store the object; it gets a new resourceVersion only if anything changed."""
        key = _key(changed)
        objects = self._objects(resource)
        if objects.get(key) != changed:
            self.state["resourceVersion"] += 1
            changed["metadata"]["resourceVersion"] = self.version
            objects[key] = deepcopy(changed)
        return changed

    def remove(self, resource: Resource, item: Json) -> None:
        del self._objects(resource)[_key(item)]
        self.state["resourceVersion"] += 1
        self._owners(resource).pop(_key(item), None)

    def owners(self, resource: Resource, item: Json) -> dict[str, set[tuple[str, ...]]]:
        """Who owns which of the object's fields (see `ownership`)."""
        kept = self._owners(resource).get(_key(item), {})
        return {owner: set(map(tuple, paths)) for owner, paths in kept.items()}

    def set_owners(
        self, resource: Resource, item: Json, owners: Mapping[str, set[tuple[str, ...]]]
    ) -> None:
        kept = {owner: sorted(map(list, paths)) for owner, paths in owners.items()}
        self._owners(resource)[_key(item)] = kept

    def _owners(self, resource: Resource) -> Json:
        owners: Json = self.state.setdefault("owners", {}).setdefault(resource.name, {})
        return owners

    def _objects(self, resource: Resource) -> dict[str, Json]:
        objects: dict[str, Json] = self.state["objects"].setdefault(resource.name, {})
        return objects


def has_labels(item: Json, labels: Mapping[str, str]) -> bool:
    """Whether the object, or pod template, carries all of these labels."""
    own = item["metadata"].get("labels") or {}
    return all(own.get(key) == value for key, value in labels.items())


def timestamp(moment: datetime) -> str:
    """Write a time as Kubernetes does: RFC 3339 in UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _key(item: Json) -> str:
    metadata = item["metadata"]
    return f"{metadata.get('namespace', '')}/{metadata['name']}"
