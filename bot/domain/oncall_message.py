"""What is said of who is on call."""

from __future__ import annotations

from datetime import datetime

from bot.domain.message import Message
from bot.domain.oncall import OnCall
from bot.domain.roster import Roster


def oncall_message(roster: Roster, now: datetime) -> Message:
    """Who is on call for a service, by level, and how old the answer is."""
    service = roster.service
    lines = list(dict.fromkeys(map(_line, roster.on_call)))
    return Message(
        headline=f"On call for {service.name}",
        body="" if lines else _nobody(roster),
        preformatted="\n".join(lines),
        footer=_footer(roster, now),
    )


def _line(one: OnCall) -> str:
    until = f"until {one.end:%d %b %H:%M} UTC" if one.end else "always"
    by = f", {one.schedule}" if one.schedule else ""
    return f"Level {one.level}: {one.person.name}{by}, {until}"


def _nobody(roster: Roster) -> str:
    if not roster.service.escalation_policy_id:
        return "Nobody: the service has no escalation policy, so its pages reach nobody."
    return "Nobody is on call: its pages reach nobody."


def _footer(roster: Roster, now: datetime) -> str:
    age = max(0, int((now - roster.asked_at).total_seconds()))
    parts = (
        roster.service.escalation_policy_name,
        "asked just now" if age < 1 else f"asked {age} s ago",
        roster.service.html_url,
    )
    return " · ".join(part for part in parts if part)
