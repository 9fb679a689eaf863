"""`argocd.suspend` and `argocd.resume`: whether Argo CD syncs an Application by itself.

What was switched off is kept twice: in the step's outcome for its undo, and in an annotation on
the Application, from which a later run resumes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.domain.errors import PermanentError
from bot.domain.plan import StepOutcome, StepPlan
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
from bot.steps.base import MutatingStep, target_of


class ArgoCdSuspend(MutatingStep[ApplicationArguments]):
    """Lets nothing be synced by itself, so that a fix by hand stays; people still can sync.

    An Application that an ApplicationSet makes may be put back by it; the plan warns of that.
    """

    name = "argocd.suspend"
    arguments = ApplicationArguments
    decides = frozenset({"automated"})

    def intent(self, arguments: ApplicationArguments) -> str:
        return f"Switch off the automated sync of Application {arguments.application}."

    def prepare(self, arguments: ApplicationArguments, context: StepContext) -> StepPlan:
        application = read_application(arguments.application, context)
        if not application.automated or application.automation is None:
            raise PermanentError(f"{application.name} is not synced automatically.")
        automation = application.automation
        ref = application_ref(arguments.application)
        context.objects.merge(ref, switched_off(automation), context.marker, dry_run=True)
        return StepPlan(
            self.intent(arguments),
            changes=(f"- {shown(automation)}", *application.warnings),
            targets=(target_of(application.resource),),
            decided={"automated": json.dumps(automation, sort_keys=True)},
            reversible=True,
        )

    def observe(self, arguments: ApplicationArguments, context: StepContext) -> StepOutcome | None:
        application = read_application(arguments.application, context)
        done = application.resource.marker == str(context.marker)
        return _suspended(arguments, context) if done else None

    def apply(self, arguments: ApplicationArguments, context: StepContext) -> StepOutcome:
        ref = application_ref(arguments.application)
        patch = switched_off(json.loads(context.decided["automated"]))
        context.objects.merge(ref, patch, context.marker)
        return _suspended(arguments, context)

    def undo(
        self, arguments: ApplicationArguments, outcome: StepOutcome, context: StepContext
    ) -> StepOutcome:
        """Switch on what was on; what somebody else has switched on since is left as it is."""
        if not read_application(arguments.application, context).automated:
            patch = switched_on(json.loads(outcome.data["automated"]))
            context.objects.merge(application_ref(arguments.application), patch, context.marker)
        return StepOutcome(f"Application {arguments.application} is synced automatically again.")


def _suspended(arguments: ApplicationArguments, context: StepContext) -> StepOutcome:
    return StepOutcome(
        f"Application {arguments.application} is no longer synced automatically.",
        data=dict(context.decided),
    )


class ArgoCdResumeArguments(ApplicationArguments):
    """Which Application, and its automation where Tocsin did not switch that off."""

    automated: dict[str, bool] | None = None
    """As in `spec.syncPolicy.automated`: ``{prune: true, selfHeal: true}``, or ``{}``."""


class ArgoCdResume(MutatingStep[ArgoCdResumeArguments]):
    """Switches the automated sync on again, as it was when `argocd.suspend` switched it off."""

    name = "argocd.resume"
    arguments = ArgoCdResumeArguments
    decides = frozenset({"automated"})

    def intent(self, arguments: ArgoCdResumeArguments) -> str:
        return f"Switch on the automated sync of Application {arguments.application}."

    def prepare(self, arguments: ArgoCdResumeArguments, context: StepContext) -> StepPlan:
        application = read_application(arguments.application, context)
        automation = _wanted(arguments, application)
        ref = application_ref(arguments.application)
        context.objects.merge(ref, switched_on(automation), context.marker, dry_run=True)
        return StepPlan(
            f"{self.intent(arguments)} It then goes to what its source says.",
            changes=(f"+ {shown(automation)}", *application.warnings),
            targets=(target_of(application.resource),),
            decided={"automated": json.dumps(automation, sort_keys=True)},
            reversible=True,
        )

    def observe(self, arguments: ArgoCdResumeArguments, context: StepContext) -> StepOutcome | None:
        application = read_application(arguments.application, context)
        done = application.resource.marker == str(context.marker)
        return _resumed(arguments, context) if done else None

    def apply(self, arguments: ArgoCdResumeArguments, context: StepContext) -> StepOutcome:
        patch = switched_on(json.loads(context.decided["automated"]))
        context.objects.merge(application_ref(arguments.application), patch, context.marker)
        return _resumed(arguments, context)

    def undo(
        self, arguments: ArgoCdResumeArguments, outcome: StepOutcome, context: StepContext
    ) -> StepOutcome:
        application = read_application(arguments.application, context)
        if application.automated:
            automation = automation_in(outcome.data["automated"]) or {}
            patch = switched_off(automation)
            context.objects.merge(application.resource.ref, patch, context.marker)
        return StepOutcome(f"Application {arguments.application} is not synced automatically.")


def _wanted(arguments: ArgoCdResumeArguments, application: Application) -> Mapping[str, Any]:
    if application.automated:
        raise PermanentError(f"{application.name} is synced automatically already.")
    if arguments.automated is not None:
        return arguments.automated
    if application.kept is None:
        raise PermanentError(
            f"Tocsin did not switch off the automated sync of {application.name}, so it does not "
            "know what to switch on: give automated, such as {prune: true, selfHeal: true}."
        )
    return application.kept


def _resumed(arguments: ArgoCdResumeArguments, context: StepContext) -> StepOutcome:
    return StepOutcome(
        f"Application {arguments.application} is synced automatically again.",
        data=dict(context.decided),
    )
