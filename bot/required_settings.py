"""What must still be set before Tocsin can serve, and what is of no use alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import SecretStr

from bot.settings import Settings


def missing(settings: Settings) -> tuple[str, ...]:
    """What must still be set before Tocsin can serve, one sentence each; empty when nothing."""
    wanted: Mapping[str, bool] = {
        "TOCSIN_WEBHOOK_TOKEN: the bearer token that Alertmanager sends.": bool(
            settings.webhook_token
        ),
        "TOCSIN_API_TOKEN: the bearer token of the API.": bool(settings.api_token),
        "SLACK_BOT_TOKEN: Slack’s bot token.": settings.slack_configured,
        "PAGERDUTY_ROUTING_KEY: the Events API v2 integration key.": settings.pagerduty_configured,
        "KUBECONFIG: the cluster on which runbooks run.": settings.kubernetes_configured,
    }
    lacking = () if settings.sandbox else (text for text, there in wanted.items() if not there)
    return (*lacking, *_half_configured(settings), *_tickets_half_configured(settings))


def _half_configured(settings: Settings) -> tuple[str, ...]:
    signed = settings.slack_signing_secret or settings.slack_app_token
    if settings.slack_configured and not signed:
        return (
            "SLACK_SIGNING_SECRET (or SLACK_APP_TOKEN for Socket Mode): "
            "without it nothing that comes from Slack can be believed.",
        )
    return ()


def _tickets_half_configured(settings: Settings) -> Iterator[str]:
    if settings.github_repository and settings.jira_url:
        yield "TOCSIN_GITHUB_REPOSITORY or TOCSIN_JIRA_URL: unset one, a ticket has one place."
    if bool(settings.github_repository) is not bool(settings.github_token):
        yield "TOCSIN_GITHUB_REPOSITORY and TOCSIN_GITHUB_TOKEN: one is of no use alone."
    if settings.jira_url and not (settings.jira_project and settings.jira_token):
        yield "TOCSIN_JIRA_PROJECT and TOCSIN_JIRA_TOKEN: both are needed with TOCSIN_JIRA_URL."
    if settings.pagerduty_ticket_routing_key and not settings.pagerduty_configured:
        yield "PAGERDUTY_ROUTING_KEY: needed with PAGERDUTY_TICKET_ROUTING_KEY."
    elif settings.pagerduty_ticket_routing_key in _paging_keys(settings):
        yield "PAGERDUTY_TICKET_ROUTING_KEY: set another key than for pages, a ticket wakes nobody."


def _paging_keys(settings: Settings) -> tuple[SecretStr, ...]:
    keys = (settings.pagerduty_routing_key, settings.pagerduty_fallback_routing_key)
    return tuple(key for key in keys if key)
