"""What runs are made of: the cluster, what steps work with, the planner and the runner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.adapters.graphs import PrometheusGraphs
from bot.adapters.http_hosts import AllowedHosts
from bot.adapters.http_probe import HttpProbe
from bot.adapters.prometheus import PrometheusMetrics
from bot.app.earlier_runs import EarlierRuns
from bot.app.plan_answers import PlanAnswers
from bot.app.planning import ContextFor, Planner
from bot.app.run_log import RunLog
from bot.app.runner import Runner
from bot.app.step_work import StepWork
from bot.bootstrap.core import Core
from bot.domain.cluster import DEPLOYMENT, ObjectRef
from bot.domain.errors import PermanentError
from bot.domain.resource import Resource
from bot.entrypoints.worker import RunWorker
from bot.ports import Clock, Cluster, Objects, StepContext, StepOccasion
from bot.settings import Settings
from bot.steps.registry import step_kinds
from bot.vendors import Vendors, vendors

CLUSTER_TIMEOUT = 10.0
"""Seconds for one request to the Kubernetes API; a slow one is tried again instead."""


@dataclass(frozen=True, slots=True)
class Site:
    """The cluster on which runbooks run, in the words of runbooks and as plain objects."""

    cluster: Cluster
    objects: Objects


def site(where: Vendors, context: str = "") -> Site:
    """The cluster that is configured, or the one of another of its kubeconfig's contexts.

    Raises `PermanentError` for a bad kubeconfig, or a context that it has not.
    """
    # Imported here: it takes half of all import time, and the listener never needs it.
    from bot.adapters.kubernetes import KubernetesCluster, connect
    from bot.adapters.kubernetes_objects import KubernetesObjects

    client = connect(where.kubeconfig, where.kubernetes_url, context)
    return Site(
        KubernetesCluster(client, CLUSTER_TIMEOUT), KubernetesObjects(client, CLUSTER_TIMEOUT)
    )


class Sites:
    """The clusters by the names that steps use; each is connected to when it is first needed."""

    def __init__(self, usual: Site, connected: Callable[[str], Site]) -> None:
        self._sites = {"": usual}
        self._connected = connected

    def named(self, cluster: str) -> Site:
        """Raises `PermanentError` for one that can't be connected to."""
        if cluster not in self._sites:
            self._sites[cluster] = self._connected(cluster)
        return self._sites[cluster]

    def read(self, ref: ObjectRef) -> Resource:
        """An object as it is now, in whichever cluster it is."""
        return self.named(ref.cluster).objects.read(replace(ref, cluster=""))


def sites(settings: Settings, where: Vendors) -> Sites:
    """All clusters. Raises `PermanentError` for a bad kubeconfig."""

    def connected(cluster: str) -> Site:
        context = settings.contexts.get(cluster)
        if context is None:
            raise PermanentError(f"TOCSIN_CLUSTERS says nothing about a cluster “{cluster}”.")
        return site(where, context)

    return Sites(site(where), connected)


ON_THIS_MACHINE = "localhost,127.0.0.1,::1"
"""What health checks may ask besides, where the sandbox stands in for the cluster."""


def _check_hosts(settings: Settings) -> AllowedHosts:
    local = [ON_THIS_MACHINE] if "Kubernetes" in settings.stood_in_for else []
    return AllowedHosts.parse(",".join([settings.http_check_hosts, *local]))


def step_contexts(
    clusters: Sites, clock: Clock, prometheus_url: str | None, hosts: AllowedHosts
) -> ContextFor:
    """What steps work with; health checks ask `hosts` only."""
    metrics = PrometheusMetrics(prometheus_url) if prometheus_url else None
    probe = HttpProbe(hosts)

    def context_for(occasion: StepOccasion) -> StepContext:
        there = clusters.named(occasion.cluster)
        return StepContext(
            there.cluster,
            probe,
            clock,
            occasion.marker,
            occasion.decided,
            occasion.progress,
            metrics,
            PrometheusGraphs(metrics) if metrics else None,
            objects=there.objects,
            stopped=occasion.stopped,
            incident_id=occasion.incident_id,
        )

    return context_for


@dataclass(frozen=True, slots=True)
class Running:
    """The parts that plan and do runs."""

    planner: Planner
    plans: PlanAnswers
    runs: RunWorker


def running(settings: Settings, shared: Core) -> Running:
    """Everything that plans and does runs. Raises `PermanentError` for a bad kubeconfig."""
    where = vendors(settings)
    clusters, kinds = sites(settings, where), step_kinds()
    hosts = _check_hosts(settings)
    context_for = step_contexts(clusters, shared.clock, where.prometheus_url, hosts)
    lengths = EarlierRuns(shared.store).lengths
    planner = Planner(kinds, context_for, _own(settings), lengths)
    work = StepWork(RunLog(shared.store, shared.clock), kinds, context_for, shared.clock)
    runner = Runner(
        shared.store, clusters, planner, work, shared.access.requirement_of, shared.clock
    )
    plans = PlanAnswers(shared.store, shared.library, planner, shared.access, shared.clock)
    return Running(planner, plans, RunWorker(runner))


def _own(settings: Settings) -> ObjectRef | None:
    """The Deployment that Tocsin itself runs in, if it knows."""
    if not settings.own_workload:
        return None
    namespace, _, name = settings.own_workload.partition("/")
    return ObjectRef(DEPLOYMENT, namespace, name)
