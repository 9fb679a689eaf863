"""What every process of one installation shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Engine

from bot.adapters import database
from bot.adapters.clock import SystemClock
from bot.adapters.durable import DurableQueue
from bot.adapters.http_probe import HttpProbe
from bot.adapters.policy import parse_policy
from bot.adapters.prometheus import PrometheusMetrics
from bot.adapters.runbooks import RunbookFolder
from bot.adapters.store import SqlStore
from bot.app.incidents import Incidents
from bot.app.maintenance import Maintenance
from bot.app.planning import ContextFor
from bot.app.runs import Runs
from bot.app.why import Explanations, PolicyOf
from bot.domain.classify import Policy
from bot.domain.cluster import Marker
from bot.ports import Cluster, StepContext
from bot.settings import Settings
from bot.steps.registry import step_kinds
from bot.vendors import Vendors

CLUSTER_TIMEOUT = 10.0
"""Seconds for one request to the Kubernetes API; a slow one is tried again instead."""

POLICIES = 4
"""Versions of the severity policy that are kept ready for explanations; it rarely changes."""

SLACK_TIMEOUT = 10
"""Seconds for one request to Slack."""


@dataclass(frozen=True, slots=True)
class Core:
    """The store, and the use cases that need nothing else."""

    engine: Engine
    store: SqlStore
    incidents: Incidents
    maintenance: Maintenance
    policy_of: PolicyOf
    """The severity policy of a digest and its text."""
    explanations: Explanations
    runs: Runs
    library: RunbookFolder
    clock: SystemClock


def core(settings: Settings, busy_timeout: float = database.BUSY_TIMEOUT) -> Core:
    """The store and the use cases. Raises `InvalidInput` for runbooks that don't validate."""
    engine = database.create(settings.database_url, busy_timeout)
    store = SqlStore(engine, DurableQueue(engine).enqueue)
    clock = SystemClock()
    library = RunbookFolder(settings.runbooks, step_kinds())
    policy_of = lru_cache(POLICIES)(_policy_of)
    return Core(
        engine,
        store,
        Incidents(store, clock),
        Maintenance(store, clock, silences=settings.alertmanager_url is not None),
        policy_of,
        Explanations(store, policy_of),
        Runs(store, library, clock),
        library,
        clock,
    )


def _policy_of(digest: str, text: str) -> Policy:
    return parse_policy(text.encode(), f"policy {digest[:12]}")


def cluster(where: Vendors) -> Cluster:
    """The cluster on which runbooks run. Raises `PermanentError` for a bad kubeconfig."""
    # Imported here: it takes half of all import time, and the listener never needs it.
    from bot.adapters.kubernetes import KubernetesCluster, connect

    return KubernetesCluster(connect(where.kubeconfig, where.kubernetes_url), CLUSTER_TIMEOUT)


def step_contexts(target: Cluster, clock: SystemClock, prometheus_url: str | None) -> ContextFor:
    """What steps work with."""
    metrics = PrometheusMetrics(prometheus_url) if prometheus_url else None

    def context_for(
        marker: Marker, decided: Mapping[str, str], progress: Callable[[str], None]
    ) -> StepContext:
        return StepContext(target, HttpProbe(), clock, marker, decided, progress, metrics)

    return context_for
