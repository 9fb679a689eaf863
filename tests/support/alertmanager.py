"""A real Alertmanager that delivers to a Tocsin."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from tests.support.installation import TIMEOUT, WEBHOOK_TOKEN, free_port
from tests.support.waiting import eventually


@dataclass(frozen=True)
class Alertmanager:
    """An Alertmanager; `url` has no slash at the end, `began` is when all its alerts start."""

    url: str
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def fire(self, labels: Mapping[str, str], summary: str) -> None:
        """Say that an alert fires, as Prometheus does: until further notice, within minutes."""
        self._send(labels, summary, datetime.now(UTC) + timedelta(minutes=5))

    def resolve(self, labels: Mapping[str, str], summary: str) -> None:
        self._send(labels, summary, datetime.now(UTC))

    def _send(self, labels: Mapping[str, str], summary: str, ends_at: datetime) -> None:
        alert: dict[str, str | dict[str, str]] = {
            "labels": dict(labels),
            "annotations": {"summary": summary},
            "startsAt": self.began.isoformat(),
            "endsAt": ends_at.isoformat(),
        }
        requests.post(f"{self.url}/api/v2/alerts", json=[alert], timeout=TIMEOUT).raise_for_status()


@contextmanager
def alertmanager(folder: Path, tocsin_url: str) -> Iterator[Alertmanager]:
    """Run one that delivers within a fraction of a second."""
    program = shutil.which("prometheus-alertmanager")
    if program is None:
        pytest.skip("the program prometheus-alertmanager is missing (Debian's package)")
    address = f"127.0.0.1:{free_port()}"
    with (folder / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={_configuration(folder, tocsin_url)}",
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address={address}",
                "--cluster.listen-address=",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        url = f"http://{address}"
        eventually(lambda: _is_ready(url))
        yield Alertmanager(url)
    finally:
        process.kill()
        process.wait()


def _configuration(folder: Path, tocsin_url: str) -> Path:
    file = folder / "alertmanager.yml"
    receiver = {
        "name": "tocsin",
        "webhook_configs": [
            {
                "url": f"{tocsin_url}/webhooks/alertmanager",
                "send_resolved": True,
                "http_config": {"authorization": {"type": "Bearer", "credentials": WEBHOOK_TOKEN}},
            }
        ],
    }
    route = {
        "receiver": "tocsin",
        "group_by": ["alertname", "namespace", "service"],
        "group_wait": "50ms",
        "group_interval": "200ms",
    }
    file.write_text(json.dumps({"route": route, "receivers": [receiver]}))
    return file


def _is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/-/ready", timeout=TIMEOUT).ok
    except requests.ConnectionError:
        return False
