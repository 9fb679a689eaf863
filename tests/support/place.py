"""A Tocsin that runs runbooks: on the stand-in's cluster, or on a real API server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import ApiClient

from bot.adapters.kubernetes import connect
from bot.domain.cluster import ObjectRef
from tests.support.forward import forwarded
from tests.support.installation import TOKENS, Tocsin, kept
from tests.support.kubernetes import Namespace
from tests.support.vendors import INCIDENTS, Vendors, vendors
from tests.support.waiting import eventually

CLUSTERS = ["stand-in", pytest.param("real", marks=pytest.mark.cluster)]
"""The clusters to choose from, for a fixture's `params`."""


@dataclass(frozen=True)
class Place:
    """A running Tocsin, its vendors, and a namespace in the cluster on which its runbooks run."""

    tocsin: Tocsin
    vendors: Vendors
    namespace: Namespace

    def type(self, command: str, text: str, *, who: str = "ben") -> str:
        """Type a slash command; the answer's text."""
        typed = self.vendors.slack.command(who, INCIDENTS, command, text)
        assert typed["ok"], typed
        return str(typed["answer"]["text"])

    def newest_run(self) -> dict[str, Any]:
        runs: list[dict[str, Any]] = self.tocsin.api("runs?limit=1")
        return runs[0]

    def ended_run(self) -> dict[str, Any]:
        """The newest run, once it has ended."""
        return eventually(self.newest_run, lambda run: run["finished_at"])

    def approve(self) -> None:
        """Ana approves the newest run, once it is planned."""
        waits = "awaiting_approval"
        run = eventually(self.newest_run, lambda found: found["state"] == waits)
        self.type("/runbook", f"approve {run['id']}", who="ana")

    def pods(self, ref: ObjectRef) -> set[str]:
        """The names of a Deployment's pods."""
        found = self.namespace.cluster.pods(ref.namespace, {"app": ref.name})
        return {pod.name for pod in found}


def kubeconfig() -> str:
    """The real cluster's; tests that are marked `cluster` don't run without."""
    return os.environ["TOCSIN_TEST_KUBECONFIG"]


@contextmanager
def place(folder: Path, cluster: str, **settings: str) -> Iterator[Place]:
    """Start Tocsin with a cluster of `CLUSTERS` behind the gate; `settings` override."""
    real = connect(kubeconfig(), None) if cluster == "real" else None
    tocsin = Tocsin(folder)
    with vendors(tocsin.url, folder, forwarded(real) if real else None) as served, kept(tocsin):
        tocsin.settings = {**TOKENS, **served.settings, **settings}
        client = real or connect(served.settings["KUBECONFIG"], None)
        with _namespace(client, kept=not real) as namespace:
            tocsin.start()
            yield Place(tocsin, served, namespace)


@contextmanager
def _namespace(client: ApiClient, *, kept: bool) -> Iterator[Namespace]:
    namespace = Namespace.create(client)
    try:
        yield namespace
    finally:
        if not kept:
            namespace.delete()
