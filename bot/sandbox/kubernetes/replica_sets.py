"""The ReplicaSets of one Deployment in the stand-in, and the pods they keep."""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox.kubernetes import pods as kubelet
from bot.sandbox.kubernetes.new_pods import create_pod, owned, owner_reference
from bot.sandbox.kubernetes.pods import Pace
from bot.sandbox.kubernetes.store import DEPLOYMENTS, PODS, REPLICA_SETS, Json, ObjectStore

REVISION = "deployment.kubernetes.io/revision"
HASH_LABEL = "pod-template-hash"
HASH_LENGTH = 10


@dataclass(frozen=True, slots=True)
class ReplicaSets:
    """What one Deployment owns, at one moment."""

    store: ObjectStore
    deployment: Json
    pace: Pace
    now: datetime

    def all(self) -> list[Json]:
        """Return the ReplicaSets, oldest revision first."""
        return sorted(owned(self.store, REPLICA_SETS, self.deployment), key=revision)

    def create(self) -> Json:
        """Create the one for the Deployment's template, without pods."""
        spec, metadata = self.deployment["spec"], self.deployment["metadata"]
        template = deepcopy(spec["template"])
        digest = _template_hash(template)
        template["metadata"]["labels"][HASH_LABEL] = digest
        body = {
            "metadata": {
                "name": f"{metadata['name']}-{digest}",
                "labels": dict(template["metadata"]["labels"]),
                "ownerReferences": [owner_reference(DEPLOYMENTS, self.deployment)],
            },
            "spec": {
                "replicas": 0,
                "selector": {
                    "matchLabels": {**spec["selector"]["matchLabels"], HASH_LABEL: digest}
                },
                "template": template,
            },
        }
        created = self.store.add(REPLICA_SETS, metadata["namespace"], body, self.now)
        self.report(created)
        return created

    def number(self, replica_set: Json, number: int) -> None:
        """Give the ReplicaSet, and so the Deployment, this revision."""
        for item in (replica_set, self.deployment):
            item["metadata"].setdefault("annotations", {})[REVISION] = str(number)
        self.store.save(REPLICA_SETS, replica_set)

    def scale(self, replica_set: Json, replicas: int) -> None:
        """Create pods, or remove some: those that aren't ready first, then the youngest."""
        pods = self._pods(replica_set)
        pods.sort(key=lambda pod: (kubelet.is_ready(pod), -kubelet.created_at(pod).timestamp()))
        for pod in pods[: max(0, len(pods) - replicas)]:
            self.store.remove(PODS, pod)
        for _ in range(len(pods), replicas):
            self._create_pod(replica_set)
        replica_set["spec"]["replicas"] = replicas
        replica_set["metadata"]["generation"] += 1
        self.report(replica_set)

    def fill(self, replica_set: Json) -> None:
        """Create pods in the place of those that somebody deleted or evicted."""
        for _ in range(len(self._pods(replica_set)), replica_set["spec"]["replicas"]):
            self._create_pod(replica_set)

    def report(self, replica_set: Json) -> None:
        """Write into the ReplicaSet's status how many pods it has."""
        pods = self._pods(replica_set)
        ready = sum(map(kubelet.is_ready, pods))
        replica_set["status"] = {
            "replicas": len(pods),
            "fullyLabeledReplicas": len(pods),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "observedGeneration": replica_set["metadata"]["generation"],
        }
        self.store.save(REPLICA_SETS, replica_set)

    def remove(self, replica_set: Json) -> None:
        self.store.remove(REPLICA_SETS, replica_set)

    def _pods(self, replica_set: Json) -> list[Json]:
        return owned(self.store, PODS, replica_set)

    def _create_pod(self, replica_set: Json) -> None:
        template = replica_set["spec"]["template"]
        create_pod(self.store, REPLICA_SETS, replica_set, template, self.now)


def revision(item: Json) -> int:
    """Return a ReplicaSet's or Deployment's revision, 0 if it has none yet."""
    return int(item["metadata"].get("annotations", {}).get(REVISION, "0"))


def has_template(replica_set: Json, template: Json) -> bool:
    """Whether the ReplicaSet was made from this template: all is equal but the hash."""
    own = deepcopy(replica_set["spec"]["template"])
    own["metadata"]["labels"].pop(HASH_LABEL)
    return bool(own == template)


def _template_hash(template: Json) -> str:
    canonical = json.dumps(template, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:HASH_LENGTH]
