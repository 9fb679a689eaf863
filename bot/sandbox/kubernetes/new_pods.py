"""How the stand-in's controllers make pods from templates."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime
from uuid import uuid4

from bot.sandbox.kubernetes.pods import CREATED_AT
from bot.sandbox.kubernetes.store import PODS, Json, ObjectStore, Resource


def create_pod(
    store: ObjectStore, resource: Resource, owner: Json, template: Json, now: datetime
) -> None:
    """Create a pod that its owner, an object of `resource`, controls; no node has it yet."""
    template = deepcopy(template)
    metadata = template.get("metadata") or {}
    body = {
        "metadata": {
            "name": f"{owner['metadata']['name']}-{uuid4().hex[:5]}",
            "labels": metadata.get("labels") or {},
            "annotations": {**(metadata.get("annotations") or {}), CREATED_AT: now.isoformat()},
            "ownerReferences": [owner_reference(resource, owner)],
        },
        "spec": template["spec"],
        "status": {"phase": "Pending"},
    }
    store.add(PODS, owner["metadata"]["namespace"], body, now)


def owner_reference(resource: Resource, owner: Json) -> Json:
    """The reference by which an object tells its controller."""
    metadata = owner["metadata"]
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def owned(store: ObjectStore, resource: Resource, owner: Json) -> list[Json]:
    """The objects of a kind that the owner controls."""
    uid = owner["metadata"]["uid"]

    def is_controlled(item: Json) -> bool:
        return any(it["uid"] == uid for it in item["metadata"].get("ownerReferences", ()))

    return store.find(resource, owner["metadata"]["namespace"], is_controlled)
