"""The stand-in's Deployment controller: it brings rollouts forward as time passes.

Nothing runs between requests. A pod's status is a function of its age, and besides a
changed spec the controllers only ever wait for a pod to become ready. So catching up
with the present means visiting those moments in order, and letting the controllers
settle at each of them. The rules, with maxSurge 1 and maxUnavailable 0, are those of
Kubernetes' own controller (kubernetes/pkg/controller/deployment: rolling.go, sync.go).
"""

from __future__ import annotations

from datetime import datetime

from bot.sandbox.kubernetes import pods as kubelet
from bot.sandbox.kubernetes.budgets import budget_status
from bot.sandbox.kubernetes.events import write_events
from bot.sandbox.kubernetes.jobs import run_jobs
from bot.sandbox.kubernetes.nodes import schedule
from bot.sandbox.kubernetes.pods import Pace
from bot.sandbox.kubernetes.progress import Progress, counts, is_complete
from bot.sandbox.kubernetes.replica_sets import ReplicaSets, has_template, revision
from bot.sandbox.kubernetes.store import BUDGETS, DEPLOYMENTS, PODS, Json, ObjectStore

SURGE = 1
"""How many pods a rollout may have beyond the desired number."""


def catch_up(store: ObjectStore, pace: Pace, now: datetime) -> None:
    """Let everything happen that is due by now, each thing at its own moment."""
    while moment := _next_moment(store, pace, now):
        _settle(store, pace, moment)
    _settle(store, pace, now)


def _next_moment(store: ObjectStore, pace: Pace, now: datetime) -> datetime | None:
    waiting = store.find(PODS, matches=_is_under_way)
    turns = (kubelet.ready_at, kubelet.ends_at)
    moments = (turn(pod, pace) for pod in waiting for turn in turns)
    return min((moment for moment in moments if moment and moment <= now), default=None)


def _is_under_way(pod: Json) -> bool:
    return not kubelet.is_ready(pod) and not kubelet.is_finished(pod)


def _settle(store: ObjectStore, pace: Pace, now: datetime) -> None:
    schedule(store, now)
    _run_pods(store, pace, now)
    run_jobs(store, now)
    for deployment in store.find(DEPLOYMENTS):
        Rollout(ReplicaSets(store, deployment, pace, now)).settle()
    for budget in store.find(BUDGETS):
        store.save(BUDGETS, {**budget, "status": budget_status(store, budget)})
    if schedule(store, now):
        _run_pods(store, pace, now)
    write_events(store, now)


def _run_pods(store: ObjectStore, pace: Pace, now: datetime) -> None:
    """Have the kubelets write what became of their pods."""
    for pod in store.find(PODS, matches=_is_under_way):
        store.save(PODS, {**pod, "status": kubelet.status(pod, pace, now)})


class Rollout:
    """One Deployment at one moment."""

    def __init__(self, owned: ReplicaSets) -> None:
        template = owned.deployment["spec"]["template"]
        self._owned = owned
        self._desired: int = owned.deployment["spec"]["replicas"]
        self._all = owned.all()
        self._current = next((it for it in self._all if has_template(it, template)), None)

    def settle(self) -> None:
        """Go as far as is possible now, and write the status."""
        for replica_set in self._all:
            self._owned.fill(replica_set)
            self._owned.report(replica_set)
        if self._owned.deployment["spec"].get("paused"):
            self._report(created=False)
        else:
            self._roll()

    def _roll(self) -> None:
        """Scale step by step; each step's status counts, as one may show progress."""
        old = [it for it in self._all if it is not self._current]
        created = self._current is None
        current = self._current or self._create()
        newest = max(map(revision, old), default=0)
        if revision(current) <= newest:
            self._owned.number(current, newest + 1)
        self._report(created)
        while self._scale_up(current) or self._scale_down(current, old):
            self._report(created=False)

    def _create(self) -> Json:
        self._current = self._owned.create()
        self._all.append(self._current)
        return self._current

    def _scale_up(self, current: Json) -> bool:
        """Bring the current ReplicaSet as near to the desired size as the surge allows."""
        size = _size(current)
        room = self._desired + SURGE - sum(map(_size, self._all))
        wanted = min(self._desired, size + max(0, room))
        if wanted != size:
            self._owned.scale(current, wanted)
        return wanted != size

    def _scale_down(self, current: Json, old: list[Json]) -> bool:
        """Remove old pods, unready ones first, while the desired number stays available."""
        spare = sum(map(_size, self._all)) - self._desired - (_size(current) - _ready(current))
        surplus = sum(map(_ready, self._all)) - self._desired
        unready = ((it, min(spare, _size(it) - _ready(it))) for it in old)
        ready = ((it, min(spare, surplus, _size(it))) for it in old)
        for replica_set, count in (*unready, *ready):
            if count > 0:
                self._owned.scale(replica_set, _size(replica_set) - count)
                return True
        return False

    def _report(self, created: bool) -> None:
        deployment = self._owned.deployment
        summed = counts(self._all, self._current)
        progress = Progress(deployment, summed, created, self._owned.now)
        deployment["status"] = progress.status()
        self._owned.store.save(DEPLOYMENTS, deployment)
        if is_complete(self._desired, summed):
            self._forget()

    def _forget(self) -> None:
        """Keep only so many of the ReplicaSets that are out of use as the spec says."""
        limit = self._owned.deployment["spec"]["revisionHistoryLimit"]
        unused = [it for it in self._all if it is not self._current]
        for replica_set in sorted(unused, key=revision)[: max(0, len(unused) - limit)]:
            self._owned.remove(replica_set)
            self._all.remove(replica_set)


def _size(replica_set: Json) -> int:
    return int(replica_set["spec"]["replicas"])


def _ready(replica_set: Json) -> int:
    return int(replica_set["status"]["readyReplicas"])
