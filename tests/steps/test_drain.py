from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.domain.cluster import DisruptionBudget, ObjectRef
from bot.domain.errors import InvalidInput, PermanentError, TemporaryError
from tests.support.node_objects import budget, node, pod
from tests.support.step_bench import Bench, Step

NODE = ObjectRef("node", "", "node-1")


def shop(name: str) -> ObjectRef:
    return ObjectRef("pod", "payments", name)


@pytest.fixture
def drain(bench: Bench) -> Callable[..., Step]:
    """The step on a node with two pods that can be moved; another node takes them."""
    bench.objects.put(node("node-1"))
    bench.objects.put(node("node-2"))
    bench.objects.put(pod("payments/shop-a"))
    bench.objects.put(pod("payments/shop-b"))
    bench.objects.put(pod("payments/elsewhere", node_name="node-2"))
    return lambda **arguments: bench.step("kubernetes.drain", node="node-1", **arguments)


def is_cordoned(bench: Bench) -> bool:
    return bool(bench.objects.read(NODE).body["spec"].get("unschedulable"))


def uncordon(bench: Bench) -> None:
    bench.objects.put(node("node-1"))


def planned(step: Step) -> Step:
    assert step.plan().problems == ()
    return step


def test_the_plan_lists_the_pods_and_what_each_budget_allows(
    bench: Bench, drain: Callable[..., Step]
) -> None:
    with_data = pod("payments/shop-b")
    with_data["spec"]["volumes"] = [{"name": "cache", "emptyDir": {}}]
    bench.objects.put(with_data)
    bench.objects.put(budget("payments/shop", allowed=1))
    bench.objects.put(budget("payments/others", allowed=0, app="others"))
    plan = drain().plan()
    assert plan.changes == (
        "+ spec.unschedulable: true",
        "- pod payments/shop-a: budget payments/shop (1 of 3 may be disrupted)",
        "- pod payments/shop-b: budget payments/shop (1 of 3 may be disrupted); "
        "loses its emptyDir data: cache",
    )
    assert plan.blast_radius is not None
    assert (plan.blast_radius.pods, plan.blast_radius.ready) == (2, 2)
    assert plan.blast_radius.budgets == (DisruptionBudget("shop", 1),)
    assert plan.problems == ()
    assert plan.reversible
    assert bench.objects.changes == []


def test_pods_of_the_node_itself_and_finished_ones_stay(
    bench: Bench, drain: Callable[..., Step]
) -> None:
    mirror = pod("payments/mirror", owner="Node")
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "hash"}
    bench.objects.put(mirror)
    bench.objects.put(pod("payments/agent", owner="DaemonSet"))
    bench.objects.put(pod("payments/done", owner="Job", phase="Succeeded"))
    planned(drain()).execute()
    left = bench.objects.find("pod", "", {}, fields={"spec.nodeName": "node-1"})
    assert [it.ref.name for it in left] == ["agent", "done", "mirror"]


def test_it_cordons_evicts_and_its_undo_uncordons(bench: Bench, drain: Callable[..., Step]) -> None:
    step = planned(drain())
    assert step.observe() is None
    outcome = step.execute()
    assert outcome.summary == "Node node-1 is drained: no pod is left that could be moved."
    assert bench.objects.changes == [
        "merge node/node-1 run-7/it",
        "evict pod/payments/shop-a",
        "evict pod/payments/shop-b",
    ]
    assert step.observe() == outcome
    assert step.undo(outcome).summary.startswith("Node node-1 takes new pods again.")
    assert not is_cordoned(bench)


def test_a_node_cordoned_before_stays_so(bench: Bench, drain: Callable[..., Step]) -> None:
    bench.objects.put(node("node-1", unschedulable=True))
    step = planned(drain())
    assert "stays so" in step.undo(step.execute()).summary
    assert is_cordoned(bench)


def test_only_pods_with_the_labels_are_moved(bench: Bench, drain: Callable[..., Step]) -> None:
    bench.objects.put(pod("payments/cart", labels={"app": "cart"}))
    planned(drain(labels={"app": "cart"})).execute()
    assert bench.objects.changes[1:] == ["evict pod/payments/cart"]


