"""Runs on a real API server whose wire fails, whose objects go, or which says no.

The runner and the steps are the real ones, in the test's own process; what goes wrong does
so at a chosen boundary of the run.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from kubernetes.client import ApiClient, AppsV1Api

from bot.adapters.clock import SystemClock
from bot.adapters.kubernetes import connect
from bot.adapters.kubernetes_objects import KubernetesObjects
from bot.adapters.store import SqlStore
from bot.domain.cluster import ObjectRef
from bot.domain.errors import NotFound, PermanentError
from bot.domain.run import Run
from bot.domain.run_events import RunState
from bot.domain.run_message import run_message
from bot.domain.runbook import Runbook
from bot.entrypoints.worker import RunWorker
from bot.ports import Clock
from tests.support.audit import ApiUser
from tests.support.boundaries import Boundary, Moment, WatchedRequests, WatchedStore
from tests.support.databases import sqlite_database
from tests.support.kubernetes import SECONDS, Namespace, eventually, marker
from tests.support.own_nodes import served_nodes
from tests.support.place import kubeconfig
from tests.support.run_story import BOOKS, asked_for, book, run_of, runner, step, store_at
from tests.support.wire import Weather, Wire, wire_to

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

OUTAGE = 3.0
"""Seconds until the wire is clear again."""
TIMEOUT = 1.0
"""Seconds for one request to the API server."""
TOGETHER = 4
"""Runs at once, which do little but wait."""

PLANNED = Boundary(Moment.AFTER, "commit: RunPlanned")
CHANGING = Boundary(Moment.BEFORE, "request: PATCH deployments 1")
CHANGED = Boundary(Moment.AFTER, "request: PATCH deployments 1")
WAITING = Boundary(Moment.AFTER, "commit: StepStarted (wait)")
UNDOING = Boundary(Moment.BEFORE, "request: PATCH deployments 2")
RESTARTING = Boundary(Moment.AFTER, "commit: StepStarted (restart)")

STORMS = [
    (story, at, weather)
    for story, at in (
        ("restart", PLANNED),
        ("restart", CHANGING),
        ("restart", WAITING),
        ("scale, undone", CHANGING),
        ("scale, undone", UNDOING),
    )
    for weather in Weather
    if weather is not Weather.CLEAR
]
ENDS = {
    "restart": (RunState.SUCCEEDED, 2),
    "scale, undone": (RunState.COMPENSATED, 3),
}
"""How each story ends, and how many specs the Deployment has had then."""


class HurriedClock(SystemClock):
    """Sleeps a hundredth of the time, so that two minutes of tries are soon over."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / 100)


@dataclass
class Happening:
    """What happens once, when the run comes to a boundary."""

    at: Boundary | None = None
    does: Callable[[], object] = lambda: None

    def reach(self, boundary: Boundary) -> None:
        if boundary == self.at:
            self.at = None
            self.does()


NOTHING = Happening()


@dataclass(frozen=True)
class Scene:
    """A namespace, a user who may do everything in it, and a database."""

    namespace: Namespace
    user: ApiUser
    store: SqlStore

    def run(
        self,
        runbook: Runbook,
        ref: ObjectRef,
        happening: Happening = NOTHING,
        client: ApiClient | None = None,
        clock: Clock | None = None,
    ) -> Run:
        """Run it to its end, or as far as it goes."""
        client = client or self.user.client()
        client.rest_client = WatchedRequests(client.rest_client, happening.reach)  # type: ignore[assignment]
        store = WatchedStore(self.store, happening.reach)
        worker = RunWorker(runner(store, client, clock or SystemClock(), TIMEOUT))
        run = asked_for(self.store, runbook, ref.namespace, ref.name)
        while worker.advance(run.id):
            pass
        return run_of(self.store, run.id)

    def deployed(self, name: str = "shop", *tags: str) -> ObjectRef:
        ref = self.namespace.create_deployment(name, replicas=1)
        self.namespace.release(ref, *tags)
        return ref

    def delete(self, ref: ObjectRef) -> None:
        """Delete the Deployment, and wait until it is gone."""
        api = AppsV1Api(self.namespace.client)
        api.delete_namespaced_deployment(ref.name, ref.namespace, propagation_policy="Background")
        eventually(
            lambda: [
                one.metadata.name
                for one in api.list_namespaced_deployment(ref.namespace).items
                if one.metadata
            ],
            lambda names: ref.name not in names,
        )

    def replace(self, ref: ObjectRef) -> None:
        """Make another Deployment of that name in its place."""
        self.delete(ref)
        self.deployed(ref.name)

    def generation(self, ref: ObjectRef) -> int:
        return self.namespace.cluster.deployment(ref).generation


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    yield from _scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture
def own_scene(tmp_path: Path) -> Iterator[Scene]:
    """One whose user may lose its rights."""
    yield from _scene(tmp_path)


