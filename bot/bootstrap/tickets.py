"""Tickets: where they are kept, by the settings."""

from __future__ import annotations

import random

from bot.app.pager_tickets import PagerTickets
from bot.app.ticket_delivery import TicketDelivery
from bot.bootstrap.core import Core
from bot.bootstrap.paging import limited_pager, records
from bot.ports import Tickets
from bot.settings import Settings
from bot.vendors import secret, vendors


def tickets(settings: Settings) -> Tickets | None:
    """The tracker, if one is set. Raises `PermanentError` for a token that can be none."""
    # Imported here: both are slow to load, and only the worker needs them, if anyone does.
    if settings.github_repository:
        from bot.adapters.github_issues import GitHubIssues

        token = secret(settings.github_token)
        return GitHubIssues(settings.github_repository, token, settings.github_url)
    if settings.jira_url:
        from bot.adapters.jira_issues import JiraIssues, JiraProject

        project = JiraProject(
            settings.jira_url, settings.jira_project or "", settings.jira_issue_type
        )
        return JiraIssues(project, secret(settings.jira_token), settings.jira_email)
    if settings.pagerduty_ticket_routing_key:
        return _at_pager(settings, secret(settings.pagerduty_ticket_routing_key))
    return None


def _at_pager(settings: Settings, routing_key: str) -> Tickets:
    where = vendors(settings)
    pager = limited_pager(routing_key, where.events_url)
    return PagerTickets(pager, routing_key, records(settings, where))


def ticket_delivery(settings: Settings, shared: Core) -> TicketDelivery:
    """Who keeps the tracker up to date."""
    return TicketDelivery(
        shared.store, tickets(settings), shared.clock, random.random, settings.public_url or ""
    )
