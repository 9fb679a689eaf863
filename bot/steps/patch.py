"""`kubernetes.patch`: change fields of any object, custom resources included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from bot.domain.cluster import ObjectRef
from bot.domain.resource import Resource
from bot.ports import StepContext
from bot.steps.arguments import SENTENCE
from bot.steps.object_arguments import ObjectArguments
from bot.steps.object_change import ObjectChange, Patch, with_before

_METADATA = {"labels", "annotations", "finalizers"}
"""What of an object's metadata a runbook may set; the rest says which object it is."""

_Path = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")]


class PatchArguments(ObjectArguments):
    """Which object, and the fields to set, such as ``{spec: {instances: 3}}``.

    `apply` is a server-side apply: what other managers own is refused. `merge` is a JSON
    merge patch: it asks for no owner. One of them is given; `remove` names fields
    (``spec.standby``) that a merge patch takes away. With `reversible` off the change
    stays when the run fails later on, as one must that can't be taken back by a patch.
    """

    apply: dict[str, Any] | None = None
    merge: dict[str, Any] | None = None
    remove: Annotated[list[_Path], Field(max_length=20)] = Field(default_factory=list)
    reversible: bool = True

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        merges = self.merge is not None or bool(self.remove)
        if (self.apply is None) != merges or not self.fields:
            raise PydanticCustomError(SENTENCE, "Give either apply or merge, with fields in it.")
        refused = sorted(_refused(self.fields))
        if refused:
            fields = {"fields": ", ".join(refused)}
            raise PydanticCustomError(SENTENCE, "A patch may not set {fields}.", fields)
        return self

    @property
    def fields(self) -> Mapping[str, Any]:
        """The fields to set; those to remove are None."""
        fields: Mapping[str, Any] = self.apply or self.merge or {}
        return reduce(_without, (path.split(".") for path in self.remove), fields)


def _without(fields: Patch, path: Sequence[str]) -> Patch:
    """The merge patch that also removes a field."""
    name, *rest = path
    inner = fields.get(name)
    return {
        **fields,
        name: _without(inner if isinstance(inner, dict) else {}, rest) if rest else None,
    }


def _refused(fields: Mapping[str, Any]) -> set[str]:
    metadata = fields.get("metadata", {})
    if not isinstance(metadata, dict):
        return {"metadata"}
    inner = {f"metadata.{key}" for key in metadata.keys() - _METADATA}
    return inner | (fields.keys() & {"apiVersion", "kind", "status"})


class PatchObject(ObjectChange[PatchArguments]):
    """Sets fields of one object that is there already."""

    name = "kubernetes.patch"
    arguments = PatchArguments

    def intent(self, arguments: PatchArguments) -> str:
        return f"Change {', '.join(sorted(arguments.fields))} of {arguments.subject}."

    def done(self, arguments: PatchArguments) -> str:
        return f"{arguments.subject} is changed."

    def reversible(self, arguments: PatchArguments) -> bool:
        return arguments.reversible

    def ref(self, arguments: PatchArguments) -> ObjectRef:
        return arguments.ref

    def patch(self, arguments: PatchArguments, live: Resource) -> Patch:
        return arguments.fields

    def send(
        self,
        arguments: PatchArguments,
        live: Resource,
        context: StepContext,
        before: str,
        dry_run: bool,
    ) -> Resource:
        if arguments.apply is None:
            return super().send(arguments, live, context, before, dry_run)
        manifest = _manifest(live, with_before(arguments.fields, before))
        return context.objects.apply(
            manifest, context.marker, version=live.version, dry_run=dry_run
        )


def _manifest(live: Resource, fields: Patch) -> Mapping[str, Any]:
    place = {"namespace": live.ref.namespace} if live.ref.namespace else {}
    metadata = {**(fields.get("metadata") or {}), "name": live.ref.name, **place}
    identity = {"apiVersion": live.body["apiVersion"], "kind": live.body["kind"]}
    return {**fields, **identity, "metadata": metadata}
