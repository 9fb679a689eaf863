"""Creating and changing the stand-in's objects, at a given moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox.kubernetes.admission import admit_change, admit_new, given_name
from bot.sandbox.kubernetes.pods import Pace
from bot.sandbox.kubernetes.refusals import already_exists, not_found
from bot.sandbox.kubernetes.rollout import catch_up
from bot.sandbox.kubernetes.store import NAMESPACES, Json, ObjectStore, Resource

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

    def create(self, resource: Resource, namespace: str, body: Json, now: datetime) -> Json:
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
        self, resource: Resource, namespace: str, name: str, change: Change, now: datetime
    ) -> Json:
        """Change an object.

        Raises:
            Refusal: it does not exist, or is not valid after the change.
        """
        self.catch_up(now)
        old = self.get(resource, namespace, name)
        changed = self.store.save(resource, admit_change(resource, old, change(old)))
        self.catch_up(now)
        return changed
