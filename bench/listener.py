"""Tocsin's webhook and its inbox alone under the server, with no worker beside them.

What it reaches more than `tocsin serve` is what the worker takes of the machine.
Run by uvicorn as ``bench.listener:app`` (a factory), configured by TOCSIN_DATABASE_URL
and TOCSIN_WEBHOOK_TOKEN.
"""

from __future__ import annotations

import os
from collections import Counter

from bot.adapters.alertmanager import check_delivery
from bot.adapters.inbox import Inbox
from bot.entrypoints.webhooks import AlertmanagerWebhook, WebhookResult


def app() -> AlertmanagerWebhook:
    results: Counter[WebhookResult] = Counter()
    return AlertmanagerWebhook(
        Inbox(os.environ["TOCSIN_DATABASE_URL"]),
        os.environ["TOCSIN_WEBHOOK_TOKEN"],
        check_delivery,
        lambda result: results.update((result,)),
        str.encode,
    )
