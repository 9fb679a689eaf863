"""Where each vendor is: the real one by its settings, or the sandbox in its place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from bot.adapters import database
from bot.sandbox.addresses import SandboxAddresses, SandboxParts, load_secret
from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class Vendors:
    """Where each vendor is: the real one's settings, or the sandbox's in their place."""

    slack_token: str
    slack_signing_secret: str
    slack_api_url: str | None
    slack_app_token: str | None
    slack_channel: str
    routing_key: str
    events_url: str | None
    webhook_secret: str
    api_token: str
    api_url: str | None
    kubeconfig: str | None
    kubernetes_url: str | None
    prometheus_url: str | None


def sandbox_parts(settings: Settings) -> SandboxParts:
    """Which vendors the sandbox stands in for: those without settings."""
    served = settings.stood_in_for
    return SandboxParts(
        slack="Slack" in served,
        pagerduty="PagerDuty" in served,
        kubernetes="Kubernetes" in served,
        prometheus="Prometheus" in served,
    )


def sandbox_addresses(settings: Settings) -> SandboxAddresses:
    """Where the sandbox is; its secrets lie beside the database."""
    return SandboxAddresses(settings.address(), load_secret(data_folder(settings)))


def data_folder(settings: Settings) -> Path:
    """The folder of what is kept beside the database: a SQLite file's own, or ./var."""
    url = database.database_url(settings.database_url)
    if url.drivername == "sqlite" and url.database:
        return Path(url.database).resolve().parent
    return Path("var").resolve()


def vendors(settings: Settings) -> Vendors:
    """The vendors' addresses and secrets, the sandbox's where it stands in."""
    parts = sandbox_parts(settings)
    there = sandbox_addresses(settings) if settings.sandbox else None
    slack = there if parts.slack else None
    pagerduty = there if parts.pagerduty else None
    kubernetes = there if parts.kubernetes else None
    return Vendors(
        slack_token=slack.slack_token if slack else secret(settings.slack_bot_token),
        slack_signing_secret=(
            slack.slack_signing_secret if slack else secret(settings.slack_signing_secret)
        ),
        slack_api_url=slack.slack_api_url if slack else settings.slack_api_url,
        slack_app_token=None if slack else secret(settings.slack_app_token) or None,
        slack_channel=settings.slack_channel,
        routing_key=(
            pagerduty.pagerduty_routing_key if pagerduty else secret(settings.pagerduty_routing_key)
        ),
        events_url=(pagerduty.pagerduty_events_url if pagerduty else settings.pagerduty_events_url),
        webhook_secret=(
            pagerduty.pagerduty_webhook_secret
            if pagerduty
            else secret(settings.pagerduty_webhook_secret)
        ),
        # The stand-in serves its records where it takes events, and takes any token.
        api_token="sandbox" if pagerduty else secret(settings.pagerduty_api_token),
        api_url=pagerduty.pagerduty_events_url if pagerduty else settings.pagerduty_api_url,
        kubeconfig=None if kubernetes else settings.kubeconfig,
        kubernetes_url=kubernetes.kubernetes_url if kubernetes else None,
        prometheus_url=(
            there.prometheus_url if there and parts.prometheus else settings.prometheus_url
        ),
    )


def secret(value: SecretStr | None) -> str:
    """The secret itself; empty when it is not set."""
    return value.get_secret_value() if value else ""
