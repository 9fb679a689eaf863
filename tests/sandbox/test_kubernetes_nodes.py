"""The stand-in's nodes, evictions, Jobs, logs and Events, under a clock that the test moves."""

from __future__ import annotations

from copy import deepcopy

import pytest

from bot.sandbox.kubernetes import SandboxCluster
from bot.sandbox.kubernetes.refusals import Refusal
from bot.sandbox.kubernetes.store import BUDGETS, EVENTS, JOBS, NODES, PODS, Json
from tests.sandbox.test_kubernetes import World, containers

NODE_NAMES = ("node-1", "node-2", "node-3")


@pytest.fixture
def world() -> World:
    return World()


def cordon(world: World, name: str, cordoned: bool) -> None:
    def change(node: Json) -> Json:
        return {**node, "spec": {"unschedulable": cordoned}}

    world.cluster.change(NODES, "", name, change)


def nodes(world: World) -> list[str]:
    return [pod["spec"].get("nodeName", "") for pod in world.pods]


def budget(world: World, name: str, minimum: int) -> None:
    spec = {"minAvailable": minimum, "selector": {"matchLabels": {"app": "shop"}}}
    world.cluster.create(BUDGETS, "web", {"metadata": {"name": name}, "spec": spec})


def job(world: World, tag: str = "1.0", **spec: int) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": containers(tag)}}
    body = {"metadata": {"name": "backup"}, "spec": {"template": template, **spec}}
    world.cluster.create(JOBS, "web", body)


def job_status(world: World) -> Json:
    status: Json = world.cluster.get(JOBS, "web", "backup")["status"]
    return status


def job_pods(world: World) -> list[Json]:
    return world.cluster.find(PODS, "web", {"job-name": "backup"})[0]


def test_pods_are_spread_over_the_nodes_that_take_them(world: World) -> None:
    cordon(world, "node-1", cordoned=True)
    world.create(replicas=4)
    assert set(nodes(world)) == {"node-2", "node-3"}


def test_a_pod_that_no_node_takes_waits_for_one(world: World) -> None:
    for name in NODE_NAMES:
        cordon(world, name, cordoned=True)
    world.create(replicas=1)
    world.pass_seconds(10)
    (condition,) = world.pods[0]["status"]["conditions"]
    assert (condition["type"], condition["reason"]) == ("PodScheduled", "Unschedulable")
    assert world.counts == (1, 1, 0)
    cordon(world, "node-2", cordoned=False)
    assert nodes(world) == ["node-2"]
    world.pass_seconds(1)
    assert world.counts == (1, 1, 1)


def test_an_evicted_pod_is_made_anew_elsewhere(world: World) -> None:
    world.create(replicas=1)
    world.pass_seconds(1)
    (before,) = world.pods
    cordon(world, before["spec"]["nodeName"], cordoned=True)
    world.cluster.evict("web", before["metadata"]["name"], dry_run=True)
    assert world.pods == [before]
    world.cluster.evict("web", before["metadata"]["name"])
    (after,) = world.pods
    assert after["metadata"]["name"] != before["metadata"]["name"]
    assert after["spec"]["nodeName"] != before["spec"]["nodeName"]


def test_a_budget_refuses_until_it_has_something_to_give(world: World) -> None:
    world.create(replicas=2)
    budget(world, "shop", minimum=1)
    world.pass_seconds(1)
    first, second = (pod["metadata"]["name"] for pod in world.pods)
    world.cluster.evict("web", first)
    with pytest.raises(Refusal, match="violate the pod's disruption budget") as refusal:
        world.cluster.evict("web", second)
    assert refusal.value.code == 429
    world.pass_seconds(1)
    world.cluster.evict("web", second)


def test_a_pod_with_two_budgets_is_never_evicted(world: World) -> None:
    world.create(replicas=1)
    budget(world, "one", minimum=0)
    budget(world, "two", minimum=0)
    with pytest.raises(Refusal, match="more than one PodDisruptionBudget") as refusal:
        world.cluster.evict("web", world.pods[0]["metadata"]["name"])
    assert refusal.value.code == 500


