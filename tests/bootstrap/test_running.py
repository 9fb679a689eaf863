"""Runs in more than one cluster."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from bot.adapters.http_hosts import AllowedHosts
from bot.app.planning import PlanFor, Planner
from bot.bootstrap.running import Site, Sites, step_contexts
from bot.domain.cluster import ObjectRef
from bot.domain.errors import PermanentError
from bot.settings import Settings
from bot.steps.registry import step_kinds
from tests.support.clock import START, FakeClock
from tests.support.examples import runbook
from tests.support.fake_cluster import FakeCluster
from tests.support.fake_objects import FakeObjects


def site_with(image: str) -> Site:
    cluster = FakeCluster()
    cluster.add_deployment("payments/checkout", [image])
    return Site(cluster, FakeObjects(cluster))


def restart_in(cluster: str) -> PlanFor:
    plain = runbook(("change",))
    step = replace(
        plain.steps[0],
        kind="kubernetes.rollout_restart",
        arguments={"workload": "payments/checkout"},
        cluster=cluster,
    )
    return PlanFor(replace(plain, steps=(step,), verification=()), {})


def connected(name: str) -> Site:
    if name == "standby":
        return site_with("b:1")
    raise PermanentError(f"TOCSIN_CLUSTERS says nothing about a cluster “{name}”.")


@pytest.fixture
def clusters() -> Sites:
    return Sites(site_with("a:1"), connected)


@pytest.fixture
def planner(clusters: Sites) -> Planner:
    return Planner(step_kinds(), step_contexts(clusters, FakeClock(), None, AllowedHosts.parse("")))


def test_a_step_works_on_the_cluster_that_it_names(clusters: Sites, planner: Planner) -> None:
    here = planner.plan(restart_in(""), START)
    there = planner.plan(restart_in("standby"), START)
    assert [str(one.ref) for one in here.targets] == ["deployment/payments/checkout"]
    assert [str(one.ref) for one in there.targets] == ["standby:deployment/payments/checkout"]
    assert there.steps["change"].summary.startswith("In standby: ")
    for plan in (here, there):
        (target,) = plan.targets
        assert clusters.read(target.ref).spec_digest == target.spec_digest


def test_the_same_object_in_two_clusters_is_two_targets(planner: Planner) -> None:
    here, there = planner.plan(restart_in(""), START), planner.plan(restart_in("standby"), START)
    assert not {one.ref for one in here.targets} & {one.ref for one in there.targets}
    assert here.digest != there.digest


def test_a_cluster_that_is_not_known_is_a_problem_of_the_plan(planner: Planner) -> None:
    (problem,) = planner.plan(restart_in("mars"), START).problems
    assert "TOCSIN_CLUSTERS says nothing about a cluster “mars”" in problem


def test_each_cluster_is_connected_to_once() -> None:
    asked: list[str] = []

    def note(name: str) -> Site:
        asked.append(name)
        return site_with("b:1")

    clusters = Sites(site_with("a:1"), note)
    ref = ObjectRef("deployment", "payments", "checkout", "standby")
    assert clusters.read(ref) == clusters.read(ref)
    assert asked == ["standby"]


@pytest.mark.parametrize("text", ["standby", "=dr", "Stand By=dr"])
def test_a_setting_of_another_form_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_CLUSTERS", text)
    with pytest.raises(ValidationError, match="NAME=CONTEXT"):
        Settings()


def test_the_setting_maps_names_to_contexts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_CLUSTERS", "standby=eks-ireland, here=")
    assert Settings().contexts == {"standby": "eks-ireland", "here": ""}


OWN = ObjectRef("deployment", "payments", "checkout")


def planner_of(own: ObjectRef) -> Planner:
    contexts = step_contexts(
        Sites(site_with("a:1"), connected), FakeClock(), None, AllowedHosts.parse("")
    )
    return Planner(step_kinds(), contexts, own)


def test_no_run_changes_what_tocsin_runs_in() -> None:
    (problem,) = planner_of(OWN).plan(restart_in(""), START).problems
    assert "deployment/payments/checkout is where Tocsin itself runs" in problem


def test_a_runbook_that_says_so_may() -> None:
    wanted = restart_in("")
    wanted = replace(wanted, runbook=replace(wanted.runbook, changes_tocsin=True))
    assert planner_of(OWN).plan(wanted, START).problems == ()


def test_the_same_name_in_another_cluster_is_not_tocsin() -> None:
    assert planner_of(OWN).plan(restart_in("standby"), START).problems == ()
