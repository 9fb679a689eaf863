"""`argo.rollout_abort`, `argo.rollout_promote`, `argo.rollout_retry`: steer a Rollout's update.

Each writes what the kubectl plugin writes (argoproj/argo-rollouts,
pkg/kubectl-argo-rollouts/cmd/{abort,promote,retry}). Most of it is in the status, whose
subresource takes no annotation. So the marker is written first, with what belongs into the
spec, and whether the rest followed is seen from the status: a step that was interrupted
between the two does the rest.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.domain.errors import PermanentError
from bot.domain.plan import StepOutcome, StepPlan
from bot.ports import StepContext
from bot.steps.argo_rollout import (
    Rollout,
    RolloutArguments,
    blast_radius_of,
    read_rollout,
)
from bot.steps.base import MutatingStep, target_of

A = TypeVar("A", bound=RolloutArguments)

ABORT: Mapping[str, Any] = {"abort": True}
RETRY: Mapping[str, Any] = {"abort": False}


@dataclass(frozen=True, slots=True)
class Change:
    """What is merged into the status, and whether a pause by hand is taken back."""

    status: Mapping[str, Any]
    release: bool = False

    @property
    def lines(self) -> tuple[str, ...]:
        """The change, for the plan."""
        status = (f"+ status.{name}: {_shown(value)}" for name, value in self.status.items())
        return (*status, *(("+ spec.paused: false",) if self.release else ()))


class _RolloutStep(MutatingStep[A]):
    """What the three have in common."""

    decides = frozenset({"position"})
    reversible = False

    @abstractmethod
    def refusal(self, arguments: A, rollout: Rollout) -> str:
        """Why it can't be done to the Rollout as it is; empty when it can."""

    @abstractmethod
    def change(self, arguments: A, rollout: Rollout) -> Change:
        """What to write."""

    @abstractmethod
    def done(self, arguments: A, rollout: Rollout, planned: str) -> bool:
        """Whether it has taken effect; `planned` is the position that the plan saw."""

    @abstractmethod
    def said(self, arguments: A) -> str:
        """What was done, as a sentence."""

    def prepare(self, arguments: A, context: StepContext) -> StepPlan:
        rollout = read_rollout(arguments.rollout, context)
        refusal = self.refusal(arguments, rollout)
        change = self.change(arguments, rollout)
        if not refusal:
            _begin(rollout, change, context, dry_run=True)
            _finish(rollout, change, context, dry_run=True)
        return StepPlan(
            f"{self.intent(arguments)} Now: {_now(rollout)}.",
            changes=change.lines,
            problems=(refusal,) if refusal else (),
            targets=(target_of(rollout.resource),),
            blast_radius=blast_radius_of(rollout, context),
            decided={"position": _position(rollout)},
            reversible=self.reversible,
        )

    def observe(self, arguments: A, context: StepContext) -> StepOutcome | None:
        rollout = read_rollout(arguments.rollout, context)
        marked = rollout.resource.marker == str(context.marker)
        done = marked and self.done(arguments, rollout, context.decided["position"])
        return StepOutcome(self.said(arguments)) if done else None

    def apply(self, arguments: A, context: StepContext) -> StepOutcome:
        """Write the change, unless the Rollout has moved on since it was planned."""
        rollout = read_rollout(arguments.rollout, context)
        if _position(rollout) != context.decided["position"]:
            raise PermanentError(
                f"{rollout.name} has moved on since it was planned. Now: {_now(rollout)}."
            )
        if rollout.resource.marker != str(context.marker):
            rollout = self._begun(arguments, rollout, context)
        _finish(rollout, self.change(arguments, rollout), context)
        return StepOutcome(self.said(arguments))

    def _begun(self, arguments: A, rollout: Rollout, context: StepContext) -> Rollout:
        refusal = self.refusal(arguments, rollout)
        if refusal:
            raise PermanentError(refusal)
        return _begin(rollout, self.change(arguments, rollout), context)

    def undo(self, arguments: A, outcome: StepOutcome, context: StepContext) -> StepOutcome:
        raise PermanentError(f"{self.name} is not put back: decide what {arguments.rollout} runs.")


class RolloutAbort(_RolloutStep[RolloutArguments]):
    """Stops an update: the traffic goes back to the stable version, canary and blue-green alike.

    The spec keeps the new version; `argo.rollout_undo` takes that back too. An abort is not put
    back by itself: that would roll the bad version out again (`argo.rollout_retry` does).
    """

    name = "argo.rollout_abort"
    arguments = RolloutArguments

    def intent(self, arguments: RolloutArguments) -> str:
        return f"Abort the update of Rollout {arguments.rollout}: back to its stable version."

    def refusal(self, arguments: RolloutArguments, rollout: Rollout) -> str:
        if rollout.aborted:
            return f"{rollout.name} is aborted already."
        if rollout.fully_promoted:
            return (
                f"{rollout.name} is fully promoted, so there is no update to abort; "
                "argo.rollout_undo goes back to the version before."
            )
        return ""

    def change(self, arguments: RolloutArguments, rollout: Rollout) -> Change:
        return Change(ABORT)

    def done(self, arguments: RolloutArguments, rollout: Rollout, planned: str) -> bool:
        return rollout.aborted

    def said(self, arguments: RolloutArguments) -> str:
        return f"The update of Rollout {arguments.rollout} is aborted."


