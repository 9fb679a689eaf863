"""The stand-ins of one sandbox: how they are made, kept, and shown together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.routing import Mount

from bot.sandbox.addresses import SandboxAddresses, SandboxParts
from bot.sandbox.alertmanager import SandboxAlertmanager
from bot.sandbox.kubernetes import SandboxCluster, kubernetes_app
from bot.sandbox.kubernetes.store import SERVICES
from bot.sandbox.pagerduty import SandboxPagerDuty, pagerduty_app
from bot.sandbox.prometheus import SandboxPrometheus, prometheus_app
from bot.sandbox.slack import SandboxSlack, slack_app
from bot.sandbox.state_file import State

SHOWN_MESSAGES = 200
"""The newest messages of a channel that a page is given."""

SHOWN_PAGES = 50
"""The newest incidents of the pager that a page is given."""


@dataclass(frozen=True, slots=True)
class StandIns:
    """What stands in for each vendor, None for the real ones."""

    alertmanager: SandboxAlertmanager
    slack: SandboxSlack | None
    pagerduty: SandboxPagerDuty | None
    cluster: SandboxCluster | None
    metrics: SandboxPrometheus | None

    def dump(self) -> State:
        """The state of those that have one, as JSON values, for `stand_ins`."""
        keepers = {
            "alertmanager": self.alertmanager,
            "slack": self.slack,
            "pagerduty": self.pagerduty,
            "kubernetes": self.cluster,
        }
        return {name: keeper.dump() for name, keeper in keepers.items() if keeper}

    def overview(self) -> dict[str, Any]:
        """What a page shows, as JSON values; None for the real ones."""
        return {
            "alerts": self.alertmanager.overview(),
            "slack": self.slack and self.slack.overview(SHOWN_MESSAGES),
            "pagerduty": self.pagerduty and _pager_overview(self.pagerduty),
            "kubernetes": self.cluster and _cluster_overview(self.cluster),
            "prometheus": self.metrics and {},
        }

    def mounts(self) -> list[Mount]:
        """The stand-ins' own addresses, as `SandboxAddresses` has them."""
        mounts = []
        if self.slack:
            mounts.append(Mount("/slack", slack_app(self.slack)))
        if self.pagerduty:
            mounts.append(Mount("/pagerduty", pagerduty_app(self.pagerduty)))
        if self.cluster:
            mounts.append(Mount("/kubernetes", kubernetes_app(self.cluster)))
        if self.metrics:
            mounts.append(Mount("/prometheus", prometheus_app(self.metrics)))
        return mounts

    def close(self) -> None:
        if self.pagerduty:
            self.pagerduty.close()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the stand-ins need to know; `alertmanager_token` is Tocsin's, if it wants one."""

    addresses: SandboxAddresses
    now: Callable[[], datetime]
    alertmanager_token: str | None = None


def stand_ins(parts: SandboxParts, around: Surroundings, state: State) -> StandIns:
    """Make them, with the `state` that was dumped; those it says nothing of start afresh.

    Raises:
        ValueError, LookupError, TypeError, AttributeError: the state was not dumped so.
    """
    alertmanager = SandboxAlertmanager(around.addresses, around.alertmanager_token, around.now)
    alertmanager.load(state.get("alertmanager", {}))
    made = StandIns(
        alertmanager=alertmanager,
        slack=_slack(around, state) if parts.slack else None,
        pagerduty=_pagerduty(around, state) if parts.pagerduty else None,
        cluster=SandboxCluster(around.now, state=state.get("kubernetes"))
        if parts.kubernetes
        else None,
        metrics=SandboxPrometheus() if parts.prometheus else None,
    )
    made.overview()  # fails now, if it ever will
    return made


def _slack(around: Surroundings, state: State) -> SandboxSlack:
    slack = SandboxSlack(
        events_url=around.addresses.slack_events_url,
        base_url=around.addresses.slack_url,
        signing_secret=around.addresses.slack_signing_secret,
        bot_token=around.addresses.slack_token,
        now=around.now,
    )
    if "slack" in state:
        slack.load(state["slack"])
    return slack


def _pagerduty(around: Surroundings, state: State) -> SandboxPagerDuty:
    pagerduty = SandboxPagerDuty(
        now=around.now,
        webhook_url=around.addresses.pagerduty_webhook_url,
        webhook_secret=around.addresses.pagerduty_webhook_secret,
        routing_keys={around.addresses.pagerduty_routing_key},
    )
    if "pagerduty" in state:
        pagerduty.load(state["pagerduty"])
    return pagerduty


def _pager_overview(pagerduty: SandboxPagerDuty) -> dict[str, Any]:
    shown = pagerduty.overview()
    return {**shown, "incidents": shown["incidents"][:SHOWN_PAGES]}


def _cluster_overview(cluster: SandboxCluster) -> dict[str, Any]:
    services, _ = cluster.find(SERVICES, "", {})
    return {
        "deployments": cluster.overview(),
        "services": [
            {
                "namespace": service["metadata"]["namespace"],
                "name": service["metadata"]["name"],
                "selector": service["spec"].get("selector") or {},
            }
            for service in services
        ],
    }
