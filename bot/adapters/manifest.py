"""The Slack app manifest: what to create the app from, so that nothing is clicked together.

Source: docs.slack.dev/reference/app-manifest. The scopes are the least that the calls
of `bot.adapters.slack` and a channel that the bot was not invited to need.
"""

from __future__ import annotations

from typing import Any

EVENTS_PATH = "/slack/events"

COMMANDS = (
    ("/incident", "Work an incident", "list | show ID | ack ID | declare LEVEL TITLE | help"),
    ("/maintenance", "Wake nobody for a while", "add 2h MATCHER … REASON | list | end ID | help"),
    ("/oncall", "Say who is on call", "[SERVICE] | help"),
    ("/runbook", "Plan and run a runbook", "list | show NAME | plan NAME … | run ID | status ID"),
    ("/restart", "Plan a rolling restart", "NAMESPACE/DEPLOYMENT"),
    ("/failover", "Plan a switch of a Service to its standby", "NAMESPACE/SERVICE"),
    ("/rollback", "Plan a return to the previous revision", "NAMESPACE/DEPLOYMENT"),
)
"""Command, description and usage hint."""

SCOPES = (
    "channels:history",  # find a message that a crash kept us from remembering
    "channels:join",  # before others can be invited to a public channel
    "channels:read",  # channel names to ids
    "channels:write.invites",  # those who are on call, to where the incident is worked
    "chat:write",
    "chat:write.public",  # public channels that the bot was not invited to
    "commands",
    "files:write",  # the graphs that a run drew, below its message
    "groups:history",  # the same in private channels
    "groups:read",
    "groups:write.invites",
    "users:read",  # who pressed
    "users:read.email",  # the same person in PagerDuty
)


def slack_manifest(base_url: str, socket_mode: bool) -> dict[str, Any]:
    """The manifest, as Slack's "Create an app from a manifest" takes it (JSON).

    `base_url` is where Slack reaches Tocsin (https); in Socket Mode Tocsin calls Slack,
    and the manifest names no URL.
    """
    url = None if socket_mode else base_url.rstrip("/") + EVENTS_PATH
    interactivity: dict[str, Any] = {"is_enabled": True}
    if url:
        interactivity["request_url"] = url
    return {
        "display_information": {
            "name": "Tocsin",
            "description": "Pages, runbooks and the timeline of every incident",
            "background_color": "#7a1f1f",
        },
        "features": {
            "bot_user": {"display_name": "tocsin", "always_online": True},
            "slash_commands": [_command(url, *command) for command in COMMANDS],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket_mode,
            "token_rotation_enabled": False,
        },
    }


def _command(url: str | None, command: str, description: str, usage: str) -> dict[str, Any]:
    where = {"url": url} if url else {}
    return {
        "command": command,
        **where,
        "description": description,
        "usage_hint": usage,
        "should_escape": False,
    }
