"""The one place where things are wired together.

Each process builds what it needs from the settings, once, and passes it on by hand:
there is no global, no registry and no import with a side effect.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from bot.adapters import database
from bot.adapters.alertmanager import check_delivery, parse_delivery
from bot.adapters.blocks import render
from bot.adapters.clock import SystemClock
from bot.adapters.durable import DurableQueue, DurableWorker
from bot.adapters.http_probe import HttpProbe
from bot.adapters.inbox import Inbox
from bot.adapters.metrics import PrometheusCounters
from bot.adapters.pagerduty import PagerDutyPager
from bot.adapters.pagerduty_webhook import parse_webhook, verify_signature
from bot.adapters.policy import load_policy
from bot.adapters.prometheus import PrometheusMetrics
from bot.adapters.runbooks import RunbookFolder
from bot.adapters.slack import SlackChat, web_client
from bot.adapters.store import SqlStore
from bot.app.answers import Answers
from bot.app.chat_delivery import ChatDelivery
from bot.app.incidents import Incidents
from bot.app.intake import Intake, IntakeRules
from bot.app.page_delivery import PageDelivery
from bot.app.pager_events import PagerEvents
from bot.app.plan_answers import PlanAnswers
from bot.app.planning import ContextFor, Planner
from bot.app.runner import Runner
from bot.app.runs import Runs
from bot.domain.cluster import Marker
from bot.entrypoints.api import api
from bot.entrypoints.health import Health
from bot.entrypoints.housekeeping import Housekeeping
from bot.entrypoints.listener import Application, Listener, pages
from bot.entrypoints.slack import SlackEndpoint, SlackListener
from bot.entrypoints.webhooks import AlertmanagerWebhook, PagerDutyWebhook, WebhookResult
from bot.entrypoints.worker import EffectWorker, IntakeLoop, RunWorker
from bot.ports import Cluster, StepContext
from bot.sandbox.addresses import PREFIX
from bot.sandbox.assembly import Sandbox
from bot.settings import Settings
from bot.steps.registry import step_kinds
from bot.vendors import Vendors, data_folder, sandbox_addresses, sandbox_parts, secret, vendors

CLUSTER_TIMEOUT = 10.0
"""Seconds for one request to the Kubernetes API; a slow one is tried again instead."""

SLACK_TIMEOUT = 10
"""Seconds for one request to Slack."""

ANSWER_TIMEOUT = 2.0
"""Seconds that the listener waits for SQLite's write lock: Slack waits 3 for an answer, and
what a person was told has failed must not be done later."""


@dataclass(frozen=True, slots=True)
class Core:
    """What every process of one installation shares: the store and the use cases on it."""

    engine: Engine
    store: SqlStore
    incidents: Incidents
    runs: Runs
    library: RunbookFolder
    clock: SystemClock


def core(settings: Settings, busy_timeout: float = database.BUSY_TIMEOUT) -> Core:
    """The store and the use cases. Raises `InvalidInput` for runbooks that don't validate."""
    engine = database.create(settings.database_url, busy_timeout)
    store = SqlStore(engine, DurableQueue(engine).enqueue)
    clock = SystemClock()
    library = RunbookFolder(settings.runbooks, step_kinds())
    return Core(engine, store, Incidents(store, clock), Runs(store, library, clock), library, clock)


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


# --- the listener -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ListenerProcess:
    """The listener, ready to be served; `close` lets go of what it holds."""

    app: Application
    slack: SlackListener
    vendors: Vendors
    close: Callable[[], None]