def test_a_budget_is_waited_for(bench: Bench, drain: Callable[..., Step]) -> None:
    bench.objects.put(budget("payments/shop", allowed=0, expected=2))
    bench.objects.guarded.add(shop("shop-b"))
    bench.later(30, bench.objects.guarded.clear)
    planned(drain()).execute()
    assert bench.progress == [
        "2 pods left on node node-1; waiting for budget payments/shop (0 of 2 may be disrupted)",
        "1 pod left on node node-1; waiting for budget payments/shop (0 of 2 may be disrupted)",
        "1 pod left on node node-1",
        "0 pods left on node node-1",
    ]


def test_a_budget_that_never_allows_it_fails_and_the_node_is_put_back(
    bench: Bench, drain: Callable[..., Step]
) -> None:
    bench.objects.put(budget("payments/shop", allowed=0, expected=2))
    bench.objects.guarded.add(shop("shop-b"))
    with pytest.raises(PermanentError) as failure:
        planned(drain(timeout="60s")).execute()
    assert str(failure.value) == (
        "Not within 60s: 1 pod left on node node-1; waiting for budget payments/shop "
        "(0 of 2 may be disrupted). Still there: payments/shop-b. "
        "Node node-1 takes new pods again."
    )
    assert not is_cordoned(bench)


def test_a_pod_that_nothing_makes_anew_needs_permission(
    bench: Bench, drain: Callable[..., Step]
) -> None:
    bench.objects.put(pod("payments/lonely", owner=None))
    assert "payments/lonely has no controller" in " ".join(drain().plan().problems)
    assert drain(unmanaged="true").plan().problems == ()


def test_a_pod_with_two_budgets_is_a_problem(bench: Bench, drain: Callable[..., Step]) -> None:
    bench.objects.put(budget("payments/one", allowed=1))
    bench.objects.put(budget("payments/two", allowed=1))
    assert "more than one budget (one, two)" in drain().plan().problems[0]


def test_the_only_node_that_takes_pods_is_not_drained(
    bench: Bench, drain: Callable[..., Step]
) -> None:
    bench.objects.put(node("node-2", unschedulable=True))
    assert "No other node than node-1" in drain().plan().problems[0]


def test_an_eviction_that_is_forbidden_is_a_problem(
    bench: Bench, drain: Callable[..., Step]
) -> None:
    bench.objects.unevictable = PermanentError("we may not create pods/eviction")
    assert drain().plan().problems == ("we may not create pods/eviction",)


def test_a_node_that_somebody_uncordons_is_left_alone(
    bench: Bench, drain: Callable[..., Step]
) -> None:
    bench.objects.guarded.add(shop("shop-b"))
    bench.later(5, lambda: uncordon(bench))
    with pytest.raises(PermanentError, match="Somebody uncordoned node node-1"):
        planned(drain()).execute()


def test_a_node_that_is_replaced_is_left_alone(bench: Bench, drain: Callable[..., Step]) -> None:
    def replace() -> None:
        bench.objects.remove(NODE)
        bench.objects.put(node("node-1", unschedulable=True))

    bench.objects.guarded.add(shop("shop-b"))
    bench.later(5, replace)
    with pytest.raises(PermanentError, match="Node node-1 was replaced"):
        planned(drain()).execute()


def test_a_node_that_goes_fails_the_drain(bench: Bench, drain: Callable[..., Step]) -> None:
    bench.objects.guarded.add(shop("shop-b"))
    bench.later(5, lambda: bench.objects.remove(NODE))
    with pytest.raises(PermanentError, match=r"There is no node/node-1.* Node node-1 is gone"):
        planned(drain()).execute()


def test_an_api_server_that_is_away_for_a_while_ends_nothing(
    bench: Bench, drain: Callable[..., Step]
) -> None:
    bench.objects.guarded.add(shop("shop-b"))

    def away() -> None:
        bench.cluster.failure = TemporaryError("no connection")

    def back() -> None:
        bench.cluster.failure = None
        bench.objects.guarded.clear()

    bench.later(5, away)
    bench.later(20, back)
    assert "is drained" in planned(drain()).execute().summary
    assert "can't look now: no connection" in bench.progress


def test_labels_must_be_labels(drain: Callable[..., Step]) -> None:
    with pytest.raises(InvalidInput, match="labels"):
        drain(labels={"app": "a,b"})
