"""Where `Objects` is tested: on a stand-in, on a real API server, and on the tests' fake."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import pytest
from kubernetes.client import ApiClient, ApiException, ApiextensionsV1Api

from bot.adapters.kubernetes import connect
from bot.adapters.kubernetes_objects import KubernetesObjects
from bot.domain.cluster import ObjectRef, kind_of
from bot.domain.errors import NotFound, PermanentError
from bot.ports import Cluster, Objects
from bot.sandbox.kubernetes import SandboxCluster, kubernetes_app
from tests.support.fake_cluster import FakeCluster
from tests.support.fake_objects import FakeObjects
from tests.support.kubernetes import SECONDS, Namespace, eventually
from tests.support.serve import serve

CUSTOM = {
    "postgresql.cnpg.io/v1 Cluster": "clusters",
    "acid.zalan.do/v1 postgresql": "postgresqls",
    "argoproj.io/v1alpha1 Rollout": "rollouts",
    "argoproj.io/v1alpha1 Application": "applications",
    "argoproj.io/v1alpha1 AnalysisRun": "analysisruns",
    "kustomize.toolkit.fluxcd.io/v1 Kustomization": "kustomizations",
    "helm.toolkit.fluxcd.io/v2 HelmRelease": "helmreleases",
}
"""The custom kinds that the stand-in serves, with their plurals."""


@dataclass(frozen=True)
class Place:
    """Where the suite works: the objects under test, and a namespace of its own."""

    objects: Objects
    cluster: Cluster
    namespace: str
    others: Callable[[str], Objects]
    """The same objects, as another field manager changes them."""

    def config_map(self, name: str = "settings", **data: str) -> dict[str, Any]:
        metadata = {"name": name, "namespace": self.namespace}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}

    def ref(self, name: str = "settings", kind: str = "configmap") -> ObjectRef:
        return ObjectRef(kind, self.namespace, name)


class AsManager(KubernetesObjects):
    """Another program than Tocsin: its applies have a field manager of its own."""

    def __init__(self, client: ApiClient, manager: str) -> None:
        super().__init__(client, SECONDS)
        self._manager = manager

    def _applied(self, body: Any, query: Any) -> Any:
        return super()._applied(body, {**query, "fieldManager": self._manager})


@contextmanager
def sandbox() -> Iterator[ApiClient]:
    cluster = SandboxCluster(lambda: datetime.now(UTC), ready_after=0.1)
    with serve(kubernetes_app(cluster)) as url:
        yield connect(None, url)
    assert not cluster.unknown_requests


@contextmanager
def real() -> Iterator[ApiClient]:
    client = connect(os.environ["TOCSIN_TEST_KUBECONFIG"], None)
    define_custom_resources(client)
    yield client


def define_custom_resources(client: ApiClient) -> None:
    """Make what the operators would define, unless it is there; others may use it, so it stays."""
    api = ApiextensionsV1Api(client)
    create: Callable[[Any], object] = api.create_custom_resource_definition
    known = {
        one.metadata.name for one in api.list_custom_resource_definition().items if one.metadata
    }
    for kind, plural in CUSTOM.items():
        definition = custom_resource_definition(kind, plural)
        if definition["metadata"]["name"] not in known:
            with suppress_conflict():  # another worker defined it meanwhile
                create(definition)
    objects = KubernetesObjects(client, SECONDS)
    for kind in CUSTOM:
        api_version, _, word = kind.partition(" ")
        eventually(partial(served, objects, kind_of(api_version, word)), bool)


@contextmanager
def suppress_conflict() -> Iterator[None]:
    try:
        yield
    except ApiException as error:
        if error.status != HTTPStatus.CONFLICT:
            raise


def served(objects: Objects, kind: str) -> bool:
    try:
        objects.find(kind, "", {})
    except (NotFound, PermanentError):
        return False
    return True


def custom_resource_definition(kind: str, plural: str) -> dict[str, Any]:
    api_version, _, word = kind.partition(" ")
    group, _, version = api_version.partition("/")
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    versions = [
        {
            "name": version,
            "served": True,
            "storage": True,
            "schema": {"openAPIV3Schema": schema},
        }
    ]
    names = {"plural": plural, "kind": word, "singular": word.lower()}
    return {
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, a test's"},
        },
        "spec": {"group": group, "names": names, "scope": "Namespaced", "versions": versions},
    }


@contextmanager
def place_of(client: ApiClient, leave: bool) -> Iterator[Place]:
    namespace = Namespace.create(client)
    others = lambda manager: AsManager(client, manager)  # noqa: E731
    objects = KubernetesObjects(client, SECONDS)
    yield Place(objects, namespace.cluster, namespace.name, others)
    if not leave:
        namespace.delete()


@contextmanager
def in_sandbox() -> Iterator[Place]:
    with sandbox() as client, place_of(client, leave=True) as place:
        yield place


@contextmanager
def in_cluster() -> Iterator[Place]:
    with real() as client, place_of(client, leave=False) as place:
        yield place


@contextmanager
def in_memory() -> Iterator[Place]:
    cluster = FakeCluster()
    objects = FakeObjects(cluster)
    yield Place(objects, cluster, f"test-{uuid4().hex[:8]}", lambda _manager: objects)


SANDBOX = pytest.param(in_sandbox, id="sandbox")
REAL = pytest.param(in_cluster, id="real", marks=pytest.mark.cluster)
FAKE = pytest.param(in_memory, id="fake")
