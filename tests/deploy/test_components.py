"""Each component of `deploy/components`: with exactly its rights, its kinds of step work."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from kubernetes.client import ApiClient, CoreV1Api

from bot.adapters.clock import SystemClock
from bot.adapters.kubernetes import KubernetesCluster, connect
from bot.adapters.kubernetes_objects import KubernetesObjects
from bot.domain.cluster import Marker, ObjectRef
from bot.domain.errors import NotFound, PermanentError
from bot.domain.resource import Manifest
from bot.ports import StepContext
from bot.steps.registry import step_kinds
from tests.support import gitops
from tests.support.kubernetes import SECONDS, Namespace, eventually, marker
from tests.support.object_places import define_custom_resources
from tests.support.service_account import (
    ServiceAccount,
    cluster_rules,
    component_rules,
    in_force,
    shipped_rules,
)
from tests.support.step_bench import FakeProbe, Step

pytestmark = pytest.mark.cluster

StepAs = Callable[..., Step]
CONFIG_MAP = "v1 ConfigMap"


@pytest.fixture(scope="module")
def admin() -> ApiClient:
    return connect(os.environ["TOCSIN_TEST_KUBECONFIG"], None)


@pytest.fixture
def namespace(admin: ApiClient) -> Iterator[Namespace]:
    made = Namespace.create(admin)
    yield made
    made.delete()


@pytest.fixture
def objects(admin: ApiClient) -> KubernetesObjects:
    """What the administrator sees and makes."""
    return KubernetesObjects(admin, SECONDS)


@pytest.fixture
def having(admin: ApiClient, namespace: Namespace) -> Iterator[Callable[..., StepAs]]:
    """Steps of an account with the shipped Role, and the rights of the named components."""
    undo: list[Callable[[], None]] = []

    def having(*components: str) -> StepAs:
        rules = [*shipped_rules(), *(one for name in components for one in component_rules(name))]
        account = ServiceAccount.create(admin, namespace.name, rules)
        for name in components:
            undo.append(account.also(admin, namespace.name, cluster_rules(name)))
        in_force(account.client, namespace.name)

        def step(kind: str, /, **given: Any) -> Step:
            return _step(account.client, kind, given)

        return step

    yield having
    for one in undo:
        one()


def _step(client: ApiClient, kind: str, given: dict[str, Any]) -> Step:
    found = step_kinds()[kind]
    context = StepContext(
        cluster=KubernetesCluster(client, SECONDS),
        probe=FakeProbe(),
        clock=SystemClock(),
        marker=Marker(7, "it", datetime.now(UTC)),
        decided={},
        progress=lambda _line: None,
        objects=KubernetesObjects(client, SECONDS),
    )
    return Step(found, found.arguments.read(given), context)


def done_and_undone(step: Step) -> None:
    plan = step.plan()
    assert plan.problems == ()
    outcome = step.execute()
    step.undo(outcome)


def looked(step: Step) -> str:
    assert step.plan().problems == ()
    return step.execute().summary


def config_map(objects: KubernetesObjects, namespace: Namespace) -> None:
    metadata = {"name": "settings", "namespace": namespace.name}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"host": "a"}}
    objects.create(body, marker("setup"))


def test_jobs_run_fail_are_stopped_and_leave_nothing_to_read_events_for(
    having: Callable[..., StepAs], namespace: Namespace, objects: KubernetesObjects
) -> None:
    step = having("jobs")

    def job(tag: str, **given: Any) -> Step:
        image = f"registry.example/backup:{tag}"
        return step("kubernetes.job", namespace=namespace.name, image=image, **given)

    complete = job("complete")
    assert complete.plan().problems == ()
    assert complete.execute().summary.endswith("completed.")
    objects.delete(ref := _job_of(namespace), objects.read(ref).uid)
    eventually(lambda: _is_there(objects, ref), lambda there: not there)
    with pytest.raises(PermanentError, match="did not start within 1s and was deleted"):
        job("badimage", start_timeout="1s").execute()
    eventually(lambda: _is_there(objects, ref), lambda there: not there)
    aborted = job("notready", timeout="60s")
    aborted.context = replace(aborted.context, stopped=lambda: True)
    with pytest.raises(PermanentError, match="stopped with the run and deleted"):
        aborted.execute()


def _job_of(namespace: Namespace) -> ObjectRef:
    return ObjectRef("job", namespace.name, "tocsin-run-7-it")


def _is_there(objects: KubernetesObjects, ref: ObjectRef) -> bool:
    try:
        objects.read(ref)
    except NotFound:
        return False
    return True


def test_settings_are_patched(
    having: Callable[..., StepAs], namespace: Namespace, objects: KubernetesObjects
) -> None:
    config_map(objects, namespace)
    given = {
        "object": f"{namespace.name}/settings",
        "kind": CONFIG_MAP,
        "merge": {"data": {"host": "b"}},
    }
    step = having("settings")
    done_and_undone(step("kubernetes.patch", **given))
    ref = ObjectRef("configmap", namespace.name, "settings")
    assert objects.read(ref).body["data"] == {"host": "a"}


def test_workloads_and_autoscalers_are_scaled(
    having: Callable[..., StepAs], namespace: Namespace
) -> None:
    shop = namespace.create_deployment()
    namespace.rolled_out(shop)
    namespace.create_autoscaler("bounds", "other")
    step = having("scaling")
    done_and_undone(
        step("kubernetes.scale", workload=f"{namespace.name}/shop", kind="Deployment", replicas=0)
    )
    done_and_undone(
        step("kubernetes.autoscale_bounds", autoscaler=f"{namespace.name}/bounds", minimum=2)
    )


def test_what_happened_is_looked_at(having: Callable[..., StepAs], namespace: Namespace) -> None:
    shop = namespace.create_deployment()
    namespace.rolled_out(shop)
    step, workload = having("look"), f"{namespace.name}/shop"
    assert "pods ready" in looked(step("kubernetes.status", workload=workload))
    assert "Read the logs" in looked(step("kubernetes.logs", workload=workload))
    assert "warning" in looked(step("kubernetes.events", workload=workload))
    assert "change" in looked(step("kubernetes.recent_changes", namespace=namespace.name))


def automated(namespace: str) -> Manifest:
    return gitops.application(namespace, syncPolicy={"automated": {"prune": True}})


SUSPENDED: Mapping[str, tuple[str, str, Callable[[str], Manifest]]] = {
    "argo-cd": ("argocd.suspend", "application", automated),
    "flux": ("flux.suspend", "resource", gitops.kustomization),
}


@pytest.mark.parametrize("component", SUSPENDED)
def test_gitops_is_suspended_and_goes_on(
    having: Callable[..., StepAs],
    namespace: Namespace,
    objects: KubernetesObjects,
    component: str,
) -> None:
    kind, word, body = SUSPENDED[component]
    define_custom_resources(namespace.client)
    objects.create(body(namespace.name), marker("setup"))
    done_and_undone(having(component)(kind, **{word: f"{namespace.name}/shop"}))


def test_databases_are_patched(
    having: Callable[..., StepAs], namespace: Namespace, objects: KubernetesObjects
) -> None:
    define_custom_resources(namespace.client)
    kind = "postgresql.cnpg.io/v1 Cluster"
    metadata = {"name": "orders", "namespace": namespace.name}
    spec = {"replica": {"enabled": True}}
    body = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster"}
    objects.create({**body, "metadata": metadata, "spec": spec}, marker("setup"))
    step = having("databases")(
        "kubernetes.patch",
        object=f"{namespace.name}/orders",
        kind=kind,
        merge={"spec": {"replica": {"enabled": False}}},
    )
    done_and_undone(step)


@pytest.fixture
def node(admin: ApiClient) -> Iterator[str]:
    """A node that no kubelet serves."""
    name = f"tocsin-components-{uuid4().hex[:6]}"
    core: Any = CoreV1Api(admin)  # as kubectl, with plain JSON and not the client's models
    core.create_node({"metadata": {"name": name}})
    yield name
    core.delete_node(name)


def test_nodes_are_cordoned_drained_and_uncordoned(
    having: Callable[..., StepAs], node: str
) -> None:
    step = having("nodes")
    done_and_undone(step("kubernetes.cordon", node=node))
    done_and_undone(step("kubernetes.drain", node=node, timeout="20s"))
    done_and_undone(step("kubernetes.uncordon", node=node))


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("kubernetes.job", {"namespace": "{}", "image": "registry.example/a:1"}, "create jobs"),
        ("kubernetes.autoscale_bounds", {"autoscaler": "{}/bounds", "minimum": 2}, "get"),
        ("kubernetes.cordon", {"node": "node-1"}, "nodes"),
    ],
)
def test_without_the_component_the_missing_right_is_named(
    having: Callable[..., StepAs],
    namespace: Namespace,
    kind: str,
    given: dict[str, str],
    said: str,
) -> None:
    namespace.rolled_out(namespace.create_deployment())
    step = having()(kind, **_in(namespace, given))
    problems = step.plan().problems
    if not problems:
        with pytest.raises(PermanentError) as refused:
            step.execute()
        problems = (str(refused.value),)
    assert "does not let us" in problems[0]
    assert said in problems[0]


def _in(namespace: Namespace, given: dict[str, Any]) -> dict[str, Any]:
    filled = {key: str(value).format(namespace.name) for key, value in given.items()}
    return {key: given[key] if isinstance(given[key], int) else it for key, it in filled.items()}