def listener(settings: Settings, wake: int | None) -> ListenerProcess:
    """Everything that answers requests. `wake` is the pipe that tells the worker of news."""
    shared = core(settings, ANSWER_TIMEOUT)
    where = vendors(settings)
    counters = PrometheusCounters()
    inbox = Inbox(settings.database_url, on_commit=_waker(wake))
    answers = Answers(shared.incidents, shared.runs, shared.store)
    client = web_client(where.slack_token, where.slack_api_url, SLACK_TIMEOUT)
    slack = SlackListener(answers, shared.store, client, render)
    health = Health(shared.store, inbox.size)
    routes: list[BaseRoute] = [Route("/healthz", health.ready), Route("/live", health.live)]
    if where.slack_signing_secret:
        endpoint = SlackEndpoint(slack, where.slack_signing_secret, counters)
        routes.append(Route("/slack/events", endpoint.handle, methods=["POST"]))
    sandbox = _sandbox(settings)
    if sandbox is not None:
        routes.extend(_sandbox_routes(sandbox))

    def close() -> None:
        inbox.close()
        if sandbox is not None:
            sandbox.close()

    rest = api(shared.incidents, shared.runs, secret(settings.api_token) or None)
    app = Listener(_webhooks(settings, where, inbox, counters), pages(routes, rest))
    return ListenerProcess(app, slack, where, close)


def _webhooks(
    settings: Settings, where: Vendors, inbox: Inbox, counters: PrometheusCounters
) -> Mapping[str, Application]:
    def counted(source: str) -> Callable[[WebhookResult], None]:
        children = {
            result: counters.child("webhooks", source=source, result=result.value)
            for result in WebhookResult
        }
        return lambda result: children[result]()

    alertmanager = AlertmanagerWebhook(
        inbox, secret(settings.webhook_token) or None, check_delivery, counted("alertmanager")
    )
    pagerduty = PagerDutyWebhook(
        inbox, where.webhook_secret, verify_signature, counted("pagerduty")
    )
    return {"/webhooks/alertmanager": alertmanager, "/webhooks/pagerduty": pagerduty}


def _waker(wake: int | None) -> Callable[[], None]:
    def tell() -> None:
        if wake is not None:
            with suppress(BlockingIOError, BrokenPipeError):
                os.write(wake, b".")

    return tell


# --- the worker ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """The worker's parts: the intake loop, the durable jobs, and the housekeeping."""

    intake: IntakeLoop
    jobs: DurableWorker
    housekeeping: Housekeeping


def worker(settings: Settings, wait: Callable[[float], None]) -> WorkerProcess:
    """Everything that works in the background; `wait` returns early when there is news."""
    shared = core(settings)
    where = vendors(settings)
    counters = PrometheusCounters()
    target = cluster(where)
    context_for = step_contexts(target, shared.clock, where.prometheus_url)
    kinds = step_kinds()
    pager = PagerDutyPager(where.routing_key, where.events_url)
    chat = SlackChat(where.slack_token, where.slack_api_url, SLACK_TIMEOUT)
    effects = EffectWorker(
        shared.store,
        PageDelivery(shared.store, pager, shared.clock, random.random),
        ChatDelivery(shared.store, chat, where.slack_channel, shared.clock, random.random),
        PlanAnswers(shared.store, shared.library, Planner(kinds, context_for), shared.clock),
        counters.effect_took,
    )
    runs = RunWorker(Runner(shared.store, target, kinds, context_for, shared.clock))
    rules = IntakeRules(
        parse_delivery, load_policy(settings.policy / "severity.yaml"), PagerEvents(parse_webhook)
    )
    inbox = Inbox(settings.database_url)
    intake = Intake(shared.store, inbox, rules, shared.clock, counters)
    jobs = DurableWorker(shared.engine, settings.replica, effects.perform, runs.advance)
    housekeeping = Housekeeping((shared.store.forget_seen, jobs.forget), shared.clock)
    return WorkerProcess(IntakeLoop(intake, wait), jobs, housekeeping)


# --- the sandbox --------------------------------------------------------------------


def _sandbox(settings: Settings) -> Sandbox | None:
    if not settings.sandbox:
        return None
    sandbox = Sandbox(
        sandbox_addresses(settings),
        sandbox_parts(settings),
        data_folder(settings) / "sandbox.json",
        SystemClock().now,
        secret(settings.webhook_token) or None,
    )
    sandbox.start()
    return sandbox


def _sandbox_routes(sandbox: Sandbox) -> list[BaseRoute]:
    return [
        Route("/", _to_workspace),
        Route(PREFIX, _to_workspace),
        Mount(PREFIX, app=sandbox.app),
    ]


def _to_workspace(_request: Request) -> Response:
    return RedirectResponse(f"{PREFIX}/")
