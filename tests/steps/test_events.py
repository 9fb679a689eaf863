from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.clock import START
from tests.support.node_objects import pod, stamp, warning
from tests.support.step_bench import Bench

NAME = "payments/checkout"


@pytest.fixture(autouse=True)
def checkout(bench: Bench) -> None:
    bench.cluster.add_deployment(NAME, ["shop:1"])
    labels = {"app": "checkout"}
    bench.objects.put(pod("payments/checkout-5d-a", labels=labels))
    bench.objects.put(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": "checkout-5d", "namespace": "payments", "labels": labels},
        }
    )


def told(bench: Bench, **arguments: str) -> str:
    return bench.step("kubernetes.events", workload=NAME, **arguments).execute().summary


def test_warnings_are_counted_and_grouped_with_the_newest_message(bench: Bench) -> None:
    for about, count, minutes in (("checkout-5d-a", 4, 10), ("checkout-5d-gone", 3, 5)):
        message = f"Back-off restarting\nthe container of {about}"
        last = START - timedelta(minutes=minutes)
        bench.objects.put(warning(f"payments/{about}", "BackOff", message, last, count))
    bench.objects.put(warning("payments/checkout", "Slow", "", START))
    assert told(bench) == (
        "8 warnings about Deployment payments/checkout in the last 30m: "
        "BackOff ×7 on 2 objects (Back-off restarting the container of checkout-5d-gone); "
        "Slow ×1 ()."
    )


def test_what_is_old_or_about_others_is_left_out(bench: Bench) -> None:
    old = START - timedelta(minutes=31)
    bench.objects.put(warning("payments/checkout-5d-a", "BackOff", "old", old))
    bench.objects.put(warning("payments/checkout-standby-7f-a", "BackOff", "other", START))
    bench.objects.put(warning("web/checkout-5d-a", "BackOff", "elsewhere", START))
    normal = warning("payments/checkout-5d-a", "Pulled", "image pulled", START)
    bench.objects.put({**normal, "type": "Normal"})
    assert told(bench) == "0 warnings about Deployment payments/checkout in the last 30m."
    assert told(bench, since="1h").startswith("1 warning about")


def test_a_series_counts_as_often_as_it_says(bench: Bench) -> None:
    event = warning("payments/checkout-5d-a", "Unhealthy", "probe failed", START)
    del event["lastTimestamp"]
    bench.objects.put({**event, "series": {"count": 9, "lastObservedTime": stamp()}})
    assert "Unhealthy ×9 (probe failed)" in told(bench)


def test_the_plan_looks_whether_the_workload_exists(bench: Bench) -> None:
    assert bench.step("kubernetes.events", workload=NAME).plan().problems == ()
    assert bench.step("kubernetes.events", workload="payments/nope").plan().problems
