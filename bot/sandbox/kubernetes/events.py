"""The stand-in's Events: a warning for each pod that can't run, as its kubelet would write."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.sandbox.kubernetes.pods import waiting_reason
from bot.sandbox.kubernetes.store import EVENTS, PODS, Json, ObjectStore, timestamp

KEPT = timedelta(hours=1)
"""How long the API server keeps Events (kube-apiserver --event-ttl)."""

MESSAGES = {
    "CrashLoopBackOff": "Back-off restarting failed container {name}",
    "ImagePullBackOff": 'Back-off pulling image "{image}"',
}


def write_events(store: ObjectStore, now: datetime) -> None:
    """Write the warnings that are due, and forget old ones."""
    for event in store.find(EVENTS):
        if now - datetime.fromisoformat(event["lastTimestamp"]) > KEPT:
            store.remove(EVENTS, event)
    for pod in store.find(PODS, matches=lambda pod: waiting_reason(pod) in MESSAGES):
        _warn(store, pod, now)


def _warn(store: ObjectStore, pod: Json, now: datetime) -> None:
    namespace, name = pod["metadata"]["namespace"], f"{pod['metadata']['name']}.backoff"
    count = max(1, pod["status"]["containerStatuses"][0]["restartCount"])
    known = store.get(EVENTS, namespace, name)
    if known is None:
        store.add(EVENTS, namespace, _event(pod, name, count, now), now)
    elif known["count"] != count:
        store.save(EVENTS, {**known, "count": count, "lastTimestamp": timestamp(now)})


def _event(pod: Json, name: str, count: int, now: datetime) -> Json:
    metadata, container = pod["metadata"], pod["spec"]["containers"][0]
    names = ("namespace", "name", "uid")
    return {
        "metadata": {"name": name},
        "type": "Warning",
        "reason": "BackOff",
        "message": MESSAGES[waiting_reason(pod)].format(**container),
        "involvedObject": {"kind": "Pod", **{key: metadata[key] for key in names}},
        "count": count,
        "firstTimestamp": timestamp(now),
        "lastTimestamp": timestamp(now),
    }
