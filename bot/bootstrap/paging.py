"""Paging: the pagers, what stands in for them, and who sees to it that somebody answers."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot.adapters.apprise_notifier import AppriseNotifier
from bot.adapters.pagerduty import PagerDutyPager
from bot.adapters.pagerduty_rest import PagerDutyRecords
from bot.app.attendance import Attendance
from bot.app.contacts import Contacts, Ways
from bot.app.oncall import OnCallAnswers
from bot.app.page_delivery import PageDelivery
from bot.app.pager_amendments import PagerAmendments
from bot.app.pager_limits import LimitedPager
from bot.app.pager_matching import PagerMatching
from bot.app.pager_news import PagerNews
from bot.app.rosters import PeopleOnCall, Rosters
from bot.bootstrap.core import Core
from bot.domain.roster import OurService
from bot.domain.routing import RoutingPolicy
from bot.ports import Chat, Clock, Counters, Pager, PagerRecords
from bot.settings import Settings
from bot.vendors import Vendors, secret

ASK_TIMEOUT = 3.0
"""Seconds for one question to the pager's records: the fallback chain waits for the answer, and
has to be used within five seconds after its time."""

RECORDS_TIMEOUT = 10.0
"""Seconds for one request to the pager's records where nobody waits for it."""


@dataclass(frozen=True, slots=True)
class Paging:
    """Who pages, who sees to it that a page is answered, and who is on call."""

    delivery: PageDelivery
    attendance: Attendance
    on_call: OnCallAnswers
    people: PeopleOnCall


def paging(
    settings: Settings,
    where: Vendors,
    shared: Core,
    chat: Chat,
    routing: Callable[[], RoutingPolicy],
    counters: Counters,
) -> Paging:
    """Everything that wakes people. Raises `InvalidInput` for notifiers that can't be used."""
    first = limited_pager(where.routing_key, where.events_url)
    second_key = secret(settings.pagerduty_fallback_routing_key)
    second = limited_pager(second_key, where.events_url) if second_key else None
    notifier = AppriseNotifier(secret(settings.notifiers))
    ways = Ways(first, second, notifier, notifier.names, chat, where.slack_channel)
    url = settings.public_url or ""
    store, clock = shared.store, shared.clock
    asked = records(settings, where, ASK_TIMEOUT)
    on_call = rosters(settings, where, clock)
    people = PeopleOnCall(on_call, chat.user_of, clock)
    attendance = Attendance(
        store,
        Contacts(store, ways, url, people),
        PagerNews(store, asked, clock) if asked else None,
        routing,
        clock,
        confirmable=bool(where.webhook_secret),
        breached=lambda level: counters.count("response_breaches", severity=level.value),
    )
    delivery = PageDelivery(store, first, clock, random.random, url)
    return Paging(delivery, attendance, OnCallAnswers(store, on_call, clock), people)


def matching(settings: Settings, where: Vendors, shared: Core, counters: Counters) -> PagerMatching:
    """Who learns what the pager's events are about that don't say it."""
    known = records(settings, where)
    return PagerMatching(shared.store, known, shared.clock, counters, random.random)


def amendments(settings: Settings, where: Vendors, shared: Core) -> PagerAmendments:
    """Who writes notes and urgencies into the pager's records."""
    return PagerAmendments(shared.store, records(settings, where), shared.clock, random.random)


def records(
    settings: Settings, where: Vendors, timeout: float = RECORDS_TIMEOUT
) -> PagerRecords | None:
    """The pager's own records, where a token is set that may read them; seconds a request."""
    if not where.api_token:
        return None
    sender = settings.pagerduty_from_email
    return PagerDutyRecords(where.api_token, where.api_url, sender, timeout)


def rosters(settings: Settings, where: Vendors, clock: Clock) -> Rosters:
    """Who is on call, by the pager's own records."""
    ours = OurService(where.routing_key, settings.pagerduty_service_id or "")
    return Rosters(records(settings, where), ours, clock)


def limited_pager(routing_key: str, url: str | None) -> Pager:
    """The pager behind a routing key, kept under what PagerDuty takes of a key in a minute."""
    return LimitedPager(PagerDutyPager(routing_key, url), time.monotonic)
