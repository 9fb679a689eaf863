"""Flux: left alone, brought back, asked to look now."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.cluster import ObjectRef
from bot.domain.errors import PermanentError
from bot.domain.resource import Manifest
from tests.support.gitops import kustomization
from tests.support.step_bench import Bench

NAME = "shop/shop"


def later(bench: Bench, seconds: float, manifest: Manifest) -> None:
    """The controller changes the object after a while."""
    bench.later(seconds, lambda: (bench.objects.put(manifest), None)[1])


def spec(bench: Bench, ref: ObjectRef) -> Any:
    return bench.objects.read(ref).body["spec"]


def test_it_is_suspended_and_its_undo_resumes_it(bench: Bench) -> None:
    ref = bench.objects.put(kustomization())
    step = bench.step("flux.suspend", resource=NAME)
    plan = step.plan()
    assert (plan.changes, plan.problems) == (("+ spec.suspend: true",), ())
    assert plan.reversible
    assert bench.objects.changes == []
    outcome = step.execute()
    assert outcome.summary == "Kustomization shop/shop is suspended."
    assert spec(bench, ref)["suspend"] is True
    assert step.observe() == outcome
    step.undo(outcome)
    assert "suspend" not in spec(bench, ref)


def test_it_is_resumed(bench: Bench) -> None:
    ref = bench.objects.put(kustomization(suspend=True))
    step = bench.step("flux.resume", resource=NAME)
    step.plan()
    outcome = step.execute()
    assert "suspend" not in spec(bench, ref)
    step.undo(outcome)
    assert spec(bench, ref)["suspend"] is True


@pytest.mark.parametrize(
    ("kind", "suspended", "problem"),
    [
        ("flux.suspend", True, "Kustomization shop/shop is suspended already."),
        ("flux.resume", False, "Kustomization shop/shop is resumed already."),
        (
            "flux.reconcile",
            True,
            "Kustomization shop/shop is suspended: Flux would not reconcile it.",
        ),
    ],
)
def test_what_would_do_nothing_is_not_planned(
    bench: Bench, kind: str, suspended: bool, problem: str
) -> None:
    bench.objects.put(kustomization(suspend=suspended))
    assert bench.step(kind, resource=NAME).plan().problems == (problem,)


def test_an_older_flux_has_other_versions(bench: Bench) -> None:
    release = {**kustomization(), "apiVersion": "helm.toolkit.fluxcd.io/v2beta2"}
    ref = bench.objects.put({**release, "kind": "HelmRelease"})
    given = {"kind": "HelmRelease", "api_version": "helm.toolkit.fluxcd.io/v2beta2"}
    bench.step("flux.suspend", resource=NAME, **given).execute()
    assert spec(bench, ref)["suspend"] is True


def handled(bench: Bench, ready: str, message: str) -> Any:
    requested = bench.clock.now().isoformat()
    given = kustomization()
    annotations = {"reconcile.fluxcd.io/requestedAt": requested}
    conditions = [{"type": "Ready", "status": ready, "message": message}]
    return {
        **given,
        "metadata": {**given["metadata"], "annotations": annotations},
        "status": {
            "observedGeneration": 1,
            "lastHandledReconcileAt": requested,
            "conditions": conditions,
        },
    }


def test_a_reconciliation_is_asked_for_and_waited_for(bench: Bench) -> None:
    bench.objects.put(kustomization())
    step = bench.step("flux.reconcile", resource=NAME)
    step.plan()
    assert step.execute().summary == "Asked Flux to reconcile Kustomization shop/shop."
    failing = handled(bench, "False", "build failed")
    applied = handled(bench, "True", "Applied revision: main@sha1:abc")
    later(bench, 4, failing)
    later(bench, 8, applied)
    said = bench.step("flux.wait", resource=NAME).execute().summary
    assert said == "Kustomization shop/shop: Applied revision: main@sha1:abc."
    assert bench.progress == [
        "Flux has not yet handled the request",
        "build failed",
        "Applied revision: main@sha1:abc",
    ]


def test_nobody_waits_for_what_is_suspended(bench: Bench) -> None:
    bench.objects.put(kustomization(suspend=True))
    with pytest.raises(PermanentError, match="suspended"):
        bench.step("flux.wait", resource=NAME).execute()
