"""SIGKILL in the middle of a restart: it goes on, and the pods are replaced once.

On the stand-in's cluster and on a real API server alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes.client import AppsV1Api

from bot.domain.cluster import ObjectRef
from tests.support.gate import Arrival
from tests.support.place import CLUSTERS, Place, place

pytestmark = pytest.mark.slow

REPLICAS = 3


@pytest.fixture(scope="module", params=CLUSTERS)
def placed(request: pytest.FixtureRequest, folder: Path) -> Iterator[Place]:
    with place(folder, request.param) as placed:
        yield placed


@pytest.fixture(autouse=True)
def _running(placed: Place) -> None:
    if not placed.tocsin.running:
        placed.tocsin.start()


@pytest.mark.parametrize(("arrives", "tries"), [(True, 1), (False, 2)])
def test_killed_while_it_restarts_the_deployment(placed: Place, arrives: bool, tries: int) -> None:
    ref = deployed(placed, f"shop-{arrives}".lower())
    old_pods = placed.pods(ref)
    gate = placed.vendors.cluster_gate
    with gate.holding(lambda one: is_change(one, ref), takes_effect=arrives) as hold:
        placed.type("/restart", f"{ref.namespace}/{ref.name} soak=1s --yes")
        hold.wait()
        placed.tocsin.kill()
    assert placed.namespace.cluster.deployment(ref).generation == 1 + arrives
    placed.tocsin.start()
    check_restarted_once(placed, ref, old_pods)
    assert len(changes(placed, ref)) == tries


def test_killed_while_it_waits_for_the_rollout(placed: Place) -> None:
    ref = deployed(placed, "waiting")
    old_pods = placed.pods(ref)
    gate = placed.vendors.cluster_gate
    with gate.holding(
        lambda one: bool(is_look(one, ref) and changes(placed, ref)), takes_effect=True
    ) as hold:
        placed.type("/restart", f"{ref.namespace}/{ref.name} soak=1s --yes")
        hold.wait()
        steps = {step["id"]: step["state"] for step in placed.newest_run()["steps"]}
        assert (steps["restart"], steps["rollout"]) == ("done", "started")
        placed.tocsin.kill()
    placed.tocsin.start()
    check_restarted_once(placed, ref, old_pods)
    assert len(changes(placed, ref)) == 1


def deployed(placed: Place, name: str) -> ObjectRef:
    ref = placed.namespace.create_deployment(name, replicas=REPLICAS)
    placed.namespace.rolled_out(ref)
    return ref


def is_look(arrival: Arrival, ref: ObjectRef) -> bool:
    return arrival.method == "GET" and arrival.path.endswith(f"/deployments/{ref.name}")


def is_change(arrival: Arrival, ref: ObjectRef) -> bool:
    """Whether it is meant to change the Deployment, and not only tried out."""
    is_patch = arrival.method == "PATCH" and arrival.path.endswith(f"/deployments/{ref.name}")
    return is_patch and "dryRun" not in arrival.query


def changes(placed: Place, ref: ObjectRef) -> list[Arrival]:
    return [one for one in placed.vendors.cluster_gate.arrivals if is_change(one, ref)]


def check_restarted_once(placed: Place, ref: ObjectRef, old_pods: set[str]) -> None:
    run = placed.ended_run()
    assert run["state"] == "succeeded", run
    deployment = placed.namespace.rolled_out(ref)
    assert deployment.generation == 2
    assert replica_sets(placed, ref) == 2
    new_pods = placed.pods(ref)
    assert len(new_pods) == REPLICAS
    assert not new_pods & old_pods


def replica_sets(placed: Place, ref: ObjectRef) -> int:
    """How many pod templates the Deployment has had."""
    client = AppsV1Api(placed.namespace.client)
    selector = f"app={ref.name}"
    found = client.list_namespaced_replica_set(ref.namespace, label_selector=selector)
    return len(found.items)
