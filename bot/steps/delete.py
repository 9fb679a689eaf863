"""`kubernetes.delete`: delete one object, or all of a kind that carry some labels.

The plan names each by its uid, and no other is deleted: not what was made anew under an
old name, and not what began to carry the labels since.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from bot.domain.cluster import BlastRadius, ObjectRef
from bot.domain.errors import NotFound, PermanentError
from bot.domain.excerpt import counted
from bot.domain.plan import Limit, StepOutcome, StepPlan, Target
from bot.domain.resource import Resource
from bot.ports import Objects, StepContext
from bot.steps.arguments import SENTENCE, Arguments, Duration, Namespace
from bot.steps.base import MutatingStep
from bot.steps.object_arguments import Kind, ObjectPath, kind_name, object_ref, selector
from bot.steps.polling import Look, NotReached, Patience, watch

MOST = 50
"""Objects that one step deletes; a plan that names more is not read."""

PROTECTED = ("namespace", "customresourcedefinition")
"""Kinds that take all that is in them along, and so are no runbook's to delete."""

OWN_LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/part-of")
OWN = "tocsin"
"""What carries one of these labels with this value is Tocsin's own."""


class DeleteArguments(Arguments):
    """Either one `object`, or all of the kind in a `namespace` with all of the `labels`.

    With `optional` on, the step does nothing where there is nothing to delete.
    """

    kind: Kind
    object: ObjectPath | None = None
    namespace: Namespace | None = None
    labels: Mapping[str, str] | None = None
    optional: bool = False
    timeout: Duration = "120s"

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        by_labels = self.namespace is not None and bool(self.labels)
        some = self.namespace is not None or self.labels is not None
        if (self.object is None) != by_labels or (self.object is not None and some):
            raise PydanticCustomError(SENTENCE, "Give either object, or namespace and labels.")
        if kind_name(self.kind).partition(".")[0] in PROTECTED:
            raise PydanticCustomError(
                SENTENCE, "No runbook may delete a {kind}.", {"kind": self.word}
            )
        return self

    @property
    def word(self) -> str:
        """The kind without its API version."""
        return self.kind.partition(" ")[2]

    @property
    def subject(self) -> str:
        """What is deleted, in words."""
        if self.object is not None:
            return f"{self.word} {self.object}"
        labels = ", ".join(f"{key}={value}" for key, value in sorted((self.labels or {}).items()))
        return f"every {self.word} in {self.namespace} with {labels}"


class Delete(MutatingStep[DeleteArguments]):
    """Deletes what the plan named, and waits until it is gone; that can't be undone."""

    name = "kubernetes.delete"
    arguments = DeleteArguments

    def intent(self, arguments: DeleteArguments) -> str:
        return f"Delete {arguments.subject}, which can't be undone."

    def limit(self, arguments: DeleteArguments) -> Limit:
        return Patience(arguments.timeout).limit

    def prepare(self, arguments: DeleteArguments, context: StepContext) -> StepPlan:
        found = _found(arguments, context.objects)
        _require_deletable(arguments, found)
        for one in found:
            context.objects.delete(one.ref, one.uid, dry_run=True)
        return StepPlan(
            self.intent(arguments),
            changes=tuple(line for one in found for line in _lines(one)),
            targets=tuple(Target(one.ref, one.uid, one.spec_digest) for one in found),
            blast_radius=_blast_radius(found, context),
            decided={"objects": json.dumps([[one.ref.name, one.uid] for one in found])},
        )

    def observe(self, arguments: DeleteArguments, context: StepContext) -> StepOutcome | None:
        named = _named(arguments, context)
        return None if _remaining(named, context.objects) else _outcome(arguments, named)

    def apply(self, arguments: DeleteArguments, context: StepContext) -> StepOutcome:
        named = _named(arguments, context)
        for ref, uid in named.items():
            context.objects.delete(ref, uid)
        try:
            watch(context, lambda: _look(named, context.objects), Patience(arguments.timeout))
        except NotReached as error:
            raise PermanentError(f"{error} What was deleted stays deleted.") from error
        return _outcome(arguments, named)

    def undo(
        self, arguments: DeleteArguments, outcome: StepOutcome, context: StepContext
    ) -> StepOutcome:
        raise PermanentError(f"What was deleted can't be put back: {arguments.subject}.")


def _found(arguments: DeleteArguments, objects: Objects) -> Sequence[Resource]:
    try:
        return _sought(arguments, objects)
    except NotFound:
        if arguments.optional:
            return ()
        raise


def _sought(arguments: DeleteArguments, objects: Objects) -> Sequence[Resource]:
    if arguments.object is not None:
        return [objects.read(object_ref(arguments.kind, arguments.object))]
    labels = arguments.labels or {}
    return objects.find(kind_name(arguments.kind), arguments.namespace or "", labels)


def _require_deletable(arguments: DeleteArguments, found: Sequence[Resource]) -> None:
    if not found and not arguments.optional:
        raise PermanentError(f"There is nothing to delete: {arguments.subject}.")
    if len(found) > MOST:
        raise PermanentError(f"One step deletes {MOST} objects at most; these are {len(found)}.")
    for one in found:
        labels = one.body["metadata"].get("labels") or {}
        if any(labels.get(label) == OWN for label in OWN_LABELS):
            raise PermanentError(f"{one.ref} is Tocsin's own, which no runbook deletes.")


def _lines(one: Resource) -> Sequence[str]:
    finalizers = one.body["metadata"].get("finalizers")
    line = f"- {one.ref}"
    return [line, f"  waits for finalizers: {', '.join(finalizers)}"] if finalizers else [line]


def _blast_radius(found: Sequence[Resource], context: StepContext) -> BlastRadius | None:
    """What the pods of a single workload take along; that of several is not one thing."""
    labels = selector(found[0]) if len(found) == 1 else {}
    return context.cluster.blast_radius(found[0].ref.namespace, labels) if labels else None


def _named(arguments: DeleteArguments, context: StepContext) -> Mapping[ObjectRef, str]:
    """The objects of the plan, with their uids."""
    path = arguments.object or f"{arguments.namespace}/any"
    namespace = path.rpartition("/")[0]
    kind = kind_name(arguments.kind)
    planned = json.loads(context.decided["objects"])
    return {ObjectRef(kind, namespace, name): uid for name, uid in planned}


def _remaining(named: Mapping[ObjectRef, str], objects: Objects) -> Sequence[Resource]:
    there = (_there(ref, uid, objects) for ref, uid in named.items())
    return [one for one in there if one is not None]


def _there(ref: ObjectRef, uid: str, objects: Objects) -> Resource | None:
    try:
        found = objects.read(ref)
    except NotFound:
        return None
    return found if found.uid == uid else None


def _look(named: Mapping[ObjectRef, str], objects: Objects) -> Look:
    remaining = _remaining(named, objects)
    if not remaining:
        return Look(True, f"{counted(len(named), 'object')} gone")
    first = remaining[0]
    finalizers = ", ".join(first.body["metadata"].get("finalizers") or ())
    kept = f", kept by {finalizers}" if finalizers else ""
    return Look(False, f"{len(remaining)} of {len(named)} still there: {first.ref}{kept}")


def _outcome(arguments: DeleteArguments, named: Mapping[ObjectRef, str]) -> StepOutcome:
    if not named:
        return StepOutcome(f"There was nothing to delete: {arguments.subject}.")
    names = ", ".join(ref.name for ref in named)
    return StepOutcome(f"Deleted {arguments.subject}: {names}.")
