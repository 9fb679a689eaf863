from __future__ import annotations

from tests.support.step_bench import Bench

KIND = "kubernetes.status"


def test_pods_are_reported_with_what_keeps_them(bench: Bench) -> None:
    bench.cluster.add_deployment("payments/checkout", ["shop:1"])
    app = {"app": "checkout"}
    bench.cluster.set_pod("payments/checkout-1", app, restarts=4)
    bench.cluster.set_pod(
        "payments/checkout-2", app, ready=False, restarts=12, reason="CrashLoopBackOff"
    )
    outcome = bench.step(KIND, workload="payments/checkout").execute()
    assert outcome.summary == (
        "Deployment payments/checkout: 2 of 3 pods ready, 16 restarts. "
        "Not ready: checkout-2 (CrashLoopBackOff, 12 restarts)."
    )


def test_a_missing_pod_is_missed(bench: Bench) -> None:
    bench.cluster.add_deployment("payments/checkout", ["shop:1"], replicas=1)
    bench.cluster.edit(bench.cluster.deployments()[0].ref, desired=2)
    outcome = bench.step(KIND, workload="payments/checkout").execute()
    assert outcome.summary == "Deployment payments/checkout: 1 of 2 pods ready."


def test_its_plan_takes_the_name_apart_for_later_steps(bench: Bench) -> None:
    bench.cluster.add_deployment("payments/checkout", ["shop:1"])
    plan = bench.step(KIND, workload="payments/checkout").plan()
    assert plan.decided == {"namespace": "payments", "name": "checkout"}


def test_a_pod_too_many_is_counted(bench: Bench) -> None:
    bench.cluster.add_deployment("payments/checkout", ["shop:1"], replicas=2)
    bench.cluster.set_pod("payments/checkout-9", {"app": "checkout"}, ready=False, reason="Pending")
    outcome = bench.step(KIND, workload="payments/checkout").execute()
    assert "2 of 3 pods ready. Not ready: checkout-9 (Pending)." in outcome.summary


def test_many_unready_pods_are_counted_not_listed(bench: Bench) -> None:
    bench.cluster.add_deployment("payments/checkout", ["shop:1"], replicas=0)
    for number in range(9):
        bench.cluster.set_pod(f"payments/pod-{number}", {"app": "checkout"}, ready=False)
    summary = bench.step(KIND, workload="payments/checkout").execute().summary
    assert "pod-4" in summary
    assert "pod-5" not in summary
    assert summary.endswith("; and 4 more.")


def test_a_service_s_pods_can_be_reported(bench: Bench) -> None:
    bench.cluster.add_service("payments/checkout", {"role": "active"})
    bench.cluster.set_pod("payments/a", {"role": "active"})
    bench.cluster.set_pod("payments/b", {"role": "standby"})
    outcome = bench.step(KIND, service="payments/checkout").execute()
    assert outcome.summary == "Service payments/checkout: 1 of 1 pod ready."


def test_the_plan_says_what_is_there_now(bench: Bench) -> None:
    bench.cluster.add_deployment("payments/checkout", ["shop:1"])
    plan = bench.step(KIND, workload="payments/checkout").plan()
    assert plan.summary.endswith("Now: 3 of 3 pods ready.")
    assert plan.problems == ()


def test_a_deployment_that_is_not_there_is_a_problem(bench: Bench) -> None:
    plan = bench.step(KIND, workload="payments/checkot").plan()
    assert plan.summary == "Look at the pods of Deployment payments/checkot."
    assert plan.problems == ("There is no deployment/payments/checkot.",)


def test_a_service_without_a_selector_never_means_every_pod(bench: Bench) -> None:
    bench.cluster.add_service("payments/external", {})
    bench.cluster.set_pod("payments/a", {"role": "active"})
    plan = bench.step(KIND, service="payments/external").plan()
    assert plan.problems == (
        "Service payments/external has no selector, so Kubernetes does not choose its pods.",
    )


def test_nothing_is_changed_and_nothing_is_put_back(bench: Bench) -> None:
    bench.cluster.add_deployment("payments/checkout", ["shop:1"])
    step = bench.step(KIND, workload="payments/checkout")
    outcome = step.execute()
    assert step.observe() is None
    assert "nothing to put back" in step.undo(outcome).summary
    assert bench.cluster.changes == []
