from __future__ import annotations

from datetime import timedelta

from bot.domain.errors import PermanentError
from tests.support.clock import START
from tests.support.node_objects import Json, stamp
from tests.support.step_bench import Bench


def thing(kind: str, name: str, hours: float, *entries: Json, **rest: object) -> Json:
    metadata = {
        "name": name,
        "namespace": "payments",
        "creationTimestamp": stamp(START - timedelta(hours=hours)),
        "managedFields": list(entries),
    }
    group = "apps/v1" if kind in ("ReplicaSet", "Deployment") else "v1"
    return {"apiVersion": group, "kind": kind, "metadata": metadata, **rest}


def entry(manager: str, hours: float, fields: str = "f:spec", **rest: str) -> Json:
    at = stamp(START - timedelta(hours=hours))
    return {"manager": manager, "time": at, "fieldsV1": {fields: {}}, **rest}


def told(bench: Bench, since: str = "24h") -> str:
    step = bench.step("kubernetes.recent_changes", namespace="payments", since=since)
    assert step.plan().problems == ()
    return step.execute().summary


def test_changes_are_told_newest_first_and_by_whom(bench: Bench) -> None:
    image = {"containers": [{"name": "main", "image": "shop:2"}]}
    template: Json = {"template": {"spec": image}}
    bench.objects.put(thing("ReplicaSet", "shop-5d", 2, spec=template))
    edited = (entry("helm", 100, "f:data"), entry("kubectl-edit", 1, "f:data"))
    bench.objects.put(thing("ConfigMap", "settings", 100, *edited))
    bench.objects.put(thing("Secret", "token", 3, entry("vault", 3, "f:data"), data={"key": "c2V"}))
    assert told(bench) == (
        "3 changes in namespace payments in the last 24h:\n"
        "2025-03-01 02:00Z ConfigMap settings changed by kubectl-edit\n"
        "2025-03-01 01:00Z ReplicaSet shop-5d made (shop:2) by its Deployment\n"
        "2025-03-01 00:00Z Secret token made by vault"
    )


def test_what_controllers_write_is_no_change(bench: Bench) -> None:
    entries = (
        entry("kubectl", 100),
        entry("kube-controller-manager", 1),
        entry("prober", 1, "f:status"),
        entry("agent", 1, subresource="status"),
    )
    bench.objects.put(thing("Deployment", "shop", 100, *entries))
    assert told(bench) == "0 changes in namespace payments in the last 24h."
    assert told(bench, since="200h").startswith("1 change in")


def test_a_kind_that_can_t_be_read_is_named(bench: Bench) -> None:
    bench.cluster.failure = PermanentError("we may not list it")
    assert "Not looked at: we may not list it" in told(bench)