def _scene(folder: Path) -> Iterator[Scene]:
    namespace = Namespace.create(connect(kubeconfig(), None))
    store = store_at(sqlite_database(folder))
    yield Scene(namespace, ApiUser.create(namespace, folder), store)
    namespace.delete()


# The wire


def test_a_run_outlasts_every_weather_on_the_wire(scene: Scene) -> None:
    with ThreadPoolExecutor(TOGETHER) as pool:
        problems = pool.map(lambda case: weathered(scene, *case), enumerate(STORMS))
        assert [problem for problem in problems if problem] == []


def weathered(scene: Scene, number: int, case: tuple[str, Boundary, Weather]) -> str:
    """Let the weather turn at that boundary, for a while; what is wrong then, or empty."""
    story, at, weather = case
    ref = scene.deployed(f"weather-{number}")
    with wire(scene) as (line, client):
        run = scene.run(BOOKS[story], ref, Happening(at, lambda: turn(line, weather)), client)
    ended = run.state, scene.generation(ref)
    return "" if ended == ENDS[story] else f"{story}, {weather} {at}: {ended} {run.result}"


@contextmanager
def wire(scene: Scene) -> Iterator[tuple[Wire, ApiClient]]:
    """A wire to the API server, and the user at its end."""
    server = urlsplit(scene.namespace.client.configuration.host)
    with wire_to(str(server.hostname), int(server.port or 443)) as line:
        yield line, scene.user.client(f"https://127.0.0.1:{line.port}")


def turn(line: Wire, weather: Weather) -> None:
    """Let the weather be so for as long as an outage takes."""
    line.becomes(weather)
    threading.Timer(OUTAGE, line.becomes, [Weather.CLEAR]).start()


def test_an_outage_that_does_not_end_leaves_the_change_to_a_person(scene: Scene) -> None:
    ref = scene.deployed("outage")
    with wire(scene) as (line, client):
        cut = Happening(CHANGING, lambda: line.becomes(Weather.CUT))
        run = scene.run(BOOKS["restart"], ref, cut, client, HurriedClock())
    assert run.state is RunState.UNCERTAIN
    # The wire is cut before or during the handshake of TLS, as it happens.
    away = r"(Kubernetes can't be reached|No secure connection to Kubernetes)"
    assert re.match(f"Step restart may have taken effect: {away}", run.result)
    assert scene.generation(ref) == 1


# The target


@pytest.mark.parametrize(("at", "step_id"), [(RESTARTING, "restart"), (WAITING, "wait")])
def test_a_target_that_is_deleted_fails_the_run(scene: Scene, at: Boundary, step_id: str) -> None:
    ref = scene.deployed(f"deleted-in-{step_id}")
    run = scene.run(BOOKS["restart"], ref, Happening(at, lambda: scene.delete(ref)))
    assert run.state is RunState.FAILED
    assert run.result.startswith(f"Do {step_id} failed: There is no {ref.name} among the")


@pytest.mark.parametrize("story", ["restart", "scale, undone", "rollback, undone"])
def test_what_replaced_the_target_is_left_alone(scene: Scene, story: str) -> None:
    kind = story.partition(",")[0]
    ref = scene.deployed(f"replaced-in-{kind}", *(["1.1"] if kind == "rollback" else []))
    at = Boundary(Moment.BEFORE, f"commit: StepStarted ({kind})")
    run = scene.run(BOOKS[story], ref, Happening(at, lambda: scene.replace(ref)))
    assert run.state is RunState.FAILED, run.result
    assert scene.generation(ref) == 1


# What the cluster makes of it


@pytest.mark.parametrize(
    ("tag", "why"),
    [("badimage", "ImagePullBackOff"), ("crash", "CrashLoopBackOff"), ("notready", "")],
)
def test_a_rollout_that_never_progresses_is_put_back(scene: Scene, tag: str, why: str) -> None:
    ref = scene.deployed(f"stuck-{tag}")
    run = scene.run(new_image(tag, "4s"), ref)
    assert run.state is RunState.COMPENSATED
    assert run.result.startswith("Do wait failed: Not within 4s: 1 of 1 pod updated")
    assert why in run.result
    assert run.result.endswith("What was changed has been put back.")
    assert scene.namespace.rolled_out(ref).images == (f"registry.example/{ref.name}:1.0",)


