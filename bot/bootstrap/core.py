"""What every process of one installation shares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Engine

from bot.adapters import database
from bot.adapters.access import AccessFile
from bot.adapters.clock import SystemClock
from bot.adapters.durable import DurableQueue
from bot.adapters.policy import parse_policy
from bot.adapters.routing import parse_routing
from bot.adapters.runbooks import Runbooks
from bot.adapters.store import SqlStore
from bot.app.access import Access
from bot.app.declarations import ROUTING, Declarations
from bot.app.follow_ups import FollowUps
from bot.app.incidents import Incidents
from bot.app.maintenance import Maintenance
from bot.app.runs import Runs
from bot.app.why import Explanations, PolicyOf
from bot.bootstrap.runbooks import runbooks
from bot.domain.classify import Policy
from bot.domain.replicas import SILENT_LOOKS
from bot.domain.routing import RoutingPolicy
from bot.ports import Clock, Counters
from bot.settings import Settings

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
    follow_ups: FollowUps
    maintenance: Maintenance
    policy_of: PolicyOf
    """The severity policy of a digest and its text."""
    explanations: Explanations
    runs: Runs
    access: Access
    library: Runbooks
    clock: Clock


def core(
    settings: Settings,
    busy_timeout: float = database.BUSY_TIMEOUT,
    clock: Clock | None = None,
) -> Core:
    """The store and the use cases. Raises `InvalidInput` for runbooks that don't validate."""
    engine = database.create(settings.database_url, busy_timeout)
    store = SqlStore(engine, DurableQueue(engine).enqueue)
    clock = clock or SystemClock()
    library = runbooks(settings)
    access = Access(AccessFile(settings.policy / "access.yaml").current, clock)
    policy_of = lru_cache(POLICIES)(_policy_of)
    return Core(
        engine,
        store,
        Incidents(store, clock),
        FollowUps(store, clock),
        Maintenance(store, clock, silences=settings.alertmanager_url is not None),
        policy_of,
        Explanations(store, policy_of),
        Runs(store, library, access, clock),
        access,
        library,
        clock,
    )


def beat_every(settings: Settings) -> float:
    """Seconds between two beats of a replica, and so between two looks at the replicas."""
    return settings.replica_gone_after / SILENT_LOOKS


def page_address(settings: Settings) -> str:
    """Where people reach the pages from the chat: in the sandbox's chat, on this machine.

    Empty where that is not known.
    """
    if settings.public_url is None and "Slack" in settings.stood_in_for and settings.port:
        return settings.address()
    return settings.public_url or ""


def declarations(shared: Core, counters: Counters) -> Declarations:
    """How people open incidents."""
    return Declarations(shared.store, lru_cache(1)(_routing_of), shared.clock, counters)


def _routing_of(text: str) -> RoutingPolicy:
    return parse_routing(text.encode(), ROUTING)


def _policy_of(digest: str, text: str) -> Policy:
    return parse_policy(text.encode(), f"policy {digest[:12]}")
