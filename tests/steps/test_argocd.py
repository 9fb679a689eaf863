"""Argo CD's Applications: automation off and on, and back in their history."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.cluster import Marker, ObjectRef
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.resource import Manifest
from tests.support.gitops import SOURCE, application
from tests.support.step_bench import Bench

NAME = "argocd/shop"
SUSPEND, RESUME, ROLLBACK = "argocd.suspend", "argocd.resume", "argocd.rollback"
AUTOMATED = {"prune": True, "selfHeal": True}
ON: Any = {"syncPolicy": {"automated": AUTOMATED, "syncOptions": ["CreateNamespace=true"]}}


def later(bench: Bench, seconds: float, manifest: Manifest) -> None:
    """The controller changes the object after a while."""
    bench.later(seconds, lambda: (bench.objects.put(manifest), None)[1])


def body(bench: Bench, ref: ObjectRef) -> Any:
    return bench.objects.read(ref).body


def done(bench: Bench, kind: str, **arguments: Any) -> Any:
    step = bench.step(kind, application=NAME, **arguments)
    assert step.plan().problems == ()
    return step, step.execute()


def test_automation_is_switched_off_and_put_back_as_it_was(bench: Bench) -> None:
    ref = bench.objects.put(application(**ON))
    step, outcome = done(bench, SUSPEND)
    assert body(bench, ref)["spec"]["syncPolicy"] == {"syncOptions": ["CreateNamespace=true"]}
    assert step.observe() is not None
    step.undo(outcome)
    assert body(bench, ref)["spec"]["syncPolicy"] == ON["syncPolicy"]


def test_another_run_resumes_what_was_suspended(bench: Bench) -> None:
    ref = bench.objects.put(application(**ON))
    done(bench, SUSPEND)
    bench.objects.merge(ref, {}, Marker(6, "another", bench.clock.now()))
    step, outcome = done(bench, RESUME)
    assert body(bench, ref)["spec"]["syncPolicy"] == ON["syncPolicy"]
    assert "tocsin/suspended-automation" not in body(bench, ref)["metadata"]["annotations"]
    step.undo(outcome)
    assert "automated" not in body(bench, ref)["spec"]["syncPolicy"]


def test_what_tocsin_did_not_suspend_is_resumed_as_the_runbook_says(bench: Bench) -> None:
    ref = bench.objects.put(application(syncPolicy={"automated": {"enabled": False}}))
    (problem,) = bench.step(RESUME, application=NAME).plan().problems
    assert "give automated" in problem
    done(bench, RESUME, automated={"prune": True})
    assert body(bench, ref)["spec"]["syncPolicy"] == {"automated": {"prune": True}}


@pytest.mark.parametrize("damaged", ["", "[]", "{", "null"])
def test_a_damaged_annotation_is_not_believed(bench: Bench, damaged: str) -> None:
    given = application()
    annotations = {"tocsin/suspended-automation": damaged}
    bench.objects.put({**given, "metadata": {**given["metadata"], "annotations": annotations}})
    assert bench.step(RESUME, application=NAME).plan().problems


def test_the_plan_says_what_is_switched_off_and_who_may_put_it_back(bench: Bench) -> None:
    given = application(**ON)
    owner = {"kind": "ApplicationSet", "name": "shops", "uid": "1"}
    bench.objects.put({**given, "metadata": {**given["metadata"], "ownerReferences": [owner]}})
    assert bench.step(SUSPEND, application=NAME).plan().changes == (
        '- spec.syncPolicy.automated: {"prune": true, "selfHeal": true}',
        "! ApplicationSet shops makes this Application and may put it back",
    )


def test_nothing_is_suspended_twice(bench: Bench) -> None:
    bench.objects.put(application())
    assert bench.step(SUSPEND, application=NAME).plan().problems == (
        "Application argocd/shop is not synced automatically.",
    )


@pytest.mark.parametrize(("revision", "git"), [("previous", "bbb"), ("0", "aaa"), ("1", "bbb")])
def test_a_rollback_asks_for_a_sync_to_what_was_deployed_then(
    bench: Bench, revision: str, git: str
) -> None:
    ref = bench.objects.put(application(**ON))
    done(bench, ROLLBACK, revision=revision)
    after = body(bench, ref)
    assert after["operation"]["sync"] == {
        "revision": git,
        "source": SOURCE,
        "prune": False,
        "syncStrategy": {"apply": {}},
        "syncOptions": ["CreateNamespace=true"],
    }
    assert "automated" not in after["spec"]["syncPolicy"]
    assert len(bench.objects.changes) == 1


def test_the_plan_of_a_rollback_says_that_the_automation_goes_off(bench: Bench) -> None:
    bench.objects.put(application(**ON))
    plan = bench.step(ROLLBACK, application=NAME).plan()
    assert plan.changes == (
        "- id 2 (revision ccc, of 2026-03-03T12:00:00Z)",
        "+ id 1 (revision bbb, of 2026-03-02T12:00:00Z)",
        '- spec.syncPolicy.automated: {"prune": true, "selfHeal": true}',
    )
    assert bench.objects.changes == []


def test_the_undo_of_a_rollback_goes_forward_and_switches_the_automation_on(bench: Bench) -> None:
    ref = bench.objects.put(application(**ON))
    step, outcome = done(bench, ROLLBACK)
    with pytest.raises(TemporaryError, match="under way"):
        step.undo(outcome)
    bench.objects.put({k: v for k, v in body(bench, ref).items() if k != "operation"})
    step.undo(outcome)
    assert body(bench, ref)["operation"]["sync"]["revision"] == "ccc"
    assert body(bench, ref)["spec"]["syncPolicy"]["automated"] == AUTOMATED


@pytest.mark.parametrize(
    ("revision", "problem"),
    [
        ("2", "Application argocd/shop has id 2 deployed now."),
        ("7", "Argo CD does not keep id 7 any more; there are: 0, 1, 2."),
    ],
)
def test_an_id_that_is_none_to_go_back_to_is_a_problem(
    bench: Bench, revision: str, problem: str
) -> None:
    bench.objects.put(application())
    plan = bench.step(ROLLBACK, application=NAME, revision=revision).plan()
    assert plan.problems == (problem,)


def test_one_operation_at_a_time(bench: Bench) -> None:
    bench.objects.put({**application(), "operation": {"sync": {}}})
    (problem,) = bench.step(ROLLBACK, application=NAME).plan().problems
    assert "has an operation under way" in problem


def operated(phase: str, health: str) -> Any:
    given = application()
    state = {"operationState": {"phase": phase, "message": "no"}, "health": {"status": health}}
    return {**given, "status": {**given["status"], **state}}


def test_the_wait_is_over_when_the_operation_succeeded_and_all_is_healthy(bench: Bench) -> None:
    bench.objects.put({**application(), "operation": {"sync": {}}})
    later(bench, 3, operated("Running", "Progressing"))
    later(bench, 6, operated("Succeeded", "Progressing"))
    later(bench, 9, operated("Succeeded", "Healthy"))
    said = bench.step("argocd.wait", application=NAME).execute().summary
    assert said == "Application argocd/shop: operation Succeeded, health Healthy."
    assert len(bench.progress) == 4


@pytest.mark.parametrize("phase", ["Failed", "Error"])
def test_an_operation_that_failed_ends_the_wait(bench: Bench, phase: str) -> None:
    bench.objects.put(operated(phase, "Healthy"))
    with pytest.raises(PermanentError, match=f"The operation of .* {phase}: no"):
        bench.step("argocd.wait", application=NAME).execute()