def test_a_slow_rollout_is_waited_for(scene: Scene) -> None:
    ref = scene.deployed("slow")
    assert scene.run(new_image("slow", "60s"), ref).state is RunState.SUCCEEDED


def new_image(tag: str, timeout: str) -> Runbook:
    image = f"registry.example/shop:{tag}"
    return book(
        step("image", "kubernetes.set_image", workload="${parameters.workload}", image=image),
        step("wait", "kubernetes.wait_rollout", workload="${parameters.workload}", timeout=timeout),
    )


def test_a_budget_that_refuses_fails_the_drain_and_frees_the_node(
    scene: Scene, shared: Path
) -> None:
    with served_nodes(connect(kubeconfig(), None), kubeconfig(), shared) as nodes:
        labels = {"app": "guarded"}
        container = {"name": "guarded", "image": "registry.example/guarded:1.0"}
        spec = {"containers": [container], **nodes.pods(nodes.names[0])}
        template = {"metadata": {"labels": labels}, "spec": spec}
        ref = scene.namespace.create_deployment("guarded", replicas=2, template=template)
        scene.namespace.rolled_out(ref)
        guard(scene.namespace, "guarded", labels)
        drain = step("drain", "kubernetes.drain", node=nodes.names[0], timeout="3s")
        run = scene.run(book(drain), ref, client=connect(kubeconfig(), None))
    assert run.state is RunState.FAILED
    assert f"waiting for budget {ref.namespace}/guarded (0 of 2 may be disrupted)" in run.result
    assert f"Node {nodes.names[0]} takes new pods again." in run.result


def guard(namespace: Namespace, name: str, labels: dict[str, str]) -> None:
    """A budget that lets no pod go, in the version of the API that there is."""
    body = {
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": namespace.name},
        "spec": {"maxUnavailable": 0, "selector": {"matchLabels": labels}},
    }
    objects = KubernetesObjects(namespace.client, SECONDS)
    try:
        made = objects.create({**body, "apiVersion": "policy/v1"}, marker())
    except (NotFound, PermanentError):  # before Kubernetes 1.21
        made = objects.create({**body, "apiVersion": "policy/v1beta1"}, marker())
    eventually(
        lambda: objects.read(made.ref).body.get("status") or {},
        lambda status: status.get("expectedPods") == 2,
    )


# What is refused before anything is changed


def test_a_paused_deployment_is_refused(scene: Scene) -> None:
    ref = scene.deployed("paused")
    scene.namespace.patch_deployment(ref, {"spec": {"paused": True}})
    refused(scene, "restart", ref, "is paused; resume it first")


def test_without_a_previous_revision_a_rollback_is_refused(scene: Scene) -> None:
    refused(scene, "rollback, undone", scene.deployed("first"), "no earlier revision to go back to")


def refused(scene: Scene, story: str, ref: ObjectRef, why: str) -> None:
    before = scene.generation(ref)
    run = scene.run(BOOKS[story], ref)
    assert run.state is RunState.REFUSED
    assert why in run.result
    assert scene.generation(ref) == before


FORBIDDEN = 'cannot patch resource "deployments" in API group "apps" in the namespace'


def test_what_rbac_forbids_is_refused_by_the_name_of_the_permission(own_scene: Scene) -> None:
    ref = own_scene.deployed()
    own_scene.user.loses("patch")
    refused(own_scene, "restart", ref, FORBIDDEN)


def test_a_permission_that_is_lost_on_the_way_fails_the_run_and_is_named(own_scene: Scene) -> None:
    ref = own_scene.deployed()
    lost = Happening(RESTARTING, lambda: own_scene.user.loses("patch"))
    run = own_scene.run(BOOKS["restart"], ref, lost)
    assert run.state is RunState.FAILED
    assert run.result.startswith("Do restart failed: Kubernetes does not let us patch deployments")
    assert FORBIDDEN in run.result
    assert own_scene.generation(ref) == 1


# What nobody foresaw


def test_an_unforeseen_error_asks_a_person_with_all_that_is_known(scene: Scene) -> None:
    ref = scene.deployed("unforeseen")

    def fails() -> None:
        raise KeyError("x")

    run = scene.run(BOOKS["restart"], ref, Happening(CHANGED, fails))
    assert run.state is RunState.UNCERTAIN
    assert run.result == "The runner failed: KeyError('x')"
    assert scene.generation(ref) == 2
    asked = run_message(run).body
    assert "Step “Do restart” began at" in asked
    assert f"Restart the pods of Deployment {ref.namespace}/{ref.name}" in asked
    assert f"Look at deployment/{ref.namespace}/{ref.name}: " in asked
