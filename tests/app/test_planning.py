"""Planning a released runbook where something is missing, or where nothing is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.http_hosts import AllowedHosts
from bot.adapters.runbooks import RunbookFolder
from bot.app.planning import PlanFor, Planner
from bot.bootstrap.running import Site, Sites, step_contexts
from bot.domain.plan import Estimate
from bot.domain.runbook import Runbook, bind
from bot.steps.registry import step_kinds
from tests.support.access import access
from tests.support.clock import START, FakeClock
from tests.support.fake_cluster import FakeCluster
from tests.support.fake_objects import FakeObjects

RUNBOOKS = Path(__file__).resolve().parents[2] / "runbooks"
KINDS = step_kinds()
LIBRARY = RunbookFolder(RUNBOOKS, KINDS)


def wanted(runbook: Runbook, *words: str) -> PlanFor:
    return PlanFor(runbook, bind(runbook, words))


def planner(*lengths: timedelta) -> Planner:
    """Of a cluster that has payments/checkout; earlier runs took so long."""
    cluster = FakeCluster()
    cluster.add_deployment("payments/checkout", ["a:1"])
    there = Site(cluster, FakeObjects(cluster))
    contexts = step_contexts(
        Sites(there, lambda _name: there), FakeClock(), None, AllowedHosts.parse("")
    )
    return Planner(KINDS, contexts, lengths=lambda _runbook: lengths)


@pytest.mark.parametrize("name", ["diagnose", "decommission"])
def test_what_only_follows_from_a_problem_is_no_problem_of_its_own(name: str) -> None:
    """Their later steps act in the namespace that the first one finds out."""
    runbook = LIBRARY.get(name)
    given = {
        "diagnose": ("payments/typo",),
        "decommission": ("payments/typo", "payments/checkout", "checkout", "image=a:1"),
    }[name]
    words = (*given, "credentials=secret") if name == "decommission" else given
    plan = planner().plan(wanted(runbook, *words), START)
    assert any("typo" in problem for problem in plan.problems)
    assert not any("${steps" in problem for problem in plan.problems)
    needs = access(FakeClock()).requirement(runbook, bind(runbook, words), plan)
    assert needs.rule == "nothing needs approval"


def test_a_plan_says_how_long_its_run_takes() -> None:
    """Restart waits 600 s for the rollout, 120 s for ready pods; what is not given is not asked."""
    request = wanted(LIBRARY.get("restart"), "payments/checkout", "soak=30s")
    most, soak = timedelta(seconds=600 + 120 + 30), timedelta(seconds=30)
    nothing = timedelta(0)
    assert planner().plan(request, START).estimate == Estimate(most, soak, nothing)
    ten = timedelta(seconds=10)
    again = planner(ten).plan(request, START)
    assert again.estimate == Estimate(most, soak, nothing, timedelta(seconds=40), 1)
    assert again.digest == planner().plan(request, START).digest
