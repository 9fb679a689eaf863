from __future__ import annotations

import pytest

from bot.domain.cluster import Marker, ObjectRef
from bot.domain.errors import PermanentError, TemporaryError
from tests.support.step_bench import Bench, Step

NAME = "payments/checkout"


@pytest.fixture
def ref(bench: Bench) -> ObjectRef:
    """A Deployment that was told to restart and has not begun to."""
    ref = bench.cluster.add_deployment(NAME, ["shop:1"])
    bench.cluster.restart(ref, Marker(7, "restart", bench.clock.now()))
    return ref


@pytest.fixture
def step(bench: Bench, ref: ObjectRef) -> Step:
    return bench.step("kubernetes.wait_rollout", workload=NAME, timeout="60s")


def test_it_waits_until_all_is_rolled_out(bench: Bench, ref: ObjectRef, step: Step) -> None:
    bench.later(5, lambda: bench.cluster.roll_out(ref, 1))
    bench.later(10, lambda: bench.cluster.roll_out(ref))
    outcome = step.execute()
    assert outcome.summary == (
        "Rollout of payments/checkout complete: 3 of 3 pods updated, 3 available."
    )
    assert (bench.clock.now() - step.context.marker.at).total_seconds() == 10


def test_progress_is_said_when_the_counts_change(bench: Bench, ref: ObjectRef, step: Step) -> None:
    bench.later(5, lambda: bench.cluster.roll_out(ref, 1))
    bench.later(10, lambda: bench.cluster.roll_out(ref))
    step.execute()
    assert bench.progress == [
        "0 of 3 pods updated, 3 available",
        "1 of 3 pods updated, 1 available",
        "3 of 3 pods updated, 3 available",
    ]


def test_the_time_running_out_names_the_pods_that_aren_t_ready(
    bench: Bench, ref: ObjectRef, step: Step
) -> None:
    bench.cluster.roll_out(ref, 2)
    bench.cluster.set_pod(
        "payments/checkout-9", {"app": "checkout"}, ready=False, reason="ImagePullBackOff"
    )
    with pytest.raises(PermanentError) as caught:
        step.execute()
    assert str(caught.value) == (
        "Not within 60s: 2 of 3 pods updated, 2 available. "
        "Not ready: checkout-9 (ImagePullBackOff)."
    )


def test_a_rollout_that_kubernetes_gave_up_on_fails_at_once(
    bench: Bench, ref: ObjectRef, step: Step
) -> None:
    bench.cluster.roll_out(ref, 1)
    bench.cluster.edit(ref, deadline_exceeded=True)
    bench.cluster.set_pod("payments/checkout-0", {"app": "checkout"}, ready=False, reason="OOM")
    with pytest.raises(PermanentError, match=r"gave up on this rollout.*checkout-0 \(OOM\)"):
        step.execute()
    assert bench.clock.now() == step.context.marker.at


def test_an_earlier_rollout_s_failure_is_not_this_one_s(
    bench: Bench, ref: ObjectRef, step: Step
) -> None:
    bench.cluster.edit(ref, deadline_exceeded=True)

    def controller_sees_the_restart() -> None:
        bench.cluster.edit(ref, deadline_exceeded=False)
        bench.cluster.roll_out(ref)

    bench.later(3, controller_sees_the_restart)
    assert "complete" in step.execute().summary


def test_an_api_server_that_restarts_does_not_fail_it(
    bench: Bench, ref: ObjectRef, step: Step
) -> None:
    def fail() -> None:
        bench.cluster.failure = TemporaryError("connection refused")

    def come_back() -> None:
        bench.cluster.failure = None

    bench.later(2, fail)
    bench.later(30, come_back)
    bench.later(31, lambda: bench.cluster.roll_out(ref))
    assert "complete" in step.execute().summary


def test_pods_that_can_t_be_read_at_the_end_don_t_hide_the_failure(
    bench: Bench, step: Step
) -> None:
    bench.cluster.failure = TemporaryError("connection refused")
    with pytest.raises(PermanentError, match=r"Not within 60s.*can't be read: connection refused"):
        step.execute()


def test_the_time_goes_on_while_nobody_runs_it(bench: Bench, ref: ObjectRef, step: Step) -> None:
    bench.clock.advance(59)
    bench.later(5, lambda: bench.cluster.roll_out(ref))
    with pytest.raises(PermanentError, match="Not within 60s"):
        step.execute()


def test_the_plan_needs_the_deployment(bench: Bench, step: Step) -> None:
    assert step.plan().problems == ()
    assert bench.step("kubernetes.wait_rollout", workload="payments/nope").plan().problems
