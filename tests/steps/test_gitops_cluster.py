"""The steps of Argo Rollouts, Argo CD and Flux against a real API server.

Their controllers are not there: what they would write into the status, the test writes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from kubernetes.client import ApiClient, AppsV1Api, CustomObjectsApi

from bot.adapters.clock import SystemClock
from bot.adapters.kubernetes import connect
from bot.adapters.kubernetes_objects import KubernetesObjects
from bot.domain.cluster import Marker, ObjectRef
from bot.domain.errors import NotFound
from bot.ports import StepContext
from bot.steps.registry import step_kinds
from tests.support.custom_kinds import CustomKind, define
from tests.support.gitops import (
    NEWEST,
    STABLE,
    application,
    canary,
    kustomization,
    paused,
    replica_set,
    rollout,
    template,
)
from tests.support.kubernetes import SECONDS, Namespace
from tests.support.step_bench import FakeProbe, Step

pytestmark = pytest.mark.cluster

# The status of an Application is a part of it: Argo CD defines no subresource.
ROLLOUTS = CustomKind("argoproj.io", "v1alpha1", "Rollout", "rollouts")
APPLICATIONS = CustomKind("argoproj.io", "v1alpha1", "Application", "applications", False)
KUSTOMIZATIONS = CustomKind("kustomize.toolkit.fluxcd.io", "v1", "Kustomization", "kustomizations")


@dataclass
class Place:
    """A namespace of a real cluster, and the steps that work on it."""

    namespace: Namespace

    @property
    def name(self) -> str:
        return f"{self.namespace.name}/shop"

    @property
    def objects(self) -> KubernetesObjects:
        return KubernetesObjects(self.namespace.client, SECONDS)

    def put(self, kind: CustomKind, manifest: Mapping[str, Any]) -> ObjectRef:
        """Create the object, and let its controller say its status."""
        api = CustomObjectsApi(self.namespace.client)
        place = (kind.group, kind.version, self.namespace.name, kind.plural)
        api.create_namespaced_custom_object(*place, body=dict(manifest))
        ref = ObjectRef(
            f"{kind.kind.lower()}.{kind.version}.{kind.group}", self.namespace.name, "shop"
        )
        if kind.has_status:
            self.says(ref, manifest["status"])
        return ref

    def says(self, ref: ObjectRef, status: Mapping[str, Any]) -> None:
        """What the controller writes."""
        marker = Marker(1, "controller", datetime.now(UTC))
        self.objects.merge(ref, {"status": status}, marker, subresource="status")

    def body(self, ref: ObjectRef) -> Any:
        return self.objects.read(ref).body

    def step(self, name: str, **arguments: Any) -> Step:
        kind = step_kinds()[name]
        context = StepContext(
            cluster=self.namespace.cluster,
            probe=FakeProbe(),
            clock=SystemClock(),
            marker=Marker(7, name, datetime.now(UTC)),
            decided={},
            progress=lambda _text: None,
            objects=self.objects,
        )
        return Step(kind, kind.arguments.read(arguments), context)


@pytest.fixture(scope="module")
def client() -> ApiClient:
    connected = connect(os.environ["TOCSIN_TEST_KUBECONFIG"], None)
    define(connected, ROLLOUTS, APPLICATIONS, KUSTOMIZATIONS)
    return connected


@pytest.fixture
def place(client: ApiClient) -> Iterator[Place]:
    namespace = Namespace.create(client)
    yield Place(namespace)
    namespace.delete()


def test_a_canary_is_promoted_aborted_and_tried_again(place: Place) -> None:
    before = paused("CanaryPauseStep", currentStepIndex=1)
    ref = place.put(ROLLOUTS, rollout(canary(), before, place.namespace.name, paused=True))

    promote = place.step("argo.rollout_promote", rollout=place.name)
    assert promote.plan().problems == ()
    promote.execute()
    after = place.body(ref)
    assert "pauseConditions" not in after["status"]
    assert after["spec"]["paused"] is False
    assert promote.observe() is not None

    place.says(ref, {"phase": "Progressing", "currentStepIndex": 2, "controllerPause": False})
    abort = place.step("argo.rollout_abort", rollout=place.name)
    assert abort.plan().problems == ()
    abort.execute()
    assert place.body(ref)["status"]["abort"] is True

    retry = place.step("argo.rollout_retry", rollout=place.name)
    assert retry.plan().problems == ()
    outcome = retry.execute()
    assert place.body(ref)["status"]["abort"] is False
    retry.undo(outcome)
    assert place.body(ref)["status"]["abort"] is True


def test_a_plan_changes_nothing(place: Place) -> None:
    before = paused("CanaryPauseStep", currentStepIndex=1)
    ref = place.put(ROLLOUTS, rollout(canary(), before, place.namespace.name))
    version = place.objects.read(ref).version
    for name in ("argo.rollout_promote", "argo.rollout_abort"):
        assert place.step(name, rollout=place.name).plan().problems == ()
    assert place.objects.read(ref).version == version


def test_a_rollout_goes_back_to_an_earlier_revision(place: Place) -> None:
    status = {"phase": "Healthy", "stableRS": NEWEST}
    ref = place.put(ROLLOUTS, rollout(canary(), status, place.namespace.name))
    owner = place.objects.read(ref).uid
    for hash_, revision, tag in ((STABLE, 1, "1.0"), (NEWEST, 2, "2.0")):
        body = replica_set(hash_, revision, tag, owner, place.namespace.name)
        AppsV1Api(place.namespace.client).create_namespaced_replica_set(
            place.namespace.name,
            dict(body),  # type: ignore[arg-type]
        )
    undo = place.step("argo.rollout_undo", rollout=place.name)
    plan = undo.plan()
    assert plan.problems == ()
    outcome = undo.execute()
    wanted = place.body(ref)["spec"]["template"]
    assert wanted["metadata"] == template("1.0")["metadata"]
    assert wanted["spec"]["containers"][0]["image"] == "registry.example/shop:1.0"
    assert undo.observe() is not None

    generation = place.body(ref)["metadata"]["generation"]
    seen = {"currentPodHash": STABLE, "observedGeneration": str(generation)}
    place.says(ref, seen)
    undo.undo(outcome)
    restored = place.body(ref)["spec"]["template"]["spec"]["containers"][0]["image"]
    assert restored == "registry.example/shop:2.0"


def test_an_application_goes_back_and_its_automation_goes_off_and_on(place: Place) -> None:
    automation = {"prune": True, "selfHeal": True}
    given = application(place.namespace.name, syncPolicy={"automated": automation})
    ref = place.put(APPLICATIONS, given)

    rollback = place.step("argocd.rollback", application=place.name)
    assert rollback.plan().problems == ()
    rollback.execute()
    after = place.body(ref)
    assert after["operation"]["sync"]["revision"] == "bbb"
    assert not after["spec"]["syncPolicy"].get("automated")
    assert rollback.observe() is not None

    resume = place.step("argocd.resume", application=place.name)
    assert resume.plan().problems == ()
    resume.execute()
    assert place.body(ref)["spec"]["syncPolicy"]["automated"] == automation

    suspend = place.step("argocd.suspend", application=place.name)
    assert suspend.plan().problems == ()
    outcome = suspend.execute()
    assert not place.body(ref)["spec"]["syncPolicy"].get("automated")
    suspend.undo(outcome)
    assert place.body(ref)["spec"]["syncPolicy"]["automated"] == automation


def test_flux_is_suspended_resumed_and_asked(place: Place) -> None:
    ref = place.put(KUSTOMIZATIONS, kustomization(place.namespace.name))
    suspend = place.step("flux.suspend", resource=place.name)
    assert suspend.plan().problems == ()
    suspend.execute()
    assert place.body(ref)["spec"]["suspend"] is True

    resume = place.step("flux.resume", resource=place.name)
    assert resume.plan().problems == ()
    resume.execute()
    assert "suspend" not in place.body(ref)["spec"]

    reconcile = place.step("flux.reconcile", resource=place.name)
    assert reconcile.plan().problems == ()
    reconcile.execute()
    body = place.body(ref)
    requested = body["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"]
    ready = [{"type": "Ready", "status": "True", "message": "Applied revision: main"}]
    generation = body["metadata"]["generation"]
    place.says(
        ref,
        {
            "observedGeneration": generation,
            "lastHandledReconcileAt": requested,
            "conditions": ready,
        },
    )
    waited = place.step("flux.wait", resource=place.name, timeout="10s").execute()
    assert waited.summary.endswith("Applied revision: main.")


def test_a_cluster_without_the_kind_is_a_problem_of_the_plan(place: Place) -> None:
    given = {"kind": "HelmRelease", "api_version": "helm.example/v9"}
    (problem,) = place.step("flux.suspend", resource=place.name, **given).plan().problems
    assert "does not serve" in problem


def test_a_rollout_that_is_gone_is_said(place: Place) -> None:
    (problem,) = place.step("argo.rollout_abort", rollout=place.name).plan().problems
    assert "shop" in problem
    with pytest.raises(NotFound, match="There is no shop"):
        place.step("argo.wait_rollout", rollout=place.name, timeout="1s").execute()
