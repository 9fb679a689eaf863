"""Nodes that only one test uses, in a real cluster and in the stand-in.

In a real cluster a fake kubelet of the test's own serves them: they are tainted, so that
nobody else's pods come there, and deleted at the end.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from kubernetes.client import ApiClient

from bot.adapters.kubernetes_objects import KubernetesObjects
from bot.domain.cluster import ObjectRef
from bot.domain.resource import Resource
from tests.support.kubernetes import SECONDS, eventually, marker

LABEL = "tocsin-test"


@dataclass(frozen=True)
class Nodes:
    """Two nodes, and what keeps a pod on them."""

    client: ApiClient
    group: str

    @property
    def names(self) -> tuple[str, str]:
        return (f"{self.group}-0", f"{self.group}-1")

    def create(self) -> None:
        """Register the nodes, cordoned until they can be tainted."""
        for name in self.names:
            self.register(name)

    def register(self, name: str) -> None:
        metadata = {"name": name, "labels": {LABEL: self.group}}
        node = {"metadata": metadata, "spec": {"unschedulable": True}}
        self._objects.create({"apiVersion": "v1", "kind": "Node", **node}, marker())

    def open(self) -> None:
        """Let pods in (again) that tolerate the nodes' taint."""
        taint = {"key": LABEL, "value": self.group, "effect": "NoSchedule"}
        for name in self.names:
            ref = ObjectRef("node", "", name)
            self._objects.merge(ref, {"spec": {"unschedulable": None, "taints": [taint]}}, marker())

    @property
    def _objects(self) -> KubernetesObjects:
        return KubernetesObjects(self.client, SECONDS)

    def delete(self) -> None:
        for name in self.names:
            ref = ObjectRef("node", "", name)
            self._objects.delete(ref, self._objects.read(ref).uid)

    def pods(self, node: str = "") -> dict[str, Any]:
        """The part of a pod's spec that brings it to one of the nodes, or to a certain one."""
        where = {"nodeName": node} if node else {"nodeSelector": {LABEL: self.group}}
        return {**where, "tolerations": [{"key": LABEL, "operator": "Exists"}]}

    def are_ready(self) -> bool:
        found = [self._objects.read(ObjectRef("node", "", name)) for name in self.names]
        return all(_is_ready(node) for node in found)


def _is_ready(node: Resource) -> bool:
    conditions = (node.body.get("status") or {}).get("conditions") or ()
    return any(it["type"] == "Ready" and it["status"] == "True" for it in conditions)


@contextmanager
def served_nodes(client: ApiClient, kubeconfig: str, shared: Path) -> Iterator[Nodes]:
    """Nodes of a real cluster, with a kubelet that starts no container."""
    nodes = Nodes(client, f"test-{uuid4().hex[:6]}")
    program = [sys.executable, str(shared / "cluster" / "fake_kubelet.py")]
    options = ["--kubeconfig", kubeconfig, "--nodes", "2", "--prefix", f"{nodes.group}-"]
    nodes.create()
    kubelet = subprocess.Popen([*program, *options], stdout=subprocess.DEVNULL)
    try:
        eventually(nodes.are_ready, bool)
        nodes.open()
        yield nodes
    finally:
        nodes.delete()
        kubelet.kill()
        kubelet.wait()