class RolloutRetry(_RolloutStep[RolloutArguments]):
    """Starts an aborted update again; put back, it is aborted again."""

    name = "argo.rollout_retry"
    arguments = RolloutArguments
    reversible = True

    def intent(self, arguments: RolloutArguments) -> str:
        return f"Start the aborted update of Rollout {arguments.rollout} again."

    def refusal(self, arguments: RolloutArguments, rollout: Rollout) -> str:
        return "" if rollout.aborted else f"{rollout.name} is not aborted."

    def change(self, arguments: RolloutArguments, rollout: Rollout) -> Change:
        return Change(RETRY)

    def done(self, arguments: RolloutArguments, rollout: Rollout, planned: str) -> bool:
        return not rollout.aborted

    def said(self, arguments: RolloutArguments) -> str:
        return f"The update of Rollout {arguments.rollout} is started again."

    def undo(
        self, arguments: RolloutArguments, outcome: StepOutcome, context: StepContext
    ) -> StepOutcome:
        rollout = read_rollout(arguments.rollout, context)
        if rollout.fully_promoted:
            raise PermanentError(f"{rollout.name} is fully promoted: too late to abort it.")
        _finish(_begin(rollout, Change(ABORT), context), Change(ABORT), context)
        return StepOutcome(f"The update of Rollout {arguments.rollout} is aborted again.")


class RolloutPromoteArguments(RolloutArguments):
    """Which Rollout; `full` skips all that is left of its steps, pauses and analyses."""

    full: bool = False


class RolloutPromote(_RolloutStep[RolloutPromoteArguments]):
    """Lets an update go on: past its pause, or with `full` to the end.

    A canary that is not paused is moved to its next step, which skips what it is doing. A
    promotion is not put back by itself.
    """

    name = "argo.rollout_promote"
    arguments = RolloutPromoteArguments

    def intent(self, arguments: RolloutPromoteArguments) -> str:
        if arguments.full:
            return f"Promote Rollout {arguments.rollout} in full, skipping what is left."
        return f"Promote Rollout {arguments.rollout}."

    def refusal(self, arguments: RolloutPromoteArguments, rollout: Rollout) -> str:
        if rollout.aborted:
            return f"{rollout.name} is aborted; argo.rollout_retry starts its update again."
        change = self.change(arguments, rollout)
        if not change.status and not change.release:
            return f"{rollout.name} waits for nothing that could be promoted."
        return ""

    def change(self, arguments: RolloutPromoteArguments, rollout: Rollout) -> Change:
        if arguments.full:
            status = {} if rollout.fully_promoted else {"promoteFull": True}
            return Change(status, rollout.held)
        return Change(_going_on(rollout), rollout.held)

    def done(self, arguments: RolloutPromoteArguments, rollout: Rollout, planned: str) -> bool:
        if arguments.full:
            going = rollout.fully_promoted or bool(rollout.status.get("promoteFull"))
        else:
            going = _position(rollout) != planned or not _going_on(rollout)
        return going and not rollout.held

    def said(self, arguments: RolloutPromoteArguments) -> str:
        return f"Rollout {arguments.rollout} is promoted{' in full' if arguments.full else ''}."


def _going_on(rollout: Rollout) -> Mapping[str, Any]:
    """What the plugin's `getPatches` puts into the status to let the update go on."""
    following = {} if rollout.step_index is None else {"currentStepIndex": _next(rollout)}
    if rollout.pauses and rollout.status.get("controllerPause") and _inconclusive(rollout):
        return {"pauseConditions": None, "controllerPause": False, **following}
    if rollout.pauses:
        return {"pauseConditions": None}
    return {"pauseConditions": None, **following} if following else {}


def _next(rollout: Rollout) -> int:
    return min((rollout.step_index or 0) + 1, rollout.steps)


def _inconclusive(rollout: Rollout) -> bool:
    canary: Mapping[str, Any] = rollout.status.get("canary") or {}
    analysis: Mapping[str, Any] = canary.get("currentStepAnalysisRunStatus") or {}
    return rollout.canary is not None and analysis.get("status") == "Inconclusive"


def _begin(
    rollout: Rollout, change: Change, context: StepContext, *, dry_run: bool = False
) -> Rollout:
    """Write the marker, and what belongs into the spec."""
    patch = {"spec": {"paused": False}} if change.release else {}
    ref = rollout.resource.ref
    return Rollout(context.objects.merge(ref, patch, context.marker, dry_run=dry_run))


def _finish(
    rollout: Rollout, change: Change, context: StepContext, *, dry_run: bool = False
) -> None:
    """Write what belongs into the status, if nobody has changed the Rollout since it was read."""
    if change.status:
        context.objects.merge(
            rollout.resource.ref,
            {"status": change.status},
            context.marker,
            version=rollout.resource.version,
            subresource="status",
            dry_run=dry_run,
        )


def _position(rollout: Rollout) -> str:
    """Where the update stands; it differs as soon as it goes on."""
    index = "" if rollout.step_index is None else rollout.step_index
    parts = (rollout.newest, index, ",".join(rollout.pauses), rollout.aborted)
    return " ".join(map(str, parts))


def _now(rollout: Rollout) -> str:
    phase, message = rollout.phase
    step = f", step {rollout.step_index} of {rollout.steps}" if rollout.steps else ""
    return f"{phase}{step}{f' ({message})' if message else ''}"


def _shown(value: object) -> str:
    return "none" if value is None else json.dumps(value)
