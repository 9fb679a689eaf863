"""A real Alertmanager that delivers to a Tocsin."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.installation import TIMEOUT, WEBHOOK_TOKEN, free_port
from tests.support.waiting import eventually


@dataclass(frozen=True)
class Route:
    """How the alerts that `matcher` holds for are delivered, unlike all others.

    `max_alerts` is how many one webhook holds at most; 0 is any number.
    """

    matcher: str
    repeat_interval: str = "4h"
    max_alerts: int = 0


@dataclass
class Alertmanager:
    """An Alertmanager; `url` has no slash at the end, `began` is when all its alerts start."""

    url: str
    command: Sequence[str]
    log: Path
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it works; of the alerts from before it knows nothing."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self.command, stdout=log, stderr=log)
        eventually(self._is_ready)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def fire(
        self, labels: Mapping[str, str], summary: str, starts_at: datetime | None = None
    ) -> None:
        """Say that an alert fires, as Prometheus does: until further notice, within minutes."""
        self.send([labels], summary, starts_at or self.began)

    def resolve(
        self, labels: Mapping[str, str], summary: str, starts_at: datetime | None = None
    ) -> None:
        self.send([labels], summary, starts_at or self.began, datetime.now(UTC))

    def send(
        self,
        alerts: Sequence[Mapping[str, str]],
        summary: str,
        starts_at: datetime,
        ends_at: datetime | None = None,
    ) -> None:
        """Send alerts, one for each of these label sets, in one request."""
        ends_at = ends_at or datetime.now(UTC) + timedelta(minutes=5)
        body: list[dict[str, Any]] = [
            {
                "labels": dict(labels),
                "annotations": {"summary": summary},
                "startsAt": starts_at.isoformat(),
                "endsAt": ends_at.isoformat(),
            }
            for labels in alerts
        ]
        requests.post(f"{self.url}/api/v2/alerts", json=body, timeout=TIMEOUT).raise_for_status()

    def holds(self, name: str) -> set[str]:
        """The fingerprints of the alerts of that name that fire, as it sees it."""
        found = self._get("alerts", filter=f'alertname="{name}"')
        return {one["fingerprint"] for one in found}

    def silences(self) -> list[dict[str, Any]]:
        """Those that are in force."""
        return [one for one in self._get("silences") if one["status"]["state"] == "active"]

    def _get(self, path: str, **query: str) -> list[dict[str, Any]]:
        answer = requests.get(f"{self.url}/api/v2/{path}", query, timeout=TIMEOUT)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found

    def _is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/-/ready", timeout=TIMEOUT).ok
        except requests.ConnectionError:
            return False


@contextmanager
def alertmanager(folder: Path, tocsin_url: str, *routes: Route) -> Iterator[Alertmanager]:
    """Run one that delivers within a fraction of a second."""
    program = shutil.which("prometheus-alertmanager")
    if program is None:
        pytest.skip("the program prometheus-alertmanager is missing (Debian's package)")
    address = f"127.0.0.1:{free_port()}"
    command = [
        program,
        f"--config.file={_configuration(folder, tocsin_url, routes)}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address={address}",
        f"--web.external-url=http://{address}",
        "--cluster.listen-address=",
    ]
    running = Alertmanager(f"http://{address}", command, folder / "alertmanager.log")
    try:
        running.start()
        yield running
    finally:
        running.kill()


def _configuration(folder: Path, tocsin_url: str, routes: Sequence[Route]) -> Path:
    file = folder / "alertmanager.yml"
    names = [f"tocsin-{number}" for number in range(len(routes))]
    route = {
        "receiver": "tocsin",
        "group_by": ["alertname", "namespace", "service"],
        "group_wait": "50ms",
        "group_interval": "200ms",
        "routes": [
            {
                "receiver": name,
                "matchers": [one.matcher],
                "repeat_interval": one.repeat_interval,
            }
            for name, one in zip(names, routes, strict=True)
        ],
    }
    receivers = [
        _receiver("tocsin", tocsin_url, 0),
        *(
            _receiver(name, tocsin_url, one.max_alerts)
            for name, one in zip(names, routes, strict=True)
        ),
    ]
    file.write_text(json.dumps({"route": route, "receivers": receivers}))
    return file


def _receiver(name: str, tocsin_url: str, max_alerts: int) -> Mapping[str, Any]:
    webhook = {
        "url": f"{tocsin_url}/webhooks/alertmanager",
        "send_resolved": True,
        "max_alerts": max_alerts,
        "http_config": {"authorization": {"type": "Bearer", "credentials": WEBHOOK_TOKEN}},
    }
    return {"name": name, "webhook_configs": [webhook]}
