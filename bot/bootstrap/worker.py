"""The worker: everything that works in the background."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event

import structlog

from bot.adapters.alertmanager import parse_delivery
from bot.adapters.alertmanager_api import AlertmanagerApi
from bot.adapters.clock import HeldClock
from bot.adapters.cron import next_after
from bot.adapters.durable import DurableWorker
from bot.adapters.heartbeat_url import HeartbeatUrl
from bot.adapters.inbox import Inbox
from bot.adapters.metrics import PrometheusCounters
from bot.adapters.pagerduty_webhook import parse_webhook
from bot.adapters.policy import parse_policy
from bot.adapters.policy_folder import Load, Loaded, PolicyFile
from bot.adapters.posted_alerts import encode_delivery, parse_posted
from bot.adapters.prometheus import PrometheusMetrics
from bot.adapters.slack import SlackChat
from bot.app import groups
from bot.app.announcements import Announcements
from bot.app.auditor import Auditor
from bot.app.chat_delivery import ChatDelivery
from bot.app.clock_watch import ClockWatch, take_up
from bot.app.deliveries import Deliveries
from bot.app.facts import FactReader
from bot.app.groups import GroupWatch
from bot.app.heartbeats import Heartbeats
from bot.app.intake import Intake, IntakeRules, Parse
from bot.app.invitations import Invitations
from bot.app.judging import Judge
from bot.app.maintenance import WindowReview
from bot.app.page_tests import PageTests
from bot.app.pager_events import PagerEvents
from bot.app.picture_delivery import PictureDelivery
from bot.app.policies import PolicyWatch
from bot.app.reconcile import Reconciler
from bot.app.replicas import Replicas
from bot.app.response_watch import ResponseWatch
from bot.app.rosters import FRESH
from bot.app.schedules import Schedules
from bot.app.suggestions import Suggestions, suggested_by
from bot.app.upkeep import Upkeep
from bot.bootstrap.core import SLACK_TIMEOUT, Core, beat_every, core, page_address
from bot.bootstrap.paging import amendments, matching, paging
from bot.bootstrap.policies import parse_routing_for
from bot.bootstrap.running import running
from bot.bootstrap.tickets import ticket_delivery
from bot.domain.alert import Delivery
from bot.domain.classify import Policy
from bot.domain.heartbeat import is_heartbeat
from bot.domain.reconcile import Patience
from bot.domain.routing import RoutingPolicy
from bot.entrypoints import housekeeping
from bot.entrypoints.housekeeping import Housekeeping
from bot.entrypoints.rounds import Round, Rounds
from bot.entrypoints.worker import EffectWorker, IntakeLoop, UseCases
from bot.ports import AlertSource, Counters, Source
from bot.settings import Settings
from bot.vendors import secret, vendors

_log = structlog.get_logger(__name__)

LOOK_AT_POLICIES = 2.0
"""Seconds between two looks at the policy files; a change is in force within two looks."""

ATTEND = 2.0
"""Seconds between two looks at the incidents that need somebody: a fallback that is due is
sent at most this much later."""

WATCH_CLOCK = 1.0
"""Seconds between two looks at whether the clock was put back; it costs no query."""

WATCH_RESPONSES = 15.0
"""Seconds between two looks at who answers too late; Prometheus asks about as often."""

AUDIT = 60.0
"""Seconds between two audits of the pages; the first comes as late, so that what a start finds
undone is done before."""

TEST_PAGES = 5.0
"""Seconds between two looks at whether a test page is due, or has arrived."""

KEEP_SCHEDULES = 5.0
"""Seconds between two looks at the schedules; cron counts in minutes."""

LISTEN_FOR_HEARTBEATS = 15.0
"""Seconds between two looks at the heartbeats; their limits are minutes."""


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """The worker's parts: the intake loop, the durable jobs, and the rounds."""

    intake: IntakeLoop
    jobs: DurableWorker
    rounds: Rounds


@dataclass(frozen=True, slots=True)
class Rules:
    """What is in force, and may change while the worker runs."""

    severity: PolicyFile[Policy]
    routing: PolicyFile[RoutingPolicy]

    def look(self) -> None:
        """Take in what has changed in the files."""
        self.severity.look()
        self.routing.look()


