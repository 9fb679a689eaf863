"""Nodes, evictions, Jobs, logs and Events: the stand-in and a real API server alike.

The steps run with the real client, clock and objects. Drains work on nodes of the test's
own, so that nobody else's pods are moved.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from kubernetes.client import (
    ApiClient,
    CoreV1Api,
    RbacAuthorizationV1Api,
)

from bot.adapters.clock import SystemClock
from bot.adapters.kubernetes import KubernetesCluster, connect
from bot.adapters.kubernetes_objects import KubernetesObjects
from bot.domain.cluster import Marker, ObjectRef
from bot.domain.errors import NotFound, PermanentError
from bot.domain.plan import StepOutcome
from bot.ports import StepContext
from bot.sandbox.kubernetes import SandboxCluster, kubernetes_app
from bot.steps.registry import step_kinds
from tests.support.kubernetes import SECONDS, Namespace, eventually, marker
from tests.support.own_nodes import Nodes, served_nodes
from tests.support.serve import serve
from tests.support.step_bench import FakeProbe, Step

SHOP = {"app": "shop"}
IMAGE = "registry.example/backup"
CONTAINER = {"name": "shop", "image": "registry.example/shop:1.0"}


@dataclass
class World:
    """A namespace, two nodes, and steps that work on them."""

    namespace: Namespace
    nodes: Nodes
    run: int = 7
    progress: list[str] = field(default_factory=list)

    def step(self, kind: str, client: ApiClient | None = None, **arguments: Any) -> Step:
        found = step_kinds()[kind]
        asked = client or self.namespace.client
        context = StepContext(
            cluster=KubernetesCluster(asked, SECONDS),
            probe=FakeProbe(),
            clock=SystemClock(),
            marker=Marker(self.run, "it", datetime.now(UTC)),
            decided={},
            progress=self.progress.append,
            objects=KubernetesObjects(asked, SECONDS),
        )
        return Step(found, found.arguments.read(arguments), context)

    def drain(self, **arguments: Any) -> Step:
        return self.step("kubernetes.drain", node=self.nodes.names[0], **arguments)

    def job(self, tag: str, **arguments: Any) -> Step:
        given = {"namespace": self.namespace.name, "image": f"{IMAGE}:{tag}", **arguments}
        return self.step("kubernetes.job", **given)

    def is_cordoned(self) -> bool:
        node = self.objects.read(ObjectRef("node", "", self.nodes.names[0]))
        return bool(node.body["spec"].get("unschedulable"))

    def create(self, api_version: str, kind: str, body: Mapping[str, Any]) -> None:
        metadata = {**body["metadata"], "namespace": self.namespace.name}
        manifest = {**body, "apiVersion": api_version, "kind": kind, "metadata": metadata}
        self.objects.create(manifest, Marker(1, "somebody", datetime.now(UTC)))

    def cordon(self, node: str, cordoned: bool | None) -> None:
        patch = {"spec": {"unschedulable": cordoned}}
        self.objects.merge(ObjectRef("node", "", node), patch, marker())

    def shop(self, **spec: object) -> ObjectRef:
        """Roll out a Deployment with two pods, both of which start on the first node."""
        first, second = self.nodes.names
        self.cordon(second, True)
        spec = {**self.nodes.pods(), "containers": [CONTAINER], **spec}
        body = {
            "metadata": {"name": "shop"},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": SHOP},
                "template": {"metadata": {"labels": SHOP}, "spec": spec},
            },
        }
        self.create("apps/v1", "Deployment", body)
        ref = self.namespace.deployment("shop")
        self.namespace.rolled_out(ref)
        assert self.places() == [first, first]
        self.cordon(second, None)
        return ref

    def places(self) -> list[str]:
        """The node of each pod of the shop."""
        pods = self.objects.find("pod", self.namespace.name, SHOP)
        staying = (pod.body for pod in pods if "deletionTimestamp" not in pod.body["metadata"])
        return [pod["spec"].get("nodeName", "") for pod in staying]

    def names(self, kind: str) -> list[str]:
        return [it.ref.name for it in self.objects.find(kind, self.namespace.name, {})]

    def budget(self, minimum: int) -> None:
        """Put a budget over the shop, in the newest version of the API that there is."""
        spec = {"minAvailable": minimum, "selector": {"matchLabels": SHOP}}
        metadata = {"name": "shop", "namespace": self.namespace.name}
        body = {"kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec}
        try:
            made = self.objects.create({**body, "apiVersion": "policy/v1"}, marker())
        except NotFound:
            made = self.objects.create({**body, "apiVersion": "policy/v1beta1"}, marker())
        eventually(
            lambda: self.objects.read(made.ref).body["status"],
            lambda it: it.get("expectedPods") == 2,
        )

    @property
    def objects(self) -> KubernetesObjects:
        return KubernetesObjects(self.namespace.client, SECONDS)


@dataclass(frozen=True)
class Target:
    """Nodes to work on, and how a namespace in their cluster is made and left."""

    nodes: Nodes
    made: Callable[[ApiClient], AbstractContextManager[Namespace]]


@contextmanager
def real(shared: Path) -> Iterator[Target]:
    kubeconfig = os.environ["TOCSIN_TEST_KUBECONFIG"]
    with served_nodes(connect(kubeconfig, None), kubeconfig, shared) as nodes:
        yield Target(nodes, deleted)


@contextmanager
def deleted(client: ApiClient) -> Iterator[Namespace]:
    """A namespace in a real cluster, which outlives the tests."""
    namespace = Namespace.create(client)
    accounts = CoreV1Api(client).list_namespaced_service_account
    eventually(lambda: accounts(namespace.name).items, bool)  # no pod is let in before
    try:
        yield namespace
    finally:
        namespace.delete()
        # Of itself the namespace's controller begins after five seconds.
        remove = CoreV1Api(client).delete_collection_namespaced_pod
        remove(namespace.name, grace_period_seconds=0)
        objects = KubernetesObjects(client, SECONDS)
        eventually(lambda: objects.find("pod", namespace.name, {}), lambda it: not it)


@contextmanager
def sandbox(shared: Path) -> Iterator[Target]:
    cluster = SandboxCluster(lambda: datetime.now(UTC), ready_after=0.3)
    with serve(kubernetes_app(cluster)) as url:
        nodes = Nodes(connect(None, url), "test")
        nodes.create()
        nodes.open()
        yield Target(nodes, forgotten)
    assert {it for it in cluster.unknown_requests if "daemonsets" not in it} == set()


@contextmanager
def forgotten(client: ApiClient) -> Iterator[Namespace]:
    """A namespace in the stand-in, which is forgotten as a whole; its pods leave the nodes."""
    namespace = Namespace.create(client)
    yield namespace
    objects = KubernetesObjects(client, SECONDS)
    for kind in ("poddisruptionbudget.v1.policy", "deployment", "job", "pod"):
        for found in objects.find(kind, namespace.name, {}):
            objects.delete(found.ref, found.uid)


SANDBOX = pytest.param(sandbox, id="sandbox")
REAL = pytest.param(real, id="real", marks=pytest.mark.cluster)


@pytest.fixture(scope="module", params=[SANDBOX, REAL])
def target(request: pytest.FixtureRequest, shared: Path) -> Iterator[Target]:
    with request.param(shared) as target:
        yield target


@pytest.fixture
def world(target: Target) -> Iterator[World]:
    with target.made(target.nodes.client) as namespace:
        try:
            yield World(namespace, target.nodes)
        finally:
            target.nodes.open()


@pytest.fixture
def real_world(target: Target, world: World) -> World:
    if target.made is not deleted:
        pytest.skip("the stand-in has neither DaemonSets nor RBAC")
    return world


def planned(step: Step) -> Step:
    assert step.plan().problems == ()
    return step


def meanwhile(call: Callable[[], StepOutcome]) -> tuple[threading.Thread, list[Any]]:
    """Start the call in a thread; its outcome or error is put into the list."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(call())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


