"""The stand-in's kubelet: what a pod does, as a function of its image tag and its age."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.sandbox.kubernetes.store import Json, timestamp

CREATED_AT = "tocsin-sandbox/created-at"
"""The annotation that holds a pod's creation to the microsecond (its metadata has seconds)."""

BACKOFFS = (10, 30, 70, 150, 310)
"""Seconds after the first crash at which the kubelet restarts a container: the pause doubles
from 10 s up to 5 minutes (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/)."""
LONGEST_BACKOFF = 300


class Behavior(StrEnum):
    """What an image does, chosen by its tag; every other is `OK`, or `COMPLETE` in a Job."""

    OK = "ok"
    CRASH = "crash"
    BAD_IMAGE = "badimage"
    NOT_READY = "notready"
    SLOW = "slow"
    COMPLETE = "complete"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long after its creation a pod is ready, and one whose image is tagged `slow`."""

    ready_after: timedelta
    slow_after: timedelta = timedelta(seconds=10)


def behavior(pod: Json) -> Behavior:
    """Read the behavior off the tag of the first container's image."""
    tag = pod["spec"]["containers"][0]["image"].rpartition(":")[2]
    if tag in set(Behavior):
        return Behavior(tag)
    return Behavior.OK if _is_restarted(pod) else Behavior.COMPLETE


def _is_restarted(pod: Json) -> bool:
    """Whether its containers are started again when they have ended; not those of Jobs."""
    return bool(pod["spec"].get("restartPolicy", "Always") == "Always")


def created_at(pod: Json) -> datetime:
    """Return the moment at which the pod was created, or came to its node later."""
    metadata = pod["metadata"]
    annotations = metadata.get("annotations") or {}
    return datetime.fromisoformat(annotations.get(CREATED_AT) or metadata["creationTimestamp"])


def ready_at(pod: Json, pace: Pace) -> datetime | None:
    """Return the moment at which the pod becomes ready, None if it never does."""
    if "nodeName" not in pod["spec"]:
        return None
    match behavior(pod):
        case Behavior.OK:
            return created_at(pod) + pace.ready_after
        case Behavior.SLOW:
            return created_at(pod) + pace.slow_after
    return None


def ends_at(pod: Json, pace: Pace) -> datetime | None:
    """Return the moment at which the pod's program ends for good, None if it does not."""
    if "nodeName" in pod["spec"] and behavior(pod) in (Behavior.COMPLETE, Behavior.FAIL):
        return created_at(pod) + 2 * pace.ready_after
    return None


def is_finished(pod: Json) -> bool:
    """Whether the pod's last written status says that its program has ended for good."""
    return pod["status"].get("phase") in ("Succeeded", "Failed")


def is_ready(pod: Json) -> bool:
    """Whether the pod's last written status says that it is ready."""
    return any(
        condition["type"] == "Ready" and condition["status"] == "True"
        for condition in pod["status"].get("conditions", ())
    )


def waiting_reason(pod: Json) -> str:
    """Return what the pod's first container waits for, or the pod for a node; or empty."""
    containers = pod["status"].get("containerStatuses")
    if not containers:
        return "Unschedulable"
    return str(containers[0]["state"].get("waiting", {}).get("reason", ""))


def status(pod: Json, pace: Pace, now: datetime) -> Json:
    """Return the status that the kubelet would have written by now."""
    if "nodeName" not in pod["spec"]:
        return _UNSCHEDULED
    moment, end = ready_at(pod, pace), ends_at(pod, pace)
    started = created_at(pod) + pace.ready_after / 3
    if moment and moment <= now:
        return _status(pod, moment, _running(started), ready=True)
    if end and end <= now:
        return _finished(pod, end)
    if now < started:
        return _status(pod, created_at(pod), _waiting("ContainerCreating"), phase="Pending")
    match behavior(pod):
        case Behavior.BAD_IMAGE:
            return _status(pod, started, _waiting("ImagePullBackOff"), phase="Pending")
        case Behavior.CRASH:
            crashes = _restarts((now - started).total_seconds())
            return _status(pod, started, _waiting("CrashLoopBackOff"), restarts=crashes)
    return _status(pod, started, _running(started))


_UNSCHEDULED: Json = {
    "phase": "Pending",
    "conditions": [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "no node is available that takes it",
        }
    ],
}


def _finished(pod: Json, end: datetime) -> Json:
    failed = behavior(pod) is Behavior.FAIL
    ended = {"exitCode": int(failed), "reason": "Error" if failed else "Completed"}
    state = {"terminated": {**ended, "finishedAt": timestamp(end)}}
    return _status(pod, end, state, phase="Failed" if failed else "Succeeded")


def _status(
    pod: Json,
    since: datetime,
    state: Json,
    *,
    phase: str = "Running",
    ready: bool = False,
    restarts: int = 0,
) -> Json:
    unready = {} if ready else {"reason": "ContainersNotReady"}
    kinds = {"PodScheduled": True, "Initialized": True, "ContainersReady": ready, "Ready": ready}
    return {
        "phase": phase,
        "conditions": [
            {
                "type": kind,
                "status": str(fulfilled),
                "lastTransitionTime": timestamp(since),
                **({} if fulfilled else unready),
            }
            for kind, fulfilled in kinds.items()
        ],
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container["image"],
                "ready": ready,
                "restartCount": restarts,
                "state": state,
            }
            for container in pod["spec"]["containers"]
        ],
    }


def _waiting(reason: str) -> Json:
    return {"waiting": {"reason": reason}}


def _running(since: datetime) -> Json:
    return {"running": {"startedAt": timestamp(since)}}


def _restarts(seconds: float) -> int:
    """How often a container that crashes at once was restarted; the first time without pause."""
    beyond = max(0.0, seconds - BACKOFFS[-1])
    return 1 + bisect_right(BACKOFFS, seconds) + int(beyond // LONGEST_BACKOFF)
