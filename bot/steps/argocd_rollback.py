"""`argocd.rollback`: an Application back to what Argo CD deployed before.

As Argo CD's own rollback (argoproj/argo-cd, server/application/application.go, `Rollback`): a
sync to the source and revision of an entry of the history, asked for in the `operation` field.
Argo CD refuses that while it syncs automatically, since the next sync would undo it; so the
same patch switches the automation off, and `argocd.resume` switches it on once the source is
mended. The source itself stays as it is: the Application is out of sync until then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from bot.domain.cluster import Marker
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.plan import StepOutcome, StepPlan
from bot.domain.resource import Manifest
from bot.ports import StepContext
from bot.steps.argocd_application import (
    Application,
    ApplicationArguments,
    application_ref,
    automation_in,
    read_application,
    shown,
    switched_off,
    switched_on,
)
from bot.steps.arguments import RevisionName
from bot.steps.base import MutatingStep, target_of

_Entry = Mapping[str, Any]


class ArgoCdRollbackArguments(ApplicationArguments):
    """Which Application, and the history's id to go back to: ``previous`` or its number.

    `prune` deletes what that revision did not have.
    """

    revision: RevisionName | Literal["0"] = "previous"
    prune: bool = False


class ArgoCdRollback(MutatingStep[ArgoCdRollbackArguments]):
    """Asks for the rollback and switches the automated sync off; it does not wait for it."""

    name = "argocd.rollback"
    arguments = ArgoCdRollbackArguments
    decides = frozenset({"id", "revision", "previous_id", "automated"})

    def intent(self, arguments: ArgoCdRollbackArguments) -> str:
        return f"Roll Application {arguments.application} back to {arguments.revision}."

    def prepare(self, arguments: ArgoCdRollbackArguments, context: StepContext) -> StepPlan:
        application = read_application(arguments.application, context)
        if application.operating:
            raise PermanentError(f"{application.name} has an operation under way; wait for it.")
        chosen, current = _choose(arguments.revision, application)
        patch = _patch(application, chosen, arguments, context.marker)
        ref = application_ref(arguments.application)
        context.objects.merge(ref, patch, context.marker, dry_run=True)
        return StepPlan(
            f"Roll Application {arguments.application} back to {_named(chosen)}; its source stays "
            "as it is, so it is out of sync until that is mended.",
            changes=_changes(application, chosen, current),
            targets=(target_of(application.resource),),
            decided=_decided(application, chosen, current),
            reversible=True,
        )

    def observe(
        self, arguments: ArgoCdRollbackArguments, context: StepContext
    ) -> StepOutcome | None:
        application = read_application(arguments.application, context)
        done = application.resource.marker == str(context.marker)
        return _outcome(arguments, context) if done else None

    def apply(self, arguments: ArgoCdRollbackArguments, context: StepContext) -> StepOutcome:
        application = read_application(arguments.application, context)
        _sync(application, context.decided["id"], arguments, context, {})
        return _outcome(arguments, context)

    def undo(
        self, arguments: ArgoCdRollbackArguments, outcome: StepOutcome, context: StepContext
    ) -> StepOutcome:
        """Sync to what was deployed before the rollback, and switch the automation on again."""
        application = read_application(arguments.application, context)
        automation = automation_in(outcome.data["automated"])
        also = switched_on(automation) if automation is not None else {}
        _sync(application, outcome.data["previous_id"], arguments, context, also)
        return StepOutcome(
            f"Application {arguments.application} is synced to what it ran before "
            f"(id {outcome.data['previous_id']})."
        )


def _sync(
    application: Application,
    entry_id: str,
    arguments: ArgoCdRollbackArguments,
    context: StepContext,
    also: Manifest,
) -> None:
    """Ask for a sync to an entry of the history; Argo CD does one operation at a time."""
    if application.operating:
        raise TemporaryError(f"{application.name} has an operation under way.")
    entry = _with_id(entry_id, application.history)
    patch = {**_patch(application, entry, arguments, context.marker), **also}
    ref, version = application.resource.ref, application.resource.version
    context.objects.merge(ref, patch, context.marker, version=version)


def _choose(wanted: str, application: Application) -> tuple[_Entry, _Entry]:
    """The entry to go back to, and the newest one."""
    history = application.history
    if not history:
        raise PermanentError(f"{application.name} has no history to go back in.")
    current = history[-1]
    if wanted == "previous":
        if len(history) == 1:
            raise PermanentError(f"{application.name} was deployed only once.")
        return _whole(history[-2]), current
    if str(current["id"]) == wanted:
        raise PermanentError(f"{application.name} has id {wanted} deployed now.")
    return _whole(_with_id(wanted, history)), current


def _with_id(wanted: str, history: Sequence[_Entry]) -> _Entry:
    for entry in history:
        if str(entry["id"]) == wanted:
            return entry
    kept = ", ".join(str(entry["id"]) for entry in history)
    raise PermanentError(f"Argo CD does not keep id {wanted} any more; there are: {kept}.")


def _whole(entry: _Entry) -> _Entry:
    """The entry, if it says where it came from (Argo CD before 0.12 did not write that down)."""
    if not entry.get("source") and not entry.get("sources"):
        raise PermanentError(f"The history does not say where id {entry['id']} came from.")
    return entry


def _patch(
    application: Application, entry: _Entry, arguments: ArgoCdRollbackArguments, marker: Marker
) -> dict[str, Any]:
    automation = application.automation
    sync = {
        **{name: entry[name] for name in _FROM_HISTORY if entry.get(name)},
        "prune": arguments.prune,
        "syncStrategy": {"apply": {}},
        "syncOptions": list(application.sync_policy.get("syncOptions") or ()),
    }
    operation = {
        "initiatedBy": {"username": "tocsin"},
        "info": [{"name": "Reason", "value": f"Tocsin {marker}"}],
        "sync": sync,
    }
    off = switched_off(automation) if automation is not None and application.automated else {}
    return {**off, "operation": operation}


_FROM_HISTORY = ("revision", "revisions", "source", "sources")


def _changes(application: Application, chosen: _Entry, current: _Entry) -> tuple[str, ...]:
    automation = application.automation
    off = (f"- {shown(automation)}",) if automation is not None and application.automated else ()
    return (f"- {_named(current)}", f"+ {_named(chosen)}", *off, *application.warnings)


def _named(entry: _Entry) -> str:
    return (
        f"id {entry['id']} (revision {_revision(entry)}, of {entry.get('deployedAt', 'unknown')})"
    )


def _revision(entry: _Entry) -> str:
    return str(entry.get("revision") or ", ".join(entry.get("revisions") or ()))


def _decided(application: Application, chosen: _Entry, current: _Entry) -> Mapping[str, str]:
    was_on = application.automation if application.automated else None
    return {
        "id": str(chosen["id"]),
        "revision": _revision(chosen),
        "previous_id": str(current["id"]),
        "automated": json.dumps(was_on, sort_keys=True),
    }


def _outcome(arguments: ArgoCdRollbackArguments, context: StepContext) -> StepOutcome:
    return StepOutcome(
        f"Asked Argo CD to roll Application {arguments.application} back to "
        f"id {context.decided['id']}.",
        data=dict(context.decided),
    )
