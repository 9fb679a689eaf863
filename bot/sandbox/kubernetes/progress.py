"""A Deployment's status in the stand-in: its counts and its two conditions.

The rules are those of kubernetes/pkg/controller/deployment (progress.go, and
DeploymentComplete, DeploymentProgressing and DeploymentTimedOut in util).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.sandbox.kubernetes.store import Json, timestamp

CREATED, UPDATED, COMPLETE = "NewReplicaSetCreated", "ReplicaSetUpdated", "NewReplicaSetAvailable"
EXCEEDED, PAUSED, RESUMED = "ProgressDeadlineExceeded", "DeploymentPaused", "DeploymentResumed"

PROGRESSING = {
    CREATED: "True",
    UPDATED: "True",
    COMPLETE: "True",
    EXCEEDED: "False",
    PAUSED: "Unknown",
    RESUMED: "Unknown",
}
"""The reasons of the condition `Progressing`, with the condition's status for each."""


def counts(replica_sets: Sequence[Json], current: Json | None) -> Json:
    """Add up the ReplicaSets' statuses, as a Deployment's status has them."""
    total = sum(it["status"]["replicas"] for it in replica_sets)
    ready = sum(it["status"]["readyReplicas"] for it in replica_sets)
    return {
        "replicas": total,
        "updatedReplicas": current["status"]["replicas"] if current else 0,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": total - ready,
    }


def is_complete(desired: int, summed: Json) -> bool:
    """Whether the newest template runs everywhere, and nothing else does."""
    names = ("replicas", "updatedReplicas", "availableReplicas")
    return all(summed[name] == desired for name in names)


@dataclass(frozen=True, slots=True)
class Progress:
    """A Deployment with the status it has, and what there is to report now."""

    deployment: Json
    summed: Json
    created: bool
    """Whether a ReplicaSet was just created for the Deployment's template."""
    now: datetime

    def status(self) -> Json:
        """Return the status that comes next."""
        available = self.summed["availableReplicas"] >= self._desired
        availability = f"MinimumReplicas{'Available' if available else 'Unavailable'}"
        return {
            "observedGeneration": self.deployment["metadata"]["generation"],
            **self.summed,
            "conditions": [
                self._condition("Available", str(available), availability),
                self._condition("Progressing", PROGRESSING[self._reason()], self._reason()),
            ],
        }

    @property
    def _desired(self) -> int:
        return int(self.deployment["spec"]["replicas"])

    @property
    def _before(self) -> Json:
        """The status so far; that of a Deployment which was never seen is empty."""
        status: Json = self.deployment.get("status", {})
        return status

    def _reason(self) -> str:
        before = self._old_condition("Progressing").get("reason", CREATED)
        if self.deployment["spec"].get("paused"):
            return PAUSED
        if self.created:
            return CREATED
        if is_complete(self._desired, self.summed):
            return COMPLETE
        if before == COMPLETE and _outdated(self.summed) == 0:
            return COMPLETE  # it was rolled out; that a pod fails later doesn't undo that
        if self._advanced():
            return UPDATED
        if self._is_late():
            return EXCEEDED
        return RESUMED if before == PAUSED else before

    def _advanced(self) -> bool:
        old, new = self._before, self.summed
        grown = ("updatedReplicas", "readyReplicas", "availableReplicas")
        return _outdated(new) < _outdated(old) or any(
            new[name] > old.get(name, 0) for name in grown
        )

    def _is_late(self) -> bool:
        deadline = timedelta(seconds=self.deployment["spec"]["progressDeadlineSeconds"])
        old = self._old_condition("Progressing")
        return bool(old) and datetime.fromisoformat(old["lastUpdateTime"]) + deadline < self.now

    def _old_condition(self, kind: str) -> Json:
        conditions = self._before.get("conditions", ())
        return next((item for item in conditions if item["type"] == kind), {})

    def _condition(self, kind: str, status: str, reason: str) -> Json:
        """Return the condition, as it was unless it changed; each sign of progress renews it."""
        old = self._old_condition(kind)
        if old.get("reason") == reason and not (reason == UPDATED and self._advanced()):
            return old
        now = timestamp(self.now)
        since = old["lastTransitionTime"] if old.get("status") == status else now
        return {
            "type": kind,
            "status": status,
            "reason": reason,
            "lastUpdateTime": now,
            "lastTransitionTime": since,
        }


def _outdated(summed: Json) -> int:
    """How many pods don't have the newest template yet."""
    return int(summed.get("replicas", 0) - summed.get("updatedReplicas", 0))
