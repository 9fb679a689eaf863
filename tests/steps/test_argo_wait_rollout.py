from __future__ import annotations

from typing import Any

import pytest

from bot.domain.errors import PermanentError
from tests.support.gitops import canary, paused, rollout
from tests.support.step_bench import Bench

KIND = "argo.wait_rollout"
NAME = "shop/shop"


def put(bench: Bench, status: Any, generation: int = 1) -> None:
    given = rollout(canary(), status)
    bench.objects.put({**given, "metadata": {**given["metadata"], "generation": generation}})


def test_it_waits_until_the_rollout_is_healthy(bench: Bench) -> None:
    put(bench, {"phase": "Progressing", "message": "more replicas need to be updated"})
    bench.later(5, lambda: put(bench, paused("CanaryPauseStep")))
    bench.later(30, lambda: put(bench, {"phase": "Healthy"}))
    step = bench.step(KIND, rollout=NAME, timeout="60s")
    assert step.execute().summary == "Rollout shop/shop is Healthy."
    assert bench.progress == [
        "Progressing (more replicas need to be updated)",
        "Paused (CanaryPauseStep)",
        "Healthy",
    ]


def test_a_rollout_that_stays_degraded_fails_at_once(bench: Bench) -> None:
    put(bench, {"phase": "Degraded", "message": "ProgressDeadlineExceeded"})
    begun = bench.clock.now()
    with pytest.raises(PermanentError, match=r"won’t be Healthy.*Degraded \(ProgressDeadline"):
        bench.step(KIND, rollout=NAME).execute()
    assert (bench.clock.now() - begun).total_seconds() <= 11


def test_the_phase_of_the_time_before_a_retry_does_not_count(bench: Bench) -> None:
    put(bench, {"phase": "Degraded", "message": "RolloutAborted"})
    bench.later(3, lambda: put(bench, {"phase": "Progressing"}))
    bench.later(20, lambda: put(bench, {"phase": "Healthy"}))
    assert bench.step(KIND, rollout=NAME).execute().summary.endswith("is Healthy.")


@pytest.mark.parametrize(
    ("status", "generation"),
    [
        ({"phase": "Healthy", "observedGeneration": "1"}, 2),
        ({"phase": "Healthy", "controllerPause": True}, 1),
    ],
)
def test_what_the_controller_has_not_noticed_is_not_believed(
    bench: Bench, status: Any, generation: int
) -> None:
    put(bench, status, generation)
    with pytest.raises(PermanentError, match="Not within 20s: Progressing"):
        bench.step(KIND, rollout=NAME, timeout="20s").execute()


def test_after_an_abort_it_is_to_be_degraded(bench: Bench) -> None:
    put(bench, {"phase": "Progressing"})
    bench.later(4, lambda: put(bench, {"phase": "Degraded", "message": "RolloutAborted: by us"}))
    step = bench.step(KIND, rollout=NAME, phase="Degraded")
    assert step.execute().summary == "Rollout shop/shop is Degraded (RolloutAborted: by us)."


def test_a_rollout_that_does_not_exist_is_a_problem_of_the_plan(bench: Bench) -> None:
    assert bench.step(KIND, rollout="shop/other").plan().problems