def test_a_node_is_cordoned_and_uncordoned(world: World) -> None:
    step = planned(world.step("kubernetes.cordon", node=world.nodes.names[0]))
    assert not world.is_cordoned()
    outcome = step.execute()
    assert world.is_cordoned()
    assert step.observe() == step.execute() == outcome
    step.undo(outcome)
    assert not world.is_cordoned()


def test_a_drain_moves_the_pods_and_its_undo_lets_new_ones_in(world: World) -> None:
    world.shop(volumes=[{"name": "cache", "emptyDir": {}}])
    step = world.drain()
    plan = step.plan()
    assert plan.problems == ()
    assert len([line for line in plan.changes if "loses its emptyDir data: cache" in line]) == 2
    assert len(world.places()) == 2
    outcome = step.execute()
    assert world.is_cordoned()
    eventually(world.places, lambda it: it == [world.nodes.names[1]] * 2)
    assert step.observe() == outcome
    step.undo(outcome)
    assert not world.is_cordoned()


def test_a_budget_is_waited_for_until_the_pods_run_elsewhere(world: World) -> None:
    world.shop()
    world.budget(minimum=1)
    step = planned(world.drain(timeout="60s"))
    assert any("(1 of 2 may be disrupted)" in line for line in step.plan().changes)
    step.execute()
    assert any("waiting for budget" in line for line in world.progress)
    eventually(world.places, lambda it: it == [world.nodes.names[1]] * 2)


