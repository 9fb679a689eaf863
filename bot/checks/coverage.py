"""`tocsin check --oncall`: is somebody there to be woken, at every level?"""

from __future__ import annotations

from bot.adapters.clock import SystemClock
from bot.adapters.slack import SlackChat
from bot.bootstrap.paging import rosters
from bot.checks.finding import Finding
from bot.domain.errors import TocsinError
from bot.settings import Settings
from bot.vendors import vendors

ON_CALL = "on call"


def check_on_call(settings: Settings) -> list[Finding]:
    """A finding for each gap, or one that says that there is none."""
    where = vendors(settings)
    try:
        chat = SlackChat(where.slack_token, where.slack_api_url)
        found = rosters(settings, where, SystemClock()).gaps(chat.user_of)
    except TocsinError as error:
        return [Finding(ON_CALL, False, str(error))]
    if not found:
        says = "somebody is on call at every level, and is known to Slack"
        return [Finding(ON_CALL, True, says)]
    return [Finding(ON_CALL, False, gap) for gap in found]
