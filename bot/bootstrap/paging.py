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
from bot.app.page_delivery import PageDelivery
from bot.app.pager_limits import LimitedPager
from bot.bootstrap.core import Core
from bot.domain.routing import RoutingPolicy
from bot.ports import Chat, Pager, PagerRecords
from bot.settings import Settings
from bot.vendors import Vendors, secret


@dataclass(frozen=True, slots=True)
class Paging:
    """Who pages, and who sees to it that a page is answered."""

    delivery: PageDelivery
    attendance: Attendance


def paging(
    settings: Settings,
    where: Vendors,
    shared: Core,
    chat: Chat,
    routing: Callable[[], RoutingPolicy],
) -> Paging:
    """Everything that wakes people. Raises `InvalidInput` for notifiers that can't be used."""
    first = _pager(where.routing_key, where.events_url)
    second_key = secret(settings.pagerduty_fallback_routing_key)
    second = _pager(second_key, where.events_url) if second_key else None
    notifier = AppriseNotifier(secret(settings.notifiers))
    ways = Ways(first, second, notifier, notifier.names, chat, where.slack_channel)
    url = settings.public_url or ""
    store, clock = shared.store, shared.clock
    attendance = Attendance(
        store,
        Contacts(store, ways, url),
        records(settings, where),
        routing,
        clock,
        confirmable=bool(where.webhook_secret),
    )
    return Paging(PageDelivery(store, first, clock, random.random, url), attendance)


def records(settings: Settings, where: Vendors) -> PagerRecords | None:
    """The pager's own records, where a token is set that may read them."""
    if not where.api_token:
        return None
    return PagerDutyRecords(where.api_token, where.api_url, settings.pagerduty_from_email)


def _pager(routing_key: str, url: str | None) -> Pager:
    return LimitedPager(PagerDutyPager(routing_key, url), time.monotonic)