def test_a_budget_that_never_allows_it_is_not_forced(world: World) -> None:
    world.shop()
    world.budget(minimum=2)
    with pytest.raises(PermanentError) as failure:
        planned(world.drain(timeout="3s")).execute()
    said = str(failure.value)
    assert f"waiting for budget {world.namespace.name}/shop (0 of 2 may be disrupted)" in said
    assert said.endswith(f"Node {world.nodes.names[0]} takes new pods again.")
    assert world.places() == [world.nodes.names[0]] * 2
    assert not world.is_cordoned()


def test_a_pod_without_a_controller_is_moved_only_on_request(world: World) -> None:
    body = {
        "metadata": {"name": "lonely", "labels": SHOP},
        "spec": {
            **world.nodes.pods(world.nodes.names[0]),
            "automountServiceAccountToken": False,
            "containers": [CONTAINER],
        },
    }
    world.create("v1", "Pod", body)
    assert "has no controller" in world.drain().plan().problems[0]
    planned(world.drain(unmanaged="true")).execute()
    eventually(world.places, lambda it: it == [])


def test_the_pods_of_daemon_sets_stay(real_world: World) -> None:
    world = real_world
    labels = {"app": "agent"}
    spec = {
        **world.nodes.pods(),
        "containers": [CONTAINER],
    }
    body = {
        "metadata": {"name": "agent"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }
    world.create("apps/v1", "DaemonSet", body)

    def ready() -> int:
        ref = ObjectRef("daemonset", world.namespace.name, "agent")
        return int(world.objects.read(ref).body["status"].get("numberReady", 0))

    eventually(ready, lambda it: it == 2)
    planned(world.drain()).execute()
    assert ready() == 2


def test_a_job_runs_to_its_end_once_and_its_log_is_kept(world: World) -> None:
    step = planned(world.job("complete", command=["backup", "$(HOME)"], env={"LEVEL": "full"}))
    outcome = step.execute()
    assert outcome.summary == f"Job {world.namespace.name}/tocsin-run-7-it completed."
    assert b"line 19" in outcome.attachments[0].content
    again = step.observe()
    assert again is not None
    assert again.summary == step.execute().summary == outcome.summary
    assert world.names("job") == ["tocsin-run-7-it"]


def test_whoever_repeats_the_step_finds_the_job(world: World) -> None:
    step = planned(world.job("complete"))
    first, results = meanwhile(step.execute)
    eventually(lambda: world.names("job"), lambda it: it == ["tocsin-run-7-it"])
    assert step.execute().summary.endswith("completed.")
    first.join(30)
    assert results[0].summary.endswith("completed.")
    assert len(world.names("pod")) == 1


def test_a_job_that_fails_tells_why_and_shows_its_log(world: World) -> None:
    with pytest.raises(PermanentError) as failure:
        planned(world.job("fail")).execute()
    said = str(failure.value)
    assert "tocsin-run-7-it failed (BackoffLimitExceeded" in said
    assert "Its pod: Error (exit code 1). The end of its log:\n" in said
    assert "line 19" in said


def test_a_failing_job_is_tried_again_as_often_as_allowed(world: World) -> None:
    with pytest.raises(PermanentError, match="BackoffLimitExceeded"):
        planned(world.job("fail", retries=1, timeout="90s")).execute()
    assert len(world.names("pod")) == 2


def test_an_image_that_can_t_be_pulled_is_said_and_given_up(world: World) -> None:
    with pytest.raises(PermanentError) as failure:
        planned(world.job("badimage", start_timeout="4s")).execute()
    assert "did not start within 4s and was deleted" in str(failure.value)
    assert any("ImagePullBackOff" in line for line in world.progress)
    eventually(lambda: world.names("job"), lambda it: it == [])
    eventually(lambda: world.names("pod"), lambda it: it == [])


def test_a_job_deleted_in_mid_run_is_not_made_again(world: World) -> None:
    thread, results = meanwhile(planned(world.job("notready", timeout="60s")).execute)
    eventually(lambda: list(world.progress), lambda it: any("Running" in line for line in it))
    objects = KubernetesObjects(world.namespace.client, SECONDS)
    ref = ObjectRef("job", world.namespace.name, "tocsin-run-7-it")
    objects.delete(ref, objects.read(ref).uid)
    thread.join(30)
    assert "was deleted before it ended" in str(results[0])
    assert world.names("job") == []


def test_a_job_of_that_name_by_somebody_else_is_a_problem(world: World) -> None:
    body = {
        "metadata": {"name": "tocsin-run-7-it"},
        "spec": {
            "template": {
                "spec": {
                    "restartPolicy": "Never",
                    "containers": [{"name": "main", "image": f"{IMAGE}:complete"}],
                }
            }
        },
    }
    world.create("batch/v1", "Job", body)
    assert "this run did not make it" in world.job("complete").plan().problems[0]


def test_a_job_in_a_namespace_that_is_not_there_is_a_problem(world: World) -> None:
    step = world.step("kubernetes.job", namespace="no-such", image=f"{IMAGE}:complete")
    assert "no-such" in step.plan().problems[0]


def test_a_job_is_taken_back_by_another(world: World) -> None:
    undo = {"image": f"{IMAGE}:complete", "command": ["revert"]}
    step = planned(world.job("complete", undo=undo))
    outcome = step.execute()
    assert step.undo(outcome).summary.endswith("tocsin-run-7-it-undo completed.")


def test_logs_and_warnings_of_a_workload_are_read(world: World) -> None:
    ref = world.namespace.create_deployment(tag="crash")
    workload = f"{ref.namespace}/{ref.name}"
    events = world.step("kubernetes.events", workload=workload)
    told = eventually(lambda: events.execute().summary, lambda it: "on 2 objects" in it)
    assert "(Back-off restarting failed container" in told
    logs = world.step("kubernetes.logs", workload=workload, lines=3).execute()
    content = logs.attachments[0].content.decode()
    assert content.count("--- shop-") == 2
    assert content.count("line 19") == 2


def test_recent_changes_name_what_was_rolled_out(world: World) -> None:
    ref = world.namespace.create_deployment()
    world.namespace.release(ref, "1.1")
    step = world.step("kubernetes.recent_changes", namespace=world.namespace.name)
    told = step.execute().summary
    assert "(registry.example/shop:1.1) by its Deployment" in told
    assert "Deployment shop" in told


@pytest.fixture
def user(real_world: World) -> Iterator[str]:
    """Somebody who may do all that a drain does, but for the eviction."""
    world = real_world
    name = f"user-of-{world.namespace.name}"
    rules = [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "patch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
        {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": ["list"]},
    ]
    group = "rbac.authorization.k8s.io"
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": group, "kind": "User", "name": name}],
    }
    rbac = RbacAuthorizationV1Api(world.namespace.client)
    role = {"metadata": {"name": name}, "rules": rules}
    rbac.create_cluster_role(cast("Any", role))
    rbac.create_cluster_role_binding(cast("Any", binding))
    yield name
    rbac.delete_cluster_role_binding(name)
    rbac.delete_cluster_role(name)


def test_a_forbidden_eviction_names_the_permission(world: World, user: str) -> None:
    world.shop()
    limited = ApiClient(world.namespace.client.configuration, "Impersonate-User", user)
    step = world.step("kubernetes.drain", limited, node=world.nodes.names[0])
    said = " ".join(eventually(lambda: step.plan().problems, lambda it: "eviction" in str(it)))
    assert f"does not let us create pods/eviction in namespace {world.namespace.name}" in said


def test_a_node_that_goes_ends_the_drain(world: World) -> None:
    world.shop()
    world.budget(minimum=2)
    name = world.nodes.names[0]
    thread, results = meanwhile(planned(world.drain(timeout="60s")).execute)
    eventually(lambda: list(world.progress), bool)
    CoreV1Api(world.namespace.client).delete_node(name)
    thread.join(30)
    assert f"There is no {name}" in str(results[0])
    assert str(results[0]).endswith(f"Node {name} is gone.")
    world.nodes.register(name)
