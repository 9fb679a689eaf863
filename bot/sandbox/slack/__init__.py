"""A stand-in for Slack: its Web API over HTTP, and people who type, press and submit.

It follows https://docs.slack.dev as far as Tocsin and slack-bolt go; one contract suite
holds it against another emulator of Slack.
"""

from bot.sandbox.slack.app import slack_app
from bot.sandbox.slack.workspace import Call, SandboxSlack

__all__ = ["Call", "SandboxSlack", "slack_app"]
