"""What the steps on objects do besides their change: keep it, demand it, or do without it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.cluster import ObjectRef, kind_of
from bot.domain.errors import InvalidInput
from bot.steps.registry import step_kinds
from tests.support.step_bench import Bench

CLUSTER = {"kind": "acid.zalan.do/v1 postgresql", "object": "databases/shop"}
CONFIG_MAPS = {"kind": "v1 ConfigMap", "namespace": "web", "labels": {"app": "shop"}}


@pytest.fixture
def ref(bench: Bench) -> ObjectRef:
    """A standby cluster."""
    return bench.objects.put(
        {
            "apiVersion": "acid.zalan.do/v1",
            "kind": "postgresql",
            "metadata": {"namespace": "databases", "name": "shop"},
            "spec": {"numberOfInstances": 2, "standby": {"standby_host": "db"}},
            "status": {"PostgresClusterStatus": "Running"},
        }
    )


def _spec(bench: Bench, ref: ObjectRef) -> Any:
    return bench.objects.read(ref).body["spec"]


def test_a_patch_removes_fields_and_puts_them_back(bench: Bench, ref: ObjectRef) -> None:
    merge = {"spec": {"numberOfInstances": 3}}
    step = bench.step("kubernetes.patch", **CLUSTER, merge=merge, remove=["spec.standby"])
    assert step.plan().changes == (
        "- spec.numberOfInstances: 2",
        "+ spec.numberOfInstances: 3",
        "- spec.standby.standby_host: db",
    )
    done = step.execute()
    assert _spec(bench, ref) == {"numberOfInstances": 3}
    step.undo(done)
    assert _spec(bench, ref) == {"numberOfInstances": 2, "standby": {"standby_host": "db"}}


@pytest.mark.parametrize(
    "arguments",
    [
        {"remove": ["metadata.name"]},
        {"remove": ["status"]},
        {"remove": ["spec..standby"]},
        {"apply": {"spec": {}}, "remove": ["spec.standby"]},
    ],
)
def test_what_a_patch_may_not_remove(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        step_kinds()["kubernetes.patch"].arguments.read({**CLUSTER, **arguments})


@pytest.mark.parametrize("reversible", [True, False])
def test_a_change_may_be_meant_to_stay(bench: Bench, ref: ObjectRef, reversible: bool) -> None:
    patch = bench.step(
        "kubernetes.patch", **CLUSTER, remove=["spec.standby"], reversible=reversible
    )
    assert patch.plan().reversible is reversible
    backup = bench.step(
        "kubernetes.backup_resources",
        name="shop",
        namespace="databases",
        kinds=["v1 ConfigMap"],
        reversible=reversible,
    )
    assert backup.plan().reversible is reversible


@pytest.mark.parametrize("reversible", [True, False])
def test_a_number_of_pods_may_be_meant_to_stay(bench: Bench, reversible: bool) -> None:
    bench.objects.put(
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"namespace": "web", "name": "shop"},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "shop"}}},
        }
    )
    scale = bench.step(
        "kubernetes.scale",
        workload="web/shop",
        kind="StatefulSet",
        replicas=0,
        reversible=reversible,
    )
    assert scale.plan().reversible is reversible


def test_a_condition_that_is_required_refuses_the_plan(bench: Bench, ref: ObjectRef) -> None:
    condition = {**CLUSTER, "path": "status.PostgresClusterStatus", "value": "SyncFailed"}
    assert bench.step("kubernetes.wait_condition", **condition).plan().problems == ()
    plan = bench.step("kubernetes.wait_condition", **condition, required=True).plan()
    assert plan.problems == (
        "postgresql databases/shop is not as it must be: status.PostgresClusterStatus is Running, "
        "but it must be so that status.PostgresClusterStatus is SyncFailed.",
    )
    holds = {**condition, "value": "Running"}
    assert bench.step("kubernetes.wait_condition", **holds, required=True).plan().problems == ()


def test_nothing_to_delete_is_a_problem_unless_it_may_be_so(bench: Bench) -> None:
    (problem,) = bench.step("kubernetes.delete", **CONFIG_MAPS).plan().problems
    assert problem.startswith("There is nothing to delete")
    step = bench.step("kubernetes.delete", **CONFIG_MAPS, optional=True)
    assert step.plan().problems == ()
    assert step.execute().summary == (
        "There was nothing to delete: every ConfigMap in web with app=shop."
    )


def test_what_is_optional_is_deleted_where_it_is(bench: Bench) -> None:
    metadata = {"namespace": "web", "name": "it", "labels": {"app": "shop"}}
    bench.objects.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    step = bench.step("kubernetes.delete", **CONFIG_MAPS, optional=True)
    assert step.plan().changes == ("- configmap/web/it",)
    step.execute()
    assert bench.objects.find(kind_of("v1", "ConfigMap"), "web", {}) == []
