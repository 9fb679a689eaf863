"""What steps that change fields of one object have in common.

The plan is a dry run, shown as the fields that differ. With the change itself, in the
same request, the object gets two annotations: whose change it was, and the merge patch
that puts back what was there. So whoever finds the object after a crash can tell both,
and the undo is exact. It touches only fields that still are as the step left them.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bot.domain.cluster import BlastRadius, ObjectRef
from bot.domain.errors import Conflict, NotFound, PermanentError
from bot.domain.merge_patch import difference, holds, merged
from bot.domain.plan import StepOutcome, StepPlan, Target
from bot.domain.resource import Resource
from bot.domain.resource_changes import BEFORE_ANNOTATION, change_lines, content
from bot.ports import StepContext
from bot.steps.arguments import Arguments
from bot.steps.base import MutatingStep
from bot.steps.object_arguments import SECRET, selector

A = TypeVar("A", bound=Arguments)
T = TypeVar("T")
Patch = Mapping[str, Any]

NO_CHANGE = "nothing changes: it is so already"
TRIES = 5
"""How often a change is tried that meets conflicts: a controller that only writes the status, as
in a rollout, makes some too; who else changes the object so often is not to be raced."""

LONGEST_BEFORE = 100_000
"""Characters of what is put back; Kubernetes allows an object 256 KiB of annotations in all."""


class ObjectChange(MutatingStep[A]):
    """A change of one object's fields."""

    guards_values = True
    """Whether a field that is not as the plan saw it any more stops the step."""

    @abstractmethod
    def ref(self, arguments: A) -> ObjectRef:
        """Which object is changed."""

    @abstractmethod
    def patch(self, arguments: A, live: Resource) -> Patch:
        """The change, as a JSON merge patch; a `PermanentError` if it makes no sense."""

    @abstractmethod
    def done(self, arguments: A) -> str:
        """The sentence that says it is done."""

    def reversible(self, arguments: A) -> bool:
        """Whether the change is to be put back when the run fails later on."""
        return True

    def warnings(self, arguments: A, context: StepContext) -> tuple[str, ...]:
        """What else a person should know before it is done."""
        return ()

    def decided(self, arguments: A, live: Resource) -> Mapping[str, str]:
        """What later steps may use, of the object as it is now."""
        return {}

    def send(
        self, arguments: A, live: Resource, context: StepContext, before: str, dry_run: bool
    ) -> Resource:
        """Change the object, only as it was read, and keep `before` on it."""
        patch = with_before(self.patch(arguments, live), before)
        return context.objects.merge(
            live.ref, patch, context.marker, version=live.version, dry_run=dry_run
        )

    def prepare(self, arguments: A, context: StepContext) -> StepPlan:
        return _insisting(lambda: self._planned(arguments, context), context)

    def _planned(self, arguments: A, context: StepContext) -> StepPlan:
        live = context.objects.read(self.ref(arguments))
        result = self.send(arguments, live, context, "", dry_run=True)
        before = _before(live, result)
        secret = live.ref.kind == SECRET
        changes = change_lines(live.body, result.body, secret=secret)
        return StepPlan(
            self.intent(arguments),
            changes=(*(changes or (NO_CHANGE,)), *self.warnings(arguments, context)),
            targets=(Target(live.ref, live.uid, live.spec_digest),),
            blast_radius=_blast_radius(live, context),
            decided={
                "uid": live.uid,
                **({"before": _text(before)} if self.guards_values and not secret else {}),
                **self.decided(arguments, live),
            },
            reversible=self.reversible(arguments) and _is_reversible(live, before),
            as_wanted=not changes,
        )

    def observe(self, arguments: A, context: StepContext) -> StepOutcome | None:
        try:
            live = context.objects.read(self.ref(arguments))
        except NotFound:
            return None
        if live.marker != str(context.marker):
            return None
        annotations = live.body["metadata"].get("annotations") or {}
        return self._outcome(arguments, live, annotations.get(BEFORE_ANNOTATION, ""))

    def apply(self, arguments: A, context: StepContext) -> StepOutcome:
        """Change it; if somebody else changed it at that moment, look again."""
        return _insisting(lambda: self._change(arguments, context), context)

    def _change(self, arguments: A, context: StepContext) -> StepOutcome:
        live = context.objects.read(self.ref(arguments))
        _require_planned(live, context)
        preview = self.send(arguments, live, context, "", dry_run=True)
        patch = _before(live, preview)
        before = _text(patch) if _is_reversible(live, patch) else ""
        result = self.send(arguments, live, context, before, dry_run=False)
        return self._outcome(arguments, result, before)

    def _outcome(self, arguments: A, result: Resource, before: str) -> StepOutcome:
        if not before:
            return StepOutcome(self.done(arguments), {"uid": result.uid})
        after = content(result.body)
        changed = difference(merged(after, json.loads(before)), after)
        data = {"uid": result.uid, "before": before, "after": _text(changed)}
        return StepOutcome(self.done(arguments), data)

    def undo(self, arguments: A, outcome: StepOutcome, context: StepContext) -> StepOutcome:
        """Put the fields back, unless somebody has changed them since."""
        if "before" not in outcome.data:
            raise PermanentError(f"What {self.ref(arguments)} was before was not kept.")
        return _insisting(lambda: self._put_back(arguments, outcome.data, context), context)

    def _put_back(self, arguments: A, data: Mapping[str, str], context: StepContext) -> StepOutcome:
        live = context.objects.read(self.ref(arguments))
        before, after = json.loads(data["before"]), json.loads(data["after"])
        now = content(live.body)
        if live.uid == data["uid"] and holds(now, before):
            return StepOutcome(f"{live.ref} is as it was before.")
        if live.uid != data["uid"] or not holds(now, after):
            raise PermanentError(
                f"{live.ref} was changed since by somebody, so it is left as it is."
            )
        patch = _annotated(before, None)
        context.objects.merge(live.ref, patch, context.marker, version=live.version)
        return StepOutcome(f"{live.ref} is set back to what it was before.")


