"""Which stand-ins the sandbox has, where they are, and the secrets they share with Tocsin.

The listener serves the stand-ins and the worker calls them. Both derive all of this
from Tocsin's own address and one secret in a file, so nothing is passed between them.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile

from bot.domain.errors import InvalidInput

PREFIX = "/sandbox"
"""Where the listener mounts the sandbox."""

SECRET_LENGTH = 64
"""Hexadecimal digits: 32 random bytes."""


@dataclass(frozen=True, slots=True)
class SandboxParts:
    """Which vendors the sandbox stands in for; the others are the real ones."""

    slack: bool = True
    pagerduty: bool = True
    kubernetes: bool = True
    prometheus: bool = True


@dataclass(frozen=True, slots=True)
class SandboxAddresses:
    """Addresses and secrets; `base_url` is Tocsin's own address, no slash at the end."""

    base_url: str
    secret: str = field(repr=False)

    @property
    def slack_url(self) -> str:
        """Where Slack's Web API and response URLs lie."""
        return f"{self.base_url}{PREFIX}/slack"

    @property
    def slack_api_url(self) -> str:
        """The base URL for a client of the Web API."""
        return f"{self.slack_url}/api/"

    @property
    def slack_events_url(self) -> str:
        """Where Tocsin takes what people do in Slack."""
        return f"{self.base_url}/slack/events"

    @property
    def slack_token(self) -> str:
        """The bot token."""
        return f"xoxb-{self._derived('slack token')}"

    @property
    def slack_signing_secret(self) -> str:
        return self._derived("slack signing secret")

    @property
    def pagerduty_events_url(self) -> str:
        """The base URL for a client of the Events API; ``/v2/enqueue`` is below it."""
        return f"{self.base_url}{PREFIX}/pagerduty"

    @property
    def pagerduty_webhook_url(self) -> str:
        """Where Tocsin takes PagerDuty's webhooks."""
        return f"{self.base_url}/webhooks/pagerduty"

    @property
    def pagerduty_routing_key(self) -> str:
        """The integration key: 32 letters and digits."""
        return self._derived("pagerduty routing key")

    @property
    def pagerduty_webhook_secret(self) -> str:
        return self._derived("pagerduty webhook secret")

    @property
    def kubernetes_url(self) -> str:
        """The API server."""
        return f"{self.base_url}{PREFIX}/kubernetes"

    @property
    def prometheus_url(self) -> str:
        return f"{self.base_url}{PREFIX}/prometheus"

    @property
    def alertmanager_webhook_url(self) -> str:
        """Where Tocsin takes Alertmanager's webhooks."""
        return f"{self.base_url}/webhooks/alertmanager"

    @property
    def page_url(self) -> str:
        """The workspace page."""
        return f"{self.base_url}{PREFIX}/"

    def _derived(self, label: str) -> str:
        """A secret for one purpose: 32 hexadecimal digits that tell nothing of the others."""
        return hmac.new(self.secret.encode(), label.encode(), hashlib.sha256).hexdigest()[:32]


def load_secret(folder: Path) -> str:
    """Read the installation's secret, or make it, in ``folder/sandbox.secret`` (mode 0600).

    Processes that start at the same time all get the same one.

    Raises:
        InvalidInput: the file is there and holds something else.
    """
    file = folder / "sandbox.secret"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _create(file)
    secret = file.read_text().strip()
    if len(secret) != SECRET_LENGTH:
        raise InvalidInput(f"{file} holds no secret; delete it, and a new one is made.")
    return secret


def _create(file: Path) -> None:
    """Let the file appear with its whole content, unless another process was first."""
    with NamedTemporaryFile("w", dir=file.parent, prefix=f"{file.name}.") as draft:
        draft.write(secrets.token_hex(SECRET_LENGTH // 2))
        draft.flush()
        try:
            os.link(draft.name, file)
        except FileExistsError:
            return
