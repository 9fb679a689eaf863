"""The whole of Tocsin in one process, for stories: real adapters, stand-ins for the vendors.

Everything goes the real way: alerts, clicks and commands come in over HTTP, vendors are
called over HTTP, all is kept in a SQLite file. Only time and the queues are the test's
own: `settle` and `fast_forward` do what is due, in the order in which workers would.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.routing import Route

from bot.adapters import database
from bot.adapters.access import AccessFile
from bot.adapters.alertmanager import check_delivery, parse_delivery
from bot.adapters.blocks import render
from bot.adapters.cron import next_after
from bot.adapters.http_hosts import AllowedHosts
from bot.adapters.inbox import Inbox
from bot.adapters.kubernetes import KubernetesCluster, connect
from bot.adapters.kubernetes_objects import KubernetesObjects
from bot.adapters.metrics import PrometheusCounters
from bot.adapters.pagerduty import PagerDutyPager
from bot.adapters.pagerduty_rest import PagerDutyRecords
from bot.adapters.pagerduty_webhook import parse_webhook, verify_signature
from bot.adapters.policy import parse_policy
from bot.adapters.policy_folder import PolicyFile
from bot.adapters.posted_alerts import encode_delivery, parse_posted
from bot.adapters.routing import parse_routing
from bot.adapters.runbooks import RunbookFolder
from bot.adapters.slack import SlackChat, web_client
from bot.adapters.store import SqlStore
from bot.app.access import Access
from bot.app.announcements import Announcements
from bot.app.answers import Answers
from bot.app.attendance import Attendance
from bot.app.chat_delivery import ChatDelivery
from bot.app.contacts import Contacts, Ways
from bot.app.declarations import Declarations
from bot.app.deliveries import Deliveries
from bot.app.facts import FactReader
from bot.app.follow_ups import FollowUps
from bot.app.heartbeats import Heartbeats
from bot.app.incident_answers import IncidentAnswers
from bot.app.incidents import Incidents
from bot.app.intake import Intake, IntakeRules
from bot.app.invitations import Invitations
from bot.app.judging import Judge
from bot.app.maintenance import Maintenance, WindowReview
from bot.app.maintenance_answers import MaintenanceAnswers
from bot.app.oncall import OnCallAnswers, OnCallRequests
from bot.app.page_delivery import PageDelivery
from bot.app.page_tests import PageTests
from bot.app.pager_amendments import PagerAmendments
from bot.app.pager_events import PagerEvents
from bot.app.pager_matching import PagerMatching
from bot.app.picture_delivery import PictureDelivery
from bot.app.plan_answers import PlanAnswers
from bot.app.planning import Planner
from bot.app.policies import PolicyWatch
from bot.app.reconcile import Reconciler
from bot.app.rosters import PeopleOnCall, Rosters
from bot.app.run_answers import RunAnswers
from bot.app.run_log import RunLog
from bot.app.runner import Runner
from bot.app.runs import Runs
from bot.app.schedules import Schedules
from bot.app.step_work import StepWork
from bot.app.suggestions import Suggestions, suggested_by
from bot.app.ticket_answers import TicketAnswers
from bot.app.ticket_delivery import TicketDelivery
from bot.app.upkeep import Upkeep
from bot.app.why import Explanations
from bot.bootstrap.running import Site, Sites, step_contexts
from bot.domain.alert import Delivery
from bot.domain.classify import Policy, Severity
from bot.domain.effects import AdvanceRun, Effect
from bot.domain.heartbeat import is_heartbeat
from bot.domain.incident import Incident
from bot.domain.maintenance import Window
from bot.domain.matcher_text import parse_quick_matcher
from bot.domain.roster import OurService
from bot.domain.routing import RoutingPolicy
from bot.domain.run import Run
from bot.domain.unreadable import refused
from bot.entrypoints.listener import Listener, pages
from bot.entrypoints.slack import SlackEndpoint, SlackListener
from bot.entrypoints.webhooks import AlertmanagerWebhook, PagerDutyWebhook
from bot.entrypoints.worker import EffectWorker, RunWorker, UseCases
from bot.ports import Source, Tickets
from bot.sandbox.kubernetes.store import Json
from bot.steps.registry import step_kinds
from tests.support.channel import CHANNEL, Channel, Shown
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_database
from tests.support.effect_queue import EffectQueue
from tests.support.examples import ANA
from tests.support.stand_ins import (
    BOT_TOKEN,
    PAGERDUTY_SECRET,
    ROUTING_KEY,
    SIGNING_SECRET,
    StandIns,
)
from tests.support.swap import Swap
from tests.support.waiting import PATIENCE
from tests.support.ways import ListNotifier, ListPager
from tests.support.webhook import NEVER, alert, webhook

REPOSITORY = Path(__file__).resolve().parent.parent.parent
WEBHOOK_TOKEN = "scenario-webhook-token"

MOMENT = 2.0
"""Seconds in which what has just happened is worked in, paged and shown."""
ATTEND = 2.0
"""Seconds between two looks at whether somebody must be called."""
TOO_MANY = 2_000
"""Jobs in one go after which something surely goes round in circles."""


# What is the same for every story, and takes a while to make:


@cache
def _pager(url: str) -> PagerDutyPager:
    return PagerDutyPager(ROUTING_KEY, url)


@cache
def _library() -> RunbookFolder:
    return RunbookFolder(REPOSITORY / "runbooks", step_kinds())


@cache
def _shipped_policy(data: bytes) -> Policy:
    return parse_policy(data, "severity.yaml")


def _policy(data: bytes, name: str) -> Policy:
    shipped = data == _shipped_text()
    return _shipped_policy(data) if shipped else parse_policy(data, name)


@cache
def _shipped_text() -> bytes:
    return (REPOSITORY / "policy" / "severity.yaml").read_bytes()


class Harness:
    """Tocsin at `url`, wired by hand as `bot/bootstrap/` does it; `app` is to be served there."""

    def __init__(self, url: str, folder: Path, clock: FakeClock) -> None:
        self.url = url
        self.clock = clock
        self.vendors = StandIns.at(url, clock)
        self.slack = Channel(self.vendors.slack)
        self.pager = self.vendors.pagerduty
        self.failures: list[str] = []
        """Effects that met an error nobody foresaw; there should be none."""
        self._alerts: dict[str, dict[str, Any]] = {}
        database_url = sqlite_database(folder)
        self._engine: Engine = database.create(database_url)
        self.queue = EffectQueue(self._engine, clock)
        self.store = SqlStore(self._engine, self.queue.enqueue)
        self.routing = RoutingPolicy()
        self.second_pager = ListPager()
        self.notifier = ListNotifier()
        self.tickets: Tickets | None = None
        self.incidents = Incidents(self.store, clock)
        self.follow_ups = FollowUps(self.store, clock)
        self.maintenance = Maintenance(self.store, clock, silences=False)
        self.access = Access(AccessFile(REPOSITORY / "policy" / "access.yaml").current, clock)
        self.runs = Runs(self.store, _library(), self.access, clock)
        self.inbox = Inbox(database_url, now=lambda: clock.now().timestamp())
        self.policy_file = folder / "severity.yaml"
        self.policy_file.write_bytes(_shipped_text())
        self._counters = PrometheusCounters()
        self._wire_worker()

    def _wire_worker(self) -> None:
        clock = self.clock
        client = connect(None, f"{self.url}/stand-ins/kubernetes")
        cluster, objects = KubernetesCluster(client, 10.0), KubernetesObjects(client, 10.0)
        kinds = step_kinds()

        there = Site(cluster, objects)
        context_for = step_contexts(
            Sites(there, lambda _name: there), clock, None, AllowedHosts.parse("127.0.0.1")
        )
        planner = Planner(kinds, context_for)
        work = StepWork(RunLog(self.store, clock), kinds, context_for, clock)
        pager = _pager(f"{self.url}/stand-ins/pagerduty")
        chat = SlackChat(BOT_TOKEN, f"{self.url}/stand-ins/slack/api/")
        store, clock = self.store, self.clock
        watch = PolicyWatch("severity.yaml", store, partial(self._put, Source.TOCSIN), clock)
        self._policy = PolicyFile(self.policy_file, _policy, watch.keep, watch.refused)

        def judge() -> Judge:
            return Judge(lambda: self._policy.current, FactReader(None, clock))

        suggest = suggested_by(lambda: self.routing.suggestions, _library())
        deliveries = Deliveries(judge(), lambda: self.routing, self._counters, suggest)
        self._heartbeats = Heartbeats(store, deliveries, clock)
        self._reconciler = Reconciler(
            store,
            None,
            partial(self._put, Source.RECONCILE),
            lambda labels: is_heartbeat(self.routing.heartbeats, labels),
            clock,
        )
        records = PagerDutyRecords("token", f"{self.url}/stand-ins/pagerduty")
        rosters = Rosters(records, OurService(ROUTING_KEY), clock)
        self._people = PeopleOnCall(rosters, chat.user_of, clock)
        ways = Ways(pager, self.second_pager, self.notifier, ("sms",), chat, CHANNEL)
        self._attendance = Attendance(
            store,
            Contacts(store, ways, on_call=self._people),
            None,
            lambda: self.routing,
            clock,
            confirmable=True,
            breached=lambda level: self._counters.count("response_breaches", severity=level),
        )
        use_cases = UseCases(
            PageDelivery(store, pager, clock, lambda: 1.0),
            self._attendance,
            ChatDelivery(store, chat, CHANNEL, clock, lambda: 1.0),
            PlanAnswers(store, _library(), planner, self.access, clock),
            self.runs,
            Upkeep(store, judge, clock),
            WindowReview(store, None, clock, lambda: 1.0),
            OnCallAnswers(store, rosters, clock),
            Invitations(store, chat, self._people.known, clock, lambda: 1.0),
            PagerMatching(store, records, clock, self._counters, lambda: 1.0),
            PagerAmendments(store, records, clock, lambda: 1.0),
            TicketDelivery(store, self.tickets, clock, lambda: 1.0, self.url),
            Announcements(store, chat, CHANNEL, clock, lambda: 1.0),
            PictureDelivery(store, chat, lambda: 1.0),
            Suggestions(store, self.runs, clock),
        )
        self._effects = EffectWorker(store, use_cases, self._took)
        self._runs = RunWorker(
            Runner(store, objects, planner, work, self.access.requirement_of, clock)
        )
        self._page_tests = PageTests(
            store,
            partial(self._put, Source.TOCSIN),
            lambda: self.routing.page_test,
            next_after,
            clock,
            self._counters,
        )
        self._schedules = Schedules(
            store,
            self.runs,
            lambda: self.routing.schedules,
            next_after,
            partial(self._put, Source.TOCSIN),
            clock,
        )
        parsers = {
            Source.ALERTMANAGER: lambda body, _at: parse_delivery(body),
            Source.RECONCILE: lambda body, _at: parse_delivery(body),
            Source.TOCSIN: lambda body, _at: parse_delivery(body),
            Source.API: parse_posted,
        }
        pager_events = PagerEvents(parse_webhook, can_ask=True)
        rules = IntakeRules(parsers, deliveries, pager_events)
        self._intake = Intake(store, self.inbox, rules, clock, self._counters)

    def app(self) -> Listener:
        """What listens: the webhooks, Slack's endpoint, and the stand-ins beside them."""
        explanations = Explanations(self.store, lambda digest, text: _policy(text.encode(), digest))
        declarations = Declarations(
            self.store,
            lambda text: parse_routing(text.encode(), "routing.yaml"),
            self.clock,
            self._counters,
        )
        answers = Answers(
            IncidentAnswers(self.incidents, explanations, declarations),
            TicketAnswers(self.follow_ups, self.clock),
            MaintenanceAnswers(self.maintenance, self.clock),
            RunAnswers(self.runs, self.store, Suggestions(self.store, self.runs, self.clock)),
            OnCallRequests(self.store),
        )
        client = web_client(BOT_TOKEN, f"{self.url}/stand-ins/slack/api/", 10)
        slack = SlackEndpoint(
            SlackListener(answers, self.store, client, render), SIGNING_SECRET, self._counters
        )
        routes = [
            Route("/slack/events", slack.handle, methods=["POST"]),
            *self.vendors.routes(),
        ]
        webhooks = {
            "/webhooks/alertmanager": AlertmanagerWebhook(
                self.inbox, WEBHOOK_TOKEN, check_delivery, lambda _: None, self._alarm
            ),
            "/webhooks/pagerduty": PagerDutyWebhook(
                self.inbox, PAGERDUTY_SECRET, verify_signature, lambda _: None
            ),
        }
        return Listener(webhooks, pages(routes, Starlette()))

    def _alarm(self, problem: str) -> bytes:
        return encode_delivery(refused(problem, self.clock.now()))

    def _put(self, source: Source, delivery: Delivery) -> None:
        self.inbox.put(source, encode_delivery(delivery))

    def close(self) -> None:
        self.pager.close()
        self.inbox.close()
        self._engine.dispose()

    def _took(self, kind: str, outcome: str, _seconds: float) -> None:
        if outcome != "done":
            self.failures.append(kind)

    # Time passes

    def settle(self) -> None:
        """Let a moment pass."""
        self.fast_forward(MOMENT)

    def fast_forward(self, seconds: float = 0.0, *, minutes: float = 0.0) -> None:
        """Let that much time pass; what becomes due is done at its time."""
        until = self.clock.now() + timedelta(seconds=seconds, minutes=minutes)
        for _ in range(TOO_MANY):
            if not self._work(until):
                break
        else:
            raise AssertionError(f"it never ends: {self.queue.waiting()}")
        self._advance_to(until)

    def watch(self, *, minutes: int) -> None:
        """Let that many minutes pass, and go the worker's rounds in each."""
        for _ in range(minutes):
            self.fast_forward(minutes=1)
            self.go_rounds()
        self.settle()

    def attend(self, seconds: float) -> None:
        """Let time pass, and look every two seconds whether somebody must be called."""
        for _ in range(int(seconds / ATTEND)):
            self.fast_forward(ATTEND)
            self._attendance.look()
        self.settle()

    def go_rounds(self) -> None:
        """Look at who must be called, the policy file, the heartbeats and what was posted."""
        self._attendance.look()
        self._people.look()
        self._policy.look()
        self._heartbeats.look()
        self._reconciler.round()
        self._page_tests.look()
        self._schedules.look()

    def down(self, *, minutes: float) -> None:
        """Nothing works for so long; then the worker starts again."""
        self.clock.advance(minutes * 60)
        self._wire_worker()

    def keep_tickets_in(self, tickets: Tickets) -> None:
        """The worker starts again, with settings that name a tracker."""
        self.tickets = tickets
        self._wire_worker()

    def _work(self, until: datetime) -> bool:
        """Do one thing; whether there was one to do."""
        self._await_webhooks()
        if self._intake.drain():
            return True
        due = self.queue.next_due(until)
        if due is None:
            return False
        self._advance_to(due)
        self._do(self.queue.take(max(due, self.clock.now())))
        return True

    def _await_webhooks(self) -> None:
        """PagerDuty's webhooks come by real threads, within milliseconds."""
        deadline = time.monotonic() + PATIENCE
        while not self.vendors.webhooks_arrived():
            assert time.monotonic() < deadline, "PagerDuty's webhooks don't arrive"
            time.sleep(0.005)

    def _do(self, effect: Effect) -> None:
        if not isinstance(effect, AdvanceRun):
            self._effects.perform(effect)
        elif self._runs.advance(effect.run_id):
            # One action at a time, so that runs go on side by side.
            self.queue.put_back(effect)

    def _advance_to(self, moment: datetime) -> None:
        self.clock.advance(max(0.0, (moment - self.clock.now()).total_seconds()))

    # Alertmanager

    def deliver(self, *alerts: Mapping[str, Any], **changes: Any) -> None:
        """A webhook of Alertmanager, and the moment after it."""
        answer = self.post(json.dumps(webhook(*alerts, **changes)).encode())
        assert answer.status_code == 200, answer.text
        self.settle()

    def post(self, body: bytes) -> requests.Response:
        """What the webhook answers to that body."""
        return requests.post(
            f"{self.url}/webhooks/alertmanager",
            data=body,
            headers={"Authorization": f"Bearer {WEBHOOK_TOKEN}"},
            timeout=10,
        )

    def firing(
        self, name: str = "HighErrorRate", *, severity: str = "critical", **labels: str
    ) -> Mapping[str, Any]:
        """An alert that begins to fire now; nobody has heard of it yet."""
        fired = alert(name, severity=severity, resolved=False, **labels)
        fired["startsAt"] = self.clock.now().isoformat()
        self._alerts[fired["fingerprint"]] = fired
        return fired

    def alert(
        self, name: str = "HighErrorRate", *, severity: str = "critical", **labels: str
    ) -> Mapping[str, Any]:
        """An alert begins to fire now."""
        fired = self.firing(name, severity=severity, **labels)
        self.deliver(fired)
        return fired

    def resolve(self, name: str = "HighErrorRate") -> None:
        """All alerts of that name stop."""
        self.deliver(*self.resolved(name))

    def resolved(self, name: str) -> list[dict[str, Any]]:
        """All alerts of that name, over now; nobody has heard of it yet."""
        stopped = [one for one in self._alerts.values() if one["labels"]["alertname"] == name]
        ends_at = self.clock.now().isoformat()
        return [resolved(one, ends_at) for one in stopped]

    # Scripts and policies

    def post_alert(self, labels: Mapping[str, str], **fields: str) -> None:
        """What `POST /api/v1/alerts` accepts, and the moment after it."""
        self.inbox.put(Source.API, json.dumps([{"labels": labels, **fields}]).encode())
        self.settle()

    def change_policy(self, text: bytes) -> None:
        """Somebody writes the severity policy's file anew, and it is noticed."""
        self.policy_file.write_bytes(text)
        for _ in range(2):
            self.go_rounds()
        self.settle()

    # People

    def plan_window(self, *matchers: str, minutes: float, begins_in: float = 0.0) -> Window:
        """Ana plans a maintenance window; both times are in minutes."""
        window = self.maintenance.plan(
            [parse_quick_matcher(text) for text in matchers],
            self.clock.now() + timedelta(minutes=begins_in) if begins_in else None,
            timedelta(minutes=minutes),
            "Moving the database.",
            ANA,
        )
        self.settle()
        return window

    def end_window(self, window: Window) -> None:
        """Ana ends it early."""
        self.maintenance.end(window.id, ANA)
        self.settle()

    def set_level(self, level: Severity, reason: str = "Only one customer.") -> None:
        """Ana sets the level of incident 1 by hand."""
        self.incidents.override(1, level, reason, ANA)
        self.settle()

    def click(self, label: str, *, who: str = "ana", on: str = "incident:1") -> None:
        """Press a button in Slack."""
        self.slack.click(who, label, on)
        self.settle()

    def command(self, who: str, line: str) -> str:
        """Type a slash command in Slack; what is answered at once."""
        answer = self.slack.command(who, line)
        self.settle()
        return answer

    def message(self, subject: str = "incident:1") -> Shown:
        return self.slack.message(subject)

    # What came of it

    def incident(self, incident_id: int = 1) -> Incident:
        return self.incidents.get(incident_id)

    def run(self, run_id: int = 1) -> Run:
        return self.runs.get(run_id)

    def timeline(self, incident_id: int = 1) -> list[str]:
        """The story, a line an entry."""
        return [f"{one.actor}: {one.text}" for one in self.incidents.timeline(incident_id)[1]]

    def pages(self) -> list[str]:
        """How PagerDuty's incidents stand, oldest first."""
        return [page.status for page in self.pager.incidents()]

    def told_pager(self) -> list[tuple[str, int | None]]:
        """What PagerDuty was told, and the status that it answered."""
        return [
            (one.body["event_action"], one.status)
            for one in self.pager.ledger
            if one.path.endswith("/v2/enqueue")
        ]

    # The cluster

    def workload(self, name: str) -> Json:
        """A Deployment's row of the cluster's overview, by ``namespace/name``."""
        rows = self.vendors.cluster.overview()
        return next(row for row in rows if f"{row['namespace']}/{row['name']}" == name)

    def release(self, name: str, tag: str) -> None:
        """Somebody releases the image with that tag, and the rollout takes its time."""
        self.vendors.release(name, tag)
        self.fast_forward(minutes=1)


def resolved(fired: Mapping[str, Any], ends_at: str) -> dict[str, Any]:
    """The same alert, over."""
    assert fired["endsAt"] == NEVER, "it is over already"
    return {**fired, "status": "resolved", "endsAt": ends_at}


@contextmanager
def harness(url: str, swap: Swap, folder: Path) -> Iterator[Harness]:
    """A new Tocsin behind the server at `url`, whose application is `swap`'s."""
    made = Harness(url, folder, FakeClock(datetime.now(UTC)))
    swap.app = made.app()
    try:
        yield made
        assert made.failures == [], "an effect met an error that nobody foresaw"
    finally:
        made.close()