def _insisting(change: Callable[[], T], context: StepContext) -> T:
    """The change's result; after a conflict it begins anew, by reading the object again.

    The conflict may be with another runner, who went on while this one slept.
    """
    for _ in range(TRIES - 1):
        try:
            return change()
        except Conflict as error:
            if context.stopped():
                raise PermanentError(f"The run went on without this step: {error}") from error
    try:
        return change()
    except Conflict as error:
        raise PermanentError(
            f"Somebody else is changing it at the same time, so it is left to them: {error}"
        ) from error


def _require_planned(live: Resource, context: StepContext) -> None:
    """Refuse what is another object now, or has other values than those that were approved.

    What an earlier step of the same run changed was part of the plan.
    """
    planned = context.decided
    if live.uid != planned["uid"]:
        raise PermanentError(f"{live.ref} was deleted and made anew since it was planned.")
    ours = live.marker.startswith(f"run-{context.marker.run}/")
    if not ours and not holds(content(live.body), json.loads(planned.get("before", "{}"))):
        raise PermanentError(f"{live.ref} was changed by somebody since it was planned.")


def _before(live: Resource, result: Resource) -> Patch:
    """The patch that makes of the result what is there now."""
    return difference(content(result.body), content(live.body))


def _is_reversible(live: Resource, before: Patch) -> bool:
    """Whether its values may be kept, as a Secret's may not, and are few enough."""
    return live.ref.kind != SECRET and len(_text(before)) <= LONGEST_BEFORE


def with_before(patch: Patch, before: str) -> Patch:
    """The patch that also keeps `before` on the object, if there is any."""
    return _annotated(patch, before) if before else patch


def _annotated(patch: Patch, before: str | None) -> Patch:
    """The patch that also writes `before` onto the object, or with None takes it off."""
    metadata = patch.get("metadata") or {}
    annotations = {**(metadata.get("annotations") or {}), BEFORE_ANNOTATION: before}
    return {**patch, "metadata": {**metadata, "annotations": annotations}}


def _blast_radius(live: Resource, context: StepContext) -> BlastRadius | None:
    labels = selector(live)
    return context.cluster.blast_radius(live.ref.namespace, labels) if labels else None


def _text(value: Patch) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