def worker(settings: Settings, wait: Callable[[float], None]) -> WorkerProcess:
    """Everything that works in the background; `wait` returns early when there is news."""
    held = HeldClock()
    shared = core(settings, clock=held)
    take_up(shared.store, settings.replica, held)
    where = vendors(settings)
    counters = PrometheusCounters()
    for problem in shared.library.problems:
        counters.count("runbook_problems", source=problem.source)
    inbox = Inbox(settings.database_url)
    rules = _rules(settings, shared, inbox)
    metrics = PrometheusMetrics(where.prometheus_url) if where.prometheus_url else None
    facts = FactReader(metrics, shared.clock)

    def judge() -> Judge:
        return Judge(lambda: rules.severity.current, facts)

    left_out = Event()
    suggest = suggested_by(lambda: rules.routing.current.suggestions, shared.library)
    deliveries = Deliveries(judge(), lambda: rules.routing.current, counters, suggest)
    source = alert_source(settings)
    webhooks = (Source.ALERTMANAGER, Source.RECONCILE, Source.TOCSIN)
    parsers: dict[Source, Parse] = {
        **dict.fromkeys(webhooks, lambda body, _at: parse_delivery(body)),
        Source.API: parse_posted,
    }
    pager_events = PagerEvents(parse_webhook, can_ask=bool(where.api_token))
    intake = Intake(
        shared.store,
        inbox,
        IntakeRules(parsers, deliveries, pager_events, left_out.set),
        shared.clock,
        counters,
    )
    chat = SlackChat(where.slack_token, where.slack_api_url, SLACK_TIMEOUT)
    pages = paging(settings, where, shared, chat, lambda: rules.routing.current, counters)
    runs = running(settings, shared)
    store, clock = shared.store, shared.clock
    use_cases = UseCases(
        pages.delivery,
        pages.attendance,
        ChatDelivery(
            store, chat, where.slack_channel, clock, random.random, page_address(settings)
        ),
        runs.plans,
        shared.runs,
        Upkeep(store, judge, clock),
        WindowReview(store, source, clock, random.random),
        pages.on_call,
        Invitations(store, chat, pages.people.known, clock, random.random),
        matching(settings, where, shared, counters),
        amendments(settings, where, shared),
        ticket_delivery(settings, shared),
        Announcements(store, chat, where.slack_channel, clock, random.random),
        PictureDelivery(store, chat, random.random),
        Suggestions(store, shared.runs, clock),
    )
    effects = EffectWorker(store, use_cases, counters.effect_took)
    jobs = DurableWorker(shared.engine, settings.replica, effects.perform, runs.runs.advance)
    heartbeats = Heartbeats(shared.store, deliveries, shared.clock)
    heartbeat_url = secret(settings.heartbeat_url)
    auditor = Auditor(
        store,
        pages.attendance.fallback,
        partial(put, inbox, Source.TOCSIN),
        HeartbeatUrl(heartbeat_url) if heartbeat_url else None,
        counters,
        clock,
    )
    page_tests = PageTests(
        store,
        partial(put, inbox, Source.TOCSIN),
        lambda: rules.routing.current.page_test,
        next_after,
        clock,
        counters,
    )
    schedules = Schedules(
        store,
        shared.runs,
        lambda: rules.routing.current.schedules,
        next_after,
        partial(put, inbox, Source.TOCSIN),
        clock,
    )
    reconciler = Reconciler(
        shared.store,
        source,
        partial(put, inbox, Source.RECONCILE),
        lambda labels: is_heartbeat(rules.routing.current.heartbeats, labels),
        shared.clock,
        _patience(settings),
    )
    replicas = Replicas(store, settings.replica, partial(_take_over, jobs), clock)
    clock_watch = ClockWatch(
        store,
        settings.replica,
        held,
        (jobs.bring_forward, heartbeats.put_back),
        lambda by: _put_back(counters, by),
    )
    tidy = Housekeeping((shared.store.forget, jobs.forget), shared.clock)
    rounds = Rounds(
        [
            Round("replicas", beat_every(settings), replicas.round),
            Round("clock", WATCH_CLOCK, clock_watch.look),
            Round("policies", LOOK_AT_POLICIES, rules.look),
            Round("attendance", ATTEND, pages.attendance.look),
            Round("responses", WATCH_RESPONSES, ResponseWatch(store, counters).look),
            Round("user groups", groups.EVERY, GroupWatch(shared.access.policy, chat, store).look),
            Round("on call", FRESH.total_seconds(), pages.people.look),
            Round("audit", AUDIT, auditor.round, AUDIT),
            Round("page tests", TEST_PAGES, page_tests.look),
            Round("schedules", KEEP_SCHEDULES, schedules.look),
            Round("heartbeats", LISTEN_FOR_HEARTBEATS, heartbeats.look, LISTEN_FOR_HEARTBEATS),
            Round(
                "reconcile",
                settings.reconcile_every,
                reconciler.round,
                woken=lambda: reconciler.round(truncated=True),
                wake=left_out,
            ),
            Round("housekeeping", housekeeping.EVERY, tidy.round, housekeeping.EVERY),
        ]
    )
    return WorkerProcess(IntakeLoop(intake, wait), jobs, rounds)


def alert_source(settings: Settings) -> AlertSource | None:
    """The Alertmanagers that can be asked, if any are named."""
    if settings.alertmanager_url is None:
        return None
    return AlertmanagerApi([url.strip() for url in settings.alertmanager_url.split(",")])


def _put_back(counters: Counters, by: timedelta) -> None:
    """Say that the clock was put back."""
    counters.count("clock_steps")
    _log.warning("the clock was put back; all that waits was moved", seconds=by.total_seconds())


def _patience(settings: Settings) -> Patience:
    grace = timedelta(seconds=settings.reconcile_grace)
    return Patience(grace, grace, timedelta(seconds=settings.reconcile_settled))


def put(inbox: Inbox, source: Source, delivery: Delivery) -> None:
    """Keep a delivery of our own where intake finds it."""
    inbox.put(source, encode_delivery(delivery))


def _take_over(jobs: DurableWorker, replica: str) -> None:
    """Have the jobs of a replica that is gone done; said only when there were any."""
    if number := jobs.take_over(replica):
        _log.warning("jobs of a replica that is gone were taken over", replica=replica, jobs=number)


def _rules(settings: Settings, shared: Core, inbox: Inbox) -> Rules:
    def watch(name: str) -> PolicyWatch:
        return PolicyWatch(name, shared.store, partial(put, inbox, Source.TOCSIN), shared.clock)

    severity, routing = watch("severity.yaml"), watch("routing.yaml")
    folder = settings.policy
    return Rules(
        _file(folder / "severity.yaml", parse_policy, severity),
        _file(folder / "routing.yaml", parse_routing_for(settings), routing),
    )


def _file(path: Path, load: Load[Loaded], watch: PolicyWatch) -> PolicyFile[Loaded]:
    return PolicyFile(path, load, watch.keep, watch.refused, watch.spare)