def test_the_pods_of_a_node_that_goes_are_made_anew_elsewhere(world: World) -> None:
    world.create(replicas=3)
    lost = nodes(world)[0]
    world.cluster.delete(NODES, "", lost)
    assert len(nodes(world)) == 3
    assert set(nodes(world)) <= set(NODE_NAMES) - {lost}


def test_a_dump_from_before_there_were_nodes_gets_some(world: World) -> None:
    world.create()
    world.pass_seconds(1)
    state = deepcopy(world.cluster.dump())
    del state["objects"]["nodes"]
    for pod in state["objects"]["pods"].values():
        del pod["spec"]["nodeName"]
    world.cluster = SandboxCluster.load(state, lambda: world.time)
    assert world.counts == (3, 3, 3)
    everywhere = world.cluster.find(PODS, "", {})[0]
    assert {pod["spec"]["nodeName"] for pod in everywhere} == set(NODE_NAMES)


def test_a_job_completes_and_is_forgotten_in_time(world: World) -> None:
    job(world, ttlSecondsAfterFinished=60)
    assert job_status(world)["active"] == 1
    world.pass_seconds(2)
    assert job_status(world)["conditions"][0]["type"] == "Complete"
    assert [pod["status"]["phase"] for pod in job_pods(world)] == ["Succeeded"]
    world.pass_seconds(60)
    assert world.cluster.find(JOBS, "web", {})[0] == job_pods(world) == []


def test_a_job_is_tried_as_often_as_it_says(world: World) -> None:
    job(world, "fail", backoffLimit=2)
    world.pass_seconds(10)
    (condition,) = job_status(world)["conditions"]
    assert (condition["type"], condition["reason"]) == ("Failed", "BackoffLimitExceeded")
    assert [pod["status"]["phase"] for pod in job_pods(world)] == ["Failed"] * 3


def test_a_job_that_takes_too_long_is_ended(world: World) -> None:
    job(world, "notready", activeDeadlineSeconds=30)
    world.pass_seconds(29)
    assert "conditions" not in job_status(world)
    world.pass_seconds(1)
    assert job_status(world)["conditions"][0]["reason"] == "DeadlineExceeded"
    assert job_pods(world) == []


def test_a_container_that_has_not_run_has_no_log(world: World) -> None:
    world.create("badimage", replicas=1)
    world.pass_seconds(1)
    name = world.pods[0]["metadata"]["name"]
    with pytest.raises(Refusal, match="is waiting to start: ImagePullBackOff"):
        world.cluster.log("web", name, "", previous=False)
    with pytest.raises(Refusal, match="container other is not valid"):
        world.cluster.log("web", name, "other", previous=False)


def test_there_is_a_log_of_before_only_after_a_restart(world: World) -> None:
    world.create("1.0", replicas=1)
    world.pass_seconds(1)
    name = world.pods[0]["metadata"]["name"]
    assert len(world.cluster.log("web", name, "shop", previous=False)) == 20
    with pytest.raises(Refusal, match="previous terminated container"):
        world.cluster.log("web", name, "", previous=True)


def test_warnings_count_up_and_are_forgotten_after_an_hour(world: World) -> None:
    def shop_events() -> list[Json]:
        found = world.cluster.find(EVENTS, "web", {})[0]
        return [event for event in found if event["involvedObject"]["name"].startswith("shop-")]

    world.create("crash", replicas=1)
    world.pass_seconds(1)
    (first,) = shop_events()
    assert (first["reason"], first["count"]) == ("BackOff", 1)
    world.pass_seconds(30)
    (later,) = shop_events()
    assert later["count"] > 1
    world.release("1.0")
    world.pass_seconds(3)
    assert shop_events() != []
    world.pass_seconds(3601)
    assert shop_events() == []
