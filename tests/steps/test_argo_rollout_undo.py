"""A Rollout back to an earlier revision."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.cluster import ObjectRef
from bot.domain.errors import PermanentError, TemporaryError
from tests.support.gitops import (
    BLUE_GREEN,
    NEWEST,
    STABLE,
    canary,
    replica_set,
    rollout,
    template,
)
from tests.support.step_bench import Bench

KIND = "argo.rollout_undo"
NAME = "shop/shop"


@pytest.fixture(params=[canary(), BLUE_GREEN], ids=["canary", "blue-green"])
def ref(request: pytest.FixtureRequest, bench: Bench) -> ObjectRef:
    """A Rollout at revision 3, of which revisions 1 and 2 are kept."""
    found = bench.objects.put(rollout(request.param, {"phase": "Healthy", "stableRS": NEWEST}))
    owner = bench.objects.read(found).uid
    bench.objects.put(replica_set("3a3a", 1, "0.9", owner))
    bench.objects.put(replica_set(STABLE, 2, "1.0", owner))
    bench.objects.put(replica_set(NEWEST, 3, "2.0", owner))
    bench.objects.put(replica_set("beef", 4, "6.6.6", "somebody else's"))
    return found


def wanted(bench: Bench, ref: ObjectRef) -> Any:
    return bench.objects.read(ref).body["spec"]["template"]


@pytest.mark.parametrize(
    ("revision", "tag", "number"), [("previous", "1.0", 2), ("2", "1.0", 2), ("1", "0.9", 1)]
)
def test_the_template_of_that_revision_is_wanted_again(
    bench: Bench, ref: ObjectRef, revision: str, tag: str, number: int
) -> None:
    step = bench.step(KIND, rollout=NAME, revision=revision)
    plan = step.plan()
    assert plan.problems == ()
    assert plan.summary == f"Roll Rollout {NAME} back from revision 3 to revision {number}."
    assert plan.changes == (
        "- image: registry.example/shop:2.0",
        f"+ image: registry.example/shop:{tag}",
    )
    assert bench.objects.changes == []
    step.execute()
    assert wanted(bench, ref) == template(tag)


def test_what_only_the_newer_template_has_is_removed(bench: Bench, ref: ObjectRef) -> None:
    body = bench.objects.read(ref).body
    newer = {
        **template("2.0", tier="web"),
        "spec": {**template("2.0")["spec"], "hostNetwork": True},
    }
    bench.objects.put({**body, "spec": {**body["spec"], "template": newer}})
    step = bench.step(KIND, rollout=NAME)
    step.plan()
    step.execute()
    assert wanted(bench, ref) == template("1.0")


def test_the_undo_wants_what_was_wanted_before(bench: Bench, ref: ObjectRef) -> None:
    step = bench.step(KIND, rollout=NAME)
    step.plan()
    outcome = step.execute()
    body = bench.objects.read(ref).body
    bench.objects.put({**body, "status": {**body["status"], "currentPodHash": STABLE}})
    step.undo(outcome)
    assert wanted(bench, ref) == template("2.0")


def test_a_rollout_that_somebody_changed_since_is_left_as_it_is(
    bench: Bench, ref: ObjectRef
) -> None:
    step = bench.step(KIND, rollout=NAME)
    step.plan()
    outcome = step.execute()
    bench.objects.put(replica_set("c0de", 5, "3.0", bench.objects.read(ref).uid))
    body = bench.objects.read(ref).body
    bench.objects.put({**body, "status": {**body["status"], "currentPodHash": "c0de"}})
    with pytest.raises(PermanentError, match="was changed since the rollback"):
        step.undo(outcome)


def test_it_is_observed_by_its_marker(bench: Bench, ref: ObjectRef) -> None:
    step = bench.step(KIND, rollout=NAME)
    step.plan()
    assert step.observe() is None
    step.execute()
    assert step.observe() is not None
    changes = list(bench.objects.changes)
    step.execute()
    assert bench.objects.changes == changes


def test_the_template_of_a_workload_that_it_refers_to_is_set_there(
    bench: Bench, ref: ObjectRef
) -> None:
    deployment = bench.objects.put(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"namespace": "shop", "name": "web"},
            "spec": {"replicas": 0, "template": template("2.0")},
        }
    )
    body = bench.objects.read(ref).body
    spec = {name: value for name, value in body["spec"].items() if name != "template"}
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    bench.objects.put({**body, "spec": {**spec, "workloadRef": reference}})
    step = bench.step(KIND, rollout=NAME)
    assert {target.ref for target in step.plan().targets} == {ref, deployment}
    step.execute()
    assert wanted(bench, deployment) == template("1.0")


@pytest.mark.parametrize(
    ("revision", "problem"),
    [
        ("3", "Revision 3 is the one that is wanted now."),
        ("9", "Revision 9 is not kept any more; there are: 1, 2."),
    ],
)
def test_a_revision_that_is_none_to_go_back_to_is_a_problem(
    bench: Bench, ref: ObjectRef, revision: str, problem: str
) -> None:
    assert bench.step(KIND, rollout=NAME, revision=revision).plan().problems == (problem,)


def test_the_first_revision_has_none_before_it(bench: Bench) -> None:
    ref = bench.objects.put(rollout(canary(), {}))
    bench.objects.put(replica_set(NEWEST, 1, "2.0", bench.objects.read(ref).uid))
    (problem,) = bench.step(KIND, rollout=NAME).plan().problems
    assert problem.startswith("There is no earlier revision to go back to")


def test_a_spec_that_argo_has_not_seen_is_waited_for(bench: Bench) -> None:
    given = rollout(canary(), {"observedGeneration": "1"})
    bench.objects.put({**given, "metadata": {**given["metadata"], "generation": 2}})
    with pytest.raises(TemporaryError, match="has not yet seen"):
        bench.step(KIND, rollout=NAME).plan()


def test_the_stable_revision_is_the_one_before_an_update_however_many_were_tried(
    bench: Bench, ref: ObjectRef
) -> None:
    body = bench.objects.read(ref).body
    bench.objects.put({**body, "status": {**body["status"], "stableRS": "3a3a"}})
    step = bench.step(KIND, rollout=NAME, revision="stable")
    assert step.plan().summary == f"Roll Rollout {NAME} back from revision 3 to revision 1."
    step.execute()
    assert wanted(bench, ref) == template("0.9")


def test_a_rollout_on_its_stable_revision_has_no_way_back_to_it(
    bench: Bench, ref: ObjectRef
) -> None:
    plan = bench.step(KIND, rollout=NAME, revision="stable").plan()
    assert plan.problems == ("Rollout shop/shop runs its stable revision, 3, already.",)
