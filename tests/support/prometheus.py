"""A real Prometheus that evaluates rules, on gauges that a test sets."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.support.installation import TIMEOUT, free_port
from tests.support.serve import serve
from tests.support.waiting import eventually


@dataclass
class Prometheus:
    """A Prometheus that scrapes `gauges` and evaluates its rules every second."""

    url: str
    command: Sequence[str]
    log: Path
    gauges: dict[str, float]
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it works."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self.command, stdout=log, stderr=log)
        eventually(self._is_ready)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/-/ready", timeout=TIMEOUT).ok
        except requests.ConnectionError:
            return False


@contextmanager
def prometheus(
    folder: Path,
    alertmanagers: Sequence[str],
    rules: Sequence[Mapping[str, Any]],
    gauges: dict[str, float],
) -> Iterator[Prometheus]:
    """Run one that sends to all Alertmanagers at these addresses what the rules say."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("the program prometheus is missing (Debian's package of that name)")
    folder.mkdir()
    address = f"127.0.0.1:{free_port()}"
    with serve(_exposed(gauges)) as target:
        command = [
            program,
            f"--config.file={_configuration(folder, alertmanagers, rules, target)}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            "--rules.alert.resend-delay=1s",
            "--log.level=error",
        ]
        running = Prometheus(f"http://{address}", command, folder / "prometheus.log", gauges)
        try:
            running.start()
            yield running
        finally:
            running.kill()


def _exposed(gauges: Mapping[str, float]) -> Starlette:
    def metrics(_request: Request) -> Response:
        return PlainTextResponse("".join(f"{name} {value}\n" for name, value in gauges.items()))

    return Starlette(routes=[Route("/metrics", metrics)])


def _configuration(
    folder: Path, alertmanagers: Sequence[str], rules: Sequence[Mapping[str, Any]], target: str
) -> Path:
    (folder / "rules.yml").write_text(
        json.dumps({"groups": [{"name": "rules", "rules": list(rules)}]})
    )
    file = folder / "prometheus.yml"
    file.write_text(
        json.dumps(
            {
                "global": {"scrape_interval": "500ms", "evaluation_interval": "1s"},
                "rule_files": ["rules.yml"],
                "scrape_configs": [{"job_name": "gauges", "static_configs": [_targets(target)]}],
                "alerting": {
                    "alertmanagers": [{"static_configs": [_targets(*alertmanagers)]}],
                },
            }
        )
    )
    return file


def _targets(*urls: str) -> Mapping[str, Sequence[str]]:
    return {"targets": [url.removeprefix("http://") for url in urls]}
