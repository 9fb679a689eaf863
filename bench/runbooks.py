"""A restart through Tocsin, against kubectl's own on the same cluster in the same run.

Needs a cluster (TOCSIN_TEST_KUBECONFIG) and kubectl; without them it says so. The two take
turns on one Deployment of three replicas, and who goes first changes from round to round.
Tocsin's run is asked for with ``--yes`` and without a soak, so both do the same: start the
rollout and wait for its end. kubectl's time is from its start to its exit; Tocsin's is from the
slash command to the run's end by its record, with the plan and the verification in between.
A round's two times stand beside each other, so that what else the machine does weighs on both.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
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

GLANCE = 0.1
"""Seconds between two looks whether a run is over: more of them would weigh on Tocsin alone, and
when it was over stands in its record."""


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
        kubectl("delete", "namespace", NAMESPACE)
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

    def restart(self) -> float:
        """What an engineer types; the seconds it took."""
        begun = time.perf_counter()
        self("rollout", "restart", f"deployment/{NAME}", "-n", NAMESPACE)
        self.status()
        return time.perf_counter() - begun

    def status(self) -> None:
        """Wait for the rollout's end."""
        self("rollout", "status", f"deployment/{NAME}", "-n", NAMESPACE)


class Tocsin:
    """A running Tocsin with the sandbox's Slack."""

    def __init__(self, server: Server) -> None:
        address = urlsplit(server.url)
        self._url = f"{address.scheme}://{address.netloc}"
        self._newest = 0

    def restart(self) -> tuple[float, float]:
        """The seconds from the slash command to the run's end, and those its plan took."""
        asked_at = datetime.now(UTC)
        run = self.run(f"restart {NAMESPACE}/{NAME} soak=0s")
        took = datetime.fromisoformat(run["finished_at"]) - asked_at
        return took.total_seconds(), _seconds(run, "requested_at", "planned_at")

    def run(self, words: str) -> dict[str, Any]:
        """Ask for a run in Slack, and wait for its end."""
        self._command(f"/runbook run {words} --yes")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for run in self._api("runs?limit=1"):
                if run["id"] > self._newest and run["finished_at"]:
                    self._newest = run["id"]
                    if run["state"] != "succeeded":
                        raise RuntimeError(f"the run ended {run['state']}: {run['result']}")
                    return dict(run)
            time.sleep(GLANCE)
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


@dataclass(frozen=True, slots=True)
class Round:
    """A restart by each, in seconds, and those that Tocsin's plan took of its own."""

    kubectl: float
    tocsin: float
    plan: float

    @property
    def ratio(self) -> float:
        return self.tocsin / self.kubectl


def _measure(rounds: int, kubectl: Kubectl, tocsin: Tocsin) -> dict[str, Any]:
    tocsin.run("many-steps")  # the first one waits for the worker's start
    turns = [_round(number, kubectl, tocsin) for number in range(rounds)]
    steps = [tocsin.run("many-steps") for _ in range(rounds)]
    ratios = sorted(turn.ratio for turn in turns)
    return {
        "step_seconds": statistics.median(
            _seconds(run, "planned_at", "finished_at") / STEPS for run in steps
        ),
        "kubectl_seconds": statistics.median(turn.kubectl for turn in turns),
        "tocsin_seconds": statistics.median(turn.tocsin for turn in turns),
        "ratio": statistics.median(ratios),
        "lowest_ratio": ratios[0],
        "highest_ratio": ratios[-1],
        "plan_seconds": statistics.median(turn.plan for turn in turns),
    }


def _round(number: int, kubectl: Kubectl, tocsin: Tocsin) -> Round:
    """Who goes first is the second's disadvantage or advantage, so it changes."""
    if number % 2:
        took, plan = tocsin.restart()
        return Round(kubectl.restart(), took, plan)
    floor = kubectl.restart()
    return Round(floor, *tocsin.restart())


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
        f" Tocsin {figures['tocsin_seconds']:.2f} s ({figures['ratio']:.2f} x, from"
        f" {figures['lowest_ratio']:.2f} to {figures['highest_ratio']:.2f}, goal 1.15);"
        f" a step's own {1000 * figures['step_seconds']:.0f} ms (goal 25);"
        f" planned within {figures['plan_seconds']:.2f} s (goal 1)"
    )
