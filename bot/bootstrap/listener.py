"""The listener: everything that answers requests, the sandbox among it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from bot.adapters.alertmanager import check_delivery
from bot.adapters.blocks import render
from bot.adapters.clock import SystemClock
from bot.adapters.inbox import Inbox
from bot.adapters.metrics import PrometheusCounters
from bot.adapters.pagerduty_webhook import verify_signature
from bot.adapters.policy_versions import SqlPolicyVersions
from bot.adapters.posted_alerts import check_posted, encode_delivery
from bot.adapters.slack import web_client
from bot.app.answers import Answers
from bot.app.attachments import Attachments
from bot.app.incident_answers import IncidentAnswers
from bot.app.maintenance_answers import MaintenanceAnswers
from bot.app.oncall import OnCallRequests
from bot.app.policy_history import SEVERITY, PolicyHistory
from bot.app.replicas import WorkerWatch
from bot.app.run_answers import RunAnswers
from bot.app.suggestions import Suggestions
from bot.app.ticket_answers import TicketAnswers
from bot.bootstrap.core import SLACK_TIMEOUT, Core, beat_every, core, declarations, page_address
from bot.domain.unreadable import refused
from bot.entrypoints.api import api
from bot.entrypoints.health import Health
from bot.entrypoints.incident_view import UseCases
from bot.entrypoints.listener import Application, Listener, pages
from bot.entrypoints.pages import Pages, Place
from bot.entrypoints.posting import Posting
from bot.entrypoints.rounds import Round, Rounds
from bot.entrypoints.slack import SlackEndpoint, SlackListener
from bot.entrypoints.webhooks import AlertmanagerWebhook, PagerDutyWebhook, WebhookResult
from bot.sandbox.addresses import PREFIX
from bot.sandbox.assembly import Sandbox
from bot.sandbox.this_machine import OnlyThisMachine
from bot.settings import Settings
from bot.vendors import Vendors, data_folder, sandbox_addresses, sandbox_parts, secret, vendors

ANSWER_TIMEOUT = 2.0
"""Seconds that the listener waits for SQLite's write lock: Slack waits 3 for an answer, and
what a person was told has failed must not be done later."""


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
    answers = Answers(
        IncidentAnswers(shared.incidents, shared.explanations, declarations(shared, counters)),
        TicketAnswers(shared.follow_ups, shared.clock),
        MaintenanceAnswers(shared.maintenance, shared.clock),
        RunAnswers(
            shared.runs,
            shared.store,
            Suggestions(shared.store, shared.runs, shared.clock),
            page_address(settings),
        ),
        OnCallRequests(shared.store),
    )
    client = web_client(where.slack_token, where.slack_api_url, SLACK_TIMEOUT)
    slack = SlackListener(answers, shared.store, client, render)
    every = beat_every(settings)
    worker = WorkerWatch(shared.store, settings.replica, every, counters.worker_last_seen)
    rounds = Rounds([Round("worker", every, worker.round)])
    health = Health(shared.store, inbox.size, worker.pulse)
    routes: list[BaseRoute] = [Route("/healthz", health.ready), Route("/live", health.live)]
    if where.slack_signing_secret:
        endpoint = SlackEndpoint(slack, where.slack_signing_secret, counters)
        routes.append(Route("/slack/events", endpoint.handle, methods=["POST"]))
    routes.extend(_for_us_only(settings, route) for route in _pages(settings, shared).routes())
    sandbox = _sandbox(settings)
    if sandbox is not None:
        routes.extend(_sandbox_routes(sandbox))

    def close() -> None:
        rounds.stop()
        inbox.close()
        if sandbox is not None:
            sandbox.close()

    posting = Posting(inbox, check_posted)
    token = secret(settings.api_token) or None
    rest = api(shared.incidents, shared.runs, token, posting, Attachments(shared.store))
    others = pages(
        routes, rest if settings.api_token else OnlyThisMachine(rest, settings.address())
    )
    app = Listener(_webhooks(settings, where, inbox, counters), others)
    rounds.start()
    return ListenerProcess(app, slack, where, close)


def _pages(settings: Settings, shared: Core) -> Pages:
    ask = UseCases(
        shared.incidents,
        shared.follow_ups,
        shared.maintenance,
        shared.runs,
        shared.explanations,
        shared.clock,
        Attachments(shared.store),
    )
    policies = PolicyHistory(
        shared.store,
        SqlPolicyVersions(shared.engine),
        shared.policy_of,
        lambda: _digest(settings.policy / SEVERITY),
    )
    return Pages(ask, policies, Place(secret(settings.api_token) or None, settings.stood_in_for))


def _for_us_only(settings: Settings, route: BaseRoute) -> BaseRoute:
    """The page's route; where no token guards it (the sandbox), for this machine's names only.

    Another site's page could otherwise read it, under a name that resolves to this machine.
    """
    if settings.api_token or not isinstance(route, Route):
        return route
    return Route(route.path, OnlyThisMachine(route.app, settings.address()))


def _digest(file: Path) -> str:
    """The SHA-256 of the file; empty when it can't be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""


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
        inbox,
        secret(settings.webhook_token) or None,
        check_delivery,
        counted("alertmanager"),
        lambda problem: encode_delivery(refused(problem, SystemClock().now())),
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
