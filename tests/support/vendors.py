"""The vendors that a Tocsin under test talks to: stand-ins served by the test's own process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from bot.sandbox.kubernetes import SandboxCluster, kubernetes_app
from bot.sandbox.pagerduty import SandboxPagerDuty, pagerduty_app
from bot.sandbox.slack import SandboxSlack, slack_app
from tests.support.gate import Gate
from tests.support.serve import serve

BOT_TOKEN = "xoxb-e2e"
SIGNING_SECRET = "e2e-signing-secret"
ROUTING_KEY = "e" * 32
PAGERDUTY_SECRET = "e2e-webhook-secret"
INCIDENTS = "#incidents"
"""The channel where Tocsin announces incidents."""


@dataclass(frozen=True)
class Vendors:
    """The stand-ins, the gates before them, and the settings that lead to them."""

    slack: SandboxSlack
    slack_gate: Gate
    pagerduty: SandboxPagerDuty
    pagerduty_gate: Gate
    cluster_gate: Gate
    settings: Mapping[str, str]

    def messages(self, subject: str) -> list[dict[str, Any]]:
        """The messages about ``incident:1`` or ``run:1``, for everybody to see."""
        return [
            message
            for channel in self.slack.overview()["channels"]
            for message in channel["messages"]
            if message["blocks"]
            and message["blocks"][0].get("block_id") == subject
            and message["ephemeral_for"] is None
        ]

    def said(self, subject: str) -> str:
        """All that the one message about the subject says; empty while there is none."""
        return (
            json.dumps(self.messages(subject)[0], ensure_ascii=False)
            if self.messages(subject)
            else ""
        )

    def pages(self) -> list[dict[str, Any]]:
        """PagerDuty's incidents, oldest first."""
        pages: list[dict[str, Any]] = self.pagerduty.overview()["incidents"]
        return pages[::-1]


@contextmanager
def vendors(tocsin_url: str, folder: Path, cluster: ASGIApp | None = None) -> Iterator[Vendors]:
    """Serve Slack, PagerDuty and Kubernetes for the Tocsin at `tocsin_url`.

    `cluster` is served in place of the stand-in for Kubernetes.
    """
    slack = SandboxSlack(
        events_url=f"{tocsin_url}/slack/events",
        base_url="",
        signing_secret=SIGNING_SECRET,
        bot_token=BOT_TOKEN,
        now=_now,
    )
    pagerduty = SandboxPagerDuty(
        now=_now,
        webhook_url=f"{tocsin_url}/webhooks/pagerduty",
        webhook_secret=PAGERDUTY_SECRET,
        routing_keys={ROUTING_KEY},
    )
    slack_gate, pagerduty_gate = Gate(slack_app(slack)), Gate(pagerduty_app(pagerduty))
    cluster_gate = Gate(cluster or kubernetes_app(SandboxCluster(_now)))
    with (
        serve(slack_gate) as slack.base_url,
        serve(pagerduty_gate) as pagerduty_url,
        serve(cluster_gate) as cluster_url,
    ):
        settings = {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_API_URL": f"{slack.base_url}/api/",
            "TOCSIN_SLACK_CHANNEL": INCIDENTS,
            "PAGERDUTY_ROUTING_KEY": ROUTING_KEY,
            "PAGERDUTY_EVENTS_URL": pagerduty_url,
            "PAGERDUTY_WEBHOOK_SECRET": PAGERDUTY_SECRET,
            "KUBECONFIG": str(_kubeconfig(folder, cluster_url)),
        }
        try:
            yield Vendors(slack, slack_gate, pagerduty, pagerduty_gate, cluster_gate, settings)
        finally:
            pagerduty.close()


def _now() -> datetime:
    return datetime.now(UTC)


def _kubeconfig(folder: Path, url: str) -> Path:
    name = "stand-in"
    file = folder / "kubeconfig.json"
    file.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": name, "cluster": {"server": url}}],
                "users": [{"name": name, "user": {}}],
                "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
                "current-context": name,
            }
        )
    )
    return file
