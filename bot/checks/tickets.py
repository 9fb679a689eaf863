"""A check of where tickets are kept."""

from __future__ import annotations

from bot.bootstrap.tickets import tickets
from bot.settings import Settings


def check_tickets(settings: Settings) -> str:
    """Where the tickets are; nothing is written there."""
    tracker = tickets(settings)
    if tracker is None:
        return "on Tocsin’s own list: no GitHub repository, Jira or PagerDuty is set (optional)"
    return tracker.verify()
