"""The steps on any object, in the moments that a real cluster does not stop at.

What they do to a cluster is tested in tests/contract/test_object_steps.py.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from bot.domain.cluster import ObjectRef
from bot.domain.errors import PermanentError, TemporaryError
from bot.steps.backup_resources import MOST_BYTES
from bot.steps.delete import MOST
from bot.steps.object_change import LONGEST_BEFORE
from tests.support.step_bench import Bench


def config_map(name: str = "it", labels: Any = None, **data: str) -> dict[str, Any]:
    metadata = {"namespace": "web", "name": name, "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def deployment(*containers: str, **spec: Any) -> dict[str, Any]:
    images = [{"name": name, "image": f"{name}:1"} for name in containers]
    metadata = {"namespace": "web", "name": "shop"}
    selector = {"matchLabels": {"app": "shop"}}
    template = {"spec": {"containers": images}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"replicas": 2, "selector": selector, "template": template, **spec},
    }


def test_what_is_so_already_is_said(bench: Bench) -> None:
    bench.objects.put(deployment("app"))
    step = bench.step("kubernetes.scale", workload="web/shop", replicas=2)
    assert step.plan().changes == ("nothing changes: it is so already",)
    outcome = step.execute()
    assert step.undo(outcome).summary == "deployment/web/shop is as it was before."


def test_one_of_several_containers_has_to_be_named(bench: Bench) -> None:
    ref = bench.objects.put(deployment("app", "proxy"))
    arguments = {"workload": "web/shop", "image": "app:2"}
    (problem,) = bench.step("kubernetes.set_image", **arguments).plan().problems
    assert problem == "Deployment web/shop has several containers (app, proxy): name one."
    (problem,) = bench.step("kubernetes.set_image", **arguments, container="db").plan().problems
    assert problem == "Deployment web/shop has no container db; it has app, proxy."
    step = bench.step("kubernetes.set_image", **arguments, container="app")
    assert step.plan().decided["previous_image"] == "app:1"
    step.execute()
    containers = bench.objects.read(ref).body["spec"]["template"]["spec"]["containers"]
    assert [one["image"] for one in containers] == ["app:2", "proxy:1"]


def test_an_outcome_that_was_lost_is_found_on_the_object(bench: Bench) -> None:
    ref = bench.objects.put(config_map(x="1"))
    arguments = {"kind": "v1 ConfigMap", "object": "web/it", "merge": {"data": {"x": "2"}}}
    step = bench.step("kubernetes.patch", **arguments)
    step.plan()
    step.execute()
    found = step.observe()
    assert found is not None
    step.undo(found)
    assert bench.objects.read(ref).body["data"] == {"x": "1"}
    assert len(bench.objects.changes) == 2


def test_a_change_that_is_too_large_to_keep_can_not_be_undone(bench: Bench) -> None:
    bench.objects.put(config_map(x="a" * (LONGEST_BEFORE + 1)))
    arguments = {"kind": "v1 ConfigMap", "object": "web/it", "merge": {"data": {"x": "b"}}}
    step = bench.step("kubernetes.patch", **arguments)
    assert not step.plan().reversible
    with pytest.raises(PermanentError, match="was not kept"):
        step.undo(step.execute())


def test_a_condition_of_an_older_generation_does_not_count(bench: Bench) -> None:
    ready = {"type": "Ready", "status": "True"}
    metadata = {"namespace": "web", "name": "it", "generation": 2}
    body = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": metadata}
    bench.objects.put({**body, "status": {"observedGeneration": 1, "conditions": [ready]}})
    newer = {**body, "status": {"observedGeneration": 2, "conditions": [ready]}}

    def observe() -> None:
        bench.objects.put(newer)

    bench.later(3, observe)
    step = bench.step(
        "kubernetes.wait_condition",
        kind="example.com/v1 Widget",
        object="web/it",
        condition="Ready",
    )
    assert step.execute().summary == "Widget web/it: condition Ready is True."
    assert bench.progress[0] == "its last change is not yet seen by its controller"


def test_a_wait_ends_in_time_and_when_its_object_goes(bench: Bench) -> None:
    ref = bench.objects.put(config_map(x="1"))
    arguments = {"kind": "v1 ConfigMap", "object": "web/it", "path": "data.x", "value": "2"}
    step = bench.step("kubernetes.wait_condition", **arguments, timeout="5s")
    with pytest.raises(PermanentError, match=r"Not within 5s: data\.x is 1"):
        step.execute()
    bench.later(2, lambda: bench.objects.remove(ref))
    with pytest.raises(PermanentError, match="ConfigMap web/it is gone"):
        bench.step("kubernetes.wait_condition", **arguments).execute()


def test_a_value_is_compared_as_text(bench: Bench) -> None:
    bench.objects.put(deployment("app", paused=True))
    named = {"kind": "apps/v1 Deployment", "object": "web/shop"}
    for path, value in (("spec.paused", "true"), ("spec.paused", True), ("spec.replicas", "2")):
        bench.step("kubernetes.wait_condition", **named, path=path, value=value).execute()


def test_nothing_too_much_and_nothing_of_tocsin_s_own_is_deleted(bench: Bench) -> None:
    labels = {"app.kubernetes.io/part-of": "tocsin", "app": "bot"}
    bench.objects.put(config_map(labels=labels))
    step = bench.step("kubernetes.delete", kind="v1 ConfigMap", object="web/it")
    assert step.plan().problems == ("configmap/web/it is Tocsin's own, which no runbook deletes.",)
    for number in range(MOST + 1):
        bench.objects.put(config_map(f"it-{number}", {"app": "shop"}))
    by_labels = {"kind": "v1 ConfigMap", "namespace": "web"}
    step = bench.step("kubernetes.delete", **by_labels, labels={"app": "shop"})
    assert step.plan().problems == ("One step deletes 50 objects at most; these are 51.",)
    step = bench.step("kubernetes.delete", **by_labels, labels={"app": "none"})
    assert step.plan().problems == (
        "There is nothing to delete: every ConfigMap in web with app=none.",
    )


def test_a_deletion_that_was_interrupted_goes_on(bench: Bench) -> None:
    for name in ("a", "b"):
        bench.objects.put(config_map(name, {"app": "shop"}))
    step = bench.step(
        "kubernetes.delete", kind="v1 ConfigMap", namespace="web", labels={"app": "shop"}
    )
    step.plan()
    bench.objects.remove(ObjectRef("configmap", "web", "a"))
    assert step.observe() is None
    assert "a, b" in step.execute().summary
    assert bench.objects.find("configmap", "web", {}) == []


def test_secrets_are_backed_up_only_when_asked_for_and_as_a_secret(bench: Bench) -> None:
    metadata = {"namespace": "web", "name": "password"}
    bench.objects.put(
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"x": "c2VjcmV0"}}
    )
    arguments = {"name": "kept", "namespace": "web", "kinds": ["v1 Secret"]}
    (problem,) = bench.step("kubernetes.backup_resources", **arguments).plan().problems
    assert problem == "Secrets are backed up only with `secrets: true`."
    step = bench.step("kubernetes.backup_resources", **arguments, secrets=True)
    plan = step.plan()
    assert plan.changes == ("+ secret/web/kept-7: 1 object",)
    assert "c2VjcmV0" not in repr((plan, step.execute()))


def test_a_backup_that_is_too_large_is_a_problem(bench: Bench) -> None:
    bench.objects.put(config_map(x=Random(0).randbytes(2 * MOST_BYTES).hex()))
    arguments = {"name": "kept", "namespace": "web", "kinds": ["v1 ConfigMap"]}
    (problem,) = bench.step("kubernetes.backup_resources", **arguments).plan().problems
    assert f"more than the {MOST_BYTES:,} that one backup holds" in problem


def test_an_api_server_that_is_away_is_temporary(bench: Bench) -> None:
    bench.objects.put(config_map(x="1"))
    bench.cluster.failure = TemporaryError("Kubernetes can't be reached")
    arguments = {"kind": "v1 ConfigMap", "object": "web/it"}
    for step in (
        bench.step("kubernetes.patch", **arguments, merge={"data": {"x": "2"}}),
        bench.step("kubernetes.delete", **arguments),
    ):
        with pytest.raises(TemporaryError):
            step.plan()
