"""The vendors' stand-ins, served beside the Tocsin that a test wires by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from starlette.routing import Mount

from bot.sandbox.kubernetes import SandboxCluster, kubernetes_app
from bot.sandbox.kubernetes.patches import strategic_merge
from bot.sandbox.kubernetes.store import DEPLOYMENTS, Json
from bot.sandbox.pagerduty import SandboxPagerDuty, pagerduty_app
from bot.sandbox.slack import SandboxSlack, slack_app
from tests.support.clock import FakeClock

BOT_TOKEN = "xoxb-scenario"
SIGNING_SECRET = "scenario-signing-secret"
ROUTING_KEY = "5" * 32
PAGERDUTY_SECRET = "scenario-webhook-secret"

STATES = (
    "triggered by",
    "acknowledged by",
    "unacknowledged by",
    "resolved by",
    "reopened by",
    "reassigned by",
    "escalated by",
    "delegated by",
    "priority_updated by",
    "annotated by",
)
"""How the stand-in for PagerDuty logs the changes that it sends webhooks about."""


@dataclass(frozen=True)
class StandIns:
    """The vendors. Slack lives by the real time, because its signatures are checked by it."""

    slack: SandboxSlack
    pagerduty: SandboxPagerDuty
    cluster: SandboxCluster

    @classmethod
    def at(cls, url: str, clock: FakeClock) -> StandIns:
        return cls(
            SandboxSlack(
                events_url=f"{url}/slack/events",
                base_url=f"{url}/stand-ins/slack",
                signing_secret=SIGNING_SECRET,
                bot_token=BOT_TOKEN,
                now=lambda: datetime.now(UTC),
            ),
            SandboxPagerDuty(
                now=clock.now,
                webhook_url=f"{url}/webhooks/pagerduty",
                webhook_secret=PAGERDUTY_SECRET,
                routing_keys={ROUTING_KEY},
            ),
            SandboxCluster.load(_seeded_cluster(), clock.now),
        )

    def routes(self) -> list[Mount]:
        return [
            Mount("/stand-ins/slack", app=slack_app(self.slack)),
            Mount("/stand-ins/pagerduty", app=pagerduty_app(self.pagerduty)),
            Mount("/stand-ins/kubernetes", app=kubernetes_app(self.cluster)),
        ]

    def webhooks_arrived(self) -> bool:
        """Whether PagerDuty has told of every change of its incidents."""
        for page in self.pagerduty.incidents():
            lines = [entry.text for entry in page.log]
            changes = sum(line.startswith(STATES) for line in lines)
            if changes > sum(line.startswith("webhook ") for line in lines):
                return False
        return True

    def release(self, name: str, tag: str) -> None:
        """Somebody gives the Deployment ``namespace/name`` the image with that tag."""
        namespace, _, deployment = name.partition("/")

        def change(old: Json) -> Json:
            (container,) = old["spec"]["template"]["spec"]["containers"]
            image = f"{container['image'].rpartition(':')[0]}:{tag}"
            patch = {"containers": [{"name": container["name"], "image": image}]}
            patched: Json = strategic_merge(old, {"spec": {"template": {"spec": patch}}})
            return patched

        self.cluster.change(DEPLOYMENTS, namespace, deployment, change)


@cache
def _seeded_cluster() -> Json:
    return SandboxCluster(lambda: datetime.now(UTC)).dump()
