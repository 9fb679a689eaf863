"""A restart through Tocsin, against kubectl's own on the same cluster in the same run.

Needs a cluster (TOCSIN_TEST_KUBECONFIG) and kubectl; without them it says so. The two take
turns on one Deployment of three replicas. Tocsin's run is asked for with ``--yes`` and
without a soak, so both do the same: start the rollout and wait for its end.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from bench.servers import REPOSITORY, Server, running, tocsin
from bot.sandbox.addresses import PREFIX

KUBECONFIG = "TOCSIN_TEST_KUBECONFIG"
NAMESPACE, NAME = "tocsin-bench", "shop"
STEPS = 40

PATIENCE = 120.0
"""Seconds that a restart may take."""


def run(rounds: int, folder: Path) -> dict[str, Any]:
    """Measure, print, and return the figures."""
    kubeconfig = os.environ.get(KUBECONFIG)
    if not kubeconfig or shutil.which("kubectl") is None:
        print(f"runbooks: left out, because {KUBECONFIG} or kubectl is missing")
        return {}
    kubectl = Kubectl(kubeconfig)
    kubectl.set_up()
    try:
        library = _library(folder)
        with running(tocsin(folder, KUBECONFIG=kubeconfig, TOCSIN_RUNBOOKS=str(library))) as server:
            figures = _measure(rounds, kubectl, Tocsin(server.server))
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--wait=false")
    _print(figures)
    return figures


class Kubectl:
    """The command line of Kubernetes, on that cluster."""

    def __init__(self, kubeconfig: str) -> None:
        self._kubeconfig = kubeconfig

    def __call__(self, *arguments: str, stdin: str = "") -> None:
        command = ("kubectl", "--kubeconfig", self._kubeconfig, *arguments)
        subprocess.run(command, input=stdin.encode(), check=True, stdout=subprocess.DEVNULL)

    def set_up(self) -> None:
        """Make the Deployment, and wait for it."""
        objects = {"apiVersion": "v1", "kind": "List", "items": _OBJECTS}
        self("apply", "-f", "-", stdin=json.dumps(objects))
        self.status()

    def restart(self) -> None:
        """What an engineer types."""
        self("rollout", "restart", f"deployment/{NAME}", "-n", NAMESPACE)
        self.status()

    def status(self) -> None:
        """Wait for the rollout's end."""
        self("rollout", "status", f"deployment/{NAME}", "-n", NAMESPACE)


class Tocsin:
    """A running Tocsin with the sandbox's Slack."""

    def __init__(self, server: Server) -> None:
        address = urlsplit(server.url)
        self._url = f"{address.scheme}://{address.netloc}"

    def run(self, words: str) -> dict[str, Any]:
        """Ask for a run in Slack, and wait for its end."""
        before = {run["id"] for run in self._api("runs")}
        self._command(f"/runbook run {words} --yes")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for run in self._api("runs?limit=1"):
                if run["id"] not in before and run["finished_at"]:
                    if run["state"] != "succeeded":
                        raise RuntimeError(f"the run ended {run['state']}: {run['result']}")
                    return dict(run)
            time.sleep(0.02)
        raise RuntimeError(f"no run ended within {PATIENCE:.0f} s")

    def _command(self, text: str) -> None:
        asked = {"channel": "incidents", "user": "ana", "text": text}
        url = f"{self._url}{PREFIX}/workspace/command"
        requests.post(url, json=asked, timeout=PATIENCE).raise_for_status()

    def _api(self, path: str) -> Any:
        answer = requests.get(f"{self._url}/api/v1/{path}", timeout=PATIENCE)
        answer.raise_for_status()
        return answer.json()


_LABELS = {"app": NAME}
_OBJECTS = [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": _LABELS},
            "template": {
                "metadata": {"labels": _LABELS},
                "spec": {"containers": [{"name": NAME, "image": "registry.example/shop:1.0"}]},
            },
        },
    },
]


def _measure(rounds: int, kubectl: Kubectl, tocsin: Tocsin) -> dict[str, Any]:
    floor, ours, runs = [], [], []
    tocsin.run("many-steps")  # the first one waits for the worker's start
    for _ in range(rounds):
        begun = time.perf_counter()
        kubectl.restart()
        floor.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        runs.append(tocsin.run(f"restart {NAMESPACE}/{NAME} soak=0s"))
        ours.append(time.perf_counter() - begun)
    steps = [tocsin.run("many-steps") for _ in range(rounds)]
    return {
        "step_seconds": statistics.median(
            _seconds(run, "planned_at", "finished_at") / STEPS for run in steps
        ),
        "kubectl_seconds": statistics.median(floor),
        "tocsin_seconds": statistics.median(ours),
        "ratio": statistics.median(ours) / statistics.median(floor),
        "plan_seconds": statistics.median(
            _seconds(run, "requested_at", "planned_at") for run in runs
        ),
    }


def _library(folder: Path) -> Path:
    """The library with one runbook more, whose many steps have nothing to do."""
    library = folder / "runbooks"
    shutil.copytree(REPOSITORY / "runbooks", library)
    place = library / "many-steps"
    place.mkdir()
    steps = "".join(
        f"  - {{id: step_{number}, title: Nothing, kind: wait, with: {{duration: 0s}}}}\n"
        for number in range(STEPS)
    )
    text = f"name: many-steps\nversion: 1.0.0\nsummary: Do nothing.\nrisk: none\nsteps:\n{steps}"
    (place / "1.0.0.yaml").write_text(text)
    subprocess.run(
        [sys.executable, "-m", "bot", "runbook", "lock"],
        env=os.environ | {"TOCSIN_RUNBOOKS": str(library)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return library


def _seconds(run: dict[str, Any], begun: str, ended: str) -> float:
    return (datetime.fromisoformat(run[ended]) - datetime.fromisoformat(run[begun])).total_seconds()


def _print(figures: dict[str, Any]) -> None:
    print(
        f"restart of 3 replicas: kubectl {figures['kubectl_seconds']:.2f} s,"
        f" Tocsin {figures['tocsin_seconds']:.2f} s ({figures['ratio']:.2f} x, goal 1.15);"
        f" a step's own {1000 * figures['step_seconds']:.0f} ms (goal 25);"
        f" planned within {figures['plan_seconds']:.2f} s (goal 1)"
    )
