from __future__ import annotations

import pytest

from bot.domain.cluster import ObjectRef
from bot.domain.errors import InvalidInput, PermanentError
from tests.support.step_bench import Bench

KIND = "kubernetes.ready_pods"
NAME = "payments/checkout"
APP = {"app": "checkout"}


@pytest.fixture
def ref(bench: Bench) -> ObjectRef:
    return bench.cluster.add_deployment(NAME, ["shop:1"])


def elapsed(bench: Bench, **arguments: str) -> float:
    start = bench.clock.now()
    bench.step(KIND, **arguments).execute()
    return (bench.clock.now() - start).total_seconds()


def test_all_pods_have_to_be_ready_for_the_soak(bench: Bench, ref: ObjectRef) -> None:
    bench.cluster.set_pod(f"{NAME}-1", APP, ready=False)
    bench.later(10, lambda: bench.cluster.set_pod(f"{NAME}-1", APP))
    assert elapsed(bench, workload=NAME, soak="30s") == 40


def test_a_minimum_can_be_enough(bench: Bench, ref: ObjectRef) -> None:
    bench.cluster.set_pod(f"{NAME}-1", APP, ready=False)
    assert elapsed(bench, workload=NAME, minimum="2", soak="5s") == 5


def test_the_outcome_says_what_was_seen(bench: Bench, ref: ObjectRef) -> None:
    outcome = bench.step(KIND, workload=NAME, soak="5s").execute()
    assert outcome.summary == "Deployment payments/checkout: 3 pods ready, for 5s."


def test_a_pod_that_fails_in_the_soak_fails_it_after_the_timeout(
    bench: Bench, ref: ObjectRef
) -> None:
    bench.later(
        10, lambda: bench.cluster.set_pod(f"{NAME}-1", APP, ready=False, reason="CrashLoopBackOff")
    )
    with pytest.raises(PermanentError) as caught:
        bench.step(KIND, workload=NAME, soak="30s", timeout="60s").execute()
    assert str(caught.value) == (
        "Not within 60s: 2 of at least 3 pods ready. Not ready: checkout-1 (CrashLoopBackOff)."
    )


def test_a_pod_that_is_not_even_there_is_missed(bench: Bench, ref: ObjectRef) -> None:
    bench.cluster.edit(ref, desired=4)
    with pytest.raises(PermanentError, match="3 of at least 4 pods ready"):
        bench.step(KIND, workload=NAME, timeout="10s").execute()


def test_the_pods_behind_a_service_are_those_it_selects_now(bench: Bench) -> None:
    ref = bench.cluster.add_service(NAME, {"role": "active"})
    bench.cluster.set_pod("payments/a", {"role": "active"}, ready=False)
    bench.cluster.set_pod("payments/b", {"role": "standby"})
    bench.later(3, lambda: bench.cluster.select(ref, {"role": "standby"}))
    assert elapsed(bench, service=NAME, minimum="1", soak="5s") == 8


def test_no_pods_at_all_are_not_all_pods(bench: Bench) -> None:
    bench.cluster.add_service(NAME, {"role": "active"})
    with pytest.raises(PermanentError, match="0 of at least 1 pod ready"):
        bench.step(KIND, service=NAME, timeout="10s").execute()


@pytest.mark.parametrize(("desired", "minimum"), [(0, "all"), (2, "3")])
def test_more_pods_than_are_wanted_is_a_problem(
    bench: Bench, ref: ObjectRef, desired: int, minimum: str
) -> None:
    bench.cluster.edit(ref, desired=desired)
    (problem,) = bench.step(KIND, workload=NAME, minimum=minimum).plan().problems
    assert f"is scaled to {desired} pods" in problem


def test_the_plan_is_a_sentence(bench: Bench, ref: ObjectRef) -> None:
    plan = bench.step(KIND, workload=NAME).plan()
    assert plan.problems == ()
    assert plan.summary == (
        "Check that all of the pods of Deployment payments/checkout are ready "
        "within 120s and stay so for 30s."
    )


@pytest.mark.parametrize("arguments", [{}, {"workload": NAME, "service": NAME}])
def test_it_is_about_either_a_workload_or_a_service(
    bench: Bench, arguments: dict[str, str]
) -> None:
    with pytest.raises(InvalidInput, match=r"^Give either workload or service\.$"):
        bench.step(KIND, **arguments)
