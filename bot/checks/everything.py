"""All checks, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import requests

from bot import bootstrap
from bot.adapters.policy import load_policy
from bot.adapters.prometheus import PrometheusMetrics
from bot.adapters.schema import migrate
from bot.adapters.slack import SlackChat
from bot.checks.access import check_access
from bot.checks.finding import Finding, finding
from bot.checks.kubernetes import check_kubernetes
from bot.checks.paging import (
    check_confirmation,
    check_notifiers,
    check_pagerduty,
    check_routing,
)
from bot.checks.runbooks import check_asked_for
from bot.checks.tickets import check_tickets
from bot.domain.errors import InvalidInput, PermanentError
from bot.domain.stamps import stamp
from bot.required_settings import missing
from bot.settings import Settings
from bot.vendors import sandbox_parts, vendors

TIMEOUT = 10.0
"""Seconds that a vendor has to answer."""


def run_checks(settings: Settings) -> list[Finding]:
    """Check everything; nothing is changed but the database's schema, if that is old."""
    parts = sandbox_parts(settings)
    checks: list[tuple[str, Callable[[Settings], str]]] = [
        ("settings", _settings),
        ("severity policy", _policy),
        ("routing policy", check_routing),
        ("access policy", check_access),
        ("notifiers", check_notifiers),
        ("confirmation of pages", check_confirmation),
        ("runbooks", _runbooks),
        ("schedules and suggestions", check_asked_for),
        ("database", _database),
        ("replicas", _replicas),
    ]
    for what, check, stands_in in (
        ("Slack", _slack, parts.slack),
        ("PagerDuty", check_pagerduty, parts.pagerduty),
        ("Kubernetes", check_kubernetes, parts.kubernetes),
        ("Prometheus", _prometheus, parts.prometheus),
        ("Alertmanager", _alertmanager, False),
        ("tickets", check_tickets, False),
    ):
        checks.append((what, _sandbox if stands_in else check))
    for cluster, context in settings.contexts.items():
        checks.append((f"Kubernetes {cluster}", partial(check_kubernetes, context=context)))
    return [finding(what, check, settings) for what, check in checks]


def _settings(settings: Settings) -> str:
    lacking = missing(settings)
    if lacking:
        raise InvalidInput("missing: " + " ".join(lacking))
    return "complete"


def _policy(settings: Settings) -> str:
    policy = load_policy(settings.policy / "severity.yaml")
    return f"{len(policy.rules)} rules, digest {policy.digest[:12]}"


def _runbooks(settings: Settings) -> str:
    library = bootstrap.core(settings).library
    if library.problems:
        raise InvalidInput("\n".join(map(str, library.problems)))
    return f"{len(library.names())} runbooks"


def _database(settings: Settings) -> str:
    shared = bootstrap.core(settings)
    migrate(shared.engine)
    return f"{shared.engine.dialect.name}, schema up to date"


def _replicas(settings: Settings) -> str:
    """Who works on the database; whether one is gone only another one can tell, in time."""
    with bootstrap.core(settings).store.read() as reader:
        found = [f"{one.name} (last seen {stamp(one.at)})" for one in reader.replicas()]
    return ", ".join(found) or "none has worked yet"


def _sandbox(_settings: Settings) -> str:
    return "SANDBOX: a stand-in, nothing real is called"


def _slack(settings: Settings) -> str:
    if not settings.slack_configured:
        raise InvalidInput("not configured: set SLACK_BOT_TOKEN.")
    where = vendors(settings)
    return f"signed in as {SlackChat(where.slack_token, where.slack_api_url).whoami()}"


def _prometheus(settings: Settings) -> str:
    if settings.prometheus_url is None:
        return "not set (optional)"
    found = PrometheusMetrics(settings.prometheus_url).query("count(up)", TIMEOUT)
    return f"answers; {int(found[0][1]) if found else 0} targets"


def _alertmanager(settings: Settings) -> str:
    if settings.alertmanager_url is None:
        return "not set (optional)"
    members = [url.strip().rstrip("/") for url in settings.alertmanager_url.split(",")]
    for number, url in enumerate(members, start=1):
        status = _get(f"{url}/-/ready", {})
        if status != 200:
            raise PermanentError(f"Alertmanager {number} answers {status}; check ALERTMANAGER_URL.")
    return "ready" if len(members) == 1 else f"{len(members)} are ready"


def _get(url: str, headers: dict[str, str]) -> int:
    try:
        return requests.get(url, headers=headers, timeout=TIMEOUT).status_code
    except requests.RequestException as error:
        raise PermanentError(f"{url} does not answer ({type(error).__name__}).") from error
