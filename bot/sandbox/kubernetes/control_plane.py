"""Creating and changing the stand-in's objects, at a given moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox.kubernetes.admission import admit_change, admit_new, given_name
from bot.sandbox.kubernetes.ownership import Applying, Conflict, applied, updated
from bot.sandbox.kubernetes.pods import Pace
from bot.sandbox.kubernetes.refusals import already_exists, field_conflict, not_found, replaced
from bot.sandbox.kubernetes.rollout import catch_up
from bot.sandbox.kubernetes.store import (
    NAMESPACES,
    RESOURCES,
    Json,
    ObjectStore,
    Resource,
    timestamp,
)

UNKNOWN = "unknown"
"""The field manager of a change whose author did not say who it is."""

Change = Callable[[Json], Json]
"""Takes an object as it is and returns it as it shall be; it changes nothing in place."""


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """Objects, and the controllers that act on them.

    A change returns the object as it was stored; the controllers act on it right after
    the answer, as in a real cluster, but at that same moment.
    """

    store: ObjectStore
    pace: Pace

    def dry_run(self) -> ControlPlane:
        """Return a copy in which a change can be tried."""
        return ControlPlane(self.store.copy(), self.pace)

    def catch_up(self, now: datetime) -> None:
        """Let everything happen that is due by now."""
        catch_up(self.store, self.pace, now)

    def create(
        self, resource: Resource, namespace: str, body: Json, now: datetime, manager: str = UNKNOWN
    ) -> Json:
        """Create an object.

        Raises:
            Refusal: it exists already, its namespace doesn't, or it is not valid.
        """
        self.catch_up(now)
        name = given_name(resource, body)
        if namespace and not self.store.get(NAMESPACES, "", namespace):
            raise not_found(NAMESPACES, namespace)
        if self.store.get(resource, namespace, name):
            raise already_exists(resource, name)
        created = self.store.add(resource, namespace, admit_new(resource, body), now)
        self.store.set_owners(resource, created, updated({}, manager, {}, created))
        self.catch_up(now)
        return created

    def get(self, resource: Resource, namespace: str, name: str) -> Json:
        """Return an object as it is.

        Raises:
            Refusal: it does not exist.
        """
        found = self.store.get(resource, namespace, name)
        if found is None:
            raise not_found(resource, name)
        return found

    def change(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        change: Change,
        now: datetime,
        manager: str = UNKNOWN,
    ) -> Json:
        """Change an object.

        Raises:
            Refusal: it does not exist, or is not valid after the change.
        """
        self.catch_up(now)
        old = self.get(resource, namespace, name)
        changed = self.store.save(resource, admit_change(resource, old, change(old)))
        owners = updated(self.store.owners(resource, old), manager, old, changed)
        self.store.set_owners(resource, changed, owners)
        self._finish_deletion(resource, changed)
        self.catch_up(now)
        return changed

    def apply(
        self, resource: Resource, namespace: str, manifest: Json, by: Applying, now: datetime
    ) -> Json:
        """Apply a manifest on the server's side; what isn't there yet is created.

        Raises:
            Refusal: others own what would change, or the object is not valid then.
        """
        self.catch_up(now)
        name = given_name(resource, manifest)
        old = self.store.get(resource, namespace, name)
        if old is None:
            created = self.create(resource, namespace, manifest, now)
            _, owners = applied(created, manifest, {}, by)
            self.store.set_owners(resource, created, owners)
            return created
        try:
            new, owners = applied(old, manifest, self.store.owners(resource, old), by)
        except Conflict as conflict:
            raise field_conflict(resource, name, conflict.fields) from None
        expected = manifest["metadata"].get("resourceVersion", old["metadata"]["resourceVersion"])
        new["metadata"]["resourceVersion"] = expected
        changed = self.store.save(resource, admit_change(resource, old, new))
        self.store.set_owners(resource, changed, owners)
        self.catch_up(now)
        return changed

    def delete(
        self, resource: Resource, namespace: str, name: str, uid: str, now: datetime
    ) -> Json:
        """Delete an object and what it owns; one with finalizers stays until they are gone.

        Raises:
            Refusal: it does not exist, or has another uid than the one that is given.
        """
        self.catch_up(now)
        found = self.get(resource, namespace, name)
        actual = found["metadata"]["uid"]
        if uid not in ("", actual):
            raise replaced(resource, name, uid, actual)
        found["metadata"].setdefault("deletionTimestamp", timestamp(now))
        self._finish_deletion(resource, self.store.save(resource, found))
        self.catch_up(now)
        return found

    def _finish_deletion(self, resource: Resource, item: Json) -> None:
        metadata = item["metadata"]
        if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
            self._remove(resource, item)

    def _remove(self, resource: Resource, item: Json) -> None:
        self.store.remove(resource, item)
        for kind in RESOURCES:
            for other in self.store.find(kind, item["metadata"].get("namespace", "")):
                owners = other["metadata"].get("ownerReferences", ())
                if any(owner["uid"] == item["metadata"]["uid"] for owner in owners):
                    self._remove(kind, other)
