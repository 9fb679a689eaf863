"""`kubernetes.backup_resources`: keep objects as they are now, as one object in the cluster."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from bot.domain.cluster import Marker, ObjectRef
from bot.domain.errors import NotFound, PermanentError
from bot.domain.excerpt import counted
from bot.domain.plan import StepOutcome, StepPlan
from bot.domain.resource import Manifest, Resource
from bot.domain.resource_changes import manifest_of
from bot.ports import Objects, StepContext
from bot.steps.arguments import Arguments, Namespace, ObjectName
from bot.steps.base import MutatingStep
from bot.steps.object_arguments import SECRET, Kind, kind_name

FILE = "resources.json.gz"
LABEL = "tocsin/backup"
"""The label of every backup; its value is the name that the runbook gave."""

MOST_BYTES = 700_000
"""The longest backup. Kubernetes takes about 1 MiB an object, and in base64 it grows by a third."""


class BackupResourcesArguments(Arguments):
    """Which kinds, in which namespace, with which labels (none: all), and the backup's name.

    Secrets are left out, unless `secrets` is on: then the backup is a Secret itself. With
    `reversible` off it is kept when the run fails later on.
    """

    name: Annotated[ObjectName, Field(max_length=63)]
    namespace: Namespace
    kinds: Annotated[tuple[Kind, ...], Field(min_length=1, max_length=20)]
    labels: Mapping[str, str] = Field(default_factory=dict)
    secrets: bool = False
    reversible: bool = True


class BackupResources(MutatingStep[BackupResourcesArguments]):
    """Reads the objects and writes them, compressed, into a ConfigMap beside them.

    Its name ends in the run's number, so that no backup takes another's place.
    """

    name = "kubernetes.backup_resources"
    arguments = BackupResourcesArguments
    decides = frozenset({"name"})

    def intent(self, arguments: BackupResourcesArguments) -> str:
        kinds = ", ".join(kind.partition(" ")[2] for kind in arguments.kinds)
        return f"Keep a copy of every {kinds} in {arguments.namespace}."

    def prepare(self, arguments: BackupResourcesArguments, context: StepContext) -> StepPlan:
        found = _found(arguments, context.objects)
        manifest = _manifest(arguments, found, context.marker)
        context.objects.create(manifest, context.marker, dry_run=True)
        ref = _ref(arguments, context.marker)
        return StepPlan(
            self.intent(arguments),
            changes=(f"+ {ref}: {_count(found)}",),
            decided={"name": ref.name},
            reversible=arguments.reversible,
        )

    def observe(
        self, arguments: BackupResourcesArguments, context: StepContext
    ) -> StepOutcome | None:
        ref = _ref(arguments, context.marker)
        try:
            there = context.objects.read(ref)
        except NotFound:
            return None
        return _outcome(there) if there.marker == str(context.marker) else None

    def apply(self, arguments: BackupResourcesArguments, context: StepContext) -> StepOutcome:
        found = _found(arguments, context.objects)
        manifest = _manifest(arguments, found, context.marker)
        return _outcome(context.objects.create(manifest, context.marker))

    def undo(
        self, arguments: BackupResourcesArguments, outcome: StepOutcome, context: StepContext
    ) -> StepOutcome:
        """Delete the backup: that very one."""
        ref = _ref(arguments, context.marker)
        context.objects.delete(ref, outcome.data["uid"])
        return StepOutcome(f"The backup {ref} is deleted.")


def _found(arguments: BackupResourcesArguments, objects: Objects) -> Sequence[Resource]:
    kinds = [kind_name(kind) for kind in arguments.kinds]
    if SECRET in kinds and not arguments.secrets:
        raise PermanentError("Secrets are backed up only with `secrets: true`.")
    return [
        one
        for kind in kinds
        for one in objects.find(kind, arguments.namespace, arguments.labels)
        if LABEL not in _labels(one.body)
    ]


def _manifest(
    arguments: BackupResourcesArguments, found: Sequence[Resource], marker: Marker
) -> Manifest:
    packed = gzip.compress(json.dumps(list(map(manifest_of, found))).encode(), mtime=0)
    if len(packed) > MOST_BYTES:
        raise PermanentError(
            f"{_count(found)} are {len(packed):,} bytes compressed, more than the "
            f"{MOST_BYTES:,} that one backup holds: name fewer kinds, or labels."
        )
    ref = _ref(arguments, marker)
    return {
        "apiVersion": "v1",
        "kind": "Secret" if arguments.secrets else "ConfigMap",
        "metadata": {
            "name": ref.name,
            "namespace": ref.namespace,
            "labels": {LABEL: arguments.name},
            "annotations": {"tocsin/backup-of": _count(found)},
        },
        "data" if arguments.secrets else "binaryData": {FILE: base64.b64encode(packed).decode()},
    }


def _ref(arguments: BackupResourcesArguments, marker: Marker) -> ObjectRef:
    kind = SECRET if arguments.secrets else "configmap"
    return ObjectRef(kind, arguments.namespace, f"{arguments.name}-{marker.run}")


def _labels(body: Manifest) -> Mapping[str, str]:
    return body["metadata"].get("labels") or {}


def _count(found: Sequence[Resource]) -> str:
    return counted(len(found), "object")


def _outcome(backup: Resource) -> StepOutcome:
    count = backup.body["metadata"]["annotations"]["tocsin/backup-of"]
    return StepOutcome(f"{count} kept in {backup.ref}.", {"uid": backup.uid})
