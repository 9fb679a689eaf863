"""The stand-in cluster: its objects, its clock and its lock."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from datetime import datetime, timedelta

from bot.sandbox.kubernetes.control_plane import UNKNOWN, Change, ControlPlane
from bot.sandbox.kubernetes.evictions import require_eviction
from bot.sandbox.kubernetes.logs import log_of
from bot.sandbox.kubernetes.overview import overview
from bot.sandbox.kubernetes.ownership import Applying
from bot.sandbox.kubernetes.pods import Pace
from bot.sandbox.kubernetes.seed import seed, seed_nodes
from bot.sandbox.kubernetes.store import NODES, PODS, Json, ObjectStore, Resource, has_labels

READY_AFTER = 0.6
"""Seconds from a pod's creation until it is ready: quick, yet a rollout can be watched."""


class SandboxCluster:
    """A cluster that lives in memory; any thread may use it.

    A new one holds the demo workspace. `now` tells the time, in UTC with its zone;
    `ready_after` is in seconds.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        ready_after: float = READY_AFTER,
        state: Json | None = None,
    ) -> None:
        self._now = now
        self._lock = threading.RLock()
        pace = Pace(timedelta(seconds=ready_after))
        self._plane = ControlPlane(ObjectStore(deepcopy(state)), pace)
        self.unknown_requests: deque[str] = deque(maxlen=100)
        """What was asked and is not served, newest last, such as ``DELETE /api/v1/...``."""
        if state is None:
            seed(self._plane, now())
        elif not self._plane.store.find(NODES):
            seed_nodes(self._plane, now())  # the dump is from a time when there were none

    @classmethod
    def load(cls, state: Json, now: Callable[[], datetime]) -> SandboxCluster:
        """Return the cluster that was dumped; what was due since happens at once."""
        return cls(now, state=state)

    def dump(self) -> Json:
        """Return all objects, as JSON."""
        with self._caught_up() as plane:
            return deepcopy(plane.store.state)

    def overview(self) -> list[Json]:
        """Return a row for each Deployment, for people to look at."""
        with self._caught_up() as plane:
            return overview(plane.store)

    def create(
        self,
        resource: Resource,
        namespace: str,
        body: Json,
        *,
        manager: str = UNKNOWN,
        dry_run: bool = False,
    ) -> Json:
        with self._caught_up(dry_run) as plane:
            return plane.create(resource, namespace, body, self._now(), manager)

    def get(self, resource: Resource, namespace: str, name: str) -> Json:
        with self._caught_up() as plane:
            return plane.get(resource, namespace, name)

    def find(
        self, resource: Resource, namespace: str, labels: Mapping[str, str]
    ) -> tuple[list[Json], str]:
        """Return the objects that carry these labels, and the resourceVersion of the list."""
        with self._caught_up() as plane:
            found = plane.store.find(resource, namespace)
            return [item for item in found if has_labels(item, labels)], plane.store.version

    def change(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        change: Change,
        *,
        manager: str = UNKNOWN,
        dry_run: bool = False,
    ) -> Json:
        with self._caught_up(dry_run) as plane:
            return plane.change(resource, namespace, name, change, self._now(), manager)

    def apply(
        self,
        resource: Resource,
        namespace: str,
        manifest: Json,
        by: Applying,
        *,
        dry_run: bool = False,
    ) -> Json:
        with self._caught_up(dry_run) as plane:
            return plane.apply(resource, namespace, manifest, by, self._now())

    def delete(
        self, resource: Resource, namespace: str, name: str, uid: str = "", *, dry_run: bool = False
    ) -> Json:
        with self._caught_up(dry_run) as plane:
            return plane.delete(resource, namespace, name, uid, self._now())

    def evict(self, namespace: str, name: str, *, dry_run: bool = False) -> None:
        """Remove a pod, if its budgets allow it."""
        with self._caught_up(dry_run) as plane:
            require_eviction(plane.store, plane.get(PODS, namespace, name))
            plane.delete(PODS, namespace, name, "", self._now())

    def log(self, namespace: str, name: str, container: str, *, previous: bool) -> list[str]:
        """Return the lines of a container's log."""
        with self._caught_up() as plane:
            return log_of(plane.get(PODS, namespace, name), container, previous)

    @contextmanager
    def _caught_up(self, dry_run: bool = False) -> Iterator[ControlPlane]:
        with self._lock:
            self._plane.catch_up(self._now())
            yield self._plane.dry_run() if dry_run else self._plane
