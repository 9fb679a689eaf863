"""The steps that change objects, on the stand-in and on a real API server alike."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import uuid4

import pytest
from kubernetes.client import ApiClient, RbacAuthorizationV1Api
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.adapters.clock import SystemClock
from bot.adapters.kubernetes import connect
from bot.adapters.kubernetes_objects import KubernetesObjects
from bot.domain.cluster import ObjectRef
from bot.domain.errors import NotFound, PermanentError, TemporaryError
from bot.domain.resource import Resource
from bot.ports import Objects, StepContext
from bot.steps.object_change import TRIES
from bot.steps.registry import step_kinds
from tests.support.kubernetes import SECONDS, eventually, marker
from tests.support.object_places import REAL, SANDBOX, Place, in_cluster, real
from tests.support.serve import serve
from tests.support.step_bench import FakeProbe, Step

HOST_B = {"kind": "v1 ConfigMap", "merge": {"data": {"host": "b"}}}


@dataclass(frozen=True)
class Workshop:
    """A place, and steps that work in it."""

    place: Place

    def through(self, objects: object) -> Workshop:
        """The same place, seen through other eyes."""
        return Workshop(replace(self.place, objects=cast(Objects, objects)))

    def step(self, kind: str, /, **arguments: Any) -> Step:
        found = step_kinds()[kind]
        context = StepContext(
            cluster=self.place.cluster,
            probe=FakeProbe(),
            clock=SystemClock(),
            marker=marker("it", run=7),
            decided={},
            progress=lambda _line: None,
            objects=self.place.objects,
        )
        return Step(found, found.arguments.read(arguments), context)

    def path(self, name: str) -> str:
        return f"{self.place.namespace}/{name}"

    def config_map(self, **data: str) -> Resource:
        name = f"settings-{uuid4().hex[:6]}"
        return self.place.objects.create(self.place.config_map(name, **data), marker("setup"))

    def workload(self, kind: str = "Deployment", replicas: int = 2, **spec: Any) -> Resource:
        name = f"shop-{uuid4().hex[:6]}"
        container = {"name": "app", "image": "registry.example/shop:1.0"}
        manifest = {
            "apiVersion": "apps/v1",
            "kind": kind,
            "metadata": {"name": name, "namespace": self.place.namespace},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {"containers": [container]},
                },
                **spec,
            },
        }
        return self.place.objects.create(manifest, marker("setup"))

    def autoscaler(self, workload: Resource, minimum: int, maximum: int) -> None:
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload.ref.name}
        manifest = {
            "apiVersion": "autoscaling/v1",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": workload.ref.name, "namespace": self.place.namespace},
            "spec": {"scaleTargetRef": target, "minReplicas": minimum, "maxReplicas": maximum},
        }
        self.place.objects.create(manifest, marker("setup"))

    def body(self, ref: ObjectRef) -> Any:
        return self.place.objects.read(ref).body


@pytest.fixture(scope="module", params=[SANDBOX, REAL])
def shop(request: pytest.FixtureRequest) -> Iterator[Workshop]:
    opened: Callable[[], AbstractContextManager[Place]] = request.param
    with opened() as place:
        yield Workshop(place)


@pytest.fixture(scope="module")
def real_shop() -> Iterator[Workshop]:
    with in_cluster() as place:
        yield Workshop(place)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_scaling_and_back(shop: Workshop, kind: str) -> None:
    extra: Any = {"serviceName": "shop"} if kind == "StatefulSet" else {}
    ref = shop.workload(kind, **extra).ref
    step = shop.step("kubernetes.scale", workload=shop.path(ref.name), kind=kind, replicas=0)
    plan = step.plan()
    assert plan.problems == ()
    assert plan.changes == ("- spec.replicas: 2", "+ spec.replicas: 0")
    assert plan.decided["previous_replicas"] == "2"
    assert plan.reversible
    assert shop.body(ref)["spec"]["replicas"] == 2
    assert step.observe() is None
    done = step.execute()
    assert shop.body(ref)["spec"]["replicas"] == 0
    assert step.observe() == done
    assert step.execute() == done
    step.undo(done)
    assert shop.body(ref)["spec"]["replicas"] == 2
    assert "tocsin/before-last-step" not in shop.body(ref)["metadata"]["annotations"]
    assert step.undo(done).summary.endswith("is as it was before.")


def test_an_autoscaler_that_would_undo_it_is_named(shop: Workshop) -> None:
    workload = shop.workload()
    shop.autoscaler(workload, 2, 5)
    path = shop.path(workload.ref.name)
    plan = shop.step("kubernetes.scale", workload=path, replicas=8).plan()
    assert f"! autoscaler {workload.ref.name} keeps 2 to 5 pods: it will undo this" in plan.changes
    step = shop.step("kubernetes.autoscale_bounds", autoscaler=path, minimum=3, maximum=8)
    assert step.plan().changes == (
        "- spec.maxReplicas: 5",
        "+ spec.maxReplicas: 8",
        "- spec.minReplicas: 2",
        "+ spec.minReplicas: 3",
    )
    done = step.execute()
    again = shop.step("kubernetes.scale", workload=path, replicas=8).plan()
    assert any("it may change the number again" in line for line in again.changes)
    step.undo(done)
    refused = shop.step("kubernetes.autoscale_bounds", autoscaler=path, minimum=6).plan()
    assert "the minimum 6 above the maximum 5" in refused.problems[0]


def test_bringing_out_an_image_and_putting_the_old_one_back(shop: Workshop) -> None:
    ref = shop.workload().ref
    eventually(lambda: shop.place.cluster.deployment(ref), lambda it: it.rolled_out)
    arguments = {"workload": shop.path(ref.name), "image": "registry.example/shop:2.0"}
    step = shop.step("kubernetes.set_image", **arguments)
    plan = step.plan()
    assert plan.changes == (
        "- spec.template.spec.containers[app].image: registry.example/shop:1.0",
        "+ spec.template.spec.containers[app].image: registry.example/shop:2.0",
    )
    assert plan.blast_radius is not None
    assert plan.blast_radius.pods == 2
    done = step.execute()
    eventually(lambda: shop.place.cluster.deployment(ref), lambda it: it.rolled_out)
    assert shop.place.cluster.deployment(ref).images == ("registry.example/shop:2.0",)
    step.undo(done)
    assert shop.place.cluster.deployment(ref).images == ("registry.example/shop:1.0",)


def test_a_paused_deployment_is_a_problem(shop: Workshop) -> None:
    ref = shop.workload(paused=True).ref
    arguments = {"workload": shop.path(ref.name), "image": "registry.example/shop:2.0"}
    (problem,) = shop.step("kubernetes.set_image", **arguments).plan().problems
    assert problem.endswith("is paused; resume it first.")


@pytest.mark.parametrize("way", ["apply", "merge"])
def test_a_patch_changes_what_it_names_and_is_undone_exactly(shop: Workshop, way: str) -> None:
    setup = shop.config_map(host="a", port="1")
    patch = {"data": {"host": "b", "new": "x"}, "metadata": {"labels": {"side": "standby"}}}
    step = shop.step(
        "kubernetes.patch", kind="v1 ConfigMap", object=shop.path(setup.ref.name), **{way: patch}
    )
    plan = step.plan()
    assert plan.problems == ()
    assert plan.changes == (
        "- data.host: a",
        "+ data.host: b",
        "+ data.new: x",
        "+ metadata.labels.side: standby",
    )
    done = step.execute()
    assert shop.body(setup.ref)["data"] == {"host": "b", "port": "1", "new": "x"}
    assert step.observe() == done
    step.undo(done)
    assert shop.body(setup.ref)["data"] == setup.body["data"]
    assert "labels" not in shop.body(setup.ref)["metadata"]


def test_undoing_leaves_what_somebody_changed_since(shop: Workshop) -> None:
    setup = shop.config_map(host="a")
    path = shop.path(setup.ref.name)
    step = shop.step("kubernetes.patch", **HOST_B, object=path)
    step.plan()
    done = step.execute()
    shop.place.objects.merge(setup.ref, {"data": {"other": "1"}}, marker("somebody"))
    assert step.undo(done).summary.endswith("is set back to what it was before.")
    assert shop.body(setup.ref)["data"] == {"host": "a", "other": "1"}
    shop.place.objects.merge(setup.ref, {"data": {"host": "c"}}, marker("somebody"))
    with pytest.raises(PermanentError, match="was changed since by somebody"):
        step.undo(done)
    assert shop.body(setup.ref)["data"]["host"] == "c"


def test_what_was_changed_since_the_plan_is_left_alone(shop: Workshop) -> None:
    setup = shop.config_map(host="a")
    path = shop.path(setup.ref.name)
    step = shop.step("kubernetes.patch", **HOST_B, object=path)
    step.plan()
    shop.place.objects.merge(setup.ref, {"data": {"host": "c"}}, marker("other", run=8))
    with pytest.raises(PermanentError, match="was changed by somebody since it was planned"):
        step.execute()
    shop.place.objects.merge(setup.ref, {"data": {"host": "d"}}, marker("earlier", run=7))
    step.execute()
    assert shop.body(setup.ref)["data"] == {"host": "b"}


def test_a_target_that_was_replaced_or_deleted_stops_it(shop: Workshop) -> None:
    setup = shop.config_map(host="a")
    path = shop.path(setup.ref.name)
    step = shop.step("kubernetes.patch", **HOST_B, object=path)
    step.plan()
    done = step.execute()
    objects = shop.place.objects
    objects.delete(setup.ref, setup.uid)
    assert step.observe() is None
    with pytest.raises(NotFound):
        step.execute()
    objects.create(shop.place.config_map(setup.ref.name, host="a"), marker("anew"))
    with pytest.raises(PermanentError, match="was deleted and made anew"):
        step.execute()
    with pytest.raises(PermanentError, match="was changed since by somebody"):
        step.undo(done)


class Crowded:
    """The objects, with somebody who changes each just before Tocsin does, a few times."""

    def __init__(self, objects: Objects, times: int) -> None:
        self._objects, self._times = objects, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objects, name)

    def merge(self, ref: ObjectRef, *arguments: Any, **named: Any) -> Resource:
        if self._times and not named.get("dry_run"):
            self._times -= 1
            elsewhere = {"metadata": {"labels": {"touched": str(self._times)}}}
            self._objects.merge(ref, elsewhere, marker("crowd"))
        return self._objects.merge(ref, *arguments, **named)


def test_after_a_conflict_it_looks_again(shop: Workshop) -> None:
    setup = shop.config_map(host="a")
    arguments = {
        "kind": "v1 ConfigMap",
        "object": shop.path(setup.ref.name),
        "merge": {"data": {"host": "b"}},
    }
    step = shop.through(Crowded(shop.place.objects, TRIES)).step("kubernetes.patch", **arguments)
    step.plan()
    with pytest.raises(PermanentError, match="Somebody else is changing it at the same time"):
        step.execute()
    assert shop.body(setup.ref)["data"] == {"host": "a"}
    step = shop.through(Crowded(shop.place.objects, 1)).step("kubernetes.patch", **arguments)
    step.plan()
    done = step.execute()
    assert shop.body(setup.ref)["data"] == {"host": "b"}
    step.context = replace(step.context, objects=cast(Objects, Crowded(shop.place.objects, 1)))
    step.undo(done)
    assert shop.body(setup.ref)["data"] == {"host": "a"}


def test_a_field_that_another_manager_owns_is_a_problem(shop: Workshop) -> None:
    name = f"settings-{uuid4().hex[:6]}"
    shop.place.others("helm").apply(shop.place.config_map(name, host="a"), marker("helm"))
    step = shop.step(
        "kubernetes.patch",
        kind="v1 ConfigMap",
        object=shop.path(name),
        apply={"data": {"host": "b"}},
    )
    (problem,) = step.plan().problems
    assert "has fields that helm set" in problem


def test_custom_resources_are_patched_and_waited_for(shop: Workshop) -> None:
    name = f"db-{uuid4().hex[:6]}"
    metadata = {"name": name, "namespace": shop.place.namespace}
    kind = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster"}
    body = {**kind, "metadata": metadata, "spec": {"instances": 3}}
    made = shop.place.objects.create(body, marker("setup"))
    named = {"kind": "postgresql.cnpg.io/v1 Cluster", "object": shop.path(name)}
    wait = shop.step(
        "kubernetes.wait_condition", **named, path="status.phase", value="Healthy", timeout="20s"
    )
    assert wait.plan().summary.endswith("Now: status.phase is not there.")
    conditions = [{"type": "Ready", "status": "True", "reason": "Promoted"}]
    status = {"phase": "Healthy", "conditions": conditions}
    shop.place.objects.merge(made.ref, {"status": status}, marker("operator"))
    assert "status.phase is Healthy" in wait.execute().summary
    ready = shop.step("kubernetes.wait_condition", **named, condition="Ready", timeout="20s")
    assert "condition Ready is True (Promoted)" in ready.execute().summary
    step = shop.step("kubernetes.patch", **named, apply={"spec": {"instances": 2}})
    assert step.plan().changes == ("- spec.instances: 3", "+ spec.instances: 2")
    done = step.execute()
    assert shop.body(made.ref)["spec"] == {"instances": 2}
    step.undo(done)
    assert shop.body(made.ref)["spec"] == {"instances": 3}


def test_deleting_by_labels_takes_what_the_plan_named(shop: Workshop) -> None:
    labels = {"app": f"old-{uuid4().hex[:6]}"}
    refs = [shop.config_map(x="1").ref for _ in range(3)]
    for ref in refs[:2]:
        shop.place.objects.merge(ref, {"metadata": {"labels": labels}}, marker("setup"))
    step = shop.step(
        "kubernetes.delete", kind="v1 ConfigMap", namespace=shop.place.namespace, labels=labels
    )
    plan = step.plan()
    assert sorted(plan.changes) == sorted(f"- {ref}" for ref in refs[:2])
    assert not plan.reversible
    assert [shop.body(ref)["data"] for ref in refs] == [{"x": "1"}] * 3
    shop.place.objects.merge(refs[2], {"metadata": {"labels": labels}}, marker("late"))
    done = step.execute()
    left = shop.place.objects.find("configmap", shop.place.namespace, labels)
    assert [one.ref for one in left] == [refs[2]]
    assert step.observe() == done
    with pytest.raises(PermanentError, match="can't be put back"):
        step.undo(done)


def test_a_deployment_is_deleted_with_its_pods(shop: Workshop) -> None:
    ref = shop.workload().ref
    eventually(lambda: shop.place.cluster.deployment(ref), lambda it: it.rolled_out)
    step = shop.step("kubernetes.delete", kind="apps/v1 Deployment", object=shop.path(ref.name))
    assert step.plan().blast_radius is not None
    step.execute()
    pods = lambda: shop.place.cluster.pods(ref.namespace, {"app": ref.name})  # noqa: E731
    eventually(pods, lambda found: not found)


def test_a_finalizer_keeps_it_until_the_time_is_over(shop: Workshop) -> None:
    setup = shop.config_map()
    finalizer = {"metadata": {"finalizers": ["example.com/archive"]}}
    shop.place.objects.merge(setup.ref, finalizer, marker("setup"))
    step = shop.step(
        "kubernetes.delete", kind="v1 ConfigMap", object=shop.path(setup.ref.name), timeout="1s"
    )
    assert "  waits for finalizers: example.com/archive" in step.plan().changes
    with pytest.raises(PermanentError, match="kept by example"):
        step.execute()
    shop.place.objects.merge(setup.ref, {"metadata": {"finalizers": None}}, marker("operator"))
    assert step.observe() is not None


def test_a_backup_holds_what_could_be_applied_again(shop: Workshop) -> None:
    labels = {"app": f"kept-{uuid4().hex[:6]}"}
    setup = shop.config_map(x="1")
    shop.place.objects.merge(setup.ref, {"metadata": {"labels": labels}}, marker("setup"))
    step = shop.step(
        "kubernetes.backup_resources",
        name=f"backup-{uuid4().hex[:6]}",
        namespace=shop.place.namespace,
        kinds=["v1 ConfigMap", "apps/v1 Deployment"],
        labels=labels,
    )
    plan = step.plan()
    ref = ObjectRef("configmap", shop.place.namespace, plan.decided["name"])
    assert plan.changes == (f"+ {ref}: 1 object",)
    done = step.execute()
    assert step.observe() == done
    assert step.execute() == done
    packed = base64.b64decode(shop.body(ref)["binaryData"]["resources.json.gz"])
    (kept,) = json.loads(gzip.decompress(packed))
    assert kept == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": setup.ref.name, "namespace": setup.ref.namespace, "labels": labels},
        "data": {"x": "1"},
    }
    shop.place.objects.delete(setup.ref, setup.uid)
    assert shop.place.objects.apply(kept, marker("restore")).body["data"] == {"x": "1"}
    step.undo(done)
    with pytest.raises(NotFound):
        shop.place.objects.read(ref)


def test_what_the_server_would_refuse_is_a_problem(shop: Workshop) -> None:
    ref = shop.workload().ref
    patch = {"spec": {"template": {"metadata": {"labels": {"app": "other"}}}}}
    step = shop.step(
        "kubernetes.patch", kind="apps/v1 Deployment", object=shop.path(ref.name), merge=patch
    )
    (problem,) = step.plan().problems
    assert "`selector` does not match template `labels`" in problem


def test_a_kind_that_is_not_served_is_a_problem(shop: Workshop) -> None:
    step = shop.step("kubernetes.patch", kind="example.com/v1 Widget", object="a/b", merge={"x": 1})
    assert step.plan().problems == ("This cluster does not serve example.com/v1",)


def test_odd_names_are_names(shop: Workshop) -> None:
    name = f"0.a-b.{uuid4().hex[:6]}-7f8c"
    setup = shop.place.objects.create(shop.place.config_map(name, x="1"), marker("setup"))
    step = shop.step(
        "kubernetes.patch", kind="v1 ConfigMap", object=shop.path(name), merge={"data": {"x": "2"}}
    )
    step.plan()
    step.execute()
    assert shop.body(setup.ref)["data"] == {"x": "2"}


@pytest.mark.cluster
def test_secrets_are_changed_unseen(real_shop: Workshop) -> None:
    metadata = {"name": "password", "namespace": real_shop.place.namespace}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    old, new = (base64.b64encode(it).decode() for it in (b"old-value", b"new-value"))
    real_shop.place.objects.create({**secret, "data": {"password": old}}, marker("setup"))
    step = real_shop.step(
        "kubernetes.patch",
        kind="v1 Secret",
        object=real_shop.path("password"),
        merge={"data": {"password": new}},
    )
    plan = step.plan()
    assert plan.changes == ("- data.password: (hidden)", "+ data.password: (hidden)")
    assert not plan.reversible
    done = step.execute()
    assert old not in repr((plan, done))
    assert new not in repr((plan, done))
    with pytest.raises(PermanentError, match="was not kept"):
        step.undo(done)


def allowed(shop: Workshop, verbs: list[str]) -> Objects:
    """The objects, as somebody sees them who has only these verbs on ConfigMaps."""
    user = f"user-{uuid4().hex[:6]}"
    with real() as client:
        rbac = RbacAuthorizationV1Api(client)
        rules: Any = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs}]
        role: Any = {"metadata": {"name": user}, "rules": rules}
        rbac.create_namespaced_role(shop.place.namespace, role)
        group = "rbac.authorization.k8s.io"
        binding: Any = {
            "metadata": {"name": user},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": user},
            "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
        }
        rbac.create_namespaced_role_binding(shop.place.namespace, binding)
        impersonating = ApiClient(client.configuration, "Impersonate-User", user)
        objects = KubernetesObjects(impersonating, SECONDS)
        eventually(lambda: may_read(objects, shop.place.ref("nothing")), bool)
        return objects


def may_read(objects: Objects, ref: ObjectRef) -> bool:
    """Whether RBAC has come to know the role: then what isn't there is not found."""
    try:
        objects.read(ref)
    except NotFound:
        return True
    except PermanentError:
        return False
    return True


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("kind", "arguments", "verb"),
    [
        ("kubernetes.patch", {"merge": {"data": {"x": "2"}}}, "patch"),
        ("kubernetes.delete", {}, "delete"),
    ],
)
def test_a_missing_permission_is_a_problem_that_names_it(
    real_shop: Workshop, kind: str, arguments: dict[str, Any], verb: str
) -> None:
    setup = real_shop.config_map(x="1")
    reader = allowed(real_shop, ["get", "list"])
    step = real_shop.through(reader).step(
        kind, kind="v1 ConfigMap", object=real_shop.path(setup.ref.name), **arguments
    )
    (problem,) = step.plan().problems
    assert f'cannot {verb} resource "configmaps"' in problem
    assert real_shop.body(setup.ref)["data"] == {"x": "1"}


def test_an_api_server_in_trouble_is_temporary(shop: Workshop) -> None:
    async def trouble(request: Request) -> JSONResponse:
        status = {"kind": "Status", "message": "etcdserver: request timed out", "code": 500}
        return JSONResponse(status, 500)

    with serve(Starlette(routes=[Route("/{path:path}", trouble)])) as url:
        broken = KubernetesObjects(connect(None, url), SECONDS)
        step = shop.through(broken).step(
            "kubernetes.patch", kind="v1 ConfigMap", object="a/b", merge={"data": {}}
        )
        with pytest.raises(TemporaryError, match="etcdserver: request timed out"):
            step.plan()
