"""The stand-in's Job controller: a pod at a time, until one succeeds or too many have failed.

The rules are those of kubernetes/pkg/controller/job, but a failed try is repeated at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.sandbox.kubernetes.new_pods import create_pod, owned
from bot.sandbox.kubernetes.pods import is_finished
from bot.sandbox.kubernetes.store import JOBS, PODS, Json, ObjectStore, timestamp

BACKOFF_LIMIT = 6
"""How many tries may fail if the Job does not say so."""


def run_jobs(store: ObjectStore, now: datetime) -> None:
    """Bring each Job forward; those that ended long enough ago are removed."""
    for job in store.find(JOBS):
        if _ended_at(job) is None:
            _advance(store, job, now)
        elif _is_outdated(job, now):
            for pod in owned(store, PODS, job):
                store.remove(PODS, pod)
            store.remove(JOBS, job)


def _advance(store: ObjectStore, job: Json, now: datetime) -> None:
    pods = owned(store, PODS, job)
    phases = [pod["status"].get("phase") for pod in pods]
    failed, succeeded = phases.count("Failed"), phases.count("Succeeded")
    status = {
        "startTime": job["metadata"]["creationTimestamp"],
        "active": len(phases) - failed - succeeded,
        "failed": failed,
        "succeeded": succeeded,
    }
    if succeeded:
        status |= _end(now, "Complete") | {"completionTime": timestamp(now)}
    elif failed > job["spec"].get("backoffLimit", BACKOFF_LIMIT):
        status |= _end(now, "Failed", "BackoffLimitExceeded", "specified backoff limit")
    elif _is_late(job, now):
        status |= _end(now, "Failed", "DeadlineExceeded", "specified deadline") | {"active": 0}
        for pod in pods:
            if not is_finished(pod):
                store.remove(PODS, pod)
    elif not status["active"]:
        create_pod(store, JOBS, job, _template(job), now)
        status["active"] = 1
    store.save(JOBS, {**job, "status": status})


def _template(job: Json) -> Json:
    template = job["spec"]["template"]
    metadata = template.get("metadata") or {}
    name = job["metadata"]["name"]
    own = {"job-name": name, "batch.kubernetes.io/job-name": name}
    return {**template, "metadata": {**metadata, "labels": {**metadata.get("labels", {}), **own}}}


def _end(now: datetime, kind: str, reason: str = "", limit: str = "") -> Json:
    why = {"reason": reason, "message": f"Job has reached the {limit}"} if reason else {}
    condition = {"type": kind, "status": "True", "lastTransitionTime": timestamp(now), **why}
    return {"conditions": [condition]}


def _ended_at(job: Json) -> datetime | None:
    conditions = job["status"].get("conditions")
    return datetime.fromisoformat(conditions[0]["lastTransitionTime"]) if conditions else None


def _is_late(job: Json, now: datetime) -> bool:
    limit = job["spec"].get("activeDeadlineSeconds")
    began = datetime.fromisoformat(job["metadata"]["creationTimestamp"])
    return limit is not None and now - began >= timedelta(seconds=limit)


def _is_outdated(job: Json, now: datetime) -> bool:
    kept, ended = job["spec"].get("ttlSecondsAfterFinished"), _ended_at(job)
    return kept is not None and ended is not None and now - ended >= timedelta(seconds=kept)
