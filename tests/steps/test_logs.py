from __future__ import annotations

import pytest

from bot.domain.cluster import ObjectRef
from bot.domain.errors import InvalidInput
from tests.support.node_objects import pod
from tests.support.step_bench import Bench

NAME = "payments/checkout"
LABELS = {"app": "checkout"}


@pytest.fixture(autouse=True)
def checkout(bench: Bench) -> None:
    bench.cluster.add_deployment(NAME, ["shop:1"])
    for name in ("a", "b"):
        ref = bench.objects.put(pod(f"payments/{name}", labels=LABELS))
        bench.objects.logs[ref] = f"one\n{name} says \x1b[1mtwo\x07\n"
    broken = pod("payments/z", labels=LABELS)
    broken["status"]["conditions"] = []
    bench.objects.previous_logs[bench.objects.put(broken)] = "panic\n"
    bench.objects.put(pod("payments/other", labels={"app": "other"}))


def test_the_logs_are_attached_those_in_trouble_first(bench: Bench) -> None:
    step = bench.step("kubernetes.logs", workload=NAME, pods=2)
    assert step.plan().summary == (
        "Read the last 50 lines of each pod of Deployment payments/checkout."
    )
    outcome = step.execute()
    assert outcome.summary == (
        "Read the logs of 2 pods of 3 pods of Deployment payments/checkout. "
        "Pod z is not ready; the end of its log:\n(it is empty)"
    )
    (file,) = outcome.attachments
    assert (file.name, file.media_type) == ("logs.txt", "text/plain")
    assert file.content.decode() == "--- z\n(it is empty)\n\n--- a\none\na says two"


def test_of_the_container_before_its_last_restart(bench: Bench) -> None:
    outcome = bench.step("kubernetes.logs", workload=NAME, previous="true", pods=1).execute()
    assert outcome.attachments[0].content == b"--- z\npanic"
    assert outcome.summary.endswith("Pod z is not ready; the end of its log:\npanic")


def test_of_pods_that_are_ready_nothing_is_quoted(bench: Bench) -> None:
    bench.objects.remove(ObjectRef("pod", "payments", "z"))
    outcome = bench.step("kubernetes.logs", workload=NAME).execute()
    assert outcome.summary == "Read the logs of 2 pods of Deployment payments/checkout."


def test_a_log_that_can_t_be_read_is_said(bench: Bench) -> None:
    bench.objects.unreadable.add(ObjectRef("pod", "payments", "z"))
    content = bench.step("kubernetes.logs", workload=NAME).execute().attachments[0].content
    assert b"--- z\n(it can't be read: previous terminated container not found)" in content
    assert b"a says two" in content


def test_a_missing_workload_is_a_problem(bench: Bench) -> None:
    plan = bench.step("kubernetes.logs", workload="payments/nope").plan()
    assert plan.problems == ("There is no deployment/payments/nope.",)


def test_there_are_limits(bench: Bench) -> None:
    with pytest.raises(InvalidInput, match="lines"):
        bench.step("kubernetes.logs", workload=NAME, lines=100000)
